//! The edge: HTTPS, for people and programs that ask the engine how it is and what it knows.
//!
//! ```text
//!  TCP --> seats --> TLS handshake --> head of a request --> access --> arrival --> route
//!          most     10 s               10 s, 16 KiB          token      10 s, 64 KiB
//! ```
//!
//! Everything is bounded, and a client that is slow at any of these waits alone. Answers are read
//! beside the lanes, from what they have applied; what is written goes to them as a command.

mod access;
mod arrival;
mod body;
mod commands;
mod dead_letters;
mod events;
mod gauges;
mod lists;
mod log_level;
mod open_files;
mod openapi;
mod params;
mod problem;
mod readiness;
mod routes;
mod seats;
mod status;
#[cfg(test)]
mod tests;
mod writes;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use linesman_connectors::tls::{self, Authority};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::dispatch::Overview;
use crate::lane::status::LaneStatus;
use crate::log::books::Books;
use crate::logging::Logging;
use crate::metrics::Metrics;
use crate::store::{self, Store};
pub use readiness::PolicyStatus;
use routes::Sources;
use seats::{SeatAcceptor, Seats};

/// How large the head of a request may be, in bytes.
const HEAD_MOST: usize = 16 * 1024;
/// How often histograms are folded.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// What a client may take up.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// How many connections there may be at once.
    connections: usize,
    /// How long a TLS handshake may take.
    handshake: Duration,
    /// How long the head of a request may take to arrive; also how long a connection may idle.
    head: Duration,
    /// How long a client may take none of its answer.
    stall: Duration,
    /// How long a walk through the store may take.
    walk: Duration,
    /// How long requests under way may take to end at a shutdown.
    grace: Duration,
}

const BOUNDS: Bounds = Bounds {
    connections: 4096,
    handshake: Duration::from_secs(10),
    head: Duration::from_secs(10),
    stall: Duration::from_secs(30),
    walk: Duration::from_secs(10),
    grace: Duration::from_secs(5),
};

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
}

/// What the edge tells of.
pub struct Edge {
    /// The applied state. It is not kept: whoever stops the engine can close it while answers end.
    pub store: Arc<Store>,
    /// The log, to look up how far it is.
    pub client: Client,
    /// The rule books, to show what is judged by.
    pub books: Arc<Books>,
    /// How far each lane is, by number.
    pub lanes: Vec<watch::Receiver<LaneStatus>>,
    /// This engine, as commands name it.
    pub node: Arc<str>,
    /// What a request must bear.
    pub token: String,
    /// Whether the engine serves.
    pub ready: watch::Receiver<bool>,
    /// How the policies are.
    pub policies: watch::Receiver<PolicyStatus>,
    /// How the dispatcher is.
    pub dispatch: watch::Receiver<Overview>,
    /// What is measured.
    pub metrics: Metrics,
    /// What the log tells.
    pub logging: Logging,
}

/// A listening edge; it ends with this value, answers under way included.
#[derive(Debug)]
pub struct Listening {
    addr: SocketAddr,
    handle: Handle<SocketAddr>,
    seats: Seats,
    grace: Duration,
    server: JoinHandle<io::Result<()>>,
    upkeep: JoinHandle<()>,
}

impl Listening {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no new connections and lets requests under way end, for 5 s at most.
    pub async fn shutdown(mut self) {
        self.handle.graceful_shutdown(Some(self.grace));
        match (&mut self.server).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the API ended badly"),
            Err(error) => tracing::warn!(%error, "the API ended badly"),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.handle.shutdown();
        self.seats.clear();
        self.upkeep.abort();
    }
}

/// Listens on `address` (port 0 takes a free one) with a certificate of `authority` for that address
/// and the loopback's names.
///
/// # Errors
/// The certificate cannot be issued, the port cannot be had, or the store cannot be read.
pub async fn listen(edge: Edge, address: SocketAddr, authority: &Authority) -> Result<Listening, Error> {
    listen_within(BOUNDS, edge, address, authority).await
}

async fn listen_within(
    bounds: Bounds,
    edge: Edge,
    address: SocketAddr,
    authority: &Authority,
) -> Result<Listening, Error> {
    let failed = |source| Error::Listen { address, source };
    let hosts = if address.ip().is_unspecified() { Vec::new() } else { vec![address.ip().to_string()] };
    let config = RustlsConfig::from_config(tls::server_config(authority.issue(&hosts)?)?);
    open_files::allow(bounds.connections);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;

    let metrics = edge.metrics.clone();
    let service = routes::routes(Arc::new(Sources::new(edge, bounds.walk)?)).into_make_service();
    let seats = Seats::new(bounds.connections, bounds.stall);
    let acceptor =
        RustlsAcceptor::new(config).handshake_timeout(bounds.handshake).acceptor(SeatAcceptor(seats.clone()));
    let handle = Handle::new();
    let mut server = Server::from_listener(listener).acceptor(acceptor).handle(handle.clone()).http1_only();
    let mut http = server.http_builder().http1();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.head).max_buf_size(HEAD_MOST);
    let server = tokio::spawn(server.serve(service));
    let upkeep = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP_EVERY);
        loop {
            ticks.tick().await;
            metrics.run_upkeep();
        }
    });
    Ok(Listening { addr, handle, seats, grace: bounds.grace, server, upkeep })
}
