//! The data directory `D`: its folders, the lock that keeps a second engine out, the API token, and `ready.json`.
//!
//! ```text
//! D/            0700 where the engine makes it; what else it may be: `folder`
//!   state/      the store; may be deleted, it is rebuilt from the log
//!   nats/       the embedded log
//!   tls/ keys/  certificates, passwords and sealing keys
//!   leaving/    what is on its way to an upstream, in files without a name
//!   sections/   copies of what was loaded from the files; rule-book.json of before sections
//!   token       0600  the API's first token
//!   doors.json  0600  what failed at logins in the last quarter of an hour
//!   lock        0600  locked while an engine runs; holds its process id
//!   ready.json  0600  how to reach the engine; there only while it serves
//! ```
//!
//! It does not know what the folders hold.

mod folder;
pub(crate) mod private;

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another engine holds the directory; its process id, where the lock file tells it.
    #[error("data directory `{}` is in use by another engine{}", path.display(), process(*pid))]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process that holds it.
        pid: Option<u32>,
    },
    /// A file or folder of it cannot be made, read or written.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder that is others' too.
    #[error("`{}` is no place for a data directory: {reason}; name a folder of its own, such as `{}`", path.display(), own.display())]
    Shared {
        /// The folder.
        path: PathBuf,
        /// What others may there, and what lies in it.
        reason: String,
        /// One of its own.
        own: PathBuf,
    },
    /// The token file is there but holds no token.
    #[error("`{}` holds no token: remove the file and a new one is made", path.display())]
    Token {
        /// The file.
        path: PathBuf,
    },
}

fn process(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// A data directory that this process has to itself until the value is dropped.
#[derive(Debug)]
pub struct DataDir {
    root: PathBuf,
    /// INVARIANT (one engine per data directory): locked as long as this value lives.
    lock: File,
}

impl Drop for DataDir {
    fn drop(&mut self) {
        // Closing alone would leave the lock with a child that is just being started and has the file open still.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the data directory stays locked until this process ends");
        }
    }
}

impl DataDir {
    /// Makes the directory and its folders where they are missing, and takes the lock. The mode of one that is there stays.
    ///
    /// A `ready.json` left by an engine that was killed is removed.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] when another engine holds it, [`Error::Shared`] when it is others' too, [`Error::File`] when it cannot be made or written.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let root = folder::take(root)?;
        let lock = lock(&root)?;
        let dir = Self { root, lock };
        for folder in [dir.state(), dir.nats(), dir.tls(), dir.keys(), dir.leaving()] {
            private::create_dir(&folder).map_err(at(&folder))?;
        }
        dir.remove_ready()?;
        Ok(dir)
    }

    /// The directory itself, as an absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The store's folder.
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// The embedded log's folder.
    pub fn nats(&self) -> PathBuf {
        self.root.join("nats")
    }

    /// The folder of certificates.
    pub fn tls(&self) -> PathBuf {
        self.root.join("tls")
    }

    /// The folder of passwords and keys.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The folder of what is on its way to an upstream.
    pub fn leaving(&self) -> PathBuf {
        self.root.join("leaving")
    }

    /// The API's first token: 256 random bits in hexadecimal, made on the first call and kept in `D/token`.
    ///
    /// # Errors
    ///
    /// [`Error::Token`] when the file was emptied or cut, [`Error::File`] when it cannot be read or written.
    pub fn token(&self) -> Result<String, Error> {
        let path = self.root.join("token");
        match std::fs::read_to_string(&path) {
            Ok(text) if text.trim().len() >= 32 => Ok(text.trim().to_owned()),
            Ok(_) => Err(Error::Token { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let token = private::random_hex::<32>().map_err(at(&path))?;
                private::write(&path, format!("{token}\n").as_bytes()).map_err(at(&path))?;
                Ok(token)
            }
            Err(source) => Err(Error::File { path, source }),
        }
    }

    /// Where [`DataDir::write_ready`] writes in the data directory `root`, for commands that look for a running engine.
    pub fn ready_path(root: &Path) -> PathBuf {
        root.join("ready.json")
    }

    /// Tells other processes of this user how to reach the engine; readers never see half a file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be written.
    pub fn write_ready<T: Serialize>(&self, ready: &T) -> Result<(), Error> {
        let path = Self::ready_path(&self.root);
        let text = serde_json::to_vec_pretty(ready).map_err(|error| at(&path)(error.into()))?;
        private::write(&path, &text).map_err(at(&path))
    }

    /// Where it is kept what failed at logins.
    pub fn doors(&self) -> PathBuf {
        self.root.join("doors.json")
    }

    /// Where it is kept where lanes broke off.
    pub fn ends(&self) -> PathBuf {
        self.root.join("ends.json")
    }

    /// Where it is kept what was collected from devices, and is not gone from them yet.
    pub fn collected(&self) -> PathBuf {
        self.root.join("collected.log")
    }

    /// The same of what was gathered from devices.
    pub fn gathered(&self) -> PathBuf {
        self.root.join("gathered.log")
    }

    /// The folder for what is gathered from devices, until the log has it.
    pub fn gathering(&self) -> PathBuf {
        self.root.join("gathering")
    }

    /// Where files of devices lie on their way into the object store.
    pub fn collecting(&self) -> PathBuf {
        self.root.join("collecting")
    }

    /// Where copies of the sections of the rule book lie that were loaded last.
    pub fn sections(&self) -> PathBuf {
        self.root.join("sections")
    }

    /// The same of a whole rule book, should the server lose its own.
    pub fn rule_book(&self) -> PathBuf {
        self.root.join("rule-book.json")
    }

    /// Takes [`DataDir::write_ready`] back, before the engine stops to serve.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be removed.
    pub fn remove_ready(&self) -> Result<(), Error> {
        let path = Self::ready_path(&self.root);
        private::remove(&path).map_err(at(&path))
    }
}

/// Takes the lock of the directory and writes this process into the lock file.
///
/// The file is never removed: whoever waits on a removed file holds a lock that nobody sees.
fn lock(root: &Path) -> Result<File, Error> {
    let path = root.join("lock");
    let mut file = private::open(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(Error::InUse { path: root.to_owned(), pid });
        }
        Err(TryLockError::Error(source)) => return Err(Error::File { path, source }),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(at(&path))?;
    Ok(file)
}

/// Names the file in an error of the system.
fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::File { path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_second_engine_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("d");
        let first = DataDir::open(&root).unwrap();
        let refused = DataDir::open(&root).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("data directory `{}` is in use by another engine (process {})", root.display(), std::process::id())
        );
        drop(first);
        DataDir::open(&root).unwrap();
    }

    #[test]
    fn only_the_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::create_dir(folder.path().join("keys")).unwrap();
        let dir = DataDir::open(folder.path()).unwrap();
        dir.token().unwrap();
        dir.write_ready(&"here").unwrap();
        for folder in [dir.root().to_owned(), dir.state(), dir.nats(), dir.tls(), dir.keys(), dir.leaving()] {
            assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        }
        for file in ["token", "lock", "ready.json"] {
            assert_eq!(mode(&dir.root().join(file)), 0o600, "{file}");
        }
    }

    #[test]
    fn the_token_is_random_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let token = DataDir::open(folder.path()).unwrap().token().unwrap();
        assert_eq!(token.len(), 64);
        assert_eq!(DataDir::open(folder.path()).unwrap().token().unwrap(), token);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(DataDir::open(other.path()).unwrap().token().unwrap(), token);
    }

    #[test]
    fn an_emptied_token_is_no_open_door() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::open(folder.path()).unwrap();
        std::fs::write(dir.root().join("token"), "\n").unwrap();
        let refused = dir.token().unwrap_err().to_string();
        assert!(refused.ends_with("/token` holds no token: remove the file and a new one is made"), "{refused}");
    }

    #[test]
    fn ready_is_there_only_while_an_engine_serves() {
        let folder = tempfile::tempdir().unwrap();
        let path = DataDir::ready_path(folder.path());
        let dir = DataDir::open(folder.path()).unwrap();
        dir.write_ready(&1).unwrap();
        dir.write_ready(&2).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "2");
        drop(dir);
        let dir = DataDir::open(folder.path()).unwrap();
        assert!(!path.exists(), "left by an engine that was killed");
        dir.remove_ready().unwrap();
    }
}
