//! Which messages of the provider's an organization is sent, in which wording, and what of that it was sent: for ever.
//!
//! ```text
//!  associate --> + <org> <id>: wording --> send --> n <org> <id>: the message, so worded --> `intelligence.received`
//!                     |                      \--> a sending on record       |
//!                     \-- dissociate         recall <-----------------------/  the message is taken out again
//! ```
//!
//! INVARIANT (tenants): before it is sent nothing of it is an organization's. What is done here stands in the provider's log, is
//! said to the provider alone, and a message that names devices by serial number names an organization's own to it.

use std::collections::BTreeSet;
use std::ops::Bound;

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Sending, Wording};
use linesman_schemas::intelligence::Intelligence;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::matching::LOOKED_AT_MOST;
use super::provided::{self, NUMBERS, NumberRow, ProvidedRow};
use super::{IntelligenceRow, MessageRow, standing};
use crate::commands::Answer;
use crate::desk::Desk;
use crate::policies::Fired;
use crate::snapshots::SNAPSHOTS;
use crate::state::Base;
use crate::subject::IntelligenceMessage;
use crate::table::{self, Key, Row, Table};
use crate::{Error, devices};

/// The engine level from which on messages of the provider's are sent.
pub const LEVEL: u32 = 11;
/// The engine level from which on what changed is found without going through all that an organization was ever sent.
const IN_ORDER: u32 = 12;
/// How often one message is sent to one organization.
const SENDINGS_MOST: usize = 32;

/// What becomes of a message of the provider's for an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRow {
    /// The title for this organization; none: the message's own.
    pub title: Option<String>,
    /// The text for this organization; none: the message's own.
    pub text: Option<String>,
    /// SHA-256 of the content that the wording was given for, in hexadecimal.
    pub sha256: String,
    /// When it was associated last.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub associated: Timestamp,
    /// By whom.
    pub associated_by: String,
    /// The number of the last sending or recall among those of the organization; 0 before the first.
    pub changed: u64,
    /// What was sent, the last one last.
    pub sendings: Vec<SendingRow>,
}

/// A message as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendingRow {
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// SHA-256 of the content that it was made of, in hexadecimal.
    pub sha256: String,
    /// As it was worded.
    pub message: MessageRow,
    /// When and by whom it was recalled; none: it was not.
    pub recalled: Option<RecallRow>,
}

/// That a message was recalled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallRow {
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Which message was sent or recalled by a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// Its id; empty under the number 0, which no change has: it says that the organization's are all there.
    pub id: String,
}

impl Row for SentRow {}
impl Row for ChangeRow {}

impl SentRow {
    /// What the organization has of it; none before it is sent, and once it is recalled.
    pub fn stands(&self) -> Option<&SendingRow> {
        self.sendings.last().filter(|sending| sending.recalled.is_none())
    }

    fn has_wording(&self) -> bool {
        self.title.is_some() || self.text.is_some()
    }
}

/// The table of what organizations are sent.
pub const SENT: Table<SentRow> = Table::new(b'+');

/// The key of what becomes of a message for an organization.
pub fn key(org: &OrgName, id: &str) -> Key<SentRow> {
    SENT.key(&[org.as_str()], id.as_bytes())
}

/// The table of which message changed last by which change.
pub const CHANGES: Table<ChangeRow> = Table::new(b'%');

/// The key of a change.
pub fn change(org: &OrgName, number: u64) -> Key<ChangeRow> {
    CHANGES.key(&[org.as_str()], &number.to_be_bytes())
}

/// The number of an organization's last change; 0 before the first.
///
/// # Errors
/// The base cannot be read, or its row.
pub fn last_change(base: &(impl Base + ?Sized), org: &OrgName) -> Result<u64, Error> {
    Ok(Table::read(base, &count_key(org))?.map_or(0, |NumberRow(number)| number))
}

/// The key of how many changes of an organization there were.
pub fn count_key(org: &OrgName) -> Key<NumberRow> {
    NUMBERS.key(&[], counted(org).as_bytes())
}

/// What an organization was sent, or what was recalled, behind a change, the oldest first and each as it stands now: at most
/// `most` of them.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn changed_after(
    base: &(impl Base + ?Sized),
    org: &OrgName,
    after: u64,
    most: usize,
) -> Result<Vec<(String, SentRow)>, Error> {
    if after >= last_change(base, org)? {
        return Ok(Vec::new());
    }
    if Table::read(base, &change(org, 0))?.is_none() {
        // None has changed since they are kept in order.
        let mut found: Vec<_> = all(base, org).collect::<Result<_, _>>()?;
        found.retain(|(_, row)| row.changed > after);
        found.sort_by_key(|(_, row)| row.changed);
        found.truncate(most);
        return Ok(found);
    }
    let prefix = CHANGES.prefix(&[org.as_str()], &[]);
    let mut from = change(org, after).into_bytes();
    let mut found = Vec::new();
    while found.len() < most {
        let Some((key, bytes)) = base.first(Bound::Excluded(&from), &prefix)? else { break };
        let ChangeRow { id } = table::decode(&key, &bytes)?;
        if let Some(row) = Table::read(base, &self::key(org, &id))? {
            found.push((id, row));
        }
        from = key;
    }
    Ok(found)
}

/// The messages that an organization is associated with, by id.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized), org: &OrgName) -> impl Iterator<Item = Result<(String, SentRow), Error>> {
    let rows = SENT.rows(base, &[org.as_str()]);
    rows.map(|row| row.map(|(id, row)| (String::from_utf8_lossy(&id).into_owned(), row)))
}

/// A message as an organization would have it; or why it cannot.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn worded(
    base: &(impl Base + ?Sized),
    org: &OrgName,
    provided: &ProvidedRow,
    sent: Option<&SentRow>,
) -> Result<Result<MessageRow, String>, Error> {
    let mut message = provided.message.clone();
    if let Some(sent) = sent {
        if sent.has_wording() && sent.sha256 != provided.sha256 {
            let detail = "the message has changed since its wording was given: give the wording anew";
            return Ok(Err(detail.to_owned()));
        }
        message.title = sent.title.clone().unwrap_or(message.title);
        message.text = sent.text.clone().unwrap_or(message.text);
    }
    let named = std::mem::take(&mut message.relevance.serial_numbers);
    let names_any = !named.is_empty();
    message.relevance.serial_numbers = own_of(base, org, named)?;
    // An empty list would concern all of its devices.
    if names_any && message.relevance.serial_numbers.is_empty() {
        return Ok(Err(format!("it names devices by serial number, and none of them is a device of `{org}`")));
    }
    Ok(Ok(message))
}

/// Of serial numbers those of an organization's devices, and of their parts, in their order.
fn own_of(base: &(impl Base + ?Sized), org: &OrgName, named: Vec<String>) -> Result<Vec<String>, Error> {
    let mut strange = BTreeSet::new();
    for serial_number in &named {
        if Table::read(base, &devices::key(org, serial_number))?.is_none() {
            strange.insert(serial_number.clone());
        }
    }
    if !strange.is_empty() {
        for row in SNAPSHOTS.rows(base, &[org.as_str()]).take(LOOKED_AT_MOST) {
            for part in row?.1.inventory.parts {
                strange.remove(&part.serial_number);
            }
            if strange.is_empty() {
                break;
            }
        }
    }
    Ok(named.into_iter().filter(|serial_number| !strange.contains(serial_number)).collect())
}

/// What was done, and what the organization's policies are then to judge.
pub(crate) type Done = (Answer, Option<(Fired, IntelligenceMessage)>);

/// Does with a message of the provider's what is asked for an organization.
pub(crate) fn ask(desk: &mut Desk, org: &OrgName, by: &str, verb: &Sending) -> Result<Done, Error> {
    let id = verb.message();
    let Some(provided) = desk.read(&provided::key(id))? else {
        let detail = format!("there is no intelligence message `{}`", linesman_rules::excerpt(id));
        return Ok((Answer::refused(Verdict::NotFound, detail).about(&id), None));
    };
    let sent = desk.read(&key(org, id))?;
    let (answer, fired) = match verb {
        Sending::Associate(wording) => (associate(desk, org, by, wording, &provided, sent)?, None),
        Sending::Dissociate(_) => (dissociate(desk, org, id, sent), None),
        Sending::Send(_) => send(desk, org, by, &provided, sent)?,
        Sending::Recall(_) => (recall(desk, org, by, id, sent)?, None),
    };
    Ok((answer.about(&id), fired))
}

/// Gives a message a wording for an organization.
pub(crate) fn associate(
    desk: &mut Desk,
    org: &OrgName,
    by: &str,
    wording: &Wording,
    provided: &ProvidedRow,
    sent: Option<SentRow>,
) -> Result<Answer, Error> {
    let Wording { id, title, text } = wording;
    let shown = |title: &Option<String>, text: &Option<String>, sha256: &str| json!({"message": id, "title": title, "text": text.as_deref().map(hash), "sha256": sha256});
    let new = shown(title, text, &provided.sha256);
    let old = sent.as_ref().map(|sent| shown(&sent.title, &sent.text, &sent.sha256));
    if old.as_ref() == Some(&new) {
        return Ok(Answer::done("unchanged", Value::Null, Value::Null));
    }
    let (changed, sendings) = sent.map_or((0, Vec::new()), |sent| (sent.changed, sent.sendings));
    let row = SentRow {
        title: title.clone(),
        text: text.clone(),
        sha256: provided.sha256.clone(),
        associated: desk.now,
        associated_by: by.to_owned(),
        changed,
        sendings,
    };
    desk.write(key(org, id), &row)?;
    Ok(match old {
        None => Answer::made("associated", new),
        Some(old) => Answer::done("changed", old, new),
    })
}

fn dissociate(desk: &mut Desk, org: &OrgName, id: &str, sent: Option<SentRow>) -> Answer {
    match sent {
        None => Answer::done("unchanged", Value::Null, Value::Null),
        Some(sent) if !sent.sendings.is_empty() => Answer::refused(
            Verdict::Conflict,
            format!("it was sent to `{org}`, which stays on record: it can be recalled"),
        ),
        Some(sent) => {
            desk.remove(key(org, id));
            Answer::done("dissociated", json!({"message": id, "title": sent.title, "sha256": sent.sha256}), Value::Null)
        }
    }
}

/// The message as it is to be sent; or the answer where there is nothing to send.
fn ready(
    desk: &Desk,
    org: &OrgName,
    provided: &ProvidedRow,
    sent: Option<&SentRow>,
) -> Result<Result<MessageRow, Answer>, Error> {
    let refused = |detail: String| Ok(Err(Answer::refused(Verdict::Conflict, detail)));
    let message = match worded(desk.state(), org, provided, sent)? {
        Ok(message) => message,
        Err(why) => return refused(why),
    };
    let stands = sent.and_then(SentRow::stands);
    let has = desk.read(&super::key(org, &message.id))?.map(|kept| kept.message);
    if has.as_ref().is_some_and(|has| stands.is_none_or(|sending| sending.message != *has)) {
        return refused(format!("`{org}` has a message of its own that is called `{}`", message.id));
    }
    // What stands may have gone by way of the organization's own feed.
    if has.is_some() && stands.is_some_and(|sending| sending.message == message) {
        return Ok(Err(Answer::done("unchanged", Value::Null, Value::Null)));
    }
    if sent.is_some_and(|sent| sent.sendings.len() >= SENDINGS_MOST) {
        return refused(format!("it was sent to `{org}` {SENDINGS_MOST} times, which is as often as a message is"));
    }
    Ok(Ok(message))
}

/// What sending a message to an organization comes to: by this it is known again what was approved. None where there is
/// nothing to send, as things stand.
pub(crate) fn comes_to(desk: &Desk, org: &OrgName, id: &str) -> Result<Option<Value>, Error> {
    let Some(provided) = desk.read(&provided::key(id))? else { return Ok(None) };
    let sent = desk.read(&key(org, id))?;
    let Ok(message) = ready(desk, org, &provided, sent.as_ref())? else { return Ok(None) };
    Ok(Some(json!({
        "organization": org,
        // The version that is sent, and its words.
        "message": provided.sha256,
        "title": message.title,
        "text": message.text,
        // Whether it is associated, and what was sent or recalled last.
        "associated": sent.is_some(),
        "sent": sent.map_or(0, |sent| sent.changed),
    })))
}

fn send(
    desk: &mut Desk,
    org: &OrgName,
    by: &str,
    provided: &ProvidedRow,
    sent: Option<SentRow>,
) -> Result<Done, Error> {
    let message = match ready(desk, org, provided, sent.as_ref())? {
        Ok(message) => message,
        Err(answer) => return Ok((answer, None)),
    };
    let mut row = sent.unwrap_or_else(|| SentRow {
        title: None,
        text: None,
        sha256: provided.sha256.clone(),
        associated: desk.now,
        associated_by: by.to_owned(),
        changed: 0,
        sendings: Vec::new(),
    });
    let shown = |sending: &SendingRow| {
        let MessageRow { id, title, text, .. } = &sending.message;
        json!({"message": id, "title": title, "text": hash(text), "sha256": sending.sha256})
    };
    let before = row.stands().map(shown).unwrap_or_default();
    let sending = SendingRow {
        at: desk.now,
        by: by.to_owned(),
        sha256: provided.sha256.clone(),
        message: message.clone(),
        recalled: None,
    };
    let new = shown(&sending);
    row.sendings.push(sending);
    count(desk, org, &message.id, &mut row)?;
    desk.write(key(org, &message.id), &row)?;
    let fired = super::take(desk, org, &Intelligence::from(message))?;
    Ok((Answer::done("sent", before, new), fired))
}

fn recall(desk: &mut Desk, org: &OrgName, by: &str, id: &str, sent: Option<SentRow>) -> Result<Answer, Error> {
    let Some((mut row, stood)) = sent.and_then(|row| row.stands().cloned().map(|stood| (row, stood))) else {
        return Ok(Answer::refused(Verdict::Conflict, format!("`{org}` has not been sent it, or it was recalled")));
    };
    if let Some(last) = row.sendings.last_mut() {
        last.recalled = Some(RecallRow { at: desk.now, by: by.to_owned() });
    }
    count(desk, org, id, &mut row)?;
    desk.write(key(org, id), &row)?;
    // What was published for the organization since under the same id is not what was sent.
    let kept = super::key(org, id);
    let is_there = desk.read(&kept)?.is_some_and(|IntelligenceRow { message, .. }| message == stood.message);
    if is_there {
        desk.remove(kept);
        standing::forget(desk, org, id);
    }
    let old = json!({"message": id, "title": stood.message.title, "sha256": stood.sha256});
    Ok(Answer::done("recalled", old, Value::Null))
}

/// Counts what an organization is sent and what is recalled. The one below is told by it where it stands, and learns nothing of
/// others.
fn count(desk: &mut Desk, org: &OrgName, id: &str, row: &mut SentRow) -> Result<(), Error> {
    let number = provided::count(desk, counted(org).as_bytes())?;
    let before = std::mem::replace(&mut row.changed, number);
    if !desk.is_at(IN_ORDER) {
        return Ok(());
    }
    if desk.read(&change(org, 0))?.is_none() {
        let known: Vec<_> = all(desk.state(), org).collect::<Result<_, _>>()?;
        for (id, SentRow { changed, .. }) in known.into_iter().filter(|(_, row)| row.changed > 0) {
            desk.write(change(org, changed), &ChangeRow { id })?;
        }
        desk.write(change(org, 0), &ChangeRow { id: String::new() })?;
    }
    if before > 0 {
        desk.remove(change(org, before));
    }
    desk.write(change(org, number), &ChangeRow { id: id.to_owned() })
}

/// By what an organization's changes are counted.
fn counted(org: &OrgName) -> String {
    format!("sent {org}")
}

/// By what a text is known on record; the row has it whole.
fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}
