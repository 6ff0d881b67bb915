//! The users and passwords of end customers that were given through the API: sealed, each in
//! `D/keys/credentials/<organization>`. The log has whose they are and when they changed, and nothing of them; nobody is
//! shown them again.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linesman_connectors::Secret;
use linesman_schemas::OrgName;
use serde::{Deserialize, Serialize};

use super::{Purpose, Seal, SealError, read_sealed};
use crate::data_dir::private;

/// What they are sealed for, and the folder they lie in.
pub(super) const WHAT: &str = "credentials";
/// The most bytes that are read of what is sealed.
const SEALED_MOST: u64 = 16 * 1024;

/// Why an organization's credentials cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
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
        "the credentials of `{org}` need to be given again, by `linesman org credentials`: `{}` is sealed with another key",
        path.display()
    )]
    Lost {
        /// Whose.
        org: OrgName,
        /// Where they lie.
        path: PathBuf,
    },
    /// They cannot be sealed.
    #[error("no credentials can be kept")]
    Unsealed(#[from] SealError),
}

/// A user and that user's password.
#[derive(Debug)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// As they are before they are sealed.
#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    user: std::borrow::Cow<'a, str>,
    password: std::borrow::Cow<'a, str>,
}

/// Those of one organization, or why they cannot be read.
pub type Of = (OrgName, Result<Credentials, CredentialsError>);

/// Those of an installation.
pub struct Kept {
    folder: PathBuf,
    seal: Arc<Seal>,
}

impl Kept {
    /// Those that lie in the folder of keys.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(keys: &Path, seal: Arc<Seal>) -> Result<Self, CredentialsError> {
        let folder = keys.join(WHAT);
        private::create_dir(&folder).map_err(|source| CredentialsError::File { path: folder.clone(), source })?;
        Ok(Self { folder, seal })
    }

    /// All of them, by organization; of each why it cannot be read, where it cannot.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn all(&self) -> Result<Vec<Of>, CredentialsError> {
        let at = |source| CredentialsError::File { path: self.folder.clone(), source };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(at)? {
            // A file that was being written has a dot in its name, which no organization has.
            names.extend(entry.map_err(at)?.file_name().to_str().and_then(|name| name.parse::<OrgName>().ok()));
        }
        names.sort();
        Ok(names.into_iter().map(|org| (org.clone(), self.of(&org))).collect())
    }

    fn of(&self, org: &OrgName) -> Result<Credentials, CredentialsError> {
        let path = self.folder.join(org.as_str());
        let lost = || CredentialsError::Lost { org: org.clone(), path: path.clone() };
        let sealed =
            read_sealed(&path, SEALED_MOST).map_err(|source| CredentialsError::File { path: path.clone(), source })?;
        let plain = self.seal.unseal(Purpose { org, what: WHAT }, &sealed).map_err(|_| lost())?;
        let Plain { user, password } = serde_json::from_slice(&plain).map_err(|_| lost())?;
        Ok(Credentials { user: user.into_owned(), password: Secret::new(password.into_owned()) })
    }

    /// Keeps an organization's, in place of those before.
    ///
    /// # Errors
    /// They cannot be sealed or written.
    pub fn keep(&self, org: &OrgName, given: &Credentials) -> Result<(), CredentialsError> {
        let path = self.folder.join(org.as_str());
        let plain = Plain { user: (&*given.user).into(), password: given.password.expose().into() };
        let plain = serde_json::to_vec(&plain).map_err(|error| SealError::Broken(io::Error::other(error)))?;
        let sealed = self.seal.seal(Purpose { org, what: WHAT }, &plain)?;
        private::write(&path, &sealed).map_err(|source| CredentialsError::File { path, source })
    }

    /// Forgets an organization's.
    ///
    /// # Errors
    /// They cannot be removed.
    pub fn forget(&self, org: &OrgName) -> Result<(), CredentialsError> {
        let path = self.folder.join(org.as_str());
        private::remove(&path).map_err(|source| CredentialsError::File { path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(folder: &Path) -> Kept {
        Kept::open(folder, Arc::new(Seal::open(folder, None).unwrap())).unwrap()
    }

    #[test]
    fn what_was_given_is_kept_sealed_until_it_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let acme: OrgName = "acme".parse().unwrap();
        let given = Credentials { user: "acme-user".to_owned(), password: Secret::new("hunter2") };
        kept(folder.path()).keep(&acme, &given).unwrap();
        let bytes = std::fs::read(folder.path().join("credentials/acme")).unwrap();
        for plain in [&b"hunter2"[..], b"acme-user"] {
            assert!(!bytes.windows(plain.len()).any(|window| window == plain));
        }
        let again = kept(folder.path());
        let [(org, Ok(found))] = &again.all().unwrap()[..] else { panic!("not one") };
        assert_eq!((org, &*found.user, found.password.expose()), (&acme, "acme-user", "hunter2"));
        std::fs::rename(folder.path().join("credentials/acme"), folder.path().join("credentials/bolt")).unwrap();
        let [(_, Err(lost))] = &again.all().unwrap()[..] else { panic!("another's opens") };
        let path = folder.path().join("credentials/bolt");
        let expected = format!(
            "the credentials of `bolt` need to be given again, by `linesman org credentials`: `{}` is sealed with another \
             key",
            path.display()
        );
        assert_eq!(lost.to_string(), expected);
        again.forget(&"bolt".parse().unwrap()).unwrap();
        assert!(again.all().unwrap().is_empty());
    }
}
