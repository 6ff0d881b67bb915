//! Which installation this is, and the file in which it asks for a licence.

use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::contents;
use crate::data_dir::private;

/// The file of the installation's id in a data directory.
const FILE: &str = "installation";
/// How many hexadecimal digits an id has.
const ID_CHARS: usize = 32;
const TITLE: &str = "linesman licence request 1\n";
/// The largest request, in bytes.
pub const BYTES_MOST: u64 = 1024;

/// What asks for a licence: for which installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Its id.
    pub installation: String,
}

/// The id of the installation that has this data directory, made when it is first asked for. It stays when the state is
/// rebuilt, and goes with the directory.
///
/// # Errors
/// The directory cannot be made, the file cannot be read or written, or holds no id.
pub fn installation(root: &Path) -> io::Result<String> {
    let path = root.join(FILE);
    if !path.exists() {
        private::make_dir(root)?;
        let mut file = NamedTempFile::new_in(root)?;
        writeln!(file, "{}", private::random_hex::<{ ID_CHARS / 2 }>()?)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&path) {
            // Somebody else was quicker: theirs is the id.
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => return Err(error.error),
            _ => {}
        }
    }
    let bytes = contents(&path, BYTES_MOST)?;
    let id = String::from_utf8_lossy(&bytes).trim_end().to_owned();
    match is_id(&id) {
        true => Ok(id),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no id of an installation")),
    }
}

fn is_id(text: &str) -> bool {
    text.len() == ID_CHARS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Request {
    /// The file.
    ///
    /// # Errors
    /// It has no form in JSON.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{TITLE}{}\n", serde_json::to_string(self)?))
    }

    /// Reads a file; none where it holds no request.
    pub fn read(file: &[u8]) -> Option<Self> {
        let body = std::str::from_utf8(file).ok()?.strip_prefix(TITLE)?;
        let read: Self = serde_json::from_str(body).ok()?;
        is_id(&read.installation).then_some(read)
    }
}
