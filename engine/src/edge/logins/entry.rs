//! Who comes in by what they show: the engine's token, a session, an API token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use jiff::Timestamp;
use linesman_domain::table::Table;
use linesman_domain::{self as domain, credentials, sessions, tokens};
use linesman_schemas::{Login, Principal, SessionId};

use super::bearer::{Bearer, Kind};
use super::uses::Pass;
use super::{Logins, cookie};
use crate::edge::sources::Sources;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::nothing;

/// What somebody may do whose password was set by another: change it, and go.
const BEFORE_CHANGE: [(Method, &str); 3] =
    [(Method::GET, "/api/v1/me"), (Method::PUT, "/api/v1/me/password"), (Method::DELETE, "/api/v1/session")];

/// How somebody came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edge) enum Way {
    /// By the engine's own token: who has it is on the machine.
    Machine,
    /// By a session.
    Session(SessionId),
    /// By an API token.
    Token,
}

/// Who came in, and how.
#[derive(Debug, Clone)]
pub(in crate::edge) struct Entry {
    pub(in crate::edge) principal: Principal,
    pub(in crate::edge) way: Way,
}

/// Who stands at the door.
pub(in crate::edge) enum Entered {
    /// Nobody is known by what is shown.
    Nobody,
    /// Somebody comes in.
    In(Entry),
    /// Somebody is known, and gets no further: why.
    Barred(Principal, &'static str),
}

impl<S: Sync> FromRequestParts<S> for Entry {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(nothing)
    }
}

impl Entry {
    /// Whose login they came in by.
    ///
    /// # Errors
    /// There is none: never.
    pub(in crate::edge) fn login(&self) -> Result<Login, Problem> {
        self.principal.login().ok_or_else(nothing)
    }
}

impl Sources {
    /// Who asks. They get no further if the request came from a page of others, or their password is to be changed first.
    ///
    /// # Errors
    /// Rows cannot be read.
    pub(in crate::edge) fn enter(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<Entered, Problem> {
        if let Some(principal) = self.bearers.principal(headers) {
            return Ok(Entered::In(Entry { principal, way: Way::Machine }));
        }
        let (text, is_cookie) = match (headers.contains_key(AUTHORIZATION), cookie::read(headers)) {
            (true, _) => (shown(headers), false),
            (false, text) => (text, true),
        };
        let Some(bearer) = text.and_then(Bearer::read) else { return Ok(Entered::Nobody) };
        let entered = self.logins.admit(&bearer).map_err(|error| Problem::internal(&error))?;
        let Some((entry, must_change)) = entered else { return Ok(Entered::Nobody) };
        let is_before_change = || BEFORE_CHANGE.iter().any(|(known, at)| known == method && *at == path);
        if is_cookie && !cookie::is_ours(method, headers) {
            let why = "a request with a cookie that changes something has `Origin` as the address of this API";
            return Ok(Entered::Barred(entry.principal, why));
        }
        if must_change && !is_before_change() {
            let why = "the password was set by somebody else: change it first, with `PUT /api/v1/me/password`";
            return Ok(Entered::Barred(entry.principal, why));
        }
        Ok(Entered::In(entry))
    }
}

/// What the one `Authorization` bears. The scheme's case does not matter (RFC 9110, section 11.1).
fn shown(headers: &HeaderMap) -> Option<&str> {
    let mut offers = headers.get_all(AUTHORIZATION).iter();
    let (Some(offer), None) = (offers.next(), offers.next()) else { return None };
    let (scheme, shown) = offer.to_str().ok()?.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case("Bearer ").then_some(shown.trim())
}

impl Logins {
    /// Who comes in by `bearer`, and whether they have to change their password first.
    fn admit(self: &Arc<Self>, bearer: &Bearer) -> Result<Option<(Entry, bool)>, domain::Error> {
        let (now, login) = (Timestamp::now(), &bearer.login);
        let Some(lane) = self.lane(login.organization.as_ref()) else { return Ok(None) };
        match bearer.kind {
            Kind::Session => {
                let Ok(session) = bearer.name.parse::<SessionId>() else { return Ok(None) };
                let row = Table::read(lane, &sessions::key(login, &session))?.filter(|row| bearer.is(&row.hash));
                let used = |noted| self.uses().last_of_session(&self.limits, (login, &session), noted, now);
                let Some(row) = row.filter(|row| self.limits.is_good(row.expires, used(row.used), now)) else {
                    return Ok(None);
                };
                let pass = Pass::Session(session.clone());
                let Some(credentials) = Table::read(lane, &credentials::key(login))? else { return Ok(None) };
                self.uses().add(now, (login.clone(), pass), row.used, self.limits.noted_every());
                let principal = Principal::of_login(login, None);
                Ok(Some((Entry { principal, way: Way::Session(session) }, credentials.must_change)))
            }
            Kind::Token => {
                let Ok(token) = bearer.name.parse() else { return Ok(None) };
                let row = Table::read(lane, &tokens::key(login, &token))?.filter(|row| bearer.is(&row.hash));
                let Some(row) = row.filter(|row| row.expires.is_none_or(|end| now < end)) else { return Ok(None) };
                let noted = row.used.unwrap_or(Timestamp::UNIX_EPOCH);
                let pass = Pass::Token(token.clone());
                self.uses().add(now, (login.clone(), pass), noted, self.limits.noted_every());
                Ok(Some((Entry { principal: Principal::of_login(login, Some(token)), way: Way::Token }, false)))
            }
        }
    }
}
