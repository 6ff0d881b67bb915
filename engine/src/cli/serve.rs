//! `linesman serve`

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use super::flags::Flags;
use super::signals::{self, give_up};
use super::{Failure, runtime};
use crate::logging::full;
use crate::metrics::Metrics;
use crate::serve::{App, Error};
use crate::{config, logging};

/// How long what blocks may take once all else has ended.
const ENDING: Duration = Duration::from_secs(1);

/// Run the engine
///
/// With a data directory and a rule directory alone it runs complete: its own NATS server on the
/// loopback, the HTTPS API with a certificate of its own authority. When it is ready it writes
/// `D/ready.json`. SIGTERM, SIGINT and SIGQUIT let it finish what is under way, and end it within
/// 10 s. SIGHUP has it read rules, certificates and the log's level again.
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

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = config::load(&args.flags.sources()).map_err(Failure::Mistakes)?;
    // First of all, so that what the log tells is counted.
    let metrics = Metrics::install().context("the metrics cannot be set up")?;
    let logging = logging::init(&config.log).context("the log's level cannot be set")?;
    for warning in &config.warnings {
        tracing::warn!(warning, "the configuration is allowed but unwise");
    }
    if !config.passed_over.is_empty() {
        let variables = config.passed_over.join(", ");
        tracing::info!(
            variables,
            "variables that Kubernetes sets for its services are passed over; `enableServiceLinks: false` in the pod's \
             specification leaves them out"
        );
    }
    let mut heard = signals::hear().context("signals cannot be heard")?;
    let ending = heard.clone();
    let _crash_points = fail::FailScenario::setup();
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let mut app = tokio::select! {
            app = App::start(config, metrics, logging) => app?,
            () = ending.stop() => return Ok(ExitCode::SUCCESS),
        };
        let failure = loop {
            tokio::select! {
                failure = app.failure() => break failure,
                () = ending.stop() => break None,
                () = heard.reload() => app.reload(),
            }
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
    });
    // Whatever still reads a file is not waited for.
    runtime.shutdown_timeout(ENDING);
    ended
}
