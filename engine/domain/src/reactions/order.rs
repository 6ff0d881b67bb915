//! What is tried while an upstream is away keeps its place, so that everything queued goes out in the order in which it was
//! decided once the upstream is back. From engine level 8 on.
//!
//! ```text
//! 8 <destination>            StrainedRow: what has failed since the destination has last answered, before it was left alone
//! 8 <destination> LF <org>   the same of one organization, as circuits are, from engine level 13 on
//! ```
//!
//! A failure that is one's own moves whoever had it behind the others, or one bad reaction would hold all of them up. Only
//! once the destination is left alone is it known that the failures were the destination's: then whatever failed on the way
//! there goes back to where it was, and whatever is tried until the destination answers stays where it is.

use jiff::Timestamp;
use linesman_schemas::ReactionId;
use linesman_schemas::outcome::{Failure, FailureClass};
use serde::{Deserialize, Serialize};

use super::{PendingRow, circuit, key, pend, unpend};
use crate::Error;
use crate::desk::Desk;
use crate::table::{Key, Row, Table};
use crate::{uploads, upstream};

/// The engine level from which on places are kept.
const LEVEL: u32 = 8;
/// How many are remembered: as many as may be under way, and then some.
const STRAINED_MOST: usize = 64;

/// Whose failures may have been the destination's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StrainedRow {
    /// The reactions, in the order in which they failed.
    pub reactions: Vec<String>,
}

impl Row for StrainedRow {}

/// The table of them.
pub const STRAINED: Table<StrainedRow> = Table::new(b'8');

fn strained(kept_under: &str) -> Key<StrainedRow> {
    STRAINED.key(&[], kept_under.as_bytes())
}

/// When a reaction that failed is to be tried next, given that it would be at `again`; those that failed before it, while
/// it was not known why, get their places back where it is known now.
pub(super) fn place(
    desk: &mut Desk,
    id: &ReactionId,
    row: &PendingRow,
    failure: &Failure,
    again: Timestamp,
) -> Result<Timestamp, Error> {
    // Bytes follow their cases, and take many turns: in front of others they would hold them up.
    let has_place = upstream::is_one(&row.destination) && row.org.is_some() && !uploads::is_one(&row.action);
    if !desk.is_at(LEVEL) || !has_place {
        return Ok(again);
    }
    let is_away = match failure.class {
        FailureClass::Unavailable | FailureClass::Unauthorized => circuit::is_open(desk, row)?,
        // It has said so itself, and until when.
        FailureClass::Overloaded => failure.retry_after_s.is_some(),
        FailureClass::Garbled | FailureClass::Refused => return Ok(again),
    };
    let key = strained(&circuit::kept_under(desk, row));
    let mut known = desk.read(&key)?.unwrap_or_default();
    if !is_away {
        if known.reactions.len() < STRAINED_MOST {
            known.reactions.push(id.to_string());
            desk.write(key, &known)?;
        }
        return Ok(again);
    }
    if !known.reactions.is_empty() {
        desk.remove(key);
    }
    for earlier in known.reactions {
        give_back(desk, &earlier, &row.destination)?;
    }
    Ok(decided(id).unwrap_or(again))
}

/// The destination has answered: what failed before it did was not its own fault.
pub(super) fn answered(desk: &mut Desk, row: &PendingRow) -> Result<(), Error> {
    let key = strained(&circuit::kept_under(desk, row));
    if desk.is_at(LEVEL) && desk.read(&key)?.is_some() {
        desk.remove(key);
    }
    Ok(())
}

/// A reaction that waits goes back to where it was.
fn give_back(desk: &mut Desk, reaction: &str, destination: &str) -> Result<(), Error> {
    let Ok(id) = reaction.parse::<ReactionId>() else { return Ok(()) };
    let Some(row) = desk.read(&key(reaction))?.filter(|row| row.destination == destination) else { return Ok(()) };
    let Some(not_before) = decided(&id).filter(|at| *at < row.not_before) else { return Ok(()) };
    unpend(desk, &id, &row);
    pend(desk, &id, &PendingRow { not_before, ..row })
}

/// When a reaction was decided, as its id says.
fn decided(id: &ReactionId) -> Option<Timestamp> {
    let (_, nanos) = id.as_str().rsplit_once('-')?;
    Timestamp::from_nanosecond(i128::from_str_radix(nanos, 16).ok()?).ok()
}
