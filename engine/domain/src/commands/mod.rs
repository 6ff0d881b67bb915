//! Commands: what the configuration and people ask for. Each is done once, audited, and its outcome kept.
//!
//! The router brings a command here and to the room of its family, which says what was done and what follows.
//!
//! | room | what |
//! |---|---|
//! | here | once only; who may; outcome and audit |
//! | `outcome` | what is kept of it |
//! | `organizations` | an organization itself |
//! | `incidents`, `cases` | incidents and their notes; their cases |
//! | `policies` | a policy judges again |
//! | `engine`, `rule_book` | the engine itself, and the rule book, asked by the provider |

pub(crate) mod cases;
pub(crate) mod engine;
pub(crate) mod incidents;
pub(crate) mod organizations;
mod outcome;
pub(crate) mod policies;
pub(crate) mod rule_book;

use linesman_schemas::OrgName;
use linesman_schemas::audit::{Audit, Verdict};
use linesman_schemas::command::{Command, Verb};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::desk::Desk;
use super::follow::Follow;
use super::outgoing::Topic;
use super::timers::{self, Timer};
use super::{Error, rights};
pub use outcome::{COMMANDS, CommandRow, key};

/// How long a command's outcome is kept, in hours of log time.
const OUTCOME_HOURS: i64 = 24;

/// What became of a command.
pub(crate) struct Answer {
    verdict: Verdict,
    is_new: bool,
    detail: String,
    /// What it was about, where that is not the organization.
    about: Option<String>,
    /// What it changed, before and after; null for nothing.
    old: Value,
    new: Value,
}

impl Answer {
    pub(crate) fn done(detail: &str, old: Value, new: Value) -> Self {
        Self { verdict: Verdict::Done, is_new: false, detail: detail.to_owned(), about: None, old, new }
    }

    pub(crate) fn refused(verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { verdict, is_new: false, detail: detail.into(), about: None, old: Value::Null, new: Value::Null }
    }

    /// Something has come into being.
    pub(crate) fn created(new: Value) -> Self {
        Self { is_new: true, ..Self::done("created", Value::Null, new) }
    }

    pub(crate) fn about(self, about: &impl ToString) -> Self {
        Self { about: Some(about.to_string()), ..self }
    }

    /// Asked of an organization what is asked of the provider, or the other way round.
    pub(crate) fn misplaced(verb: &Verb, org: Option<&OrgName>) -> Self {
        let whom = if org.is_some() { "an organization" } else { "the provider" };
        Self::refused(Verdict::Invalid, format!("`{}` is not asked of {whom}", verb.as_str()))
    }

    /// The organization is not there.
    pub(crate) fn nobody(org: &OrgName) -> Self {
        Self::refused(Verdict::NotFound, format!("there is no organization `{org}`"))
    }

    pub(crate) fn is_done(&self) -> bool {
        self.verdict == Verdict::Done
    }
}

/// What was done or why not, and what follows from it.
pub(crate) type Change = Result<(&'static str, Vec<Follow>), String>;

/// By what a command is known again: SHA-256 of what it asks for, in JSON.
///
/// # Errors
/// It has no form in JSON.
pub fn asked(verb: &Verb) -> Result<[u8; 32], serde_json::Error> {
    Ok(Sha256::digest(serde_json::to_vec(verb)?).into())
}

/// Whether a command of this id was decided already.
pub(crate) fn is_repeated(desk: &Desk, org: Option<&OrgName>, command: &Command) -> Result<bool, Error> {
    Ok(desk.read(&key(org, command.id.as_str()))?.is_some())
}

/// Why a command is not even tried: it is out of bounds, misplaced, or whoever asks may not.
pub(crate) fn refusal(desk: &Desk, org: Option<&OrgName>, command: &Command) -> Option<Answer> {
    if let Err(fault) = command.verb.check() {
        return Some(Answer::refused(Verdict::Invalid, fault.to_string()));
    }
    let Some(scope) = command.verb.scope(org) else { return Some(Answer::misplaced(&command.verb, org)) };
    // Level 1 had one principal, who might do everything.
    if !desk.is_at(2) {
        return None;
    }
    let ruling = rights::may(&command.principal, command.verb.needs(), &scope);
    (!ruling.is_allowed).then(|| Answer::refused(Verdict::Forbidden, ruling.reason))
}

/// Keeps what became of a command, and says it: to its organization (`is_known`: there is one), or to the provider.
pub(crate) fn conclude(
    desk: &mut Desk,
    org: Option<&OrgName>,
    is_known: bool,
    command: &Command,
    answer: Answer,
) -> Result<(), Error> {
    desk.tally.input("cmd", if answer.is_done() { "done" } else { "refused" });
    let key = key(org, command.id.as_str());
    let outcome = CommandRow {
        verdict: answer.verdict,
        is_new: answer.is_new,
        detail: answer.detail.clone(),
        asked: asked(&command.verb)?,
        decided: desk.now,
    };
    let forget = key.as_bytes().to_vec();
    desk.write(key, &outcome)?;
    timers::arm(desk, OUTCOME_HOURS, &Timer::Forget(&forget))?;
    audit(desk, org, is_known, command, answer)
}

fn audit(
    desk: &mut Desk,
    org: Option<&OrgName>,
    is_known: bool,
    command: &Command,
    answer: Answer,
) -> Result<(), Error> {
    let is_at_2 = desk.is_at(2);
    if !is_known && !is_at_2 {
        return Ok(());
    }
    let about = answer.about.clone();
    let audit = Audit {
        command: command.id.clone(),
        actor: command.principal.to_string(),
        principal: is_at_2.then(|| command.principal.clone()),
        node: command.node.clone(),
        verdict: answer.verdict,
        outcome: answer.detail,
        old: answer.old,
        new: answer.new,
    };
    // What was done is told by the verdict; the words are for people.
    let covered = Some(Audit { outcome: String::new(), ..audit.clone() });
    let operation = command.verb.as_str();
    match org.filter(|_| is_known) {
        Some(org) => {
            let topic = Topic::Audit(org.clone(), operation);
            desk.say_covered(&topic, org, about.as_deref(), audit, covered).map(drop)
        }
        None => {
            let about = org.map(OrgName::as_str).or(about.as_deref());
            let sequence = desk.sequence;
            desk.say_of_provider(&Topic::ProviderAudit(operation), sequence, about, audit, covered)
        }
    }
}
