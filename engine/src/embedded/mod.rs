//! The embedded NATS server: a child process for one data directory, on the loopback, with two logins.
//!
//! ```text
//!  start --> find the program --> end an orphan --> write server.conf --> spawn --> ready?
//!                                                                          |
//!                supervisor task:  wait for its end --> pause --> spawn <--+   until stop
//! ```
//!
//! It knows nothing of streams. A server of the operator's own is not its business.

mod binary;
mod config;
mod error;
mod folder;
mod login;
mod orphan;
mod port;
mod readiness;
mod record;
mod supervisor;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

pub use self::config::{PUBLIC_PUBLISH, PUBLIC_SUBSCRIBE};
pub use self::error::Error;
use self::folder::Folder;
pub use self::login::Login;
use self::login::Logins;
use self::supervisor::Launch;

/// The inbox prefix of everyone with the engine's login.
///
/// Whoever may hear `_INBOX.>` hears every reply sent there; the public login may.
pub const INBOX_PREFIX: &str = "_LINESMAN";

/// How long a server may take to close its files.
const GRACE: Duration = Duration::from_secs(10);

/// How often a free port may be snatched away before the start fails.
const PORT_TRIES: usize = 5;

/// How long to wait for the lock after an orphan has ended, and how long between two tries.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// When a stored message is on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sync {
    /// At most a second after it was acknowledged.
    #[default]
    EverySecond,
    /// Before it is acknowledged; slow.
    Always,
}

/// How the server is to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program; none: looked for on the `PATH` and in `.tools/bin`.
    pub binary: Option<PathBuf>,
    /// The data directory `D`: the server uses `D/nats` and `D/keys`. The caller holds its lock.
    pub data_dir: PathBuf,
    /// The port on 127.0.0.1; none: a free one.
    pub port: Option<u16>,
    /// When a stored message is on disk.
    pub sync: Sync,
    /// The largest message, at most 64 MiB (what the server buffers for one client).
    pub max_payload_bytes: usize,
    /// How much memory the server may take before it gives back what it does not need, in bytes.
    pub memory_bytes: u64,
}

impl Settings {
    /// The defaults for a data directory: any program, a free port, synced every second, messages up to 8 MiB.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            binary: None,
            data_dir: data_dir.into(),
            port: None,
            sync: Sync::default(),
            max_payload_bytes: 8 * 1024 * 1024,
            memory_bytes: 1 << 30,
        }
    }
}

/// Starts the server and waits until it lets the engine in. A server left by a killed engine is ended first.
///
/// # Errors
///
/// See [`Error`]; no process of ours is left behind.
pub async fn start(settings: Settings) -> Result<Server, Error> {
    let binary = binary::find(settings.binary.as_deref()).await?;
    let folder = Folder::prepare(&settings.data_dir)?;
    let logins = Logins::load_or_create(&folder.logins())?;
    let lock = lock(&folder).await?;
    let port = settings.port.map_or_else(port::free, Ok)?;
    let mut launch = Launch { binary, folder, lock, settings, logins: logins.clone(), port };
    let mut tries = PORT_TRIES;
    let child = loop {
        match launch_once(&launch).await {
            Err(Error::PortTaken { .. }) if launch.settings.port.is_none() && tries > 1 => {
                tries -= 1;
                launch.port = port::free()?;
            }
            result => break result?,
        }
    };
    let port = launch.port;
    tracing::info!(port, "the NATS server is ready");
    let (stop, stopped) = oneshot::channel();
    let (again, asked) = mpsc::channel(1);
    let supervision = tokio::spawn(launch.supervise(child, stopped, asked));
    Ok(Server { logins, port, stop, again: Restarts(again), supervision })
}

/// The address with the engine's login of the server that a data directory's engine runs at `public_url`; none when
/// that server is the operator's own.
///
/// # Errors
/// The logins cannot be read.
pub fn engine_url(data_dir: &Path, public_url: &str) -> Result<Option<String>, Error> {
    let path = data_dir.join("keys").join("nats.json");
    if !path.exists() {
        return Ok(None);
    }
    let logins = Logins::load(&path)?;
    let port = public_url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    Ok(port.filter(|port| logins.public.url(*port) == public_url).map(|port| logins.engine.url(port)))
}

/// Takes the lock of the folder from an orphan, if there is one.
async fn lock(folder: &Folder) -> Result<File, Error> {
    if let Some(lock) = folder.lock()? {
        return Ok(lock);
    }
    orphan::end(folder).await?;
    // Any child of ours that is just being started has the file open for a moment, and with it the lock.
    let end = Instant::now() + LOCK_PATIENCE;
    while Instant::now() < end {
        if let Some(lock) = folder.lock()? {
            return Ok(lock);
        }
        sleep(LOCK_PAUSE).await;
    }
    Err(Error::InUse { path: folder.path().to_owned() })
}

async fn launch_once(launch: &Launch) -> Result<Child, Error> {
    launch.configure()?;
    let mut child = launch.spawn()?;
    match readiness::wait(&mut child, &launch.folder, &launch.logins, launch.port).await {
        Ok(()) => Ok(child),
        Err(error) => {
            supervisor::end(child).await;
            Err(error)
        }
    }
}

/// Asks for another start of a running server.
#[derive(Debug, Clone)]
pub struct Restarts(mpsc::Sender<()>);

impl Restarts {
    /// The server is ended, however it is, and started again; one that is being started again already is left alone.
    pub fn ask(&self) {
        // Full or closed: somebody has asked, or it is ending.
        let _ = self.0.try_send(());
    }
}

/// A running server. Dropped, it is stopped in the background, as far as the runtime still runs.
pub struct Server {
    logins: Logins,
    port: u16,
    /// Dropped or sent: supervision ends the server.
    stop: oneshot::Sender<Duration>,
    again: Restarts,
    supervision: JoinHandle<()>,
}

impl Server {
    /// The port on 127.0.0.1. It stays the same when the server had to be started again.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Asks for another start of it.
    pub fn restarts(&self) -> Restarts {
        self.again.clone()
    }

    /// The engine's login, which may do everything; its connections use [`INBOX_PREFIX`].
    pub fn engine_login(&self) -> &Login {
        &self.logins.engine
    }

    /// The address without name and password, for clients that are told them apart (async-nats reads none in a URL).
    pub fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The address with the engine's name and password.
    pub fn engine_url(&self) -> String {
        self.logins.engine.url(self.port)
    }

    /// The login of publishers and subscribers: [`PUBLIC_PUBLISH`] and [`PUBLIC_SUBSCRIBE`].
    pub fn public_login(&self) -> &Login {
        &self.logins.public
    }

    /// The address for publishers and subscribers, with name and password.
    pub fn public_url(&self) -> String {
        self.logins.public.url(self.port)
    }

    /// Ends supervision, then the server: it is asked, given 10 s, then killed.
    pub async fn stop(self) {
        self.stop_within(GRACE).await;
    }

    /// The same with another grace.
    pub async fn stop_within(self, grace: Duration) {
        // Supervision that has ended has ended the server.
        let _ = self.stop.send(grace);
        if let Err(error) = self.supervision.await {
            tracing::error!(%error, "the supervision of the NATS server failed");
        }
    }
}
