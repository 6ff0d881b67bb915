//! What a device says of itself: asked for by somebody, or at its first contact.

use std::time::Duration;

use linesman_connectors::device::netconf::Session;
use linesman_connectors::device::netconf::inventory::{self, Inventory};
use linesman_domain::reached::{FactsRow, ReachedRow, StandingRow};
use linesman_schemas::OrgName;
use linesman_schemas::device::{ChassisMember, DeviceFacts, DeviceStanding, DeviceState};
use linesman_schemas::outcome::Report;
use tokio::time::{Instant, timeout};

use super::Hands;
use super::live::Undone;
use super::way::limits;
use super::worker::{Open, Worker};
use crate::logging::full;

/// How many bytes a reply may have.
const REPLY_MOST: u64 = 256 * 1024;
/// How long a device may take to say what it is.
const FACTS_MOST: Duration = Duration::from_secs(60);
/// How long it is until a device is asked again that has not said what it is: at first, and at most.
const REST: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3_600));

/// That a device was asked what it is.
pub(super) struct Asked {
    /// How it was reached.
    row: ReachedRow,
    /// How often it has not said it.
    failures: u32,
    /// From when on it is asked again.
    again: Instant,
}

impl Hands {
    /// Asks a device what it is, and reports it.
    ///
    /// # Errors
    /// It is not reached, or does not say it.
    pub async fn facts(&self, org: &OrgName, name: &str) -> Result<DeviceFacts, Undone> {
        let (device, row) = self.known(org, name)?;
        let mut talk = self.talk(&device, &row).await?;
        let limits = limits(REPLY_MOST);
        let told = inventory::of(&mut talk.session, &limits).await;
        talk.end(&limits).await;
        let facts = facts(told.map_err(|error| Undone::Failed(full(&error)))?);
        let known = self.standing(&device).map_err(|error| Undone::Failed(full(&error)))?;
        let standing = DeviceStanding {
            device: device.name.clone(),
            state: known.as_ref().map_or(DeviceState::New, |known| known.state),
            error: known.as_ref().map(|known| known.error.clone()).unwrap_or_default(),
            collected: None,
            shown_host_key: known.and_then(|known| known.shown_host_key),
            facts: Some(facts.clone()),
        };
        match self.report(&device, &Report::DeviceStands(standing)).await {
            true => Ok(facts),
            false => Err(Undone::Failed("the log does not take what the device says of itself".to_owned())),
        }
    }
}

impl Worker {
    /// What the device says of itself, where that is not known, or the device is reached otherwise since. It is asked until it
    /// has said it once for each way to it, longer and longer after each other; that it says nothing is no trouble: what is
    /// collected needs files alone.
    pub(super) async fn discover(&mut self, row: &ReachedRow) -> Option<DeviceFacts> {
        let known = self.hands.standing(&self.device).ok()?;
        let is_known = |known: &StandingRow| known.facts != FactsRow::default() && known.state != DeviceState::New;
        // A host key that is accepted is pinned first: what another one's device says is not its own.
        let asked = self.asked.as_ref().filter(|asked| asked.row == *row);
        let failures = asked.map_or(0, |asked| asked.failures);
        // What is known is of the way before, where the device has said nothing by this one.
        let is_said = failures == 0 && known.as_ref().is_some_and(is_known);
        if row.host_key.is_none() || is_said || asked.is_some_and(|asked| asked.again > Instant::now()) {
            return None;
        }
        let _room = self.hands.rooms.looks.enter(&self.device.org).await?;
        let told = timeout(FACTS_MOST, self.ask(row)).await.unwrap_or_else(|_| Err("it takes too long".to_owned()));
        let (failures, rest) = match &told {
            Ok(_) => (0, REST.1),
            Err(error) => {
                let device = &self.device;
                tracing::debug!(organization = %device.org, device = device.name, error, "a device does not say what it is");
                (failures.saturating_add(1), rest(failures))
            }
        };
        self.asked = Some(Asked { row: row.clone(), failures, again: Instant::now() + rest });
        told.ok().map(facts)
    }

    async fn ask(&self, row: &ReachedRow) -> Result<Inventory, String> {
        let limits = limits(REPLY_MOST);
        let own = match &self.open {
            Some(Open { connection, .. }) if row.netconf_port == row.port => {
                Some(Session::open(connection, &limits).await.map_err(|error| full(&error))?)
            }
            _ => None,
        };
        if let Some(mut session) = own {
            let told = inventory::of(&mut session, &limits).await;
            // Whether it says good-bye does not matter.
            let _ = session.close(&limits).await;
            return told.map_err(|error| full(&error));
        }
        let talk = self.hands.talk(&self.device, row).await;
        let mut talk = talk.map_err(Undone::words)?;
        let told = inventory::of(&mut talk.session, &limits).await;
        talk.end(&limits).await;
        told.map_err(|error| full(&error))
    }
}

/// How long a device is not asked that has not said what it is, and had not so often before.
fn rest(failures: u32) -> Duration {
    REST.0.saturating_mul(2_u32.saturating_pow(failures)).min(REST.1)
}

/// What a device has told of itself, as it is reported.
pub(super) fn facts(told: Inventory) -> DeviceFacts {
    let members = told.members.into_iter().map(|member| ChassisMember {
        number: member.number,
        serial_number: member.serial_number,
        product: member.product,
    });
    DeviceFacts {
        serial_number: told.serial_number,
        host_name: told.host_name,
        product: told.product,
        os_version: told.os_version,
        routing_engines: told.routing_engines.into_iter().map(|engine| engine.name).collect(),
        members: members.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_does_not_say_what_it_is_is_asked_again_and_less_and_less_often() {
        let rests = [0, 1, 2, 8, 9, u32::MAX].map(|failures| rest(failures).as_secs());
        assert_eq!(rests, [10, 20, 40, 2_560, 3_600, 3_600]);
    }
}
