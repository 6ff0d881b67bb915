//! Whether an export is the log that it says it is: offline, in one pass, in memory that grows with its faults alone.
//!
//! | what was done to the export | what tells it |
//! |---|---|
//! | a record's bytes were changed | its hash in the same line: the record is named |
//! | lines were removed, moved, repeated, added, cut off at the end | the indexes: the records are named |
//! | and the lines numbered anew | the index within each record: the first that differs is named |
//! | and the records too, with new hashes | the root: it is not that of the checkpoint which the export brings |
//! | and a new checkpoint made | its signature, with the key; a checkpoint that was kept, even without |
//! | bodies were taken out, not by age | its checkpoint says from which record on they are there: the records are named |
//! | a log was taken out, of an export of several | the first line names them all; a checkpoint of it that was kept |
//!
//! A root says that there is another record, not which. It is one behind the last checkpoint that agrees and before the
//! first that does not: who keeps checkpoints often has it narrow. What stands for people only (`detail`) is proved by
//! nothing. A checkpoint of before they said from where on bodies are there cannot tell of an export whose front has none
//! whether that is age: then it is not said to be whole. Whoever has the engine's key can sign that more had aged.

mod fault;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read as _};

use linesman_domain::audit::{Hash, Head};
use serde::Deserialize;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::export::{FORMAT, Header, Line};
use super::key::VerifierKey;
pub use fault::Fault;

/// The longest line, in bytes.
const LINE_MOST: u64 = 64 * 1024 * 1024;
/// How many faults are told; the others are counted.
const FAULTS_MOST: usize = 100;
/// How many logs are read; what stands behind is no line of the last.
const LOGS_MOST: usize = 1_000;
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
    /// From which record on there are bodies, as the export's checkpoint says; none where it does not.
    pub bodies: Option<u64>,
    /// How many checkpoints agree, the export's own among them.
    pub agreeing: usize,
    /// What is wrong, in the order in which it was found: at most `FAULTS_MOST`.
    pub faults: Vec<Fault>,
    /// How many faults more there are.
    pub more: u64,
}

impl Report {
    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_MOST {
            self.faults.push(fault);
        } else {
            self.more += 1;
        }
    }
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

/// Reads an export, and holds each log of it against itself, its checkpoint and those that were kept. Without a key no
/// signature is checked: what somebody made anew as a whole is then found by kept checkpoints alone.
///
/// The reports of its logs, in their order; at least one.
///
/// # Errors
/// It cannot be read, or is no whole log.
pub fn verify(mut export: impl BufRead, kept: &[Kept], key: Option<&VerifierKey>) -> Result<Vec<Report>, VerifyError> {
    let mut kept: Vec<Held> = kept.iter().map(|kept| Held::read(kept, key)).collect();
    let mut line = Vec::new();
    if !read_line(&mut export, &mut line)? {
        return Err(VerifyError::NoHeader);
    }
    let first = read_header(&line).ok_or(VerifyError::NoHeader)?;
    let named: Vec<String> = first.logs.iter().map(ToString::to_string).collect();
    let (mut reports, mut pass) = (Vec::new(), Pass::begin(&first, &mut kept, key));
    let mut number = 1;
    while read_line(&mut export, &mut line)? {
        number += 1;
        if let Ok(line) = serde_json::from_slice::<Line<'_>>(&line) {
            pass.record(&line);
        } else if let Some(header) = read_header(&line).filter(|_| reports.len() < LOGS_MOST) {
            let next = Pass::begin(&header, &mut kept, key);
            reports.push(std::mem::replace(&mut pass, next).end());
        } else {
            pass.report.fault(Fault::Unreadable { line: number });
        }
    }
    reports.push(pass.end());
    hold_together(&mut reports, named, kept);
    Ok(reports)
}

/// A checkpoint that was kept, as it is held against the logs.
struct Held {
    name: String,
    read: Result<Checkpoint, CheckpointError>,
    /// Whether its log was there.
    is_used: bool,
}

impl Held {
    fn read(kept: &Kept, key: Option<&VerifierKey>) -> Self {
        Self { name: kept.name.clone(), read: Checkpoint::read(&kept.note, key), is_used: false }
    }

    /// Why it says nothing about any log that was there.
    fn fault(self) -> Option<Fault> {
        let Self { name, read, is_used } = self;
        match read {
            Ok(checkpoint) => (!is_used).then_some(Fault::Foreign { name, origin: checkpoint.origin }),
            Err(why) => Some(Fault::Checkpoint { name, why }),
        }
    }
}

/// The first line of a log.
fn read_header(line: &[u8]) -> Option<Header<'_>> {
    // A name is told as it stands there: it is one line.
    let is_named = |header: &Header<'_>| !header.origin.chars().any(char::is_control);
    serde_json::from_slice(line).ok().filter(|header: &Header<'_>| header.format == FORMAT && is_named(header))
}

/// What is wrong with the logs of an export taken together: told with the first of them, where it is of none.
fn hold_together(reports: &mut [Report], named: Vec<String>, kept: Vec<Held>) {
    let mut seen = BTreeSet::new();
    for report in &mut *reports {
        if !seen.insert(report.origin.clone()) {
            report.fault(Fault::LogAgain);
        }
    }
    let Some(first) = reports.first_mut() else { return };
    named.into_iter().filter(|origin| !seen.contains(origin)).for_each(|origin| first.fault(Fault::NoLog { origin }));
    first.faults.splice(0..0, kept.into_iter().filter_map(Held::fault));
    first.more += first.faults.len().saturating_sub(FAULTS_MOST) as u64;
    first.faults.truncate(FAULTS_MOST);
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
    /// The last record without a body before the first that has one, where no checkpoint says of it.
    unsaid: Option<u64>,
}

impl Pass {
    fn begin(header: &Header<'_>, kept: &mut [Held], key: Option<&VerifierKey>) -> Self {
        let report = Report {
            origin: header.origin.to_string(),
            size: header.size,
            root: header.root,
            aged: 0,
            bodies: None,
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
            unsaid: None,
        };
        let stated =
            Checkpoint { origin: header.origin.to_string(), size: header.size, root: header.root, bodies: None };
        let own = Checkpoint::read(&header.checkpoint, key);
        if own.as_ref().is_ok_and(|own| !own.is_same_tree(&stated)) {
            pass.report.fault(Fault::Header);
        }
        let name = OWN.to_owned();
        match own {
            Ok(own) if own.origin != pass.report.origin => {
                pass.report.fault(Fault::Foreign { name, origin: own.origin });
            }
            Ok(own) => {
                pass.report.bodies = own.bodies;
                pass.awaited.push((name, own));
            }
            Err(why) => pass.report.fault(Fault::Checkpoint { name, why }),
        }
        for held in kept {
            if let Some(checkpoint) = held.read.as_ref().ok().filter(|read| read.origin == pass.report.origin) {
                held.is_used = true;
                pass.awaited.push((held.name.clone(), checkpoint.clone()));
            }
        }
        pass.awaited.sort_by_key(|(_, checkpoint)| checkpoint.size);
        pass.compare();
        pass
    }

    fn record(&mut self, line: &Line<'_>) {
        self.body(line);
        let (index, size) = (line.index, self.report.size);
        if index >= size {
            self.report.fault(Fault::Added { index, size });
        } else if index < self.next {
            let fault = if self.was_missing(index) { Fault::Moved { index } } else { Fault::Repeated { index } };
            self.report.fault(fault);
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
            match self.report.bodies {
                Some(from) if index >= from => self.report.fault(Fault::Emptied { index, from }),
                Some(_) => {}
                None if self.has_body => self.report.fault(Fault::EmptiedBehind { index }),
                None => self.unsaid = self.unsaid.max(Some(index)),
            }
            return;
        };
        self.has_body = true;
        if Hash::of_leaf(record.as_bytes()) != line.leaf {
            self.report.fault(Fault::Changed { index });
        }
        match serde_json::from_str::<Own>(record) {
            Ok(Own { index: own }) if own == index => {}
            Ok(Own { index: own }) => self.report.fault(Fault::Renumbered { index, own }),
            Err(_) => self.report.fault(Fault::Changed { index }),
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
        let (size, there) = (self.report.size, self.next);
        if there < size {
            self.missing.insert(there, size - 1);
        }
        for (from, to) in std::mem::take(&mut self.missing) {
            self.report.fault(Fault::Missing { from, to });
        }
        if self.head.size() < size && self.agreed < there {
            self.report.fault(Fault::Unproved { from: self.agreed, to: there - 1 });
        }
        if let Some(to) = self.unsaid {
            self.report.fault(Fault::Unsaid { to });
        }
        // Those that the tree has not reached: what is missing was told above, if the first line knows of it.
        for (name, checkpoint) in std::mem::take(&mut self.awaited) {
            if checkpoint.size > size {
                self.report.fault(Fault::Shortened { name, size: checkpoint.size, found: size });
            }
        }
        let (from, to) = (self.agreed, self.disagreed.unwrap_or_default().saturating_sub(1));
        for name in std::mem::take(&mut self.disagreeing) {
            self.report.fault(Fault::Rewritten { name, from, to });
        }
        self.report
    }
}
