//! The gauges that have to be looked up: lag by lane, pending reactions and circuits by destination,
//! the connection to the log, the process.
//!
//! They are looked up when somebody asks for metrics, and not at every such time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::{Instant, timeout};

use crate::lane::status::{LaneStatus, Unread};
use crate::licence::Standing;
use crate::log::streams;
use crate::metrics::process;
use crate::serve::Fault;
use crate::store::Lane;
use linesman_domain::census::Census;
use linesman_domain::{Error, devices, letters, reactions};
use linesman_schemas::ReactionId;
use linesman_schemas::dead_letter::Reason;

/// How old what is known of the log's end may be.
const END_EVERY: Duration = Duration::from_secs(2);
/// How long the log may take to tell it.
const END_TIMEOUT: Duration = Duration::from_secs(2);
/// How old the count of pending reactions may be.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// The least share of the time that is not spent counting: when there are many, they are counted less often.
const REST_SHARE: u32 = 10;

/// Looks the gauges up.
pub(super) struct Gauges {
    client: Client,
    lanes: Vec<watch::Receiver<LaneStatus>>,
    rows: Arc<[Lane]>,
    unread: watch::Receiver<Unread>,
    ready: watch::Receiver<bool>,
    faults: watch::Receiver<Vec<Fault>>,
    standing: Arc<Standing>,
    /// The data directory.
    folder: PathBuf,
    /// How long OUT keeps what it says.
    out_age: Duration,
    seen: Mutex<Seen>,
}

/// What was seen last, and when it is worth looking again; none: now.
#[derive(Default)]
pub(super) struct Seen {
    /// The last sequence of each lane in IN; none where the log did not tell.
    pub(super) ends: Vec<Option<u64>>,
    /// The last sequence of IN; none where the log did not tell.
    end: Option<u64>,
    /// How large IN and OUT are, in bytes; none where the log did not tell.
    bytes: [Option<u64>; 2],
    look_at: Option<Instant>,
    /// By destination. Those that were once there stay, with 0.
    pub(super) pending: BTreeMap<String, u64>,
    /// When the oldest of each was decided, polls and what is held excepted.
    oldest: BTreeMap<String, Timestamp>,
    circuits: BTreeMap<String, u64>,
    /// Dead letters that were not replayed, by why.
    pub(super) unreplayed: BTreeMap<Reason, u64>,
    /// How many devices there are; none where nothing bounds them, and none are counted.
    pub(super) devices: Option<u64>,
    count_at: Option<Instant>,
}

impl Gauges {
    pub(super) fn new(
        client: Client,
        lanes: Vec<watch::Receiver<LaneStatus>>,
        rows: Arc<[Lane]>,
        unread: watch::Receiver<Unread>,
        (ready, faults): (watch::Receiver<bool>, watch::Receiver<Vec<Fault>>),
        (standing, folder, out_age): (Arc<Standing>, PathBuf, Duration),
    ) -> Self {
        Self { client, lanes, rows, unread, ready, faults, standing, folder, out_age, seen: Mutex::default() }
    }

    /// Sets the gauges. What cannot be looked up is unknown (NaN), not old.
    pub(super) async fn refresh(&self) {
        let seen = self.look().await;
        process::observe();
        let is_connected = self.client.connection_state() == State::Connected;
        metrics::gauge!("linesman_nats_connected").set(f64::from(u8::from(is_connected)));
        let is_ready = *self.ready.borrow() && self.faults.borrow().is_empty();
        metrics::gauge!("linesman_ready").set(f64::from(u8::from(is_ready)));
        for ((lane, status), end) in (0_u32..).zip(&self.lanes).zip(&seen.ends) {
            let (is_running, position) = (status.borrow().is_running, status.borrow().position);
            metrics::gauge!("linesman_lane_position", "lane" => lane.to_string()).set(position as f64);
            metrics::gauge!("linesman_lane_running", "lane" => lane.to_string()).set(f64::from(u8::from(is_running)));
            let (lag, age) = lag(&status.borrow(), *end, Timestamp::now());
            metrics::gauge!("linesman_lane_lag_sequences", "lane" => lane.to_string()).set(lag);
            metrics::gauge!("linesman_lane_age_seconds", "lane" => lane.to_string()).set(age);
            let ahead = status.borrow().doubt.map_or(0.0, |doubt| doubt.ahead.as_secs_f64());
            metrics::gauge!("linesman_lane_clock_ahead_seconds", "lane" => lane.to_string()).set(ahead);
        }
        for (connector, count) in by_connector(&seen.pending) {
            metrics::gauge!("linesman_pending_reactions", "destination" => connector).set(count as f64);
        }
        let now = Timestamp::now();
        let mut oldest: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for (destination, decided) in &seen.oldest {
            let known = oldest.entry(connector_of(destination)).or_insert(*decided);
            *known = (*known).min(*decided);
        }
        for destination in by_connector(&seen.pending).into_keys() {
            let age = oldest.get(&*destination).map_or(0.0, |decided| now.duration_since(*decided).as_secs_f64());
            metrics::gauge!("linesman_oldest_pending_seconds", "destination" => destination).set(age.max(0.0));
        }
        for (connector, count) in by_connector(&seen.circuits) {
            metrics::gauge!("linesman_circuits_open", "destination" => connector).set(count as f64);
        }
        for reason in Reason::ALL {
            let count = seen.unreplayed.get(&reason).copied().unwrap_or_default();
            metrics::gauge!("linesman_dead_letters_unreplayed", "reason" => reason.as_str()).set(count as f64);
        }
        self.refresh_accounts(seen.end);
        self.refresh_room(seen.bytes);
        self.refresh_census();
        self.refresh_licence(seen.devices);
    }

    /// Sets what became of the messages that IN has acknowledged since the start.
    fn refresh_accounts(&self, end: Option<u64>) {
        let unread = *self.unread.borrow();
        let decided: u64 = self.lanes.iter().map(|status| status.borrow().decided).sum();
        let taken = end.map(|end| end.saturating_sub(unread.since));
        let left = taken.map(|taken| taken.saturating_sub(decided + unread.set_aside) as f64);
        metrics::gauge!("linesman_in_acknowledged_messages").set(taken.map_or(f64::NAN, |taken| taken as f64));
        metrics::gauge!("linesman_in_decided_messages").set(decided as f64);
        metrics::gauge!("linesman_in_set_aside_messages").set(unread.set_aside as f64);
        metrics::gauge!("linesman_in_unaccounted_messages").set(left.unwrap_or(f64::NAN));
    }

    /// Sets how large the log is, and how much room there is.
    fn refresh_room(&self, bytes: [Option<u64>; 2]) {
        let known = |bytes: Option<u64>| bytes.map_or(f64::NAN, |bytes| bytes as f64);
        for (stream, bytes) in [streams::IN, streams::OUT].into_iter().zip(bytes) {
            metrics::gauge!("linesman_log_bytes", "stream" => stream).set(known(bytes));
        }
        let disk = rustix::fs::statvfs(&self.folder).ok();
        let free = disk.as_ref().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        metrics::gauge!("linesman_disk_free_bytes").set(known(free));
        let size = disk.as_ref().map(|disk| disk.f_blocks.saturating_mul(disk.f_frsize));
        metrics::gauge!("linesman_disk_size_bytes").set(known(size));
    }

    /// Sets how incidents and cases stand: the store keeps count.
    fn refresh_census(&self) {
        let census = self.rows.iter().fold(Census::default(), |sum, lane| sum.and(&lane.census()));
        for (priority, count) in census.open() {
            metrics::gauge!("linesman_open_incidents", "priority" => priority.as_str()).set(count as f64);
        }
        for (state, count) in census.cases() {
            metrics::gauge!("linesman_cases", "state" => state.as_str()).set(count as f64);
        }
    }

    /// Sets what is measured of the licence; without one it is unknown.
    fn refresh_licence(&self, devices: Option<u64>) {
        let now = Timestamp::now();
        let over = self.standing.terms(now).devices.zip(devices).map(|(most, devices)| devices.saturating_sub(most));
        metrics::gauge!("linesman_licence_devices_over").set(over.map_or(f64::NAN, |over| over as f64));
        let left = self.standing.ends().map(|(_, end)| end.duration_since(now).as_secs_f64());
        metrics::gauge!("linesman_licence_left_seconds").set(left.unwrap_or(f64::NAN));
    }

    /// What is known, after looking up what is too old.
    pub(super) async fn look(&self) -> MutexGuard<'_, Seen> {
        let mut seen = self.seen.lock().await;
        if seen.look_at.is_none_or(|at| at <= Instant::now()) {
            (seen.ends, seen.end, seen.bytes) = self.ends().await;
            seen.look_at = Some(Instant::now() + END_EVERY);
        }
        if seen.count_at.is_none_or(|at| at <= Instant::now()) {
            self.count(&mut seen).await;
        }
        seen
    }

    /// The last sequence of each lane in IN, and of IN; and how large IN and OUT are.
    async fn ends(&self) -> (Vec<Option<u64>>, Option<u64>, [Option<u64>; 2]) {
        let unknown = || (vec![None; self.lanes.len()], None, [None; 2]);
        if self.client.connection_state() != State::Connected {
            return unknown();
        }
        let asked = (0_u32..).zip(&self.lanes).map(|(lane, _)| streams::last_of_lane(&self.client, lane));
        let extents = [streams::IN, streams::OUT].map(|stream| streams::extent(&self.client, stream));
        let asked = async { tokio::join!(join_all(asked), join_all(extents)) };
        match timeout(END_TIMEOUT, asked).await {
            Ok((ends, extents)) => {
                let mut extents = extents.into_iter().map(Result::ok);
                let (input, output) = (extents.next().flatten(), extents.next().flatten());
                let bytes = [&input, &output].map(|extent| extent.as_ref().map(|extent| extent.bytes));
                (ends.into_iter().map(Result::ok).collect(), input.map(|extent| extent.last), bytes)
            }
            Err(_) => unknown(),
        }
    }

    /// Counts pending reactions anew.
    async fn count(&self, seen: &mut Seen) {
        let began = Instant::now();
        let rows = Arc::clone(&self.rows);
        let is_bounded = self.standing.terms(Timestamp::now()).devices.is_some();
        let since = Timestamp::now().checked_sub(self.out_age).unwrap_or(Timestamp::UNIX_EPOCH);
        let counted = tokio::task::spawn_blocking(move || {
            let devices = is_bounded.then(|| devices::count(&rows)).transpose()?;
            let (pending, oldest) = pending(&rows)?;
            Ok::<_, Error>((pending, oldest, circuits(&rows)?, devices, unreplayed(&rows, since)?))
        });
        let counted = counted.await;
        for count in seen.pending.values_mut().chain(seen.circuits.values_mut()) {
            *count = 0;
        }
        match counted {
            Ok(Ok((pending, oldest, circuits, devices, unreplayed))) => {
                (seen.devices, seen.oldest, seen.unreplayed) = (devices, oldest, unreplayed);
                // A destination that has never failed has no circuit to read.
                seen.circuits.extend(pending.keys().map(|destination| (destination.clone(), 0)));
                seen.pending.extend(pending);
                seen.circuits.extend(circuits);
            }
            Ok(Err(error)) => tracing::error!(%error, "pending reactions cannot be counted"),
            Err(error) => tracing::error!(%error, "pending reactions cannot be counted"),
        }
        let took = began.elapsed();
        seen.count_at = Some(Instant::now() + COUNT_EVERY.max(took * REST_SHARE));
    }
}

/// Counts of destinations, added up by connector: the names of peers are from outside, and no label's values.
fn by_connector(counts: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (destination, count) in counts {
        *sums.entry(connector_of(destination).to_owned()).or_default() += count;
    }
    sums
}

/// The connector of a destination.
fn connector_of(destination: &str) -> &str {
    destination.split_once('/').map_or(destination, |(connector, _)| connector)
}

/// What there is of each destination.
type ByDestination<T> = BTreeMap<String, T>;

/// How many reactions are pending at each destination, none where it is only polled, and when the oldest was decided that is waited for.
fn pending(lanes: &[Lane]) -> Result<(ByDestination<u64>, ByDestination<Timestamp>), Error> {
    let (mut counts, mut oldest) = (BTreeMap::new(), BTreeMap::<String, Timestamp>::new());
    for lane in lanes {
        for row in reactions::all(lane) {
            let (id, row) = match row {
                Ok(found) => found,
                // One that is damaged is the dispatcher's to tell; the others count.
                Err(Error::Row { .. }) => continue,
                Err(error) => return Err(error),
            };
            // Polls alone are tried for ever: they are always there, and no reactions.
            let is_poll = row.deadline == Timestamp::MAX;
            let is_waited_for = !is_poll && !row.is_held;
            if let Some(decided) = id.parse::<ReactionId>().ok().and_then(|id| id.decided()).filter(|_| is_waited_for) {
                let known = oldest.entry(row.destination.clone()).or_insert(decided);
                *known = (*known).min(decided);
            }
            *counts.entry(row.destination).or_default() += u64::from(!is_poll);
        }
    }
    Ok((counts, oldest))
}

/// In how many lanes each destination's circuit is open.
fn circuits(lanes: &[Lane]) -> Result<BTreeMap<String, u64>, Error> {
    let mut counts = BTreeMap::new();
    for lane in lanes {
        let mut open: BTreeMap<String, bool> = BTreeMap::new();
        for circuit in reactions::circuits(lane) {
            let reactions::Circuit { destination, row, .. } = circuit?;
            *open.entry(destination).or_default() |= row.open_until.is_some();
        }
        for (destination, is_open) in open {
            *counts.entry(destination).or_default() += u64::from(is_open);
        }
    }
    Ok(counts)
}

/// How many dead letters were said since and not replayed, by why.
fn unreplayed(lanes: &[Lane], since: Timestamp) -> Result<BTreeMap<Reason, u64>, Error> {
    let mut sums = BTreeMap::new();
    for lane in lanes {
        for (reason, count) in letters::unreplayed(lane, since)? {
            *sums.entry(reason).or_default() += count;
        }
    }
    Ok(sums)
}

/// How far a lane is behind its `end`: in sequences, and in seconds.
pub(super) fn lag(status: &LaneStatus, end: Option<u64>, now: Timestamp) -> (f64, f64) {
    match end.map(|end| end.saturating_sub(status.position)) {
        None => (f64::NAN, f64::NAN),
        Some(0) => (0.0, 0.0),
        // Nothing was applied yet: there is no time to reckon from.
        Some(behind) if status.position == 0 => (behind as f64, f64::NAN),
        Some(behind) => (behind as f64, now.duration_since(status.now).as_secs_f64().max(0.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_zero_when_caught_up_and_unknown_when_nobody_tells() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let status = LaneStatus { is_running: true, position: 40, now: at(100), ..LaneStatus::default() };
        assert_eq!(lag(&status, Some(40), at(130)), (0.0, 0.0));
        // Looked up before the lane went on.
        assert_eq!(lag(&status, Some(30), at(130)), (0.0, 0.0));
        assert_eq!(lag(&status, Some(45), at(130)), (5.0, 30.0));
        // The server's clock may be ahead of ours.
        assert_eq!(lag(&status, Some(45), at(99)), (5.0, 0.0));
        let (behind, age) = lag(&LaneStatus::default(), Some(45), at(130));
        assert!((behind - 45.0).abs() < f64::EPSILON && age.is_nan());
        let (behind, age) = lag(&status, None, at(130));
        assert!(behind.is_nan() && age.is_nan());
    }
}
