//! One attempt at a reaction, from its row to its report.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use async_nats::Client;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use linesman_connectors::{Attempted, Connector};
use linesman_schemas::outcome::{Attempt, AttemptedChange, Failure, FailureClass, Outcome, Report};
use linesman_schemas::reaction::{Action, Task};
use linesman_schemas::{Peer, ReactionId};
use tokio::sync::watch;

use super::clock::{Moment, Steady, later};
use super::contents::Fetching;
use super::queue::Row;
use super::{cases, contents, report, wanted};
use crate::failing::{Failed, Failing, News};
use crate::lane::status::LaneStatus;
use crate::store::Store;

/// What all destinations use.
pub(super) struct Shared {
    pub(super) store: Arc<Store>,
    pub(super) client: Client,
    /// Where bytes are fetched from for connectors.
    pub(super) fetching: Fetching,
    lanes: Vec<watch::Receiver<LaneStatus>>,
    /// What fails, and why.
    failing: Arc<Failing>,
    /// Whether anything may leave for the upstream.
    pub(super) sends: watch::Receiver<bool>,
    /// This node.
    node: Arc<str>,
    steady: Steady,
    /// The log's last time when the dispatcher began, and when that was.
    began: (Timestamp, Instant),
}

impl Shared {
    pub(super) fn new(
        store: Arc<Store>,
        client: Client,
        lanes: Vec<watch::Receiver<LaneStatus>>,
        (sends, steady): (watch::Receiver<bool>, Steady),
        (node, failing): (Arc<str>, Arc<Failing>),
    ) -> Self {
        let fetching = Fetching::new(client.clone());
        let last = lanes.iter().map(|status| status.borrow().now).max().unwrap_or(Timestamp::UNIX_EPOCH);
        let began = (last, steady.now());
        Self { store, client, fetching, lanes, failing, sends, node, steady, began }
    }

    /// How far a lane is, as it goes on.
    pub(super) fn lane(&self, lane: u32) -> Option<watch::Receiver<LaneStatus>> {
        self.lanes.get(lane as usize).cloned()
    }

    /// How far each lane is.
    pub(super) fn lanes(&self) -> &[watch::Receiver<LaneStatus>] {
        &self.lanes
    }

    pub(super) fn lanes_count(&self) -> u32 {
        u32::try_from(self.lanes.len()).unwrap_or(u32::MAX)
    }

    /// What time it is in each lane.
    pub(super) fn moment(&self) -> Moment {
        Moment::of(self.steady.now(), &self.lanes)
    }

    /// The time by which hours are counted: the log's as it was at the beginning, which has gone on steadily since.
    pub(super) fn steady_now(&self) -> Timestamp {
        let (last, at) = self.began;
        later(last, self.steady.now().saturating_duration_since(at))
    }
}

/// Makes an attempt and reports it; how many requests it made.
pub(super) async fn make(
    shared: &Arc<Shared>,
    connector: &dyn Connector,
    (destination, peer): (&str, Option<Peer>),
    mut row: Row,
) -> u32 {
    let (id, org, attempt, lane) = (row.id.clone(), row.org.clone(), row.attempt, row.lane);
    let since = Instant::now();
    let action = std::mem::replace(&mut row.action, Err(String::new()));
    let change = action.as_ref().ok().and_then(|action| changed(action, &shared.node));
    let work = work_of(action.as_ref().ok());
    let mut attempted = match action {
        Ok(action) => {
            // Uploads that get on are tried as often as they need.
            let tried = if matches!(action, Action::Upload(_)) { row.misses.saturating_add(1) } else { attempt };
            let task = Task { id: id.clone(), org: org.clone(), peer, attempt: tried, action };
            carry_out(shared, connector, &task, row).await
        }
        Err(error) => {
            tracing::error!(reaction = %id, error, "a pending reaction cannot be read; it is given up");
            Attempted::failed(0, refused(format!("the action cannot be read: {error}")))
        }
    };
    let took = since.elapsed();
    if let Some(ends) = connector.certificate().and_then(|shown| shown.ends) {
        let gauge = metrics::gauge!("linesman_certificate_ends_timestamp_seconds", "connector" => connector.name());
        gauge.set(ends.as_second() as f64);
    }
    let mismatches = metrics::counter!("linesman_upstream_pin_mismatches_total", "connector" => connector.name());
    mismatches.absolute(connector.pin_mismatches());
    learn(&shared.failing, destination, &id, &attempted);
    keep_news(shared, &mut attempted);
    let labels = [("connector", connector.name()), ("work", work)];
    metrics::counter!("linesman_attempts_total", &labels).increment(1);
    metrics::histogram!("linesman_attempt_seconds", &labels).record(took.as_secs_f64());
    fail::fail_point!("dispatch::before-report");
    let Attempted { requests, outcome, reports, there, is_withdrawn, .. } = attempted;
    let Attempted { difference, is_taken_back, is_unapproved, .. } = attempted;
    let reaction = id;
    let ended = Attempt {
        reaction,
        attempt,
        requests,
        outcome,
        there,
        is_withdrawn,
        difference,
        is_taken_back,
        is_unapproved,
        change,
    };
    report::publish(&shared.client, connector.name(), (org.as_ref(), lane), reports, ended).await;
    requests
}

/// Takes in what an attempt says of its destination, and tells what is news of that.
fn learn(failing: &Failing, destination: &str, id: &ReactionId, attempted: &Attempted) {
    let failure = match &attempted.outcome {
        Outcome::Failed(failure) if failure.class != FailureClass::Refused => failure,
        // It answered, if only to refuse this very reaction.
        Outcome::Done(_) | Outcome::Failed(_) => {
            failing.reaction_ended(id.as_str());
            if attempted.requests > 0
                && let Some(failed) = failing.well(destination)
            {
                let Failed { since, tries, .. } = failed;
                tracing::info!(destination, %since, tries, "a destination answers again");
            }
            return;
        }
    };
    let is_taken_in_parts = failure.class == FailureClass::Overloaded && attempted.there.is_some();
    if attempted.is_withdrawn || attempted.is_unapproved || is_taken_in_parts {
        return;
    }
    let now = Timestamp::now();
    failing.reaction_failed(id.as_str(), failure, now);
    // Where nobody was asked, what is wrong is here.
    if attempted.requests == 0 {
        return;
    }
    let (class, error) = (failure.cause().as_str(), &failure.message);
    match failing.failed(destination, failure, now) {
        News::First => tracing::warn!(destination, class, error, "a destination fails"),
        News::Otherwise => tracing::warn!(destination, class, error, "a destination fails otherwise than before"),
        News::None => {}
    }
}

/// What an attempt is at, as it is counted; a word of the table's.
const fn work_of(action: Option<&Action>) -> &'static str {
    match action {
        Some(Action::SubmitCase(_)) => "case",
        Some(Action::PollCases { .. }) => "poll",
        Some(Action::TellCase(_)) => "telling",
        Some(Action::Upload(_)) => "upload",
        Some(Action::Configure(_)) => "configuration",
        Some(Action::Notify(_)) => "notification",
        None => "unreadable",
    }
}

/// What of which device an attempt is to change, if it is one that does.
fn changed(action: &Action, node: &str) -> Option<AttemptedChange> {
    let Action::Configure(configure) = action else { return None };
    let (serial_number, group) = (configure.device.serial_number.clone(), configure.group.clone());
    Some(AttemptedChange { node: node.to_owned(), serial_number, group })
}

/// One attempt. A connector that panics has failed in it, like one that was answered with garbage:
/// nobody knows what came of it, and it is made again. Left alone it would count as under way for ever.
async fn carry_out(shared: &Arc<Shared>, connector: &dyn Connector, task: &Task, row: Row) -> Attempted {
    let attempt = async {
        fail::fail_point!("dispatch::attempt");
        if contents::is_named(&task.action) {
            carry_out_with(shared, connector, task, row).await
        } else {
            connector.carry_out(task).await
        }
    };
    let attempted = AssertUnwindSafe(attempt).catch_unwind().await;
    attempted.unwrap_or_else(|_| {
        tracing::error!(connector = connector.name(), reaction = %task.id, "a connector broke off");
        let message = format!("the connector `{}` broke off", connector.name());
        Attempted::failed(1, Failure { class: FailureClass::Garbled, message, retry_after_s: None, cause: None })
    })
}

/// One attempt at what takes bytes, its turn before them. What leads to the upstream goes on as long as it may.
async fn carry_out_with(shared: &Arc<Shared>, connector: &dyn Connector, task: &Task, row: Row) -> Attempted {
    let ready = async {
        let turn = connector.turn().await;
        contents::of(shared, task).await.map(|contents| contents.in_turn(turn))
    };
    if !connector.is_upstream() {
        return match ready.await {
            Ok(contents) => connector.carry_out_with(task, contents).await,
            Err(failure) => Attempted::failed(0, failure),
        };
    }
    let row = Arc::new(row);
    let contents = tokio::select! {
        biased;
        () = wanted::withdrawn(Arc::clone(shared), Arc::clone(&row)) => return Attempted::withdrawn(0),
        contents = ready => contents,
    };
    match contents {
        Ok(contents) => connector.carry_out_with(task, contents.as_long_as(wanted::of(shared, &row))).await,
        Err(failure) => Attempted::failed(0, failure),
    }
}

/// Leaves out the cases that are no news. Where the state does not say whether one is, the attempt has failed as a
/// whole: its cursor stays, and the next one brings the case again.
fn keep_news(shared: &Shared, attempted: &mut Attempted) {
    let mut broken = None;
    attempted.reports.retain(|report| match report {
        Report::CaseChanged(standing) => {
            cases::is_news(&shared.store, shared.lanes_count(), standing).unwrap_or_else(|error| {
                broken = Some(error);
                false
            })
        }
        Report::Attempt(_)
        | Report::DeviceStands(_)
        | Report::JmbSetAside(_)
        | Report::JmbErrorEnded(_)
        | Report::GatheringStands(_)
        | Report::ScriptsStand(_)
        | Report::BundleKept(_)
        | Report::FilesNamed(_)
        | Report::FileTried(_)
        | Report::GroupRead(_) => true,
    });
    if let Some(error) = broken {
        metrics::counter!("linesman_dispatch_store_failures_total").increment(1);
        tracing::error!(%error, "what is known of a case cannot be read");
        let message = format!("what is known of a case cannot be read: {error}");
        let failure = Failure { class: FailureClass::Unavailable, message, retry_after_s: None, cause: None };
        attempted.outcome = Outcome::Failed(failure);
    }
}

/// A failure that no repetition mends.
pub(super) fn refused(message: String) -> Failure {
    Failure { class: FailureClass::Refused, message, retry_after_s: None, cause: None }
}
