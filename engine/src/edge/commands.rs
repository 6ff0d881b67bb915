//! Commands of the API: into the log, and what became of them.
//!
//! ```text
//!  request --> in.<org>.cmd.<verb> --> lane decides, applies --> outcome in the state --> answer
//!                                      \-- not within 2 s ---> 202, to be asked for by the command's id
//! ```
//!
//! The id is the client's `Idempotency-Key`. Its outcome is kept for a day of the log's time: said again,
//! nothing is done again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Client;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Verb};
use linesman_schemas::{CommandId, OrgName};
use tokio::sync::watch;
use tokio::time::timeout;

use super::viewer::Viewer;
use crate::lane::status::LaneStatus;
use crate::log::inputs;
use crate::log::streams::lane_of;
use crate::store::Lane;
use linesman_domain as domain;
use linesman_domain::rows::{self, CommandRow, Standing, key};

/// How long a request waits for its command to be applied.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many commands that are on their way are remembered, to tell them from those that never were.
const SENT_MOST: usize = 10_000;

/// How a command stands.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: CommandId,
    pub(super) org: OrgName,
    /// Its outcome; none while it is on its way.
    pub(super) outcome: Option<CommandRow>,
}

impl Asked {
    /// Whether something is there by it that was not there before.
    pub(super) fn has_created(&self) -> bool {
        // The row has nothing else that tells: setting an organization is told apart by what was done.
        self.outcome.as_ref().is_some_and(|row| row.verdict == Verdict::Done && row.detail == "created")
    }
}

/// Why a command was not sent, or is not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The same id for something else.
    #[error("the command `{0}` asked for something else within the last day; a new command needs an id of its own")]
    OtherCommand(CommandId),
    /// There is no such organization for whoever asks.
    #[error("there is no organization `{0}`")]
    Unseen(OrgName),
    /// Nothing of that id.
    #[error("there is no command `{0}` of the last day")]
    Unknown(CommandId),
    /// The log is away.
    #[error("the log takes no commands at the moment; it is safe to send this one again under the same id")]
    Log(#[source] async_nats::jetstream::context::PublishError),
    /// The state cannot be read.
    #[error("the command's outcome cannot be read")]
    State(#[from] domain::Error),
    /// The command has no form.
    #[error("the command cannot be written")]
    Json(#[from] serde_json::Error),
}

/// Sends commands, and finds what became of them.
pub(super) struct Commands {
    client: Client,
    node: Arc<str>,
    lanes: Vec<watch::Receiver<LaneStatus>>,
    rows: Arc<[Lane]>,
    /// Where commands stand in IN that were not seen applied.
    sent: Mutex<BTreeMap<(OrgName, CommandId), u64>>,
}

impl Commands {
    pub(super) fn new(
        client: Client,
        node: Arc<str>,
        lanes: Vec<watch::Receiver<LaneStatus>>,
        rows: Arc<[Lane]>,
    ) -> Self {
        Self { client, node, lanes, rows, sent: Mutex::default() }
    }

    /// Sends a command and waits a while for its outcome. One that was sent before under this id is not sent
    /// again.
    ///
    /// # Errors
    /// There is no such organization for `viewer`, the id was another command's, or log or state are away.
    pub(super) async fn ask(&self, viewer: &Viewer, org: OrgName, id: CommandId, verb: Verb) -> Result<Asked, Error> {
        if !viewer.sees(Some(&org)) {
            return Err(Error::Unseen(org));
        }
        if let Some(known) = self.known(viewer, &org, &id, &verb)? {
            return Ok(known);
        }
        let asked = domain::asked(&verb)?;
        let subject = format!("in.{org}.cmd.{}", verb.as_str());
        let command = Command { id: id.clone(), actor: viewer.actor().to_owned(), node: self.node.to_string(), verb };
        let sequence = inputs::put(&self.client, subject, serde_json::to_vec(&command)?).await.map_err(Error::Log)?;
        self.remember(&org, &id, sequence);
        if !self.wait(&org, sequence).await {
            return Ok(Asked { id, org, outcome: None });
        }
        self.sent().remove(&(org.clone(), id.clone()));
        match self.outcome(viewer, &org, &id)? {
            Some(outcome) => answer(org, id, outcome, asked),
            None => Err(Error::Unknown(id)),
        }
    }

    /// How a command stands that was decided under this id; an error where it asked for something else.
    pub(super) fn known(
        &self,
        viewer: &Viewer,
        org: &OrgName,
        id: &CommandId,
        verb: &Verb,
    ) -> Result<Option<Asked>, Error> {
        let asked = domain::asked(verb)?;
        let outcome = self.outcome(viewer, org, id)?;
        outcome.map(|outcome| answer(org.clone(), id.clone(), outcome, asked)).transpose()
    }

    /// How a command of an organization stands.
    ///
    /// # Errors
    /// Nothing of that id is known, or to be seen by `viewer`; or the state cannot be read.
    pub(super) fn find(&self, viewer: &Viewer, org: OrgName, id: CommandId) -> Result<Asked, Error> {
        let key = (org, id);
        let sent = self.sent().get(&key).copied().filter(|_| viewer.sees(Some(&key.0)));
        let (org, id) = key;
        // IMPORTANT: in this order, or it may be applied between the two and would count as unknown.
        let is_applied = sent.is_none_or(|sequence| self.position(&org) >= sequence);
        let outcome = self.outcome(viewer, &org, &id)?;
        match outcome {
            None if is_applied => Err(Error::Unknown(id)),
            outcome => Ok(Asked { id, org, outcome }),
        }
    }

    /// Whether an organization takes part; none where there is none of that name for `viewer`.
    pub(super) fn standing(&self, viewer: &Viewer, org: &OrgName) -> Result<Option<Standing>, domain::Error> {
        match self.rows.get(self.lane(org)).filter(|_| viewer.sees(Some(org))) {
            Some(lane) => Ok(rows::read(lane, &key::org(org))?.map(|row| row.standing)),
            None => Ok(None),
        }
    }

    fn outcome(&self, viewer: &Viewer, org: &OrgName, id: &CommandId) -> Result<Option<CommandRow>, domain::Error> {
        match self.rows.get(self.lane(org)).filter(|_| viewer.sees(Some(org))) {
            Some(lane) => rows::read(lane, &key::command(org, id.as_str())),
            None => Ok(None),
        }
    }

    /// Waits until the organization's lane has applied a message; whether it has in time.
    async fn wait(&self, org: &OrgName, sequence: u64) -> bool {
        let Some(mut lane) = self.lanes.get(self.lane(org)).cloned() else { return false };
        let applied = lane.wait_for(|status| status.position >= sequence);
        matches!(timeout(PATIENCE, applied).await, Ok(Ok(_)))
    }

    fn position(&self, org: &OrgName) -> u64 {
        self.lanes.get(self.lane(org)).map_or(0, |lane| lane.borrow().position)
    }

    fn lane(&self, org: &OrgName) -> usize {
        lane_of(org.as_str(), u32::try_from(self.lanes.len()).unwrap_or(u32::MAX)) as usize
    }

    fn remember(&self, org: &OrgName, id: &CommandId, sequence: u64) {
        let mut sent = self.sent();
        if sent.len() >= SENT_MOST {
            sent.retain(|(org, _), sequence| self.position(org) < *sequence);
        }
        if sent.len() < SENT_MOST {
            sent.insert((org.clone(), id.clone()), sequence);
        }
    }

    fn sent(&self) -> std::sync::MutexGuard<'_, BTreeMap<(OrgName, CommandId), u64>> {
        // Nothing under the lock panics; and the map is whole after every step.
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(org: OrgName, id: CommandId, outcome: CommandRow, asked: [u8; 32]) -> Result<Asked, Error> {
    if outcome.asked == asked { Ok(Asked { id, org, outcome: Some(outcome) }) } else { Err(Error::OtherCommand(id)) }
}
