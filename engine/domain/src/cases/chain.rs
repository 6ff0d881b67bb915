//! A case in the cascade: what is known of it besides the upstream's word. A case that began here and that nobody but
//! the upstream speaks of has no such row.
//!
//! ```text
//! C <org> 0 <incident>        ChainRow
//! W <org> 0 <key>             the incident that an end customer's key became
//! Z <org> 0 <change>          the incident that changed for the one below, each at its last change
//! J <org>                     how many changes there were
//! ```

use std::ops::Bound;

use jiff::Timestamp;
use linesman_schemas::command::Handling;
use linesman_schemas::outcome::CaseNote;
use linesman_schemas::{IncidentId, OrgName};
use serde::{Deserialize, Serialize};

use super::{CaseRow, CaseState, SETTLED};
use crate::Error;
use crate::coded;
use crate::desk::Desk;
use crate::state::Base;
use crate::table::{self, Key, Row, Table};

/// The most notes that are kept of a case, and of those below.
pub const NOTES_MOST: usize = 200;
/// The most of them that were said by whoever is below.
const BELOW_MOST: usize = 100;
/// The most that is kept of what was said of a case, in bytes.
const NOTES_BYTES: usize = 256 * 1024;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChainRow {
    /// How it came from below; none for one that began here.
    pub reported: Option<ReportedRow>,
    /// Who solves it; none as long as nobody has said, and of one that began here.
    #[serde(with = "coded::optional")]
    pub handling: Option<Handling>,
    /// What stands in place of the upstream's words; empty ones do not.
    pub own: Words,
    /// Whether it was closed on this side or below it.
    pub is_closed: bool,
    /// Whether it was reopened on this side or below it, since it was closed.
    pub is_reopened: bool,
    /// What was said of it, oldest first.
    pub notes: Vec<NoteRow>,
    /// What the upstream is still to be told, oldest first; the first of them is under way where `telling` is one.
    pub steps: Vec<StepRow>,
    /// The reaction that tells it; empty for none.
    pub telling: String,
    /// How it stood when the one below could last see it changed.
    pub told: Words,
    /// How many notes had been said by then that the one below sees.
    pub told_notes: u64,
    /// How many there have ever been.
    pub said_notes: u64,
    /// When the upstream was told that it is closed here or below; the epoch for never since.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub close_told: Timestamp,
    /// The number of that change; 0 before the first.
    pub change: u64,
    /// When it changed last for the one below.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub updated: Timestamp,
}

/// How a case came from below.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReportedRow {
    /// What it is known by again.
    pub key: String,
    /// The incident below.
    pub tracking_number: String,
    /// The receipt it was given.
    pub transaction_id: String,
    /// By what the end customer at the bottom is known here.
    pub alias: String,
    /// The controllers it has passed, this one not among them.
    pub trace_route: Vec<String>,
    /// Whether it came with more than a synopsis.
    pub has_details: bool,
    /// Whether it is a try and no case.
    pub is_test: bool,
}

/// Id, link and status of a case; an empty one is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Words {
    /// Its id.
    pub case_id: String,
    /// Where people see it.
    pub link: String,
    /// Its status.
    pub status: String,
}

/// What somebody has said of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteRow {
    /// What it is known by again.
    pub id: String,
    /// Who.
    pub author: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
    /// What.
    pub text: String,
    /// Where it was said.
    pub side: Side,
}

/// From where something was said. Stored by its place: a new word is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Here.
    Here,
    /// By the upstream.
    Above,
    /// By the one who reported the case.
    Below,
}

/// What the upstream is to be told of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRow {
    /// What was done.
    pub kind: StepKind,
    /// What the note is known by again.
    pub id: String,
    /// Who did it.
    pub author: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
    /// What was said with it; empty for nothing.
    pub text: String,
}

/// What is done with a case. Stored by its place: a new word is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepKind {
    /// Something is said.
    Note,
    /// It is done.
    Close,
    /// It is not done after all.
    Reopen,
}

impl Row for ChainRow {}

/// The incident that something leads to, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadsTo {
    /// The incident.
    pub incident: u64,
}

impl Row for LeadsTo {}

/// How many changes an organization's cases have had for the one below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChangesRow {
    /// The number of the last.
    pub last: u64,
}

impl Row for ChangesRow {}

/// The table of cases in the cascade.
pub const CHAINS: Table<ChainRow> = Table::new(b'C');
/// The table of keys under which end customers reported cases.
pub const KEYS: Table<LeadsTo> = Table::new(b'W');
/// The table of changes for those below.
pub const CHANGES: Table<LeadsTo> = Table::new(b'Z');
/// The table of how many changes there were.
pub const COUNTS: Table<ChangesRow> = Table::new(b'J');

/// The key of a case in the cascade.
pub fn key(org: &OrgName, number: u64) -> Key<ChainRow> {
    CHAINS.key(&[org.as_str()], &number.to_be_bytes())
}

/// The key of an end customer's key.
pub fn key_of(org: &OrgName, key: &str) -> Key<LeadsTo> {
    KEYS.key(&[org.as_str()], key.as_bytes())
}

/// The key of a change.
pub fn change(org: &OrgName, number: u64) -> Key<LeadsTo> {
    CHANGES.key(&[org.as_str()], &number.to_be_bytes())
}

/// The key of how many changes an organization's cases have had.
pub fn count(org: &OrgName) -> Key<ChangesRow> {
    COUNTS.key(&[org.as_str()], &[])
}

/// The number of the last change of an organization's cases; 0 before the first.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn last_change(base: &(impl Base + ?Sized), org: &OrgName) -> Result<u64, Error> {
    Ok(Table::read(base, &count(org))?.unwrap_or_default().last)
}

/// The changes of an organization's cases behind one of them, oldest first: number and incident.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn changes_after(
    base: &(impl Base + ?Sized),
    org: &OrgName,
    after: u64,
) -> impl Iterator<Item = Result<(u64, u64), Error>> {
    let prefix = CHANGES.prefix(&[org.as_str()], &[]);
    let mut from = Bound::Excluded(change(org, after).into_bytes());
    std::iter::from_fn(move || {
        let (key, bytes) = match base.first(from.as_ref().map(Vec::as_slice), &prefix) {
            Ok(found) => found?,
            Err(error) => return Some(Err(error)),
        };
        let number = key.last_chunk().map_or(0, |number| u64::from_be_bytes(*number));
        let leads = table::decode::<LeadsTo>(&key, &bytes).map(|leads| (number, leads.incident));
        from = Bound::Excluded(key);
        Some(leads)
    })
}

/// The receipt of an incident that an end customer has reported.
pub fn transaction_id(incident: &IncidentId) -> String {
    format!("T-{incident}")
}

/// The incident of a receipt.
pub fn of_transaction(transaction_id: &str) -> Option<IncidentId> {
    transaction_id.strip_prefix("T-")?.parse().ok()
}

/// The incident that an end customer's key has become.
pub(crate) fn known(desk: &Desk, org: &OrgName, key: &str) -> Result<Option<IncidentId>, Error> {
    let leads = desk.read(&key_of(org, key))?;
    Ok(leads.map(|leads| IncidentId { org: org.clone(), number: leads.incident }))
}

/// How a case stands for whoever is below: what stands in place of the upstream's words, else those. One that was closed here
/// or below is closed, whatever stands in place; one that the upstream never got stands as that came about.
pub fn shown(case: &CaseRow, chain: Option<&ChainRow>) -> Words {
    let words = shown_before(case, chain);
    let Some(chain) = chain else { return words };
    let is_reported = chain.reported.is_some();
    let status = match case.state {
        _ if chain.is_closed => CLOSED.to_owned(),
        CaseState::Failed | CaseState::Withheld if is_reported && words.status.is_empty() => {
            case.state.as_str().to_owned()
        }
        _ => return words,
    };
    Words { status, ..words }
}

/// The same as it was before [`SETTLED`].
fn shown_before(case: &CaseRow, chain: Option<&ChainRow>) -> Words {
    let own = chain.map(|chain| &chain.own);
    let or = |own: Option<&String>, upstream: &str| match own {
        Some(own) if !own.is_empty() => own.clone(),
        _ => upstream.to_owned(),
    };
    let is_closed = chain.is_some_and(|chain| chain.is_closed);
    let is_reopened = chain.is_some_and(|chain| chain.is_reopened);
    let status = match case.status.as_str() {
        _ if is_closed => CLOSED,
        status if is_reopened && (status.is_empty() || status.eq_ignore_ascii_case(CLOSED)) => REOPENED,
        status => status,
    };
    Words {
        case_id: or(own.map(|own| &own.case_id), &case.case_id),
        link: or(own.map(|own| &own.link), &case.link),
        status: or(own.map(|own| &own.status), status),
    }
}

/// The status of a case that is done.
pub const CLOSED: &str = "closed";
/// The status of one that is not done after all, as long as the upstream says nothing else.
const REOPENED: &str = "reopened";

impl ChainRow {
    /// What was said of the case that the one below sees, oldest first.
    pub fn notes_below(&self) -> impl Iterator<Item = CaseNote> {
        let seen = self.notes.iter().filter(|note| note.side != Side::Below);
        seen.map(|note| CaseNote {
            id: note.id.clone(),
            author: note.author.clone(),
            at: note.at,
            text: note.text.clone(),
        })
    }

    /// Writes it; the one below sees what has changed.
    pub(crate) fn keep(&mut self, desk: &mut Desk, incident: &IncidentId, case: &CaseRow) -> Result<(), Error> {
        tell_below(desk, incident, case, self)?;
        desk.write(key(&incident.org, incident.number), self)
    }

    /// Whether those below have said as much as half of what is kept, with one more text.
    pub(super) fn is_full_of_below(&self, text: &str) -> bool {
        let below = self.notes.iter().filter(|note| note.side == Side::Below);
        let (count, bytes) = below.fold((0, text.len()), |(count, bytes), note| (count + 1, bytes + note.text.len()));
        count >= BELOW_MOST || bytes > NOTES_BYTES / 2
    }

    /// Keeps what was said, unless it is known; whether it is news. The oldest goes where there are too many.
    pub(super) fn say(&mut self, desk: &Desk, note: NoteRow) -> bool {
        // It keeps its id wherever it goes: what comes back from another side was said already.
        let is_known = |known: &NoteRow| known.id == note.id && (known.side == note.side || desk.is_at(SETTLED));
        if self.notes.iter().any(is_known) {
            return false;
        }
        let bytes = |notes: &[NoteRow]| notes.iter().map(|note| note.text.len()).sum::<usize>();
        let is_full = self.notes.len() >= NOTES_MOST || bytes(&self.notes) + note.text.len() > NOTES_BYTES;
        // What the upstream lists of old that went is no news.
        if is_full && note.side == Side::Above && self.notes.first().is_some_and(|oldest| note.at <= oldest.at) {
            return false;
        }
        self.said_notes += u64::from(note.side != Side::Below);
        self.notes.push(note);
        while self.notes.len() > NOTES_MOST || (bytes(&self.notes) > NOTES_BYTES && self.notes.len() > 1) {
            self.notes.remove(0);
        }
        true
    }
}

/// Lets the one below see how the case stands now, if it was reported from there and stands otherwise than it saw last.
fn tell_below(desk: &mut Desk, incident: &IncidentId, case: &CaseRow, chain: &mut ChainRow) -> Result<(), Error> {
    if chain.reported.is_none() {
        return Ok(());
    }
    let now = if desk.is_at(SETTLED) { shown(case, Some(chain)) } else { shown_before(case, Some(chain)) };
    let notes = chain.said_notes;
    if chain.change > 0 && chain.told == now && chain.told_notes == notes {
        return Ok(());
    }
    let org = &incident.org;
    let mut counted = desk.read(&count(org))?.unwrap_or_default();
    counted.last += 1;
    if chain.change > 0 {
        desk.remove(change(org, chain.change));
    }
    (chain.change, chain.told, chain.told_notes, chain.updated) = (counted.last, now, notes, desk.now);
    desk.write(change(org, counted.last), &LeadsTo { incident: incident.number })?;
    desk.write(count(org), &counted)
}
