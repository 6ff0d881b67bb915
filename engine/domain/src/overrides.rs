//! What was decided of inputs outside the order of the lane: read before the lane decides, by every replay alike.
//!
//! INVARIANT (decided again): an override counts for the input that it names by place and bytes, whatever the level. What is
//! committed has no new ones, unless one accepts what the lane decides with them.

use std::collections::BTreeMap;

use linesman_schemas::audit::Verdict;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::lane_override::{Overridden, Override};
use linesman_schemas::{CommandId, Place, PolicyName};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::audit::Owner;
use super::audit::machine::{self, Deed};
use super::dead_letters::{self, Why};
use super::desk::Desk;
use super::input::{Content, Input};
use super::outgoing::Topic;
use super::policies::Aside;
use super::{Domain, Error};

/// What was decided.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    /// By the place of their input in IN.
    of: BTreeMap<u64, Vec<Override>>,
    /// Policies that are suspended: from which place on, and by which text.
    suspended: Vec<(u64, PolicyName, String)>,
}

impl Overrides {
    /// Those of an input.
    pub(crate) fn of(&self, input: &Input<'_>) -> Vec<Override> {
        // Nearly always there are none at all.
        let Some(found) = self.of.get(&input.sequence) else { return Vec::new() };
        let message = hex::encode(input.sha256);
        found.iter().filter(|found| found.message == message).cloned().collect()
    }

    /// The policies that do not judge the input at a place, which these are of.
    pub(crate) fn aside(&self, overrides: &[Override], sequence: u64) -> Vec<Aside> {
        let of_it = overrides.iter().filter_map(|one| match &one.what {
            Overridden::SetPolicyAside { policy } => Some(Aside { policy: policy.clone(), version: None }),
            Overridden::SkipInput
            | Overridden::SkipTimer { .. }
            | Overridden::SuspendPolicy { .. }
            | Overridden::AcceptDecision { .. } => None,
        });
        let suspended = self.suspended.iter().filter(|(from, ..)| *from <= sequence);
        let suspended =
            suspended.map(|(_, policy, version)| Aside { policy: policy.clone(), version: Some(version.clone()) });
        of_it.chain(suspended).collect()
    }
}

/// The engine level from which on an organization is not told why an input of its own is set aside.
const UNTOLD_FROM: u32 = 14;

/// The engine level from which on a job whose slice is skipped is dropped.
const DROPPED_FROM: u32 = 15;

/// A job that was dropped since its slice was skipped.
pub(crate) struct Dropped {
    /// What it is called.
    job: String,
    /// How many rows it had looked at.
    rows: u64,
}

/// Why an input is skipped, if it is.
pub(crate) fn skipped(overrides: &[Override]) -> Option<&str> {
    overrides.iter().find(|one| one.what == Overridden::SkipInput).map(|one| one.why.as_str())
}

/// What fell due with an input and does not happen.
pub(crate) fn skipped_timers(overrides: &[Override]) -> Vec<&str> {
    let mut timers = Vec::new();
    for one in overrides {
        if let Overridden::SkipTimer { timer } = &one.what {
            timers.push(timer.as_str());
        }
    }
    timers
}

impl Domain {
    /// Has these count from here on.
    pub fn override_with(&mut self, overrides: Vec<Override>) {
        self.overrides = Overrides::default();
        let Overrides { of, suspended } = &mut self.overrides;
        for one in overrides {
            if let Overridden::SuspendPolicy { policy, version } = &one.what {
                suspended.push((one.position, policy.clone(), version.clone()));
            }
            of.entry(one.position).or_default().push(one);
        }
    }

    /// Whether a message is set aside whatever it is: nothing that it names is needed.
    pub fn skips(&self, sequence: u64, bytes: &[u8]) -> bool {
        // Nearly always there are none at all.
        let Some(found) = self.overrides.of.get(&sequence) else { return false };
        let message = hex::encode(Sha256::digest(bytes));
        found.iter().any(|one| one.message == message && one.what == Overridden::SkipInput)
    }

    /// Sets an input aside. Of what is done in slices the job whose turn it is goes with its slice: the next would be the same
    /// again.
    pub(crate) fn skip(&mut self, input: &Input<'_>, detail: &str) -> Result<Option<Dropped>, Error> {
        let why = |detail| Why { reason: Reason::InputSkipped, detail, place: None };
        if input.org.is_empty() {
            let is_slice = matches!(input.content, Content::Continue { .. }) && self.desk.is_at(DROPPED_FROM);
            let dropped = if is_slice { self.jobs.drop_next(&mut self.desk) } else { None };
            let dropped = dropped.map(|(job, rows)| Dropped { job, rows });
            let told = dropped.as_ref().map(|Dropped { job, .. }| format!("{detail}; dropped is the job {job}"));
            let why = why(told.as_deref().unwrap_or(detail));
            dead_letters::set_aside_control(&mut self.desk, input, &why)?;
            return Ok(dropped);
        }
        let org = self.organizations.find(input.org).map(|(org, _)| org);
        // What people of the provider's say of it is theirs: it stands on their record.
        let is_told = org.is_none() || !self.desk.is_at(UNTOLD_FROM);
        let why = why(if is_told { detail } else { "it is set aside" });
        dead_letters::set_aside(&mut self.desk, org.as_ref(), input, &why).map(|()| None)
    }

    /// Puts on record what was decided of the input at hand, and which job went with it.
    pub(crate) fn record_overrides(&mut self, overrides: &[Override], dropped: Option<&Dropped>) -> Result<(), Error> {
        let rule_book = self.books.row().version;
        overrides.iter().try_for_each(|one| record(&mut self.desk, rule_book, one, dropped))
    }
}

/// Appends the record, where there are any, and says it.
fn record(desk: &mut Desk, rule_book: u64, one: &Override, dropped: Option<&Dropped>) -> Result<(), Error> {
    let (lane, position, operation) = (one.lane, one.position, one.what.operation());
    let id: CommandId = serde_json::from_value(json!(format!("{operation}-{lane}-{position}")))?;
    let about = format!("lane {lane} at {position}");
    // The record's time is that of the input, which may be long past.
    let at = one.at;
    let (old, new) = match &one.what {
        Overridden::SkipInput => match dropped {
            Some(Dropped { job, rows }) => (Value::Null, json!({"at": at, "job": job, "rows": rows})),
            None => (Value::Null, json!({"at": at})),
        },
        Overridden::SkipTimer { timer } => (Value::Null, json!({"at": at, "timer": timer})),
        Overridden::SetPolicyAside { policy } => (Value::Null, json!({"at": at, "policy": policy})),
        Overridden::SuspendPolicy { policy, version } => {
            (Value::Null, json!({"at": at, "policy": policy, "version": version}))
        }
        Overridden::AcceptDecision { expected, found } => {
            (json!({"digest": expected}), json!({"at": at, "digest": found}))
        }
    };
    let deed = Deed {
        operation,
        by: one.by.clone(),
        place: Place::Provider,
        about: about.clone(),
        node: one.node.clone(),
        verdict: Verdict::Done,
        old,
        new,
        words: one.why.clone(),
        id,
    };
    // Before that there are no records.
    let owner = desk.is_at(3).then_some(Owner::Provider(desk.lane));
    let said = machine::keep(desk, owner.as_ref(), deed, rule_book)?;
    let covered = Some(machine::covered(&said));
    desk.say_of_provider(&Topic::ProviderAudit(operation), position, Some(&about), said, covered).map(drop)
}
