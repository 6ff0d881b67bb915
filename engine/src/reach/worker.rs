//! One device: when it is looked at, and how it stands.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use linesman_connectors::device::files::{Files, Name};
use linesman_connectors::device::ssh::Connection;
use linesman_domain::reached::{ReachedRow, StandingRow};
use linesman_schemas::IncidentId;
use linesman_schemas::device::{DeviceFacts, DeviceStanding, DeviceState, ERROR_MOST};
use linesman_schemas::outcome::Report;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::ahead::Ahead;
use super::breaking::Breaking;
use super::counted::Counted;
use super::facts::Asked;
use super::pace::{AGAIN, Pace};
use super::spool::GOT_ON_LEAST;
use super::turned::Begun;
use super::visit::Look;
use super::way::Trouble;
use super::{Device, Hands, Visited, Wake};

/// How long one look may take in all: it holds a place that others wait for. It goes on to the next file for as long as
/// `visit` says, and to the end of that one.
const WHOLE_MOST: Duration = Duration::from_secs(240);
/// How long a look at a device that is reached no more may take to its end.
const LEAVING_MOST: Duration = Duration::from_secs(30);
/// How long it is until a row is read again that could not be.
const UNREAD: Duration = Duration::from_secs(600);
/// How often it is said when a bundle was last collected, and what is wrong in other words than before.
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
    pace: Pace,
    counted: Counted,
    /// How it was reached when it was asked what it is, and when it is again.
    pub(super) asked: Option<Asked>,
    /// When groups are to be read back from it.
    pub(super) compared: Instant,
    /// When a bundle was collected last, until that is told.
    collected: Option<Timestamp>,
    /// When it was told last how it stands.
    told: Option<Timestamp>,
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

impl Open {
    /// What is asked over it was begun so.
    pub(super) fn begun(&self) -> Begun<'_> {
        Begun { row: &self.way, shown: Some(self.connection.host_key()) }
    }
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
        let (breaking, collected, told) = (Breaking::default(), None, None);
        Self {
            hands,
            device,
            wake,
            open: None,
            seen,
            tried,
            ahead,
            pace: Pace::default(),
            counted,
            asked: None,
            compared,
            collected,
            told,
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
                () = self.wake.asked.notified() => self.pace.asked(),
            }
            let (hands, device) = (Arc::clone(&self.hands), self.device.clone());
            let mut visit = pin!(self.visit());
            let visited = tokio::select! {
                wait = &mut visit => Some(wait),
                _ = end.wait_for(|end| *end) => None,
            };
            let Some(next) = visited else {
                // INVARIANT (nothing comes to two): what the log has goes from a device that is reached no more, which another
                // organization may reach next. The look sees that, and goes no further.
                if hands.is_gone(&device) {
                    let _ = timeout(LEAVING_MOST, visit).await;
                }
                break;
            };
            wait = next;
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
                return UNREAD;
            }
        };
        let poll = Duration::from_secs(row.poll_s.into());
        let mut look = Look::default();
        let Some(trouble) = self.look_in_turn(&row, &mut look).await else { return UNREAD };
        if self.open.is_some() && !self.is_turned(&row) {
            look.facts = self.discover(&row).await;
        }
        // What is found of whom it is not to be any more is told of nobody.
        let has_turned = self.has_turned(&row);
        match has_turned {
            Some(why) => {
                let (organization, device) = (&self.device.org, &self.device.name);
                tracing::info!(%organization, device, why, "a look at a device has ended before its end");
            }
            None => self.stand(trouble.as_ref(), &look).await,
        }
        let has_new = look.has_new || look.goes_on;
        self.wake.done.send_modify(|visited| {
            let error = trouble.as_ref().map(|trouble| trouble.words.clone()).unwrap_or_default();
            let (taken, set_aside) = (visited.taken + look.taken, visited.set_aside + look.set_aside);
            *visited = Visited { begun: visited.begun, count: visited.begun, taken, set_aside, has_new, error };
        });
        if has_turned.is_some() {
            return AGAIN;
        }
        self.compare_when_due().await;
        if let Some(trouble) = &trouble {
            metrics::counter!("linesman_device_failures_total", "state" => trouble.state.as_str()).increment(1);
        }
        // What is wrong with one file makes nothing else of the device wait.
        let wait = match trouble.is_none_or(|trouble| trouble.is_connected) {
            true => self.pace.after(&look, poll),
            false => self.pace.after_failure(poll),
        };
        if wait < poll { wait } else { self.jittered(wait) }
    }

    /// Looks once it is the device's turn, and gives its place back to others; what is wrong, and none where the turn never comes.
    async fn look_in_turn(&mut self, row: &ReachedRow, look: &mut Look) -> Option<Option<Trouble>> {
        let asked = Instant::now();
        let _room = self.hands.rooms.looks.enter(&self.device.org).await?;
        metrics::histogram!("linesman_device_visit_wait_seconds").record(asked.elapsed().as_secs_f64());
        let (begun, spooled) = (Instant::now(), self.spooled);
        self.wake.done.send_modify(|visited| visited.begun += 1);
        let ended = match timeout(WHOLE_MOST, self.look(row, look)).await {
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
            self.open = None;
        }
        Some(trouble)
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
            error: trouble.map(|trouble| cut(&trouble.words)).unwrap_or_default(),
            collected: self.collected,
            shown_host_key: trouble.and_then(|trouble| trouble.shown_host_key.clone()),
            facts: look.facts.clone(),
        };
        if !is_news(known.as_ref(), &standing, (self.told, now)) {
            return;
        }
        let alone = DeviceStanding { collected: None, facts: None, ..standing.clone() };
        if is_news(known.as_ref(), &alone, (self.told, now)) {
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
            (self.collected, self.told) = (None, Some(now));
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

/// A share of a second that is the device's own.
pub(super) fn fraction(device: &Device) -> f64 {
    let hash = device.name.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    f64::from(hash % 1_000) / 1_000.0
}

/// Words as they are kept.
fn cut(words: &str) -> String {
    words.chars().take(ERROR_MOST).collect()
}

/// Whether a standing says more than is known, and it is time to say it: another state at once, what may be another with each look
/// a while after what was `told` last.
fn is_news(
    known: Option<&StandingRow>,
    standing: &DeviceStanding,
    (told, now): (Option<Timestamp>, Timestamp),
) -> bool {
    let Some(known) = known else { return true };
    let is_later = |collected: Timestamp| {
        known.collected.is_none_or(|known| {
            collected > known && known.checked_add(TOLD_EVERY_S.seconds()).is_ok_and(|due| now >= due)
        })
    };
    // A clock that went back holds nothing up.
    let is_time = told.is_none_or(|told| now.duration_since(told).abs() >= SignedDuration::from_secs(TOLD_EVERY_S));
    let is_said_otherwise = known.error != standing.error || known.shown_host_key != standing.shown_host_key;
    known.state != standing.state
        || is_said_otherwise && is_time
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
        let is_news = |collected, now| is_news(Some(&known), &standing(collected), (Some(at(1_000)), at(now)));
        assert!(!is_news(Some(at(1_031)), 1_031), "it is told too often");
        assert!(is_news(Some(at(1_031)), 1_060), "it is told never");
        assert!(!is_news(None, 2_000) && !is_news(Some(at(1_000)), 2_000));
    }
    #[test]
    fn what_is_wrong_is_told_in_other_words_once_a_minute_and_another_state_at_once() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let standing = |state, error: &str| DeviceStanding {
            device: "r1".to_owned(),
            state,
            error: error.to_owned(),
            collected: None,
            shown_host_key: None,
            facts: None,
        };
        let known = StandingRow {
            state: DeviceState::Garbled,
            since: at(0),
            error: "one".to_owned(),
            collected: None,
            shown_host_key: None,
            facts: linesman_domain::reached::FactsRow::default(),
        };
        let is_news = |state, error, told: Option<i64>, now| {
            super::is_news(Some(&known), &standing(state, error), (told.map(at), at(now)))
        };
        assert!(!is_news(DeviceState::Garbled, "other", Some(1_000), 1_059), "it is told too often");
        assert!(is_news(DeviceState::Garbled, "other", Some(1_000), 1_060), "it is told never");
        assert!(is_news(DeviceState::Garbled, "other", Some(2_000), 1_000), "a clock that went back holds it up");
        assert!(is_news(DeviceState::Garbled, "other", None, 1_000), "the first one after a start waits");
        assert!(!is_news(DeviceState::Garbled, "one", Some(1_000), 9_000), "what is known is told");
        assert!(is_news(DeviceState::Reachable, "", Some(1_000), 1_001), "another state waits");
    }
}
