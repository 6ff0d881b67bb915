//! Requests of a partner, as one of its end customers: registered before the first, and kept to the partner's pace.

use std::time::Duration;

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
use crate::tls::Shown;
use crate::upstream::exchange::{self, Answer, Exchange, IDEMPOTENCY_KEY};
use crate::upstream::probe::{self, Step, Steps, Trial};
use crate::upstream::shared::Shared;
use crate::upstream::{SettingsError, Way};

/// Most bytes an answer may have: a page with cases that much is said of.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// What is answered to whom the partner knows, and does not register.
const KNOWN: [StatusCode; 3] = [StatusCode::FORBIDDEN, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];

/// The client side of the partner's protocol.
#[derive(Debug)]
pub(super) struct Session {
    exchange: Exchange,
    user: String,
    password: Secret,
    registration: Registration,
    /// How long a request waits for its place.
    patience: Duration,
    /// How it is tried out.
    way: Way,
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
            way: settings.way.clone(),
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

    /// The page of messages behind a cursor.
    pub(super) async fn messages(&self, cursor: Option<&str>, requests: &mut u32) -> Result<Vec<u8>, Failure> {
        let mut url = self.at(&["intelligence"])?;
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("after", cursor);
        }
        self.call(self.request(Method::GET, url), requests).await
    }

    /// The certificate that was shown last.
    pub(super) fn certificate(&self) -> Option<Shown> {
        self.exchange.certificate()
    }

    /// How often another certificate than the pinned one was shown.
    pub(super) fn pin_mismatches(&self) -> u64 {
        self.exchange.pin_mismatches()
    }

    /// Tries the way out and registers anew, step by step.
    pub(super) async fn probe(&self) -> Vec<Step> {
        let mut steps = Steps::default();
        if !probe::way(&self.way, &mut steps).await {
            return steps.end();
        }
        let request = self.request(
            Method::POST,
            match self.at(&["registration"]) {
                Ok(url) => url,
                Err(failure) => {
                    steps.refused(failure);
                    return steps.end();
                }
            },
        );
        let answer = self.exchange.send(request.json(&self.registration), &mut 0).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                steps.refused(failure);
                return steps.end();
            }
        };
        // Who is told why it may not has shown a login that is taken.
        let is_known = answer.status.is_success() || KNOWN.contains(&answer.status);
        if is_known {
            let found = match self.way.identity {
                Some(_) => "our certificate is known".to_owned(),
                None => format!("the user `{}` is known", self.user),
            };
            steps.note(Trial::Login, Ok(found));
        }
        match fault::judge(&answer).and_then(|()| answer::registered(&answer.body)) {
            Err(failure) => {
                let trial = if is_known { Trial::Organization } else { Trial::Login };
                steps.note(trial, Err(failure.message));
            }
            Ok(registered) => {
                let (id, partner) = (&registered.id, &registered.controller);
                steps.note(Trial::Organization, Ok(format!("known as `{id}` at the partner `{partner}`")));
                steps.note(Trial::Pace, Ok(format!("{} requests a second", registered.requests_per_second)));
                steps.clock(self.exchange.ahead());
            }
        }
        steps.end()
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
        match self.way.identity {
            // The connection has shown who we are.
            Some(_) => request,
            None => request.basic_auth(&self.user, Some(self.password.expose())),
        }
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
    Failure { class: FailureClass::Overloaded, message, retry_after_s: Some(seconds), cause: None }
}
