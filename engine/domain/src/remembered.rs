//! How many host-event-IDs of an organization are remembered, where there is a quota of them.
//!
//! They are counted by when they came, in parts of at least a day, and what is beyond the retention counts no more: so nobody has
//! to look at the pages they stand in. Counting begins with the quota, and with [`LEVEL`]; those of before are not counted, and
//! are forgotten within the retention as ever.

use linesman_schemas::OrgName;
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::state::Base;
use super::table::{Key, Row, Table};

/// The engine level from which on there is a quota of them.
pub const LEVEL: u32 = 16;

/// How long a part is at least, in seconds.
const DAY_S: i64 = 86_400;
/// Into how many parts the retention comes at most.
const PARTS_MOST: i64 = 128;

/// What is known of an organization's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedRow {
    /// The quota that it was given; none: that of the settings.
    pub most: Option<u64>,
    /// How many came since when, in seconds, up to the next.
    parts: Vec<(i64, u64)>,
}

impl Row for RememberedRow {}

/// The table of what is known of organizations'.
pub const REMEMBERED: Table<RememberedRow> = Table::new(b'`');

/// An organization's key.
pub fn key(org: &OrgName) -> Key<RememberedRow> {
    REMEMBERED.key(&[], org.as_str().as_bytes())
}

impl RememberedRow {
    /// How many are remembered, of those that were counted.
    pub fn count(&self) -> u64 {
        self.parts.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Leaves out those that came `retention_s` before a moment.
    fn prune(&mut self, now_s: i64, retention_s: i64) {
        let oldest = now_s.saturating_sub(retention_s);
        // A part ends where the next begins.
        let gone = self.parts.windows(2).take_while(|two| two.get(1).is_some_and(|(next, _)| *next < oldest)).count();
        self.parts.drain(..gone);
        let is_gone = |(since, _): &(i64, u64)| since.saturating_add(width(retention_s)) < oldest;
        if self.parts.len() == 1 && self.parts.first().is_some_and(is_gone) {
            self.parts.clear();
        }
    }

    fn add(&mut self, now_s: i64, retention_s: i64) {
        match self.parts.last_mut() {
            Some((since, count)) if now_s < since.saturating_add(width(retention_s)) => *count += 1,
            _ => self.parts.push((now_s, 1)),
        }
    }
}

/// How long a part is, in seconds.
fn width(retention_s: i64) -> i64 {
    DAY_S.max(retention_s / PARTS_MOST)
}

/// The quota that an organization was given.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn given(base: &(impl Base + ?Sized), org: &OrgName) -> Result<Option<u64>, Error> {
    Ok(Table::read(base, &key(org))?.and_then(|row| row.most))
}

/// How many of an organization's count, by when the last of them came; none where none was counted.
///
/// # Errors
/// As [`given`].
pub fn counted(base: &(impl Base + ?Sized), org: &OrgName) -> Result<Option<u64>, Error> {
    Ok(Table::read(base, &key(org))?.map(|row| row.count()).filter(|count| *count > 0))
}

/// Gives an organization a quota of its own, or none.
pub(crate) fn give(desk: &mut Desk, org: &OrgName, most: Option<u64>) -> Result<(), Error> {
    let row = desk.read(&key(org))?;
    match (row, most) {
        (None, None) => Ok(()),
        (row, most) => {
            let row = RememberedRow { most, ..row.unwrap_or_default() };
            if row == RememberedRow::default() {
                desk.remove(key(org));
                return Ok(());
            }
            desk.write(key(org), &row)
        }
    }
}

/// What is known of an organization's at the input at hand.
pub(crate) fn known(desk: &Desk, org: &OrgName) -> Result<RememberedRow, Error> {
    let mut row = desk.read(&key(org))?.unwrap_or_default();
    row.prune(desk.now.as_second(), retention_s(desk));
    Ok(row)
}

/// One more is remembered; how many that makes.
pub(crate) fn add(desk: &mut Desk, org: &OrgName) -> Result<u64, Error> {
    let mut row = known(desk, org)?;
    row.add(desk.now.as_second(), retention_s(desk));
    desk.write(key(org), &row)?;
    Ok(row.count())
}

fn retention_s(desk: &Desk) -> i64 {
    i64::try_from(desk.settings.host_event_retention_s).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_the_retention_counts_no_more_and_parts_stay_few() {
        for (retention_s, step) in [(90 * DAY_S, 3_600), (3_650 * DAY_S, DAY_S), (60, 10)] {
            let mut row = RememberedRow::default();
            let steps = 3 * retention_s / step;
            for now in (0..steps).map(|number| number * step) {
                row.prune(now, retention_s);
                row.add(now, retention_s);
            }
            let kept = row.count().cast_signed();
            let (least, most) = (retention_s / step, (retention_s + 2 * width(retention_s)) / step + 2);
            assert!((least..=most).contains(&kept), "{retention_s}: {kept} of {steps}, {least} to {most}");
            assert!(row.parts.len() <= PARTS_MOST as usize + 3, "{}", row.parts.len());
            row.prune(i64::MAX, retention_s);
            assert_eq!(row.count(), 0);
        }
    }
}
