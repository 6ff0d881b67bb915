//! A running system's log into files: all of IN as it stands now, and the contents it names.
//!
//! It only reads. One message is held at a time.

use std::path::Path;

use async_nats::Client;
use linesman_schemas::control::{Control, Section};

use super::Error;
use super::format::{Entry, Header};
use super::writer::Writer;
use crate::log::books::Books;
use crate::log::history::History;
use crate::log::overrides;
use crate::log::reader::InMessage;
use crate::log::streams;

/// Records IN of a server into a folder; how many inputs it had.
///
/// `progress` hears the sequence reached and the last one, after each input.
///
/// # Errors
/// The folder has something in it and `is_forced` is not set, a file cannot be written, or the server does not hand
/// out what it must have.
pub async fn capture(
    client: &Client,
    dir: &Path,
    is_forced: bool,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, Error> {
    let identity = streams::identity(client).await?;
    if identity.first > 1 {
        return Err(Error::NoBeginning { first: identity.first });
    }
    let lanes = streams::lanes(client).await?.ok_or_else(|| crate::log::Error::Foreign {
        stream: streams::IN,
        difference: "`subject_transform` leads to no lanes".to_owned(),
    })?;
    let header = Header::new(identity.created, lanes, concat!("linesman ", env!("CARGO_PKG_VERSION")));
    let mut writer = Writer::begin(dir, &header, is_forced)?;
    let mut decided = Vec::new();
    for lane in 0..lanes {
        decided.extend(overrides::read(client, lane).await?.all);
    }
    writer.overrides(&decided)?;
    let books = Books::new(client.clone(), 1);
    let mut history = History::new(client.clone(), identity.last);
    while let Some((lane, message)) = history.next().await? {
        for hash in named(&message) {
            if !writer.has_book(&hash) {
                writer.book(&hash, &books.content(&hash).await?)?;
            }
        }
        let sequence = message.sequence;
        writer.entry(&Entry { lane, message })?;
        progress(sequence, identity.last);
    }
    writer.end()
}

/// The contents that a message names, by hash: those of a rule book, or an intelligence message.
fn named(message: &InMessage) -> Vec<String> {
    if message.subject != "ctl" {
        return Vec::new();
    }
    match serde_json::from_slice(&message.payload) {
        Ok(Control::RuleBook(named)) => {
            Section::ALL.into_iter().filter_map(|section| named.content(section).map(str::to_owned)).collect()
        }
        Ok(Control::Intelligence(named)) => vec![named.sha256],
        _ => Vec::new(),
    }
}
