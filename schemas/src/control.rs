//! What concerns a whole lane: `p.<lane>.ctl`, and the rule book it points to.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::approval::ApprovalSettings;
use crate::command::Command;
use crate::mode::Mode;
use crate::mode::Upstream;
use crate::outcome::Attempt;
use crate::trigger::Expiry;
use crate::{OrgName, PolicyName, Principal, Quotas, SourceName};

/// A message on a lane's control subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// A rule book applies from here on. Lanes ignore versions they have.
    RuleBook(RuleBookRef),
    /// A reaction of the provider's own was attempted.
    Attempt(Box<Attempt>),
    /// The lane is idle and something is due: its time alone matters.
    Tick,
    /// Something is asked of the provider; lane 0 decides it.
    Command(Box<Command>),
    /// The lane decides at this engine level from the input behind this one on, unless it does at a higher one.
    Level(u32),
    /// There is work in slices: the lane does one, and sends itself the next message as long as there is more.
    Continue,
    /// Likewise, where nobody else has sent anything lately: the slice may be larger; from engine level 8 on.
    ContinueAlone,
    /// A source goes on elsewhere: what it found before is in the log. Lane 0 keeps it.
    Cursor(SourceCursor),
    /// Something of the installation runs out, or has; from engine level 7 on. Lane 0 says it once.
    Expiry(Expiry),
    /// An intelligence message of the provider's, for every lane; from engine level 10 on. Lanes ignore numbers they have.
    Intelligence(IntelligenceRef),
    /// What the engine's clocks say, by which a message's time far ahead is believed; from engine level 14 on.
    Clock(ClockReading),
    /// Somebody has confirmed what time it is: the time of this message is believed however far ahead, where it is about the one
    /// that was confirmed; from engine level 16 on.
    ClockConfirmed(ClockConfirmed),
}

/// That somebody has confirmed what time it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockConfirmed {
    /// The time that was confirmed: by the NATS server's clock, when it was asked for.
    pub time: Timestamp,
    /// By whom.
    pub by: Principal,
    /// The engine that wrote it.
    pub node: String,
}

/// What time it is by an engine's clocks. The first reading behind a message whose time is far ahead of the lane's clock tells
/// whether that is believed; lanes send themselves one where something is due, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockReading {
    /// By its time of day.
    pub at: Timestamp,
    /// In the lane, by what has passed on its steady clock since the lane's moved last.
    pub lane: Timestamp,
}

/// Which intelligence message: content by hash in the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntelligenceRef {
    /// Counts up from 1 with each message that lane 0 takes in, and each that it replaces.
    pub number: u64,
    /// The message's id at its source.
    pub id: String,
    /// SHA-256 of its content in hexadecimal, and its name in the object store.
    pub sha256: String,
    /// How many bytes the content has.
    pub bytes: u64,
}

/// Where a source goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceCursor {
    /// Which source.
    pub source: SourceName,
    /// What its next poll begins from; none: from the beginning.
    pub cursor: Option<String>,
    /// Counts up from 1 with each report of the source; one that is not above what is known is passed over.
    pub number: u64,
}

/// A section of the rule book: what changes by itself. Its words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// The provider's people and groups.
    Directory,
    /// How the installation is connected; from engine level 6 on, and only where that was ever said.
    Installation,
    /// The policies, and the files of policies that could not be loaded.
    Policies,
    /// The services with their templates, and the parameters of all of them.
    Services,
    /// The numbers that decisions depend on.
    Settings,
}

impl Section {
    /// All sections, by word.
    pub const ALL: [Self; 5] = [Self::Directory, Self::Installation, Self::Policies, Self::Services, Self::Settings];
    /// Those that come from files.
    pub const OF_FILES: [Self; 3] = [Self::Policies, Self::Services, Self::Settings];
    /// Those without which nothing is judged; a rule book of before sections has them in its one content.
    pub const NEEDED: [Self; 2] = [Self::Policies, Self::Settings];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Installation => "installation",
            Self::Policies => "policies",
            Self::Services => "services",
            Self::Settings => "settings",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which content a section has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SectionRef {
    /// The section.
    pub section: Section,
    /// SHA-256 of its content, in hexadecimal; also its name in the object store.
    pub hash: String,
}

/// Which rule book: content by hash in the object store.
///
/// A rule book of before sections is one content that has all of them, under its own hash; it names no sections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleBookRef {
    /// Counts up.
    pub version: u64,
    /// By what it is known: SHA-256 of the content in hexadecimal, which is also its name in the object store; of a
    /// rule book in sections, of their words and hashes.
    pub hash: String,
    /// Its sections, by word; none in a rule book of before sections.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<SectionRef>,
}

impl RuleBookRef {
    /// The name in the object store of the content that a section is read from; none where it has none.
    pub fn content(&self, section: Section) -> Option<&str> {
        match self.sections.iter().find(|found| found.section == section) {
            Some(found) => Some(&found.hash),
            // One of before sections has those in its one content.
            None => (self.sections.is_empty() && Section::NEEDED.contains(&section)).then_some(&self.hash),
        }
    }
}

/// The content of the section of policies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoliciesSection {
    /// All policies, by name.
    pub policies: Vec<PolicySource>,
    /// As in [`RuleBook::refused`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedPolicy>,
}

/// The content of the section of the installation. Nothing of it is secret: who has the rule book has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationSection {
    /// How it is connected.
    pub mode: Mode,
    /// What its upstream is.
    #[serde(default, skip_serializing_if = "Upstream::is_support_system")]
    pub upstream: Upstream,
}

/// The content of the section of settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsSection {
    /// The numbers that decisions depend on.
    pub settings: Settings,
}

/// What all lanes judge by, as one content: how rule books were before sections. Each section can be read from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleBook {
    /// The numbers that decisions depend on.
    pub settings: Settings,
    /// All policies, by name.
    pub policies: Vec<PolicySource>,
    /// The files that could not be loaded when it was made. Lanes do not judge by them; they tell
    /// whose they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedPolicy>,
}

/// A policy file that cannot be loaded. Also the data of the trigger `policy.refused`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedPolicy {
    /// Where it lies in the rule directory, such as `acme/night-shift.rhai`.
    pub path: String,
    /// The organization whose own it is; none for one of everyone's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OrgName>,
    /// SHA-256 of the text that was refused, in hexadecimal.
    pub hash: String,
    /// Where the first fault is: its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// What is wrong there.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The policy that goes on with its last good text; none when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays: Option<PolicyName>,
}

impl RefusedPolicy {
    /// Whether both are about the same text of the same file.
    pub fn is_same_text(&self, other: &Self) -> bool {
        self.path == other.path && self.hash == other.hash
    }
}

/// One policy's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySource {
    /// Its name; one with an owner is `<owner>/<file>`.
    pub name: PolicyName,
    /// The organization whose own it is; none for one of the library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OrgName>,
    /// The script.
    pub source: String,
    /// Where it came from; none for the file of its name in a rule directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

impl PolicySource {
    /// Where it came from, such as `file acme/night-shift.rhai`.
    pub fn origin(&self) -> String {
        self.origin.clone().unwrap_or_else(|| format!("file {}.rhai", self.name))
    }
}

/// The numbers that decisions depend on. They reach the lanes through the rule book, so that a
/// replay uses those of its moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How long a host-event-ID is remembered, from the incident's detection.
    pub host_event_retention_s: u64,
    /// How often the upstream is asked for changed cases.
    pub case_poll_s: u64,
    /// How long a reaction is tried.
    pub reaction_deadline_s: u64,
    /// The wait before the second attempt; doubled for each further one.
    pub retry_base_s: u64,
    /// The longest wait between attempts.
    pub retry_most_s: u64,
    /// How many failures in a row open a destination's circuit.
    pub circuit_failures: u32,
    /// How long an open circuit rests before one attempt probes it; doubled while probes fail.
    pub circuit_rest_s: u64,
    /// The longest rest of a circuit.
    pub circuit_rest_most_s: u64,
    /// How long the audit keeps what a record says, beside its hash; 0: for ever.
    #[serde(skip_serializing_if = "is_zero")]
    pub audit_retention_s: u64,
    /// How long what end customers have uploaded with a case is kept once that is closed.
    #[serde(skip_serializing_if = "is_a_week")]
    pub upload_retention_s: u64,
    /// How many messages of an organization's publishers are decided a day, where the organization says nothing else; 0: all.
    #[serde(skip_serializing_if = "is_zero")]
    pub quota_messages: u64,
    /// How many bytes of them.
    #[serde(skip_serializing_if = "is_zero")]
    pub quota_bytes: u64,
    /// How many devices an organization has.
    #[serde(skip_serializing_if = "is_zero")]
    pub quota_devices: u64,
    /// How many host-event-IDs of an organization are remembered; from engine level 16 on.
    #[serde(skip_serializing_if = "is_zero")]
    pub quota_remembered_ids: u64,
    /// By how much a message's time may be ahead of its lane's clock and be believed at once.
    #[serde(skip_serializing_if = "is_five_minutes")]
    pub clock_jump_s: u64,
    /// What needs approval, and how long there is to decide.
    #[serde(skip_serializing_if = "is_usual")]
    pub approvals: ApprovalSettings,
    /// In which order many devices are told of activations.
    #[serde(skip_serializing_if = "is_default")]
    pub activations: ActivationSettings,
}

/// In which order many devices are told of activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActivationSettings {
    /// How many devices have to have taken their change before the others are told; 0: all are told.
    pub canary: u32,
    /// From how many changes on that is so.
    pub canary_from: u32,
    /// When more of them than so many in a hundred have failed, and more than one, the rest is held; 0: when one has.
    pub failure_percent: u32,
}

impl Default for ActivationSettings {
    fn default() -> Self {
        Self { canary: 1, canary_from: 5, failure_percent: 20 }
    }
}

/// What is not said does not change the hash of settings from before it could be.
fn is_default(activations: &ActivationSettings) -> bool {
    *activations == ActivationSettings::default()
}

/// What is not said does not change the hash of settings from before it could be.
fn is_usual(approvals: &ApprovalSettings) -> bool {
    *approvals == ApprovalSettings::default()
}

const WEEK_S: u64 = 7 * 86_400;

/// What is not said does not change the hash of settings from before it could be.
fn is_a_week(retention_s: &u64) -> bool {
    *retention_s == WEEK_S
}

const FIVE_MINUTES_S: u64 = 5 * 60;

/// What is not said does not change the hash of settings from before it could be.
fn is_five_minutes(jump_s: &u64) -> bool {
    *jump_s == FIVE_MINUTES_S
}

/// What is not said does not change the hash of settings from before it could be.
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Settings {
    /// The quotas of organizations that say nothing else.
    pub fn quotas(&self) -> Quotas {
        Quotas {
            messages: Some(self.quota_messages),
            bytes: Some(self.quota_bytes),
            devices: Some(self.quota_devices),
            remembered_ids: Some(self.quota_remembered_ids),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host_event_retention_s: 90 * 86_400,
            case_poll_s: 120,
            reaction_deadline_s: 7 * 86_400,
            retry_base_s: 2,
            retry_most_s: 300,
            circuit_failures: 5,
            circuit_rest_s: 30,
            circuit_rest_most_s: 600,
            audit_retention_s: 0,
            upload_retention_s: WEEK_S,
            quota_messages: 0,
            quota_bytes: 0,
            quota_devices: 0,
            quota_remembered_ids: 0,
            clock_jump_s: FIVE_MINUTES_S,
            approvals: ApprovalSettings::default(),
            activations: ActivationSettings::default(),
        }
    }
}
