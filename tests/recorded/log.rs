//! The recorded logs of `tests/fixtures/logs`, read whole, and lanes that decide them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use linesman::record::format::{Entry, Header};
use linesman::record::reader::Reader;
use linesman::record::replay::{Replica, Shelf};
use linesman_domain::level::LEVELS;
use linesman_domain::position::POSITION;
use linesman_domain::reached::SERIALS;
use linesman_domain::spans::SPANS;
use linesman_domain::state::{Base, Memory};
use linesman_domain::table::Upgradable;
use linesman_domain::{Decision, TABLES};
use linesman_tests::root;
use sha2::{Digest, Sha256};

/// After how many inputs of a lane its digests are compared.
const EVERY: usize = 100;

/// The levels that this program decides at.
pub(crate) fn levels() -> impl Iterator<Item = u32> {
    LEVELS
}

/// A recorded log.
pub(crate) struct Log {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) header: Header,
    pub(crate) lanes: BTreeMap<u32, Vec<Entry>>,
}

impl Log {
    pub(crate) fn open(name: &str) -> Self {
        Self::read(&root().join("tests/fixtures/logs").join(name))
    }

    fn read(dir: &Path) -> Self {
        let reader = Reader::open(dir).unwrap();
        let header = reader.header().clone();
        let mut lanes: BTreeMap<u32, Vec<Entry>> = (0..header.lanes).map(|lane| (lane, Vec::new())).collect();
        for entry in reader {
            let entry = entry.unwrap();
            lanes.entry(entry.lane).or_default().push(entry);
        }
        let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
        Self { name, dir: dir.to_owned(), header, lanes }
    }

    /// All logs there are, in order of name.
    pub(crate) fn all() -> Vec<Self> {
        let found = fs::read_dir(root().join("tests/fixtures/logs")).unwrap().map(|entry| entry.unwrap().path());
        let mut dirs: Vec<PathBuf> = found.filter(|path| path.is_dir()).collect();
        dirs.sort();
        dirs.iter().map(|dir| Self::read(dir)).collect()
    }

    pub(crate) fn shelf(&self) -> Shelf {
        Shelf::of_log(&self.dir).unwrap()
    }

    pub(crate) fn open_lane(&self, base: Box<dyn Base>, lane: u32, shelf: &mut Shelf) -> Replica {
        Replica::open(base, lane, &self.header.stream, shelf).unwrap()
    }

    /// Decides all lanes on memory, which begin at a level and may be raised by the log; a line for each hundredth input of a lane and for its last:
    /// `<lane> <sequence> <digest of events> <digest of rows>`.
    ///
    /// With `reopens` the state is closed and opened again after every so many inputs.
    pub(crate) fn decide(&self, level: u32, reopens: Option<usize>, mut saw: impl FnMut(&Decision)) -> String {
        let mut lines = String::new();
        for (lane, entries) in &self.lanes {
            let memory = Memory::default();
            let mut shelf = self.shelf();
            let mut replica = self.open_lane(Box::new(memory.handle()), *lane, &mut shelf);
            replica.raise(level).unwrap();
            for (number, entry) in (1..).zip(entries) {
                replica.decide(entry, &mut shelf).unwrap();
                let is_compared = number % EVERY == 0 || number == entries.len();
                let is_reopened = reopens.is_some_and(|every| number % every == 0);
                if !is_compared && !is_reopened {
                    continue;
                }
                let decision = replica.take().unwrap();
                memory.apply(&decision.writes);
                replica.applied(&decision.writes);
                saw(&decision);
                if is_reopened {
                    replica = self.open_lane(Box::new(memory.handle()), *lane, &mut shelf);
                }
                if is_compared {
                    let position = replica.position();
                    let (events, rows) = (hex(&position.digest), hex(&rows_digest(position.level, &memory)));
                    lines.push_str(&format!("{lane} {} {events} {rows}\n", entry.message.sequence));
                }
            }
        }
        lines
    }
}

/// The digest of a lane's rows, in the form that belongs to the level.
///
/// SHA-256 over all keys and forms, each behind its length; from level 2 on without the position, which has the digest
/// of events, and at any without spans, which say of the log by what it is known again.
pub(crate) fn rows_digest(level: u32, memory: &Memory) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for (key, value) in memory.rows() {
        let table = TABLES.iter().find(|table| table.letter() == key[0]).unwrap();
        let is_position = level >= 2 && table.letter() == POSITION.letter();
        let is_span = table.letter() == SPANS.letter();
        if is_position || is_span || (table.letter() == SERIALS.letter() && is_by_name_or_address(&key)) {
            continue;
        }
        let form = table.form(level, &key, &value).unwrap();
        for bytes in [key, form] {
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(&bytes);
        }
    }
    hasher.finalize().into()
}

/// Whether a row of the index of devices is one by host name or by address: it says nothing that the devices' rows do not, and
/// released levels were recorded without.
fn is_by_name_or_address(key: &[u8]) -> bool {
    let own = key.iter().position(|byte| *byte == 0).and_then(|end| key.get(end + 1..)).unwrap_or_default();
    let Some((length, named)) = own.split_first_chunk::<4>() else { return false };
    matches!(named.get(u32::from_be_bytes(*length) as usize), Some(2 | 3))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
