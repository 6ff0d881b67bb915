//! Puts messages into IN.

use async_nats::jetstream::context::PublishError;
use async_nats::{Client, jetstream};

/// Publishes a message; its sequence in IN once the stream has it.
///
/// # Errors
/// The stream does not take it, or does not say so in time: it may have it nonetheless.
pub async fn put(client: &Client, subject: String, payload: Vec<u8>) -> Result<u64, PublishError> {
    let ack = jetstream::new(client.clone()).publish(subject, payload.into()).await?.await?;
    Ok(ack.sequence)
}
