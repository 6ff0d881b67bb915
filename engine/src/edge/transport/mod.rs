//! A listener for HTTPS: connections, and what requests and answers have in common whatever they are about.
//!
//! ```text
//!  TCP --> seats --> TLS handshake --> head of a request --> arrival --> handler
//!          most     10 s               10 s, 16 KiB          10 s, 64 KiB
//! ```
//!
//! | room | what |
//! |---|---|
//! | here | listening, within bounds |
//! | `seats` | how many are connected, and who has to go |
//! | `client` | the certificate that a client shows |
//! | `arrival` | a request's body, before anything is made of it |
//! | `params`, `json` | what is asked for in path, query and body, typed |
//! | `problem` | an answer that says no |
//! | `open_files` | room for connections |
//!
//! It knows no routes, no tokens and nothing of what is told: whoever listens brings those along, and another
//! listener brings others.

pub(crate) mod arrival;
mod client;
pub(crate) mod json;
mod open_files;
pub(crate) mod params;
pub(crate) mod problem;
mod seats;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use client::ClientAcceptor;
pub(crate) use client::ClientCertificate;
pub(crate) use seats::{Claims, Measured};
use seats::{SeatAcceptor, Seats};

/// How large the head of a request may be, in bytes.
const HEAD_MOST: usize = 16 * 1024;

/// What a client may take up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How many connections there may be at once.
    pub(crate) connections: usize,
    /// How long a TLS handshake may take.
    pub(crate) handshake: Duration,
    /// How long the head of a request may take to arrive; also how long a connection may idle.
    pub(crate) head: Duration,
    /// How long a client may take none of its answer.
    pub(crate) stall: Duration,
    /// How long requests under way may take to end at a shutdown.
    pub(crate) grace: Duration,
    /// What is measured of connections.
    pub(crate) measured: Measured,
}

/// What is usual.
pub(crate) const BOUNDS: Bounds = Bounds {
    connections: 4096,
    handshake: Duration::from_secs(10),
    head: Duration::from_secs(10),
    stall: Duration::from_secs(30),
    grace: Duration::from_secs(5),
    measured: Measured {
        connections: || metrics::gauge!("linesman_api_connections"),
        displaced: || metrics::counter!("linesman_api_displaced_total"),
    },
};

/// A listener; it ends with this value, answers under way included.
#[derive(Debug)]
pub(crate) struct Listener {
    addr: SocketAddr,
    handle: Handle<SocketAddr>,
    seats: Seats,
    grace: Duration,
    server: JoinHandle<io::Result<()>>,
}

impl Listener {
    /// Listens on `address` (port 0 takes a free one) under the certificate of `config`, and answers by `router`: every
    /// request has [`Claims`] in its extensions.
    ///
    /// # Errors
    /// The port cannot be had.
    pub(crate) async fn open(
        bounds: Bounds,
        address: SocketAddr,
        config: Arc<ServerConfig>,
        router: Router,
    ) -> io::Result<Self> {
        open_files::allow(bounds.connections);
        let listener = TcpListener::bind(address).await?;
        let addr = listener.local_addr()?;
        let seats = Seats::new(bounds.connections, bounds.stall, bounds.measured);
        // None is a number too.
        (bounds.measured.connections)().increment(0.0);
        let router = router.layer(Extension(seats.claims()));
        let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(config))
            .handshake_timeout(bounds.handshake)
            .acceptor(SeatAcceptor(seats.clone()));
        let acceptor = ClientAcceptor(acceptor);
        let handle = Handle::new();
        let mut server = Server::from_listener(listener).acceptor(acceptor).handle(handle.clone()).http1_only();
        let mut http = server.http_builder().http1();
        http.timer(TokioTimer::new()).header_read_timeout(bounds.head).max_buf_size(HEAD_MOST);
        let server = tokio::spawn(server.serve(router.into_make_service_with_connect_info::<SocketAddr>()));
        Ok(Self { addr, handle, seats, grace: bounds.grace, server })
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no new connections and lets requests under way end, for as long as its bounds say.
    ///
    /// # Errors
    /// It had broken off before.
    pub(crate) async fn shutdown(mut self) -> io::Result<()> {
        self.handle.graceful_shutdown(Some(self.grace));
        (&mut self.server).await.map_err(io::Error::other)?
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.handle.shutdown();
        self.seats.clear();
    }
}
