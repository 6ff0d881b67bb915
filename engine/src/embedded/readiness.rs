//! When a server is ready: it says its name and lets the engine in.

use std::io;
use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectOptions};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};

use super::folder::Folder;
use super::login::{Login, Logins};
use super::{Error, INBOX_PREFIX};

/// How long a server may take: it reads its streams before it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// The longest greeting that is read, in bytes.
const GREETING_BYTES: u64 = 64 * 1024;

/// The name of the server that listens on the loopback port, from the greeting it sends before any login
/// (`INFO` of the NATS client protocol): nothing is told to whoever listens there.
pub(super) async fn server_name(port: u16) -> io::Result<String> {
    #[derive(Deserialize)]
    struct Info {
        server_name: String,
    }
    let ask = async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let mut line = String::new();
        BufReader::new(stream.take(GREETING_BYTES)).read_line(&mut line).await?;
        let json = line.strip_prefix("INFO ").ok_or(io::ErrorKind::InvalidData)?;
        Ok(serde_json::from_str::<Info>(json)?.server_name)
    };
    timeout(ANSWER, ask).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// Waits until the server lets the engine in.
///
/// # Errors
///
/// [`Error::PortTaken`] or [`Error::Ended`] when the server ends, [`Error::NotReady`] when it takes too long.
pub(super) async fn wait(child: &mut Child, folder: &Folder, logins: &Logins, port: u16) -> Result<(), Error> {
    let end = Instant::now() + PATIENCE;
    let mut source = None;
    while Instant::now() < end {
        tokio::select! {
            status = child.wait() => return Err(ended(status.map_err(Error::file(&folder.config()))?, folder, port)),
            () = sleep(PAUSE) => {}
        }
        if server_name(port).await.is_ok_and(|name| name == logins.server_name) {
            match login(&logins.engine, port).await {
                Ok(_) => return Ok(()),
                Err(error) => source = Some(error),
            }
        }
    }
    Err(Error::NotReady { seconds: PATIENCE.as_secs(), log: folder.log_tail(), source })
}

fn ended(status: std::process::ExitStatus, folder: &Folder, port: u16) -> Error {
    match super::port::probe(port) {
        Err(taken @ Error::PortTaken { .. }) => taken,
        _ => Error::Ended { status, log: folder.log_tail() },
    }
}

/// Connects once to the server on the loopback port.
async fn login(login: &Login, port: u16) -> Result<Client, ConnectError> {
    ConnectOptions::with_user_and_password(login.user.clone(), login.password.clone())
        .custom_inbox_prefix(INBOX_PREFIX)
        .connection_timeout(ANSWER)
        .connect(format!("nats://127.0.0.1:{port}"))
        .await
}
