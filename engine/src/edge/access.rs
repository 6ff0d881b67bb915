//! Who may ask: whoever bears the token; and how much a request may carry.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::arrival::{self, BODY_MOST};
use super::problem::Problem;
use super::routes::Sources;

/// What anybody may ask. A route is closed unless it stands here.
pub(super) const OPEN: [&str; 3] = ["/healthz", "/readyz", "/api/v1/openapi.json"];

/// What a request must bear; the token itself is not kept.
pub(super) struct Token([u8; 32]);

impl Token {
    pub(super) fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Whether this is the token. Hashes are compared, whole: how long that takes tells nothing of it.
    fn is(&self, offered: &[u8]) -> bool {
        let offered: [u8; 32] = Sha256::digest(offered).into();
        let differing = self.0.iter().zip(offered).fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
        std::hint::black_box(differing) == 0
    }
}

/// Lets a request through, or answers instead: 401 with a challenge (RFC 6750, section 3), or 413.
///
/// Around everything, so that every answer is counted, and none is kept by a cache.
pub(super) async fn admit(State(sources): State<Arc<Sources>>, request: Request, next: Next) -> Response {
    let since = Instant::now();
    let (route, method) = (route(&request), method(request.method()));
    let headers = request.headers();
    let mut response = if !OPEN.contains(&request.uri().path()) && !has_token(&sources.token, headers) {
        arrival::drain(request.into_body().into_data_stream()).await;
        let mut response = Problem::new(StatusCode::UNAUTHORIZED, "a bearer token is needed").into_response();
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"linesman\""));
        response
    } else if declared_length(headers).is_some_and(|length| length > BODY_MOST) {
        arrival::drain(request.into_body().into_data_stream()).await;
        arrival::too_large().into_response()
    } else if matches!(*request.method(), Method::GET | Method::HEAD) {
        next.run(request).await
    } else {
        match arrival::whole(request).await {
            Ok(request) => next.run(request).await,
            Err(problem) => problem.into_response(),
        }
    };
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

/// Whether the one `Authorization` bears the token; the scheme's case does not matter (RFC 9110,
/// section 11.1).
pub(super) fn has_token(token: &Token, headers: &HeaderMap) -> bool {
    let mut offers = headers.get_all(AUTHORIZATION).iter();
    let (Some(offer), None) = (offers.next(), offers.next()) else { return false };
    let Some((scheme, offered)) = offer.as_bytes().split_at_checked("Bearer ".len()) else { return false };
    scheme.eq_ignore_ascii_case(b"Bearer ") && token.is(offered.trim_ascii())
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
