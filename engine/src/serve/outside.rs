//! What works with the outside: the dispatcher carries reactions out, sources bring inputs. How documents leave for an
//! upstream: by way of the data directory, with the keys of pseudonyms that the seal keeps.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use async_nats::Client;
use linesman_connectors::device::push::Reached;
use linesman_connectors::upload::Leaving;
use linesman_connectors::{Connector, Source};
use linesman_redaction::Overwriting;
use linesman_schemas::{Mode, OrgName};
use tokio::sync::{mpsc, watch};

use super::Error;
use super::part::Part;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::dispatch::{self, Dispatcher};
use crate::failing::Failing;
use crate::lane::status::{Change, LaneStatus};
use crate::log::books::Books;
use crate::logging::full;
use crate::seal::Sealed;
use crate::sources::{self, Intake, LaneCursors, Pace, Sources};
use crate::store::Store;

/// How the outside is reached, by the configuration.
pub(super) struct Ways {
    connectors: Vec<Arc<dyn Connector>>,
    sources: Vec<Arc<dyn Source>>,
    pace: Pace,
    mode: Mode,
    leaving: Leaving,
    reached: Reached,
}

impl Ways {
    /// What the configuration speaks of, and what needs no settings.
    ///
    /// # Errors
    /// A connector or a source cannot be made from its settings, or what documents leave by cannot be used.
    pub(super) fn of(config: &mut Config, data_dir: &DataDir, sealed: &Arc<Sealed>) -> Result<Self, Error> {
        config.connectors.leaving = leaving(config, data_dir, sealed)?;
        let reached = Reached::default();
        config.connectors.reached = Some(reached.clone());
        let mut connectors = linesman_connectors::connectors(&config.connectors)?;
        let mut sources = linesman_connectors::sources(&config.connectors)?;
        if !config.mode.sends() {
            // What waits for another connector stands in the state.
            connectors.retain(|connector| connector.name() == linesman_connectors::log::FOLDER.name);
            sources.clear();
        }
        let leaving = config.connectors.leaving.clone();
        Ok(Self { connectors, sources, pace: Pace::of(&config.settings), mode: config.mode, leaving, reached })
    }

    /// How documents leave.
    pub(super) fn leaving(&self) -> Leaving {
        self.leaving.clone()
    }

    /// What knows the devices that are reached, to be bound: it stands on lanes that have caught up.
    pub(super) fn reached(&self) -> &Reached {
        &self.reached
    }

    /// The connector that leads to the upstream, if there is one.
    pub(super) fn upstream(&self) -> Option<Arc<dyn Connector>> {
        self.connectors.iter().find(|connector| connector.is_upstream()).cloned()
    }
}

/// How documents leave for the upstream.
fn leaving(config: &Config, data_dir: &DataDir, sealed: &Arc<Sealed>) -> Result<Leaving, Error> {
    let sealed = Arc::clone(sealed);
    let with_pseudonyms: BTreeSet<OrgName> =
        config.organizations.iter().filter(|org| org.has_pseudonyms).map(|org| org.name.clone()).collect();
    let overwritings = move |org: &OrgName| match with_pseudonyms.contains(org) {
        true => sealed.pseudonyms.of(org).map(Overwriting::Pseudonyms).map_err(|error| full(&error)),
        false => Ok(Overwriting::Fixed),
    };
    let folder = data_dir.leaving();
    Leaving::by(&folder, Arc::new(overwritings)).map_err(|source| Error::Leaving { folder, source })
}

/// The dispatcher and the sources, at work.
pub(super) struct Outside {
    dispatcher: Part,
    sources: Part,
    /// How the dispatcher is.
    pub(super) dispatched: watch::Receiver<dispatch::Overview>,
    /// What of the destinations fails, and why.
    pub(super) failing: Arc<Failing>,
    /// How the sources are.
    pub(super) brought: watch::Receiver<sources::Overview>,
}

impl Outside {
    /// Starts both on lanes that have caught up. Nothing leaves for the upstream as long as the licence does not permit it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn start(
        ways: Ways,
        client: &Client,
        store: &Arc<Store>,
        lanes: &[watch::Receiver<LaneStatus>],
        (books, node): (Arc<Books>, Arc<str>),
        (changes, sends): (mpsc::UnboundedReceiver<Change>, watch::Receiver<bool>),
    ) -> Result<Self, Error> {
        let Ways { connectors, sources, pace, mode, leaving: _, reached: _ } = ways;
        let failing = Arc::new(Failing::of_destinations());
        let (overview, dispatched) = watch::channel(dispatch::Overview::default());
        let (store_of, client_of, lanes_of) = (Arc::clone(store), client.clone(), lanes.to_vec());
        let dispatcher = Dispatcher {
            connectors,
            store: store_of,
            client: client_of,
            lanes: lanes_of,
            sends,
            failing: Arc::clone(&failing),
            overview,
            node: Arc::clone(&node),
            steady: dispatch::Steady::default(),
        };
        let dispatcher = Part::start(|stop| async move { Ok(dispatcher.run(changes, stop).await?) });
        let (overview, brought) = watch::channel(sources::Overview::default());
        // Without a first lane nothing is decided, and nothing is to be brought.
        let Some(first) = lanes.first().cloned() else {
            return Ok(Self { dispatcher, sources: Part::start(|_| async { Ok(()) }), dispatched, failing, brought });
        };
        let intake = Arc::new(Intake {
            client: client.clone(),
            books,
            node,
            lanes: lanes.to_vec(),
            rows: (0..).zip(lanes).map(|(lane, _)| store.lane(lane)).collect::<Result<_, _>>()?,
            mode,
        });
        let cursors = Arc::new(LaneCursors::new(client.clone(), store.lane(0)?, first));
        let sources = Sources { sources, client: client.clone(), cursors, intake, pace, overview };
        let broken = |error| Error::Broken(io::Error::other(error));
        let sources = Part::start(|stop| async move { sources.run(stop).await.map_err(broken) });
        Ok(Self { dispatcher, sources, dispatched, failing, brought })
    }

    /// Ready when either ends with an error.
    pub(super) async fn broke_off(&mut self) -> Error {
        tokio::select! {
            error = self.dispatcher.broke_off() => error,
            error = self.sources.broke_off() => error,
        }
    }

    /// Stops the sources, then the dispatcher: polls and attempts under way end.
    ///
    /// # Errors
    /// The dispatcher ended with one.
    pub(super) async fn stop(self) -> Result<(), Error> {
        // What a source has not brought is found again; the rest is to be taken down in order.
        if let Err(error) = self.sources.stop().await {
            tracing::warn!(error = full(&error), "sources ended badly");
        }
        self.dispatcher.stop().await
    }
}
