//! Requests of the case API under a token.

use jiff::SignedDuration;
use linesman_schemas::ReactionId;
use linesman_schemas::outcome::Failure;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName};
use reqwest::{Method, StatusCode};
use serde::Serialize;

use super::token::Tokens;
use super::{Settings, fault};
use crate::tls::Shown;
use crate::upstream::SettingsError;
use crate::upstream::exchange::{self, Exchange, IDEMPOTENCY_KEY};

const APPLICATION_ID: HeaderName = HeaderName::from_static("application-id");
/// Most bytes an answer may have.
const ANSWER_BYTES: usize = 1024 * 1024;

/// The client side of the case API.
#[derive(Debug)]
pub(super) struct Session {
    exchange: Exchange,
    tokens: Tokens,
    application_id: String,
}

impl Session {
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            exchange: Exchange::new(&settings.way, ANSWER_BYTES)?,
            tokens: Tokens::new(settings),
            application_id: settings.application_id.clone(),
        })
    }

    /// The certificate that was shown last.
    pub(super) fn certificate(&self) -> Option<Shown> {
        self.exchange.certificate()
    }

    /// Asks for a new token.
    pub(super) async fn log_in(&self) -> Result<(), Failure> {
        let kept = self.tokens.get(&self.exchange, None, &mut 0).await?;
        self.tokens.get(&self.exchange, Some(&kept), &mut 0).await.map(drop)
    }

    /// How far the other side's clock was ahead of ours.
    pub(super) fn ahead(&self) -> Option<SignedDuration> {
        self.exchange.ahead()
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
        let key = key.map(exchange::key).transpose()?;
        let mut token = self.tokens.get(&self.exchange, None, requests).await?;
        let mut is_renewed = false;
        loop {
            let mut request = self.exchange.request(Method::POST, self.exchange.at(path)?);
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
