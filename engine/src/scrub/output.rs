//! OUT, held against itself: the events of an organization have numbers without a gap, and what the server cannot read is not
//! among what it has deleted.
//!
//! No hash of OUT is kept: it ages, its marks are replaced, and it can always be written anew of what is decided. Events of nobody's
//! and of the provider's have no numbers: of those only what cannot be read is found.

use std::collections::{BTreeMap, BTreeSet};

use linesman_schemas::lane_override::Override;
use serde::Deserialize;

use super::round::{Damage, Range, Round, written};
use crate::log::events::events_of;
use crate::log::mark::Mark;
use crate::log::scan::{Extent, Lying};
use crate::log::streams::{OUT, lane_of};

/// How many stretches of an organization's numbers are kept.
const STRETCHES_MOST: usize = 1_000;
/// How many gaps are kept, and how many deleted sequences are asked for: each mark leaves one when the next replaces it.
pub(super) const GAPS_MOST: usize = 100_000;
/// How many digits the time in an id has at the least, in hexadecimal.
const TIME_DIGITS: usize = 12;
/// How many messages a batch has at the most: of the first that is still there some may have aged.
const BATCH_MOST: u64 = 1_000;

const EVENTS: &str = "What they told has happened and stands in the state: `linesman incident list`, `linesman case list` and \
                      the audit show it, and what was to be done is done. Who read OUT in time has them; who reads it later, \
                      misses them. Restore OUT's block files from a backup while the engine is stopped if somebody needs them. \
                      Where somebody has removed messages of OUT, or a way out of a lane was taken, they are no damage";
const UNREAD: &str = "What they told stands in the state. Who read OUT in time has them; who reads it later, misses them. Restore \
                      OUT's block files from a backup while the engine is stopped if somebody needs them";

/// Numbers of events that follow each other: the last of them, and between which messages of OUT they stand.
struct Stretch {
    last: u64,
    messages: Range,
}

/// OUT, as it is read.
pub(super) struct Output {
    lanes: u32,
    lane: Option<u32>,
    extent: Extent,
    next: u64,
    gaps: Vec<Range>,
    /// Whether there were more gaps than are kept.
    is_full: bool,
    /// Of each organization, by the first number.
    numbers: BTreeMap<String, BTreeMap<u64, Stretch>>,
    /// Of each organization, the highest number in what may be left of the first batch.
    aged: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Output {
    /// Begins to read; of one lane's organizations only, where one is named.
    pub(super) fn begin(lanes: u32, lane: Option<u32>, extent: Extent, round: &mut Round) -> Self {
        (round.output.first, round.output.last) = (extent.first, extent.last);
        Self {
            lanes,
            lane,
            extent,
            next: extent.first.max(1),
            gaps: Vec::new(),
            is_full: false,
            numbers: BTreeMap::new(),
            aged: BTreeMap::new(),
        }
    }

    /// Takes the next message that could be read.
    pub(super) fn take(&mut self, message: &Lying, round: &mut Round) {
        self.come_to(message.sequence);
        self.next = message.sequence + 1;
        round.output.at = message.sequence;
        round.output.messages += 1;
        round.output.bytes += message.payload.len() as u64;
        let subject = message.subject.strip_prefix("out.").unwrap_or(&message.subject);
        let owner = subject.split('.').next().unwrap_or_default();
        if !self.is_wanted(owner) {
            return;
        }
        let is_read = match owner {
            "_mark" => serde_json::from_slice::<Mark>(&message.payload).is_ok(),
            "_override" => serde_json::from_slice::<Override>(&message.payload).is_ok(),
            _ => self.count(owner, message),
        };
        if is_read {
            let is_proved = !owner.starts_with('_');
            *(if is_proved { &mut round.output.proved } else { &mut round.output.unproved }) += 1;
            return;
        }
        round.found(Damage {
            stream: OUT,
            lane: self.lane_of(owner),
            organization: None,
            first: message.sequence,
            last: message.sequence,
            what: format!("the message {} of OUT is none that the engine writes", message.sequence),
            meaning: UNREAD,
        });
    }

    /// Ends; `deleted` is what the server says it has deleted, where that was asked for, and `first` where OUT begins by now.
    pub(super) fn end(mut self, first: u64, deleted: Option<&BTreeSet<u64>>, round: &mut Round) {
        self.come_to(self.extent.last + 1);
        round.output.at = self.extent.last;
        for (org, stretches) in std::mem::take(&mut self.numbers) {
            self.look_at(&org, &stretches, first, round);
        }
        let Some(deleted) = deleted.filter(|_| self.lane.is_none() && !self.is_full) else { return };
        let missing = self.gaps.iter().flat_map(|(first, last)| *first..=*last);
        let unread: Vec<u64> = missing.filter(|one| *one >= first && !deleted.contains(one)).collect();
        for (first, last) in ranges(&unread) {
            round.found(Damage {
                stream: OUT,
                lane: None,
                organization: None,
                first,
                last,
                what: format!("the messages {} of OUT cannot be read", written(&[(first, last)])),
                meaning: UNREAD,
            });
        }
    }

    /// Whether so many gaps were found that it is not worth asking what was deleted.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    fn is_wanted(&self, owner: &str) -> bool {
        self.lane.is_none_or(|lane| self.lane_of(owner) == Some(lane))
    }

    fn lane_of(&self, owner: &str) -> Option<u32> {
        (!owner.is_empty() && !owner.starts_with('_')).then(|| lane_of(owner, self.lanes))
    }

    fn come_to(&mut self, sequence: u64) {
        if sequence <= self.next {
            return;
        }
        let length = self.gaps.last().map_or(0, |(first, last)| last - first) + sequence - self.next;
        self.is_full |= self.gaps.len() >= GAPS_MOST || length > GAPS_MOST as u64;
        if !self.is_full {
            self.gaps.push((self.next, sequence - 1));
        }
    }

    /// Counts the numbers of a message's events; whether it can be read.
    fn count(&mut self, org: &str, message: &Lying) -> bool {
        let Ok(events) = events_of(&message.subject, &message.payload) else { return false };
        let ids = events.iter().map(|event| serde_json::from_str::<Named>(event.get()).map(|named| named.id));
        let Ok(ids) = ids.collect::<Result<Vec<_>, _>>() else { return false };
        if org.starts_with('_') {
            return true;
        }
        for number in ids.iter().filter_map(|id| number(org, id)) {
            if message.sequence < self.extent.first.saturating_add(BATCH_MOST) && self.extent.has_aged {
                let aged = self.aged.entry(org.to_owned()).or_default();
                *aged = number.max(*aged);
            }
            let stretches = self.numbers.entry(org.to_owned()).or_default();
            add(stretches, number, message.sequence);
        }
        true
    }

    /// Looks for gaps in an organization's numbers.
    fn look_at(&self, org: &str, stretches: &BTreeMap<u64, Stretch>, first: u64, round: &mut Round) {
        for ((_, before), (next, behind)) in stretches.iter().zip(stretches.iter().skip(1)) {
            let (from, to) = (before.last + 1, next - 1);
            let messages = (before.messages.1, behind.messages.0);
            // Of the first batch that is there some may have aged.
            let is_aged = self.aged.get(org).is_some_and(|aged| *aged >= *next);
            if is_aged || messages.0.min(messages.1) < first {
                continue;
            }
            let (first, last) = (messages.0.min(messages.1), messages.0.max(messages.1));
            round.found(Damage {
                stream: OUT,
                lane: self.lane_of(org),
                organization: Some(org.to_owned()),
                first,
                last,
                what: format!(
                    "the events {org}-{} are missing in OUT, between its messages {first} and {last}",
                    written(&[(from, to)])
                ),
                meaning: EVENTS,
            });
        }
    }
}

/// The number in the id of an organization's event; none in one of the provider's.
fn number(org: &str, id: &str) -> Option<u64> {
    let (number, time) = id.strip_prefix(org)?.strip_prefix('-')?.split_once('-')?;
    (time.len() >= TIME_DIGITS).then(|| number.parse().ok()).flatten()
}

/// Adds a number to stretches of them.
fn add(stretches: &mut BTreeMap<u64, Stretch>, number: u64, message: u64) {
    let before = stretches.range_mut(..=number).next_back();
    let first = match before {
        Some((_, stretch)) if stretch.last >= number => return,
        Some((first, stretch)) if stretch.last + 1 == number => {
            stretch.last = number;
            stretch.messages.1 = stretch.messages.1.max(message);
            *first
        }
        _ => {
            stretches.insert(number, Stretch { last: number, messages: (message, message) });
            number
        }
    };
    if let Some(behind) = stretches.remove(&(number + 1))
        && let Some(stretch) = stretches.get_mut(&first)
    {
        stretch.last = behind.last;
        stretch.messages.1 = stretch.messages.1.max(behind.messages.1);
    }
    // Where so many are missing, the lowest are not told.
    if stretches.len() > STRETCHES_MOST {
        let second = stretches.keys().nth(1).copied();
        let joined = second.and_then(|second| stretches.remove(&second));
        if let (Some(joined), Some(mut lowest)) = (joined, stretches.first_entry()) {
            lowest.get_mut().last = joined.last;
        }
    }
}

/// Numbers in order as ranges.
fn ranges(numbers: &[u64]) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    ranges
}
