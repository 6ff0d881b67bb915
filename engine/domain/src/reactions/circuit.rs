//! How destinations are: whether they are left alone for a while, and how many requests they had.
//!
//! ```text
//! x <destination>            what has failed since the destination has last answered
//! x <destination> LF <org>   the same of one organization's reactions, from engine level 13 on
//! ```
//!
//! From that level on failures are an organization's own first: what is wrong with its cases need not be wrong with the
//! destination. The tries of one reaction count once, so that one which fails alone waits alone; from the second reaction on
//! that fails, all count, and leave that organization's alone. Toward the destination reactions count once, and an
//! organization for half of what opens its circuit, so that it takes several to leave all alone.

use jiff::{Timestamp, ToSpan};
use linesman_schemas::outcome::Failure;
use serde::{Deserialize, Serialize};

use super::{PendingRow, order};
use crate::Error;
use crate::desk::Desk;
use crate::state::Base;
use crate::table::{Key, Row, Table};

/// The engine level from which on failures are an organization's own first.
const OWN: u32 = 13;
/// What stands between a destination and an organization.
const BETWEEN: char = '\n';

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

/// The key of the circuit of one organization's reactions.
pub fn own(destination: &str, org: &str) -> Key<CircuitRow> {
    CIRCUITS.key(&[], own_name(destination, org).as_bytes())
}

/// What an organization's reactions of a destination are called together.
pub(super) fn own_name(destination: &str, org: &str) -> String {
    format!("{destination}{BETWEEN}{org}")
}

/// The key of a destination's requests.
pub fn requests(destination: &str) -> Key<RequestsRow> {
    REQUESTS.key(&[], destination.as_bytes())
}

/// A circuit of a lane, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuit {
    /// The destination.
    pub destination: String,
    /// The organization whose reactions alone it is about; none: it is about all.
    pub org: Option<String>,
    /// How it stands.
    pub row: CircuitRow,
}

/// The circuits of a lane, by destination.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn circuits(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<Circuit, Error>> {
    CIRCUITS.rows(base, &[]).map(|read| {
        let (own, row) = read?;
        let name = String::from_utf8_lossy(&own);
        let (destination, org) = name.split_once(BETWEEN).map_or((&*name, None), |(name, org)| (name, Some(org)));
        Ok(Circuit { destination: destination.to_owned(), org: org.map(str::to_owned), row })
    })
}

fn of(desk: &Desk, destination: &str) -> Result<CircuitRow, Error> {
    Ok(desk.read(&circuit(destination))?.unwrap_or_default())
}

/// A destination has answered what an organization wanted.
pub(super) fn close(desk: &mut Desk, pending: &PendingRow) -> Result<(), Error> {
    let (destination, org) = (&*pending.destination, pending.queue());
    if desk.is_at(OWN) && desk.read(&own(destination, org))?.is_some() {
        desk.remove(own(destination, org));
        order::answered(desk, pending)?;
        desk.queue_changed(destination, org);
    }
    if of(desk, destination)? != CircuitRow::default() {
        desk.remove(circuit(destination));
        order::answered(desk, pending)?;
        desk.queue_changed(destination, "");
    }
    Ok(())
}

/// What strained reactions are kept under: from [`OWN`] on an organization's by themselves.
pub(super) fn kept_under(desk: &Desk, pending: &PendingRow) -> String {
    match desk.is_at(OWN) {
        true => own_name(&pending.destination, pending.queue()),
        false => pending.destination.clone(),
    }
}

/// Whether an organization's reactions of a destination are left alone, since they have failed again and again.
pub(super) fn is_open(desk: &Desk, pending: &PendingRow) -> Result<bool, Error> {
    let most = desk.settings.circuit_failures;
    let whole = of(desk, &pending.destination)?;
    if !desk.is_at(OWN) {
        return Ok(is_found_sick(&whole, most));
    }
    let own = desk.read(&own(&pending.destination, pending.queue()))?.unwrap_or_default();
    Ok(is_found_sick(&own, most) || is_found_sick(&whole, of_several(most)))
}

fn is_found_sick(row: &CircuitRow, most: u32) -> bool {
    row.open_until.is_some() && row.failures >= most
}

/// So many failures open the circuit of all: one organization has not so many toward it.
fn of_several(most: u32) -> u32 {
    most.max(2)
}

/// A destination has failed.
pub(super) fn strain(desk: &mut Desk, pending: &PendingRow, failure: &Failure) -> Result<(), Error> {
    let destination = &*pending.destination;
    let most = desk.settings.circuit_failures;
    let (most, counts) = match desk.is_at(OWN) {
        true => (of_several(most), strain_own(desk, pending, most)?),
        false => (most, true),
    };
    let mut row = of(desk, destination)?;
    let known = row.clone();
    if counts || is_found_sick(&row, most) {
        fail(desk, &mut row, most);
    }
    if let Some(asked_s) = failure.retry_after_s {
        let until = after(desk.now, asked_s.into());
        row.open_until = Some(row.open_until.map_or(until, |open| open.max(until)));
    }
    if row != known || !desk.is_at(OWN) {
        desk.write(circuit(destination), &row)?;
        desk.queue_changed(destination, "");
    }
    Ok(())
}

/// One more failure, and a longer rest where there are too many.
fn fail(desk: &Desk, row: &mut CircuitRow, most: u32) {
    row.failures = row.failures.saturating_add(1);
    let is_resting = row.open_until.is_some_and(|until| desk.now < until);
    if !is_resting && row.failures >= most {
        row.rest_s = match row.rest_s {
            0 => desk.settings.circuit_rest_s,
            last => last.saturating_mul(2).min(desk.settings.circuit_rest_most_s),
        };
        row.open_until = Some(after(desk.now, row.rest_s));
    }
}

/// An organization's reaction has failed; whether that counts toward the destination.
fn strain_own(desk: &mut Desk, pending: &PendingRow, most: u32) -> Result<bool, Error> {
    let (destination, org) = (&*pending.destination, pending.queue());
    let mut row = desk.read(&own(destination, org))?.unwrap_or_default();
    let is_probe = row.open_until.is_some();
    let is_another = pending.misses == 0;
    // One that fails alone waits alone.
    if is_probe || is_another || row.failures > 1 {
        fail(desk, &mut row, most);
        desk.write(own(destination, org), &row)?;
        desk.queue_changed(destination, org);
    }
    Ok(is_another && row.failures <= most.div_ceil(2))
}

/// A destination takes what it is sent, in parts. It is left alone for as long as it asks for.
pub(super) fn bear(desk: &mut Desk, pending: &PendingRow, failure: &Failure) -> Result<(), Error> {
    let Some(asked_s) = failure.retry_after_s else { return close(desk, pending) };
    let row = CircuitRow { open_until: Some(after(desk.now, asked_s.into())), ..CircuitRow::default() };
    desk.write(circuit(&pending.destination), &row)?;
    desk.queue_changed(&pending.destination, "");
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
