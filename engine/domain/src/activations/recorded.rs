//! What becomes of devices, on record: each change that a device made, took back or refused, and each that is accepted.
//!
//! By whose doing, on which device, by which node, and what the device said that it comes to; not what it was told. Where a
//! service hides what is fixed the lines are not in it, but how many there are and their hash.

use std::collections::BTreeSet;

use linesman_schemas::audit::Verdict;
use linesman_schemas::device::{DriftedLine, GroupRead};
use linesman_schemas::outcome::{Attempt, Difference, Failure, FailureClass, Outcome};
use linesman_schemas::reaction::Action;
use linesman_schemas::{CommandId, OrgName, Place, PlacePath, Principal, ReactionId};
use serde_json::{Value, json};

use super::parts::{self, Goal, PartRow};
use super::pushes::{self, DifferenceRow, LEVEL, Subject};
use super::{doers, drift, origins};
use crate::audit::machine::{self, Deed};
use crate::desk::Desk;
use crate::shelf::Shelf;
use crate::{Error, reactions};

/// As what it is on record that a device was told.
pub const CONFIGURE: &str = "configure-device";
/// As what it is on record that what a device has otherwise counts.
pub const ACCEPT: &str = "accept-drift";

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The device has changed.
    Applied,
    /// It had all of it.
    Unchanged,
    /// It had changed, and has taken that back.
    RolledBack,
    /// It refuses.
    Refused,
    /// It did not answer within the time there was.
    GivenUp,
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::RolledBack => "rolled-back",
            Self::Refused => "refused",
            Self::GivenUp => "given-up",
        }
    }

    const fn verdict(self) -> Verdict {
        match self {
            Self::Applied | Self::Unchanged => Verdict::Done,
            Self::RolledBack | Self::Refused | Self::GivenUp => Verdict::Conflict,
        }
    }
}

/// A change that a device was heard of, as it stood before what it said was taken in.
pub(crate) struct Heard {
    line: PlacePath,
    activation: String,
    part: PartRow,
    by: BTreeSet<String>,
    hides: bool,
    is_restore: bool,
    /// Whether something else is wanted of the group by now.
    is_overtaken: bool,
    /// What an attempt before had said that it comes to, of which nobody knows whether it came about.
    before: Option<DifferenceRow>,
}

/// What a report is on record about, as it stands before that is taken in; none where it decides nothing.
pub(crate) fn of(
    desk: &Desk,
    shelf: &Shelf,
    org: &OrgName,
    (about, report): (Option<&Subject>, &Attempt),
) -> Result<Option<Heard>, Error> {
    if !desk.is_at(LEVEL) {
        return Ok(None);
    }
    let is_overtaken = about.is_none();
    let overtaken = if is_overtaken { overtaken(desk, org, report)? } else { None };
    let Some((line, activation)) = about.or(overtaken.as_ref()).cloned() else { return Ok(None) };
    let Some(part) = desk.read(&parts::key(&line, &activation))? else { return Ok(None) };
    let said = pushes::said(desk.state(), &line, &activation)?.filter(|said| said.reaction == report.reaction);
    let before = said.filter(|said| said.taken_back.is_none()).and_then(|said| said.difference);
    let pending = reactions::find(desk, org, &report.reaction)?;
    let action = pending.and_then(|row| serde_json::from_str(&row.action).ok());
    let is_restore = matches!(action, Some(Action::Configure(configure)) if configure.is_restore);
    let by = doers::of(desk, &line, &activation)?;
    let hides = origins::is_of_hiding(desk.state(), shelf, &part)?;
    Ok(Some(Heard { line, activation, part, by, hides, is_restore, is_overtaken, before }))
}

/// Of which part a device changed that was under way when something else came to be wanted of it.
fn overtaken(desk: &Desk, org: &OrgName, report: &Attempt) -> Result<Option<Subject>, Error> {
    let Some(change) = &report.change else { return Ok(None) };
    let has_changed = report.difference.as_ref().is_some_and(|difference| !difference.is_none());
    let is_told = report.is_taken_back || (matches!(report.outcome, Outcome::Done(_)) && has_changed);
    if !is_told || reactions::find(desk, org, &report.reaction)?.is_some() {
        return Ok(None);
    }
    let Some(owner) = desk.read(&parts::group_key(org, &change.serial_number, &change.group))? else { return Ok(None) };
    // What was taken in already is the same once more.
    let said = pushes::said(desk.state(), &owner.line, &owner.activation)?;
    let is_known = said.is_some_and(|said| said.reaction == report.reaction);
    Ok((!is_known).then_some((owner.line, owner.activation)))
}

impl Heard {
    /// Puts on record what became of the change, if anything did; `is_over` says that it is tried no more.
    pub(crate) fn record(
        self,
        desk: &mut Desk,
        org: &OrgName,
        (report, is_over): (&Attempt, bool),
        rule_book: u64,
    ) -> Result<(), Error> {
        let Some(end) = end(report, is_over) else { return Ok(()) };
        let Some(id) = id_of(&report.reaction, report.attempt) else { return Ok(()) };
        let words = self.words(end, report);
        let mut new = json!({
            "outcome": end.as_str(),
            "activation": self.activation,
            "subscription": self.part.name,
            "group": self.part.group,
            "change": if self.part.goal == Goal::On { "put" } else { "remove" },
            "by": self.by,
            "reaction": report.reaction,
            "difference": report.difference.as_ref().map(|told| difference(&told.into(), self.hides)),
        });
        if let Some(fields) = new.as_object_mut() {
            if self.is_restore {
                fields.insert("cause".to_owned(), json!("drift"));
            }
            if self.is_overtaken {
                fields.insert("is_overtaken".to_owned(), json!(true));
            }
            let before = self.before.as_ref().filter(|_| end == End::Unchanged);
            if let Some(before) = before.filter(|before| before.added > 0 || before.removed > 0) {
                fields.insert("difference_before".to_owned(), difference(before, self.hides));
            }
        }
        let node = report.change.as_ref().map(|change| change.node.clone()).unwrap_or_default();
        let (by, old) = (Principal::Machine, Value::Null);
        let (place, about) = (Place::Below(self.line), self.part.device);
        let verdict = end.verdict();
        let deed = Deed { operation: CONFIGURE, by, place, about, node, verdict, old, new, words, id };
        machine::record(desk, org, deed, rule_book)
    }

    fn words(&self, end: End, report: &Attempt) -> String {
        match &report.outcome {
            Outcome::Failed(Failure { message, .. }) if !self.hides => format!("{}: {message}", end.as_str()),
            _ => end.as_str().to_owned(),
        }
    }
}

/// What a report says that became of a change; none where it is tried again as it was.
fn end(report: &Attempt, is_over: bool) -> Option<End> {
    match &report.outcome {
        _ if report.is_unapproved => None,
        Outcome::Done(_) if report.difference.as_ref().is_some_and(Difference::is_none) => Some(End::Unchanged),
        Outcome::Done(_) => Some(End::Applied),
        Outcome::Failed(_) if report.is_taken_back => Some(End::RolledBack),
        Outcome::Failed(failure) if is_over && failure.class == FailureClass::Refused => Some(End::Refused),
        Outcome::Failed(_) => is_over.then_some(End::GivenUp),
    }
}

/// By which a record is found with what the log says of the attempt.
fn id_of(reaction: &ReactionId, attempt: u32) -> Option<CommandId> {
    format!("{reaction}~{attempt}").parse().ok()
}

fn difference(told: &DifferenceRow, hides: bool) -> Value {
    let DifferenceRow { text, added, removed, sha256, is_cut } = told;
    match hides {
        true => json!({"added": added, "removed": removed, "sha256": sha256}),
        false => json!({"text": text, "cut": is_cut, "added": added, "removed": removed, "sha256": sha256}),
    }
}

/// Puts on record that what a device has otherwise counts until it is told anew.
pub(crate) fn accept(
    desk: &mut Desk,
    org: &OrgName,
    (line, activation, part): (&PlacePath, &str, &PartRow),
    read: &GroupRead,
    rule_book: u64,
) -> Result<(), Error> {
    let count = |lines: &[DriftedLine], more: u64| lines.len() as u64 + more;
    let (missing, extra) = (count(&read.missing, read.more_missing), count(&read.extra, read.more_extra));
    let lines = [("-", &read.missing), ("+", &read.extra)];
    let text: String = lines
        .iter()
        .flat_map(|(sign, lines)| lines.iter().map(move |line| format!("{sign} {}\n", line.text)))
        .collect();
    let new = json!({
        "activation": activation,
        "subscription": part.name,
        "group": read.group,
        "templates": read.templates,
        "missing": missing,
        "extra": extra,
        "sha256": drift::digest(&text),
    });
    let Ok(id) = format!("{org}-drift-{}", desk.sequence).parse() else { return Ok(()) };
    let words = format!("the group `{}` lacks {missing} lines and has {extra} besides: accepted", read.group);
    let (by, old, verdict) = (Principal::Machine, Value::Null, Verdict::Done);
    let (place, about, node) = (Place::Below(line.clone()), read.device.clone(), read.node.clone());
    let deed = Deed { operation: ACCEPT, by, place, about, node, verdict, old, new, words, id };
    machine::record(desk, org, deed, rule_book)
}
