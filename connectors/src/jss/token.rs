//! One bearer token for all tasks: fetched when there is none, kept until shortly before its end.
//!
//! Source: RFC 6749, 4.4 (client credentials, in the body as 2.3.1 allows).

use std::sync::Arc;
use std::time::Duration;

use linesman_schemas::outcome::{Failure, FailureClass};
use reqwest::Method;
use reqwest::header::HeaderValue;
use tokio::time::Instant;

use super::wire::{Granted, NotGranted};
use super::{Settings, fault};
use crate::Secret;
use crate::text::excerpt;
use crate::upstream::exchange::{Answer, Exchange};
use crate::upstream::fault::garbled;
use crate::upstream::shared::Shared;

/// How long before its end a token is no longer used, unless that is more than half its life.
const MARGIN: Duration = Duration::from_secs(30);
/// The longest life believed.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// A token as requests carry it; the header masks itself.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    expires: Instant,
}

/// The keeper of the token.
#[derive(Debug)]
pub(super) struct Tokens {
    user: String,
    password: Secret,
    kept: Shared<Token>,
}

impl Tokens {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { user: settings.way.user.clone(), password: settings.way.password.clone(), kept: Shared::default() }
    }

    /// A token that is not `stale`, the one kept or a new one.
    pub(super) async fn get(
        &self,
        exchange: &Exchange,
        stale: Option<&Arc<Token>>,
        requests: &mut u32,
    ) -> Result<Arc<Token>, Failure> {
        let is_alive = |token: &Token| Instant::now() < token.expires;
        self.kept.get(stale, is_alive, self.fetch(exchange, requests)).await
    }

    async fn fetch(&self, exchange: &Exchange, requests: &mut u32) -> Result<Token, Failure> {
        let password = self.password.expose();
        let form = [("grant_type", "client_credentials"), ("client_id", &self.user), ("client_secret", password)];
        let request = exchange.request(Method::POST, exchange.at("oauth2/token")?);
        // Its life counts from before the request: the answer may have been under way for long.
        let asked = Instant::now();
        let answer = exchange.send(request.form(&form), requests).await?;
        granted(&answer, asked)
    }
}

fn granted(answer: &Answer, asked: Instant) -> Result<Token, Failure> {
    match answer.status.as_u16() {
        200 => {}
        // RFC 6749, 5.2: most refusals of credentials are a 400.
        400 | 401 | 403 => {
            let error = serde_json::from_slice::<NotGranted>(&answer.body).map(|refusal| excerpt(&refusal.error, 64));
            let reason = error.map(|error| format!(": {error}")).unwrap_or_default();
            let message = format!("no token is granted, HTTP {}{reason}", answer.status.as_u16());
            return Err(Failure {
                class: FailureClass::Unauthorized,
                message,
                retry_after_s: answer.retry_after_s,
                cause: None,
            });
        }
        _ => {
            let failure = fault::of_status(answer);
            return Err(Failure { message: format!("the token request was {}", failure.message), ..failure });
        }
    }
    // What is wrong with it is not quoted: it may be the token.
    let no_token = || garbled("the answer to the token request cannot be read".to_owned());
    let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| no_token())?;
    let is_token = (1..=8192).contains(&granted.access_token.len())
        && granted.access_token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token || !granted.token_type.eq_ignore_ascii_case("bearer") || granted.expires_in == 0 {
        return Err(no_token());
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {}", granted.access_token)).map_err(|_| no_token())?;
    header.set_sensitive(true);
    let life = Duration::from_secs(granted.expires_in).min(LONGEST_LIFE);
    Ok(Token { header, expires: asked + life.saturating_sub(MARGIN).max(life / 2) })
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: String) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), retry_after_s: None, body: body.into_bytes() }
    }

    fn body(token: &str, kind: &str, seconds: u64) -> String {
        json!({ "access_token": token, "token_type": kind, "expires_in": seconds }).to_string()
    }

    #[test]
    fn a_token_ends_before_its_end() {
        let now = Instant::now();
        for (life, used) in [(3600, 3570), (60, 30), (40, 20), (10, 5), (u64::MAX, 86_370)] {
            let token = granted(&answer(200, body("t", "bearer", life)), now).unwrap();
            assert_eq!(token.expires - now, Duration::from_secs(used), "{life}");
        }
    }

    #[test]
    fn an_answer_that_is_no_token_is_garbled_and_not_quoted() {
        let long = "x".repeat(8193);
        let bodies = [
            body("", "Bearer", 60),
            body(&long, "Bearer", 60),
            body("a b", "Bearer", 60),
            body("tökn", "Bearer", 60),
            body("secret", "mac", 60),
            body("secret", "Bearer", 0),
            "secret".to_owned(),
        ];
        for body in bodies {
            let failure = granted(&answer(200, body), Instant::now()).unwrap_err();
            assert_eq!(failure.class, FailureClass::Garbled);
            assert_eq!(failure.message, "the answer to the token request cannot be read");
        }
    }

    #[test]
    fn refused_credentials_are_unauthorized_whatever_the_status() {
        for status in [400, 401, 403] {
            let body = json!({ "error": "invalid_client" }).to_string();
            let failure = granted(&answer(status, body), Instant::now()).unwrap_err();
            assert_eq!(failure.class, FailureClass::Unauthorized);
            assert_eq!(failure.message, format!("no token is granted, HTTP {status}: invalid_client"));
        }
    }

    #[test]
    fn a_token_masks_itself() {
        let token = granted(&answer(200, body("hunter2", "Bearer", 60)), Instant::now()).unwrap();
        assert!(!format!("{token:?}").contains("hunter2"));
    }
}
