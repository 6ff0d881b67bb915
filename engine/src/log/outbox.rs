//! How a lane, or who sets aside what none reads, commits: one atomic batch of OUT that ends with the lane's mark.
//!
//! The acknowledged mark is the commit point. It names the mark before it, so a batch of an engine
//! that no longer owns the lane is refused whole.

use std::time::Duration;

use async_nats::{Client, HeaderMap, Request};
use bytes::Bytes;
use serde::Deserialize;

use super::mark::{self, Committer, Last, Mark};
use super::trouble::{Doing, Troubles};
use super::{Error, REQUEST_TIMEOUT, read_answer};
use crate::logging::full;
use linesman_domain::outgoing::OutMessage;
use linesman_schemas::lane_override::Override;

/// Header and value that let a mark outlive OUT's age, alone.
pub(super) const TTL: (&str, &str) = ("Nats-TTL", "never");
const ROLLUP: (&str, &str) = ("Nats-Rollup", "sub");
/// The last mark is not the one this batch names.
const WRONG_LAST_SEQUENCE: [u64; 2] = [10_071, 10_164];
const RETRY: Duration = Duration::from_millis(100);

/// Why a batch is not committed.
#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    /// Another engine holds the lane.
    #[error("{who} belongs to another engine now ({owner}); this one is fenced off")]
    Fenced {
        /// Which lane.
        who: Committer,
        /// Whose mark stands.
        owner: String,
    },
    /// The server refuses the batch for a reason that will not pass.
    #[error("{who} cannot emit")]
    Refused {
        /// Which lane.
        who: Committer,
        /// Why.
        source: Error,
    },
}

/// A batch ready to go.
#[derive(Clone)]
pub struct Batch {
    messages: Vec<(String, HeaderMap, Bytes)>,
    mark: Mark,
    /// Sequence in OUT of the mark before.
    after: u64,
    /// Sequence of the last message on the mark's subject: that mark, or what somebody else wrote behind it.
    end: u64,
}

/// What the mark says about a batch that was not acknowledged.
enum Settled {
    /// It is committed; the sequence of its mark.
    Committed(u64),
    /// It is to be sent again.
    Again,
    /// It is to be sent again behind what somebody else has written there.
    Behind(u64),
    /// The mark is gone: it is to be sent again, as the first behind what is there.
    Lost(u64),
}

#[derive(Deserialize)]
struct Ack {
    seq: u64,
}

impl Batch {
    /// A batch of `messages` that ends with `mark`, behind the mark at `after` (0: the first).
    pub fn new(messages: Vec<OutMessage>, mark: Mark, after: u64) -> Self {
        let messages = messages
            .into_iter()
            .map(|message| {
                let mut headers = HeaderMap::new();
                headers.insert("Content-Type", message.content_type);
                (format!("w.{}", message.subject), headers, Bytes::from(message.payload))
            })
            .collect();
        Self { messages, mark, after, end: after }
    }

    /// A batch of overrides, which outlive OUT's age as marks do.
    ///
    /// # Errors
    /// One has no form in JSON.
    pub fn of_overrides(overrides: &[Override], mark: Mark, after: &Last) -> Result<Self, serde_json::Error> {
        let message = |one: &Override| {
            let mut headers = HeaderMap::new();
            headers.insert(TTL.0, TTL.1);
            Ok((format!("w._override.{}", one.lane), headers, Bytes::from(serde_json::to_vec(one)?)))
        };
        let messages = overrides.iter().map(message).collect::<Result<_, serde_json::Error>>()?;
        let stands = after.stored.as_ref().map_or(0, |stored| stored.sequence);
        Ok(Self { messages, mark, after: stands, end: after.end })
    }
}

/// Commits batches of one lane, or of who reads the rest.
#[derive(Clone)]
pub struct Outbox {
    client: Client,
    who: Committer,
    troubles: Troubles,
}

impl Outbox {
    /// The outbox of a lane, or of who reads the rest.
    pub fn new(client: Client, who: impl Into<Committer>) -> Self {
        Self { client, who: who.into(), troubles: Troubles::default() }
    }

    /// Tells `troubles` what is in its way.
    #[must_use]
    pub fn telling(mut self, troubles: &Troubles) -> Self {
        self.troubles = troubles.clone();
        self
    }

    /// Commits a batch; the sequence of its mark.
    ///
    /// A lost answer, an unfinished earlier try or a restarting server is not fatal: the mark tells
    /// whether the batch is committed, and if not it is sent again whole.
    ///
    /// # Errors
    /// Another engine holds the lane, or the server refuses the batch for good.
    pub async fn emit(&self, mut batch: Batch) -> Result<u64, EmitError> {
        let mut attempt = 0_u64;
        loop {
            attempt += 1;
            match self.publish(&batch, attempt).await {
                Ok(sequence) => {
                    self.troubles.is_over(self.who, Doing::Committing);
                    return Ok(sequence);
                }
                Err(error) => {
                    self.troubles.refused(self.who, Doing::Committing, &error);
                    // Said once: while the server has no room, every try ends the same.
                    let error_text = full(&error);
                    if attempt == 1 {
                        tracing::warn!(
                            who = %self.who,
                            error = error_text,
                            "a batch is not acknowledged; reading the mark"
                        );
                    } else {
                        tracing::debug!(
                            who = %self.who,
                            error = error_text,
                            attempt,
                            "a batch is still not acknowledged"
                        );
                    }
                    let settled = self.settle(&batch, error).await;
                    if let Err(EmitError::Fenced { .. }) = &settled {
                        // Another one commits.
                        self.troubles.is_over(self.who, Doing::Committing);
                    }
                    match settled? {
                        Settled::Committed(sequence) => {
                            self.troubles.is_over(self.who, Doing::Committing);
                            return Ok(sequence);
                        }
                        Settled::Again => tokio::time::sleep(RETRY).await,
                        // At once: whoever writes there may go on.
                        Settled::Behind(end) => batch.end = end,
                        Settled::Lost(end) => {
                            tracing::error!(who = %self.who, "OUT has lost the mark that was written last; it is written anew");
                            (batch.after, batch.end) = (0, end);
                        }
                    }
                    metrics::counter!("linesman_emit_retries_total").increment(1);
                }
            }
        }
    }

    async fn publish(&self, batch: &Batch, attempt: u64) -> Result<u64, Error> {
        // Never used before: an owner emits a position once, and each try has its number.
        let id = format!("{}-{}-{}-{attempt}", batch.mark.owner, self.who.token(), batch.mark.position);
        for (number, (subject, headers, payload)) in (1_u64..).zip(&batch.messages) {
            let mut headers = headers.clone();
            headers.insert("Nats-Batch-Id", id.as_str());
            headers.insert("Nats-Batch-Sequence", number.to_string());
            self.client
                .publish_with_headers(subject.clone(), headers, payload.clone())
                .await
                .map_err(|source| Error::Publish { subject: subject.clone(), source })?;
        }
        fail::fail_point!("emit::before-mark");
        let mut headers = HeaderMap::new();
        if !batch.messages.is_empty() {
            headers.insert("Nats-Batch-Id", id.as_str());
            headers.insert("Nats-Batch-Sequence", (batch.messages.len() + 1).to_string());
            headers.insert("Nats-Batch-Commit", "1");
        }
        headers.insert("Nats-Expected-Last-Subject-Sequence", batch.end.to_string());
        headers.insert(TTL.0, TTL.1);
        headers.insert(ROLLUP.0, ROLLUP.1);
        let subject = format!("w._mark.{}", self.who.token());
        let payload =
            serde_json::to_vec(&batch.mark).map_err(|source| Error::Answer { subject: subject.clone(), source })?;
        let request = Request::new().headers(headers).payload(payload.into()).timeout(Some(REQUEST_TIMEOUT));
        let answer = self
            .client
            .send_request(subject.clone(), request)
            .await
            .map_err(|source| Error::Request { subject: subject.clone(), source })?;
        let ack: Ack = read_answer(&subject, &answer.payload)?;
        Ok(ack.seq)
    }

    /// Reads the mark after a failure.
    async fn settle(&self, batch: &Batch, error: Error) -> Result<Settled, EmitError> {
        let last = loop {
            match mark::last(&self.client, self.who).await {
                Ok(last) => break last,
                Err(error) => {
                    tracing::debug!(who = %self.who, %error, "the mark cannot be read yet");
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        match last.stored {
            Some(stored) if stored.mark == batch.mark => Ok(Settled::Committed(stored.sequence)),
            Some(stored) if stored.sequence != batch.after => {
                Err(EmitError::Fenced { who: self.who, owner: stored.mark.owner })
            }
            // OUT was purged, or made anew, under an engine at work. Another engine would have left a mark of its own.
            None if batch.after != 0 => Ok(Settled::Lost(last.end)),
            _ if last.end != batch.end => {
                metrics::counter!("linesman_foreign_marks_total").increment(1);
                if batch.end == batch.after {
                    tracing::error!(
                        who = %self.who,
                        sequence = last.end,
                        "somebody else writes where the lane's marks stand: a login that may publish `w.>`, or one of \
                         the engine's account, which may name any subject for a reply"
                    );
                }
                Ok(Settled::Behind(last.end))
            }
            _ => match error {
                Error::Refused { code, .. } if WRONG_LAST_SEQUENCE.contains(&code) => Ok(Settled::Again),
                Error::Publish { .. } | Error::Answer { .. } => {
                    Err(EmitError::Refused { who: self.who, source: error })
                }
                _ => Ok(Settled::Again),
            },
        }
    }
}
