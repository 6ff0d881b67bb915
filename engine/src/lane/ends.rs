//! Where lanes broke off and ended the engine with them, kept across its starts: what panics at the same input each time would
//! otherwise end every engine.
//!
//! ```text
//! it broke off      somewhere between what was applied and what was read: the next engine takes that lane's inputs one by one
//! ..and once more   at the input at hand: the next engine has the lane stand still there, and the others go on
//! ```
//!
//! Where no input was at hand there is none to be set aside. The second time in a row the next engine has the lane stand still as it
//! is, and the one after that tries it once more.
//!
//! It lies beside what is decided, in `ends.json`: no lane decides by it, and no replay reads it. Another program begins anew: it
//! may pass what this one does not.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::data_dir::private;

/// The form of the file.
const VERSION: u32 = 1;
/// How long a lane is at work until what breaks it off with no input at hand is no repetition.
const IN_A_ROW: Duration = Duration::from_secs(600);

/// Where a lane broke off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    /// Sequence in IN of the last input that was read: what broke it off is none behind it. Of the last that was applied where none
    /// was at hand.
    until: u64,
    /// The input at hand when it broke off again; none before.
    at: Option<u64>,
    /// Whether no input was at hand.
    is_idle: bool,
    /// How many times in a row.
    times: u32,
}

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    /// Whose doing it was.
    program: String,
    lanes: BTreeMap<u32, End>,
}

/// What a lane is about.
#[derive(Debug, Clone, Copy)]
struct Hand {
    applied: u64,
    read: u64,
    /// Whether it does something that is about no input, though one may be at hand.
    is_idle: bool,
    /// When it was taken up.
    since: Instant,
}

impl Hand {
    fn at(applied: u64) -> Self {
        Self { applied, read: applied, is_idle: false, since: Instant::now() }
    }
}

#[derive(Debug, Default)]
struct Known {
    ends: BTreeMap<u32, End>,
    hands: BTreeMap<u32, Hand>,
}

/// See the module; all lanes of an engine.
#[derive(Debug, Default)]
pub struct Ends {
    path: Option<PathBuf>,
    known: Mutex<Known>,
}

impl Ends {
    /// Those of a file; none where it cannot be read, which is told in the log.
    pub fn kept(path: PathBuf) -> Self {
        let ends = read(&path).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "where lanes broke off before is forgotten");
            BTreeMap::new()
        });
        Self { path: Some(path), known: Mutex::new(Known { ends, ..Known::default() }) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At which input a lane is to stand still, and how many times in a row it broke off.
    pub(super) fn stands_at(&self, lane: u32) -> Option<(u64, u32)> {
        self.known().ends.get(&lane).and_then(|end| Some((end.at?, end.times)))
    }

    /// Behind which input a lane is to stand still as it is, and how many times in a row it broke off with none at hand. The next
    /// engine tries it once more.
    pub(super) fn rests_behind(&self, lane: u32) -> Option<(u64, u32)> {
        let mut known = self.known();
        let end = known.ends.get_mut(&lane).filter(|end| end.is_idle && end.times > 1)?;
        let (until, times) = (end.until, end.times);
        end.times = 1;
        self.write(&known.ends);
        Some((until, times))
    }

    /// Up to which input a lane takes one at a time.
    pub(super) fn one_by_one(&self, lane: u32) -> Option<u64> {
        self.known().ends.get(&lane).filter(|end| !end.is_idle).map(|end| end.until)
    }

    /// A lane goes on from here.
    pub(super) fn begins(&self, lane: u32, applied: u64) {
        self.known().hands.insert(lane, Hand::at(applied));
    }

    /// A lane has read up to here.
    pub(super) fn reads(&self, lane: u32, sequence: u64) {
        let mut known = self.known();
        let hand = known.hands.entry(lane).or_insert_with(|| Hand::at(0));
        hand.read = hand.read.max(sequence);
    }

    /// What a lane does is about no input, or is again.
    pub(super) fn idles(&self, lane: u32, is_idle: bool) {
        if let Some(hand) = self.known().hands.get_mut(&lane) {
            hand.is_idle = is_idle;
        }
    }

    /// A lane has applied up to here.
    pub(super) fn applies(&self, lane: u32, sequence: u64) {
        let mut known = self.known();
        let hand = known.hands.entry(lane).or_insert_with(|| Hand::at(0));
        hand.applied = sequence;
        let since = hand.since;
        // Nearly always there are none at all.
        let is_passed = |end: &End| if end.is_idle { since.elapsed() >= IN_A_ROW } else { end.until <= sequence };
        if known.ends.get(&lane).is_some_and(is_passed) {
            known.ends.remove(&lane);
            self.write(&known.ends);
        }
    }

    /// A lane broke off, and ends the engine.
    pub(super) fn broke_off(&self, lane: u32) {
        let mut known = self.known();
        // Of one that was not taken up nothing is at hand.
        let Hand { applied, read, is_idle, since } = known.hands.get(&lane).copied().unwrap_or_else(|| Hand::at(0));
        let is_idle = is_idle || read <= applied;
        let end = match known.ends.get(&lane).filter(|end| end.at.is_none() && end.is_idle == is_idle) {
            Some(end) if is_idle && since.elapsed() < IN_A_ROW => {
                End { until: applied, times: end.times + 1, ..end.clone() }
            }
            Some(end) if !is_idle && read <= end.until => End { at: Some(read), times: end.times + 1, ..end.clone() },
            _ => End { until: if is_idle { applied } else { read }, at: None, is_idle, times: 1 },
        };
        known.ends.insert(lane, end);
        self.write(&known.ends);
    }

    /// There is a way out of where a lane stands still.
    pub(super) fn forget(&self, lane: u32) {
        let mut known = self.known();
        if known.ends.remove(&lane).is_some() {
            self.write(&known.ends);
        }
    }

    fn write(&self, ends: &BTreeMap<u32, End>) {
        let Some(path) = &self.path else { return };
        let written = match ends.is_empty() {
            true => private::remove(path),
            false => serde_json::to_vec(&Content { version: VERSION, program: program(), lanes: ends.clone() })
                .map_err(io::Error::from)
                .and_then(|content| private::write(path, &content)),
        };
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "where a lane broke off cannot be kept");
        }
    }
}

/// What of a file is this program's.
fn read(path: &Path) -> io::Result<BTreeMap<u32, End>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        bytes => bytes?,
    };
    let content: Content = serde_json::from_slice(&bytes)?;
    let is_ours = content.version == VERSION && content.program == program();
    Ok(if is_ours { content.lanes } else { BTreeMap::new() })
}

/// This program: its version, and the file it is of.
fn program() -> String {
    let of_file = || {
        let file = fs::metadata(std::env::current_exe()?)?;
        let changed = file.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok::<_, io::Error>(format!("{}-{}", file.len(), changed.as_nanos()))
    };
    format!("{} {}", env!("CARGO_PKG_VERSION"), of_file().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn the_input_is_found_by_the_second_end_and_passed_once_it_is_forgotten() {
        let dir = folder();
        let open = || Ends::kept(dir.path().join("ends.json"));
        let ends = open();
        ends.begins(3, 10);
        ends.reads(3, 40);
        ends.broke_off(3);
        let ends = open();
        assert_eq!((ends.one_by_one(3), ends.stands_at(3), ends.one_by_one(4)), (Some(40), None, None));
        ends.begins(3, 10);
        for sequence in [12, 17] {
            ends.reads(3, sequence);
            ends.applies(3, sequence);
        }
        ends.reads(3, 19);
        ends.broke_off(3);
        let ends = open();
        assert_eq!(ends.stands_at(3), Some((19, 2)));
        ends.forget(3);
        assert!(!dir.path().join("ends.json").exists());
        assert_eq!(open().stands_at(3), None);
    }

    #[test]
    fn a_lane_that_breaks_off_with_no_input_at_hand_stands_still_the_third_time_and_is_tried_the_fourth() {
        let dir = folder();
        let open = || Ends::kept(dir.path().join("ends.json"));
        let ends = open();
        // It was not taken up.
        ends.broke_off(3);
        let ends = open();
        assert_eq!((ends.one_by_one(3), ends.stands_at(3), ends.rests_behind(3)), (None, None, None));
        ends.begins(3, 10);
        ends.reads(3, 12);
        ends.applies(3, 12);
        ends.reads(3, 14);
        ends.idles(3, true);
        ends.broke_off(3);
        let ends = open();
        assert_eq!((ends.one_by_one(3), ends.stands_at(3), ends.rests_behind(3)), (None, None, Some((12, 2))));
        let ends = open();
        assert_eq!(ends.rests_behind(3), None, "it is tried once more");
        ends.begins(3, 12);
        ends.broke_off(3);
        assert_eq!(open().rests_behind(3), Some((12, 2)));
        // What is about an input is another matter.
        let ends = open();
        ends.begins(3, 12);
        ends.idles(3, true);
        ends.idles(3, false);
        ends.reads(3, 14);
        ends.broke_off(3);
        assert_eq!((open().one_by_one(3), open().rests_behind(3)), (Some(14), None));
    }

    #[test]
    fn what_is_passed_the_second_time_is_forgotten_and_so_is_what_another_program_did() {
        let dir = folder();
        let path = dir.path().join("ends.json");
        let ends = Ends::kept(path.clone());
        ends.begins(0, 1);
        ends.reads(0, 5);
        ends.broke_off(0);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(&program(), "another")).unwrap();
        assert_eq!(Ends::kept(path.clone()).one_by_one(0), None);
        fs::write(&path, "{").unwrap();
        assert_eq!(Ends::kept(path.clone()).one_by_one(0), None);
        fs::write(&path, text).unwrap();
        let ends = Ends::kept(path.clone());
        ends.begins(0, 1);
        ends.applies(0, 4);
        assert_eq!(ends.one_by_one(0), Some(5));
        ends.applies(0, 5);
        assert_eq!((ends.one_by_one(0), path.exists()), (None, false));
    }
}
