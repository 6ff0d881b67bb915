//! Requests of a partner, as one of its end customers: registered before the first, and kept to the partner's pace.

use std::time::Duration;

use jiff::Timestamp;
use linesman_schemas::ReactionId;
use linesman_schemas::cascade::{PATH, Registration};
use linesman_schemas::outcome::{Failure, FailureClass};
use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::pace::Pace;
use super::{Settings, answer, fault};
use crate::Secret;
use crate::upstream::SettingsError;
use crate::upstream::exchange::{self, Answer, Exchange, IDEMPOTENCY_KEY};
use crate::upstream::shared::Shared;

/// Most bytes an answer may have: a page with cases that much is said of.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// The client side of the partner's protocol.
#[derive(Debug)]
pub(super) struct Session {
    exchange: Exchange,
    user: String,
    password: Secret,
    registration: Registration,
    /// How long a request waits for its place.
    patience: Duration,
    /// What this process is registered with.
    registered: Shared<Pace>,
}

impl Session {
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            exchange: Exchange::new(&settings.way, ANSWER_BYTES)?,
            user: settings.way.user.clone(),
            password: settings.way.password.clone(),
            registration: Registration { controller: settings.controller.clone() },
            patience: settings.way.timeout,
            registered: Shared::default(),
        })
    }

    /// Posts `body` to a path once for `key`, and gives the answer of a success.
    pub(super) async fn post(
        &self,
        path: &[&str],
        key: &ReactionId,
        body: &impl Serialize,
        requests: &mut u32,
    ) -> Result<Vec<u8>, Failure> {
        let key = exchange::key(key)?;
        let request = self.request(Method::POST, self.at(path)?);
        self.call(request.header(IDEMPOTENCY_KEY, key).json(body), requests).await
    }

    /// The page of changes behind a cursor.
    pub(super) async fn page(&self, cursor: Option<&str>, requests: &mut u32) -> Result<Vec<u8>, Failure> {
        let mut url = self.at(&["cases"])?;
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        self.call(self.request(Method::GET, url), requests).await
    }

    /// When the certificate ends that was shown last.
    pub(super) fn certificate_ends(&self) -> Option<Timestamp> {
        self.exchange.certificate_ends()
    }

    async fn call(&self, request: RequestBuilder, requests: &mut u32) -> Result<Vec<u8>, Failure> {
        let answer = self.answered(request, requests).await?;
        fault::judge(&answer)?;
        Ok(answer.body)
    }

    /// The answer to a request, whatever it says.
    pub(super) async fn answered(&self, request: RequestBuilder, requests: &mut u32) -> Result<Answer, Failure> {
        let pace = self.registered.get(None, |_| true, self.register(requests)).await?;
        let place = pace.take(Instant::now(), self.patience).map_err(too_many)?;
        sleep_until(place).await;
        let answer = self.exchange.send(request, requests).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // Whoever mends it may have made us somebody else's: we say anew who we are.
            self.registered.give_up(&pace).await;
        }
        Ok(answer)
    }

    async fn register(&self, requests: &mut u32) -> Result<Pace, Failure> {
        let request = self.request(Method::POST, self.at(&["registration"])?).json(&self.registration);
        let answer = self.exchange.send(request, requests).await?;
        fault::judge(&answer)
            .map_err(|failure| Failure { message: format!("the registration was {}", failure.message), ..failure })?;
        let registered = answer::registered(&answer.body)?;
        let (id, partner) = (&registered.id, &registered.controller);
        let requests_per_second = registered.requests_per_second;
        tracing::info!(%id, %partner, requests_per_second, "registered with the partner");
        Ok(Pace::new(requests_per_second))
    }

    /// A request as this end customer.
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.exchange.request(method, url).header(ACCEPT, "application/json, application/problem+json");
        request.basic_auth(&self.user, Some(self.password.expose()))
    }

    /// The address of a path below the protocol's.
    pub(super) fn at(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.exchange.at(PATH.trim_start_matches('/'))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        Ok(url)
    }
}

/// Too many tasks wait for their place already.
fn too_many(away: Duration) -> Failure {
    let seconds = u32::try_from(away.as_secs()).unwrap_or(u32::MAX).max(1);
    let message = "more requests wait than the partner bears".to_owned();
    Failure { class: FailureClass::Overloaded, message, retry_after_s: Some(seconds) }
}
