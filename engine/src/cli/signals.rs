//! The signals that `linesman serve` hears.
//!
//! | signal | what it does |
//! |---|---|
//! | TERM, INT, QUIT | what is under way ends, within 10 s; the second time, at once |
//! | HUP | files are read again: rules, certificates, the log's level |
//! | USR1, USR2 | nothing |

use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::logging;

/// How long a stop may take from the signal on, whatever hangs. What is left then is as after a crash: the next start goes
/// on from the last mark.
const STOP_MOST: Duration = Duration::from_millis(9_500);
/// How long the log's last lines may take to be written.
const LAST_LINES: Duration = Duration::from_millis(300);

/// Ends the process although something is under way.
pub(super) fn give_up(why: &str) -> ! {
    tracing::error!(why, "stopping with a batch under way; the next start carries it");
    logging::drain(LAST_LINES);
    std::process::exit(1);
}

/// What was heard.
#[derive(Clone)]
pub(super) struct Heard {
    stop: watch::Receiver<bool>,
    /// How often it was asked for.
    reload: watch::Receiver<u64>,
}

impl Heard {
    /// Ready once the process is to end.
    pub(super) async fn stop(&self) {
        // The thread that tells ends with the process.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// Ready when files are to be read again that were not since it was asked for.
    pub(super) async fn reload(&mut self) {
        if self.reload.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Hears on a thread of its own, which ends the process when a stop takes too long or is asked for twice: nothing that hangs
/// elsewhere is in its way.
pub(super) fn hear() -> std::io::Result<Heard> {
    let ((stopping, stop), (reloading, reload)) = (watch::channel(false), watch::channel(0));
    let (set_up, is_set_up) = std::sync::mpsc::sync_channel(1);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let ended = listen(&stopping, &reloading, &set_up);
        if let Err(error) = ended {
            // Nobody waits for it once it was set up.
            let _ = set_up.send(Err(error));
        }
    })?;
    is_set_up.recv().map_err(std::io::Error::other)??;
    Ok(Heard { stop, reload })
}

/// The signals by what they ask for.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hang_up: Signal,
    first_own: Signal,
    second_own: Signal,
}

/// What a signal asks for.
enum Wanted {
    Stop,
    Reload,
    Nothing(&'static str),
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hang_up: signal(SignalKind::hangup())?,
            first_own: signal(SignalKind::user_defined1())?,
            second_own: signal(SignalKind::user_defined2())?,
        })
    }

    async fn next(&mut self) -> Wanted {
        tokio::select! {
            _ = self.terminate.recv() => Wanted::Stop,
            _ = self.interrupt.recv() => Wanted::Stop,
            _ = self.quit.recv() => Wanted::Stop,
            _ = self.hang_up.recv() => Wanted::Reload,
            _ = self.first_own.recv() => Wanted::Nothing("SIGUSR1"),
            _ = self.second_own.recv() => Wanted::Nothing("SIGUSR2"),
        }
    }
}

fn listen(
    stopping: &watch::Sender<bool>,
    reloading: &watch::Sender<u64>,
    set_up: &SyncSender<std::io::Result<()>>,
) -> std::io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut signals = Signals::new()?;
        let _ = set_up.send(Ok(()));
        let mut until: Option<Instant> = None;
        loop {
            let wanted = tokio::select! {
                wanted = signals.next() => wanted,
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => give_up("something does not end"),
            };
            match wanted {
                Wanted::Stop if until.is_some() => give_up("asked to stop twice"),
                Wanted::Stop => {
                    until = Some(Instant::now() + STOP_MOST);
                    stopping.send_replace(true);
                }
                Wanted::Reload => reloading.send_modify(|times| *times += 1),
                Wanted::Nothing(signal) => tracing::info!(signal, "the signal has no meaning here"),
            }
        }
    })
}
