//! From a bundle to text, as `jmb.xsd` wants it.

use std::borrow::Cow;
use std::fmt::Write;

use super::content::{Content, Element};
use super::decode::decode;
use super::error::Error;
use super::model::{Bundle, CoreFile, Device, Manifest, Part, Rma, RoutingEngine, Sample};
use super::text;

/// The namespace of bundles that are written here.
pub(super) const NAMESPACE: &str = "urn:linesman:jmb:1.0";

/// Writes a bundle; `extension` is what the schema does not know, such as a trace of the way.
///
/// White space around fields is left out, characters that XML has no place for become U+FFFD. What
/// is written has been read again: decoding it gives the same bundle.
///
/// # Errors
///
/// What [`decode`] says about the text, such as a missing field or a section that the type has not.
pub fn encode(bundle: &Bundle<'_, Content<'_>>, extension: &[Element<'_>]) -> Result<String, Error> {
    let mut writer = Writer::new();
    writer.bundle(bundle, extension);
    decode(writer.out.as_bytes())?;
    Ok(writer.out)
}

/// Writes a bundle but for what its attachments that are texts hold: what stands before the first of those, between two, and
/// behind the last. What they hold is written between by a [`Cdata`] each; the whole is to be read again with [`decode`].
///
/// # Errors
///
/// As of [`encode`], of the bundle with attachments that are empty.
pub fn around(bundle: &Bundle<'_, Content<'_>>, extension: &[Element<'_>]) -> Result<Vec<String>, Error> {
    let mut writer = Writer { cuts: Some(Vec::new()), ..Writer::new() };
    writer.bundle(bundle, extension);
    decode(writer.out.as_bytes())?;
    let mut pieces = Vec::new();
    let mut from = 0;
    for cut in writer.cuts.unwrap_or_default() {
        pieces.push(writer.out.get(from..cut).unwrap_or_default().to_owned());
        from = cut;
    }
    pieces.push(writer.out.get(from..).unwrap_or_default().to_owned());
    Ok(pieces)
}

/// Text that is put into CDATA sections as it comes. Between them stands what has no place in one: their end, and carriage
/// returns, which a reader would turn into line feeds.
#[derive(Debug, Default)]
pub struct Cdata {
    /// How many brackets came last, up to two.
    brackets: u8,
}

impl Cdata {
    /// Puts the next piece behind `out`, which stands within a section before and behind it.
    pub fn push(&mut self, text: &str, out: &mut String) {
        for c in text.chars() {
            match c {
                '\r' => out.push_str("]]>&#13;<![CDATA["),
                // The brackets stay in this section, their `>` begins the next.
                '>' if self.brackets == 2 => out.push_str("]]><![CDATA[>"),
                c => out.push(allowed(c)),
            }
            self.brackets = if c == ']' { (self.brackets + 1).min(2) } else { 0 };
        }
    }
}

/// Text under construction, two spaces per open element.
struct Writer {
    out: String,
    depth: usize,
    /// Where what an attachment holds is to stand, if it is not written here.
    cuts: Option<Vec<usize>>,
}

type Attributes<'a> = [(&'a str, Option<&'a str>)];

impl Writer {
    fn new() -> Self {
        Self { out: String::with_capacity(2048), depth: 0, cuts: None }
    }

    fn bundle(&mut self, bundle: &Bundle<'_, Content<'_>>, extension: &[Element<'_>]) {
        self.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let variant = Some(bundle.variant.as_str()).filter(|variant| !variant.is_empty());
        let attributes = [
            ("xmlns", Some(NAMESPACE)),
            ("version", Some(&*bundle.version)),
            ("type", Some(bundle.kind.as_str())),
            ("variant", variant),
            ("origin", bundle.is_off_box.then_some("off-box")),
        ];
        self.element("jmb", &attributes, |writer| {
            writer.manifest(&bundle.manifest, bundle.is_problem());
            writer.section("trend-data", &bundle.trend, Self::sample);
            writer.section("attachments", &bundle.attachments, |writer, part| writer.part("attachment", part));
            writer.section("logs", &bundle.logs, |writer, part| writer.part("log", part));
            writer.section("extension", extension, |writer, element| {
                writer.indent();
                writer.out.push_str(element.as_str());
                writer.out.push('\n');
            });
        });
    }

    fn manifest(&mut self, manifest: &Manifest<'_>, is_problem: bool) {
        self.element("manifest", &[], |writer| {
            writer.field("host-event-ID", &[], &manifest.host_event_id);
            writer.optional("problem-class", manifest.problem_class.as_ref());
            writer.optional("service-type", manifest.service_type.as_ref());
            writer.field("time-occurred", &[], &manifest.time_occurred.to_string());
            writer.optional("event-type-group", manifest.event_type_group.as_ref());
            if let Some(problem) = manifest.problem.as_ref().filter(|_| is_problem) {
                writer.field("event-type", &[], &problem.event_type);
                writer.field("problem-synopsis", &[], &problem.synopsis);
                writer.optional("problem-description", problem.description.as_ref());
                writer.field("priority", &[], problem.priority.numbered());
            }
            if let Some(severity) = manifest.severity {
                writer.field("severity", &[], &severity.to_string());
            }
            writer.device(&manifest.device);
            writer.optional("script-version", manifest.script_version.as_ref());
            for (name, value) in &manifest.script_parameters {
                writer.field("script-parameter", &[("name", Some(name))], value);
            }
            for CoreFile { path, size } in &manifest.core_files {
                let size = size.map(|size| size.to_string());
                writer.start("core-file", &[("path", Some(path)), ("size", size.as_deref())], "/>\n");
            }
            if let Some(Rma { part_number, serial_number, slot }) = &manifest.rma {
                writer.element("rma", &[], |writer| {
                    writer.optional("part-number", part_number.as_ref());
                    writer.optional("serial-number", serial_number.as_ref());
                    writer.optional("slot", slot.as_ref());
                });
            }
        });
    }

    fn device(&mut self, device: &Device<'_>) {
        self.element("device", &[], |writer| {
            writer.field("host-name", &[], &device.host_name);
            writer.optional("management-address", device.management_address.as_ref());
            writer.field("serial-number", &[], &device.serial_number);
            writer.field("product", &[], &device.product);
            writer.optional("platform", device.platform.as_ref());
            writer.field("os-version", &[], &device.os_version);
            for number in &device.part_numbers {
                writer.field("part-number", &[], number);
            }
            for RoutingEngine { slot, mastership, model, serial_number } in &device.routing_engines {
                let attributes = [("slot", slot.as_deref()), ("mastership", mastership.as_deref())];
                writer.element("routing-engine", &attributes, |writer| {
                    writer.optional("model", model.as_ref());
                    writer.optional("serial-number", serial_number.as_ref());
                });
            }
        });
    }

    fn sample(&mut self, sample: &Sample<'_>) {
        let time = sample.time.map(|time| time.to_string());
        let attributes = [("name", Some(&*sample.name)), ("unit", sample.unit.as_deref()), ("time", time.as_deref())];
        self.field("sample", &attributes, &sample.value);
    }

    fn part(&mut self, element: &str, part: &Part<'_, Content<'_>>) {
        let size = part.size.map(|size| size.to_string());
        let attributes = [
            ("name", Some(&*part.name)),
            ("media-type", part.media_type.as_deref()),
            ("status", part.status.as_deref()),
            ("error", part.error.as_deref()),
            ("path", part.path.as_deref()),
            ("size", size.as_deref()),
        ];
        match &part.content {
            Content::None => self.start(element, &attributes, "/>\n"),
            Content::Text(text) => {
                self.start(element, &attributes, ">");
                self.cdata(text);
                self.end(element);
            }
            Content::Element(inner) => {
                self.start(element, &attributes, ">");
                self.out.push_str(inner.as_str());
                self.end(element);
            }
        }
    }

    /// A list's items in an element of their own, if there are any.
    fn section<T>(&mut self, name: &str, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        if !items.is_empty() {
            self.element(name, &[], |writer| items.iter().for_each(|item| write(writer, item)));
        }
    }

    fn element(&mut self, name: &str, attributes: &Attributes<'_>, inside: impl FnOnce(&mut Self)) {
        self.start(name, attributes, ">\n");
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.indent();
        self.end(name);
    }

    /// An empty field says as little as none.
    fn optional(&mut self, name: &str, value: Option<&Cow<'_, str>>) {
        if let Some(value) = value.filter(|value| !text::trim(value).is_empty()) {
            self.field(name, &[], value);
        }
    }

    fn field(&mut self, name: &str, attributes: &Attributes<'_>, value: &str) {
        self.start(name, attributes, ">");
        escape(&mut self.out, text::trim(value), "<>&\r");
        self.end(name);
    }

    fn start(&mut self, name: &str, attributes: &Attributes<'_>, end: &str) {
        self.indent();
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes.iter().filter_map(|(name, value)| Some((*name, (*value)?))) {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(&mut self.out, value, "<>&\"\t\n\r");
            self.out.push('"');
        }
        self.out.push_str(end);
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
    }

    /// Text in CDATA sections.
    fn cdata(&mut self, value: &str) {
        self.out.push_str("<![CDATA[");
        match &mut self.cuts {
            Some(cuts) => cuts.push(self.out.len()),
            None => Cdata::default().push(value, &mut self.out),
        }
        self.out.push_str("]]>");
    }
}

/// Writes text in which the characters of `special` become references.
pub(super) fn escape(out: &mut String, value: &str, special: &str) {
    for c in value.chars() {
        if special.contains(c) {
            // Writing to a string does not fail.
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(allowed(c));
        }
    }
}

/// The character, or U+FFFD if XML has no place for it.
fn allowed(c: char) -> char {
    if text::is_allowed(c) { c } else { char::REPLACEMENT_CHARACTER }
}
