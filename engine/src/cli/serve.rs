//! `linesman serve`

use std::process::ExitCode;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::flags::Flags;
use super::{Failure, runtime};
use crate::logging::full;
use crate::metrics::Metrics;
use crate::serve::{App, Error};
use crate::{config, logging};

/// Run the engine
///
/// With a data directory and a rule directory alone it runs complete: its own NATS server on the
/// loopback, the HTTPS API with a certificate of its own authority. When it is ready it writes
/// `D/ready.json`. SIGTERM lets it finish what is under way, and ends it within 10 s.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman serve --data-dir /var/lib/linesman --rules /etc/linesman/rules
  linesman serve --data-dir D --rules R --config linesman.toml --listen 127.0.0.1:8443
  linesman serve --data-dir D --rules R --nats nats://engine:secret@127.0.0.1:4222")]
pub(super) struct Args {
    #[command(flatten)]
    flags: Flags,
}

/// How long a stop may take from the signal on, whatever hangs. What is left then is as after a crash: the next start goes
/// on from the last mark.
const STOP_MOST: Duration = Duration::from_millis(9_500);
/// How long the log's last lines may take to be written.
const LAST_LINES: Duration = Duration::from_millis(300);

/// Ends the process although something is under way.
fn give_up(why: &str) -> ! {
    tracing::error!(why, "stopping with a batch under way; the next start carries it");
    logging::drain(LAST_LINES);
    std::process::exit(1);
}

/// Hears SIGTERM and SIGINT on a thread of its own, which ends the process when a stop takes too long or is asked for twice:
/// nothing that hangs elsewhere is in its way.
fn signals() -> std::io::Result<watch::Receiver<bool>> {
    let (told, heard) = watch::channel(false);
    let (set_up, is_set_up) = std::sync::mpsc::sync_channel(1);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let ended = hear(&told, &set_up);
        if let Err(error) = ended {
            // Nobody waits for it once it was set up.
            let _ = set_up.send(Err(error));
        }
    })?;
    is_set_up.recv().map_err(std::io::Error::other)??;
    Ok(heard)
}

fn hear(told: &watch::Sender<bool>, set_up: &SyncSender<std::io::Result<()>>) -> std::io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let _ = set_up.send(Ok(()));
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        told.send_replace(true);
        tokio::select! {
            _ = terminate.recv() => give_up("asked to stop twice"),
            _ = interrupt.recv() => give_up("asked to stop twice"),
            () = tokio::time::sleep(STOP_MOST) => give_up("something does not end"),
        }
    })
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = config::load(&args.flags.sources()).map_err(Failure::Mistakes)?;
    // First of all, so that what the log tells is counted.
    let metrics = Metrics::install().context("the metrics cannot be set up")?;
    let logging = logging::init(&config.log).context("the log's level cannot be set")?;
    for warning in &config.warnings {
        tracing::warn!(warning, "the configuration is allowed but unwise");
    }
    let mut heard = signals().context("signals cannot be heard")?;
    let _crash_points = fail::FailScenario::setup();
    runtime()?.block_on(async {
        let mut app = tokio::select! {
            app = App::start(config, metrics, logging) => app?,
            _ = heard.wait_for(|heard| *heard) => return Ok(ExitCode::SUCCESS),
        };
        let failure = tokio::select! {
            failure = app.failure() => failure,
            _ = heard.wait_for(|heard| *heard) => None,
        };
        match app.stop().await {
            Err(error @ Error::Undrained) => {
                give_up(&failure.map_or_else(|| error.to_string(), |failure| full(&failure)))
            }
            stopped => stopped?,
        }
        match failure {
            Some(failure) => Err(failure.into()),
            None => Ok(ExitCode::SUCCESS),
        }
    })
}
