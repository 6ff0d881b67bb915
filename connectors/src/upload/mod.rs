//! Bytes that are uploaded to an upstream, whichever it is: filtered first, into a file that goes with this process, and
//! then sent in pieces.
//!
//! ```text
//!  Contents -> parcel (filter) -> file of the room -> course -> Receiver: jss, partner
//! ```
//!
//! The same reaction with the same bytes makes the same parcel, so that every try goes on where the last one was.

mod course;
mod parcel;
mod room;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use linesman_redaction::Overwriting;
use linesman_schemas::outcome::{Done, Failure};
use linesman_schemas::reaction::Task;
use linesman_schemas::upload::Upload;
use linesman_schemas::{FilterLevel, OrgName, ReactionId};
use reqwest::header::HeaderValue;
use tokio::sync::Semaphore;

use crate::upstream::{exchange, fault};
use crate::{Attempted, Contents, Turn};
use course::{Manner, Progress, Stop};
use room::Room;

pub(crate) use course::{Handed, Receiver};
pub use parcel::Parcel;

/// How many documents are filtered at a time; each takes a thread for as long.
const FILTERED_MOST: usize = 2;
/// How long it takes at most to have a withdrawn upload removed.
const PARTING: Duration = Duration::from_secs(10);
/// How many hexadecimal digits of the SHA-256 a key has.
const KEY_DIGITS: usize = 16;

/// How addresses are overwritten for an organization, where they are; or why that cannot be said.
pub type Overwritings = Arc<dyn Fn(&OrgName) -> Result<Overwriting, String> + Send + Sync>;

/// How many uploads are under way at an upstream at a time, beside what it is told of cases.
pub(crate) const AT_A_TIME: usize = 2;

/// How documents leave: where they lie until they have left, and how addresses are overwritten.
#[derive(Clone)]
pub struct Leaving {
    room: Room,
    overwritings: Overwritings,
    turns: Arc<Semaphore>,
}

impl Leaving {
    /// By way of a folder that nobody else uses; what an earlier process left there goes.
    ///
    /// # Errors
    /// The folder cannot be read, or something there cannot be removed.
    pub fn by(folder: &Path, overwritings: Overwritings) -> io::Result<Self> {
        Ok(Self::of(Room::open(folder)?, overwritings))
    }

    fn of(room: Room, overwritings: Overwritings) -> Self {
        Self { room, overwritings, turns: Arc::new(Semaphore::new(FILTERED_MOST)) }
    }

    /// Waits until another document may be filtered.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        // The semaphore is closed by nobody.
        Arc::clone(&self.turns).acquire_owned().await.ok().map(Turn)
    }

    /// What may leave of `contents`, filtered as what is sent is. Without an organization addresses are overwritten by fixed
    /// text.
    ///
    /// # Errors
    /// Nothing may leave, the contents break off, what comes in them is refused, or there is no room.
    pub async fn parcel(
        &self,
        org: Option<&OrgName>,
        upload: &Upload,
        mut contents: Contents,
    ) -> Result<Parcel, Failure> {
        if upload.filter_level == FilterLevel::DoNotSend {
            return Err(fault::refused("at the filter level `Do not send` nothing leaves".to_owned()));
        }
        let overwriting = match org {
            Some(org) if upload.filter_level == FilterLevel::AddressesOverwritten => {
                // Somebody may give the key again.
                (self.overwritings)(org).map_err(fault::unavailable)?
            }
            _ => Overwriting::Fixed,
        };
        let _turn = match contents.take_turn() {
            Some(turn) => Some(turn),
            None => self.turn().await,
        };
        Parcel::of(upload, overwriting, contents, self.room.share()).await
    }
}

impl Default for Leaving {
    /// By way of the system's folder for such files, addresses overwritten by fixed text.
    fn default() -> Self {
        Self::of(Room::shared(std::env::temp_dir()), Arc::new(|_| Ok(Overwriting::Fixed)))
    }
}

impl fmt::Debug for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaving").field("room", &self.room).finish_non_exhaustive()
    }
}

/// Sends what may leave of `contents` to a receiver of an upstream, in at most so many requests; the next try goes on.
/// Once they are not wanted any more what is under way is broken off: nothing leaves behind that.
pub(crate) async fn send<R: Receiver>(
    leaving: &Leaving,
    task: &Task,
    upload: &Upload,
    mut contents: Contents,
    (receiver, requests_most): (impl FnOnce(HeaderValue) -> R, u32),
) -> Attempted {
    let mut wanted = contents.take_wanted();
    let (is_wanted, withdrawn) = wanted.parts();
    let parcel = tokio::select! {
        biased;
        () = &mut *withdrawn => return Attempted::withdrawn(0),
        parcel = leaving.parcel(task.org.as_ref(), upload, contents) => parcel,
    };
    let parcel = match parcel {
        Ok(parcel) => parcel,
        Err(failure) => return Attempted::failed(0, failure),
    };
    let (sha256, size) = (parcel.request.sha256.clone(), parcel.request.size);
    let mut progress = Progress::default();
    // Nothing is left of it, and nothing is said of it.
    if size > 0 {
        let key = match key(&task.id, &sha256) {
            Ok(key) => key,
            Err(failure) => return Attempted::failed(0, failure),
        };
        let manner = Manner::of(task.attempt, requests_most, is_wanted);
        let receiver = receiver(key);
        let carried = tokio::select! {
            biased;
            () = withdrawn => Err(Stop::Withdrawn),
            carried = course::carry(&receiver, &parcel, manner, &mut progress) => carried,
        };
        if matches!(carried, Err(Stop::Withdrawn))
            && let Some(upload) = progress.upload.take()
        {
            give_up(&receiver, &upload, &mut progress.requests).await;
        }
        let Progress { requests, there, .. } = progress;
        match carried {
            Ok(()) => {}
            Err(Stop::Failed(failure)) => return Attempted { there, ..Attempted::failed(requests, failure) },
            Err(Stop::Withdrawn) => return Attempted { there, ..Attempted::withdrawn(requests) },
        }
    }
    Attempted::done(progress.requests, Done::Uploaded { sha256, size })
}

/// What may not leave any more is not to lie at the upstream in part. Where it cannot be removed now it ends there by itself.
async fn give_up<R: Receiver>(receiver: &R, upload: &str, requests: &mut u32) {
    let given_up = tokio::time::timeout(PARTING, receiver.give_up(upload, requests)).await;
    match given_up {
        Ok(Ok(())) => {}
        Ok(Err(Failure { message, .. })) => tracing::debug!(upload, message, "a withdrawn upload stays until its end"),
        Err(_) => tracing::debug!(upload, "a withdrawn upload stays until its end: no answer"),
    }
}

/// What the upload is known by again: the reaction, and the bytes. Where the filter level has changed meanwhile these are
/// others, and what was begun cannot be gone on with.
fn key(id: &ReactionId, sha256: &str) -> Result<HeaderValue, Failure> {
    exchange::key_of(&format!("{id}.{}", sha256.get(..KEY_DIGITS).unwrap_or(sha256)))
}
