//! What whoever logs in shows to devices: passwords and private keys, sealed, each in
//! `D/keys/devices/<organization>/<device>.sealed`. The log has that they changed, and nothing of them; nobody is shown them again.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linesman_connectors::Secret;
use linesman_schemas::OrgName;
use serde::{Deserialize, Serialize};

use super::{NeedsGivingAgain, Purpose, Seal, SealError, read_sealed};
use crate::data_dir::private;

/// What they are sealed for, and the folder they lie in.
pub(super) const WHAT: &str = "devices";
/// How files of it end.
pub(super) const ENDING: &str = ".sealed";
/// The most bytes that are read of what is sealed.
const SEALED_MOST: u64 = 64 * 1024;

/// What a device is shown.
#[derive(Debug)]
pub enum Shown {
    /// A password.
    Password(Secret),
    /// A private key, and what it is encrypted with.
    Key {
        /// The key, in the form of OpenSSH or PEM.
        key: Secret,
        /// What it is encrypted with; none where it is not.
        passphrase: Option<Secret>,
    },
}

/// As it is before it is sealed. It names its device, so that it opens for no other.
#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    device: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passphrase: Option<Cow<'a, str>>,
}

/// Why what devices are shown cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ShownError {
    /// The file cannot be read or written.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be opened, or is not there.
    #[error("the credentials of this device need to be given again, by `linesman device set`")]
    Lost(#[from] NeedsGivingAgain),
    /// It cannot be sealed.
    #[error("no credentials can be kept")]
    Unsealed(#[from] SealError),
}

/// What all devices are shown.
pub struct Kept {
    folder: PathBuf,
    seal: Arc<Seal>,
}

impl Kept {
    /// What lies in the folder of keys.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(keys: &Path, seal: Arc<Seal>) -> Result<Self, ShownError> {
        let folder = keys.join(WHAT);
        private::create_dir(&folder).map_err(|source| ShownError::File { path: folder.clone(), source })?;
        Ok(Self { folder, seal })
    }

    /// What a device is shown.
    ///
    /// # Errors
    /// It is not there, cannot be read or not be opened.
    pub fn of(&self, org: &OrgName, device: &str) -> Result<Shown, ShownError> {
        let path = self.path(org, device);
        let sealed = match read_sealed(&path, SEALED_MOST) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ShownError::Lost(NeedsGivingAgain)),
            Err(source) => return Err(ShownError::File { path, source }),
        };
        let plain = self.seal.unseal(Purpose { org, what: WHAT }, &sealed)?;
        let plain: Plain<'_> = serde_json::from_slice(&plain).map_err(|_| NeedsGivingAgain)?;
        let secret = |text: Cow<'_, str>| Secret::new(text.into_owned());
        match plain {
            Plain { device: of, .. } if of != device => Err(NeedsGivingAgain.into()),
            Plain { password: Some(password), .. } => Ok(Shown::Password(secret(password))),
            Plain { key: Some(key), passphrase, .. } => {
                Ok(Shown::Key { key: secret(key), passphrase: passphrase.map(secret) })
            }
            Plain { .. } => Err(NeedsGivingAgain.into()),
        }
    }

    /// Keeps what a device is shown, in place of what it was before.
    ///
    /// # Errors
    /// It cannot be sealed or written.
    pub fn keep(&self, org: &OrgName, device: &str, shown: &Shown) -> Result<(), ShownError> {
        let folder = self.folder.join(org.as_str());
        private::create_dir(&folder).map_err(|source| ShownError::File { path: folder, source })?;
        let nothing = Plain { device: device.into(), password: None, key: None, passphrase: None };
        let plain = match shown {
            Shown::Password(password) => Plain { password: Some(password.expose().into()), ..nothing },
            Shown::Key { key, passphrase } => Plain {
                key: Some(key.expose().into()),
                passphrase: passphrase.as_ref().map(|passphrase| passphrase.expose().into()),
                ..nothing
            },
        };
        let plain = serde_json::to_vec(&plain).map_err(|error| SealError::Broken(io::Error::other(error)))?;
        let sealed = self.seal.seal(Purpose { org, what: WHAT }, &plain)?;
        let path = self.path(org, device);
        private::write(&path, &sealed).map_err(|source| ShownError::File { path, source })
    }

    /// Forgets what a device is shown.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn forget(&self, org: &OrgName, device: &str) -> Result<(), ShownError> {
        let path = self.path(org, device);
        private::remove(&path).map_err(|source| ShownError::File { path, source })
    }

    /// A device's name begins with a letter or digit and has no `/`. What is being written ends otherwise than any file here.
    fn path(&self, org: &OrgName, device: &str) -> PathBuf {
        self.folder.join(org.as_str()).join(format!("{device}{ENDING}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_is_shown_opens_for_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let seal = Arc::new(Seal::open(folder.path(), None).unwrap());
        let kept = Kept::open(folder.path(), seal).unwrap();
        let (acme, bolt): (OrgName, OrgName) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
        kept.keep(&acme, "r1", &Shown::Password(Secret::new("hunter2"))).unwrap();
        let key = Shown::Key { key: Secret::new("PRIVATE"), passphrase: Some(Secret::new("phrase")) };
        kept.keep(&acme, "r2", &key).unwrap();
        let Shown::Password(password) = kept.of(&acme, "r1").unwrap() else { panic!("no password") };
        assert_eq!(password.expose(), "hunter2");
        let Shown::Key { key, passphrase } = kept.of(&acme, "r2").unwrap() else { panic!("no key") };
        assert_eq!((key.expose(), passphrase.unwrap().expose()), ("PRIVATE", "phrase"));
        let file = |org: &str, name: &str| folder.path().join("devices").join(org).join(format!("{name}.sealed"));
        let bytes = std::fs::read(file("acme", "r1")).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"));
        // Under another's name, and another organization's, it is nobody's.
        std::fs::copy(file("acme", "r1"), file("acme", "r3")).unwrap();
        std::fs::create_dir(folder.path().join("devices/bolt")).unwrap();
        std::fs::copy(file("acme", "r1"), file("bolt", "r1")).unwrap();
        for (org, name) in [(&acme, "r3"), (&bolt, "r1"), (&bolt, "r9")] {
            assert!(matches!(kept.of(org, name), Err(ShownError::Lost(_))), "{org} {name}");
        }
        kept.forget(&acme, "r1").unwrap();
        kept.forget(&acme, "r1").unwrap();
        assert!(matches!(kept.of(&acme, "r1"), Err(ShownError::Lost(_))));
        assert!(!format!("{:?}", kept.of(&acme, "r2")).contains("PRIVATE"));
    }
}
