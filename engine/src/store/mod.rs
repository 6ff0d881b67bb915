//! The store: applied state on disk. The one room that knows sled.
//!
//! One tree per lane. A batch is written atomically with the position it leads to, and flushed with
//! others by time: what a crash takes is decided again from the log. The directory may be deleted.
//!
//! ```text
//! default tree   "format" -> FORMAT, "lane-<n>" -> the format that all rows of the lane are of
//! lane-<n>       the rows of the domain's tables, each with its check; 0xff: how they stand, with the sum of all checks
//! ```

mod check;
mod lane;
mod sealed;
mod upgrade;

pub use lane::{Lane, Looked};

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::disk;
use crate::panics::caught;
use check::{Checked, Found, LANE};
use linesman_domain::Error as DomainError;
use linesman_domain::census::Census;

/// Raised whenever rows are written differently. A store of an earlier format is taken as it is and upgraded; one of a
/// later format, or of none of ours, is rebuilt from the log.
const FORMAT: &[u8] = b"8";
/// The formats before it that are upgraded.
const EARLIER: [&[u8]; 6] = [b"2", b"3", b"4", b"5", b"6", b"7"];
/// While the rows of one of those are given their checks.
const SEALING: &[u8] = b"to be 8";
const CACHE_BYTES: u64 = 24 * 1024 * 1024;
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// How long whoever still has the store open is waited for.
const HELD_MOST: Duration = Duration::from_secs(5);
/// How often it is looked whether they have let go.
const HELD_EVERY: Duration = Duration::from_millis(20);

/// What went wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory cannot be used.
    #[error("the state directory {path} cannot be set aside")]
    SetAside {
        /// Which directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// sled failed.
    #[error("the store failed")]
    Sled(#[from] sled::Error),
    /// What is read is not what was written.
    #[error("the store is damaged in {lane}: {what}")]
    Damaged {
        /// The name of the lane's tree.
        lane: String,
        /// What is damaged.
        what: String,
    },
    /// It was told to stop while it was opened.
    #[error("the store was not looked through to its end")]
    Stopped,
}

impl From<Error> for DomainError {
    fn from(error: Error) -> Self {
        Self::Store(Box::new(error))
    }
}

/// What a lane's handles say to each other of damage: what it is.
type Damage = watch::Sender<Option<Arc<str>>>;

/// The store of all lanes.
pub struct Store {
    db: sled::Db,
    /// Whether the disk has room for what it writes.
    room: watch::Sender<bool>,
    flusher: Mutex<Option<(mpsc::Sender<()>, JoinHandle<()>)>>,
    /// By the names of lanes' trees.
    damages: Mutex<HashMap<String, Damage>>,
    /// What their rows come to, by the same.
    censuses: Mutex<HashMap<String, Arc<Mutex<Census>>>>,
}

/// A store as it was found.
enum Opened {
    /// One of ours, with what is damaged in it, and what the rows of its lanes come to.
    Ours(sled::Db, Checked),
    /// One of another format.
    Another,
}

impl Store {
    /// Opens the store in a directory, beside a log that has all its messages.
    ///
    /// # Errors
    /// Those of [`Self::open_beside`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_beside(path, true, &AtomicBool::new(false))
    }

    /// Opens the store in a directory, and looks at every row of it; takes about a second for each 100 MB, and ends soon
    /// after `stop` is set.
    ///
    /// One that does not open, or is of another format, is set aside under a new name beside it and
    /// reported; the lanes then rebuild theirs from the log. So is one with damage. Where the log is not whole any more, and
    /// nothing can be rebuilt, it is kept; the lanes say what is damaged.
    ///
    /// # Errors
    /// Neither the old nor a new store can be opened, or the system refuses what another store would
    /// need as well: the right to write, or room. It was stopped.
    pub fn open_beside(path: &Path, is_log_whole: bool, stop: &AtomicBool) -> Result<Self, Error> {
        let why = match Self::open_as_it_is(path, stop) {
            Ok(Opened::Ours(db, checked)) if checked.found.is_empty() || !is_log_whole => {
                return Ok(Self::of((db, path), checked));
            }
            Ok(Opened::Ours(db, Checked { found, .. })) => {
                close_damaged(db);
                let told = |Found { lane, what }: Found| format!("{lane} is damaged: {what}");
                found.into_iter().map(told).collect::<Vec<_>>().join("; ")
            }
            Ok(Opened::Another) => "it is of another format".to_owned(),
            Err(Error::Sled(sled::Error::Io(error))) if is_refused(&error) => {
                return Err(Error::Sled(sled::Error::Io(error)));
            }
            Err(Error::Stopped) => return Err(Error::Stopped),
            Err(error) => crate::logging::full(&error),
        };
        let aside = path.with_extension(format!("set-aside-{}", Timestamp::now().as_second()));
        tracing::error!(path = %path.display(), aside = %aside.display(), why, "the store is set aside and rebuilt from the log");
        metrics::counter!("linesman_store_set_aside_total").increment(1);
        std::fs::rename(path, &aside).map_err(|source| Error::SetAside { path: path.to_owned(), source })?;
        let db = config(path).open()?;
        db.insert("format", FORMAT)?;
        Ok(Self::of((db, path), Checked::default()))
    }

    fn of((db, path): (sled::Db, &Path), Checked { found, censuses }: Checked) -> Self {
        let room = watch::Sender::new(true);
        let flusher = Mutex::new(Some(spawn_flusher(db.clone(), path.to_owned(), room.clone())));
        let damages = found.into_iter().map(|found| {
            tell(&found.lane, &found.what);
            (found.lane, watch::Sender::new(Some(found.what.into())))
        });
        let censuses = censuses.into_iter().map(|(lane, census)| (lane, Arc::new(Mutex::new(census))));
        Self { db, room, flusher, damages: Mutex::new(damages.collect()), censuses: Mutex::new(censuses.collect()) }
    }

    fn open_as_it_is(path: &Path, stop: &AtomicBool) -> Result<Opened, Error> {
        // sled panics on some kinds of damage where one would expect an error.
        let opened = caught(|| Self::look_through(path, stop));
        opened.unwrap_or_else(|| Err(sled::Error::ReportableBug("it panicked while opening".to_owned()).into()))
    }

    fn look_through(path: &Path, stop: &AtomicBool) -> Result<Opened, Error> {
        let db = open_once_free(path)?;
        if !db.was_recovered() {
            db.insert("format", FORMAT)?;
        }
        let format = db.get("format")?.unwrap_or_default();
        if format == SEALING || EARLIER.contains(&&*format) {
            tracing::info!(path = %path.display(), "the store is of an earlier format; its rows are upgraded");
            // IMPORTANT: before the first row is. From here on an earlier program takes it for another's.
            db.insert("format", SEALING)?;
            db.flush()?;
            check::seal_all(&db, stop)?;
            db.insert("format", FORMAT)?;
            db.flush()?;
        } else if format != FORMAT {
            return Ok(Opened::Another);
        }
        let checked = check::check(&db, stop)?;
        Ok(Opened::Ours(db, checked))
    }

    /// Whether the disk has room for what is decided; nothing is to be while it has none.
    pub fn room(&self) -> watch::Receiver<bool> {
        self.room.subscribe()
    }

    /// A lane's part of the store.
    ///
    /// # Errors
    /// sled cannot open the tree.
    pub fn lane(&self, lane: u32) -> Result<Lane, Error> {
        let name = format!("{LANE}{lane}");
        let tree = self.db.open_tree(&name)?;
        let damage = {
            let mut damages = self.damages.lock().unwrap_or_else(PoisonError::into_inner);
            damages.entry(name.clone()).or_default().clone()
        };
        let census = {
            let mut censuses = self.censuses.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(censuses.entry(name.clone()).or_default())
        };
        Ok(Lane { tree, formats: sled::Tree::clone(&self.db), name: name.into(), damage, census })
    }

    /// Writes everything to disk and stops flushing by time.
    ///
    /// # Errors
    /// The flush failed: what is on disk is unknown.
    pub fn close(&self) -> Result<(), Error> {
        self.stop_flusher();
        self.db.flush()?;
        Ok(())
    }

    fn stop_flusher(&self) {
        let flusher = self.flusher.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = flusher {
            drop(stop);
            // The thread ends by itself once its channel is gone.
            let _ = thread.join();
        }
    }
}

/// Lets go of a store with damage, which sled may not write to its end.
fn close_damaged(db: sled::Db) {
    if caught(|| drop(db)).is_none() {
        tracing::debug!("the damaged store is not closed in order");
    }
}

/// Tells what is damaged.
fn tell(lane: &str, what: &str) {
    metrics::counter!("linesman_store_damages_total").increment(1);
    tracing::error!(lane, what, "the store is damaged");
}

/// Opens what is there once nobody else has it open; a child of whoever had it may, for a moment.
fn open_once_free(path: &Path) -> Result<sled::Db, Error> {
    let since = Instant::now();
    loop {
        match config(path).open() {
            Err(sled::Error::Io(error)) if is_held(&error) && since.elapsed() < HELD_MOST => {
                std::thread::park_timeout(HELD_EVERY);
            }
            opened => return Ok(opened?),
        }
    }
}

/// Whether the system, not the store, is what is wrong: nothing would be better with another store.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull)
        || is_held(error)
}

/// Whether somebody else has the store open; sled has no kind of its own for it.
fn is_held(error: &io::Error) -> bool {
    error.to_string().starts_with("could not acquire lock")
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the store cannot be flushed at its end");
        }
    }
}

fn config(path: &Path) -> sled::Config {
    // Flushing is ours: sled's own flusher hides its failures.
    sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None)
}

fn spawn_flusher(db: sled::Db, path: PathBuf, room: watch::Sender<bool>) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = mpsc::channel::<()>();
    let (took, size) = (metrics::histogram!("linesman_store_flush_seconds"), metrics::gauge!("linesman_store_bytes"));
    measure(&db, &size);
    let thread = std::thread::spawn(move || {
        while stopped.recv_timeout(FLUSH_EVERY) == Err(RecvTimeoutError::Timeout) {
            // Tried on a full disk, it would fail; put off, it takes nothing but time from the next start.
            if !look_for_room(&path, &room) {
                continue;
            }
            let since = Instant::now();
            let flushed = flush(&db);
            took.record(since.elapsed().as_secs_f64());
            measure(&db, &size);
            if let Err(error) = flushed {
                // IMPORTANT: after a failed flush the disk's contents are unknown; nothing may be
                // built on them. The next start decides anew from the log.
                tracing::error!(%error, "the store cannot be flushed; stopping at once");
                crate::logging::end(70);
            }
        }
    });
    (stop, thread)
}

/// Looks whether the disk has room, and tells what has changed.
fn look_for_room(path: &Path, room: &watch::Sender<bool>) -> bool {
    let has_room = disk::has_room(path);
    let is_news = room.send_if_modified(|told| std::mem::replace(told, has_room) != has_room);
    match (is_news, has_room) {
        (true, false) => {
            tracing::error!(path = %path.display(), "the disk of the state is full: nothing is decided until there is room")
        }
        (true, true) => tracing::info!("the disk of the state has room again"),
        (false, _) => {}
    }
    has_room
}

/// Looks at the store's size; what cannot be looked at keeps the size it had.
fn measure(db: &sled::Db, size: &metrics::Gauge) {
    if let Ok(bytes) = db.size_on_disk() {
        size.set(bytes as f64);
    }
}

fn flush(db: &sled::Db) -> Result<usize, sled::Error> {
    fail::fail_point!("store::flush", |_| Err(sled::Error::Io(io::Error::other("as the test has it"))));
    db.flush()
}

#[cfg(test)]
mod flips;

#[cfg(test)]
mod tests {
    use std::ops::Bound;

    use linesman_domain::cases::{self, CaseRow, CaseState, CaseText, Further, Stays};
    use linesman_domain::state::{Base as _, Stretch, Writes};
    use linesman_domain::table;

    use super::*;

    fn writes(rows: &[(&str, Option<&str>)]) -> Writes {
        let rows = rows.iter().map(|(k, v)| (k.as_bytes().to_vec(), v.map(|v| v.as_bytes().to_vec()))).collect();
        Writes { batch: 1, rows }
    }

    #[test]
    fn what_somebody_else_has_open_is_waited_for_and_not_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        drop(Store::open(&path).unwrap());
        let held = std::fs::File::open(path.join("db")).unwrap();
        rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| Store::open(&path).map(drop));
            // It is asked for at least once meanwhile, or finds it free: either way it opens.
            std::thread::yield_now();
            rustix::fs::flock(&held, rustix::fs::FlockOperation::Unlock).unwrap();
            opened.join().unwrap().unwrap();
        });
        let error = io::Error::other("could not acquire lock on \"db\": WouldBlock");
        assert!(is_held(&error) && is_refused(&error));
        let names = std::fs::read_dir(dir.path()).unwrap();
        assert_eq!(names.count(), 1, "nothing is set aside");
    }

    #[test]
    fn lanes_are_kept_apart_and_survive() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let store = Store::open(&path).unwrap();
        let lane = store.lane(1).unwrap();
        lane.apply(&writes(&[("a1", Some("x")), ("a2", Some("y")), ("b", Some("z"))])).unwrap();
        lane.apply(&writes(&[("a1", None)])).unwrap();
        let digest = lane.digest().unwrap();
        assert_eq!(store.lane(2).unwrap().get(b"a2").unwrap(), None);
        drop((lane, store));
        let lane = Store::open(&path).unwrap().lane(1).unwrap();
        assert_eq!(lane.first(Bound::Included(b"a"), b"a").unwrap(), Some((b"a2".to_vec(), b"y".to_vec())));
        for (most, is_all) in [(1, false), (2, true)] {
            let rows = vec![(b"a2".to_vec(), b"y".to_vec())];
            assert_eq!(lane.stretch(Bound::Excluded(b"a1"), b"a", most).unwrap(), Stretch { rows, is_all });
        }
        assert_eq!(lane.rows(b"a", None).count(), 1);
        let back: Vec<_> = lane.rows_back(b"b", None).map(|row| row.unwrap().0).collect();
        assert_eq!(back, [b"b"]);
        assert_eq!(lane.rows_back(b"a", Some(b"a2")).count(), 0);
        assert_eq!(lane.digest().unwrap(), digest);
    }

    #[test]
    fn how_cases_stand_is_known_from_the_start_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let org = "acme".parse().unwrap();
        let case = |number, state: CaseState| {
            let row = CaseRow {
                state,
                reaction: String::new(),
                policy: None,
                request: CaseText::default(),
                transaction_id: String::new(),
                case_id: String::new(),
                status: String::new(),
                previous_status: String::new(),
                link: String::new(),
                updated: Timestamp::UNIX_EPOCH,
                opened: Timestamp::UNIX_EPOCH,
                is_test: false,
                stays: Stays::default(),
                further: Further::default(),
            };
            (cases::key(&org, number).into_bytes(), Some(table::encode(&row).unwrap()))
        };
        let stand = |lane: &Lane| {
            let cases = lane.census();
            cases
                .cases()
                .filter(|(_, count)| *count > 0)
                .map(|(state, count)| (state.as_str(), count))
                .collect::<Vec<_>>()
        };
        let store = Store::open(&path).unwrap();
        let lane = store.lane(1).unwrap();
        let rows = vec![case(1, CaseState::Waiting), case(2, CaseState::Withheld), case(3, CaseState::Waiting)];
        lane.apply(&Writes { batch: 1, rows }).unwrap();
        lane.apply(&Writes { batch: 2, rows: vec![case(1, CaseState::Submitted)] }).unwrap();
        let expected = [("waiting", 1), ("withheld", 1), ("submitted", 1)];
        assert_eq!(stand(&store.lane(1).unwrap()), expected, "all handles of a lane know the same");
        drop((lane, store));
        let store = Store::open(&path).unwrap();
        let lane = store.lane(1).unwrap();
        assert_eq!(stand(&lane), expected);
        assert_eq!(stand(&store.lane(2).unwrap()), []);
        lane.clear().unwrap();
        assert_eq!(stand(&lane), []);
    }

    #[test]
    fn what_does_not_open_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("conf"), "no configuration of sled").unwrap();
        let store = Store::open(&path).unwrap();
        assert_eq!(store.lane(0).unwrap().rows(b"", None).count(), 0);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn another_format_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let store = Store::open(&path).unwrap();
        store.lane(0).unwrap().apply(&writes(&[("a", Some("x"))])).unwrap();
        store.db.insert("format", b"0").unwrap();
        drop(store);
        assert_eq!(Store::open(&path).unwrap().lane(0).unwrap().rows(b"", None).count(), 0);
    }
}
