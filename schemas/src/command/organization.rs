//! Commands about an organization.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::{AddressChanges, ContractChanges};
use super::bounds::{ADDRESS_MOST, Fault, OWNER_MOST, hash, label, list, text};
use crate::approval::ApprovalRules;
use crate::cascade::CONTROLLER_MOST;
use crate::{FilterLevel, IncidentId, Quotas};

/// What is asked for of the organization that the command's subject names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Organization {
    /// Create it, or change it and lift its suspension.
    Set(OrganizationSettings),
    /// Suspend it: its inputs become dead letters and its pending reactions are held.
    Suspend,
    /// The configuration names it no more: suspend it, and load it anew should it be named again.
    Unload,
    /// Let its end customer's controller come to the partner listener by another user and password, or by none. They are
    /// kept sealed on the node that was asked; what is in the log is whose they are.
    SetCredentials(CredentialsChange),
    /// The way to the upstream was tried out for it, on the node that was asked.
    Test(ConnectionTried),
    /// Give a document its addresses back that were overwritten by its pseudonyms, on the node that was asked.
    Unredact(Undoing),
    /// Hand out what belongs to its cases, on the node that was asked: all that may leave of them, or a file of one.
    ExportCases(CasesExport),
    /// Change its address groups, and which of them its devices name.
    SetAddresses(AddressChanges),
    /// Change its contracts.
    SetContracts(ContractChanges),
}

impl Organization {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Set(_) => "set-organization",
            Self::Suspend => "suspend-organization",
            Self::Unload => "unload-organization",
            Self::SetCredentials(_) => "set-credentials",
            Self::Test(_) => "test-organization",
            Self::Unredact(_) => "unredact",
            Self::ExportCases(_) => "export-cases",
            Self::SetAddresses(_) => "set-addresses",
            Self::SetContracts(_) => "set-contracts",
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Set(settings) => settings.check(),
            Self::Suspend | Self::Unload => Ok(()),
            Self::SetCredentials(change) => label("/user", &change.user, USER_MOST),
            Self::Test(tried) => label("/failed", &tried.failed, OWNER_MOST),
            Self::Unredact(undoing) => hash("/sha256", &undoing.sha256),
            Self::ExportCases(export) => export.file.as_ref().map_or(Ok(()), |file| hash("/file/sha256", &file.sha256)),
            Self::SetAddresses(changes) => changes.check(),
            Self::SetContracts(changes) => changes.check(),
        }
    }
}

/// The longest user of an end customer, in characters.
pub const USER_MOST: usize = 128;

/// By which user an end customer's controller comes. It is no state of the lanes: they keep the record of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialsChange {
    /// The user; empty for none any more.
    pub user: String,
}

/// How a try of the way to the upstream went. It is no state of the lanes: they keep the record of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionTried {
    /// The step that failed; empty where none has.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub failed: String,
}

/// The document whose pseudonyms are undone. It is no state of the lanes: they keep the record of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undoing {
    /// The SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// How many they are.
    pub size: u64,
}

/// What of an organization's cases is handed out. It is no state of the lanes: they keep the record of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CasesExport {
    /// One file as it is; none: what may leave of all that whoever asks sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<CaseFile>,
}

/// A file that belongs to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseFile {
    /// The incident of the case.
    pub incident: IncidentId,
    /// The SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// The shortest interval at which snapshots of devices go to the upstream, in seconds.
pub const SNAPSHOT_LEAST_S: u64 = 3_600;

/// What can be set on an organization. Source: DOMAIN, "Organizations, groups, people".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// By what the support system and partners above know it; empty: its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alias: String,
    /// Who solves what it reports, where nobody says otherwise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub handling: Handling,
    /// Whether its cases are real.
    #[serde(default, skip_serializing_if = "is_default")]
    pub submit_case_as: SubmitCaseAs,
    /// Where spare parts go for it instead of to the partner; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Whether the bundles of its cases, and what else belongs to them, go to the upstream too.
    #[serde(default = "is_uploading", skip_serializing_if = "is_true")]
    pub upload: bool,
    /// How often the newest information bundle of each of its devices goes to the upstream, in seconds; 0 for never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub snapshot_interval_s: u64,
    /// What needs approval here, beside what needs it everywhere.
    #[serde(default, skip_serializing_if = "is_default")]
    pub approvals: ApprovalRules,
    /// Its quotas; from engine level 13 on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quotas: Quotas,
    /// Hash of the configuration this was read from; none when it was set otherwise, which leaves what the
    /// configuration last said as it is.
    #[serde(default)]
    pub loaded: Option<String>,
}

impl OrganizationSettings {
    /// Whether every text and list of it is within its bounds.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), Fault> {
        label("/display_name", &self.display_name, OWNER_MOST)?;
        label("/alias", &self.alias, CONTROLLER_MOST)?;
        text("/address", &self.address, ADDRESS_MOST)?;
        if (1..SNAPSHOT_LEAST_S).contains(&self.snapshot_interval_s) {
            let message = format!("is less than {SNAPSHOT_LEAST_S} seconds; 0 means never");
            return Err(Fault::new("/snapshot_interval_s", message));
        }
        self.quotas.check()?;
        list("/device_groups", &self.device_groups)?;
        for (at, group) in self.device_groups.iter().enumerate() {
            label(&format!("/device_groups/{at}/name"), &group.name, OWNER_MOST)?;
            list(&format!("/device_groups/{at}/devices"), &group.devices)?;
            for (device, name) in group.devices.iter().enumerate() {
                label(&format!("/device_groups/{at}/devices/{device}"), name, OWNER_MOST)?;
            }
        }
        Ok(())
    }
}

const fn is_uploading() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
const fn is_true(value: &bool) -> bool {
    *value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Who solves a case that an end customer has reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Handling {
    /// The upstream: it is sent on.
    #[default]
    Forward,
    /// The partner.
    Own,
}

impl Handling {
    /// All of them with their words.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Forward, "forward"), (Self::Own, "own")];
}

/// Whether an organization's cases are real. Source: DOMAIN, "Organizations, groups, people".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum SubmitCaseAs {
    /// They are.
    #[default]
    #[serde(rename = "Real Cases")]
    Real,
    /// They are tries: marked in the synopsis, and no bundle goes with them.
    #[serde(rename = "Test Cases")]
    Test,
}

impl SubmitCaseAs {
    /// Both with their exact spelling.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Real, "Real Cases"), (Self::Test, "Test Cases")];
}

/// A group of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceGroup {
    /// Its name.
    pub name: String,
    /// Host names, `*` standing for any text.
    pub devices: Vec<String>,
}
