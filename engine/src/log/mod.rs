//! The log: the streams IN and OUT, how lanes read the one and commit to the other.
//!
//! ```text
//!  in.<org>.<kind>.<source> --> IN: p.<lane>.<org>.<kind> --> reader --> lane
//!                                   p.<lane>.ctl
//!  lane --> outbox --> w.<...> --> OUT: out.<...> --> subscribers of out.>
//!                                       out._mark.<lane>
//!                                       out._override.<lane> --> lane
//! ```

pub mod books;
pub mod consumers;
mod domain;
pub mod events;
pub mod history;
pub mod inputs;
mod limits;
pub mod mark;
pub mod objects;
pub mod outbox;
pub mod overrides;
pub mod quorum;
pub mod reader;
pub mod readings;
pub mod scan;
pub mod section;
pub mod servers;
pub mod strays;
pub mod streams;
pub mod trouble;

use std::path::PathBuf;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use domain::context;
pub use servers::{Access, Servers};

/// The inbox prefix of everything of ours: whoever may subscribe `_INBOX.>` hears none of it.
pub const INBOX_PREFIX: &str = "_LINESMAN";

/// How long an answer of the server may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// What went wrong between us and the NATS server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection.
    #[error("cannot connect to the NATS server at `{url}`")]
    Connect {
        /// Where, without the password.
        url: String,
        /// Why.
        source: async_nats::ConnectError,
    },
    /// A file by which the server is entered.
    #[error("`{}` lets nobody into the NATS server", path.display())]
    Login {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No answer.
    #[error("the NATS server does not answer `{subject}`")]
    Request {
        /// What was asked.
        subject: String,
        /// Why.
        source: async_nats::RequestError,
    },
    /// An answer that says no.
    #[error("the NATS server refuses `{subject}`: {description} ({code})")]
    Refused {
        /// What was asked.
        subject: String,
        /// Its words.
        description: String,
        /// Its code.
        code: u64,
    },
    /// An answer that is none.
    #[error("the NATS server's answer to `{subject}` cannot be read")]
    Answer {
        /// What was asked.
        subject: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A server that does not know what we need.
    #[error(
        "the NATS server ({version}) drops {fields} of the stream {stream}; linesman needs nats-server 2.12 or later"
    )]
    Dropped {
        /// Its version.
        version: String,
        /// Which stream.
        stream: &'static str,
        /// The fields it does not know.
        fields: String,
    },
    /// An account with less room for consumers than a stream is to have.
    #[error(
        "the NATS account allows fewer consumers than the {wanted} that the stream {stream} is to have room for: raise its \
         `max_consumers`, or lower `nats.out_consumers_most`"
    )]
    Consumers {
        /// Which stream.
        stream: &'static str,
        /// How many.
        wanted: u64,
    },
    /// A server that would refuse what decisions may say.
    #[error(
        "the NATS server takes messages of at most {found} bytes; linesman needs `max_payload` of {needed} or more"
    )]
    Payload {
        /// What it takes.
        found: usize,
        /// What is needed.
        needed: usize,
    },
    /// A stream that another configuration made.
    #[error("the stream {stream} exists with another configuration: {difference}")]
    Foreign {
        /// Which stream.
        stream: &'static str,
        /// In what it differs.
        difference: String,
    },
    /// A stream that would lose or change what it holds.
    #[error("the stream {stream} cannot be relied on: {}", faults.join(", "))]
    Unsafe {
        /// Which stream.
        stream: &'static str,
        /// Each field that is wrong, its value, and what is to be done.
        faults: Vec<String>,
    },
    /// The number of lanes differs from the stream's.
    #[error("the stream IN was created with {found} lanes and cannot have {wanted}; set `lanes = {found}`")]
    Lanes {
        /// As the stream has it.
        found: u32,
        /// As the configuration wants it.
        wanted: u32,
    },
    /// The connection cannot take a message.
    #[error("the message on `{subject}` cannot be published")]
    Publish {
        /// Where to.
        subject: String,
        /// Why.
        source: async_nats::PublishError,
    },
    /// A stream that came back without its tail.
    #[error("IN has lost its tail: it does not have what was read at {position}; the next start seals the lane")]
    LostTail {
        /// The sequence read last.
        position: u64,
    },
    /// IN cannot be read.
    #[error("the stream IN cannot be read")]
    In(#[source] async_nats::Error),
    /// OUT cannot be read.
    #[error("the stream OUT cannot be read")]
    Out(#[source] async_nats::Error),
    /// A stream cannot be read as it lies there.
    #[error("the stream {stream} cannot be read")]
    Scan {
        /// Which stream.
        stream: &'static str,
        /// Why.
        source: async_nats::Error,
    },
    /// A rule book that is not there or not what its hash says.
    #[error("the rule book {hash} cannot be fetched: {detail}")]
    RuleBook {
        /// Its hash.
        hash: String,
        /// What is wrong.
        detail: String,
    },
}

impl Error {
    /// Whether there was no answer: the server may be away.
    pub const fn is_silence(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Request { .. } | Self::Publish { .. })
    }

    fn scan(stream: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Scan { stream, source: Box::new(source) }
    }

    fn out(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Out(Box::new(source))
    }
}

/// Connects; reconnects by itself for as long as the client lives.
///
/// # Errors
/// A file of the login cannot be read, or the first connection fails.
pub async fn connect(servers: impl Into<Servers>, name: &str) -> Result<Client, Error> {
    connect_with(options(name), servers).await
}

/// Connects with options of one's own.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(options: ConnectOptions, servers: impl Into<Servers>) -> Result<Client, Error> {
    servers.into().connect(options).await
}

fn options(name: &str) -> ConnectOptions {
    ConnectOptions::new()
        .name(name)
        .custom_inbox_prefix(INBOX_PREFIX)
        .request_timeout(Some(REQUEST_TIMEOUT))
        .ping_interval(Duration::from_secs(10))
        .max_reconnects(None)
        .reconnect_delay_callback(|attempt| Duration::from_millis((attempt as u64 * 50).min(1_000)))
        .event_callback(|event| async move {
            match event {
                Event::Connected => tracing::debug!("connected to NATS"),
                Event::Disconnected => {
                    metrics::counter!("linesman_nats_disconnects_total").increment(1);
                    tracing::warn!("disconnected from NATS");
                }
                Event::SlowConsumer(id) => {
                    metrics::counter!("linesman_nats_slow_consumer_total").increment(1);
                    tracing::warn!(id, "NATS messages were dropped on the way in; the lane reads them again");
                }
                other => tracing::debug!(event = %other, "NATS"),
            }
        })
}

/// A URL, or several behind commas, as it may be shown.
pub fn without_password(url: &str) -> String {
    let shown: Vec<String> = servers::split(url).into_iter().map(one_without_password).collect();
    shown.join(",")
}

fn one_without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 < at => {
            let (head, tail) = (url.get(..scheme + 3).unwrap_or_default(), url.get(at..).unwrap_or_default());
            format!("{head}***{tail}")
        }
        _ => url.to_owned(),
    }
}

#[derive(Deserialize)]
struct ApiError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

/// Asks the JetStream API; an error in the answer is an error here.
///
/// # Errors
/// No answer, an answer that says no, or one that is none.
pub async fn api<T: DeserializeOwned>(client: &Client, what: &str, body: &Value) -> Result<T, Error> {
    let subject = domain::api_subject(what);
    let payload = body.to_string();
    let answer = client
        .request(subject.clone(), payload.into())
        .await
        .map_err(|source| Error::Request { subject: subject.clone(), source })?;
    read_answer(&subject, &answer.payload)
}

/// Reads an answer that may be an error.
fn read_answer<T: DeserializeOwned>(subject: &str, payload: &[u8]) -> Result<T, Error> {
    #[derive(Deserialize)]
    struct Envelope {
        error: Option<ApiError>,
    }
    let fault = |source| Error::Answer { subject: subject.to_owned(), source };
    let envelope: Envelope = serde_json::from_slice(payload).map_err(fault)?;
    match envelope.error {
        Some(error) => {
            Err(Error::Refused { subject: subject.to_owned(), description: error.description, code: error.err_code })
        }
        None => serde_json::from_slice(payload).map_err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_password("nats://engine:s3cret@127.0.0.1:4222"), "nats://***@127.0.0.1:4222");
        assert_eq!(without_password("nats://127.0.0.1:4222"), "nats://127.0.0.1:4222");
        assert_eq!(without_password("nats://t0ken@a:1, tls://me:s3cret@b:2"), "nats://***@a:1,tls://***@b:2");
    }
}
