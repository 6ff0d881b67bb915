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
//! Server and engine are often one machine, so both may be wrong alike. From engine level 16 on what is ahead by more than [`FAR`]
//! is believed only by the steady clock, or once somebody has confirmed it: that is a
//! [`Control::ClockConfirmed`](linesman_schemas::control::Control::ClockConfirmed), by which its own time is believed.
//!
//! While the server's time is not the lane's, [`ClockRow`] stands: the clock goes on by what messages are apart, so what falls due
//! does so. A reading in its own turn is both clocks at one moment: it tells which is right.
//!
//! The clock never goes back: rows are told apart and ordered by it.
//!
//! INVARIANT (recorded): nothing here knows of any time but the log's.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::CommandId;
use linesman_schemas::Place;
use linesman_schemas::audit::Verdict;
use linesman_schemas::control::{ClockConfirmed, ClockReading};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Error;
use super::audit::Owner;
use super::audit::machine::{self, Deed};
use super::desk::Desk;
use super::input::{Content, Input};
use super::outgoing::Topic;
use super::position::Position;
use super::state::Base;
use super::table::{Key, Row, Table};

/// The engine level from which on times are doubted.
pub const LEVEL: u32 = 14;
/// The engine level from which on the engine's time of day does not confirm what is [`FAR`] ahead.
pub const FAR_LEVEL: u32 = 16;
/// How far ahead a time is that two wrong clocks of one machine may agree on, and that nobody's weekend explains: a week. A wrong
/// month or year is beyond it, a wrong hour or zone, which is gone again after twice as long, is not.
pub const FAR: SignedDuration = SignedDuration::from_hours(7 * 24);

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

impl Doubt {
    /// Whether nothing but the steady clock and people confirm the server's time, to a lane at a level.
    pub fn is_far(&self, level: u32) -> bool {
        level >= FAR_LEVEL && !self.is_slow && self.ahead > FAR
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    row: Option<ClockRow>,
    /// Readings that lie ahead in the log, by sequence.
    ahead: BTreeMap<u64, ClockReading>,
    /// Where the clock stood before the input at hand, where that has a time that somebody has confirmed.
    confirmed: Option<Timestamp>,
}

/// A lane's clock, and what stands beside it.
type Stand = (Timestamp, Option<ClockRow>);

impl Clock {
    pub(crate) fn open(base: &(impl Base + ?Sized)) -> Result<Self, Error> {
        Ok(Self { row: Table::read(base, &key())?, ..Self::default() })
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
        self.confirmed = is_confirmed(position, input, bound).then_some(now);
        if self.confirmed.is_some() {
            self.row = None;
            return input.time;
        }
        let bounds = Bounds { jump: bound, far: if position.level >= FAR_LEVEL { FAR } else { SignedDuration::MAX } };
        let own = own(input);
        // INVARIANT (recorded): one that happens to be known counts only where it is asked for.
        let reading = own.or_else(|| {
            let asks = is_jump((now, self.row), input.time, bound);
            asks.then(|| self.ahead.values().next().copied()).flatten()
        });
        let stand = go_on((now, self.row), input.time, reading.as_ref(), bounds);
        let stand = match &own {
            Some(own) => settle(stand, own, bounds),
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
        let position = &self.position;
        let is_known = || self.clock.ahead.range(input.sequence.saturating_add(1)..).next().is_some();
        let bound = bound(self.desk.settings.clock_jump_s);
        position.level >= LEVEL
            && is_jump((position.now, self.clock.row), input.time, bound)
            && own(input).is_none()
            && !is_confirmed(position, input, bound)
            && !is_known()
    }

    /// Tells the lane a reading that lies ahead in the log, and before which there is none that it has not been told.
    pub fn read_ahead(&mut self, sequence: u64, reading: ClockReading) {
        self.clock.ahead.insert(sequence, reading);
    }

    /// Puts on record that somebody has confirmed what time it is, and what came of it.
    pub(crate) fn record_clock(&mut self, confirmed: &ClockConfirmed) -> Result<(), Error> {
        let (desk, rule_book) = (&mut self.desk, self.books.row().version);
        let (verdict, was, words) = match self.clock.confirmed {
            Some(was) => (Verdict::Done, was, format!("the lane's clock was at {was}")),
            None => (Verdict::Conflict, desk.now, format!("the server's clock was not at {}", confirmed.time)),
        };
        let about = format!("lane {}", desk.lane);
        let id: CommandId = serde_json::from_value(json!(format!("confirm-clock-{}-{}", desk.lane, desk.sequence)))?;
        let deed = Deed {
            operation: "confirm-clock",
            by: confirmed.by.clone(),
            place: Place::Provider,
            about: about.clone(),
            node: confirmed.node.clone(),
            verdict,
            old: json!({"time": was}),
            new: json!({"time": desk.now}),
            words,
            id,
        };
        desk.tally.input("ctl", "clock");
        let owner = Owner::Provider(desk.lane);
        let said = machine::keep(desk, Some(&owner), deed, rule_book)?;
        let covered = Some(machine::covered(&said));
        let (topic, sequence) = (Topic::ProviderAudit("confirm-clock"), desk.sequence);
        desk.say_of_provider(&topic, sequence, Some(&about), said, covered).map(drop)
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

/// Whether somebody has confirmed the time that an input has, and it is not behind the lane's.
fn is_confirmed(position: &Position, input: &Input<'_>, bound: SignedDuration) -> bool {
    match &input.content {
        Content::ClockConfirmed(confirmed) if position.level >= FAR_LEVEL && input.time >= position.now => {
            input.time <= later(confirmed.time, bound) && confirmed.time <= later(input.time, bound)
        }
        _ => false,
    }
}

/// What is believed how.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Beyond that a reading has to confirm it.
    jump: SignedDuration,
    /// Beyond that a reading of the time of day does not.
    far: SignedDuration,
}

fn bound(jump_s: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(jump_s).unwrap_or(i64::MAX))
}

/// So much later; the last there is beyond that.
fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Whether a reading confirms a time, when the lane's clock is at `now`.
fn confirms(reading: Option<&ClockReading>, now: Timestamp, time: Timestamp, bounds: Bounds) -> bool {
    reading.is_none_or(|reading| {
        time <= later(reading.lane, bounds.jump)
            || time <= later(reading.at, bounds.jump) && time.duration_since(now.max(reading.lane)) <= bounds.far
    })
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
fn go_on((now, row): Stand, time: Timestamp, reading: Option<&ClockReading>, bounds: Bounds) -> Stand {
    let bound = bounds.jump;
    let is_jump = is_jump((now, row), time, bound);
    let confirms = |time| !is_jump || confirms(reading, now, time, bounds);
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
fn settle((now, row): Stand, reading: &ClockReading, bounds: Bounds) -> Stand {
    let Some(row) = row else { return (now, None) };
    if row.heard >= now {
        let is_so = row.heard <= later(reading.at, bounds.jump);
        let is_near = |time: Timestamp| time.duration_since(now.max(reading.lane)) <= bounds.far;
        return match is_so {
            true if is_near(row.heard) => (row.heard, None),
            // As far as both have come.
            false if is_near(reading.at) => (now.max(reading.at), Some(row)),
            _ => (now, Some(row)),
        };
    }
    // The lane's is ahead of the server's, or the server's behind.
    (now, Some(ClockRow { is_slow: now > later(reading.at, bounds.jump), ..row }))
}
