//! The second verb: messages into inputs.
//!
//! Reading needs nothing of the lane, so a batch can be read beside the lane's thread while the lane
//! decides on the one before it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use linesman_schemas::control::{Control, IntelligenceRef, RuleBookRef};
use linesman_schemas::dead_letter::Reason;
use self_cell::self_cell;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::task::JoinError;

use super::Verb;
use crate::log::books::Books;
use crate::log::reader::InMessage;
#[cfg(feature = "failpoints")]
use crate::log::readings::skewed;
use linesman_domain::Domain;
use linesman_domain::input::{Content, Input, Provided, json_place};
use linesman_domain::quotas::Overdrawn;

/// So few messages are not worth the way to another thread.
const INLINE_MOST: usize = 64;

self_cell!(
    /// A batch: its messages, and the inputs that borrow from them.
    pub(super) struct Decoded {
        owner: Vec<InMessage>,

        #[covariant]
        dependent: Inputs,
    }
);

struct Inputs<'a> {
    inputs: Vec<Input<'a>>,
    /// The contents that some of them name, by place; until it is fetched such an input is a tick.
    named: Vec<(usize, Named)>,
}

/// What a message names that lies in the object store.
#[derive(Debug)]
pub(crate) enum Named {
    /// A rule book.
    RuleBook(RuleBookRef),
    /// An intelligence message of the provider's.
    Intelligence(IntelligenceRef),
}

impl Decoded {
    /// The inputs, in the log's order.
    pub(super) fn inputs(&self) -> &[Input<'_>] {
        &self.borrow_dependent().inputs
    }

    /// Reads a batch, but for messages that are likely to be left undecided. What cannot be read becomes an input that says so.
    fn read(batch: Vec<InMessage>, overdrawn: Option<&Overdrawn>) -> Self {
        let verb = Verb::start();
        let count = batch.len();
        let decoded = Self::new(batch, |batch| {
            let mut read = Inputs { inputs: Vec::with_capacity(batch.len()), named: Vec::new() };
            for message in batch {
                read.take(message, overdrawn);
            }
            read
        });
        verb.end("decode", count);
        decoded
    }

    /// Fetches what is named, however long that takes: a lane that went on without it would decide otherwise than the
    /// others. What nobody has is said to be absent; of what is set `aside`, by its place in IN, nothing is needed.
    async fn fetch(&mut self, books: &Books, aside: &[u64]) {
        let named = self.with_dependent_mut(|_, read| std::mem::take(&mut read.named));
        for (at, wanted) in named {
            if self.inputs().get(at).is_some_and(|input| aside.contains(&input.sequence)) {
                continue;
            }
            let fetched = async {
                match wanted {
                    Named::RuleBook(wanted) => {
                        books.get_patiently(wanted).await.map_or_else(Content::Absent, Content::RuleBook)
                    }
                    Named::Intelligence(named) => match books.content_patiently(&named.sha256).await {
                        Ok(content) => Content::Provided(Box::new(Provided::read(named, &content))),
                        Err(absent) => Content::Absent(absent),
                    },
                }
            };
            let content = AssertUnwindSafe(fetched).catch_unwind().await.unwrap_or(Content::Broken);
            self.with_dependent_mut(|_, read| {
                if let Some(input) = read.inputs.get_mut(at) {
                    input.content = content;
                }
            });
        }
    }
}

impl<'a> Inputs<'a> {
    fn take(&mut self, message: &'a InMessage, overdrawn: Option<&Overdrawn>) {
        let (org, kind) = message.subject.split_once('.').unwrap_or_default();
        if overdrawn.is_some_and(|overdrawn| overdrawn.has(org, kind, message.time)) {
            return self.inputs.push(input(message, Content::Unread));
        }
        let (input, named) = read(message);
        self.named.extend(named.map(|named| (self.inputs.len(), named)));
        self.inputs.push(input);
    }
}

/// Reads a message. One that names a content is a tick until that is fetched; where reading it panics it says so, and those
/// beside it are read.
pub(crate) fn read(message: &InMessage) -> (Input<'_>, Option<Named>) {
    let (org, kind) = message.subject.split_once('.').unwrap_or(("", "ctl"));
    let read = catch_unwind(AssertUnwindSafe(|| {
        fail::fail_point!("decode::input", message.payload.ends_with(b"<!-- unreadable -->\n"), |_| {
            (Content::Tick, None::<Named>)
        });
        if org.is_empty() { control(&message.payload) } else { (Content::decode(kind, &message.payload), None) }
    }));
    let (content, named) = read.unwrap_or((Content::Broken, None));
    (input(message, content), named)
}

/// A message as a lane decides on it.
fn input<'a>(message: &'a InMessage, content: Content<'a>) -> Input<'a> {
    let (org, kind) = message.subject.split_once('.').unwrap_or(("", "ctl"));
    Input {
        sequence: message.sequence,
        time: entered(message.sequence, message.time, &message.payload),
        sha256: Sha256::digest(&message.payload).into(),
        org,
        kind,
        bytes: &message.payload,
        content,
    }
}

/// When a message entered IN, by the server's clock.
pub(crate) fn entered(_sequence: u64, time: Timestamp, _payload: &[u8]) -> Timestamp {
    // As if the server's clock had been wrong when such a message came.
    fail::fail_point!("decode::time", _payload.ends_with(b"<!-- ahead -->\n"), |seconds| skewed(time, seconds));
    // As if it had been wrong meanwhile.
    fail::fail_point!("decode::skew", |skews| skewed(time, skews.and_then(|skews| skew(_sequence, &skews))));
    time
}

/// By how many seconds the server's clock was ahead when a message came: of `100..200:3600 300..:-60` the last range that has its
/// sequence, or a number alone that is so for all.
#[cfg(feature = "failpoints")]
fn skew(sequence: u64, skews: &str) -> Option<String> {
    let of = |one: &str| {
        let Some((range, seconds)) = one.split_once(':') else { return Some(one.to_owned()) };
        let (from, to) = range.split_once("..")?;
        let has =
            from.parse().is_ok_and(|from: u64| from <= sequence) && to.parse().map_or(true, |to: u64| sequence < to);
        has.then(|| seconds.to_owned())
    };
    skews.split(' ').filter_map(of).next_back()
}

fn control<'a>(payload: &[u8]) -> (Content<'a>, Option<Named>) {
    let content = match serde_json::from_slice(payload) {
        Ok(Control::Tick) => Content::Tick,
        Ok(Control::Continue) => Content::Continue { is_alone: false },
        Ok(Control::ContinueAlone) => Content::Continue { is_alone: true },
        Ok(Control::Cursor(report)) => Content::Cursor(report),
        Ok(Control::Expiry(expiry)) => Content::Expiry(expiry),
        Ok(Control::Clock(reading)) => Content::Clock(reading),
        Ok(Control::ClockConfirmed(confirmed)) => Content::ClockConfirmed(Box::new(confirmed)),
        Ok(Control::Level(level)) => Content::Level(level),
        Ok(Control::Command(command)) => Content::Command(command),
        Ok(Control::Attempt(attempt)) => Content::Attempt(attempt),
        Ok(Control::RuleBook(named)) => return (Content::Tick, Some(Named::RuleBook(named))),
        Ok(Control::Intelligence(named)) => return (Content::Tick, Some(Named::Intelligence(named))),
        Err(error) => Content::Undecodable {
            reason: Reason::CommandUndecodable,
            detail: error.to_string(),
            place: json_place(&error),
        },
    };
    (content, None)
}

/// Those of a batch that are set aside whatever they are, by their place in IN.
pub(super) fn skipped(domain: &Domain, batch: &[InMessage]) -> Vec<u64> {
    let skipped = batch.iter().filter(|message| domain.skips(message.sequence, &message.payload));
    skipped.map(|message| message.sequence).collect()
}

/// Reads a batch, here or on a thread of `beside` that may block; what it names is fetched, but for what is set `aside`. What is
/// said to be `overdrawn` is not read.
///
/// # Errors
/// The other thread panicked.
pub(super) async fn decode(
    batch: Vec<InMessage>,
    books: &Books,
    beside: Option<&Handle>,
    (overdrawn, aside): (Option<Arc<Overdrawn>>, Vec<u64>),
) -> Result<Decoded, JoinError> {
    let mut decoded = match beside {
        Some(runtime) if batch.len() > INLINE_MOST => {
            runtime.spawn_blocking(move || Decoded::read(batch, overdrawn.as_deref())).await?
        }
        _ => Decoded::read(batch, overdrawn.as_deref()),
    };
    decoded.fetch(books, &aside).await;
    Ok(decoded)
}
