//! The course of an upload, whoever receives it: announced, then piece by piece, from where the other side is.
//!
//! ```text
//!  announce --> offset --> piece --> offset --> ... --> complete
//!     ^                      |
//!     |   lost on the way: where are you? (as long as pieces arrive)
//!     `-- other bytes arrived, or it is not known any more: anew, once
//! ```
//!
//! The other side is believed that it has what it says, and not that it gets on: a piece is taken whole or not at all, it may
//! be elsewhere than where it was left a few times in an attempt, and an attempt ends after a while. Whether what attempts
//! bring is worth more of them is decided by whoever makes them.
//!
//! An attempt that breaks off loses nothing: the next announces the same and is told where to go on. Before every request
//! it is asked whether the bytes may still leave.

use std::time::Duration;

use bytes::Bytes;
use linesman_schemas::outcome::{Failure, FailureClass};
use linesman_schemas::upload::UploadView;
use tokio::time::Instant;

use super::parcel::Parcel;
use crate::upstream::checked::bounded;
use crate::upstream::fault;

/// The largest piece, in bytes: it lies in memory.
pub(crate) const PIECE_MOST: u64 = 8 << 20;
/// The smallest that an upload is made in, where it has more. Smaller ones would never come to an end.
const PIECE_LEAST: u64 = 1 << 10;
/// How often in an attempt the other side may be elsewhere than it said before.
const STRAYED_MOST: u32 = 3;
/// How long after its beginning an attempt makes no further request: others wait for its place.
const ATTEMPT_MOST: Duration = Duration::from_secs(10 * 60);
/// The longest id of an upload, in characters.
const ID_MOST: usize = 128;

/// What became of a piece.
#[derive(Debug)]
pub(crate) enum Handed {
    /// It is there.
    Taken(UploadView),
    /// The other side is elsewhere: so many bytes are there.
    Elsewhere(u64),
    /// All are there, and are not those that were announced.
    OtherBytes,
    /// The upload is not known.
    Unknown,
}

/// Whoever receives uploads. Each call is one request, counted, within the time of one.
pub(crate) trait Receiver: Sync {
    /// Announces the upload, or finds the one that was.
    fn announce(&self, parcel: &Parcel, requests: &mut u32)
    -> impl Future<Output = Result<UploadView, Failure>> + Send;

    /// How far it is; none where it is not known.
    fn look(
        &self,
        upload: &str,
        requests: &mut u32,
    ) -> impl Future<Output = Result<Option<UploadView>, Failure>> + Send;

    /// Hands a piece in that begins at `offset`.
    fn hand_in(
        &self,
        upload: &str,
        offset: u64,
        piece: Bytes,
        requests: &mut u32,
    ) -> impl Future<Output = Result<Handed, Failure>> + Send;

    /// Has an upload that is not complete removed, where there is a way; elsewhere it ends by itself there.
    fn give_up(&self, upload: &str, requests: &mut u32) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// How an attempt goes about it.
#[derive(Clone, Copy)]
pub(crate) struct Manner<'a> {
    /// The largest piece that is made, in bytes.
    pub(crate) piece: u64,
    /// The most requests; the next attempt goes on.
    pub(crate) requests: u32,
    /// Whether the bytes may leave at the moment.
    pub(crate) is_wanted: &'a (dyn Fn() -> bool + Send + Sync),
}

/// How far an attempt has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// How many requests it has made.
    pub(crate) requests: u32,
    /// How many bytes the other side says it has; none before it has said so.
    pub(crate) there: Option<u64>,
    /// What the other side calls the upload, as long as it is known there and not complete.
    pub(crate) upload: Option<String>,
}

/// Why an attempt ends before all bytes are there.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something failed.
    Failed(Failure),
    /// They may not leave any more.
    Withdrawn,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<'a> Manner<'a> {
    /// The manner of a try, the first being 1: pieces become smaller, since one that does not arrive in the time of a
    /// request never would.
    pub(crate) fn of(attempt: u32, requests: u32, is_wanted: &'a (dyn Fn() -> bool + Send + Sync)) -> Self {
        const SMALLEST: u64 = 64 << 10;
        let halvings = attempt.saturating_sub(1).min(16);
        Self { piece: (PIECE_MOST >> halvings).max(SMALLEST), requests, is_wanted }
    }
}

/// Sends all of a parcel that is not there yet.
///
/// # Errors
/// An attempt ends with the first failure after which nothing has arrived any more, and once the bytes may not leave.
pub(crate) async fn carry(
    receiver: &impl Receiver,
    parcel: &Parcel,
    manner: Manner<'_>,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let may_go_on = || if (manner.is_wanted)() { Ok(()) } else { Err(Stop::Withdrawn) };
    may_go_on()?;
    let until = Instant::now() + ATTEMPT_MOST;
    let requests = &mut progress.requests;
    let mut standing = checked(receiver.announce(parcel, requests).await?, parcel)?;
    let (mut is_anew, mut has_moved, mut strayed) = (false, false, 0);
    while !standing.complete {
        progress.there = Some(standing.offset);
        progress.upload = Some(standing.upload.clone());
        // INVARIANT (data leaves only filtered): what is decided meanwhile holds for the next piece.
        may_go_on()?;
        if *requests >= manner.requests || Instant::now() >= until {
            return Err(unfinished(&standing).into());
        }
        let size = standing.piece.min(manner.piece);
        let piece = parcel.piece(standing.offset, size).await.map_err(lost)?;
        if piece.is_empty() {
            return Err(fault::garbled("all bytes are there, and the upload is not complete".to_owned()).into());
        }
        let end = standing.offset + piece.len() as u64;
        let handed = receiver.hand_in(&standing.upload, standing.offset, piece, requests).await;
        let next = match handed {
            Ok(Handed::Taken(next)) => {
                let next = checked(next, parcel)?;
                if next.offset != end {
                    let (from, offset) = (standing.offset, next.offset);
                    let message = format!("a piece from {from} to {end} was taken, and the offset is {offset}");
                    return Err(fault::garbled(message).into());
                }
                has_moved = true;
                next
            }
            // A piece of an earlier try has arrived meanwhile, or one came twice. Where it is elsewhere again and again, or
            // nothing moves, the two would say so for ever.
            Ok(Handed::Elsewhere(offset))
                if strayed < STRAYED_MOST && (offset > standing.offset || (has_moved && offset < standing.offset)) =>
            {
                (strayed, has_moved) = (strayed + 1, false);
                checked(UploadView { offset, complete: false, ..standing }, parcel)?
            }
            Ok(Handed::Elsewhere(offset)) => {
                let here = standing.offset;
                let message = format!("a piece from {here} on was not taken: the other is at {offset}");
                return Err(fault::garbled(message).into());
            }
            Ok(Handed::OtherBytes | Handed::Unknown) if !is_anew => {
                is_anew = true;
                checked(receiver.announce(parcel, requests).await?, parcel)?
            }
            Ok(Handed::OtherBytes) => {
                return Err(fault::garbled("other bytes have arrived than were sent".to_owned()).into());
            }
            Ok(Handed::Unknown) => return Err(fault::unavailable("the upload is not known any more".to_owned()).into()),
            Err(failure) => match after(receiver, failure, &standing, has_moved, requests).await? {
                Some(next) => {
                    has_moved = false;
                    if next.offset < standing.offset {
                        strayed += 1;
                    }
                    if strayed > STRAYED_MOST {
                        return Err(fault::garbled(format!("it is at {} again", next.offset)).into());
                    }
                    checked(next, parcel)?
                }
                None if is_anew => {
                    return Err(fault::unavailable("the upload is not known any more".to_owned()).into());
                }
                None => {
                    is_anew = true;
                    checked(receiver.announce(parcel, requests).await?, parcel)?
                }
            },
        };
        standing = next;
    }
    progress.upload = None;
    Ok(())
}

/// Where to go on after a failure; nowhere, where it asks to be left alone, or nothing has moved since the last one.
async fn after(
    receiver: &impl Receiver,
    failure: Failure,
    standing: &UploadView,
    has_moved: bool,
    requests: &mut u32,
) -> Result<Option<UploadView>, Failure> {
    let is_lost = failure.class == FailureClass::Unavailable && failure.retry_after_s.is_none();
    if !is_lost || !has_moved {
        return Err(failure);
    }
    receiver.look(&standing.upload, requests).await
}

/// A standing that can be gone on from.
fn checked(standing: UploadView, parcel: &Parcel) -> Result<UploadView, Failure> {
    bounded("upload", &standing.upload, ID_MOST)?;
    if matches!(standing.upload.as_str(), "." | "..") {
        return Err(fault::garbled(format!("`upload` cannot stand in an address: `{}`", standing.upload)));
    }
    let UploadView { offset, size, piece, complete, .. } = standing;
    if size != parcel.request.size {
        return Err(fault::garbled(format!("`size` is {size}, what was announced has {}", parcel.request.size)));
    }
    if offset > size || (complete && offset < size) {
        return Err(fault::garbled(format!("`offset` is {offset} of {size} bytes")));
    }
    if piece < PIECE_LEAST && piece < size {
        return Err(fault::garbled(format!("`piece` is {piece}, less than {PIECE_LEAST} bytes")));
    }
    Ok(standing)
}

/// The rest follows with the next attempt, behind those of others that wait.
fn unfinished(standing: &UploadView) -> Failure {
    let UploadView { offset, size, .. } = standing;
    let message = format!("{offset} of {size} bytes are there; the next attempt goes on");
    Failure { class: FailureClass::Overloaded, message, retry_after_s: None, cause: None }
}

fn lost(error: std::io::Error) -> Failure {
    fault::unavailable(format!("what leaves cannot be read again: {error}"))
}
