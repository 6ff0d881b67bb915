//! Reads what stands in OUT, event by event, for people and their programs.
//!
//! An event's place is its message's sequence and its number within it: `<sequence>-<number>`, which
//! stays the same for ever.

use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::stream::{ConsumerError, ConsumerErrorKind, RawMessageErrorKind};
use async_nats::{Client, datetime};
use futures_util::{Stream, StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::context;
use super::streams::OUT;
use super::{Error, consumers};

/// How many messages are fetched at a time for whoever follows: one that does not take them keeps so many in
/// memory, and each may be as large as a payload.
const FOLLOWED: i64 = 2;
/// And for whoever reads on.
const READ: i64 = 16;
/// How often room is made for a consumer before it is given up: others may take what was made.
const ROOM_TRIES: u32 = 5;

/// An event's place in OUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPlace {
    /// Sequence of its message.
    pub sequence: u64,
    /// Its number within the message, from 0.
    pub number: u32,
}

impl EventPlace {
    /// In front of everything.
    pub const BEGINNING: Self = Self { sequence: 0, number: 0 };
}

/// A text that is no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a place in OUT is written `<sequence>-<number>`")]
pub struct NoPlace;

impl FromStr for EventPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (sequence, number) = text.split_once('-').ok_or(NoPlace)?;
        let place = Self { sequence: sequence.parse().or(Err(NoPlace))?, number: number.parse().or(Err(NoPlace))? };
        // One place, one spelling.
        let is_place = place.sequence > 0 || place == Self::BEGINNING;
        if is_place && place.to_string() == text { Ok(place) } else { Err(NoPlace) }
    }
}

impl fmt::Display for EventPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sequence, self.number)
    }
}

/// An event, found.
#[derive(Debug)]
pub struct Found {
    /// Where it stands.
    pub place: EventPlace,
    /// By which subject.
    pub subject: String,
    /// It: a CloudEvent in JSON.
    pub event: Box<RawValue>,
}

/// From where on events are read.
#[derive(Debug, Clone, Copy)]
pub enum From {
    /// The oldest there is.
    Beginning,
    /// Behind a place.
    After(EventPlace),
    /// Of messages that came at that time or later.
    Time(Timestamp),
}

impl From {
    fn policy(self) -> DeliverPolicy {
        match self {
            Self::Beginning => DeliverPolicy::All,
            Self::After(place) => DeliverPolicy::ByStartSequence { start_sequence: place.sequence.max(1) },
            Self::Time(time) => time_policy(time).unwrap_or(DeliverPolicy::All),
        }
    }

    fn is_behind(self, place: EventPlace) -> bool {
        match self {
            Self::After(last) => place > last,
            Self::Beginning | Self::Time(_) => true,
        }
    }
}

fn time_policy(time: Timestamp) -> Option<DeliverPolicy> {
    let start_time = datetime::from_nanos(time.as_nanosecond()).ok()?;
    Some(DeliverPolicy::ByStartTime { start_time })
}

/// The sequence of the last message in OUT.
///
/// # Errors
/// The server does not answer.
pub async fn end(client: &Client) -> Result<u64, Error> {
    let stream = context(client).get_stream(OUT).await.map_err(Error::out)?;
    Ok(stream.cached_info().state.last_sequence)
}

/// The events of the subjects that `filter` names, from a place on, as they come; ends with an error only.
///
/// # Errors
/// The server does not answer.
pub async fn follow(
    client: &Client,
    filter: String,
    from: From,
) -> Result<impl Stream<Item = Result<Found, Error>> + use<>, Error> {
    let (messages, _) = consume(client, vec![filter], from, FOLLOWED).await?;
    let events = messages.flat_map(|message| {
        stream::iter(match message.map_err(Error::out).and_then(|message| split(&message)) {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    });
    Ok(events.filter(move |found| {
        let is_wanted = found.as_ref().map_or(true, |found| from.is_behind(found.place));
        std::future::ready(is_wanted)
    }))
}

/// Reads the events of the subjects that one of `filters` names, from a place to what is the end by now, or until
/// `take` breaks.
///
/// # Errors
/// The server does not answer.
pub async fn read(
    client: &Client,
    filters: Vec<String>,
    from: From,
    mut take: impl FnMut(Found) -> ControlFlow<()>,
) -> Result<(), Error> {
    let (mut messages, mut left) = consume(client, filters, from, READ).await?;
    while left > 0 {
        let Some(message) = messages.next().await else { break };
        let message = message.map_err(Error::out)?;
        // What has aged away meanwhile does not come.
        left = (left - 1).min(message.info().map_err(Error::Out)?.pending);
        for found in split(&message)? {
            if from.is_behind(found.place) && take(found).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The messages of filters that do not overlap, and how many there are by now.
async fn consume(client: &Client, filters: Vec<String>, from: From, batch: i64) -> Result<(Ordered, u64), Error> {
    let stream = context(client).get_stream_no_info(OUT).await.map_err(Error::out)?;
    let name = consumers::name();
    let config = OrderedConfig {
        name,
        filter_subjects: filters,
        deliver_policy: from.policy(),
        max_batch: batch,
        ..OrderedConfig::default()
    };
    let mut tries = ROOM_TRIES;
    let consumer = loop {
        match stream.create_consumer(config.clone()).await {
            // Somebody has taken all the room that there is for consumers, and may be taking more.
            Err(error) if is_full(&error) && tries > 0 => {
                tries -= 1;
                consumers::make_room(client).await?;
            }
            created => break created.map_err(Error::out)?,
        }
    };
    let left = consumer.cached_info().num_pending;
    Ok((consumer.messages().await.map_err(Error::out)?, left))
}

/// Whether OUT, or the account, has as many consumers as it may.
fn is_full(error: &ConsumerError) -> bool {
    matches!(error.kind(), ConsumerErrorKind::JetStream(told) if told.error_code() == ErrorCode::MAXIMUM_CONSUMERS_LIMIT)
}

/// The place of the latest event of the subjects that `filter` names; [`EventPlace::BEGINNING`] where there is none.
///
/// # Errors
/// The server does not answer.
pub async fn latest(client: &Client, filter: &str) -> Result<EventPlace, Error> {
    let stream = context(client).get_stream_no_info(OUT).await.map_err(Error::out)?;
    match stream.get_last_raw_message_by_subject(filter).await {
        Ok(message) => {
            let events = events_of(&message.subject, &message.payload)?;
            let number = u32::try_from(events.len().saturating_sub(1)).unwrap_or(u32::MAX);
            Ok(EventPlace { sequence: message.sequence, number })
        }
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(EventPlace::BEGINNING),
        Err(error) => Err(Error::out(error)),
    }
}

/// The event at a place, if there is one.
///
/// # Errors
/// The server does not answer.
pub async fn get(client: &Client, place: EventPlace) -> Result<Option<Found>, Error> {
    let Some((subject, payload)) = message(client, OUT, place.sequence).await? else { return Ok(None) };
    let events = events_of(&subject, &payload)?;
    let number = usize::try_from(place.number).unwrap_or(usize::MAX);
    Ok(events.into_iter().nth(number).map(|event| Found { place, subject, event }))
}

/// A message of a stream by its sequence: subject and payload.
///
/// # Errors
/// The server does not answer.
pub async fn message(client: &Client, stream: &str, sequence: u64) -> Result<Option<(String, Vec<u8>)>, Error> {
    let stream = context(client).get_stream_no_info(stream).await.map_err(Error::out)?;
    match stream.get_raw_message(sequence).await {
        Ok(message) => Ok(Some((message.subject.to_string(), message.payload.to_vec()))),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(Error::out(error)),
    }
}

fn split(message: &Message) -> Result<Vec<Found>, Error> {
    let sequence = message.info().map_err(Error::Out)?.stream_sequence;
    let events = events_of(&message.subject, &message.payload)?;
    let found =
        |(number, event)| Found { place: EventPlace { sequence, number }, subject: message.subject.to_string(), event };
    Ok((0..).zip(events).map(found).collect())
}

/// The events of a message's payload.
///
/// # Errors
/// It has none.
pub(crate) fn events_of(subject: &str, payload: &[u8]) -> Result<Vec<Box<RawValue>>, Error> {
    let read = if payload.starts_with(b"[") {
        serde_json::from_slice(payload)
    } else {
        serde_json::from_slice(payload).map(|event| vec![event])
    };
    read.map_err(|source| Error::Answer { subject: subject.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_spelling() {
        let place = EventPlace { sequence: 17, number: 3 };
        assert_eq!("17-3".parse(), Ok(place));
        assert_eq!(place.to_string(), "17-3");
        for wrong in ["", "17", "17-", "-3", "017-3", "17-03", "+17-3", "17-3-1", "99999999999999999999-0", "0-1"] {
            assert_eq!(wrong.parse::<EventPlace>(), Err(NoPlace), "{wrong}");
        }
        assert_eq!("0-0".parse(), Ok(EventPlace::BEGINNING));
        assert!(EventPlace { sequence: 9, number: 9 } < EventPlace { sequence: 10, number: 0 });
    }
}
