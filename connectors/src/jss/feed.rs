//! The support system's intelligence messages, page by page: the provider's.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use linesman_schemas::outcome::{Failure, FailureClass};
use tokio::time::Instant;

use super::session::Session;
use super::{NAME, Settings, answer};
use crate::upstream::SettingsError;
use crate::upstream::feed::{self, Share};
use crate::{Input, Next, Polled, Source, Whose};

const PATH: &str = "case/v1/intelligence";

/// The source `jss`.
#[derive(Debug)]
pub(super) struct Feed {
    session: Session,
    site_id: String,
    every: Duration,
    share: Share,
    /// Whether there was more than its share let it ask for.
    is_waiting: AtomicBool,
}

impl Feed {
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            session: Session::new(settings)?,
            site_id: settings.site_id.clone(),
            every: settings.way.intelligence_poll,
            share: Share::new(Share::of(settings.requests_per_hour), Instant::now()),
            is_waiting: AtomicBool::new(false),
        })
    }

    /// The page that follows `cursor`; the first, where nobody knows that.
    async fn page(&self, cursor: Option<&str>) -> Result<(Vec<Input>, Next), Failure> {
        match self.asked(cursor).await {
            Err(failure) if cursor.is_some() && failure.class == FailureClass::Refused => {
                tracing::warn!(failure = %failure.message, "the support system does not know where its messages went on: from the beginning");
                self.asked(None).await
            }
            page => page,
        }
    }

    async fn asked(&self, cursor: Option<&str>) -> Result<(Vec<Input>, Next), Failure> {
        let mut url = self.session.at(PATH)?;
        url.query_pairs_mut()
            .append_pair("siteId", &self.site_id)
            .extend_pairs(cursor.map(|cursor| ("cursor", cursor)));
        let mut requests = 0;
        let body = self.session.get(url, &mut requests).await;
        self.share.made(requests, Instant::now());
        let page = answer::messages(&body?, cursor)?;
        let input = |message: serde_json::Value| Input {
            whose: Whose::Provider,
            kind: "intel",
            payload: message.to_string().into(),
        };
        let inputs = page.messages.into_iter().map(input).collect();
        Ok((inputs, Next { cursor: Some(page.cursor), has_more: page.more }))
    }
}

impl Source for Feed {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pause(&self) -> Duration {
        match self.is_waiting.load(Relaxed) {
            true => self.share.wait(Instant::now()),
            false => feed::about(self.every),
        }
    }

    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> BoxFuture<'a, Polled> {
        async move {
            let waits = !self.share.wait(Instant::now()).is_zero();
            self.is_waiting.store(waits, Relaxed);
            if waits {
                // It goes on where it is, once it may.
                let next = Next { cursor: cursor.map(str::to_owned), has_more: true };
                return Polled { inputs: Vec::new(), outcome: Ok(next) };
            }
            match self.page(cursor).await {
                Ok((inputs, next)) => Polled { inputs, outcome: Ok(next) },
                Err(failure) => Polled { inputs: Vec::new(), outcome: Err(failure) },
            }
        }
        .boxed()
    }
}
