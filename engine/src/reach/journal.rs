//! What was brought into the log and is not gone from its device yet: a file of lines, the last of a file of a device counts.
//!
//! ```text
//!  {"org","device","file","size","modified","is":{"meant":{"sha256","behind"}}}   about to be brought
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
    pub(super) fn new(device: &Device, file: &files::File) -> Self {
        Self {
            org: device.org.clone(),
            device: device.name.clone(),
            file: hex::encode(file.name.as_bytes()),
            size: file.size,
            modified: file.modified.map_or(0, jiff::Timestamp::as_second),
        }
    }
}

/// How far it is with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Progress {
    /// It may be in the log, behind a sequence.
    Meant {
        /// The bundle, in hexadecimal.
        sha256: String,
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
    known: HashMap<Found, Progress>,
}

impl Journal {
    /// Reads what was kept; a line that was cut off counts as none.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut known = HashMap::new();
        match File::open(path) {
            Ok(file) => {
                for line in io::BufRead::split(BufReader::new(file), b'\n') {
                    let Ok(Line { found, is }) = serde_json::from_slice(&line?) else { continue };
                    match is {
                        Progress::Gone => drop(known.remove(&found)),
                        is => drop(known.insert(found, is)),
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let file = write_anew(path, &known)?;
        Ok(Self { path: path.to_owned(), kept: Mutex::new(Kept { file, lines: known.len(), known }) })
    }

    /// How far it is with a file; none where nothing is known.
    pub(super) fn get(&self, found: &Found) -> Option<Progress> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).known.get(found).cloned()
    }

    /// Keeps how far it is with a file.
    pub(super) fn put(&self, found: &Found, is: Progress) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = serde_json::to_vec(&Line { found: found.clone(), is: is.clone() })?;
        line.push(b'\n');
        kept.file.write_all(&line)?;
        kept.lines += 1;
        match is {
            Progress::Gone => drop(kept.known.remove(found)),
            is => drop(kept.known.insert(found.clone(), is)),
        }
        if kept.lines > LINES_MOST + 2 * kept.known.len() {
            kept.file = write_anew(&self.path, &kept.known)?;
            kept.lines = kept.known.len();
        }
        Ok(())
    }

    /// The files of a device of which something is known.
    pub(super) fn of(&self, device: &Device) -> Vec<Found> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of = |found: &&Found| found.org == device.org && found.device == device.name;
        kept.known.keys().filter(is_of).cloned().collect()
    }
}

/// Writes what counts into a file that takes the place of the one there is, to be gone on with.
fn write_anew(path: &Path, known: &HashMap<Found, Progress>) -> io::Result<File> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    let mut lines = Vec::new();
    for (found, is) in known {
        serde_json::to_writer(&mut lines, &Line { found: found.clone(), is: is.clone() })?;
        lines.push(b'\n');
    }
    file.write_all(&lines)?;
    std::fs::rename(&fresh, path)?;
    Ok(file)
}
