//! The store: applied state on disk. The one room that knows sled.
//!
//! One tree per lane. A batch is written atomically with the position it leads to, and flushed with
//! others by time: what a crash takes is decided again from the log. The directory may be deleted.
//!
//! ```text
//! default tree   "format" -> FORMAT, "lane-<n>" -> the format that all rows of the lane are of
//! lane-<n>       the rows of the domain's tables
//! ```

mod upgrade;

use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use linesman_domain::Error as DomainError;
use linesman_domain::state::{Base, Row, Stretch, Writes};

/// Raised whenever rows are written differently. A store of an earlier format is taken as it is and upgraded; one of a
/// later format, or of none of ours, is rebuilt from the log.
const FORMAT: &[u8] = b"7";
/// The formats before it that are upgraded.
const EARLIER: [&[u8]; 5] = [b"2", b"3", b"4", b"5", b"6"];
const CACHE_BYTES: u64 = 24 * 1024 * 1024;
const FLUSH_EVERY: Duration = Duration::from_secs(1);

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
}

impl From<Error> for DomainError {
    fn from(error: Error) -> Self {
        Self::Store(Box::new(error))
    }
}

/// The store of all lanes.
pub struct Store {
    db: sled::Db,
    flusher: Mutex<Option<(mpsc::Sender<()>, JoinHandle<()>)>>,
}

impl Store {
    /// Opens the store in a directory.
    ///
    /// One that does not open, or is of another format, is set aside under a new name beside it and
    /// reported; the lanes then rebuild theirs from the log.
    ///
    /// # Errors
    /// Neither the old nor a new store can be opened, or the system refuses what another store would
    /// need as well: the right to write, or room.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let db = match Self::open_as_it_is(path) {
            Ok(Some(db)) => db,
            Err(Error::Sled(sled::Error::Io(error))) if is_refused(&error) => {
                return Err(Error::Sled(sled::Error::Io(error)));
            }
            broken => {
                let aside = path.with_extension(format!("set-aside-{}", Timestamp::now().as_second()));
                let why = match broken {
                    Err(error) => error.to_string(),
                    Ok(_) => "it is of another format".to_owned(),
                };
                tracing::error!(path = %path.display(), aside = %aside.display(), why, "the store is set aside and rebuilt from the log");
                metrics::counter!("linesman_store_set_aside_total").increment(1);
                std::fs::rename(path, &aside).map_err(|source| Error::SetAside { path: path.to_owned(), source })?;
                let db = config(path).open()?;
                db.insert("format", FORMAT)?;
                db
            }
        };
        let flusher = spawn_flusher(db.clone());
        Ok(Self { db, flusher: Mutex::new(Some(flusher)) })
    }

    fn open_as_it_is(path: &Path) -> Result<Option<sled::Db>, Error> {
        // sled panics on some kinds of damage where one would expect an error.
        let opened = catch_unwind(AssertUnwindSafe(|| config(path).open()));
        let db = opened.unwrap_or_else(|_| Err(sled::Error::ReportableBug("it panicked while opening".to_owned())))?;
        if !db.was_recovered() {
            db.insert("format", FORMAT)?;
        }
        let format = db.get("format")?.unwrap_or_default();
        if EARLIER.contains(&&*format) {
            tracing::info!(path = %path.display(), "the store is of an earlier format; its rows are upgraded");
            // IMPORTANT: before the first row is. From here on an earlier program takes it for another's.
            db.insert("format", FORMAT)?;
            db.flush()?;
            return Ok(Some(db));
        }
        Ok((format == FORMAT).then_some(db))
    }

    /// A lane's part of the store.
    ///
    /// # Errors
    /// sled cannot open the tree.
    pub fn lane(&self, lane: u32) -> Result<Lane, Error> {
        let name = format!("lane-{lane}");
        let tree = self.db.open_tree(&name)?;
        Ok(Lane { tree, formats: sled::Tree::clone(&self.db), name })
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

/// Whether the system, not the store, is what is wrong.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull)
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

fn spawn_flusher(db: sled::Db) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = mpsc::channel::<()>();
    let (took, size) = (metrics::histogram!("linesman_store_flush_seconds"), metrics::gauge!("linesman_store_bytes"));
    measure(&db, &size);
    let thread = std::thread::spawn(move || {
        while stopped.recv_timeout(FLUSH_EVERY) == Err(RecvTimeoutError::Timeout) {
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

/// One lane's rows.
#[derive(Clone)]
pub struct Lane {
    tree: sled::Tree,
    /// The default tree.
    formats: sled::Tree,
    /// The name of its tree.
    name: String,
}

impl Lane {
    /// Writes a batch, all or nothing.
    ///
    /// # Errors
    /// sled failed.
    pub fn apply(&self, writes: &Writes) -> Result<(), Error> {
        let mut batch = sled::Batch::default();
        for (key, value) in &writes.rows {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        self.tree.apply_batch(batch)?;
        Ok(())
    }

    /// Removes every row.
    ///
    /// # Errors
    /// sled failed.
    pub fn clear(&self) -> Result<(), Error> {
        self.tree.clear()?;
        Ok(())
    }

    /// Rows whose keys begin with `prefix`, from behind `after` on, in key order.
    pub fn rows<'a>(
        &self,
        prefix: &'a [u8],
        after: Option<&[u8]>,
    ) -> impl Iterator<Item = Result<Row, Error>> + use<'a> {
        let from = after.map_or(Bound::Included(prefix.to_vec()), |after| Bound::Excluded(after.to_vec()));
        let rows = self.tree.range((from, Bound::Unbounded));
        rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(Error::from))
            .take_while(move |row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)))
    }

    /// Rows whose keys begin with `prefix`, from before `before` back, in reverse key order.
    pub fn rows_back(&self, prefix: &[u8], before: Option<&[u8]>) -> impl Iterator<Item = Result<Row, Error>> + use<> {
        let mut end = prefix.to_vec();
        if let Some(last) = end.last_mut() {
            // No prefix of ours ends with the highest byte.
            *last = last.saturating_add(1);
        }
        let end = before.map_or(end, <[u8]>::to_vec);
        let rows = self.tree.range((Bound::Included(prefix.to_vec()), Bound::Excluded(end)));
        rows.rev().map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(Error::from))
    }

    /// The first row from `from` on whose key begins with `prefix`.
    ///
    /// # Errors
    /// sled failed.
    pub fn first_row(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, Error> {
        let from = from.map(<[u8]>::to_vec);
        let row = self.tree.range((from, Bound::Unbounded)).next().transpose()?;
        Ok(row.filter(|(key, _)| key.starts_with(prefix)).map(|(key, value)| (key.to_vec(), value.to_vec())))
    }

    /// SHA-256 over all keys and values, each behind its length.
    ///
    /// # Errors
    /// sled failed.
    pub fn digest(&self) -> Result<[u8; 32], Error> {
        let mut hasher = Sha256::new();
        for row in self.rows(b"", None) {
            let (key, value) = row?;
            for bytes in [key, value] {
                hasher.update((bytes.len() as u64).to_be_bytes());
                hasher.update(&bytes);
            }
        }
        Ok(hasher.finalize().into())
    }
}

impl Base for Lane {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, DomainError> {
        let value = self.tree.get(key).map_err(Error::from)?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, DomainError> {
        Ok(self.first_row(from, prefix)?)
    }

    fn stretch(&self, from: Bound<&[u8]>, prefix: &[u8], most: usize) -> Result<Stretch, DomainError> {
        let mut rows = Vec::new();
        for row in self.tree.range((from.map(<[u8]>::to_vec), Bound::Unbounded)) {
            let (key, value) = row.map_err(Error::from)?;
            if !key.starts_with(prefix) {
                break;
            }
            rows.push((key.to_vec(), value.to_vec()));
            if rows.len() >= most {
                return Ok(Stretch { rows, is_all: false });
            }
        }
        Ok(Stretch { rows, is_all: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writes(rows: &[(&str, Option<&str>)]) -> Writes {
        let rows = rows.iter().map(|(k, v)| (k.as_bytes().to_vec(), v.map(|v| v.as_bytes().to_vec()))).collect();
        Writes { batch: 1, rows }
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
