//! Tables: under which letter rows lie, what they hold, and in which version they are stored.
//!
//! A key is one letter for the table and then the row's own key: texts that end with a zero byte, which no
//! name contains, then bytes as they are, big-endian where they are a number, so that key order is the order
//! of arrival. Values are postcard.
//!
//! A row of version 1 is its postcard bytes alone. From version 2 on a row begins with `80 00` and its version,
//! which no row of version 1 does: it begins with a number, a length or the number of a variant, and postcard
//! writes these as short as they can be, while `80 00` is a zero in two bytes.
//!
//! Tables belong to the rooms of the domain, each with its key function; [`TABLES`](crate::TABLES) is the list of them all.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Bound;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::state::Base;

/// What rows of a later version than the first begin with, before the version.
const VERSIONED: [u8; 2] = [0x80, 0x00];
/// What most rows fit in, in bytes.
const ROW_BYTES: usize = 512;

/// A row as it is stored: a type of its own, which names no variant of what travels but by a code.
pub trait Row: Serialize + DeserializeOwned {
    /// In which version it is written.
    const VERSION: u8 = 1;

    /// Reads a row of an earlier version, from its postcard bytes.
    ///
    /// # Errors
    /// The bytes are not such a row, or there never was such a version.
    fn upgrade(version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
        let _ = (version, bytes);
        Err(postcard::Error::DeserializeBadEncoding)
    }

    /// What stands for the row in the digest of a lane at `level`, given how it is stored now: what was stored
    /// when that level was the newest, without text for people. A row whose version is raised keeps here, for
    /// the levels before, how it was.
    ///
    /// # Errors
    /// The row has no form in postcard.
    fn form<'a>(&self, level: u32, stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        let _ = level;
        Ok(Cow::Borrowed(stored))
    }
}

/// A row that is nothing but its key.
impl Row for () {}

/// A table of rows that hold an `R`.
#[derive(Debug)]
pub struct Table<R> {
    letter: u8,
    row: PhantomData<fn() -> R>,
}

/// The key of a row that holds an `R`.
#[derive(Debug, PartialEq, Eq)]
pub struct Key<R> {
    bytes: Vec<u8>,
    row: PhantomData<fn() -> R>,
}

impl<R> Key<R> {
    /// The key in the store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key in the store.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl<R> Table<R> {
    /// The table of a letter.
    pub(crate) const fn new(letter: u8) -> Self {
        Self { letter, row: PhantomData }
    }

    /// The table's letter.
    pub(crate) const fn letter(&self) -> u8 {
        self.letter
    }

    /// The key of a row: texts, then bytes as they are.
    pub(crate) fn key(&self, texts: &[&str], tail: &[u8]) -> Key<R> {
        Key { bytes: self.prefix(texts, tail), row: PhantomData }
    }

    /// The front of the keys of all rows whose keys begin so.
    pub(crate) fn prefix(&self, texts: &[&str], tail: &[u8]) -> Vec<u8> {
        let length = 1 + texts.iter().map(|text| text.len() + 1).sum::<usize>() + tail.len();
        let mut key = Vec::with_capacity(length);
        key.push(self.letter);
        for text in texts {
            key.extend_from_slice(text.as_bytes());
            key.push(0);
        }
        key.extend_from_slice(tail);
        key
    }

    /// A row's own key: what stands behind the letter.
    pub(crate) fn own<'k>(&self, key: &'k [u8]) -> &'k [u8] {
        key.get(1..).unwrap_or_default()
    }

    /// The rows' keys and bytes, of those that begin with `prefix`, in key order.
    pub(crate) fn scan<'a, B: Base + ?Sized>(
        base: &'a B,
        prefix: Vec<u8>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), Error>> + use<'a, B, R> {
        let mut from = Bound::Included(prefix.clone());
        std::iter::from_fn(move || {
            let row = base.first(from.as_ref().map(Vec::as_slice), &prefix).transpose()?;
            if let Ok((key, _)) = &row {
                from = Bound::Excluded(key.clone());
            }
            Some(row)
        })
    }
}

impl<R: Row> Table<R> {
    /// The row under `key`, if there is one.
    ///
    /// # Errors
    /// The base cannot be read, or the row is none of this table.
    pub fn read(base: &(impl Base + ?Sized), key: &Key<R>) -> Result<Option<R>, Error> {
        base.get(key.as_bytes())?.map(|bytes| decode(key.as_bytes(), &bytes)).transpose()
    }

    /// All rows whose keys begin with `texts`: their own keys behind those, in key order.
    pub fn rows<'a, B: Base + ?Sized>(
        &self,
        base: &'a B,
        texts: &[&str],
    ) -> impl Iterator<Item = Result<(Vec<u8>, R), Error>> + use<'a, B, R> {
        let prefix = self.prefix(texts, &[]);
        let front = prefix.len();
        Self::scan(base, prefix).map(move |row| {
            let (key, bytes) = row?;
            let row = decode(&key, &bytes)?;
            Ok((key.get(front..).unwrap_or_default().to_vec(), row))
        })
    }
}

/// The texts that follow `prefix` in keys, up to their zero byte, each once.
///
/// # Errors
/// The base cannot be read.
pub(crate) fn heads(base: &(impl Base + ?Sized), prefix: &[u8]) -> Result<Vec<String>, Error> {
    let mut heads = Vec::new();
    let mut from = prefix.to_vec();
    while let Some((found, _)) = base.first(Bound::Included(&from), prefix)? {
        let rest = found.get(prefix.len()..).unwrap_or_default();
        let head = rest.split(|byte| *byte == 0).next().unwrap_or_default();
        heads.push(String::from_utf8_lossy(head).into_owned());
        // Behind everything of this one: its zero byte becomes a one.
        from = [prefix, head, &[1]].concat();
    }
    Ok(heads)
}

/// Writes a row's value.
///
/// # Errors
/// The value has no form in postcard.
pub fn encode<R: Row>(row: &R) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(ROW_BYTES);
    if R::VERSION > 1 {
        bytes.extend_from_slice(&VERSIONED);
        bytes.push(R::VERSION);
    }
    postcard::to_extend(row, bytes).map_err(Error::Encode)
}

/// Reads a row's value, of whatever version.
///
/// # Errors
/// The bytes are no such row, or one of a version that a later program wrote; `key` names the row in the error.
pub fn decode<R: Row>(key: &[u8], bytes: &[u8]) -> Result<R, Error> {
    let (version, bytes) = version(bytes);
    decode_version(key, version, bytes)
}

/// Writes the value of a row whose version stands elsewhere.
pub(crate) fn encode_bare<R: Row>(row: &R) -> Result<Vec<u8>, Error> {
    postcard::to_extend(row, Vec::with_capacity(ROW_BYTES)).map_err(Error::Encode)
}

/// Reads a row of a version before, to which a later one only added fields at its end: they come to what is `added`.
pub(crate) fn with_added<R: Row>(bytes: &[u8], added: &impl Serialize) -> Result<R, postcard::Error> {
    postcard::from_bytes(&postcard::to_extend(added, bytes.to_vec())?)
}

/// Writes a row's value as a version before did, to which a later one only added fields at its end: those `added`, as the
/// row has them.
///
/// # Errors
/// The value has no form in postcard.
pub(crate) fn without_added<R: Row>(row: &R, before: u8, added: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes = if before > 1 { [VERSIONED.as_slice(), &[before]].concat() } else { Vec::new() };
    let front = bytes.len();
    bytes = postcard::to_extend(row, bytes).map_err(Error::Encode)?;
    let added = postcard::to_stdvec(added).map_err(Error::Encode)?;
    bytes.truncate(bytes.len().saturating_sub(added.len()).max(front));
    Ok(bytes)
}

/// Reads the value of a row whose version stands elsewhere.
pub(crate) fn decode_version<R: Row>(key: &[u8], version: u8, bytes: &[u8]) -> Result<R, Error> {
    let row = if version == R::VERSION { postcard::from_bytes(bytes) } else { R::upgrade(version, bytes) };
    row.map_err(|source| Error::Row { key: key.escape_ascii().to_string(), version, source })
}

/// The postcard bytes of a stored row.
pub(crate) fn bare(bytes: &[u8]) -> &[u8] {
    version(bytes).1
}

/// In which version a row was written, and its postcard bytes.
fn version(bytes: &[u8]) -> (u8, &[u8]) {
    match bytes.strip_prefix(&VERSIONED).and_then(<[u8]>::split_first) {
        Some((version, bytes)) => (*version, bytes),
        None => (1, bytes),
    }
}

/// A time that sorts as bytes; what lies before the epoch counts as the epoch.
pub(crate) fn time(at: Timestamp) -> [u8; 8] {
    u64::try_from(at.as_nanosecond()).unwrap_or(0).to_be_bytes()
}

/// The time that [`time`] wrote.
pub(crate) fn read_time(bytes: &[u8]) -> Option<Timestamp> {
    let nanos = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    Timestamp::from_nanosecond(i128::from(nanos)).ok()
}

/// What is done with any table alike: its rows are written anew in the version of today.
pub trait Upgradable: Sync {
    /// The table's letter.
    fn letter(&self) -> u8;

    /// A row in the version of today; none where it is in that already.
    ///
    /// # Errors
    /// The bytes are no row of the table.
    fn upgraded(&self, key: &[u8], bytes: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// A stored row in the form of a level.
    ///
    /// # Errors
    /// The bytes are no row of the table.
    fn form(&self, level: u32, key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, Error>;
}

impl<R: Row> Upgradable for Table<R> {
    fn letter(&self) -> u8 {
        self.letter
    }

    fn upgraded(&self, key: &[u8], bytes: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        // What is of today's version is read too: whoever goes through the rows finds those that cannot be.
        let row: R = decode(key, bytes)?;
        if version(bytes).0 == R::VERSION { Ok(None) } else { encode(&row).map(Some) }
    }

    fn form(&self, level: u32, key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let row: R = decode(key, bytes)?;
        Ok(row.form(level, &encode(&row)?)?.into_owned())
    }
}
