//! A service as a whole: its definition and its templates, read from the files of its folder, and rendered with the
//! values of a place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::definition::ServiceDefinition;
use super::places;
use super::template::{self, TemplateValue, Templates, Values};
use crate::Strictness;
use crate::configuration::{Configuration, Leaf};
use crate::diagnostic::{Code, Diagnostic};
use crate::values::{Acquisition, Definition, RUNTIME_NAMES, Range, Value};

/// The file of the definition.
pub const DEFINITION_FILE: &str = "service.toml";

/// A service, ready to be rendered.
#[derive(Debug)]
pub struct Service {
    /// What it is called, where it may be subscribed, its parameters.
    pub definition: ServiceDefinition,
    pub(super) templates: Templates,
}

/// What is wrong with a file of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFault {
    /// The file, as it is called in the service's folder.
    pub file: String,
    /// The line, from 1; 1 where the whole file is meant.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The column behind what is meant; `column` itself where the whole is meant.
    pub end_column: u32,
    /// Which sort of fault.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl ServiceFault {
    pub(super) fn of_file(file: &str, code: Code, message: impl Into<String>, help: Option<String>) -> Self {
        Self { file: file.to_owned(), line: 1, column: 1, end_column: 1, code, message: message.into(), help }
    }

    /// A fault of what stands between two offsets of a file's text, in bytes.
    pub(super) fn between(
        file: &str,
        text: &str,
        range: std::ops::Range<usize>,
        code: Code,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        Self { code, ..Self::from(template::Fault::between(file, text, range, message, help)) }
    }
}

impl From<&ServiceFault> for Diagnostic {
    fn from(fault: &ServiceFault) -> Self {
        let ServiceFault { line, column, end_column, code, message, help, .. } = fault.clone();
        Self { line, column, end_column, code, message, help }
    }
}

impl fmt::Display for ServiceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}

impl From<template::Fault> for ServiceFault {
    fn from(fault: template::Fault) -> Self {
        let template::Fault { file, line, column, end_column, code, message, help } = fault;
        Self { file, line, column, end_column, code, message, help }
    }
}

impl Service {
    /// Reads a service from the files of its folder, by name, beside the global parameters: templates may read those.
    ///
    /// # Errors
    /// All that is wrong with it, as far as it shows before it is rendered.
    pub fn read(files: &BTreeMap<String, String>, globals: &Definition) -> Result<Self, Vec<ServiceFault>> {
        let mut faults = Vec::new();
        let definition = match files.get(DEFINITION_FILE) {
            None => {
                let help = "a service is a folder with `service.toml` and templates `*.j2`".to_owned();
                faults.push(ServiceFault::of_file(DEFINITION_FILE, Code::File, "the file is missing", Some(help)));
                None
            }
            Some(text) => match ServiceDefinition::read(text) {
                Ok(definition) => Some(definition),
                Err(wrong) => {
                    faults.extend(wrong.iter().map(|wrong| wrong.fault(DEFINITION_FILE, text)));
                    None
                }
            },
        };
        let templates = match Templates::load(files) {
            Ok(templates) => Some(templates),
            Err(wrong) => {
                faults.extend(wrong.into_iter().map(ServiceFault::from));
                None
            }
        };
        let (Some(definition), Some(templates)) = (definition, templates) else { return Err(faults) };
        let declared = definition.parameters.parameters().iter().chain(globals.parameters());
        let mut known: BTreeSet<&str> = declared.map(|parameter| parameter.name.as_str()).collect();
        known.extend(RUNTIME_NAMES);
        faults.extend(templates.unknown_parameters(&known).into_iter().map(ServiceFault::from));
        faults.extend(unknown_templates(&definition, files));
        if !files.keys().any(|file| is_template(file)) {
            let help = "write what is to be rendered into a file that ends in `.j2`".to_owned();
            faults.push(ServiceFault::of_file(DEFINITION_FILE, Code::File, "the service has no template", Some(help)));
        }
        if faults.is_empty() { Ok(Self { definition, templates }) } else { Err(faults) }
    }

    /// Renders it with the values of a place.
    ///
    /// # Errors
    /// A template asks for a value that is not there, or makes of the values what is no configuration.
    /// Values that are at fault are for the caller to refuse before ([`Acquisition::faults`]).
    pub fn render(&self, values: &Acquisition<'_>, strictness: Strictness) -> Result<Configuration, ServiceFault> {
        self.render_seen(values, strictness, |_, _| {})
    }

    /// What each of its files renders with the values of a place, by name.
    ///
    /// # Errors
    /// As [`Service::render`].
    pub fn render_each(
        &self,
        values: &Acquisition<'_>,
        strictness: Strictness,
    ) -> Result<Vec<(String, Configuration)>, ServiceFault> {
        let mut each = Vec::new();
        self.render_seen(values, strictness, |file, one| each.push((file.to_owned(), one.clone())))?;
        Ok(each)
    }

    /// The same, with a look at what each file rendered.
    ///
    /// # Errors
    /// As [`Service::render`].
    pub(super) fn render_seen(
        &self,
        values: &Acquisition<'_>,
        strictness: Strictness,
        see: impl FnMut(&str, &Configuration),
    ) -> Result<Configuration, ServiceFault> {
        self.templates.render_seen(given(values), strictness, see).map_err(ServiceFault::from)
    }

    /// Which leaves it sets twice and differently in its own words, whatever the values are that stand in the others; with a
    /// look at each file as far as they can be read.
    pub(super) fn contradictions(&self, values: &Acquisition<'_>, see: impl FnMut(&str)) -> Vec<ServiceFault> {
        self.templates.contradictions(given(values), see).into_iter().map(ServiceFault::from).collect()
    }

    /// What it renders with the values of a place, leaf by leaf, with the names of the parameters whose values stand in
    /// each: in its own words, or in those of the containers around it. Empty where it does not render.
    ///
    /// It takes several times as long as [`Service::render`]. What a parameter decides without standing in the text is not
    /// told.
    pub fn origins(&self, values: &Acquisition<'_>) -> BTreeMap<Leaf, BTreeSet<String>> {
        let parameters = values.parameters();
        let given = parameters.iter().filter_map(|found| Some((found.name().to_string(), found.value()?.into())));
        self.templates.origins(&given.collect())
    }
}

/// Whether a file renders something of its own.
fn is_template(file: &str) -> bool {
    file.ends_with(".j2") && !file.starts_with('_')
}

/// Templates of which a definition says what is done about drift, and which there are not.
fn unknown_templates(definition: &ServiceDefinition, files: &BTreeMap<String, String>) -> Vec<ServiceFault> {
    let text = files.get(DEFINITION_FILE).map_or("", String::as_str);
    let unknown = definition.drift.keys().filter(|file| !is_template(file) || !files.contains_key(*file));
    let fault = |file: &String| {
        let message = format!("`drift`: the service renders no template `{}`", crate::excerpt(file));
        let help = "name a file that ends in `.j2` and does not begin with `_`".to_owned();
        let at = places::key(text, &["drift", file]);
        ServiceFault::between(DEFINITION_FILE, text, at, Code::Definition, message, Some(help))
    };
    unknown.map(fault).collect()
}

/// The values of a place, as templates read them.
fn given(values: &Acquisition<'_>) -> Values {
    let parameters = values.parameters();
    let given = parameters.iter().filter_map(|found| Some((found.name().shared(), found.value()?.into())));
    Values::in_order(given)
}

impl From<&Value> for TemplateValue {
    fn from(value: &Value) -> Self {
        let ends = |first: Self, last: Self| Self::Range(Box::new(first), Box::new(last));
        match value {
            Value::Integer(number) => Self::Integer(*number),
            Value::Float(number) => Self::Float(*number),
            Value::Boolean(truth) => Self::Boolean(*truth),
            Value::Text(text) => Self::Text(text.to_string()),
            Value::Address(address) => Self::Address(*address),
            Value::Network(network) => Self::Network(network.address(), network.length()),
            Value::Range(Range::Integers(first, last)) => ends(Self::Integer(*first), Self::Integer(*last)),
            Value::Range(Range::Floats(first, last)) => ends(Self::Float(*first), Self::Float(*last)),
            Value::Range(Range::Addresses(first, last)) => ends(Self::Address(*first), Self::Address(*last)),
            Value::List(elements) => Self::List(elements.iter().map(Self::from).collect()),
            Value::Map(entries) => {
                Self::Map(entries.iter().map(|(key, value)| (key.to_string(), Self::from(value))).collect())
            }
            Value::Not(value) => Self::Not(Box::new(Self::from(&**value))),
        }
    }
}
