//! What was decided of inputs outside the order of their lane: it stands in OUT beside the marks, for ever.
//!
//! An override goes out with a mark of whoever writes it, in one atomic batch behind the mark that stands there. So it is
//! either written before the input is decided, and whoever was about to decide that is refused and reads the override first;
//! or something was committed meanwhile, and it is refused itself.
//!
//! INVARIANT (read after the mark): a lane reads overrides once it knows the mark that it takes the lane over from. One that
//! is written between goes with another mark, which refuses the lane.

use async_nats::Client;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use linesman_schemas::lane_override::Override;
use serde::Deserialize;
use serde_json::json;

use super::mark::{Last, Mark};
use super::outbox::{Batch, EmitError, Outbox};
use super::streams::{IN, NO_MESSAGE, OUT};
use super::{Error, api};
use crate::data_dir::private::random_hex;

#[derive(Deserialize)]
struct Got {
    message: GotMessage,
}

#[derive(Deserialize)]
struct GotMessage {
    seq: u64,
    subject: String,
    #[serde(default)]
    data: String,
}

impl GotMessage {
    fn bytes(&self, asked: &str) -> Result<Vec<u8>, Error> {
        let unread = |error| Error::Answer { subject: asked.to_owned(), source: serde::de::Error::custom(error) };
        BASE64_STANDARD.decode(&self.data).map_err(unread)
    }
}

/// A message of IN: the subject it came by, without the lane and the source, and its bytes; none when IN does not have it.
///
/// # Errors
/// The server does not answer.
pub async fn input(client: &Client, sequence: u64) -> Result<Option<(String, Vec<u8>)>, Error> {
    let asked = format!("STREAM.MSG.GET.{IN}");
    match api::<Got>(client, &asked, &json!({"seq": sequence})).await {
        Ok(Got { message }) => {
            let bytes = message.bytes(&asked)?;
            // As it is stored: `p.<lane>.<organization>.<kind>`, of the lane's own `p.<lane>.ctl`.
            let behind = message.subject.splitn(3, '.').nth(2).unwrap_or_default();
            let subject = if behind == "ctl" { message.subject.clone() } else { format!("in.{behind}") };
            Ok(Some((subject, bytes)))
        }
        Err(Error::Refused { code: NO_MESSAGE, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The overrides of a lane from behind a place in OUT on, in the order in which they were written; and the place of the last.
///
/// # Errors
/// The server does not answer.
pub async fn read(client: &Client, lane: u32, after: u64) -> Result<(Vec<Override>, u64), Error> {
    let (mut found, mut last) = (Vec::new(), after);
    let asked = format!("STREAM.MSG.GET.{OUT}");
    let subject = format!("out._override.{lane}");
    loop {
        match api::<Got>(client, &asked, &json!({"seq": last + 1, "next_by_subj": subject})).await {
            Ok(Got { message }) => {
                last = message.seq;
                match serde_json::from_slice(&message.bytes(&asked)?) {
                    Ok(one) => found.push(one),
                    Err(error) => tracing::error!(lane, sequence = last, %error, "an override cannot be read"),
                }
            }
            Err(Error::Refused { code: NO_MESSAGE, .. }) => return Ok((found, last)),
            Err(error) => return Err(error),
        }
    }
}

/// Writes overrides of a lane behind the mark that stands there, with one that says the same and is of nobody's.
///
/// # Errors
/// The lane has gone on meanwhile, or the server takes nothing.
pub async fn write(
    client: Client,
    lane: u32,
    overrides: &[Override],
    last: &Last,
    mark: Mark,
) -> Result<u64, EmitError> {
    let refused = |source| EmitError::Refused { who: lane.into(), source };
    let unwritten = |source| refused(Error::Answer { subject: format!("w._override.{lane}"), source });
    // Never used before, as batches are told apart by it.
    let owner = random_hex::<8>().map_err(|error| unwritten(serde::de::Error::custom(error)))?;
    let mark = Mark { owner: format!("override-{owner}"), ..mark };
    let batch = Batch::of_overrides(overrides, mark, last).map_err(unwritten)?;
    Outbox::new(client, lane).emit(batch).await
}
