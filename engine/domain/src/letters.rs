//! What is known of dead letters that were said: how many there were each day, and which of them were replayed. The letters
//! themselves are in OUT alone. From engine level 16 on.
//!
//! Nothing is decided by it: whoever replays one again is refused before anything enters the log, unless they say so.

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Case, Command, Input, LetterRef, Policy, Verb};
use linesman_schemas::dead_letter::Reason;
use serde::{Deserialize, Serialize};

use crate::coded::{self, Coded as _};
use crate::commands::Answer;
use crate::desk::Desk;
use crate::quotas::day_of;
use crate::state::Base;
use crate::table::{Key, Row, Table};
use crate::{Error, uploads};

/// The engine level from which on it is kept.
pub const LEVEL: u32 = 16;

/// How many days are counted; OUT keeps letters for less.
const DAYS_MOST: i64 = 400;

/// What is kept of dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LetterRow {
    /// Of a day: how many letters there were, by the codes of why.
    Day(BTreeMap<u8, u64>),
    /// Of a letter: that it was replayed.
    Replayed(Replayed),
}

/// How a dead letter was replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// When it was said.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub said: Timestamp,
    /// Why it was.
    #[serde(with = "coded")]
    pub reason: Reason,
    /// When it was replayed last.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
    /// By whom, as its organization's audit tells it.
    pub by: String,
    /// What became of that.
    #[serde(with = "coded")]
    pub outcome: Verdict,
    /// How often it was put to work again: an input that entered, a policy that judged, were it to fail anew, which is a letter of
    /// its own.
    pub times: u32,
}

impl Row for LetterRow {}

/// The table of what is kept of dead letters: of a day under no name, of a letter under its organization's.
pub const LETTERS: Table<LetterRow> = Table::new(b'?');

fn day_key(day: i64) -> Key<LetterRow> {
    LETTERS.key(&[""], &u32::try_from(day).unwrap_or_default().to_be_bytes())
}

/// The key of what is kept of a letter that was replayed for an organization, by the id of its event.
pub fn key(org: &OrgName, event: &str) -> Key<LetterRow> {
    LETTERS.key(&[org.as_str()], event.as_bytes())
}

/// How a letter was replayed, if it was.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn replayed(base: &(impl Base + ?Sized), org: &OrgName, event: &str) -> Result<Option<Replayed>, Error> {
    Ok(match Table::read(base, &key(org, event))? {
        Some(LetterRow::Replayed(replayed)) => Some(replayed),
        Some(LetterRow::Day(_)) | None => None,
    })
}

/// How many letters of a lane were said on the day of `since` or later and were not replayed, by why.
///
/// # Errors
/// The base cannot be read, or a row.
pub fn unreplayed(base: &(impl Base + ?Sized), since: Timestamp) -> Result<BTreeMap<Reason, u64>, Error> {
    let first = day_of(since);
    let mut counts: BTreeMap<Reason, u64> = BTreeMap::new();
    let mut done = Vec::new();
    for row in LETTERS.rows(base, &[]) {
        match row? {
            (own, LetterRow::Day(letters)) => {
                let day = own.last_chunk().map_or(0, |day| i64::from(u32::from_be_bytes(*day)));
                let letters = letters.into_iter().filter(|_| day >= first);
                for (reason, count) in letters.filter_map(|(code, count)| Some((Reason::of(code)?, count))) {
                    *counts.entry(reason).or_default() += count;
                }
            }
            (_, LetterRow::Replayed(row)) if row.times > 0 && day_of(row.said) >= first => done.push(row.reason),
            (_, LetterRow::Replayed(_)) => {}
        }
    }
    for reason in done {
        if let Some(count) = counts.get_mut(&reason) {
            *count = count.saturating_sub(1);
        }
    }
    Ok(counts)
}

/// A dead letter is said.
pub(crate) fn count(desk: &mut Desk, reason: Reason) -> Result<(), Error> {
    if !desk.is_at(LEVEL) {
        return Ok(());
    }
    let day = day_of(desk.now);
    let (mut letters, is_first) = match desk.read(&day_key(day))? {
        Some(LetterRow::Day(letters)) => (letters, false),
        Some(LetterRow::Replayed(_)) | None => (BTreeMap::new(), true),
    };
    let count = letters.entry(reason.code()).or_default();
    *count = count.saturating_add(1);
    desk.write(day_key(day), &LetterRow::Day(letters))?;
    if is_first { forget(desk, day - DAYS_MOST) } else { Ok(()) }
}

/// Forgets the days before `first`, a few at a time.
fn forget(desk: &mut Desk, first: i64) -> Result<(), Error> {
    const AT_ONCE: usize = 4;
    let prefix = LETTERS.prefix(&[""], &[]);
    let end = day_key(first).into_bytes();
    for _ in 0..AT_ONCE {
        match desk.first(Bound::Included(&prefix), &prefix)? {
            Some((key, _)) if key < end => desk.remove_found(key),
            _ => break,
        }
    }
    Ok(())
}

/// What became of a command: where it was to replay a letter, that is kept. What was refused to whoever may not is not.
pub(crate) fn settle(desk: &mut Desk, org: &OrgName, command: &Command, answer: &Answer) -> Result<(), Error> {
    let Some(LetterRef { event, time, reason }) = letter_of(desk, &command.verb).filter(|_| desk.is_at(LEVEL)) else {
        return Ok(());
    };
    let outcome = answer.verdict();
    if !matches!(outcome, Verdict::Done | Verdict::Conflict | Verdict::NotFound) {
        return Ok(());
    }
    let known = replayed(desk.state(), org, event)?;
    let times = known.as_ref().map_or(0, |known| known.times);
    // What was not even tried says nothing new of one that was.
    if times > 0 && !answer.has_run() {
        return Ok(());
    }
    // One that was done stays so.
    let was_done = known.is_some_and(|known| known.outcome == Verdict::Done);
    let outcome = if was_done { Verdict::Done } else { outcome };
    let row = Replayed {
        said: *time,
        reason: *reason,
        at: desk.now,
        by: crate::commands::audit::named(org, &command.principal),
        outcome,
        times: times.saturating_add(u32::from(answer.has_run())),
    };
    desk.write(key(org, event), &LetterRow::Replayed(row))
}

/// Which letter a command replays, if it is known.
fn letter_of<'a>(desk: &Desk, verb: &'a Verb) -> Option<&'a LetterRef> {
    match verb {
        Verb::Case(Case::Submit(wish)) if desk.is_at(uploads::AGAIN) => Some(&wish.given_up.as_ref()?.letter),
        Verb::Input(Input::Replay(replay)) => replay.letter.as_ref(),
        Verb::Policy(Policy::Run(run)) => run.letter.as_ref(),
        _ => None,
    }
}
