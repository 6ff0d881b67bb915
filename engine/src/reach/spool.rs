//! Files of devices on their way into the object store: they lie in a folder until they are there, so that what was broken off goes
//! on, whichever side broke it off.
//!
//! Of a device one lies there at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use linesman_connectors::device::files;
use linesman_connectors::device::limits::TimedOut;
use linesman_schemas::OrgName;
use linesman_schemas::device::DeviceState;
use linesman_schemas::upload::{UploadKind, UploadRequest};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::turned::Begun;
use super::way::{Trouble, limits};
use super::worker::{Open, Worker};
use super::{Device, Hands};
use crate::log::objects::{self, Manifest, PIECE};
use crate::logging::full;

/// How long something lies there that nobody goes on with.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_secs(86_400);

/// For how long a file is read in one look: its device holds a place that others wait for.
const TURN: Duration = Duration::from_secs(120);
/// How many bytes of a file have to come until it has got on.
pub(super) const GOT_ON_LEAST: u64 = 256 * 1024;

/// The folder.
pub(super) struct Spool {
    folder: PathBuf,
}

/// A file that lies there whole.
pub(super) struct Spooled {
    path: PathBuf,
    /// How many bytes it has.
    pub(super) size: u64,
}

/// What the reading of a file came to.
pub(super) enum Spooling {
    /// It lies there.
    Whole(Spooled),
    /// It has not the size any more that it had.
    Changed,
    /// It has not come to its end, and others are waiting, or its device is reached otherwise or no more: what goes on does so from
    /// where it is.
    GoesOn,
}

/// Why a file is not there whole.
pub(super) enum Broken {
    /// The device, or the way to it.
    Device(files::Error),
    /// There is no connection.
    Unconnected,
    /// The folder.
    Here(io::Error),
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Device(error) => error.into(),
            Broken::Unconnected => Self::new(DeviceState::Unreachable, "there is no connection"),
            Broken::Here(error) => unkept(&error),
        }
    }
}

pub(super) fn unkept(error: &io::Error) -> Trouble {
    Trouble::new(DeviceState::EngineFull, format!("a file on its way cannot be kept: {error}"))
}

impl Spool {
    /// Opens the folder; what has lain there for a day goes.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let changed = jiff::Timestamp::try_from(entry.metadata()?.modified()?);
            let is_old = |changed: jiff::Timestamp| jiff::Timestamp::now().duration_since(changed) > KEPT;
            if changed.is_ok_and(is_old) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where a file of a device lies that is read so; others of the device go. Read otherwise it is another: what one device has
    /// begun no other goes on with.
    fn place(&self, device: &Device, by: Begun<'_>, file: &files::File) -> io::Result<PathBuf> {
        let digest = |text: &[u8]| hex::encode(Sha256::digest(text).get(..16).unwrap_or_default());
        let whose = digest(format!("{}\n{}", device.org, device.name).as_bytes());
        let modified = file.modified.map_or(0, jiff::Timestamp::as_second);
        let which = format!("\n{}\n{modified}\n{}", file.size, by.who());
        let which = [file.name.as_bytes(), which.as_bytes()].concat();
        let name = format!("{whose}.{}", digest(&which));
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let known = entry.file_name();
            let is_other = known.to_str().is_some_and(|known| known.starts_with(&whose) && known != name);
            if is_other {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(self.folder.join(name))
    }
}

impl Spooled {
    /// What was written elsewhere by us.
    pub(super) const fn at(path: PathBuf, size: u64) -> Self {
        Self { path, size }
    }

    /// All of its bytes.
    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.path)
    }

    /// Its SHA-256, in hexadecimal.
    pub(super) fn sha256(&self) -> io::Result<String> {
        let (mut hasher, mut offset) = (Sha256::new(), 0);
        while offset < self.size {
            let piece = self.piece(offset)?;
            hasher.update(&piece);
            offset += piece.len() as u64;
        }
        Ok(hex::encode(hasher.finalize()))
    }

    /// Its bytes from one on, at most a piece.
    fn piece(&self, offset: u64) -> io::Result<Bytes> {
        let length = self.size.saturating_sub(offset).min(PIECE);
        let mut piece = vec![0; usize::try_from(length).unwrap_or_default()];
        File::open(&self.path)?.read_exact_at(&mut piece, offset)?;
        Ok(piece.into())
    }

    /// It is not needed any more.
    pub(super) fn remove(&self) {
        // What stays goes with the next file of the device, or after a day.
        let _ = fs::remove_file(&self.path);
    }
}

impl Worker {
    /// Reads a file of the device into the folder, on from where that was broken off. Whether it was written meanwhile is looked
    /// at behind its last byte.
    pub(super) async fn spool(&mut self, file: &files::File) -> Result<Spooling, Broken> {
        let Some(open) = &self.open else { return Err(Broken::Unconnected) };
        let path = self.hands.spool.place(&self.device, open.begun(), file).map_err(Broken::Here)?;
        let mut kept = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(Broken::Here)?;
        let mut length = kept.metadata().map_err(Broken::Here)?.len();
        if length < file.size {
            let Some(Open { way, connection, files }) = &mut self.open else { return Err(Broken::Unconnected) };
            let (limits, begun, first) = (limits(file.size - length), Instant::now(), length);
            let by = Begun { row: way, shown: Some(connection.host_key()) };
            let mut turned = pin!(self.hands.turned(&self.device, by));
            let mut reader = files.read(&file.name, length, file.size, &limits).await.map_err(Broken::Device)?;
            loop {
                let next = tokio::select! {
                    next = reader.next() => next,
                    _ = &mut turned => return Ok(Spooling::GoesOn),
                };
                match next {
                    Ok(Some(piece)) => {
                        kept.write_all(&piece).map_err(Broken::Here)?;
                        length += piece.len() as u64;
                        self.spooled += piece.len() as u64;
                        fail::fail_point!("reach::spooling");
                        if begun.elapsed() > TURN && length < file.size {
                            // Who gives next to nothing is not read on for ever.
                            return match length - first >= GOT_ON_LEAST {
                                true => Ok(Spooling::GoesOn),
                                false => Err(Broken::Device(files::Error::Limit(TimedOut::Total(TURN)))),
                            };
                        }
                    }
                    Ok(None) => break,
                    // It grows.
                    Err(files::Error::TooMuch { .. }) => {
                        length = u64::MAX;
                        break;
                    }
                    Err(error) => return Err(Broken::Device(error)),
                }
            }
        }
        let spooled = Spooled { path, size: file.size };
        if length != file.size || !self.is_still(file).await? {
            spooled.remove();
            return Ok(Spooling::Changed);
        }
        Ok(Spooling::Whole(spooled))
    }
}

impl Worker {
    /// Whether a file has the size and the time still that it had. One that is gone was read as it was open, to its end.
    async fn is_still(&mut self, file: &files::File) -> Result<bool, Broken> {
        let Some(open) = &mut self.open else { return Err(Broken::Unconnected) };
        match open.files.look(&file.name, &limits(0)).await {
            Ok(now) => Ok(now.as_ref() == Some(file)),
            Err(files::Error::Vanished(_)) => Ok(true),
            Err(error) => Err(Broken::Device(error)),
        }
    }
}

impl Hands {
    /// Puts a file into the object store, on from where that was broken off; under what it lies there.
    pub(super) async fn keep(
        &self,
        org: &OrgName,
        spooled: &Spooled,
        (kind, name, sha256): (UploadKind, &str, &str),
    ) -> Result<String, Trouble> {
        let unavailable = |error: objects::Error| Trouble::new(DeviceState::LogUnavailable, full(&error));
        let (objects, stored) = (&self.parts.objects, format!("d-{}", sha256.get(..32).unwrap_or(sha256)));
        let (size, sha256) = (spooled.size, sha256.to_owned());
        let name = name.to_owned();
        let request = UploadRequest { kind, receipt: None, device: None, name, media_type: None, size, sha256 };
        let mut found = match objects.find(org, &stored).await.map_err(unavailable)? {
            Some(found) if found.is_done => {
                return match objects.touch(org, &stored, &found).await.map_err(unavailable)? {
                    true => Ok(stored),
                    false => Err(Trouble::new(DeviceState::LogUnavailable, "an object was looked after meanwhile")),
                };
            }
            Some(found) => found,
            None => {
                let manifest = Manifest { request, incident: None, offset: 0 };
                objects.begin(org, &stored, &manifest).await.map_err(unavailable)?;
                let begun = objects.find(org, &stored).await.map_err(unavailable)?;
                begun
                    .ok_or_else(|| Trouble::new(DeviceState::LogUnavailable, "an object was looked after meanwhile"))?
            }
        };
        while found.manifest.offset < size {
            let piece = spooled.piece(found.manifest.offset).map_err(|error| unkept(&error))?;
            found = objects.append(org, &stored, &found, piece).await.map_err(unavailable)?;
            fail::fail_point!("reach::keeping");
        }
        if objects.finish(org, &stored, found).await.map_err(unavailable)?.is_none() {
            objects.remove(org, &stored).await.map_err(unavailable)?;
            return Err(Trouble::new(DeviceState::LogUnavailable, "the object store has other bytes, and begins anew"));
        }
        metrics::counter!("linesman_device_object_bytes_total").increment(size);
        Ok(stored)
    }
}
