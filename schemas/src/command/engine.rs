//! Commands about the engine itself; the provider's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked for of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// Decide at a higher level from here on.
    RaiseLevel(LevelRaise),
}

impl Engine {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::RaiseLevel(_) => "raise-level",
        }
    }
}

/// The engine level that lanes are to decide at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelRaise {
    /// The level; above the present one, and one that the engine knows.
    pub level: u32,
}
