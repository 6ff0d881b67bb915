//! Whatever runs beside reactions and brings inputs: collectors, polls of the support system.
//!
//! A source asks once per call and says what it found. It neither waits nor repeats nor remembers: where it was is
//! handed in, and where it is then goes into the log behind what it found.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use linesman_schemas::OrgName;
use linesman_schemas::outcome::Failure;

/// Finds what is new somewhere outside.
pub trait Source: Send + Sync {
    /// Its name, the last token of its inputs' subjects: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
    fn name(&self) -> &'static str;

    /// How long to wait between two polls when the first has found all there was.
    fn pause(&self) -> Duration;

    /// Asks once what is new behind `cursor` (none: since ever). Ends within a time the source's settings bound, with a
    /// bounded number of inputs; where there is more, it says so.
    ///
    /// What it finds is found again from the same cursor: whoever calls it may not come to keep the next one.
    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> BoxFuture<'a, Polled>;
}

/// What a poll found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// The inputs, to be published in this order.
    pub inputs: Vec<Input>,
    /// Where the next poll goes on, once the inputs are in the log; a failure with its class otherwise. Of one that
    /// failed midway the inputs are published too, and the next finds them again.
    pub outcome: Result<Next, Failure>,
}

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// The cursor of the next poll; none: from the beginning.
    pub cursor: Option<String>,
    /// Whether there is more already: the next poll follows at once.
    pub has_more: bool,
}

/// Something for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Whose it is.
    pub whose: Whose,
    /// The kind, as the third token of `in.<org>.<kind>.<source>` has it: `intel`, `jmb`.
    pub kind: &'static str,
    /// What is published. It carries an id by which the lane knows a repetition: of an intelligence message its id, of
    /// a bundle its host-event-ID.
    pub payload: Bytes,
}

/// Whose an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// An organization's.
    Organization(OrgName),
    /// The provider's: an intelligence message, which every lane gets.
    Provider,
    /// An intelligence message from above, for whoever this controller is: an end customer's is each of its organizations',
    /// a partner's the provider's.
    Ours,
}
