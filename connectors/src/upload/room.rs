//! Where what leaves lies until it has left: files without a name, readable by nobody else, within bounds.

use std::fs::{File, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes that one upload may have on disk.
const UPLOAD_MOST: u64 = 1 << 30;
/// The most that all may have.
const ALL_MOST: u64 = 4 << 30;

/// A folder for files that go with whoever has them open.
///
/// INVARIANT (nothing that leaves stays behind): a file has no name from the moment it is made, so that it is gone with
/// the process, however that ends. Where the file system needs a name for that moment, [`Room::open`] removes what a
/// process left that ended in it.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    folder: PathBuf,
    used: Arc<AtomicU64>,
    upload_most: u64,
    all_most: u64,
}

impl Room {
    /// The room in a folder that nobody else uses.
    ///
    /// # Errors
    /// What lies there cannot be read or removed.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(Self::shared(folder.to_owned()))
    }

    /// The room in a folder that others use too.
    pub(crate) fn shared(folder: PathBuf) -> Self {
        Self { folder, used: Arc::default(), upload_most: UPLOAD_MOST, all_most: ALL_MOST }
    }

    /// The same with other bounds.
    #[cfg(test)]
    pub(crate) fn within(self, upload_most: u64, all_most: u64) -> Self {
        Self { upload_most, all_most, ..self }
    }

    /// What one upload may take of it.
    pub(crate) fn share(&self) -> Share {
        Share { room: self.clone(), used: Arc::default(), full: Arc::default() }
    }
}

/// What one upload takes of the room; its files together are bounded.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    room: Room,
    used: Arc<AtomicU64>,
    /// Why something was not written; what writes may say no more than that it failed.
    full: Arc<Mutex<Option<Full>>>,
}

/// Why nothing more can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    /// This one is too large.
    #[error("more than {0} bytes would leave of it, which no upload has")]
    Upload(u64),
    /// All together are; some of the others will have ended later.
    #[error("what leaves elsewhere takes all of the {0} bytes that there are for it")]
    All(u64),
}

impl Share {
    /// A new file.
    pub(crate) fn file(&self) -> io::Result<Spooled> {
        let file = tempfile::tempfile_in(&self.room.folder)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Spooled { file, share: self.clone(), taken: 0 })
    }

    /// Why something was not written, if anything was not.
    pub(crate) fn full(&self) -> Option<Full> {
        *self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, count: u64) -> Result<(), Full> {
        let Room { upload_most, all_most, .. } = self.room;
        if self.used.fetch_add(count, Ordering::AcqRel) + count > upload_most {
            self.used.fetch_sub(count, Ordering::AcqRel);
            return Err(Full::Upload(upload_most));
        }
        if self.room.used.fetch_add(count, Ordering::AcqRel) + count > all_most {
            self.give_back(count);
            return Err(Full::All(all_most));
        }
        Ok(())
    }

    fn give_back(&self, count: u64) {
        self.used.fetch_sub(count, Ordering::AcqRel);
        self.room.used.fetch_sub(count, Ordering::AcqRel);
    }
}

/// A file of a share. It is written from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Spooled {
    file: File,
    share: Share,
    taken: u64,
}

impl Spooled {
    /// Fills `piece` with the bytes from `offset` on.
    pub(crate) fn read_exact_at(&self, piece: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(piece, offset)
    }
}

impl Read for Spooled {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.file.read(room)
    }
}

impl Write for Spooled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len() as u64;
        if let Err(full) = self.share.take(count) {
            self.share.full.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(full);
            return Err(io::Error::other(full));
        }
        self.taken += count;
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Spooled {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        self.share.give_back(self.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(error: &io::Error) -> Full {
        *error.get_ref().unwrap().downcast_ref::<Full>().unwrap()
    }

    #[test]
    fn a_file_is_its_owners_and_leaves_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let share = Room::open(folder.path()).unwrap().share();
        let mut file = share.file().unwrap();
        file.write_all(b"what leaves").unwrap();
        assert_eq!(file.file.metadata().unwrap().permissions().mode() & 0o077, 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        file.rewind().unwrap();
        assert_eq!(io::read_to_string(file).unwrap(), "what leaves");
    }

    #[test]
    fn what_a_killed_process_left_goes_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".tmpX1"), "left").unwrap();
        Room::open(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_files_of_an_upload_are_bounded_and_so_are_all() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::open(folder.path()).unwrap().within(10, 15);
        let (share, other) = (room.share(), room.share());
        let (mut first, mut second) = (share.file().unwrap(), share.file().unwrap());
        first.write_all(&[0; 6]).unwrap();
        assert_eq!(full(&second.write_all(&[0; 5]).unwrap_err()), Full::Upload(10));
        assert_eq!((share.full(), other.full()), (Some(Full::Upload(10)), None));
        second.write_all(&[0; 4]).unwrap();
        let mut third = other.file().unwrap();
        assert_eq!(full(&third.write_all(&[0; 6]).unwrap_err()), Full::All(15));
        drop((first, second));
        third.write_all(&[0; 10]).unwrap();
        drop(third);
        assert_eq!(room.used.load(Ordering::Acquire), 0);
    }
}
