//! Approvals: what is done only once somebody has approved it, and what is told of that.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::OrgName;
use crate::name::NameError;

/// What stands before the number in the id of an approval of an organization's.
const MARK: char = 'a';
/// What stands there in the id of one of the provider's.
const PROVIDERS_MARK: char = 'p';

/// An approval's id, shown as `<organization>-a<number>`, or `<organization>-p<number>` where it is the provider's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApprovalId {
    /// The organization that what is to be approved is asked of.
    pub org: OrgName,
    /// Whether it is the provider's, of which the organization learns nothing; the organization's own otherwise.
    pub is_providers: bool,
    /// Its number, from 1: those of the organization's own are counted apart from the provider's.
    pub number: u64,
}

impl ApprovalId {
    /// Of what is asked of an organization: the approval is the provider's, or the organization's own.
    pub const fn new(org: OrgName, is_providers: bool, number: u64) -> Self {
        Self { org, is_providers, number }
    }
}

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.is_providers { PROVIDERS_MARK } else { MARK };
        write!(f, "{}-{mark}{}", self.org, self.number)
    }
}

impl FromStr for ApprovalId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let what = "an approval's id (`<organization>-a<number>` or `<organization>-p<number>`)";
        let fault = || NameError::new(text, what);
        // Organization names may contain a mark: the number is what stands behind the last one.
        let (org, marked) = text.rsplit_once('-').ok_or_else(fault)?;
        let own = marked.strip_prefix(MARK).map(|number| (false, number));
        let providers = || marked.strip_prefix(PROVIDERS_MARK).map(|number| (true, number));
        let (is_providers, number) = own.or_else(providers).ok_or_else(fault)?;
        let is_plain = number.starts_with(|c: char| ('1'..='9').contains(&c));
        let number = number.parse().ok().filter(|_| is_plain).ok_or_else(fault)?;
        Ok(Self { org: org.parse().map_err(|_| fault())?, is_providers, number })
    }
}

impl Serialize for ApprovalId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for ApprovalId {
    fn schema_name() -> Cow<'static, str> {
        "ApprovalId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An approval's id: `<organization>-a<number>`, or `<organization>-p<number>` where it is the provider's; each counts from 1.",
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}-[ap][1-9][0-9]{0,19}$",
        })
    }
}

impl<'de> Deserialize<'de> for ApprovalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// What can need approval. The words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalKind {
    /// An intelligence message goes to an organization.
    SendIntelligence,
    /// A case that an end customer has reported goes on to the upstream.
    ForwardCase,
    /// A service becomes configuration of devices.
    ActivateService,
    /// A device changes by what a service has become.
    ConfigureDevice,
}

impl ApprovalKind {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::SendIntelligence, Self::ForwardCase, Self::ActivateService, Self::ConfigureDevice];
    /// Those of which organizations have rules of their own.
    pub const OF_ORGANIZATIONS: [Self; 3] = [Self::SendIntelligence, Self::ForwardCase, Self::ActivateService];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendIntelligence => "send-intelligence",
            Self::ForwardCase => "forward-case",
            Self::ActivateService => "activate-service",
            Self::ConfigureDevice => "configure-device",
        }
    }
}

impl fmt::Display for ApprovalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many persons it takes. Of several rules the strictest counts, which is the largest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalRule {
    /// No approval is needed.
    #[default]
    None,
    /// Somebody approves, who may be the one who asked.
    OnePerson,
    /// Somebody else than who asked approves.
    TwoPerson,
}

impl ApprovalRule {
    /// All of them with their words, from the mildest.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::None, "none"), (Self::OnePerson, "one-person"), (Self::TwoPerson, "two-person")];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::OnePerson => "one-person",
            Self::TwoPerson => "two-person",
        }
    }
}

/// What becomes of an approval that nobody has decided in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnTimeout {
    /// It counts as rejected.
    #[default]
    Reject,
    /// It counts as approved.
    Approve,
}

impl OnTimeout {
    /// Both with their words.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Reject, "reject"), (Self::Approve, "approve")];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Approve => "approve",
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What needs approval, kind by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct ApprovalRules {
    /// An intelligence message goes to an organization.
    #[serde(skip_serializing_if = "is_default")]
    pub send_intelligence: ApprovalRule,
    /// A case that an end customer has reported goes on to the upstream.
    #[serde(skip_serializing_if = "is_default")]
    pub forward_case: ApprovalRule,
    /// A service becomes configuration of devices.
    #[serde(skip_serializing_if = "is_default")]
    pub activate_service: ApprovalRule,
}

impl ApprovalRules {
    /// What a kind needs. Of [`ApprovalKind::ConfigureDevice`] the settings alone say it.
    pub const fn of(self, kind: ApprovalKind) -> ApprovalRule {
        match kind {
            ApprovalKind::SendIntelligence => self.send_intelligence,
            ApprovalKind::ForwardCase => self.forward_case,
            ApprovalKind::ActivateService => self.activate_service,
            ApprovalKind::ConfigureDevice => ApprovalRule::None,
        }
    }
}

/// How long there is to decide, in hours, where nobody says otherwise.
pub const TIMEOUT_H: u64 = 72;
/// The longest time there is to decide, in hours: a year.
pub const TIMEOUT_MOST_H: u64 = 366 * 24;

/// What is said of approvals for all organizations. It travels in the rule book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApprovalSettings {
    /// What needs approval.
    pub rules: ApprovalRules,
    /// A device changes by what a service has become.
    #[serde(skip_serializing_if = "is_default")]
    pub configure_device: ApprovalRule,
    /// How long there is to decide, in hours.
    pub timeout_h: u64,
    /// What becomes of what nobody has decided by then.
    pub on_timeout: OnTimeout,
}

impl Default for ApprovalSettings {
    fn default() -> Self {
        Self {
            rules: ApprovalRules::default(),
            configure_device: ApprovalRule::None,
            timeout_h: TIMEOUT_H,
            on_timeout: OnTimeout::default(),
        }
    }
}

impl ApprovalSettings {
    /// What a kind needs.
    pub const fn of(&self, kind: ApprovalKind) -> ApprovalRule {
        match kind {
            ApprovalKind::ConfigureDevice => self.configure_device,
            _ => self.rules.of(kind),
        }
    }
}

/// Data of `approval.required`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ApprovalData<'a> {
    /// The approval.
    pub id: &'a ApprovalId,
    /// What is to be approved.
    pub kind: ApprovalKind,
    /// The operation that is done once it is approved, as the audit names it.
    pub operation: &'a str,
    /// What it is about: an incident, a subscription and its place, or a message.
    pub about: &'a str,
    /// Where it was asked for.
    pub place: &'a str,
    /// Who asked, as people read it.
    pub actor: &'a str,
    /// Why it needs approval: `settings`, `organization`, or `policy` and its name.
    pub reasons: &'a [String],
    /// Whether somebody else than who asked has to approve it.
    pub two_person: bool,
    /// SHA-256 of what is done once it is approved, in hexadecimal.
    pub sha256: &'a str,
    /// When it was asked for.
    pub asked: Timestamp,
    /// Until when it may be decided.
    pub due: Timestamp,
    /// What becomes of it then.
    pub on_timeout: OnTimeout,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_split_from_the_right() {
        let id: ApprovalId = "north-a1-a17".parse().unwrap();
        assert_eq!((id.org.as_str(), id.number), ("north-a1", 17));
        assert_eq!((id.is_providers, id.to_string().as_str()), (false, "north-a1-a17"));
        let id: ApprovalId = "north-a1-p17".parse().unwrap();
        assert_eq!((id.org.as_str(), id.is_providers, id.number), ("north-a1", true, 17));
        assert_eq!(id.to_string(), "north-a1-p17");
        for bad in [
            "acme-p",
            "acme-p0",
            "acme-p01",
            "acme-b1",
            "acme-a1-2",
            "acme",
            "acme-17",
            "acme-a",
            "acme-a0",
            "acme-a01",
            "-a1",
            "acme-a99999999999999999999999",
        ] {
            assert!(bad.parse::<ApprovalId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn words_are_spelled_alike_everywhere() {
        for kind in ApprovalKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for (rule, word) in ApprovalRule::ALL {
            assert_eq!((serde_json::to_value(rule).unwrap(), rule.as_str()), (word.into(), word));
        }
        for (what, word) in OnTimeout::ALL {
            assert_eq!((serde_json::to_value(what).unwrap(), what.as_str()), (word.into(), word));
        }
        let rules: ApprovalRules = serde_json::from_str(r#"{"forward-case":"two-person"}"#).unwrap();
        assert_eq!(rules.of(ApprovalKind::ForwardCase), ApprovalRule::TwoPerson);
        assert_eq!(serde_json::to_string(&rules).unwrap(), r#"{"forward-case":"two-person"}"#);
        assert!(ApprovalRule::TwoPerson > ApprovalRule::OnePerson && ApprovalRule::OnePerson > ApprovalRule::None);
    }
}
