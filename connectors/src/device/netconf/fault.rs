//! Why something with NETCONF failed, and what a device says of its own faults.

use std::fmt;
use std::io;

use linesman_schemas::outcome::FailureClass;

use super::frame::FrameError;
use super::scan::ScanError;
use crate::device::limits::TimedOut;
use crate::device::ssh;
use crate::text::{excerpt, said};

/// A fault as a device tells it (RFC 6241 section 4.3). Texts are as the device wrote them, without the white space
/// around them, and cut after 16 KiB each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RpcError {
    /// `error-type`: where it arose, e.g. `protocol`.
    pub kind: String,
    /// `error-tag`: what it is, e.g. `lock-denied`.
    pub tag: String,
    /// `error-severity`.
    pub severity: Severity,
    /// `error-app-tag`.
    pub app_tag: Option<String>,
    /// `error-path`.
    pub path: Option<String>,
    /// `error-message`.
    pub message: Option<String>,
    /// `error-info`: the XML in it.
    pub info: Option<String>,
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Severity {
    /// It was not done. What says nothing of it counts as this.
    #[default]
    Error,
    /// It was done.
    Warning,
}

impl fmt::Display for RpcError {
    /// For people, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tag = if self.tag.is_empty() { "fault" } else { &self.tag };
        f.write_str(&excerpt(tag, 60))?;
        if let Some(message) = &self.message {
            write!(f, ": {}", said(message, 500))?;
        }
        if let Some(path) = &self.path {
            write!(f, " (at {})", said(path, 200))?;
        }
        Ok(())
    }
}

/// Why something with NETCONF failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The device refuses. It has one error at least.
    #[error("the device refuses: {}", first(.errors))]
    Refused {
        /// What is wrong, in the device's order.
        errors: Vec<RpcError>,
        /// What it warns of beside.
        warnings: Vec<RpcError>,
    },
    /// The device does not have what the request needs: nothing was sent.
    #[error("the device has no `{0}`")]
    Missing(&'static str),
    /// What is to be sent would end the message: nothing can be sent like that in base 1.0.
    #[error("the request has `]]>]]>` in it, which ends a message for this device")]
    Delimiter,
    /// What is to be sent cannot be read.
    #[error("what is to be sent cannot be read")]
    Source(#[source] io::Error),
    /// What comes cannot be kept at our side.
    #[error("what came cannot be written")]
    Sink(#[source] io::Error),
    /// What comes is framed wrongly.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// What comes is no XML, or runs away.
    #[error("the device's message cannot be read: {0}")]
    Xml(ScanError),
    /// What comes is no NETCONF.
    #[error("the device does not keep to NETCONF: {0}")]
    Garbled(&'static str),
    /// The reply is one to something else.
    #[error("the reply is to message {came}, and {expected} is waited for")]
    Mismatched {
        /// The message that is waited for.
        expected: u64,
        /// What the reply says.
        came: String,
    },
    /// Nothing is waited for.
    #[error("no reply is waited for")]
    NothingAsked,
    /// More came than the operation may bring.
    #[error("the reply is longer than {0} bytes")]
    TooMuch(u64),
    /// An operation failed or was broken off in the middle of a message: the session is of no use any more.
    #[error("an operation was broken off, another session is needed")]
    BrokenOff,
    /// The device ended the session.
    #[error("the device ended the session{}", told(.0))]
    Ended(String),
    /// A limit ran out.
    #[error(transparent)]
    Limit(#[from] TimedOut),
    /// The connection failed.
    #[error(transparent)]
    Ssh(#[from] ssh::Error),
}

fn first(errors: &[RpcError]) -> String {
    let more = errors.len().saturating_sub(1);
    let first = errors.first().map(ToString::to_string).unwrap_or_default();
    if more == 0 { first } else { format!("{first}, and {more} more") }
}

fn told(complaint: &str) -> String {
    if complaint.is_empty() { String::new() } else { format!(": {}", said(complaint, 200)) }
}

impl From<ScanError> for Error {
    fn from(error: ScanError) -> Self {
        Self::Xml(error)
    }
}

impl Error {
    /// What is to be done about it.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Refused { errors, .. } => {
                let has = |tags: &[&str]| errors.iter().any(|error| tags.contains(&error.tag.as_str()));
                match () {
                    // Somebody else is at it: their turn ends.
                    () if has(&["lock-denied", "in-use", "resource-denied"]) => FailureClass::Overloaded,
                    () if has(&["access-denied"]) => FailureClass::Unauthorized,
                    () => FailureClass::Refused,
                }
            }
            Self::Missing(_) | Self::Delimiter | Self::TooMuch(_) | Self::NothingAsked => FailureClass::Refused,
            Self::Frame(_) | Self::Xml(_) | Self::Garbled(_) | Self::Mismatched { .. } => FailureClass::Garbled,
            Self::Source(_) | Self::Sink(_) | Self::BrokenOff | Self::Ended(_) | Self::Limit(_) => {
                FailureClass::Unavailable
            }
            Self::Ssh(error) => error.class(),
        }
    }
}
