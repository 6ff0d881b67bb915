//! What a bundle says, borrowed from its text.
//!
//! `C` is what stands for a part's contents: a byte range of the original after decoding,
//! [`Content`](super::Content) before encoding.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;

use super::encoding::Encoding;
use crate::Priority;

/// One message bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle<'a, C = Range<usize>> {
    /// What its bytes are.
    pub source: Source,
    /// The type.
    pub kind: Kind,
    /// The variant of that type.
    pub variant: Variant,
    /// Made by the controller from a list of commands, not by scripts on the device.
    pub is_off_box: bool,
    /// Version of the format; its major part is 1.
    pub version: Cow<'a, str>,
    /// The header.
    pub manifest: Manifest<'a>,
    /// Measurements over time.
    pub trend: Vec<Sample<'a>>,
    /// Outputs of commands.
    pub attachments: Vec<Part<'a, C>>,
    /// Logs, inline or named.
    pub logs: Vec<Part<'a, C>>,
}

/// What the bytes are that a bundle was decoded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// How they are read.
    pub encoding: Encoding,
    /// Whether whatever reads XML, but for its namespaces, reads them so: they are UTF-8, or all of ASCII and called US-ASCII or
    /// ISO-8859-1, of XML 1.0, and nothing of them is damaged.
    pub is_readable: bool,
}

impl Default for Source {
    fn default() -> Self {
        Self { encoding: Encoding::Utf8, is_readable: true }
    }
}

impl<C> Bundle<'_, C> {
    /// Whether it reports a problem: all do but device snapshots.
    pub fn is_problem(&self) -> bool {
        is_problem(self.kind, self.variant)
    }

    /// The type of the incident that the bundle gives rise to. Source: DOMAIN, "Incidents and cases".
    pub fn incident_kind(&self) -> Option<&'static str> {
        match (self.kind, self.variant) {
            (Kind::Information, _) | (Kind::OnDemand, Variant::Information) => None,
            (_, Variant::HealthCheck) => Some("health-check"),
            (Kind::Event, Variant::Rma) => Some("event-rma"),
            (Kind::Event, _) => Some("event"),
            (Kind::OnDemand, Variant::Rma) => Some("on-demand-rma"),
            (Kind::OnDemand, _) => Some("on-demand"),
        }
    }
}

/// Whether bundles of this type and variant report a problem.
pub(super) fn is_problem(kind: Kind, variant: Variant) -> bool {
    !matches!((kind, variant), (Kind::Information, _) | (Kind::OnDemand, Variant::Information))
}

/// A bundle's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A problem seen by the device (eJMB).
    Event,
    /// A device snapshot (iJMB).
    Information,
    /// Asked for by a person (oJMB).
    OnDemand,
}

impl Kind {
    /// All types.
    pub const ALL: [Self; 3] = [Self::Event, Self::Information, Self::OnDemand];

    /// The value of the attribute `type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Information => "information",
            Self::OnDemand => "on-demand",
        }
    }

    /// The variants that bundles of this type have.
    pub const fn variants(self) -> &'static [Variant] {
        match self {
            Self::Event => &[Variant::None, Variant::Rma, Variant::HealthCheck],
            Self::Information => &[Variant::None],
            Self::OnDemand => &[Variant::Event, Variant::Information, Variant::Rma],
        }
    }
}

/// What a bundle's type leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// No attribute `variant`.
    None,
    /// A component failed.
    Rma,
    /// A routine check found something.
    HealthCheck,
    /// On demand, made like an event bundle.
    Event,
    /// On demand, made like a device snapshot.
    Information,
}

impl Variant {
    /// All variants.
    pub const ALL: [Self; 5] = [Self::None, Self::Rma, Self::HealthCheck, Self::Event, Self::Information];

    /// The value of the attribute `variant`; empty if there is none.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Rma => "rma",
            Self::HealthCheck => "health-check",
            Self::Event => "event",
            Self::Information => "information",
        }
    }
}

/// A bundle's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest<'a> {
    /// `<router>-<serial>-<YYYYMMDD>-<HHMMSS>-<sequence>`, see [`HostEventId`](super::HostEventId).
    pub host_event_id: Cow<'a, str>,
    /// `Support`; not in device snapshots.
    pub problem_class: Option<Cow<'a, str>>,
    /// `proactive` or `reactive`.
    pub service_type: Option<Cow<'a, str>>,
    /// When it happened, by the device's clock; from 1970 on.
    pub time_occurred: Timestamp,
    /// The family of the event type.
    pub event_type_group: Option<Cow<'a, str>>,
    /// The problem. INVARIANT (problem bundles have a problem): some exactly if
    /// [`Bundle::is_problem`].
    pub problem: Option<Problem<'a>>,
    /// Syslog severity, 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// Who speaks.
    pub device: Device<'a>,
    /// Version of the scripts that made the bundle.
    pub script_version: Option<Cow<'a, str>>,
    /// How those scripts were set.
    pub script_parameters: Vec<ScriptParameter<'a>>,
    /// Core files left on the device.
    pub core_files: Vec<CoreFile<'a>>,
    /// The failed component.
    pub rma: Option<Rma<'a>>,
}

/// A script's parameter: name and value.
pub type ScriptParameter<'a> = (Cow<'a, str>, Cow<'a, str>);

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem<'a> {
    /// Such as `CHASSISD_FRU_OFFLINE_NOTICE`.
    pub event_type: Cow<'a, str>,
    /// One line.
    pub synopsis: Cow<'a, str>,
    /// The whole story.
    pub description: Option<Cow<'a, str>>,
    /// How urgent.
    pub priority: Priority,
}

/// The device that a bundle is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device<'a> {
    /// Its name.
    pub host_name: Cow<'a, str>,
    /// Where it is managed from.
    pub management_address: Option<Cow<'a, str>>,
    /// The chassis' serial number.
    pub serial_number: Cow<'a, str>,
    /// The model (`MX240`).
    pub product: Cow<'a, str>,
    /// The system family (`junos`).
    pub platform: Option<Cow<'a, str>>,
    /// The release of its system.
    pub os_version: Cow<'a, str>,
    /// Part numbers.
    pub part_numbers: Vec<Cow<'a, str>>,
    /// Its routing engines.
    pub routing_engines: Vec<RoutingEngine<'a>>,
}

/// One routing engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingEngine<'a> {
    /// Its slot.
    pub slot: Option<Cow<'a, str>>,
    /// `master` or `backup`.
    pub mastership: Option<Cow<'a, str>>,
    /// Its model.
    pub model: Option<Cow<'a, str>>,
    /// Its serial number.
    pub serial_number: Option<Cow<'a, str>>,
}

/// A core file on the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreFile<'a> {
    /// Where it lies.
    pub path: Cow<'a, str>,
    /// Its size in bytes.
    pub size: Option<u64>,
}

/// A failed component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rma<'a> {
    /// Its part number.
    pub part_number: Option<Cow<'a, str>>,
    /// Its serial number.
    pub serial_number: Option<Cow<'a, str>>,
    /// Where it sits.
    pub slot: Option<Cow<'a, str>>,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample<'a> {
    /// What was measured.
    pub name: Cow<'a, str>,
    /// In which unit.
    pub unit: Option<Cow<'a, str>>,
    /// When; from 1970 on.
    pub time: Option<Timestamp>,
    /// The value as the device wrote it.
    pub value: Cow<'a, str>,
}

/// What the attribute `status` of a part says that is damaged.
const DAMAGED: &str = "damaged";
/// What its attribute `error` says unless it says something.
const DAMAGE: &str = "some of its bytes are no characters";

/// An attachment or a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a, C = Range<usize>> {
    /// Its file name.
    pub name: Cow<'a, str>,
    /// Its media type.
    pub media_type: Option<Cow<'a, str>>,
    /// How its making went, such as `ok` or `failed`; `damaged` where some of what it holds is lost.
    pub status: Option<Cow<'a, str>>,
    /// Why its making failed.
    pub error: Option<Cow<'a, str>>,
    /// Where the file lies on the device.
    pub path: Option<Cow<'a, str>>,
    /// The file's size in bytes.
    pub size: Option<u64>,
    /// After decoding the bytes of the original between the tags, empty if there are none.
    pub content: C,
}

impl<C> Part<'_, C> {
    /// Whether some of what it holds is lost: bytes that are no characters, here or where it was decoded before.
    pub fn is_damaged(&self) -> bool {
        self.status.as_deref() == Some(DAMAGED)
    }

    /// Marks it as damaged.
    pub(super) fn damage(&mut self) {
        self.status = Some(Cow::Borrowed(DAMAGED));
        self.error.get_or_insert(Cow::Borrowed(DAMAGE));
    }
}
