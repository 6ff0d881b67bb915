//! What leaves of some bytes: filtered on their way into a file of the room, and that file.

use std::io::{self, BufWriter, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::StreamExt as _;
use linesman_redaction::{Error, Overwriting, Redaction, Spool};
use linesman_schemas::FilterLevel;
use linesman_schemas::outcome::Failure;
use linesman_schemas::upload::{Upload, UploadDevice, UploadRequest};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::room::{Full, Share, Spooled};
use crate::Contents;
use crate::text::excerpt;
use crate::upstream::fault;

/// What is left of a document at the level of features is called so, whatever it was called.
const FEATURES: &str = "features.txt";
/// Most characters of a reason in a message.
const REASON: usize = 300;
/// Pieces of the document that wait for the filter.
const AHEAD: usize = 2;

/// What leaves, whole and known by its SHA-256.
#[derive(Debug)]
pub struct Parcel {
    /// What the other side is told of it.
    pub(crate) request: UploadRequest,
    file: Arc<Spooled>,
}

impl Parcel {
    /// What is told of it: its name, its size in bytes, its SHA-256.
    pub const fn request(&self) -> &UploadRequest {
        &self.request
    }

    /// What leaves of `contents`.
    ///
    /// INVARIANT (what the filter level holds back stays here): the file has what the filter wrote and nothing else, and
    /// what is announced is made of it, of the action, which is filtered already, and of names, which are filtered here.
    ///
    /// # Errors
    /// The contents break off, what comes in them is refused, or there is no room.
    pub(crate) async fn of(
        upload: &Upload,
        overwriting: Overwriting,
        contents: Contents,
        share: Share,
    ) -> Result<Self, Failure> {
        let redaction = Redaction::at(upload.filter_level).overwriting(overwriting);
        let request = announced(&redaction, upload);
        let (pieces, taken) = mpsc::channel(AHEAD);
        let work = Work { redaction, name: upload.name.clone(), share, lost: Arc::default() };
        let filtered = tokio::task::spawn_blocking(move || work.carry(taken));
        let mut document = contents.into_pieces();
        while let Some(piece) = document.next().await {
            // An empty one would be the end.
            if piece.as_ref().is_ok_and(Bytes::is_empty) {
                continue;
            }
            let is_lost = piece.is_err();
            // The filter has seen enough, or has failed: it says which.
            if pieces.send(piece).await.is_err() || is_lost {
                break;
            }
        }
        let _ = pieces.send(Ok(Bytes::new())).await;
        let (file, size, sha256) = filtered.await.map_err(|_| fault::garbled("the filter broke off".to_owned()))??;
        Ok(Self { request: UploadRequest { size, sha256, ..request }, file: Arc::new(file) })
    }

    /// The bytes from `offset` on, at most `most`; none at the end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn piece(&self, offset: u64, most: u64) -> io::Result<Bytes> {
        let file = Arc::clone(&self.file);
        let length = usize::try_from(self.request.size.saturating_sub(offset).min(most)).unwrap_or(usize::MAX);
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; length];
            file.read_exact_at(&mut piece, offset).map(|()| piece.into())
        });
        read.await.map_err(io::Error::other)?
    }
}

/// What is told of it before its bytes are.
fn announced(redaction: &Redaction, upload: &Upload) -> UploadRequest {
    // Every field by name: one added to `Upload` must be decided on here.
    // What stays here by choice is not among the contents any more.
    let Upload { kind, case, name, media_type, device, filter_level, without: _, source: _ } = upload;
    let is_list = *filter_level == FilterLevel::FeaturesOnly;
    let device = device.as_ref().map(|device| UploadDevice {
        serial_number: redaction.name(&device.serial_number),
        host_name: redaction.name(&device.host_name),
    });
    UploadRequest {
        kind: *kind,
        receipt: Some(case.clone()).filter(|case| !case.is_empty()),
        device,
        name: if is_list { FEATURES.to_owned() } else { redaction.name(name) },
        media_type: if is_list { Some("text/plain".to_owned()) } else { media_type.clone() },
        size: 0,
        sha256: String::new(),
    }
}

/// A document on its way through the filter.
struct Work {
    redaction: Redaction,
    name: String,
    share: Share,
    /// Why the document broke off. What reads it may take that for a fault of the document's.
    lost: Arc<Mutex<Option<String>>>,
}

impl Work {
    /// What leaves, with its size and its SHA-256.
    fn carry(self, taken: mpsc::Receiver<io::Result<Bytes>>) -> Result<(Spooled, u64, String), Failure> {
        let file = self.share.file().map_err(|error| no_room(&error))?;
        let mut input = Pieces { taken, piece: Bytes::new(), has_ended: false, lost: Arc::clone(&self.lost) };
        let mut output = Hashed { file: BufWriter::with_capacity(64 * 1024, file), hasher: Sha256::new(), size: 0 };
        let spool = || Ok(Box::new(self.share.file()?) as Box<dyn Spool>);
        let carried = self.redaction.document(&self.name, &mut input, &mut output, &spool);
        let flushed = output.flush();
        if let Some(reason) = self.lost.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(fault::unavailable(format!("the bytes to upload broke off: {}", excerpt(&reason, REASON))));
        }
        match self.share.full() {
            Some(full @ Full::Upload(_)) => return Err(fault::refused(full.to_string())),
            Some(full @ Full::All(_)) => return Err(fault::unavailable(full.to_string())),
            None => {}
        }
        carried.map_err(|error| not_carried(&error))?;
        flushed.map_err(|error| no_room(&error))?;
        let Hashed { file, hasher, size } = output;
        let file = file.into_inner().map_err(|error| no_room(error.error()))?;
        Ok((file, size, hex::encode(hasher.finalize())))
    }
}

fn no_room(error: &io::Error) -> Failure {
    fault::unavailable(format!("there is no room for what leaves: {error}"))
}

/// Why a document is not carried over: what is broken or a bomb stays so.
fn not_carried(error: &Error) -> Failure {
    let said = match error {
        Error::Refused(refusal) => refusal.to_string(),
        Error::Broken { source, .. } => format!("{error}: {source}"),
    };
    fault::refused(excerpt(&said, REASON))
}

/// The document as whoever filters reads it.
struct Pieces {
    taken: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
    has_ended: bool,
    lost: Arc<Mutex<Option<String>>>,
}

impl Pieces {
    fn lose(&self, reason: String) -> io::Error {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        io::Error::other("the document broke off")
    }
}

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() && !self.has_ended {
            match self.taken.blocking_recv() {
                Some(Ok(piece)) => (self.has_ended, self.piece) = (piece.is_empty(), piece),
                Some(Err(error)) => return Err(self.lose(error.to_string())),
                // Whoever wanted it is gone.
                None => return Err(self.lose("nobody waits for it".to_owned())),
            }
        }
        let piece = self.piece.split_to(self.piece.len().min(room.len()));
        if let Some(room) = room.get_mut(..piece.len()) {
            room.copy_from_slice(&piece);
        }
        Ok(piece.len())
    }
}

/// Counts and hashes what is written.
struct Hashed {
    file: BufWriter<Spooled>,
    hasher: Sha256,
    size: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
