//! What a lane has decided last while it decides again: kept to be held against OUT where it comes to something else than was
//! committed.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

use async_nats::Client;
use jiff::Timestamp;
use linesman_domain::outgoing::OutMessage;
use linesman_schemas::lane_override::Override;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::stopped::{Differing, How};
use crate::log::Error;
use crate::log::events::{self, From};

/// How many bytes of events are kept.
const BYTES_MOST: usize = 4 << 20;
/// Of how many inputs it is kept when they came.
const INPUTS_MOST: usize = 65_536;
/// How many events that differ are told of.
const TOLD_MOST: usize = 20;
/// What events of a lane stand on.
const FILTERS: [&str; 4] = ["out.*.trigger.>", "out.*.reaction.>", "out.*.audit.>", "out.*.dead.>"];

/// What is said of an input because something was decided of it outside the lane's order.
const TOLD_ANEW: [&str; 4] =
    [".dead.input-skipped", "_provider.audit.skip-input", "_provider.audit.skip-timer", "_provider.audit.rejudge-lane"];

/// The last of what was decided.
#[derive(Default)]
pub(super) struct Tail {
    messages: VecDeque<OutMessage>,
    bytes: usize,
    /// The lane's clock at an input, and its place in IN.
    inputs: VecDeque<(Timestamp, u64)>,
    /// The inputs that overrides are of, and what was said of each.
    overridden: BTreeMap<u64, Vec<OutMessage>>,
}

/// What differs.
pub(super) struct Found {
    /// The first events, by their time.
    pub(super) events: Vec<Differing>,
    /// How many more there are.
    pub(super) more: usize,
    /// The input that the first of them came of.
    pub(super) input: Option<u64>,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    time: Timestamp,
}

/// An event as it is decided now.
struct Decided {
    subject: String,
    time: Timestamp,
    event: Box<RawValue>,
    is_committed: bool,
    is_otherwise: bool,
}

impl Tail {
    /// Keeps what is said of the inputs that overrides are of.
    pub(super) fn of(overrides: &[Override]) -> Self {
        let overridden = overrides.iter().map(|one| (one.position, Vec::new())).collect();
        Self { overridden, ..Self::default() }
    }

    /// Whether an override is of an input.
    pub(super) fn is_overridden(&self, sequence: u64) -> bool {
        self.overridden.contains_key(&sequence)
    }

    /// What was said of these, as far as it tells what was decided outside the lane's order: the rest was said before.
    pub(super) fn take_unsaid(mut self, of: Vec<u64>) -> Vec<OutMessage> {
        let said = of.into_iter().filter_map(|sequence| self.overridden.remove(&sequence)).flatten();
        said.filter(|message| TOLD_ANEW.iter().any(|end| message.subject.ends_with(end))).collect()
    }

    /// An input was decided.
    pub(super) fn decided(&mut self, now: Timestamp, sequence: u64) {
        self.inputs.push_back((now, sequence));
        if self.inputs.len() > INPUTS_MOST {
            self.inputs.pop_front();
        }
    }

    /// What was said of some inputs; `of` is which, where it was one that is overridden.
    pub(super) fn said(&mut self, messages: Vec<OutMessage>, of: Option<u64>) {
        if let Some(kept) = of.and_then(|sequence| self.overridden.get_mut(&sequence)) {
            *kept = messages;
            return;
        }
        self.bytes += messages.iter().map(|message| message.payload.len()).sum::<usize>();
        self.messages.extend(messages);
        while self.bytes > BYTES_MOST {
            let Some(message) = self.messages.pop_front() else { break };
            self.bytes -= message.payload.len();
        }
    }

    /// Holds what was said against OUT.
    ///
    /// # Errors
    /// The server does not answer.
    pub(super) async fn compare(self, client: &Client) -> Result<Found, Error> {
        let mut decided = BTreeMap::new();
        for message in &self.messages {
            let subject = format!("out.{}", message.subject);
            for event in events::events_of(&subject, &message.payload)? {
                let Ok(Head { id, time }) = serde_json::from_str(event.get()) else { continue };
                let subject = subject.clone();
                decided.insert(id, Decided { subject, time, event, is_committed: false, is_otherwise: false });
            }
        }
        let filters = FILTERS.map(str::to_owned).to_vec();
        let mut oldest = None;
        events::read(client, filters, From::Beginning, |found| {
            let Ok(Head { id, time }) = serde_json::from_str(found.event.get()) else {
                return ControlFlow::Continue(());
            };
            oldest = Some(oldest.map_or(time, |known: Timestamp| known.min(time)));
            if let Some(one) = decided.get_mut(&id) {
                one.is_committed = true;
                one.is_otherwise = one.event.get() != found.event.get();
            }
            ControlFlow::Continue(())
        })
        .await?;
        // What is older than all that OUT has may have aged.
        let differs =
            |one: &Decided| one.is_otherwise || (!one.is_committed && oldest.is_some_and(|at| one.time >= at));
        let mut differing: Vec<_> = decided.into_iter().filter(|(_, one)| differs(one)).collect();
        differing.sort_by(|(id, one), (other_id, other)| (one.time, id).cmp(&(other.time, other_id)));
        let first = differing.first().map(|(_, one)| one.time);
        let input = first.and_then(|time| self.inputs.iter().find(|(now, _)| *now == time).map(|(_, input)| *input));
        let more = differing.len().saturating_sub(TOLD_MOST);
        let told = differing.into_iter().take(TOLD_MOST).map(|(id, one)| {
            let how = if one.is_committed { How::Otherwise } else { How::New };
            Differing { subject: one.subject, id, how }
        });
        Ok(Found { events: told.collect(), more, input })
    }
}
