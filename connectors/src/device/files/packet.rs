//! Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02): how they are written and read. Names and handles are bytes,
//! which is why this is our own: the library for russh makes text of both, and loses what is none.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

pub(in crate::device) const VERSION: u32 = 3;
/// The longest packet that is taken, in bytes: what OpenSSH sends at most.
pub(in crate::device) const PACKET_MOST: usize = 256 * 1024;
/// The kinds of packets.
pub(in crate::device) mod kind {
    pub(in crate::device) const INIT: u8 = 1;
    pub(in crate::device) const VERSION: u8 = 2;
    pub(in crate::device) const OPEN: u8 = 3;
    pub(in crate::device) const CLOSE: u8 = 4;
    pub(in crate::device) const READ: u8 = 5;
    pub(in crate::device) const WRITE: u8 = 6;
    pub(in crate::device) const LSTAT: u8 = 7;
    pub(in crate::device) const FSTAT: u8 = 8;
    pub(in crate::device) const OPENDIR: u8 = 11;
    pub(in crate::device) const READDIR: u8 = 12;
    pub(in crate::device) const REMOVE: u8 = 13;
    #[cfg(feature = "standin")]
    pub(in crate::device) const REALPATH: u8 = 16;
    #[cfg(feature = "standin")]
    pub(in crate::device) const STAT: u8 = 17;
    pub(in crate::device) const RENAME: u8 = 18;
    pub(in crate::device) const STATUS: u8 = 101;
    pub(in crate::device) const HANDLE: u8 = 102;
    pub(in crate::device) const DATA: u8 = 103;
    pub(in crate::device) const NAME: u8 = 104;
    pub(in crate::device) const ATTRS: u8 = 105;
}
/// What a status says. Beyond 8 they are those of later versions, which some servers send all the same.
pub(in crate::device) mod status {
    pub(in crate::device) const OK: u32 = 0;
    pub(in crate::device) const END: u32 = 1;
    pub(in crate::device) const NO_SUCH_FILE: u32 = 2;
    pub(in crate::device) const PERMISSION_DENIED: u32 = 3;
    #[cfg(feature = "standin")]
    pub(in crate::device) const FAILURE: u32 = 4;
    #[cfg(feature = "standin")]
    pub(in crate::device) const UNSUPPORTED: u32 = 8;
    pub(in crate::device) const NO_SPACE: u32 = 14;
    pub(in crate::device) const QUOTA: u32 = 15;
}
/// How a file is opened.
pub(in crate::device) mod flags {
    pub(in crate::device) const READ: u32 = 1;
    pub(in crate::device) const WRITE: u32 = 2;
    pub(in crate::device) const CREATE: u32 = 8;
    pub(in crate::device) const TRUNCATE: u32 = 16;
}

const HAS_SIZE: u32 = 1;
const HAS_OWNERS: u32 = 2;
const HAS_PERMISSIONS: u32 = 4;
const HAS_TIMES: u32 = 8;
const HAS_MORE: u32 = 0x8000_0000;

/// A packet that is written.
#[derive(Debug)]
pub(in crate::device) struct Writing(BytesMut);

impl Writing {
    /// Begins one; the number is the request's, or the version.
    pub(in crate::device) fn new(kind: u8, id: u32) -> Self {
        let mut bytes = BytesMut::with_capacity(128);
        bytes.put_u32(0);
        bytes.put_u8(kind);
        bytes.put_u32(id);
        Self(bytes)
    }

    pub(in crate::device) fn number(mut self, number: u32) -> Self {
        self.0.put_u32(number);
        self
    }

    pub(in crate::device) fn long(mut self, number: u64) -> Self {
        self.0.put_u64(number);
        self
    }

    /// Bytes with their length. What is longer than a packet fails at the other side.
    pub(in crate::device) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.0.put_slice(bytes);
        self
    }

    #[cfg(feature = "standin")]
    pub(in crate::device) fn attributes(self, attributes: &Attributes) -> Self {
        let mut flags = 0;
        let present = |is: bool, flag| if is { flag } else { 0 };
        flags |= present(attributes.size.is_some(), HAS_SIZE);
        flags |= present(attributes.owners.is_some(), HAS_OWNERS);
        flags |= present(attributes.permissions.is_some(), HAS_PERMISSIONS);
        flags |= present(attributes.modified_s.is_some(), HAS_TIMES);
        let mut writing = self.number(flags);
        if let Some(size) = attributes.size {
            writing = writing.long(size);
        }
        if let Some(owners) = attributes.owners {
            writing = writing.long(owners);
        }
        if let Some(permissions) = attributes.permissions {
            writing = writing.number(permissions);
        }
        if let Some(modified_s) = attributes.modified_s {
            writing = writing.number(modified_s).number(modified_s);
        }
        writing
    }

    /// The packet with its length.
    pub(in crate::device) fn done(mut self) -> Bytes {
        let len = u32::try_from(self.0.len().saturating_sub(4)).unwrap_or(u32::MAX);
        if let Some(first) = self.0.get_mut(..4) {
            first.copy_from_slice(&len.to_be_bytes());
        }
        self.0.freeze()
    }
}

/// A packet that came, as far as it is read.
#[derive(Debug, Clone)]
pub(in crate::device) struct Reading(Bytes);

impl Reading {
    pub(in crate::device) const fn new(payload: Bytes) -> Self {
        Self(payload)
    }

    pub(in crate::device) fn byte(&mut self) -> Option<u8> {
        self.0.try_get_u8().ok()
    }

    pub(in crate::device) fn number(&mut self) -> Option<u32> {
        self.0.try_get_u32().ok()
    }

    pub(in crate::device) fn long(&mut self) -> Option<u64> {
        self.0.try_get_u64().ok()
    }

    /// Bytes with their length, without a copy.
    pub(in crate::device) fn bytes(&mut self) -> Option<Bytes> {
        let len = self.number()? as usize;
        (len <= self.0.len()).then(|| self.0.split_to(len))
    }

    pub(in crate::device) fn attributes(&mut self) -> Option<Attributes> {
        let flags = self.number()?;
        let has = |flag| flags & flag != 0;
        let size = if has(HAS_SIZE) { Some(self.long()?) } else { None };
        let owners = if has(HAS_OWNERS) { Some(self.long()?) } else { None };
        let permissions = if has(HAS_PERMISSIONS) { Some(self.number()?) } else { None };
        let mut modified_s = None;
        if has(HAS_TIMES) {
            self.number()?;
            modified_s = Some(self.number()?);
        }
        if has(HAS_MORE) {
            // Each takes eight bytes at least: a count that lies ends with the packet.
            for _ in 0..self.number()? {
                self.bytes()?;
                self.bytes()?;
            }
        }
        Some(Attributes { size, owners, permissions, modified_s })
    }
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::device) struct Attributes {
    pub(in crate::device) size: Option<u64>,
    /// The user and the group whose it is.
    pub(in crate::device) owners: Option<u64>,
    pub(in crate::device) permissions: Option<u32>,
    pub(in crate::device) modified_s: Option<u32>,
}

impl Attributes {
    /// Whether it is a regular file; none where that is not said.
    pub(in crate::device) fn is_regular(&self) -> Option<bool> {
        self.permissions.map(|mode| mode & 0o170_000 == 0o100_000)
    }

    /// Whether what was opened is the regular file that a name leads to, as far as the device tells: of a link that stood in its
    /// place for a moment it is another's, or no file.
    pub(in crate::device) fn is_of(&self, named: &Self) -> bool {
        let is_regular = |of: &Self| of.is_regular() != Some(false);
        let is_same = self.owners == named.owners && self.permissions == named.permissions;
        is_regular(self) && is_regular(named) && is_same
    }
}

/// Takes the first packet off what came; none as long as it is not all there.
///
/// # Errors
/// It says that it is longer than any.
pub(in crate::device) fn split(inbox: &mut BytesMut) -> Result<Option<Reading>, usize> {
    let Some(len) = inbox.first_chunk::<4>() else { return Ok(None) };
    let len = u32::from_be_bytes(*len) as usize;
    if len > PACKET_MOST {
        return Err(len);
    }
    if inbox.len() < 4 + len {
        return Ok(None);
    }
    inbox.advance(4);
    Ok(Some(Reading::new(inbox.split_to(len).freeze())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_s_file_is_not_the_one_that_was_named() {
        let named = Attributes { size: Some(1), owners: Some(7), permissions: Some(0o100_644), modified_s: Some(1) };
        let longer = Attributes { size: Some(2), modified_s: Some(2), ..named };
        assert!(longer.is_of(&named));
        for other in [
            Attributes { owners: Some(0), ..named },
            Attributes { owners: None, ..named },
            Attributes { permissions: Some(0o100_600), ..named },
            Attributes { permissions: Some(0o120_777), ..named },
        ] {
            assert!(!other.is_of(&named) && !named.is_of(&other), "{other:?}");
        }
        let bare = Attributes { size: Some(1), ..Attributes::default() };
        assert!(bare.is_of(&bare));
    }
}
