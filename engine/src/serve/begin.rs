//! What the engine is built of, each on what was built before: the log, the lanes with the rule book that they judge by, the way to
//! devices, the listener for end customers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_nats::Client;
use futures_util::future::try_join_all;
use linesman_connectors::tls::Authority;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch::{Receiver, channel};

use super::Error;
use super::copies::Copies;
use super::handout::Handout;
use super::mode;
use super::policies::{Brought, Policies};
use super::setup::Setup;
use super::unread::Sweep;
use crate::config::Config;
use crate::data_dir::{DataDir, private};
use crate::edge::PolicyStatus;
use crate::embedded::{self, Server};
use crate::lane::ends::Ends;
use crate::lane::executor::{Context, Executors};
use crate::lane::failures::PolicyFailures;
use crate::lane::status::{Change, Changes, LaneStatus, Unread};
use crate::licence;
use crate::log::books::Books;
use crate::log::objects::Objects;
use crate::log::streams::{self, Identity, Layout};
use crate::log::trouble::Troubles;
use crate::log::{self, Servers};
use crate::logging::full;
use crate::partner::{self, Partner};
use crate::reach::{self, Hands};
use crate::rules_dir::Files;
use crate::seal::Sealed;
use crate::store::{self, Store};

/// The log, with its streams; it may not be open yet.
pub(super) struct Logged {
    /// The NATS server, where it is our own.
    pub(super) server: Option<Server>,
    pub(super) client: Client,
    /// Where the engine reaches it, and where others do.
    pub(super) servers: Servers,
    pub(super) nats_url: String,
    pub(super) layout: Layout,
    pub(super) identity: Identity,
}

impl Logged {
    /// Starts the server, where none is configured, and ensures the streams.
    ///
    /// # Errors
    /// Either fails.
    pub(super) async fn open(config: &mut Config, data_dir: &DataDir) -> Result<Self, Error> {
        let (server, servers, nats_url) = nats(config, data_dir).await?;
        let client = log::connect(&servers, "linesman").await?;
        let layout = Layout {
            lanes: config.lanes,
            out_age_s: config.nats.out_age_s,
            replicas: config.nats.replicas,
            consumers: config.nats.consumers,
        };
        let identity = streams::ensure(&client, &layout).await?;
        if let Some(upstream) = &mut config.connectors.upstream {
            upstream.be_known_as(&identity.created);
        }
        Ok(Self { server, client, servers, nats_url, layout, identity })
    }
}

/// The lanes: caught up, with the rule book that they judge by.
pub(super) struct Judging {
    pub(super) store: Arc<Store>,
    pub(super) setup: Arc<Setup>,
    pub(super) books: Arc<Books>,
    pub(super) policies: Policies,
    pub(super) status: Receiver<PolicyStatus>,
    pub(super) executors: Executors,
    pub(super) handout: Handout,
    pub(super) brought: Brought,
    pub(super) changed: UnboundedReceiver<Change>,
    /// Sets aside what no lane reads, and how far it is.
    pub(super) sweep: Sweep,
    pub(super) unread: Receiver<Unread>,
    pub(super) troubles: Troubles,
    /// Policies that have failed lately.
    pub(super) failures: PolicyFailures,
}

impl Judging {
    /// Opens the store, and the log where it is new, and takes the lanes up.
    ///
    /// # Errors
    /// One of these fails, or what the files say is refused.
    pub(super) async fn start(
        (client, servers, layout, identity): (&Client, Servers, &Layout, &Identity),
        config: &Config,
        data_dir: &DataDir,
        (standing, files): (&Arc<licence::Standing>, &Files),
    ) -> Result<Self, Error> {
        let store = Arc::new(store(data_dir.state(), identity).await?);
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
            standing: Arc::clone(standing),
            sent: Mutex::default(),
        });
        let (sender, status) = channel(PolicyStatus::default());
        let copies = Copies::new(data_dir.rule_book(), data_dir.sections());
        let settings = (config.settings.clone(), config.sources.clone(), config.allow_empty);
        let mut policies = Policies::new(Arc::clone(&setup), Arc::clone(&books), settings, copies, sender);
        if !identity.is_open {
            // INVARIANT (organizations and rule book precede the first input): until it is open, IN takes nothing else.
            setup.begin(&config.organizations).await?;
            policies.begin(files, mode::configured(config)).await?;
            streams::open(client, layout).await?;
        }
        policies.restore(files).await?;
        mode::put(&books, mode::configured(config)).await?;
        let (changes, changed) = Changes::channel();
        let troubles = Troubles::default();
        let failures = PolicyFailures::default();
        let context = Context {
            servers,
            store: Arc::clone(&store),
            books: Arc::clone(&books),
            owner: Arc::clone(&owner),
            changes,
            since: identity.last,
            troubles: troubles.clone(),
            ends: Arc::new(Ends::kept(data_dir.ends())),
            failures: failures.clone(),
            lanes: config.lanes,
            replicas: config.nats.replicas,
            threads: config.threads,
            policy_time: config.policy_time,
            remembered_bytes: config.remembered_bytes,
            runtime: tokio::runtime::Handle::current(),
        };
        let mut executors = Executors::start(&context)?;
        let mut handout = Handout::new(Arc::clone(&setup), executors.lanes.clone(), Arc::clone(&books));
        let lanes = config.lanes;
        let brought = settle((&setup, &books), &mut policies, &mut handout, config, files, &mut executors).await?;
        let (sweep, unread) = Sweep::new((client.clone(), lanes), owner, identity.last, troubles.clone());
        Ok(Self {
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
        })
    }
}

/// Opens the store beside the runtime, which goes on meanwhile; whoever does not wait for it any more ends it.
async fn store(path: PathBuf, identity: &Identity) -> Result<Store, Error> {
    /// Stops what looks at it once it is dropped.
    struct Stop(Arc<AtomicBool>);

    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let (stop, is_log_whole) = (Stop(Arc::default()), identity.first <= 1);
    let stopped = Arc::clone(&stop.0);
    let opened = tokio::task::spawn_blocking(move || Store::open_beside(&path, is_log_whole, &stopped)).await;
    Ok(opened.map_err(|error| Error::Broken(std::io::Error::other(error)))??)
}

/// What reaches devices.
///
/// # Errors
/// What it keeps beside the log cannot be read or written.
pub(super) fn hands(
    config: &Config,
    data_dir: &DataDir,
    (client, rows, lanes): (&Client, Vec<store::Lane>, Vec<Receiver<LaneStatus>>),
    (sealed, node): (&Arc<Sealed>, &Arc<str>),
) -> Result<Arc<Hands>, Error> {
    let parts = reach::Parts {
        client: client.clone(),
        rows: rows.into(),
        lanes,
        sealed: Arc::clone(sealed),
        node: Arc::clone(node),
        journal: data_dir.collected(),
        gathered: data_dir.gathered(),
        gathering: data_dir.gathering(),
        objects: Objects::new(client.clone(), config.nats.replicas),
        collecting: data_dir.collecting(),
        settings: config.collector,
    };
    let hands = Hands::open(parts).map_err(|source| Error::Collected { path: data_dir.collected(), source })?;
    Ok(Arc::new(hands))
}

/// Listens for end customers, where that is configured.
///
/// # Errors
/// The address cannot be listened on, or the credentials cannot be read.
pub(super) async fn listen(
    config: &mut Config,
    (store, client, lanes, node, id): (Arc<Store>, Client, Vec<Receiver<LaneStatus>>, Arc<str>, &str),
    authority: &Authority,
    sealed: &Sealed,
) -> Result<Option<partner::Listening>, Error> {
    let Some(settings) = config.partner.take() else { return Ok(None) };
    let logins = std::mem::take(&mut config.organizations).into_iter();
    let partner = Partner {
        store,
        client,
        lanes,
        node,
        controller: id.into(),
        replicas: config.nats.replicas,
        settings,
        logins: logins.filter_map(|org| Some((org.name, org.login?))).collect(),
    };
    let listening = partner::listen(partner, authority).await?;
    admit(&listening.overview(), sealed)?;
    Ok(Some(listening))
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

/// The NATS server: the configured one, or our own. Its child, how we enter it, and the URL of the public.
async fn nats(config: &Config, data_dir: &DataDir) -> Result<(Option<Server>, Servers, String), Error> {
    if let Some(url) = &config.nats.url {
        return Ok((None, Servers::new(url, config.nats.access.clone()), url.clone()));
    }
    let settings = embedded::Settings {
        binary: config.nats.binary.clone(),
        data_dir: data_dir.root().to_owned(),
        port: config.nats.port,
        sync: config.nats.sync,
        max_payload_bytes: config.nats.max_payload_bytes,
        memory_bytes: config.nats.memory_bytes,
    };
    let server = embedded::start(settings).await?;
    let (engine, public) = (server.engine_url(), server.public_url());
    Ok((Some(server), Servers::from(&engine), public))
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
    // What a lane that is behind says may be of long ago.
    if !stands_still(executors, 0) {
        mode::check(setup, books, mode::configured(config)).await?;
    }
    setup.send(&config.organizations).await?;
    let brought = policies.bring(files).await?;
    reach_end(&setup.client, executors).await?;
    setup.check(|lane| stands_still(executors, lane))?;
    policies.warn_of_unknown(&files.policies)?;
    while handout.hand_out_rule_book().await? {
        reach_end(&setup.client, executors).await?;
    }
    policies.observe()?;
    Ok(brought)
}

/// Whether a lane waits for a way out.
fn stands_still(executors: &Executors, lane: u32) -> bool {
    executors.lanes.get(lane as usize).is_some_and(|status| status.borrow().stopped.is_some())
}

/// Waits until every lane has applied what is in IN by now; one that stands still does that once it goes on.
async fn reach_end(client: &Client, executors: &mut Executors) -> Result<(), Error> {
    let mut lanes = executors.lanes.clone();
    let reach = async {
        try_join_all((0_u32..).zip(&mut lanes).map(|(lane, status)| async move {
            let end = streams::last_of_lane(client, lane).await?;
            // A lane that is gone has failed, which is told below, though maybe later: it has not reached anything.
            if status
                .wait_for(|status| {
                    status.stopped.is_some() || (status.is_running && !status.is_past && status.position >= end)
                })
                .await
                .is_err()
            {
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
