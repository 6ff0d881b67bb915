//! Why the embedded server is not there.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::binary::NEEDED;

/// Why the embedded server cannot be started. All of them halt the engine's start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no server program.
    #[error("no `nats-server` found, looked at {}; `make tools` installs one", list(looked))]
    NoBinary {
        /// Where it was looked for, in this order.
        looked: Vec<PathBuf>,
    },
    /// The program does not tell its version.
    #[error("`{} --version` cannot be run", path.display())]
    Unusable {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program is too old, or no NATS server at all.
    #[error("`{}` says `{found}`, NATS server {NEEDED} or newer is needed; `make tools` installs one", path.display())]
    Version {
        /// The program.
        path: PathBuf,
        /// What it said about itself.
        found: String,
    },
    /// A file or folder of the server cannot be made, read or written.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The passwords were spoilt. They are not replaced: publishers hold one of them.
    #[error("`{}` holds no logins: restore it, or remove it and tell the publishers the new password", path.display())]
    Logins {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The configured port belongs to somebody else.
    #[error("port {port} of 127.0.0.1 is taken: stop what listens there or choose another port")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// There is no free port, or no loopback.
    #[error("no free port on 127.0.0.1")]
    NoPort {
        /// What the system said.
        source: io::Error,
    },
    /// The program cannot be started.
    #[error("`{}` cannot be started", path.display())]
    Spawn {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server ended before it was ready.
    #[error("the NATS server ended at its start ({status}); its log says:\n{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The server does not answer in time.
    #[error("the NATS server was not ready after {seconds} s; its log says:\n{log}")]
    NotReady {
        /// How long it was waited for.
        seconds: u64,
        /// The end of its log.
        log: String,
        /// Why the last login failed.
        source: Option<async_nats::ConnectError>,
    },
    /// A server is running on these files and nothing proves which process it is.
    #[error("another NATS server uses `{}` and cannot be identified: stop it first", path.display())]
    InUse {
        /// The server's folder.
        path: PathBuf,
    },
    /// The server of a killed engine does not end.
    #[error("the NATS server left by a killed engine (process {pid}) cannot be ended")]
    Orphan {
        /// Its process id.
        pid: u32,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// Names the file in an error of the system.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}
