//! Readings of clocks in the log: the first one behind a message, and new ones; and that somebody has confirmed what time it is.

use async_nats::Client;
use jiff::Timestamp;
use linesman_schemas::control::{ClockConfirmed, ClockReading, Control};
use serde::Deserialize;
use serde_json::json;

use super::streams::IN;
use super::{Error, api, inputs, mark};

/// Looks for the first reading of a lane behind a message, from where it stands on.
#[derive(Debug)]
pub struct Search {
    lane: u32,
    /// The last sequence that was looked at.
    looked: u64,
}

impl Search {
    /// Behind the message at `sequence`.
    pub fn behind(lane: u32, sequence: u64) -> Self {
        Self { lane, looked: sequence }
    }

    /// The reading and its sequence; none where the log has none yet. It goes on behind what it has looked at.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn find(&mut self, client: &Client) -> Result<Option<(u64, ClockReading)>, Error> {
        let subject = subject(self.lane);
        loop {
            let wanted = json!({"seq": self.looked.saturating_add(1), "next_by_subj": subject});
            let Some((sequence, payload)) = mark::next_input(client, &wanted).await? else { return Ok(None) };
            if let Ok(Control::Clock(reading)) = serde_json::from_slice(&payload) {
                return Ok(Some((sequence, reading)));
            }
            self.looked = sequence;
        }
    }
}

/// Writes a reading.
///
/// # Errors
/// The stream does not take it, or does not say so in time: it may have it nonetheless.
pub async fn write(
    client: &Client,
    lane: u32,
    reading: ClockReading,
) -> Result<u64, async_nats::jetstream::context::PublishError> {
    put(client, lane, &Control::Clock(reading)).await
}

/// Writes that somebody has confirmed what time it is.
///
/// # Errors
/// As [`write()`].
pub async fn confirm(
    client: &Client,
    lane: u32,
    confirmed: ClockConfirmed,
) -> Result<u64, async_nats::jetstream::context::PublishError> {
    put(client, lane, &Control::ClockConfirmed(confirmed)).await
}

async fn put(
    client: &Client,
    lane: u32,
    control: &Control,
) -> Result<u64, async_nats::jetstream::context::PublishError> {
    inputs::put(client, subject(lane), serde_json::to_vec(control).unwrap_or_default()).await
}

/// What time it is by the server's clock.
///
/// # Errors
/// It does not answer.
pub async fn server_time(client: &Client) -> Result<Timestamp, Error> {
    #[derive(Deserialize)]
    struct Answer {
        ts: Timestamp,
    }
    let Answer { ts } = api(client, &format!("STREAM.INFO.{IN}"), &json!({})).await?;
    fail::fail_point!("decode::skew", |seconds| Ok(skewed(ts, seconds)));
    Ok(ts)
}

/// As a clock has it that is so many seconds ahead.
#[cfg(feature = "failpoints")]
pub(crate) fn skewed(time: Timestamp, seconds: Option<String>) -> Timestamp {
    let seconds = seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
    time.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

fn subject(lane: u32) -> String {
    format!("p.{lane}.ctl")
}
