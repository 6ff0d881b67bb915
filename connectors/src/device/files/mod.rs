//! Files on a device, over SFTP: listed, read, moved, removed in one directory and nowhere else.
//!
//! The device is not trusted: names that lead elsewhere are no names, lists are bounded, and so is what lies in memory
//! of a file that is read. What a file means is not known here.

mod exchange;
mod fault;
mod many;
mod name;
#[cfg(any(test, feature = "fuzz"))]
pub(in crate::device) mod property;
mod reader;

pub(in crate::device) mod packet;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

pub use fault::Error;
pub use name::{Name, NameFault};
pub use reader::Reader;

use super::limits::{Clock, Limits};
use super::ssh::{Channel, Connection};
use packet::{Attributes, VERSION, Writing, flags, kind, status};

/// How many names that are none are told of a list.
const FAULTS_MOST: usize = 16;
/// How much is written at a time, in bytes.
const PIECE: usize = 32 * 1024;

/// The files of one directory of a device.
#[derive(Debug)]
pub struct Files {
    channel: Channel,
    /// Without a `/` at its end, so that of the root nothing is left.
    directory: String,
    inbox: BytesMut,
    last_id: u32,
    /// Files that nobody reads any more, but that are open.
    abandoned: Vec<Bytes>,
    is_broken_off: bool,
}

/// A regular file of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: Name,
    /// How many bytes it has.
    pub size: u64,
    /// When it was changed last, by the device's clock; none where the device does not say.
    pub modified: Option<Timestamp>,
}

/// What is in a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The regular files, by name.
    pub files: Vec<File>,
    /// Names that are none, as they are shown; the first 16.
    pub faults: Vec<(String, NameFault)>,
    /// How many entries are no regular files: directories, links, devices.
    pub others: usize,
    /// Whether there are more entries than were looked at.
    pub is_cut: bool,
}

/// What is read of a file.
#[derive(Debug, Clone, Copy)]
struct Course {
    from: u64,
    expected: u64,
    limits: Limits,
    clock: Clock,
}

impl Files {
    /// Opens a channel for files, to work in a directory. It begins with `/`; that it is there is not asked.
    ///
    /// # Errors
    /// The directory is none, the device opens no channel or has no SFTP, a limit ran out.
    pub async fn open(connection: &Connection, directory: &str, limits: &Limits) -> Result<Self, Error> {
        let directory = checked(directory)?;
        let clock = Clock::start(*limits);
        let channel = clock.wait(connection.subsystem("sftp")).await??;
        let (inbox, abandoned) = (BytesMut::new(), Vec::new());
        let mut files = Self { channel, directory, inbox, last_id: 0, abandoned, is_broken_off: false };
        files.send(Writing::new(kind::INIT, VERSION), &clock).await?;
        match files.receive(&clock).await? {
            (VERSION.., kind::VERSION, _) => Ok(files),
            (_, kind::VERSION, _) => Err(Error::Garbled("it speaks a version before 3")),
            _ => Err(Error::Garbled("it does not say its version")),
        }
    }

    /// What is in the directory; at most so many entries are looked at.
    ///
    /// # Errors
    /// As [`list_wanted`](Self::list_wanted).
    pub async fn list(&mut self, most: usize, limits: &Limits) -> Result<Listing, Error> {
        self.list_wanted(|_| true, most, limits).await
    }

    /// What is in the directory of the names that are wanted; at most so many of these are looked at.
    ///
    /// # Errors
    /// The directory is not there or not ours to read, a limit ran out, the connection failed.
    pub async fn list_wanted(
        &mut self,
        is_wanted: impl Fn(&[u8]) -> bool,
        most: usize,
        limits: &Limits,
    ) -> Result<Listing, Error> {
        let clock = Clock::start(*limits);
        let directory = if self.directory.is_empty() { "/" } else { &self.directory }.to_owned();
        let ask = Writing::new(kind::OPENDIR, self.id()).bytes(directory.as_bytes());
        let handle = self.handle(ask, &directory, &clock).await?;
        // From here on it is open, whatever comes.
        self.abandoned.push(handle.clone());
        let mut listing = Listing::default();
        let mut files = BTreeMap::new();
        let mut seen = 0;
        while !listing.is_cut {
            let id = self.id();
            self.send(Writing::new(kind::READDIR, id).bytes(&handle), &clock).await?;
            let (kind, mut packet) = self.answer(id, &clock).await?;
            if kind != kind::NAME {
                match Self::judge(kind, &mut packet, &directory)? {
                    status::END => break,
                    _ => return Err(Error::Garbled("a list without entries")),
                }
            }
            for entry in exchange::entries(packet)? {
                if matches!(entry.name.as_ref(), b"." | b"..") || !is_wanted(&entry.name) {
                    continue;
                }
                seen += 1;
                listing.is_cut = seen > most;
                if listing.is_cut {
                    break;
                }
                self.sort(entry, &mut listing, &mut files, &clock).await?;
            }
        }
        listing.files = files.into_values().collect();
        self.close_abandoned(&clock).await?;
        Ok(listing)
    }

    /// Puts an entry where it belongs.
    async fn sort(
        &mut self,
        entry: exchange::Entry,
        listing: &mut Listing,
        files: &mut BTreeMap<Name, File>,
        clock: &Clock,
    ) -> Result<(), Error> {
        let name = match Name::new(entry.name.clone()) {
            Ok(name) => name,
            Err(fault) => {
                if listing.faults.len() < FAULTS_MOST {
                    let shown = name::shown(entry.name.get(..256).unwrap_or(&entry.name));
                    listing.faults.push((shown, fault));
                }
                return Ok(());
            }
        };
        let attributes = match entry.attributes.is_regular() {
            Some(_) => entry.attributes,
            None => match self.attributes(&name, clock).await {
                Ok(attributes) => attributes,
                Err(Error::Vanished(_)) => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        match attributes.is_regular() {
            Some(true) => drop(files.insert(name.clone(), file(name, &attributes))),
            _ => listing.others += 1,
        }
        Ok(())
    }

    /// What is known of a file; none where it is no regular one.
    ///
    /// # Errors
    /// It is not there, a limit ran out, the connection failed.
    pub async fn look(&mut self, name: &Name, limits: &Limits) -> Result<Option<File>, Error> {
        let attributes = self.attributes(name, &Clock::start(*limits)).await?;
        Ok(regular(name, &attributes))
    }

    /// Reads a file from a byte on, and no other that a link leads to in its place. How long it is `expected` to be says how much is asked for ahead and nothing else:
    /// it is read to its end, or to the limit of bytes.
    ///
    /// # Errors
    /// It is not there or not ours to read, a limit ran out, the connection failed.
    pub async fn read(&mut self, name: &Name, from: u64, expected: u64, limits: &Limits) -> Result<Reader<'_>, Error> {
        let clock = Clock::start(*limits);
        let shown = name.to_string();
        let ask = Writing::new(kind::OPEN, self.id()).bytes(&self.path(name)).number(flags::READ).number(0);
        let handle = self.handle(ask, &shown, &clock).await?;
        if let Err(error) = self.is_named(&handle, name, &clock).await {
            self.abandoned.push(handle);
            return Err(error);
        }
        Ok(Reader::new(self, shown, handle, Course { from, expected, limits: *limits, clock }))
    }

    /// Writes a file whole, over one that is there. Broken off, a part of it may be there.
    ///
    /// # Errors
    /// It may not be written, there is no room, a limit ran out, the connection failed.
    pub async fn write(&mut self, name: &Name, bytes: &[u8], limits: &Limits) -> Result<(), Error> {
        let clock = Clock::start(*limits);
        let shown = name.to_string();
        let how = flags::WRITE | flags::CREATE | flags::TRUNCATE;
        let ask = Writing::new(kind::OPEN, self.id()).bytes(&self.path(name)).number(how).number(0);
        let handle = self.handle(ask, &shown, &clock).await?;
        self.abandoned.push(handle.clone());
        let mut offset = 0_u64;
        for piece in bytes.chunks(PIECE) {
            let ask = Writing::new(kind::WRITE, self.id()).bytes(&handle).long(offset).bytes(piece);
            self.done(ask, &shown, &clock).await?;
            offset = offset.saturating_add(piece.len() as u64);
        }
        self.abandoned.retain(|open| *open != handle);
        self.close(handle, &clock).await
    }

    /// Removes a file.
    ///
    /// # Errors
    /// It is not there or not ours to remove, a limit ran out, the connection failed.
    pub async fn remove(&mut self, name: &Name, limits: &Limits) -> Result<(), Error> {
        let ask = Writing::new(kind::REMOVE, self.id()).bytes(&self.path(name));
        self.done(ask, &name.to_string(), &Clock::start(*limits)).await
    }

    /// Moves a file into a directory, under a name that is not taken there: devices refuse to replace.
    ///
    /// # Errors
    /// The directory is none, the file is not there or not ours to move, the name is taken, a limit ran out, the
    /// connection failed.
    pub async fn move_to(&mut self, name: &Name, directory: &str, to: &Name, limits: &Limits) -> Result<(), Error> {
        let to = joined(&checked(directory)?, to);
        let ask = Writing::new(kind::RENAME, self.id()).bytes(&self.path(name)).bytes(&to);
        self.done(ask, &name.to_string(), &Clock::start(*limits)).await
    }

    /// Whether what is open is the file of a name, and not what a link led to that stood there when it was opened.
    async fn is_named(&mut self, handle: &Bytes, name: &Name, clock: &Clock) -> Result<(), Error> {
        let (opened, named) = (self.id(), self.id());
        self.send(Writing::new(kind::FSTAT, opened).bytes(handle), clock).await?;
        self.send(Writing::new(kind::LSTAT, named).bytes(&self.path(name)), clock).await?;
        let opened = self.attributes_of(opened, name, clock).await?;
        let named = self.attributes_of(named, name, clock).await?;
        match opened.is_of(&named) {
            true => Ok(()),
            false => Err(Error::Vanished(name.to_string())),
        }
    }

    async fn attributes(&mut self, name: &Name, clock: &Clock) -> Result<Attributes, Error> {
        let id = self.id();
        self.send(Writing::new(kind::LSTAT, id).bytes(&self.path(name)), clock).await?;
        self.attributes_of(id, name, clock).await
    }

    /// The attributes that a request was answered with.
    async fn attributes_of(&mut self, id: u32, name: &Name, clock: &Clock) -> Result<Attributes, Error> {
        let (kind, mut packet) = self.answer(id, clock).await?;
        if kind == kind::ATTRS {
            return packet.attributes().ok_or(Error::Garbled("attributes that are cut off"));
        }
        Self::judge(kind, &mut packet, &name.to_string())?;
        Err(Error::Garbled("a success without attributes"))
    }

    fn path(&self, name: &Name) -> Vec<u8> {
        joined(&self.directory, name)
    }
}

/// A directory that leads nowhere but where it says, without a `/` at its end.
fn checked(directory: &str) -> Result<String, Error> {
    let is_good = directory.starts_with('/')
        && directory.len() < 4096
        && !directory.contains('\0')
        && !directory.split('/').any(|part| part == "..");
    match is_good {
        true => Ok(directory.trim_end_matches('/').to_owned()),
        false => Err(Error::Directory(crate::text::excerpt(directory, 200))),
    }
}

fn joined(directory: &str, name: &Name) -> Vec<u8> {
    [directory.as_bytes(), b"/", name.as_bytes()].concat()
}

/// A file by its attributes; none where it is no regular one.
fn regular(name: &Name, attributes: &Attributes) -> Option<File> {
    attributes.is_regular().unwrap_or(false).then(|| file(name.clone(), attributes))
}

fn file(name: Name, attributes: &Attributes) -> File {
    let modified = attributes.modified_s.and_then(|second| Timestamp::from_second(i64::from(second)).ok());
    File { name, size: attributes.size.unwrap_or(0), modified }
}
