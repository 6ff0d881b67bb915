//! What the library tells while a connection goes on: how far it is, which key was shown, why it ended.

use std::sync::{Arc, Mutex, PoisonError};

use russh::Channel;
use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;

use super::{Error, Expected, HostKey, Stage};
use crate::text::{excerpt, said as words};

/// How far a connection is, and what was learned.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Learned>);

#[derive(Debug, Default)]
struct Learned {
    stage: Option<Stage>,
    host_key: Option<HostKey>,
    ended: Option<String>,
}

impl Progress {
    fn learned(&self) -> std::sync::MutexGuard<'_, Learned> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reach(&self, stage: Stage) {
        self.learned().stage = Some(stage);
    }

    pub(super) fn stage(&self) -> Stage {
        self.learned().stage.unwrap_or(Stage::Tcp)
    }

    pub(super) fn host_key(&self) -> Option<HostKey> {
        self.learned().host_key.clone()
    }

    /// That the connection is gone, and why, as far as anybody said so.
    pub(super) fn lost(&self) -> Error {
        let ended = self.learned().ended.clone();
        Error::Lost(ended.unwrap_or_else(|| "the device hung up".to_owned()))
    }
}

/// What a device does that opens channels.
pub(super) const UNASKED: &str = "the device opens channels to us, which nobody asked for";

/// Why the library's task ended.
#[derive(Debug)]
pub(super) enum Ended {
    HostKey(Error),
    /// The device opens a channel to us.
    Unasked,
    Library(russh::Error),
}

impl From<russh::Error> for Ended {
    fn from(fault: russh::Error) -> Self {
        Self::Library(fault)
    }
}

/// Listens to the library.
#[derive(Debug)]
pub(super) struct Watch {
    expected: Expected,
    progress: Arc<Progress>,
}

impl Watch {
    pub(super) const fn new(expected: Expected, progress: Arc<Progress>) -> Self {
        Self { expected, progress }
    }

    fn judge(&mut self, shown: &PublicKeyOrCertificate) -> Result<(), Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else { return Err(Error::HostKeyUnusable) };
        let shown = HostKey::of(key).map_err(|_| Error::HostKeyUnusable)?;
        match &self.expected {
            Expected::Pinned(known) if *known != shown => {
                return Err(Error::HostKeyChanged {
                    known: known.fingerprint(),
                    shown: shown.fingerprint(),
                    key: shown.to_string(),
                });
            }
            Expected::Pinned(_) => {}
            Expected::Unknown => {
                self.progress.learned().host_key = Some(shown);
                return Err(Error::HostKeyUnusable);
            }
            // When keys are exchanged anew it has to be the same.
            Expected::First => self.expected = Expected::Pinned(shown.clone()),
        }
        self.progress.learned().host_key = Some(shown);
        Ok(())
    }
}

impl Handler for Watch {
    type Error = Ended;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Ended> {
        self.judge(shown).map(|()| true).map_err(Ended::HostKey)
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Ended>) -> Result<(), Ended> {
        let ended = match &reason {
            DisconnectReason::ReceivedDisconnect(said) if said.message.is_empty() => "the device hung up".to_owned(),
            DisconnectReason::ReceivedDisconnect(said) => {
                format!("the device hung up: {}", words(&said.message, 200))
            }
            DisconnectReason::Error(Ended::HostKey(error)) => error.to_string(),
            DisconnectReason::Error(Ended::Unasked) => {
                "the device opens channels to us, which nobody asked for".to_owned()
            }
            DisconnectReason::Error(Ended::Library(fault)) => match fault {
                russh::Error::KeepaliveTimeout => "the device does not answer any more".to_owned(),
                russh::Error::HUP | russh::Error::Disconnect => "the device hung up".to_owned(),
                other => excerpt(&other.to_string(), 200),
            },
        };
        self.progress.learned().ended = Some(ended);
        Ok(())
    }

    // INVARIANT (a device opens nothing here): each channel that is let in is kept as long as the connection.

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Ended> {
        Err(Ended::Unasked)
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Ended> {
        Err(Ended::Unasked)
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: Channel<Msg>,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Ended> {
        Err(Ended::Unasked)
    }

    async fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Ended> {
        Err(Ended::Unasked)
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Ended> {
        Err(Ended::Unasked)
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Ended> {
        Err(Ended::Unasked)
    }

    async fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Ended> {
        Err(Ended::Unasked)
    }
}
