//! What stands in IN and OUT, read from their beginning, each message held against the published documents.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use async_nats::jetstream::{self, consumer};
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use futures_util::StreamExt;
use linesman_schemas::dead_letter::{DeadLetter, Reason};
use linesman_schemas::event;
use linesman_schemas::mark::Mark;

use crate::published::{ANY, Documents, Kind};

/// A stored message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) sequence: u64,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
}

/// What the streams hold.
#[derive(Debug, Default)]
pub struct Seen {
    /// Which kinds of messages.
    pub kinds: BTreeSet<Kind>,
    /// How many messages with several events.
    pub batches: usize,
}

impl Message {
    /// The tokens of the subject it was published on, as far as IN has kept them.
    pub(crate) fn published(&self) -> Vec<&str> {
        match self.subject.split('.').collect::<Vec<_>>()[..] {
            ["p", _, org, kind] => vec!["in", org, kind, ANY],
            ref tokens => tokens.to_vec(),
        }
    }

    /// Whether the engine wrote it, and not somebody who may write where marks stand.
    pub(crate) fn is_ours(&self) -> bool {
        !self.subject.starts_with("out._mark.") || self.headers.get("Nats-Rollup").is_some()
    }
}

/// All messages of a stream, from its beginning to its present end.
///
/// # Errors
/// The server does not answer.
pub(crate) async fn read(client: &Client, name: &str) -> anyhow::Result<Vec<Message>> {
    let stream = jetstream::new(client.clone()).get_stream(name).await?;
    let end = stream.cached_info().state.last_sequence;
    let filter_subject = if name == "OUT" { "out.>".to_owned() } else { String::new() };
    let config = consumer::pull::Config { ack_policy: consumer::AckPolicy::None, filter_subject, ..Default::default() };
    let mut found = Vec::new();
    let consumer = stream.create_consumer(config).await?;
    let mut left = consumer.cached_info().num_pending;
    let mut messages = consumer.messages().await?;
    while left > 0 {
        let message = messages.next().await.context("the consumer ended")??;
        let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
        left = info.pending;
        let sequence = info.stream_sequence;
        if sequence > end {
            break;
        }
        let (subject, headers) = (message.subject.to_string(), message.headers.clone().unwrap_or_default());
        found.push(Message { subject, sequence, headers, payload: message.payload.clone() });
    }
    Ok(found)
}

/// Holds both streams against the published documents, as far as the lanes have decided; `client` has the engine's login.
///
/// # Errors
/// A message is not as they say: its subject, and where and why.
pub(crate) async fn check(client: &Client) -> anyhow::Result<Seen> {
    let documents = Documents::published()?;
    let (mut seen, mut decided, mut set_aside) = (Seen::default(), BTreeMap::new(), BTreeSet::new());
    let inputs = read(client, "IN").await?;
    for message in told(client, &inputs).await?.iter().filter(|message| message.is_ours()) {
        seen.kinds.insert(documents.check(message)?);
        if let Some(lane) = message.subject.strip_prefix("out._mark.") {
            decided.insert(lane.to_owned(), serde_json::from_slice::<Mark>(&message.payload)?.position);
            continue;
        }
        if message.subject.starts_with("out._override.") {
            continue;
        }
        let events = event::read(&message.payload)?;
        seen.batches += usize::from(events.len() > 1);
        if message.subject.contains(".dead.") {
            let letters = events.into_iter().map(|event| serde_json::from_value::<DeadLetter>(event.data));
            set_aside.extend(letters.filter_map(Result::ok).filter(is_of_an_input).map(|letter| letter.sequence));
        }
    }
    for message in inputs {
        let lane = message.subject.split('.').nth(1).unwrap_or_default();
        let is_decided = decided.get(lane).is_some_and(|position| message.sequence <= *position);
        // What cannot be read has its dead letter.
        if is_decided && !set_aside.contains(&message.sequence) {
            seen.kinds.insert(documents.check(&message)?);
        }
    }
    Ok(seen)
}

/// How often OUT is read, until it has the marks of all lanes: one that never decided anything has none.
const READ_MOST: usize = 10;

/// OUT with a mark of every lane that has one: where that was replaced while OUT was read, the one that was read before.
async fn told(client: &Client, inputs: &[Message]) -> anyhow::Result<Vec<Message>> {
    let lanes = inputs.iter().filter_map(|message| message.subject.strip_prefix("p.")?.split('.').next());
    let lanes: BTreeSet<String> = lanes.map(|lane| format!("out._mark.{lane}")).collect();
    let mut marks: BTreeMap<String, Message> = BTreeMap::new();
    let mut times = 0;
    loop {
        let mut told = read(client, "OUT").await?;
        times += 1;
        let found = told.iter().filter(|message| lanes.contains(&message.subject) && message.is_ours());
        marks.extend(found.map(|mark| (mark.subject.clone(), mark.clone())));
        if times == READ_MOST || marks.len() == lanes.len() {
            told.retain(|message| !marks.contains_key(&message.subject) || !message.is_ours());
            told.extend(marks.into_values());
            return Ok(told);
        }
    }
}

fn is_of_an_input(letter: &DeadLetter) -> bool {
    !matches!(letter.reason, Reason::PolicyFailed | Reason::ReactionFailed)
}
