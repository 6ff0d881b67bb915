//! Which access lines are rehearsed before something is taken in: all of a place that has few; of one that has many the
//! first, those where something stands that tells them from others, and two of each device that has several. What lines
//! are told comes of their path, so that most of them come to the same; what two set on one device shows at two of it.

use std::collections::BTreeSet;
use std::ops::Bound;

use linesman_schemas::{Place, PlacePath};

use super::{ACTIVATIONS, CUTS};
use crate::Error;
use crate::places::{self, Ties};
use crate::state::Base;
use crate::subscriptions::SUBSCRIPTIONS;
use crate::table::{Row, Table};
use crate::values::VALUES;

/// How many lines are rehearsed, the first ones.
pub(crate) const FIRST_MOST: usize = 200;
/// How many more that something tells from others.
const APART_MOST: usize = 100;
/// How many more that share devices.
const SHARED_MOST: usize = 100;
/// How many rows of each kind are looked at for them.
const ROWS_MOST: usize = 1_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    /// The lines.
    pub(crate) lines: Vec<PlacePath>,
    /// Whether these are all.
    pub(crate) is_all: bool,
}

impl Sample {
    /// The first lines of a place.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub(crate) fn first(base: &(impl Base + ?Sized), place: &Place) -> Result<Self, Error> {
        let (lines, is_all) = places::lines_of(base, place, FIRST_MOST)?;
        Ok(Self { lines, is_all })
    }

    /// The first lines of a place, and those that are told apart.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub(crate) fn of(base: &(impl Base + ?Sized), ties: &mut Ties, place: &Place) -> Result<Self, Error> {
        let Self { mut lines, is_all } = Self::first(base, place)?;
        let Some(org) = place.organization().filter(|_| !is_all) else { return Ok(Self { lines, is_all }) };
        let known: BTreeSet<PlacePath> = lines.iter().cloned().collect();
        let mut places = BTreeSet::new();
        told_apart(base, &VALUES, place, &mut places)?;
        told_apart(base, &SUBSCRIPTIONS, place, &mut places)?;
        told_apart(base, &ACTIVATIONS, place, &mut places)?;
        told_apart(base, &CUTS, place, &mut places)?;
        let mut more = BTreeSet::new();
        for place in places {
            if more.len() >= APART_MOST {
                break;
            }
            let (first, _) = places::lines_of(base, &place, 1)?;
            more.extend(first.into_iter().filter(|line| !known.contains(line)));
        }
        let most = more.len() + SHARED_MOST;
        ties.shared(base, org, place, |two| {
            more.extend(two.iter().filter(|line| !known.contains(*line)).cloned());
            more.len() < most
        })?;
        lines.extend(more);
        Ok(Self { lines, is_all })
    }

    /// With those of another place.
    pub(crate) fn join(&mut self, other: Self) {
        let known: BTreeSet<PlacePath> = self.lines.iter().cloned().collect();
        self.lines.extend(other.lines.into_iter().filter(|line| !known.contains(line)));
        self.is_all &= other.is_all;
    }
}

/// The places below one where rows of a table stand, of the first so many rows.
fn told_apart<R: Row>(
    base: &(impl Base + ?Sized),
    table: &Table<R>,
    place: &Place,
    found: &mut BTreeSet<Place>,
) -> Result<(), Error> {
    let Some(org) = place.organization() else { return Ok(()) };
    let front = match place {
        Place::Below(path) => table.prefix(&[org.as_str()], format!("{}/", places::within(path)).as_bytes()),
        Place::Organization(_) | Place::Provider => table.prefix(&[org.as_str()], &[]),
    };
    let stretch = base.stretch(Bound::Included(&front), &front, ROWS_MOST)?;
    found.extend(stretch.rows.iter().filter_map(|(key, _)| {
        let own = std::str::from_utf8(table.own(key)).ok()?;
        let within = own.split('\0').nth(1)?;
        places::at(org, within).filter(|at| at != place)
    }));
    Ok(())
}
