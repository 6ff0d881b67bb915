//! Who asks: an end customer that shows its password or its certificate, asks not too often, and takes part.

use std::net::SocketAddr;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use linesman_domain::organizations::{self, Standing};
use linesman_domain::table::Table;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Refusal;
use linesman_schemas::{OrgName, Principal};
use tokio::sync::OwnedSemaphorePermit;

use super::customers::{CONNECTIONS, Customer, Entered};
use super::sources::Sources;
use crate::edge::refusals::Operations;
use crate::edge::transport::problem::Problem;
use crate::edge::transport::{Claims, ClientCertificate, arrival};

/// The largest body of a request, in bytes: a case has a few texts of 32,768 characters. A command holds it, and must
/// fit into a message of a server that takes 1 MiB.
pub(super) const BODY_MOST: usize = 512 * 1024;
/// How long a user and a password are together, at most, as they travel.
const LOGIN_MOST: usize = 4096;
/// What is recorded of a wrong password.
const LOG_IN: &str = "log-in";

/// The end customer who asks.
#[derive(Clone)]
pub(super) struct Asker(Arc<Customer>);

impl Asker {
    /// The organization it is here.
    pub(super) fn org(&self) -> &OrgName {
        &self.0.org
    }

    /// Alone with its uploads.
    pub(super) async fn uploading(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.uploading.lock().await
    }

    /// How much is kept of it, if that was counted lately.
    pub(super) fn counted(&self) -> MutexGuard<'_, Option<(Instant, u64)>> {
        // Nothing under the lock panics.
        self.0.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets so many bytes of what it reports through.
    ///
    /// # Errors
    /// They are more than a day bears: in how many seconds they are not.
    pub(super) fn report(&self, bytes: usize) -> Result<(), u64> {
        self.0.reported.take_many(u32::try_from(bytes).unwrap_or(u32::MAX), Instant::now())
    }

    /// As whom it is named in commands.
    pub(super) fn principal(&self) -> Principal {
        principal(&self.0)
    }
}

impl FromRequestParts<Arc<Sources>> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Sources>) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(nobody)
    }
}

/// Lets a request through, with its [`Asker`] in its extensions, or answers instead: 401 with a challenge (RFC 7617,
/// section 2), 403, 429, or that its body is too large, too slow or broken.
///
/// Around everything, so that every answer is counted, and none is kept by a cache.
pub(super) async fn admit(
    State((sources, operations)): State<(Arc<Sources>, Arc<Operations>)>,
    request: Request,
    next: Next,
) -> Response {
    let since = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let path = request.uri().path().to_owned();
    let operation = operations.find(&route, method(&request));
    let (who, entered) = enter(&sources, &request);
    let mut response = match entered {
        Err(problem) => arrival::refuse(request, problem).await,
        // Its seat is free again once it is answered.
        Ok((asker, _seat)) => match arrival::whole(request, BODY_MOST).await {
            Ok(mut request) => {
                request.extensions_mut().insert(asker);
                next.run(request).await
            }
            Err(problem) => problem.into_response(),
        },
    };
    if let Some((who, operation)) = who.zip(operation) {
        sources.refusals.note(who, &operation, &path, &response);
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"linesman partner\", charset=\"UTF-8\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let status = response.status().as_u16();
    let took = since.elapsed().as_secs_f64();
    tracing::debug!(route, status, took, "a request of an end customer is answered");
    metrics::histogram!("linesman_partner_request_seconds", "route" => route.clone()).record(took);
    let labels = [("route", route), ("status", status.to_string())];
    metrics::counter!("linesman_partner_requests_total", &labels).increment(1);
    response
}

/// The method of a request, as operations are found by it.
fn method(request: &Request) -> &'static str {
    match request.method().as_str() {
        "POST" => "POST",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "GET",
    }
}

/// Who asks, where that is known, and whether they come in.
fn enter(sources: &Sources, request: &Request) -> (Option<Principal>, Result<(Asker, OwnedSemaphorePermit), Problem>) {
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
        return (None, Err(nobody()));
    };
    let shown = request.extensions().get::<ClientCertificate>().and_then(|certificate| certificate.0.as_ref());
    // Who shows a password comes by that. A certificate that nobody knows is answered like none.
    let known = shown.filter(|_| !request.headers().contains_key(AUTHORIZATION));
    let known = known.and_then(|shown| sources.customers.of_certificate(Timestamp::now(), shown));
    let customer = match known.map_or_else(|| log_in(sources, request.headers(), *peer), Ok) {
        Ok(customer) => customer,
        Err(problem) => return (None, Err(problem)),
    };
    if let Some(claims) = request.extensions().get::<Claims>() {
        claims.claim(*peer, &customer.owner, CONNECTIONS);
    }
    let who = principal(&customer);
    (Some(who), let_in(sources, customer))
}

/// Whose user and password a request shows.
fn log_in(sources: &Sources, headers: &HeaderMap, peer: SocketAddr) -> Result<Arc<Customer>, Problem> {
    let (user, password) = basic(headers).ok_or_else(nobody)?;
    match sources.customers.show(Timestamp::now(), &user, &password, peer.ip()) {
        Entered::Right(customer) => Ok(customer),
        Entered::Wrong(known) => {
            metrics::counter!("linesman_partner_logins_refused_total", "reason" => "wrong").increment(1);
            if let Some(customer) = known {
                let (principal, operation) = (principal(&customer), LOG_IN.to_owned());
                let (place, verdict) = (customer.org.to_string(), Verdict::Forbidden);
                sources.refusals.add(Refusal { principal, operation, place, about: None, verdict, count: 1 });
            }
            Err(Problem::new(StatusCode::UNAUTHORIZED, "the user or the password is wrong"))
        }
        Entered::TooSoon { retry_after_s } => {
            metrics::counter!("linesman_partner_logins_refused_total", "reason" => "waiting").increment(1);
            Err(Problem::too_soon("too many wrong passwords: wait before the next try", retry_after_s))
        }
    }
}

/// Lets an end customer in that asks not too often and takes part.
fn let_in(sources: &Sources, customer: Arc<Customer>) -> Result<(Asker, OwnedSemaphorePermit), Problem> {
    customer.pace.take(Instant::now()).map_err(|wait| {
        let most = sources.requests_per_second;
        Problem::too_soon(format!("an end customer may ask {most} times a second"), wait)
    })?;
    let seat = Arc::clone(&customer.seats).try_acquire_owned();
    let seat = seat.map_err(|_| Problem::too_soon("too many requests of this end customer are under way", 1))?;
    let forbidden = |detail: &str| Problem::new(StatusCode::FORBIDDEN, format!("`{}` {detail}", customer.org));
    let lane = sources.lane(&customer.org).ok_or_else(nobody)?;
    let row = Table::read(lane, &organizations::key(&customer.org)).map_err(|error| Problem::internal(&error))?;
    match row {
        None => Err(forbidden("is no organization of this partner any more")),
        Some(row) if !row.is_proxy => Err(forbidden("stands for no end customer: the partner must set `proxy`")),
        Some(row) if row.standing == Standing::Suspended => Err(forbidden("is suspended by the partner")),
        Some(_) => Ok((Asker(customer), seat)),
    }
}

fn principal(customer: &Customer) -> Principal {
    Principal::EndCustomer { organization: customer.org.clone() }
}

fn nobody() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "a user and a password are needed (HTTP Basic)")
}

/// User and password of the one `Authorization` header. Source: RFC 7617, section 2.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > LOGIN_MOST {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_whole_login_is_read() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            basic(&headers)
        };
        let login = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        // `acme:a:b`, `ä:ö`, `acme`
        assert_eq!(read(&["Basic YWNtZTphOmI="]), login("acme", "a:b"));
        assert_eq!(read(&["bAsIc w6Q6w7Y="]), login("\u{e4}", "\u{f6}"));
        let long = format!("Basic {}", STANDARD.encode(format!("acme:{}", "x".repeat(4096))));
        for bad in [
            &[][..],
            &["Basic YWNtZTphOmI=", "Basic YWNtZTphOmI="],
            &["Bearer YWNtZTphOmI="],
            &["Basic"],
            &["Basic YWNtZQ=="],
            &["Basic ****"],
            &["Basic //8="],
            &[long.as_str()],
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
