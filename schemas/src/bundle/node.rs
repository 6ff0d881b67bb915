//! The grammar: which element may stand where, by local names.

use super::model::{Kind, Variant};

/// A place in a bundle, each named by one path of local names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Jmb,
    Manifest,
    TrendData,
    Attachments,
    Logs,
    HostEventId,
    ProblemClass,
    ServiceType,
    TimeOccurred,
    EventTypeGroup,
    EventType,
    Synopsis,
    Description,
    Priority,
    Severity,
    Device,
    HostName,
    ManagementAddress,
    SerialNumber,
    Product,
    Platform,
    OsVersion,
    PartNumber,
    RoutingEngine,
    EngineModel,
    EngineSerial,
    ScriptVersion,
    ScriptParameter,
    CoreFile,
    Rma,
    RmaPart,
    RmaSerial,
    RmaSlot,
    Sample,
    Attachment,
    Log,
    /// Anything unknown, and whatever stands in it or in a part.
    Other,
}

impl Node {
    /// The place of the child `name`.
    pub(super) fn child(self, name: &str) -> Self {
        match self {
            Self::Jmb => section(name),
            Self::Manifest => manifest(name),
            Self::Device => device(name),
            Self::RoutingEngine => match name {
                "model" => Self::EngineModel,
                "serial-number" => Self::EngineSerial,
                _ => Self::Other,
            },
            Self::Rma => match name {
                "part-number" => Self::RmaPart,
                "serial-number" => Self::RmaSerial,
                "slot" => Self::RmaSlot,
                _ => Self::Other,
            },
            Self::TrendData if name == "sample" => Self::Sample,
            Self::Attachments if name == "attachment" => Self::Attachment,
            Self::Logs if name == "log" => Self::Log,
            _ => Self::Other,
        }
    }

    /// Its path, as faults name it.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Jmb => "jmb",
            Self::Manifest => "manifest",
            Self::TrendData => "trend-data",
            Self::Attachments => "attachments",
            Self::Logs => "logs",
            Self::HostEventId => "manifest/host-event-ID",
            Self::ProblemClass => "manifest/problem-class",
            Self::ServiceType => "manifest/service-type",
            Self::TimeOccurred => "manifest/time-occurred",
            Self::EventTypeGroup => "manifest/event-type-group",
            Self::EventType => "manifest/event-type",
            Self::Synopsis => "manifest/problem-synopsis",
            Self::Description => "manifest/problem-description",
            Self::Priority => "manifest/priority",
            Self::Severity => "manifest/severity",
            Self::Device => "manifest/device",
            Self::HostName => "manifest/device/host-name",
            Self::ManagementAddress => "manifest/device/management-address",
            Self::SerialNumber => "manifest/device/serial-number",
            Self::Product => "manifest/device/product",
            Self::Platform => "manifest/device/platform",
            Self::OsVersion => "manifest/device/os-version",
            Self::PartNumber => "manifest/device/part-number",
            Self::RoutingEngine => "manifest/device/routing-engine",
            Self::EngineModel => "manifest/device/routing-engine/model",
            Self::EngineSerial => "manifest/device/routing-engine/serial-number",
            Self::ScriptVersion => "manifest/script-version",
            Self::ScriptParameter => "manifest/script-parameter",
            Self::CoreFile => "manifest/core-file",
            Self::Rma => "manifest/rma",
            Self::RmaPart => "manifest/rma/part-number",
            Self::RmaSerial => "manifest/rma/serial-number",
            Self::RmaSlot => "manifest/rma/slot",
            Self::Sample => "trend-data/sample",
            Self::Attachment => "attachments/attachment",
            Self::Log => "logs/log",
            Self::Other => "",
        }
    }

    /// Whether it holds text and nothing else.
    pub(super) const fn is_field(self) -> bool {
        !self.is_part()
            && !self.is_section()
            && !matches!(
                self,
                Self::Jmb | Self::Device | Self::RoutingEngine | Self::CoreFile | Self::Rma | Self::Other
            )
    }

    /// Whether it is an attachment or a log.
    pub(super) const fn is_part(self) -> bool {
        matches!(self, Self::Attachment | Self::Log)
    }

    /// Whether it is the manifest or a section beside it.
    pub(super) const fn is_section(self) -> bool {
        matches!(self, Self::Manifest | Self::TrendData | Self::Attachments | Self::Logs)
    }

    /// Whether its parent may hold it more than once.
    pub(super) const fn is_repeatable(self) -> bool {
        self.is_part()
            || matches!(
                self,
                Self::PartNumber
                    | Self::RoutingEngine
                    | Self::ScriptParameter
                    | Self::CoreFile
                    | Self::Sample
                    | Self::Other
            )
    }

    /// Whether bundles of this type and variant have this section. Source: DOMAIN, "Bundles (JMB)".
    pub(super) const fn is_allowed(self, kind: Kind, variant: Variant) -> bool {
        let has_trend =
            matches!((kind, variant), (Kind::Information, _) | (_, Variant::Information) | (_, Variant::Rma));
        match self {
            Self::TrendData => has_trend,
            Self::Logs => !has_trend,
            _ => true,
        }
    }

    /// Its bit in a set of nodes.
    pub(super) const fn bit(self) -> u64 {
        1 << self as u64
    }
}

fn section(name: &str) -> Node {
    match name {
        "manifest" => Node::Manifest,
        "trend-data" => Node::TrendData,
        "attachments" => Node::Attachments,
        "logs" => Node::Logs,
        _ => Node::Other,
    }
}

fn manifest(name: &str) -> Node {
    match name {
        "host-event-ID" => Node::HostEventId,
        "problem-class" => Node::ProblemClass,
        "service-type" => Node::ServiceType,
        "time-occurred" => Node::TimeOccurred,
        "event-type-group" => Node::EventTypeGroup,
        "event-type" => Node::EventType,
        "problem-synopsis" => Node::Synopsis,
        "problem-description" => Node::Description,
        "priority" => Node::Priority,
        "severity" => Node::Severity,
        "device" => Node::Device,
        "script-version" => Node::ScriptVersion,
        "script-parameter" => Node::ScriptParameter,
        "core-file" => Node::CoreFile,
        "rma" => Node::Rma,
        _ => Node::Other,
    }
}

fn device(name: &str) -> Node {
    match name {
        "host-name" => Node::HostName,
        "management-address" => Node::ManagementAddress,
        "serial-number" => Node::SerialNumber,
        "product" => Node::Product,
        "platform" => Node::Platform,
        "os-version" => Node::OsVersion,
        "part-number" => Node::PartNumber,
        "routing-engine" => Node::RoutingEngine,
        _ => Node::Other,
    }
}
