//! One request and its whole answer, bounded in time and size.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::ReactionId;
use linesman_schemas::outcome::Failure;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};

use super::expiry::Expiry;
use super::names::Names;
use super::{SettingsError, Way, fault, retry_after};
use crate::tls::{self, Shown, Trust, Watch};

/// By what a request is known again that is made anew.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Connecting may not take longer than this, whatever the whole request may.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An idle connection is given up before servers usually give it up: a request sent into a closing
/// connection fails for nothing.
const IDLE: Duration = Duration::from_secs(15);

/// An answer, whatever it says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after_s: Option<u32>,
    pub(crate) body: Vec<u8>,
}

/// The connections to an upstream.
#[derive(Debug)]
pub(crate) struct Exchange {
    client: Client,
    base: Url,
    /// Whom messages speak of.
    peer: String,
    trust: Trust,
    watch: Arc<Watch>,
    expiry: Expiry,
    /// How far the other side's clock was ahead of ours, by its last answer that said so.
    ahead: Mutex<Option<SignedDuration>>,
    /// Most bytes an answer may have.
    answer_most: usize,
}

impl Exchange {
    /// # Errors
    /// A setting cannot be used.
    pub(crate) fn new(way: &Way, answer_most: usize) -> Result<Self, SettingsError> {
        let base = way.check()?;
        let watch = Arc::new(Watch::default());
        let mut client = tls::watching_client(&way.trust, Arc::clone(&watch), way.identity.as_ref())?;
        if let Some(proxy) = &way.proxy {
            client = client.proxy(proxy.for_client()?);
        }
        let client = client
            .user_agent(concat!("linesman/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(Names))
            .local_address(way.source_address)
            .timeout(way.timeout)
            .connect_timeout(way.timeout.min(CONNECT_TIMEOUT))
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(way.concurrency)
            .build()?;
        let peer = match base.port() {
            Some(port) => format!("{}:{port}", base.host_str().unwrap_or_default()),
            None => base.host_str().unwrap_or_default().to_owned(),
        };
        let expiry = Expiry::default();
        Ok(Self { client, base, peer, trust: way.trust.clone(), watch, expiry, ahead: Mutex::default(), answer_most })
    }

    /// The address of `path` below the base address.
    pub(crate) fn at(&self, path: &str) -> Result<Url, Failure> {
        self.base.join(path).map_err(|error| fault::garbled(format!("`{path}` is no path: {error}")))
    }

    /// A request to an address that [`Self::at`] has made.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends `request`, counts it in `requests`, and reads the answer.
    pub(crate) async fn send(&self, request: RequestBuilder, requests: &mut u32) -> Result<Answer, Failure> {
        *requests += 1;
        let failed = |error: reqwest::Error| fault::of_transport(&error, &self.peer, &self.trust, self.watch.last());
        let sent = request.send().await;
        self.heed_certificate();
        let mut response = sent.map_err(failed)?;
        let (status, mut body) = (response.status(), Vec::new());
        let now = Timestamp::now();
        let retry_after_s = retry_after::retry_after_s(response.headers(), now);
        if let Some(theirs) = retry_after::said(response.headers()) {
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(theirs.duration_since(now));
        }
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.answer_most {
                return Err(fault::garbled(format!("the answer is longer than {} bytes", self.answer_most)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after_s, body })
    }

    /// The certificate that was shown last; none before the first.
    pub(crate) fn certificate(&self) -> Option<Shown> {
        self.watch.last()
    }

    /// How often another certificate than the pinned one was shown.
    pub(crate) fn pin_mismatches(&self) -> u64 {
        self.watch.mismatches()
    }

    /// How far the other side's clock was ahead of ours, by its last answer; none where it does not say.
    pub(crate) fn ahead(&self) -> Option<SignedDuration> {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Speaks of a certificate that ends soon, or has ended.
    fn heed_certificate(&self) {
        let Some(ends) = self.certificate().and_then(|shown| shown.ends) else { return };
        let now = Timestamp::now();
        if !self.expiry.is_due(ends, now) {
            return;
        }
        let peer = &self.peer;
        match now > ends {
            true => tracing::warn!(%peer, %ends, "the certificate of the upstream has ended"),
            false => tracing::warn!(%peer, %ends, "the certificate of the upstream ends soon"),
        }
    }
}

/// A reaction's id as a header; one that is none would be refused for ever.
pub(crate) fn key(id: &ReactionId) -> Result<HeaderValue, Failure> {
    key_of(id.as_str())
}

/// The same of an id with something behind it.
pub(crate) fn key_of(text: &str) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::from_str(text).ok().filter(|_| text.is_ascii());
    value.ok_or_else(|| fault::refused("the reaction's id cannot travel in a header".to_owned()))
}
