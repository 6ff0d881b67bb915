//! Where lanes broke off and ended the engine with them, kept across its starts: what panics at the same input each time would
//! otherwise end every engine.
//!
//! ```text
//! it broke off      somewhere between what was applied and what was read: the next engine takes that lane's inputs one by one
//! ..and once more   at the input at hand: the next engine has the lane stand still there, and the others go on
//! ```
//!
//! It lies beside what is decided, in `ends.json`: no lane decides by it, and no replay reads it. Another program begins anew: it
//! may pass what this one does not.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::data_dir::private;

/// The form of the file.
const VERSION: u32 = 1;

/// Where a lane broke off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    /// Sequence in IN of the last input that was read: what broke it off is none behind it.
    until: u64,
    /// The input at hand when it broke off again; none before.
    at: Option<u64>,
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
#[derive(Debug, Clone, Copy, Default)]
struct Hand {
    applied: u64,
    read: u64,
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

    /// Up to which input a lane takes one at a time.
    pub(super) fn one_by_one(&self, lane: u32) -> Option<u64> {
        self.known().ends.get(&lane).map(|end| end.until)
    }

    /// A lane goes on from here.
    pub(super) fn begins(&self, lane: u32, applied: u64) {
        self.known().hands.insert(lane, Hand { applied, read: applied });
    }

    /// A lane has read up to here.
    pub(super) fn reads(&self, lane: u32, sequence: u64) {
        let mut known = self.known();
        let hand = known.hands.entry(lane).or_default();
        hand.read = hand.read.max(sequence);
    }

    /// A lane has applied up to here.
    pub(super) fn applies(&self, lane: u32, sequence: u64) {
        let mut known = self.known();
        known.hands.entry(lane).or_default().applied = sequence;
        // Nearly always there are none at all.
        if known.ends.get(&lane).is_some_and(|end| end.until <= sequence) {
            known.ends.remove(&lane);
            self.write(&known.ends);
        }
    }

    /// A lane broke off, and ends the engine.
    pub(super) fn broke_off(&self, lane: u32) {
        let mut known = self.known();
        let Some(Hand { applied, read }) = known.hands.get(&lane).copied() else { return };
        // What was about no input is not kept: no input would be a way out of it.
        if read <= applied {
            return;
        }
        let before = known.ends.get(&lane).filter(|end| end.at.is_none() && read <= end.until);
        let end = match before {
            Some(end) => End { until: end.until, at: Some(read), times: end.times + 1 },
            None => End { until: read, at: None, times: 1 },
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
        ends.broke_off(3);
        assert_eq!(open().one_by_one(3), None, "it was about no input");
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
