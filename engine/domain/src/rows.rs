//! What the state's rows hold, and under which keys.
//!
//! A key is one letter for the table and then the row's own key, big-endian where it is a number, so
//! that key order is the order of arrival. Values are postcard. Texts in keys end with a zero byte,
//! which no name contains.
//!
//! ```text
//! a                         Position: how far the lane is
//! b                         BookRow: the rule book that applies
//! c <org> 0 <number>        CaseRow
//! d <org> 0 <serial>        DeviceRow
//! h <page>                  Sighting, 256 to a page, in order of arrival
//! i <org> 0 <page>          IncidentRow, 16 to a page, in order of arrival
//! k <org> 0 <command id>    CommandRow
//! m <org> 0 <number>        NotesRow
//! n <org> 0 <id>            IntelligenceRow
//! o <org>                   OrgRow
//! q <destination> 0 <org> 0 <not before> <reaction id>    nothing: the order of pending reactions
//! r <reaction id>           PendingRow
//! s <org> 0 <serial>        SnapshotsRow
//! t <due> <timer>           nothing: timers in order
//! u <destination>           RequestsRow
//! x <destination>           CircuitRow
//! ```

pub mod key;

use jiff::Timestamp;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::DeviceGroup;
use linesman_schemas::{FilterLevel, OrgName, PolicyName, Priority};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Error;
use super::state::Base;
pub use key::Key;

/// How far a lane is, and by what it knows its log again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Sequence in IN of the last input decided; 0 before the first.
    pub sequence: u64,
    /// SHA-256 of that input's bytes.
    pub message: [u8; 32],
    /// Running digest over every input's productions.
    pub digest: [u8; 32],
    /// The clock: the latest message time seen.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub now: Timestamp,
    /// Which IN this is: its creation time.
    pub stream: String,
    /// The engine level that decided.
    pub level: u32,
}

/// The rule book that applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookRow {
    /// Its version.
    pub version: u64,
    /// SHA-256 of its content, its name in the object store.
    pub hash: String,
}

/// Whether an organization takes part.
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
    pub filter_level: FilterLevel,
    /// Whether it takes part.
    pub standing: Standing,
    /// Its device groups, the first match counts.
    pub device_groups: Vec<DeviceGroup>,
    /// Hash of what the configuration file last said of it; none once the file no longer names it.
    pub loaded: Option<String>,
    /// How many incidents it has had.
    pub incidents: u64,
    /// How many events it has emitted.
    pub events: u64,
    /// How many reactions were decided for it.
    pub reactions: u64,
}

/// A device, known by its first bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRow {
    /// When its first bundle entered the log.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub first_seen: Timestamp,
    /// When its latest bundle did, to the hour.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub last_seen: Timestamp,
    /// Its host name, as the latest bundle gave it.
    pub host_name: String,
    /// Its model.
    pub product: String,
    /// Its system family.
    pub platform: String,
    /// The version of its operating system.
    pub os_version: String,
    /// Its address for management.
    pub management_address: String,
    /// The device group it belongs to; empty for none.
    pub group: String,
}

/// Where a bundle stands in IN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleRef {
    /// Its sequence.
    pub sequence: u64,
    /// Its length in bytes.
    pub length: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Attachments, then logs.
    pub parts: Vec<PartRef>,
}

/// An attachment or a log within its bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRef {
    /// Its name.
    pub name: String,
    /// Whether it is a log.
    pub is_log: bool,
    /// Where its content begins.
    pub start: u64,
    /// Where it ends; the same as `start` when it only names a file.
    pub end: u64,
}

/// Who works on an incident. Source: DOMAIN, "Incidents and cases".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Nobody yet.
    Unassigned,
    /// Somebody's.
    Assigned,
    /// Being worked on.
    InProgress,
    /// Done.
    Completed,
}

impl Status {
    /// The status as users read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Assigned => "assigned",
            Self::InProgress => "in progress",
            Self::Completed => "completed",
        }
    }
}

/// A problem bundle detected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRow {
    /// The device's own id of the event.
    pub host_event_id: String,
    /// `event`, `on-demand`, `event-rma`, `on-demand-rma`, `health-check`.
    pub kind: String,
    /// Whether the controller made the bundle.
    pub is_off_box: bool,
    /// The device's serial number.
    pub serial_number: String,
    /// The event type.
    pub event_type: String,
    /// Its group; empty for none.
    pub event_type_group: String,
    /// `proactive`, `reactive`; empty for none.
    pub service_type: String,
    /// One line on the problem.
    pub synopsis: String,
    /// The problem at length; empty for none.
    pub description: String,
    /// How urgent.
    pub priority: Priority,
    /// Syslog severity.
    pub severity: Option<u8>,
    /// When the device saw it.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub occurred: Timestamp,
    /// When the bundle entered the log.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub detected: Timestamp,
    /// Who works on it.
    pub status: Status,
    /// Whose it is; empty for nobody's.
    pub owner: String,
    /// How often the same host-event-ID came again.
    pub repeats: u64,
    /// The bundle.
    pub bundle: BundleRef,
}

/// Where a case stands. The project's own state machine:
///
/// ```text
/// Draft --submitted--> Waiting
/// Waiting --accepted--> Submitted --case id--> Created --change--> Updated --closed--> Closed
///    |                                             \------------------------------------^
///    +-- refused, or deadline passed --> Failed
///    +-- filter level lowered to `Do not send` --> Withheld
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CaseState {
    /// Somebody wrote down what is to be said of it; it is not submitted.
    Draft,
    /// Its reaction is pending.
    Waiting,
    /// The filter level lets nothing out.
    Withheld,
    /// The upstream has accepted it.
    Submitted,
    /// It has a case id.
    Created,
    /// It changed since.
    Updated,
    /// The upstream closed it.
    Closed,
    /// It was refused or given up.
    Failed,
}

impl CaseState {
    /// The state as users read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Waiting => "waiting",
            Self::Withheld => "withheld",
            Self::Submitted => "submitted",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }
}

/// An incident's case at the upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRow {
    /// Where it stands.
    pub state: CaseState,
    /// The reaction that opens it; empty for a draft.
    pub reaction: String,
    /// The policy that wanted it; none where somebody did.
    pub policy: Option<PolicyName>,
    /// What was said of it.
    pub request: CaseText,
    /// The upstream's receipt; empty before.
    pub transaction_id: String,
    /// Its id; empty before.
    pub case_id: String,
    /// The upstream's word for its status; empty before.
    pub status: String,
    /// The upstream's word before that.
    pub previous_status: String,
    /// Where people see it; empty for none.
    pub link: String,
    /// When the upstream changed it last.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub updated: Timestamp,
    /// When it was decided.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub opened: Timestamp,
}

/// What is said of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaseText {
    /// One line on the problem.
    pub synopsis: String,
    /// What the customer adds.
    pub comments: String,
    /// How urgent.
    pub priority: Option<Priority>,
    /// Who else hears of it.
    pub cc: Vec<String>,
    /// How to keep in touch.
    pub follow_up: linesman_schemas::reaction::FollowUp,
}

/// A reaction that is still to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRow {
    /// Whose it is; none for the provider's own.
    pub org: Option<OrgName>,
    /// Where it goes: the connector's name.
    pub destination: String,
    /// Which try is next, from 1.
    pub attempt: u32,
    /// Not to be tried before.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub not_before: Timestamp,
    /// Not to be tried after.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub deadline: Timestamp,
    /// Whether its organization is suspended.
    pub is_held: bool,
    /// The incident it is about, by number.
    pub incident: Option<u64>,
    /// The action, in JSON.
    pub action: String,
}

/// A destination that fails is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CircuitRow {
    /// Failures in a row.
    pub failures: u32,
    /// Left alone until then; while it is set, one attempt at a time probes.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub open_until: Option<Timestamp>,
    /// How long the last rest was, in seconds.
    pub rest_s: u64,
}

/// How many requests a destination had, by minute of log time, for the last hour.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RequestsRow {
    /// Minutes since the epoch and requests, oldest first, at most 61.
    pub minutes: Vec<(i64, u32)>,
}

/// An intelligence message, kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntelligenceRow {
    /// The message.
    pub message: linesman_schemas::intelligence::Intelligence,
    /// When it entered the log.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub received: Timestamp,
    /// How often the same id came again.
    pub repeats: u64,
}

/// A device's information bundles, the latest by the device's time first, at most [`SNAPSHOTS_MOST`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SnapshotsRow {
    /// The snapshots.
    pub snapshots: Vec<Snapshot>,
}

/// How many snapshots of a device are kept.
pub const SNAPSHOTS_MOST: usize = 8;

/// An information bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The device's own id of it.
    pub host_event_id: String,
    /// When the device made it.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub occurred: Timestamp,
    /// When it entered the log.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub received: Timestamp,
    /// The bundle.
    pub bundle: BundleRef,
}

/// What became of a command; kept for a day of log time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRow {
    /// What became of it.
    pub verdict: Verdict,
    /// What was done, or why not.
    pub detail: String,
    /// SHA-256 of what was asked for, in JSON: the same id means the same.
    pub asked: [u8; 32],
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub decided: Timestamp,
}

/// What people have said of an incident, oldest first, at most [`NOTES_MOST`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NotesRow {
    /// The notes.
    pub notes: Vec<NoteRow>,
}

/// How many notes of an incident are kept.
pub const NOTES_MOST: usize = 100;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteRow {
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// What is said.
    pub text: String,
}

/// What most rows fit in, in bytes.
const ROW_BYTES: usize = 512;

/// Writes a row's value.
///
/// # Errors
/// The value has no form in postcard.
pub fn encode<T: Serialize>(row: &T) -> Result<Vec<u8>, Error> {
    postcard::to_extend(row, Vec::with_capacity(ROW_BYTES)).map_err(Error::Encode)
}

/// The row under `key`, if there is one.
///
/// # Errors
/// The base cannot be read, or the row is not what [`encode`] wrote.
pub fn read<V: DeserializeOwned>(base: &(impl Base + ?Sized), key: &Key<V>) -> Result<Option<V>, Error> {
    base.get(key.as_bytes())?.map(|bytes| decode(key.as_bytes(), &bytes)).transpose()
}

/// Reads a row's value.
///
/// # Errors
/// The bytes are not what [`encode`] wrote; `key` names the row in the error.
pub fn decode<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, Error> {
    postcard::from_bytes(bytes).map_err(|source| Error::Row { key: key.escape_ascii().to_string(), source })
}
