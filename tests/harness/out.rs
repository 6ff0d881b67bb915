//! What stands in OUT, read from its beginning.

use anyhow::Context;
use async_nats::Client;
use linesman_schemas::event::{self, Received};

use crate::published::Documents;
use crate::stream::{self, Message};

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
    /// The server does not answer, or what it holds is not as the published documents say.
    pub async fn read(client: &Client) -> anyhow::Result<Self> {
        let mut events = Vec::new();
        for message in stream::read(client, "OUT").await?.into_iter().filter(Message::is_ours) {
            Documents::published()?.check(&message)?;
            if message.subject.starts_with("out._mark.") || message.subject.starts_with("out._override.") {
                continue;
            }
            let found = event::read(&message.payload).with_context(|| message.subject.clone())?;
            events.extend(found.into_iter().map(|event| Event { subject: message.subject.clone(), event }));
        }
        Ok(Self(events))
    }

    /// The events of one subject.
    pub fn on<'a>(&'a self, subject: &'a str) -> impl Iterator<Item = &'a Received> + 'a {
        self.0.iter().filter(move |event| event.subject == subject).map(|event| &event.event)
    }
}
