//! What happened: the triggers policies react to, and the data they carry.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::device::DeviceState;
use crate::intelligence::{Kind, Relevance};
use crate::{
    CommandId, FilterLevel, IncidentId, Operation, OrgName, PlacePath, PolicyName, Priority, ServiceName,
    SubscriptionName,
};

/// What policies react to. Source: DOMAIN, "Reaction policies".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// A problem bundle was seen for the first time.
    IncidentDetected,
    /// The upstream has accepted the incident.
    IncidentSubmitted,
    /// An incident or its case was changed, by whom or what it may be.
    IncidentChanged,
    /// The case id is known for the first time.
    CaseAssigned,
    /// A case changed upstream after its id was known.
    CaseUpdated,
    /// A case is wanted, or was about to leave, and the filter level lets nothing of it out.
    CaseWithheld,
    /// An end customer's controller has reported a case; in mode `partner` alone.
    IncidentReported,
    /// An intelligence message arrived.
    IntelligenceReceived,
    /// An alert or informational message concerns devices of an organization.
    IntelligenceMatched,
    /// An end-of-life notice concerns devices of an organization.
    EndOfLifeMatched,
    /// A bug notice arrived, whomever it concerns.
    BugNoticeArrived,
    /// A bug notice concerns devices of an organization.
    BugNoticeMatched,
    /// A message concerns a device that it did not concern before: the device is new, or has changed.
    ExposureNew,
    /// The installation's licence ends within 30 days.
    LicenceExpiring,
    /// The installation's licence has ended.
    LicenceExpired,
    /// A certificate between partner and end customer ends within 30 days.
    CertificateExpiring,
    /// A certificate between partner and end customer has ended.
    CertificateExpired,
    /// Something is done only once somebody approves it; in mode `partner` alone.
    ApprovalRequired,
    /// An incident's device has no ship-to address, where its organization keeps addresses.
    IncidentWithoutAddress,
    /// A device has sent nothing for two weeks.
    DeviceSilent,
    /// A service contract ends within 30 days, or has ended.
    ContractExpiring,
    /// A device that is reached stands otherwise with the collector.
    DeviceStateChanged,
    /// A device makes no snapshots of its own any more, and they are gathered from it instead.
    CollectionSwitched,
    /// A device has a configuration group otherwise than it was told.
    ConfigurationDrifted,
    /// The rest of a change of many devices is held: too many have failed, or one has taken its change back.
    ConfigurationHeld,
    /// Of a quota of an organization's four fifths are used.
    QuotaNearing,
    /// A quota of an organization's is used up.
    QuotaExhausted,
    /// Something was done, or refused, and stands in the audit of an organization.
    Audit(Operation),
}

impl Trigger {
    /// Those that have an event of their own, `out.<org>.trigger.<name>`, or `out._provider.trigger.<name>` where they are
    /// the provider's. Of what stands in the audit subscribers hear by `out.<org>.audit.<operation>`.
    pub const TOLD: [Self; 27] = [
        Self::IncidentDetected,
        Self::IncidentSubmitted,
        Self::IncidentChanged,
        Self::CaseAssigned,
        Self::CaseUpdated,
        Self::CaseWithheld,
        Self::IncidentReported,
        Self::IntelligenceReceived,
        Self::IntelligenceMatched,
        Self::EndOfLifeMatched,
        Self::BugNoticeArrived,
        Self::BugNoticeMatched,
        Self::ExposureNew,
        Self::LicenceExpiring,
        Self::LicenceExpired,
        Self::CertificateExpiring,
        Self::CertificateExpired,
        Self::ApprovalRequired,
        Self::IncidentWithoutAddress,
        Self::DeviceSilent,
        Self::ContractExpiring,
        Self::DeviceStateChanged,
        Self::CollectionSwitched,
        Self::ConfigurationDrifted,
        Self::ConfigurationHeld,
        Self::QuotaNearing,
        Self::QuotaExhausted,
    ];

    /// All triggers.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        Self::TOLD.into_iter().chain(Operation::ALL.map(Self::Audit))
    }

    /// The name in policies and subjects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IncidentDetected => "incident.detected",
            Self::IncidentSubmitted => "incident.submitted",
            Self::IncidentChanged => "incident.changed",
            Self::CaseAssigned => "case.assigned",
            Self::CaseUpdated => "case.updated",
            Self::CaseWithheld => "case.withheld",
            Self::IncidentReported => "incident.reported-by-end-customer",
            Self::IntelligenceReceived => "intelligence.received",
            Self::IntelligenceMatched => "intelligence.matched",
            Self::EndOfLifeMatched => "end-of-life.matched",
            Self::BugNoticeArrived => "bug-notice.arrived",
            Self::BugNoticeMatched => "bug-notice.matched",
            Self::ExposureNew => "exposure.new",
            Self::LicenceExpiring => "licence.expiring",
            Self::LicenceExpired => "licence.expired",
            Self::CertificateExpiring => "partner.certificate-expiring",
            Self::CertificateExpired => "partner.certificate-expired",
            Self::ApprovalRequired => "approval.required",
            Self::IncidentWithoutAddress => "incident.without-address",
            Self::DeviceSilent => "device.silent",
            Self::ContractExpiring => "contract.expiring",
            Self::DeviceStateChanged => "device.state-changed",
            Self::CollectionSwitched => "collection.switched",
            Self::ConfigurationDrifted => "configuration.drifted",
            Self::ConfigurationHeld => "configuration.held",
            Self::QuotaNearing => "quota.nearing",
            Self::QuotaExhausted => "quota.exhausted",
            Self::Audit(operation) => operation.trigger(),
        }
    }

    /// Whether it tells whom an intelligence message concerns, or that there is one. Of messages of the provider's it is the
    /// provider's in a mode that has proxy organizations, and the organization's in all others.
    pub const fn is_of_messages(self) -> bool {
        matches!(
            self,
            Self::IntelligenceMatched
                | Self::EndOfLifeMatched
                | Self::BugNoticeArrived
                | Self::BugNoticeMatched
                | Self::ExposureNew
        )
    }

    /// Whether it is the provider's and no organization's: something of the installation runs out.
    pub const fn is_of_provider(self) -> bool {
        matches!(
            self,
            Self::LicenceExpiring | Self::LicenceExpired | Self::CertificateExpiring | Self::CertificateExpired
        )
    }
}

impl Serialize for Trigger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Dead letters of level 1 have this text in their digest, as it was when these were all.
        const KNOWN: &[&str] =
            &["incident.detected", "incident.submitted", "case.assigned", "case.updated", "intelligence.received"];
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|_: UnknownTrigger| de::Error::unknown_variant(&text, KNOWN))
    }
}

impl JsonSchema for Trigger {
    fn schema_name() -> Cow<'static, str> {
        "Trigger".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Self::all().map(Self::as_str).collect();
        json_schema!({
            "description": "A trigger's name, as policies and subjects spell it.",
            "type": "string",
            "enum": names,
        })
    }
}

/// A text that names no trigger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown trigger")]
pub struct UnknownTrigger;

impl FromStr for Trigger {
    type Err = UnknownTrigger;

    fn from_str(text: &str) -> Result<Self, UnknownTrigger> {
        Self::all().find(|trigger| trigger.as_str() == text).ok_or(UnknownTrigger)
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The device an incident is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeviceData<'a> {
    /// Its host name.
    pub host_name: &'a str,
    /// Its chassis serial number.
    pub serial_number: &'a str,
    /// Its model, such as `MX240`.
    pub product: &'a str,
    /// Its system family, such as `junos`; empty when the bundle named none.
    pub platform: &'a str,
    /// The version of its operating system.
    pub os_version: &'a str,
}

/// Data of `incident.detected`, `incident.without-address`, `incident.submitted`, `incident.reported-by-end-customer`, and part of the case triggers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IncidentData<'a> {
    /// The incident.
    pub id: &'a IncidentId,
    /// The device's own id of the event.
    pub host_event_id: &'a str,
    /// What kind of incident: `event`, `on-demand`, `event-rma`, `on-demand-rma`, `health-check`.
    pub kind: &'a str,
    /// The device.
    pub device: DeviceData<'a>,
    /// The event type, such as `CHASSISD_FRU_OFFLINE_NOTICE`.
    pub event_type: &'a str,
    /// The priority, which policies may have changed.
    pub priority: Priority,
    /// One line on the problem.
    pub synopsis: &'a str,
    /// When the device saw it.
    pub occurred: Timestamp,
    /// When the bundle entered the log.
    pub detected: Timestamp,
}

/// Data of `case.assigned` and `case.updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CaseData<'a> {
    /// The incident the case was opened for.
    #[serde(flatten)]
    pub incident: IncidentData<'a>,
    /// The case id at the upstream.
    pub case_id: &'a str,
    /// The upstream's word for the case's status.
    pub case_status: &'a str,
    /// Where people see the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_link: Option<&'a str>,
}

/// Data of `incident.changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangeData<'a> {
    /// The incident, as it is now.
    #[serde(flatten)]
    pub incident: IncidentData<'a>,
    /// By whom or what: somebody's login, `policy <name>`, `the upstream`, or `the engine` where a setting comes to it.
    pub actor: &'a str,
    /// The policy; none where it was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<&'a PolicyName>,
    /// The trigger that it reacted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Trigger>,
    /// Id of that trigger's event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<&'a str>,
    /// The command; none where it was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<&'a CommandId>,
    /// What was changed: `priority`, `status`, `owner`; of the case `case` (where it stands), `handling`, `case_id`,
    /// `case_status`, `case_link`, and `case_text` where it is said otherwise.
    pub changed: &'a [String],
    /// How that was before, by name; `null` for nothing. A text of a case is not repeated.
    pub old: &'a Map<String, Value>,
    /// How it is now.
    pub new: &'a Map<String, Value>,
    /// What other policies have asked for a case that was opened, beside the one that it is of.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub joined: &'a [JoinedData],
}

/// What became of another wish for a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JoinedData {
    /// The policy.
    pub policy: PolicyName,
    /// The trigger that it reacted to.
    pub on: Trigger,
    /// What the case has of it, by the keys of `submit_case`.
    pub used: Vec<String>,
    /// What it has not.
    pub unused: Vec<String>,
}

/// Data of `case.withheld`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WithheldData<'a> {
    /// The incident the case is of.
    #[serde(flatten)]
    pub incident: IncidentData<'a>,
    /// The filter level that lets nothing of it out.
    pub filter_level: FilterLevel,
    /// The policy that wanted the case; none where somebody asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<&'a PolicyName>,
}

/// Data of `intelligence.received`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IntelligenceData<'a> {
    /// The message's id at its source.
    pub id: &'a str,
    /// Its kind.
    pub kind: Kind,
    /// Its title.
    pub title: &'a str,
    /// When the source issued it.
    pub issued: Timestamp,
    /// Whom it concerns.
    pub relevance: &'a Relevance,
    /// When it entered the log.
    pub received: Timestamp,
}

/// Data of `device.silent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SilenceData<'a> {
    /// The device.
    pub device: DeviceData<'a>,
    /// When its last bundle entered the log, to the hour.
    pub last_seen: Timestamp,
}

/// Data of `device.state-changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReachedData<'a> {
    /// The device, by the name it was given.
    pub device: &'a str,
    /// Its chassis serial number; empty where it is not known.
    pub serial_number: &'a str,
    /// How it stands.
    pub state: DeviceState,
    /// How it stood before.
    pub previous_state: DeviceState,
    /// What is wrong, in words; empty for nothing.
    pub error: &'a str,
}

/// Data of `collection.switched`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SwitchData<'a> {
    /// The name by which the device is reached.
    pub name: &'a str,
    /// The device.
    pub device: DeviceData<'a>,
    /// When the last snapshot that it made itself entered the log.
    pub last_snapshot: Timestamp,
}

/// Data of `configuration.held`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeldData<'a> {
    /// The device by whose answer the rest is held, as its place names it.
    pub device: &'a str,
    /// The access line that the device's change is for.
    pub place: &'a PlacePath,
    /// The activation that it is of.
    pub activation: &'a str,
    /// Why the rest is held: `failed`, or `taken-back`.
    pub why: &'static str,
    /// How many changes have failed.
    pub failed: u64,
    /// Of how many.
    pub of: u64,
    /// How many are held.
    pub held: u64,
}

/// Data of `configuration.drifted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DriftData<'a> {
    /// The device, by the name it was given.
    pub device: &'a str,
    /// Its chassis serial number, or its host name where that is not known.
    pub serial_number: &'a str,
    /// The configuration group.
    pub group: &'a str,
    /// The access line that it is for.
    pub place: &'a PlacePath,
    /// The activation.
    pub activation: &'a str,
    /// The subscription that it is of.
    pub subscription: &'a SubscriptionName,
    /// The service.
    pub service: &'a ServiceName,
    /// How many lines the device lacks.
    pub missing: u64,
    /// How many it has besides.
    pub extra: u64,
    /// What is done about it: `report`, or `restore` where the device is told again at once.
    pub action: &'static str,
    /// How often it was told again for that since it was told last otherwise.
    pub restores: u32,
}

/// Data of `contract.expiring`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContractData<'a> {
    /// The number of the agreement.
    pub agreement_number: &'a str,
    /// How the agreement stands, as its issuer says it; empty where that was not said.
    pub status: &'a str,
    /// What was bought.
    pub sku: &'a str,
    /// Of what type that is; empty where that was not said.
    pub sku_type: &'a str,
    /// Its first day, `YYYY-MM-DD`; empty where that was not said.
    pub start: &'a str,
    /// Its last day, `YYYY-MM-DD`, which ends by UTC.
    pub end: &'a str,
    /// Whether that is over.
    pub has_ended: bool,
    /// The chassis serial number of the device it covers.
    pub serial_number: &'a str,
    /// The part number of that; empty where that was not said.
    pub part_number: &'a str,
    /// Its host name; empty where it has sent nothing.
    pub host_name: &'a str,
}

/// Data of `intelligence.matched`, `end-of-life.matched` and `bug-notice.matched`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MatchData<'a> {
    /// Whose devices.
    pub organization: &'a OrgName,
    /// The message's id at its source.
    pub id: &'a str,
    /// Its kind.
    pub kind: Kind,
    /// Its title.
    pub title: &'a str,
    /// How many of the organization's devices it concerns.
    pub count: u64,
    /// Their serial numbers, the first 100.
    pub devices: &'a [String],
    /// Why, such as `product MX*` or `everybody`: each reason once, the first 100.
    pub reasons: &'a [String],
}

/// Data of `bug-notice.arrived`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ArrivalData<'a> {
    /// The organization.
    pub organization: &'a OrgName,
    /// The message's id at its source.
    pub id: &'a str,
    /// Its title.
    pub title: &'a str,
    /// When the source issued it.
    pub issued: Timestamp,
}

/// Data of `exposure.new`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExposureData<'a> {
    /// Whose device.
    pub organization: &'a OrgName,
    /// The message's id at its source.
    pub id: &'a str,
    /// Its kind.
    pub kind: Kind,
    /// Its title.
    pub title: &'a str,
    /// The device.
    pub device: DeviceData<'a>,
    /// Why, a reason for each list that the message gives, such as `product MX*`; or `everybody`.
    pub reasons: &'a [String],
    /// How many messages beside the first 100 concern the device since then too; with the last of these alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub further: Option<u64>,
}

/// What of an installation runs out. Its words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expiring {
    /// The licence it was started with.
    Licence,
    /// The certificate that the partner above has shown.
    Upstream,
    /// The certificate of the partner listener.
    Listener,
}

impl Expiring {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Licence, Self::Upstream, Self::Listener];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Licence => "licence",
            Self::Upstream => "upstream",
            Self::Listener => "listener",
        }
    }
}

/// That something of the installation runs out, or has. Also the data of the triggers `licence.*` and
/// `partner.certificate-*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expiry {
    /// What it is.
    pub kind: Expiring,
    /// Which one: a licence's id, or a certificate's `sha256:` and 64 hexadecimal digits.
    pub id: String,
    /// When it ends.
    pub ends: Timestamp,
    /// Whether that is over.
    pub has_ended: bool,
}

impl Expiry {
    /// What policies react to.
    pub const fn trigger(&self) -> Trigger {
        match (self.kind, self.has_ended) {
            (Expiring::Licence, false) => Trigger::LicenceExpiring,
            (Expiring::Licence, true) => Trigger::LicenceExpired,
            (Expiring::Upstream | Expiring::Listener, false) => Trigger::CertificateExpiring,
            (Expiring::Upstream | Expiring::Listener, true) => Trigger::CertificateExpired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_alike_everywhere() {
        for trigger in Trigger::all() {
            assert_eq!(trigger.as_str().parse(), Ok(trigger));
            assert_eq!(serde_json::to_value(trigger).unwrap(), trigger.as_str());
            assert_eq!(serde_json::from_value::<Trigger>(trigger.as_str().into()).unwrap(), trigger);
        }
        assert_eq!("audit.close-incident".parse(), Ok(Trigger::Audit("close-incident".parse().unwrap())));
        for unknown in ["incident.closed", "audit.*", "audit.", "close-incident"] {
            assert_eq!(unknown.parse::<Trigger>(), Err(UnknownTrigger), "{unknown}");
        }
        assert_eq!(
            serde_json::from_value::<Trigger>("incident.closed".into()).unwrap_err().to_string(),
            "unknown variant `incident.closed`, expected one of `incident.detected`, `incident.submitted`, \
             `case.assigned`, `case.updated`, `intelligence.received`"
        );
    }
}
