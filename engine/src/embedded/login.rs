//! The two logins of the embedded server: who they are and where their passwords are kept.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Error;
use crate::data_dir::private;

/// What an account name and its password open. No `Debug`: a password is not for logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password: hexadecimal digits, so that it stands in a URL and in a config file as it is.
    pub password: String,
}

impl Login {
    fn new(user: &str) -> io::Result<Self> {
        Ok(Self { user: user.to_owned(), password: private::random_hex::<24>()? })
    }

    /// The address of a server on this machine, with name and password.
    pub(super) fn url(&self, port: u16) -> String {
        format!("nats://{}:{}@127.0.0.1:{port}", self.user, self.password)
    }
}

/// What `D/keys/nats.json` keeps, so that publishers go on after a restart.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Logins {
    /// The server's own name, unlike that of any other data directory.
    pub(super) server_name: String,
    /// May do everything.
    pub(super) engine: Login,
    /// May publish bundles and intelligence and follow what happens.
    pub(super) public: Login,
}

impl Logins {
    /// Reads the logins, or makes and keeps them when there are none.
    pub(super) fn load_or_create(path: &Path) -> Result<Self, Error> {
        match std::fs::read(path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|source| Error::Logins { path: path.to_owned(), source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let logins = Self::new().map_err(Error::file(path))?;
                let text = serde_json::to_vec_pretty(&logins).map_err(|error| Error::file(path)(error.into()))?;
                private::write(path, &text).map_err(Error::file(path))?;
                Ok(logins)
            }
            Err(source) => Err(Error::File { path: path.to_owned(), source }),
        }
    }

    /// Reads the logins that are there.
    pub(super) fn load(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(Error::file(path))?;
        serde_json::from_slice(&bytes).map_err(|source| Error::Logins { path: path.to_owned(), source })
    }

    fn new() -> io::Result<Self> {
        Ok(Self {
            server_name: format!("linesman-{}", private::random_hex::<8>()?),
            engine: Login::new("engine")?,
            public: Login::new("public")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spoilt_logins_are_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nats.json");
        std::fs::write(&path, "{").unwrap();
        let error = Logins::load_or_create(&path).err().unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "`{}` holds no logins: restore it, or remove it and tell the publishers the new password",
                path.display()
            )
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{");
    }
}
