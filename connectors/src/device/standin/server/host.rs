//! Who is let in, and which channels are opened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use russh::keys::PublicKey;
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session, VerifiedPublicKey};
use russh::{
    Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Preferred, SshId, cipher, kex, mac, server,
};
use tokio::io::{AsyncWriteExt as _, WriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::{Proof, Shared, files, locked, netconf};
use crate::device::ssh::preferred;
use crate::device::ssh::wire::wire;
use crate::device::standin::server::script::{Fault, Script};

/// A channel as a stream.
pub(super) type Stream = russh::ChannelStream<Msg>;

pub(super) async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    // A connection that fails concerns nobody but whoever made it.
    while let Ok((tcp, _)) = listener.accept().await {
        let number = shared.last_connection.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve(tcp, number, Arc::clone(&shared)));
    }
}

async fn serve(tcp: TcpStream, number: u64, shared: Arc<Shared>) {
    let _ = tcp.set_nodelay(true);
    let (wire, cut) = wire(tcp);
    locked(&shared.connections).insert(number, cut);
    let config = Arc::new(config(&shared));
    let host = Host { shared: Arc::clone(&shared), number, user: String::new(), channels: BTreeMap::new(), open: 0 };
    if let Ok(session) = server::run_stream(config, wire, host).await {
        let _ = session.await;
    }
    locked(&shared.connections).remove(&number);
}

fn config(shared: &Shared) -> Config {
    let preferred = match shared.setup.is_legacy {
        false => preferred(false, None),
        true => Preferred {
            kex: (&[kex::DH_G14_SHA1]).into(),
            cipher: (&[cipher::AES_128_CBC]).into(),
            mac: (&[mac::HMAC_SHA1]).into(),
            ..preferred(true, None)
        },
    };
    Config {
        server_id: SshId::Standard("SSH-2.0-standin".into()),
        auth_rejection_time: Duration::ZERO,
        methods: methods(shared),
        keys: vec![locked(&shared.host_key).clone()],
        preferred,
        ..Config::default()
    }
}

fn methods(shared: &Shared) -> MethodSet {
    let kinds: Vec<MethodKind> = shared
        .setup
        .accounts
        .iter()
        .map(|account| match account.proof {
            Proof::Password(_) => MethodKind::Password,
            Proof::Asked(_) => MethodKind::KeyboardInteractive,
            Proof::Key(_) => MethodKind::PublicKey,
        })
        .collect();
    kinds.as_slice().into()
}

/// A connection.
struct Host {
    shared: Arc<Shared>,
    number: u64,
    user: String,
    /// Channels of which is not known yet what they are for.
    channels: BTreeMap<ChannelId, Channel<Msg>>,
    open: usize,
}

impl Host {
    fn judge(&mut self, user: &str, is_right: impl Fn(&Proof) -> bool) -> Auth {
        let is_right = self.shared.setup.accounts.iter().any(|known| known.user == user && is_right(&known.proof));
        if is_right {
            user.clone_into(&mut self.user);
            return Auth::Accept;
        }
        Auth::Reject { proceed_with_methods: Some(methods(&self.shared)), partial_success: false }
    }
}

impl Handler for Host {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, |proof| matches!(proof, Proof::Password(known) if known == password)))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let is_ours = |proof: &Proof| match proof {
            Proof::Key(line) => {
                PublicKey::from_openssh(line).is_ok_and(|ours| ours.key_data() == key.public_key.key_data())
            }
            _ => false,
        };
        Ok(self.judge(user, is_ours))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut response) = response else {
            let prompts = vec![("Password: ".into(), false)].into();
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts });
        };
        let given = response.next().map(|given| given.to_vec()).unwrap_or_default();
        Ok(self.judge(user, |proof| matches!(proof, Proof::Asked(known) if known.as_bytes() == given)))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.open >= self.shared.setup.sessions_most {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        }
        self.open += 1;
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn channel_close(&mut self, _: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        self.open = self.open.saturating_sub(1);
        Ok(())
    }

    async fn subsystem_request(&mut self, id: ChannelId, name: &str, session: &mut Session) -> Result<(), Self::Error> {
        let channel = matches!(name, "sftp" | "netconf").then(|| self.channels.remove(&id)).flatten();
        let Some(channel) = channel else { return session.channel_failure(id) };
        session.channel_success(id)?;
        let (shared, number, stream) = (Arc::clone(&self.shared), self.number, channel.into_stream());
        match name {
            "sftp" => drop(tokio::spawn(files::serve(stream, shared, number))),
            _ => drop(tokio::spawn(netconf::serve(stream, shared, number))),
        }
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, command: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        let Some(channel) = self.channels.remove(&id) else { return session.channel_failure(id) };
        session.channel_success(id)?;
        let (shared, handle) = (Arc::clone(&self.shared), session.handle());
        let command = String::from_utf8_lossy(command).into_owned();
        tokio::spawn(async move {
            let answer = shared.setup.commands.get(command.trim()).cloned();
            shared.did(format!("exec {command}"));
            let (read, write) = tokio::io::split(channel.into_stream());
            let mut line = Line { write, script: Arc::clone(&shared.script) };
            let code = match answer {
                Some(answer) => {
                    let _ = line.send(answer.as_bytes()).await;
                    0
                }
                None => {
                    let _ = handle.extended_data(id, 1, &b"error: unknown command\n"[..]).await;
                    1
                }
            };
            let _ = handle.exit_status_request(id, code).await;
            let _ = line.write.shutdown().await;
            let _ = handle.close(id).await;
            drop(read);
        });
        Ok(())
    }
}

/// What is sent, as slowly as the script says.
pub(super) struct Line {
    pub(super) write: WriteHalf<Stream>,
    pub(super) script: Arc<Script>,
}

impl Line {
    pub(super) async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let slow = self.script.standing(|fault| match fault {
            Fault::Slow { bytes, pause } => Some((*bytes, *pause)),
            _ => None,
        });
        match slow {
            None => self.write.write_all(bytes).await?,
            Some((most, pause)) => {
                for piece in bytes.chunks(most.max(1)) {
                    tokio::time::sleep(pause).await;
                    self.write.write_all(piece).await?;
                    self.write.flush().await?;
                }
            }
        }
        self.write.flush().await
    }
}
