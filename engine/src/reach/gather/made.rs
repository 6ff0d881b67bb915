//! The bundle of what was gathered: written into a file piece by piece.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::PathBuf;

use jiff::Timestamp;
use linesman_connectors::device::netconf::inventory::Engine;
use linesman_schemas::Priority;
use linesman_schemas::bundle::{
    self, Bundle, Cdata, Content, Device, Kind, Manifest, Part, Problem, RoutingEngine, Source, Variant, bounds,
};
use linesman_schemas::device::{DeviceFacts, ERROR_MOST, SETTING_MOST};
use linesman_schemas::gathering::GatheringKind;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::outputs::{FAILED, OK, Output, Outputs, unkept};
use super::talk::AS_XML;
use super::{Ended, Job};
use crate::logging::full;

/// What is read at a time of what a command has told, in bytes.
const PIECE: usize = 64 * 1024;
/// The longest name of an attachment, in characters.
const NAME_MOST: usize = 100;
/// What happened, where somebody asked for data.
const EVENT_TYPE: &str = "on-demand collection";

/// What attachments are called, by the commands that make them. Source: DOMAIN, "Bundles (JMB)".
const KNOWN: [(&str, bool, &str); 4] = [
    ("request support information", false, "rsi.txt"),
    ("show configuration", true, "cfg_xml.xml"),
    ("show chassis hardware", true, "shd_xml.xml"),
    ("show version", true, "ver_xml.xml"),
];

/// A bundle that is made.
pub(super) struct Making {
    pub(super) facts: DeviceFacts,
    engines: Vec<Engine>,
    pub(super) host_event_id: String,
    kind: GatheringKind,
    is_scheduled: bool,
    occurred: Timestamp,
    address: String,
    synopsis: Option<String>,
    priority: Option<Priority>,
}

impl Making {
    /// Of what a device says of itself, and of its routing engines.
    pub(super) fn new(job: &Job, facts: DeviceFacts, engines: Vec<Engine>) -> Result<Self, Ended> {
        // What a device says is not ours: it is a line of text, and no more of it than of what people say.
        let line =
            |text: String| text.trim().chars().filter(|c| !c.is_control()).take(SETTING_MOST).collect::<String>();
        let facts = DeviceFacts {
            serial_number: line(facts.serial_number),
            host_name: line(facts.host_name),
            product: line(facts.product),
            os_version: line(facts.os_version),
            ..facts
        };
        let needed =
            [("serial number", &facts.serial_number), ("model", &facts.product), ("version", &facts.os_version)];
        let missing: Vec<&str> = needed.iter().filter(|(_, text)| text.is_empty()).map(|(what, _)| *what).collect();
        if !missing.is_empty() {
            let help = match facts.serial_number.is_empty() {
                true => ": say the serial number by `linesman device set --serial-number`",
                false => ", nor has a bundle of it told that",
            };
            return Err(Ended::Failed(format!("it does not say its {}{help}", missing.join(" and "))));
        }
        let name = if facts.host_name.is_empty() { &job.wanted.device.name } else { &facts.host_name };
        let facts = DeviceFacts { host_name: name.clone(), ..facts };
        let engines = engines.into_iter().take(bounds::ROUTING_ENGINES).map(|engine| Engine {
            name: line(engine.name),
            slot: line(engine.slot),
            mastership: line(engine.mastership),
            model: line(engine.model),
            serial_number: line(engine.serial_number),
        });
        let engines = engines.collect();
        let word = |text: &str| text.replace(|c: char| c.is_whitespace() || matches!(c, '/' | '\\'), "_");
        let (router, serial) = (word(&facts.host_name), word(&facts.serial_number).replace('-', "_"));
        let time = job.run.asked.strftime("%Y%m%d-%H%M%S");
        let host_event_id = format!("{router}-{serial}-{time}-{}", job.run.number);
        Ok(Self {
            facts,
            engines,
            host_event_id,
            kind: job.wanted.kind,
            is_scheduled: job.run.is_scheduled,
            occurred: job.run.asked,
            address: job.row.address.clone(),
            synopsis: job.run.synopsis.clone(),
            priority: job.run.priority,
        })
    }

    /// Writes the bundle into a file; where that is, and how many bytes it has, at most [`bounds::BUNDLE`].
    pub(super) async fn write(&self, outputs: &Outputs) -> Result<(PathBuf, u64), Ended> {
        let pieces = self.around(&outputs.all)?;
        let path = outputs.path("bundle");
        let mut file = File::create(&path).await.map_err(|error| unkept(&error))?;
        let told: Vec<&Output> = outputs.all.iter().filter(|output| output.error.is_none()).collect();
        for (at, piece) in pieces.iter().enumerate() {
            file.write_all(piece.as_bytes()).await.map_err(|error| unkept(&error))?;
            if let Some(output) = told.get(at) {
                copy(output, &mut file).await.map_err(|error| unkept(&error))?;
            }
        }
        file.flush().await.map_err(|error| unkept(&error))?;
        let size = file.metadata().await.map_err(|error| unkept(&error))?.len();
        drop(file);
        match size > bounds::BUNDLE as u64 {
            true => Err(Ended::Failed(format!("its bundle has {size} bytes, and may have {}", bounds::BUNDLE))),
            false => Ok((path, size)),
        }
    }

    /// What stands around the outputs of the commands that were carried out.
    fn around(&self, outputs: &[Output]) -> Result<Vec<String>, Ended> {
        let facts = &self.facts;
        let (kind, variant) = match (self.is_scheduled, self.kind) {
            (true, _) => (Kind::Information, Variant::None),
            (false, GatheringKind::Event) => (Kind::OnDemand, Variant::Event),
            (false, GatheringKind::Information) => (Kind::OnDemand, Variant::Information),
            (false, GatheringKind::Rma) => (Kind::OnDemand, Variant::Rma),
        };
        let problem = (self.kind != GatheringKind::Information).then(|| Problem {
            event_type: EVENT_TYPE.into(),
            synopsis: match &self.synopsis {
                Some(synopsis) => synopsis.into(),
                None => format!("data of {} was asked for", facts.host_name).into(),
            },
            description: None,
            priority: self.priority.unwrap_or(Priority::Medium),
        });
        let bundle = Bundle {
            source: Source::default(),
            kind,
            variant,
            is_off_box: true,
            version: "1.0".into(),
            manifest: Manifest {
                host_event_id: self.host_event_id.as_str().into(),
                problem_class: problem.as_ref().map(|_| "Support".into()),
                service_type: problem.as_ref().map(|_| "reactive".into()),
                time_occurred: self.occurred,
                event_type_group: None,
                problem,
                severity: None,
                device: Device {
                    host_name: facts.host_name.as_str().into(),
                    // A host name is no address.
                    management_address: self
                        .address
                        .parse::<std::net::IpAddr>()
                        .is_ok()
                        .then(|| self.address.as_str().into()),
                    serial_number: facts.serial_number.as_str().into(),
                    product: facts.product.as_str().into(),
                    platform: Some("junos".into()),
                    os_version: facts.os_version.as_str().into(),
                    part_numbers: Vec::new(),
                    routing_engines: self.engines.iter().map(engine).collect(),
                },
                script_version: None,
                script_parameters: Vec::new(),
                core_files: Vec::new(),
                rma: None,
            },
            trend: Vec::new(),
            attachments: self.attachments(outputs),
            logs: Vec::new(),
        };
        bundle::around(&bundle, &[])
            .map_err(|error| Ended::Failed(format!("what it says is no bundle: {}", full(&error))))
    }

    fn attachments<'o>(&self, outputs: &'o [Output]) -> Vec<Part<'o, Content<'o>>> {
        let mut taken = HashSet::new();
        let part = |output: &'o Output| {
            let is_xml = output.command.trim_end().ends_with(AS_XML);
            let name = (1..).map(|at| self.name(&output.command, is_xml, at)).find(|name| taken.insert(name.clone()));
            Part {
                name: name.unwrap_or_default().into(),
                media_type: Some(if is_xml { "application/xml" } else { "text/plain" }.into()),
                status: Some(if output.error.is_none() { OK } else { FAILED }.into()),
                error: output.error.as_deref().map(|error| line(error).into()),
                path: None,
                size: output.error.is_none().then_some(output.bytes),
                content: match output.error {
                    None => Content::Text("".into()),
                    Some(_) => Content::None,
                },
            }
        };
        outputs.iter().map(part).collect()
    }

    /// What the attachment of a command is called, the `at`-th of that name.
    fn name(&self, command: &str, is_xml: bool, at: usize) -> String {
        let is_of = |(start, xml, _): &&(&str, bool, &str)| *xml == is_xml && command.trim().starts_with(*start);
        let more = if at > 1 { format!("{at}_") } else { String::new() };
        if let Some((.., ending)) = KNOWN.iter().find(is_of) {
            return format!("{}_{more}{ending}", self.host_event_id);
        }
        let command = if is_xml { command.trim_end().trim_end_matches(AS_XML) } else { command };
        let mut words = String::new();
        for c in command.chars().take(NAME_MOST) {
            let c = if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
            if c != '_' || !(words.is_empty() || words.ends_with('_')) {
                words.push(c);
            }
        }
        let words = words.trim_end_matches('_');
        format!("{}_{more}{words}.{}", self.host_event_id, if is_xml { "xml" } else { "txt" })
    }
}

/// A routing engine as manifests have it.
fn engine(told: &Engine) -> RoutingEngine<'_> {
    fn said(text: &str) -> Option<Cow<'_, str>> {
        Some(text.into()).filter(|_| !text.is_empty())
    }
    RoutingEngine {
        slot: said(&told.slot),
        mastership: said(&told.mastership),
        model: said(&told.model),
        serial_number: said(&told.serial_number),
    }
}

/// As much of a text as an attribute takes, in one line.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(ERROR_MOST).collect()
}

/// Writes what a command has told into a CDATA section; what is no UTF-8 in it is replaced.
async fn copy(output: &Output, file: &mut File) -> std::io::Result<()> {
    let mut source = File::open(&output.path).await?;
    let mut buffer = vec![0; PIECE];
    let (mut kept, mut cdata, mut text) = (0, Cdata::default(), String::new());
    loop {
        let read = source.read(buffer.get_mut(kept..).unwrap_or_default()).await?;
        let there = buffer.get(..kept + read).unwrap_or_default();
        let (whole, rest) = if read == 0 { (there.len(), 0) } else { whole(there) };
        text.clear();
        for chunk in there.get(..whole).unwrap_or_default().utf8_chunks() {
            cdata.push(chunk.valid(), &mut text);
            if !chunk.invalid().is_empty() {
                cdata.push("\u{FFFD}", &mut text);
            }
        }
        file.write_all(text.as_bytes()).await?;
        if read == 0 {
            return Ok(());
        }
        buffer.copy_within(whole..whole + rest, 0);
        kept = rest;
    }
}

/// How many bytes end with a whole character, and how many stand behind that which may begin one.
fn whole(bytes: &[u8]) -> (usize, usize) {
    let rest = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    // What cannot become a character by what follows is replaced now.
    let is_begun = !rest.is_empty() && std::str::from_utf8(rest).is_err_and(|error| error.error_len().is_none());
    let rest = if is_begun { rest.len() } else { 0 };
    (bytes.len() - rest, rest)
}
