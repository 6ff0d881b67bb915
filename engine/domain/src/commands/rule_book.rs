//! What is asked of the rule book; by the provider, on lane 0.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{PlaceClearing, RuleBook, SectionLoad};
use linesman_schemas::{Place, Sphere};
use serde_json::{Value, json};

use super::Answer;
use super::spheres::{self, Cleared};
use crate::Error;
use crate::desk::Desk;
use crate::managers::Managers;
use crate::rule_book::Books;
use crate::sections::{self, SectionRow, SectionsRow};

/// Does what is asked of the rule book.
pub(crate) fn ask(desk: &mut Desk, managers: &mut Managers, books: &Books, verb: &RuleBook) -> Result<Answer, Error> {
    match verb {
        RuleBook::LoadSection(load) => load_section(desk, books, load),
        RuleBook::ClearPlace(clearing) => Ok(clear(desk, managers, books, clearing)?.about(&clearing.place)),
    }
}

/// A section has another content from here on, and the rule book another version.
fn load_section(desk: &mut Desk, books: &Books, load: &SectionLoad) -> Result<Answer, Error> {
    let mut row = match desk.read(&sections::key())? {
        Some(row) => row,
        None => SectionsRow::of(books.row()),
    };
    let section = load.section;
    let known = row.section(section).cloned();
    let old = shown(row.version, known.as_ref());
    if let Some(expected) = &load.expected
        && known.as_ref().is_none_or(|known| known.hash != *expected)
    {
        let found = known.map_or_else(|| "nothing".to_owned(), |known| format!("`{}`", known.hash));
        let detail = format!("the section `{section}` is not what was expected: it has {found}");
        return Ok(Answer::refused(Verdict::Conflict, detail).about(&section));
    }
    let newest = row.version.max(books.row().version).max(load.above.unwrap_or_default());
    let loaded = load.loaded.clone().or_else(|| known.as_ref().and_then(|known| known.loaded.clone()));
    let next = SectionRow { section, hash: load.hash.clone(), loaded };
    if known.as_ref() == Some(&next) && newest == row.version {
        return Ok(Answer::done("unchanged", old.clone(), old).about(&section));
    }
    let is_judged_by = known.is_none_or(|known| known.hash != next.hash) || newest != row.version;
    row.put(next);
    if is_judged_by || row.version == 0 {
        row.advance(newest);
    }
    desk.write(sections::key(), &row)?;
    let new = shown(row.version, row.section(section));
    Ok(Answer::done("loaded", old, new).about(&section))
}

/// A place that is gone goes out of the spheres of the provider's people, of their tokens, and of what those who are gone
/// left to groups. Who then has none sees by groups alone.
fn clear(desk: &mut Desk, managers: &mut Managers, books: &Books, clearing: &PlaceClearing) -> Result<Answer, Error> {
    let version = desk.read(&sections::key())?.map_or(books.row().version, |row| row.version);
    let asked = clearing.rule_book;
    if version != asked {
        let detail = format!("the rule book has version {version} by now, and was looked at in version {asked}");
        return Ok(Answer::refused(Verdict::Conflict, detail));
    }
    let place = Place::Below(clearing.place.clone());
    let people = spheres::clear_people(desk, managers, &place)?;
    let tokens = spheres::clear_tokens(desk, None, &place)?;
    if !tokens.is_empty() {
        managers.changed_directory();
    }
    let groups = spheres::clear_left(desk, managers, &place)?;
    let of_all = |of: fn(&Cleared) -> &Sphere| {
        let mut all = json!({"managers": spheres::shown(&people, of), "tokens": spheres::shown(&tokens, of)});
        if let Some(fields) = all.as_object_mut().filter(|_| !groups.is_empty()) {
            fields.insert("groups".to_owned(), Value::Object(spheres::shown(&groups, of)));
        }
        all
    };
    Ok(Answer::done("cleared", of_all(|cleared| &cleared.before), of_all(|cleared| &cleared.after)))
}

/// What the audit shows of a section.
fn shown(version: u64, row: Option<&SectionRow>) -> Value {
    let Some(row) = row else { return Value::Null };
    json!({"section": row.section, "hash": row.hash, "loaded": row.loaded, "version": version})
}
