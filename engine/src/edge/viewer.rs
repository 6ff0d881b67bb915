//! Who asks, and what they may see.
//!
//! [`access`](super::access) knows who asks and says so in the request's extensions; every route that shows something of
//! an organization, or of the provider, takes the [`Viewer`] out and hands it on. What they see is derived anew for each
//! request, from what is granted then ([`super::grants`]). What they may is decided in the lanes; it is asked here too,
//! to refuse early.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use linesman_domain::hidden::Reader;
use linesman_domain::rights::{Effective, Extent, Reach, Ruling};
use linesman_schemas::{OrgName, Place, Principal};
use sha2::{Digest, Sha256};

use super::grants::Held;
use super::transport::problem::Problem;

/// Who asks.
#[derive(Clone)]
pub(super) struct Viewer {
    principal: Principal,
    reach: Arc<Reach>,
    /// Whether there is nothing they do not see.
    sees_everything: bool,
    /// What they were granted; none for the first of the provider's people, who may everything.
    held: Option<Arc<Held>>,
}

impl Viewer {
    /// The first of the provider's people, whose is the engine's token.
    pub(super) fn of_admin() -> Self {
        let reach = Arc::new(Reach::everything());
        Self { principal: Principal::admin(), reach, sees_everything: true, held: None }
    }

    /// Somebody who sees so much, by what `held` has of them.
    pub(super) fn new(principal: Principal, reach: Reach, held: Held) -> Self {
        let sees_everything = reach.covers(&Place::Provider);
        Self { principal, reach: Arc::new(reach), sees_everything, held: Some(Arc::new(held)) }
    }

    /// Whether they see something of what is `whose`: an organization's, or the provider's own (none).
    ///
    /// INVARIANT (sight): whatever an answer shows, counts or names has been asked for here, and what is not seen is
    /// answered like what does not exist.
    pub(super) fn sees(&self, whose: Option<&OrgName>) -> bool {
        self.sees_everything || whose.is_some_and(|org| self.reach.extent(org) != Extent::None)
    }

    /// Whether they see the whole of an organization.
    pub(super) fn sees_all(&self, org: &OrgName) -> bool {
        self.sees_everything || self.reach.extent(org) == Extent::All
    }

    /// Whether they see the whole of what is `whose`: an organization's, or the provider's own (none).
    pub(super) fn sees_whole(&self, whose: Option<&OrgName>) -> bool {
        whose.map_or(self.sees_everything, |org| self.sees_all(org))
    }

    /// Whether there is such a place for them, be it above what they see.
    pub(super) fn sees_place(&self, place: &Place) -> bool {
        self.sees_everything || self.reach.touches(place)
    }

    /// What they see.
    pub(super) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Where they belong: their organization, or the provider.
    pub(super) fn home(&self) -> Place {
        let organization = self.principal.login().and_then(|login| login.organization);
        organization.map_or(Place::Provider, Place::Organization)
    }

    /// What of values is hidden from them.
    pub(super) fn reader(&self) -> Reader<'_> {
        match self.home() {
            Place::Provider => Reader::of_provider(),
            Place::Organization(_) | Place::Below(_) => Reader::of_organization(&self.reach),
        }
    }

    /// Whether they see nothing at all, such as somebody who is gone.
    pub(super) fn is_blind(&self) -> bool {
        *self.reach == Reach::default()
    }

    /// As whom they are named in commands.
    pub(super) fn principal(&self) -> Principal {
        self.principal.clone()
    }

    /// What they may, all granters considered.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn effective(&self) -> Result<Effective, Problem> {
        let Some(held) = &self.held else { return Ok(Effective::everything()) };
        let effective = held.effective(&self.principal).map_err(|error| Problem::internal(&error))?;
        Ok(effective.unwrap_or_default())
    }

    /// Whether they may ask for an operation on a place.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn has(&self, operation: &'static str, place: &Place) -> Result<bool, linesman_domain::Error> {
        let Some(held) = &self.held else { return Ok(true) };
        Ok(held.may(&self.principal, operation, place)? == Ruling::Allowed)
    }

    /// Lets on whoever may ask for an operation on a place: a courtesy, for lanes decide.
    ///
    /// # Errors
    /// For them there is no such place; or they see it, and may not.
    pub(super) fn may(&self, operation: &'static str, place: &Place) -> Result<(), Problem> {
        let Some(held) = &self.held else { return Ok(()) };
        match held.may(&self.principal, operation, place).map_err(|error| Problem::internal(&error))? {
            Ruling::Allowed => Ok(()),
            Ruling::Forbidden(denial) => {
                Err(Problem::new(StatusCode::FORBIDDEN, denial.to_string()).of(operation, place.clone()))
            }
            Ruling::Unseen => Err(unseen(place).of(operation, place.clone())),
        }
    }
}

/// The answer where there is no such place for whoever asks.
fn unseen(place: &Place) -> Problem {
    match place {
        Place::Provider => nothing(),
        Place::Organization(org) => Problem::new(StatusCode::NOT_FOUND, format!("there is no organization `{org}`")),
        Place::Below(place) => Problem::new(StatusCode::NOT_FOUND, format!("there is no place `{place}`")),
    }
}

/// Whose an event of OUT is, which its subject says: an organization's, or nobody's but the provider's (none).
pub(super) fn owner(subject: &str) -> Option<OrgName> {
    subject.split('.').nth(1)?.parse().ok()
}

/// The answer where there is nothing.
pub(super) fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing under this path")
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // Whoever is not known gets no further than to what is open, which takes no viewer.
        parts.extensions.get().cloned().ok_or_else(nothing)
    }
}

/// Who is known, and by what token.
pub(super) struct Bearers(Vec<(Token, Principal)>);

/// What a request must bear; the token itself is not kept.
struct Token([u8; 32]);

impl Bearers {
    /// Whoever has the engine's token is the first of the provider's people.
    pub(super) fn new(token: &str) -> Self {
        Self(vec![(Token::new(token), Principal::admin())])
    }

    /// Who asks: whose token the one `Authorization` bears. The scheme's case does not matter (RFC 9110,
    /// section 11.1).
    pub(super) fn principal(&self, headers: &HeaderMap) -> Option<Principal> {
        let mut offers = headers.get_all(AUTHORIZATION).iter();
        let (Some(offer), None) = (offers.next(), offers.next()) else { return None };
        let (scheme, offered) = offer.as_bytes().split_at_checked("Bearer ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Bearer ") {
            return None;
        }
        let offered = Token::new(offered.trim_ascii());
        self.0.iter().find(|(token, _)| token.is(&offered)).map(|(_, principal)| principal.clone())
    }
}

#[cfg(test)]
impl Bearers {
    /// One more.
    pub(super) fn add(&mut self, token: &str, principal: Principal) {
        self.0.push((Token::new(token), principal));
    }
}

impl Token {
    fn new(token: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Whether they are the same. Hashes are compared, whole: how long that takes tells nothing of them.
    fn is(&self, offered: &Self) -> bool {
        let differing = self.0.iter().zip(offered.0).fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
        std::hint::black_box(differing) == 0
    }
}
