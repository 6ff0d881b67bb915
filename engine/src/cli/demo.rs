//! `linesman demo`

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use async_nats::{Client, Subscriber, jetstream};
use futures_util::StreamExt;
use linesman_connectors::standin::{self, Standin};
use linesman_rules::LIBRARY;
use linesman_rules::services::SERVICES;
use linesman_schemas::bundle;
use linesman_schemas::bundle::corpus::specimens;
use linesman_schemas::event;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::line::{self, Heard};
use super::summary::Summary;
use super::{Failure, attack, people, runtime};
use crate::config::{self, Sources};
use crate::data_dir::private;
use crate::log::connect_with;
use crate::logging;
use crate::metrics::Metrics;
use crate::serve::App;

/// The demo's organizations, and what may leave of each.
const ORGANIZATIONS: [(&str, &str, &str); 3] = [
    ("acme", "Acme Corp", "Send all information"),
    ("bolt", "Bolt Logistics", "Send all information with IP addresses overwritten"),
    ("cobalt", "Cobalt Clinics", "Do not send"),
];
/// How long the demo waits for what it has set in motion.
const PATIENCE: Duration = Duration::from_secs(60);
/// The folder of the stand-in devices.
const DEVICES: &str = "devices";
/// The pause between two bundles, for people who watch.
const PACE: Duration = Duration::from_millis(60);

/// Run everything, play a corpus, and show what happens
///
/// An embedded NATS server, an engine with three proxy organizations, a stand-in support system
/// over TLS, the stock policies, a publisher with good and broken bundles and a few intelligence
/// messages, managers, of whom one tries what it may not, and an attack: a policy has a blackhole
/// activated, which comes up on the line's device, a stand-in, and goes when the attack is over. It
/// runs until Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  linesman demo\n  linesman demo --once --json")]
pub(super) struct Args {
    /// End after the corpus
    #[arg(long)]
    once: bool,
    /// Print one JSON object at the end of the corpus and nothing else
    #[arg(long)]
    json: bool,
    /// Keep everything in this directory, which outlives the demo
    #[arg(long, value_name = "D")]
    data_dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        let scratch = args.data_dir.is_none();
        let dir = match &args.data_dir {
            Some(dir) => dir.clone(),
            None => std::env::temp_dir().join(format!("linesman-demo-{}", private::random_hex::<8>()?)),
        };
        let cannot = || format!("`{}` cannot be made", dir.display());
        // One in the system's temporary folder is ours alone, and new.
        DirBuilder::new().mode(0o700).recursive(!scratch).create(&dir).with_context(cannot)?;
        // From the start: whoever ends us leaves no NATS server behind.
        let mut interrupts = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let ended = play(args, &dir, &mut interrupts).await;
        if scratch {
            // The demo's own files; what cannot be removed stays in the system's temporary folder.
            let _ = std::fs::remove_dir_all(&dir);
        }
        ended
    })
}

/// Ready when somebody wants the demo to end.
async fn interrupted((interrupt, terminate): &mut (Signal, Signal)) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// The one setting the demo takes.
const LOG_LEVEL: &str = "LINESMAN_LOG_LEVEL";

async fn play(args: &Args, dir: &Path, interrupts: &mut (Signal, Signal)) -> Result<ExitCode, Failure> {
    let say = |text: String| {
        if !args.json {
            anstream::println!("{text}");
        }
    };
    let standin = start_standin(dir).await?;
    say(format!("support system (a stand-in)  {}", standin.url()));
    let sources = Sources {
        file: Some(write_config(dir, &standin)?),
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
    };
    say(format!("engine                       https://{}", app.api()));
    let client = connect_with(async_nats::ConnectOptions::new().name("linesman-demo"), app.nats_url()).await?;
    let heard = client.subscribe("out.>").await.context("cannot subscribe")?;
    client.flush().await.context("cannot subscribe")?;
    let mut summary = Summary::default();
    let ended = tokio::select! {
        ended = show(args, dir, &client, heard, &mut app, &mut summary) => ended.map(|()| ExitCode::SUCCESS),
        () = interrupted(interrupts) => Ok(ExitCode::FAILURE),
    };
    if let Ok(ExitCode::SUCCESS) = ended {
        if args.json {
            anstream::println!("{}", summary.json());
        } else {
            anstream::println!("\n{}", summary.table());
        }
        if !args.once {
            say(where_to_look(dir, &app));
            tokio::select! {
                () = interrupted(interrupts) => {}
                failure = app.failure() => if let Some(failure) = failure { return Err(failure.into()) },
            }
        }
    }
    app.stop().await?;
    standin.shutdown().await;
    Ok(ended?)
}

async fn start_standin(dir: &Path) -> Result<Standin, Failure> {
    let mut settings = standin::Settings::new(([127, 0, 0, 1], 0).into(), dir.join("support-system"));
    settings.assign_after = Duration::from_millis(1_500);
    Ok(standin::start(settings).await?)
}

/// Writes what `linesman serve` would be given.
fn write_config(dir: &Path, standin: &Standin) -> anyhow::Result<PathBuf> {
    let rules = dir.join("rules");
    std::fs::create_dir_all(&rules)?;
    for (name, source) in LIBRARY {
        std::fs::write(rules.join(name), source)?;
    }
    for (name, files) in SERVICES {
        let folder = rules.join("services").join(name);
        std::fs::create_dir_all(&folder)?;
        for (file, text) in *files {
            std::fs::write(folder.join(file), text)?;
        }
    }
    std::fs::write(dir.join("support-system.password"), "demo\n")?;
    let mut text = format!(
        "mode = \"partner\"\nlanes = 4\n\n[log]\nlevel = \"error\"\n\n[upstream]\nurl = \"{}\"\nca = \"{}\"\nsite_id = \"P-1000\"\n\
         user = \"noc@partner.example\"\npassword_file = \"support-system.password\"\nrequests_per_hour = 3600\n\n\
         [settings]\ncase_poll_s = 2\n\n[device]\nstandin_dir = \"{}\"\n",
        standin.url(),
        standin.ca_path().display(),
        dir.join(DEVICES).display(),
    );
    for (name, display_name, filter_level) in ORGANIZATIONS {
        text.push_str(&format!(
            "\n[[organizations]]\nname = \"{name}\"\ndisplay_name = \"{display_name}\"\nproxy = true\nfilter_level = \"{filter_level}\"\n"
        ));
    }
    let path = dir.join("linesman.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// Plays the corpus and shows what comes of it until nothing more is to come.
async fn show(
    args: &Args,
    dir: &Path,
    client: &Client,
    mut heard: Subscriber,
    app: &mut App,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let engine = people::Engine::new(app.api(), &dir.join("data"))?;
    let (client_of_publisher, devices, tells) = (client.clone(), dir.join(DEVICES), !args.json);
    let publisher = tokio::spawn(async move {
        let bundles = publish(client_of_publisher.clone(), tells.then_some(PACE)).await?;
        people::introduce(&engine).await?;
        let blackhole = attack::play(&engine, &client_of_publisher, &devices, tells).await?;
        // An attack is two: that it is seen, and that it is over.
        anyhow::Ok((bundles + 2, blackhole))
    });
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut is_published = false;
    let mut look = tokio::time::interval(Duration::from_millis(100));
    tokio::pin!(publisher);
    loop {
        tokio::select! {
            Some(message) = heard.next() => take(args, &message, summary)?,
            done = &mut publisher, if !is_published => {
                let (bundles, blackhole) = done.context("the publisher broke off")??;
                (summary.bundles, summary.blackhole) = (bundles, Some(blackhole));
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
        take(args, &message, summary)?;
    }
    Ok(())
}

fn take(args: &Args, message: &async_nats::Message, summary: &mut Summary) -> anyhow::Result<()> {
    let subject = message.subject.as_str();
    if subject.starts_with("out._mark.") {
        return Ok(());
    }
    for event in event::read(&message.payload).with_context(|| format!("`{subject}` holds no events"))? {
        summary.take(subject);
        if !args.json {
            anstream::println!("{}", line::of(&Heard { subject, event: &event }));
        }
    }
    Ok(())
}

/// Publishes the corpus to the organizations in turn; how many bundles that were.
/// With a pace it tells each of them.
async fn publish(client: Client, pace: Option<Duration>) -> anyhow::Result<u64> {
    let tell = |org: &str, what: &str, name: &str| {
        if pace.is_some() {
            anstream::println!("{}", line::published(org, what, name));
        }
    };
    let rest = pace.unwrap_or_default();
    let context = jetstream::new(client);
    let mut bundles = 0;
    let mut owners = Owners::default();
    for (number, specimen) in specimens().into_iter().enumerate() {
        let org = owners.of(&specimen.bytes, number);
        tell(org, "bundle", &host_event_id(&specimen.bytes));
        context.publish(format!("in.{org}.jmb.demo"), specimen.bytes.into()).await?.await?;
        bundles += 1;
        tokio::time::sleep(rest).await;
    }
    for (number, (kind, title)) in INTELLIGENCE.iter().enumerate() {
        let message = serde_json::json!({
            "id": format!("TSB{}", 71_000 + number), "kind": kind, "title": title, "issued": "2026-11-20T08:00:00Z",
            "text": "See the notice for the affected releases and the way around.",
            "relevance": {"products": ["MX240", "MX960"], "os_versions": ["21.4R3-S5"]},
        });
        for (org, ..) in ORGANIZATIONS {
            tell(org, "message", title);
            context.publish(format!("in.{org}.intel.demo"), message.to_string().into()).await?.await?;
        }
        tokio::time::sleep(rest).await;
    }
    // For nobody we know: its dead letter shows.
    tell("nobody", "bundle", "");
    context.publish("in.nobody.jmb.demo", "<jmb/>".into()).await?.await?;
    Ok(bundles + 1)
}

/// What a bundle is known by; nothing for one that cannot be read.
pub(super) fn host_event_id(bytes: &[u8]) -> String {
    bundle::decode(bytes).map_or_else(|_| "(broken)".to_owned(), |bundle| bundle.manifest.host_event_id.to_string())
}

/// Whose bundles are whose: each device is one organization's, in turn as they appear; a broken
/// bundle, which names no device, may be anyone's.
#[derive(Default)]
struct Owners(BTreeMap<String, &'static str>);

impl Owners {
    fn of(&mut self, bytes: &[u8], number: usize) -> &'static str {
        let turn = |number: usize| ORGANIZATIONS.get(number % ORGANIZATIONS.len()).map_or("acme", |(name, ..)| name);
        let Ok(bundle) = bundle::decode(bytes) else { return turn(number) };
        let known = self.0.len();
        self.0.entry(bundle.manifest.device.serial_number.into_owned()).or_insert_with(|| turn(known))
    }
}

const INTELLIGENCE: [(&str, &str); 3] = [
    ("bug-notice", "Routing process may restart when a BGP peer flaps"),
    ("end-of-life", "End of life: power supply of older branch gateways"),
    ("alert", "Field notice: fan tray firmware"),
];

fn where_to_look(dir: &Path, app: &App) -> String {
    let data = dir.join("data");
    let (data, rules) = (data.display(), dir.join("rules").display().to_string());
    format!(
        "Where to look next, from another terminal:\n\
         \x20 linesman tail --data-dir {data}\n\
         \x20 linesman publish FILE --org acme --data-dir {data}\n\
         \x20 linesman check {rules}\n\
         \x20 linesman manager list --under acme --data-dir {data}\n\
         \x20 linesman manager why acme/ben set-manager acme/berlin --data-dir {data}\n\
         \x20 linesman audit list --organization acme --data-dir {data}\n\
         \x20 linesman value explain acme/berlin/line-7 ddos-blackhole community --data-dir {data}\n\
         \x20 curl --cacert {data}/tls/ca.pem -H \"Authorization: Bearer $(cat {data}/token)\" \\\n\
         \x20      'https://{}/api/v1/incidents?organization=acme'\n\
         Ctrl-C ends it.",
        app.api()
    )
}
