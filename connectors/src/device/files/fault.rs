//! Why something with a file failed.

use linesman_schemas::outcome::FailureClass;

use crate::device::limits::TimedOut;
use crate::device::ssh;

/// Why something with a file failed. What a device said is in it escaped and shortened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory is not one to be worked in.
    #[error("`{0}` is no directory to work in: it begins with `/` and has no `..`")]
    Directory(String),
    /// The file or directory is not there, or not any more.
    #[error("`{0}` is not there")]
    Vanished(String),
    /// It is longer or shorter than it was listed.
    #[error("`{0}` has changed since it was listed")]
    Changed(String),
    /// The user may not do that.
    #[error("permission denied for `{0}`")]
    Denied(String),
    /// The device has no room.
    #[error("the device has no room for `{0}`")]
    NoSpace(String),
    /// The device says no, for whatever reason.
    #[error("the device refuses `{name}`: {said}")]
    Refused {
        /// What it was about.
        name: String,
        /// What it says.
        said: String,
    },
    /// What the device says is no SFTP.
    #[error("the device does not keep to SFTP: {0}")]
    Garbled(&'static str),
    /// An operation was broken off while it was said: the channel is of no use any more.
    #[error("an operation was broken off, another channel is needed")]
    BrokenOff,
    /// More came than the operation may bring.
    #[error("`{name}` is longer than {most} bytes")]
    TooMuch {
        /// The file.
        name: String,
        /// The limit.
        most: u64,
    },
    /// A limit ran out.
    #[error(transparent)]
    Limit(#[from] TimedOut),
    /// The connection failed.
    #[error(transparent)]
    Ssh(#[from] ssh::Error),
}

impl Error {
    /// What is to be done about it.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::Denied(_) => FailureClass::Unauthorized,
            Self::Directory(_) | Self::Vanished(_) | Self::Refused { .. } | Self::TooMuch { .. } => {
                FailureClass::Refused
            }
            Self::Garbled(_) => FailureClass::Garbled,
            Self::Changed(_) | Self::NoSpace(_) | Self::BrokenOff | Self::Limit(_) => FailureClass::Unavailable,
            Self::Ssh(error) => error.class(),
        }
    }
}
