//! Whom messages concern: organizations are told once a message comes, and once a device changes.
//!
//! What concerns messages of the provider's is the provider's in a mode with proxy organizations, which learn of them by what
//! they are sent: it is said on the provider's subjects, and policies of the organization's own do not judge it.

use linesman_schemas::OrgName;
use linesman_schemas::bundle::Device;
use linesman_schemas::intelligence::{Intelligence, Kind};
use linesman_schemas::trigger::{ArrivalData, DeviceData, ExposureData, MatchData, Trigger};
use serde::Serialize;

use crate::devices::DeviceRow;
use crate::intelligence::exposures::Exposure;
use crate::intelligence::matching::{self, Course, Found, ORGANIZATION_COST, SLICE_DEVICES, TOLD_COST};
use crate::intelligence::relevance::{Concern, Traits};
use crate::jobs::Work;
use crate::outgoing::Topic;
use crate::policies::Fired;
use crate::snapshots::parts::{self, PartRow};
use crate::subject::{Affected, IntelligenceMessage};
use crate::{Domain, Error};

/// How many messages an input says by one that they concern a device; how many more there are stands with the last.
const EXPOSURES_MOST: usize = 100;

impl Domain {
    /// A message of an organization's, or of the provider's, has come: it is held against devices.
    pub(super) fn match_message(&mut self, whose: Option<&OrgName>, id: &str) -> Result<(), Error> {
        if !self.desk.is_at(matching::LEVEL) {
            return Ok(());
        }
        self.exposures.forget(whose);
        self.jobs.begin(&mut self.desk, Work::Match { organization: whose.cloned(), id: id.to_owned() })
    }

    /// A slice of that: where it ended, and how many devices were looked at.
    pub(super) fn match_slice(
        &mut self,
        whose: Option<&OrgName>,
        id: &str,
        cursor: &[u8],
    ) -> Result<(Option<Vec<u8>>, u64), Error> {
        let Some(message) = matching::find(&self.desk, whose, id)? else { return Ok((None, 0)) };
        let concern = Concern::of(&message.message.relevance);
        let names = whose.map_or_else(|| self.organizations.names(), |org| vec![org.clone()]);
        let is_providers = self.is_providers(whose.is_none());
        let mut course = Course::read(cursor);
        let (mut left, mut looked_at) = (SLICE_DEVICES, 0);
        let decided = self.desk.decided_reactions;
        for org in names {
            let begun = match &course {
                Some(known) if org.as_str() < known.organization.as_str() => continue,
                Some(known) if org.as_str() == known.organization => match &known.at {
                    Some(at) => Some(at.clone()),
                    None => continue,
                },
                _ => None,
            };
            if left == 0 {
                break;
            }
            if begun.is_none() && message.message.kind == Kind::BugNotice {
                self.tell_arrival(&org, &message, is_providers)?;
                left = left.saturating_sub(TOLD_COST);
            }
            let (after, mut found) = begun.unwrap_or_default();
            let (count, last) = matching::look(&self.desk, &org, &concern, &after, left.max(1), &mut found)?;
            looked_at += count as u64;
            left = left.saturating_sub(count + ORGANIZATION_COST);
            if let Some(last) = last {
                let course = Course { organization: org.as_str().to_owned(), at: Some((last, found)) };
                return Ok((Some(course.write()?), looked_at));
            }
            if found.count > 0 {
                self.tell_match(&org, &message, found, is_providers)?;
                left = left.saturating_sub(TOLD_COST);
            }
            course = Some(Course { organization: org.as_str().to_owned(), at: None });
            // INVARIANT (tenants): what policies may decide on one input is not used up by those of another.
            if self.desk.decided_reactions != decided {
                left = 0;
            }
        }
        let cursor = course.filter(|_| left == 0 && whose.is_none()).map(|course| course.write()).transpose()?;
        Ok((cursor, looked_at))
    }

    /// A device is new, or it or its parts have changed: which messages concern it that did not before.
    pub(super) fn expose(
        &mut self,
        org: &OrgName,
        device: &Device<'_>,
        before: Option<&DeviceRow>,
        parts_before: Option<Vec<PartRow>>,
    ) -> Result<(), Error> {
        let is_as_before = parts_before.is_none() && before.is_some_and(|row| is_told(row, device));
        if !self.desk.is_at(matching::LEVEL) || is_as_before {
            return Ok(());
        }
        let serial_number = &*device.serial_number;
        let Some(row) = self.devices.find(&self.desk, org, serial_number)? else { return Ok(()) };
        let parts = parts::parts(self.desk.state(), org, serial_number)?;
        let parts_before = parts_before.as_ref().unwrap_or(&parts);
        let now = Traits::of(serial_number, &row, &parts);
        let before = before.map(|row| Traits::of(serial_number, row, parts_before));
        if before == Some(now) {
            return Ok(());
        }
        let found = self.exposures.of(&self.desk, org, before.as_ref(), &now)?;
        let further = found.len().saturating_sub(EXPOSURES_MOST) as u64;
        for (number, exposure) in found.into_iter().take(EXPOSURES_MOST).enumerate() {
            let further = (further > 0 && number + 1 == EXPOSURES_MOST).then_some(further);
            self.tell_exposure(org, (serial_number, &row), exposure, further)?;
        }
        Ok(())
    }

    /// Whether what concerns a message is the provider's alone to know.
    fn is_providers(&self, is_provided: bool) -> bool {
        is_provided && self.desk.mode.has_proxies()
    }

    fn tell_arrival(&mut self, org: &OrgName, message: &IntelligenceMessage, is_providers: bool) -> Result<(), Error> {
        let Intelligence { id, title, issued, .. } = &message.message;
        let data = ArrivalData { organization: org, id, title, issued: *issued };
        self.tell_of(org, (Trigger::BugNoticeArrived, is_providers), message, data, None)
    }

    fn tell_match(
        &mut self,
        org: &OrgName,
        message: &IntelligenceMessage,
        found: Found,
        is_providers: bool,
    ) -> Result<(), Error> {
        let Intelligence { id, kind, title, .. } = &message.message;
        let Found { count, devices, reasons } = &found;
        let data = MatchData { organization: org, id, kind: *kind, title, count: *count, devices, reasons };
        let trigger = matching::trigger_of(*kind);
        self.tell_of(org, (trigger, is_providers), message, data, Some(found.clone().into()))
    }

    fn tell_exposure(
        &mut self,
        org: &OrgName,
        (serial_number, row): (&str, &DeviceRow),
        exposure: Exposure,
        further: Option<u64>,
    ) -> Result<(), Error> {
        let whose = exposure.is_own.then_some(org);
        let Some(message) = matching::find(&self.desk, whose, &exposure.id)? else { return Ok(()) };
        let Intelligence { id, kind, title, .. } = &message.message;
        let device = DeviceData {
            host_name: &row.host_name,
            serial_number,
            product: &row.product,
            platform: &row.platform,
            os_version: &row.os_version,
        };
        let reasons: Vec<String> = exposure.reasons.iter().map(matching::told).collect();
        let data = ExposureData { organization: org, id, kind: *kind, title, device, reasons: &reasons, further };
        let affected = Affected { devices: vec![serial_number.to_owned()], count: 1 };
        let is_providers = self.is_providers(!exposure.is_own);
        self.tell_of(org, (Trigger::ExposureNew, is_providers), &message, data, Some(affected))
    }

    /// Says a trigger of a message, which policies judge.
    fn tell_of(
        &mut self,
        org: &OrgName,
        (trigger, is_providers): (Trigger, bool),
        message: &IntelligenceMessage,
        data: impl Serialize,
        affected: Option<Affected>,
    ) -> Result<(), Error> {
        let about = message.message.id.clone();
        let told = if is_providers { OrgName::provider() } else { org.clone() };
        self.desk.tally.trigger(trigger.as_str());
        let event = self.desk.say(&Topic::Trigger(told.clone(), trigger), &told, Some(&about), data)?;
        let fired = Fired { trigger, event, about, is_providers };
        let mut subject = message.clone();
        subject.affected = affected;
        self.judge(org, fired, subject)
    }
}

/// Whether a device's row says what a bundle does of all that messages speak of.
fn is_told(row: &DeviceRow, device: &Device<'_>) -> bool {
    row.product == device.product
        && row.os_version == device.os_version
        && row.platform == device.platform.as_deref().unwrap_or_default()
}
