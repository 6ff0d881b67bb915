//! `GET /api/v1/status`: how far the lanes are, and what waits for whom.

mod attention;
mod clock;
mod licence;
mod quotas;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::failing::FailingTold;
use super::faults::FaultTold;
use super::gauges::{self, Seen};
use super::sources::Sources;
use super::transport::problem::Problem;
use super::viewer::Viewer;
use crate::dispatch::Overview;
use crate::failing::Failed;
use crate::scrub;
use crate::store::Lane;
use attention::Attention;
use licence::LicenceState;
use linesman_domain::sources::{self as cursors, CursorRow};
use linesman_domain::{Error, jobs, level, position, reactions, rule_book};
use linesman_schemas::{Mode, OrgName, Place};
use sources::SourceState;

/// How the engine is.
#[derive(Debug, Serialize, ToSchema)]
struct Status {
    /// Whether it serves and can work.
    ready: bool,
    /// By what it cannot work, and what is to be done.
    faults: Vec<FaultTold>,
    /// How the installation is connected.
    #[schema(value_type = String)]
    mode: Mode,
    /// What people should know of licence, mode, quotas and clocks.
    notices: Vec<String>,
    /// What works, and waits for somebody.
    attention: Attention,
    /// Under what licence it runs.
    licence: LicenceState,
    /// Lane by lane.
    lanes: Vec<LaneState>,
    /// Reactions to be carried out, by destination.
    pending: Vec<Pending>,
    /// Destinations that are left alone for a while.
    circuits: Vec<Circuit>,
    /// All destinations that reactions wait for, that are left alone, or that fail.
    destinations: Vec<DestinationState>,
    /// How reactions are carried out.
    dispatch: Dispatch,
    /// Work over many rows that is done in slices, oldest first.
    jobs: Vec<Job>,
    /// What brings inputs by itself, by name.
    sources: Vec<SourceState>,
    /// The listener for end customers' controllers; null where there is none.
    partner: Option<PartnerState>,
    /// The upstream; null where there is none.
    upstream: Option<UpstreamState>,
    /// What is known of the streams' being whole; `/api/v1/verification` tells more.
    verification: VerificationState,
}

/// How the listener for end customers' controllers is.
#[derive(Debug, Serialize, ToSchema)]
struct PartnerState {
    /// Where it listens.
    listen: String,
    /// How many end customers have a login.
    end_customers: usize,
    /// How many of them have asked for something within the last quarter of an hour.
    heard: usize,
    /// When the certificate ends that it shows; null where that cannot be read.
    certificate_ends: Option<Timestamp>,
}

/// What is known of the streams' being whole.
#[derive(Debug, Serialize, ToSchema)]
struct VerificationState {
    /// How many bytes a second are read in the background; 0: nothing is.
    bytes_per_s: u64,
    /// When the last round ended; null before one has.
    ended: Option<Timestamp>,
    /// How many messages it read.
    messages: u64,
    /// How many bytes.
    bytes: u64,
    /// How many faults were found.
    faults: u64,
}

impl VerificationState {
    fn of(overview: &scrub::Overview) -> Self {
        let last = overview.last.as_ref();
        let sum = |of: fn(&scrub::Reading) -> u64| last.map_or(0, |round| of(&round.input) + of(&round.output));
        Self {
            bytes_per_s: overview.bytes_per_s,
            ended: last.and_then(|round| round.ended),
            messages: sum(|reading| reading.messages),
            bytes: sum(|reading| reading.bytes),
            faults: overview.faults,
        }
    }
}

/// How the upstream was met.
#[derive(Debug, Serialize, ToSchema)]
struct UpstreamState {
    /// The connector that leads there: `jss` or `partner`.
    connector: &'static str,
    /// When the certificate ends that it showed last, believed or not; null before it has shown one.
    certificate_ends: Option<Timestamp>,
}

/// Work over many rows that is done in slices.
#[derive(Debug, Serialize, ToSchema)]
struct Job {
    /// In which lane.
    lane: u32,
    /// Its number there.
    job: u64,
    /// What is done: `review-pending`, what is pending for an organization follows its settings; `age-audits`, what
    /// old records of the audit say goes; `hand-over`, whom managers granted anything that are gone is their granters';
    /// `review-kept`, what is kept of an organization's cases goes to the upstream as far as it may; `snapshots`, the newest snapshot of each
    /// device goes to the upstream.
    work: &'static str,
    /// Whose rows it goes through; null where it is those of all, or the provider's.
    #[schema(value_type = Option<String>)]
    organization: Option<OrgName>,
    /// How many rows were looked at.
    rows: u64,
    /// When it was asked for, by the log's clock.
    started: Timestamp,
}

/// How a destination is: a connector, and a peer of it where it knows several.
#[derive(Debug, Serialize, ToSchema)]
struct DestinationState {
    /// Connector and peer, `<connector>/<peer>`; the connector alone where it knows only one.
    destination: String,
    /// The connector's name.
    connector: String,
    /// The peer; none where the connector knows only one.
    peer: Option<String>,
    /// Whether there is such a connector; what waits for another one waits on.
    served: bool,
    /// How many reactions wait for it.
    reactions: u64,
    /// It is left alone until then, if it is.
    open_until: Option<Timestamp>,
    /// How it fails; null while it does not.
    failing: Option<FailingTold>,
}

/// How reactions are carried out.
#[derive(Debug, Serialize, ToSchema)]
struct Dispatch {
    /// How many destinations are served at the moment.
    tasks: usize,
    /// How many wait for that, or for their next moment.
    waiting: usize,
    /// How often one gave way to another since the start.
    displaced: u64,
}

/// How a lane is.
#[derive(Debug, Serialize, ToSchema)]
struct LaneState {
    /// Which lane.
    lane: u32,
    /// Whether it has been taken up.
    running: bool,
    /// Why it was sealed and rebuilt, if it was.
    sealed: Option<String>,
    /// Why it stands still, if it does; `/api/v1/lanes` tells more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    stopped: Option<String>,
    /// Sequence in IN of the last input applied.
    position: u64,
    /// The last sequence of the lane in IN; none when the log does not tell.
    end: Option<u64>,
    /// How far it is behind, in sequences of IN; none when the log does not tell.
    lag: Option<u64>,
    /// How far it is behind, in seconds; none when that is not known.
    lag_s: Option<f64>,
    /// The engine level it decides at.
    level: u32,
    /// The rule book it judges by.
    rule_book: Option<RuleBook>,
}

/// A rule book.
#[derive(Debug, Serialize, ToSchema)]
struct RuleBook {
    /// Counts up.
    version: u64,
    /// SHA-256 of its content, in hexadecimal.
    hash: String,
}

/// What waits for a destination.
#[derive(Debug, Serialize, ToSchema)]
struct Pending {
    /// Connector and peer.
    destination: String,
    /// How many reactions.
    reactions: u64,
}

/// A destination that fails.
#[derive(Debug, Serialize, ToSchema)]
struct Circuit {
    /// Connector and peer.
    destination: String,
    /// Failures in a row, in the lane that had most.
    failures: u32,
    /// It is left alone until then.
    open_until: Timestamp,
    /// The organization whose reactions alone are left; null: those of all.
    #[schema(value_type = Option<String>)]
    organization: Option<String>,
}

/// How far the lanes are, what waits for whom, and which destinations fail.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "engine",
    responses((status = 200, description = "How the engine is.", body = Status))
)]
pub(super) async fn status(State(sources): State<Arc<Sources>>, viewer: Viewer) -> Result<Response, Problem> {
    viewer.may("status", &Place::Provider)?;
    let seen = sources.gauges.look().await;
    let (lanes, standing, devices) = (Arc::clone(&sources.rows), Arc::clone(&sources.standing), seen.devices);
    let read = tokio::task::spawn_blocking(move || {
        let (licence, mut notices) = licence::state(&standing, &lanes, devices)?;
        notices.extend(quotas::notices(&lanes, Timestamp::now())?);
        Ok::<_, Error>((read(&lanes)?, (licence, notices)))
    });
    let read = read.await.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))?;
    let (Told { lanes, circuits, jobs, cursors }, (licence, mut notices)) = read;
    notices.extend(of_mode(sources.standing.mode, sources.admission.switched()));
    let doubts = (0_u32..).zip(&sources.lanes).filter_map(|(lane, status)| {
        let status = status.borrow();
        Some((lane, status.doubt?, super::clock::waits(&status)))
    });
    notices.extend(clock::notice(&doubts.collect::<Vec<_>>()));
    let lanes = lanes_of(&sources, &seen, lanes);
    let overview = sources.dispatch.borrow().clone();
    let destinations = destinations_of(&overview, &seen.pending, &circuits, sources.failing.all());
    let dispatch = Dispatch { tasks: overview.tasks, waiting: overview.waiting, displaced: overview.ended };
    let pending = seen.pending.iter();
    let pending = pending.map(|(destination, count)| Pending { destination: destination.clone(), reactions: *count });
    let faults: Vec<_> = sources.faults.borrow().iter().map(|fault| FaultTold::of(fault, true)).collect();
    let ready = *sources.ready.borrow() && faults.is_empty() && lanes.iter().all(|lane| lane.running);
    let pending = pending.collect();
    let mode = sources.standing.mode;
    let attention = Attention::of(&sources, &seen, Timestamp::now());
    let partner = sources.partner.clone();
    let upstream = sources.upstream.as_ref().map(|connector| UpstreamState {
        connector: connector.name(),
        certificate_ends: connector.certificate().and_then(|shown| shown.ends),
    });
    let verification = VerificationState::of(&sources.verification.overview());
    let sources = self::sources::states(&sources.sources.borrow(), cursors);
    let partner = partner.as_ref().map(|partner| PartnerState {
        listen: partner.address().to_string(),
        end_customers: partner.end_customers(),
        heard: partner.heard(),
        certificate_ends: partner.certificate().and_then(|shown| shown.ends),
    });
    let status = Status {
        ready,
        faults,
        mode,
        notices,
        attention,
        licence,
        lanes,
        pending,
        circuits,
        destinations,
        dispatch,
        jobs,
        sources,
        partner,
        upstream,
        verification,
    };
    Ok((StatusCode::OK, Json(status)).into_response())
}

/// What people should know of the mode that the engine was started with, and of that which the log was given since.
fn of_mode(mode: Mode, switched: Option<Mode>) -> Vec<String> {
    let idle = (!mode.sends()).then(|| format!("mode `{mode}` sends nothing: no connector but `log` works"));
    let switched = switched.filter(|switched| *switched != mode).map(|switched| {
        format!("the mode of the log is `{switched}`: start the engine again with `mode = \"{switched}\"` in its configuration")
    });
    idle.into_iter().chain(switched).collect()
}

/// All destinations that something waits for, those that are left alone, and those that fail.
fn destinations_of(
    overview: &Overview,
    pending: &BTreeMap<String, u64>,
    circuits: &[Circuit],
    mut failing: BTreeMap<String, Failed>,
) -> Vec<DestinationState> {
    let mut open: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for Circuit { destination, open_until, .. } in circuits {
        let known = open.entry(destination).or_insert(*open_until);
        *known = (*known).max(*open_until);
    }
    let waiting = pending.iter().filter(|(_, count)| **count > 0).map(|(destination, _)| destination.as_str());
    let names = waiting.chain(open.keys().copied()).map(str::to_owned);
    let names: BTreeSet<String> = names.chain(failing.keys().cloned()).collect();
    let states = names.into_iter().map(|name| {
        let failing = failing.remove(&name).map(FailingTold::of);
        let name = name.as_str();
        let (connector, peer) = name.split_once('/').map_or((name, None), |(connector, peer)| (connector, Some(peer)));
        DestinationState {
            destination: name.to_owned(),
            connector: connector.to_owned(),
            peer: peer.map(str::to_owned),
            served: overview.connectors.contains(&connector),
            reactions: pending.get(name).copied().unwrap_or_default(),
            open_until: open.get(name).copied(),
            failing,
        }
    });
    states.collect()
}

/// What the lanes' rows tell.
#[derive(Default)]
struct Told {
    /// By lane: the level it decides at, and the rule book it judges by.
    lanes: Vec<(u32, Option<RuleBook>)>,
    /// The open circuits.
    circuits: Vec<Circuit>,
    jobs: Vec<Job>,
    /// Where sources go on.
    cursors: BTreeMap<String, CursorRow>,
}

fn read(lanes: &[Lane]) -> Result<Told, Error> {
    let mut told = Told::default();
    let mut circuits: BTreeMap<(String, Option<String>), Circuit> = BTreeMap::new();
    for (lane, rows) in (0..).zip(lanes) {
        let level = position::read(rows)?.map_or(level::OLDEST, |position| position.level);
        let book = rule_book::read(rows)?.map(|row| RuleBook { version: row.version, hash: row.hash });
        told.lanes.push((level, book));
        for circuit in reactions::circuits(rows) {
            let reactions::Circuit { destination, org, row } = circuit?;
            let Some(until) = row.open_until else { continue };
            let key = (destination.clone(), org.clone());
            let circuit = Circuit { destination, failures: row.failures, open_until: until, organization: org };
            let known = circuits.entry(key).or_insert(circuit);
            known.failures = known.failures.max(row.failures);
            known.open_until = known.open_until.max(until);
        }
        for row in jobs::all(rows) {
            let (job, row) = row?;
            let organization = row.work.organization().cloned();
            let (work, rows, started) = (row.work.as_str(), row.done, row.started);
            told.jobs.push(Job { lane, job, work, organization, rows, started });
        }
    }
    // The first lane keeps them.
    if let Some(rows) = lanes.first() {
        told.cursors = cursors::all(rows).collect::<Result<_, _>>()?;
    }
    told.circuits = circuits.into_values().collect();
    told.jobs.sort_by_key(|job| job.started);
    Ok(told)
}

fn lanes_of(sources: &Sources, seen: &Seen, told: Vec<(u32, Option<RuleBook>)>) -> Vec<LaneState> {
    let lanes = (0..).zip(&sources.lanes).zip(&seen.ends).zip(told);
    let lanes = lanes.map(|(((lane, status), end), (level, rule_book))| {
        let status = status.borrow();
        let (_, seconds) = gauges::lag(&status, *end, Timestamp::now());
        LaneState {
            lane,
            running: status.is_running,
            sealed: status.sealed.clone(),
            stopped: status.stopped.as_deref().map(|stopped| stopped.why.clone()),
            position: status.position,
            end: *end,
            lag: end.map(|end| end.saturating_sub(status.position)),
            lag_s: Some(seconds).filter(|seconds| seconds.is_finite()),
            level,
            rule_book,
        }
    });
    lanes.collect()
}
