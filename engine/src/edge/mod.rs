//! The edge: HTTPS, for people and programs that ask the engine how it is and what it knows.
//!
//! ```text
//!  transport --> access --> routes --> what is asked for, as far as its viewer sees it
//!  a request     token,     path       lists, dead letters, events: read beside the lanes
//!  in its        viewer                writes: to them, as commands
//!  bounds
//! ```
//!
//! | room | what |
//! |---|---|
//! | `transport` | listening, and what all requests and answers have in common |
//! | `access`, `viewer`, `grants` | who asks, what they may see, and by what that is known |
//! | `logins` | passwords, sessions, API tokens |
//! | `routes`, `openapi` | the list of routes, and the document made of it |
//! | `sources`, `shares`, `turns` | what the routes read from, and how many at a time |
//! | `filters` | the table of what lists can be narrowed by, for the API and the command line |
//! | `members` | the managers of all lanes |
//! | `paging` | pages and their cursors |
//! | `lists`, `dead_letters`, `events`, `status`, `readiness`, `verification`, `clock`, `log_level`, `mode` | what is told |
//! | `listener`, `event_ids` | what somebody who listens to events hears; by which ids |
//! | `chassis` | what a virtual chassis is made of, as it is shown |
//! | `owned`, `undone` | lines of configurations that are ours; what was not done on a device |
//! | `addressed` | address groups and contracts, written as they are read |
//! | `admission` | whether an organization may be added |
//! | `writes`, `commands`, `refusals` | what is changed, and what became of it; what was refused before |
//!
//! Everything is bounded, and a client that is slow at any of these waits alone.

mod access;
mod addressed;
pub(crate) mod admission;
pub(crate) mod certificate;
mod chassis;
mod clock;
pub(crate) mod commands;
mod config;
mod connection;
mod credentials;
mod dead_letters;
mod event_ids;
mod events;
mod failing;
mod faults;
pub(crate) mod filters;
mod gauges;
mod grants;
mod installed;
mod lanes;
mod level;
mod listener;
mod lists;
mod log_level;
pub(crate) mod logins;
mod members;
mod mode;
mod openapi;
mod owned;
mod paging;
mod paths;
mod pin;
mod readiness;
mod recordable;
pub(crate) mod refusals;
mod routes;
mod scripted;
mod shares;
mod sources;
mod status;
#[cfg(test)]
mod tests;
pub(crate) mod transport;
mod turns;
mod undone;
mod unredact;
mod using;
mod values;
mod verification;
mod viewer;
mod words;
mod writes;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use linesman_connectors::tls::{self, Authority, Served};
use tokio::task::JoinHandle;

use crate::metrics::Metrics;
use crate::store;
pub use certificate::Tls;
use logins::Keeper;
pub use logins::Limits;
use refusals::Recorder;
use sources::Sources;
pub use sources::{Edge, FilesAsked, FilesSaid, PolicyStatus};
use transport::{BOUNDS, Bounds, Listener};

/// How often histograms are folded.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// How long a walk through the store may take.
const WALK_MOST: Duration = Duration::from_secs(10);

/// Why the edge cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No certificate.
    #[error("TLS cannot be set up for the API")]
    Tls(#[from] tls::Error),
    /// No port.
    #[error("the API cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No store.
    #[error("the API cannot read the store")]
    Store(#[from] store::Error),
    /// No random numbers.
    #[error("nobody could log in")]
    Logins(#[from] logins::Error),
}

/// A listening edge; it ends with this value, answers under way included.
#[derive(Debug)]
pub struct Listening {
    listener: Listener,
    served: Arc<Served>,
    recorder: Recorder,
    _upkeep: Upkeep,
    keeper: Option<Keeper>,
}

/// Folds histograms until it is dropped.
#[derive(Debug)]
struct Upkeep(JoinHandle<()>);

impl Listening {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.listener.addr()
    }

    /// The address by which this machine's own reach it.
    pub fn url(&self) -> String {
        certificate::url(self.addr(), &self.served)
    }

    /// What it shows, which may become another.
    pub fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served)
    }

    /// Takes no new connections and lets requests under way end, for 5 s at most; then what was refused is recorded,
    /// and what waits of logins.
    pub async fn shutdown(self) {
        if let Err(error) = self.listener.shutdown().await {
            tracing::warn!(%error, "the API ended badly");
        }
        let keep = async {
            if let Some(keeper) = self.keeper {
                keeper.end().await;
            }
        };
        tokio::join!(self.recorder.end(), keep);
    }
}

impl Upkeep {
    fn of(metrics: Metrics) -> Self {
        Self(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(UPKEEP_EVERY);
            loop {
                ticks.tick().await;
                metrics.run_upkeep();
            }
        }))
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Listens on `address` (port 0 takes a free one) with a certificate of `authority` for that address, the loopback's names
/// and those of `tls`, or with the one that `tls` names.
///
/// # Errors
/// The certificate cannot be issued or used, the port cannot be had, or the store cannot be read.
pub async fn listen(edge: Edge, address: SocketAddr, tls: &Tls, authority: &Authority) -> Result<Listening, Error> {
    let served = tls.served(address, authority)?;
    listen_within(BOUNDS, Sources::new(edge, WALK_MOST)?, address, served).await
}

async fn listen_within(
    bounds: Bounds,
    sources: Sources,
    address: SocketAddr,
    served: Served,
) -> Result<Listening, Error> {
    let served = Arc::new(served);
    let config = tls::server_config_showing(Arc::clone(&served))?;
    let (metrics, sources) = (sources.metrics.clone(), Arc::new(sources));
    let recorder = Recorder::start(Arc::clone(&sources.refusals), Arc::clone(&sources.commands));
    let keeper = Keeper::of(&sources);
    let router = routes::routes(sources);
    let listener = Listener::open(bounds, address, config, router).await;
    let listener = listener.map_err(|source| Error::Listen { address, source })?;
    Ok(Listening { listener, served, recorder, _upkeep: Upkeep::of(metrics), keeper })
}
