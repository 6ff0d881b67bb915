//! A tar as it is written: file by file, each of a size that is known before, and at the end what it consists of.

use std::io;

use bytes::Bytes;
use jiff::Timestamp;
use linesman_connectors::upload::Parcel;
use linesman_schemas::upload::UploadKind;
use linesman_schemas::{FilterLevel, IncidentId, OrgName};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};
use tokio::sync::mpsc::Sender;

use crate::edge::lists::uploaded::plain;

/// How many bytes a tar is made of at a time.
const BLOCK: u64 = 512;
/// How many bytes of a file are read at a time.
const PIECE: u64 = 256 * 1024;

/// A tar on its way.
pub(super) struct Archive {
    out: Sender<io::Result<Bytes>>,
    made: Timestamp,
    files: Vec<Listed>,
    withheld: Vec<Withheld>,
}

/// What of the organization something belongs to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Of {
    /// An incident, or its case.
    Incident(IncidentId),
    /// A device, by serial number.
    Device(String),
    /// A device of which nothing leaves, not even what it is called: its number in the archive.
    Snapshot(u64),
}

/// A file of it.
#[derive(Debug, Serialize)]
struct Listed {
    path: String,
    size: u64,
    sha256: String,
    #[serde(flatten)]
    of: Of,
    /// What it is; none of what is said of a case.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<UploadKind>,
}

/// What is not in it.
#[derive(Debug, Serialize)]
struct Withheld {
    #[serde(flatten)]
    of: Of,
    /// The number of the file; none of what is said of a case, and of a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<u32>,
    why: &'static str,
}

impl Archive {
    /// An empty one.
    pub(super) fn new(out: Sender<io::Result<Bytes>>) -> Self {
        Self { out, made: Timestamp::now(), files: Vec::new(), withheld: Vec::new() }
    }

    /// Names what is not in it.
    pub(super) fn withhold(&mut self, of: &Of, file: Option<u32>, why: &'static str) {
        self.withheld.push(Withheld { of: of.clone(), file, why });
    }

    /// Adds what is said of a case.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub(super) async fn text(&mut self, path: String, of: &Of, said: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(said)?;
        let (size, sha256) = (text.len() as u64, hex::encode(Sha256::digest(&text)));
        self.begin(&path, size).await?;
        self.write(text.into()).await?;
        self.end(size).await?;
        self.files.push(Listed { path, size, sha256, of: of.clone(), kind: None });
        Ok(())
    }

    /// Adds a file, behind what its path begins with by what is left of its name.
    ///
    /// # Errors
    /// It cannot be read, or nobody reads what is written any more.
    pub(super) async fn file(&mut self, front: &str, of: &Of, parcel: &Parcel) -> io::Result<()> {
        let request = parcel.request();
        let (size, path) = (request.size, format!("{front}{}", plain(&request.name)));
        self.begin(&path, size).await?;
        let mut at = 0;
        while at < size {
            let piece = parcel.piece(at, PIECE).await?;
            if piece.is_empty() {
                return Err(io::Error::other("a file ends before its end"));
            }
            at += piece.len() as u64;
            self.write(piece).await?;
        }
        self.end(size).await?;
        let (sha256, kind) = (request.sha256.clone(), Some(request.kind));
        self.files.push(Listed { path, size, sha256, of: of.clone(), kind });
        Ok(())
    }

    /// Ends it with what it consists of, which says that it is whole.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub(super) async fn finish(self, organization: &OrgName, filter_level: FilterLevel) -> io::Result<()> {
        let said = serde_json::to_vec_pretty(&serde_json::json!({
            "format": 1, "organization": organization, "filter_level": filter_level, "made": self.made,
            "files": self.files, "withheld": self.withheld,
        }))?;
        let size = said.len() as u64;
        self.begin("manifest.json", size).await?;
        self.write(said.into()).await?;
        self.end(size).await?;
        self.write(Bytes::from_static(&[0; 2 * BLOCK as usize])).await
    }

    async fn begin(&self, path: &str, size: u64) -> io::Result<()> {
        let mut header = Header::new_ustar();
        header.set_path(path)?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(self.made.as_second()).unwrap_or_default());
        header.set_cksum();
        self.write(Bytes::copy_from_slice(header.as_bytes())).await
    }

    async fn end(&self, size: u64) -> io::Result<()> {
        let rest = usize::try_from(size.next_multiple_of(BLOCK) - size).unwrap_or_default();
        self.write(Bytes::from(vec![0; rest])).await
    }

    async fn write(&self, bytes: Bytes) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.out.send(Ok(bytes)).await.map_err(|_| io::Error::other("nobody reads it"))
    }
}
