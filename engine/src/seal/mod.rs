//! Secrets that are kept or travel sealed: readable only with the key of this installation, and only for what they were
//! sealed for.
//!
//! ```text
//! 01 | nonce, 12 bytes | AES-256-GCM of the secret under the key, with whose and what for as associated data
//! ```
//!
//! `pseudonyms` keeps the keys of pseudonyms so, one of each organization's, `credentials` the passwords of end
//! customers, and `devices` what devices are shown; `rotation` gives the installation another key. Whoever has the key file and what was sealed
//! has the secrets; whoever has only one of them has nothing. Where the key is lost what was sealed with it is lost, and
//! nothing else: each secret needs to be given again.

pub mod credentials;
pub mod devices;
pub mod pseudonyms;
pub mod rotation;
pub mod section;

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linesman_schemas::OrgName;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::data_dir::private;

/// How many bytes the key has.
const KEY_BYTES: usize = 32;
/// What of a file's mode lets others than its owner in.
const OTHERS: u32 = 0o077;
/// The form of what is sealed.
const FORM: u8 = 1;

/// Why nothing can be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file of the key cannot be read or written.
    #[error("the key of the seal, `{}`, cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error(
        "`{}` is no key of the seal, which has exactly 32 raw bytes: put it back; without it what was sealed needs to be \
         given again",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may read it.
    #[error("others than its owner may read the key of the seal, `{}`: allow it to the owner only (mode 0600)", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers, or the secret is too long.
    #[error("nothing can be sealed")]
    Broken(#[source] io::Error),
}

/// What was sealed cannot be opened: with another key, for something else, or it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not sealed with this key for this, and needs to be given again")]
pub struct NeedsGivingAgain;

/// Whose a secret is and what for. One that is sealed for this opens for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose<'a> {
    /// The organization's.
    pub org: &'a OrgName,
    /// What for, in the words of whoever seals.
    pub what: &'static str,
}

impl Purpose<'_> {
    /// It as associated data. Neither part can have what stands between them.
    fn associated(&self) -> Vec<u8> {
        [b"linesman seal 1", self.what.as_bytes(), self.org.as_str().as_bytes()].join(&0)
    }
}

/// Seals secrets, and opens them.
pub struct Seal {
    key: LessSafeKey,
    /// The key of before, as long as a rotation is not at its end.
    old: Option<LessSafeKey>,
}

impl Seal {
    /// The seal of an installation: its key lies in `key_file`, or else in `D/keys/seal`, where it is made when it is
    /// missing.
    ///
    /// # Errors
    /// The file cannot be read or written, others may read it, or it holds no key.
    pub fn open(keys: &Path, key_file: Option<&Path>) -> Result<Self, SealError> {
        let path = key_file.map_or_else(|| keys.join("seal"), Path::to_owned);
        let at = |source| SealError::File { path: path.clone(), source };
        let bytes = match read(&path) {
            Ok((_, mode)) if mode & OTHERS != 0 => return Err(SealError::Open { path }),
            Ok((bytes, _)) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && key_file.is_none() => {
                let made = private::random::<KEY_BYTES>().map_err(at)?;
                private::write(&path, &made).map_err(at)?;
                made.to_vec()
            }
            Err(error) => return Err(at(error)),
        };
        let old_path = rotation::old_of(&path);
        let old = match read(&old_path) {
            Ok((_, mode)) if mode & OTHERS != 0 => return Err(SealError::Open { path: old_path }),
            Ok((old, _)) => Some(key_of(&old, &old_path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(SealError::File { path: old_path, source }),
        };
        Ok(Self { key: key_of(&bytes, &path)?, old })
    }

    /// Seals a secret.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn seal(&self, purpose: Purpose<'_>, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = private::random::<NONCE_LEN>().map_err(SealError::Broken)?;
        let mut sealed = secret.to_vec();
        let (unique, associated) = (Nonce::assume_unique_for_key(nonce), Aad::from(purpose.associated()));
        self.key
            .seal_in_place_append_tag(unique, associated, &mut sealed)
            .map_err(|_| SealError::Broken(io::Error::other("the secret is too long")))?;
        Ok([&[FORM], &nonce[..], &sealed].concat())
    }

    /// Opens what was sealed for the same.
    ///
    /// # Errors
    /// It was not, or with another key, or it was changed.
    pub fn unseal(&self, purpose: Purpose<'_>, sealed: &[u8]) -> Result<Vec<u8>, NeedsGivingAgain> {
        let (form, rest) = sealed.split_first().ok_or(NeedsGivingAgain)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(NeedsGivingAgain)?;
        if *form != FORM {
            return Err(NeedsGivingAgain);
        }
        let opened = [Some(&self.key), self.old.as_ref()].into_iter().flatten().find_map(|key| {
            let mut secret = sealed.to_vec();
            let (nonce, associated) = (Nonce::assume_unique_for_key(*nonce), Aad::from(purpose.associated()));
            let length = key.open_in_place(nonce, associated, &mut secret).ok()?.len();
            secret.truncate(length);
            Some(secret)
        });
        opened.ok_or(NeedsGivingAgain)
    }
}

fn key_of(bytes: &[u8], path: &Path) -> Result<LessSafeKey, SealError> {
    let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| SealError::NoKey { path: path.to_owned() })?;
    Ok(LessSafeKey::new(key))
}

/// The file's bytes, of a longer one as many as say that it is none, and who may do what with it.
fn read(path: &Path) -> io::Result<(Vec<u8>, u32)> {
    let (file, mut bytes) = (File::open(path)?, Vec::new());
    // Of the file that is read, whatever takes its name meanwhile.
    let mode = file.metadata()?.permissions().mode();
    file.take(2 * KEY_BYTES as u64).read_to_end(&mut bytes)?;
    Ok((bytes, mode))
}

/// What lies sealed in a file, of a longer one the first `most` bytes: those open for nothing.
fn read_sealed(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut sealed = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut sealed)?;
    Ok(sealed)
}

/// What an installation keeps sealed.
pub struct Sealed {
    /// The keys of pseudonyms.
    pub pseudonyms: pseudonyms::Keys,
    /// The users and passwords of end customers that were given through the API.
    pub credentials: credentials::Kept,
    /// What devices are shown.
    pub devices: devices::Kept,
}

/// Why what is sealed cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no seal.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The keys of pseudonyms cannot be used.
    #[error(transparent)]
    Keys(#[from] pseudonyms::KeyError),
    /// The credentials cannot be used.
    #[error(transparent)]
    Credentials(#[from] credentials::CredentialsError),
    /// What devices are shown cannot be used.
    #[error(transparent)]
    Devices(#[from] devices::ShownError),
}

impl Sealed {
    /// What lies in the folder of keys, under the key of the installation ([`Seal::open`]).
    ///
    /// # Errors
    /// The key cannot be used, or a folder.
    pub fn open(keys: &Path, key_file: Option<&Path>) -> Result<Self, Error> {
        let seal = Arc::new(Seal::open(keys, key_file)?);
        Ok(Self {
            pseudonyms: pseudonyms::Keys::open(keys, Arc::clone(&seal))?,
            credentials: credentials::Kept::open(keys, Arc::clone(&seal))?,
            devices: devices::Kept::open(keys, seal)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose<'a>(org: &'a OrgName, what: &'static str) -> Purpose<'a> {
        Purpose { org, what }
    }

    #[test]
    fn what_is_sealed_opens_for_the_same_and_for_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let seal = Seal::open(folder.path(), None).unwrap();
        let (acme, bolt): (OrgName, OrgName) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
        let sealed = seal.seal(purpose(&acme, "pseudonyms"), b"hunter2").unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(seal.unseal(purpose(&acme, "pseudonyms"), &sealed).unwrap(), b"hunter2");
        assert_eq!(seal.unseal(purpose(&bolt, "pseudonyms"), &sealed), Err(NeedsGivingAgain));
        assert_eq!(seal.unseal(purpose(&acme, "password"), &sealed), Err(NeedsGivingAgain));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(seal.unseal(purpose(&acme, "pseudonyms"), &changed), Err(NeedsGivingAgain), "byte {at}");
            assert_eq!(seal.unseal(purpose(&acme, "pseudonyms"), &sealed[..at]), Err(NeedsGivingAgain), "cut at {at}");
        }
        assert_ne!(seal.seal(purpose(&acme, "pseudonyms"), b"hunter2").unwrap(), sealed, "never twice the same");
    }

    #[test]
    fn the_key_is_made_once_and_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let acme: OrgName = "acme".parse().unwrap();
        let sealed = Seal::open(folder.path(), None).unwrap().seal(purpose(&acme, "x"), b"s").unwrap();
        let path = folder.path().join("seal");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Seal::open(folder.path(), None).unwrap().unseal(purpose(&acme, "x"), &sealed).unwrap(), b"s");
        assert_eq!(Seal::open(folder.path(), Some(&path)).unwrap().unseal(purpose(&acme, "x"), &sealed).unwrap(), b"s");
        std::fs::remove_file(&path).unwrap();
        let other = Seal::open(folder.path(), None).unwrap();
        let lost = other.unseal(purpose(&acme, "x"), &sealed).unwrap_err();
        assert_eq!(lost.to_string(), "it is not sealed with this key for this, and needs to be given again");
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_one_that_is_named_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("named");
        let missing = Seal::open(folder.path(), Some(&path)).err().unwrap();
        assert_eq!(missing.to_string(), format!("the key of the seal, `{}`, cannot be used", path.display()));
        assert!(!path.exists());
        for bytes in [&b""[..], &[7; 31], &[7; 33], &[7; 1000]] {
            private::write(&path, bytes).unwrap();
            let refused = Seal::open(folder.path(), Some(&path)).err().unwrap().to_string();
            let expected = format!(
                "`{}` is no key of the seal, which has exactly 32 raw bytes: put it back; without it what was sealed \
                 needs to be given again",
                path.display()
            );
            assert_eq!(refused, expected);
        }
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("named");
        private::write(&named, &[7; KEY_BYTES]).unwrap();
        Seal::open(folder.path(), None).unwrap();
        for (path, key_file) in [(&named, Some(named.as_path())), (&folder.path().join("seal"), None)] {
            for mode in [0o640, 0o604, 0o620, 0o601] {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
                let refused = Seal::open(folder.path(), key_file).err().unwrap().to_string();
                let expected = format!(
                    "others than its owner may read the key of the seal, `{}`: allow it to the owner only (mode 0600)",
                    path.display()
                );
                assert_eq!(refused, expected, "mode {mode:o}");
            }
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o400)).unwrap();
            Seal::open(folder.path(), key_file).unwrap();
        }
    }
}
