//! Every route of the partner listener.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::{Extension, Router, middleware};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sources::Sources;
use super::{access, cases, messages, openapi, registration, reports, uploads};
use crate::edge::refusals::Operations;
use crate::edge::transport::problem::Problem;

/// Every route with its description. A route is added here and nowhere else; all of them are closed.
pub(super) fn documented() -> OpenApiRouter<Arc<Sources>> {
    OpenApiRouter::with_openapi(openapi::outline())
        .routes(routes!(openapi::document))
        .routes(routes!(registration::register))
        .routes(routes!(cases::cases, reports::report_case))
        .routes(routes!(cases::case))
        .routes(routes!(reports::change_case))
        .routes(routes!(messages::messages))
        .routes(routes!(uploads::begin))
        .routes(routes!(uploads::show, uploads::append, uploads::remove))
}

/// The whole of the partner listener.
pub(super) fn routes(sources: Arc<Sources>) -> Router {
    let (router, document) = documented().split_for_parts();
    let operations = Arc::new(Operations::of(&document));
    router
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is nothing under this path"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method")
        })
        .layer(Extension(openapi::Text::new(document)))
        .layer(DefaultBodyLimit::max(access::BODY_MOST))
        .layer(middleware::from_fn_with_state((Arc::clone(&sources), operations), access::admit))
        .with_state(sources)
}
