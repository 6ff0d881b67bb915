//! A stand-in device of its own for one test, and how it is reached.

use std::path::PathBuf;
use std::time::Duration;

use linesman_connectors::Secret;
use linesman_connectors::device::files::Files;
use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::netconf::Session;
use linesman_connectors::device::ssh::{Connection, Credential, Expected, Login, Patience};
use linesman_connectors::device::standin::server::{Account, Proof, Server, Setup};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse";

/// A stand-in device that runs.
pub(crate) struct World {
    pub(crate) root: TempDir,
    pub(crate) server: Server,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A device that is set up otherwise.
    pub(crate) async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("var/tmp")).unwrap();
        let account = Account { user: "linesman".to_owned(), proof: Proof::Password(PASSWORD.to_owned()) };
        let mut setup = Setup::new(root.path(), vec![account]);
        change(&mut setup);
        let server = Server::start(setup).await.unwrap();
        Self { root, server }
    }

    pub(crate) fn login(&self) -> Login {
        Login {
            address: self.server.address().ip().to_string(),
            port: self.server.address().port(),
            user: "linesman".to_owned(),
            credential: Credential::Password(Secret::new(PASSWORD)),
            host_key: Expected::Pinned(self.server.host_key().unwrap()),
            is_legacy: false,
        }
    }

    pub(crate) async fn connection(&self) -> Connection {
        Connection::open(&self.login(), &Patience::default()).await.unwrap()
    }

    /// Where the device's `/var/tmp` is.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.root.path().join("var/tmp")
    }

    pub(crate) async fn files(&self) -> (Connection, Files) {
        let connection = self.connection().await;
        let files = Files::open(&connection, "/var/tmp", &limits()).await.unwrap();
        (connection, files)
    }

    pub(crate) async fn session(&self) -> (Connection, Session) {
        let connection = self.connection().await;
        let session = Session::open(&connection, &limits()).await.unwrap();
        (connection, session)
    }
}

/// Limits that nothing runs into by itself.
pub(crate) fn limits() -> Limits {
    Limits { idle: Duration::from_secs(60), total: Duration::from_secs(300), bytes: 1 << 40 }
}
