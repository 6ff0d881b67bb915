//! A file as the engine will read it.

use std::path::Path;

use anyhow::Context as _;
use linesman_domain::intelligence::of_stray;
use linesman_schemas::bundle::{self, Edition};
use linesman_schemas::intelligence;

use crate::cli::api::published::What;

/// What a file holds.
pub(super) struct Looked {
    pub(super) bytes: Vec<u8>,
    /// The kind's token in its subject.
    pub(super) kind: &'static str,
    pub(super) what: What,
}

/// The kind of a file, as its subject has it.
pub(super) fn kind(file: &Path) -> &'static str {
    if file.extension().is_some_and(|extension| extension == "json") { "intel" } else { "jmb" }
}

/// Reads a file of at most so many bytes. In an edition it is held against what the engine takes; in none it is what it may be.
///
/// # Errors
/// It cannot be read, is too long, or would be a dead letter.
pub(super) async fn look(file: &Path, edition: Option<Edition>, most: usize) -> anyhow::Result<Looked> {
    let bytes = tokio::fs::read(file).await.context("cannot be read")?;
    let length = bytes.len();
    anyhow::ensure!(length <= most, "has {length} bytes, and the server takes messages of at most {most}");
    let kind = kind(file);
    let what = match kind {
        "intel" => message(&bytes),
        _ => problem(&bytes, edition.unwrap_or(Edition::NEWEST)),
    };
    let what = match edition {
        Some(_) => what?,
        None => what.unwrap_or(What::Unread),
    };
    Ok(Looked { bytes, kind, what })
}

fn problem(bytes: &[u8], edition: Edition) -> anyhow::Result<What> {
    let bundle = bundle::decode_in(edition, bytes).context("is no bundle")?;
    let serial_number = bundle.manifest.device.serial_number.to_string();
    Ok(match bundle.is_problem() {
        true => What::Problem { host_event_id: bundle.manifest.host_event_id.to_string(), serial_number },
        false => What::Snapshot { serial_number },
    })
}

fn message(bytes: &[u8]) -> anyhow::Result<What> {
    if let Some(stray) = intelligence::stray(bytes) {
        // Whom a message concerns would be misread: a list that is misspelt is none, and then it concerns everybody.
        let (why, _) = of_stray(&stray);
        anyhow::bail!("line {}: {why}", stray.line);
    }
    let message = intelligence::decode(bytes).context("is no intelligence message")?;
    Ok(What::Intelligence(message.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_wrong_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("m.json", "{"), ("m.json", "{\"id\": 7}"), ("b.xml", "<jmb"), ("b.xml", "</a>")] {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            let Err(error) = look(&file, Some(Edition::NEWEST), 1_000).await else { panic!("{text} is taken") };
            let said: Vec<String> = error.chain().map(ToString::to_string).collect();
            for (at, words) in said.iter().enumerate() {
                assert!(said.iter().skip(at + 1).all(|other| !words.contains(other.as_str())), "{text}: {said:?}");
            }
        }
    }
}
