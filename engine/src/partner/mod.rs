//! The partner listener: HTTPS for the controllers of end customers, which report cases here and ask what became of
//! them. It answers and never calls. What travels stands in `linesman_schemas::cascade`.
//!
//! ```text
//!  transport --> access --> routes --> what is asked for, of the one end customer who asks
//!  a request     login,     path       cases: read beside the lanes
//!  in its        pace,                 reports, changes: to them, as commands
//!  bounds        standing
//! ```
//!
//! | room | what |
//! |---|---|
//! | `section` | what it is told |
//! | `access`, `customers`, `certificates`, `pace` | who asks, and how often they may |
//! | `routes`, `openapi` | the list of routes, and the document made of it |
//! | `sources` | what the routes read from |
//! | `registration`, `cases`, `messages`, `reports`, `uploads` | what is answered |
//! | `keys`, `cursor`, `view` | by what something is known again, where a list goes on, how a case is shown |
//!
//! It shares the transport with the API, and neither routes nor tokens.
//!
//! INVARIANT (an end customer learns of no other): every row that is read is one of the organization that has logged
//! in. What is another's is looked for there too, and so is answered like what does not exist.

mod access;
mod cases;
mod certificates;
mod cursor;
mod customers;
mod keys;
mod messages;
mod openapi;
mod pace;
mod registration;
mod reports;
mod routes;
pub(crate) mod section;
mod sources;
#[cfg(test)]
mod tests;
mod uploads;
mod view;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use linesman_connectors::tls::{self, Authority, Served, Shown};
use linesman_schemas::OrgName;

use crate::edge::refusals::Recorder;
use crate::edge::transport::{BOUNDS, Bounds, Listener, Measured};
use crate::store;
use customers::Customers;
pub use customers::NotLetIn;
pub use section::Settings;
pub use sources::Partner;
use sources::Sources;

/// What a client may take up: fewer connections than at the API, for each end customer has one controller.
const BOUNDS_HERE: Bounds = Bounds {
    connections: 1024,
    measured: Measured {
        connections: || metrics::gauge!("linesman_partner_connections"),
        displaced: || metrics::counter!("linesman_partner_displaced_total"),
    },
    ..BOUNDS
};
/// For how long after a request an end customer counts as one that is heard of.
const HEARD_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Why the partner listener does not listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No certificate.
    #[error("TLS cannot be set up for the partner listener")]
    Tls(#[from] tls::Error),
    /// No port.
    #[error("the partner listener cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No store.
    #[error("the partner listener cannot read the store")]
    Store(#[from] store::Error),
}

/// A listening partner listener; it ends with this value, answers under way included.
#[derive(Debug)]
pub struct Listening {
    listener: Listener,
    recorder: Recorder,
    overview: Overview,
}

/// How the partner listener is.
#[derive(Debug, Clone)]
pub struct Overview {
    address: SocketAddr,
    served: Arc<Served>,
    customers: Arc<Customers>,
}

impl Overview {
    /// The certificate that it shows at the moment; none where that cannot be read.
    pub fn certificate(&self) -> Option<Shown> {
        self.served.shown()
    }

    /// What it shows, which may become another.
    pub fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many end customers have a login.
    pub fn end_customers(&self) -> usize {
        self.customers.count()
    }

    /// Whether an organization may be let in by a user that is given through the API.
    ///
    /// # Errors
    /// The configuration has its user, or somebody else comes by that.
    pub fn takes(&self, org: &OrgName, user: Option<&str>) -> Result<(), NotLetIn> {
        self.customers.takes(org, user)
    }

    /// Lets an organization in by another user and password than before, or by none.
    ///
    /// # Errors
    /// As [`Self::takes`].
    pub fn let_in(&self, org: &OrgName, login: Option<(&str, &str)>) -> Result<(), NotLetIn> {
        self.customers.let_in(org, login)
    }

    /// How many of them have asked for something within the last quarter of an hour.
    pub fn heard(&self) -> usize {
        self.customers.heard(HEARD_WITHIN)
    }
}

impl Listening {
    /// How it is.
    pub fn overview(&self) -> Overview {
        self.overview.clone()
    }

    /// Takes no new connections and lets requests under way end, for 5 s at most; then what was refused is recorded.
    pub async fn shutdown(self) {
        if let Err(error) = self.listener.shutdown().await {
            tracing::warn!(%error, "the partner listener ended badly");
        }
        self.recorder.end().await;
    }
}

/// What the listener's certificate is kept as: end customers may have pinned it.
const CERTIFICATE: &str = "partner";

/// Listens as `partner` says, under the certificate it names, or else under one of `authority`.
///
/// # Errors
/// There is no certificate, the port cannot be had, or the store cannot be read.
pub async fn listen(partner: Partner, authority: &Authority) -> Result<Listening, Error> {
    listen_within(BOUNDS_HERE, partner, authority).await
}

async fn listen_within(bounds: Bounds, partner: Partner, authority: &Authority) -> Result<Listening, Error> {
    let address = partner.settings.listen;
    let served = match &partner.settings.identity {
        Some(own) => Served::of_files(&own.certificate, &own.key)?,
        None if address.ip().is_unspecified() => Served::fixed(authority.keep(CERTIFICATE, &[])?)?,
        None => Served::fixed(authority.keep(CERTIFICATE, &[address.ip().to_string()])?)?,
    };
    let served = Arc::new(served);
    let config = tls::server_config_asking(Arc::clone(&served))?;
    let sources = Arc::new(Sources::new(partner)?);
    let recorder = Recorder::start(Arc::clone(&sources.refusals), Arc::clone(&sources.commands));
    let customers = Arc::clone(&sources.customers);
    let listener = Listener::open(bounds, address, config, routes::routes(sources)).await;
    let listener = listener.map_err(|source| Error::Listen { address, source })?;
    let address = listener.addr();
    tracing::info!(%address, end_customers = customers.count(), "the partner listener listens");
    Ok(Listening { overview: Overview { address, served, customers }, listener, recorder })
}
