//! What failures come of, for whoever is to mend it. It travels nowhere and decides nothing: the class does that.

use crate::outcome::{Failure, FailureClass};

/// What a failure came of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A certificate is not believed, or the two sides find no TLS in common.
    Tls,
    /// Nobody knows the address of its name.
    Dns,
    /// Its machine is there, and takes no connection at that port.
    Refused,
    /// Its machine cannot be reached.
    Unreachable,
    /// No answer came in time.
    Timeout,
    /// The connection was lost before there was a whole answer.
    Lost,
    /// It answered with an HTTP status of 4xx that says nothing of credentials.
    Http4xx,
    /// It answered with an HTTP status of 5xx.
    Http5xx,
    /// It does not accept our credentials, or there are none.
    Credentials,
    /// It was reached, and is too busy.
    Overloaded,
    /// It answered what cannot be understood.
    Garbled,
    /// Anything else; the words say what.
    Other,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Tls,
        Self::Dns,
        Self::Refused,
        Self::Unreachable,
        Self::Timeout,
        Self::Lost,
        Self::Http4xx,
        Self::Http5xx,
        Self::Credentials,
        Self::Overloaded,
        Self::Garbled,
        Self::Other,
    ];

    /// It as metrics and the API spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Lost => "lost",
            Self::Http4xx => "http-4xx",
            Self::Http5xx => "http-5xx",
            Self::Credentials => "credentials",
            Self::Overloaded => "overloaded",
            Self::Garbled => "garbled",
            Self::Other => "other",
        }
    }

    /// Whether there was no answer: then what is said of it quotes none.
    pub const fn is_without_answer(self) -> bool {
        matches!(self, Self::Tls | Self::Dns | Self::Refused | Self::Unreachable | Self::Timeout | Self::Lost)
    }

    /// What an answer with this HTTP status comes of; none where it is no failure by its status alone.
    pub const fn of_http(status: u16) -> Option<Self> {
        match status {
            401 | 403 => Some(Self::Credentials),
            429 => Some(Self::Overloaded),
            400..=499 => Some(Self::Http4xx),
            500..=599 => Some(Self::Http5xx),
            _ => None,
        }
    }
}

impl Failure {
    /// What it came of, as far as whoever met it said so; else what its class tells.
    pub const fn cause(&self) -> Cause {
        match (self.cause, self.class) {
            (Some(cause), _) => cause,
            (None, FailureClass::Overloaded) => Cause::Overloaded,
            (None, FailureClass::Unauthorized) => Cause::Credentials,
            (None, FailureClass::Garbled) => Cause::Garbled,
            (None, FailureClass::Unavailable | FailureClass::Refused) => Cause::Other,
        }
    }
}
