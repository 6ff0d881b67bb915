//! Why there is no connection to a device, or none any more.

use std::io;
use std::time::Duration;

use linesman_schemas::outcome::FailureClass;

use crate::device::limits::TimedOut;

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Our own credentials are read.
    Credentials,
    /// The address is found, and something there takes the connection.
    Tcp,
    /// It speaks SSH, and both have algorithms in common.
    KeyExchange,
    /// It is whom we know.
    HostKey,
    /// It lets us in.
    Authentication,
    /// It opens a channel for a subsystem or a command.
    Channel,
    /// The channel is used.
    Session,
}

impl Stage {
    /// Its name, for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Tcp => "tcp",
            Self::KeyExchange => "key exchange",
            Self::HostKey => "host key",
            Self::Authentication => "authentication",
            Self::Channel => "channel",
            Self::Session => "session",
        }
    }
}

/// Why a connection failed. What a device said is in it escaped and shortened; no secret is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The private key cannot be used.
    #[error("the private key cannot be used: {0}")]
    Key(String),
    /// The private key has a passphrase, and none was given.
    #[error("the private key has a passphrase, and none is given")]
    PassphraseMissing,
    /// The address is no address, or nothing listens there.
    #[error("there is no connection to {address} port {port}")]
    Tcp {
        /// The address as it was given.
        address: String,
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing in common; a device that has old algorithms alone is to be marked so.
    #[error("no {what} in common: the device has {theirs}")]
    NothingInCommon {
        /// Of what.
        what: &'static str,
        /// What the device offers.
        theirs: String,
    },
    /// The device, or somebody between, broke the protocol while keys were exchanged.
    #[error("the key exchange failed: {0}")]
    KeyExchange(String),
    /// The device shows another key than the one we know.
    #[error("the host key is another: known is {known}, shown was {shown}")]
    HostKeyChanged {
        /// The fingerprint of the one that is pinned.
        known: String,
        /// The fingerprint of the one that was shown.
        shown: String,
        /// The one that was shown, as it would be pinned.
        key: String,
    },
    /// The device shows a key that cannot be used.
    #[error("the host key cannot be used")]
    HostKeyUnusable,
    /// The device does not let the user in.
    #[error("the device does not let `{user}` in by {method}; it takes {accepted}")]
    Authentication {
        /// The user.
        user: String,
        /// What was tried: `password` or `public key`.
        method: &'static str,
        /// What it would take.
        accepted: String,
    },
    /// The device opens no channel; mostly it has as many sessions as it takes.
    #[error("the device opens no channel: {0}")]
    ChannelRefused(String),
    /// The device does not know the subsystem, or may not start it.
    #[error("the device has no subsystem `{0}`")]
    NoSubsystem(String),
    /// The device does not carry out a command.
    #[error("the device takes no commands")]
    NoCommands,
    /// The connection took too long to come about.
    #[error("the device did not answer within {after:?} ({stage})", stage = stage.as_str())]
    TimedOut {
        /// How far it came.
        stage: Stage,
        /// The limit.
        after: Duration,
    },
    /// A limit of an operation ran out.
    #[error(transparent)]
    Limit(#[from] TimedOut),
    /// More came than the operation may bring.
    #[error("more than {0} bytes came")]
    TooMuch(u64),
    /// The connection was there and is gone.
    #[error("the connection is gone: {0}")]
    Lost(String),
    /// What came cannot be kept at our side.
    #[error("what came cannot be written")]
    Sink(#[source] io::Error),
}

impl Error {
    /// How far the connection came.
    pub const fn stage(&self) -> Stage {
        match self {
            Self::Key(_) | Self::PassphraseMissing => Stage::Credentials,
            Self::Tcp { .. } => Stage::Tcp,
            Self::NothingInCommon { .. } | Self::KeyExchange(_) => Stage::KeyExchange,
            Self::HostKeyChanged { .. } | Self::HostKeyUnusable => Stage::HostKey,
            Self::Authentication { .. } => Stage::Authentication,
            Self::ChannelRefused(_) | Self::NoSubsystem(_) | Self::NoCommands => Stage::Channel,
            Self::TimedOut { stage, .. } => *stage,
            Self::Limit(_) | Self::TooMuch(_) | Self::Lost(_) | Self::Sink(_) => Stage::Session,
        }
    }

    /// What is to be done about it.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::Key(_)
            | Self::PassphraseMissing
            | Self::HostKeyChanged { .. }
            | Self::HostKeyUnusable
            | Self::Authentication { .. } => FailureClass::Unauthorized,
            Self::ChannelRefused(_) => FailureClass::Overloaded,
            Self::NothingInCommon { .. } | Self::KeyExchange(_) => FailureClass::Garbled,
            Self::NoSubsystem(_) | Self::NoCommands | Self::TooMuch(_) => FailureClass::Refused,
            Self::Tcp { .. } | Self::TimedOut { .. } | Self::Limit(_) | Self::Lost(_) | Self::Sink(_) => {
                FailureClass::Unavailable
            }
        }
    }
}
