//! An engine as a process of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::until;

/// What `D/ready.json` tells.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    /// The engine's process.
    pub pid: u32,
    /// The API's URL.
    pub api: String,
    /// The public NATS URL.
    pub nats: String,
    /// The API's certificate authority.
    pub ca: PathBuf,
}

/// A running engine; killed when dropped.
pub struct Engine {
    child: Child,
    data: PathBuf,
    log: PathBuf,
    ready: Option<Ready>,
}

impl Engine {
    pub(crate) fn spawn(data: &Path, rules: &Path, config: &Path, flags: &[&str], crash: &str) -> anyhow::Result<Self> {
        let log = config.with_file_name("engine.log");
        let file = File::options().create(true).append(true).open(&log)?;
        // A killed engine leaves its file behind; only the new one's counts.
        let _ = std::fs::remove_file(data.join("ready.json"));
        let child = Command::new(binary()?)
            .arg("serve")
            .args(["--data-dir".as_ref(), data.as_os_str()])
            .args(["--rules".as_ref(), rules.as_os_str()])
            .args(["--config".as_ref(), config.as_os_str()])
            .args(flags)
            .env("FAILPOINTS", crash)
            .env("LINESMAN_LOG", "linesman=debug,warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()?;
        Ok(Self { child, data: data.to_owned(), log, ready: None })
    }

    pub(crate) async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let path = self.data.join("ready.json");
        let found = until("the engine is ready", || {
            let ended = self.child.try_wait();
            let ready = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Ready>(&bytes).ok());
            async move {
                match (ready, ended) {
                    (Some(ready), _) => Some(Ok(ready)),
                    (None, Ok(None)) => None,
                    (None, ended) => Some(Err(ended)),
                }
            }
        })
        .await;
        match found {
            Ok(ready) => self.ready = Some(ready),
            Err(ended) => bail!("the engine ended before it was ready ({ended:?}):\n{}", self.log_tail()),
        }
        Ok(())
    }

    /// How to reach it.
    ///
    /// # Errors
    /// It has not been waited for.
    pub fn ready(&self) -> anyhow::Result<&Ready> {
        self.ready.as_ref().context("the engine is not ready")
    }

    /// The end of its log, for messages.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n")
    }

    /// All of its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills it at once, as a crash would; its NATS server lives on.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        until("the engine ends", || {
            let ended = self.child.try_wait().ok().flatten();
            async move { ended }
        })
        .await
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        signal("-TERM", self.child.id())?;
        Ok(self.ended().await)
    }

    /// The process id of its NATS server.
    ///
    /// # Errors
    /// It has none.
    pub fn nats_pid(&self) -> anyhow::Result<u32> {
        let record = std::fs::read(self.data.join("nats/server.json"))?;
        let record: Value = serde_json::from_slice(&record)?;
        let pid = record.get("pid").and_then(Value::as_u64).context("no pid")?;
        Ok(u32::try_from(pid)?)
    }

    /// Kills its NATS server at once.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill_nats(&self) -> anyhow::Result<()> {
        signal("-KILL", self.nats_pid()?)
    }

    /// A client with the public login.
    ///
    /// # Errors
    /// It cannot connect.
    pub async fn nats(&self) -> anyhow::Result<async_nats::Client> {
        Ok(linesman::log::connect_with(async_nats::ConnectOptions::new(), &self.ready()?.nats).await?)
    }

    /// A client with the engine's login.
    ///
    /// # Errors
    /// It cannot connect.
    pub async fn nats_as_engine(&self) -> anyhow::Result<async_nats::Client> {
        let logins: Value = serde_json::from_slice(&std::fs::read(self.data.join("keys/nats.json"))?)?;
        let password = logins.pointer("/engine/password").and_then(Value::as_str).context("no login")?;
        let address = self.ready()?.nats.rsplit_once('@').context("no login in the URL")?.1.to_owned();
        let options = async_nats::ConnectOptions::with_user_and_password("engine".to_owned(), password.to_owned());
        Ok(options.custom_inbox_prefix("_TEST").connect(format!("nats://{address}")).await?)
    }

    /// Asks the API with its token.
    ///
    /// # Errors
    /// It does not answer with JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.get_text(path).await?)?)
    }

    /// Asks the API with its token, for text.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let ready = self.ready()?;
        let token = std::fs::read_to_string(self.data.join("token"))?;
        let client = linesman_connectors::tls::http_client(Some(&ready.ca))?.build()?;
        let answer = client.get(format!("{}{path}", ready.api)).bearer_auth(token.trim()).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// How many incidents an organization has.
    ///
    /// # Errors
    /// The API does not answer.
    pub async fn incidents(&self, org: &str) -> anyhow::Result<u64> {
        let page = self.get(&format!("/api/v1/incidents?organization={org}&limit=1")).await?;
        page.get("total").and_then(Value::as_u64).context("no total")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let nats = self.nats_pid();
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            // What cannot be killed is gone.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // Its NATS server would outlive it, on purpose.
        if let Ok(pid) = nats
            && is_nats_server_of(pid, &self.data)
        {
            let _ = signal("-KILL", pid);
        }
    }
}

fn is_nats_server_of(pid: u32, data: &Path) -> bool {
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&command).contains(&*data.to_string_lossy())
}

fn signal(signal: &str, pid: u32) -> anyhow::Result<()> {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status()?;
    anyhow::ensure!(status.success(), "process {pid} cannot be signalled");
    Ok(())
}

/// The command under test, which cargo lays beside the tests' own folder.
fn binary() -> anyhow::Result<PathBuf> {
    let exe = std::env::current_exe()?;
    let folder = exe.parent().and_then(Path::parent).context("no target folder")?;
    let path = folder.join("linesman-under-test");
    anyhow::ensure!(path.exists(), "`{}` is missing: build the tests with cargo", path.display());
    Ok(path)
}
