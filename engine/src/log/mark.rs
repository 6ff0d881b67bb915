//! The mark: the last message of every batch, by which a lane knows what was committed.

use async_nats::Client;
use base64::Engine as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::streams::{IN, NO_MESSAGE, OUT};
use super::{Error, api};
use crate::domain::rows::Position;

/// A lane's committed position, on `out._mark.<lane>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Sequence in IN of the last input committed.
    pub position: u64,
    /// SHA-256 of that input, in hexadecimal.
    pub message: String,
    /// Running digest over all productions, in hexadecimal.
    pub digest: String,
    /// The lane's clock.
    pub now: Timestamp,
    /// Which IN: its creation time.
    pub stream: String,
    /// The engine level that decided.
    pub level: u32,
    /// The engine that wrote it.
    pub owner: String,
}

impl Mark {
    /// The mark of a position.
    pub fn new(position: &Position, owner: &str) -> Self {
        Self {
            position: position.sequence,
            message: hex::encode(position.message),
            digest: hex::encode(position.digest),
            now: position.now,
            stream: position.stream.clone(),
            level: position.level,
            owner: owner.to_owned(),
        }
    }
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

/// A lane's last mark, if it has one.
///
/// # Errors
/// The server does not answer, or what it holds is no mark.
pub async fn last(client: &Client, lane: u32) -> Result<Option<Stored>, Error> {
    let what = format!("STREAM.MSG.GET.{OUT}");
    let subject = format!("out._mark.{lane}");
    match api::<Got>(client, &what, &json!({"last_by_subj": subject})).await {
        Ok(got) => {
            let bytes = decode(&got.message.data, &subject)?;
            let mark = serde_json::from_slice(&bytes).map_err(|source| Error::Answer { subject, source })?;
            Ok(Some(Stored { mark, sequence: got.message.seq }))
        }
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
