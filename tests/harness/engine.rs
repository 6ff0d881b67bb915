//! An engine as a process of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use linesman::panics::TOLD;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;

use crate::api::Api;
use crate::stream::{self, Seen};
use crate::until;

/// What `D/ready.json` tells.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    /// The engine's process.
    pub pid: u32,
    /// The API's URL.
    pub api: String,
    /// The partner listener's URL, where there is one.
    pub partner: Option<String>,
    /// The public NATS URL.
    pub nats: String,
    /// The API's certificate authority.
    pub ca: PathBuf,
}

/// How an engine is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Launch<'a> {
    /// More flags.
    pub flags: &'a [&'a str],
    /// Crash points, as `fail` spells them: `apply=3*off->panic`.
    pub crash_points: &'a str,
    /// A panic at a crash point is a panic, and not at once the end of the process.
    pub unwinds: bool,
    /// Its log is a pipe that nobody reads.
    pub is_unread: bool,
    /// More environment variables.
    pub variables: &'a [(&'a str, &'a str)],
}

/// A running engine; killed when dropped. Its NATS server then lives on, until the next engine
/// ends it or the world does.
pub struct Engine {
    child: Child,
    data: PathBuf,
    log: PathBuf,
    ready: Option<Ready>,
    /// Where its own part of the log begins; none where it was started to panic.
    clean_from: Option<usize>,
}

impl Engine {
    pub(crate) fn spawn(data: &Path, rules: &Path, config: &Path, launch: Launch<'_>) -> anyhow::Result<Self> {
        let log = config.with_file_name("engine.log");
        let file = File::options().create(true).append(true).open(&log)?;
        let is_clean = !launch.crash_points.contains("panic") && !launch.unwinds;
        let clean_from = is_clean.then(|| file.metadata()).transpose()?.map(|known| known.len() as usize);
        // A killed engine leaves its file behind; only the new one's counts.
        let _ = std::fs::remove_file(data.join("ready.json"));
        let mut command = Command::new(binary()?);
        for name in ours() {
            command.env_remove(name);
        }
        if !launch.unwinds && !launch.crash_points.is_empty() {
            command.env("CRASH_POINTS_ABORT", "1");
        }
        let child = command
            .arg("serve")
            .args(["--data-dir".as_ref(), data.as_os_str()])
            .args(["--rules".as_ref(), rules.as_os_str()])
            .args(["--config".as_ref(), config.as_os_str()])
            .args(launch.flags)
            .env("FAILPOINTS", launch.crash_points)
            .envs(launch.variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(if launch.is_unread { Stdio::piped() } else { file.into() })
            .spawn()?;
        Ok(Self { child, data: data.to_owned(), log, ready: None, clean_from })
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// It ends instead.
    pub async fn wait_ready(&mut self) -> anyhow::Result<()> {
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

    /// Waits until its log has `words`: it is written beside, a little after what it tells of.
    ///
    /// # Panics
    /// They do not come.
    pub async fn tells(&self, words: &str) {
        until(&format!("the log tells `{words}`"), async || self.log().contains(words).then_some(())).await;
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

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether its process is there.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        until("the engine ends", || {
            let ended = self.child.try_wait().ok().flatten();
            async move { ended }
        })
        .await
    }

    /// What its streams hold, held against the published documents.
    ///
    /// # Errors
    /// A message is not as they say.
    pub async fn seen(&self) -> anyhow::Result<Seen> {
        stream::check(&self.nats_as_engine().await?).await
    }

    /// Asks it to stop and waits until it has. Before, all that travelled is held against the published documents.
    ///
    /// # Errors
    /// It cannot be asked, or something was not as the documents say.
    pub async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        // Without a server there is nothing to be read.
        if let Ok(client) = self.nats_as_engine().await {
            stream::check(&client).await?;
        }
        signal(self.child.id(), Signal::TERM)?;
        let ended = self.ended().await;
        let panics = self.panics();
        anyhow::ensure!(panics.is_empty(), "the engine panicked:\n{}", panics.join("\n"));
        Ok(ended)
    }

    /// What its log tells of panics nobody has asked for.
    fn panics(&self) -> Vec<String> {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let own = self.clean_from.and_then(|from| log.get(from..)).unwrap_or_default();
        let lines = String::from_utf8_lossy(own);
        lines.lines().filter(|line| line.contains(TOLD)).map(str::to_owned).collect()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It cannot be signalled.
    pub fn signal(&self, what: Signal) -> anyhow::Result<()> {
        signal(self.pid(), what)
    }

    /// The process of its NATS server.
    ///
    /// # Errors
    /// It has none.
    pub fn nats_pid(&self) -> anyhow::Result<u32> {
        nats_pid(&self.data)
    }

    /// Kills its NATS server at once.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill_nats(&self) -> anyhow::Result<()> {
        signal(nats_pid(&self.data)?, Signal::KILL)
    }

    /// Stops its NATS server where it stands, or lets it go on.
    ///
    /// # Errors
    /// It cannot be signalled.
    pub fn hold_nats(&self, is_held: bool) -> anyhow::Result<()> {
        signal(nats_pid(&self.data)?, if is_held { Signal::STOP } else { Signal::CONT })
    }

    /// Asks it to stop, whatever it and its server are about, and waits until it has; how long that took.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn terminate(&mut self) -> anyhow::Result<(ExitStatus, Duration)> {
        let asked = Instant::now();
        signal(self.child.id(), Signal::TERM)?;
        Ok((self.ended().await, asked.elapsed()))
    }

    /// What `/readyz` says: whether it is ready, and by what it cannot work.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn readiness(&self) -> anyhow::Result<(bool, String)> {
        let Api { http, base, token } = self.api()?;
        let answer = http.get(format!("{base}/readyz")).bearer_auth(token).send().await?;
        let is_ready = answer.status().is_success();
        let told: Value = answer.json().await?;
        Ok((is_ready, told.get("faults").map(Value::to_string).unwrap_or_default()))
    }

    /// Stops it where it stands, or lets it go on.
    ///
    /// # Errors
    /// It cannot be signalled.
    pub fn hold(&self, is_held: bool) -> anyhow::Result<()> {
        signal(self.pid(), if is_held { Signal::STOP } else { Signal::CONT })
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
        let options = async_nats::ConnectOptions::new().custom_inbox_prefix("_TEST");
        Ok(linesman::log::connect_with(options, &engine_url(&self.data)?).await?)
    }

    /// Asks the API with its token.
    ///
    /// # Errors
    /// It does not answer with JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.get_text(path).await?)?)
    }

    /// A client of its API.
    ///
    /// # Errors
    /// It is not ready, or its token cannot be read.
    pub fn api(&self) -> anyhow::Result<Api> {
        let ready = self.ready()?;
        let token = std::fs::read_to_string(self.data.join("token"))?.trim().to_owned();
        let http = linesman_connectors::tls::http_client(Some(&ready.ca))?.build()?;
        Ok(Api { http, base: ready.api.clone(), token })
    }

    /// Asks the API with its token, for text. That it is not ready is an answer of `/readyz`.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let Api { http, base, token } = self.api()?;
        let answer = http.get(format!("{base}{path}")).bearer_auth(token).send().await?;
        let answer = if path == "/readyz" { answer } else { answer.error_for_status()? };
        Ok(answer.text().await?)
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
        if self.is_running() {
            // What cannot be killed is gone.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // A test that has failed says why itself.
        if !std::thread::panicking() {
            let panics = self.panics();
            assert!(panics.is_empty(), "the engine panicked:\n{}", panics.join("\n"));
        }
    }
}

/// Ends the NATS server that a killed engine left behind in a data directory.
pub(crate) fn end_orphan(data: &Path) {
    if let Ok(pid) = nats_pid(data)
        && is_nats_server_of(pid, data)
    {
        // What cannot be killed is gone.
        let _ = signal(pid, Signal::KILL);
    }
}

/// The URL of a data directory's NATS server with the engine's login.
pub(crate) fn engine_url(data: &Path) -> anyhow::Result<String> {
    let logins: Value = serde_json::from_slice(&std::fs::read(data.join("keys/nats.json"))?)?;
    let password = logins.pointer("/engine/password").and_then(Value::as_str).context("no login")?;
    let port = server_record(data)?.get("port").and_then(Value::as_u64).context("no port")?;
    Ok(format!("nats://engine:{password}@127.0.0.1:{port}"))
}

fn server_record(data: &Path) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(data.join("nats/server.json"))?)?)
}

fn nats_pid(data: &Path) -> anyhow::Result<u32> {
    let pid = server_record(data)?.get("pid").and_then(Value::as_u64).context("no pid")?;
    Ok(u32::try_from(pid)?)
}

fn is_nats_server_of(pid: u32, data: &Path) -> bool {
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&command).contains(&*data.to_string_lossy())
}

/// Signals a process.
pub(crate) fn signal(pid: u32, signal: Signal) -> anyhow::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("no process has this number")?;
    kill_process(pid, signal).with_context(|| format!("the process {} cannot be signalled", pid.as_raw_nonzero()))
}

/// The environment variables that are meant for the tests and would be taken for configuration.
pub(crate) fn ours() -> impl Iterator<Item = String> {
    std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("LINESMAN_"))
}

/// The command under test, which cargo lays beside the tests' own folder.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    let exe = std::env::current_exe()?;
    let folder = exe.parent().and_then(Path::parent).context("no target folder")?;
    let path = folder.join("linesman-under-test");
    anyhow::ensure!(path.exists(), "`{}` is missing: build the tests with cargo", path.display());
    Ok(path)
}
