//! Commands about an input that was set aside.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
}
