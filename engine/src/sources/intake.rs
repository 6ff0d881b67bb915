//! What sources find for the provider: intelligence messages, taken in as people take them in.
//!
//! ```text
//!  message --read--> content --> bucket, by SHA-256 --> add-intelligence, on lane 0
//!              `--> it cannot be read: told, and passed over
//! ```
//!
//! IMPORTANT: a command is called by where its message was found and by its content, so that what is found again is asked
//! for once; and of the same content lane 0 takes nothing in twice.

use std::sync::Arc;

use async_nats::Client;
use linesman_domain::intelligence::{RECALLED_FROM, of_stray, provided};
use linesman_domain::organizations;
use linesman_schemas::command::{Command, Message, MessageGiven, Verb};
use linesman_schemas::intelligence::{self, Intelligence};
use linesman_schemas::outcome::Failure;
use linesman_schemas::{CommandId, Mode, OrgName, Principal};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::unavailable;
use crate::lane::status::LaneStatus;
use crate::log::books::{Books, pack};
use crate::log::inputs;
use crate::logging::full;
use crate::store;

/// Takes in what is the provider's.
pub struct Intake {
    /// Where commands are published.
    pub client: Client,
    /// Where contents are kept.
    pub books: Arc<Books>,
    /// How this node is called in commands.
    pub node: Arc<str>,
    /// How far the lanes are, lane 0 first.
    pub lanes: Vec<watch::Receiver<LaneStatus>>,
    /// Their rows.
    pub rows: Vec<store::Lane>,
    /// In which mode the controller is.
    pub mode: Mode,
}

/// Where a message was found.
pub(super) struct Found<'a> {
    pub(super) source: &'static str,
    /// Behind which cursor, and there as which.
    pub(super) cursor: Option<&'a str>,
    pub(super) number: usize,
}

impl Intake {
    /// Takes a message in; one that cannot be read is told, and none. It is in the log then.
    ///
    /// # Errors
    /// It could not be taken in; it may have been nonetheless.
    pub(super) async fn take(&self, found: &Found<'_>, payload: &[u8]) -> Result<(), Failure> {
        self.stands_at(provided::LEVEL)?;
        let source = found.source;
        let message = match read(payload) {
            Ok(message) => message,
            Err(error) => {
                metrics::counter!("linesman_source_unreadable_total", "source" => source).increment(1);
                let message = linesman_rules::excerpt(&String::from_utf8_lossy(payload));
                tracing::warn!(source, error, message, "an intelligence message that cannot be read is passed over");
                return Ok(());
            }
        };
        if message.recalled {
            // What was sent from here is recalled by whoever sent it.
            tracing::warn!(source, message = message.id, "a message was recalled above; it stays here");
            return Ok(());
        }
        let put = self.put(found, &message).await;
        put.map_err(|error| unavailable(format!("the message `{}` is not taken in: {error}", message.id)))
    }

    /// The organizations that messages from above are for; none where they are the provider's.
    ///
    /// # Errors
    /// They cannot be read, or the log is not decided at the level at which messages are taken back.
    pub(super) fn ours(&self) -> Result<Option<Vec<OrgName>>, Failure> {
        if self.mode == Mode::Partner {
            return Ok(None);
        }
        self.stands_at(RECALLED_FROM)?;
        let names = |lane| organizations::all(lane).map(|row| row.map(|(name, _)| name));
        let names: Result<Vec<_>, _> = self.rows.iter().flat_map(names).collect();
        names.map(Some).map_err(|error| unavailable(format!("organizations cannot be read: {}", full(&error))))
    }

    fn stands_at(&self, level: u32) -> Result<(), Failure> {
        let found = self.lanes.iter().map(|lane| lane.borrow().level).min().unwrap_or_default();
        match found < level {
            true => Err(unavailable(format!("its messages take engine level {level}: `linesman level raise`"))),
            false => Ok(()),
        }
    }

    async fn put(&self, found: &Found<'_>, message: &Intelligence) -> Result<(), String> {
        let (sha256, content) = pack(message).map_err(|error| full(&error))?;
        // Whoever is told of it finds it there.
        self.books.put(&sha256, &content).await.map_err(|error| full(&error))?;
        let id = found.id(&sha256)?;
        let given = MessageGiven { id: message.id.clone(), sha256, bytes: content.len() as u64 };
        let verb = Verb::Message(Message::Add(given));
        let command = Command { id, principal: Principal::Machine, node: self.node.to_string(), verb };
        let (subject, payload) = inputs::of_command(None, command).map_err(|error| full(&error))?;
        inputs::put(&self.client, subject, payload).await.map(drop).map_err(|error| full(&error))
    }
}

impl Found<'_> {
    /// What asks for it is called so.
    fn id(&self, sha256: &str) -> Result<CommandId, String> {
        let place = format!("{}\n{}\n{sha256}", self.cursor.unwrap_or_default(), self.number);
        let digest = hex::encode(Sha256::digest(place));
        format!("{}-{digest}", self.source).parse().map_err(|error| full(&error))
    }
}

/// Reads a message as lanes read those of organizations.
fn read(payload: &[u8]) -> Result<Intelligence, String> {
    let message = intelligence::decode(payload).map_err(|error| error.to_string())?;
    match intelligence::stray(payload) {
        Some(stray) => Err(of_stray(&stray).0),
        None => Ok(message),
    }
}
