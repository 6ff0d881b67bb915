//! Notifications: actions that mean nothing here but "delivered".
//!
//! [`KINDS`] is the one table of them. What policies may call, what travels and what is published of it
//! follow it; the connector of the same name carries them out. It stands here and not in the connector's
//! folder because a log is decided again without its connectors.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::Peer;
use crate::destination::Destination;
use crate::reaction::BundleBytes;

/// What a kind of notification is made of.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The connector that delivers it; also the function that policies call, and its tag where it travels.
    pub connector: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// What it is told; all but the first `required` may be left out, and are empty then.
    pub arguments: &'static [Argument],
    /// How many arguments must be given.
    pub required: usize,
    /// Whether bytes of a bundle may go with it.
    pub takes_bundle: bool,
}

/// What a notification is told. One of the name `peer` says whom it is for; `bundle` is no argument's name.
#[derive(Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// What it means, in a sentence.
    pub doc: &'static str,
}

/// What an argument holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A text.
    Text,
    /// A map.
    Map,
}

/// What the operator's log is told.
pub static LOG: Kind = Kind {
    connector: "log",
    doc: "Write a line to the operator's log.",
    arguments: &[
        Argument { name: "message", holds: Holds::Text, doc: "What is said." },
        Argument { name: "fields", holds: Holds::Map, doc: "What it is said with." },
    ],
    required: 1,
    takes_bundle: false,
};

/// All kinds.
pub static KINDS: [&Kind; 1] = [&LOG];

/// Where it travels, the name of its peer.
const PEER: &str = "peer";
/// Where it travels, the bytes that go with it.
const BUNDLE: &str = "bundle";

impl Kind {
    /// The kind that a connector delivers.
    pub fn of(connector: &str) -> Option<&'static Self> {
        KINDS.into_iter().find(|kind| kind.connector == connector)
    }

    /// What it looks like where it travels.
    pub(crate) fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        let mut properties = Map::new();
        for argument in self.arguments {
            let schema = match argument.holds {
                Holds::Text => json_schema!({"description": argument.doc, "type": "string"}),
                Holds::Map => {
                    json_schema!({"additionalProperties": true, "description": argument.doc, "type": "object"})
                }
            };
            properties.insert(argument.name.to_owned(), schema.to_value());
        }
        let required: Vec<&str> = self.arguments.iter().map(|argument| argument.name).collect();
        if self.takes_bundle {
            properties.insert(BUNDLE.to_owned(), generator.subschema_for::<BundleBytes>().to_value());
        }
        let content = json_schema!({"properties": properties, "required": required, "type": "object"});
        json_schema!({
            "description": self.doc,
            "properties": {self.connector: content},
            "required": [self.connector],
            "type": "object",
        })
    }
}

/// A notification as it is to be delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    kind: &'static Kind,
    peer: Option<Peer>,
    /// By argument, in their order.
    content: Vec<(&'static str, Value)>,
    bundle: Option<BundleBytes>,
}

/// Why something is no notification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// An argument that must be given is missing, or one holds something else.
    #[error("`{argument}` of `{connector}` is {wanted}")]
    Argument {
        /// Of which kind.
        connector: &'static str,
        /// Which argument.
        argument: &'static str,
        /// What it takes.
        wanted: &'static str,
    },
    /// A peer that cannot be named so.
    #[error(transparent)]
    Peer(#[from] crate::name::NameError),
}

impl Notification {
    /// A notification of `kind` that says `content`, by argument; what is not an argument is left out.
    ///
    /// # Errors
    /// An argument is missing or holds something else, or its peer is no name of one.
    pub fn new(kind: &'static Kind, mut content: Map<String, Value>) -> Result<Self, NotificationError> {
        let mut told = Vec::with_capacity(kind.arguments.len());
        let mut peer = None;
        for (number, argument) in kind.arguments.iter().enumerate() {
            let fault =
                |wanted| NotificationError::Argument { connector: kind.connector, argument: argument.name, wanted };
            let value = match (content.remove(argument.name), argument.holds) {
                (None, Holds::Text) if number >= kind.required => Value::String(String::new()),
                (None, Holds::Map) if number >= kind.required => Value::Object(Map::new()),
                (Some(value @ Value::String(_)), Holds::Text) | (Some(value @ Value::Object(_)), Holds::Map) => value,
                (_, Holds::Text) => return Err(fault("a text")),
                (_, Holds::Map) => return Err(fault("a map")),
            };
            match (argument.name, &value) {
                (PEER, Value::String(text)) if text.is_empty() => {}
                (PEER, Value::String(text)) => peer = Some(text.parse()?),
                _ => told.push((argument.name, value)),
            }
        }
        Ok(Self { kind, peer, content: told, bundle: None })
    }

    /// The same, with bytes of a bundle to go with it.
    pub fn with_bundle(self, bundle: BundleBytes) -> Self {
        Self { bundle: Some(bundle), ..self }
    }

    /// Its kind.
    pub const fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Where it goes.
    pub fn destination(&self) -> Destination {
        Destination { peer: self.peer.clone(), ..Destination::of(self.kind.connector) }
    }

    /// The bytes that go with it.
    pub const fn bundle(&self) -> Option<&BundleBytes> {
        self.bundle.as_ref()
    }

    /// An argument that holds a text; empty where it holds none.
    pub fn text(&self, argument: &str) -> &str {
        self.value(argument).and_then(Value::as_str).unwrap_or_default()
    }

    /// An argument that holds a map.
    pub fn map(&self, argument: &str) -> Option<&Map<String, Value>> {
        self.value(argument).and_then(Value::as_object)
    }

    fn value(&self, argument: &str) -> Option<&Value> {
        self.content.iter().find(|(name, _)| *name == argument).map(|(_, value)| value)
    }
}

/// Tagged by its connector: `{"log": {"message": ..., "fields": {...}}}`.
impl Serialize for Notification {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Content<'a>(&'a Notification);
        impl Serialize for Content<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let Notification { peer, content, bundle, .. } = self.0;
                let extras = usize::from(peer.is_some()) + usize::from(bundle.is_some());
                let mut map = serializer.serialize_map(Some(content.len() + extras))?;
                if let Some(peer) = peer {
                    map.serialize_entry(PEER, peer)?;
                }
                for (name, value) in content {
                    map.serialize_entry(name, value)?;
                }
                if let Some(bundle) = bundle {
                    map.serialize_entry(BUNDLE, bundle)?;
                }
                map.end()
            }
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.kind.connector, &Content(self))?;
        map.end()
    }
}

/// Reads what stands behind the tag.
pub(crate) struct Told(pub(crate) &'static Kind);

impl<'de> DeserializeSeed<'de> for Told {
    type Value = Notification;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Notification, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Told {
    type Value = Notification;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "what `{}` is told", self.0.connector)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Notification, A::Error> {
        let mut content = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            content.insert(name, value);
        }
        let bundle = content.remove(BUNDLE).map(serde_json::from_value).transpose().map_err(A::Error::custom)?;
        let notification = Notification::new(self.0, content).map_err(A::Error::custom)?;
        Ok(Notification { bundle, ..notification })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_do_not_collide_with_what_travels_beside_them() {
        for kind in KINDS {
            assert!(kind.required <= kind.arguments.len());
            assert!(!["submit_case", "poll_cases"].contains(&kind.connector));
            for argument in kind.arguments {
                assert!(argument.name != BUNDLE && (argument.name != PEER || argument.holds == Holds::Text));
            }
        }
    }

    #[test]
    fn what_may_be_left_out_is_empty_and_what_must_be_given_is_asked_for() {
        let log = Kind::of("log").unwrap();
        let new = |content: Value| Notification::new(log, content.as_object().unwrap().clone());
        let said = new(json!({"message": "down", "unknown": 1})).unwrap();
        assert_eq!((said.text("message"), said.map("fields")), ("down", Some(&Map::new())));
        let fault = |content| new(content).unwrap_err().to_string();
        assert_eq!(fault(json!({"fields": {}})), "`message` of `log` is a text");
        assert_eq!(fault(json!({"message": "down", "fields": 3})), "`fields` of `log` is a map");
    }
}
