//! What stands in OUT, read from its beginning.

use anyhow::Context;
use async_nats::Client;
use async_nats::jetstream::{self, consumer};
use futures_util::StreamExt;
use linesman_schemas::event::{self, Received};

/// An event of OUT.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its subject.
    pub subject: String,
    /// It.
    pub event: Received,
}

/// All events that stand in OUT, marks left out, in order.
#[derive(Debug)]
pub struct Out(pub Vec<Event>);

impl Out {
    /// Reads OUT from its beginning to its present end.
    ///
    /// # Errors
    /// The server does not answer, or what it holds is no event.
    pub async fn read(client: &Client) -> anyhow::Result<Self> {
        let stream = jetstream::new(client.clone()).get_stream("OUT").await?;
        let end = stream.cached_info().state.last_sequence;
        let config = consumer::pull::Config {
            ack_policy: consumer::AckPolicy::None,
            filter_subject: "out.>".to_owned(),
            ..Default::default()
        };
        let mut events = Vec::new();
        let consumer = stream.create_consumer(config).await?;
        let mut left = consumer.cached_info().num_pending;
        let mut messages = consumer.messages().await?;
        while left > 0 {
            let message = messages.next().await.context("the consumer ended")??;
            let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
            left = info.pending;
            if info.stream_sequence > end {
                break;
            }
            let subject = message.subject.to_string();
            if subject.starts_with("out._mark.") {
                continue;
            }
            let found = event::read(&message.payload).with_context(|| subject.clone())?;
            events.extend(found.into_iter().map(|event| Event { subject: subject.clone(), event }));
        }
        Ok(Self(events))
    }

    /// The events of one subject.
    pub fn on<'a>(&'a self, subject: &'a str) -> impl Iterator<Item = &'a Received> + 'a {
        self.0.iter().filter(move |event| event.subject == subject).map(|event| &event.event)
    }
}
