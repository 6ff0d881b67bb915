//! What a lane decides on: a message of IN, decoded.

use std::sync::Arc;

use jiff::Timestamp;
use linesman_rules::Book;
use linesman_schemas::bundle::{self, Bundle, Edition};
use linesman_schemas::command::Command;
use linesman_schemas::control::{
    ClockConfirmed, ClockReading, InstallationSection, IntelligenceRef, RefusedPolicy, SectionRef, Settings,
    SourceCursor,
};
use linesman_schemas::dead_letter::{LineColumn, Reason};
use linesman_schemas::intelligence::{self, Intelligence, Stray};
use linesman_schemas::outcome::{Attempt, Report};
use linesman_schemas::trigger::Expiry;

use crate::directory::Directory;
use crate::services::Catalog;

/// A message of IN, decoded.
#[derive(Debug)]
pub struct Input<'a> {
    /// Its sequence in IN.
    pub sequence: u64,
    /// When it entered IN.
    pub time: Timestamp,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// The organization's token in its subject, as published; empty for control messages.
    pub org: &'a str,
    /// The kind's token in its subject.
    pub kind: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What they say.
    pub content: Content<'a>,
}

/// What a message says.
#[derive(Debug)]
pub enum Content<'a> {
    /// A message bundle.
    Bundle(Box<Bundle<'a>>),
    /// An intelligence message.
    Intelligence(Box<Heard>),
    /// A command.
    Command(Box<Command>),
    /// A connector's report.
    Report(Box<Report>),
    /// An attempt at a reaction of the provider's own.
    Attempt(Box<Attempt>),
    /// A rule book, fetched.
    RuleBook(RuleBook),
    /// The lane decides at a level from here on, unless it does at a higher one.
    Level(u32),
    /// There is work in slices: one is done.
    Continue {
        /// Whether nobody waits meanwhile, so that it may be a larger one.
        is_alone: bool,
    },
    /// A source goes on elsewhere.
    Cursor(SourceCursor),
    /// An intelligence message of the provider's, fetched.
    Provided(Box<Provided>),
    /// Something of the installation runs out.
    Expiry(Expiry),
    /// What time it is by the engine's clocks.
    Clock(ClockReading),
    /// Somebody has confirmed what time it is.
    ClockConfirmed(Box<ClockConfirmed>),
    /// Time passes.
    Tick,
    /// Reading it panicked, which is a fault of the program's own: it is decided only once it is set aside.
    Broken,
    /// What it names is not to be had: it is decided only once that is there again, or it is set aside.
    Absent(Absent),
    /// Levels read it otherwise.
    ByLevel(Box<ByLevel<'a>>),
    /// It was not read, as it is likely to be left undecided; it is read where it is decided.
    Unread,
    /// What cannot be read.
    Undecodable {
        /// Why.
        reason: Reason,
        /// What exactly.
        detail: String,
        /// Where.
        place: Option<LineColumn>,
    },
}

/// A bundle that levels before [`ByLevel::LEVEL`] read otherwise than those from there on.
#[derive(Debug)]
pub struct ByLevel<'a> {
    /// As levels before read it.
    pub before: Content<'a>,
    /// As those from there on do.
    pub since: Content<'a>,
}

impl ByLevel<'_> {
    /// The engine level from which on bundles are read in the second edition.
    pub const LEVEL: u32 = 16;
}

/// The engine level from which on what an attachment holds may end in comments.
const ENDINGS: u32 = 17;

/// The edition in which bundles are read at an engine level.
pub const fn edition(level: u32) -> Edition {
    match level {
        ..ByLevel::LEVEL => Edition::First,
        ByLevel::LEVEL..ENDINGS => Edition::Second,
        _ => Edition::Third,
    }
}

/// What a message names and nobody has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the content {hash} that it names is not to be had: {why}")]
pub struct Absent {
    /// The hash it goes by.
    pub hash: String,
    /// Why it is not to be had.
    pub why: String,
}

/// An intelligence message of an organization's.
#[derive(Debug)]
pub struct Heard {
    /// What it says.
    pub message: Intelligence,
    /// A field of it that messages do not have.
    pub stray: Option<Stray>,
}

/// An intelligence message of the provider's.
#[derive(Debug)]
pub struct Provided {
    /// As the lane was told of it.
    pub named: IntelligenceRef,
    /// What it says; none where that is no intelligence message of this id.
    pub message: Option<Intelligence>,
}

impl Provided {
    /// Reads the content that was named.
    pub fn read(named: IntelligenceRef, content: &[u8]) -> Self {
        let message = intelligence::decode(content).ok().filter(|message| message.id == named.id);
        Self { named, message }
    }
}

/// A rule book, ready to judge by.
#[derive(Debug, Clone)]
pub struct RuleBook {
    /// Its version.
    pub version: u64,
    /// By what it is known, as in [`linesman_schemas::control::RuleBookRef`].
    pub hash: String,
    /// Its sections; none in one of before sections.
    pub sections: Vec<SectionRef>,
    /// The policies.
    pub book: Arc<Book>,
    /// The numbers decisions depend on.
    pub settings: Settings,
    /// The files that could not be loaded.
    pub refused: Arc<[RefusedPolicy]>,
    /// The provider's people and groups.
    pub directory: Arc<Directory>,
    /// The services.
    pub services: Arc<Catalog>,
    /// How the installation is connected.
    pub installation: InstallationSection,
}

impl<'a> Content<'a> {
    /// Reads a message that an organization's subject brought.
    pub fn decode(kind: &str, bytes: &'a [u8]) -> Self {
        match kind {
            "jmb" => Self::bundle(bytes),
            "intel" => match intelligence::decode(bytes) {
                Ok(message) => Self::Intelligence(Box::new(Heard { message, stray: intelligence::stray(bytes) })),
                Err(error) => {
                    let place = match &error {
                        intelligence::Error::Json(error) => json_place(error),
                        _ => None,
                    };
                    Self::Undecodable { reason: Reason::IntelligenceUndecodable, detail: error.to_string(), place }
                }
            },
            "cmd" => json(bytes, Reason::CommandUndecodable, Self::Command),
            "result" => json(bytes, Reason::ResultUndecodable, Self::Report),
            _ => Self::Undecodable {
                reason: Reason::UnknownKind,
                detail: "the subject's third token is none of jmb, intel, cmd, result".to_owned(),
                place: None,
            },
        }
    }

    /// Reads a bundle, at whatever level it will be decided.
    fn bundle(bytes: &'a [u8]) -> Self {
        let before = match bundle::decode_in(Edition::First, bytes) {
            // What the first edition reads the second reads alike.
            Ok(bundle) => return Self::Bundle(Box::new(bundle)),
            Err(error) => error,
        };
        let since = match bundle::decode_in(Edition::Second, bytes) {
            Ok(bundle) => Self::Bundle(Box::new(bundle)),
            Err(since) => Self::no_bundle(&since, since.fault.detail()),
        };
        // Level 1 covers the text too, which named the fault twice.
        let before = Self::no_bundle(&before, before.fault.to_string());
        Self::ByLevel(Box::new(ByLevel { before, since }))
    }

    fn no_bundle(error: &bundle::Error, detail: String) -> Self {
        Self::Undecodable {
            reason: Reason::BundleUndecodable,
            detail: format!("{}: {detail}", error.fault.name()),
            place: Some(LineColumn { line: error.line, column: error.column }),
        }
    }

    /// What it says at an engine level.
    pub fn at(&self, level: u32) -> &Self {
        match self {
            Self::ByLevel(read) if level < ByLevel::LEVEL => &read.before,
            Self::ByLevel(read) => &read.since,
            content => content,
        }
    }
}

fn json<'a, T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    reason: Reason,
    content: impl FnOnce(Box<T>) -> Content<'a>,
) -> Content<'a> {
    match serde_json::from_slice(bytes) {
        Ok(value) => content(Box::new(value)),
        Err(error) => Content::Undecodable { reason, place: json_place(&error), detail: error.to_string() },
    }
}

/// Where serde stumbled, if it says.
pub fn json_place(error: &serde_json::Error) -> Option<LineColumn> {
    place(error.line(), error.column())
}

/// A place in a text that has lines.
pub(crate) fn place(line: usize, column: usize) -> Option<LineColumn> {
    let line = u32::try_from(line).ok().filter(|line| *line > 0)?;
    Some(LineColumn { line, column: u32::try_from(column).unwrap_or(u32::MAX).max(1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_a_bundle_is_named_once() {
        for (bytes, expected) in [
            (&b"</a>"[..], "not-well-formed: `</a>` closes nothing"),
            (b"<jmb", "truncated: the bundle ends before its root element is complete"),
            (b"", "empty: the bundle is empty"),
        ] {
            let content = Content::decode("jmb", bytes);
            let Content::Undecodable { detail, .. } = content.at(ByLevel::LEVEL) else { panic!("{expected}") };
            assert_eq!(detail, expected);
        }
    }
}
