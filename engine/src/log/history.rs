//! IN from its beginning to the end it has now, all lanes in one order: for whoever copies it.
//!
//! Lanes read by [`super::reader`]; this follows nothing and ends.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy};
use futures_util::StreamExt;
use jiff::Timestamp;

use super::Error;
use super::context;
use super::reader::InMessage;
use super::streams::IN;

/// How many messages are asked for at once.
const ASKED: usize = 500;
/// How many bytes beyond one largest message.
const ASKED_BYTES: usize = 1 << 20;
const HEARTBEAT: Duration = Duration::from_secs(5);
const EXPIRES: Duration = Duration::from_secs(30);
/// How often reading is begun anew without a message in between.
const TRIES: u32 = 5;

/// Reads IN up to a sequence.
pub struct History {
    client: Client,
    until: u64,
    position: u64,
    /// The last sequence the consumer itself has counted.
    delivered: u64,
    /// How many messages follow the last one.
    pending: u64,
    stream: Option<Stream>,
}

impl History {
    /// IN from its beginning to the sequence `until`, which it has.
    pub fn new(client: Client, until: u64) -> Self {
        Self { client, until, position: 0, delivered: 0, pending: 1, stream: None }
    }

    /// The next message with its lane; none behind the end.
    ///
    /// # Errors
    /// The server does not hand it out.
    pub async fn next(&mut self) -> Result<Option<(u32, InMessage)>, Error> {
        let mut tries = 0;
        while self.position < self.until && self.pending > 0 {
            let fault: async_nats::Error = match self.try_next().await {
                Ok(Some(message)) => return Ok(Some(message).filter(|(_, message)| message.sequence <= self.until)),
                Ok(None) => "a message is missing".into(),
                Err(error) => error,
            };
            self.stream = None;
            tries += 1;
            if tries >= TRIES {
                return Err(Error::In(fault));
            }
        }
        Ok(None)
    }

    /// None when the consumer has lost one.
    async fn try_next(&mut self) -> Result<Option<(u32, InMessage)>, async_nats::Error> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                self.delivered = 0;
                let stream = consumer(&self.client, self.position).await?;
                self.stream.insert(stream)
            }
        };
        let Some(message) = stream.next().await.transpose()? else { return Ok(None) };
        let info = message.info()?;
        if info.consumer_sequence != self.delivered + 1 {
            return Ok(None);
        }
        self.delivered = info.consumer_sequence;
        self.pending = info.pending;
        self.position = info.stream_sequence;
        let time = Timestamp::from_nanosecond(info.published.unix_timestamp_nanos())?;
        let stored = message.subject.strip_prefix("p.").and_then(|stored| stored.split_once('.'));
        let (lane, subject) = stored.ok_or_else(|| format!("`{}` is no subject of IN", message.subject))?;
        let (lane, subject) = (lane.parse()?, subject.to_owned());
        Ok(Some((lane, InMessage { sequence: self.position, time, subject, payload: message.payload.clone() })))
    }
}

async fn consumer(client: &Client, position: u64) -> Result<Stream, async_nats::Error> {
    let stream = context(client).get_stream_no_info(IN).await?;
    let config = Config {
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: position + 1 },
        ack_policy: AckPolicy::None,
        replay_policy: ReplayPolicy::Instant,
        // What leads to no lane is decided by none.
        filter_subject: "p.>".to_owned(),
        memory_storage: true,
        num_replicas: 1,
        ..Config::default()
    };
    let consumer = stream.create_consumer(config).await?;
    let most = client.max_payload() + ASKED_BYTES;
    let messages = consumer
        .stream()
        .max_messages_per_batch(ASKED)
        .max_bytes_per_batch(most)
        .heartbeat(HEARTBEAT)
        .expires(EXPIRES)
        .messages()
        .await?;
    Ok(messages)
}
