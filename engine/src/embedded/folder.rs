//! Where the server's files are, and the lock that only one server at a time holds.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::Error;
use crate::data_dir::private;

/// How much of the end of the log goes into an error, in bytes.
const TAIL_BYTES: i64 = 2_000;

/// The folder `D/nats`, absolute, and the files of the server in it.
pub(super) struct Folder {
    root: PathBuf,
    keys: PathBuf,
}

impl Folder {
    /// Makes the folders `D/nats` and `D/keys` where they are missing.
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, Error> {
        private::make_dir(data_dir).map_err(Error::file(data_dir))?;
        let root = data_dir.canonicalize().map_err(Error::file(data_dir))?;
        let folder = Self { root: root.join("nats"), keys: root.join("keys") };
        for path in [&folder.root, &folder.keys] {
            private::create_dir(path).map_err(Error::file(path))?;
        }
        Ok(folder)
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    pub(super) fn config(&self) -> PathBuf {
        self.root.join("server.conf")
    }

    pub(super) fn record(&self) -> PathBuf {
        self.root.join("server.json")
    }

    pub(super) fn logins(&self) -> PathBuf {
        self.keys.join("nats.json")
    }

    fn log(&self) -> PathBuf {
        self.root.join("server.log")
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.root.join("server.lock")
    }

    /// Takes the lock of the folder; none when a server still holds it.
    ///
    /// INVARIANT (one server per store): the lock belongs to the open file, and every server is started with that file
    /// as its standard input. So a server holds it until it ends, even when its engine was killed before it could
    /// write down which process the server is.
    pub(super) fn lock(&self) -> Result<Option<File>, Error> {
        let path = self.lock_file();
        let file = private::open(&path).map_err(Error::file(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::File { path, source }),
        }
    }

    /// Opens the log for what the server writes to its standard error before it has a log and when it crashes.
    pub(super) fn open_log(&self) -> Result<File, Error> {
        let path = self.log();
        // The server opens the file by itself with a wider mode; made here, it keeps ours.
        private::open(&path).and_then(|_| File::options().append(true).open(&path)).map_err(Error::file(&path))
    }

    /// The last lines of the log.
    pub(super) fn log_tail(&self) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(self.log())?;
            if file.seek(SeekFrom::End(-TAIL_BYTES)).is_err() {
                file.rewind()?;
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
        };
        read().unwrap_or_else(|error| format!("(the log cannot be read: {error})"))
    }
}
