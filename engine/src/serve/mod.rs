//! The engine as one process: everything is built here, in order, and taken down in reverse.
//!
//! ```text
//!  data dir -> NATS server -> streams -> store -> lanes -> caught up -> organizations, rule book
//!                                                  -> dispatcher, sources -> partner listener, edge -> ready.json
//!  then: the rule directory is watched, lanes are handed what lane 0 decides, checkpoints are kept
//!  stop: partner listener -> edge -> watch, handout, checkpoints -> sources -> dispatcher -> lanes -> store -> NATS server
//! ```

mod checkpoints;
mod copies;
mod demo;
mod error;
mod expiries;
mod foreseen;
mod handout;
mod licensing;
mod mode;
mod objects;
mod outside;
mod part;
mod policies;
mod sections;
mod services;
mod setup;
mod watch;
mod whole;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_nats::Client;
use futures_util::future::try_join_all;
use linesman_connectors::tls::Authority;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::sync::watch::{Sender, channel};

use crate::audit::{Auditor, Signer};
use crate::config::Config;
use crate::data_dir::{DataDir, private};
use crate::edge::{self, Edge, Listening, PolicyStatus};
use crate::embedded::{self, Server};
use crate::lane::executor::{Context, Executors};
use crate::lane::status::Changes;
use crate::licence;
use crate::log;
use crate::log::books::Books;
use crate::log::objects::Objects;
use crate::log::streams::{self, Layout};
use crate::logging::{Logging, full};
use crate::metrics::Metrics;
use crate::partner::{self, Partner};
use crate::pin::Pin;
use crate::reach;
use crate::rules_dir::{self, Files};
use crate::seal::Sealed;
use crate::store::Store;
use checkpoints::Checkpoints;
use copies::Copies;
pub use error::Error;
use expiries::Expiries;
use handout::Handout;
use licensing::Licensing;
use linesman_domain::cases::{CASES, CaseState};
use linesman_domain::reactions;
use objects::Housekeeping;
use outside::{Outside, Ways};
use part::Part;
use policies::{Brought, Policies};
use setup::Setup;
use watch::{Watch, Watching};

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
    watch: Watching,
    handout: Watching,
    checkpoints: Watching,
    licensing: Watching,
    expiries: Watching,
    objects: Watching,
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
        let data_dir = DataDir::open(&config.data_dir)?;
        let standing = Arc::new(licence::Standing::of(&config)?);
        let files = rules_dir::read_all(&config.rules)?;
        let authority = Authority::open(&data_dir.tls())?;
        let demo = demo::Upstream::start(config.mode, data_dir.root(), &mut config.connectors).await?;
        let pin = Pin::open(&data_dir.keys(), config.connectors.upstream.as_mut())?;
        let sealed = Arc::new(Sealed::open(&data_dir.keys(), config.seal_key_file.as_deref())?);
        let (server, engine_url, nats_url) = nats(&config, &data_dir).await?;
        let client = log::connect(&engine_url, "linesman").await?;
        let layout = Layout { lanes: config.lanes, out_age_s: config.nats.out_age_s, replicas: config.nats.replicas };
        let identity = streams::ensure(&client, &layout).await?;
        if let Some(upstream) = &mut config.connectors.upstream {
            upstream.be_known_as(&identity.created);
        }
        let ways = Ways::of(&mut config, &data_dir, &sealed)?;
        let store = Arc::new(Store::open(&data_dir.state())?);
        if let Some(ended) = linesman_domain::expiries::licence_ended(&store.lane(0)?)? {
            standing.had(ended);
        }
        let books = Arc::new(Books::new(client.clone(), config.nats.replicas));
        let owner: Arc<str> = private::random_hex::<8>().map_err(Error::Random)?.into();
        let setup = Arc::new(Setup {
            client: client.clone(),
            store: Arc::clone(&store),
            lanes: config.lanes,
            node: Arc::clone(&owner),
            standing: Arc::clone(&standing),
            sent: Mutex::default(),
        });
        let (status, policy_status) = channel(PolicyStatus::default());
        let settings = config.settings.clone();
        let copies = Copies::new(data_dir.rule_book(), data_dir.sections());
        let mut policies = Policies::new(Arc::clone(&setup), Arc::clone(&books), settings, copies, status);
        if !identity.is_open {
            // INVARIANT (organizations and rule book precede the first input): until it is open, IN takes nothing else.
            setup.begin(&config.organizations).await?;
            policies.begin(&files, mode::configured(&config)).await?;
            streams::open(&client, &layout).await?;
        }
        policies.restore(&files).await?;
        mode::put(&books, mode::configured(&config)).await?;
        let (changes, changed) = Changes::channel();
        let shown = Arc::clone(&books);
        let context = Context {
            url: engine_url,
            store: Arc::clone(&store),
            books,
            owner: Arc::clone(&owner),
            changes,
            lanes: config.lanes,
            threads: config.threads,
            runtime: tokio::runtime::Handle::current(),
        };
        let mut executors = Executors::start(&context)?;
        let mut handout = Handout::new(Arc::clone(&setup), executors.lanes.clone(), Arc::clone(&shown));
        let brought = settle((&setup, &shown), &mut policies, &mut handout, &config, &files, &mut executors).await?;
        let handout = Watching::spawn(handout.run());
        let auditor = Arc::new(Auditor { signer: Signer::open(&data_dir.keys())?, id: identity.created });
        let every = config.checkpoint_every;
        let checkpoints = Checkpoints { setup, auditor: Arc::clone(&auditor), every };
        let checkpoints = Watching::spawn(checkpoints.run());
        let (files_asked, asked) = mpsc::channel(1);
        let watch = Watch::new(config.rules, policies, executors.lanes.clone(), asked, brought).start();
        let (licensing, sends) = Licensing::new(
            Arc::clone(&standing),
            (0..config.lanes).map(|lane| store.lane(lane)).collect::<Result<_, _>>()?,
        );
        let licensing = Watching::spawn(licensing.run());
        let (upstream, leaving) = (ways.upstream(), ways.leaving());
        let housekeeping = Housekeeping {
            objects: Objects::new(client.clone(), config.nats.replicas),
            store: Arc::clone(&store),
            lanes: executors.lanes.clone(),
        };
        let has_listener = config.partner.is_some();
        let objects = Watching::spawn(async move {
            if has_listener {
                housekeeping.run().await;
            }
        });
        let parts = reach::Parts {
            client: client.clone(),
            rows: (0..config.lanes).map(|lane| store.lane(lane)).collect::<Result<_, _>>()?,
            lanes: executors.lanes.clone(),
            sealed: Arc::clone(&sealed),
            node: Arc::clone(&owner),
            journal: data_dir.collected(),
            settings: config.collector,
        };
        let hands = Arc::new(
            reach::Hands::open(parts).map_err(|source| Error::Collected { path: data_dir.collected(), source })?,
        );
        ways.reached().bind(hands.clone());
        let outside = Outside::start(
            ways,
            &client,
            &store,
            &executors.lanes,
            (Arc::clone(&shown), Arc::clone(&owner)),
            (changed, sends),
        )?;
        let reaches = Arc::clone(&hands);
        let reaching = Part::start(|stop| async move {
            reaches.run(stop).await;
            Ok(())
        });
        let (ready, is_ready) = channel(false);
        let partner = match config.partner {
            None => None,
            Some(settings) => {
                let logins = config.organizations.into_iter();
                let partner = Partner {
                    store: Arc::clone(&store),
                    client: client.clone(),
                    lanes: executors.lanes.clone(),
                    node: Arc::clone(&owner),
                    controller: auditor.id.as_str().into(),
                    replicas: config.nats.replicas,
                    settings,
                    logins: logins.filter_map(|org| Some((org.name, org.login?))).collect(),
                };
                let listening = partner::listen(partner, &authority).await?;
                admit(&listening.overview(), &sealed)?;
                Some(listening)
            }
        };
        let expiries = Expiries {
            client: client.clone(),
            rows: store.lane(0)?,
            lane: executors.lanes.first().cloned(),
            standing: Arc::clone(&standing),
            upstream: upstream.clone().filter(|upstream| upstream.name() == linesman_connectors::partner::FOLDER.name),
            listener: partner.as_ref().and_then(|partner| partner.overview().certificate()),
        };
        let expiries = Watching::spawn(expiries.run());
        let edge = Edge {
            store: Arc::clone(&store),
            client: client.clone(),
            books: shown,
            lanes: executors.lanes.clone(),
            node: owner,
            auditor,
            token: data_dir.token()?,
            doors: data_dir.doors(),
            limits: config.limits,
            standing,
            ready: is_ready,
            policies: policy_status,
            files: files_asked,
            dispatch: outside.dispatched.clone(),
            sources: outside.brought.clone(),
            upstream,
            leaving,
            partner: partner.as_ref().map(partner::Listening::overview),
            sealed,
            hands,
            pin,
            metrics,
            logging,
        };
        let edge = edge::listen(edge, config.listen, &authority).await?;
        let ca = authority.ca_path().to_owned();
        let app = Self {
            data_dir,
            server,
            client,
            store,
            executors,
            outside,
            reaching,
            watch,
            handout,
            checkpoints,
            licensing,
            expiries,
            objects,
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
            api: format!("https://{}", self.edge.addr()),
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
            error = self.watch.broke_off() => Some(error),
            error = self.handout.broke_off() => Some(error),
            error = self.checkpoints.broke_off() => Some(error),
            error = self.licensing.broke_off() => Some(error),
            error = self.expiries.broke_off() => Some(error),
            error = self.objects.broke_off() => Some(error),
        }
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
    /// The store cannot be flushed.
    pub async fn stop(self) -> Result<(), Error> {
        tracing::info!("stopping");
        self.ready.send_replace(false);
        self.data_dir.remove_ready()?;
        if let Some(partner) = self.partner {
            partner.shutdown().await;
        }
        self.edge.shutdown().await;
        self.watch.stop().await;
        self.handout.stop().await;
        self.checkpoints.stop().await;
        self.licensing.stop().await;
        self.expiries.stop().await;
        self.objects.stop().await;
        self.reaching.stop().await?;
        self.outside.stop().await?;
        self.demo.stop().await;
        self.executors.drain().await;
        self.store.close()?;
        if let Some(server) = self.server {
            server.stop().await;
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// Lets end customers in by what was given through the API. Whoever cannot be let in is told of, and keeps nobody out.
fn admit(partner: &partner::Overview, sealed: &Sealed) -> Result<(), Error> {
    for (org, given) in sealed.credentials.all().map_err(crate::seal::Error::from)? {
        let let_in = match given {
            Ok(given) => {
                partner.let_in(&org, Some((&given.user, given.password.expose()))).map_err(|why| why.to_string())
            }
            Err(error) => Err(full(&error)),
        };
        if let Err(error) = let_in {
            tracing::warn!(%org, error, "the credentials that were given through the API do not count");
        }
    }
    Ok(())
}

/// The NATS server: the configured one, or our own. Its child, our URL, and that of the public.
async fn nats(config: &Config, data_dir: &DataDir) -> Result<(Option<Server>, String, String), Error> {
    if let Some(url) = &config.nats.url {
        return Ok((None, url.clone(), url.clone()));
    }
    let settings = embedded::Settings {
        binary: config.nats.binary.clone(),
        data_dir: data_dir.root().to_owned(),
        port: config.nats.port,
        sync: config.nats.sync,
        max_payload_bytes: config.nats.max_payload_bytes,
    };
    let server = embedded::start(settings).await?;
    let (engine, public) = (server.engine_url(), server.public_url());
    Ok((Some(server), engine, public))
}

/// Waits until the lanes have caught up, brings the files' differences into the log, and waits until
/// the lanes have those, and judge by what they come to.
async fn settle(
    (setup, books): (&Setup, &Books),
    policies: &mut Policies,
    handout: &mut Handout,
    config: &Config,
    files: &Files,
    executors: &mut Executors,
) -> Result<Brought, Error> {
    reach_end(&setup.client, executors).await?;
    mode::check(setup, books, mode::configured(config)).await?;
    setup.send(&config.organizations).await?;
    let brought = policies.bring(files).await?;
    reach_end(&setup.client, executors).await?;
    setup.check()?;
    while handout.hand_out_rule_book().await? {
        reach_end(&setup.client, executors).await?;
    }
    policies.observe()?;
    Ok(brought)
}

/// Waits until every lane has applied what is in IN by now.
async fn reach_end(client: &Client, executors: &mut Executors) -> Result<(), Error> {
    let mut lanes = executors.lanes.clone();
    let reach = async {
        try_join_all((0_u32..).zip(&mut lanes).map(|(lane, status)| async move {
            let end = streams::last_of_lane(client, lane).await?;
            // A lane that is gone has failed, which is told below, though maybe later: it has not reached anything.
            if status.wait_for(|status| status.is_running && status.position >= end).await.is_err() {
                std::future::pending::<()>().await;
            }
            Ok::<_, log::Error>(())
        }))
        .await
    };
    tokio::select! {
        reached = reach => reached.map(drop).map_err(Error::from),
        Some(error) = executors.failure() => Err(error.into()),
    }
}
