//! Names of files on a device: any bytes, but never a way out of the directory.

use std::fmt;

use bytes::Bytes;

/// The longest name, in bytes, as of every file system that devices have.
const NAME_MOST: usize = 255;

/// The name of a file in a directory: any bytes but `/` and NUL, and neither `.` nor `..`.
///
/// A name that is no UTF-8 is a name like any other: what is read and removed is the very file that was listed. Shown,
/// each byte that is none of a printable text is written as `\x..`, and `\` twice.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Bytes);

/// Why bytes are no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// There are none.
    #[error("the name is empty")]
    Empty,
    /// It would lead elsewhere.
    #[error("the name has a `/`, is `.` or is `..`")]
    Elsewhere,
    /// It has a NUL.
    #[error("the name has a NUL")]
    Nul,
    /// It is longer than 255 bytes.
    #[error("the name is longer than 255 bytes")]
    TooLong,
}

impl Name {
    /// Takes bytes as a name.
    ///
    /// # Errors
    /// They are none that stays in its directory.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, NameFault> {
        let bytes = bytes.into();
        match bytes.as_ref() {
            b"" => Err(NameFault::Empty),
            b"." | b".." => Err(NameFault::Elsewhere),
            name if name.contains(&b'/') => Err(NameFault::Elsewhere),
            name if name.contains(&0) => Err(NameFault::Nul),
            name if name.len() > NAME_MOST => Err(NameFault::TooLong),
            _ => Ok(Self(bytes)),
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text; none where it is none.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// Bytes made fit for a line: what is no printable text as `\x..`, and `\` twice, so that two names never look alike.
pub(super) fn shown(bytes: &[u8]) -> String {
    let mut line = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for (at, text) in chunk.valid().split('\\').enumerate() {
            line.push_str(if at > 0 { r"\\" } else { "" });
            line.push_str(&crate::text::escaped(text));
        }
        for byte in chunk.invalid() {
            line.push_str(&format!("\\x{byte:02x}"));
        }
    }
    line
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}
