//! `linesman tail`

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use linesman_schemas::event;
use serde_json::json;
use tokio::time::sleep;

use super::line::{self, Heard};
use super::listening::{Followed, Told};
use super::nats::Server;
use super::{Failure, output, runtime};

/// Print what flows, one line each
///
/// It goes on where it was when the engine or its NATS server is started again, also where they come back at another
/// address (`--data-dir`).
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

/// How often it is looked whether the engine is back.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let closed = output::closed()?;
    runtime()?.block_on(async {
        tokio::select! {
            ended = tail(args) => ended?,
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            // Also while nothing flows.
            () = closed => {}
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What was printed so far.
#[derive(Default)]
struct Printed {
    /// Where it goes on in the stream; none: the stream is not read.
    next: Option<u64>,
    events: u64,
}

async fn tail(args: &Args) -> anyhow::Result<()> {
    let mut printed = Printed::default();
    let mut followed = Followed::begin(&args.server, &args.subject, None).await?;
    errln!("listening on {}", args.subject);
    loop {
        printed.next = followed.next();
        let lost = match follow(args, &mut followed, &mut printed).await? {
            None => return Ok(()),
            Some(lost) => lost,
        };
        errln!("{lost}; waiting until it is back");
        followed = again(args, printed.next).await;
    }
}

/// Prints what comes; why no more does, or none where that is enough.
async fn follow(args: &Args, followed: &mut Followed, printed: &mut Printed) -> anyhow::Result<Option<anyhow::Error>> {
    let wants_own = ["_mark", "_override"].iter().any(|own| args.subject.contains(own));
    while let Some(told) = followed.told().await {
        let Told { subject, payload, sequence } = match told {
            Ok(told) => told,
            Err(error) => return Ok(Some(error)),
        };
        if subject.starts_with("out._mark.") || subject.starts_with("out._override.") {
            if wants_own {
                output::line(&format_args!("{subject} {}", String::from_utf8_lossy(&payload)))?;
            }
        } else {
            let events = event::read(&payload).with_context(|| format!("`{subject}` holds no events"))?;
            for event in events {
                if args.json {
                    output::line(&json!({"subject": subject, "event": event}))?;
                } else {
                    output::line(&line::of(&Heard { subject: &subject, event: &event }))?;
                }
                printed.events += 1;
                if args.limit.is_some_and(|limit| printed.events >= limit) {
                    return Ok(None);
                }
            }
        }
        if let Some(sequence) = sequence {
            printed.next = Some(sequence + 1);
        }
    }
    Ok(Some(anyhow!("the NATS server is away")))
}

/// Listens again, once there is somebody to listen to.
async fn again(args: &Args, next: Option<u64>) -> Followed {
    loop {
        if let Ok(followed) = Followed::begin(&args.server, &args.subject, next).await {
            match (next, followed.next()) {
                (Some(next), Some(found)) if found == next => {
                    errln!("listening on {} again, from where it was", args.subject);
                }
                (Some(_), _) => errln!(
                    "listening on {} again; the stream OUT is another, and what it held before is not printed",
                    args.subject
                ),
                (None, _) => {
                    errln!("listening on {} again; what came meanwhile is not printed", args.subject);
                }
            }
            return followed;
        }
        sleep(LOOK_EVERY).await;
    }
}
