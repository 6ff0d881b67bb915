//! A connection to a device over SSH: one of them carries files, NETCONF and commands, a channel each.
//!
//! It connects, knows the device again by its host key, is let in, opens channels. It keeps no connection alive beyond
//! its own drop, tries nothing twice, and trusts nobody by itself: that the first key is taken is the caller's wish,
//! and the key is handed back to be pinned.
//!
//! A channel whose reader waits holds the others of its connection up once some megabytes lie unread: that is what
//! bounds memory. Whoever reads slowly takes a connection of their own.

mod algorithms;
mod channel;
mod fault;
mod key;
mod login;
mod watch;
pub(in crate::device) mod wire;

use std::sync::Arc;
use std::time::Duration;

use russh::client::{Config, Handle};
use russh::{ChannelOpenFailure, Disconnect, SshId};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

#[cfg(feature = "standin")]
pub(in crate::device) use algorithms::preferred;
pub(in crate::device) use channel::Channel;
pub use channel::Exit;
pub use fault::{Error, Stage};
pub use key::{HostKey, KeyError};

use super::limits::{Clock, Limits};
use crate::Secret;
use crate::text::{excerpt, said};
use watch::{Ended, Progress, Watch};
use wire::{Cut, wire};

/// How long a device may take to open a channel.
const CHANNEL_OPENS: Duration = Duration::from_secs(30);
/// What a channel may send before we say that more may come, in bytes.
const WINDOW: u32 = 2 * 1024 * 1024;
/// The longest packet, in bytes.
const PACKET: u32 = 32 * 1024;
/// How many packets of a channel lie unread before the connection waits.
const PACKETS_UNREAD: usize = 64;

/// Where a device is, who we are there, and by what we know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// An address or a name.
    pub address: String,
    /// The port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// What lets us in.
    pub credential: Credential,
    /// What the device has to show.
    pub host_key: Expected,
    /// Whether algorithms with SHA-1, CBC, `ssh-rsa` and the groups 1 and 14 are taken too.
    pub is_legacy: bool,
}

/// What lets us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A password, by the method `password` or, where the device wants it so, `keyboard-interactive`.
    Password(Secret),
    /// A private key.
    Key {
        /// OpenSSH's form, PKCS#1, PKCS#8 or SEC1, as PEM.
        text: Secret,
        /// What it is encrypted with.
        passphrase: Option<Secret>,
    },
}

impl Credential {
    /// Whether it can be shown: a key can be read, and its passphrase opens it.
    ///
    /// # Errors
    /// It cannot; the error says nothing of what it is.
    pub fn check(&self) -> Result<(), Error> {
        login::Ready::of(self).map(drop)
    }
}

/// What the device has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// This key and no other.
    Pinned(HostKey),
    /// Any: [`Connection::host_key`] tells which, to be pinned.
    First,
    /// None is the right one: nothing further is said to the device.
    Unknown,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From the first packet until we are let in.
    pub connect: Duration,
    /// How long the device may say nothing before it is asked whether it is there; after three times it is gone.
    pub keep_alive: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), keep_alive: Duration::from_secs(20) }
    }
}

/// A connection that is let in. Dropped, it is cut.
pub struct Connection {
    handle: Handle<Watch>,
    progress: Arc<Progress>,
    host_key: HostKey,
    place: Option<OwnedSemaphorePermit>,
    _cut: Cut,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Connection");
        shown.field("host_key", &self.host_key).field("is_counted", &self.place.is_some()).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects: TCP, key exchange, host key, authentication.
    ///
    /// # Errors
    /// Each of the stages has its own; a device that stops answering fails with the stage it came to.
    pub async fn open(login: &Login, patience: &Patience) -> Result<Self, Error> {
        // Before anything is said: nobody is bothered with a key that cannot be read.
        let credential = login::Ready::of(&login.credential)?;
        let progress = Arc::new(Progress::default());
        let end = Instant::now() + patience.connect;
        timeout_at(end, Self::reach(login, credential, patience, &progress))
            .await
            .unwrap_or_else(|_| Err(Error::TimedOut { stage: progress.stage(), after: patience.connect }))
    }

    /// The key that a device shows, by which it is not known yet. Nobody logs in.
    ///
    /// # Errors
    /// It shows none.
    pub async fn shown((address, port): (&str, u16), is_legacy: bool, patience: &Patience) -> Result<HostKey, Error> {
        let credential = Credential::Password(Secret::new(""));
        let (address, user) = (address.to_owned(), String::new());
        let login = Login { address, port, user, credential, host_key: Expected::Unknown, is_legacy };
        let (ready, progress) = (login::Ready::of(&login.credential)?, Arc::new(Progress::default()));
        let end = Instant::now() + patience.connect;
        let ended = timeout_at(end, Self::reach(&login, ready, patience, &progress)).await;
        match (progress.host_key(), ended) {
            (Some(key), _) => Ok(key),
            (None, Ok(Ok(_))) => Err(Error::HostKeyUnusable),
            (None, Ok(Err(error))) => Err(error),
            (None, Err(_)) => Err(Error::TimedOut { stage: progress.stage(), after: patience.connect }),
        }
    }

    async fn reach(
        login: &Login,
        credential: login::Ready,
        patience: &Patience,
        progress: &Arc<Progress>,
    ) -> Result<Self, Error> {
        let (address, port) = (login.address.as_str(), login.port);
        let no_tcp = |source| Error::Tcp { address: address.to_owned(), port, source };
        progress.reach(Stage::Tcp);
        let tcp = TcpStream::connect((address, port)).await.map_err(no_tcp)?;
        tcp.set_nodelay(true).map_err(no_tcp)?;
        progress.reach(Stage::KeyExchange);
        let (wire, cut) = wire(tcp);
        let watch = Watch::new(login.host_key.clone(), Arc::clone(progress));
        let config = Arc::new(config(login, patience));
        let mut handle = russh::client::connect_stream(config, wire, watch).await.map_err(|ended| match ended {
            Ended::HostKey(error) => error,
            Ended::Unasked => Error::Lost(watch::UNASKED.to_owned()),
            Ended::Library(fault) => exchanging(fault),
        })?;
        let host_key = progress.host_key().ok_or(Error::HostKeyUnusable)?;
        progress.reach(Stage::Authentication);
        login::log_in(&mut handle, login, credential, progress).await?;
        Ok(Self { handle, progress: Arc::clone(progress), host_key, place: None, _cut: cut })
    }

    /// The same, which holds a place among those that are counted as long as it is there.
    #[must_use]
    pub fn holding(self, place: OwnedSemaphorePermit) -> Self {
        Self { place: Some(place), ..self }
    }

    /// The key that the device showed.
    pub const fn host_key(&self) -> &HostKey {
        &self.host_key
    }

    /// Whether it is gone already.
    pub fn is_gone(&self) -> bool {
        self.handle.is_closed()
    }

    /// Says good-bye. What is open is broken off.
    pub async fn close(self) {
        let said = self.handle.disconnect(Disconnect::ByApplication, "", "en");
        // Whether the device still hears it does not matter.
        let _ = tokio::time::timeout(Duration::from_secs(1), said).await;
    }

    /// Opens a channel to a subsystem.
    pub(in crate::device) async fn subsystem(&self, name: &str) -> Result<Channel, Error> {
        let mut channel = self.channel().await?;
        match channel.start_subsystem(name).await? {
            true => Ok(channel),
            false => Err(Error::NoSubsystem(name.to_owned())),
        }
    }

    /// Carries out a command; what it writes goes into `sink`, what it complains about into the answer.
    ///
    /// # Errors
    /// The device opens no channel or takes no commands, a limit ran out, the connection or the sink failed.
    pub async fn exec(
        &self,
        command: &str,
        sink: &mut (dyn tokio::io::AsyncWrite + Unpin + Send),
        limits: &Limits,
    ) -> Result<Exit, Error> {
        let clock = Clock::start(*limits);
        let mut channel = clock.wait(self.channel()).await??;
        match clock.wait(channel.start_command(command)).await?? {
            true => channel.run(sink, limits, &clock).await,
            false => Err(Error::NoCommands),
        }
    }

    async fn channel(&self) -> Result<Channel, Error> {
        let opened = tokio::time::timeout(CHANNEL_OPENS, self.handle.channel_open_session()).await;
        match opened {
            Err(_) => Err(Error::TimedOut { stage: Stage::Channel, after: CHANNEL_OPENS }),
            Ok(Ok(channel)) => Ok(Channel::new(channel, Arc::clone(&self.progress))),
            Ok(Err(russh::Error::ChannelOpenFailure(reason))) => Err(Error::ChannelRefused(match reason {
                ChannelOpenFailure::AdministrativelyProhibited => "it is not permitted".to_owned(),
                // What OpenSSH says beyond `MaxSessions`.
                ChannelOpenFailure::ConnectFailed => "it has as many sessions as it takes".to_owned(),
                ChannelOpenFailure::ResourceShortage => "it lacks the room".to_owned(),
                ChannelOpenFailure::UnknownChannelType => "it knows no sessions".to_owned(),
                ChannelOpenFailure::Other { code, reason } => format!("{} (reason {code})", said(&reason, 100)),
            })),
            Ok(Err(_)) => Err(self.progress.lost()),
        }
    }
}

fn config(login: &Login, patience: &Patience) -> Config {
    let pinned = match &login.host_key {
        Expected::Pinned(key) => Some(key),
        Expected::First | Expected::Unknown => None,
    };
    Config {
        client_id: SshId::Standard("SSH-2.0-linesman".into()),
        window_size: WINDOW,
        maximum_packet_size: PACKET,
        channel_buffer_size: PACKETS_UNREAD,
        preferred: algorithms::preferred(login.is_legacy, pinned),
        gex: algorithms::groups(),
        keepalive_interval: Some(patience.keep_alive),
        keepalive_max: 3,
        ..Config::default()
    }
}

/// What failed before the host key was judged, or by it.
fn exchanging(fault: russh::Error) -> Error {
    use russh::AlgorithmKind as Kind;
    match fault {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => Error::NothingInCommon {
            what: match kind {
                Kind::Kex => "key exchange",
                Kind::Key => "kind of host key",
                Kind::Cipher => "cipher",
                Kind::Mac => "integrity check",
                Kind::Compression => "compression",
            },
            theirs: excerpt(&theirs.join(", "), 300),
        },
        russh::Error::Version => Error::KeyExchange("what answers there is no SSH server".to_owned()),
        russh::Error::WrongServerSig => Error::KeyExchange("the device does not have the key it shows".to_owned()),
        russh::Error::HUP | russh::Error::Disconnect | russh::Error::IO(_) => {
            Error::KeyExchange("the device hung up".to_owned())
        }
        other => Error::KeyExchange(excerpt(&other.to_string(), 200)),
    }
}
