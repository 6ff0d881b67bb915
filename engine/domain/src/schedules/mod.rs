//! Whether a schedule enables an activation at a moment, and when that changes. Pure: a schedule, the data of time
//! zones in the program, and a moment of the log's clock.
//!
//! Nothing here is armed, stored or said. A room asks for the [`Standing`], keeps it in its row with the moment at which
//! it changes, and lets a timer fall due then.
//!
//! INVARIANT (computed once): what a row says of a schedule was computed on the input that wrote it, and is not
//! computed again before its timer falls due. So other data of time zones (see `zones`), which come with a new
//! level, hold from the next change on, and what was decided stays.
//!
//! INVARIANT (bounded work): no schedule and no moment takes more than [`OCCURRENCES_MOST`] steps.

#[cfg(test)]
mod tests;
mod zones;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use linesman_schemas::command::Fault;
use linesman_schemas::schedule::{ClockTime, Enabled, Repeat, Schedule};

/// Through how many occurrences that follow one another without a gap the end of the last is looked for; it is looked
/// again then. More than a year of days, so that a change of the clocks lies within.
pub const OCCURRENCES_MOST: i64 = 400;

/// A schedule in the moments of its time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    start: DateTime,
    repeat: Repeat,
    duration: SignedDuration,
    is_enabled_during: bool,
    /// From when on it is in effect.
    from: Timestamp,
    /// From when on no longer; none: it stays so.
    until: Option<Timestamp>,
    /// The first occurrence that takes place, counted from 0 at `start`.
    first: i64,
}

/// How a schedule stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether it enables the activation.
    pub is_enabled: bool,
    /// When it is to be asked again: the moment at which that changes. Where more than [`OCCURRENCES_MOST`] occurrences
    /// follow one another without a gap it is a moment before it, at which nothing changes. None: it never does.
    pub changes: Option<Timestamp>,
}

/// Whether an occurrence lasts at a moment.
struct Cover {
    is_covered: bool,
    /// When it no longer does, or the next one begins.
    until: Option<Timestamp>,
}

impl Calendar {
    /// What a schedule means; `pointer` is where it stands (RFC 6901).
    ///
    /// # Errors
    /// The schedule is beyond its bounds, its time zone is not known, or it enables nothing, ever.
    pub fn of(schedule: &Schedule, pointer: &str) -> Result<Self, Fault> {
        schedule.check(pointer)?;
        let zone = zones::zone(&schedule.time_zone)
            .map_err(|message| Fault { pointer: format!("{pointer}/time_zone"), message })?;
        let bound = |time: Option<ClockTime>| time.map(|time| zones::moment(&zone, time.get()));
        let (from, until) = (bound(schedule.start_by).unwrap_or(Timestamp::MIN), bound(schedule.end_by));
        let mut calendar = Self {
            start: schedule.start.get(),
            repeat: schedule.repeat,
            duration: SignedDuration::from_secs(i64::try_from(schedule.duration_s).unwrap_or(i64::MAX)),
            is_enabled_during: schedule.enabled == Enabled::During,
            from,
            until,
            first: 0,
            zone,
        };
        let before = from.checked_sub(SignedDuration::from_nanos(1)).ok();
        calendar.first = before.and_then(|before| calendar.last_begun(before)).map_or(0, |last| last + 1);
        match calendar.at(Timestamp::MIN) {
            Standing { is_enabled: false, changes: None } => Err(Fault {
                pointer: format!("{pointer}/start"),
                message: "leaves no time at which the activation is enabled".to_owned(),
            }),
            _ => Ok(calendar),
        }
    }

    /// How it stands at `moment`.
    pub fn at(&self, moment: Timestamp) -> Standing {
        if self.until.is_some_and(|until| moment >= until) {
            return Standing { is_enabled: false, changes: None };
        }
        let asked = moment.max(self.from);
        let cover = self.cover(asked);
        let is_enabled = cover.is_covered == self.is_enabled_during;
        if is_enabled && asked > moment {
            return Standing { is_enabled: false, changes: Some(asked) };
        }
        let is_within = |change: &Timestamp| self.until.is_none_or(|until| *change < until);
        let changes = match cover.until.filter(is_within) {
            // Behind the window it is not enabled.
            None if is_enabled => self.until,
            changes => changes,
        };
        Standing { is_enabled, changes }
    }

    /// Whether an occurrence lasts at `moment`, which is not before the window.
    fn cover(&self, moment: Timestamp) -> Cover {
        let Some(last) = self.last_begun(moment).filter(|last| *last >= self.first) else {
            return Cover { is_covered: false, until: self.begins(self.first) };
        };
        // All last equally long: where the last one that began is over, so are those before it.
        let Some(mut end) = self.ends(last).filter(|end| *end > moment) else {
            return Cover { is_covered: false, until: self.begins(last + 1) };
        };
        for next in last + 1..=last + OCCURRENCES_MOST {
            match self.begins(next) {
                Some(begin) if begin <= end => end = self.ends(next).unwrap_or(end),
                _ => break,
            }
        }
        Cover { is_covered: true, until: Some(end) }
    }

    /// The last occurrence that has begun by `moment`, from 0, whether it takes place or not.
    ///
    /// Occurrences begin in their order, since clocks that go back do not make one begin twice. So it lies near to
    /// the one that the clock's date at `moment` suggests: one more where clocks have gone back since, one less where
    /// the time of day is not reached, and one to spare.
    fn last_begun(&self, moment: Timestamp) -> Option<i64> {
        let (now, start) = (self.zone.to_datetime(moment).date(), self.start.date());
        let days = i64::from((now - start).get_days());
        let months = |date: jiff::civil::Date| i64::from(date.year()) * 12 + i64::from(date.month());
        let near = match self.repeat {
            Repeat::Once => 0,
            Repeat::Daily => days,
            Repeat::Weekly => days.div_euclid(7),
            Repeat::Monthly => months(now) - months(start),
        };
        let mut candidates = (near - 2..=near + 2).rev();
        candidates.find(|number| self.begins(*number).is_some_and(|begins| begins <= moment))
    }

    /// When an occurrence begins; none where there is none of that number.
    fn begins(&self, number: i64) -> Option<Timestamp> {
        let span = match self.repeat {
            _ if number < 0 => return None,
            Repeat::Once if number > 0 => return None,
            Repeat::Once => Span::new(),
            Repeat::Daily => Span::new().try_days(number).ok()?,
            Repeat::Weekly => Span::new().try_weeks(number).ok()?,
            // A month that is shorter takes its last day; the next one counts from `start` again.
            Repeat::Monthly => Span::new().try_months(number).ok()?,
        };
        self.start.checked_add(span).ok().map(|time| zones::moment(&self.zone, time))
    }

    /// When an occurrence ends.
    fn ends(&self, number: i64) -> Option<Timestamp> {
        Some(self.begins(number)?.checked_add(self.duration).unwrap_or(Timestamp::MAX))
    }
}
