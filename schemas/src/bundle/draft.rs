//! A bundle while it is being read: what fields and attributes mean, and what must be there.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;

use super::bounds;
use super::decode::{Edition, attribute};
use super::error::Stop;
use super::fault::{Bound, Fault, word};
use super::fields::Fields;
use super::host_event_id::HostEventId;
use super::model::{Bundle, CoreFile, Kind, Manifest, Part, Rma, RoutingEngine, Sample, Source, Variant, is_problem};
use super::node::Node;
use super::time;
use super::tokens::Tokens;

/// What has been found so far, and the places that faults may need.
pub(super) struct Draft<'a> {
    edition: Edition,
    kind: Kind,
    variant: Variant,
    is_off_box: bool,
    version: Cow<'a, str>,
    root_at: usize,
    manifest_at: usize,
    manifest_start: usize,
    device_at: Option<usize>,
    part_at: usize,
    part_has_text: bool,
    part_has_element: bool,
    manifest: Option<Manifest<'a>>,
    fields: Fields<'a>,
    trend: Vec<Sample<'a>>,
    attachments: Vec<Part<'a>>,
    logs: Vec<Part<'a>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(edition: Edition) -> Self {
        Self {
            edition,
            kind: Kind::Event,
            variant: Variant::None,
            is_off_box: false,
            version: Cow::Borrowed(""),
            root_at: 0,
            manifest_at: 0,
            manifest_start: 0,
            device_at: None,
            part_at: 0,
            part_has_text: false,
            part_has_element: false,
            manifest: None,
            fields: Fields::default(),
            trend: Vec::new(),
            attachments: Vec::new(),
            logs: Vec::new(),
        }
    }

    /// The root's start tag.
    pub(super) fn begin(&mut self, tokens: &Tokens<'a>, at: usize) -> Result<(), Stop> {
        self.root_at = at;
        let place = |name| tokens.attribute(name).map_or(at, |attribute| attribute.at);
        self.version = required(tokens, Node::Jmb, "version", at)?;
        if !is_known_version(&self.version) {
            return Err(Stop::new(Fault::UnknownVersion(word(&self.version)), place("version")));
        }
        let kind = required(tokens, Node::Jmb, "type", at)?;
        self.kind = Kind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| Stop::new(Fault::WrongType(word(&kind)), place("type")))?;
        let variant = attribute(tokens, "variant").unwrap_or_default();
        self.variant =
            self.kind.variants().iter().copied().find(|known| known.as_str() == variant).ok_or_else(|| {
                let fault = Fault::WrongVariant { kind: self.kind.as_str(), variant: word(&variant) };
                Stop::new(fault, place("variant"))
            })?;
        self.is_off_box = match attribute(tokens, "origin").as_deref() {
            None => false,
            Some("off-box") => true,
            Some(other) => return Err(Stop::new(Fault::WrongOrigin(word(other)), place("origin"))),
        };
        Ok(())
    }

    /// The start tag of an element that is no field.
    pub(super) fn open(&mut self, node: Node, tokens: &Tokens<'a>, at: usize) -> Result<(), Stop> {
        if node.is_section() && !node.is_allowed(self.kind, self.variant) {
            let (kind, variant) = (self.kind.as_str(), self.variant.as_str());
            return Err(Stop::new(Fault::WrongSection { section: node.path(), kind, variant }, at));
        }
        let fields = &mut self.fields;
        match node {
            Node::Manifest => (self.manifest_at, self.manifest_start) = (at, tokens.position()),
            Node::Device => self.device_at = Some(at),
            Node::Rma => fields.rma = Some(Rma::default()),
            Node::RoutingEngine => {
                let engine = RoutingEngine {
                    slot: attribute(tokens, "slot"),
                    mastership: attribute(tokens, "mastership"),
                    ..RoutingEngine::default()
                };
                push(&mut fields.routing_engines, engine, bounds::ROUTING_ENGINES, node, at)?;
            }
            Node::CoreFile => {
                let file = CoreFile { path: required(tokens, node, "path", at)?, size: size(tokens, node)? };
                push(&mut fields.core_files, file, bounds::CORE_FILES, node, at)?;
            }
            Node::Attachment => {
                let part = self.part(node, tokens, at)?;
                push(&mut self.attachments, part, bounds::PARTS, node, at)?;
            }
            Node::Log => {
                let part = self.part(node, tokens, at)?;
                push(&mut self.logs, part, bounds::PARTS, node, at)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A part whose content begins behind the last start tag.
    fn part(&mut self, node: Node, tokens: &Tokens<'a>, at: usize) -> Result<Part<'a>, Stop> {
        (self.part_at, self.part_has_text, self.part_has_element) = (at, false, false);
        let start = tokens.position();
        Ok(Part {
            name: required(tokens, node, "name", at)?,
            media_type: attribute(tokens, "media-type"),
            status: attribute(tokens, "status"),
            error: attribute(tokens, "error"),
            path: attribute(tokens, "path"),
            size: size(tokens, node)?,
            content: start..start,
        })
    }

    /// An element in a part.
    pub(super) fn part_element(&mut self, node: Node) -> Result<(), Stop> {
        if self.part_has_element || self.part_has_text {
            return Err(Stop::new(Fault::MalformedPart(node.path()), self.part_at));
        }
        self.part_has_element = true;
        Ok(())
    }

    /// Text in a part.
    pub(super) fn part_text(&mut self, node: Node) -> Result<(), Stop> {
        if self.part_has_element {
            return Err(Stop::new(Fault::MalformedPart(node.path()), self.part_at));
        }
        self.part_has_text = true;
        Ok(())
    }

    /// The end of an element that is no field; its end tag's place.
    pub(super) fn close(&mut self, node: Node, at: usize) -> Result<(), Stop> {
        let part = match node {
            Node::Manifest => return self.close_manifest(at),
            Node::Attachment => self.attachments.last_mut(),
            Node::Log => self.logs.last_mut(),
            _ => None,
        };
        if let Some(part) = part {
            part.content.end = at;
        }
        Ok(())
    }

    /// The start tag of a field: some have attributes.
    pub(super) fn open_field(&mut self, node: Node, tokens: &Tokens<'a>, at: usize) -> Result<(), Stop> {
        match node {
            Node::Sample => {
                let sample = Sample {
                    name: required(tokens, node, "name", at)?,
                    unit: attribute(tokens, "unit"),
                    time: attribute_meaning(tokens, node, "time", self.time_expected(), self.time())?,
                    value: Cow::Borrowed(""),
                };
                push(&mut self.trend, sample, bounds::SAMPLES, node, at)
            }
            Node::ScriptParameter => {
                let parameter = (required(tokens, node, "name", at)?, Cow::Borrowed(""));
                push(&mut self.fields.script_parameters, parameter, bounds::SCRIPT_PARAMETERS, node, at)
            }
            _ => Ok(()),
        }
    }

    /// The end of a field that began at `at`.
    pub(super) fn close_field(&mut self, node: Node, value: Cow<'a, str>, at: usize) -> Result<(), Stop> {
        let (expected, time) = (self.time_expected(), self.time());
        let fields = &mut self.fields;
        match node {
            Node::Sample => {
                if let Some(sample) = self.trend.last_mut() {
                    sample.value = value;
                }
            }
            Node::ScriptParameter => {
                if let Some(parameter) = fields.script_parameters.last_mut() {
                    parameter.1 = value;
                }
            }
            _ if value.is_empty() && is_required(node, is_problem(self.kind, self.variant)) => {
                return Err(Stop::new(Fault::EmptyField(node.path()), at));
            }
            // An empty element says as little as none.
            _ if value.is_empty() => {}
            Node::PartNumber => push(&mut fields.part_numbers, value, bounds::PART_NUMBERS, node, at)?,
            Node::TimeOccurred => fields.time_occurred = Some(meaning(node, &value, at, expected, time)?),
            Node::Priority => fields.priority = Some(meaning(node, &value, at, PRIORITY, |text| text.parse().ok())?),
            Node::Severity => fields.severity = Some(meaning(node, &value, at, SEVERITY, severity)?),
            Node::HostEventId => {
                meaning(node, &value, at, HOST_EVENT_ID, HostEventId::parse)?;
                fields.host_event_id = Some(value);
            }
            _ => {
                if let Some(slot) = fields.slot(node) {
                    *slot = Some(value);
                }
            }
        }
        Ok(())
    }

    /// The manifest's end tag at `at`: what is required is there.
    fn close_manifest(&mut self, at: usize) -> Result<(), Stop> {
        if at - self.manifest_start > bounds::MANIFEST {
            return Err(Stop::new(Fault::BoundExceeded(Bound::Manifest), self.manifest_at));
        }
        let fields = std::mem::take(&mut self.fields);
        let Some(device_at) = self.device_at else {
            return Err(Stop::new(Fault::MissingField(Node::Device.path()), self.manifest_at));
        };
        let is_problem = is_problem(self.kind, self.variant);
        self.manifest = Some(fields.finish(is_problem, self.manifest_at, device_at)?);
        Ok(())
    }

    /// How times are read.
    fn time(&self) -> fn(&str) -> Option<Timestamp> {
        match self.edition {
            Edition::First => time::parse_from_1970,
            Edition::Second | Edition::Third => time::parse,
        }
    }

    /// What is expected of them.
    fn time_expected(&self) -> &'static str {
        match self.edition {
            Edition::First => TIME_FROM_1970,
            Edition::Second | Edition::Third => TIME,
        }
    }

    /// Where the contents of attachments stand, then those of logs.
    pub(super) fn contents(&self) -> impl Iterator<Item = Range<usize>> {
        self.attachments.iter().chain(&self.logs).map(|part| part.content.clone())
    }

    /// Where the content begins of the last part at this place.
    pub(super) fn last_content(&self, node: Node) -> Option<usize> {
        self.parts(node)?.last().map(|part| part.content.start)
    }

    /// Marks a part, by its place in [`Self::contents`].
    pub(super) fn damage(&mut self, number: usize) {
        if let Some(part) = self.attachments.iter_mut().chain(&mut self.logs).nth(number) {
            part.damage();
        }
    }

    /// Marks the last part at this place.
    pub(super) fn damage_last(&mut self, node: Node) {
        let parts = match node {
            Node::Attachment => &mut self.attachments,
            _ => &mut self.logs,
        };
        if let Some(part) = parts.last_mut() {
            part.damage();
        }
    }

    fn parts(&self, node: Node) -> Option<&[Part<'a>]> {
        match node {
            Node::Attachment => Some(&self.attachments),
            Node::Log => Some(&self.logs),
            _ => None,
        }
    }

    /// The end of the document.
    pub(super) fn finish(self) -> Result<Bundle<'a>, Stop> {
        Ok(Bundle {
            source: Source::default(),
            kind: self.kind,
            variant: self.variant,
            is_off_box: self.is_off_box,
            version: self.version,
            manifest: self.manifest.ok_or(Stop::new(Fault::NoManifest, self.root_at))?,
            trend: self.trend,
            attachments: self.attachments,
            logs: self.logs,
        })
    }
}

const TIME: &str = "an RFC 3339 time";
const TIME_FROM_1970: &str = "an RFC 3339 time from 1970 on";
const PRIORITY: &str = "`1 - Critical`, `2 - High`, `3 - Medium`, `4 - Low` or the bare word";
const SEVERITY: &str = "a number from 0 to 7";
const HOST_EVENT_ID: &str = "`<router>-<serial>-<YYYYMMDD>-<HHMMSS>-<sequence>`";
const SIZE: &str = "a number of bytes";

/// `1` or `1.<number>`: later minor versions add elements that are tolerated.
fn is_known_version(version: &str) -> bool {
    match version.strip_prefix("1.") {
        Some(minor) => !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()),
        None => version == "1",
    }
}

/// Whether a bundle without this field is refused.
fn is_required(node: Node, is_problem: bool) -> bool {
    match node {
        Node::EventType | Node::Synopsis | Node::Priority => is_problem,
        Node::HostEventId
        | Node::TimeOccurred
        | Node::HostName
        | Node::SerialNumber
        | Node::Product
        | Node::OsVersion => true,
        _ => false,
    }
}

/// A field's meaning.
fn meaning<'t, T>(
    node: Node,
    value: &'t str,
    at: usize,
    expected: &'static str,
    parse: impl Fn(&'t str) -> Option<T>,
) -> Result<T, Stop> {
    parse(value)
        .ok_or_else(|| Stop::new(Fault::MalformedField { field: node.path(), found: word(value), expected }, at))
}

fn severity(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [digit @ b'0'..=b'7'] => Some(digit - b'0'),
        _ => None,
    }
}

/// An attribute that must be there and say something.
fn required<'a>(tokens: &Tokens<'a>, node: Node, name: &'static str, at: usize) -> Result<Cow<'a, str>, Stop> {
    attribute(tokens, name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Stop::new(Fault::MissingAttribute { element: node.path(), attribute: name }, at))
}

fn size(tokens: &Tokens<'_>, node: Node) -> Result<Option<u64>, Stop> {
    let parse = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    attribute_meaning(tokens, node, "size", SIZE, parse)
}

/// An attribute's meaning, if it is there.
fn attribute_meaning<T>(
    tokens: &Tokens<'_>,
    node: Node,
    name: &'static str,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Stop> {
    let Some(attribute) = tokens.attribute(name) else { return Ok(None) };
    let value = attribute.value();
    parse(&value).map(Some).ok_or_else(|| {
        let found = word(&value);
        Stop::new(Fault::MalformedAttribute { element: node.path(), attribute: name, found, expected }, attribute.at)
    })
}

/// Adds to a list of at most `most`.
fn push<T>(list: &mut Vec<T>, item: T, most: usize, node: Node, at: usize) -> Result<(), Stop> {
    if list.len() == most {
        return Err(Stop::new(Fault::BoundExceeded(Bound::Count(node.path(), most)), at));
    }
    list.push(item);
    Ok(())
}
