//! What was changed of an incident and its case: when, by whom or what, from what to what. Each change is said, and policies may
//! react to it; the last of an incident stand in its row. From engine level 15 on.
//!
//! A change is what differs between two looks at an incident, before and after a step of the router: whatever changes one, none
//! is passed over.
//!
//! ```text
//! / <org> 0 <number>      HistoryRow
//! ```

use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;
use linesman_rules::{Policy, SubjectKind};
use linesman_schemas::bundle::Bundle;
use linesman_schemas::command::Handling;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::trigger::{ChangeData, JoinedData, Trigger};
use linesman_schemas::{CommandId, OrgName, Principal, Priority};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Status;
use crate::Error;
use crate::cases::{CaseState, CaseText, Further, Stays, chain};
use crate::dead_letters::{self, Letter};
use crate::desk::Desk;
use crate::input::ByLevel;
use crate::outgoing::Topic;
use crate::policies::Fired;
use crate::subject::{Changed, Incident};
use crate::table::{Key, Row, Table};

/// The engine level from which on changes are told, and cases that policies want are opened once all have had their say.
pub(crate) const LEVEL: u32 = 15;
/// How many lines of an incident's history are kept.
pub const LINES_MOST: usize = 100;
/// How many changes policies hear of as one input is decided: those that react to each other's would else double them with
/// each step.
const HEARD_MOST: u64 = 64;

/// What was changed of an incident, oldest first: the last [`LINES_MOST`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HistoryRow {
    /// How many lines before these are gone.
    pub left_out: u64,
    /// The lines.
    pub lines: Vec<LineRow>,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRow {
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
    /// By whom or what: a login, `policy <name>`, `the upstream`, `the engine`.
    pub actor: String,
    /// The trigger that a policy reacted to; empty where it was none.
    pub on: String,
    /// Id of the event that told it; empty where nothing was changed.
    pub event: String,
    /// What was changed.
    pub changes: Vec<ChangeRow>,
    /// What a case has of what a policy asked for beside others, by the keys of `submit_case`.
    pub used: Vec<String>,
    /// What it has not.
    pub unused: Vec<String>,
}

/// One thing that was changed. Nothing is an empty text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// What.
    pub what: String,
    /// How it was.
    pub old: String,
    /// How it is.
    pub new: String,
}

impl Row for HistoryRow {}

/// The table of histories.
pub const HISTORIES: Table<HistoryRow> = Table::new(b'/');

/// The key of an incident's history.
pub fn key(org: &OrgName, number: u64) -> Key<HistoryRow> {
    HISTORIES.key(&[org.as_str()], &number.to_be_bytes())
}

/// An attachment or a log of the bundle that is damaged, by its name.
const DAMAGED: &str = "damaged";
/// How many of them are named.
const DAMAGED_MOST: usize = 16;

/// What of a case is said otherwise, without how.
const CASE_TEXT: &str = "case_text";

/// What of an incident and its case counts as changed where it differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    priority: Priority,
    status: Status,
    owner: String,
    case: Option<CaseLook>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct CaseLook {
    state: CaseState,
    handling: Option<Handling>,
    shown: chain::Words,
    text: (CaseText, Further, Stays),
}

impl Look {
    fn at(incident: &Incident) -> Self {
        let (row, chain) = (&incident.row, incident.chain.as_ref());
        let case = incident.case.as_ref().map(|case| CaseLook {
            state: case.state,
            handling: chain.and_then(|chain| chain.handling),
            shown: chain::shown(case, chain),
            text: (case.request.clone(), case.further.clone(), case.stays),
        });
        Self { priority: row.priority, status: row.status, owner: row.owner.clone(), case }
    }

    /// What is otherwise now.
    fn changes(&self, now: &Self) -> Vec<ChangeRow> {
        let mut changes = Vec::new();
        let mut compare = |what: &str, old: &str, new: &str| {
            if old != new {
                changes.push(ChangeRow { what: what.to_owned(), old: old.to_owned(), new: new.to_owned() });
            }
        };
        compare("priority", self.priority.as_str(), now.priority.as_str());
        compare("status", self.status.as_str(), now.status.as_str());
        compare("owner", &self.owner, &now.owner);
        let (old, new) = (self.case.as_ref(), now.case.as_ref());
        let state = |case: Option<&CaseLook>| case.map_or("", |case| case.state.as_str());
        compare("case", state(old), state(new));
        let handling = |case: Option<&CaseLook>| match case.and_then(|case| case.handling) {
            Some(Handling::Forward) => "forward",
            Some(Handling::Own) => "own",
            None => "",
        };
        compare("handling", handling(old), handling(new));
        let nothing = chain::Words::default();
        let shown = |case: Option<&CaseLook>| case.map_or_else(|| nothing.clone(), |case| case.shown.clone());
        let (before, after) = (shown(old), shown(new));
        compare("case_id", &before.case_id, &after.case_id);
        compare("case_status", &before.status, &after.status);
        compare("case_link", &before.link, &after.link);
        if old.zip(new).is_some_and(|(old, new)| old.text != new.text) {
            changes.push(ChangeRow { what: CASE_TEXT.to_owned(), old: String::new(), new: String::new() });
        }
        changes
    }
}

/// By whom or what an incident is changed.
#[derive(Clone)]
pub(crate) enum By {
    /// A policy.
    Policy(Arc<Policy>, Rc<Fired>),
    /// Somebody, by a command.
    Person(String, CommandId),
    /// What the upstream has said.
    Upstream,
    /// What follows from settings, or from the engine giving up.
    Engine,
}

impl By {
    /// Whoever asks by a command.
    pub(crate) fn asked(principal: &Principal, command: &CommandId) -> Self {
        let actor = match principal {
            Principal::Policy { name, .. } => format!("policy {name}"),
            principal => principal.to_string(),
        };
        Self::Person(actor, command.clone())
    }

    fn actor(&self) -> String {
        match self {
            Self::Policy(policy, _) => format!("policy {}", policy.name()),
            Self::Person(actor, _) => actor.clone(),
            Self::Upstream => "the upstream".to_owned(),
            Self::Engine => "the engine".to_owned(),
        }
    }
}

/// A change that is to be told.
pub(crate) struct Told {
    by: By,
    changes: Vec<ChangeRow>,
    joined: Vec<JoinedData>,
}

/// From here on changes of an incident are told.
pub(crate) fn begin(desk: &Desk, incident: &mut Incident) {
    if desk.is_at(LEVEL) && incident.look.is_none() {
        incident.look = Some(Box::new(Look::at(incident)));
    }
}

/// What was changed of an incident since it was looked at last, if anything was.
pub(crate) fn look(incident: &mut Incident, by: &By) -> Option<Told> {
    let before = incident.look.as_deref()?;
    let now = Look::at(incident);
    if *before == now {
        return None;
    }
    let changes = before.changes(&now);
    incident.look = Some(Box::new(now));
    let joined = std::mem::take(&mut incident.joined);
    Some(Told { by: by.clone(), changes, joined })
}

/// Says a change, and keeps it.
pub(crate) fn tell(desk: &mut Desk, incident: &mut Incident, told: Told) -> Result<Fired, Error> {
    let Told { by, changes, joined } = told;
    let trigger = Trigger::IncidentChanged;
    let (org, actor) = (incident.id.org.clone(), by.actor());
    let Changed { changed, actor, before: old, after: new } = seen(actor, &changes);
    incident.kind = SubjectKind::of(trigger);
    desk.tally.trigger(trigger.as_str());
    let (policy, fired, command) = match &by {
        By::Policy(policy, fired) => (Some(policy.name()), Some(&**fired), None),
        By::Person(_, command) => (None, None, Some(command)),
        By::Upstream | By::Engine => (None, None, None),
    };
    let data = ChangeData {
        incident: incident.data(),
        actor: &actor,
        policy,
        on: fired.map(|fired| fired.trigger),
        trigger: fired.map(|fired| fired.event.as_str()),
        command,
        changed: &changed,
        old: &old,
        new: &new,
        joined: &joined,
    };
    let event = desk.say(&Topic::Trigger(org, trigger), &incident.id.org, Some(&incident.name), data)?;
    let on = fired.map(|fired| fired.trigger.as_str().to_owned()).unwrap_or_default();
    let mut lines = vec![LineRow {
        at: desk.now,
        actor: actor.clone(),
        on,
        event: event.clone(),
        changes,
        used: Vec::new(),
        unused: Vec::new(),
    }];
    lines.extend(joined.into_iter().map(|joined| line_of(desk, joined)));
    add(desk, incident, lines)?;
    incident.changed = Some(Box::new(Changed { changed, actor, before: old, after: new }));
    desk.changes += 1;
    Ok(Fired { trigger, event, about: incident.name.clone(), is_providers: false })
}

/// Whether the input at hand has come to more changes than policies hear of.
pub(crate) fn is_beyond(desk: &Desk) -> bool {
    desk.changes > HEARD_MOST
}

/// Says once of an input that what policies still want on its changes is not done.
pub(crate) fn end(desk: &mut Desk, org: &OrgName, fired: &Fired) -> Result<(), Error> {
    if desk.changes > HEARD_MOST + 1 {
        return Ok(());
    }
    let detail = format!(
        "depth: more than {HEARD_MOST} changes followed from one input; what policies still wanted on them is not done"
    );
    dead_letters::say(desk, org, Some(&fired.about), Letter::new(Reason::PolicyFailed, detail, desk.sequence))
}

fn line_of(desk: &Desk, joined: JoinedData) -> LineRow {
    LineRow {
        at: desk.now,
        actor: format!("policy {}", joined.policy),
        on: joined.on.as_str().to_owned(),
        event: String::new(),
        changes: Vec::new(),
        used: joined.used,
        unused: joined.unused,
    }
}

/// Keeps what a policy asked for in vain, unless it stands there already.
pub(crate) fn unused(desk: &mut Desk, incident: &Incident, joined: JoinedData) -> Result<(), Error> {
    let line = line_of(desk, joined);
    let known = desk.read(&key(&incident.id.org, incident.id.number))?.unwrap_or_default();
    let is_same = |known: &LineRow| LineRow { at: line.at, ..known.clone() } == line;
    if known.lines.iter().any(is_same) {
        return Ok(());
    }
    add(desk, incident, vec![line])
}

/// Keeps which attachments and logs of an incident's bundle are damaged. From engine level 16 on.
pub(crate) fn damaged(desk: &mut Desk, incident: &Incident, bundle: &Bundle<'_>) -> Result<(), Error> {
    let parts = bundle.attachments.iter().chain(&bundle.logs).filter(|part| part.is_damaged());
    let changes: Vec<ChangeRow> = parts
        .take(DAMAGED_MOST)
        .map(|part| ChangeRow { what: DAMAGED.to_owned(), old: String::new(), new: part.name.to_string() })
        .collect();
    if changes.is_empty() || !desk.is_at(ByLevel::LEVEL) {
        return Ok(());
    }
    let line = LineRow {
        at: desk.now,
        actor: By::Engine.actor(),
        on: String::new(),
        event: String::new(),
        changes,
        used: Vec::new(),
        unused: Vec::new(),
    };
    add(desk, incident, vec![line])
}

fn add(desk: &mut Desk, incident: &Incident, lines: Vec<LineRow>) -> Result<(), Error> {
    let key = key(&incident.id.org, incident.id.number);
    let mut row = desk.read(&key)?.unwrap_or_default();
    row.lines.extend(lines);
    let beyond = row.lines.len().saturating_sub(LINES_MOST);
    row.lines.drain(..beyond);
    row.left_out += beyond as u64;
    desk.write(key, &row)
}

/// What an event of an incident has told, while its history has it.
pub(crate) fn told_by(desk: &Desk, incident: &Incident, event: &str) -> Result<Option<Changed>, Error> {
    let row = desk.read(&key(&incident.id.org, incident.id.number))?.unwrap_or_default();
    let Some(line) = row.lines.into_iter().find(|line| line.event == event && !event.is_empty()) else {
        return Ok(None);
    };
    Ok(Some(seen(line.actor, &line.changes)))
}

/// Changes as policies see them.
fn seen(actor: String, changes: &[ChangeRow]) -> Changed {
    let side = |get: fn(&ChangeRow) -> &String| -> Map<String, Value> {
        let named = changes.iter().filter(|change| change.what != CASE_TEXT);
        let value = |change: &ChangeRow| -> Value { Some(get(change)).filter(|text| !text.is_empty()).cloned().into() };
        named.map(|change| (change.what.clone(), value(change))).collect()
    };
    let (before, after) = (side(|change| &change.old), side(|change| &change.new));
    Changed { changed: changes.iter().map(|change| change.what.clone()).collect(), actor, before, after }
}
