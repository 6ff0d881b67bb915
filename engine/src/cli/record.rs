//! `linesman record`

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use super::nats::Server;
use super::{Failure, runtime};
use crate::record::Error;
use crate::record::capture::capture;

/// Record the log of a running engine into files
///
/// All inputs up to now, and the rule books they name; nothing is changed. The files hold what
/// organizations sent, as it came: keep them as you keep the log. Only their owner may read them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman record incident-4711 --data-dir D
  linesman record recorded --nats nats://engine:secret@127.0.0.1:4222")]
pub(super) struct Args {
    /// The folder, made where it is missing
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Replace what was recorded in the folder before
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        tokio::select! {
            recorded = record(args) => recorded?,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                return Ok(ExitCode::FAILURE);
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn record(args: &Args) -> anyhow::Result<()> {
    let client = args.server.connect_as_engine("linesman-record").await?;
    let bar = bar();
    let recorded = capture(&client, &args.dir, args.force, |sequence, last| {
        bar.set_length(last);
        bar.set_position(sequence);
    })
    .await;
    bar.finish_and_clear();
    let inputs = match recorded {
        Err(error @ Error::NotEmpty { .. }) => {
            return Err(error).context("give another folder, or `--force` to replace what was recorded there");
        }
        recorded => recorded?,
    };
    outln!("{inputs} inputs recorded in {}", args.dir.display());
    Ok(())
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{bar:32.cyan/blue} {pos}/{len}  {per_sec}  {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
