//! Intelligence messages: kept per organization, and judged by its policies.
//!
//! | room | what |
//! |---|---|
//! | here | what is published for one organization |
//! | `provided` | the provider's messages, which every lane has |
//! | `sent` | which organization is sent which of the provider's, in which wording |
//! | `relevance` | whether a message concerns a device, and why |
//! | `standing` | where an organization stands with a message it has |
//! | `impact` | which of many messages concern which of many devices |
//! | `matching` | whom a message concerns, found in slices and said |
//! | `exposures` | which messages concern a device that has changed |

pub(crate) mod exposures;
pub mod impact;
pub(crate) mod matching;
pub mod provided;
pub mod relevance;
pub mod sent;
pub mod standing;

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::dead_letter::LineColumn;
use linesman_schemas::intelligence::{Intelligence, Kind, Relevance, Stray};
use linesman_schemas::trigger::{IntelligenceData, Trigger};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::coded;
use crate::desk::Desk;
use crate::input;
use crate::outgoing::Topic;
use crate::policies::Fired;
use crate::subject::IntelligenceMessage;
use crate::table::{Key, Row, Table};

/// The engine level from which on a field that there is not makes a message unreadable.
pub(crate) const STRICT: u32 = 11;
/// The engine level from which on a message goes that was taken back.
pub const RECALLED_FROM: u32 = 11;

/// An intelligence message, kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntelligenceRow {
    /// The message.
    pub message: MessageRow,
    /// When it entered the log.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub received: Timestamp,
    /// How often the same id came again.
    pub repeats: u64,
}

/// What an intelligence message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Its id at its source.
    pub id: String,
    /// What kind of message.
    #[serde(with = "coded")]
    pub kind: Kind,
    /// One line.
    pub title: String,
    /// The message.
    pub text: String,
    /// When the source issued it.
    pub issued: Timestamp,
    /// Whom it concerns.
    pub relevance: RelevanceRow,
    /// Where to read more.
    pub links: Vec<String>,
}

/// Whom a message concerns; empty lists concern all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelevanceRow {
    /// Chassis serial numbers.
    pub serial_numbers: Vec<String>,
    /// Models.
    pub products: Vec<String>,
    /// System families.
    pub platforms: Vec<String>,
    /// Operating system versions.
    pub os_versions: Vec<String>,
}

impl From<Intelligence> for MessageRow {
    fn from(message: Intelligence) -> Self {
        let Intelligence { id, kind, title, text, issued, relevance, links, recalled: _ } = message;
        let Relevance { serial_numbers, products, platforms, os_versions } = relevance;
        let relevance = RelevanceRow { serial_numbers, products, platforms, os_versions };
        Self { id, kind, title, text, issued, relevance, links }
    }
}

impl From<MessageRow> for Intelligence {
    fn from(row: MessageRow) -> Self {
        let MessageRow { id, kind, title, text, issued, relevance, links } = row;
        Self { id, kind, title, text, issued, relevance: relevance.into(), links, recalled: false }
    }
}

impl From<RelevanceRow> for Relevance {
    fn from(row: RelevanceRow) -> Self {
        let RelevanceRow { serial_numbers, products, platforms, os_versions } = row;
        Self { serial_numbers, products, platforms, os_versions }
    }
}

impl Row for IntelligenceRow {}

/// The table of intelligence messages.
pub const INTELLIGENCE: Table<IntelligenceRow> = Table::new(b'n');

/// A message's key.
pub fn key(org: &OrgName, id: &str) -> Key<IntelligenceRow> {
    INTELLIGENCE.key(&[org.as_str()], id.as_bytes())
}

/// The front of the keys of an organization's messages, or of those from a row's own key on.
pub fn within(organization: &str, own: &[u8]) -> Vec<u8> {
    INTELLIGENCE.prefix(&[organization], own)
}

/// What is said of a field that messages do not have, and where it stands.
pub fn of_stray(stray: &Stray) -> (String, Option<LineColumn>) {
    let Stray { field, known, line, column } = stray;
    let help = linesman_rules::suggest(field, known.iter().copied());
    let detail = format!("there is no field `{}`: {help}", linesman_rules::excerpt(field));
    (detail, input::place(*line, *column))
}

/// Keeps a message and says its trigger; the same message again is only counted, a changed one replaces it and
/// is news. What policies are then to judge; none where it is no news.
pub(crate) fn take(
    desk: &mut Desk,
    org: &OrgName,
    message: &Intelligence,
) -> Result<Option<(Fired, IntelligenceMessage)>, Error> {
    let key = key(org, &message.id);
    let said = MessageRow::from(message.clone());
    let known = desk.read(&key)?;
    if let Some(mut known) = known.filter(|known| known.message == said) {
        known.repeats += 1;
        desk.tally.input("intel", "repeated");
        desk.write(key, &known)?;
        return Ok(None);
    }
    let received = desk.now;
    desk.write(key, &IntelligenceRow { message: said, received, repeats: 0 })?;
    desk.tally.input("intel", "kept");
    let trigger = Trigger::IntelligenceReceived;
    desk.tally.trigger(trigger.as_str());
    let data = IntelligenceData {
        id: &message.id,
        kind: message.kind,
        title: &message.title,
        issued: message.issued,
        relevance: &message.relevance,
        received,
    };
    let event = desk.say(&Topic::Trigger(org.clone(), trigger), org, Some(&message.id), data)?;
    let fired = Fired { trigger, event, about: message.id.clone(), is_providers: false };
    Ok(Some((fired, IntelligenceMessage::new(message.clone(), received))))
}

/// Lets go of a message that whoever sent it has taken back.
pub(crate) fn recall(desk: &mut Desk, org: &OrgName, id: &str) -> Result<(), Error> {
    let key = key(org, id);
    let is_there = desk.read(&key)?.is_some();
    desk.tally.input("intel", if is_there { "recalled" } else { "repeated" });
    if is_there {
        desk.remove(key);
        standing::forget(desk, org, id);
    }
    Ok(())
}

/// A message that is kept.
pub(crate) fn find(desk: &Desk, org: &OrgName, id: &str) -> Result<Option<IntelligenceMessage>, Error> {
    let row = desk.read(&key(org, id))?;
    Ok(row.map(|row| IntelligenceMessage::new(row.message.into(), row.received)))
}
