//! How destinations are: whether they are left alone for a while, and how many requests they had.

use jiff::{Timestamp, ToSpan};
use linesman_schemas::outcome::Failure;
use serde::{Deserialize, Serialize};

use super::order;
use crate::Error;
use crate::desk::Desk;
use crate::state::Base;
use crate::table::{Key, Row, Table};

/// For how many minutes requests are counted.
const WINDOW_MINUTES: i64 = 60;

/// A destination that fails is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CircuitRow {
    /// Failures in a row.
    pub failures: u32,
    /// Left alone until then; while it is set, one attempt at a time probes.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub open_until: Option<Timestamp>,
    /// How long the last rest was, in seconds.
    pub rest_s: u64,
}

/// How many requests a destination had, by minute of log time, for the last hour.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RequestsRow {
    /// Minutes since the epoch and requests, oldest first, at most 61.
    pub minutes: Vec<(i64, u32)>,
}

impl Row for CircuitRow {}
impl Row for RequestsRow {}

/// The table of circuits.
pub const CIRCUITS: Table<CircuitRow> = Table::new(b'x');
/// The table of requests.
pub const REQUESTS: Table<RequestsRow> = Table::new(b'u');

/// The key of a destination's circuit.
pub fn circuit(destination: &str) -> Key<CircuitRow> {
    CIRCUITS.key(&[], destination.as_bytes())
}

/// The key of a destination's requests.
pub fn requests(destination: &str) -> Key<RequestsRow> {
    REQUESTS.key(&[], destination.as_bytes())
}

/// The circuits of a lane, by destination.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn circuits(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<(String, CircuitRow), Error>> {
    CIRCUITS.rows(base, &[]).map(|row| row.map(|(own, row)| (String::from_utf8_lossy(&own).into_owned(), row)))
}

fn of(desk: &Desk, destination: &str) -> Result<CircuitRow, Error> {
    Ok(desk.read(&circuit(destination))?.unwrap_or_default())
}

/// A destination has answered.
pub(super) fn close(desk: &mut Desk, destination: &str) -> Result<(), Error> {
    if of(desk, destination)? != CircuitRow::default() {
        desk.remove(circuit(destination));
        order::answered(desk, destination)?;
        desk.queue_changed(destination, "");
    }
    Ok(())
}

/// Whether a destination is left alone, since it has failed again and again.
pub(super) fn is_open(desk: &Desk, destination: &str) -> Result<bool, Error> {
    let row = of(desk, destination)?;
    Ok(row.open_until.is_some() && row.failures >= desk.settings.circuit_failures)
}

/// A destination has failed.
pub(super) fn strain(desk: &mut Desk, destination: &str, failure: &Failure) -> Result<(), Error> {
    let now = desk.now;
    let mut row = of(desk, destination)?;
    row.failures = row.failures.saturating_add(1);
    let is_resting = row.open_until.is_some_and(|until| now < until);
    if !is_resting && row.failures >= desk.settings.circuit_failures {
        row.rest_s = match row.rest_s {
            0 => desk.settings.circuit_rest_s,
            last => last.saturating_mul(2).min(desk.settings.circuit_rest_most_s),
        };
        row.open_until = Some(after(now, row.rest_s));
    }
    if let Some(asked_s) = failure.retry_after_s {
        let until = after(now, asked_s.into());
        row.open_until = Some(row.open_until.map_or(until, |open| open.max(until)));
    }
    desk.write(circuit(destination), &row)?;
    desk.queue_changed(destination, "");
    Ok(())
}

/// A destination takes what it is sent, in parts. It is left alone for as long as it asks for.
pub(super) fn bear(desk: &mut Desk, destination: &str, failure: &Failure) -> Result<(), Error> {
    let Some(asked_s) = failure.retry_after_s else { return close(desk, destination) };
    let row = CircuitRow { open_until: Some(after(desk.now, asked_s.into())), ..CircuitRow::default() };
    desk.write(circuit(destination), &row)?;
    desk.queue_changed(destination, "");
    Ok(())
}

/// A destination has had requests.
pub(super) fn count(desk: &mut Desk, destination: &str, count: u32) -> Result<(), Error> {
    if count == 0 {
        return Ok(());
    }
    let key = requests(destination);
    let mut row = desk.read(&key)?.unwrap_or_default();
    let minute = desk.now.as_second() / 60;
    match row.minutes.last_mut() {
        Some((last, so_far)) if *last == minute => *so_far = so_far.saturating_add(count),
        _ => row.minutes.push((minute, count)),
    }
    row.minutes.retain(|(at, _)| *at > minute - WINDOW_MINUTES);
    desk.write(key, &row)
}

/// `at` and so many seconds; the end of time where that lies beyond it.
pub(crate) fn after(at: Timestamp, seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).min(100 * 366 * 86_400);
    at.checked_add(seconds.seconds()).unwrap_or(Timestamp::MAX)
}
