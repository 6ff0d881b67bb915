//! What whoever logs in shows to devices: passwords and private keys, sealed, each in
//! `D/keys/devices/<organization>/<device>.sealed`. The log has that they changed, and nothing of them; nobody is shown them again.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linesman_connectors::Secret;
use linesman_domain::reached::ReachedRow;
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
#[derive(Debug, PartialEq, Eq)]
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

/// As it is before it is sealed. It names its device and the way to it, so that it opens for no other.
#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    device: Cow<'a, str>,
    /// The way; what has none was kept before ways were named, and is shown to nobody until it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    way: Option<Way<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passphrase: Option<Cow<'a, str>>,
}

/// To whom something is shown.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Way<'a> {
    /// How often something to be shown was given of this device.
    given: u64,
    address: Cow<'a, str>,
    port: u16,
    netconf_port: u16,
}

impl<'a> From<&'a ReachedRow> for Way<'a> {
    fn from(row: &'a ReachedRow) -> Self {
        let ReachedRow { given, port, netconf_port, .. } = *row;
        Self { given, address: Cow::from(&row.address), port, netconf_port }
    }
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

    /// What a device is shown that is reached so.
    ///
    /// # Errors
    /// It is not there, was given for another way to the device, cannot be read or not be opened.
    pub fn of(&self, org: &OrgName, device: &str, row: &ReachedRow) -> Result<Shown, ShownError> {
        let bytes = self.read(org, device)?;
        let plain = plain(device, &bytes)?;
        // INVARIANT (nobody is shown what was given for another): it is the log that says who is reached, and this file what
        // was given. Whatever breaks off between the two, they are of one way or there is nothing to be shown.
        if plain.way.is_none_or(|way| way != Way::from(row)) {
            return Err(NeedsGivingAgain.into());
        }
        let secret = |text: Cow<'_, str>| Secret::new(text.into_owned());
        match (plain.password, plain.key) {
            (Some(password), _) => Ok(Shown::Password(secret(password))),
            (None, Some(key)) => Ok(Shown::Key { key: secret(key), passphrase: plain.passphrase.map(secret) }),
            (None, None) => Err(NeedsGivingAgain.into()),
        }
    }

    /// Keeps what a device is shown that is reached so, in place of what it was before.
    ///
    /// # Errors
    /// It cannot be sealed or written.
    pub fn keep(&self, org: &OrgName, device: &str, row: &ReachedRow, shown: &Shown) -> Result<(), ShownError> {
        let way = Some(Way::from(row));
        let nothing = Plain { device: device.into(), way, password: None, key: None, passphrase: None };
        let plain = match shown {
            Shown::Password(password) => Plain { password: Some(password.expose().into()), ..nothing },
            Shown::Key { key, passphrase } => Plain {
                key: Some(key.expose().into()),
                passphrase: passphrase.as_ref().map(|passphrase| passphrase.expose().into()),
                ..nothing
            },
        };
        self.write(org, device, &plain)
    }

    /// Says of what was kept before ways were named that it is for this one.
    ///
    /// # Errors
    /// It cannot be read, opened, sealed or written.
    pub fn bind(&self, org: &OrgName, device: &str, row: &ReachedRow) -> Result<(), ShownError> {
        let bytes = match self.read(org, device) {
            // What is not there is told by whoever needs it.
            Err(ShownError::Lost(_)) => return Ok(()),
            read => read?,
        };
        match plain(device, &bytes) {
            Ok(plain) if plain.way.is_none() => self.write(org, device, &Plain { way: Some(Way::from(row)), ..plain }),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn read(&self, org: &OrgName, device: &str) -> Result<Vec<u8>, ShownError> {
        let path = self.path(org, device);
        match read_sealed(&path, SEALED_MOST) {
            Ok(sealed) => Ok(self.seal.unseal(Purpose { org, what: WHAT }, &sealed)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ShownError::Lost(NeedsGivingAgain)),
            Err(source) => Err(ShownError::File { path, source }),
        }
    }

    fn write(&self, org: &OrgName, device: &str, plain: &Plain<'_>) -> Result<(), ShownError> {
        let folder = self.folder.join(org.as_str());
        private::create_dir(&folder).map_err(|source| ShownError::File { path: folder, source })?;
        let plain = serde_json::to_vec(plain).map_err(|error| SealError::Broken(io::Error::other(error)))?;
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

/// What was sealed for a device.
fn plain<'a>(device: &str, bytes: &'a [u8]) -> Result<Plain<'a>, NeedsGivingAgain> {
    let plain: Plain<'a> = serde_json::from_slice(bytes).map_err(|_| NeedsGivingAgain)?;
    match plain.device == device {
        true => Ok(plain),
        false => Err(NeedsGivingAgain),
    }
}

#[cfg(test)]
mod tests {
    use linesman_schemas::command::{CredentialsKind, DeviceSettings};

    use super::*;

    fn row(settings: DeviceSettings) -> ReachedRow {
        let (address, user) = (Some("192.0.2.1".to_owned()), Some("ann".to_owned()));
        let credentials = Some(CredentialsKind::Password);
        let new = DeviceSettings { address, user, credentials, ..DeviceSettings::default() };
        linesman_domain::reached::row_of(linesman_domain::reached::row_of(None, &new), &settings).unwrap()
    }

    #[test]
    fn what_a_device_is_shown_opens_for_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let seal = Arc::new(Seal::open(folder.path(), None).unwrap());
        let kept = Kept::open(folder.path(), seal).unwrap();
        let (acme, bolt): (OrgName, OrgName) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
        let way = row(DeviceSettings::default());
        kept.keep(&acme, "r1", &way, &Shown::Password(Secret::new("hunter2"))).unwrap();
        let key = Shown::Key { key: Secret::new("PRIVATE"), passphrase: Some(Secret::new("phrase")) };
        kept.keep(&acme, "r2", &way, &key).unwrap();
        let Shown::Password(password) = kept.of(&acme, "r1", &way).unwrap() else { panic!("no password") };
        assert_eq!(password.expose(), "hunter2");
        let Shown::Key { key, passphrase } = kept.of(&acme, "r2", &way).unwrap() else { panic!("no key") };
        assert_eq!((key.expose(), passphrase.unwrap().expose()), ("PRIVATE", "phrase"));
        let file = |org: &str, name: &str| folder.path().join("devices").join(org).join(format!("{name}.sealed"));
        let bytes = std::fs::read(file("acme", "r1")).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"));
        // Under another's name, and another organization's, it is nobody's.
        std::fs::copy(file("acme", "r1"), file("acme", "r3")).unwrap();
        std::fs::create_dir(folder.path().join("devices/bolt")).unwrap();
        std::fs::copy(file("acme", "r1"), file("bolt", "r1")).unwrap();
        for (org, name) in [(&acme, "r3"), (&bolt, "r1"), (&bolt, "r9")] {
            assert!(matches!(kept.of(org, name, &way), Err(ShownError::Lost(_))), "{org} {name}");
        }
        kept.forget(&acme, "r1").unwrap();
        kept.forget(&acme, "r1").unwrap();
        assert!(matches!(kept.of(&acme, "r1", &way), Err(ShownError::Lost(_))));
        assert!(!format!("{:?}", kept.of(&acme, "r2", &way)).contains("PRIVATE"));
    }

    #[test]
    fn what_was_given_for_one_way_to_a_device_is_shown_on_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let seal = Arc::new(Seal::open(folder.path(), None).unwrap());
        let kept = Kept::open(folder.path(), seal).unwrap();
        let acme: OrgName = "acme".parse().unwrap();
        let way = row(DeviceSettings::default());
        kept.keep(&acme, "r1", &way, &Shown::Password(Secret::new("hunter2"))).unwrap();
        let others = [
            DeviceSettings { address: Some("192.0.2.2".to_owned()), ..DeviceSettings::default() },
            DeviceSettings { port: Some(23), ..DeviceSettings::default() },
            DeviceSettings { netconf_port: Some(23), ..DeviceSettings::default() },
            // Something else was given since, and is not kept.
            DeviceSettings { credentials: Some(CredentialsKind::Password), ..DeviceSettings::default() },
        ];
        for other in others {
            let shown = kept.of(&acme, "r1", &row(other.clone()));
            assert!(matches!(shown, Err(ShownError::Lost(_))), "{other:?}");
        }
        let polled = row(DeviceSettings { poll_s: Some(60), ..DeviceSettings::default() });
        assert!(kept.of(&acme, "r1", &polled).is_ok());
        // What names no way is shown to nobody until it is bound to one, and then to that alone.
        let bare = Plain { device: "r1".into(), way: None, password: Some("old".into()), key: None, passphrase: None };
        kept.write(&acme, "r1", &bare).unwrap();
        assert!(matches!(kept.of(&acme, "r1", &way), Err(ShownError::Lost(_))));
        kept.bind(&acme, "r1", &way).unwrap();
        kept.bind(&acme, "r1", &polled).unwrap();
        kept.bind(&acme, "r9", &way).unwrap();
        assert!(kept.of(&acme, "r1", &way).is_ok());
        let other = row(DeviceSettings { port: Some(23), ..DeviceSettings::default() });
        kept.bind(&acme, "r1", &other).unwrap();
        assert!(matches!(kept.of(&acme, "r1", &other), Err(ShownError::Lost(_))));
    }
}
