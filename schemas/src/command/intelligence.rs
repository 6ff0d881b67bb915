//! Commands about the provider's intelligence messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, hash, label, text};
use crate::intelligence::{ID_MOST, TITLE_MOST};

/// The longest text that a message is given for an organization, in characters.
pub const WORDING_MOST: usize = 32 * 1024;

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
        named(id)?;
        hash("/sha256", sha256)
    }
}

fn named(id: &str) -> Result<(), Fault> {
    match id.is_empty() || id.len() > ID_MOST {
        true => Err(Fault::new("/id", format!("must have 1 to {ID_MOST} bytes and has {}", id.len()))),
        false => Ok(()),
    }
}

/// What is done with a message of the provider's for an organization. It is the provider's: nothing of it is the organization's
/// before the message is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// The organization is one that the message may be sent to, in this wording.
    Associate(Wording),
    /// It is not.
    Dissociate(MessageName),
    /// The organization is sent it, as it is worded.
    Send(MessageName),
    /// What it was sent is taken back.
    Recall(MessageName),
}

impl Sending {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Associate(_) => "associate-intelligence",
            Self::Dissociate(_) => "dissociate-intelligence",
            Self::Send(_) => "send-intelligence",
            Self::Recall(_) => "recall-intelligence",
        }
    }

    /// The message's id.
    pub fn message(&self) -> &str {
        match self {
            Self::Associate(Wording { id, .. }) => id,
            Self::Dissociate(name) | Self::Send(name) | Self::Recall(name) => &name.id,
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        named(self.message())?;
        let Self::Associate(Wording { title, text: words, .. }) = self else { return Ok(()) };
        if let Some(title) = title {
            if title.is_empty() || title.len() > TITLE_MOST {
                return Err(Fault::new("/title", format!("must have 1 to {TITLE_MOST} bytes and has {}", title.len())));
            }
            label("/title", title, TITLE_MOST)?;
        }
        words.as_ref().map_or(Ok(()), |words| text("/text", words, WORDING_MOST))
    }
}

/// A message of the provider's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageName {
    /// Its id.
    pub id: String,
}

/// How a message of the provider's is worded for an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wording {
    /// The message's id.
    pub id: String,
    /// The title; none: the message's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text; none: the message's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
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
