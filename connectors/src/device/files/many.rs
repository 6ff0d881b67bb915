//! Several short files at a time: what is asked of each goes out together, so that a device that is far away is waited for
//! once for all of them.

use std::collections::{BTreeMap, HashMap};

use bytes::{Bytes, BytesMut};

use super::exchange::{PASSED_MOST, UNASKED};
use super::packet::{Attributes, Reading, Writing, flags, kind, status};
use super::{Error, File, Files, Name, regular};
use crate::device::limits::{Clock, Limits};

/// How much is asked for at a time, in bytes.
const PIECE: u64 = 32 * 1024;

/// What an answer is to: the file, and what was asked of it.
type Asked = HashMap<u32, (usize, What)>;

#[derive(Debug, Clone, Copy)]
enum What {
    /// What is open.
    Opened,
    /// What the name leads to.
    Named,
    /// Where a piece begins, and how long it is.
    Piece(u64, u64),
}

/// A file that is read.
struct Course<'a> {
    file: &'a File,
    /// How much of it is asked for.
    size: u64,
    handle: Bytes,
    opened: Option<Attributes>,
    named: Option<Attributes>,
    bytes: Vec<u8>,
    /// Pieces that came before one that stands before them, by where they begin.
    early: BTreeMap<u64, Bytes>,
    fault: Option<Error>,
    /// Whether it ends where it was said to.
    is_whole: bool,
}

impl Files {
    /// Reads files whole, each as long as it was listed; of one that is longer or shorter by now, [`Error::Changed`]. They
    /// all lie in memory: the caller asks for few and short ones. What each came to, in their order.
    ///
    /// # Errors
    /// What concerns all of them: a limit ran out, the connection failed, the device does not keep to SFTP.
    pub async fn read_all(&mut self, files: &[&File], limits: &Limits) -> Result<Vec<Result<Vec<u8>, Error>>, Error> {
        let clock = Clock::start(*limits);
        let opened = self.open_all(files, &clock).await?;
        let mut courses = Vec::with_capacity(files.len());
        for (file, opened) in files.iter().zip(opened) {
            let (handle, fault) = match opened {
                Ok(handle) => (handle, None),
                Err(fault) => (Bytes::new(), Some(fault)),
            };
            let size = file.size.min(limits.bytes);
            let bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
            let (opened, named, early) = (None, None, BTreeMap::new());
            courses.push(Course { file, size, handle, opened, named, bytes, early, fault, is_whole: false });
        }
        let mut asked = Asked::new();
        let mut asks = Vec::new();
        for (at, course) in courses.iter().enumerate().filter(|(_, course)| course.fault.is_none()) {
            // That it is no link's, which stood in its place for a moment, is known by the time it was read.
            for what in [What::Opened, What::Named] {
                asks.push(self.ask(&mut asked, (at, what), course));
            }
            let size = course.size;
            let pieces = (0..size).step_by(PIECE as usize).map(|offset| (offset, PIECE.min(size - offset)));
            // Behind its end there is nothing, or it has grown.
            for (offset, len) in pieces.chain([(size, 1)]) {
                asks.push(self.ask(&mut asked, (at, What::Piece(offset, len)), course));
            }
        }
        self.send_all(asks, &clock).await?;
        let mut passed = 0;
        while !asked.is_empty() {
            let (id, kind, packet) = self.receive(&clock).await?;
            let course = asked.remove(&id).and_then(|(at, what)| Some((at, what, courses.get_mut(at)?)));
            let Some((at, what, course)) = course else {
                passed += 1;
                match passed > PASSED_MOST {
                    true => return Err(Error::Garbled(UNASKED)),
                    false => continue,
                }
            };
            let rest = match what {
                What::Piece(offset, len) => course.take(kind, packet, offset, len)?,
                What::Opened => course.is_said(kind, packet, |course| &mut course.opened)?,
                What::Named => course.is_said(kind, packet, |course| &mut course.named)?,
            };
            if let Some((offset, len)) = rest {
                let ask = self.ask(&mut asked, (at, What::Piece(offset, len)), course);
                self.send(ask, &clock).await?;
            }
        }
        self.close_abandoned(&clock).await?;
        Ok(courses.into_iter().map(Course::end).collect())
    }

    fn ask(&mut self, asked: &mut Asked, (at, what): (usize, What), course: &Course<'_>) -> Writing {
        let id = self.id();
        asked.insert(id, (at, what));
        match what {
            What::Opened => Writing::new(kind::FSTAT, id).bytes(&course.handle),
            What::Named => Writing::new(kind::LSTAT, id).bytes(&self.path(&course.file.name)),
            What::Piece(offset, len) => {
                let len = u32::try_from(len).unwrap_or(u32::MAX);
                Writing::new(kind::READ, id).bytes(&course.handle).long(offset).number(len)
            }
        }
    }

    /// Opens files to be read. Each is closed with what is asked next of those that nobody reads any more.
    async fn open_all(&mut self, files: &[&File], clock: &Clock) -> Result<Vec<Result<Bytes, Error>>, Error> {
        self.close_abandoned(clock).await?;
        let asks = |files: &mut Self, name: &Name| {
            let id = files.id();
            (id, Writing::new(kind::OPEN, id).bytes(&files.path(name)).number(flags::READ).number(0))
        };
        let (ids, asks): (Vec<u32>, Vec<Writing>) = files.iter().map(|file| asks(self, &file.name)).unzip();
        self.send_all(asks, clock).await?;
        let mut opened = Vec::with_capacity(files.len());
        for (answer, file) in self.answers(&ids, clock).await?.into_iter().zip(files) {
            let (kind, mut packet) = answer;
            opened.push(match kind {
                kind::HANDLE => {
                    let handle = packet.bytes().ok_or(Error::Garbled("a handle that is cut off"))?;
                    self.abandoned.push(handle.clone());
                    Ok(handle)
                }
                kind => match Self::judge(kind, &mut packet, &file.name.to_string()) {
                    Ok(_) => return Err(Error::Garbled("a success without a handle")),
                    Err(fault @ Error::Garbled(_)) => return Err(fault),
                    Err(fault) => Err(fault),
                },
            });
        }
        Ok(opened)
    }

    /// Removes files that are as they were listed; what each came to, in their order. Of one that is another by now, and stays,
    /// [`Error::Changed`].
    ///
    /// # Errors
    /// What concerns all of them: a limit ran out, the connection failed, the device does not keep to SFTP.
    pub async fn remove_all(&mut self, files: &[&File], limits: &Limits) -> Result<Vec<Result<(), Error>>, Error> {
        let clock = Clock::start(*limits);
        let mut ended: Vec<Result<(), Error>> = Vec::with_capacity(files.len());
        // What has come in the place of one meanwhile is nobody's to remove.
        for (found, known) in self.look_all(files, &clock).await?.into_iter().zip(files) {
            ended.push(match found {
                Ok(Some(now)) if now == **known => Ok(()),
                Ok(_) => Err(Error::Changed(known.name.to_string())),
                Err(fault) => Err(fault),
            });
        }
        let (mut ids, mut asks) = (Vec::new(), Vec::new());
        for (file, _) in files.iter().zip(&ended).filter(|(_, ended)| ended.is_ok()) {
            ids.push(self.id());
            asks.push(Writing::new(kind::REMOVE, self.last_id).bytes(&self.path(&file.name)));
        }
        self.send_all(asks, &clock).await?;
        let answers = self.answers(&ids, &clock).await?;
        let removed = files.iter().zip(&mut ended).filter(|(_, ended)| ended.is_ok());
        for ((kind, mut packet), (file, ended)) in answers.into_iter().zip(removed) {
            *ended = match Self::judge(kind, &mut packet, &file.name.to_string()) {
                Ok(status::OK) => Ok(()),
                Ok(_) => return Err(Error::Garbled("an end of nothing")),
                Err(fault @ Error::Garbled(_)) => return Err(fault),
                Err(fault) => Err(fault),
            };
        }
        Ok(ended)
    }

    /// What is known of files by now, each as of [`Files::look`].
    async fn look_all(&mut self, files: &[&File], clock: &Clock) -> Result<Vec<Result<Option<File>, Error>>, Error> {
        let (mut ids, mut asks) = (Vec::with_capacity(files.len()), Vec::with_capacity(files.len()));
        for file in files {
            ids.push(self.id());
            asks.push(Writing::new(kind::LSTAT, self.last_id).bytes(&self.path(&file.name)));
        }
        self.send_all(asks, clock).await?;
        let mut found = Vec::with_capacity(files.len());
        for ((kind, mut packet), asked) in self.answers(&ids, clock).await?.into_iter().zip(files) {
            if kind == kind::ATTRS {
                let attributes = packet.attributes().ok_or(Error::Garbled("attributes that are cut off"))?;
                found.push(Ok(regular(&asked.name, &attributes)));
                continue;
            }
            found.push(match Self::judge(kind, &mut packet, &asked.name.to_string()) {
                Ok(_) => return Err(Error::Garbled("a success without attributes")),
                Err(fault @ Error::Garbled(_)) => return Err(fault),
                Err(fault) => Err(fault),
            });
        }
        Ok(found)
    }

    /// The answers to requests, in their order, in whichever they come.
    async fn answers(&mut self, ids: &[u32], clock: &Clock) -> Result<Vec<(u8, Reading)>, Error> {
        let mut came = HashMap::with_capacity(ids.len());
        let mut passed = 0;
        while came.len() < ids.len() {
            let (id, kind, packet) = self.receive(clock).await?;
            match ids.contains(&id) {
                true => drop(came.insert(id, (kind, packet))),
                false if passed == PASSED_MOST => return Err(Error::Garbled(UNASKED)),
                false => passed += 1,
            }
        }
        Ok(ids.iter().filter_map(|id| came.remove(id)).collect())
    }

    /// Sends packets together.
    async fn send_all(&mut self, packets: Vec<Writing>, clock: &Clock) -> Result<(), Error> {
        let mut bytes = BytesMut::new();
        for packet in packets {
            bytes.extend_from_slice(&packet.done());
        }
        self.send_bytes(bytes.freeze(), clock).await
    }
}

impl Course<'_> {
    /// Takes in what is known of the file, by its name or as it is open.
    fn is_said(
        &mut self,
        kind: u8,
        mut packet: Reading,
        place: impl FnOnce(&mut Self) -> &mut Option<Attributes>,
    ) -> Result<Option<(u64, u64)>, Error> {
        if kind == kind::ATTRS {
            *place(self) = Some(packet.attributes().ok_or(Error::Garbled("attributes that are cut off"))?);
            return Ok(None);
        }
        match Files::judge(kind, &mut packet, &self.file.name.to_string()) {
            Ok(_) => Err(Error::Garbled("a success without attributes")),
            Err(fault @ Error::Garbled(_)) => Err(fault),
            Err(fault) => {
                self.fault = self.fault.take().or(Some(fault));
                Ok(None)
            }
        }
    }

    /// Takes an answer in; what of the piece is to be asked for anew.
    fn take(&mut self, kind: u8, mut packet: Reading, offset: u64, len: u64) -> Result<Option<(u64, u64)>, Error> {
        let is_end = offset == self.size;
        if kind != kind::DATA {
            let said = Files::judge(kind, &mut packet, &self.file.name.to_string());
            match said {
                Ok(status::END) if is_end => self.is_whole = true,
                // It is shorter: what comes of it is told by its end.
                Ok(status::END) => self.fault = self.fault.take().or_else(|| Some(self.changed())),
                Ok(_) => return Err(Error::Garbled("a read without data")),
                Err(fault @ Error::Garbled(_)) => return Err(fault),
                Err(fault) => self.fault = self.fault.take().or(Some(fault)),
            }
            return Ok(None);
        }
        let data = packet.bytes().ok_or(Error::Garbled("data without its length"))?;
        let came = data.len() as u64;
        if came == 0 || came > len {
            return Err(Error::Garbled("more or less data than was asked for"));
        }
        if is_end {
            self.fault = self.fault.take().or_else(|| Some(self.changed()));
            return Ok(None);
        }
        self.early.insert(offset, data);
        while let Some(data) = self.early.remove(&(self.bytes.len() as u64)) {
            self.bytes.extend_from_slice(&data);
        }
        Ok((came < len).then_some((offset + came, len - came)))
    }

    fn changed(&self) -> Error {
        Error::Changed(self.file.name.to_string())
    }

    fn end(self) -> Result<Vec<u8>, Error> {
        let is_its_own = self.opened.zip(self.named).is_some_and(|(opened, named)| opened.is_of(&named));
        match self.fault {
            Some(fault) => Err(fault),
            None if !is_its_own => Err(Error::Vanished(self.file.name.to_string())),
            None if self.is_whole && self.bytes.len() as u64 == self.size => Ok(self.bytes),
            None => Err(self.changed()),
        }
    }
}
