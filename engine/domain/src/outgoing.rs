//! What decisions produce: events, written as JSON straight into one buffer per subject.
//!
//! Under load a batch holds many events of few subjects; each subject becomes one message (more when
//! it would pass the payload limit). Each goes to the digest before it is gathered.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::event::{self, Event};
use linesman_schemas::trigger::Trigger;
use serde::Serialize;

use super::Error;
use super::digest::Productions;

/// The trigger that no policy reacts to: it is about policies, not about an organization's field.
pub const POLICY_REFUSED: &str = "policy.refused";

/// What a subject under `out.` speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// `<org>.trigger.<name>`
    Trigger(OrgName, Trigger),
    /// `<org>.trigger.policy.refused`; of everyone's policies `_provider.trigger.policy.refused`
    PolicyRefused(Option<OrgName>),
    /// `<org>.reaction.<connector>`
    Reaction(OrgName, Arc<str>),
    /// `<org>.dead.<reason>`; without an organization `_unknown.dead.<reason>`
    Dead(Option<OrgName>, Reason),
    /// `<org>.audit.<operation>`
    Audit(OrgName, &'static str),
    /// `_provider.dead.<reason>`
    ProviderDead(Reason),
    /// `_provider.audit.<operation>`
    ProviderAudit(&'static str),
}

impl Topic {
    /// The subject behind the stream's prefix.
    pub fn subject(&self) -> String {
        match self {
            Self::Trigger(org, trigger) => format!("{org}.trigger.{trigger}"),
            Self::PolicyRefused(owner) => {
                format!("{}.trigger.{POLICY_REFUSED}", owner.as_ref().map_or("_provider", OrgName::as_str))
            }
            Self::Reaction(org, connector) => format!("{org}.reaction.{connector}"),
            Self::Dead(Some(org), reason) => format!("{org}.dead.{}", reason.as_str()),
            Self::Dead(None, reason) => format!("_unknown.dead.{}", reason.as_str()),
            Self::Audit(org, operation) => format!("{org}.audit.{operation}"),
            Self::ProviderDead(reason) => format!("_provider.dead.{}", reason.as_str()),
            Self::ProviderAudit(operation) => format!("_provider.audit.{operation}"),
        }
    }

    /// The event's source: whose it is.
    fn source(&self) -> String {
        match self {
            Self::Trigger(org, _) | Self::Reaction(org, _) | Self::Dead(Some(org), _) if org.is_provider() => {
                "/provider".to_owned()
            }
            Self::Trigger(org, _)
            | Self::PolicyRefused(Some(org))
            | Self::Reaction(org, _)
            | Self::Audit(org, _)
            | Self::Dead(Some(org), _) => format!("/organizations/{org}"),
            Self::Dead(None, _) => "/unknown".to_owned(),
            Self::PolicyRefused(None) | Self::ProviderDead(_) | Self::ProviderAudit(_) => "/provider".to_owned(),
        }
    }

    /// The event's type: the subject without whose it is.
    fn kind(&self) -> String {
        match self {
            Self::Trigger(_, trigger) => format!("linesman.trigger.{trigger}"),
            Self::PolicyRefused(_) => format!("linesman.trigger.{POLICY_REFUSED}"),
            Self::Reaction(_, connector) => format!("linesman.reaction.{connector}"),
            Self::Dead(_, reason) | Self::ProviderDead(reason) => format!("linesman.dead.{}", reason.as_str()),
            Self::Audit(_, operation) | Self::ProviderAudit(operation) => format!("linesman.audit.{operation}"),
        }
    }
}

/// One message for OUT: the events of one subject.
#[derive(Debug)]
pub struct OutMessage {
    /// The subject behind the stream's prefix.
    pub subject: String,
    /// [`event::SINGLE`] or [`event::BATCH`].
    pub content_type: &'static str,
    /// The events.
    pub payload: Vec<u8>,
}

struct Group {
    subject: String,
    source: String,
    kind: String,
    /// `[` and the events, with commas between them.
    bytes: Vec<u8>,
    events: usize,
}

/// The events of a batch in the making.
pub struct Outgoing {
    /// Largest payload in bytes.
    payload_most: usize,
    /// The current group of each topic.
    index: HashMap<Topic, usize>,
    groups: Vec<Group>,
    bytes: usize,
}

impl Outgoing {
    /// An empty batch whose messages stay below `payload_most` bytes where a single event allows it.
    pub fn new(payload_most: usize) -> Self {
        Self { payload_most, index: HashMap::new(), groups: Vec::new(), bytes: 0 }
    }

    /// How many bytes the batch has.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many messages the batch has become.
    pub fn messages(&self) -> usize {
        self.groups.len()
    }

    /// Adds an event, to `productions` too: as it is written, or with `covered` as its data.
    ///
    /// # Errors
    /// `data` has no form in JSON.
    #[expect(clippy::too_many_arguments, reason = "the parts of an event, and what it goes to")]
    pub(crate) fn event(
        &mut self,
        productions: &mut Productions,
        topic: &Topic,
        id: &str,
        about: Option<&str>,
        time: Timestamp,
        data: impl Serialize,
        covered: Option<impl Serialize>,
    ) -> Result<(), Error> {
        let at = match self.index.get(topic) {
            Some(at) => *at,
            None => self.open(topic),
        };
        let Some(group) = self.groups.get_mut(at) else { return Ok(()) };
        let start = group.bytes.len();
        if group.events > 0 {
            group.bytes.push(b',');
        }
        let event = Event::new(id, &group.source, &group.kind, about, time, data);
        let from = group.bytes.len();
        serde_json::to_writer(&mut group.bytes, &event)?;
        group.events += 1;
        let written = group.bytes.get(from..).unwrap_or_default();
        match covered {
            None => productions.event(&group.subject, written),
            Some(covered) => {
                let event = Event::new(id, &group.source, &group.kind, about, time, covered);
                productions.event(&group.subject, &serde_json::to_vec(&event)?);
            }
        }
        self.bytes += written.len();
        if group.bytes.len() > self.payload_most && group.events > 1 {
            // The event that passes the limit moves to a message of its own.
            let moved = group.bytes.split_off(from);
            group.bytes.truncate(start);
            group.events -= 1;
            let next = self.open(topic);
            if let Some(group) = self.groups.get_mut(next) {
                group.bytes.extend_from_slice(&moved);
                group.events = 1;
            }
        }
        Ok(())
    }

    /// Adds an event that no decision made.
    ///
    /// # Errors
    /// `data` has no form in JSON.
    pub fn add(&mut self, topic: &Topic, id: &str, time: Timestamp, data: impl Serialize) -> Result<(), Error> {
        self.event(&mut Productions::default(), topic, id, None, time, data, None::<()>)
    }

    fn open(&mut self, topic: &Topic) -> usize {
        let at = self.groups.len();
        let group = Group {
            subject: topic.subject(),
            source: topic.source(),
            kind: topic.kind(),
            bytes: vec![b'['],
            events: 0,
        };
        self.groups.push(group);
        self.index.insert(topic.clone(), at);
        at
    }

    /// Takes the messages; the next batch begins empty.
    pub fn take(&mut self) -> Vec<OutMessage> {
        self.index.clear();
        self.bytes = 0;
        let finish = |mut group: Group| {
            if group.events == 1 {
                group.bytes.remove(0);
                return OutMessage { subject: group.subject, content_type: event::SINGLE, payload: group.bytes };
            }
            group.bytes.push(b']');
            OutMessage { subject: group.subject, content_type: event::BATCH, payload: group.bytes }
        };
        self.groups.drain(..).map(finish).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic() -> Topic {
        Topic::Trigger("acme".parse().unwrap(), Trigger::IncidentDetected)
    }

    fn produce(events: usize, payload_most: usize) -> (Vec<OutMessage>, [u8; 32]) {
        let mut outgoing = Outgoing::new(payload_most);
        let mut productions = Productions::default();
        let mut digest = [0; 32];
        for n in 0..events {
            productions.begin(1, &digest, n as u64);
            let (id, data) = (n.to_string(), "x".repeat(100));
            let at = Timestamp::UNIX_EPOCH;
            outgoing.event(&mut productions, &topic(), &id, None, at, data, None::<()>).unwrap();
            digest = productions.end();
        }
        (outgoing.take(), digest)
    }

    #[test]
    fn one_subject_becomes_one_message_until_the_payload_limit() {
        let (messages, digest) = produce(10, usize::MAX);
        assert_eq!((messages.len(), messages[0].content_type), (1, event::BATCH));
        assert_eq!(messages[0].subject, "acme.trigger.incident.detected");
        let (cut, same) = produce(10, 1000);
        assert!(cut.len() > 1 && cut.iter().all(|m| m.payload.len() <= 1001));
        assert_eq!(digest, same, "the digest does not depend on how events are gathered");
        let ids = |messages: &[OutMessage]| {
            messages.iter().flat_map(|m| event::read(&m.payload).unwrap()).map(|e| e.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&messages), (0..10).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(ids(&messages), ids(&cut));
    }

    #[test]
    fn a_lone_event_travels_as_one() {
        let (messages, _) = produce(1, usize::MAX);
        assert_eq!(messages[0].content_type, event::SINGLE);
        assert_eq!(event::read(&messages[0].payload).unwrap().len(), 1);
    }
}
