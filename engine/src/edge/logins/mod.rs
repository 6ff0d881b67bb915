//! Logging in: who shows what, and how often they may try.
//!
//! ```text
//!  password --> gate: doors, hasher --> POST session --> lane keeps it
//!                 \-- wrong: notices --> keeper --> lane counts, audits
//!  session, token --> entry: rows of its owner's lane --> viewer
//!                       \-- uses ----> keeper --> lane notes it, hourly at most
//! ```
//!
//! | room | what |
//! |---|---|
//! | `rules`, `hasher` | what a password must be; passwords to hashes and back to yes or no, a few at a time |
//! | `doors`, `notices`, `recent` | how soon somebody may try again; what is told of failures, in bounded numbers |
//! | `gate` | where passwords are shown |
//! | `bearer`, `cookie`, `entry` | what somebody shows who is known, and who that is |
//! | `limits`, `uses` | for how long, and when they last did |
//! | `keeper` | tells the log |
//! | `session`, `sessions`, `me`, `tokens`, `resets` | the routes; `whose` what they have in common |
//!
//! What is kept of a login lies in its owner's lane; here are only what is too hot or too secret for the log, and doors that
//! nobody's lane has.

pub(super) mod bearer;
pub(super) mod cookie;
pub(crate) mod doors;
mod entry;
mod gate;
mod hasher;
mod keeper;
pub(crate) mod limits;
pub(super) mod me;
mod notices;
mod recent;
pub(super) mod resets;
mod rules;
pub(super) mod session;
pub(super) mod sessions;
pub(super) mod tokens;
mod uses;
mod whose;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use linesman_domain::table::{Key, Row, Table};
use linesman_schemas::{Login, OrgName};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{Receiver, Sender};

pub(super) use entry::{Entered, Entry, Way};
pub(super) use hasher::Cost;
pub(super) use hasher::Error;
pub(super) use keeper::Keeper;
pub use limits::Limits;

use crate::edge::transport::problem::Problem;
use crate::log::streams::lane_of;
use crate::store::Lane;
use doors::Doors;
use hasher::Hasher;
use keeper::Note;
use notices::Notices;
use uses::Uses;

/// What is known of logins here.
pub(super) struct Logins {
    rows: Arc<[Lane]>,
    limits: Limits,
    hasher: Hasher,
    /// What salts are made of besides what they are for.
    salted: [u8; 32],
    doors: Arc<Doors>,
    notices: Mutex<Notices>,
    uses: Mutex<Uses>,
    notes: Sender<Note>,
    to_keep: Mutex<Option<Receiver<Note>>>,
}

impl Logins {
    /// On the rows of all lanes, with hashes that cost so much, and doors that are kept in a file.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn new(
        rows: Arc<[Lane]>,
        limits: Limits,
        cost: Cost,
        token: &str,
        doors: PathBuf,
    ) -> Result<Arc<Self>, Error> {
        let (notes, to_keep) = keeper::channel();
        Ok(Arc::new(Self {
            rows,
            limits,
            hasher: Hasher::new(cost)?,
            salted: Sha256::digest(token).into(),
            doors: Doors::kept(doors, token, Timestamp::now()),
            notices: Mutex::new(Notices::new(Timestamp::now())),
            uses: Mutex::new(Uses::new()),
            notes,
            to_keep: Mutex::new(Some(to_keep)),
        }))
    }

    /// The rows of an organization's lane, or of the provider's.
    fn lane(&self, org: Option<&OrgName>) -> Option<&Lane> {
        let lanes = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.get(org.map_or(0, |org| lane_of(org.as_str(), lanes) as usize))
    }

    /// The row of how a manager comes in, if there is one.
    ///
    /// # Errors
    /// The store cannot be read.
    fn row<R: Row>(&self, login: &Login, key: &Key<R>) -> Result<Option<R>, Problem> {
        let Some(lane) = self.lane(login.organization.as_ref()) else { return Ok(None) };
        Table::read(lane, key).map_err(|error| Problem::internal(&error))
    }

    // Nothing panics under these locks; and what they hold is whole after every step.

    fn notices(&self) -> MutexGuard<'_, Notices> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_notes(&self) -> Option<Receiver<Note>> {
        self.to_keep.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
