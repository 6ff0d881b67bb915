//! The layers, each over the one before: defaults, file, environment, flags. Every value keeps its origin.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use linesman_connectors::settings::{Kind, Section, Value};

use super::Sources;
use super::file::{self, Asked};
use super::mistake::Mistakes;
use super::orchestrated;
use super::origin::{Layer, Origin, Source};
use super::sections::{OTHER_VARIABLES, Sections, Setting, VARIABLE_PREFIX, variable};
use super::suggest;
use super::tables::Listed;
use super::value::{self, Written, quoted};

/// The variables by which programs are told of a proxy for HTTPS.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The tables of a list that one layer said, and where it began.
pub(super) type Said = (Vec<Listed>, Origin);

/// The value of every key that has one, and where it came from.
pub(super) struct Layers {
    pub(super) sections: Sections,
    /// By dotted name; the last counts, the others were overridden.
    values: BTreeMap<String, Vec<(Value, Origin)>>,
    /// By the name of the list; the last counts.
    lists: BTreeMap<&'static str, Vec<Said>>,
    /// Keys that some layer names, with a good value or a bad one.
    named: BTreeSet<String>,
    /// Variables that are none of ours, though they look like it.
    passed_over: Vec<String>,
    /// Variables by which programs are told of a proxy.
    proxies: Vec<String>,
}

impl Layers {
    /// The lowest layer.
    pub(super) fn defaults(sections: Sections, mistakes: &mut Mistakes) -> Self {
        let (values, lists) = (BTreeMap::new(), BTreeMap::new());
        let mut layers =
            Self { sections, values, lists, named: BTreeSet::new(), passed_over: Vec::new(), proxies: Vec::new() };
        for setting in layers.sections.settings() {
            if let Some(text) = setting.key.default {
                layers.set_text(setting, text, Origin::Default, mistakes);
            }
        }
        layers.named.clear();
        layers
    }

    /// The layer of the environment.
    pub(super) fn environment(&mut self, sources: &Sources, mistakes: &mut Mistakes) {
        for (name, text) in &sources.environment {
            if PROXY_VARIABLES.contains(&name.as_str()) && !text.is_empty() {
                self.proxies.push(name.clone());
            }
            if !name.starts_with(VARIABLE_PREFIX) || OTHER_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            if orchestrated::is_of_a_service(name, text) {
                self.passed_over.push(name.clone());
                continue;
            }
            let origin = Origin::Variable(super::origin::blank_controls(name));
            match self.asked(|setting| variable(setting) == *name) {
                Some(asked) => self.take(asked, Layer::Environment, name, text, origin, mistakes),
                None => {
                    let known: Vec<String> = self.sections.settable().iter().map(|name| variable(name)).collect();
                    let help = suggest::help(name, known.iter().map(String::as_str));
                    mistakes.add(origin, "there is no such setting", help);
                }
            }
        }
    }

    /// A variable that names a proxy, which is none of ours.
    pub(super) fn proxy_variable(&self) -> Option<&str> {
        self.proxies.first().map(String::as_str)
    }

    /// The variables that Kubernetes has set for its services, in order of name.
    pub(super) fn passed_over(&self) -> Vec<String> {
        let mut names = self.passed_over.clone();
        names.sort();
        names
    }

    /// The layer of the flags.
    pub(super) fn flags(&mut self, sources: &Sources, mistakes: &mut Mistakes) {
        for (name, flag, text) in &sources.flags {
            let origin = Origin::Flag(flag.clone());
            match self.asked(|setting| setting == name) {
                Some(asked) => self.take(asked, Layer::Flags, flag, text, origin, mistakes),
                None => {
                    let help = suggest::help(name, self.sections.settable().iter().map(String::as_str));
                    mistakes.add(origin, format!("there is no key {}", quoted(name)), help);
                }
            }
        }
    }

    /// The setting, or the list as a whole, whose dotted name `is_meant`.
    fn asked(&self, is_meant: impl Fn(&str) -> bool) -> Option<Asked> {
        let setting = self.sections.settings().find(|setting| is_meant(&setting.name()));
        let list = || self.sections.lists().find(|list| is_meant(list.name));
        setting.map(Asked::Setting).or_else(|| list().map(Asked::List))
    }

    /// Takes what a variable or a flag says.
    fn take(&mut self, asked: Asked, layer: Layer, name: &str, text: &str, origin: Origin, mistakes: &mut Mistakes) {
        match asked {
            // What is a list there is one of TOML here.
            Asked::Setting(setting) if !matches!(setting.key.kind, Kind::Texts(_) | Kind::Tables(_)) => {
                self.set_text(setting, text, origin, mistakes);
            }
            asked => {
                let source = Source::new(layer, Path::new(name), text.to_owned());
                file::read_value(&source, asked, self, mistakes);
            }
        }
    }

    /// Sets a key over what lower layers said, or notes why its value is refused.
    fn set_text(&mut self, setting: Setting, text: &str, origin: Origin, mistakes: &mut Mistakes) {
        self.name(setting);
        let (name, kind) = (format!("`{}`", setting.name()), setting.key.kind);
        match value::read(&name, kind, &Written::of_text(text, kind), Path::new("")) {
            Ok(value) => self.say(setting, value, origin),
            Err(refusal) => mistakes.add(origin, refusal.message, refusal.help),
        }
    }

    /// Notes that a layer names the key, with a good value or a bad one.
    pub(super) fn name(&mut self, setting: Setting) {
        self.named.insert(setting.name());
    }

    /// Takes a value over what lower layers said.
    pub(super) fn say(&mut self, setting: Setting, value: Value, origin: Origin) {
        self.values.entry(setting.name()).or_default().push((value, origin));
    }

    /// Takes the tables of a list over what lower layers listed.
    pub(super) fn list(&mut self, section: &'static Section, listed: Vec<Listed>, origin: Origin) {
        self.lists.entry(section.name).or_default().push((listed, origin));
    }

    /// The tables of a list that count.
    pub(super) fn listed(&self, section: &str) -> &[Listed] {
        self.lists_said(section).last().map_or(&[], |(listed, _)| listed)
    }

    /// What each layer said of a list, with its origin; the last counts.
    pub(super) fn lists_said(&self, section: &str) -> &[Said] {
        self.lists.get(section).map_or(&[], Vec::as_slice)
    }

    /// Whether any layer but the defaults names the key.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.named.contains(name)
    }

    /// Whether any layer but the defaults names a key of the section.
    pub(super) fn is_section_named(&self, section: &'static Section) -> bool {
        Setting::all(section).any(|setting| self.is_named(&setting.name()))
    }

    /// Where the first named key of a section got its value.
    pub(super) fn origin_of_section(&self, section: &'static Section) -> Option<Origin> {
        let mut names = Setting::all(section).map(Setting::name).filter(|name| self.is_named(name));
        names.find_map(|name| self.get(&name).map(|(_, origin)| origin.clone()))
    }

    /// The value of a key that counts, and where it came from.
    pub(super) fn get(&self, name: &str) -> Option<&(Value, Origin)> {
        self.said(name).last()
    }

    /// Every value of a key that some layer said, the one that counts last.
    pub(super) fn said(&self, name: &str) -> &[(Value, Origin)] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a key means anything as the key stands that it depends on.
    pub(super) fn is_of_use(&self, setting: Setting) -> bool {
        setting.key.only_where.is_none_or(|(other, word)| self.text(&setting.sibling(other)) == Some(word))
    }

    /// Where the key's value came from.
    pub(super) fn origin(&self, name: &str) -> Origin {
        self.get(name).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some((Value::Text(text), _)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            Some((Value::Number(number), _)) => Some(*number),
            _ => None,
        }
    }
}
