//! What can be wrong with an export, and how it is told.

use std::fmt;

use crate::audit::checkpoint::CheckpointError;

/// What is said where nothing tells age from tampering.
const UNSAID: &str = "and the checkpoint does not say whether by age: export the log again";

/// What is said where no root can be compared.
const UNPROVED: &str = "as far as they are there: where records are missing or moved no checkpoint is reached";

/// What is wrong with an export. Shown in the user's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A line that is none of an export, counted from 1.
    Unreadable {
        /// Which.
        line: u64,
    },
    /// The record's bytes do not give its hash.
    Changed {
        /// Which.
        index: u64,
    },
    /// The record says of itself that it is another.
    Renumbered {
        /// As which it stands there.
        index: u64,
        /// Which it says it is.
        own: u64,
    },
    /// These records are not there.
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// These records are proved by no checkpoint: none is reached where records are not there, or elsewhere.
    Unproved {
        /// The first.
        from: u64,
        /// The last of those that are there.
        to: u64,
    },
    /// The record stands behind a later one.
    Moved {
        /// Which.
        index: u64,
    },
    /// The record is there more than once.
    Repeated {
        /// Which.
        index: u64,
    },
    /// The record is one more than there are.
    Added {
        /// Which.
        index: u64,
        /// How many there are.
        size: u64,
    },
    /// The record has no body, though the checkpoint says that it had.
    Emptied {
        /// Which.
        index: u64,
        /// From which on the checkpoint says that there are bodies.
        from: u64,
    },
    /// The record has no body, though an older one has; the checkpoint says nothing of it.
    EmptiedBehind {
        /// Which.
        index: u64,
    },
    /// The front has no bodies, and the checkpoint does not say whether it had.
    Unsaid {
        /// The last of it.
        to: u64,
    },
    /// The checkpoint is no evidence.
    Checkpoint {
        /// Which.
        name: String,
        /// Why.
        why: CheckpointError,
    },
    /// The checkpoint is one of another log.
    Foreign {
        /// Which.
        name: String,
        /// Of which log.
        origin: String,
    },
    /// The first line and the checkpoint in it disagree.
    Header,
    /// The log was longer when the checkpoint was signed.
    Shortened {
        /// Which.
        name: String,
        /// How many records it is of.
        size: u64,
        /// How many there are.
        found: u64,
    },
    /// A log is not there that the first line names.
    NoLog {
        /// Which.
        origin: String,
    },
    /// The log stands there a second time.
    LogAgain,
    /// One of these records is another than when the checkpoint was signed.
    Rewritten {
        /// Which.
        name: String,
        /// The first it may be.
        from: u64,
        /// The last.
        to: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { line } => write!(f, "line {line} is no line of an export"),
            Self::Changed { index } => write!(f, "record {index} was changed: it does not give its hash"),
            Self::Renumbered { index, own } => write!(f, "record {index} says that it is record {own}"),
            Self::Missing { from, to } if from == to => write!(f, "record {from} is missing"),
            Self::Missing { from, to } => write!(f, "records {from} to {to} are missing"),
            Self::Unproved { from, to } if from == to => write!(f, "record {from} may be another, {UNPROVED}"),
            Self::Unproved { from, to } => write!(f, "records {from} to {to} may be others, {UNPROVED}"),
            Self::Moved { index } => write!(f, "record {index} stands behind a later one"),
            Self::Repeated { index } => write!(f, "record {index} is there again"),
            Self::Added { index, size } => write!(f, "record {index} was added: the log has {size} records"),
            Self::Emptied { index, from } => {
                write!(f, "record {index} was emptied: the checkpoint says that bodies are there from record {from} on")
            }
            Self::EmptiedBehind { index } => {
                write!(f, "record {index} was emptied: an older one still has its body")
            }
            Self::Unsaid { to: 0 } => write!(f, "record 0 has its hash alone, {UNSAID}"),
            Self::Unsaid { to } => write!(f, "records 0 to {to} have their hash alone, {UNSAID}"),
            Self::Checkpoint { name, why } => write!(f, "the checkpoint `{name}` proves nothing: {why}"),
            Self::Foreign { name, origin } => write!(f, "the checkpoint `{name}` is one of another log, `{origin}`"),
            Self::NoLog { origin } => write!(f, "the log `{origin}` is missing"),
            Self::LogAgain => f.write_str("the log is there again"),
            Self::Header => f.write_str("the first line says something else than the checkpoint in it"),
            Self::Shortened { name, size, found } => {
                write!(f, "the checkpoint `{name}` is of {size} records; here the log has {found}")
            }
            Self::Rewritten { name, from, to } if from == to => {
                write!(f, "record {from} is another than when the checkpoint `{name}` was signed")
            }
            Self::Rewritten { name, from, to } => {
                write!(f, "one of the records {from} to {to} is another than when the checkpoint `{name}` was signed")
            }
        }
    }
}
