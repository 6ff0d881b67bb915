//! A recorded log, written: the file of inputs has its name only once it is whole.
//!
//! The files hold what organizations sent; they are their owner's alone (mode 0600, folders 0700).

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::format::{self, End, Entry, Header};
use super::{Error, book, inputs, overrides};
use crate::data_dir::private;
use linesman_schemas::lane_override::Override;

/// Writes a recorded log.
pub struct Writer {
    dir: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    inputs: u64,
}

impl Writer {
    /// Begins a log in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// It has something in it and `is_forced` does not say that what is recorded there is to be replaced; or it cannot
    /// be written.
    pub fn begin(dir: &Path, header: &Header, is_forced: bool) -> Result<Self, Error> {
        let is_empty = match fs::read_dir(dir) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(source) => return Err(Error::File { path: dir.to_owned(), source }),
        };
        if !is_empty && !is_forced {
            return Err(Error::NotEmpty { path: dir.to_owned() });
        }
        let books = dir.join("books");
        private::make_dir(dir).map_err(Error::file(dir))?;
        private::create_dir(&books).map_err(Error::file(&books))?;
        let part = dir.join("inputs.part");
        private::remove(&part).map_err(Error::file(&part))?;
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
        let file = BufWriter::new(opened.map_err(Error::file(&part))?);
        let mut writer = Self { dir: dir.to_owned(), part, file, inputs: 0 };
        writer.line(&serde_json::to_string(header).unwrap_or_default())?;
        Ok(writer)
    }

    fn line(&mut self, line: &str) -> Result<(), Error> {
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.write_all(b"\n"));
        written.map_err(Error::file(&self.part))
    }

    /// Writes an input.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn entry(&mut self, entry: &Entry) -> Result<(), Error> {
        let line = format::print(entry).map_err(|what| Error::File {
            path: self.part.clone(),
            source: io::Error::new(ErrorKind::InvalidData, what),
        })?;
        self.inputs += 1;
        self.line(&line)
    }

    /// Writes what was decided of inputs outside the order of their lanes.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn overrides(&self, decided: &[Override]) -> Result<(), Error> {
        let path = overrides(&self.dir);
        if decided.is_empty() {
            return private::remove(&path).map_err(Error::file(&path));
        }
        let content = serde_json::to_vec(decided).unwrap_or_default();
        private::write(&path, &content).map_err(Error::file(&path))
    }

    /// Whether a rule book is there already.
    pub fn has_book(&self, hash: &str) -> bool {
        book(&self.dir, hash).exists()
    }

    /// Writes a rule book's content.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn book(&self, hash: &str, content: &[u8]) -> Result<(), Error> {
        let path = book(&self.dir, hash);
        private::write(&path, content).map_err(Error::file(&path))
    }

    /// Ends the log, which then takes the place of one that was there; how many inputs it has.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end(mut self) -> Result<u64, Error> {
        let end = End { inputs: self.inputs };
        self.line(&serde_json::to_string(&end).unwrap_or_default())?;
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(Error::file(&self.part))?;
        let path = inputs(&self.dir);
        fs::rename(&self.part, &path).map_err(Error::file(&path))?;
        Ok(self.inputs)
    }
}
