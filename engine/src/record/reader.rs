//! A recorded log, read line by line: never more than one input is held.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::format::{self, Entry, Header, LINE_MOST, Line};
use super::{Error, inputs};

/// The inputs of a recorded log, in order.
pub struct Reader<R> {
    path: PathBuf,
    lines: R,
    header: Header,
    line: u64,
    inputs: u64,
    sequence: u64,
    has_ended: bool,
}

impl Reader<BufReader<File>> {
    /// Opens the log in a folder.
    ///
    /// # Errors
    /// It cannot be read, or does not begin with a header that is known.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = inputs(dir);
        let file = File::open(&path).map_err(Error::file(&path))?;
        Self::new(path, BufReader::new(file))
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads a log from anywhere; `path` names it in errors.
    ///
    /// # Errors
    /// It cannot be read, or does not begin with a header that is known.
    pub fn new(path: PathBuf, lines: R) -> Result<Self, Error> {
        let none = Header::new("", 0, "");
        let mut reader = Self { path, lines, header: none, line: 0, inputs: 0, sequence: 0, has_ended: false };
        let first = reader.next_line()?;
        reader.header = format::header(&first).map_err(|what| reader.fault(what))?;
        Ok(reader)
    }

    /// What the first line says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn fault(&self, what: impl Into<String>) -> Error {
        Error::Line { path: self.path.clone(), line: self.line, what: what.into() }
    }

    /// The next line without its end; empty at the end of the file.
    fn next_line(&mut self) -> Result<Vec<u8>, Error> {
        let mut line = Vec::new();
        let most = u64::try_from(LINE_MOST).unwrap_or(u64::MAX);
        (&mut self.lines).take(most).read_until(b'\n', &mut line).map_err(Error::file(&self.path))?;
        self.line += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() >= LINE_MOST {
            return Err(self.fault(format!("longer than {LINE_MOST} bytes")));
        }
        Ok(line)
    }

    fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        if self.has_ended {
            return Ok(None);
        }
        let line = self.next_line()?;
        if line.is_empty() {
            return Err(self.fault("the log has no end: it was cut off"));
        }
        match format::line(&line, self.header.lanes).map_err(|what| self.fault(what))? {
            Line::Entry(entry) if entry.message.sequence <= self.sequence => {
                Err(self.fault(format!("the sequence {} does not follow {}", entry.message.sequence, self.sequence)))
            }
            Line::Entry(entry) => {
                self.sequence = entry.message.sequence;
                self.inputs += 1;
                Ok(Some(entry))
            }
            Line::End(end) if end.inputs != self.inputs => {
                Err(self.fault(format!("there are {} inputs, not {}", self.inputs, end.inputs)))
            }
            Line::End(_) if !self.next_line()?.is_empty() => Err(self.fault("there is something behind the end")),
            Line::End(_) => {
                self.has_ended = true;
                Ok(None)
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Entry, Error>;

    /// The next input; after an error there is none.
    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_entry();
        self.has_ended |= next.is_err();
        next.transpose()
    }
}
