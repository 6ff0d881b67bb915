//! `linesman publish`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use async_nats::jetstream;
use async_nats::jetstream::context::PublishAckFuture;
use indicatif::{ProgressBar, ProgressStyle};
use linesman_domain::intelligence::of_stray;
use linesman_schemas::{OrgName, intelligence};

use super::nats::Server;
use super::{Failure, runtime};

/// How many publishes may wait for their acknowledgement.
const FLIGHT: usize = 256;
const ACK_TIMEOUT: Duration = Duration::from_secs(10);

/// Publish bundles or intelligence messages
///
/// A file that ends in `.json` is an intelligence message, any other a bundle. Each is
/// acknowledged by the log before the command ends.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman publish event.xml --org acme --data-dir D
  linesman publish spool/*.xml --org acme --nats nats://public:secret@127.0.0.1:4222")]
pub(super) struct Args {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The organization they belong to
    #[arg(long, value_name = "O")]
    org: OrgName,
    /// Who publishes: the last token of the subject; dots are replaced
    #[arg(long, default_value = "linesman")]
    source: String,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let failed = runtime()?.block_on(publish(args))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A source as one token of a subject: what would end or widen it is replaced.
pub(super) fn token(source: &str) -> String {
    let token: String = source.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    if token.is_empty() { "-".to_owned() } else { token }
}

async fn publish(args: &Args) -> anyhow::Result<usize> {
    let client = args.server.connect("linesman-publish").await?;
    let most = client.max_payload();
    let mut context = crate::log::context(&client);
    context.set_timeout(ACK_TIMEOUT);
    let bar = bar(args.files.len());
    let source = token(&args.source);
    let mut waiting = Vec::with_capacity(FLIGHT);
    let mut failed = 0;
    for file in &args.files {
        match send(&context, args, file, &source, most).await {
            Ok(ack) => waiting.push((file, ack)),
            Err(error) => {
                failed += 1;
                bar.suspend(|| errln!("{}: {error:#}", file.display()));
            }
        }
        if waiting.len() == FLIGHT {
            failed += settle(&mut waiting, &bar).await;
        }
    }
    failed += settle(&mut waiting, &bar).await;
    bar.finish_and_clear();
    let published = args.files.len() - failed;
    outln!("{published} published for {}, {failed} failed", args.org);
    Ok(failed)
}

async fn send(
    context: &jetstream::Context,
    args: &Args,
    file: &Path,
    source: &str,
    most: usize,
) -> anyhow::Result<PublishAckFuture> {
    let bytes = tokio::fs::read(file).await.context("cannot be read")?;
    let length = bytes.len();
    anyhow::ensure!(length <= most, "has {length} bytes, and the server takes messages of at most {most}");
    let kind = if file.extension().is_some_and(|extension| extension == "json") { "intel" } else { "jmb" };
    if kind == "intel"
        && let Some(stray) = intelligence::stray(&bytes)
    {
        // Whom a message concerns would be misread: a list that is misspelt is none, and then it concerns everybody.
        let (why, _) = of_stray(&stray);
        anyhow::bail!("line {}: {why}", stray.line);
    }
    let subject = format!("in.{}.{kind}.{source}", args.org);
    context.publish(subject, bytes.into()).await.context("cannot be published")
}

async fn settle(waiting: &mut Vec<(&PathBuf, PublishAckFuture)>, bar: &ProgressBar) -> usize {
    let mut failed = 0;
    for (file, ack) in waiting.drain(..) {
        if let Err(error) = ack.await {
            failed += 1;
            bar.suspend(|| errln!("{}: not acknowledged: {error}", file.display()));
        }
        bar.inc(1);
    }
    failed
}

fn bar(files: usize) -> ProgressBar {
    if files < 2 || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:32.cyan/blue} {pos}/{len}  {per_sec}  {eta} left");
    let bar = ProgressBar::new(files as u64);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn a_source_is_one_token() {
        assert_eq!(token("edge-01.north.example"), "edge-01-north-example");
        assert_eq!(token("a b*c>"), "a-b-c-");
        assert_eq!(token(""), "-");
    }
}
