//! Who may ask, and as whom: whoever bears a token that is known.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::refusals::Operations;
use super::sources::Sources;
use super::transport::arrival;
use super::transport::problem::Problem;

/// What anybody may ask. A route is closed unless it stands here.
pub(super) const OPEN: [&str; 3] = ["/healthz", "/readyz", "/api/v1/openapi.json"];

/// Lets a request through, with its [`Viewer`](super::viewer::Viewer) in its extensions, or answers instead: 401 with a challenge
/// (RFC 6750, section 3), or that its body is too large, too slow or broken.
///
/// Around everything, so that every answer is counted, and none is kept by a cache.
pub(super) async fn admit(
    State((sources, operations)): State<(Arc<Sources>, Arc<Operations>)>,
    request: Request,
    next: Next,
) -> Response {
    let since = Instant::now();
    let (route, method) = (route(&request), method(request.method()));
    let principal = sources.bearers.principal(request.headers());
    let write = principal.clone().zip(operations.write(&route, method)).zip(Some(request.uri().path().to_owned()));
    let mut response = match principal.map(|principal| sources.grants.viewer(principal)).transpose() {
        Err(error) => arrival::refuse(request, error.into()).await,
        Ok(None) if !OPEN.contains(&request.uri().path()) => {
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "a bearer token is needed");
            let mut response = arrival::refuse(request, problem).await;
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"linesman\""));
            response
        }
        Ok(viewer) => match arrival::whole(request).await {
            Ok(mut request) => {
                if let Some(viewer) = viewer {
                    request.extensions_mut().insert(viewer);
                }
                next.run(request).await
            }
            Err(problem) => problem.into_response(),
        },
    };
    if let Some(((principal, operation), path)) = write {
        sources.refusals.note(principal, operation, &path, &response);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let status = response.status().as_u16();
    let took = since.elapsed().as_secs_f64();
    tracing::debug!(route, method, status, took, "a request is answered");
    metrics::histogram!("linesman_api_request_seconds", "route" => route.clone()).record(took);
    let labels = [("route", route), ("method", method.to_owned()), ("status", status.to_string())];
    metrics::counter!("linesman_api_requests_total", &labels).increment(1);
    response
}

/// The template of the path; what is asked for is anybody's to choose, and no label.
fn route(request: &Request) -> String {
    request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned()
}

/// The method, where it is one of HTTP's own.
fn method(method: &Method) -> &'static str {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    METHODS.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}
