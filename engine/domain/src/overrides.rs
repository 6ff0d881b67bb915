//! What was decided of inputs outside the order of the lane: read before the lane decides, by every replay alike.
//!
//! INVARIANT (decided again): an override counts for the input that it names by place and bytes, whatever the level. What is
//! committed has no new ones, unless one accepts what the lane decides with them.

use std::collections::BTreeMap;

use linesman_schemas::audit::{Audit, Record, Verdict};
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::lane_override::{Overridden, Override};
use linesman_schemas::{CommandId, PolicyName};
use serde_json::{Value, json};

use super::audit::{self, Owner};
use super::dead_letters::{self, Why};
use super::desk::Desk;
use super::input::Input;
use super::outgoing::Topic;
use super::{Domain, Error};

/// By the place of their input in IN.
#[derive(Debug, Default)]
pub(crate) struct Overrides(BTreeMap<u64, Vec<Override>>);

impl Overrides {
    /// Those of an input.
    pub(crate) fn of(&self, input: &Input<'_>) -> Vec<Override> {
        // Nearly always there are none at all.
        let Some(found) = self.0.get(&input.sequence) else { return Vec::new() };
        let message = hex::encode(input.sha256);
        found.iter().filter(|found| found.message == message).cloned().collect()
    }
}

/// The policies that do not judge an input.
pub(crate) fn aside(overrides: &[Override]) -> Vec<PolicyName> {
    let policy = |one: &Override| match &one.what {
        Overridden::SetPolicyAside { policy } => Some(policy.clone()),
        Overridden::SkipInput | Overridden::AcceptDecision { .. } => None,
    };
    overrides.iter().filter_map(policy).collect()
}

/// Why an input is skipped, if it is.
pub(crate) fn skipped(overrides: &[Override]) -> Option<&str> {
    overrides.iter().find(|one| one.what == Overridden::SkipInput).map(|one| one.why.as_str())
}

impl Domain {
    /// Has these count from here on.
    pub fn override_with(&mut self, overrides: Vec<Override>) {
        self.overrides.0.clear();
        for one in overrides {
            self.overrides.0.entry(one.position).or_default().push(one);
        }
    }

    /// Sets an input aside.
    pub(crate) fn skip(&mut self, input: &Input<'_>, why: &str) -> Result<(), Error> {
        let why = Why { reason: Reason::InputSkipped, detail: why, place: None };
        if input.org.is_empty() {
            return dead_letters::set_aside_control(&mut self.desk, input, &why);
        }
        let org = self.organizations.find(input.org).map(|(org, _)| org);
        dead_letters::set_aside(&mut self.desk, org.as_ref(), input, &why)
    }

    /// Puts on record what was decided of the input at hand.
    pub(crate) fn record_overrides(&mut self, overrides: &[Override]) -> Result<(), Error> {
        let rule_book = self.books.row().version;
        overrides.iter().try_for_each(|one| record(&mut self.desk, rule_book, one))
    }
}

/// Appends the record, where there are any, and says it.
fn record(desk: &mut Desk, rule_book: u64, one: &Override) -> Result<(), Error> {
    let (lane, position, operation) = (one.lane, one.position, one.what.operation());
    let command: CommandId = serde_json::from_value(json!(format!("{operation}-{lane}-{position}")))?;
    let about = format!("lane {lane} at {position}");
    let (old, new) = match &one.what {
        Overridden::SkipInput => (Value::Null, Value::Null),
        Overridden::SetPolicyAside { policy } => (Value::Null, json!({"policy": policy})),
        Overridden::AcceptDecision { expected, found } => (json!({"digest": expected}), json!({"digest": found})),
    };
    let said = Audit {
        command,
        actor: one.by.to_string(),
        principal: Some(one.by.clone()),
        node: one.node.clone(),
        verdict: Verdict::Done,
        outcome: one.why.clone(),
        old,
        new,
        index: None,
        place: Some("/".to_owned()),
        chain: Vec::new(),
    };
    let mut index = None;
    if desk.is_at(3) {
        let time = desk.now;
        let record = |index| Record {
            index,
            time,
            actor: said.actor.clone(),
            chain: Vec::new(),
            principal: said.principal.clone(),
            node: said.node.clone(),
            operation: operation.to_owned(),
            place: "/".to_owned(),
            about: Some(about.clone()),
            old: said.old.clone(),
            new: said.new.clone(),
            outcome: said.verdict,
            command: said.command.clone(),
            rule_book,
        };
        index = Some(audit::append(desk, &Owner::Provider(desk.lane), record, one.why.clone())?);
    }
    let said = Audit { index, ..said };
    let covered = Some(Audit { outcome: String::new(), ..said.clone() });
    desk.say_of_provider(&Topic::ProviderAudit(operation), position, Some(&about), said, covered).map(drop)
}
