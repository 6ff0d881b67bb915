//! What the audit has of commands: each goes on record in the decision that it led to, and is said.
//!
//! The engine itself asks here too: to keep checkpoints, and to put on record what was refused before it became a
//! command. What keeps its books is on no record.

use std::ops::Range;

use linesman_schemas::audit::{Audit, Record, Verdict};
use linesman_schemas::command::{
    Audit as AuditVerb, CheckpointKept, Command, Group, Input, Manager, Message as MessageVerb, PlaceVerb, Policy,
    Refusal, Refusals, RuleBook, Service as ServiceVerb, Session, Values, Verb,
};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{Login, ManagerName, OrgName, Place, Principal};
use serde_json::{Value, json};

use super::Answer;
use crate::Error;
use crate::audit::{self, Hash, Log, Owner};
use crate::desk::Desk;
use crate::differences;
use crate::managers::Managers;
use crate::outgoing::Topic;
use crate::rights;
use crate::rule_book::Books;

/// Who asks, in a log where somebody of elsewhere is nobody.
const UNKNOWN: &str = "_unknown";
/// As what policies hear of what was refused before it became a command.
const REFUSED: &str = "refused";
/// What is said of a checkpoint.
const CHECKPOINT: &str = "checkpoint";

/// On what ground a command is decided.
#[derive(Debug, Default)]
pub(crate) struct Ground {
    /// Who granted whoever asks their rights, up to the first.
    chain: Vec<String>,
    /// The version of the rule book.
    rule_book: u64,
}

impl Ground {
    /// As things are before it is carried out.
    pub(crate) fn of(desk: &Desk, managers: &Managers, books: &Books, who: &Principal) -> Result<Self, Error> {
        if !desk.is_at(3) {
            return Ok(Self::default());
        }
        let effective = rights::effective(&managers.known(desk), who, desk.now)?.unwrap_or_default();
        let chain = effective.chain.iter().map(ToString::to_string).collect();
        Ok(Self { chain, rule_book: books.row().version })
    }
}

/// What policies hear of: records of an organization that have an event.
pub(crate) struct Told {
    pub(crate) trigger: Trigger,
    /// Id of the event.
    pub(crate) event: String,
    /// Which records.
    pub(crate) records: Range<u64>,
}

/// Does what the engine asks of the log of an organization, or of the provider's.
pub(crate) fn ask(
    desk: &mut Desk,
    (managers, books): (&Managers, &Books),
    org: Option<&OrgName>,
    command: &Command,
    verb: &AuditVerb,
) -> Result<Answer, Error> {
    let owner = owner(desk, org);
    match verb {
        AuditVerb::Keep(kept) => keep(desk, &owner, kept),
        AuditVerb::Record(Refusals { refusals }) => {
            for refusal in refusals {
                let ground = Ground::of(desk, managers, books, &refusal.principal)?;
                record_refusal(desk, &owner, command, refusal, ground)?;
            }
            Ok(Answer::done("recorded", Value::Null, json!(refusals)))
        }
    }
}

/// Keeps a checkpoint, if the log was so when it had so many records.
fn keep(desk: &mut Desk, owner: &Owner, kept: &CheckpointKept) -> Result<Answer, Error> {
    let size = kept.size;
    if Log::open(desk.state(), owner)?.kept(size)?.is_some() {
        return Ok(Answer::refused(Verdict::Conflict, format!("of {size} records a checkpoint is kept already")));
    }
    let root = Log::open(desk.state(), owner)?.root_at(size)?;
    match root.filter(|root| size > 0 && kept.root.parse::<Hash>().is_ok_and(|kept| kept == *root)) {
        Some(root) => {
            audit::keep(desk, owner, size, root, kept.note.clone())?;
            Ok(Answer::done("kept", Value::Null, json!({"size": size, "root": kept.root})))
        }
        None => Ok(Answer::refused(Verdict::Conflict, format!("the log `{owner}` has no such root at {size} records"))),
    }
}

fn record_refusal(
    desk: &mut Desk,
    owner: &Owner,
    command: &Command,
    refusal: &Refusal,
    ground: Ground,
) -> Result<u64, Error> {
    let (actor, principal, chain) = shown(owner, &refusal.principal, ground.chain);
    let time = desk.now;
    // Before level 7 it did not say.
    let about = refusal.about.clone().filter(|_| desk.is_at(7));
    let record = |index| Record {
        index,
        time,
        actor,
        chain,
        principal,
        node: command.node.clone(),
        operation: refusal.operation.clone(),
        place: refusal.place.clone(),
        about,
        old: Value::Null,
        new: if refusal.count > 1 { json!({"count": refusal.count}) } else { Value::Null },
        outcome: refusal.verdict,
        command: command.id.clone(),
        rule_book: ground.rule_book,
    };
    let detail = if refusal.count > 1 { "refused as often" } else { "refused" };
    audit::append(desk, owner, record, detail.to_owned())
}

/// Whose log has what was asked of an organization that there is, or of the provider.
fn owner(desk: &Desk, org: Option<&OrgName>) -> Owner {
    org.map_or(Owner::Provider(desk.lane), |org| Owner::Organization(org.clone()))
}

/// Who asked, as a log may tell it: an organization learns nothing of the managers of another.
fn shown(owner: &Owner, who: &Principal, chain: Vec<String>) -> (String, Option<Principal>, Vec<String>) {
    match (who, owner.organization()) {
        (Principal::Manager { organization, .. }, Some(org)) if organization != org => {
            (UNKNOWN.to_owned(), None, Vec::new())
        }
        _ => (who.to_string(), Some(who.clone()), chain),
    }
}

/// Who asked, as the log of an organization tells it.
pub(crate) fn named(org: &OrgName, who: &Principal) -> String {
    shown(&Owner::Organization(org.clone()), who, Vec::new()).0
}

/// What a verb is about, as it names it: what is not its place.
pub(crate) fn subject(org: Option<&OrgName>, verb: &Verb) -> Option<String> {
    let login = |manager: &ManagerName| Login::new(org.cloned(), manager.clone()).to_string();
    match verb {
        Verb::Incident(verb) => Some(verb.incident().to_string()),
        Verb::Case(verb) => verb.incident().map(ToString::to_string),
        Verb::Policy(Policy::Run(run)) => Some(run.policy.to_string()),
        Verb::Input(Input::Replay(replay)) => Some(replay.event.clone()),
        Verb::Manager(Manager::Set(settings)) => Some(login(&settings.manager)),
        Verb::Manager(Manager::Remove(removal)) => Some(login(&removal.manager)),
        Verb::Manager(Manager::SetPassword(change)) => Some(login(&change.manager)),
        Verb::Group(Group::Set(settings)) => Some(settings.group.to_string()),
        Verb::Group(Group::Remove(removal)) => Some(removal.group.to_string()),
        Verb::Token(verb) => Some(login(verb.manager())),
        Verb::Session(Session::Open(opening)) => Some(login(&opening.manager)),
        Verb::Session(Session::Close(name) | Session::Revoke(name)) => Some(login(&name.manager)),
        Verb::Session(Session::Refuse(refusals)) => refusals.manager.as_ref().map(login),
        Verb::Session(Session::Lock(lockout)) => lockout.manager.as_ref().map(login),
        Verb::Values(Values::Localize(localization)) => Some(localization.service.to_string()),
        Verb::Subscription(verb) => Some(format!("{} {}", verb.at(), verb.name())),
        Verb::Message(MessageVerb::Add(given)) => Some(given.id.clone()),
        Verb::Service(ServiceVerb::Rollout(rollout)) => Some(rollout.service.to_string()),
        Verb::Place(PlaceVerb::Tie(tie)) => Some(tie.serial_number.clone()),
        Verb::Sending(verb) => Some(verb.message().to_owned()),
        Verb::Received(verb) => Some(verb.id().to_owned()),
        Verb::Approval(verb) => Some(verb.approval().to_string()),
        Verb::Device(verb) => Some(verb.device().to_owned()),
        Verb::Directives(verb) => Some(verb.group().to_owned()),
        Verb::Scripts(verb) => Some(verb.about().to_owned()),
        Verb::Session(Session::Touch(_))
        | Verb::Place(PlaceVerb::Set(_) | PlaceVerb::Remove(_))
        | Verb::Organization(_)
        | Verb::Engine(_)
        | Verb::RuleBook(_)
        | Verb::Audit(_)
        | Verb::Values(Values::Set(_)) => None,
    }
}

/// Whether a command goes on record.
fn is_recorded(verb: &Verb) -> bool {
    !matches!(verb, Verb::Audit(_) | Verb::Session(Session::Touch(_)))
}

/// Puts a command on record and says it: to its organization (`is_known`: there is one), or to the provider. What
/// policies hear of it.
pub(super) fn tell(
    desk: &mut Desk,
    org: Option<&OrgName>,
    is_known: bool,
    command: &Command,
    answer: Answer,
    ground: Ground,
) -> Result<Option<Told>, Error> {
    let asked = org;
    let org = org.filter(|_| is_known);
    match &command.verb {
        Verb::Audit(AuditVerb::Keep(kept)) if answer.is_done() => return tell_kept(desk, org, kept).map(|()| None),
        Verb::Session(Session::Touch(_)) => return Ok(None),
        _ => {}
    }
    let mut audit = Audit {
        command: command.id.clone(),
        actor: command.principal.to_string(),
        principal: desk.is_at(2).then(|| command.principal.clone()),
        node: command.node.clone(),
        verdict: answer.verdict,
        outcome: answer.recorded.unwrap_or(answer.detail),
        old: answer.old,
        new: answer.new,
        index: None,
        place: None,
        chain: Vec::new(),
    };
    let mut about = answer.about;
    if desk.is_at(3) {
        // What was refused before it was looked up was about something too.
        about = about.or_else(|| subject(asked, &command.verb));
        let owner = owner(desk, org);
        // What is judged as the provider's is about an organization all the same.
        let is_about = matches!(command.verb, Verb::Sending(_));
        let place = command.verb.place(asked).filter(|_| !is_about);
        let place = place.or_else(|| asked.cloned().map(Place::from)).unwrap_or(Place::Provider);
        audit.place = Some(place.to_string());
        (audit.actor, audit.principal, audit.chain) = shown(&owner, &command.principal, ground.chain);
        if is_recorded(&command.verb) {
            let index = record(desk, &owner, command, &audit, about.as_deref(), ground.rule_book)?;
            audit.index = Some(index);
            if let Verb::RuleBook(RuleBook::LoadSection(load)) = &command.verb
                && audit.old != audit.new
            {
                differences::keep(desk, load.section, &load.hash, index)?;
            }
        }
    }
    let (index, verdict) = (audit.index, audit.verdict);
    let event = say(desk, (org, asked), command, about.as_deref(), audit)?;
    heard(desk, org, command, index, verdict).map(|heard| {
        let ((trigger, records), event) = heard.zip(event)?;
        Some(Told { trigger, event, records })
    })
}

/// Which records of an organization policies hear of by a command's event, and as what: nothing before level 3.
fn heard(
    desk: &Desk,
    org: Option<&OrgName>,
    command: &Command,
    index: Option<u64>,
    verdict: Verdict,
) -> Result<Option<(Trigger, Range<u64>)>, Error> {
    let (Some(org), true) = (org, desk.is_at(3)) else { return Ok(None) };
    let (name, records) = match (&command.verb, index) {
        (verb, Some(index)) => (verb.as_str(), index..index + 1),
        // Its records are those that the log ends with.
        (Verb::Audit(AuditVerb::Record(Refusals { refusals })), None) if verdict == Verdict::Done => {
            let owner = Owner::Organization(org.clone());
            let end = Log::open(desk.state(), &owner)?.head().size();
            let count = u64::try_from(refusals.len()).unwrap_or(u64::MAX);
            (REFUSED, end.saturating_sub(count)..end)
        }
        _ => return Ok(None),
    };
    Ok(name.parse().ok().map(|operation| (Trigger::Audit(operation), records)))
}

/// Appends the record of what is said.
fn record(
    desk: &mut Desk,
    owner: &Owner,
    command: &Command,
    said: &Audit,
    about: Option<&str>,
    rule_book: u64,
) -> Result<u64, Error> {
    let time = desk.now;
    let record = |index| Record {
        index,
        time,
        actor: said.actor.clone(),
        chain: said.chain.clone(),
        principal: said.principal.clone(),
        node: said.node.clone(),
        operation: command.verb.operation().to_owned(),
        place: said.place.clone().unwrap_or_default(),
        about: about.map(str::to_owned),
        old: said.old.clone(),
        new: said.new.clone(),
        outcome: said.verdict,
        command: said.command.clone(),
        rule_book,
    };
    audit::append(desk, owner, record, said.outcome.clone())
}

/// The id of the event, where it is an organization's.
fn say(
    desk: &mut Desk,
    (org, asked): (Option<&OrgName>, Option<&OrgName>),
    command: &Command,
    about: Option<&str>,
    audit: Audit,
) -> Result<Option<String>, Error> {
    // What was done is told by the verdict; the words are for people.
    let covered = Some(Audit { outcome: String::new(), ..audit.clone() });
    // Before level 5 the event of a section's load did not say which.
    let operation = if desk.is_at(5) { command.verb.operation() } else { command.verb.as_str() };
    match org {
        Some(org) => {
            let topic = Topic::Audit(org.clone(), operation);
            desk.say_covered(&topic, org, about, audit, covered).map(Some)
        }
        None => {
            let about = asked.map(OrgName::as_str).or(about);
            let sequence = desk.sequence;
            desk.say_of_provider(&Topic::ProviderAudit(operation), sequence, about, audit, covered).map(|_| None)
        }
    }
}

fn tell_kept(desk: &mut Desk, org: Option<&OrgName>, kept: &CheckpointKept) -> Result<(), Error> {
    match org {
        Some(org) => desk.say(&Topic::Audit(org.clone(), CHECKPOINT), org, None, kept).map(drop),
        None => {
            let sequence = desk.sequence;
            desk.say_of_provider(&Topic::ProviderAudit(CHECKPOINT), sequence, None, kept, None::<()>).map(drop)
        }
    }
}
