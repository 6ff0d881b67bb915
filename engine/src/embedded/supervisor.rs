//! Starts the server's process, and starts it again when it dies.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::folder::Folder;
use super::login::Logins;
use super::record::Record;
use super::{Error, GRACE, Settings, config};
use crate::data_dir::private;

/// The pause before a restart; it doubles with each up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A server that ran this long is taken as healthy: the pauses begin anew.
const HEALTHY: Duration = Duration::from_secs(60);

/// How long one may take to close its files that is started again since it does not work.
const RESTART_GRACE: Duration = Duration::from_secs(3);

/// All that a start of the process needs, the first and every later one.
pub(super) struct Launch {
    pub(super) binary: PathBuf,
    pub(super) folder: Folder,
    pub(super) lock: File,
    pub(super) settings: Settings,
    pub(super) logins: Logins,
    pub(super) port: u16,
}

impl Launch {
    /// Writes the configuration, anew at each start: how much it may store depends on what the disk has.
    pub(super) fn configure(&self) -> Result<(), Error> {
        let path = self.folder.config();
        let text = config::text(&self.settings, self.folder.path(), &self.logins, self.port)?;
        private::write(&path, text.as_bytes()).map_err(Error::file(&path))
    }

    /// Starts the process and writes down which it is.
    ///
    /// It stands in a process group of its own: Ctrl-C in a terminal reaches the engine, which ends it last.
    pub(super) fn spawn(&self) -> Result<Child, Error> {
        let failed = |source| Error::Spawn { path: self.binary.clone(), source };
        let child = Command::new(&self.binary)
            .arg("-c")
            .arg(self.folder.config())
            // Without it the runtime of the server lets its heap grow to twice of what is in use, and keeps that.
            .env("GOMEMLIMIT", self.settings.memory_bytes.to_string())
            // INVARIANT (one server per store): the server holds the lock as long as it lives.
            .stdin(Stdio::from(self.lock.try_clone().map_err(failed)?))
            .stdout(Stdio::null())
            .stderr(Stdio::from(self.folder.open_log()?))
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        if let Some(pid) = child.id() {
            let path = self.folder.record();
            Record::of(pid, &self.logins.server_name, self.port)
                .and_then(|record| record.write(&path))
                .map_err(Error::file(&path))?;
        }
        Ok(child)
    }

    /// Keeps the server running until `stop` is sent or dropped, then ends it; starts it again when that is asked for.
    pub(super) async fn supervise(
        self,
        mut child: Child,
        mut stop: oneshot::Receiver<Duration>,
        mut asked: mpsc::Receiver<()>,
    ) {
        let mut pause = PAUSE;
        let grace = loop {
            let started = Instant::now();
            tokio::select! {
                grace = &mut stop => break grace.unwrap_or(GRACE),
                Some(()) = asked.recv() => end_within(&mut child, RESTART_GRACE).await,
                status = child.wait() => {
                    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                    tracing::error!(status, port = self.port, log = self.folder.log_tail(), "the NATS server ended");
                }
            }
            if started.elapsed() >= HEALTHY {
                pause = PAUSE;
            }
            match self.start_again(&mut pause, &mut stop).await {
                Some(again) => child = again,
                None => return,
            }
        };
        end_within(&mut child, grace).await;
        if let Err(error) = std::fs::remove_file(self.folder.record()) {
            tracing::warn!(%error, "the NATS server's record stays");
        }
    }

    /// Starts the server again after a pause; none when it is to stop instead.
    async fn start_again(&self, pause: &mut Duration, stop: &mut oneshot::Receiver<Duration>) -> Option<Child> {
        loop {
            tokio::select! {
                _ = &mut *stop => return None,
                () = sleep(*pause) => {}
            }
            *pause = LONGEST_PAUSE.min(*pause * 2);
            metrics::counter!("linesman_nats_restarts_total").increment(1);
            match self.configure().and_then(|()| self.spawn()) {
                Ok(child) => return Some(child),
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "no NATS server"),
            }
        }
    }
}

/// Asks the server to end, and kills it when it takes too long. Touches no process but this child.
pub(super) async fn end(mut child: Child) {
    end_within(&mut child, GRACE).await;
}

async fn end_within(child: &mut Child, grace: Duration) {
    // While the child is not waited for, its number belongs to nobody else; afterwards it has none.
    let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) else { return };
    if let Err(error) = kill_process(pid, Signal::TERM) {
        tracing::warn!(%error, "the NATS server cannot be asked to end");
    }
    if timeout(grace, child.wait()).await.is_ok() {
        return;
    }
    tracing::warn!("the NATS server did not end in time and is killed");
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "the NATS server cannot be killed");
    }
}
