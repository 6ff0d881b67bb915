//! Requests of the case API under a token.

use linesman_schemas::ReactionId;
use linesman_schemas::outcome::{Failure, FailureClass};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue};
use serde::Serialize;

use super::exchange::Exchange;
use super::token::Tokens;
use super::{Settings, SettingsError, fault};

const APPLICATION_ID: HeaderName = HeaderName::from_static("application-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The client side of the case API.
#[derive(Debug)]
pub(super) struct Session {
    exchange: Exchange,
    tokens: Tokens,
    application_id: String,
}

impl Session {
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            exchange: Exchange::new(settings)?,
            tokens: Tokens::new(settings),
            application_id: settings.application_id.clone(),
        })
    }

    /// Posts `body` to `path` and gives the answer of a success, counting every request made. A
    /// token the other side no longer takes is renewed once.
    pub(super) async fn call(
        &self,
        path: &str,
        key: Option<&ReactionId>,
        body: &impl Serialize,
        requests: &mut u32,
    ) -> Result<Vec<u8>, Failure> {
        let key = key.map(header).transpose()?;
        let mut token = self.tokens.get(&self.exchange, None, requests).await?;
        let mut is_renewed = false;
        loop {
            let mut request = self.exchange.post(path)?;
            request = request.header(AUTHORIZATION, token.header.clone()).header(ACCEPT, "application/json");
            request = request.header(APPLICATION_ID, self.application_id.as_str());
            if let Some(key) = &key {
                request = request.header(IDEMPOTENCY_KEY, key.clone());
            }
            let answer = self.exchange.send(request.json(body), requests).await?;
            if answer.status == StatusCode::UNAUTHORIZED && !is_renewed {
                is_renewed = true;
                token = self.tokens.get(&self.exchange, Some(&token), requests).await?;
                continue;
            }
            fault::judge(&answer)?;
            return Ok(answer.body);
        }
    }
}

/// A reaction's id as a header; one that is none would be refused for ever.
fn header(key: &ReactionId) -> Result<HeaderValue, Failure> {
    let text = key.as_str();
    let value = HeaderValue::from_str(text).ok().filter(|_| text.is_ascii());
    value.ok_or_else(|| Failure {
        class: FailureClass::Refused,
        message: "the reaction's id cannot travel in a header".to_owned(),
        retry_after_s: None,
    })
}
