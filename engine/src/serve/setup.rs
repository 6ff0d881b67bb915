//! Organizations: what the configuration says is compared with what was last loaded from it, and the
//! differences enter the log.
//!
//! Organizations keep a hash of what was loaded, so that a change by other means survives a restart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use linesman_schemas::command::{Command, Organization as OrganizationVerb, Verb};
use linesman_schemas::{CommandId, OrgName, Principal, Scope};
use serde::Serialize;

use super::Error;
use crate::config::Organization;
use crate::data_dir::private::random_hex;
use crate::log::inputs;
use crate::store::Store;
use linesman_domain::rows::{self, OrgRow, key};

const TRIES: u32 = 20;
const RETRY: Duration = Duration::from_millis(250);

/// Brings what the configuration says into the log.
pub(super) struct Setup {
    pub(super) client: Client,
    pub(super) store: Arc<Store>,
    pub(super) lanes: u32,
    pub(super) node: Arc<str>,
}

impl Setup {
    /// Sends all of them: the log is new, whatever the state is of.
    pub(super) async fn begin(&self, organizations: &[Organization]) -> Result<(), Error> {
        for organization in organizations {
            self.command(&organization.name, set(organization)).await?;
        }
        Ok(())
    }

    /// Sends what differs.
    pub(super) async fn send(&self, wanted: &[Organization]) -> Result<(), Error> {
        let mut known = self.organizations()?;
        for organization in wanted {
            let row = known.remove(&organization.name);
            if row.and_then(|row| row.loaded) != organization.settings.loaded {
                self.command(&organization.name, set(organization)).await?;
            }
        }
        for (name, _) in known.into_iter().filter(|(_, row)| row.loaded.is_some()) {
            self.command(&name, Verb::Organization(OrganizationVerb::Unload)).await?;
        }
        Ok(())
    }

    fn organizations(&self) -> Result<BTreeMap<OrgName, OrgRow>, Error> {
        let mut known = BTreeMap::new();
        for lane in 0..self.lanes {
            for row in self.store.lane(lane)?.rows(b"o", None) {
                let (key, bytes) = row?;
                if let Some(name) = key::read_org(&key) {
                    known.insert(name, rows::decode(&key, &bytes)?);
                }
            }
        }
        Ok(known)
    }

    async fn command(&self, org: &OrgName, verb: Verb) -> Result<(), Error> {
        let subject = Scope::from(org.clone()).subject(&verb);
        tracing::info!(organization = %org, verb = verb.as_str(), "the configuration changes an organization");
        // Another id each time: what is changed there and back again within a day is not one command.
        let id = format!("config-{}", random_hex::<16>().map_err(Error::Random)?);
        let id: CommandId = id.parse().map_err(|error| Error::Random(std::io::Error::other(error)))?;
        let command = Command { id, principal: Principal::Configuration, node: self.node.to_string(), verb };
        self.publish(subject, &command).await.map(drop)
    }

    /// Publishes a message; its sequence in IN.
    pub(super) async fn publish(&self, subject: String, message: &impl Serialize) -> Result<u64, Error> {
        let payload = serde_json::to_vec(message)?;
        let mut tries = 0;
        loop {
            tries += 1;
            match inputs::put(&self.client, subject.clone(), payload.clone()).await {
                Ok(sequence) => return Ok(sequence),
                Err(source) if tries == TRIES => return Err(Error::Publish { subject, source }),
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }
}

fn set(organization: &Organization) -> Verb {
    Verb::Organization(OrganizationVerb::Set(organization.settings.clone()))
}
