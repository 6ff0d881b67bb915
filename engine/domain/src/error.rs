//! Why a decision could not be made.

use linesman_schemas::PolicyName;

use super::input::Absent;

/// A decision fails only for the machine's own reasons: what is wrong with an input, a script or a
/// reaction is part of the decision.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state cannot be read.
    #[error("the state cannot be read")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored row is none that this program has ever written.
    #[error("the stored row `{key}` (version {version}) cannot be read")]
    Row {
        /// The key, with unprintable bytes escaped.
        key: String,
        /// In which version it says it was written.
        version: u8,
        /// What is wrong with it.
        source: postcard::Error,
    },
    /// A stored page of rows is none that this program has ever written.
    #[error("the stored page `{0}` cannot be read")]
    Page(String),
    /// An audit log lacks a hash that its size says it has.
    #[error("the audit log `{log}` lacks the hash {index} of level {level}")]
    Subtree {
        /// Whose it is.
        log: String,
        /// How high the subtree is.
        level: u8,
        /// How many of its height stand before it.
        index: u64,
    },
    /// A row cannot be written.
    #[error("a row of the state cannot be written")]
    Encode(#[source] postcard::Error),
    /// It panicked: what has made the decision is of no use any more.
    #[error("deciding it panicked; the log says where")]
    Broken,
    /// What fell due with it cannot be done.
    #[error("what fell due with it cannot be done: {timer}")]
    Timer {
        /// What that is, as an override names it.
        timer: String,
        /// Why.
        source: Box<Error>,
    },
    /// A slice of a job cannot be done.
    #[error("a slice of a job cannot be done: {job}")]
    Slice {
        /// The job, as its record calls it.
        job: String,
        /// Why.
        source: Box<Error>,
    },
    /// What it names is not to be had: it is decided only once that is there again, or it is set aside.
    #[error(transparent)]
    Absent(Absent),
    /// Reading it panicked: it is decided only once it is set aside.
    #[error("reading it panicked; the log says where")]
    Unreadable,
    /// A run of a policy took more of the processor's time than it may: the decision was broken off in its middle, and what
    /// has made it is of no use any more.
    #[error("the policy `{policy}` takes more of the processor's time than a run may")]
    Overtime {
        /// Which policy.
        policy: PolicyName,
        /// SHA-256 of its text.
        version: String,
    },
    /// The log asks for a level that this program does not know.
    #[error(
        "the log is to be decided at engine level {found}; this program knows levels {oldest} to {newest}, so it \
         takes a linesman that knows level {found}"
    )]
    Level {
        /// As the log has it.
        found: u32,
        /// The lowest this program knows.
        oldest: u32,
        /// The highest.
        newest: u32,
    },
    /// A payload cannot be written.
    #[error("an event cannot be written")]
    Json(#[from] serde_json::Error),
}
