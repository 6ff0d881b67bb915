//! Reading a file: so much ahead as a window has, handed out in order.

use std::collections::VecDeque;

use bytes::Bytes;

use super::exchange::{PASSED_MOST, UNASKED};
use super::packet::{Reading, Writing, kind, status};
use super::{Error, Files};
use crate::device::limits::{Clock, Limits};

/// How much is asked for at a time, in bytes.
const PIECE: u32 = 32 * 1024;
/// How many pieces are asked for ahead: half a megabyte.
const AHEAD: usize = 16;

/// A file that is read. Dropped before its end, the file is closed with what is asked next.
#[derive(Debug)]
pub struct Reader<'a> {
    files: &'a mut Files,
    shown: String,
    handle: Option<Bytes>,
    limits: Limits,
    clock: Clock,
    asked: VecDeque<Asked>,
    /// Where the next piece begins that is asked for.
    next: u64,
    /// Where the file is thought to end: beyond it one piece at a time is asked for.
    expected: u64,
    /// How much was handed out.
    bytes: u64,
    /// How many answers came that nobody waits for.
    passed: usize,
}

/// A piece that is asked for.
#[derive(Debug)]
struct Asked {
    id: u32,
    offset: u64,
    len: u32,
    answer: Option<Answer>,
}

#[derive(Debug)]
enum Answer {
    Data(Bytes),
    End,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: &'a mut Files, shown: String, handle: Bytes, course: super::Course) -> Self {
        let super::Course { from, expected, limits, clock } = course;
        let (asked, handle) = (VecDeque::with_capacity(AHEAD), Some(handle));
        Self { files, shown, handle, limits, clock, asked, next: from, expected, bytes: 0, passed: 0 }
    }

    /// The next bytes, never none of them; none at the end of the file.
    ///
    /// # Errors
    /// A limit ran out, the file or the connection is gone.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(handle) = self.handle.clone() else { return Ok(None) };
        loop {
            self.ask_ahead(&handle).await?;
            if self.passed > PASSED_MOST {
                return Err(Error::Garbled(UNASKED));
            }
            let Some(first) = self.asked.front_mut() else { return Ok(None) };
            match first.answer.take() {
                Some(Answer::End) => {
                    self.end().await?;
                    return Ok(None);
                }
                Some(Answer::Data(data)) => {
                    self.take(&handle, &data).await?;
                    return Ok(Some(data));
                }
                None => self.hear().await?,
            }
        }
    }

    async fn ask_ahead(&mut self, handle: &Bytes) -> Result<(), Error> {
        while self.asked.len() < AHEAD && (self.asked.is_empty() || self.next < self.expected) {
            let (offset, len) = (self.next, PIECE);
            let id = self.ask(handle, offset, len).await?;
            self.asked.push_back(Asked { id, offset, len, answer: None });
            self.next = self.next.saturating_add(u64::from(len));
        }
        Ok(())
    }

    async fn ask(&mut self, handle: &Bytes, offset: u64, len: u32) -> Result<u32, Error> {
        let id = self.files.id();
        let packet = Writing::new(kind::READ, id).bytes(handle).long(offset).number(len);
        self.files.send(packet, &self.clock).await?;
        Ok(id)
    }

    /// Counts what is handed out; asks for the rest of a piece that came short.
    async fn take(&mut self, handle: &Bytes, data: &Bytes) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(data.len() as u64);
        if self.bytes > self.limits.bytes {
            return Err(Error::TooMuch { name: self.shown.clone(), most: self.limits.bytes });
        }
        let Some(first) = self.asked.pop_front() else { return Ok(()) };
        let rest = first.len.saturating_sub(u32::try_from(data.len()).unwrap_or(u32::MAX));
        if rest > 0 {
            let offset = first.offset.saturating_add(data.len() as u64);
            let id = self.ask(handle, offset, rest).await?;
            self.asked.push_front(Asked { id, offset, len: rest, answer: None });
        }
        Ok(())
    }

    /// Takes one answer in, whichever piece it is of.
    async fn hear(&mut self) -> Result<(), Error> {
        let (id, kind, mut packet) = self.files.receive(&self.clock).await?;
        let Some(asked) = self.asked.iter_mut().find(|asked| asked.id == id) else {
            self.passed += 1;
            return Ok(());
        };
        asked.answer = Some(match kind {
            kind::DATA => {
                let data = packet.bytes().ok_or(Error::Garbled("data without its length"))?;
                if data.is_empty() || data.len() > asked.len as usize {
                    return Err(Error::Garbled("more or less data than was asked for"));
                }
                Answer::Data(data)
            }
            _ => match Files::judge(kind, &mut packet, &self.shown)? {
                status::END => Answer::End,
                _ => return Err(Error::Garbled("a read without data")),
            },
        });
        Ok(())
    }

    async fn end(&mut self) -> Result<(), Error> {
        self.asked.clear();
        match self.handle.take() {
            Some(handle) => self.files.close(handle, &self.clock).await,
            None => Ok(()),
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.files.abandoned.extend(self.handle.take());
    }
}

impl Files {
    /// What a status says, if it is no fault.
    pub(super) fn judge(kind: u8, packet: &mut Reading, shown: &str) -> Result<u32, Error> {
        if kind != kind::STATUS {
            return Err(Error::Garbled("an answer to something else"));
        }
        let code = packet.number().ok_or(Error::Garbled("a status without its number"))?;
        let said = packet.bytes().unwrap_or_default();
        let said = crate::text::said(&String::from_utf8_lossy(&said), 200);
        let name = shown.to_owned();
        match code {
            status::OK | status::END => Ok(code),
            status::NO_SUCH_FILE => Err(Error::Vanished(name)),
            status::PERMISSION_DENIED => Err(Error::Denied(name)),
            status::NO_SPACE | status::QUOTA => Err(Error::NoSpace(name)),
            // Version 3 has no number for it, and OpenSSH no words; others have.
            _ if said.to_ascii_lowercase().contains("no space") => Err(Error::NoSpace(name)),
            _ => Err(Error::Refused { name, said: if said.is_empty() { format!("status {code}") } else { said } }),
        }
    }
}
