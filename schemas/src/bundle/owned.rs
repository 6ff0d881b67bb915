//! A bundle that borrows from nothing: for one whose text is not that of its bytes.

use std::borrow::Cow;

use super::model::{Bundle, CoreFile, Device, Manifest, Part, Problem, Rma, RoutingEngine, Sample};

type Text<'a> = Cow<'a, str>;

fn owned(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}

fn optional(text: Option<Text<'_>>) -> Option<Text<'static>> {
    text.map(owned)
}

fn all<T, U>(list: Vec<T>, own: impl Fn(T) -> U) -> Vec<U> {
    list.into_iter().map(own).collect()
}

impl<C> Bundle<'_, C> {
    /// The same bundle with texts of its own.
    pub(super) fn into_owned(self) -> Bundle<'static, C> {
        let Self { source, kind, variant, is_off_box, version, manifest, trend, attachments, logs } = self;
        Bundle {
            source,
            kind,
            variant,
            is_off_box,
            version: owned(version),
            manifest: manifest.into_owned(),
            trend: all(trend, Sample::into_owned),
            attachments: all(attachments, Part::into_owned),
            logs: all(logs, Part::into_owned),
        }
    }
}

impl Manifest<'_> {
    fn into_owned(self) -> Manifest<'static> {
        Manifest {
            host_event_id: owned(self.host_event_id),
            problem_class: optional(self.problem_class),
            service_type: optional(self.service_type),
            time_occurred: self.time_occurred,
            event_type_group: optional(self.event_type_group),
            problem: self.problem.map(|problem| Problem {
                event_type: owned(problem.event_type),
                synopsis: owned(problem.synopsis),
                description: optional(problem.description),
                priority: problem.priority,
            }),
            severity: self.severity,
            device: self.device.into_owned(),
            script_version: optional(self.script_version),
            script_parameters: all(self.script_parameters, |(name, value)| (owned(name), owned(value))),
            core_files: all(self.core_files, |file| CoreFile { path: owned(file.path), size: file.size }),
            rma: self.rma.map(|rma| Rma {
                part_number: optional(rma.part_number),
                serial_number: optional(rma.serial_number),
                slot: optional(rma.slot),
            }),
        }
    }
}

impl Device<'_> {
    fn into_owned(self) -> Device<'static> {
        Device {
            host_name: owned(self.host_name),
            management_address: optional(self.management_address),
            serial_number: owned(self.serial_number),
            product: owned(self.product),
            platform: optional(self.platform),
            os_version: owned(self.os_version),
            part_numbers: all(self.part_numbers, owned),
            routing_engines: all(self.routing_engines, |engine| RoutingEngine {
                slot: optional(engine.slot),
                mastership: optional(engine.mastership),
                model: optional(engine.model),
                serial_number: optional(engine.serial_number),
            }),
        }
    }
}

impl Sample<'_> {
    fn into_owned(self) -> Sample<'static> {
        let Self { name, unit, time, value } = self;
        Sample { name: owned(name), unit: optional(unit), time, value: owned(value) }
    }
}

impl<C> Part<'_, C> {
    fn into_owned(self) -> Part<'static, C> {
        let Self { name, media_type, status, error, path, size, content } = self;
        Part {
            name: owned(name),
            media_type: optional(media_type),
            status: optional(status),
            error: optional(error),
            path: optional(path),
            size,
            content,
        }
    }
}
