//! A NATS server with a configuration of one's own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::bail;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::document::root;
use crate::engine::signal;
use crate::until;

/// A running server, ended when dropped.
pub struct Server {
    child: Child,
    port: u16,
    dir: TempDir,
}

impl Server {
    /// Starts a server with a document's example: its port becomes a free one, its store a folder of the server's.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(example: &str, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let config = dir.path().join("server.conf");
        std::fs::write(&config, text(example, port, &dir))?;
        let log = std::fs::File::create(dir.path().join("server.log"))?;
        let child = Command::new(program())
            .arg("-c")
            .arg(&config)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let mut server = Self { child, port, dir };
        let is_ready = until("the server is ready", || {
            let ended = !matches!(server.child.try_wait(), Ok(None));
            let is_ready = server.log().contains("Server is ready");
            std::future::ready((is_ready || ended).then_some(is_ready && !ended))
        })
        .await;
        if !is_ready {
            bail!("the server ended:\n{}", server.log());
        }
        Ok(server)
    }

    /// Gives it another configuration, made of an example as at the start.
    ///
    /// # Errors
    /// It cannot be written, or the server cannot be signalled.
    pub fn reload(&self, example: &str) -> anyhow::Result<()> {
        std::fs::write(self.dir.path().join("server.conf"), text(example, self.port, &self.dir))?;
        signal(self.child.id(), Signal::HUP)
    }

    /// Its URL with this login.
    pub fn url(&self, user: &str, password: &str) -> String {
        format!("nats://{user}:{password}@127.0.0.1:{}", self.port)
    }

    /// What it has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("server.log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What cannot be killed is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An example with the server's own port and folder.
fn text(example: &str, port: u16, dir: &TempDir) -> String {
    example
        .replace("127.0.0.1:4222", &format!("127.0.0.1:{port}"))
        .replace("/var/lib/nats", &dir.path().join("store").to_string_lossy())
}

/// The server that `make tools` has installed or found.
fn program() -> PathBuf {
    root().join(".tools/bin/nats-server")
}
