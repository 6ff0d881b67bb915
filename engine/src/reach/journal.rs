//! What was brought into the log and is not gone from its device yet: a file of lines, the last of a file of a device counts.
//!
//! ```text
//!  {"org","device","file","size","modified","is":{"meant":{"behind"}}}            about to be brought; "sha256" too, where
//!                                                                                 the bytes are not at hand again
//!  {..,"is":"brought"}                                                            the log has it
//!  {..,"is":"gone"}                                                               nothing is to be known of it any more
//! ```
//!
//! It is not synced: after a crash of the machine a bundle may be brought again, and is known by its host-event-ID.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use linesman_connectors::device::files;
use linesman_schemas::OrgName;
use serde::{Deserialize, Serialize};

use super::Device;

/// With how many lines, beyond twice what counts, the file is written anew.
const LINES_MOST: usize = 10_000;

/// A file of a device as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Found {
    org: OrgName,
    device: String,
    /// Its name in hexadecimal: it may be any bytes.
    file: String,
    size: u64,
    modified: i64,
}

impl Found {
    /// What is made of a device's data is none: it is known by its name alone.
    pub(super) fn gathered(device: &Device, name: &str) -> Self {
        Self { org: device.org.clone(), device: device.name.clone(), file: hex::encode(name), size: 0, modified: 0 }
    }

    pub(super) fn new(device: &Device, file: &files::File) -> Self {
        Self {
            org: device.org.clone(),
            device: device.name.clone(),
            file: hex::encode(file.name.as_bytes()),
            size: file.size,
            modified: file.modified.map_or(0, jiff::Timestamp::as_second),
        }
    }

    /// Of when it is, in seconds since 1970.
    pub(super) const fn modified(&self) -> i64 {
        self.modified
    }
}

/// How far it is with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Progress {
    /// It may be in the log, behind a sequence.
    Meant {
        /// The bundle, in hexadecimal; none of a file that is read anew, and held against what the log has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// What the log had before.
        behind: u64,
    },
    /// The log has it.
    Brought,
    /// Nothing is to be known of it.
    Gone,
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    found: Found,
    is: Progress,
}

/// The journal.
pub(super) struct Journal {
    path: PathBuf,
    kept: Mutex<Kept>,
}

struct Kept {
    file: File,
    lines: usize,
    /// Whether a line may lack its end.
    is_torn: bool,
    known: Known,
}

/// What is known of files, by device: each look asks for those of one.
#[derive(Default)]
struct Known {
    devices: HashMap<(OrgName, String), HashMap<Found, Progress>>,
    count: usize,
}

impl Known {
    fn of(&self, org: &OrgName, device: &str) -> Option<&HashMap<Found, Progress>> {
        self.devices.get(&(org.clone(), device.to_owned()))
    }

    fn put(&mut self, found: Found, is: Progress) {
        let device = (found.org.clone(), found.device.clone());
        let files = self.devices.entry(device.clone()).or_default();
        let before = files.len();
        match is {
            Progress::Gone => drop(files.remove(&found)),
            is => drop(files.insert(found, is)),
        }
        self.count = self.count + files.len() - before;
        if files.is_empty() {
            self.devices.remove(&device);
        }
    }

    fn all(&self) -> impl Iterator<Item = (&Found, &Progress)> {
        self.devices.values().flatten()
    }
}

impl Journal {
    /// Reads what was kept; a line that was cut off counts as none.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut known = Known::default();
        match File::open(path) {
            Ok(file) => {
                for line in io::BufRead::split(BufReader::new(file), b'\n') {
                    let Ok(Line { found, is }) = serde_json::from_slice(&line?) else { continue };
                    known.put(found, is);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let file = write_anew(path, &known)?;
        Ok(Self { path: path.to_owned(), kept: Mutex::new(Kept { file, lines: known.count, is_torn: false, known }) })
    }

    /// How far it is with a file; none where nothing is known.
    pub(super) fn get(&self, found: &Found) -> Option<Progress> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.known.of(&found.org, &found.device)?.get(found).cloned()
    }

    /// Keeps how far it is with a file.
    pub(super) fn put(&self, found: &Found, is: Progress) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = serde_json::to_vec(&Line { found: found.clone(), is: is.clone() })?;
        line.push(b'\n');
        if kept.is_torn {
            // What stands behind half a line would be part of it.
            line.insert(0, b'\n');
        }
        kept.is_torn = true;
        kept.file.write_all(&line)?;
        kept.is_torn = false;
        kept.lines += 1;
        kept.known.put(found.clone(), is);
        if kept.lines > LINES_MOST + 2 * kept.known.count {
            kept.file = write_anew(&self.path, &kept.known)?;
            kept.lines = kept.known.count;
        }
        Ok(())
    }

    /// The files of a device of which something is known.
    pub(super) fn of(&self, device: &Device) -> Vec<Found> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.known.of(&device.org, &device.name).into_iter().flat_map(HashMap::keys).cloned().collect()
    }
}

/// Writes what counts into a file that takes the place of the one there is, to be gone on with.
fn write_anew(path: &Path, known: &Known) -> io::Result<File> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    let mut lines = Vec::new();
    for (found, is) in known.all() {
        serde_json::to_writer(&mut lines, &Line { found: found.clone(), is: is.clone() })?;
        lines.push(b'\n');
    }
    file.write_all(&lines)?;
    std::fs::rename(&fresh, path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use linesman_connectors::device::files::Name;

    use super::*;

    fn found(device: &str, name: &str) -> (Device, Found) {
        let device = Device { org: "acme".parse().unwrap(), name: device.to_owned() };
        let file = files::File { name: Name::new(name.as_bytes().to_vec()).unwrap(), size: 1, modified: None };
        let found = Found::new(&device, &file);
        (device, found)
    }

    #[test]
    fn what_counts_last_is_known_after_another_start_and_a_line_that_was_cut_off_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collected.log");
        let meant = || Progress::Meant { sha256: Some("ab".to_owned()), behind: 7 };
        let ((r1, a), (_, b), (r2, c)) = (found("r1", "a"), found("r1", "b"), found("r2", "c"));
        let journal = Journal::open(&path).unwrap();
        let bare = || Progress::Meant { sha256: None, behind: 9 };
        for (found, is) in [(&a, meant()), (&b, meant()), (&c, bare()), (&a, Progress::Brought), (&b, Progress::Gone)] {
            journal.put(found, is).unwrap();
        }
        drop(journal);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"org\":\"acme\",\"dev").unwrap();
        let journal = Journal::open(&path).unwrap();
        assert_eq!((journal.get(&a), journal.get(&b), journal.get(&c)), (Some(Progress::Brought), None, Some(bare())));
        assert_eq!((journal.of(&r1), journal.of(&r2)), (vec![a], vec![c]));
    }

    #[test]
    fn what_is_put_behind_half_a_line_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collected.log");
        let journal = Journal::open(&path).unwrap();
        let ((_, a), (_, b)) = (found("r1", "a"), found("r1", "b"));
        // The disk is full, and takes a part of a line.
        journal.kept.lock().unwrap().file = File::open(&path).unwrap();
        journal.put(&a, Progress::Brought).unwrap_err();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"org\":\"acme\",\"dev").unwrap();
        journal.kept.lock().unwrap().file = OpenOptions::new().append(true).open(&path).unwrap();
        journal.put(&b, Progress::Brought).unwrap();
        journal.put(&a, Progress::Brought).unwrap();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert_eq!((journal.get(&a), journal.get(&b)), (Some(Progress::Brought), Some(Progress::Brought)));
    }

    #[test]
    fn the_file_stays_small_however_often_something_is_put() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collected.log");
        let journal = Journal::open(&path).unwrap();
        let (_, a) = found("r1", "a");
        for _ in 0..LINES_MOST {
            journal.put(&a, Progress::Brought).unwrap();
            journal.put(&a, Progress::Gone).unwrap();
        }
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LINES_MOST + 2, "{lines}");
    }
}
