//! The manifest's fields while they are being read.

use std::borrow::Cow;

use jiff::Timestamp;

use super::error::Stop;
use super::fault::Fault;
use super::model::{CoreFile, Device, Manifest, Problem, Rma, RoutingEngine, ScriptParameter};
use super::node::Node;
use crate::Priority;

type Field<'a> = Option<Cow<'a, str>>;

/// The manifest's pieces.
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub(super) host_event_id: Field<'a>,
    pub(super) problem_class: Field<'a>,
    pub(super) service_type: Field<'a>,
    pub(super) time_occurred: Option<Timestamp>,
    pub(super) event_type_group: Field<'a>,
    pub(super) event_type: Field<'a>,
    pub(super) synopsis: Field<'a>,
    pub(super) description: Field<'a>,
    pub(super) priority: Option<Priority>,
    pub(super) severity: Option<u8>,
    pub(super) host_name: Field<'a>,
    pub(super) management_address: Field<'a>,
    pub(super) serial_number: Field<'a>,
    pub(super) product: Field<'a>,
    pub(super) platform: Field<'a>,
    pub(super) os_version: Field<'a>,
    pub(super) part_numbers: Vec<Cow<'a, str>>,
    pub(super) routing_engines: Vec<RoutingEngine<'a>>,
    pub(super) script_version: Field<'a>,
    pub(super) script_parameters: Vec<ScriptParameter<'a>>,
    pub(super) core_files: Vec<CoreFile<'a>>,
    pub(super) rma: Option<Rma<'a>>,
}

impl<'a> Fields<'a> {
    /// Where the text of a field is kept.
    pub(super) fn slot(&mut self, node: Node) -> Option<&mut Field<'a>> {
        Some(match node {
            Node::ProblemClass => &mut self.problem_class,
            Node::ServiceType => &mut self.service_type,
            Node::EventTypeGroup => &mut self.event_type_group,
            Node::EventType => &mut self.event_type,
            Node::Synopsis => &mut self.synopsis,
            Node::Description => &mut self.description,
            Node::HostName => &mut self.host_name,
            Node::ManagementAddress => &mut self.management_address,
            Node::SerialNumber => &mut self.serial_number,
            Node::Product => &mut self.product,
            Node::Platform => &mut self.platform,
            Node::OsVersion => &mut self.os_version,
            Node::ScriptVersion => &mut self.script_version,
            Node::EngineModel => &mut self.routing_engines.last_mut()?.model,
            Node::EngineSerial => &mut self.routing_engines.last_mut()?.serial_number,
            Node::RmaPart => &mut self.rma.as_mut()?.part_number,
            Node::RmaSerial => &mut self.rma.as_mut()?.serial_number,
            Node::RmaSlot => &mut self.rma.as_mut()?.slot,
            _ => return None,
        })
    }

    /// The manifest at `manifest_at` with its device at `device_at`.
    pub(super) fn finish(self, is_problem: bool, manifest_at: usize, device_at: usize) -> Result<Manifest<'a>, Stop> {
        let missing = |node: Node, at| Stop::new(Fault::MissingField(node.path()), at);
        let in_manifest = |node| move || missing(node, manifest_at);
        let in_device = |node| move || missing(node, device_at);
        let problem = match is_problem {
            true => Some(Problem {
                event_type: self.event_type.ok_or_else(in_manifest(Node::EventType))?,
                synopsis: self.synopsis.ok_or_else(in_manifest(Node::Synopsis))?,
                description: self.description,
                priority: self.priority.ok_or_else(in_manifest(Node::Priority))?,
            }),
            false => None,
        };
        Ok(Manifest {
            host_event_id: self.host_event_id.ok_or_else(in_manifest(Node::HostEventId))?,
            problem_class: self.problem_class,
            service_type: self.service_type,
            time_occurred: self.time_occurred.ok_or_else(in_manifest(Node::TimeOccurred))?,
            event_type_group: self.event_type_group,
            problem,
            severity: self.severity,
            device: Device {
                host_name: self.host_name.ok_or_else(in_device(Node::HostName))?,
                management_address: self.management_address,
                serial_number: self.serial_number.ok_or_else(in_device(Node::SerialNumber))?,
                product: self.product.ok_or_else(in_device(Node::Product))?,
                platform: self.platform,
                os_version: self.os_version.ok_or_else(in_device(Node::OsVersion))?,
                part_numbers: self.part_numbers,
                routing_engines: self.routing_engines,
            },
            script_version: self.script_version,
            script_parameters: self.script_parameters,
            core_files: self.core_files,
            rma: self.rma,
        })
    }
}
