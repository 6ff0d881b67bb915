//! `linesman tail`

use std::process::ExitCode;

use anyhow::Context;
use futures_util::StreamExt;
use linesman_schemas::event;
use serde_json::json;

use super::line::{self, Heard};
use super::nats::Server;
use super::{Failure, output, runtime};

/// Print what flows, one line each
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman tail --data-dir D
  linesman tail 'out.acme.trigger.>' --json --data-dir D")]
pub(super) struct Args {
    /// The subject, `*` and `>` as in NATS
    #[arg(default_value = "out.>")]
    subject: String,
    /// Print each event as a line of JSON
    #[arg(long)]
    json: bool,
    /// End after so many events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        tokio::select! {
            ended = tail(args) => ended?,
            interrupted = tokio::signal::ctrl_c() => interrupted?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn tail(args: &Args) -> anyhow::Result<()> {
    let client = args.server.connect("linesman-tail").await?;
    let mut messages = client.subscribe(args.subject.clone()).await.context("cannot subscribe")?;
    client.flush().await?;
    errln!("listening on {}", args.subject);
    let wants_own = ["_mark", "_override"].iter().any(|own| args.subject.contains(own));
    let mut shown = 0;
    while let Some(message) = messages.next().await {
        let subject = message.subject.as_str();
        if subject.starts_with("out._mark.") || subject.starts_with("out._override.") {
            if wants_own {
                output::line(&format_args!("{subject} {}", String::from_utf8_lossy(&message.payload)))?;
            }
            continue;
        }
        let events = event::read(&message.payload).with_context(|| format!("`{subject}` holds no events"))?;
        for event in events {
            if args.json {
                output::line(&json!({"subject": subject, "event": event}))?;
            } else {
                output::line(&line::of(&Heard { subject, event: &event }))?;
            }
            shown += 1;
            if args.limit.is_some_and(|limit| shown >= limit) {
                return Ok(());
            }
        }
    }
    Ok(())
}
