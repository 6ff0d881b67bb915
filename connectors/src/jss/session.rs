//! Requests of the case API under a token.

use jiff::SignedDuration;
use linesman_schemas::ReactionId;
use linesman_schemas::outcome::Failure;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::Serialize;

use super::token::Tokens;
use super::{Settings, fault};
use crate::tls::Shown;
use crate::upstream::SettingsError;
use crate::upstream::exchange::{self, Answer, Exchange, IDEMPOTENCY_KEY};

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

    /// How often another certificate than the pinned one was shown.
    pub(super) fn pin_mismatches(&self) -> u64 {
        self.exchange.pin_mismatches()
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

    /// Posts `body` to `path` and gives the answer of a success.
    pub(super) async fn call(
        &self,
        path: &str,
        key: Option<&ReactionId>,
        body: &impl Serialize,
        requests: &mut u32,
    ) -> Result<Vec<u8>, Failure> {
        let key = key.map(exchange::key).transpose()?;
        let url = self.at(path)?;
        let make = || {
            let request = self.exchange.request(Method::POST, url.clone()).json(body);
            match &key {
                Some(key) => request.header(IDEMPOTENCY_KEY, key.clone()),
                None => request,
            }
        };
        let answer = self.answered(make, requests).await?;
        fault::judge(&answer)?;
        Ok(answer.body)
    }

    /// Gets an address and gives the answer of a success.
    pub(super) async fn get(&self, url: Url, requests: &mut u32) -> Result<Vec<u8>, Failure> {
        let answer = self.answered(|| self.exchange.request(Method::GET, url.clone()), requests).await?;
        fault::judge(&answer)?;
        Ok(answer.body)
    }

    /// The answer to a request under a token, whatever it says, counting every request made. A token the other side no
    /// longer takes is renewed once.
    pub(super) async fn answered(
        &self,
        make: impl Fn() -> RequestBuilder,
        requests: &mut u32,
    ) -> Result<Answer, Failure> {
        let mut token = self.tokens.get(&self.exchange, None, requests).await?;
        let mut is_renewed = false;
        loop {
            let request = make().header(AUTHORIZATION, token.header.clone()).header(ACCEPT, "application/json");
            let request = request.header(APPLICATION_ID, self.application_id.as_str());
            let answer = self.exchange.send(request, requests).await?;
            if answer.status == StatusCode::UNAUTHORIZED && !is_renewed {
                is_renewed = true;
                token = self.tokens.get(&self.exchange, Some(&token), requests).await?;
                continue;
            }
            return Ok(answer);
        }
    }

    /// A request to an address that [`Self::at`] has made.
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.exchange.request(method, url)
    }

    /// The address of a path of the contract.
    pub(super) fn at(&self, path: &str) -> Result<Url, Failure> {
        self.exchange.at(path)
    }
}
