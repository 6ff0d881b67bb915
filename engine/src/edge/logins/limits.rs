//! For how long somebody who has logged in is let in.

use jiff::{SignedDuration, Timestamp};
use linesman_connectors::settings::{Entry, Key, Section, Shape};

use crate::config::{LONG_S, seconds};

/// Its keys.
#[rustfmt::skip]
pub(crate) static SECTION: Section = Section {
    name: "api",
    shape: Shape::Always,
    doc: "The HTTPS API: for how long somebody who has logged in is let in.",
    keys: &[
        Key::new("session_idle_s", seconds(LONG_S), "How long a session may go unused, in seconds.").or("43200"),
        Key::new("session_absolute_s", seconds(LONG_S), "How long a session lasts however much it is used, in seconds.").or("2592000"),
    ],
};

/// The longest time between two notes in the log that something was used.
const NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How much later a note may reach the log than it is due.
const LATE: SignedDuration = SignedDuration::from_secs(10);

/// For how long a session is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may go unused.
    idle: SignedDuration,
    /// How long it lasts however much it is used.
    absolute: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { idle: SignedDuration::from_hours(12), absolute: SignedDuration::from_hours(30 * 24) }
    }
}

impl Limits {
    /// What a table of `SECTION` says; none where a key that is needed has no value.
    pub fn read(entry: &Entry) -> Option<Self> {
        let time = |key| entry.number::<i64>(key).map(SignedDuration::from_secs);
        Some(Self { idle: time("session_idle_s")?, absolute: time("session_absolute_s")? })
    }

    /// When a session ends that begins now.
    pub(super) fn end(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.absolute).unwrap_or(Timestamp::MAX)
    }

    /// How long it lasts at most, in seconds.
    pub(super) fn absolute_s(&self) -> u64 {
        self.absolute.as_secs().unsigned_abs()
    }

    /// Whether a session is good that ends at `expires` and was last used at `used`.
    pub(super) fn is_good(&self, expires: Timestamp, used: Timestamp, now: Timestamp) -> bool {
        now < expires && now.duration_since(used) < self.idle
    }

    /// How often it is noted that something was used.
    pub(super) fn noted_every(&self) -> SignedDuration {
        NOTED_EVERY.min(self.idle / 2)
    }

    /// When a session may have been used last of which no more is known than what was `noted`: a program that ended as it
    /// should not has forgotten what was not due yet.
    pub(super) fn used_at_most(&self, noted: Timestamp, now: Timestamp) -> Timestamp {
        let latest = noted.checked_add(self.noted_every()).and_then(|due| due.checked_add(LATE));
        latest.map_or(now, |latest| latest.min(now)).max(noted)
    }
}

impl Limits {
    /// Of so many seconds.
    pub fn of(idle_s: i64, absolute_s: i64) -> Self {
        Self { idle: SignedDuration::from_secs(idle_s), absolute: SignedDuration::from_secs(absolute_s) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_session_ends_unused_or_at_its_end() {
        let limits = Limits::of(100, 1000);
        let end = limits.end(at(0));
        for (used, now, expected) in
            [(0, 99, true), (0, 100, false), (950, 999, true), (999, 1000, false), (500, 400, true)]
        {
            assert_eq!(limits.is_good(end, at(used), at(now)), expected, "used at {used}, now {now}");
        }
        assert_eq!(limits.noted_every(), SignedDuration::from_secs(50));
        assert_eq!(Limits::of(43_200, 1).noted_every(), SignedDuration::from_hours(1));
        for (noted, now, expected) in [(0, 500, 60), (0, 30, 30), (500, 400, 500)] {
            assert_eq!(limits.used_at_most(at(noted), at(now)), at(expected), "noted at {noted}, now {now}");
        }
    }
}
