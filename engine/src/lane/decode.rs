//! The second verb: messages into inputs.

use linesman_schemas::control::Control;
use linesman_schemas::dead_letter::Reason;
use sha2::{Digest, Sha256};

use crate::domain::input::{Body, Input, RuleBook, json_place};
use crate::log::books::Books;
use crate::log::reader::Message;

/// Reads a batch. What cannot be read becomes an input that says so; the order is the log's.
///
/// A rule book is fetched here, before it is decided on, however long that takes: a lane that went on
/// without it would decide otherwise than the others.
pub(super) async fn decode<'a>(books: &Books, batch: &'a [Message]) -> Vec<Input<'a>> {
    let mut inputs = Vec::with_capacity(batch.len());
    for message in batch {
        let (org, kind) = message.subject.split_once('.').unwrap_or(("", "ctl"));
        let body =
            if org.is_empty() { control(books, &message.payload).await } else { Body::decode(kind, &message.payload) };
        inputs.push(Input {
            sequence: message.sequence,
            time: message.time,
            sha256: Sha256::digest(&message.payload).into(),
            org,
            kind,
            bytes: &message.payload,
            body,
        });
    }
    inputs
}

async fn control<'a>(books: &Books, payload: &[u8]) -> Body<'a> {
    match serde_json::from_slice(payload) {
        Ok(Control::Tick) => Body::Tick,
        Ok(Control::Attempt(attempt)) => Body::Attempt(Box::new(attempt)),
        Ok(Control::RuleBook(wanted)) => {
            let ready = books.get_patiently(&wanted.hash).await;
            Body::RuleBook(RuleBook {
                version: wanted.version,
                hash: wanted.hash,
                book: ready.book,
                settings: ready.settings,
            })
        }
        Err(error) => Body::Undecodable {
            reason: Reason::CommandUndecodable,
            detail: error.to_string(),
            place: json_place(&error),
        },
    }
}
