//! An engine of the demo's in a process of its own: `linesman serve`, started, ended, killed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::process::{Child, Command};

use crate::data_dir::DataDir;

/// How long an engine has to start and to end.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is run.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    /// Whose engine it is, for people.
    pub(super) whose: &'static str,
    /// Its data lie in `data` there, its rules in `rules`, what it logs in `log`.
    pub(super) dir: PathBuf,
    pub(super) config: PathBuf,
    /// The level of its log, where somebody has said one.
    pub(super) log_level: Option<String>,
    /// Where it was before, where it comes back.
    pub(super) places: Option<Ready>,
}

/// What an engine tells once it is ready.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ready {
    pid: u32,
    /// Where its API is.
    pub(super) api: String,
    /// Where end customers' controllers come to.
    #[serde(default)]
    pub(super) partner: Option<String>,
    /// Its NATS server, with a login.
    pub(super) nats: String,
}

impl Ready {
    /// The address of its API.
    ///
    /// # Errors
    /// It tells none.
    pub(super) fn address(&self) -> anyhow::Result<SocketAddr> {
        authority(&self.api).parse().context("the engine tells no address")
    }

    /// The flags by which another comes back to the same places.
    fn flags(&self) -> Vec<String> {
        let mut flags = vec!["--listen".to_owned(), authority(&self.api).to_owned()];
        if let Some((_, port)) = self.nats.rsplit_once(':') {
            flags.extend(["--nats-port".to_owned(), port.trim_end_matches('/').to_owned()]);
        }
        if let Some(partner) = &self.partner {
            flags.extend(["--set".to_owned(), format!("partner.listen={}", authority(partner))]);
        }
        flags
    }
}

/// What stands behind the scheme of a URL without a path.
fn authority(url: &str) -> &str {
    url.trim_start_matches("https://").trim_end_matches('/')
}

/// The process. Whoever drops it without [`Self::stop`] kills it.
pub(super) struct Process {
    child: Child,
    whose: &'static str,
    dir: PathBuf,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(launch: &Launch) -> anyhow::Result<Self> {
        let Launch { whose, dir, config, log_level, places } = launch;
        let program = std::env::current_exe().context("the running program cannot be found")?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--data-dir").arg(dir.join("data")).arg("--rules").arg(dir.join("rules"));
        command.arg("--config").arg(config).args(places.iter().flat_map(Ready::flags));
        // What is set for somebody else's engine is none of its own.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LINESMAN_")) {
            command.env_remove(name);
        }
        command.envs(log_level.iter().map(|level| (super::LOG_LEVEL, level)));
        let cannot = || format!("the log of the {whose}'s engine cannot be written");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(dir.join("log")).with_context(cannot)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        // What a terminal sends at Ctrl-C is the demo's, which ends this one in its turn.
        command.process_group(0);
        let child = command.spawn().with_context(|| format!("the {whose}'s engine cannot be started"))?;
        Ok(Self { child, whose, dir: dir.clone() })
    }

    /// What it tells, once it is ready.
    ///
    /// # Errors
    /// It has ended, or is not ready in time.
    pub(super) async fn ready(&mut self) -> anyhow::Result<Ready> {
        let ready = tokio::time::timeout(PATIENCE, self.told()).await;
        ready.with_context(|| format!("the {}'s engine is not ready in time", self.whose))?
    }

    async fn told(&mut self) -> anyhow::Result<Ready> {
        let path = DataDir::ready_path(&self.dir.join("data"));
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            if let Some(status) = self.child.try_wait().with_context(|| self.unwatched())? {
                bail!(self.ended_by(status));
            }
            if let Some(ready) = read(&path, self.whose)?
                && Some(ready.pid) == self.child.id()
            {
                return Ok(ready);
            }
        }
    }

    /// Ready once it has ended by itself; why that is a failure.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        match self.child.wait().await {
            Ok(status) => anyhow::anyhow!(self.ended_by(status)),
            Err(error) => anyhow::Error::new(error).context(self.unwatched()),
        }
    }

    fn ended_by(&self, status: ExitStatus) -> String {
        let said = std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        format!("the {}'s engine has ended ({status}): {}", self.whose, said.trim())
    }

    fn unwatched(&self) -> String {
        format!("the {}'s engine cannot be watched", self.whose)
    }

    /// Ends it at once, in the middle of whatever it does.
    ///
    /// # Errors
    /// It cannot be ended.
    pub(super) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("the {}'s engine cannot be killed", self.whose))
    }

    /// Ends it as an operator would.
    ///
    /// # Errors
    /// It does not end in time.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, Signal::TERM).with_context(|| format!("the {}'s engine cannot be ended", self.whose))?;
        }
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let ended = ended.with_context(|| format!("the {}'s engine does not end", self.whose))?;
        ended.with_context(|| self.unwatched())?;
        Ok(())
    }
}

/// What stands there, where there is something.
fn read(path: &Path, whose: &str) -> anyhow::Result<Option<Ready>> {
    match std::fs::read(path) {
        Ok(bytes) => {
            Ok(Some(serde_json::from_slice(&bytes).with_context(|| format!("the {whose}'s engine tells no place"))?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_comes_back_to_where_it_was() {
        let ready = Ready {
            pid: 1,
            api: "https://127.0.0.1:4001".to_owned(),
            partner: Some("https://127.0.0.1:4002".to_owned()),
            nats: "nats://public:secret@127.0.0.1:4003".to_owned(),
        };
        let expected = ["--listen", "127.0.0.1:4001", "--nats-port", "4003", "--set", "partner.listen=127.0.0.1:4002"];
        assert_eq!(ready.flags(), expected);
        assert_eq!(ready.address().unwrap().port(), 4001);
    }
}
