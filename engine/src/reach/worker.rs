//! One device: when it is looked at, and how it stands.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use linesman_connectors::device::files::{Files, Name};
use linesman_connectors::device::ssh::Connection;
use linesman_domain::reached::{ReachedRow, StandingRow};
use linesman_schemas::IncidentId;
use linesman_schemas::device::{DeviceFacts, DeviceStanding, DeviceState};
use linesman_schemas::outcome::Report;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::ahead::Ahead;
use super::breaking::Breaking;
use super::counted::Counted;
use super::spool::GOT_ON_LEAST;
use super::visit::Look;
use super::way::Trouble;
use super::{Device, Hands, Visited, Wake};

/// The longest time between two tries at a device that fails.
const REST_MOST: Duration = Duration::from_secs(600);
/// How long one look may take in all: it holds a place that others wait for. It goes on to the next file for as long as
/// `visit` says, and to the end of that one.
const WHOLE_MOST: Duration = Duration::from_secs(240);
/// How long a device may take to say what it is.
const FACTS_MOST: Duration = Duration::from_secs(60);
/// How soon a file is looked at again that was not seen before.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is said when a bundle was last collected.
const TOLD_EVERY_S: i64 = 60;

/// The work of one device.
pub(super) struct Worker {
    pub(super) hands: Arc<Hands>,
    pub(super) device: Device,
    wake: Arc<Wake>,
    /// The connection, and for which way.
    pub(super) open: Option<Open>,
    /// What was there when it was looked last.
    pub(super) seen: HashMap<Name, Seen>,
    /// What is read and removed together.
    pub(super) ahead: Ahead,
    /// Files that bundles name, and when they were tried last.
    pub(super) tried: HashMap<(IncidentId, u32), Instant>,
    failures: u32,
    counted: Counted,
    /// How it was reached when it was asked what it is.
    pub(super) asked: Option<ReachedRow>,
    /// When groups are to be read back from it.
    pub(super) compared: Instant,
    /// When a bundle was collected last, until that is told.
    collected: Option<Timestamp>,
    /// Files that broke the connection.
    pub(super) breaking: Breaking,
    /// How many bytes of files were kept on their way into the object store, ever.
    pub(super) spooled: u64,
}

/// A connection to a device.
pub(super) struct Open {
    pub(super) way: ReachedRow,
    pub(super) connection: Connection,
    pub(super) files: Files,
}

/// A file as it was seen last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) size: u64,
    pub(super) modified: i64,
    /// Since when it is so.
    pub(super) since: Instant,
    /// Whether it was read, and lacks its end.
    pub(super) is_incomplete: bool,
    /// When it was told of as no bundle. What the log does not keep of that goes on being too many.
    pub(super) refused: Option<Instant>,
}

impl Worker {
    pub(super) fn new(hands: Arc<Hands>, device: Device) -> Self {
        let wake = hands.wake(&device);
        let (seen, tried, ahead) = (HashMap::new(), HashMap::new(), Ahead::default());
        let compared = super::drift::first(&hands, &device);
        // Where it cannot be read that is told when it is looked at.
        let known = hands.standing(&device).ok().flatten();
        let counted = Counted::new(known.map_or(DeviceState::New, |known| known.state));
        let (breaking, collected) = (Breaking::default(), None);
        Self {
            hands,
            device,
            wake,
            open: None,
            seen,
            tried,
            ahead,
            failures: 0,
            counted,
            asked: None,
            compared,
            collected,
            breaking,
            spooled: 0,
        }
    }

    /// Looks at the device again and again, until it is told to end.
    pub(super) async fn run(mut self, mut end: watch::Receiver<bool>) -> Device {
        // Not all at once after a start.
        let mut wait = self.jittered(Duration::from_secs(1)).mul_f64(fraction(&self.device));
        loop {
            tokio::select! {
                _ = end.wait_for(|end| *end) => break,
                () = tokio::time::sleep(wait.min(self.until_compared().max(AGAIN))) => {}
                () = self.wake.asked.notified() => {}
            }
            wait = tokio::select! {
                wait = self.visit() => wait,
                _ = end.wait_for(|end| *end) => break,
            };
        }
        if let Some(Open { connection, .. }) = self.open.take() {
            connection.close().await;
        }
        self.device
    }

    /// Looks once; how long to wait then.
    async fn visit(&mut self) -> Duration {
        let row = match self.hands.row(&self.device) {
            Ok(Some(row)) => row,
            // Its task is about to be ended.
            Ok(None) => return AGAIN,
            Err(error) => {
                tracing::error!(device = self.device.name, %error, "how a device is reached cannot be read");
                return REST_MOST;
            }
        };
        let poll = Duration::from_secs(row.poll_s.into());
        let asked = Instant::now();
        let Some(_room) = self.hands.rooms.looks.enter(&self.device.org).await else { return REST_MOST };
        metrics::histogram!("linesman_device_visit_wait_seconds").record(asked.elapsed().as_secs_f64());
        let (begun, spooled) = (Instant::now(), self.spooled);
        self.wake.done.send_modify(|visited| visited.begun += 1);
        let mut look = Look::default();
        let ended = match timeout(WHOLE_MOST, self.look(&row, &mut look)).await {
            Ok(ended) => ended,
            Err(_) => {
                let words = format!("a look at it takes longer than {} s", WHOLE_MOST.as_secs());
                Err(Trouble { is_connected: false, ..Trouble::new(DeviceState::Unreachable, words) })
            }
        };
        metrics::counter!("linesman_device_visits_total").increment(1);
        metrics::histogram!("linesman_device_visit_seconds").record(begun.elapsed().as_secs_f64());
        let trouble = ended.err();
        if trouble.as_ref().is_some_and(|trouble| !trouble.is_connected) {
            self.breaking.broke(self.spooled - spooled >= GOT_ON_LEAST);
        }
        if trouble.is_none() {
            look.facts = timeout(FACTS_MOST, self.discover(&row)).await.ok().flatten();
        }
        if trouble.as_ref().is_some_and(|trouble| !trouble.is_connected) {
            self.open = None;
        }
        self.stand(trouble.as_ref(), &look).await;
        self.wake.done.send_modify(|visited| {
            let error = trouble.as_ref().map(|trouble| trouble.words.clone()).unwrap_or_default();
            let (taken, set_aside) = (visited.taken + look.taken, visited.set_aside + look.set_aside);
            *visited =
                Visited { begun: visited.begun, count: visited.begun, taken, set_aside, has_new: look.has_new, error };
        });
        self.compare_when_due().await;
        if let Some(trouble) = &trouble {
            metrics::counter!("linesman_device_failures_total", "state" => trouble.state.as_str()).increment(1);
        }
        // What is wrong with one file makes nothing else of the device wait.
        if trouble.is_none_or(|trouble| trouble.is_connected) {
            self.failures = 0;
            return if look.has_new { AGAIN.min(poll) } else { self.jittered(poll) };
        }
        self.failures = self.failures.saturating_add(1);
        self.jittered(rest(poll, self.failures))
    }

    /// Says how the device stands, where that is news.
    async fn stand(&mut self, trouble: Option<&Trouble>, look: &Look) {
        let state = trouble.map_or(DeviceState::Reachable, |trouble| trouble.state);
        self.counted.set(state);
        let now = Timestamp::now();
        if look.taken > 0 {
            self.collected = Some(now);
        }
        let Ok(known) = self.hands.standing(&self.device) else { return };
        let standing = DeviceStanding {
            device: self.device.name.clone(),
            state,
            error: trouble.map(|trouble| trouble.words.clone()).unwrap_or_default(),
            collected: self.collected,
            shown_host_key: trouble.and_then(|trouble| trouble.shown_host_key.clone()),
            facts: look.facts.clone(),
        };
        if !is_news(known.as_ref(), &standing, now) {
            return;
        }
        if is_news(known.as_ref(), &DeviceStanding { collected: None, facts: None, ..standing.clone() }, now) {
            let (state, error) = (state.as_str(), &standing.error);
            match trouble {
                Some(_) => {
                    tracing::warn!(organization = %self.device.org, device = self.device.name, state, error, "a device stands so")
                }
                None => {
                    tracing::info!(organization = %self.device.org, device = self.device.name, state, "a device stands so")
                }
            }
        }
        if self.hands.report(&self.device, &Report::DeviceStands(standing)).await {
            self.collected = None;
        }
    }

    /// A time, a tenth more or less.
    pub(super) fn jittered(&self, time: Duration) -> Duration {
        jittered(time, crate::data_dir::private::random::<2>().map_or(0, u16::from_be_bytes))
    }
}

/// A time, a tenth more or less as chance has it.
fn jittered(time: Duration, random: u16) -> Duration {
    time.mul_f64(0.9 + 0.2 * f64::from(random) / f64::from(u16::MAX))
}

/// How long a device is left alone that has failed so often in a row.
fn rest(poll: Duration, failures: u32) -> Duration {
    poll.saturating_mul(2_u32.saturating_pow(failures.min(10))).min(REST_MOST.max(poll))
}

/// A share of a second that is the device's own.
pub(super) fn fraction(device: &Device) -> f64 {
    let hash = device.name.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    f64::from(hash % 1_000) / 1_000.0
}

/// Whether a standing says more than is known, and it is time to say it.
fn is_news(known: Option<&StandingRow>, standing: &DeviceStanding, now: Timestamp) -> bool {
    let Some(known) = known else { return true };
    let is_later = |collected: Timestamp| {
        known.collected.is_none_or(|known| {
            collected > known && known.checked_add(TOLD_EVERY_S.seconds()).is_ok_and(|due| now >= due)
        })
    };
    known.state != standing.state
        || known.error != standing.error
        || known.shown_host_key != standing.shown_host_key
        || standing.collected.is_some_and(is_later)
        || standing.facts.as_ref().is_some_and(|facts| !has(known, facts))
}

fn has(known: &StandingRow, facts: &DeviceFacts) -> bool {
    known.facts == facts.clone().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_fails_is_left_alone_longer_and_longer_and_never_for_good() {
        let seconds = |poll: u64, failures: u32| rest(Duration::from_secs(poll), failures).as_secs();
        let rests = [1, 2, 3, 4, 5, 100, u32::MAX].map(|failures| seconds(30, failures));
        assert_eq!(rests, [60, 120, 240, 480, 600, 600, 600]);
        // One that is looked at less often than that is not looked at more often for failing.
        assert_eq!([1, 9].map(|failures| seconds(3_600, failures)), [3_600, 3_600]);
    }

    #[test]
    fn devices_of_one_schedule_are_not_all_looked_at_at_once() {
        let of = |random: u16| jittered(Duration::from_secs(100), random).as_secs_f64();
        assert!((of(0) - 90.0).abs() < 0.001 && (of(u16::MAX) - 110.0).abs() < 0.001);
        assert!((0..=u16::MAX).step_by(97).zip((97..=u16::MAX).step_by(97)).all(|(one, other)| of(one) < of(other)));
        let device = |name: &str| Device { org: "acme".parse().unwrap(), name: name.to_owned() };
        let shares: std::collections::BTreeSet<u64> =
            (0..100).map(|number| (fraction(&device(&format!("edge-{number}"))) * 1_000.0) as u64).collect();
        assert!(shares.len() > 50, "{shares:?}");
        assert_eq!(fraction(&device("edge-1")), fraction(&device("edge-1")));
    }

    #[test]
    fn when_a_bundle_was_collected_last_is_told_within_a_minute_of_what_was_told_before() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let standing = |collected| DeviceStanding {
            device: "r1".to_owned(),
            state: DeviceState::Reachable,
            error: String::new(),
            collected,
            shown_host_key: None,
            facts: None,
        };
        let known = StandingRow {
            state: DeviceState::Reachable,
            since: at(0),
            error: String::new(),
            collected: Some(at(1_000)),
            shown_host_key: None,
            facts: linesman_domain::reached::FactsRow::default(),
        };
        let is_news = |collected, now| is_news(Some(&known), &standing(collected), at(now));
        assert!(!is_news(Some(at(1_031)), 1_031), "it is told too often");
        assert!(is_news(Some(at(1_031)), 1_060), "it is told never");
        assert!(!is_news(None, 2_000) && !is_news(Some(at(1_000)), 2_000));
    }
}
