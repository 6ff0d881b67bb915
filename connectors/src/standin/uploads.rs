//! What is uploaded: announced under a key, then taken piece by piece, in their order.
//!
//! Of the bytes it keeps their SHA-256 and how many they are; the bytes themselves only when told to, for tests that look
//! into them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::cases::{Fault, bounded};

/// The most bytes of a piece where nothing else is said.
pub(super) const PIECE: u64 = 8 << 20;

/// What `openUpload` takes. Nothing else may be in it: what leaves is decided by the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OpenUpload {
    pub(super) site_id: String,
    user_id: String,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) case_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<Device>,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    size: u64,
    sha256: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Bundle,
    Snapshot,
    Attachment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Device {
    serial_number: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    host_name: String,
}

impl OpenUpload {
    /// What is wrong with it.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let texts = [("siteId", &*self.site_id, 64), ("userId", &self.user_id, 128), ("name", &self.name, 200)];
        let media_type = self.media_type.iter().map(|text| ("mediaType", &**text, 100));
        let device = self.device.iter().map(|device| ("device.serialNumber", &*device.serial_number, 200));
        let mut faults = bounded(texts.into_iter().chain(media_type).chain(device));
        let mut wrong = |message: &str| faults.push(("invalid-field", message.to_owned()));
        if self.size == 0 {
            wrong("`size` must be 1 or more");
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            wrong("`sha256` must be 64 digits of lower-case hexadecimal");
        }
        if self.case_id.is_some() == (self.kind == Kind::Snapshot) {
            wrong("`caseId` goes with `bundle` and `attachment`, and is needed there");
        }
        if self.device.is_none() && self.kind == Kind::Snapshot {
            wrong("a snapshot needs its `device`");
        }
        faults
    }
}

/// How an upload stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Standing {
    pub(super) upload: String,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) piece: u64,
    pub(super) complete: bool,
}

/// Why a piece is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// There is no such upload.
    Unknown,
    /// It is elsewhere: so many bytes are there.
    Elsewhere(u64),
    /// It is longer than a piece, or than what is left.
    TooLong,
    /// All bytes are there and are not those that were announced; the upload begins anew.
    OtherBytes,
}

/// An upload, as tests see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Upload {
    upload: String,
    #[serde(flatten)]
    request: OpenUpload,
    offset: u64,
    complete: bool,
    #[serde(skip)]
    hasher: Sha256,
    #[serde(skip)]
    bytes: Vec<u8>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Uploads {
    uploads: Vec<Upload>,
    by_key: BTreeMap<String, usize>,
    /// The most bytes of a piece.
    pub(super) piece: u64,
    /// Whether the bytes are kept.
    pub(super) keeps: bool,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { uploads: Vec::new(), by_key: BTreeMap::new(), piece: PIECE, keeps: false }
    }
}

impl Uploads {
    /// Begins an upload, or finds the one of this key; none where that is another request's.
    pub(super) fn open(&mut self, key: &str, request: OpenUpload) -> Option<Standing> {
        let index = match self.by_key.get(key) {
            Some(&index) => index,
            None => {
                let upload = format!("U-{:06}", self.uploads.len() + 1);
                let request = request.clone();
                let (hasher, bytes) = (Sha256::new(), Vec::new());
                self.uploads.push(Upload { upload, request, offset: 0, complete: false, hasher, bytes });
                self.by_key.insert(key.to_owned(), self.uploads.len() - 1);
                self.uploads.len() - 1
            }
        };
        let known = self.uploads.get(index).filter(|known| known.request == request)?;
        Some(self.standing(known))
    }

    /// How one stands.
    pub(super) fn find(&self, upload: &str) -> Option<Standing> {
        self.uploads.iter().find(|known| known.upload == upload).map(|known| self.standing(known))
    }

    /// Takes a piece that begins at `offset`.
    pub(super) fn take(&mut self, upload: &str, offset: u64, piece: &[u8]) -> Result<Standing, NotTaken> {
        let (most, keeps) = (self.piece, self.keeps);
        let known = self.uploads.iter_mut().find(|known| known.upload == upload).ok_or(NotTaken::Unknown)?;
        if known.offset != offset || known.complete {
            return Err(NotTaken::Elsewhere(known.offset));
        }
        let length = piece.len() as u64;
        if length > most || length > known.request.size - offset {
            return Err(NotTaken::TooLong);
        }
        known.hasher.update(piece);
        known.offset += length;
        if keeps {
            known.bytes.extend_from_slice(piece);
        }
        if known.offset == known.request.size {
            if hex::encode(std::mem::take(&mut known.hasher).finalize()) != known.request.sha256 {
                (known.offset, known.bytes) = (0, Vec::new());
                return Err(NotTaken::OtherBytes);
            }
            known.complete = true;
        }
        self.find(upload).ok_or(NotTaken::Unknown)
    }

    /// The bytes of one, as far as they are there and were kept.
    pub(super) fn bytes(&self, upload: &str) -> Option<&[u8]> {
        self.uploads.iter().find(|known| known.upload == upload).map(|known| &*known.bytes)
    }

    /// Every upload, in the order they were announced.
    pub(super) fn all(&self) -> &[impl Serialize + use<>] {
        &self.uploads
    }

    fn standing(&self, known: &Upload) -> Standing {
        let Upload { upload, offset, complete, request, .. } = known;
        let (upload, piece) = (upload.clone(), self.piece);
        Standing { upload, offset: *offset, size: request.size, piece, complete: *complete }
    }
}
