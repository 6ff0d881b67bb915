//! All rows are looked at before anything is built on them, and those of before checks are given theirs.
//!
//! A row that is lost is read as one that never was, so nothing may be decided before it is known that none is: all lanes are
//! gone through when the store is opened, several at a time.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Error;
use super::sealed::{STANDING, Standing, Sum, seal, unseal};
use crate::panics::caught;
use linesman_domain::census::Census;

/// What the names of lanes' trees begin with.
pub(super) const LANE: &str = "lane-";
/// How many rows are given their checks at once.
const SEALED_AT_ONCE: usize = 1_000;
/// After how many rows it is asked whether to go on.
const ASK_EVERY: u64 = 1_024;
/// How often it is told how far it is.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// A lane whose rows are not those that were written, and what is wrong with them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The name of its tree.
    pub(super) lane: String,
    /// What is wrong.
    pub(super) what: String,
}

/// What was found of all lanes.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Those that do not stand as they were written.
    pub(super) found: Vec<Found>,
    /// What the rows of each come to, by the name of its tree.
    pub(super) censuses: HashMap<String, Census>,
}

/// The names of all lanes, of those too that were lost.
fn lanes(db: &sled::Db) -> Result<BTreeSet<String>, sled::Error> {
    let known = db.iter().keys().collect::<Result<Vec<_>, _>>()?;
    let names = db.tree_names().into_iter().chain(known);
    let names = names.filter_map(|name| String::from_utf8(name.to_vec()).ok());
    Ok(names.filter(|name| name.starts_with(LANE)).collect())
}

/// What does not stand as it was written, lane by lane.
///
/// # Errors
/// It was stopped, or the system refuses to read.
pub(super) fn check(db: &sled::Db, stop: &AtomicBool) -> Result<Checked, Error> {
    let left = Mutex::new(lanes(db)?);
    let (found, progress) = (Mutex::new(Ok(Checked::default())), Progress::new(stop));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
    let work = || {
        while let Some(lane) = next() {
            // sled panics on some kinds of damage where one would expect an error.
            let mut census = Census::default();
            let checked = caught(|| check_lane(db, &lane, &progress, &mut census));
            let checked = checked.unwrap_or_else(|| Ok(Some("it cannot be read".to_owned())));
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(all) = &mut *found {
                all.censuses.insert(lane.clone(), census);
            }
            match (checked, &mut *found) {
                (Ok(Some(what)), Ok(all)) => all.found.push(Found { lane, what }),
                (Err(error), all) => *all = Err(error),
                (Ok(None), _) | (Ok(_), Err(_)) => {}
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What is wrong with a lane's rows; none where nothing is.
fn check_lane(
    db: &sled::Db,
    lane: &str,
    progress: &Progress<'_>,
    census: &mut Census,
) -> Result<Option<String>, Error> {
    match sum_up(db, lane, progress, census) {
        Err(Error::Sled(sled::Error::Io(error))) => Err(Error::Sled(sled::Error::Io(error))),
        Err(Error::Sled(error)) => Ok(Some(error.to_string())),
        ended => ended,
    }
}

fn sum_up(db: &sled::Db, lane: &str, progress: &Progress<'_>, census: &mut Census) -> Result<Option<String>, Error> {
    let wrong = |what: &str| Ok(Some(what.to_owned()));
    let tree = db.open_tree(lane)?;
    let expected = match standing(&tree, lane)? {
        Ok(Some(Standing::Whole(sum))) => sum,
        // It was about to be decided anew.
        Ok(Some(Standing::Emptied)) => {
            tree.clear()?;
            return Ok(None);
        }
        Ok(Some(Standing::SealedUpTo(..))) => return wrong("some of its rows have no check"),
        Ok(None) if tree.is_empty() && db.get(lane)?.is_none() => return Ok(None),
        Ok(None) => return wrong("the sum of its rows is lost"),
        Err(()) => return wrong("the sum of its rows is damaged"),
    };
    let (mut found, mut last) = (Sum::default(), Vec::new());
    for row in tree.range::<&[u8], _>(..STANDING) {
        let (key, stored) = row?;
        if !last.is_empty() && *key <= *last {
            return wrong("its rows are not in their order");
        }
        let Some(value) = unseal(lane, &key, &stored) else {
            return Ok(Some(format!("the row `{}` is damaged", key.escape_ascii())));
        };
        census.add(&key, value);
        found.add(&stored);
        last = key.to_vec();
        progress.count(stored.len())?;
    }
    if found == expected { Ok(None) } else { wrong("rows are lost, or are those of an earlier time") }
}

/// How a lane's rows stand; an error where that is damaged.
fn standing(tree: &sled::Tree, lane: &str) -> Result<Result<Option<Standing>, ()>, Error> {
    let Some(stored) = tree.get(STANDING)? else { return Ok(Ok(None)) };
    let read = unseal(lane, STANDING, &stored).and_then(Standing::read);
    Ok(read.map(Some).ok_or(()))
}

/// Gives all rows of a store of before checks theirs. What breaks off goes on there.
///
/// # Errors
/// It was stopped, or sled failed.
pub(super) fn seal_all(db: &sled::Db, stop: &AtomicBool) -> Result<(), Error> {
    let progress = Progress::new(stop);
    for lane in lanes(db)? {
        let tree = db.open_tree(&lane)?;
        while seal_some(&tree, &lane, &progress)? {}
    }
    Ok(())
}

/// Gives some more rows their checks; whether there are more.
fn seal_some(tree: &sled::Tree, lane: &str, progress: &Progress<'_>) -> Result<bool, Error> {
    let damaged = || Error::Damaged { lane: lane.to_owned(), what: "the sum of its rows is damaged".to_owned() };
    let (mut sum, after) = match standing(tree, lane)?.map_err(|()| damaged())? {
        None if tree.is_empty() => return Ok(false),
        None => (Sum::default(), None),
        Some(Standing::SealedUpTo(sum, key)) => (sum, Some(key)),
        Some(Standing::Whole(_) | Standing::Emptied) => return Ok(false),
    };
    let after = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let (mut batch, mut last) = (sled::Batch::default(), None);
    for row in tree.range::<&[u8], _>((after, Bound::Excluded(STANDING))).take(SEALED_AT_ONCE) {
        let (key, value) = row?;
        let stored = seal(lane, &key, &value);
        sum.add(&stored);
        batch.insert(&key, stored);
        progress.count(value.len())?;
        last = Some(key.to_vec());
    }
    let has_more = last.is_some();
    let standing = last.map_or(Standing::Whole(sum), |last| Standing::SealedUpTo(sum, last));
    batch.insert(STANDING, seal(lane, STANDING, &standing.to_bytes()));
    tree.apply_batch(batch)?;
    Ok(has_more)
}

/// How far it is, and whether to go on.
struct Progress<'a> {
    stop: &'a AtomicBool,
    rows: AtomicU64,
    bytes: AtomicU64,
    told: Mutex<Instant>,
}

impl<'a> Progress<'a> {
    fn new(stop: &'a AtomicBool) -> Self {
        Self { stop, rows: AtomicU64::new(0), bytes: AtomicU64::new(0), told: Mutex::new(Instant::now()) }
    }

    /// Counts a row.
    fn count(&self, bytes: usize) -> Result<(), Error> {
        let bytes = self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let rows = self.rows.fetch_add(1, Ordering::Relaxed);
        if !rows.is_multiple_of(ASK_EVERY) {
            return Ok(());
        }
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() > REPORT_EVERY {
            *told = Instant::now();
            tracing::info!(rows, bytes, "looking through the store");
        }
        Ok(())
    }
}
