//! Who follows what flows: from the stream OUT, so that nothing is left out when a connection breaks off, or, where that
//! cannot be read or has not what is asked for, as a plain subscriber.

use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::{Client, Event, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::watch;

use super::nats::Server;

/// The stream of what is said.
const OUT: &str = "OUT";
/// What its subjects begin with.
const OUT_PREFIX: &str = "out.";
/// How long the server may be silent on a connection, half of it before it is asked.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How long an answer may take; one that is not permitted never comes.
const ANSWER_MOST: Duration = Duration::from_secs(3);

/// A message.
pub(super) struct Told {
    pub(super) subject: String,
    pub(super) payload: Bytes,
    /// Where it stands in the stream; none where that is not read.
    pub(super) sequence: Option<u64>,
}

enum Way {
    /// From the stream, and where that begins.
    Stream(Box<Ordered>, u64),
    Plain(Subscriber),
}

/// What flows on a subject.
pub(super) struct Followed {
    way: Way,
    lost: watch::Receiver<bool>,
    /// Held as long as it is listened to.
    _client: Client,
}

impl Followed {
    /// Listens, from the sequence `next` on where the stream has come to that; otherwise to what comes from now on.
    ///
    /// # Errors
    /// The server cannot be found, or cannot be listened to.
    pub(super) async fn begin(server: &Server, subject: &str, next: Option<u64>) -> anyhow::Result<Self> {
        let (tell, lost) = watch::channel(false);
        let options = async_nats::ConnectOptions::new()
            .ping_interval(PING_EVERY)
            .request_timeout(Some(ANSWER_MOST))
            .event_callback(move |event| {
                let tell = tell.clone();
                async move {
                    if matches!(event, Event::Disconnected | Event::Closed) {
                        tell.send_replace(true);
                    }
                }
            });
        let client = server.connect_with(options.name("linesman-tail")).await?;
        let way = match stream(&client, subject, next).await {
            Some(way) => way,
            // The server is not ready yet.
            None if next.is_some() => anyhow::bail!("the stream OUT cannot be read"),
            None => {
                let messages = client.subscribe(subject.to_owned()).await?;
                client.flush().await?;
                Way::Plain(messages)
            }
        };
        Ok(Self { way, lost, _client: client })
    }

    /// Where in the stream it begins; none where that is not read.
    pub(super) fn next(&self) -> Option<u64> {
        match &self.way {
            Way::Stream(_, next) => Some(*next),
            Way::Plain(_) => None,
        }
    }

    /// What comes next; none where the connection has broken off.
    pub(super) async fn told(&mut self) -> Option<anyhow::Result<Told>> {
        let Self { way, lost, .. } = self;
        tokio::select! {
            biased;
            told = next_of(way) => told,
            _ = lost.wait_for(|lost| *lost) => None,
        }
    }
}

async fn next_of(way: &mut Way) -> Option<anyhow::Result<Told>> {
    match way {
        Way::Plain(messages) => {
            let message = messages.next().await?;
            Some(Ok(Told { subject: message.subject.to_string(), payload: message.payload, sequence: None }))
        }
        Way::Stream(messages, _) => Some(match messages.next().await? {
            Ok(message) => match message.info().map(|info| info.stream_sequence) {
                Ok(sequence) => {
                    let message = message.message;
                    let subject = message.subject.to_string();
                    Ok(Told { subject, payload: message.payload, sequence: Some(sequence) })
                }
                Err(error) => Err(anyhow::anyhow!("a message of the stream OUT cannot be placed: {error}")),
            },
            Err(error) => Err(anyhow::anyhow!("the stream OUT cannot be read: {error}")),
        }),
    }
}

/// The stream, where it can be read and has the subject.
async fn stream(client: &Client, subject: &str, next: Option<u64>) -> Option<Way> {
    if !subject.starts_with(OUT_PREFIX) {
        return None;
    }
    let stream = crate::log::context(client).get_stream(OUT).await.ok()?;
    let end = stream.cached_info().state.last_sequence + 1;
    let next = next.filter(|next| *next <= end).unwrap_or(end);
    let config = OrderedConfig {
        filter_subject: subject.to_owned(),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: next },
        ..OrderedConfig::default()
    };
    let messages = stream.create_consumer(config).await.ok()?.messages().await.ok()?;
    Some(Way::Stream(Box::new(messages), next))
}
