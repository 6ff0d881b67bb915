//! Commands about an input that was set aside.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dead_letter::Reason;

/// What is said of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// It was set aside and has entered the log again, as a new one.
    Replay(Replay),
}

impl Input {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Replay(_) => "replay-input",
        }
    }
}

/// Which dead letter's input has entered the log again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// Id of the dead letter's event.
    pub event: String,
    /// Where the input that was set aside stands in IN.
    pub sequence: u64,
    /// What else is known of the dead letter. From engine level 16 on; it is kept that it was replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<LetterRef>,
}

/// A dead letter that is put to work again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LetterRef {
    /// Id of its event.
    pub event: String,
    /// When it was said, by the log's clock.
    pub time: Timestamp,
    /// Why it was.
    pub reason: Reason,
}
