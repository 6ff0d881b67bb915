//! `linesman demo`
//!
//! A partner in this process with the devices that it reaches, an end customer below it in one of its own, and a stand-in
//! above.

mod attack;
mod configuration;
mod corpus;
mod customer;
mod devices;
mod live;
mod look;
mod people;
mod process;
mod summary;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_nats::{Client, Subscriber};
use configuration::{CUSTOMER, DEVICES};
use customer::Customer;
use devices::Device;
use futures_util::StreamExt;
use linesman_connectors::standin::{self, Standin};
use linesman_schemas::event;
use process::Process;
use serde_json::json;
use summary::Summary;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::line::{self, Heard};
use super::{Failure, output, runtime};
use crate::config::{self, Sources};
use crate::data_dir::private;
use crate::log::connect_with;
use crate::logging;
use crate::metrics::Metrics;
use crate::serve::App;

/// How long the demo waits for what it has set in motion.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause between two bundles, for people who watch.
const PACE: Duration = Duration::from_millis(60);
/// The pause between two bundles once all was shown.
const STEADY_PACE: Duration = Duration::from_secs(2);

/// Run everything, play a corpus, and show what happens
///
/// A cascade: a stand-in support system over TLS, below it a partner's engine with four proxy
/// organizations, and the engine of one of them, an end customer's controller in a process of its
/// own. The partner has the stock policies, a publisher with good and broken bundles and a few
/// intelligence messages, managers, of whom one tries what it may not, and three devices, stand-ins
/// that it reaches over SSH and NETCONF. On each there is an attack, which the device tells of by a
/// bundle that is collected from it: a policy has a blackhole activated, which comes up on that very
/// device, and goes when the attack is over. The end customer's cases go through the partner to the
/// support system and come back with their ids. Then bundles come at a steady pace until Ctrl-C.
///
/// On a terminal it is a screen instead: customers, what is open of them, cases, intelligence and
/// whom it concerns, the last events. Bundles come at an even pace, the support system works on cases
/// and closes them, people complete incidents; the partner's engine, in a process of its own, is
/// killed once, and it is shown that nothing was lost or doubled. `q` ends it, `p` pauses, `?` helps.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  linesman demo\n  linesman demo --once --json\n  linesman demo --json | head")]
pub(super) struct Args {
    /// End after the corpus
    #[arg(long)]
    once: bool,
    /// Print lines of JSON: each event, as `linesman tail --json` has it, and at the end of the corpus what it came to; with
    /// --once that alone
    #[arg(long)]
    json: bool,
    /// Print lines on a terminal too, as elsewhere, instead of a screen
    #[arg(long)]
    lines: bool,
    /// Keep everything in this directory, new or empty, which outlives the demo
    #[arg(long, value_name = "D")]
    data_dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        let scratch = args.data_dir.is_none();
        let dir = match &args.data_dir {
            Some(dir) => {
                std::path::absolute(dir).with_context(|| format!("`{}` has no absolute path", dir.display()))?
            }
            None => std::env::temp_dir().join(format!("linesman-demo-{}", private::random_hex::<8>()?)),
        };
        let data = dir.join("data");
        if data.exists() {
            let (shown, goes_on) = (dir.display(), look::goes_on(&dir));
            return Err(anyhow::anyhow!(
                "`{shown}` has a demo that was: {goes_on}, and a demo that begins anew takes another directory"
            )
            .into());
        }
        if std::fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(anyhow::anyhow!(
                "there is something in `{}` already; the demo takes a directory of its own",
                dir.display()
            )
            .into());
        }
        let cannot = || format!("`{}` cannot be made", dir.display());
        // One in the system's temporary folder is ours alone, and new.
        DirBuilder::new().mode(0o700).recursive(!scratch).create(&dir).with_context(cannot)?;
        // From the start: whoever ends us leaves no NATS server behind.
        let mut interrupts = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::quit())?,
            signal(SignalKind::hangup())?,
        ];
        // Whoever wants to see more of it says so as for `linesman serve`.
        let level = std::env::var(LOG_LEVEL).ok();
        let ended = match args.once || args.json || args.lines || !live::is_there() {
            true => play(args, &dir, &mut interrupts).await,
            false => live::play(&dir, scratch, level, &mut interrupts).await,
        };
        if scratch {
            // The demo's own files; what cannot be removed stays in the system's temporary folder.
            let _ = std::fs::remove_dir_all(&dir);
        }
        ended
    })
}

/// Ready when somebody wants the demo to end.
async fn interrupted([interrupt, terminate, quit, hang_up]: &mut [Signal; 4]) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = quit.recv() => {}
        _ = hang_up.recv() => {}
    }
}

/// The one setting the demo takes.
const LOG_LEVEL: &str = "LINESMAN_LOG_LEVEL";

async fn play(args: &Args, dir: &Path, interrupts: &mut [Signal; 4]) -> Result<ExitCode, Failure> {
    let say = |text: String| {
        if !args.json {
            outln!("{text}");
        }
    };
    // Whoever reads it may have read enough.
    let mut closed = std::pin::pin!(output::closed()?);
    let standin = start_standin(dir).await?;
    say(format!("support system (a stand-in)  {}", standin.url()));
    let reached: Arc<[Device]> = devices::start(&dir.join(DEVICES)).await?.into();
    for device in &*reached {
        say(device.told());
    }
    let sources = Sources {
        file: Some(configuration::write_partner(dir, &standin)?),
        // Whoever wants to see more of it says so as for `linesman serve`.
        environment: std::env::var(LOG_LEVEL).map(|level| (LOG_LEVEL.to_owned(), level)).into_iter().collect(),
        flags: vec![
            ("data_dir".to_owned(), "--data-dir".to_owned(), dir.join("data").to_string_lossy().into_owned()),
            ("rules".to_owned(), "--rules".to_owned(), dir.join("rules").to_string_lossy().into_owned()),
        ],
    };
    let config = config::load(&sources).map_err(Failure::Mistakes)?;
    let logging = logging::init(&config.log).context("the log's level cannot be set")?;
    let metrics = Metrics::install().context("the metrics cannot be set up")?;
    let mut app = tokio::select! {
        app = App::start(config, metrics, logging) => app?,
        () = interrupted(interrupts) => return Ok(ExitCode::FAILURE),
        () = &mut closed => return Ok(ExitCode::SUCCESS),
    };
    say(format!("partner                      https://{}", app.api()));
    let partner = app.partner_url().context("the partner does not listen to end customers")?;
    let mut process = customer::start(&dir.join(CUSTOMER), &partner, app.ca())?;
    let (mut is_shown, mut is_read) = (false, true);
    let ended = tokio::select! {
        ended = watch(args, dir, (&mut app, &mut process), &reached, &mut is_shown) => ended,
        () = interrupted(interrupts) => Ok(()),
        () = &mut closed => {
            is_read = false;
            Ok(())
        }
    };
    process.stop().await?;
    app.stop().await?;
    standin.shutdown().await;
    ended?;
    say(look::left(dir, args.data_dir.is_none()));
    Ok(if is_shown || !is_read { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows everything, which it says, then what comes at a steady pace unless once was enough.
async fn watch(
    args: &Args,
    dir: &Path,
    (app, process): (&mut App, &mut Process),
    reached: &Arc<[Device]>,
    is_shown: &mut bool,
) -> anyhow::Result<()> {
    let customer = Arc::new(Customer::of(process, &dir.join(CUSTOMER)).await?);
    if !args.json {
        outln!("end customer                 {}", customer.url());
    }
    let client = connect_with(async_nats::ConnectOptions::new().name("linesman-demo"), app.nats_url()).await?;
    let mut heard = client.subscribe("out.>").await.context("cannot subscribe")?;
    client.flush().await.context("cannot subscribe")?;
    let summary = show(args, dir, (&client, &mut heard), app, (&customer, reached)).await?;
    if args.json {
        let summary = summary.json();
        outln!("{}", if args.once { summary } else { json!({"summary": summary}) });
    } else {
        outln!("\n{}", summary.table());
    }
    *is_shown = true;
    if args.once {
        return Ok(());
    }
    if !args.json {
        outln!("{}", look::next(dir, app.api(), args.data_dir.is_none()));
    }
    go_on(args, &mut heard, app, (&customer, reached)).await
}

/// Bundles come at a steady pace, from the device of each organization in turn and to the end customer.
async fn go_on(
    args: &Args,
    heard: &mut Subscriber,
    app: &mut App,
    (customer, reached): (&Customer, &[Device]),
) -> anyhow::Result<()> {
    let mut pace = tokio::time::interval(STEADY_PACE);
    let mut next = customer::BUNDLES;
    loop {
        tokio::select! {
            Some(message) = heard.next() => {
                take(args, &message, &mut Summary::default())?;
            }
            _ = pace.tick() => {
                match reached.get(next % (reached.len() + 1)) {
                    Some(device) => {
                        let id = device.leaves(&corpus::later_of(next))?;
                        if !args.json {
                            outln!("{}", line::left(device.org, "bundle", &id));
                        }
                    }
                    None => customer.hears(next, !args.json).await.map(drop)?,
                }
                next += 1;
            }
            failure = app.failure() => if let Some(failure) = failure { return Err(failure.into()) },
        }
    }
}

async fn start_standin(dir: &Path) -> Result<Standin, Failure> {
    let mut settings = standin::Settings::new(([127, 0, 0, 1], 0).into(), dir.join("support-system"));
    settings.assign_after = Duration::from_millis(1_500);
    Ok(standin::start(settings).await?)
}

/// Plays the corpus and shows what comes of it until nothing more is to come.
async fn show(
    args: &Args,
    dir: &Path,
    (client, heard): (&Client, &mut Subscriber),
    app: &mut App,
    (customer, reached): (&Arc<Customer>, &Arc<[Device]>),
) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let engine = people::Engine::new(app.api(), &dir.join("data"))?;
    let (client_of_publisher, tells) = (client.clone(), !args.json);
    let (customer, reached) = (Arc::clone(customer), Arc::clone(reached));
    let publisher = tokio::spawn(async move {
        let bundles = corpus::publish(client_of_publisher, tells.then_some(PACE)).await?;
        people::introduce(&engine).await?;
        let devices = attack::play(&engine, &reached, tells).await?;
        customer.play(tells).await?;
        let collected = devices.iter().map(attack::Reached::collected).sum::<u64>();
        anyhow::Ok((bundles + collected, devices))
    });
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut is_published = false;
    let mut look = tokio::time::interval(Duration::from_millis(100));
    tokio::pin!(publisher);
    loop {
        tokio::select! {
            Some(message) = heard.next() => take(args, &message, &mut summary)?,
            done = &mut publisher, if !is_published => {
                (summary.bundles, summary.devices) = done.context("the publisher broke off")??;
                is_published = true;
            }
            _ = look.tick(), if is_published => {
                let is_quiet = app.is_quiet().await?;
                if is_quiet || tokio::time::Instant::now() > deadline {
                    anyhow::ensure!(is_quiet, "the demo has not come to rest within {} s", PATIENCE.as_secs());
                    break;
                }
            }
            failure = app.failure() => if let Some(failure) = failure { return Err(failure.into()) },
        }
    }
    // What is committed is on its way to us already: take it up to our own flush.
    client.flush().await?;
    while let Ok(Some(message)) = tokio::time::timeout(Duration::from_millis(200), heard.next()).await {
        take(args, &message, &mut summary)?;
    }
    Ok(summary)
}

fn take(args: &Args, message: &async_nats::Message, summary: &mut Summary) -> anyhow::Result<()> {
    let subject = message.subject.as_str();
    if subject.starts_with("out._mark.") || subject.starts_with("out._override.") {
        return Ok(());
    }
    for event in event::read(&message.payload).with_context(|| format!("`{subject}` holds no events"))? {
        summary.take(subject);
        let told = match (args.json, args.once) {
            (false, _) => line::of(&Heard { subject, event: &event }).to_string(),
            (true, false) => json!({"subject": subject, "event": event}).to_string(),
            (true, true) => continue,
        };
        output::line(&told)?;
    }
    Ok(())
}
