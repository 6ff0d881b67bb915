//! The demo on a terminal: a screen that goes on until somebody ends it.
//!
//! ```text
//!  sent, people ----> NATS server, support system (a stand-in)
//!    |                   |
//!    | what was sent     | OUT, read in order and on from where it was
//!    v                   v
//!   News --------------> board --> screen --> terminal
//!                          ^
//!  keys, signals ----------+        partner: started, killed once, started again
//! ```
//!
//! The partner's engine is a process of its own here, so that it can be killed. Each of these is a task; the first that
//! fails ends the demo.

mod board;
mod ledger;
mod partner;
mod people;
mod screen;
mod sent;
mod show;
mod terminal;
mod watching;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use linesman_connectors::standin::Standin;
use linesman_schemas::bundle::corpus::later;
use linesman_schemas::event::Received;
use partner::Partner;
use people::Work;
use show::{Orders, Show};
use terminal::Terminal;
pub(super) use terminal::is_there;
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::interval;

use super::super::Failure;
use super::configuration::{self, CUSTOMER, DEVICES};
use super::customer::{self, Customer};
use super::devices::{self, Device};
use super::process::{Launch, Process};
use super::{attack, interrupted, look, people as managers, start_standin};
use crate::log::connect_with;

/// The pause between two bundles of devices that are collected from, and of the end customer.
const DEVICES_PACE: Duration = Duration::from_secs(4);

/// What tasks tell.
enum News {
    /// The log has taken it in. `id`: the host-event-ID, where an incident comes of it; `number`: its place in the first round.
    Sent {
        org: String,
        what: &'static str,
        name: String,
        id: Option<String>,
        number: Option<usize>,
    },
    /// A bundle went into the log of another, or lies on a device.
    Elsewhere {
        org: String,
        name: String,
    },
    Heard {
        subject: String,
        event: Box<Received>,
    },
    AtSupport {
        cases: u64,
        twice: u64,
    },
    Ready,
    Killed,
    Back {
        away: Duration,
    },
}

/// How a task tells them.
#[derive(Clone)]
struct Telling(mpsc::UnboundedSender<News>);

impl Telling {
    fn tell(&self, news: News) {
        // Where nobody hears any more the demo is over.
        let _ = self.0.send(news);
    }
}

/// The engines, each in a process of its own.
struct Engines {
    partner: Partner,
    customer: Option<Process>,
}

/// What is around them.
struct Around<'a> {
    dir: &'a Path,
    standin: &'a Standin,
    devices: &'a Arc<[Device]>,
}

/// How the tasks hear what the show wants, and tell what it shows.
struct Wires {
    telling: Telling,
    kills: mpsc::UnboundedReceiver<()>,
    dues: mpsc::UnboundedReceiver<board::Due>,
    is_paused: watch::Receiver<bool>,
}

/// Plays until somebody ends it. `is_scratch`: its files go with it.
///
/// # Errors
/// Something does not start, fails, or is lost.
pub(super) async fn play(
    dir: &Path,
    is_scratch: bool,
    log_level: Option<String>,
    interrupts: &mut [Signal; 4],
) -> Result<ExitCode, Failure> {
    let mut show = Show::new(Terminal::take()?, look::in_brief(dir, is_scratch))?;
    let played = staged(dir, log_level, &mut show, interrupts).await;
    let told = show.told();
    // The terminal is as it was from here on.
    drop(show);
    played?;
    outln!("{told}\n{}", look::left(dir, is_scratch));
    Ok(ExitCode::SUCCESS)
}

async fn staged(
    dir: &Path,
    log_level: Option<String>,
    show: &mut Show,
    interrupts: &mut [Signal; 4],
) -> Result<(), Failure> {
    let standin = start_standin(dir).await?;
    let devices: Arc<[Device]> = devices::start(&dir.join(DEVICES)).await?.into();
    let config = configuration::write_partner(dir, &standin)?;
    let launch = Launch { whose: "partner", dir: dir.to_owned(), config, log_level, places: None };
    let mut engines = Engines { partner: Partner::start(launch)?, customer: None };
    let around = Around { dir, standin: &standin, devices: &devices };
    let (telling, mut news) = mpsc::unbounded_channel();
    let ((kill, kills), (due, dues)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    let (paused, is_paused) = watch::channel(false);
    let orders = Orders { kill, dues: due, is_paused: paused };
    let wires = Wires { telling: Telling(telling), kills, dues, is_paused };
    let ended = tokio::select! {
        ended = run(&mut engines, &around, wires) => ended,
        ended = show.go_on(&mut news, &orders) => ended,
        () = interrupted(interrupts) => Ok(()),
    };
    if let Some(customer) = engines.customer {
        customer.stop().await?;
    }
    engines.partner.stop().await?;
    standin.shutdown().await;
    Ok(ended?)
}

/// Starts everything and keeps it going; ready only with a failure.
async fn run(engines: &mut Engines, around: &Around<'_>, wires: Wires) -> anyhow::Result<()> {
    let Around { dir, standin, devices } = *around;
    let Wires { telling, mut kills, dues, is_paused } = wires;
    let data = dir.join("data");
    let ready = engines.partner.ready().await?;
    let engine = || managers::Engine::new(ready.address()?, &data);
    let above = ready.partner.as_deref().context("the partner does not listen to end customers")?;
    let below = dir.join(CUSTOMER);
    let process = engines.customer.insert(customer::start(&below, above, &data.join("tls/ca.pem"))?);
    let customer = Customer::of(process, &below).await?;
    telling.tell(News::Ready);
    let (back, is_back) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let heard = (data.clone(), telling.clone());
    tasks.spawn(async move { watching::go_on(&heard.0, heard.1).await });
    let client = connect_with(async_nats::ConnectOptions::new().name("linesman-demo"), &ready.nats).await?;
    tasks.spawn(sent::go_on(client, is_paused.clone(), telling.clone()));
    tasks.spawn(Work::new(standin, engine()?)?.go_on(dues, is_paused.clone(), telling.clone()));
    let stage =
        Stage { engine: engine()?, devices: Arc::clone(devices), customer, is_paused, telling: telling.clone() };
    tasks.spawn(stage.go_on(is_back));
    tokio::select! {
        ended = engines.partner.watch(&mut kills, (&back, &telling)) => ended,
        Some(ended) = tasks.join_next() => ended.context("a part of the demo broke off")?,
    }
}

/// What comes once the engine is back: managers, an attack on each device, the end customer, and bundles of these.
struct Stage {
    engine: managers::Engine,
    devices: Arc<[Device]>,
    customer: Customer,
    is_paused: watch::Receiver<bool>,
    telling: Telling,
}

impl Stage {
    async fn go_on(mut self, mut is_back: watch::Receiver<bool>) -> anyhow::Result<()> {
        if is_back.wait_for(|is_back| *is_back).await.is_err() {
            return Ok(());
        }
        managers::introduce(&self.engine).await?;
        attack::play(&self.engine, &self.devices, false).await?;
        self.customer.play(false).await?;
        let mut pace = interval(DEVICES_PACE);
        for number in customer::BUNDLES.. {
            pace.tick().await;
            if self.is_paused.wait_for(|is_paused| !is_paused).await.is_err() {
                break;
            }
            let (org, name) = match self.devices.get(number % (self.devices.len() + 1)) {
                Some(device) => (device.org, device.leaves(&later(number).bytes)?),
                None => (CUSTOMER, self.customer.hears(number, false).await?),
            };
            self.telling.tell(News::Elsewhere { org: org.to_owned(), name });
        }
        Ok(())
    }
}
