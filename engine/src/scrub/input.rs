//! IN, held against what its lanes have decided on: one hash for each 1,000 inputs of a lane.

use linesman_domain::spans::{self, Span};
use sha2::{Digest as _, Sha256};

use super::round::{Damage, Range, Reading, Round, written};
use crate::lane::decode;
use crate::log::scan::{Extent, Lying};
use crate::log::streams::IN;
use crate::store;

/// How many gaps are kept.
const GAPS_MOST: usize = 1_000;

const OTHERWISE: &str = "The state stands, and is right: it was decided of what stood there. It cannot be rebuilt from this log any \
                         more. Back up the data directory now, and restore these messages' block files of IN from a backup \
                         while the engine is stopped; or keep the state, and if it is ever lost, set the inputs aside where \
                         the lane stands still (`linesman lane show`)";
const GONE: &str = "No hash says of which lane they were. If they were inputs of a lane, it cannot be rebuilt from this log any \
                    more; the state stands. Back up the data directory now, and restore IN's block files from a backup while \
                    the engine is stopped";

/// Of a lane, what is read and what is to come of it.
struct Held {
    lane: u32,
    rows: store::Lane,
    /// The span that is open when the round begins; none once it is expected, or there is none.
    open: Option<Span>,
    /// What is to come next; none behind the last.
    expected: Option<Span>,
    /// What has come of it.
    found: Span,
    /// From where to where there are hashes.
    known: Option<Range>,
    /// Whether what is expected is the last.
    is_over: bool,
}

/// IN, as it is read.
pub(super) struct Input {
    lanes: Vec<Held>,
    extent: Extent,
    /// The sequence that is to come next.
    next: u64,
    /// Sequences that did not come.
    gaps: Vec<Range>,
    /// Whether each gap is explained by a span that is damaged.
    explained: Vec<bool>,
    is_narrowed: bool,
}

impl Held {
    /// Goes on with the first span behind a sequence.
    fn advance(&mut self, after: u64, extent: &Extent, reading: &mut Reading) -> Result<(), store::Error> {
        let mut after = after;
        (self.expected, self.found) = (None, Span::default());
        while !self.is_over {
            let over = spans::next(&self.rows, after).map_err(|error| unread(self.lane, &error))?;
            let is_before = |span: &Span| self.open.as_ref().is_none_or(|open| span.first < open.first);
            let over = over.filter(|span| is_before(span) && span.last <= extent.last);
            self.is_over = over.is_none();
            let Some(span) = over.or_else(|| self.open.take()) else { return Ok(()) };
            after = span.last;
            if span.first >= extent.first {
                let from = self.known.map_or(span.first, |(from, _)| from);
                self.known = Some((from, span.last));
                self.expected = Some(span);
                return Ok(());
            }
            reading.passed_over += u64::from(span.count);
        }
        Ok(())
    }
}

/// Rows that cannot be read: the store's damage, which the lane tells.
fn unread(lane: u32, error: &linesman_domain::Error) -> store::Error {
    store::Error::Damaged { lane: format!("lane-{lane}"), what: crate::logging::full(error) }
}

impl Input {
    /// Which lanes' hashes there are: before it is known how far IN goes, so that it goes as far as they do.
    ///
    /// # Errors
    /// A lane's rows cannot be read.
    pub(super) fn open(lanes: &[(u32, store::Lane)]) -> Result<Vec<Option<Span>>, store::Error> {
        let open = |(lane, rows): &(u32, store::Lane)| {
            let open = spans::open(rows).map_err(|error| unread(*lane, &error))?;
            Ok(open.filter(|open| open.count > 0))
        };
        lanes.iter().map(open).collect()
    }

    /// Begins to read; `is_narrowed` says that these are not all lanes.
    ///
    /// # Errors
    /// A lane's rows cannot be read.
    pub(super) fn begin(
        lanes: Vec<(u32, store::Lane)>,
        open: Vec<Option<Span>>,
        (extent, is_narrowed): (Extent, bool),
        reading: &mut Reading,
    ) -> Result<Self, store::Error> {
        (reading.first, reading.last) = (extent.first, extent.last);
        let held = |((lane, rows), open): ((u32, store::Lane), Option<Span>)| {
            let mut held =
                Held { lane, rows, open, expected: None, found: Span::default(), known: None, is_over: false };
            held.advance(0, &extent, reading)?;
            Ok(held)
        };
        let lanes = lanes.into_iter().zip(open).map(held).collect::<Result<_, store::Error>>()?;
        Ok(Self { lanes, extent, next: extent.first.max(1), gaps: Vec::new(), explained: Vec::new(), is_narrowed })
    }

    /// Takes the next message that could be read.
    ///
    /// # Errors
    /// A lane's rows cannot be read.
    pub(super) fn take(&mut self, message: &Lying, round: &mut Round) -> Result<(), store::Error> {
        self.come_to(message.sequence);
        self.next = message.sequence + 1;
        let reading = &mut round.input;
        reading.at = message.sequence;
        reading.messages += 1;
        reading.bytes += message.payload.len() as u64;
        let mut parts = message.subject.splitn(3, '.');
        let lane = parts.next().filter(|first| *first == "p").and_then(|_| parts.next()?.parse::<u32>().ok());
        let subject = parts.next().unwrap_or_default();
        let Some(at) = self.lanes.iter().position(|held| Some(held.lane) == lane) else {
            reading.unproved += 1;
            return Ok(());
        };
        while self.lanes.get(at).is_some_and(|held| is_behind(held, message.sequence)) {
            self.end_of(at, round)?;
        }
        let Some(held) = self.lanes.get_mut(at) else { return Ok(()) };
        if held.expected.as_ref().is_none_or(|expected| message.sequence < expected.first) {
            round.input.unproved += 1;
            return Ok(());
        }
        let sha256 = Sha256::digest(&message.payload).into();
        let parts = subject.split_once('.').unwrap_or(("", "ctl"));
        let entered = decode::entered(message.sequence, message.time, &message.payload);
        held.found.add((message.sequence, entered), parts, &sha256);
        Ok(())
    }

    /// Ends: what has not come by now is missing. `first` is where IN begins by now.
    ///
    /// # Errors
    /// A lane's rows cannot be read.
    pub(super) fn end(mut self, first: u64, round: &mut Round) -> Result<(), store::Error> {
        self.extent.first = self.extent.first.max(first);
        self.come_to(self.extent.last + 1);
        for at in 0..self.lanes.len() {
            while self.lanes.get(at).is_some_and(|held| held.expected.is_some()) {
                self.end_of(at, round)?;
            }
        }
        round.input.at = self.extent.last;
        // What has gone with the beginning since the round began is no damage.
        let found = round.faults.len();
        round.faults.retain(|damage| damage.first >= self.extent.first);
        round.faults_in_all -= (found - round.faults.len()) as u64;
        for ((first, last), is_explained) in self.gaps.iter().copied().zip(&self.explained) {
            let is_others =
                self.lanes.iter().any(|held| held.known.is_some_and(|(from, to)| from <= first && last <= to));
            if *is_explained || last < self.extent.first || (self.is_narrowed && is_others) {
                continue;
            }
            round.found(Damage {
                stream: IN,
                lane: None,
                organization: None,
                first,
                last,
                what: format!("the messages {} of IN are gone, or cannot be read", written(&[(first, last)])),
                meaning: GONE,
            });
        }
        Ok(())
    }

    /// What lies before a sequence and has not come is a gap.
    fn come_to(&mut self, sequence: u64) {
        if sequence > self.next && self.gaps.len() < GAPS_MOST {
            self.gaps.push((self.next, sequence - 1));
            self.explained.push(false);
        }
    }

    /// Holds what has come of a lane's span against its hash, and goes on to the next.
    fn end_of(&mut self, at: usize, round: &mut Round) -> Result<(), store::Error> {
        let Some(held) = self.lanes.get_mut(at) else { return Ok(()) };
        let Some(expected) = held.expected.take() else { return Ok(()) };
        let found = std::mem::take(&mut held.found);
        if found == expected {
            round.input.proved += u64::from(expected.count);
        } else if expected.first < self.extent.first {
            round.input.passed_over += u64::from(expected.count);
        } else {
            let is_in = |gap: &Range| gap.0 <= expected.last && gap.1 >= expected.first;
            let gaps: Vec<Range> = self.gaps.iter().copied().filter(|gap| is_in(gap)).collect();
            for (gap, is_explained) in self.gaps.iter().zip(&mut self.explained) {
                *is_explained |= is_in(gap);
            }
            round.found(Damage {
                stream: IN,
                lane: Some(held.lane),
                organization: None,
                first: expected.first,
                last: expected.last,
                what: told(held.lane, &expected, &found, &gaps),
                meaning: OTHERWISE,
            });
        }
        held.advance(expected.last, &self.extent, &mut round.input)
    }
}

fn is_behind(held: &Held, sequence: u64) -> bool {
    held.expected.as_ref().is_some_and(|expected| sequence > expected.last)
}

fn told(lane: u32, expected: &Span, found: &Span, gaps: &[Range]) -> String {
    let Span { first, last, count, .. } = expected;
    let there = match found.count {
        same if same == *count => "as many are there, and are not those".to_owned(),
        other => format!("{other} of them can be read"),
    };
    let gaps = if gaps.is_empty() {
        String::new()
    } else {
        format!("; of IN the messages {} are gone, or cannot be read", written(gaps))
    };
    format!("lane {lane} has decided on {count} inputs from {first} to {last} of IN: {there}{gaps}")
}
