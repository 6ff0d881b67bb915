//! Whether whoever sets a place may say which device serves it. That ties the device to the place, and so whoever sees the
//! place sees the device: it takes what tying takes, and a device that is seen.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::PlaceSettings;
use linesman_schemas::{OrgName, Place, Principal, Right};

use super::Answer;
use crate::desk::Desk;
use crate::devices::Devices;
use crate::managers::Managers;
use crate::organizations::Organizations;
use crate::rights::{Asked, Extent, Need, Ruling};
use crate::{Error, device_groups, places, rights, sight};

/// From which engine level on it is asked.
pub(crate) const LEVEL: u32 = 8;

/// What is known of devices and of who asks.
pub(crate) struct Known<'a> {
    pub(crate) managers: &'a Managers,
    pub(crate) organizations: &'a Organizations,
    pub(crate) devices: &'a mut Devices,
}

/// Why a place is not set so by whoever may set it otherwise: another device is to serve it, or none, and they may not tie
/// devices there; or it is one that they do not see, which is answered as one that is not known. Whoever sees all of the
/// organization may name one that is yet to come.
pub(crate) fn refusal(
    desk: &Desk,
    known: Known<'_>,
    org: &OrgName,
    principal: &Principal,
    settings: &PlaceSettings,
) -> Result<Option<Answer>, Error> {
    let Known { managers, organizations, devices } = known;
    let Some(name) = settings.device.as_deref().filter(|_| desk.is_at(LEVEL)) else { return Ok(None) };
    let was = desk.read(&places::key(&settings.place))?.map_or_else(String::new, |row| row.device);
    if name == was {
        return Ok(None);
    }
    let granted = managers.known(desk);
    let place = Place::Below(settings.place.clone());
    let asked = Asked { principal, need: Need::Right(Right::Devices), place: &place, is_within: false, now: desk.now };
    match rights::may(&granted, &asked)? {
        Ruling::Allowed => {}
        Ruling::Forbidden(denial) => return Ok(Some(Answer::refused(Verdict::Forbidden, denial.to_string()))),
        Ruling::Unseen => return Ok(Some(Answer::unseen(&place))),
    }
    let reach = rights::reach(&granted, principal, desk.now)?;
    if name.is_empty() || reach.extent(org) == Extent::All {
        return Ok(None);
    }
    let meant = devices.all_named(desk, org, name)?;
    let mut is_seen = true;
    for (serial_number, device) in &meant {
        let group = device_groups::of_device(desk, organizations, org, serial_number, &device.host_name)?;
        let device = sight::Device { organization: org, serial_number, host_name: &device.host_name, group };
        is_seen &= sight::has_device(desk.state(), &reach, &device)?;
    }
    // Where nobody is known by that name, as much is looked up.
    let unknown = sight::Device { organization: org, serial_number: name, host_name: "", group: "" };
    is_seen &= !meant.is_empty() || sight::has_device(desk.state(), &reach, &unknown)?;
    let nothing = || Answer::refused(Verdict::NotFound, format!("`{org}` has no device `{name}`"));
    Ok((!is_seen).then(nothing))
}
