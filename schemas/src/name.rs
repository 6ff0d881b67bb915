//! Names and ids, each a type of its own so that none is taken for another.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What stands in an organization's place where something is the provider's; no organization can be called so.
const PROVIDER: &str = "_provider";

/// Why a text is not a name of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct NameError {
    text: String,
    expected: &'static str,
}

impl NameError {
    pub(crate) fn new(text: &str, expected: &'static str) -> Self {
        // A name from outside may be megabytes of nonsense; the message quotes its beginning.
        let text = text.chars().take(80).collect();
        Self { text, expected }
    }
}

/// What a token of a subject looks like: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
pub(crate) fn is_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 64
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// What services and subscriptions are called: `[a-z][a-z0-9-]{0,63}`.
fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 64
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

/// Printable text of 1 to `most` characters.
fn is_label(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $pattern:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(NameError::new(text, $expected)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"description": concat!("Text that is ", $expected, "."), "type": "string", "pattern": $pattern})
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

name!(
    /// An organization's token in subjects: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
    OrgName,
    "an organization name (letters, digits, `_` and `-`, beginning with a letter or digit, at most 64)",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    is_token
);
name!(
    /// A place's name within the one above it.
    PlaceName,
    "a place's name (letters, digits, `_` and `-`, beginning with a letter or digit, at most 64)",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    is_token
);
name!(
    /// The name of a source of inputs, the last token of their subjects.
    SourceName,
    "a source's name (letters, digits, `_` and `-`, beginning with a letter or digit, at most 64)",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    is_token
);
name!(
    /// A manager's name within the organization.
    ManagerName,
    "a manager's name (letters, digits, `_` and `-`, beginning with a letter or digit, at most 64)",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    is_token
);
name!(
    /// The name of a service, which is its folder's.
    ServiceName,
    "a service's name (lower-case letters, digits and `-`, beginning with a letter, at most 64)",
    "^[a-z][a-z0-9-]{0,63}$",
    is_slug
);
name!(
    /// The name of a subscription, at the place where it was made.
    SubscriptionName,
    "a subscription's name (lower-case letters, digits and `-`, beginning with a letter, at most 64; none of `activate`, \
     `deactivate`, `suspend`, `resume`)",
    "^(?!(activate|deactivate|suspend|resume)$)[a-z][a-z0-9-]{0,63}$",
    // What is done to a subscription stands behind its name in paths, where its name stands behind that of a line.
    |text| is_slug(text) && !matches!(text, "activate" | "deactivate" | "suspend" | "resume")
);
name!(
    /// The name of a user group.
    GroupName,
    "a group's name (letters, digits, `_` and `-`, beginning with a letter or digit, at most 64)",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    is_token
);
name!(
    /// The name of an API token among its owner's.
    TokenName,
    "a token's name (letters, digits, `_` and `-`, beginning with a letter or digit, at most 64)",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    is_token
);
name!(
    /// The id of a session among its owner's.
    SessionId,
    "a session's id (letters, digits, `_` and `-`, beginning with a letter or digit, at most 64)",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    is_token
);
name!(
    /// A policy's name: its file's name, behind `<organization>/` when it belongs to one.
    PolicyName,
    "a policy name (letters, digits, `_` and `-`, at most 64, optionally behind `<organization>/`)",
    "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}/)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    |text| match text.split_once('/') {
        Some((org, name)) => is_token(org) && is_token(name),
        None => is_token(text),
    }
);
name!(
    /// Whom a connector reaches where it knows several: a host, a device, a mailbox.
    Peer,
    "a peer (letters, digits, `.`, `_`, `:` and `-`, beginning with a letter or digit, at most 253)",
    "^[A-Za-z0-9][A-Za-z0-9._:-]{0,252}$",
    |text| {
        let bytes = text.as_bytes();
        bytes.len() <= 253
            && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-'))
    }
);
name!(
    /// A reaction's id and the `Idempotency-Key` of its effect: `<organization>-r<number>-<time>`.
    ///
    /// The number counts the organization's own events and the time (hexadecimal nanoseconds) is its
    /// input's, so the id repeats neither within a log nor after a new one is begun, and tells
    /// nothing of other organizations.
    ReactionId,
    "a reaction id (at most 128 printable characters)",
    "^[^\\x00-\\x1f\\x7f-\\x9f]{1,128}$",
    |text| is_label(text, 128)
);
name!(
    /// A command's id, chosen by whoever sends it.
    CommandId,
    "a command id (at most 128 printable characters)",
    "^[^\\x00-\\x1f\\x7f-\\x9f]{1,128}$",
    |text| is_label(text, 128)
);

impl OrgName {
    /// Who stands in an organization's place where the provider's own triggers are judged. No text is read as this name,
    /// so none is an organization's.
    pub fn provider() -> Self {
        Self(PROVIDER.into())
    }

    /// Whether it is the provider's.
    pub fn is_provider(&self) -> bool {
        self.as_str() == PROVIDER
    }
}

impl ReactionId {
    /// The id of an organization's reaction.
    pub fn of(org: &OrgName, number: u64, time: Timestamp) -> Self {
        Self(format!("{org}-r{number}-{:x}", time.as_nanosecond()).into())
    }

    /// The id of a reaction of the provider's own, decided on the input at `sequence`.
    pub fn of_provider(sequence: u64, time: Timestamp) -> Self {
        Self(format!("{PROVIDER}-r{sequence}-{:x}", time.as_nanosecond()).into())
    }

    /// The id of one of several that policies have decided for the provider on the input at `sequence`; `ordinal` from 1.
    pub fn of_provider_policy(sequence: u64, ordinal: usize, time: Timestamp) -> Self {
        Self(format!("{PROVIDER}-r{sequence}.{ordinal}-{:x}", time.as_nanosecond()).into())
    }

    /// When it was decided; none where its text does not say.
    pub fn decided(&self) -> Option<Timestamp> {
        let (_, time) = self.as_str().rsplit_once('-')?;
        Timestamp::from_nanosecond(i128::from_str_radix(time, 16).ok()?).ok()
    }
}

/// An incident's id, shown as `<organization>-<number>`; the number counts the organization's own
/// incidents from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId {
    /// Whose incident it is.
    pub org: OrgName,
    /// Its number within the organization, from 1.
    pub number: u64,
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.org, self.number)
    }
}

impl FromStr for IncidentId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fault = || NameError::new(text, "an incident id (`<organization>-<number>`)");
        // Organization names contain hyphens: the number is what stands behind the last one.
        let (org, number) = text.rsplit_once('-').ok_or_else(fault)?;
        let is_plain = number.starts_with(|c: char| ('1'..='9').contains(&c));
        let number = number.parse().ok().filter(|_| is_plain).ok_or_else(fault)?;
        Ok(Self { org: org.parse().map_err(|_| fault())?, number })
    }
}

impl Serialize for IncidentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for IncidentId {
    fn schema_name() -> Cow<'static, str> {
        "IncidentId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An incident's id: `<organization>-<number>`, the number counting from 1.",
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}-[1-9][0-9]{0,19}$",
        })
    }
}

impl<'de> Deserialize<'de> for IncidentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organization_names_are_subject_tokens() {
        for good in ["acme", "A", "9-to-5", "a_b", &"x".repeat(64)] {
            assert!(good.parse::<OrgName>().is_ok(), "{good}");
        }
        for bad in ["", "_provider", "-a", "a.b", "a b", "a*", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<OrgName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn services_and_subscriptions_have_names_of_small_letters() {
        for good in ["a", "ddos-blackhole", "nat-64", "a-", &"x".repeat(64)] {
            assert!(good.parse::<ServiceName>().is_ok() && good.parse::<SubscriptionName>().is_ok(), "{good}");
        }
        for bad in ["", "A", "aB", "9a", "-a", "a_b", "a.b", "a/b", "\u{e4}", &"x".repeat(65)] {
            assert!(bad.parse::<ServiceName>().is_err() && bad.parse::<SubscriptionName>().is_err(), "{bad}");
        }
        for done in ["activate", "deactivate", "suspend", "resume"] {
            assert!(done.parse::<ServiceName>().is_ok() && done.parse::<SubscriptionName>().is_err(), "{done}");
        }
    }

    #[test]
    fn incident_ids_split_from_the_right() {
        let id: IncidentId = "north-west-17".parse().unwrap();
        assert_eq!((id.org.as_str(), id.number), ("north-west", 17));
        assert_eq!(id.to_string(), "north-west-17");
        for bad in ["acme", "acme-", "acme-0", "acme-01", "acme-+1", "-1", "acme-99999999999999999999999"] {
            assert!(bad.parse::<IncidentId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refused_name_is_quoted_in_part_only() {
        let error = "x".repeat(1_000_000).parse::<OrgName>().unwrap_err();
        assert!(error.to_string().len() < 300);
    }
}
