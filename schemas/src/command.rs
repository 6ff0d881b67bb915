//! What people and programs ask for: `in.<org>.cmd.<verb>`.

use serde::{Deserialize, Serialize};

use crate::{CommandId, FilterLevel};

/// A command. Its outcome is kept for a day of log time under its id: said again, it is not done again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Chosen by the sender.
    pub id: CommandId,
    /// Who asks.
    pub actor: String,
    /// The node that served the request.
    pub node: String,
    /// What is asked for.
    pub verb: Verb,
}

/// What a command asks for, of the organization its subject names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Create the organization, or change it and lift its suspension.
    SetOrganization(OrganizationSettings),
    /// Suspend it: its inputs become dead letters and its pending reactions are held.
    SuspendOrganization,
}

impl Verb {
    /// The token in the subject.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::SetOrganization(_) => "set-organization",
            Self::SuspendOrganization => "suspend-organization",
        }
    }
}

/// What can be set on an organization. Source: DOMAIN, "Organizations, groups, people".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationSettings {
    /// The name people see.
    pub display_name: String,
    /// Whether it stands for an end customer of the partner.
    pub is_proxy: bool,
    /// What may leave of its bundles.
    pub filter_level: FilterLevel,
    /// Its device groups; a device belongs to the first whose pattern its host name matches.
    #[serde(default)]
    pub device_groups: Vec<DeviceGroup>,
    /// Hash of the configuration this was read from; none when it was set otherwise.
    #[serde(default)]
    pub loaded: Option<String>,
}

/// A group of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceGroup {
    /// Its name.
    pub name: String,
    /// Host names, `*` standing for any text.
    pub devices: Vec<String>,
}
