//! A stand-in for the support system, for demo and tests: the contract of
//! `schemas/openapi-upstream.yaml` in memory, over TLS with an authority of its own.
//!
//! What it can be told to do (fail, dawdle, lose answers, move cases on) stands in [`control`].
//! It keeps nothing over a restart but its authority, and believes everyone who can reach its port:
//! no more than a stand-in.

mod api;
mod cases;
pub mod control;
mod desk;
mod messages;
mod tokens;
mod uploads;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use tokio::task::JoinHandle;

use crate::{Secret, tls};
use desk::Desk;

/// How long a request's head, and then its body, may take to arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How to start one.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where its authority is kept (`ca.pem`, `ca.key`).
    pub data_dir: PathBuf,
    /// The password of every user; without one any is right.
    pub password: Option<Secret>,
    /// How long a new case is without an id; zero gives it one at once.
    pub assign_after: Duration,
}

impl Settings {
    /// On `listen`, keeping its authority in `data_dir`: any password, ids after 100 ms.
    pub fn new(listen: SocketAddr, data_dir: impl Into<PathBuf>) -> Self {
        Self { listen, data_dir: data_dir.into(), password: None, assign_after: Duration::from_millis(100) }
    }
}

/// Why it cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its authority or certificate.
    #[error("the stand-in's TLS cannot be set up")]
    Tls(#[from] tls::Error),
    /// Its port.
    #[error("the stand-in cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A running stand-in; it ends with this value.
#[derive(Debug)]
pub struct Standin {
    addr: SocketAddr,
    ca_path: PathBuf,
    handle: Handle<SocketAddr>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Standin {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The file of the certificate to believe.
    pub fn ca_path(&self) -> &Path {
        &self.ca_path
    }

    /// Its base address, as `jss::Settings` takes it.
    pub fn url(&self) -> String {
        let ip = if self.addr.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { self.addr.ip() };
        format!("https://{}", SocketAddr::new(ip, self.addr.port()))
    }

    /// Closes its port and every connection, answered or not.
    pub async fn shutdown(mut self) {
        self.handle.shutdown();
        if let Err(error) = (&mut self.server).await {
            tracing::warn!(%error, "the stand-in ended badly");
        }
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// Starts one on the current runtime; it listens when this returns.
pub async fn start(settings: Settings) -> Result<Standin, Error> {
    let listen = settings.listen;
    let failed = |source| Error::Listen { listen, source };
    let authority = tls::Authority::open(&settings.data_dir)?;
    let hosts = if listen.ip().is_unspecified() { Vec::new() } else { vec![listen.ip().to_string()] };
    let config = tls::server_config(authority.issue(&hosts)?)?;

    let listener = TcpListener::bind(listen).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let handle = Handle::new();
    let mut server = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(config)).map_err(failed)?;
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(READ_TIMEOUT);
    let service = routes(Arc::new(Desk::new(&settings))).into_make_service();
    let server = tokio::spawn(server.handle(handle.clone()).http1_only().serve(service));
    Ok(Standin { addr, ca_path: authority.ca_path().to_owned(), handle, server })
}

fn routes(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/oauth2/token", post(api::token))
        .route("/case/v1/createSR", post(api::create_sr))
        .route("/case/v1/updateSR", post(api::update_sr))
        .route("/case/v1/querySR", post(api::query_sr))
        .route("/case/v1/intelligence", get(api::intelligence))
        .route("/case/v1/uploads", post(api::uploads::open))
        .route("/case/v1/uploads/{upload}", get(api::uploads::query).patch(api::uploads::append))
        .route("/_control", post(control::control))
        .route("/_count", get(control::count))
        .route("/_cases", get(control::cases))
        .route("/_uploads", get(control::uploads))
        .route("/_uploads/{upload}", get(control::uploaded))
        .with_state(desk)
}
