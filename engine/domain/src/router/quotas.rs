//! What comes beyond an organization's quota, and who hears of quotas.

use linesman_schemas::OrgName;
use linesman_schemas::bundle::Bundle;

use crate::incidents::{self, Found, Taken};
use crate::input::Input;
use crate::subject::Incident;
use crate::uploads::Whole;
use crate::{Domain, Error, quotas, remembered};

impl Domain {
    /// Whether an input is left undecided, as it comes beyond the quota of its organization.
    pub(super) fn leaves(&mut self, org: &OrgName, input: &Input<'_>) -> Result<bool, Error> {
        let (is_within, told) = self.meters.count(&mut self.desk, &self.organizations, org, input)?;
        for (fired, quota) in told {
            self.judge(org, fired, quota)?;
        }
        Ok(!is_within)
    }

    /// Decides a bundle. Where its device is a new one, that counts. `whole` is where the bytes are of one that is an outline.
    pub(super) fn take_bundle(
        &mut self,
        org: &OrgName,
        bundle: &Bundle<'_>,
        input: &Input<'_>,
        whole: Option<&Whole<'_>>,
    ) -> Result<(), Error> {
        let serial_number = &bundle.manifest.device.serial_number;
        let is_news = self.meters.is_news(&self.desk, &self.organizations, &self.devices, org, serial_number)?;
        self.decide_bundle(org, bundle, input, whole)?;
        if let Some((fired, quota)) = self.meters.said() {
            self.judge(org, fired, quota)?;
        }
        if is_news && self.devices.find(&self.desk, org, serial_number)?.is_some() {
            self.tell_of_devices(org, true)?;
        }
        Ok(())
    }

    /// The incident that a problem is, none where it is known already; nothing at all where it is left undecided, since one more
    /// id would be remembered than may be. What lies in the object store is wanted, and never left.
    pub(super) fn detect(
        &mut self,
        org: &OrgName,
        found: &Found<'_>,
        is_wanted: bool,
    ) -> Result<Option<Option<Incident>>, Error> {
        let most = quotas::ids_most(&self.desk, &self.organizations, org)?;
        let full = match most.filter(|_| !is_wanted) {
            Some(most) if remembered::known(&self.desk, org)?.count() >= most => Some(most),
            _ => None,
        };
        let rooms = (&self.organizations, &mut self.devices, &mut self.sightings);
        match incidents::take(&mut self.desk, rooms, org, (found, full))? {
            Taken::Incident(incident) => {
                if let Some(most) = most {
                    self.meters.remember_id(&mut self.desk, org, most)?;
                }
                Ok(Some(Some(*incident)))
            }
            Taken::Repeated => Ok(Some(None)),
            Taken::Beyond(most) => {
                self.meters.leave_id(&mut self.desk, &self.organizations, (org, most), found.input)?;
                Ok(None)
            }
        }
    }

    /// An organization has one device more, which may be as many as it may have.
    pub(super) fn tell_of_devices(&mut self, org: &OrgName, is_learned: bool) -> Result<(), Error> {
        match self.meters.grown(&mut self.desk, &self.organizations, org, is_learned)? {
            Some((fired, quota)) => self.judge(org, fired, quota),
            None => Ok(()),
        }
    }
}
