//! The engine as one process: everything is built here, in order, and taken down in reverse.
//!
//! ```text
//!  data dir -> NATS server -> streams -> store -> lanes -> caught up -> organizations, rule book
//!                                                  -> dispatcher, sources -> partner listener, edge -> ready.json
//!  then: the rule directory is watched, lanes are handed what lane 0 decides, checkpoints are kept
//!  stop: partner listener -> edge -> watch, handout, checkpoints -> sources -> dispatcher -> lanes -> store -> NATS server
//! ```

mod begin;
mod checkpoints;
mod copies;
mod demo;
mod error;
mod expiries;
mod foreseen;
mod handout;
mod health;
mod licensing;
mod mode;
mod notice;
mod objects;
mod outside;
mod part;
mod policies;
mod reload;
mod sections;
mod services;
mod setup;
mod unread;
mod watch;
mod whole;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use linesman_connectors::tls::Authority;
use serde::Serialize;
use tokio::sync::watch::{Sender, channel};
use tokio::sync::{Notify, mpsc};

use crate::audit::{Auditor, Signer};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::edge::{self, Edge, Listening};
use crate::embedded::Server;
use crate::lane::executor::Executors;
use crate::licence;
use crate::log;
use crate::log::objects::Objects;
use crate::log::streams;
use crate::logging::Logging;
use crate::metrics::{Metrics, named};
use crate::partner;
use crate::pin::Pin;
use crate::rules_dir;
use crate::scrub::Scrub;
use crate::seal::Sealed;
use crate::store::{self, Store};
use begin::{Judging, Logged, hands, listen};
use checkpoints::Checkpoints;
pub use error::Error;
use expiries::Expiries;
pub use health::Fault;
use health::Health;
use licensing::Licensing;
use linesman_domain::cases::{CASES, CaseState};
use linesman_domain::reactions;
use objects::Housekeeping;
use outside::{Outside, Ways};
use part::Part;
use reload::{Certificates, Reload};
use watch::{Watch, Watching};

/// How long what is under way may take to end.
const DRAIN: Duration = Duration::from_secs(8);
/// How long the embedded server may, when that has not ended.
const HASTE: Duration = Duration::from_millis(500);

/// What `D/ready.json` tells.
#[derive(Debug, Serialize)]
struct Ready {
    pid: u32,
    api: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner: Option<String>,
    nats: String,
    ca: PathBuf,
}

/// A running engine.
pub struct App {
    data_dir: DataDir,
    server: Option<Server>,
    client: Client,
    store: Arc<Store>,
    executors: Executors,
    outside: Outside,
    reaching: Part,
    sweep: Part,
    health: Watching,
    watch: Watching,
    handout: Watching,
    checkpoints: Watching,
    licensing: Watching,
    expiries: Watching,
    objects: Watching,
    scrub: Watching,
    certificates: Watching,
    reload: Reload,
    demo: demo::Upstream,
    edge: Listening,
    partner: Option<partner::Listening>,
    ready: Sender<bool>,
    nats_url: String,
    ca: PathBuf,
}

impl App {
    /// Builds the engine; it is ready when this returns.
    ///
    /// # Errors
    /// Any part does not start; what was started is taken down as it is dropped.
    pub async fn start(mut config: Config, metrics: Metrics, logging: Logging) -> Result<Self, Error> {
        named::set_naming(config.metrics_names);
        let data_dir = DataDir::open(&config.data_dir)?;
        let standing = Arc::new(licence::Standing::of(&config)?);
        let files = rules_dir::read_all(&config.rules)?;
        let authority = Authority::open(&data_dir.tls())?;
        let demo = demo::Upstream::start(config.mode, data_dir.root(), &mut config.connectors).await?;
        let pin = Pin::open(&data_dir.keys(), config.connectors.upstream.as_mut())?;
        let sealed = Arc::new(Sealed::open(&data_dir.keys(), config.seal_key_file.as_deref())?);
        let Logged { server, client, servers, nats_url, layout, identity } =
            Logged::open(&mut config, &data_dir).await?;
        let ways = Ways::of(&mut config, &data_dir, &sealed)?;
        let id = identity.created.clone();
        let log = (&client, servers, &layout, &identity);
        let Judging {
            store,
            setup,
            books,
            policies,
            status,
            executors,
            handout,
            brought,
            changed,
            sweep,
            unread,
            troubles,
            failures,
        } = Judging::start(log, &config, &data_dir, (&standing, &files)).await?;
        let (lanes, owner) = (executors.lanes.clone(), Arc::clone(&setup.node));
        let handout = Watching::spawn(handout.run());
        let auditor = Arc::new(Auditor { signer: Signer::open(&data_dir.keys())?, id });
        let every = config.checkpoint_every;
        let checkpoints = Checkpoints { setup, auditor: Arc::clone(&auditor), every };
        let checkpoints = Watching::spawn(checkpoints.run());
        let (files_asked, asked) = mpsc::channel(1);
        let rules_again = Arc::new(Notify::new());
        let heard = (asked, Arc::clone(&rules_again));
        let watch = Watch::new(config.rules.clone(), policies, lanes.clone(), heard, brought).start();
        let rows: Vec<store::Lane> = (0..config.lanes).map(|lane| store.lane(lane)).collect::<Result<_, _>>()?;
        let (licensing, sends) = Licensing::new(Arc::clone(&standing), rows.clone());
        let licensing = Watching::spawn(licensing.run());
        let (upstream, leaving) = (ways.upstream(), ways.leaving());
        let objects = Objects::new(client.clone(), config.nats.replicas);
        let housekeeping = Housekeeping { objects, store: Arc::clone(&store), lanes: lanes.clone() };
        let objects = Watching::spawn(housekeeping.run());
        let hands = hands(&config, &data_dir, (&client, rows, lanes.clone()), (&sealed, &owner))?;
        ways.reached().bind(hands.clone());
        let told = (Arc::clone(&books), Arc::clone(&owner));
        let outside = Outside::start(ways, &client, &store, &lanes, told, (changed, sends))?;
        let reaches = Arc::clone(&hands);
        let reaching = Part::start(|stop| async move {
            tokio::join!(Arc::clone(&reaches).run(stop.clone()), reaches.install(stop));
            Ok(())
        });
        let sweep = Part::start(|stop| sweep.run(stop));
        let store_dir = data_dir.root().join("nats");
        let restarts = server.as_ref().map(|server| (server.restarts(), store_dir));
        let (health, faults) = Health::new(
            (client.clone(), layout, identity),
            (lanes.clone(), unread.clone()),
            troubles,
            (restarts, data_dir.root().join("state")),
        );
        let health = Watching::spawn(health.run());
        let (scrub, verification) =
            Scrub::new(client.clone(), Arc::clone(&store), lanes.clone(), config.nats.scrub_bytes_per_s);
        let scrub = Watching::spawn(scrub.run());
        let (ready, is_ready) = channel(false);
        let listener = (Arc::clone(&store), client.clone(), lanes.clone(), Arc::clone(&owner), &*auditor.id);
        let partner = listen(&mut config, listener, &authority, &sealed).await?;
        let overview = partner.as_ref().map(partner::Listening::overview);
        let expiries = Expiries {
            client: client.clone(),
            rows: store.lane(0)?,
            lane: lanes.first().cloned(),
            standing: Arc::clone(&standing),
            upstream: upstream.clone().filter(|upstream| upstream.name() == linesman_connectors::partner::FOLDER.name),
            listener: overview.clone(),
        };
        let expiries = Watching::spawn(expiries.run());
        let edge = Edge {
            store: Arc::clone(&store),
            client: client.clone(),
            books,
            out_age: Duration::from_secs(config.nats.out_age_s),
            lanes,
            unread,
            faults,
            verification,
            node: owner,
            auditor,
            token: data_dir.token()?,
            doors: data_dir.doors(),
            limits: config.limits,
            standing,
            ready: is_ready,
            policies: status,
            failures,
            files: files_asked,
            dispatch: outside.dispatched.clone(),
            failing: Arc::clone(&outside.failing),
            sources: outside.brought.clone(),
            upstream,
            leaving,
            partner: overview,
            sealed,
            hands,
            pin,
            metrics,
            logging: logging.clone(),
        };
        let edge = edge::listen(edge, config.listen, &config.tls, &authority).await?;
        let of_partner = partner.as_ref().map(|partner| ("partner", partner.overview().served()));
        let shown = Certificates::new([("api", edge.served())].into_iter().chain(of_partner));
        let certificates = Watching::spawn(shown.clone().run());
        let reload = Reload::new(config.sources, logging, shown, rules_again);
        let ca = authority.ca_path().to_owned();
        let app = Self {
            data_dir,
            server,
            client,
            store,
            executors,
            outside,
            reaching,
            sweep,
            health,
            watch,
            handout,
            checkpoints,
            licensing,
            expiries,
            objects,
            scrub,
            certificates,
            reload,
            demo,
            edge,
            partner,
            ready,
            nats_url,
            ca,
        };
        app.announce()?;
        Ok(app)
    }

    /// Writes `D/ready.json`.
    fn announce(&self) -> Result<(), Error> {
        let ready = Ready {
            pid: std::process::id(),
            api: self.edge.url(),
            partner: self.partner_url(),
            nats: self.nats_url.clone(),
            ca: self.ca.clone(),
        };
        // Whoever finds the file finds `/readyz` of the same mind.
        self.ready.send_replace(true);
        self.data_dir.write_ready(&ready)?;
        tracing::info!(api = ready.api, nats = log::without_password(&ready.nats), "ready");
        Ok(())
    }

    /// The API's address.
    pub fn api(&self) -> SocketAddr {
        self.edge.addr()
    }

    /// Where end customers' controllers come to, if it listens to them.
    pub fn partner_url(&self) -> Option<String> {
        self.partner.as_ref().map(|partner| format!("https://{}", partner.overview().address()))
    }

    /// The file of its certificate authority.
    pub fn ca(&self) -> &Path {
        &self.ca
    }

    /// The NATS URL for publishers and subscribers, with its login.
    pub fn nats_url(&self) -> &str {
        &self.nats_url
    }

    /// Waits until a part fails without which the rest is of no use; that stops the engine.
    pub async fn failure(&mut self) -> Option<Error> {
        tokio::select! {
            failure = self.executors.failure() => failure.map(Error::from),
            error = self.outside.broke_off() => Some(error),
            error = self.reaching.broke_off() => Some(error),
            error = self.sweep.broke_off() => Some(error),
            error = self.health.broke_off() => Some(error),
            error = self.watch.broke_off() => Some(error),
            error = self.handout.broke_off() => Some(error),
            error = self.checkpoints.broke_off() => Some(error),
            error = self.licensing.broke_off() => Some(error),
            error = self.expiries.broke_off() => Some(error),
            error = self.objects.broke_off() => Some(error),
            error = self.scrub.broke_off() => Some(error),
            error = self.certificates.broke_off() => Some(error),
        }
    }

    /// Reads again what it was told by files, as far as that can change while it runs.
    pub fn reload(&self) {
        self.reload.run();
    }

    /// Whether all that is in the log is applied, no organization's reaction is pending, and every
    /// case that was submitted has its id.
    ///
    /// # Errors
    /// The server or the store cannot be asked.
    pub async fn is_quiet(&self) -> Result<bool, Error> {
        for (lane, status) in (0_u32..).zip(&self.executors.lanes) {
            if status.borrow().position < streams::last_of_lane(&self.client, lane).await? {
                return Ok(false);
            }
            let store = self.store.lane(lane)?;
            for row in reactions::all(&store) {
                if row?.1.org.is_some() {
                    return Ok(false);
                }
            }
            for row in CASES.rows(&store, &[]) {
                if row?.1.state == CaseState::Submitted {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Takes everything down: attempts under way end, batches under way are emitted and applied.
    ///
    /// # Errors
    /// The store cannot be flushed, or what is under way does not end in time.
    pub async fn stop(mut self) -> Result<(), Error> {
        tracing::info!("stopping");
        self.ready.send_replace(false);
        self.data_dir.remove_ready()?;
        let server = self.server.take();
        // Beside: what hangs is left, not dropped, which would wait for it.
        let ended = tokio::time::timeout(DRAIN, tokio::spawn(self.take_down())).await;
        if let Some(server) = server {
            match &ended {
                Ok(_) => server.stop().await,
                Err(_) => server.stop_within(HASTE).await,
            }
        }
        ended.map_err(|_| Error::Undrained)?.map_err(|error| Error::Broken(std::io::Error::other(error)))??;
        tracing::info!("stopped");
        Ok(())
    }

    async fn take_down(self) -> Result<(), Error> {
        if let Some(partner) = self.partner {
            partner.shutdown().await;
        }
        self.edge.shutdown().await;
        self.watch.stop().await;
        self.handout.stop().await;
        self.checkpoints.stop().await;
        self.licensing.stop().await;
        self.expiries.stop().await;
        self.scrub.stop().await;
        self.certificates.stop().await;
        self.objects.stop().await;
        self.health.stop().await;
        self.sweep.stop().await?;
        self.reaching.stop().await?;
        self.outside.stop().await?;
        self.demo.stop().await;
        self.executors.drain().await;
        self.store.close()?;
        Ok(())
    }
}
