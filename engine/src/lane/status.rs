//! What a lane tells the rest of the engine: how far it is, whose queues changed, what was counted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc;

use linesman_domain::clock::Doubt;
use linesman_domain::position::Position;
use linesman_domain::tally::{OfOrg, OfPolicy};
use linesman_domain::{Decision, level};

use super::failures::PolicyFailures;
use super::stopped::Stopped;
use crate::metrics::named;

/// How far a lane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneStatus {
    /// Whether it has been taken up.
    pub is_running: bool,
    /// Sequence in IN of the last input applied.
    pub position: u64,
    /// The lane's clock.
    pub now: Timestamp,
    /// When it moved on last, by the machine's steady clock.
    pub moved: Instant,
    /// How its clock and the server's time are apart, where they are.
    pub doubt: Option<Doubt>,
    /// The engine level it decides at.
    pub level: u32,
    /// Why it was sealed and rebuilt, if it was.
    pub sealed: Option<String>,
    /// How many inputs it has applied of those that IN was given since the engine started.
    pub decided: u64,
    /// Where and why it stands still, if it does.
    pub stopped: Option<Arc<Stopped>>,
    /// Whether its state may be behind what was committed or reported: it is decided again, or has yet to come to where the
    /// log ended when it was taken up.
    pub is_behind: bool,
    /// Whether its state is that of an earlier time: it was dropped, and is decided again from the log.
    pub is_past: bool,
}

/// What no lane reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unread {
    /// The last sequence of IN when the engine started.
    pub since: u64,
    /// How many messages of those behind it were set aside since no lane reads them.
    pub set_aside: u64,
}

impl Default for LaneStatus {
    fn default() -> Self {
        Self {
            is_running: false,
            position: 0,
            now: Timestamp::UNIX_EPOCH,
            moved: Instant::now(),
            doubt: None,
            level: level::OLDEST,
            sealed: None,
            decided: 0,
            stopped: None,
            is_behind: false,
            is_past: false,
        }
    }
}

impl LaneStatus {
    /// Whether its state tells what is still to be done.
    pub fn is_up_to_date(&self) -> bool {
        !self.is_behind && self.stopped.is_none()
    }

    pub(super) fn advance(&mut self, position: &Position) {
        self.position = position.sequence;
        if self.now != position.now {
            self.moved = Instant::now();
        }
        self.now = position.now;
        self.level = position.level;
    }
}

/// An organization's queue at a destination changed; an empty organization means all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// In which lane.
    pub lane: u32,
    /// Which destination.
    pub destination: String,
    /// Whose queue.
    pub org: String,
}

/// Tells the dispatcher of changes.
#[derive(Debug, Clone)]
pub struct Changes(mpsc::UnboundedSender<Change>);

impl Changes {
    /// A way to tell, and one to hear.
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Change>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub(super) fn send(&self, change: Change) {
        // Nobody hears during the last moments of a drain; the rows stand.
        let _ = self.0.send(change);
    }
}

/// How many organizations are named in metrics.
const NAMED_MOST: usize = 100;
/// Those that are: the first since the start.
static NAMED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// How metrics name an organization; all but the first are `_others`.
fn named(org: &str) -> String {
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    if !named.contains(org) {
        if named.len() >= NAMED_MOST {
            return "_others".to_owned();
        }
        named.insert(org.to_owned());
    }
    org.to_owned()
}

/// Hands a batch's counts to the metrics, and those of policies that failed to `failed`.
pub(super) fn count(decision: &Decision, failed: &PolicyFailures) {
    let tally = &decision.tally;
    for ((kind, outcome), count) in &tally.inputs {
        metrics::counter!("linesman_inputs_total", "kind" => *kind, "outcome" => *outcome).increment(*count);
    }
    for (reason, count) in &tally.dead {
        metrics::counter!("linesman_dead_letters_total", "reason" => reason.as_str()).increment(*count);
    }
    for (name, count) in &tally.triggers {
        metrics::counter!("linesman_triggers_total", "trigger" => *name).increment(*count);
    }
    for (connector, count) in &tally.reactions {
        metrics::counter!("linesman_reactions_total", "connector" => connector.clone()).increment(*count);
    }
    for (kind, count) in &tally.policy_failures {
        metrics::counter!("linesman_policy_failures_total", "kind" => *kind).increment(*count);
    }
    for (outcome, count) in &tally.audited {
        metrics::counter!("linesman_audit_records_total", "outcome" => *outcome).increment(*count);
    }
    for ((connector, class), count) in &tally.attempt_failures {
        let labels = [("connector", connector.clone()), ("class", (*class).to_owned())];
        metrics::counter!("linesman_attempt_failures_total", &labels).increment(*count);
    }
    if tally.cases_withheld > 0 {
        metrics::counter!("linesman_cases_withheld_total").increment(tally.cases_withheld);
    }
    for (state, count) in &tally.uploads {
        metrics::counter!("linesman_uploads_total", "state" => *state).increment(*count);
    }
    for (state, count) in &tally.snapshots {
        metrics::counter!("linesman_snapshots_total", "state" => *state).increment(*count);
    }
    for ((kind, state), count) in &tally.approvals {
        metrics::counter!("linesman_approvals_total", "kind" => *kind, "state" => *state).increment(*count);
    }
    for (end, count) in &tally.waves {
        metrics::counter!("linesman_waves_total", "end" => *end).increment(*count);
    }
    for (end, count) in &tally.upload_attempts {
        metrics::counter!("linesman_upload_attempts_total", "end" => *end).increment(*count);
    }
    for (org, (messages, bytes)) in &tally.left_out {
        let org = named(org.as_str());
        metrics::counter!("linesman_over_quota_messages_total", "organization" => org.clone()).increment(*messages);
        metrics::counter!("linesman_over_quota_bytes_total", "organization" => org).increment(*bytes);
    }
    metrics::counter!("linesman_upload_bytes_total").increment(tally.upload_bytes);
    metrics::counter!("linesman_dead_letters_replayed_total").increment(tally.replayed);
    for (org, OfOrg { incidents, reactions, dead }) in &tally.orgs {
        named::ORGANIZATIONS.add(org.as_str(), [*incidents, *reactions, *dead]);
    }
    for (policy, OfPolicy { matches, runs, failures, operations, last }) in &tally.policies {
        named::POLICIES.add(policy.as_str(), [*matches, *runs, *failures, *operations]);
        if let Some((org, words)) = last.as_ref().filter(|_| *failures > 0) {
            failed.add(policy.as_str(), *failures, (org, words), Timestamp::now());
        }
    }
}
