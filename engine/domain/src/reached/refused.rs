//! Why a device is not reached as somebody asks, though all is said that is needed.

use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::DeviceSettings;

use super::{DEVICES_MOST, ReachedRow, commands, count, directives, serials};
use crate::commands::Answer;
use crate::desk::Desk;
use crate::{Error, scripts};

/// The engine level from which on a device is not reached where another one is, unless somebody says so.
const ONE_EACH_FROM: u32 = 13;

/// Why a device is not reached as it would be, given how it is; none where it is.
pub(super) fn refusal(
    desk: &mut Desk,
    org: &OrgName,
    settings: &DeviceSettings,
    (known, row): (Option<&ReachedRow>, &ReachedRow),
) -> Result<Option<Answer>, Error> {
    if desk.is_at(scripts::LEVEL) && row.moves_to_itself() {
        let detail = "files cannot be moved to the directory that they are collected from";
        return Ok(Some(Answer::refused(Verdict::Invalid, detail)));
    }
    if settings.directives.is_some()
        && let Some(refused) = directives::refusal(desk, &commands(desk.state(), org, row)?)
    {
        return Ok(Some(refused));
    }
    if let Some(other) = other_there(desk, org, settings, (known, row))? {
        let (address, port) = (&row.address, row.port);
        let detail = format!(
            "`{address}` with port {port} is where `{other}` is reached: say `shared_address` where both are there, as logical systems are"
        );
        return Ok(Some(Answer::refused(Verdict::Conflict, detail)));
    }
    if known.is_none() && count(desk, org)? >= DEVICES_MOST {
        let detail = format!("an organization reaches at most {DEVICES_MOST} devices");
        return Ok(Some(Answer::refused(Verdict::Conflict, detail)));
    }
    // INVARIANT (nobody is shown credentials that were given for another): another way to a device takes them anew.
    if settings.credentials.is_none()
        && let Some(known) = known.filter(|known| known.shows_to() != row.shows_to())
    {
        let word = known.credentials.as_str();
        let detail = format!("what is reached there may be another: give the {word} again with it");
        return Ok(Some(Answer::refused(Verdict::Invalid, detail)));
    }
    Ok(None)
}

/// Another device of the organization that is reached where this one would be from now on, unless somebody says that both are there.
fn other_there(
    desk: &Desk,
    org: &OrgName,
    settings: &DeviceSettings,
    (known, row): (Option<&ReachedRow>, &ReachedRow),
) -> Result<Option<String>, Error> {
    let is_moved = known.is_none_or(|known| serials::at(known) != serials::at(row));
    match is_moved && !settings.shares_address && desk.is_at(ONE_EACH_FROM) {
        true => serials::other_at(desk.state(), (org, &settings.name), row),
        false => Ok(None),
    }
}
