//! The mark: the last message of every batch, by which a lane knows what was committed.

use std::fmt;

use async_nats::Client;
use base64::Engine as _;
use jiff::Timestamp;
pub use linesman_schemas::mark::Mark;
use serde::Deserialize;
use serde_json::{Value, json};

use super::streams::{IN, NO_MESSAGE, OUT};
use super::{Error, api};
use linesman_domain::position::Position;

/// Whoever commits to OUT, each behind its own mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Committer {
    /// A lane.
    Lane(u32),
    /// Who sets aside what no lane reads.
    Unread,
}

impl Committer {
    /// The last token of its mark's subject.
    pub(super) fn token(self) -> String {
        match self {
            Self::Lane(lane) => lane.to_string(),
            Self::Unread => "unread".to_owned(),
        }
    }
}

impl From<u32> for Committer {
    fn from(lane: u32) -> Self {
        Self::Lane(lane)
    }
}

impl fmt::Display for Committer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lane(lane) => write!(f, "lane {lane}"),
            Self::Unread => f.write_str("the reader of what no lane reads"),
        }
    }
}

/// The mark of a position.
pub fn of(position: &Position, owner: &str) -> Mark {
    Mark {
        position: position.sequence,
        message: hex::encode(position.message),
        digest: hex::encode(position.digest),
        now: position.now,
        stream: position.stream.clone(),
        level: position.level,
        owner: owner.to_owned(),
    }
}

/// What stands on a lane's mark subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Last {
    /// The last mark, if there is one.
    pub stored: Option<Stored>,
    /// Sequence of the last message, mark or not; 0 for none. The next mark names it.
    pub end: u64,
}

/// A mark and its sequence in OUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The mark.
    pub mark: Mark,
    /// Its sequence.
    pub sequence: u64,
}

#[derive(Deserialize)]
struct Got {
    message: GotMessage,
}

#[derive(Deserialize)]
struct GotMessage {
    seq: u64,
    #[serde(default)]
    data: String,
    time: Timestamp,
}

fn decode(data: &str, subject: &str) -> Result<Vec<u8>, Error> {
    base64::engine::general_purpose::STANDARD
        .decode(data)
        .map_err(|error| Error::Answer { subject: subject.to_owned(), source: serde::de::Error::custom(error) })
}

/// The last mark of a lane, or of who reads the rest, and what somebody else has written behind it.
///
/// # Errors
/// The server does not answer.
pub async fn last(client: &Client, committer: impl Into<Committer>) -> Result<Last, Error> {
    let subject = format!("out._mark.{}", committer.into().token());
    let Some((end, stored)) = look(client, &json!({"last_by_subj": subject})).await? else {
        return Ok(Last::default());
    };
    if stored.is_some() {
        return Ok(Last { stored, end });
    }
    // A mark rolls up what stood before it, what others write does not: if there is a mark, it is the first message.
    // IMPORTANT: after the last one was read. A mark of another engine that came in between is then either seen here
    // or lies beyond `end`, and the batch that names `end` is refused.
    let first = look(client, &json!({"seq": 1, "next_by_subj": subject})).await?;
    Ok(Last { stored: first.and_then(|(_, stored)| stored), end })
}

/// Sequence of a message of OUT, and the mark that it is; none when OUT does not have it.
async fn look(client: &Client, wanted: &Value) -> Result<Option<(u64, Option<Stored>)>, Error> {
    let what = format!("STREAM.MSG.GET.{OUT}");
    match api::<Got>(client, &what, wanted).await {
        Ok(got) => {
            let (bytes, sequence) = (decode(&got.message.data, &what)?, got.message.seq);
            let mark = serde_json::from_slice(&bytes).ok();
            Ok(Some((sequence, mark.map(|mark| Stored { mark, sequence }))))
        }
        Err(Error::Refused { code: NO_MESSAGE, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The next message of IN that is wanted, as `STREAM.MSG.GET` has it: its sequence and its bytes; none when IN has none.
///
/// # Errors
/// The server does not answer.
pub(super) async fn next_input(client: &Client, wanted: &Value) -> Result<Option<(u64, Vec<u8>)>, Error> {
    let what = format!("STREAM.MSG.GET.{IN}");
    match api::<Got>(client, &what, wanted).await {
        Ok(got) => Ok(Some((got.message.seq, decode(&got.message.data, &what)?))),
        Err(Error::Refused { code: NO_MESSAGE, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A message of IN: its time and its bytes; none when IN does not have it.
///
/// # Errors
/// The server does not answer.
pub async fn input(client: &Client, sequence: u64) -> Result<Option<(Timestamp, Vec<u8>)>, Error> {
    let what = format!("STREAM.MSG.GET.{IN}");
    match api::<Got>(client, &what, &json!({"seq": sequence})).await {
        Ok(got) => Ok(Some((got.message.time, decode(&got.message.data, &what)?))),
        Err(Error::Refused { code: NO_MESSAGE, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
