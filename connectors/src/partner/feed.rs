//! The intelligence messages that the partner sends, page by page.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use linesman_schemas::outcome::{Failure, FailureClass};
use serde_json::Value;

use super::answer::{self, Messages};
use super::session::Session;
use super::{NAME, Settings};
use crate::upstream::{SettingsError, feed};
use crate::{Input, Next, Polled, Source, Whose};

/// The source `partner`.
#[derive(Debug)]
pub(super) struct Feed {
    session: Session,
    every: Duration,
}

impl Feed {
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self { session: Session::new(settings)?, every: settings.way.intelligence_poll })
    }

    /// The page that follows `cursor`.
    async fn page(&self, cursor: Option<&str>) -> Result<(Vec<Input>, Next), Failure> {
        let Messages { messages, cursor, more } = match self.asked(cursor).await {
            // The partner gave it to nobody, or not to us: its log was begun anew, or it is another partner.
            Err(failure) if cursor.is_some() && failure.class == FailureClass::Refused => {
                tracing::warn!(failure = %failure.message, "the partner does not know where its messages went on: from the beginning");
                self.asked(None).await?
            }
            page => page?,
        };
        let inputs = messages.iter().map(input).collect();
        Ok((inputs, Next { cursor: Some(cursor), has_more: more }))
    }

    async fn asked(&self, cursor: Option<&str>) -> Result<Messages, Failure> {
        let body = self.session.messages(cursor, &mut 0).await?;
        answer::messages(&body, cursor)
    }
}

/// What a message says is the lane's to look at: what it does not know is a dead letter there, and holds up nothing.
fn input(message: &Value) -> Input {
    Input { whose: Whose::Ours, kind: "intel", payload: message.to_string().into() }
}

impl Source for Feed {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pause(&self) -> Duration {
        feed::about(self.every)
    }

    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> BoxFuture<'a, Polled> {
        async move {
            match self.page(cursor).await {
                Ok((inputs, next)) => Polled { inputs, outcome: Ok(next) },
                Err(failure) => Polled { inputs: Vec::new(), outcome: Err(failure) },
            }
        }
        .boxed()
    }
}
