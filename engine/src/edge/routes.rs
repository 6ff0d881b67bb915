//! Which path leads where, and what the routes read from.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Router, middleware};
use tokio::sync::{Mutex, Semaphore, watch};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{self, Token};
use super::arrival;
use super::commands::Commands;
use super::gauges::Gauges;
use super::problem::Problem;
use super::readiness::PolicyStatus;
use super::{Edge, dead_letters, events, lists, log_level, openapi, readiness, status, writes};
use crate::dispatch::Overview;
use crate::lane::status::LaneStatus;
use crate::log::books::Books;
use crate::logging::Logging;
use crate::metrics::Metrics;
use crate::store;

/// How many requests read the store at a time: lanes need the cores more.
const READS: usize = 4;

/// What the routes read from.
pub(super) struct Sources {
    pub(super) token: Token,
    pub(super) ready: watch::Receiver<bool>,
    pub(super) policies: watch::Receiver<PolicyStatus>,
    pub(super) dispatch: watch::Receiver<Overview>,
    /// How far each lane is, by number.
    pub(super) lanes: Vec<watch::Receiver<LaneStatus>>,
    /// Their rows, by number.
    pub(super) rows: Arc<[store::Lane]>,
    pub(super) reads: Arc<Semaphore>,
    /// The log.
    pub(super) client: Client,
    pub(super) commands: Commands,
    /// Room for those who listen to events.
    pub(super) listeners: Arc<Semaphore>,
    /// Room for those who read dead letters.
    pub(super) readers: Arc<Semaphore>,
    /// Held by whoever replays one.
    pub(super) replaying: Mutex<()>,
    /// How long a walk through the store may take.
    pub(super) walk_most: Duration,
    pub(super) books: Arc<Books>,
    pub(super) gauges: Gauges,
    metrics: Metrics,
    pub(super) logging: Logging,
}

impl Sources {
    /// What `edge` offers; its store is let go of.
    pub(super) fn new(edge: Edge, walk_most: Duration) -> Result<Self, store::Error> {
        let rows: Arc<[_]> = (0..).zip(&edge.lanes).map(|(lane, _)| edge.store.lane(lane)).collect::<Result<_, _>>()?;
        Ok(Self {
            token: Token::new(&edge.token),
            gauges: Gauges::new(edge.client.clone(), edge.lanes.clone(), Arc::clone(&rows), edge.ready.clone()),
            ready: edge.ready,
            policies: edge.policies,
            dispatch: edge.dispatch,
            commands: Commands::new(edge.client.clone(), edge.node, edge.lanes.clone(), Arc::clone(&rows)),
            listeners: Arc::new(Semaphore::new(events::LISTENERS)),
            readers: Arc::new(Semaphore::new(dead_letters::READERS)),
            replaying: Mutex::default(),
            client: edge.client,
            lanes: edge.lanes,
            rows,
            reads: Arc::new(Semaphore::new(READS)),
            walk_most,
            books: edge.books,
            metrics: edge.metrics,
            logging: edge.logging,
        })
    }
}

/// Every route with its description. A route is added here and nowhere else.
pub(super) fn documented() -> OpenApiRouter<Arc<Sources>> {
    OpenApiRouter::with_openapi(openapi::outline())
        .routes(routes!(readiness::healthz))
        .routes(routes!(readiness::readyz))
        .routes(routes!(metrics))
        .routes(routes!(openapi::openapi))
        .routes(routes!(log_level::show, log_level::change))
        .routes(routes!(status::status))
        .routes(routes!(lists::incidents::incidents))
        .routes(routes!(lists::incidents::incident))
        .routes(routes!(lists::devices::devices))
        .routes(routes!(lists::devices::device))
        .routes(routes!(lists::cases::cases))
        .routes(routes!(lists::cases::case))
        .routes(routes!(lists::intelligence::messages))
        .routes(routes!(lists::intelligence::message))
        .routes(routes!(lists::organizations::organizations))
        .routes(routes!(lists::organizations::organization))
        .routes(routes!(lists::policies::policies))
        .routes(routes!(lists::policies::policy))
        .merge(dead_letters::routes())
        .routes(routes!(events::events))
        .merge(writes::routes())
}

/// The whole of the edge. Which routes need no token stands in [`access`].
pub(super) fn routes(sources: Arc<Sources>) -> Router {
    let (router, _) = documented().split_for_parts();
    router
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is nothing under this path"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method")
        })
        .layer(DefaultBodyLimit::max(arrival::BODY_MOST))
        .layer(middleware::from_fn_with_state(Arc::clone(&sources), access::admit))
        .with_state(sources)
}

/// What is measured, in the Prometheus text format, version 0.0.4.
#[utoipa::path(
    get, path = "/metrics", tag = "engine",
    responses((status = 200, description = "All metrics.", body = String, content_type = "text/plain"))
)]
async fn metrics(State(sources): State<Arc<Sources>>) -> impl IntoResponse {
    let listeners = events::LISTENERS.saturating_sub(sources.listeners.available_permits());
    metrics::gauge!("linesman_api_listeners").set(listeners as f64);
    sources.gauges.refresh().await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], sources.metrics.render())
}
