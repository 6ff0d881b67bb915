//! The tokens given out, in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::tls;

/// Tokens by when they end.
#[derive(Debug, Default)]
pub(super) struct Tokens(BTreeMap<String, Instant>);

impl Tokens {
    /// A new token that lives for `life`; `None` if the system has no randomness to give.
    pub(super) fn issue(&mut self, life: Duration, now: Instant) -> Option<String> {
        self.0.retain(|_, end| *end > now);
        let token = random()?;
        self.0.insert(token.clone(), now + life);
        Some(token)
    }

    /// Whether a request that says `authorization` bears one that is alive.
    pub(super) fn admits(&self, authorization: Option<&str>, now: Instant) -> bool {
        let token = authorization.and_then(|text| text.strip_prefix("Bearer "));
        token.and_then(|token| self.0.get(token)).is_some_and(|end| *end > now)
    }

    /// Ends all.
    pub(super) fn revoke(&mut self) {
        self.0.clear();
    }
}

/// 128 random bits, in hexadecimal.
fn random() -> Option<String> {
    let mut bits = [0; 16];
    tls::provider().secure_random.fill(&mut bits).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bits)))
}
