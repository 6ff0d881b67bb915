//! Who asks, and what they may see.
//!
//! [`access`](super::access) knows who asks by their token and says so in the request's extensions; every route
//! that shows something of an organization, or of the provider, takes the [`Viewer`] out and hands it on. What a
//! viewer may do is not asked here: commands are decided in the lanes.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use linesman_domain::rights::Reach;
#[cfg(test)]
use linesman_schemas::Sphere;
use linesman_schemas::{OrgName, Place, Principal};
use sha2::{Digest, Sha256};

use super::transport::problem::Problem;

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Viewer {
    principal: Principal,
    reach: Arc<Reach>,
}

impl Viewer {
    /// Whoever has the engine's token sees everything.
    pub(super) fn of_token() -> Self {
        Self { principal: Principal::admin(), reach: Arc::new(Reach::everything()) }
    }

    /// Whether they see what is `whose`: an organization's, or the provider's own (none).
    ///
    /// INVARIANT (sight): whatever an answer shows, counts or names has been asked for here, and what is not seen is
    /// answered like what does not exist.
    pub(super) fn sees(&self, whose: Option<&OrgName>) -> bool {
        match whose {
            Some(org) => self.sees_place(&Place::Organization(org.clone())),
            None => self.sees_place(&Place::Provider),
        }
    }

    /// Whether they see a place, be it as what lies above something that they see.
    pub(super) fn sees_place(&self, place: &Place) -> bool {
        self.reach.touches(place)
    }

    /// What they see.
    pub(super) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// As whom they are named in commands.
    pub(super) fn principal(&self) -> Principal {
        self.principal.clone()
    }

    /// Lets on whoever sees the provider's own, such as how the engine is.
    ///
    /// # Errors
    /// There is nothing there for them.
    pub(super) fn sees_provider(&self) -> Result<(), Problem> {
        if self.sees(None) { Ok(()) } else { Err(nothing()) }
    }
}

#[cfg(test)]
impl Viewer {
    /// One who sees a single organization.
    pub(super) fn of_organization(org: &str) -> Self {
        Self::manager(&format!("{org}/viewer"), org)
    }

    /// A manager who sees so many places.
    pub(super) fn manager(login: &str, places: &str) -> Self {
        let sphere = Sphere::of(places.split_whitespace().map(|place| place.parse().unwrap()));
        let reach = Arc::new(Reach { sphere, ..Reach::default() });
        Self { principal: Principal::of_login(&login.parse().unwrap(), None), reach }
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
pub(super) struct Bearers(Vec<(Token, Viewer)>);

/// What a request must bear; the token itself is not kept.
struct Token([u8; 32]);

impl Bearers {
    /// Whoever has the engine's token.
    pub(super) fn new(token: &str) -> Self {
        Self(vec![(Token::new(token), Viewer::of_token())])
    }

    /// Who asks: whose token the one `Authorization` bears. The scheme's case does not matter (RFC 9110,
    /// section 11.1).
    pub(super) fn viewer(&self, headers: &HeaderMap) -> Option<Viewer> {
        let mut offers = headers.get_all(AUTHORIZATION).iter();
        let (Some(offer), None) = (offers.next(), offers.next()) else { return None };
        let (scheme, offered) = offer.as_bytes().split_at_checked("Bearer ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Bearer ") {
            return None;
        }
        let offered = Token::new(offered.trim_ascii());
        self.0.iter().find(|(token, _)| token.is(&offered)).map(|(_, viewer)| viewer.clone())
    }
}

#[cfg(test)]
impl Bearers {
    /// One more.
    pub(super) fn add(&mut self, token: &str, viewer: Viewer) {
        self.0.push((Token::new(token), viewer));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_sees_what_is_theirs() {
        let (acme, bolt): (OrgName, OrgName) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
        for (viewer, expected) in
            [(Viewer::of_token(), [true; 3]), (Viewer::of_organization("acme"), [true, false, false])]
        {
            assert_eq!([Some(&acme), Some(&bolt), None].map(|whose| viewer.sees(whose)), expected, "{viewer:?}");
        }
    }
}
