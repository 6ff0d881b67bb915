//! What is kept of an organization, and how versions before had it: each added fields at the end.

use std::borrow::Cow;

use linesman_schemas::approval::{ApprovalRule, ApprovalRules};
use linesman_schemas::command::{DeviceGroup, Handling, SubmitCaseAs};
use linesman_schemas::{FilterLevel, OrgName, Quotas};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::cases::CASCADE;
use crate::coded;
use crate::state::Base;
use crate::table::{self, Key, Row, Table};
use crate::{approvals, quotas, uploads};

/// Whether an organization takes part. Stored by its place: a new word is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It does.
    Active,
    /// It does not for now; nothing of it is deleted.
    Suspended,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrgRow {
    /// The name people see.
    pub display_name: String,
    /// Whether it stands for an end customer.
    pub is_proxy: bool,
    /// What may leave of its bundles.
    #[serde(with = "coded")]
    pub filter_level: FilterLevel,
    /// Whether it takes part.
    pub standing: Standing,
    /// Its device groups, the first match counts.
    pub device_groups: Vec<GroupRow>,
    /// Hash of what the configuration file last said of it; none once the file no longer names it.
    pub loaded: Option<String>,
    /// How many incidents it has had.
    pub incidents: u64,
    /// How many events it has emitted.
    pub events: u64,
    /// How many reactions were decided for it.
    pub reactions: u64,
    /// By what those above know it; empty: its name.
    pub alias: String,
    /// Who solves what it reports, where nobody says otherwise.
    #[serde(with = "coded")]
    pub handling: Handling,
    /// Whether its cases are real.
    #[serde(with = "coded")]
    pub submit_case_as: SubmitCaseAs,
    /// Where spare parts go for it; empty: where the upstream knows.
    pub address: String,
    /// Whether the bytes of its cases go to the upstream.
    pub upload: bool,
    /// How often the newest information bundle of each of its devices goes there, in seconds; 0 for never.
    pub snapshot_interval_s: u64,
    /// What needs approval here.
    pub approvals: ApprovalsRow,
    /// Its quotas.
    pub quotas: QuotasRow,
}

/// The quotas of an organization, as it was given them: messages and bytes a day, devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QuotasRow(Option<u64>, Option<u64>, Option<u64>);

impl From<Quotas> for QuotasRow {
    fn from(quotas: Quotas) -> Self {
        // The quota of remembered ids stands in a row of its own.
        let Quotas { messages, bytes, devices, remembered_ids: _ } = quotas;
        Self(messages, bytes, devices)
    }
}

impl From<QuotasRow> for Quotas {
    fn from(QuotasRow(messages, bytes, devices): QuotasRow) -> Self {
        Self { messages, bytes, devices, remembered_ids: None }
    }
}

/// What needs approval in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ApprovalsRow {
    #[serde(with = "coded")]
    send_intelligence: ApprovalRule,
    #[serde(with = "coded")]
    forward_case: ApprovalRule,
    #[serde(with = "coded")]
    activate_service: ApprovalRule,
}

impl From<ApprovalRules> for ApprovalsRow {
    fn from(rules: ApprovalRules) -> Self {
        let ApprovalRules { send_intelligence, forward_case, activate_service } = rules;
        Self { send_intelligence, forward_case, activate_service }
    }
}

impl From<ApprovalsRow> for ApprovalRules {
    fn from(row: ApprovalsRow) -> Self {
        let ApprovalsRow { send_intelligence, forward_case, activate_service } = row;
        Self { send_intelligence, forward_case, activate_service }
    }
}

/// What version 2 added: what is said of an organization in the cascade.
#[derive(Serialize)]
struct AddedFirst<'a> {
    alias: &'a str,
    #[serde(with = "coded")]
    handling: Handling,
    #[serde(with = "coded")]
    submit_case_as: SubmitCaseAs,
    address: &'a str,
}

/// What version 3 added: whether bytes go upward, and how often.
type AddedThen = (bool, u64);

/// What that was before anybody could say so.
const BEFORE: AddedThen = (true, 0);

/// What versions 4 and 5 added: what needs approval, which nothing did before, and quotas, of which there were none.
type AddedLast = (ApprovalsRow, QuotasRow);

impl OrgRow {
    fn added(&self) -> (AddedFirst<'_>, AddedThen, AddedLast) {
        let Self { alias, handling, submit_case_as, address, .. } = self;
        let first = AddedFirst { alias, handling: *handling, submit_case_as: *submit_case_as, address };
        (first, (self.upload, self.snapshot_interval_s), (self.approvals, self.quotas))
    }
}

/// A group of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    /// Its name.
    pub name: String,
    /// Host names, `*` standing for any text.
    pub devices: Vec<String>,
}

impl OrgRow {
    /// What stands for an organization where the provider's own is told of beside those of organizations.
    pub fn of_provider() -> Self {
        Self {
            display_name: String::new(),
            is_proxy: false,
            filter_level: FilterLevel::DoNotSend,
            standing: Standing::Active,
            device_groups: Vec::new(),
            loaded: None,
            incidents: 0,
            events: 0,
            reactions: 0,
            alias: String::new(),
            handling: Handling::default(),
            submit_case_as: SubmitCaseAs::default(),
            address: String::new(),
            upload: false,
            snapshot_interval_s: 0,
            approvals: ApprovalsRow::default(),
            quotas: QuotasRow::default(),
        }
    }
}

impl Row for OrgRow {
    const VERSION: u8 = 5;

    fn upgrade(version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
        match version {
            1 => {
                let (handling, submit_case_as) = (Handling::Forward, SubmitCaseAs::Real);
                let first = AddedFirst { alias: "", handling, submit_case_as, address: "" };
                table::with_added(bytes, &(first, BEFORE, AddedLast::default()))
            }
            2 => table::with_added(bytes, &(BEFORE, AddedLast::default())),
            3 => table::with_added(bytes, &AddedLast::default()),
            4 => table::with_added(bytes, &QuotasRow::default()),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    fn form<'a>(&self, level: u32, stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        if level >= quotas::LEVEL {
            return Ok(Cow::Borrowed(stored));
        }
        if level >= approvals::LEVEL {
            return table::without_added(self, 4, &self.quotas).map(Cow::Owned);
        }
        let (_, then, last) = self.added();
        if level >= uploads::LEVEL {
            return table::without_added(self, 3, &last).map(Cow::Owned);
        }
        if level >= CASCADE {
            return table::without_added(self, 2, &(then, last)).map(Cow::Owned);
        }
        table::without_added(self, 1, &self.added()).map(Cow::Owned)
    }
}

impl From<DeviceGroup> for GroupRow {
    fn from(group: DeviceGroup) -> Self {
        Self { name: group.name, devices: group.devices }
    }
}

/// The table of organizations.
pub const ORGANIZATIONS: Table<OrgRow> = Table::new(b'o');

/// An organization's key.
pub fn key(org: &OrgName) -> Key<OrgRow> {
    ORGANIZATIONS.key(&[], org.as_str().as_bytes())
}

/// All organizations of a lane, in order of name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<(OrgName, OrgRow), Error>> {
    ORGANIZATIONS
        .rows(base, &[])
        .filter_map(|row| row.map(|(own, row)| Some((std::str::from_utf8(&own).ok()?.parse().ok()?, row))).transpose())
}
