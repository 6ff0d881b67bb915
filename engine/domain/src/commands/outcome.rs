//! What became of commands, kept for a day of log time.

use std::borrow::Cow;

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use serde::{Deserialize, Serialize};

use crate::table::{Key, Row, Table};
use crate::{Error, coded};

/// What became of a command; kept for a day of log time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRow {
    /// What became of it.
    #[serde(with = "coded")]
    pub verdict: Verdict,
    /// Whether what it is about has come into being by it.
    pub is_new: bool,
    /// What was done, or why not.
    pub detail: String,
    /// SHA-256 of what was asked for, in JSON: the same id means the same.
    pub asked: [u8; 32],
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub decided: Timestamp,
}

/// A command's outcome as version 1 had it: whether something is new stood in the words alone.
#[derive(Serialize, Deserialize)]
struct CommandRowV1 {
    #[serde(with = "coded")]
    verdict: Verdict,
    detail: String,
    asked: [u8; 32],
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    decided: Timestamp,
}

impl From<CommandRowV1> for CommandRow {
    fn from(row: CommandRowV1) -> Self {
        let CommandRowV1 { verdict, detail, asked, decided } = row;
        Self { verdict, is_new: verdict == Verdict::Done && detail == "created", detail, asked, decided }
    }
}

impl From<CommandRow> for CommandRowV1 {
    fn from(row: CommandRow) -> Self {
        let CommandRow { verdict, is_new: _, detail, asked, decided } = row;
        Self { verdict, detail, asked, decided }
    }
}

impl Row for CommandRow {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
        match version {
            1 => postcard::from_bytes::<CommandRowV1>(bytes).map(Self::from),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    // What was done is told by the verdict; the words are for people.
    fn form<'a>(&self, level: u32, _stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        let form = if level < 2 {
            postcard::to_stdvec(&CommandRowV1::from(self.clone()))
        } else {
            postcard::to_stdvec(&Self { detail: String::new(), ..self.clone() })
        };
        form.map(Cow::Owned).map_err(Error::Encode)
    }
}

/// The table of outcomes.
pub const COMMANDS: Table<CommandRow> = Table::new(b'k');
/// Under whose name commands of the provider stand.
const PROVIDER: &str = "_provider";

/// The key of a command's outcome; without an organization it is one of the provider's.
pub fn key(org: Option<&OrgName>, id: &str) -> Key<CommandRow> {
    COMMANDS.key(&[org.map_or(PROVIDER, OrgName::as_str)], id.as_bytes())
}
