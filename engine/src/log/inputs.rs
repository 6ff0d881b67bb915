//! Puts messages into IN.

use async_nats::Client;
use async_nats::jetstream::context::{Context, PublishAckFuture, PublishError};
use linesman_schemas::OrgName;
use linesman_schemas::command::Command;
use linesman_schemas::control::Control;

use super::context;

/// Subject and payload by which a command enters the log.
///
/// # Errors
/// The command has no form in JSON.
pub fn of_command(whose: Option<&OrgName>, command: Command) -> Result<(String, Vec<u8>), serde_json::Error> {
    let subject = command.verb.subject(whose);
    let payload = match whose {
        Some(_) => serde_json::to_vec(&command)?,
        None => serde_json::to_vec(&Control::Command(Box::new(command)))?,
    };
    Ok((subject, payload))
}

/// Publishes a message; its sequence in IN once the stream has it.
///
/// # Errors
/// The stream does not take it, or does not say so in time: it may have it nonetheless.
pub async fn put(client: &Client, subject: String, payload: Vec<u8>) -> Result<u64, PublishError> {
    let ack = send(&context(client), subject, payload).await?.await?;
    Ok(ack.sequence)
}

/// Publishes a message without waiting for the stream: it has the message once what comes back has ended well.
///
/// # Errors
/// It is too large, or does not leave.
pub(crate) async fn send(
    context: &Context,
    subject: String,
    payload: Vec<u8>,
) -> Result<PublishAckFuture, PublishError> {
    context.publish(subject, payload.into()).await
}
