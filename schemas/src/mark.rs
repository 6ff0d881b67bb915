//! The mark: the last message of every batch of OUT, on `out._mark.<lane>`; on `out._mark.unread` that of who sets aside
//! what no lane reads.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far a lane has committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// Sequence in IN of the last input committed.
    pub position: u64,
    /// SHA-256 of that input, in hexadecimal.
    pub message: String,
    /// Running digest over all productions, in hexadecimal.
    pub digest: String,
    /// The lane's clock.
    pub now: Timestamp,
    /// Which IN: its creation time.
    pub stream: String,
    /// The engine level that decided.
    pub level: u32,
    /// The engine that wrote it.
    pub owner: String,
}
