//! Commands: what the configuration and people ask for. Each is done once, audited, and its outcome kept.
//!
//! The router brings a command here and to the room of its family, which says what was done and what follows.
//!
//! | room | what |
//! |---|---|
//! | here | once only; who may; outcome and audit |
//! | `outcome` | what is kept of it |
//! | `wrong` | what would be wrong after it |
//! | `held`, `orphans` | whether values may stand where they are given |
//! | `organizations` | an organization itself |
//! | `incidents`, `cases` | incidents and their notes; their cases |
//! | `policies` | a policy judges again |
//! | `places`, `served` | sites and access lines; whether somebody may say which device serves them |
//! | `values`, `subscriptions`, `activations` | what parameters are at places; who has which services, and where they are active |
//! | `services` | which versions subscriptions are on |
//! | `managers`, `groups`, `tokens` | who may what |
//! | `spheres` | places that are gone go out of spheres |
//! | `passwords`, `sessions` | how they come in |
//! | `audit` | what the engine keeps of it |
//! | `engine`, `rule_book` | the engine itself, and the rule book, asked by the provider |

pub(crate) mod activations;
pub(crate) mod audit;
mod below;
pub(crate) mod cases;
pub(crate) mod engine;
pub mod groups;
pub(crate) mod held;
pub(crate) mod incidents;
pub mod managers;
mod offered;
pub(crate) mod organizations;
mod orphans;
mod outcome;
pub mod passwords;
pub(crate) mod places;
pub(crate) mod policies;
pub(crate) mod rule_book;
pub(crate) mod served;
pub(crate) mod services;
pub(crate) mod sessions;
pub(crate) mod spheres;
mod standing;
pub(crate) mod subscriptions;
pub(crate) mod tokens;
pub(crate) mod values;
pub(crate) mod wrong;

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Case, Command, DeviceUse, DeviceVerb, UseKind, Verb};
use linesman_schemas::{ApprovalId, OrgName, Place, Principal};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::desk::Desk;
use super::follow::Follow;
use super::managers::Managers;
use super::rights::{Asked, Ruling};
use super::timers::{self, Timer};
use super::{Error, rights};
pub(crate) use audit::{Ground, Told};
pub use outcome::{COMMANDS, CommandRow, key};
pub use wrong::Wrong;

/// How long a command's outcome is kept, in hours of log time.
const OUTCOME_HOURS: i64 = 24;

/// That nothing has changed.
pub(crate) const UNCHANGED: &str = "unchanged";

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
    /// What would be wrong after it, where it is refused for that.
    wrong: Vec<Wrong>,
    /// Whether there is more that would be wrong, or may be.
    is_cut: bool,
    /// Whether something that was set aside has been put to work again by it, however that ended.
    has_run: bool,
    /// What the record says instead of `detail`, which whoever asked may read: others who see the place see less.
    recorded: Option<String>,
}

impl Answer {
    pub(crate) fn done(detail: &str, old: Value, new: Value) -> Self {
        Self { old, new, ..Self::refused(Verdict::Done, detail) }
    }

    pub(crate) fn refused(verdict: Verdict, detail: impl Into<String>) -> Self {
        let (detail, old, new) = (detail.into(), Value::Null, Value::Null);
        let (about, wrong, recorded) = (None, Vec::new(), None);
        Self { verdict, is_new: false, detail, about, old, new, wrong, is_cut: false, has_run: false, recorded }
    }

    /// Something has come into being.
    pub(crate) fn created(new: Value) -> Self {
        Self::made("created", new)
    }

    /// The same, in other words.
    pub(crate) fn made(detail: &str, new: Value) -> Self {
        Self { is_new: true, ..Self::done(detail, Value::Null, new) }
    }

    /// Refused for what would be wrong after it.
    pub(crate) fn naming(self, wrong: Vec<Wrong>) -> Self {
        Self { wrong, ..self }
    }

    /// Refused for all that is wrong with what was given: in the words of the first of it.
    pub(crate) fn invalid(wrong: Vec<Wrong>) -> Option<Self> {
        let detail = wrong.first()?.detail.clone();
        Some(Self::refused(Verdict::Invalid, detail).naming(wrong))
    }

    /// Refused for all that is wrong, each in words: for what is invalid, and for what others have fixed.
    pub(crate) fn of_all(invalid: Vec<Wrong>, blocked: Vec<Wrong>) -> Option<Self> {
        let verdict = if invalid.is_empty() { Verdict::Conflict } else { Verdict::Invalid };
        let wrong = [invalid, blocked].concat();
        let told = held::told(wrong.iter().map(Wrong::told));
        (!wrong.is_empty()).then(|| Self::refused(verdict, told).naming(wrong))
    }

    /// Refused for what cannot be read, and for what is wrong with the rest, where either is.
    pub(crate) fn beside(unread: Option<Self>, rest: Option<Self>) -> Option<Self> {
        let (Some(unread), Some(rest)) = (&unread, &rest) else { return unread.or(rest) };
        let told = held::told(unread.wrong.iter().map(Wrong::told).chain([rest.detail.clone()]));
        let wrong = [&unread.wrong[..], &rest.wrong].concat();
        Some(Self { is_cut: rest.is_cut, ..Self::refused(Verdict::Invalid, told).naming(wrong) })
    }

    /// What is wrong.
    pub(crate) fn into_wrong(self) -> Vec<Wrong> {
        self.wrong
    }

    /// The same, and what is wrong by another that was not given first.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.wrong.extend(other.wrong);
        self
    }

    /// The same, of these substitutions: what is wrong says of which it is.
    pub(crate) fn pointing(mut self, substitutions: &[String], is_new: impl Fn(&str) -> bool) -> Self {
        self.wrong.iter_mut().for_each(|wrong| wrong.point(substitutions, &is_new));
        self
    }

    /// There is more that would be wrong, or may be, where `is_cut` says so.
    pub(crate) fn cut(self, is_cut: bool) -> Self {
        Self { is_cut, ..self }
    }

    /// On record it says less.
    pub(crate) fn recorded(self, detail: String) -> Self {
        Self { recorded: Some(detail), ..self }
    }

    /// It is done, and what is wrong from here on is told beside.
    pub(crate) fn warning(self, wrong: impl Iterator<Item = String>) -> Self {
        let told = held::told(wrong);
        if told.is_empty() || !self.is_done() {
            return self;
        }
        let (recorded, detail) = (Some(self.detail.clone()), format!("{}; but this fails: {told}", self.detail));
        Self { detail, recorded, ..self }
    }

    /// It is done, and was held against some of what it affects, as is told beside.
    pub(crate) fn of_some(self, told: &str) -> Self {
        if !self.is_done() || self.detail == UNCHANGED {
            return self;
        }
        let recorded = self.recorded.clone().or_else(|| Some(self.detail.clone()));
        Self { detail: format!("{}; {told}", self.detail), recorded, ..self }
    }

    /// It is done once it is approved; in words it is the approval's id, and on record what that means.
    pub(crate) fn awaiting(id: &ApprovalId) -> Self {
        let new = serde_json::json!({"approval": id});
        let answer = Self { new, ..Self::refused(Verdict::AwaitingApproval, id.to_string()) };
        answer.recorded(format!("awaits approval: `{id}`"))
    }

    /// What it changed, although it is refused.
    pub(crate) fn changing(self, old: Value, new: Value) -> Self {
        Self { old, new, ..self }
    }

    pub(crate) fn is_awaiting(&self) -> bool {
        self.verdict == Verdict::AwaitingApproval
    }

    /// What became of it, in the words that are on record.
    pub(crate) fn told(&self) -> (Verdict, String) {
        (self.verdict, self.recorded.as_ref().unwrap_or(&self.detail).clone())
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

    /// For whoever asks there is no such place.
    pub(crate) fn unseen(place: &Place) -> Self {
        match place {
            Place::Organization(org) => Self::nobody(org),
            Place::Provider | Place::Below(_) => {
                Self::refused(Verdict::NotFound, format!("there is no place `{place}`"))
            }
        }
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The same: what was set aside has been put to work again.
    pub(crate) fn run(self) -> Self {
        Self { has_run: true, ..self }
    }

    /// Whether what was set aside has been put to work again.
    pub(crate) const fn has_run(&self) -> bool {
        self.has_run
    }

    /// What became of it.
    pub(crate) const fn verdict(&self) -> Verdict {
        self.verdict
    }

    pub(crate) fn is_done(&self) -> bool {
        self.verdict == Verdict::Done
    }

    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// What became of it, in words too, and what would be wrong after it, and whether that is all.
    pub(crate) fn into_parts(self) -> (Verdict, String, Vec<Wrong>, bool) {
        (self.verdict, self.detail, self.wrong, !self.is_cut)
    }
}

/// What was done or why not, and what follows from it.
pub(crate) type Change = Result<(&'static str, Vec<Follow>), String>;

/// By what a command is known again: SHA-256 of what it asks for, in JSON.
///
/// # Errors
/// It has no form in JSON.
pub fn asked(verb: &Verb) -> Result<[u8; 32], serde_json::Error> {
    // What telling a device again would change differs from time to time: it is no other command for that.
    if let Verb::Device(DeviceVerb::Use(using)) = verb
        && using.what == UseKind::Apply
    {
        let DeviceUse { name, what, .. } = using.clone();
        let (sha256, id) = (String::new(), String::new());
        let alike = DeviceUse { name, what, sha256, asks_only: false, id, added: None, removed: None };
        return Ok(Sha256::digest(serde_json::to_vec(&Verb::Device(DeviceVerb::Use(alike)))?).into());
    }
    Ok(Sha256::digest(serde_json::to_vec(verb)?).into())
}

/// Whether a command of this id was decided already.
pub(crate) fn is_repeated(desk: &Desk, org: Option<&OrgName>, command: &Command) -> Result<bool, Error> {
    Ok(desk.read(&key(org, command.id.as_str()))?.is_some())
}

/// From which engine level on values and activations say of a policy that it is one.
const POLICIES_TOLD: u32 = 10;
/// What stands before a policy's name.
const POLICY: &str = "policy";

/// Who asks, in the words in which values and activations keep it. No login has a blank: a policy is nobody's namesake.
pub(crate) fn author(desk: &Desk, principal: &Principal) -> String {
    match principal {
        Principal::Policy { .. } if desk.is_at(POLICIES_TOLD) => format!("{POLICY} {principal}"),
        _ => principal.to_string(),
    }
}

/// Whether an author is a policy.
pub(crate) fn is_policy(author: &str) -> bool {
    author.split_once(' ').is_some_and(|(front, _)| front == POLICY)
}

/// Why a command is not even tried: it is out of bounds, misplaced, or whoever asks may not.
pub(crate) fn refusal(
    desk: &Desk,
    managers: &Managers,
    org: Option<&OrgName>,
    command: &Command,
) -> Result<Option<Answer>, Error> {
    if let Err(fault) = command.verb.check() {
        return Ok(Some(Answer::refused(Verdict::Invalid, fault.to_string())));
    }
    let Some(place) = command.verb.place(org) else { return Ok(Some(Answer::misplaced(&command.verb, org))) };
    if !desk.is_at(3) {
        // Level 1 had one principal, who might do everything; at level 2 the provider might, and nobody else anything.
        let is_allowed = match &command.principal {
            Principal::Provider { .. } | Principal::Configuration | Principal::Machine => true,
            Principal::Manager { .. } | Principal::Policy { .. } | Principal::EndCustomer { .. } => !desk.is_at(2),
        };
        let detail = || format!("`{}` is given no rights before engine level 3", command.principal);
        return Ok((!is_allowed).then(|| Answer::refused(Verdict::Forbidden, detail())));
    }
    if let Principal::EndCustomer { .. } = command.principal
        && !matches!(
            command.verb,
            Verb::Case(Case::Report(_) | Case::Note(_) | Case::Close(_) | Case::Reopen(_) | Case::Keep(_))
        )
    {
        let detail = format!("`{}` is not asked by end customers", command.verb.as_str());
        return Ok(Some(Answer::refused(Verdict::Forbidden, detail)));
    }
    // A policy of everyone's acts where it judges, and sends on at the provider's discretion.
    let place = match (&command.principal, &command.verb, org) {
        (Principal::Policy { name, .. }, Verb::Sending(_), Some(org)) if !name.as_str().contains('/') => {
            Place::Organization(org.clone())
        }
        _ => place,
    };
    let asked = Asked {
        principal: &command.principal,
        need: rights::need(command.verb.operation()),
        place: &place,
        is_within: is_within(&command.verb),
        now: desk.now,
    };
    Ok(match rights::may(&managers.known(desk), &asked)? {
        Ruling::Allowed if desk.is_at(7) => {
            desk.mode.refuse(command.verb.operation()).map(|detail| Answer::refused(Verdict::Conflict, detail))
        }
        Ruling::Allowed => None,
        Ruling::Forbidden(denial) => Some(Answer::refused(Verdict::Forbidden, denial.to_string())),
        Ruling::Unseen => Some(Answer::unseen(&place)),
    })
}

/// Whether a verb is about a single thing at its place, of which the room looks whether it is seen.
pub fn is_within(verb: &Verb) -> bool {
    rights::is_within(verb.operation())
}

/// Keeps what became of a command, puts it on record and says it: to its organization (`is_known`: there is one), or to
/// the provider. What policies hear of it, if anything.
pub(crate) fn conclude(
    desk: &mut Desk,
    org: Option<&OrgName>,
    is_known: bool,
    command: &Command,
    answer: Answer,
    ground: Ground,
) -> Result<Option<Told>, Error> {
    let became = match answer.verdict {
        Verdict::Done => "done",
        Verdict::AwaitingApproval => "awaiting",
        Verdict::NotFound | Verdict::Conflict | Verdict::Invalid | Verdict::Forbidden => "refused",
    };
    desk.tally.input("cmd", became);
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
    // Level 1 audited nothing where there was no organization.
    if !is_known && !desk.is_at(2) {
        return Ok(None);
    }
    audit::tell(desk, org, is_known, command, answer, ground)
}
