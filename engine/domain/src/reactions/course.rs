//! How attempts end that are made again: what they say of their destination, and when the next one is.

use linesman_schemas::ReactionId;
use linesman_schemas::outcome::{Attempt, Failure};
use sha2::{Digest, Sha256};

use super::circuit::after;
use super::row::PendingRow;
use super::{connector_of, patience_s};
use crate::activations::pushes;
use crate::desk::Desk;
use crate::{uploads, upstream};

/// What an attempt that failed says of its destination, and of how the next is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// Nobody was asked: what is wrong is here.
    Unasked,
    /// It got nowhere.
    Missed,
    /// Of an upload so many bytes are there, more than ever before; from engine level 9 on by as much as is worth a try.
    Moved(u64),
    /// It was broken off here.
    Withdrawn,
}

/// How attempts at uploads end, as they are counted.
pub const UPLOAD_ENDS: [&str; 5] = ["done", "moved", "missed", "withdrawn", "unasked"];

impl Course {
    /// It as it is counted.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Unasked => "unasked",
            Self::Missed => "missed",
            Self::Moved(_) => "moved",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub(super) fn of(desk: &Desk, row: &PendingRow, attempt: &Attempt) -> Self {
        let least = if desk.is_at(uploads::BY_BYTES) {
            row.there.saturating_add(MOVED_LEAST)
        } else {
            row.there.saturating_add(1)
        };
        let moved = attempt.there.filter(|there| *there >= least);
        match moved {
            // It is tried again where it could not even be asked for, as there are too many: less and less often.
            _ if attempt.is_unapproved && desk.is_at(pushes::LEVEL) => Self::Unasked,
            _ if attempt.is_withdrawn && desk.is_at(uploads::ON_THEIR_OWN) => Self::Withdrawn,
            _ if attempt.requests == 0 && desk.is_at(uploads::LEVEL) => Self::Unasked,
            _ if !desk.is_at(uploads::ON_THEIR_OWN) => Self::Missed,
            Some(there) => Self::Moved(there),
            None => Self::Missed,
        }
    }
}

/// How many bytes a try brings at least, or several together, that count as one that got on.
const MOVED_LEAST: u64 = 4096;
/// How many bytes a second what is uploaded brings at least on the whole: each second of its time is given again for as many.
const MOVED_A_SECOND: u64 = 1024;
/// How many tries in a row are remembered of an upload that gets on: by then its pieces are as small as they become.
const MISSES_MOST: u32 = 8;

/// A reaction as its next try finds it. What an upload has brought counts for it: it is tried for as long as it gets on.
pub(super) fn tried(desk: &Desk, row: &PendingRow, failure: &Failure, course: Course, id: &ReactionId) -> PendingRow {
    let connector = connector_of(&row.destination);
    let mut next = PendingRow { attempt: row.attempt + 1, ..row.clone() };
    // What is under way since before goes on beside cases.
    if desk.is_at(uploads::ON_THEIR_OWN) && uploads::is_one(&row.action) && connector == row.destination {
        next.destination = upstream::beside(&row.destination);
    }
    let wait_s = match course {
        Course::Unasked | Course::Missed => {
            next.misses = row.misses.saturating_add(1);
            delay_s(desk, id, row, failure)
        }
        Course::Moved(there) => {
            next.misses = row.misses.min(MISSES_MOST).saturating_sub(1);
            next.there = there;
            let whole = after(desk.now, patience_s(desk, connector));
            // INVARIANT (every upload ends): whoever takes it byte by byte is not given time for ever.
            next.deadline = if desk.is_at(uploads::BY_BYTES) {
                let brought_s = there.saturating_sub(row.there).div_ceil(MOVED_A_SECOND);
                after(row.deadline, brought_s).min(whole)
            } else {
                whole
            };
            u64::from(failure.retry_after_s.unwrap_or(0)).max(1)
        }
        Course::Withdrawn => 1,
    };
    next.not_before = after(desk.now, wait_s);
    next
}

/// The longest wait before what is missed of a case is uploaded again, in seconds. Source: DOMAIN, "Bundles (JMB)".
const UPLOAD_AGAIN_S: u64 = 2 * 3_600;

/// How long to wait before the next attempt, in seconds: doubled each time, between half and the
/// whole of it by the reaction's id so that many do not come back at once.
fn delay_s(desk: &Desk, id: &ReactionId, row: &PendingRow, failure: &Failure) -> u64 {
    let attempt = row.attempt;
    let misses = if desk.is_at(uploads::ON_THEIR_OWN) { row.misses } else { attempt - 1 };
    let is_upload = desk.is_at(uploads::LEVEL) && uploads::is_one(&row.action);
    let most = if is_upload { UPLOAD_AGAIN_S } else { desk.settings.retry_most_s };
    let doubled = desk.settings.retry_base_s.saturating_mul(1_u64.checked_shl(misses).unwrap_or(u64::MAX));
    let whole = doubled.min(most).max(1);
    let mut hasher = Sha256::new();
    hasher.update(id.as_str().as_bytes());
    hasher.update(attempt.to_be_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    let share = digest.first_chunk().map_or(0, |bytes| u64::from(u16::from_be_bytes(*bytes)));
    let jittered = whole / 2 + (whole - whole / 2) * share / u64::from(u16::MAX);
    jittered.max(u64::from(failure.retry_after_s.unwrap_or(0))).max(1)
}
