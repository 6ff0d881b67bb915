//! The keys of pseudonyms, one of each organization's: made when it is needed first, and kept sealed in
//! `D/keys/pseudonyms/<organization>`. They are no decision, so they stand beside the log and outlive the state.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use linesman_redaction::{KEY_BYTES, Key};
use linesman_schemas::OrgName;

use super::{Purpose, Seal, SealError, read_sealed};
use crate::data_dir::private;

/// What the keys are sealed for.
pub(super) const WHAT: &str = "pseudonyms";
/// The most bytes that are read of what is sealed.
const SEALED_MOST: u64 = 1024;

/// Why an organization has no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be opened.
    #[error(
        "the key of the pseudonyms of `{org}` needs to be given again: put back the key of the seal that it was sealed \
         with, or remove `{}`, and there are new pseudonyms from then on",
        path.display()
    )]
    Lost {
        /// Whose.
        org: OrgName,
        /// Where it lies.
        path: PathBuf,
    },
    /// It cannot be made.
    #[error("no key of pseudonyms can be made")]
    Unmade(#[from] SealError),
}

/// The keys of an installation.
pub struct Keys {
    folder: PathBuf,
    seal: Arc<Seal>,
    /// Those that were asked for.
    known: Mutex<BTreeMap<OrgName, Key>>,
}

impl Keys {
    /// Those that lie in the folder of keys.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(keys: &Path, seal: Arc<Seal>) -> Result<Self, KeyError> {
        let folder = keys.join(WHAT);
        private::create_dir(&folder).map_err(|source| KeyError::File { path: folder.clone(), source })?;
        Ok(Self { folder, seal, known: Mutex::default() })
    }

    /// An organization's, if it has one.
    ///
    /// # Errors
    /// It cannot be read or opened.
    pub fn known(&self, org: &OrgName) -> Result<Option<Key>, KeyError> {
        let path = self.folder.join(org.as_str());
        match path.try_exists() {
            Ok(true) => self.of(org).map(Some),
            Ok(false) => Ok(None),
            Err(source) => Err(KeyError::File { path, source }),
        }
    }

    /// An organization's; made when it has none yet.
    ///
    /// # Errors
    /// It cannot be read or opened, or made.
    pub fn of(&self, org: &OrgName) -> Result<Key, KeyError> {
        // One at a time: two that made one each would have one of them lost.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.get(org) {
            return Ok(key.clone());
        }
        // An organization's name is a file's name, and never one of two parts.
        let path = self.folder.join(org.as_str());
        let at = |source| KeyError::File { path: path.clone(), source };
        let purpose = Purpose { org, what: WHAT };
        let lost = || KeyError::Lost { org: org.clone(), path: path.clone() };
        let key = match read_sealed(&path, SEALED_MOST) {
            Ok(sealed) => {
                let bytes = self.seal.unseal(purpose, &sealed).map_err(|_| lost())?;
                Key::of(&bytes).map_err(|_| lost())?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (key, bytes) = make().map_err(at)?;
                private::write(&path, &self.seal.seal(purpose, &bytes)?).map_err(at)?;
                key
            }
            Err(error) => return Err(at(error)),
        };
        known.insert(org.clone(), key.clone());
        Ok(key)
    }
}

fn make() -> io::Result<(Key, [u8; KEY_BYTES])> {
    loop {
        let bytes = private::random::<KEY_BYTES>()?;
        // Its halves are the same once in 2^128 times.
        if let Ok(key) = Key::of(&bytes) {
            return Ok((key, bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use linesman_redaction::{Overwriting, Redaction};
    use linesman_schemas::FilterLevel;

    use super::*;

    fn keys(folder: &Path) -> Keys {
        Keys::open(folder, Arc::new(Seal::open(folder, None).unwrap())).unwrap()
    }

    fn pseudonym(keys: &Keys, org: &str) -> String {
        let key = keys.of(&org.parse().unwrap()).unwrap();
        Redaction::at(FilterLevel::AddressesOverwritten).overwriting(Overwriting::Pseudonyms(key)).text("192.0.2.1")
    }

    #[test]
    fn a_key_is_made_once_and_is_the_organizations_own() {
        let folder = tempfile::tempdir().unwrap();
        let first = keys(folder.path());
        let (acme, bolt) = (pseudonym(&first, "acme"), pseudonym(&first, "bolt"));
        assert_ne!(acme, bolt);
        let again = keys(folder.path());
        assert_eq!([pseudonym(&again, "acme"), pseudonym(&again, "bolt")], [acme, bolt]);
        // What one organization's was sealed for opens for no other.
        std::fs::rename(folder.path().join("pseudonyms/bolt"), folder.path().join("pseudonyms/acme")).unwrap();
        assert!(matches!(keys(folder.path()).of(&"acme".parse().unwrap()), Err(KeyError::Lost { .. })));
    }

    #[test]
    fn a_key_whose_seal_is_lost_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        pseudonym(&keys(folder.path()), "acme");
        let path = folder.path().join("pseudonyms/acme");
        let before = std::fs::read(&path).unwrap();
        std::fs::remove_file(folder.path().join("seal")).unwrap();
        let lost = keys(folder.path()).of(&"acme".parse().unwrap()).err().unwrap();
        let expected = format!(
            "the key of the pseudonyms of `acme` needs to be given again: put back the key of the seal that it was \
             sealed with, or remove `{}`, and there are new pseudonyms from then on",
            path.display()
        );
        assert_eq!(lost.to_string(), expected);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        std::fs::remove_file(&path).unwrap();
        pseudonym(&keys(folder.path()), "acme");
    }
}
