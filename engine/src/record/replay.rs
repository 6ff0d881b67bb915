//! Recorded inputs, decided again: the lane's own decoding and deciding, on whatever state is given.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;
use linesman_domain::directory::Directory;
use linesman_domain::input::{Content, Input, Provided, RuleBook};
use linesman_domain::position::Position;
use linesman_domain::services::Catalog;
use linesman_domain::state::{Base, Writes};
use linesman_domain::{self as domain, Decision, Domain, Parts};
use linesman_rules::{Judge, Limits};
use linesman_schemas::control::{ClockReading, Control, InstallationSection, RuleBookRef, Section, SettingsSection};
use linesman_schemas::directory::DirectorySection;
use linesman_schemas::lane_override::Override;
use serde::de::DeserializeOwned;

use super::format::Entry;
use super::reader::Reader;
use super::{Error, book, overrides};
use crate::lane::decode::{self, Named};
use crate::log::books::{self, Policies, Ready};

/// The largest payload of a message in OUT: what lanes have on every server that is accepted.
const PAYLOAD_MOST: usize = 512 * 1024;

/// The rule books of a recorded log, read when they are first named.
pub struct Shelf {
    dir: PathBuf,
    /// By the contents of their sections.
    ready: HashMap<Vec<Option<String>>, Ready>,
    /// What the clocks said, by lane and place.
    readings: BTreeMap<u32, Vec<(u64, ClockReading)>>,
    judge: Rc<RefCell<Judge>>,
}

impl Shelf {
    /// The rule books of the log in a folder.
    pub fn new(dir: &Path) -> Self {
        let judge = Rc::new(RefCell::new(Judge::new(Limits::default())));
        Self { dir: dir.to_owned(), ready: HashMap::new(), readings: BTreeMap::new(), judge }
    }

    /// The same of a log that is whole: what the clocks said in it is known before it is decided.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn of_log(dir: &Path) -> Result<Self, Error> {
        let mut shelf = Self::new(dir);
        for entry in Reader::open(dir)? {
            let Entry { lane, message } = entry?;
            let control = Some(&message).filter(|message| message.subject == "ctl");
            if let Some(Ok(Control::Clock(reading))) = control.map(|message| serde_json::from_slice(&message.payload)) {
                shelf.readings.entry(lane).or_default().push((message.sequence, reading));
            }
        }
        Ok(shelf)
    }

    fn get(&mut self, named: RuleBookRef) -> Result<RuleBook, Error> {
        let of: Vec<_> = Section::ALL.iter().map(|section| named.content(*section).map(str::to_owned)).collect();
        let ready = match self.ready.get(&of) {
            Some(ready) => ready.clone(),
            None => {
                let hash = |section| named.content(section).unwrap_or_default();
                let settings = self.content::<SettingsSection>(hash(Section::Settings))?.settings;
                let directory = match named.content(Section::Directory) {
                    Some(hash) => self.content(hash)?,
                    None => DirectorySection::default(),
                };
                let policies = Policies::of(self.content(hash(Section::Policies))?);
                let services = match named.content(Section::Services) {
                    Some(hash) => Arc::new(Catalog::of(self.content(hash)?)),
                    None => Arc::default(),
                };
                let installation = match named.content(Section::Installation) {
                    Some(hash) => self.content::<InstallationSection>(hash)?,
                    None => InstallationSection::default(),
                };
                let directory = Arc::new(Directory::of(directory));
                let ready = Ready { policies, settings, directory, services, installation };
                self.ready.insert(of, ready.clone());
                ready
            }
        };
        Ok(ready.under(named))
    }

    /// What was decided of a lane's inputs outside their order.
    fn overrides(&self, lane: u32) -> Result<Vec<Override>, Error> {
        let path = overrides(&self.dir);
        let content = match std::fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(Error::File { path, source }),
        };
        let all: Vec<Override> = serde_json::from_slice(&content)
            .map_err(|error| Error::File { path, source: io::Error::new(ErrorKind::InvalidData, error) })?;
        Ok(all.into_iter().filter(|one| one.lane == lane).collect())
    }

    fn content<T: DeserializeOwned>(&self, hash: &str) -> Result<T, Error> {
        Ok(books::unpack(hash, &self.bytes(hash)?)?)
    }

    fn bytes(&self, hash: &str) -> Result<Vec<u8>, Error> {
        // A hash that is none must not name other files.
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let path = book(&self.dir, if is_hash { hash } else { "no-hash" });
        std::fs::read(&path).map_err(Error::file(&path))
    }
}

/// A lane that decides recorded inputs.
pub struct Replica {
    domain: Domain,
}

impl Replica {
    /// Takes up a lane of the IN that was created at `stream`, where `base` stands.
    ///
    /// # Errors
    /// The state cannot be read, or names a rule book that is not on the shelf.
    pub fn open(base: Box<dyn Base>, lane: u32, stream: &str, shelf: &mut Shelf) -> Result<Self, Error> {
        let fault = |source| Error::Decide { sequence: 0, source };
        let book = match domain::rule_book::read(&*base).map_err(fault)? {
            Some(row) => Some(shelf.get(row.reference())?),
            None => None,
        };
        let judge = Rc::clone(&shelf.judge);
        let parts =
            Parts { lane, stream: stream.to_owned(), payload_most: PAYLOAD_MOST, judge, book, room: Arc::default() };
        let mut domain = Domain::open(base, parts).map_err(fault)?;
        domain.override_with(shelf.overrides(lane)?);
        for (sequence, reading) in shelf.readings.get(&lane).into_iter().flatten() {
            domain.read_ahead(*sequence, *reading);
        }
        Ok(Self { domain })
    }

    /// Lets a lane that has decided nothing begin at a level.
    ///
    /// # Errors
    /// This program does not know the level.
    pub fn raise(&mut self, level: u32) -> Result<(), Error> {
        if level == self.domain.position().level {
            return Ok(());
        }
        let input = Input {
            sequence: 0,
            time: Timestamp::UNIX_EPOCH,
            sha256: [0; 32],
            org: "",
            kind: "ctl",
            bytes: b"",
            content: Content::Level(level),
        };
        self.domain.decide(&input).map_err(|source| Error::Decide { sequence: 0, source })
    }

    /// Whether the lane has to be told the first reading of the clocks behind an input before it decides that.
    pub fn asks_time(&self, entry: &Entry) -> bool {
        self.domain.asks_time(&decode::read(&entry.message).0)
    }

    /// Tells the lane a reading that lies ahead, and before which there is none.
    pub fn read_ahead(&mut self, sequence: u64, reading: ClockReading) {
        self.domain.read_ahead(sequence, reading);
    }

    /// Decides an input of the lane.
    ///
    /// # Errors
    /// It names a content that is not on the shelf, or the machine fails.
    pub fn decide(&mut self, entry: &Entry, shelf: &mut Shelf) -> Result<(), Error> {
        let (mut input, named) = decode::read(&entry.message);
        match named {
            Some(Named::RuleBook(named)) => input.content = Content::RuleBook(shelf.get(named)?),
            Some(Named::Intelligence(named)) => {
                let content = shelf.bytes(&named.sha256)?;
                input.content = Content::Provided(Box::new(Provided::read(named, &content)));
            }
            None => {}
        }
        let sequence = entry.message.sequence;
        self.domain.decide(&input).map_err(|source| Error::Decide { sequence, source })
    }

    /// Takes what was decided since the last time.
    ///
    /// # Errors
    /// A row has no form.
    pub fn take(&mut self) -> Result<Decision, Error> {
        let sequence = self.domain.position().sequence;
        self.domain.take().map_err(|source| Error::Decide { sequence, source })
    }

    /// Forgets what the base now holds itself.
    pub fn applied(&mut self, writes: &Writes) {
        self.domain.applied(writes);
    }

    /// Where the lane stands.
    pub fn position(&self) -> &Position {
        self.domain.position()
    }
}
