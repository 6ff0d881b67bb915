//! What somebody may be allowed to do: the privileges of all managers, and the rights that the provider's people have
//! besides.
//!
//! Source: DOMAIN, "Organizations, groups, people". The words are stable.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// What a manager may do in its sphere. Who has none may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// To subscribe to services.
    Subscription,
    /// To give the values of parameters.
    Substitution,
    /// To activate and deactivate subscriptions.
    Activation,
    /// To manage other managers.
    Managers,
}

impl Privilege {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Subscription, Self::Substitution, Self::Activation, Self::Managers];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Substitution => "substitution",
            Self::Activation => "activation",
            Self::Managers => "managers",
        }
    }

    /// Its place in a set of bits; stable.
    const fn bit(self) -> u8 {
        match self {
            Self::Subscription => 1,
            Self::Substitution => 2,
            Self::Activation => 4,
            Self::Managers => 8,
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of privileges; in JSON the list of their words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Vec<Privilege>", into = "Vec<Privilege>")]
pub struct Privileges(#[schemars(with = "Vec<Privilege>")] u8);

impl Privileges {
    /// All of them.
    pub fn all() -> Self {
        Privilege::ALL.into_iter().collect()
    }

    /// The set as bits, 1 for `subscription`, 2 `substitution`, 4 `activation`, 8 `managers`.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set that [`Privileges::bits`] told of; bits that mean nothing are left out.
    pub const fn of_bits(bits: u8) -> Self {
        Self(bits & 0b1111)
    }

    /// Whether one is in it.
    pub const fn has(self, privilege: Privilege) -> bool {
        self.0 & privilege.bit() != 0
    }

    /// Those in both.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The first that is in it and not in `other`.
    pub fn beyond(self, other: Self) -> Option<Privilege> {
        Privilege::ALL.into_iter().find(|one| self.has(*one) && !other.has(*one))
    }

    /// Those in it, in their order.
    pub fn iter(self) -> impl Iterator<Item = Privilege> {
        Privilege::ALL.into_iter().filter(move |one| self.has(*one))
    }
}

impl FromIterator<Privilege> for Privileges {
    fn from_iter<I: IntoIterator<Item = Privilege>>(privileges: I) -> Self {
        Self(privileges.into_iter().fold(0, |bits, one| bits | one.bit()))
    }
}

impl From<Vec<Privilege>> for Privileges {
    fn from(privileges: Vec<Privilege>) -> Self {
        privileges.into_iter().collect()
    }
}

impl From<Privileges> for Vec<Privilege> {
    fn from(privileges: Privileges) -> Self {
        privileges.iter().collect()
    }
}

/// A right of the provider's people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// To create, change and suspend organizations, and to define their places.
    Organizations,
    /// To change what the engine decides by.
    Settings,
    /// To write and run policies.
    Policies,
    /// To define services.
    Services,
    /// To tie devices to places.
    Devices,
    /// To send intelligence on.
    Intelligence,
    /// To approve.
    Approvals,
    /// To open cases at the upstream.
    Cases,
    /// To delete incidents.
    DeleteIncidents,
    /// To read the audit.
    Audit,
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Organizations,
        Self::Settings,
        Self::Policies,
        Self::Services,
        Self::Devices,
        Self::Intelligence,
        Self::Approvals,
        Self::Cases,
        Self::DeleteIncidents,
        Self::Audit,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::Settings => "settings",
            Self::Policies => "policies",
            Self::Services => "services",
            Self::Devices => "devices",
            Self::Intelligence => "intelligence",
            Self::Approvals => "approvals",
            Self::Cases => "cases",
            Self::DeleteIncidents => "delete-incidents",
            Self::Audit => "audit",
        }
    }

    /// Its place in a set of bits; stable.
    const fn bit(self) -> u16 {
        match self {
            Self::Organizations => 1,
            Self::Settings => 1 << 1,
            Self::Policies => 1 << 2,
            Self::Services => 1 << 3,
            Self::Devices => 1 << 4,
            Self::Intelligence => 1 << 5,
            Self::Approvals => 1 << 6,
            Self::Cases => 1 << 7,
            Self::DeleteIncidents => 1 << 8,
            Self::Audit => 1 << 9,
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far somebody may work on incidents; each step has those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentStep {
    /// Not at all.
    #[default]
    None,
    /// Take those that are nobody's, and work on one's own.
    Own,
    /// Take anybody's, and work on all.
    Any,
    /// Give to others and take from others.
    Delegate,
}

impl IncidentStep {
    /// All of them, from the least.
    pub const ALL: [Self; 4] = [Self::None, Self::Own, Self::Any, Self::Delegate];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Own => "own",
            Self::Any => "any",
            Self::Delegate => "delegate",
        }
    }

    /// Its place among the bits of rights; stable.
    const fn code(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Own => 1,
            Self::Any => 2,
            Self::Delegate => 3,
        }
    }
}

impl fmt::Display for IncidentStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rights of one of the provider's people. One that is absent in JSON is not had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Words", into = "Words")]
pub struct Rights {
    #[schemars(with = "Words")]
    bits: u16,
    incidents: IncidentStep,
}

/// Rights as they are written.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Rights", rename_all = "kebab-case", default, deny_unknown_fields)]
struct Words {
    /// To create, change and suspend organizations, and to define their places.
    organizations: bool,
    /// To change what the engine decides by.
    settings: bool,
    /// To write and run policies.
    policies: bool,
    /// To define services.
    services: bool,
    /// To tie devices to places.
    devices: bool,
    /// To send intelligence on.
    intelligence: bool,
    /// To approve.
    approvals: bool,
    /// To open cases at the upstream.
    cases: bool,
    /// To delete incidents.
    delete_incidents: bool,
    /// To read the audit.
    audit: bool,
    /// How far to work on incidents.
    #[serde(deserialize_with = "step")]
    incidents: IncidentStep,
}

/// A step; of what is none it is said which there are, a text or not.
fn step<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IncidentStep, D::Error> {
    struct Word;
    impl Visitor<'_> for Word {
        type Value = IncidentStep;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("one of `none`, `own`, `any`, `delegate`")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<IncidentStep, E> {
            let step = IncidentStep::ALL.into_iter().find(|step| step.as_str() == text);
            step.ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(Word)
    } else {
        IncidentStep::deserialize(deserializer)
    }
}

impl Rights {
    /// All of them.
    pub fn all() -> Self {
        Self::of(Right::ALL, IncidentStep::Delegate)
    }

    /// So many rights, and a step with incidents.
    pub fn of(rights: impl IntoIterator<Item = Right>, incidents: IncidentStep) -> Self {
        Self { bits: rights.into_iter().fold(0, |bits, right| bits | right.bit()), incidents }
    }

    /// Whether one is among them.
    pub const fn has(self, right: Right) -> bool {
        self.bits & right.bit() != 0
    }

    /// How far to work on incidents.
    pub const fn incidents(self) -> IncidentStep {
        self.incidents
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Those in both.
    pub fn intersection(self, other: Self) -> Self {
        Self { bits: self.bits & other.bits, incidents: self.incidents.min(other.incidents) }
    }

    /// The word of the first that is not in `other`.
    pub fn beyond(self, other: Self) -> Option<&'static str> {
        let right = Right::ALL.into_iter().find(|right| self.has(*right) && !other.has(*right));
        right.map(Right::as_str).or_else(|| (self.incidents > other.incidents).then_some("incidents"))
    }

    /// As bits: one for each right in the order of [`Right::ALL`], and two for the step with incidents from 1 << 14 on.
    pub const fn bits(self) -> u16 {
        self.bits | (self.incidents.code() << 14)
    }

    /// The rights that [`Rights::bits`] told of; bits that mean nothing are left out.
    pub fn of_bits(bits: u16) -> Self {
        let incidents = IncidentStep::ALL.into_iter().find(|step| step.code() == bits >> 14).unwrap_or_default();
        Self::of(Right::ALL.into_iter().filter(|right| bits & right.bit() != 0), incidents)
    }
}

impl From<Words> for Rights {
    fn from(words: Words) -> Self {
        let given = [
            (Right::Organizations, words.organizations),
            (Right::Settings, words.settings),
            (Right::Policies, words.policies),
            (Right::Services, words.services),
            (Right::Devices, words.devices),
            (Right::Intelligence, words.intelligence),
            (Right::Approvals, words.approvals),
            (Right::Cases, words.cases),
            (Right::DeleteIncidents, words.delete_incidents),
            (Right::Audit, words.audit),
        ];
        let rights = given.into_iter().filter_map(|(right, is_given)| is_given.then_some(right));
        Self::of(rights, words.incidents)
    }
}

impl From<Rights> for Words {
    fn from(rights: Rights) -> Self {
        Self {
            organizations: rights.has(Right::Organizations),
            settings: rights.has(Right::Settings),
            policies: rights.has(Right::Policies),
            services: rights.has(Right::Services),
            devices: rights.has(Right::Devices),
            intelligence: rights.has(Right::Intelligence),
            approvals: rights.has(Right::Approvals),
            cases: rights.has(Right::Cases),
            delete_incidents: rights.has(Right::DeleteIncidents),
            audit: rights.has(Right::Audit),
            incidents: rights.incidents,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read_as_they_are_written() {
        let privileges = Privileges::from_iter([Privilege::Managers, Privilege::Subscription]);
        let text = serde_json::to_string(&privileges).unwrap();
        assert_eq!(text, r#"["subscription","managers"]"#);
        assert_eq!(serde_json::from_str::<Privileges>(&text).unwrap(), privileges);
        assert_eq!(Privileges::of_bits(privileges.bits()), privileges);
        let rights: Rights = serde_json::from_str(r#"{"delete-incidents":true,"incidents":"any"}"#).unwrap();
        assert_eq!(rights, Rights::of([Right::DeleteIncidents], IncidentStep::Any));
        assert!(serde_json::from_str::<Rights>(r#"{"everything":true}"#).is_err());
        for rights in [rights, Rights::all(), Rights::default()] {
            assert_eq!(Rights::of_bits(rights.bits()), rights);
            assert_eq!(serde_json::from_str::<Rights>(&serde_json::to_string(&rights).unwrap()).unwrap(), rights);
        }
    }

    #[test]
    fn an_intersection_has_what_both_have() {
        let (own, any) = (Rights::of([Right::Cases], IncidentStep::Own), Rights::of(Right::ALL, IncidentStep::Any));
        assert_eq!(own.intersection(any), own);
        assert_eq!(any.beyond(own), Some("organizations"));
        assert_eq!(Rights::of([], IncidentStep::Any).beyond(own), Some("incidents"));
        assert_eq!(own.beyond(any), None);
        assert_eq!(Privileges::all().beyond(Privileges::default()), Some(Privilege::Subscription));
    }
}
