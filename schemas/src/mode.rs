//! How an installation is connected.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trigger::Trigger;

/// Which part of the cascade an installation plays. Source: DOMAIN, "The setting".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Organizations of one's own, connected to the support system.
    Direct,
    /// Between the support system and end customers. What a log says that says nothing of modes.
    #[default]
    Partner,
    /// One organization, connected to a partner.
    EndCustomer,
    /// One organization and a handful of devices, connected to a stand-in.
    Demo,
    /// Connected to nobody: nothing leaves.
    Offline,
}

/// The operations that some modes alone have, by the words of the table of rights and of records, and those modes. All
/// others are those of every mode. What an organization may be in a mode is judged where it is set.
///
/// INVARIANT (one answer in every way in): API, partner listener and lanes refuse by this table, in the words of
/// [`Mode::refuse`].
pub const OPERATIONS_OF_MODES: &[(&str, &[Mode])] = &[
    ("report-case", &[Mode::Partner]),
    ("forward-case", &[Mode::Partner]),
    ("handle-case", &[Mode::Partner]),
    ("override-case", &[Mode::Partner]),
    ("set-credentials", &[Mode::Partner]),
    ("associate-intelligence", &[Mode::Partner]),
    ("dissociate-intelligence", &[Mode::Partner]),
    ("send-intelligence", &[Mode::Partner]),
    ("recall-intelligence", &[Mode::Partner]),
    ("approve-approval", &[Mode::Partner]),
    ("reject-approval", &[Mode::Partner]),
    ("test-organization", &[Mode::Direct, Mode::Partner, Mode::EndCustomer, Mode::Demo]),
];

/// The triggers that some modes alone have: in others nothing fires them.
const TRIGGERS_OF_MODES: &[(Trigger, &[Mode])] = &[
    (Trigger::IncidentSubmitted, &[Mode::Direct, Mode::Partner, Mode::EndCustomer, Mode::Demo]),
    (Trigger::CaseAssigned, &[Mode::Direct, Mode::Partner, Mode::EndCustomer, Mode::Demo]),
    (Trigger::CaseUpdated, &[Mode::Direct, Mode::Partner, Mode::EndCustomer, Mode::Demo]),
    (Trigger::IncidentReported, &[Mode::Partner]),
    (Trigger::ApprovalRequired, &[Mode::Partner]),
    (Trigger::LicenceExpiring, &[Mode::Direct, Mode::Partner, Mode::Offline]),
    (Trigger::LicenceExpired, &[Mode::Direct, Mode::Partner, Mode::Offline]),
    (Trigger::CertificateExpiring, &[Mode::Partner, Mode::EndCustomer]),
    (Trigger::CertificateExpired, &[Mode::Partner, Mode::EndCustomer]),
];

/// What an installation's upstream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Upstream {
    /// The vendor's support system.
    #[default]
    SupportSystem,
    /// A partner's controller.
    Partner,
}

impl Upstream {
    /// Whether it is the support system.
    pub fn is_support_system(&self) -> bool {
        *self == Self::SupportSystem
    }
}

/// A text that names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a mode is `direct`, `partner`, `end-customer`, `demo` or `offline`")]
pub struct UnknownMode;

impl Mode {
    /// All modes.
    pub const ALL: [Self; 5] = [Self::Direct, Self::Partner, Self::EndCustomer, Self::Demo, Self::Offline];
    /// How many devices there may be in mode `demo`.
    pub const DEMO_DEVICES: usize = 5;

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Partner => "partner",
            Self::EndCustomer => "end-customer",
            Self::Demo => "demo",
            Self::Offline => "offline",
        }
    }

    /// Whether there can be proxy organizations, and what comes of them.
    pub const fn has_proxies(self) -> bool {
        matches!(self, Self::Partner)
    }

    /// Whether there is exactly one organization, whatever a licence says.
    pub const fn has_one_organization(self) -> bool {
        matches!(self, Self::EndCustomer | Self::Demo)
    }

    /// What its upstream is, unless the configuration says otherwise.
    pub const fn upstream(self) -> Upstream {
        match self {
            Self::EndCustomer => Upstream::Partner,
            Self::Direct | Self::Partner | Self::Demo | Self::Offline => Upstream::SupportSystem,
        }
    }

    /// Why an operation is refused in this mode, naming those it needs; none where it is one of the mode's.
    pub fn refuse(self, operation: &str) -> Option<String> {
        let needed = self.lacks_operation(operation)?;
        Some(format!("`{operation}` needs mode {needed}; the mode is `{self}`"))
    }

    /// The modes that a trigger needs, in words, where nothing fires it in this one.
    pub fn lacks_trigger(self, trigger: Trigger) -> Option<String> {
        let operation = match trigger {
            Trigger::Audit(operation) => Some(operation.as_str()),
            _ => None,
        };
        let of_trigger = TRIGGERS_OF_MODES.iter().find(|(known, _)| *known == trigger).map(|(_, modes)| *modes);
        let of_audit = OPERATIONS_OF_MODES.iter().find(|(known, _)| Some(*known) == operation).map(|(_, modes)| *modes);
        self.lacks(of_trigger.or(of_audit)?)
    }

    /// The modes that an operation needs, in words, where it is not this mode's.
    pub fn lacks_operation(self, operation: &str) -> Option<String> {
        let (_, modes) = OPERATIONS_OF_MODES.iter().find(|(known, _)| *known == operation)?;
        self.lacks(modes)
    }

    /// Modes in words, unless this is one of them.
    fn lacks(self, modes: &[Self]) -> Option<String> {
        if modes.contains(&self) {
            return None;
        }
        let words: Vec<String> = modes.iter().map(|mode| format!("`{mode}`")).collect();
        match words.split_last() {
            Some((last, others)) if !others.is_empty() => Some(format!("{} or {last}", others.join(", "))),
            _ => Some(words.concat()),
        }
    }

    /// Whether anything leaves to an upstream.
    pub const fn sends(self) -> bool {
        !matches!(self, Self::Offline)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or(UnknownMode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_has_one_word_wherever_it_is_written() {
        for mode in Mode::ALL {
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
            assert_eq!(mode.as_str().parse(), Ok(mode));
        }
        assert_eq!("Partner".parse::<Mode>(), Err(UnknownMode));
    }

    #[test]
    fn what_is_of_other_modes_is_refused_by_their_names() {
        let expected = "`forward-case` needs mode `partner`; the mode is `direct`";
        assert_eq!(Mode::Direct.refuse("forward-case").as_deref(), Some(expected));
        assert_eq!(Mode::Partner.refuse("forward-case"), None);
        for mode in Mode::ALL {
            assert_eq!(mode.refuse("close-case"), None, "{mode}");
        }
        let needed = Some("`direct`, `partner` or `offline`");
        assert_eq!(Mode::Demo.lacks_trigger(Trigger::LicenceExpired).as_deref(), needed);
        let audited = Trigger::Audit("handle-case".parse().unwrap());
        assert_eq!(Mode::Offline.lacks_trigger(audited).as_deref(), Some("`partner`"));
    }
}
