//! `linesman publish`

mod looked;
mod told;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use async_nats::jetstream;
use async_nats::jetstream::context::PublishAckFuture;
use indicatif::{ProgressBar, ProgressStyle};
use linesman_schemas::OrgName;
use linesman_schemas::bundle::Edition;

use super::api::device::seconds;
use super::api::published::{Became, Engine, What, Where};
use super::nats::Server;
use super::{Failure, runtime};
use looked::Looked;
use told::Ended;

/// How many publishes may wait for their acknowledgement.
const FLIGHT: usize = 256;
const ACK_TIMEOUT: Duration = Duration::from_secs(10);

/// Publish bundles or intelligence messages
///
/// A file that ends in `.json` is an intelligence message, any other a bundle. Each is read as the engine will read it, and is
/// not published where it would be a dead letter; nothing is where the engine does not know the organization. What is
/// published is acknowledged by the log before the command ends; with `--wait` the engine has decided on it. The exit code is 1
/// where a file failed, became a dead letter, or is not decided in time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman publish event.xml --org acme --data-dir D
  linesman publish event.xml --org acme --wait --data-dir D      what became of it
  linesman publish spool/*.xml --org acme --nats nats://public:secret@127.0.0.1:4222")]
pub(super) struct Args {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The organization they belong to
    #[arg(long, value_name = "O", alias = "organization")]
    org: OrgName,
    /// Who publishes: the last token of the subject; dots are replaced
    #[arg(long, default_value = "linesman")]
    source: String,
    /// Publish whatever the files hold, without asking the engine whether it knows the organization
    #[arg(long)]
    unchecked: bool,
    /// Wait until the engine has decided on each file, and say what became of it
    #[arg(long)]
    wait: bool,
    /// How long that is waited for, such as `30s` or `5m`
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = seconds, requires = "wait")]
    within: u32,
    /// Print JSON, one line for each file
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: Where,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let is_done = runtime()?.block_on(publish(args))?;
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A source as one token of a subject: what would end or widen it is replaced.
pub(super) fn token(source: &str) -> String {
    let token: String = source.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    if token.is_empty() { "-".to_owned() } else { token }
}

/// Whether all of it is published, and none became a dead letter as far as that was waited for.
async fn publish(args: &Args) -> anyhow::Result<bool> {
    let engine = Engine::of(&args.engine, args.server.data_dir());
    let engine = match engine {
        Ok(None) if args.wait => {
            anyhow::bail!("`--wait` asks the engine: give `--data-dir` of a running one, or `--api`")
        }
        Err(error) if args.wait => return Err(error.context("`--wait` asks the engine")),
        engine => engine,
    };
    let client = args.server.connect("linesman-publish").await?;
    let edition = match args.unchecked {
        true => None,
        false => Some(asked(args, &engine).await?),
    };
    let most = client.max_payload();
    let mut context = crate::log::context(&client);
    context.set_timeout(ACK_TIMEOUT);
    let mut sending = Sending {
        args,
        context,
        source: token(&args.source),
        bar: bar(args.files.len()),
        waiting: Vec::new(),
        ended: Vec::new(),
    };
    for (number, file) in args.files.iter().enumerate() {
        match looked::look(file, edition, most).await {
            Ok(looked) => sending.send(number, looked).await,
            Err(error) => sending.ended.push((number, Ended::Failed(format!("{error:#}")))),
        }
        if sending.waiting.len() == FLIGHT {
            sending.settle().await;
        }
    }
    sending.settle().await;
    sending.bar.finish_and_clear();
    let mut ended = sending.ended;
    ended.sort_unstable_by_key(|(number, _)| *number);
    let mut ended: Vec<Ended> = ended.into_iter().map(|(_, ended)| ended).collect();
    if let Ok(Some(engine)) = &engine
        && args.wait
    {
        wait(args, engine, &mut ended).await;
    }
    Ok(told::tell(args, &ended))
}

/// What the engine says of the organization, if it can be asked: how it reads bundles.
///
/// # Errors
/// It decides nothing of what is published for it.
async fn asked(args: &Args, engine: &anyhow::Result<Option<Engine>>) -> anyhow::Result<Edition> {
    let asked = match engine {
        Ok(Some(engine)) => engine.refusal(&args.org).await,
        Ok(None) => Err(anyhow::anyhow!("give `--data-dir` of a running one, or `--api`")),
        Err(error) => Err(anyhow::anyhow!("{error:#}")),
    };
    match asked {
        Ok(None) => {}
        Ok(Some(why)) => {
            anyhow::bail!("{why}; nothing is published (`--unchecked` publishes whatever the engine says)")
        }
        Err(why) => errln!("the engine was not asked whether it knows `{}`: {why:#}", args.org),
    }
    Ok(match engine {
        // Whoever does not see its lanes is told by the dead letter.
        Ok(Some(engine)) => engine.edition(&args.org).await.unwrap_or(Edition::NEWEST),
        _ => Edition::NEWEST,
    })
}

/// Waits for what becomes of what was published.
async fn wait(args: &Args, engine: &Engine, ended: &mut [Ended]) {
    let published = ended.iter().filter_map(Ended::published).collect::<Vec<_>>();
    let within = Duration::from_secs(args.within.into());
    let became = engine.became(&args.org, &published, within).await.unwrap_or_else(|error| {
        let why = format!("what became of it cannot be asked: {error:#}");
        published.iter().map(|_| Became::Undecided(why.clone())).collect()
    });
    let places = ended.iter_mut().filter(|ended| ended.published().is_some());
    for (ended, became) in places.zip(became) {
        ended.became(became);
    }
}

/// Files on their way.
struct Sending<'a> {
    args: &'a Args,
    context: jetstream::Context,
    source: String,
    bar: ProgressBar,
    waiting: Vec<(usize, What, PublishAckFuture)>,
    ended: Vec<(usize, Ended)>,
}

impl Sending<'_> {
    async fn send(&mut self, number: usize, looked: Looked) {
        let Looked { bytes, kind, what } = looked;
        let subject = format!("in.{}.{kind}.{}", self.args.org, self.source);
        match self.context.publish(subject, bytes.into()).await.context("cannot be published") {
            Ok(ack) => self.waiting.push((number, what, ack)),
            Err(error) => self.ended.push((number, Ended::Failed(format!("{error:#}")))),
        }
    }

    async fn settle(&mut self) {
        for (number, what, ack) in self.waiting.drain(..) {
            let ended = match ack.await {
                Ok(ack) => Ended::Published { sequence: ack.sequence, what },
                Err(error) => Ended::Failed(format!("not acknowledged: {error}")),
            };
            self.ended.push((number, ended));
            self.bar.inc(1);
        }
    }
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
