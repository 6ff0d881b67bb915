//! Organizations: what the configuration says is compared with what was last loaded from it, and the
//! differences enter the log.
//!
//! Organizations keep a hash of what was loaded, so that a change by other means survives a restart. What became of
//! each command is looked at once the lanes have applied them: one that was refused stops the start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Client;
use jiff::Timestamp;
use linesman_domain::devices;
use linesman_domain::organizations::{self, OrgRow, Standing};
use linesman_domain::table::Table;
use linesman_domain::{commands, level};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Organization as OrganizationVerb, Verb};
use linesman_schemas::control::Control;
use linesman_schemas::{CommandId, OrgName, Principal};
use serde::Serialize;

use super::Error;
use crate::config::Organization;
use crate::data_dir::private::random_hex;
use crate::licence;
use crate::log::{inputs, streams};
use crate::store::Store;

const TRIES: u32 = 20;
const RETRY: Duration = Duration::from_millis(250);

/// Brings what the configuration says into the log.
pub(super) struct Setup {
    pub(super) client: Client,
    pub(super) store: Arc<Store>,
    pub(super) lanes: u32,
    pub(super) node: Arc<str>,
    /// Under what licence organizations are added.
    pub(super) standing: Arc<licence::Standing>,
    pub(super) sent: Mutex<Vec<Sent>>,
}

/// A command that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    organization: OrgName,
    id: CommandId,
    verb: &'static str,
}

impl Setup {
    /// Sends the newest level, and all of the organizations: the log is new, whatever the state is of.
    ///
    /// # Errors
    /// There are more than may be added, or the log takes nothing.
    pub(super) async fn begin(&self, organizations: &[Organization]) -> Result<(), Error> {
        self.admit(organizations.iter().map(|organization| &organization.name), 0)?;
        for lane in 0..self.lanes {
            self.publish(format!("p.{lane}.ctl"), &Control::Level(level::NEWEST)).await?;
        }
        for organization in organizations {
            self.command(&organization.name, set(organization)).await?;
        }
        Ok(())
    }

    /// Lets organizations on beside so many that take part.
    fn admit<'a>(&self, added: impl Iterator<Item = &'a OrgName>, active: u64) -> Result<(), Error> {
        let now = Timestamp::now();
        let devices = match self.standing.terms(now).devices {
            Some(_) => {
                devices::count(&(0..self.lanes).map(|lane| self.store.lane(lane)).collect::<Result<Vec<_>, _>>()?)?
            }
            None => 0,
        };
        (active..)
            .zip(added)
            .try_for_each(|(count, name)| Ok(self.standing.admit(now, name.as_str(), count, devices)?))
    }

    /// Lets on what the configuration adds to the organizations that take part; what it takes away makes room.
    fn admit_wanted(&self, wanted: &[Organization], known: &BTreeMap<OrgName, OrgRow>) -> Result<(), Error> {
        let names: BTreeSet<&OrgName> = wanted.iter().map(|organization| &organization.name).collect();
        let is_active = |name: &OrgName| known.get(name).is_some_and(|row| row.standing == Standing::Active);
        let stays = |(name, row): &(&OrgName, &OrgRow)| {
            row.standing == Standing::Active && (row.loaded.is_none() || names.contains(*name))
        };
        let active = known.iter().filter(stays).count() as u64;
        let is_said_anew = |organization: &&Organization| {
            known.get(&organization.name).and_then(|row| row.loaded.clone()) != organization.settings.loaded
        };
        let added = wanted.iter().filter(is_said_anew).map(|organization| &organization.name);
        self.admit(added.filter(|name| !is_active(name)), active)
    }

    /// Sends what differs.
    ///
    /// # Errors
    /// There are more than may be added, or the log takes nothing.
    pub(super) async fn send(&self, wanted: &[Organization]) -> Result<(), Error> {
        let mut known = self.organizations()?;
        self.admit_wanted(wanted, &known)?;
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

    /// Looks what became of all that was sent, once the lanes have applied it. What a lane that stands still has not, it will.
    ///
    /// # Errors
    /// One of them was not done.
    pub(super) fn check(&self, stands_still: impl Fn(u32) -> bool) -> Result<(), Error> {
        // Nothing under the lock panics.
        let sent = std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner));
        let waits = |sent: &&Sent| stands_still(streams::lane_of(sent.organization.as_str(), self.lanes));
        sent.iter().filter(|sent| !waits(sent)).try_for_each(|sent| check(&self.store, self.lanes, sent))
    }

    /// Every organization, as the lanes have applied it.
    pub(super) fn organizations(&self) -> Result<BTreeMap<OrgName, OrgRow>, Error> {
        let mut known = BTreeMap::new();
        for lane in 0..self.lanes {
            for row in organizations::all(&self.store.lane(lane)?) {
                let (name, row) = row?;
                known.insert(name, row);
            }
        }
        Ok(known)
    }

    async fn command(&self, org: &OrgName, verb: Verb) -> Result<(), Error> {
        let subject = verb.subject(Some(org));
        tracing::info!(organization = %org, verb = verb.as_str(), "the configuration changes an organization");
        let id = new_id()?;
        let sent = Sent { organization: org.clone(), id: id.clone(), verb: verb.as_str() };
        let command = Command { id, principal: Principal::Configuration, node: self.node.to_string(), verb };
        self.publish(subject, &command).await?;
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
        Ok(())
    }

    /// Asks the provider, on lane 0; under which id, and where that stands in IN.
    pub(super) async fn ask_provider(&self, principal: Principal, verb: Verb) -> Result<(CommandId, u64), Error> {
        let id = new_id()?;
        let command = Command { id: id.clone(), principal, node: self.node.to_string(), verb };
        let subject = command.verb.subject(None);
        Ok((id, self.publish(subject, &Control::Command(Box::new(command))).await?))
    }

    /// Why a command to the provider was not done, once it has been decided.
    pub(super) fn refusal_of_provider(&self, id: &CommandId) -> Result<Option<String>, Error> {
        let row = Table::read(&self.store.lane(0)?, &commands::key(None, id.as_str()))?;
        Ok(row.filter(|row| row.verdict != Verdict::Done).map(|row| row.detail))
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

/// Another id each time: what is changed there and back again within a day is not one command.
fn new_id() -> Result<CommandId, Error> {
    let id = format!("config-{}", random_hex::<16>().map_err(Error::Random)?);
    id.parse().map_err(Error::CommandId)
}

fn set(organization: &Organization) -> Verb {
    Verb::Organization(OrganizationVerb::Set(organization.settings.clone()))
}

/// Whether a command was done, by the row that its lane keeps of it.
fn check(store: &Store, lanes: u32, sent: &Sent) -> Result<(), Error> {
    let Sent { organization, id, verb } = sent;
    let lane = store.lane(streams::lane_of(organization.as_str(), lanes))?;
    let detail = match Table::read(&lane, &commands::key(Some(organization), id.as_str()))? {
        Some(row) if row.verdict == Verdict::Done => return Ok(()),
        Some(row) => row.detail,
        None => format!("it has no outcome, a dead letter on `out.{organization}.dead.>` may say why"),
    };
    Err(Error::Refused { organization: organization.clone(), verb, detail })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use linesman_domain::commands::CommandRow;
    use linesman_domain::state::Writes;
    use linesman_domain::table;

    use super::*;

    fn sent(organization: &str) -> Sent {
        let id = format!("config-{organization}").parse().unwrap();
        Sent { organization: organization.parse().unwrap(), id, verb: "set-organization" }
    }

    fn keep(store: &Store, sent: &Sent, verdict: Verdict, detail: &str) {
        let row = CommandRow {
            verdict,
            is_new: false,
            detail: detail.to_owned(),
            asked: [0; 32],
            decided: Timestamp::UNIX_EPOCH,
        };
        let key = commands::key(Some(&sent.organization), sent.id.as_str());
        let rows = vec![(key.as_bytes().to_vec(), Some(table::encode(&row).unwrap()))];
        let lane = store.lane(streams::lane_of(sent.organization.as_str(), 4)).unwrap();
        lane.apply(&Writes { batch: 1, rows }).unwrap();
    }

    #[test]
    fn a_command_that_was_not_done_is_told_with_its_organization() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (acme, bolt, cobalt) = (sent("acme"), sent("bolt"), sent("cobalt"));
        keep(&store, &acme, Verdict::Done, "created");
        keep(&store, &bolt, Verdict::Invalid, "`display_name` has more than 200 characters");
        let said = |sent: &Sent| check(&store, 4, sent).map_err(|error| error.to_string());
        assert_eq!(said(&acme), Ok(()));
        let expected = "the organization `bolt` cannot be set up: `set-organization` was refused: `display_name` has \
                        more than 200 characters; correct it under `[[organizations]]` in the configuration and start \
                        again";
        assert_eq!(said(&bolt).unwrap_err(), expected);
        assert!(said(&cobalt).unwrap_err().contains("a dead letter on `out.cobalt.dead.>` may say why"));
    }
}
