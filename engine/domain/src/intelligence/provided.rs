//! Intelligence messages of the provider's: taken in by lane 0, and handed to every lane.
//!
//! ```text
//!  add-intelligence --> lane 0: given, numbered --> serve/handout --> p.N.ctl, by hash --> every lane: kept
//! ```
//!
//! What lane 0 has numbered it does not match itself: it is handed that like the others, once the content is there.

use jiff::Timestamp;
use linesman_schemas::command::MessageGiven;
use linesman_schemas::control::IntelligenceRef;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{IntelligenceRow, MessageRow};
use crate::Error;
use crate::commands::Answer;
use crate::desk::Desk;
use crate::input::Provided;
use crate::state::Base;
use crate::table::{Key, Row, Table};

/// The engine level from which on there are messages of the provider's.
pub const LEVEL: u32 = 10;

/// A message of the provider's, as a lane keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvidedRow {
    /// Its number.
    pub number: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// What it says.
    pub message: MessageRow,
    /// When this text of it entered the lane's log.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub received: Timestamp,
}

impl Row for ProvidedRow {}

/// As a message of an organization's.
impl From<ProvidedRow> for IntelligenceRow {
    fn from(row: ProvidedRow) -> Self {
        Self { message: row.message, received: row.received, repeats: 0 }
    }
}

/// The table of the provider's messages.
pub const PROVIDED: Table<ProvidedRow> = Table::new(b'0');

/// The key of a message of the provider's.
pub fn key(id: &str) -> Key<ProvidedRow> {
    PROVIDED.key(&[], id.as_bytes())
}

/// The front of the keys of the provider's messages, or of those from a row's own key on.
pub fn within(own: &[u8]) -> Vec<u8> {
    PROVIDED.prefix(&[], own)
}

/// All messages of the provider's that a lane has, by id.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<ProvidedRow, Error>> {
    PROVIDED.rows(base, &[]).map(|row| row.map(|(_, row)| row))
}

/// A message that lane 0 has taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenRow {
    /// Its number: that of the last text.
    pub number: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// How many bytes the content has.
    pub bytes: u64,
}

impl Row for GivenRow {}

/// The table of what lane 0 has taken in, by the message's id.
pub const GIVEN: Table<GivenRow> = Table::new(b'!');

fn given_key(id: &str) -> Key<GivenRow> {
    GIVEN.key(&[], id.as_bytes())
}

/// What lane 0 has taken in behind a number, in the order of the numbers: for whoever hands it out.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn behind(base: &(impl Base + ?Sized), number: u64) -> Result<Vec<IntelligenceRef>, Error> {
    let mut found = Vec::new();
    for row in GIVEN.rows(base, &[]) {
        let (own, GivenRow { number: of, sha256, bytes }) = row?;
        if of > number {
            found.push(IntelligenceRef { number: of, id: String::from_utf8_lossy(&own).into_owned(), sha256, bytes });
        }
    }
    found.sort_unstable_by_key(|named| named.number);
    Ok(found)
}

/// A number that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRow(pub u64);

impl Row for NumberRow {}

/// The table of the numbers that were reached, by what was.
pub const NUMBERS: Table<NumberRow> = Table::new(b'#');

/// The key of the number that lane 0 gave last, and that of the last message that a lane was handed.
const LAST_GIVEN: &[u8] = b"given";
const LAST_TAKEN: &[u8] = b"taken";

/// The number that lane 0 gave last; 0 before the first.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn last_given(base: &(impl Base + ?Sized)) -> Result<u64, Error> {
    Ok(Table::read(base, &NUMBERS.key(&[], LAST_GIVEN))?.map_or(0, |NumberRow(number)| number))
}

/// The number of the last message that a lane was handed; 0 before the first.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn last_taken(base: &(impl Base + ?Sized)) -> Result<u64, Error> {
    Ok(Table::read(base, &NUMBERS.key(&[], LAST_TAKEN))?.map_or(0, |NumberRow(number)| number))
}

/// The next number of what is counted so, from 1 on.
pub(crate) fn count(desk: &mut Desk, what: &[u8]) -> Result<u64, Error> {
    let key = || NUMBERS.key(&[], what);
    let number = desk.read(&key())?.map_or(0, |NumberRow(number)| number) + 1;
    desk.write(key(), &NumberRow(number))?;
    Ok(number)
}

/// Takes in a message on lane 0; the same content again changes nothing.
pub(crate) fn add(desk: &mut Desk, given: &MessageGiven) -> Result<Answer, Error> {
    let MessageGiven { id, sha256, bytes } = given;
    let key = given_key(id);
    let known = desk.read(&key)?;
    if known.as_ref().is_some_and(|known| known.sha256 == *sha256) {
        return Ok(Answer::done("unchanged", Value::Null, Value::Null).about(id));
    }
    let number = count(desk, LAST_GIVEN)?;
    desk.write(key, &GivenRow { number, sha256: sha256.clone(), bytes: *bytes })?;
    let shown = |sha256: &str, bytes: u64| json!({"id": id, "sha256": sha256, "bytes": bytes});
    let new = shown(sha256, *bytes);
    Ok(match known {
        None => Answer::created(new),
        Some(known) => Answer::done("replaced", shown(&known.sha256, known.bytes), new),
    }
    .about(id))
}

/// What became of a message that a lane was handed.
pub(crate) enum Taken {
    /// The lane has it, or a later one, already.
    Known,
    /// It is kept, in place of another text of it.
    Kept,
    /// Its content is no such message, which is passed over; why.
    Unreadable(String),
}

/// Keeps a message that was handed to the lane.
pub(crate) fn take(desk: &mut Desk, provided: &Provided) -> Result<Taken, Error> {
    let IntelligenceRef { number, id, sha256, .. } = &provided.named;
    if *number <= last_taken(desk.state())? {
        desk.tally.input("ctl", "known");
        return Ok(Taken::Known);
    }
    desk.write(NUMBERS.key(&[], LAST_TAKEN), &NumberRow(*number))?;
    let Some(message) = &provided.message else {
        return Ok(Taken::Unreadable(format!("the content `{sha256}` is no intelligence message `{id}`")));
    };
    desk.tally.input("ctl", "intelligence");
    let row =
        ProvidedRow { number: *number, sha256: sha256.clone(), message: message.clone().into(), received: desk.now };
    desk.write(key(id), &row)?;
    Ok(Taken::Kept)
}
