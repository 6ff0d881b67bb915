//! `linesman serve`

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::flags::Flags;
use super::{Failure, runtime};
use crate::metrics::Metrics;
use crate::serve::App;
use crate::{config, logging};

/// Run the engine
///
/// With a data directory and a rule directory alone it runs complete: its own NATS server on the
/// loopback, the HTTPS API with a certificate of its own authority. When it is ready it writes
/// `D/ready.json`. SIGTERM lets it finish what is under way.
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

/// How long a drain may take. What is left then is as after a crash: the next start goes on from the
/// last mark.
const DRAIN: Duration = Duration::from_secs(30);

/// Ends the process although something is under way.
fn give_up(why: &str) -> ! {
    tracing::error!(why, "stopping with a batch under way; the next start carries it");
    std::process::exit(1);
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = config::load(&args.flags.sources()).map_err(Failure::Mistakes)?;
    // First of all, so that what the log tells is counted.
    let metrics = Metrics::install().context("the metrics cannot be set up")?;
    let logging = logging::init(&config.log).context("the log's level cannot be set")?;
    for warning in &config.warnings {
        tracing::warn!(warning, "the configuration is allowed but unwise");
    }
    let _crash_points = fail::FailScenario::setup();
    runtime()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut app = tokio::select! {
            app = App::start(config, metrics, logging) => app?,
            _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
            _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
        };
        let failure = tokio::select! {
            failure = app.failure() => failure,
            _ = terminate.recv() => None,
            _ = interrupt.recv() => None,
        };
        tokio::select! {
            stopped = app.stop() => stopped?,
            _ = terminate.recv() => give_up("asked to stop twice"),
            _ = interrupt.recv() => give_up("asked to stop twice"),
            () = tokio::time::sleep(DRAIN) => give_up("the NATS server does not answer"),
        }
        match failure {
            Some(failure) => Err(failure.into()),
            None => Ok(ExitCode::SUCCESS),
        }
    })
}
