//! What people have said of an incident.

use jiff::Timestamp;
use linesman_schemas::OrgName;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::desk::Desk;
use crate::subject::Incident;
use crate::table::{Key, Row, Table};

/// What people have said of an incident, oldest first, at most [`NOTES_MOST`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NotesRow {
    /// The notes.
    pub notes: Vec<NoteRow>,
}

/// How many notes of an incident are kept.
pub const NOTES_MOST: usize = 100;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteRow {
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// What is said.
    pub text: String,
}

impl Row for NotesRow {}

/// The table of notes.
pub const NOTES: Table<NotesRow> = Table::new(b'm');

/// The key of an incident's notes.
pub fn key(org: &OrgName, number: u64) -> Key<NotesRow> {
    NOTES.key(&[org.as_str()], &number.to_be_bytes())
}

/// Adds a note to an incident, unless there is nothing to say; or why it takes none.
pub(crate) fn add(desk: &mut Desk, incident: &Incident, actor: &str, text: &str) -> Result<Result<(), String>, Error> {
    if text.is_empty() {
        return Ok(Ok(()));
    }
    let key = key(&incident.id.org, incident.id.number);
    let mut row = desk.read(&key)?.unwrap_or_default();
    if row.notes.len() >= NOTES_MOST {
        return Ok(Err(format!("the incident has {NOTES_MOST} notes, and takes no more")));
    }
    row.notes.push(NoteRow { at: desk.now, actor: actor.to_owned(), text: text.to_owned() });
    desk.write(key, &row)?;
    Ok(Ok(()))
}
