//! What an answer says, held against its bounds: nothing goes on that is not bounded, printable and what was asked for.

use linesman_schemas::cascade::KEY_MOST;
use linesman_schemas::command::{CASE_LINK_MOST, NOTE_MOST, OWNER_MOST};
use linesman_schemas::outcome::{CaseNote, Failure};
use serde::de::DeserializeOwned;

use super::fault;
use crate::text::excerpt;

/// Most notes a case may have.
const NOTES_PER_CASE: usize = 200;
/// The longest cursor, in characters.
const CURSOR_MOST: usize = 1024;

/// The body as `T`; what it lacks is said, what it says beyond is ignored.
///
/// # Errors
/// It is none.
pub(crate) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| fault::garbled(format!("the answer cannot be read: {}", excerpt(&error.to_string(), 200))))
}

/// # Errors
/// A text is empty, too long or not of one printable line.
pub(crate) fn bounded(field: &str, text: &str, most: usize) -> Result<(), Failure> {
    let is_good = !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
    if is_good {
        return Ok(());
    }
    Err(fault::garbled(format!("`{field}` is not 1 to {most} printable characters: `{}`", excerpt(text, 80))))
}

/// # Errors
/// What people are to click on is no web address; a script is none.
pub(crate) fn link(link: &str) -> Result<(), Failure> {
    bounded("link", link, CASE_LINK_MOST)?;
    match link.starts_with("https://") || link.starts_with("http://") {
        true => Ok(()),
        false => Err(fault::garbled(format!("`link` is no web address: `{}`", excerpt(link, 80)))),
    }
}

/// # Errors
/// There are too many notes, or one is beyond its bounds.
pub(crate) fn notes(notes: &[CaseNote]) -> Result<(), Failure> {
    if notes.len() > NOTES_PER_CASE {
        let count = notes.len();
        return Err(fault::garbled(format!("a case of {count} notes, at most {NOTES_PER_CASE} are taken")));
    }
    for note in notes {
        bounded("notes.id", &note.id, KEY_MOST)?;
        if !note.author.is_empty() {
            bounded("notes.author", &note.author, OWNER_MOST)?;
        }
        let is_wrong = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if note.text.chars().count() > NOTE_MOST || note.text.chars().any(is_wrong) {
            let shown = excerpt(&note.text, 80);
            return Err(fault::garbled(format!(
                "`notes.text` is not a text of up to {NOTE_MOST} characters: `{shown}`"
            )));
        }
    }
    Ok(())
}

/// A page of so many cases behind a cursor, with the next one.
///
/// # Errors
/// It is too long, or does not lead on although there is more.
pub(crate) fn page(cases: usize, most: usize, cursor: Option<&str>, next: (&str, bool)) -> Result<(), Failure> {
    let (next, has_more) = next;
    bounded("cursor", next, CURSOR_MOST)?;
    if cases > most {
        return Err(fault::garbled(format!("a page of {cases} cases, at most {most} are taken")));
    }
    if has_more && cursor == Some(next) {
        return Err(fault::garbled("there is more behind the cursor, but the cursor stays".to_owned()));
    }
    Ok(())
}
