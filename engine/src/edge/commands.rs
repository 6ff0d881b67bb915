//! Commands of the API: into the log, and what became of them.
//!
//! ```text
//!  request --> in.<org>.cmd.<verb> --> lane decides, applies --> outcome in the state --> answer
//!                                      \-- not within 2 s ---> 202, to be asked for by the command's id
//! ```
//!
//! The id is made of the client's `Idempotency-Key` and of who asks, so that nobody meets another's ([`named`]). Its
//! outcome is kept for a day of the log's time: said again, nothing is done again. What is asked of the provider goes to
//! lane 0, by `p.0.ctl`; what changes the rule book is answered when every lane has applied it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::Client;
use axum::http::StatusCode;
use linesman_schemas::command::{Command, Verb};
use linesman_schemas::name::NameError;
use linesman_schemas::{CommandId, IncidentId, OrgName, Principal, TokenName};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::timeout;

use super::transport::problem::Problem;
use super::viewer::Viewer;
use crate::data_dir::private::random_hex;
use crate::lane::status::LaneStatus;
use crate::log::inputs;
use crate::log::streams::lane_of;
use crate::store::Lane;
use linesman_domain as domain;
use linesman_domain::commands::{self, CommandRow};
use linesman_domain::managers;
use linesman_domain::organizations::{self, Standing};
use linesman_domain::table::Table;
use linesman_domain::{rule_book, sections, sight};

/// How long a request waits for its command to be applied.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many commands that are on their way are remembered, to tell them from those that never were.
const SENT_MOST: usize = 10_000;
/// From which engine level on ids tell those of one name apart: what was sent before is found until then.
const NUMBERED: u32 = 8;
/// How ids begin that are of others than the first of the provider's people.
const OF_OTHERS: char = '~';
/// How many hexadecimal digits of the digest of who asks are in an id.
const WHO_CHARS: usize = 32;

/// How a command stands.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) id: CommandId,
    /// Whose lane decides it; none: the provider's.
    pub(crate) whose: Option<OrgName>,
    /// Its outcome; none while it is on its way.
    pub(crate) outcome: Option<CommandRow>,
}

impl Asked {
    /// Whether something is there by it that was not there before.
    pub(super) fn has_created(&self) -> bool {
        self.outcome.as_ref().is_some_and(|row| row.is_new)
    }
}

/// Why a command was not sent, or is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The same id for something else.
    #[error("the command `{0}` asked for something else within the last day; a new command needs an id of its own")]
    OtherCommand(CommandId),
    /// Nothing of that id.
    #[error("there is no command `{0}` of the last day")]
    Unknown(CommandId),
    /// The log is away.
    #[error("the log takes no commands at the moment; it is safe to send this one again under the same id")]
    Log(#[source] async_nats::jetstream::context::PublishError),
    /// The state cannot be read.
    #[error("the command's outcome cannot be read")]
    State(#[from] domain::Error),
    /// There is no id for it.
    #[error("the system gives no random numbers")]
    Random(#[from] std::io::Error),
    /// The command has no form.
    #[error("the command cannot be written")]
    Json(#[from] serde_json::Error),
}

/// A command on its way.
#[derive(Debug, Clone, Copy)]
struct Sent {
    /// Where it stands in IN.
    sequence: u64,
    /// Whether all lanes are to apply what comes of it, not only the one that decides it.
    is_of_all: bool,
}

/// Sends commands, and finds what became of them.
pub(crate) struct Commands {
    client: Client,
    node: Arc<str>,
    lanes: Vec<watch::Receiver<LaneStatus>>,
    rows: Arc<[Lane]>,
    /// Commands that were not seen applied, by whose they are and their ids in the log.
    sent: Mutex<BTreeMap<(Option<OrgName>, CommandId), Sent>>,
}

impl Commands {
    pub(crate) fn new(
        client: Client,
        node: Arc<str>,
        lanes: Vec<watch::Receiver<LaneStatus>>,
        rows: Arc<[Lane]>,
    ) -> Self {
        Self { client, node, lanes, rows, sent: Mutex::default() }
    }

    /// This engine, as commands name it.
    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// Sends a command and waits a while for its outcome. One that was sent before under this id is not sent
    /// again.
    ///
    /// # Errors
    /// The id was another command's, or log or state are away.
    pub(super) async fn ask(
        &self,
        viewer: &Viewer,
        whose: Option<OrgName>,
        id: CommandId,
        verb: Verb,
    ) -> Result<Asked, Error> {
        let principal = viewer.principal();
        if let Some(known) = self.known(&principal, whose.as_ref(), &id, &verb)? {
            return Ok(known);
        }
        self.put(principal, whose, id, verb).await
    }

    /// Sends a command as `principal`, whatever they see of whose it is, and waits a while for its outcome.
    ///
    /// # Errors
    /// The id was another command's, or log or state are away.
    pub(crate) async fn put(
        &self,
        principal: Principal,
        whose: Option<OrgName>,
        id: CommandId,
        verb: Verb,
    ) -> Result<Asked, Error> {
        let asked = domain::asked(&verb)?;
        let is_of_all = whose.is_none() && is_of_all(&verb);
        let wire = self.named(&principal, whose.as_ref(), &id)?;
        let command = Command { id: wire.clone(), principal, node: self.node.to_string(), verb };
        let (subject, payload) = inputs::of_command(whose.as_ref(), command)?;
        let sequence = inputs::put(&self.client, subject, payload).await.map_err(Error::Log)?;
        let sent = Sent { sequence, is_of_all };
        self.remember(whose.as_ref(), &wire, sent);
        if !self.wait(whose.as_ref(), sent).await {
            return Ok(Asked { id, whose, outcome: None });
        }
        self.sent().remove(&(whose.clone(), wire.clone()));
        match self.outcome_of(whose.as_ref(), &wire)? {
            Some(outcome) => answer(whose, id, outcome, asked),
            None => Err(Error::Unknown(id)),
        }
    }

    /// Sends what the engine has to tell, and does not wait for what becomes of it. Lanes below engine level 3 are told
    /// nothing: they would take it for no command.
    ///
    /// # Errors
    /// The log is away.
    pub(super) async fn tell(&self, whose: Option<&OrgName>, verb: Verb) -> Result<(), Error> {
        if self.level(whose) < 3 {
            return Ok(());
        }
        let id = format!("edge-{}", random_hex::<16>()?);
        let Ok(id) = id.parse() else { return Ok(()) };
        self.tell_as(whose, id, verb).await
    }

    /// The same under an id: sent again it is done once.
    ///
    /// # Errors
    /// The log does not take it, or it has no form.
    pub(super) async fn tell_as(&self, whose: Option<&OrgName>, id: CommandId, verb: Verb) -> Result<(), Error> {
        let command = Command { id, principal: Principal::Machine, node: self.node.to_string(), verb };
        let (subject, payload) = inputs::of_command(whose, command)?;
        inputs::put(&self.client, subject, payload).await.map_err(Error::Log).map(drop)
    }

    /// The engine level that a lane decides at: an organization's, or the provider's.
    pub(crate) fn level(&self, whose: Option<&OrgName>) -> u32 {
        self.lanes.get(self.lane(whose)).map_or(0, |lane| lane.borrow().level)
    }

    /// How a command of a principal stands that was decided under this id; an error where it asked for something else.
    pub(crate) fn known(
        &self,
        principal: &Principal,
        whose: Option<&OrgName>,
        id: &CommandId,
        verb: &Verb,
    ) -> Result<Option<Asked>, Error> {
        let asked = domain::asked(verb)?;
        let outcome = self.outcome_of(whose, &self.named(principal, whose, id)?)?;
        outcome.map(|outcome| answer(whose.cloned(), id.clone(), outcome, asked)).transpose()
    }

    /// What a command of a principal asked for that was decided under this id, as [`domain::asked`] has it.
    ///
    /// # Errors
    /// The state cannot be read.
    pub(super) fn asked(
        &self,
        principal: &Principal,
        whose: &OrgName,
        id: &CommandId,
    ) -> Result<Option<[u8; 32]>, domain::Error> {
        Ok(self.outcome_of(Some(whose), &self.named(principal, Some(whose), id)?)?.map(|outcome| outcome.asked))
    }

    /// How a command stands.
    ///
    /// # Errors
    /// `viewer` has asked for nothing under that id, or sees nothing any more of whom it was asked; or the state cannot be
    /// read. The first of the provider's people finds everybody's, by the ids they have in the log.
    pub(super) fn find(&self, viewer: &Viewer, whose: Option<OrgName>, id: CommandId) -> Result<Asked, Error> {
        let is_seen = whose.as_ref().is_none_or(|org| viewer.sees(Some(org)));
        let wire = self.named(&viewer.principal(), whose.as_ref(), &id)?;
        let found = match self.find_named(whose.clone(), wire, id.clone()) {
            Err(Error::Unknown(_)) if is_first(&viewer.principal()) => self.find_named(whose, id.clone(), id.clone()),
            found => found,
        };
        // Where nothing is seen as much is looked up as where there is nothing.
        if is_seen { found } else { Err(Error::Unknown(id)) }
    }

    /// What became of a change of the installation that was asked for under this id before; none where nothing was. What it
    /// would ask for may be another by now, and is not compared.
    ///
    /// # Errors
    /// The id is that of something else: it has made something, which such a change does not. Or the state cannot be read.
    pub(super) fn before(&self, viewer: &Viewer, id: CommandId) -> Result<Option<Asked>, Error> {
        match self.find(viewer, None, id) {
            Ok(known) if known.has_created() => Err(Error::OtherCommand(known.id)),
            Ok(known) => Ok(Some(known)),
            Err(Error::Unknown(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Under which id a command enters the log ([`named`]).
    fn named(
        &self,
        principal: &Principal,
        whose: Option<&OrgName>,
        key: &CommandId,
    ) -> Result<CommandId, domain::Error> {
        let number = match principal.login().filter(|_| self.level(whose) >= NUMBERED) {
            Some(login) => match self.rows.get(self.lane(login.organization.as_ref())) {
                Some(lane) => Table::read(lane, &managers::key(&login))?.map(|row| row.number),
                None => None,
            },
            None => None,
        };
        Ok(named(principal, number, key))
    }

    fn find_named(&self, whose: Option<OrgName>, wire: CommandId, id: CommandId) -> Result<Asked, Error> {
        let key = (whose, wire);
        let sent = self.sent().get(&key).copied();
        let (whose, wire) = key;
        // IMPORTANT: in this order, or it may be applied between the two and would count as unknown.
        let is_applied = sent.is_none_or(|sent| self.position(whose.as_ref()) >= sent.sequence);
        let is_everywhere = !sent.is_some_and(|sent| sent.is_of_all) || self.is_handed_out()?;
        match self.outcome_of(whose.as_ref(), &wire)? {
            None if is_applied => Err(Error::Unknown(id)),
            outcome => Ok(Asked { id, whose, outcome: outcome.filter(|_| is_everywhere) }),
        }
    }

    /// Whether an organization takes part; none where there is none of that name for `viewer`.
    pub(super) fn standing(&self, viewer: &Viewer, org: &OrgName) -> Result<Option<Standing>, domain::Error> {
        match self.rows.get(self.lane(Some(org))).filter(|_| viewer.sees(Some(org))) {
            Some(lane) => Ok(Table::read(lane, &organizations::key(org))?.map(|row| row.standing)),
            None => Ok(None),
        }
    }

    /// Lets on whoever sees an incident: for whoever sees only a part of its organization it is looked up.
    ///
    /// # Errors
    /// There is none for them.
    pub(super) fn sees_incident(&self, viewer: &Viewer, id: &IncidentId) -> Result<(), Problem> {
        if viewer.sees_all(&id.org) {
            return Ok(());
        }
        let nothing = || Problem::new(StatusCode::NOT_FOUND, format!("there is no incident `{id}` of `{}`", id.org));
        let lane = self.rows.get(self.lane(Some(&id.org))).ok_or_else(nothing)?;
        let is_seen = sight::sees_incident(lane, viewer.reach(), id).map_err(|error| Problem::internal(&error))?;
        if is_seen { Ok(()) } else { Err(nothing()) }
    }

    fn outcome_of(&self, whose: Option<&OrgName>, wire: &CommandId) -> Result<Option<CommandRow>, domain::Error> {
        match self.rows.get(self.lane(whose)) {
            Some(lane) => Table::read(lane, &commands::key(whose, wire.as_str())),
            None => Ok(None),
        }
    }

    /// Waits until the lane that decides it has applied a message, or where it is of all, they what came of it; whether
    /// they have in time.
    async fn wait(&self, whose: Option<&OrgName>, sent: Sent) -> bool {
        let Some(mut lane) = self.lanes.get(self.lane(whose)).cloned() else { return false };
        let applied = async {
            lane.wait_for(|status| status.position >= sent.sequence).await.ok()?;
            if !sent.is_of_all {
                return Some(());
            }
            let version = sections::read(self.rows.first()?).ok()?.version;
            for (lane, rows) in self.lanes.iter().zip(&*self.rows) {
                let mut lane = lane.clone();
                while !is_at(rows, version).ok()? {
                    lane.changed().await.ok()?;
                }
            }
            Some(())
        };
        matches!(timeout(PATIENCE, applied).await, Ok(Some(())))
    }

    /// Whether every lane judges by the rule book that is composed by now.
    fn is_handed_out(&self) -> Result<bool, domain::Error> {
        let Some(first) = self.rows.first() else { return Ok(true) };
        let version = sections::read(first)?.version;
        for lane in &*self.rows {
            if !is_at(lane, version)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn position(&self, whose: Option<&OrgName>) -> u64 {
        self.lanes.get(self.lane(whose)).map_or(0, |lane| lane.borrow().position)
    }

    /// An organization's lane, or the provider's.
    fn lane(&self, org: Option<&OrgName>) -> usize {
        let lanes = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        org.map_or(0, |org| lane_of(org.as_str(), lanes) as usize)
    }

    fn remember(&self, whose: Option<&OrgName>, wire: &CommandId, new: Sent) {
        let mut sent = self.sent();
        if sent.len() >= SENT_MOST {
            sent.retain(|(whose, _), sent| self.position(whose.as_ref()) < sent.sequence);
        }
        if sent.len() < SENT_MOST {
            sent.insert((whose.cloned(), wire.clone()), new);
        }
    }

    fn sent(&self) -> MutexGuard<'_, BTreeMap<(Option<OrgName>, CommandId), Sent>> {
        // Nothing under the lock panics; and the map is whole after every step.
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Under which id a command enters the log. The first of the provider's people and everybody before there were others has
/// the key itself, unless it begins as those of others do: with `~`, a digest of who asks (by which token, and which of
/// those of that name), and the key behind a colon, or where that would be too long its SHA-256 behind a `#`.
///
/// INVARIANT (ids of one's own): no two principals' keys lead to one id, and nobody finds what another asked for, be it
/// one of their own name who is gone.
pub(super) fn named(principal: &Principal, number: Option<u64>, key: &CommandId) -> CommandId {
    if is_first(principal) && !key.as_str().starts_with(OF_OTHERS) {
        return key.clone();
    }
    let token = principal.token().map_or("", TokenName::as_str);
    let which = number.map_or_else(String::new, |number| format!("\n{number}"));
    let mut who = hex::encode(Sha256::digest(format!("{principal}\n{token}{which}")));
    who.truncate(WHO_CHARS);
    let whole = format!("{OF_OTHERS}{who}:{key}").parse();
    let hashed = || format!("{OF_OTHERS}{who}#{}", hex::encode(Sha256::digest(key.as_str()))).parse();
    whole.or_else(|_: NameError| hashed()).unwrap_or_else(|_: NameError| key.clone())
}

/// Whether somebody is the first of the provider's people, or the engine itself.
fn is_first(principal: &Principal) -> bool {
    matches!(principal, Principal::Configuration | Principal::Machine) || *principal == Principal::admin()
}

/// Whether all lanes are to apply what comes of a verb that is asked of the provider.
const fn is_of_all(verb: &Verb) -> bool {
    matches!(verb, Verb::Manager(_) | Verb::Group(_) | Verb::Token(_) | Verb::RuleBook(_))
}

/// Whether a lane judges by a version of the rule book, or by a later one.
fn is_at(lane: &Lane, version: u64) -> Result<bool, domain::Error> {
    Ok(rule_book::read(lane)?.map_or(0, |book| book.version) >= version)
}

fn answer(whose: Option<OrgName>, id: CommandId, outcome: CommandRow, asked: [u8; 32]) -> Result<Asked, Error> {
    if outcome.asked == asked { Ok(Asked { id, whose, outcome: Some(outcome) }) } else { Err(Error::OtherCommand(id)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(login: &str, token: Option<&str>) -> Principal {
        Principal::of_login(&login.parse().unwrap(), token.map(|token| token.parse().unwrap()))
    }

    #[test]
    fn nobodys_key_meets_anothers() {
        let admin = Principal::admin();
        let key = |text: &str| text.parse::<CommandId>().unwrap();
        let named = |principal: &Principal, key: &CommandId| named(principal, None, key);
        assert_eq!(named(&admin, &key("same")), key("same"));
        let long = "k".repeat(128);
        let all = [of("bob", None), of("bob", Some("ci")), of("acme/bob", None), of("acme/ann", None)];
        let mut ids: Vec<_> = all.iter().flat_map(|who| [named(who, &key("same")), named(who, &key(&long))]).collect();
        // Not even by guessing how another's begin.
        ids.extend(ids.clone().iter().map(|id| named(&admin, id)));
        ids.push(key("same"));
        let mut told_apart = ids.clone();
        told_apart.sort();
        told_apart.dedup();
        assert_eq!(told_apart.len(), ids.len(), "{ids:?}");
        assert!(ids.iter().all(|id| id.as_str().len() <= 128));
        assert_eq!(named(&all[0], &key("same")), named(&of("bob", None), &key("same")));
        let of_number = |number| super::named(&all[0], number, &key("same"));
        assert_ne!(of_number(Some(7)), of_number(Some(8)), "who is made again under a name is another one");
        assert_eq!(of_number(None), named(&all[0], &key("same")));
    }
}
