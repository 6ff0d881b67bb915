//! Who may ask, and as whom: whoever bears a token that is known.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use linesman_schemas::Principal;

use super::logins::{Entered, Entry};
use super::refusals::Operations;
use super::sources::Sources;
use super::transport::problem::Problem;
use super::transport::{Claims, arrival};
use super::viewer::Viewer;

/// What anybody may ask, whoever they are: method and path. What is not here is closed.
pub(super) const OPEN: [(Method, &str); 4] = [
    (Method::GET, "/healthz"),
    (Method::GET, "/readyz"),
    (Method::GET, "/api/v1/openapi.json"),
    (Method::POST, "/api/v1/session"),
];

/// What takes a whole document, and how large that may be, in bytes.
const DOCUMENTS: &str = "/api/v1/organizations/{name}/unredact";
/// See there.
pub(super) const DOCUMENT_MOST: usize = 16 * 1024 * 1024;

/// What takes a bundle of scripts.
const SCRIPTS: &str = "/api/v1/organizations/{name}/script-bundles/{bundle}/{version}";
/// What takes the files that may be overwritten: as many as a plan tells of.
const INSTALLATION: &str = "/api/v1/organizations/{name}/scripts/{device_group}";
/// How large the body of either may be, in bytes: JSON may be longer than the texts in it.
const SCRIPTS_MOST: usize = 1024 * 1024;

/// How many connections one that is known may have; another costs their oldest.
const CONNECTIONS: usize = 1024;

/// Lets a request through, with its [`Viewer`] and its [`Entry`] in its extensions, or answers instead: 401 with a
/// challenge (RFC 6750, section 3), 403, or that its body is too large, too slow or broken.
///
/// Around everything, so that every answer is counted, and none is kept by a cache.
pub(super) async fn admit(
    State((sources, operations)): State<(Arc<Sources>, Arc<Operations>)>,
    request: Request,
    next: Next,
) -> Response {
    let since = Instant::now();
    let (route, method) = (route(&request), method(request.method()));
    let path = request.uri().path().to_owned();
    let (who, entered) = entered(&sources, &request);
    let operation = operations.find(&route, method);
    let query = request.uri().query().unwrap_or_default();
    let is_misunderstood = operation.as_ref().is_some_and(|operation| operation.is_taken_for_preview(query));
    let entered = match is_misunderstood && entered.is_ok() {
        true => Err(Problem::parameter("dry_run", "this write has no preview: it would be done")),
        false => entered,
    };
    let mut response = match entered {
        Err(problem) => arrival::refuse(request, problem).await,
        Ok(entered) => match arrival::whole(request, body_most(&route)).await {
            Ok(mut request) => {
                if let Some((viewer, entry)) = entered {
                    request.extensions_mut().insert(viewer);
                    request.extensions_mut().insert(entry);
                }
                next.run(request).await
            }
            Err(problem) => problem.into_response(),
        },
    };
    if let Some((principal, operation)) = who.zip(operation) {
        sources.refusals.note(principal, &operation, &path, &response);
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"linesman\""));
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

/// The largest body of a request, in bytes.
fn body_most(route: &str) -> usize {
    match route {
        DOCUMENTS => DOCUMENT_MOST,
        SCRIPTS | INSTALLATION => SCRIPTS_MOST,
        _ => arrival::BODY_MOST,
    }
}

/// As whom somebody comes in: as nobody where what is asked for is open; or why they do not.
type Admission = Result<Option<(Viewer, Entry)>, Problem>;

/// Who asks, where that is known, and as whom they come in.
fn entered(sources: &Sources, request: &Request) -> (Option<Principal>, Admission) {
    let (method, path) = (request.method(), request.uri().path());
    // Where anybody may read, no other method leads anywhere.
    let is_open = OPEN.iter().any(|(open, at)| *at == path && (open == Method::GET || open == method));
    match sources.enter(method, path, request.headers()) {
        Ok(Entered::In(entry)) if sources.is_past(&entry) => {
            let detail = "what is granted to whom is decided again from the log at the moment: try again later";
            (Some(entry.principal), Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)))
        }
        Ok(Entered::In(entry)) => {
            claim(request, &entry.principal);
            let viewer = sources.grants.viewer(entry.principal.clone()).map_err(Problem::from);
            (Some(entry.principal.clone()), viewer.map(|viewer| Some((viewer, entry))))
        }
        _ if is_open => (None, Ok(None)),
        Ok(Entered::Nobody) => (None, Err(Problem::new(StatusCode::UNAUTHORIZED, "a bearer token is needed"))),
        Ok(Entered::Barred(principal, why)) => (Some(principal), Err(Problem::new(StatusCode::FORBIDDEN, why))),
        Err(problem) => (None, Err(problem)),
    }
}

/// Says whose the connection is, so that nobody who has shown nothing displaces it.
fn claim(request: &Request, principal: &Principal) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some((ConnectInfo(peer), claims)) = peer.zip(request.extensions().get::<Claims>()) {
        claims.claim(*peer, &principal.to_string(), CONNECTIONS);
    }
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
