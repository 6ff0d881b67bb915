//! What a device says of itself: asked for by somebody, or at its first contact.

use linesman_connectors::device::netconf::Session;
use linesman_connectors::device::netconf::inventory::{self, Inventory};
use linesman_domain::reached::{FactsRow, ReachedRow, StandingRow};
use linesman_schemas::OrgName;
use linesman_schemas::device::{ChassisMember, DeviceFacts, DeviceStanding, DeviceState};
use linesman_schemas::outcome::Report;

use super::Hands;
use super::live::Undone;
use super::way::limits;
use super::worker::{Open, Worker};
use crate::logging::full;

/// How many bytes a reply may have.
const REPLY_MOST: u64 = 256 * 1024;

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
    /// What the device says of itself, where that is not known, or the device is reached otherwise since. It is asked once
    /// for each way to it; that it says nothing is no trouble: what is collected needs files alone.
    pub(super) async fn discover(&mut self, row: &ReachedRow) -> Option<DeviceFacts> {
        let known = self.hands.standing(&self.device).ok()?;
        let is_known = |known: &StandingRow| known.facts != FactsRow::default() && known.state != DeviceState::New;
        // A host key that is accepted is pinned first: what another one's device says is not its own.
        if row.host_key.is_none() || self.asked.as_ref() == Some(row) || known.as_ref().is_some_and(is_known) {
            return None;
        }
        self.asked = Some(row.clone());
        match self.ask(row).await {
            Ok(inventory) => Some(facts(inventory)),
            Err(error) => {
                let device = &self.device;
                tracing::debug!(organization = %device.org, device = device.name, error, "a device does not say what it is");
                None
            }
        }
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
