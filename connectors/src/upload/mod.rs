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

use linesman_redaction::Overwriting;
use linesman_schemas::outcome::{Done, Failure};
use linesman_schemas::reaction::Task;
use linesman_schemas::upload::Upload;
use linesman_schemas::{FilterLevel, OrgName, ReactionId};
use reqwest::header::HeaderValue;
use tokio::sync::Semaphore;

use crate::upstream::{exchange, fault};
use crate::{Attempted, Contents};
use room::Room;

pub(crate) use course::{Handed, Manner, Receiver};
pub(crate) use parcel::Parcel;

/// How many documents are filtered at a time; each takes a thread for as long.
const FILTERED_MOST: usize = 2;
/// How many hexadecimal digits of the SHA-256 a key has.
const KEY_DIGITS: usize = 16;

/// How addresses are overwritten for an organization, where they are; or why that cannot be said.
pub type Overwritings = Arc<dyn Fn(&OrgName) -> Result<Overwriting, String> + Send + Sync>;

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

    async fn parcel(&self, org: Option<&OrgName>, upload: &Upload, contents: Contents) -> Result<Parcel, Failure> {
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
        // The semaphore is closed by nobody.
        let _turn = self.turns.acquire().await.ok();
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
pub(crate) async fn send<R: Receiver>(
    leaving: &Leaving,
    task: &Task,
    upload: &Upload,
    contents: Contents,
    (receiver, requests_most): (impl FnOnce(HeaderValue) -> R, u32),
) -> Attempted {
    let parcel = match leaving.parcel(task.org.as_ref(), upload, contents).await {
        Ok(parcel) => parcel,
        Err(failure) => return Attempted::failed(0, failure),
    };
    let (sha256, size) = (parcel.request.sha256.clone(), parcel.request.size);
    let mut requests = 0;
    // Nothing is left of it, and nothing is said of it.
    if size > 0 {
        let key = match key(&task.id, &sha256) {
            Ok(key) => key,
            Err(failure) => return Attempted::failed(0, failure),
        };
        let manner = Manner::of(task.attempt, requests_most);
        if let Err(failure) = course::carry(&receiver(key), &parcel, manner, &mut requests).await {
            return Attempted::failed(requests, failure);
        }
    }
    Attempted::done(requests, Done::Uploaded { sha256, size })
}

/// What the upload is known by again: the reaction, and the bytes. Where the filter level has changed meanwhile these are
/// others, and what was begun cannot be gone on with.
fn key(id: &ReactionId, sha256: &str) -> Result<HeaderValue, Failure> {
    exchange::key_of(&format!("{id}.{}", sha256.get(..KEY_DIGITS).unwrap_or(sha256)))
}
