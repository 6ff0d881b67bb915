//! One request and its whole answer, bounded in time and size.

use std::time::Duration;

use jiff::Timestamp;
use linesman_schemas::outcome::Failure;
use reqwest::{Client, RequestBuilder, StatusCode, Url};

use super::{Settings, SettingsError, fault, retry_after};
use crate::tls;

/// Most bytes an answer may have.
const ANSWER_BYTES: usize = 1024 * 1024;
/// Connecting may not take longer than this, whatever the whole request may.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An idle connection is given up before servers usually give it up: a request sent into a closing
/// connection fails for nothing.
const IDLE: Duration = Duration::from_secs(15);

/// An answer, whatever it says.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after_s: Option<u32>,
    pub(super) body: Vec<u8>,
}

/// The way to the support system.
#[derive(Debug)]
pub(super) struct Exchange {
    client: Client,
    base: Url,
    /// Whom messages speak of.
    peer: String,
    /// Which certificates are believed, for messages.
    trust: String,
}

impl Exchange {
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let base = settings.check()?;
        let client = tls::http_client(settings.ca.as_deref())?
            .user_agent(concat!("linesman/", env!("CARGO_PKG_VERSION")))
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout.min(CONNECT_TIMEOUT))
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(settings.concurrency)
            .build()?;
        let peer = match base.port() {
            Some(port) => format!("{}:{port}", base.host_str().unwrap_or_default()),
            None => base.host_str().unwrap_or_default().to_owned(),
        };
        let trust = match &settings.ca {
            Some(path) => format!("the file `{}` (setting `ca`)", path.display()),
            None => "the system's roots (setting `ca` names another file)".to_owned(),
        };
        Ok(Self { client, base, peer, trust })
    }

    /// A POST to `path` below the base address.
    pub(super) fn post(&self, path: &str) -> Result<RequestBuilder, Failure> {
        let url = self.base.join(path).map_err(|error| fault::garbled(format!("`{path}` is no path: {error}")))?;
        Ok(self.client.post(url))
    }

    /// Sends `request`, counts it in `requests`, and reads the answer.
    pub(super) async fn send(&self, request: RequestBuilder, requests: &mut u32) -> Result<Answer, Failure> {
        *requests += 1;
        let failed = |error: reqwest::Error| fault::of_transport(&error, &self.peer, &self.trust);
        let mut response = request.send().await.map_err(failed)?;
        let (status, mut body) = (response.status(), Vec::new());
        let retry_after_s = retry_after::retry_after_s(response.headers(), Timestamp::now());
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > ANSWER_BYTES {
                return Err(fault::garbled(format!("the answer is longer than {ANSWER_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after_s, body })
    }
}
