//! What a round has read and found.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// How many faults of a round are kept.
const FAULTS_MOST: usize = 100;

/// A round: both streams, read once from their beginning to where they ended when it began, and the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = VerificationRound)]
pub struct Round {
    /// Its number, since the engine started.
    pub round: u64,
    /// Which lane alone is looked at; null for all.
    pub lane: Option<u32>,
    /// When it began.
    pub began: Timestamp,
    /// When it ended; null while it is under way.
    pub ended: Option<Timestamp>,
    /// Why it ended before its end, if it did: what it has not come to is not known.
    pub broken_off: Option<String>,
    /// What was read of IN.
    pub input: Reading,
    /// What was read of OUT.
    pub output: Reading,
    /// What was read of the state.
    pub state: Rows,
    /// How many faults were found.
    pub faults_in_all: u64,
    /// The first hundred of them.
    pub faults: Vec<Damage>,
}

/// What was read of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StreamReading)]
pub struct Reading {
    /// The first sequence that it had.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// Up to which sequence it is read.
    pub at: u64,
    /// How many messages were read.
    pub messages: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many of them are known to be what was decided on, or, of OUT, are events whose numbers are without a gap.
    pub proved: u64,
    /// How many are known only by the check that the NATS server itself keeps: of IN what stood in it before there were hashes of it,
    /// and what came since the round began; of OUT marks, overrides and the events of nobody's.
    pub unproved: u64,
    /// How many inputs have a hash that cannot be held against anything any more, since IN has lost its beginning.
    pub passed_over: u64,
}

/// What was read of the state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StateReading)]
pub struct Rows {
    /// How many rows were read, each of which is what was written.
    pub rows: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

/// Something that is damaged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = StreamDamage)]
pub struct Damage {
    /// Where: in the stream `IN` or `OUT`, or in `state`.
    pub stream: &'static str,
    /// Of which lane; null where that cannot be known.
    pub lane: Option<u32>,
    /// Of which organization events are missing; null otherwise.
    pub organization: Option<String>,
    /// From which sequence of the stream on; 0 in the state.
    pub first: u64,
    /// Up to which.
    pub last: u64,
    /// What is wrong.
    pub what: String,
    /// What that means, and what is to be done.
    pub meaning: &'static str,
}

impl Round {
    /// One that begins.
    pub(super) fn begin(round: u64, lane: Option<u32>) -> Self {
        Self {
            round,
            lane,
            began: Timestamp::now(),
            ended: None,
            broken_off: None,
            input: Reading::default(),
            output: Reading::default(),
            state: Rows::default(),
            faults_in_all: 0,
            faults: Vec::new(),
        }
    }

    /// Notes damage.
    pub(super) fn found(&mut self, damage: Damage) {
        self.faults_in_all += 1;
        if self.faults.len() < FAULTS_MOST {
            self.faults.push(damage);
        }
    }
}

/// Sequences that follow each other.
pub(super) type Range = (u64, u64);

/// How ranges are written, the first few of them.
pub(super) fn written(ranges: &[Range]) -> String {
    const SHOWN: usize = 8;
    let one = |(first, last): &Range| if first == last { first.to_string() } else { format!("{first} to {last}") };
    let shown: Vec<_> = ranges.iter().take(SHOWN).map(one).collect();
    let more = ranges.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
