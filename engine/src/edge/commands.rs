//! Commands of the API: into the log, and what became of them.
//!
//! ```text
//!  request --> in.<org>.cmd.<verb> --> lane decides, applies --> outcome in the state --> answer
//!                                      \-- not within 2 s ---> 202, to be asked for by the command's id
//! ```
//!
//! The id is the client's `Idempotency-Key`. Its outcome is kept for a day of the log's time: said again,
//! nothing is done again. What is asked of the provider goes to lane 0, by `p.0.ctl`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Client;
use linesman_schemas::command::{Command, Verb};
use linesman_schemas::{CommandId, OrgName, Principal};
use tokio::sync::watch;
use tokio::time::timeout;

use super::viewer::Viewer;
use crate::lane::status::LaneStatus;
use crate::log::inputs;
use crate::log::streams::lane_of;
use crate::store::Lane;
use linesman_domain as domain;
use linesman_domain::commands::{self, CommandRow};
use linesman_domain::organizations::{self, Standing};
use linesman_domain::table::Table;
use linesman_domain::{rule_book, sections};

/// How long a request waits for its command to be applied.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many commands that are on their way are remembered, to tell them from those that never were.
const SENT_MOST: usize = 10_000;

/// How a command stands.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: CommandId,
    /// Whose lane decides it; none: the provider's.
    pub(super) whose: Option<OrgName>,
    /// Its outcome; none while it is on its way.
    pub(super) outcome: Option<CommandRow>,
}

impl Asked {
    /// Whether something is there by it that was not there before.
    pub(super) fn has_created(&self) -> bool {
        self.outcome.as_ref().is_some_and(|row| row.is_new)
    }
}

/// Why a command was not sent, or is not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The same id for something else.
    #[error("the command `{0}` asked for something else within the last day; a new command needs an id of its own")]
    OtherCommand(CommandId),
    /// There is no such organization for whoever asks.
    #[error("there is {}", nothing(.0.as_ref()))]
    Unseen(Option<OrgName>),
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
    sent: Mutex<BTreeMap<(Option<OrgName>, CommandId), u64>>,
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
    pub(super) async fn ask(
        &self,
        viewer: &Viewer,
        whose: Option<OrgName>,
        id: CommandId,
        verb: Verb,
    ) -> Result<Asked, Error> {
        if !is_asked_by(viewer, whose.as_ref()) {
            return Err(Error::Unseen(whose));
        }
        if let Some(known) = self.known(viewer, whose.as_ref(), &id, &verb)? {
            return Ok(known);
        }
        let asked = domain::asked(&verb)?;
        let is_for_all = whose.is_none() && matches!(verb, Verb::Manager(_) | Verb::Group(_));
        let command = Command { id: id.clone(), principal: viewer.principal(), node: self.node.to_string(), verb };
        let (subject, payload) = inputs::of_command(whose.as_ref(), command)?;
        let sequence = inputs::put(&self.client, subject, payload).await.map_err(Error::Log)?;
        self.remember(whose.as_ref(), &id, sequence);
        let applied = async { self.wait(whose.as_ref(), sequence).await && (!is_for_all || self.has_spread().await) };
        if !matches!(timeout(PATIENCE, applied).await, Ok(true)) {
            return Ok(Asked { id, whose, outcome: None });
        }
        self.sent().remove(&(whose.clone(), id.clone()));
        match self.outcome(viewer, whose.as_ref(), &id)? {
            Some(outcome) => answer(whose, id, outcome, asked),
            None => Err(Error::Unknown(id)),
        }
    }

    /// How a command stands that was decided under this id; an error where it asked for something else.
    pub(super) fn known(
        &self,
        viewer: &Viewer,
        whose: Option<&OrgName>,
        id: &CommandId,
        verb: &Verb,
    ) -> Result<Option<Asked>, Error> {
        let asked = domain::asked(verb)?;
        let outcome = self.outcome(viewer, whose, id)?;
        outcome.map(|outcome| answer(whose.cloned(), id.clone(), outcome, asked)).transpose()
    }

    /// How a command stands.
    ///
    /// # Errors
    /// Nothing of that id is known, or to be seen by `viewer`; or the state cannot be read.
    pub(super) fn find(&self, viewer: &Viewer, whose: Option<OrgName>, id: CommandId) -> Result<Asked, Error> {
        let key = (whose, id);
        let sent = self.sent().get(&key).copied().filter(|_| is_asked_by(viewer, key.0.as_ref()));
        let (whose, id) = key;
        // IMPORTANT: in this order, or it may be applied between the two and would count as unknown.
        let is_applied = sent.is_none_or(|sequence| self.position(whose.as_ref()) >= sequence);
        let outcome = self.outcome(viewer, whose.as_ref(), &id)?;
        match outcome {
            None if is_applied => Err(Error::Unknown(id)),
            outcome => Ok(Asked { id, whose, outcome }),
        }
    }

    /// Whether an organization takes part; none where there is none of that name for `viewer`.
    pub(super) fn standing(&self, viewer: &Viewer, org: &OrgName) -> Result<Option<Standing>, domain::Error> {
        match self.rows.get(self.lane(Some(org))).filter(|_| viewer.sees(Some(org))) {
            Some(lane) => Ok(Table::read(lane, &organizations::key(org))?.map(|row| row.standing)),
            None => Ok(None),
        }
    }

    fn outcome(
        &self,
        viewer: &Viewer,
        whose: Option<&OrgName>,
        id: &CommandId,
    ) -> Result<Option<CommandRow>, domain::Error> {
        match self.rows.get(self.lane(whose)).filter(|_| is_asked_by(viewer, whose)) {
            Some(lane) => Table::read(lane, &commands::key(whose, id.as_str())),
            None => Ok(None),
        }
    }

    /// Waits until the lane that decides it has applied a message; whether it is still there.
    async fn wait(&self, whose: Option<&OrgName>, sequence: u64) -> bool {
        let Some(mut lane) = self.lanes.get(self.lane(whose)).cloned() else { return false };
        lane.wait_for(|status| status.position >= sequence).await.is_ok()
    }

    /// Waits until all lanes judge by the rule book that lane 0 has composed, the provider's directory in it.
    async fn has_spread(&self) -> bool {
        let Some(composed) = self.rows.first().and_then(|first| sections::read(first).ok()) else { return false };
        for (lane, rows) in self.lanes.iter().zip(&*self.rows) {
            // A lane tells how far it is once its rows are there.
            let has_it = |_: &LaneStatus| {
                rule_book::read(rows).is_ok_and(|book| book.map_or(0, |book| book.version) >= composed.version)
            };
            if lane.clone().wait_for(has_it).await.is_err() {
                return false;
            }
        }
        true
    }

    fn position(&self, whose: Option<&OrgName>) -> u64 {
        self.lanes.get(self.lane(whose)).map_or(0, |lane| lane.borrow().position)
    }

    /// An organization's lane, or the provider's.
    fn lane(&self, org: Option<&OrgName>) -> usize {
        let lanes = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        org.map_or(0, |org| lane_of(org.as_str(), lanes) as usize)
    }

    fn remember(&self, whose: Option<&OrgName>, id: &CommandId, sequence: u64) {
        let mut sent = self.sent();
        if sent.len() >= SENT_MOST {
            sent.retain(|(whose, _), sequence| self.position(whose.as_ref()) < *sequence);
        }
        if sent.len() < SENT_MOST {
            sent.insert((whose.cloned(), id.clone()), sequence);
        }
    }

    fn sent(&self) -> std::sync::MutexGuard<'_, BTreeMap<(Option<OrgName>, CommandId), u64>> {
        // Nothing under the lock panics; and the map is whole after every step.
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody may ask something of an organization, or of the provider: of that all its people may, though few see
/// all that is the provider's.
pub(super) fn is_asked_by(viewer: &Viewer, whose: Option<&OrgName>) -> bool {
    viewer.sees(whose) || (whose.is_none() && matches!(viewer.principal(), Principal::Provider { .. }))
}

/// What is not there for whoever asks.
fn nothing(whose: Option<&OrgName>) -> String {
    whose.map_or_else(|| "nothing of that kind".to_owned(), |org| format!("no organization `{org}`"))
}

fn answer(whose: Option<OrgName>, id: CommandId, outcome: CommandRow, asked: [u8; 32]) -> Result<Asked, Error> {
    if outcome.asked == asked { Ok(Asked { id, whose, outcome: Some(outcome) }) } else { Err(Error::OtherCommand(id)) }
}
