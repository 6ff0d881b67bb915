//! What is to be done: rows that stand until a connector has reported that it is.
//!
//! Retry and circuit breaker are plain state, driven by reports and their times. The queue of a destination is kept by
//! organization, so that whoever carries reactions out can take turns.

mod circuit;
mod course;
mod order;
mod row;
mod turns;

use std::ops::Bound;

use jiff::Timestamp;
use linesman_rules::Policy;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::notification::Notification;
use linesman_schemas::outcome::{Attempt, Done, Failure, FailureClass, Outcome};
use linesman_schemas::reaction::{Action, Configure, Reaction};
use linesman_schemas::{Destination, IncidentId, OrgName, ReactionId};
use serde_json::{Map, Value};

use super::activations::{self, pushes};
use super::cases::leaving;
use super::dead_letters::{self, Letter, policy_dead};
use super::desk::Desk;
use super::follow::{Cause, Follow};
use super::outgoing::Topic;
use super::policies::Fired;
use super::subject::Incident;
use super::table::Row as _;
use super::upstream::Installed;
use super::{Error, cases, uploads, upstream};
pub(crate) use circuit::after;
pub use circuit::{CIRCUITS, Circuit, CircuitRow, REQUESTS, RequestsRow, circuit, circuits, own, requests};
pub use course::UPLOAD_ENDS;
use course::{Course, tried};
pub use order::{STRAINED, StrainedRow};
pub use row::{PENDING, PROVIDER, PendingRow, QUEUES, Queued, all, destinations, key, queue, queued, queues};
pub(crate) use row::{prefix_of, read_key};
pub(crate) use turns::{approve, begin, wait};

/// The connector that changes devices.
pub(crate) const DEVICE: &str = "device";
/// What a dead letter says where a device's words may quote what is hidden: they are with the activation, for whoever is shown all.
const UNTOLD: &str = "why is not shown: it may tell what is fixed above and hidden";
/// How many reactions policies may decide on one input: each may be a subject and so a message of
/// its own, and a batch of OUT holds at most 1,000.
const REACTIONS_MOST: usize = 400;

/// A reaction that is decided.
pub(crate) struct Decided {
    pub(crate) id: ReactionId,
    pub(crate) destination: Destination,
    pub(crate) action: Action,
}

/// Decides a reaction: says it and lets it stand as pending; held, where its organization is suspended.
pub(crate) fn react(
    desk: &mut Desk,
    org: &OrgName,
    incident: Option<&Incident>,
    cause: &Cause,
    decided: &Decided,
    is_suspended: bool,
) -> Result<(), Error> {
    react_at(desk, desk.now, (org, incident), cause, decided, is_suspended)
}

/// The same of what is not to be done before a moment.
pub(crate) fn react_at(
    desk: &mut Desk,
    not_before: Timestamp,
    (org, incident): (&OrgName, Option<&Incident>),
    cause: &Cause,
    decided: &Decided,
    is_suspended: bool,
) -> Result<(), Error> {
    let Decided { id, destination, action } = decided;
    desk.tally.reaction(org, destination.connector.clone());
    let value = serde_json::to_value(action)?;
    let covered =
        Some(()).filter(|()| desk.is_at(leaving::LEVEL)).and_then(|()| leaving::without_texts(desk.level, action));
    let covered = covered.map(|action| serde_json::to_value(&action)).transpose()?;
    say(desk, org, incident, cause, (id, &destination.connector, &value), covered.as_ref())?;
    let row = PendingRow {
        org: Some(org.clone()).filter(|org| !org.is_provider()),
        destination: destination.to_string(),
        attempt: 1,
        not_before,
        deadline: after(not_before, patience_s(desk, &destination.connector)),
        // Level 1 let out what was decided meanwhile.
        is_held: is_suspended && desk.is_at(2),
        incident: incident.map(|incident| incident.id.number),
        action: serde_json::to_string(action)?,
        misses: 0,
        there: 0,
    };
    pend(desk, id, &row)
}

/// How long a reaction is tried, in seconds: one of a partner for a month, since that may be away for long.
fn patience_s(desk: &Desk, connector: &str) -> u64 {
    const PARTNER_S: u64 = 30 * 86_400;
    let of_all = desk.settings.reaction_deadline_s;
    if connector == upstream::PARTNER_NAME { of_all.max(PARTNER_S) } else { of_all }
}

fn say(
    desk: &mut Desk,
    org: &OrgName,
    incident: Option<&Incident>,
    cause: &Cause,
    (id, name, action): (&ReactionId, &str, &Value),
    covered: Option<&Value>,
) -> Result<(), Error> {
    let of = |action| Reaction {
        id,
        policy: cause.policy(),
        trigger: cause.trigger(),
        command: cause.command(),
        activation: cause.activation(),
        incident: incident.map(|incident| &incident.id),
        action,
    };
    let about = incident.map(|incident| incident.name.as_str());
    desk.say_covered(&Topic::Reaction(org.clone(), name.into()), org, about, of(action), covered.map(of)).map(drop)
}

/// Whether policies may decide one more reaction on the input at hand; a dead letter says so where not.
pub(crate) fn may_react(desk: &mut Desk, org: &OrgName, policy: &Policy, fired: &Fired) -> Result<bool, Error> {
    if desk.decided_reactions >= REACTIONS_MOST {
        let detail = format!("intents: policies decided more than {REACTIONS_MOST} reactions on one input");
        policy_dead(desk, org, policy, fired, detail, None)?;
        return Ok(false);
    }
    desk.decided_reactions += 1;
    Ok(true)
}

/// A policy wants somebody notified.
pub(crate) fn notify(
    desk: &mut Desk,
    org: &OrgName,
    policy: &Policy,
    fired: &Fired,
    notification: Notification,
) -> Result<Option<Decided>, Error> {
    if !may_react(desk, org, policy, fired)? {
        return Ok(None);
    }
    let (id, destination) = (desk.next_reaction(&fired.told(org)), notification.destination());
    Ok(Some(Decided { id, destination, action: Action::Notify(notification) }))
}

/// A policy publishes under a name of its own, for subscribers: nothing is pending.
pub(crate) fn publish(
    desk: &mut Desk,
    org: &OrgName,
    incident: Option<&Incident>,
    (policy, fired): (&Policy, &Fired),
    cause: &Cause,
    (name, data): (&str, Map<String, Value>),
) -> Result<(), Error> {
    if !may_react(desk, org, policy, fired)? {
        return Ok(());
    }
    if name == DEVICE && desk.is_at(activations::LEVEL) {
        let detail = format!("refused: `{DEVICE}` is what devices are told, and nothing else is said on it");
        return policy_dead(desk, org, policy, fired, detail, None);
    }
    if name == upstream::PARTNER_NAME && desk.is_at(cases::CASCADE) {
        let detail = format!("refused: `{name}` is what partners are told, and nothing else is said on it");
        return policy_dead(desk, org, policy, fired, detail, None);
    }
    let org = &*fired.told(org);
    let id = desk.next_reaction(org);
    desk.tally.reaction(org, "publish".into());
    say(desk, org, incident, cause, (&id, name, &Value::Object(data)), None)
}

/// Asks the upstream for changed cases, at `due` and from `cursor` on.
pub(crate) fn arm_poll(desk: &mut Desk, cursor: Option<String>, due: Timestamp) -> Result<(), Error> {
    let action = Action::PollCases { cursor };
    let id = ReactionId::of_provider(desk.sequence, desk.now);
    let row = PendingRow {
        org: None,
        destination: upstream::asked(&desk.installed).to_string(),
        attempt: 1,
        not_before: due,
        deadline: Timestamp::MAX,
        is_held: false,
        incident: None,
        action: serde_json::to_string(&action)?,
        misses: 0,
        there: 0,
    };
    pend(desk, &id, &row)
}

/// The upstream is another now: the old one is asked no more which cases changed, and the new one from the beginning.
pub(crate) fn move_poll(desk: &mut Desk, had_partner: bool) -> Result<(), Error> {
    let before = upstream::asked(&Installed { has_partner: had_partner, ..desk.installed.clone() }).to_string();
    let polls: Vec<_> = queue(desk.state(), &before, PROVIDER).collect::<Result<_, _>>()?;
    for poll in polls {
        let Ok(id) = poll.id.parse::<ReactionId>() else { continue };
        if let Some(row) = desk.read(&key(id.as_str()))? {
            unpend(desk, &id, &row);
        }
    }
    arm_poll(desk, None, desk.now)
}

fn pend(desk: &mut Desk, id: &ReactionId, row: &PendingRow) -> Result<(), Error> {
    desk.write(key(id.as_str()), row)?;
    if !row.is_held {
        desk.write(queued(&row.destination, row.queue(), row.not_before, id.as_str()), &())?;
    }
    desk.queue_changed(&row.destination, row.queue());
    Ok(())
}

fn unpend(desk: &mut Desk, id: &ReactionId, row: &PendingRow) {
    desk.remove(key(id.as_str()));
    desk.remove(queued(&row.destination, row.queue(), row.not_before, id.as_str()));
    desk.queue_changed(&row.destination, row.queue());
}

/// An attempt has ended: the reaction is done, tried again, or given up.
///
/// A report on what does not stand any more, or on another try, changes nothing: it is the echo of an attempt made twice
/// around a crash.
pub(crate) fn settle(desk: &mut Desk, org: Option<&OrgName>, report: Attempt) -> Result<Option<Follow>, Error> {
    let row = desk.read(&key(report.reaction.as_str()))?;
    let Some(row) = row.filter(|row| row.org.as_ref() == org && row.attempt == report.attempt) else {
        desk.tally.input("result", "stale");
        return Ok(None);
    };
    circuit::count(desk, &row.destination, report.requests)?;
    let course = Course::of(desk, &row, &report);
    if uploads::is_one(&row.action) {
        let is_done = matches!(report.outcome, Outcome::Done(_));
        desk.tally.upload_attempt(if is_done { "done" } else { course.as_str() });
    }
    let is_final = org.map_or(Ok(false), |org| pushes::is_taken_back(desk, org, &report))?;
    match report.outcome {
        Outcome::Done(done) => {
            desk.tally.input("result", "done");
            circuit::close(desk, &row)?;
            unpend(desk, &report.reaction, &row);
            self::done(desk, &report.reaction, &row, done)
        }
        Outcome::Failed(failure) => {
            desk.tally.input("result", "failed");
            desk.tally.attempt_failure(connector_of(&row.destination), failure.class.as_str());
            let class = if is_final { FailureClass::Refused } else { failure.class };
            failed(desk, &report.reaction, row, (&Failure { class, ..failure }, course))
        }
    }
}

fn done(desk: &mut Desk, id: &ReactionId, row: &PendingRow, done: Done) -> Result<Option<Follow>, Error> {
    match done {
        Done::Delivered => Ok(None),
        Done::Configured => Ok(configured(id, row, Ok(()))),
        Done::CaseAccepted { transaction_id, case } => {
            let by_partner = row.destination == upstream::PARTNER_NAME;
            let incident = incident_of(row);
            Ok(incident.map(|incident| Follow::CaseAccepted { incident, transaction_id, standing: case, by_partner }))
        }
        Done::Uploaded { sha256, size } => {
            let (reaction, left) = (id.clone(), (sha256, size));
            Ok(Some(match incident_of(row) {
                Some(incident) => Follow::Uploaded { incident, reaction, left },
                None => Follow::SnapshotEnded { reaction, is_there: true },
            }))
        }
        Done::CaseTold => Ok(incident_of(row).map(|incident| Follow::CaseTold { incident, reaction: id.clone() })),
        Done::Polled { cursor } => {
            let due = after(desk.now, desk.settings.case_poll_s);
            arm_poll(desk, cursor, due).map(|()| None)
        }
    }
}

fn failed(
    desk: &mut Desk,
    id: &ReactionId,
    row: PendingRow,
    (failure, course): (&Failure, Course),
) -> Result<Option<Follow>, Error> {
    match (failure.class, course) {
        (_, Course::Unasked | Course::Withdrawn) => {}
        // It was reached and it answered: the destination is well.
        (FailureClass::Refused, _) => circuit::close(desk, &row)?,
        (_, Course::Moved(_)) => circuit::bear(desk, &row, failure)?,
        (_, Course::Missed) => circuit::strain(desk, &row, failure)?,
    }
    let mut next = tried(desk, &row, failure, course, id);
    unpend(desk, id, &row);
    // The provider's polls have no deadline; what its policies decided has one.
    let provider = OrgName::provider();
    let whose = row.org.as_ref().or_else(|| (row.deadline < Timestamp::MAX).then_some(&provider));
    if let Some(org) = whose
        && (failure.class == FailureClass::Refused || next.not_before > next.deadline)
    {
        return give_up(desk, id, org, &row, failure);
    }
    if matches!(course, Course::Missed) {
        next.not_before = order::place(desk, id, &row, failure, next.not_before)?;
    }
    pend(desk, id, &next).map(|()| None)
}

fn give_up(
    desk: &mut Desk,
    id: &ReactionId,
    org: &OrgName,
    row: &PendingRow,
    failure: &Failure,
) -> Result<Option<Follow>, Error> {
    let incident = incident_of(row);
    let words = if pushes::hides(desk, org, row)? { UNTOLD } else { &failure.message };
    let mut detail = format!("attempt {}: {}: {words}", row.attempt, failure.class.as_str());
    if desk.is_at(pushes::LEVEL)
        && let Some(Follow::Configured { device, group, .. }) = configured(id, row, Ok(()))
    {
        detail += &format!("; the device `{device}`, its group `{group}`");
    }
    let subject = format!("out.{org}.reaction.{}", connector_of(&row.destination));
    let about = incident.as_ref().map(ToString::to_string);
    let letter = Letter {
        subject,
        reaction: Some(id.to_string()),
        ..Letter::new(Reason::ReactionFailed, detail, desk.sequence)
    };
    dead_letters::say(desk, org, about.as_deref(), letter)?;
    if let Some(told) = configured(id, row, Err(format!("{}: {}", failure.class.as_str(), failure.message))) {
        return Ok(Some(told));
    }
    let reaction = id.clone();
    Ok(match incident {
        Some(incident) => Some(Follow::ReactionFailed { incident, reaction }),
        None if uploads::is_one(&row.action) => Some(Follow::SnapshotEnded { reaction, is_there: false }),
        None => None,
    })
}

/// What a device has answered, if that was asked of one.
fn configured(id: &ReactionId, row: &PendingRow, answer: Result<(), String>) -> Option<Follow> {
    if connector_of(&row.destination) != DEVICE {
        return None;
    }
    let Ok(Action::Configure(configure)) = serde_json::from_str(&row.action) else { return None };
    let Configure { device, group, .. } = *configure;
    Some(Follow::Configured { device: device.serial_number, group, reaction: id.clone(), answer })
}

/// A reaction is not to be done any more; what a connector still says of it changes nothing.
pub(crate) fn withdraw(desk: &mut Desk, org: &OrgName, id: &ReactionId) -> Result<(), Error> {
    if let Some(row) = find(desk, org, id)? {
        unpend(desk, id, &row);
    }
    Ok(())
}

/// The connector of a destination in its text form.
fn connector_of(destination: &str) -> &str {
    destination.split_once('/').map_or(destination, |(connector, _)| connector)
}

/// The incident a pending reaction is about.
pub(crate) fn incident_of(row: &PendingRow) -> Option<IncidentId> {
    Some(IncidentId { org: row.org.clone()?, number: row.incident? })
}

/// A pending reaction of an organization.
pub(crate) fn find(desk: &Desk, org: &OrgName, id: &ReactionId) -> Result<Option<PendingRow>, Error> {
    Ok(desk.read(&key(id.as_str()))?.filter(|row| row.org.as_ref() == Some(org)))
}

/// A pending reaction after its review: it stands so, or none does any more.
pub(crate) fn renew(desk: &mut Desk, id: &ReactionId, row: &PendingRow, next: Option<PendingRow>) -> Result<(), Error> {
    // What texts come to decides nothing: another release may come to the same.
    let may_differ = desk.is_at(leaving::LEVEL) && leaving::may_have_texts(&row.action);
    if next.as_ref() == Some(row) && !may_differ {
        return Ok(());
    }
    unpend(desk, id, row);
    match next {
        Some(next) => pend(desk, id, &next),
        None => Ok(()),
    }
}

/// Pending reactions of an organization, held ones too: some of them, by id.
pub(crate) struct Slice {
    pub(crate) ids: Vec<ReactionId>,
    /// The key of the last one where there may be more.
    pub(crate) last: Option<Vec<u8>>,
    /// How many rows were looked at.
    pub(crate) looked_at: u64,
}

/// The pending reactions of an organization behind the key `after` (empty: all of them), so many at the most.
pub(crate) fn slice(desk: &Desk, org: &OrgName, after: &[u8], most: usize, bytes_most: usize) -> Result<Slice, Error> {
    let prefix = prefix_of(org);
    let mut from = if after.is_empty() { Bound::Included(prefix.clone()) } else { Bound::Excluded(after.to_vec()) };
    let mut slice = Slice { ids: Vec::new(), last: None, looked_at: 0 };
    let mut bytes = 0;
    while let Some((key, row)) = desk.first(from.as_ref().map(Vec::as_slice), &prefix)? {
        let id = read_key(&key);
        slice.looked_at += 1;
        // What texts come to does not count: where a slice ends is decided, and another release may redact otherwise.
        let of_row = match &id {
            Some(id) => {
                let read = desk.read(&self::key(id.as_str()))?;
                let level = desk.level.min(leaving::LEVEL);
                read.map_or(Ok(0), |pending| Ok::<_, Error>(pending.form(level, &row)?.len()))?
            }
            None => row.len(),
        };
        slice.ids.extend(id);
        bytes += key.len() + of_row;
        if slice.looked_at as usize >= most || bytes >= bytes_most {
            slice.last = Some(key);
            break;
        }
        from = Bound::Excluded(key);
    }
    Ok(slice)
}

/// Whether anything is pending for an organization, or maybe for one whose name begins alike.
pub(crate) fn has_any(desk: &Desk, org: &OrgName) -> Result<bool, Error> {
    let prefix = prefix_of(org);
    Ok(desk.first(Bound::Included(&prefix), &prefix)?.is_some())
}
