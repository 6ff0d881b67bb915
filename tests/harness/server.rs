//! A NATS server with a configuration of one's own.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::document::root;
use crate::engine::signal;
use crate::until;

/// A running server, ended when dropped.
pub struct Server {
    /// None while it is stopped.
    child: Option<Child>,
    port: u16,
    variables: Vec<(String, String)>,
    dir: TempDir,
}

impl Server {
    /// Starts a server with a document's example: its port becomes a free one, its store a folder of the server's.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(example: &str, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::begin((example, ""), variables).await
    }

    /// The same with more of a configuration, which stands as it is.
    async fn begin((example, more): (&str, &str), variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let (dir, port) = (tempfile::tempdir()?, free_port()?);
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        std::fs::write(dir.path().join("server.conf"), text(example, port, &dir) + more)?;
        let mut server = Self { child: None, port, variables, dir };
        server.go_on().await?;
        Ok(server)
    }

    /// Starts as many servers of one cluster with an example, as [`start`](Self::start) does, and waits until it serves this login.
    ///
    /// # Errors
    /// One does not start.
    pub async fn cluster(example: &str, count: usize, (user, password): (&str, &str)) -> anyhow::Result<Vec<Self>> {
        let routes = (0..count).map(|_| free_port()).collect::<anyhow::Result<Vec<u16>>>()?;
        let all: Vec<String> = routes.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
        let mut servers = Vec::new();
        for (number, port) in routes.iter().enumerate() {
            let own = format!(
                "server_name: \"n{number}\"\ncluster {{ name: \"c\", listen: \"127.0.0.1:{port}\", routes: [{}] }}\n",
                all.join(", ")
            );
            servers.push(Self::begin((example, &own), &[]).await?);
        }
        for server in &servers {
            let client = linesman::log::connect(&server.url(user, password), "test").await?;
            until("JetStream has a leader", async || {
                let answer = client.request("$JS.API.INFO", "".into()).await.ok()?;
                (!String::from_utf8_lossy(&answer.payload).contains("\"error\"")).then_some(())
            })
            .await;
        }
        Ok(servers)
    }

    /// Kills it; its store stays.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Starts it where it is stopped, and waits until it takes connections.
    ///
    /// # Errors
    /// It does not start.
    pub async fn go_on(&mut self) -> anyhow::Result<()> {
        let log = File::create(self.dir.path().join("server.log"))?;
        let child = Command::new(program())
            .arg("-c")
            .arg(self.dir.path().join("server.conf"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let child = self.child.insert(child);
        let log = self.dir.path().join("server.log");
        let is_ready = until("the server is ready", || {
            let ended = !matches!(child.try_wait(), Ok(None));
            let is_ready = std::fs::read_to_string(&log).unwrap_or_default().contains("Server is ready");
            std::future::ready((is_ready || ended).then_some(is_ready && !ended))
        })
        .await;
        if !is_ready {
            bail!("the server ended:\n{}", self.log());
        }
        Ok(())
    }

    /// Writes another configuration, made of an example as at the start, for the next start.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn configure(&self, example: &str) -> anyhow::Result<()> {
        Ok(std::fs::write(self.dir.path().join("server.conf"), text(example, self.port, &self.dir))?)
    }

    /// Gives it another configuration, made of an example as at the start.
    ///
    /// # Errors
    /// It cannot be written, or the server cannot be signalled.
    pub fn reload(&self, example: &str) -> anyhow::Result<()> {
        self.configure(example)?;
        signal(self.child.as_ref().context("the server is stopped")?.id(), Signal::HUP)
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
        let _ = self.stop();
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
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
