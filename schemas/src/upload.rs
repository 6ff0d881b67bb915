//! Bytes that go upward with cases: bundles, what is attached to cases, newest snapshots of devices. Between controllers
//! they travel in pieces over HTTPS below `/partner/v1/`, so that whoever is cut off goes on where it was.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST uploads`, `Idempotency-Key` | [`UploadRequest`] | 201 [`UploadView`]; the same again: 200 |
//! | `GET uploads/{upload}` | | [`UploadView`] |
//! | `PATCH uploads/{upload}`, [`OFFSET_HEADER`] | at most [`UploadView::piece`] bytes | [`UploadView`] |
//! | `DELETE uploads/{upload}` | | 204: an incomplete one is given up |
//!
//! An upload is complete once it has all its bytes and they have the SHA-256 that was announced. Where they have another,
//! the last `PATCH` is answered 422 and nothing of it is kept. A `PATCH` at another offset than the upload has is answered
//! 409, with `offset` in the problem document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::FilterLevel;
use crate::command::Fault;
use crate::command::bounds::{hash, label};
use crate::reaction::BundleBytes;

/// The header that says at which offset the bytes of a request go on.
pub const OFFSET_HEADER: &str = "upload-offset";
/// As which peer of its connector an upstream is sent uploads, from engine level 8 on: beside cases, not before them.
pub const PEER: &str = "uploads";
/// The longest name of an upload, in characters.
pub const NAME_MOST: usize = 200;
/// The longest media type, in characters.
pub const MEDIA_TYPE_MOST: usize = 100;
/// The longest name of a device, in characters.
pub const DEVICE_MOST: usize = 200;

/// What the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UploadKind {
    /// The bundle of a case.
    Bundle,
    /// The newest information bundle of a device, whether or not there is a case.
    Snapshot,
    /// What else belongs to a case.
    Attachment,
}

impl UploadKind {
    /// All of them with their words.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Bundle, "bundle"), (Self::Snapshot, "snapshot"), (Self::Attachment, "attachment")];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Snapshot => "snapshot",
            Self::Attachment => "attachment",
        }
    }
}

/// The device that the bytes come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UploadDevice {
    /// Its chassis serial number.
    pub serial_number: String,
    /// Its host name; empty where it is not known, or may not leave.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host_name: String,
}

/// Bytes are to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UploadRequest {
    /// What they are.
    pub kind: UploadKind,
    /// The receipt of the case they belong to; none of a snapshot alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// The device they come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<UploadDevice>,
    /// What they are called.
    pub name: String,
    /// Their media type (RFC 6838), where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// How many bytes they are.
    pub size: u64,
    /// The SHA-256 of all of them, in lower-case hexadecimal.
    pub sha256: String,
}

impl UploadRequest {
    /// Whether its texts are within their bounds, and what its kind needs is there.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), Fault> {
        let wrong = |pointer: &str, message: &str| Err(Fault::new(pointer, message));
        label("/name", &self.name, NAME_MOST)?;
        if self.name.is_empty() {
            return wrong("/name", "is empty");
        }
        if let Some(media_type) = &self.media_type {
            label("/media_type", media_type, MEDIA_TYPE_MOST)?;
        }
        if let Some(device) = &self.device {
            label("/device/serial_number", &device.serial_number, DEVICE_MOST)?;
            label("/device/host_name", &device.host_name, DEVICE_MOST)?;
            if device.serial_number.is_empty() {
                return wrong("/device/serial_number", "is empty");
            }
        }
        if self.size == 0 {
            return wrong("/size", "is 0: there is nothing to upload");
        }
        hash("/sha256", &self.sha256)?;
        match (self.kind, &self.receipt, &self.device) {
            (UploadKind::Snapshot, Some(_), _) => wrong("/receipt", "goes with `bundle` and `attachment`"),
            (UploadKind::Snapshot, None, None) => wrong("/device", "is missing: a snapshot is one of a device"),
            (UploadKind::Bundle | UploadKind::Attachment, None, _) => wrong("/receipt", "is missing"),
            _ => Ok(()),
        }
    }
}

/// How an upload stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UploadView {
    /// What it is asked for by.
    pub upload: String,
    /// How many bytes of it are there: where it goes on.
    pub offset: u64,
    /// How many it has in all.
    pub size: u64,
    /// The most bytes of one `PATCH`.
    pub piece: u64,
    /// Whether all of them are there, and are what was announced.
    pub complete: bool,
}

/// What is to be uploaded to an upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Upload {
    /// What the bytes are.
    pub kind: UploadKind,
    /// What the upstream knows the case by that they belong to: the receipt at a partner, the case id at the support
    /// system. Empty for a snapshot.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub case: String,
    /// What they are called where they go. It says nothing that the filter level holds back.
    pub name: String,
    /// Their media type (RFC 6838), where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The device they come from, as far as the filter level lets it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<UploadDevice>,
    /// The level at which they are to leave: they are filtered on their way, and never leave as they are here.
    pub filter_level: FilterLevel,
    /// What of a bundle stays here, since whoever wanted its case has said so. It leaves with none of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<BundlePart>,
    /// Where they are.
    pub source: UploadSource,
}

/// What of a bundle may stay behind by choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BundlePart {
    /// Its attachments and logs.
    Attachments,
    /// What its manifest says of core files.
    CoreFiles,
}

/// Where the bytes of an upload are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UploadSource {
    /// In a bundle in IN.
    Input(BundleBytes),
    /// In the object store, as an object of the organization whose the upload is.
    Object {
        /// Their SHA-256, in lower-case hexadecimal.
        sha256: String,
        /// How many they are.
        size: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> UploadRequest {
        UploadRequest {
            kind: UploadKind::Attachment,
            receipt: Some("T-acme-1".to_owned()),
            device: Some(UploadDevice { serial_number: "JN1".to_owned(), host_name: String::new() }),
            name: "rsi.txt".to_owned(),
            media_type: None,
            size: 1,
            sha256: "0".repeat(64),
        }
    }

    #[test]
    fn what_is_announced_is_bounded_and_whole() {
        assert_eq!(request().check(), Ok(()));
        let without = |change: fn(&mut UploadRequest)| {
            let mut request = request();
            change(&mut request);
            request.check().unwrap_err().to_string()
        };
        assert_eq!(without(|r| r.name.clear()), "`name` is empty");
        assert_eq!(without(|r| r.name = "a\nb".to_owned()), "`name` has control characters");
        assert_eq!(without(|r| r.name = "n".repeat(201)), "`name` has more than 200 characters");
        assert_eq!(without(|r| r.media_type = Some("t".repeat(101))), "`media_type` has more than 100 characters");
        assert_eq!(without(|r| r.size = 0), "`size` is 0: there is nothing to upload");
        assert_eq!(without(|r| r.sha256 = "A".repeat(64)), "`sha256` is no SHA-256 in lower-case hexadecimal");
        assert_eq!(without(|r| r.receipt = None), "`receipt` is missing");
        assert_eq!(without(|r| r.kind = UploadKind::Snapshot), "`receipt` goes with `bundle` and `attachment`");
        let snapshot = without(|r| (r.kind, r.receipt, r.device) = (UploadKind::Snapshot, None, None));
        assert_eq!(snapshot, "`device` is missing: a snapshot is one of a device");
        let nameless = without(|r| r.device.iter_mut().for_each(|device| device.serial_number.clear()));
        assert_eq!(nameless, "`device/serial_number` is empty");
    }

    #[test]
    fn every_kind_has_its_word() {
        for (kind, word) in UploadKind::ALL {
            assert_eq!((serde_json::to_value(kind).unwrap(), kind.as_str()), (word.into(), word));
        }
    }
}
