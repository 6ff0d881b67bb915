//! What is to be done: the reactions connectors carry out.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::cascade::CaseStep;
use crate::notification::{KINDS, Kind, Notification, Told};
use crate::upload::{Upload, UploadSource};
use crate::{CommandId, IncidentId, OrgName, Peer, PolicyName, Priority, ReactionId};

/// The synopsis that leaves instead of the real one while the filter level holds it back.
pub const WITHHELD: &str = "withheld by filter level";

/// What a connector does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Open a case at the support system.
    SubmitCase(Box<CaseRequest>),
    /// Ask the support system which cases changed since `cursor` (none: since ever).
    PollCases {
        /// What the last poll answered.
        cursor: Option<String>,
    },
    /// Tell the upstream what was done with a case.
    TellCase(Box<CaseTelling>),
    /// Bring bytes to the upstream.
    Upload(Box<Upload>),
    /// Change one configuration group of a device.
    Configure(Box<Configure>),
    /// Notify somebody or something outside.
    Notify(Notification),
}

/// What travels of actions that have a meaning here, tagged by their name.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Own<'a> {
    /// Open a case at the support system.
    SubmitCase(&'a CaseRequest),
    /// Ask the support system which cases changed since `cursor` (none: since ever).
    PollCases {
        /// What the last poll answered.
        cursor: &'a Option<String>,
    },
    /// Tell the upstream what was done with a case.
    TellCase(&'a CaseTelling),
    /// Bring bytes to the upstream.
    Upload(&'a Upload),
    /// Change one configuration group of a device.
    Configure(&'a Configure),
}

impl Action {
    /// What it is, as it is tagged where it travels.
    pub const fn tag(&self) -> &'static str {
        match self {
            Self::SubmitCase(_) => SUBMIT_CASE,
            Self::PollCases { .. } => POLL_CASES,
            Self::TellCase(_) => TELL_CASE,
            Self::Upload(_) => UPLOAD,
            Self::Configure(_) => CONFIGURE,
            Self::Notify(notification) => notification.kind().connector,
        }
    }

    /// The bytes in IN that go with it.
    pub const fn bundle(&self) -> Option<&BundleBytes> {
        match self {
            Self::SubmitCase(_) | Self::PollCases { .. } | Self::TellCase(_) | Self::Configure(_) => None,
            Self::Upload(upload) => match &upload.source {
                UploadSource::Input(bundle) => Some(bundle),
                UploadSource::Object { .. } => None,
            },
            Self::Notify(notification) => notification.bundle(),
        }
    }
}

const SUBMIT_CASE: &str = "submit_case";
const POLL_CASES: &str = "poll_cases";
const TELL_CASE: &str = "tell_case";
const UPLOAD: &str = "upload";
const CONFIGURE: &str = "configure";

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::SubmitCase(request) => Own::SubmitCase(request).serialize(serializer),
            Self::PollCases { cursor } => Own::PollCases { cursor }.serialize(serializer),
            Self::TellCase(telling) => Own::TellCase(telling).serialize(serializer),
            Self::Upload(upload) => Own::Upload(upload).serialize(serializer),
            Self::Configure(configure) => Own::Configure(configure).serialize(serializer),
            Self::Notify(notification) => notification.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Tagged)
    }
}

/// Reads an action by its tag.
struct Tagged;

impl<'de> Visitor<'de> for Tagged {
    type Value = Action;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an action")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Action, A::Error> {
        #[derive(Deserialize)]
        struct Poll {
            cursor: Option<String>,
        }
        let tag: String = map.next_key()?.ok_or_else(|| A::Error::custom("an action without a tag"))?;
        let action = match (tag.as_str(), Kind::of(&tag)) {
            (SUBMIT_CASE, _) => Action::SubmitCase(map.next_value()?),
            (POLL_CASES, _) => Action::PollCases { cursor: map.next_value::<Poll>()?.cursor },
            (TELL_CASE, _) => Action::TellCase(map.next_value()?),
            (UPLOAD, _) => Action::Upload(map.next_value()?),
            (CONFIGURE, _) => Action::Configure(map.next_value()?),
            (_, Some(kind)) => Action::Notify(map.next_value_seed(Told(kind))?),
            (_, None) => return Err(A::Error::custom(format_args!("there is no action `{tag}`"))),
        };
        match map.next_key::<IgnoredAny>()? {
            None => Ok(action),
            Some(_) => Err(A::Error::custom("an action has one tag")),
        }
    }
}

impl JsonSchema for Action {
    fn schema_name() -> Cow<'static, str> {
        "Action".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Own::json_schema(generator);
        let kinds: Vec<_> = KINDS.iter().map(|kind| kind.schema(generator).to_value()).collect();
        if let Some(alternatives) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
            alternatives.extend(kinds);
        }
        schema.insert("description".to_owned(), "What a connector does.".into());
        schema
    }
}

/// Bytes of a bundle where it stands in IN. Whoever fetches them holds length and SHA-256 against the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleBytes {
    /// The message's sequence.
    pub sequence: u64,
    /// The whole message's length in bytes.
    pub length: u64,
    /// The whole message's SHA-256, in hexadecimal.
    pub sha256: String,
    /// Where the wanted bytes begin.
    pub start: u64,
    /// Where they end: the offset behind the last.
    pub end: u64,
}

/// A change of one configuration group of a device. Nothing else of the device's configuration changes, but that the
/// group is applied (`apply-groups`) while it is there.
///
/// Done twice it is done once: a group that is put is then exactly this, one that is removed is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Configure {
    /// The device.
    pub device: Device,
    /// The group's name.
    pub group: String,
    /// What becomes of it.
    pub change: GroupChange,
    /// What of it is approved; none where it needs no approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approved>,
    /// Whether the device is told once more what it was told, since it was found otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_restore: bool,
}

/// What of a change is approved that needs approval: a device changes as far as that goes, and no other way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approved {
    /// The hash of the difference that is approved: [`Difference::sha256`](crate::outcome::Difference::sha256). None: nobody
    /// has approved any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A device as connectors know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Whose.
    pub organization: OrgName,
    /// Its chassis serial number.
    pub serial_number: String,
    /// Its host name, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_name: Option<String>,
}

impl Device {
    /// It as a connector's peer, which has a queue and a circuit of its own: `<organization>.<serial number>`, the bytes
    /// of the serial number that are no letter, digit, `_` or `-` as `:` and two hexadecimal digits. Two devices are
    /// never one peer. None where that is longer than a peer may be.
    pub fn peer(&self) -> Option<Peer> {
        let mut text = format!("{}.", self.organization);
        for byte in self.serial_number.bytes() {
            match byte {
                b'_' | b'-' => text.push(char::from(byte)),
                byte if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
                byte => text.push_str(&format!(":{byte:02x}")),
            }
        }
        text.parse().ok()
    }
}

/// What becomes of a configuration group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupChange {
    /// It holds these statements and no others, and is applied.
    Put {
        /// The statements within the group, as the device's configuration writes them.
        text: String,
    },
    /// It is neither applied nor there.
    Remove,
}

/// How the support system keeps in touch. Source: DOMAIN, "Incidents and cases".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum FollowUp {
    /// Full text by mail.
    #[default]
    #[serde(rename = "Email Full Text Update")]
    EmailFullText,
    /// A link by mail.
    #[serde(rename = "Email Secure Web Link")]
    EmailLink,
    /// A call.
    #[serde(rename = "Phone Call")]
    Phone,
}

impl FollowUp {
    /// All methods with their exact spelling.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::EmailFullText, "Email Full Text Update"),
        (Self::EmailLink, "Email Secure Web Link"),
        (Self::Phone, "Phone Call"),
    ];
}

/// What leaves for the support system when a case is opened, already filtered: a field that the
/// organization's filter level holds back is `None` here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRequest {
    /// The incident, which is also the customer tracking number.
    pub incident: IncidentId,
    /// How urgent.
    pub priority: Priority,
    /// One line on the problem, or [`WITHHELD`].
    pub synopsis: String,
    /// What else the filter level lets out.
    pub details: Option<CaseDetails>,
    /// By what the upstream knows the end customer it is for; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alias: String,
    /// Where spare parts go; empty: where the upstream knows.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// The controllers it has passed, this one last; empty for a case that began here and goes to the support system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace_route: Vec<String>,
}

/// What was done with a case that the upstream has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseTelling {
    /// The incident, which is also the customer tracking number.
    pub incident: IncidentId,
    /// The upstream's receipt of the case.
    pub transaction_id: String,
    /// What was done.
    pub step: CaseStep,
}

/// The part of a case that leaves where its filter level lets texts out, with what the level holds back taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseDetails {
    /// The device's own id of the event.
    pub host_event_id: String,
    /// The device's host name.
    pub host_name: String,
    /// Its chassis serial number.
    pub serial_number: String,
    /// Its model.
    pub product: String,
    /// Its system family.
    pub platform: String,
    /// The version of its operating system.
    pub os_version: String,
    /// The event type.
    pub event_type: String,
    /// The problem at length.
    pub description: String,
    /// What the customer adds.
    pub comments: String,
    /// Who else hears of it.
    pub cc: Vec<String>,
    /// How to keep in touch.
    pub follow_up: FollowUp,
    /// What the customer's own system calls the case; empty where it has not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
}

/// A reaction as it stands on `out.<org>.reaction.<connector>`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Reaction<'a> {
    /// Its id, and the idempotency key of its effect.
    pub id: &'a ReactionId,
    /// The policy that decided it; none where a command did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<&'a PolicyName>,
    /// Id of the trigger event it answers; none where a command did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<&'a str>,
    /// The command that asked for it; none where a policy decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<&'a CommandId>,
    /// The activation that comes to it; none where something else did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<&'a str>,
    /// The incident it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<&'a IncidentId>,
    /// What is to be done.
    pub action: &'a Value,
}

/// A pending reaction as a connector gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The reaction.
    pub id: ReactionId,
    /// Whose it is; none for the provider's own.
    pub org: Option<OrgName>,
    /// Whom the connector is to reach, where it knows several.
    pub peer: Option<Peer>,
    /// Which try this is, from 1; one of an upload that got on begins anew at 1.
    pub attempt: u32,
    /// What is to be done.
    pub action: Action,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows and logs of before notifications shared one form.
    #[test]
    fn what_was_written_before_is_read_and_written_the_same() {
        for text in [
            r#"{"log":{"message":"down","fields":{"a":1}}}"#,
            r#"{"poll_cases":{"cursor":null}}"#,
            r#"{"poll_cases":{"cursor":"7"}}"#,
            r#"{"submit_case":{"incident":"acme-1","priority":"High","synopsis":"x","details":null}}"#,
            r#"{"configure":{"device":{"organization":"acme","serial_number":"JN1"},"group":"g","change":"remove"}}"#,
            r#"{"upload":{"kind":"bundle","case":"T-1","name":"acme-1.xml","filter_level":"Send all information","source":{"object":{"sha256":"ab","size":7}}}}"#,
        ] {
            let action: Action = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&action).unwrap(), text);
            assert!(text.starts_with(&format!("{{\"{}\"", action.tag())));
        }
    }

    #[test]
    fn what_is_no_action_is_refused_in_words() {
        for (text, expected) in [
            (r#"{"fax":{}}"#, "there is no action `fax`"),
            (r#"{"log":{"fields":{}}}"#, "`message` of `log` is a text"),
            (r#"{"log":{"message":"m"},"poll_cases":{}}"#, "an action has one tag"),
            ("{}", "an action without a tag"),
        ] {
            let error = serde_json::from_str::<Action>(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn two_devices_are_never_one_peer() {
        let peer = |organization: &str, serial_number: &str| {
            let serial_number = serial_number.to_owned();
            Device { organization: organization.parse().unwrap(), serial_number, host_name: None }.peer()
        };
        let text = |organization, serial_number| peer(organization, serial_number).unwrap().to_string();
        assert_eq!(text("acme", "JN12-3_4"), "acme.JN12-3_4");
        assert_eq!(text("acme", "../x:2f/ü"), "acme.:2e:2e:2fx:3a2f:2f:c3:bc");
        assert_eq!(text("acme", ""), "acme.");
        assert_eq!(peer("acme", &"x".repeat(249)), None);
    }

    #[test]
    fn a_notification_names_bytes_to_go_with_it() {
        let bundle = BundleBytes { sequence: 7, length: 9, sha256: "ab".to_owned(), start: 2, end: 5 };
        let action: Action = serde_json::from_str(r#"{"log":{"message":"down"}}"#).unwrap();
        let Action::Notify(notification) = action else { panic!("{action:?}") };
        let action = Action::Notify(notification.with_bundle(bundle.clone()));
        let read: Action = serde_json::from_str(&serde_json::to_string(&action).unwrap()).unwrap();
        assert_eq!((read.bundle(), &read), (Some(&bundle), &action));
    }
}
