//! Another key of the seal: everything that is sealed with the old one is sealed anew, while no engine runs.
//!
//! ```text
//! key.old <- the old key      key <- a new key      each sealed thing: opened by either, sealed by the new      key.old goes
//! ```
//!
//! INVARIANT (a rotation that breaks off loses nothing): the old key lies beside the new one as long as anything may be
//! sealed with it, and [`Seal::open`] opens by both. The next rotation ends the one before first.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use linesman_schemas::OrgName;

use super::{KEY_BYTES, Purpose, Seal, SealError, credentials, devices, pseudonyms};
use crate::data_dir::private;

/// What is kept sealed: the folders below that of keys, which are called as what is in them is sealed for. In each is a file of
/// an organization's, or a folder of such.
const SEALED: [&str; 3] = [pseudonyms::WHAT, credentials::WHAT, devices::WHAT];

/// Why the key is not another.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// There is no seal.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A file cannot be read or written.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something is sealed with neither key.
    #[error(
        "`{}` is sealed with another key: put that back, or remove what cannot be opened and give it again; nothing of it is \
         lost, and `linesman seal rotate` goes on from here",
        path.display()
    )]
    Lost {
        /// What.
        path: PathBuf,
    },
}

/// Where the old key lies during a rotation.
pub(super) fn old_of(key: &Path) -> PathBuf {
    let mut old: OsString = key.as_os_str().to_owned();
    old.push(".old");
    old.into()
}

/// Gives the installation another key; how many things were sealed anew. Nobody else may use the folder meanwhile.
///
/// # Errors
/// A file cannot be read or written, or something is sealed with neither key. What was begun is gone on with by the next.
pub fn rotate(keys: &Path, key_file: Option<&Path>) -> Result<u64, RotationError> {
    let path = key_file.map_or_else(|| keys.join("seal"), Path::to_owned);
    let old = old_of(&path);
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| RotationError::File { path, source }
    };
    // One that broke off is ended first: its new key may be that of some things already.
    if !old.exists() {
        // It is one: what is none is put nowhere.
        Seal::open(keys, key_file)?;
        let (bytes, _) = super::read(&path).map_err(at(&path))?;
        private::write(&old, &bytes).map_err(at(&old))?;
        let made = private::random::<KEY_BYTES>().map_err(SealError::Broken)?;
        // IMPORTANT: the old key is on disk beside before the new one takes its place.
        private::write(&path, &made).map_err(at(&path))?;
    }
    let seal = Seal::open(keys, key_file)?;
    let mut count = 0;
    for what in SEALED {
        for (org, file) in sealed_in(&keys.join(what))? {
            let purpose = Purpose { org: &org, what };
            let sealed = std::fs::read(&file).map_err(at(&file))?;
            let plain = seal.unseal(purpose, &sealed).map_err(|_| RotationError::Lost { path: file.clone() })?;
            private::write(&file, &seal.seal(purpose, &plain)?).map_err(at(&file))?;
            count += 1;
        }
    }
    private::remove(&old).map_err(at(&old))?;
    Ok(count)
}

/// The files that lie in a folder of what is sealed, each with whose it is. One that was being written is none of them: it
/// ends otherwise.
fn sealed_in(folder: &Path) -> Result<Vec<(OrgName, PathBuf)>, RotationError> {
    let at = |path: &Path, source| RotationError::File { path: path.to_owned(), source };
    let list = |folder: &Path| match std::fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(|e| at(folder, e)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(at(folder, error)),
    };
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let mut found = Vec::new();
    for path in list(folder)? {
        let Some(org) = name(&path).and_then(|name| name.parse::<OrgName>().ok()) else { continue };
        if !path.is_dir() {
            found.push((org, path));
            continue;
        }
        let inner = list(&path)?.into_iter();
        let whole = inner.filter(|path| name(path).is_some_and(|name| name.ends_with(devices::ENDING)));
        found.extend(whole.map(|path| (org.clone(), path)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: &str = "acme";

    fn purpose(org: &OrgName) -> Purpose<'_> {
        Purpose { org, what: "credentials" }
    }

    /// A folder of keys with something sealed in it.
    fn folder() -> (tempfile::TempDir, OrgName, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let org: OrgName = ACME.parse().unwrap();
        let sealed = Seal::open(folder.path(), None).unwrap().seal(purpose(&org), b"hunter2").unwrap();
        let file = folder.path().join("credentials/acme");
        std::fs::create_dir(folder.path().join("credentials")).unwrap();
        std::fs::write(&file, sealed).unwrap();
        (folder, org, file)
    }

    fn opened(folder: &Path, org: &OrgName, file: &Path) -> Vec<u8> {
        Seal::open(folder, None).unwrap().unseal(purpose(org), &std::fs::read(file).unwrap()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_by_the_new_key_and_by_the_old_one_no_more() {
        let (folder, org, file) = folder();
        let key = folder.path().join("seal");
        let (before, sealed) = (std::fs::read(&key).unwrap(), std::fs::read(&file).unwrap());
        assert_eq!(rotate(folder.path(), None).unwrap(), 1);
        assert_ne!(std::fs::read(&key).unwrap(), before);
        assert!(!old_of(&key).exists());
        assert_eq!(opened(folder.path(), &org, &file), b"hunter2");
        assert!(Seal::open(folder.path(), None).unwrap().unseal(purpose(&org), &sealed).is_err());
    }

    #[test]
    fn what_devices_are_shown_is_sealed_anew_too() {
        let (folder, org, _) = folder();
        let devices = folder.path().join("devices/acme");
        std::fs::create_dir_all(&devices).unwrap();
        let seal = Seal::open(folder.path(), None).unwrap();
        let purpose = Purpose { org: &org, what: "devices" };
        std::fs::write(devices.join("r1.sealed"), seal.seal(purpose, b"hunter2").unwrap()).unwrap();
        assert_eq!(rotate(folder.path(), None).unwrap(), 2);
        let sealed = std::fs::read(devices.join("r1.sealed")).unwrap();
        assert_eq!(Seal::open(folder.path(), None).unwrap().unseal(purpose, &sealed).unwrap(), b"hunter2");
    }

    #[test]
    fn a_rotation_that_broke_off_is_gone_on_with_and_nothing_is_lost_in_between() {
        let (folder, org, file) = folder();
        let key = folder.path().join("seal");
        // Both keys lie there, and nothing is sealed anew yet.
        std::fs::copy(&key, old_of(&key)).unwrap();
        std::fs::write(&key, [9; KEY_BYTES]).unwrap();
        assert_eq!(opened(folder.path(), &org, &file), b"hunter2", "an engine runs with both");
        assert_eq!(rotate(folder.path(), None).unwrap(), 1);
        assert_eq!(std::fs::read(&key).unwrap(), [9; KEY_BYTES], "the new key stays");
        assert!(!old_of(&key).exists());
        assert_eq!(opened(folder.path(), &org, &file), b"hunter2");
    }

    #[test]
    fn what_cannot_be_opened_ends_it_and_both_keys_stay() {
        let (folder, _, file) = folder();
        std::fs::write(&file, b"broken").unwrap();
        let lost = rotate(folder.path(), None).unwrap_err();
        let expected = format!(
            "`{}` is sealed with another key: put that back, or remove what cannot be opened and give it again; nothing of \
             it is lost, and `linesman seal rotate` goes on from here",
            file.display()
        );
        assert_eq!(lost.to_string(), expected);
        assert!(old_of(&folder.path().join("seal")).exists());
    }
}
