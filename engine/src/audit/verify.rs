//! Whether an export is the log that it says it is: offline, in one pass, in memory that grows with its faults alone.
//!
//! | what was done to the export | what tells it |
//! |---|---|
//! | a record's bytes were changed | its hash in the same line: the record is named |
//! | lines were removed, moved, repeated, added, cut off at the end | the indexes: the records are named |
//! | and the lines numbered anew | the index within each record: the first that differs is named |
//! | and the records too, with new hashes | the root: it is not that of the checkpoint which the export brings |
//! | and a new checkpoint made | its signature, with the key; a checkpoint that was kept, even without |
//! | bodies were taken out, not by age | a body before one that is missing |
//!
//! A root says that there is another record, not which. It is one behind the last checkpoint that agrees and before the
//! first that does not: who keeps checkpoints often has it narrow. What stands for people only (`detail`), and up to
//! which record bodies had aged, is proved by nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read as _};

use linesman_domain::audit::{Hash, Head};
use serde::Deserialize;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::export::{FORMAT, Header, Line};
use super::key::VerifierKey;

/// The longest line, in bytes.
const LINE_MOST: u64 = 64 * 1024 * 1024;
/// How many faults are told; the others are counted.
const FAULTS_MOST: usize = 100;
/// What the checkpoint is called that the export brings.
const OWN: &str = "the export's own";

/// A checkpoint that was kept, and what it is called.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What it is called: the file it was read from.
    pub name: String,
    /// The signed note.
    pub note: String,
}

/// What is wrong with an export. Shown in the user's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A line that is none of an export, counted from 1.
    Unreadable {
        /// Which.
        line: u64,
    },
    /// The record's bytes do not give its hash.
    Changed {
        /// Which.
        index: u64,
    },
    /// The record says of itself that it is another.
    Renumbered {
        /// As which it stands there.
        index: u64,
        /// Which it says it is.
        own: u64,
    },
    /// These records are not there.
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// The record stands behind a later one.
    Moved {
        /// Which.
        index: u64,
    },
    /// The record is there more than once.
    Repeated {
        /// Which.
        index: u64,
    },
    /// The record is one more than there are.
    Added {
        /// Which.
        index: u64,
        /// How many there are.
        size: u64,
    },
    /// The record has no body, though an older one has.
    Emptied {
        /// Which.
        index: u64,
    },
    /// The checkpoint is no evidence.
    Checkpoint {
        /// Which.
        name: String,
        /// Why.
        why: CheckpointError,
    },
    /// The checkpoint is one of another log.
    Foreign {
        /// Which.
        name: String,
        /// Of which log.
        origin: String,
    },
    /// The first line and the checkpoint in it disagree.
    Header,
    /// The log was longer when the checkpoint was signed.
    Shortened {
        /// Which.
        name: String,
        /// How many records it is of.
        size: u64,
        /// How many there are.
        found: u64,
    },
    /// One of these records is another than when the checkpoint was signed.
    Rewritten {
        /// Which.
        name: String,
        /// The first it may be.
        from: u64,
        /// The last.
        to: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { line } => write!(f, "line {line} is no line of an export"),
            Self::Changed { index } => write!(f, "record {index} was changed: it does not give its hash"),
            Self::Renumbered { index, own } => write!(f, "record {index} says that it is record {own}"),
            Self::Missing { from, to } if from == to => write!(f, "record {from} is missing"),
            Self::Missing { from, to } => write!(f, "records {from} to {to} are missing"),
            Self::Moved { index } => write!(f, "record {index} stands behind a later one"),
            Self::Repeated { index } => write!(f, "record {index} is there again"),
            Self::Added { index, size } => write!(f, "record {index} was added: the log has {size} records"),
            Self::Emptied { index } => write!(f, "record {index} was emptied: an older one still has its body"),
            Self::Checkpoint { name, why } => write!(f, "the checkpoint `{name}` proves nothing: {why}"),
            Self::Foreign { name, origin } => write!(f, "the checkpoint `{name}` is one of another log, `{origin}`"),
            Self::Header => f.write_str("the first line says something else than the checkpoint in it"),
            Self::Shortened { name, size, found } => {
                write!(f, "the checkpoint `{name}` is of {size} records; here the log has {found}")
            }
            Self::Rewritten { name, from, to } if from == to => {
                write!(f, "record {from} is another than when the checkpoint `{name}` was signed")
            }
            Self::Rewritten { name, from, to } => {
                write!(f, "one of the records {from} to {to} is another than when the checkpoint `{name}` was signed")
            }
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which log.
    pub origin: String,
    /// How many records it has, as its first line says.
    pub size: u64,
    /// The root that the first line states.
    pub root: Hash,
    /// How many records have their hash alone.
    pub aged: u64,
    /// How many checkpoints agree, the export's own among them.
    pub agreeing: usize,
    /// What is wrong, in the order in which it was found: at most `FAULTS_MOST`.
    pub faults: Vec<Fault>,
    /// How many faults more there are.
    pub more: u64,
}

/// Why nothing can be said about an export.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error("the export cannot be read")]
    Read(#[from] io::Error),
    /// It is no whole log.
    #[error(
        "the first line says of no whole log: only an export of one log, in lines of JSON and without filters, can be \
         verified"
    )]
    NoHeader,
}

/// Reads an export, and holds it against itself, its checkpoint and those that were kept. Without a key no signature is
/// checked: what somebody made anew as a whole is then found by kept checkpoints alone.
///
/// # Errors
/// It cannot be read, or is no whole log.
pub fn verify(mut export: impl BufRead, kept: &[Kept], key: Option<&VerifierKey>) -> Result<Report, VerifyError> {
    let mut line = Vec::new();
    if !read_line(&mut export, &mut line)? {
        return Err(VerifyError::NoHeader);
    }
    let header: Header<'_> = serde_json::from_slice(&line).map_err(|_| VerifyError::NoHeader)?;
    if header.format != FORMAT {
        return Err(VerifyError::NoHeader);
    }
    let mut pass = Pass::begin(&header, kept, key);
    let mut number = 1;
    while read_line(&mut export, &mut line)? {
        number += 1;
        match serde_json::from_slice::<Line<'_>>(&line) {
            Ok(line) => pass.record(&line),
            Err(_) => pass.fault(Fault::Unreadable { line: number }),
        }
    }
    Ok(pass.end())
}

/// Reads a line without its end; none at the end of all. One that is too long is read in pieces, which are no lines.
fn read_line(export: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let read = export.by_ref().take(LINE_MOST).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(read > 0)
}

/// What a record says of itself.
#[derive(Deserialize)]
struct Own {
    index: u64,
}

/// One pass over an export.
struct Pass {
    report: Report,
    /// The tree of the records so far, as long as none is missing.
    head: Head,
    /// The record that is next.
    next: u64,
    /// Those that were passed over: the first and the last, by the first.
    missing: BTreeMap<u64, u64>,
    /// Checkpoints to hold against it, the smallest first.
    awaited: Vec<(String, Checkpoint)>,
    /// The size up to which the records are those that were signed.
    agreed: u64,
    /// The checkpoints that do not agree; the size of the first.
    disagreeing: Vec<String>,
    disagreed: Option<u64>,
    has_body: bool,
}

impl Pass {
    fn begin(header: &Header<'_>, kept: &[Kept], key: Option<&VerifierKey>) -> Self {
        let report = Report {
            origin: header.origin.to_string(),
            size: header.size,
            root: header.root,
            aged: 0,
            agreeing: 0,
            faults: Vec::new(),
            more: 0,
        };
        let mut pass = Self {
            report,
            head: Head::default(),
            next: 0,
            missing: BTreeMap::new(),
            awaited: Vec::new(),
            agreed: 0,
            disagreeing: Vec::new(),
            disagreed: None,
            has_body: false,
        };
        let stated = Checkpoint { origin: header.origin.to_string(), size: header.size, root: header.root };
        let own = Checkpoint::read(&header.checkpoint, key);
        if own.as_ref().is_ok_and(|own| *own != stated) {
            pass.fault(Fault::Header);
        }
        pass.await_checkpoint(OWN, own);
        for Kept { name, note } in kept {
            pass.await_checkpoint(name, Checkpoint::read(note, key));
        }
        pass.awaited.sort_by_key(|(_, checkpoint)| checkpoint.size);
        pass.compare();
        pass
    }

    fn await_checkpoint(&mut self, name: &str, checkpoint: Result<Checkpoint, CheckpointError>) {
        let name = name.to_owned();
        match checkpoint {
            Ok(checkpoint) if checkpoint.origin != self.report.origin => {
                self.fault(Fault::Foreign { name, origin: checkpoint.origin });
            }
            Ok(checkpoint) => self.awaited.push((name, checkpoint)),
            Err(why) => self.fault(Fault::Checkpoint { name, why }),
        }
    }

    fn fault(&mut self, fault: Fault) {
        if self.report.faults.len() < FAULTS_MOST {
            self.report.faults.push(fault);
        } else {
            self.report.more += 1;
        }
    }

    fn record(&mut self, line: &Line<'_>) {
        self.body(line);
        let (index, size) = (line.index, self.report.size);
        if index >= size {
            self.fault(Fault::Added { index, size });
        } else if index < self.next {
            let fault = if self.was_missing(index) { Fault::Moved { index } } else { Fault::Repeated { index } };
            self.fault(fault);
        } else {
            if index > self.next {
                self.missing.insert(self.next, index - 1);
            }
            self.next = index + 1;
            // The tree is of the hashes as they are stated: so an edit that left its hash is told from other changes.
            if self.head.size() == index {
                self.head.append(line.leaf);
                self.compare();
            }
        }
    }

    /// What is wrong with a record by itself.
    fn body(&mut self, line: &Line<'_>) {
        let index = line.index;
        let Some(record) = line.record.map(serde_json::value::RawValue::get) else {
            self.report.aged += 1;
            if self.has_body {
                self.fault(Fault::Emptied { index });
            }
            return;
        };
        self.has_body = true;
        if Hash::of_leaf(record.as_bytes()) != line.leaf {
            self.fault(Fault::Changed { index });
        }
        match serde_json::from_str::<Own>(record) {
            Ok(Own { index: own }) if own == index => {}
            Ok(Own { index: own }) => self.fault(Fault::Renumbered { index, own }),
            Err(_) => self.fault(Fault::Changed { index }),
        }
    }

    /// Whether a record was passed over; from now on it no longer is.
    fn was_missing(&mut self, index: u64) -> bool {
        let Some((from, to)) = self.missing.range(..=index).next_back().map(|(from, to)| (*from, *to)) else {
            return false;
        };
        if to < index {
            return false;
        }
        self.missing.remove(&from);
        if from < index {
            self.missing.insert(from, index - 1);
        }
        if index < to {
            self.missing.insert(index + 1, to);
        }
        true
    }

    /// Holds the checkpoints of the tree's present size against it.
    fn compare(&mut self) {
        let size = self.head.size();
        let due = self.awaited.iter().take_while(|(_, checkpoint)| checkpoint.size <= size).count();
        for (name, checkpoint) in self.awaited.drain(..due).collect::<Vec<_>>() {
            if checkpoint.root == self.head.root() {
                self.report.agreeing += 1;
                if self.disagreed.is_none() {
                    self.agreed = size;
                }
            } else {
                self.disagreed.get_or_insert(size);
                self.disagreeing.push(name);
            }
        }
    }

    fn end(mut self) -> Report {
        let size = self.report.size;
        if self.next < size {
            self.missing.insert(self.next, size - 1);
        }
        for (from, to) in std::mem::take(&mut self.missing) {
            self.fault(Fault::Missing { from, to });
        }
        // Those that the tree has not reached: what is missing was told above, if the first line knows of it.
        for (name, checkpoint) in std::mem::take(&mut self.awaited) {
            if checkpoint.size > size {
                self.fault(Fault::Shortened { name, size: checkpoint.size, found: size });
            }
        }
        let (from, to) = (self.agreed, self.disagreed.unwrap_or_default().saturating_sub(1));
        for name in std::mem::take(&mut self.disagreeing) {
            self.fault(Fault::Rewritten { name, from, to });
        }
        self.report
    }
}
