//! Commands about the provider's intelligence messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, hash};
use crate::intelligence::ID_MOST;

/// What is asked for of the provider's intelligence messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Take one in, or another text of it.
    Add(MessageGiven),
}

impl Message {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Add(_) => "add-intelligence",
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        let Self::Add(MessageGiven { id, sha256, .. }) = self;
        if id.is_empty() || id.len() > ID_MOST {
            return Err(Fault::new("/id", format!("must have 1 to {ID_MOST} bytes and has {}", id.len())));
        }
        hash("/sha256", sha256)
    }
}

/// Which content a message of the provider's has. It lies in the object store before the command is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageGiven {
    /// The message's id at its source; the same id again replaces the message.
    pub id: String,
    /// SHA-256 of its content, an intelligence message in JSON, in lower-case hexadecimal; also its name in the object
    /// store.
    pub sha256: String,
    /// How many bytes the content has.
    pub bytes: u64,
}
