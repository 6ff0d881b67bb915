//! One device: when it is looked at, and how it stands.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use linesman_connectors::device::files::{Files, Name};
use linesman_connectors::device::ssh::Connection;
use linesman_domain::reached::{ReachedRow, StandingRow};
use linesman_schemas::device::{DeviceFacts, DeviceStanding, DeviceState};
use linesman_schemas::outcome::Report;
use tokio::sync::watch;
use tokio::time::Instant;

use super::visit::Look;
use super::way::Trouble;
use super::{Device, Hands, Visited, Wake};

/// The longest time between two tries at a device that fails.
const REST_MOST: Duration = Duration::from_secs(600);
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
    failures: u32,
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
    /// Whether it was reported as no bundle. Where that is not kept there are too many of them.
    pub(super) is_refused: bool,
}

impl Worker {
    pub(super) fn new(hands: Arc<Hands>, device: Device) -> Self {
        let wake = hands.wake(&device);
        Self { hands, device, wake, open: None, seen: HashMap::new(), failures: 0 }
    }

    /// Looks at the device again and again, until it is told to end.
    pub(super) async fn run(mut self, mut end: watch::Receiver<bool>) -> Device {
        // Not all at once after a start.
        let mut wait = self.jittered(Duration::from_secs(1)).mul_f64(fraction(&self.device));
        loop {
            tokio::select! {
                _ = end.wait_for(|end| *end) => break,
                () = tokio::time::sleep(wait) => {}
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
        let hands = Arc::clone(&self.hands);
        let room = hands.room(&self.device.org);
        let (Ok(_one), Ok(_all)) = (room.acquire().await, hands.all.acquire().await) else { return REST_MOST };
        let begun = Instant::now();
        let mut look = Look::default();
        let ended = self.look(&row, &mut look).await;
        metrics::counter!("linesman_device_visits_total").increment(1);
        metrics::histogram!("linesman_device_visit_seconds").record(begun.elapsed().as_secs_f64());
        let trouble = ended.err();
        if trouble.as_ref().is_some_and(|trouble| !trouble.is_connected) {
            self.open = None;
        }
        self.stand(trouble.as_ref(), &look).await;
        self.wake.done.send_modify(|visited| {
            let error = trouble.as_ref().map(|trouble| trouble.words.clone()).unwrap_or_default();
            *visited = Visited { count: visited.count + 1, taken: look.taken, set_aside: look.set_aside, error };
        });
        let Some(trouble) = trouble else {
            self.failures = 0;
            return if look.has_new { AGAIN.min(poll) } else { self.jittered(poll) };
        };
        metrics::counter!("linesman_device_failures_total", "state" => trouble.state.as_str()).increment(1);
        self.failures = self.failures.saturating_add(1);
        let rest = poll.saturating_mul(2_u32.saturating_pow(self.failures.min(10)));
        self.jittered(rest.min(REST_MOST.max(poll)))
    }

    /// Says how the device stands, where that is news.
    async fn stand(&mut self, trouble: Option<&Trouble>, look: &Look) {
        let Ok(known) = self.hands.standing(&self.device) else { return };
        let state = trouble.map_or(DeviceState::Reachable, |trouble| trouble.state);
        let collected = (look.taken > 0).then(Timestamp::now);
        let standing = DeviceStanding {
            device: self.device.name.clone(),
            state,
            error: trouble.map(|trouble| trouble.words.clone()).unwrap_or_default(),
            collected,
            shown_host_key: trouble.and_then(|trouble| trouble.shown_host_key.clone()),
            facts: look.facts.clone(),
        };
        if !is_news(known.as_ref(), &standing) {
            return;
        }
        if is_news(known.as_ref(), &DeviceStanding { collected: None, facts: None, ..standing.clone() }) {
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
        self.hands.report(&self.device, &Report::DeviceStands(standing)).await;
    }

    /// A time, a tenth more or less.
    fn jittered(&self, time: Duration) -> Duration {
        let random = crate::data_dir::private::random::<2>().map_or(0, u16::from_be_bytes);
        time.mul_f64(0.9 + 0.2 * f64::from(random) / f64::from(u16::MAX))
    }
}

/// A share of a second that is the device's own.
fn fraction(device: &Device) -> f64 {
    let hash = device.name.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    f64::from(hash % 1_000) / 1_000.0
}

/// Whether a standing says more than is known.
fn is_news(known: Option<&StandingRow>, standing: &DeviceStanding) -> bool {
    let Some(known) = known else { return true };
    let is_later = |collected: Timestamp| {
        known.collected.is_none_or(|known| known.checked_add(TOLD_EVERY_S.seconds()).is_ok_and(|due| collected >= due))
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
