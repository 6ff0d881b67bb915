//! Readings of clocks in the log: the first one behind a message, and new ones.

use async_nats::Client;
use linesman_schemas::control::{ClockReading, Control};
use serde_json::json;

use super::{Error, inputs, mark};

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
    let payload = serde_json::to_vec(&Control::Clock(reading)).unwrap_or_default();
    inputs::put(client, subject(lane), payload).await
}

fn subject(lane: u32) -> String {
    format!("p.{lane}.ctl")
}
