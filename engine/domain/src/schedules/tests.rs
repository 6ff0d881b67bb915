//! Schedules at their edges, and against a model that walks through the minutes.

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use linesman_schemas::schedule::{ClockTime, Enabled, Repeat, Schedule};
use proptest::prelude::*;

use super::{Calendar, OCCURRENCES_MOST, Standing, zones};

/// A schedule from its fields but the bounds: `start zone repeat hours`.
fn schedule(text: &str) -> Schedule {
    let fields: Vec<_> = text.split(' ').collect();
    let hours: u64 = fields[3].parse().unwrap();
    Schedule {
        start: fields[0].parse().unwrap(),
        duration_s: hours * 3600,
        repeat: serde_json::from_value(fields[2].into()).unwrap(),
        time_zone: fields[1].parse().unwrap(),
        enabled: Enabled::During,
        start_by: None,
        end_by: None,
    }
}

/// The next `most` changes from a moment on: `+` where it becomes enabled, `-` where it ceases to be.
fn changes(schedule: &Schedule, from: &str, most: usize) -> Vec<String> {
    let calendar = Calendar::of(schedule, "").unwrap();
    let mut standing = calendar.at(from.parse().unwrap());
    let mut changes = Vec::new();
    while let (Some(at), true) = (standing.changes, changes.len() < most) {
        standing = calendar.at(at);
        changes.push(format!("{}{at}", if standing.is_enabled { '+' } else { '-' }));
    }
    changes
}

#[test]
fn a_time_that_clocks_leave_out_is_when_they_go_on() {
    let daily = schedule("2026-03-28T02:30:00 Europe/Berlin daily 1");
    assert_eq!(
        changes(&daily, "2026-03-28T12:00:00Z", 4),
        ["+2026-03-29T01:00:00Z", "-2026-03-29T02:00:00Z", "+2026-03-30T00:30:00Z", "-2026-03-30T01:30:00Z"]
    );
    // Half an hour on an island.
    let daily = schedule("2026-10-03T02:15:00 Australia/Lord_Howe daily 1");
    assert_eq!(changes(&daily, "2026-10-03T12:00:00Z", 1), ["+2026-10-03T15:30:00Z"]);
    // A whole day of the calendar: the one that would begin on it begins when the next day does.
    let daily = schedule("2011-12-29T09:00:00 Pacific/Apia daily 1");
    assert_eq!(
        changes(&daily, "2011-12-30T00:00:00Z", 4),
        ["+2011-12-30T10:00:00Z", "-2011-12-30T11:00:00Z", "+2011-12-30T19:00:00Z", "-2011-12-30T20:00:00Z"]
    );
}

#[test]
fn a_time_that_clocks_show_twice_is_the_first() {
    let daily = schedule("2026-10-24T02:30:00 Europe/Berlin daily 1");
    assert_eq!(
        changes(&daily, "2026-10-24T12:00:00Z", 3),
        ["+2026-10-25T00:30:00Z", "-2026-10-25T01:30:00Z", "+2026-10-26T01:30:00Z"]
    );
    // While it is shown again, it has begun.
    let calendar = Calendar::of(&schedule("2026-10-25T02:30:00 Europe/Berlin once 1"), "").unwrap();
    assert!(calendar.at("2026-10-25T01:10:00Z".parse().unwrap()).is_enabled);
}

#[test]
fn a_duration_is_time_that_passes() {
    let weekly = schedule("2026-03-22T00:00:00 America/New_York weekly 24");
    assert_eq!(
        changes(&weekly, "2026-10-28T00:00:00Z", 2),
        ["+2026-11-01T04:00:00Z", "-2026-11-02T04:00:00Z"],
        "an hour before midnight, since this day has 25"
    );
}

#[test]
fn a_month_that_is_shorter_takes_its_last_day() {
    let monthly = schedule("2027-12-31T12:00:00 UTC monthly 1");
    let begins: Vec<_> = changes(&monthly, "2027-12-01T00:00:00Z", 10).into_iter().step_by(2).collect();
    assert_eq!(
        begins,
        ["+2027-12-31", "+2028-01-31", "+2028-02-29", "+2028-03-31", "+2028-04-30"]
            .map(|day| format!("{day}T12:00:00Z"))
    );
    let leap = schedule("2028-02-29T12:00:00 UTC monthly 1");
    assert_eq!(changes(&leap, "2029-02-01T00:00:00Z", 1), ["+2029-02-28T12:00:00Z"]);
    assert_eq!(changes(&leap, "2029-03-01T00:00:00Z", 1), ["+2029-03-29T12:00:00Z"]);
}

#[test]
fn the_window_bounds_what_takes_place() {
    let mut daily = schedule("2026-05-01T22:00:00 UTC daily 4");
    daily.start_by = Some("2026-05-03T23:00:00".parse().unwrap());
    daily.end_by = Some("2026-05-05T23:00:00".parse().unwrap());
    // The occurrence of the 3rd would begin before; the one of the 5th is cut.
    let during = ["+2026-05-04T22:00:00Z", "-2026-05-05T02:00:00Z", "+2026-05-05T22:00:00Z", "-2026-05-05T23:00:00Z"];
    assert_eq!(changes(&daily, "2026-01-01T00:00:00Z", 9), during);
    daily.enabled = Enabled::Outside;
    let outside = ["+2026-05-03T23:00:00Z", "-2026-05-04T22:00:00Z", "+2026-05-05T02:00:00Z", "-2026-05-05T22:00:00Z"];
    assert_eq!(changes(&daily, "2026-01-01T00:00:00Z", 9), outside);
    // Without a window it is enabled before the first occurrence and behind the last.
    let mut once = schedule("2026-05-01T22:00:00 UTC once 4");
    once.enabled = Enabled::Outside;
    let calendar = Calendar::of(&once, "").unwrap();
    let first = "2026-05-01T22:00:00Z".parse().unwrap();
    assert_eq!(calendar.at(Timestamp::UNIX_EPOCH), Standing { is_enabled: true, changes: Some(first) });
    assert_eq!(calendar.at(Timestamp::MAX), Standing { is_enabled: true, changes: None });
}

#[test]
fn a_schedule_that_enables_nothing_is_refused() {
    let refused = |schedule: &Schedule| Calendar::of(schedule, "/schedule").unwrap_err().to_string();
    let mut never = schedule("2026-05-01T22:00:00 UTC monthly 4");
    never.start_by = Some("2026-05-02T00:00:00".parse().unwrap());
    never.end_by = Some("2026-05-03T00:00:00".parse().unwrap());
    assert_eq!(refused(&never), "`schedule/start` leaves no time at which the activation is enabled");
    let atlantis = schedule("2026-05-01T22:00:00 Europe/Atlantis once 4");
    assert_eq!(refused(&atlantis), "`schedule/time_zone` is no time zone that is known (such as `Europe/Berlin`)");
    let empty = schedule("2026-05-01T22:00:00 UTC once 0");
    assert_eq!(refused(&empty), "`schedule/duration_s` is not between 1 and 3155760000 seconds");
}

#[test]
fn what_never_ends_is_looked_at_again_after_bounded_work() {
    let daily = schedule("2026-01-01T00:00:00 UTC daily 24");
    let calendar = Calendar::of(&daily, "").unwrap();
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let again = start + SignedDuration::from_hours(24 * (OCCURRENCES_MOST + 1));
    assert_eq!(calendar.at(start), Standing { is_enabled: true, changes: Some(again) });
    assert!(calendar.at(again).is_enabled);
    // A year of the zone's clock has a day of 25 hours: there is the gap.
    let berlin = schedule("2026-01-01T00:00:00 Europe/Berlin daily 24");
    assert_eq!(changes(&berlin, "2026-01-01T00:00:00Z", 2), ["-2026-10-25T22:00:00Z", "+2026-10-25T23:00:00Z"]);
    // A hundred years, and the ends of time.
    for repeat in [Repeat::Once, Repeat::Daily, Repeat::Weekly, Repeat::Monthly] {
        for start in ["1970-01-01T00:00:00", "2999-12-31T23:59:59"] {
            let mut long = schedule("2026-01-01T00:00:00 Pacific/Apia daily 876600");
            (long.repeat, long.start) = (repeat, start.parse().unwrap());
            let calendar = Calendar::of(&long, "").unwrap();
            for moment in [Timestamp::MIN, Timestamp::MAX, "2999-12-31T23:59:59Z".parse().unwrap()] {
                let changes = calendar.at(moment).changes;
                assert!(changes.is_none_or(|changes| changes > moment), "{repeat:?} {start} {moment}");
            }
        }
    }
}

/// Minutes of the model's walk.
const MINUTES: i64 = 70 * 24 * 60;

/// What a schedule enables in each minute from `begin` on: the text of [`Schedule`] done by hand, by somebody who looks at
/// the clock once a minute.
fn model(schedule: &Schedule, begin: Timestamp) -> Vec<bool> {
    let zone = zones::zone(&schedule.time_zone).unwrap();
    let start = schedule.start.get();
    let is_day = |date: Date| match schedule.repeat {
        Repeat::Once => date == start.date(),
        Repeat::Daily => true,
        Repeat::Weekly => date.weekday() == start.weekday(),
        Repeat::Monthly => date.day() == start.day().min(date.days_in_month()),
    };
    let days = std::iter::successors(Some(start.date()), |date| date.tomorrow().ok()).take(366);
    let mut due = days.filter(|date| is_day(*date)).map(|date| date.to_datetime(start.time())).peekable();
    let (mut until, mut is_open, mut is_over) = (-1, schedule.start_by.is_none(), false);
    let shows = |clock: DateTime, time: Option<ClockTime>| time.is_some_and(|time| clock >= time.get());
    let mut enabled = Vec::new();
    for minute in 0..MINUTES {
        let clock = zone.to_datetime(begin + SignedDuration::from_mins(minute));
        is_open |= shows(clock, schedule.start_by);
        is_over |= shows(clock, schedule.end_by);
        while due.next_if(|time| clock >= *time).is_some() {
            if is_open && !is_over {
                until = until.max(minute + i64::try_from(schedule.duration_s).unwrap() / 60);
            }
        }
        enabled.push(is_open && !is_over && (minute < until) == (schedule.enabled == Enabled::During));
    }
    enabled
}

/// Days before changes of clocks.
const DAYS: [&str; 8] =
    ["2026-02-20", "2026-03-10", "2026-10-10", "2026-09-20", "2027-12-20", "2011-12-20", "2012-01-25", "2026-06-15"];
const ZONES: [&str; 6] =
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "UTC"];

prop_compose! {
    fn any_schedule()(
        day in proptest::sample::select(&DAYS),
        zone in proptest::sample::select(&ZONES),
        repeat in proptest::sample::select(&[Repeat::Once, Repeat::Daily, Repeat::Weekly, Repeat::Monthly]),
        is_during in any::<bool>(),
        start_min in (0..20_i64, prop_oneof![0..1440_i64, 60..240_i64]),
        duration_min in prop_oneof![1..300_u64, 1380..1560_u64, 1..20_000_u64],
        start_by in proptest::option::of(-5_000..40_000_i64),
        length in proptest::option::of(1..60_000_i64),
    ) -> (Schedule, Timestamp) {
        let day: Date = day.parse().unwrap();
        let base = day.at(0, 0, 0, 0);
        let clock = |minutes: i64| (base + SignedDuration::from_mins(minutes)).to_string().parse().unwrap();
        let start = start_min.0 * 1440 + start_min.1;
        let start_by = start_by.filter(|start_by| repeat != Repeat::Once || *start_by <= start);
        let end_by = length.map(|length| start.max(start_by.unwrap_or(start)) + length);
        let schedule = Schedule {
            start: clock(start),
            duration_s: duration_min * 60,
            repeat,
            time_zone: zone.parse().unwrap(),
            enabled: if is_during { Enabled::During } else { Enabled::Outside },
            start_by: start_by.map(clock),
            end_by: end_by.map(clock),
        };
        // Before all that is said, in every zone.
        let begin = Offset::UTC.to_timestamp(base).unwrap() - SignedDuration::from_hours(5 * 24);
        (schedule, begin)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_calendar_is_what_clocks_show_minute_by_minute((schedule, begin) in any_schedule()) {
        let expected = model(&schedule, begin);
        let Ok(calendar) = Calendar::of(&schedule, "") else {
            prop_assert!(!expected.contains(&true));
            return Ok(());
        };
        let moment = |minute: usize| begin + SignedDuration::from_mins(i64::try_from(minute).unwrap());
        // From change to change there is one standing, and what is said of its end is when it ends.
        let mut at = 0;
        while at < expected.len() {
            let standing = calendar.at(moment(at));
            let ends = (at..expected.len()).find(|minute| expected[*minute] != standing.is_enabled);
            prop_assert_ne!(ends, Some(at), "{}", moment(at));
            match (ends, standing.changes) {
                (Some(ends), changes) => prop_assert_eq!(changes, Some(moment(ends))),
                (None, Some(changes)) => prop_assert!(changes >= moment(expected.len()), "{}", changes),
                (None, None) => {}
            }
            at = ends.unwrap_or(expected.len());
        }
        // And it is the same in the middle of each.
        for minute in (0..expected.len()).step_by(997) {
            prop_assert_eq!(calendar.at(moment(minute)).is_enabled, expected[minute], "{}", moment(minute));
        }
    }
}
