//! The lane's clock: what time it is by the log, and what of a message's time is believed.
//!
//! ```text
//!                within the bound           the clock is the message's time
//!  a message's   ahead by more: a jump      as far as the first reading behind it in the log confirms; else it goes on
//!  time          behind by more             it goes on at half its pace, until the server has come up to it
//! ```
//!
//! A reading, [`Control::Clock`](linesman_schemas::control::Control::Clock), is what the engine's clocks say: the time of day, and
//! what has passed on the steady one. The engine finds it in the log, or writes it there, before the message counts: so an hour
//! of silence is confirmed before anything is decided by it, and whoever decides the log again finds the same one. A log that has
//! none, as one of before, is believed.
//!
//! While the server's time is not the lane's, [`ClockRow`] stands: the clock goes on by what messages are apart, so what falls due
//! does so. A reading in its own turn is both clocks at one moment: it tells which is right.
//!
//! The clock never goes back: rows are told apart and ordered by it.
//!
//! INVARIANT (recorded): nothing here knows of any time but the log's.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::control::ClockReading;
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::input::{Content, Input};
use super::position::Position;
use super::state::Base;
use super::table::{Key, Row, Table};

/// The engine level from which on times are doubted.
pub const LEVEL: u32 = 14;

/// What stands while the server's time is not the lane's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRow {
    /// The server's time, of the last input.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub heard: Timestamp,
    /// Since when, by the lane's clock.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub since: Timestamp,
    /// Whether the lane's was ahead: then it goes on at half its pace.
    pub is_slow: bool,
}

impl Row for ClockRow {}

/// The table of the one row.
pub const CLOCK: Table<ClockRow> = Table::new(b'"');

/// The row's key.
pub fn key() -> Key<ClockRow> {
    CLOCK.key(&[], &[])
}

/// How the server's time and the lane's clock are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// How far the server's time is ahead of the lane's clock; less than nothing where it is behind.
    pub ahead: SignedDuration,
    /// Since when, by the lane's clock.
    pub since: Timestamp,
    /// Whether the lane's clock was ahead and goes on at half its pace, until the server's time has come up to it.
    pub is_slow: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    row: Option<ClockRow>,
    /// Readings that lie ahead in the log, by sequence.
    ahead: BTreeMap<u64, ClockReading>,
}

/// A lane's clock, and what stands beside it.
type Stand = (Timestamp, Option<ClockRow>);

impl Clock {
    pub(crate) fn open(base: &(impl Base + ?Sized)) -> Result<Self, Error> {
        Ok(Self { row: Table::read(base, &key())?, ahead: BTreeMap::new() })
    }

    pub(crate) fn row(&self) -> Option<ClockRow> {
        self.row
    }

    pub(crate) fn doubt(&self, now: Timestamp) -> Option<Doubt> {
        let ClockRow { heard, since, is_slow } = self.row?;
        Some(Doubt { ahead: heard.duration_since(now), since, is_slow })
    }

    /// Moves the clock on to an input: what time it is then.
    pub(crate) fn hear(&mut self, position: &Position, input: &Input<'_>, jump_s: u64) -> Timestamp {
        while self.ahead.first_key_value().is_some_and(|(sequence, _)| *sequence <= input.sequence) {
            self.ahead.pop_first();
        }
        let (now, bound) = (position.now, bound(jump_s));
        if position.level < LEVEL {
            return now.max(input.time);
        }
        let own = own(input);
        // INVARIANT (recorded): one that happens to be known counts only where it is asked for.
        let reading = own.or_else(|| {
            let asks = is_jump((now, self.row), input.time, bound);
            asks.then(|| self.ahead.values().next().copied()).flatten()
        });
        let stand = go_on((now, self.row), input.time, reading.as_ref(), bound);
        let stand = match &own {
            Some(own) => settle(stand, own, bound),
            None => stand,
        };
        self.row = stand.1;
        stand.0
    }

    /// Writes the row where it is no more as it stood.
    pub(crate) fn write(&self, desk: &mut Desk, stood: Option<ClockRow>) -> Result<(), Error> {
        match self.row {
            row if row == stood => Ok(()),
            Some(row) => desk.write(key(), &row),
            None => {
                desk.remove(key());
                Ok(())
            }
        }
    }
}

impl super::Domain {
    /// Whether the lane has to be told the first reading behind an input in the log before it decides the input.
    pub fn asks_time(&self, input: &Input<'_>) -> bool {
        let Position { level, now, .. } = self.position;
        let is_known = || self.clock.ahead.range(input.sequence.saturating_add(1)..).next().is_some();
        level >= LEVEL
            && is_jump((now, self.clock.row), input.time, bound(self.desk.settings.clock_jump_s))
            && own(input).is_none()
            && !is_known()
    }

    /// Tells the lane a reading that lies ahead in the log, and before which there is none that it has not been told.
    pub fn read_ahead(&mut self, sequence: u64, reading: ClockReading) {
        self.clock.ahead.insert(sequence, reading);
    }

    /// How the server's time and the lane's clock are apart, where they are.
    pub fn doubt(&self) -> Option<Doubt> {
        self.clock.doubt(self.position.now)
    }

    /// Whether readings of the engine's clocks say anything to the lane.
    pub fn reads_clocks(&self) -> bool {
        self.position.level >= LEVEL
    }
}

/// The reading that an input is.
fn own(input: &Input<'_>) -> Option<ClockReading> {
    match input.content {
        Content::Clock(reading) => Some(reading),
        _ => None,
    }
}

fn bound(jump_s: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(jump_s).unwrap_or(i64::MAX))
}

/// So much later; the last there is beyond that.
fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Whether two clocks say about the same of a time that one of them says.
fn confirms(reading: Option<&ClockReading>, time: Timestamp, bound: SignedDuration) -> bool {
    reading.is_none_or(|reading| time <= later(reading.at.max(reading.lane), bound))
}

/// Whether a message's time is one that nothing but a reading confirms.
fn is_jump((now, row): Stand, time: Timestamp, bound: SignedDuration) -> bool {
    match row {
        // Nothing was heard before.
        None if now == Timestamp::UNIX_EPOCH => false,
        None => time > later(now, bound),
        Some(_) if time >= now && time <= later(now, bound) => false,
        // On by as much, or back and still ahead.
        Some(row) => {
            let passed = time.duration_since(row.heard);
            passed > bound || time > now && passed < -bound
        }
    }
}

/// The clock behind a message of a time.
fn go_on((now, row): Stand, time: Timestamp, reading: Option<&ClockReading>, bound: SignedDuration) -> Stand {
    let is_jump = is_jump((now, row), time, bound);
    let confirms = |time| !is_jump || confirms(reading, time, bound);
    // What has passed is known at least, by the steady clock.
    let at_most = |to: Timestamp| reading.map_or(to, |reading| to.min(reading.lane)).max(now);
    let Some(row) = row else {
        return match confirms(time) {
            false => {
                let to = at_most(time);
                (to, Some(ClockRow { heard: time, since: to, is_slow: false }))
            }
            true if later(time, bound) < now => (now, Some(ClockRow { heard: time, since: now, is_slow: true })),
            true => (now.max(time), None),
        };
    };
    let is_with_it = if time >= now { is_jump || time <= later(now, bound) } else { false };
    if is_with_it && confirms(time) || time < now && !row.is_slow && later(time, bound) >= now {
        return (now.max(time), None);
    }
    let passed = time.duration_since(row.heard).max(SignedDuration::ZERO);
    let to = later(now, passed);
    let to = if confirms(to) { to } else { at_most(to) };
    // It came back from ahead, and below the lane's.
    let is_slow = row.is_slow || row.heard > now && later(time, bound) < now;
    let to = if is_slow { later(now, to.duration_since(now) / 2) } else { to };
    (to, Some(ClockRow { heard: time, is_slow, ..row }))
}

/// What a reading says in its own turn, when it is what both clocks say at one moment.
fn settle((now, row): Stand, reading: &ClockReading, bound: SignedDuration) -> Stand {
    let Some(row) = row else { return (now, None) };
    if row.heard >= now {
        return match row.heard <= later(reading.at, bound) {
            true => (row.heard, None),
            // As far as both have come.
            false => (now.max(reading.at), Some(row)),
        };
    }
    // The lane's is ahead of the server's, or the server's behind.
    (now, Some(ClockRow { is_slow: now > later(reading.at, bound), ..row }))
}
