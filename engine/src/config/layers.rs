//! The layers, each over the one before: defaults, file, environment, flags. Every value keeps its place.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Sources;
use super::file;
use super::keys::{self, KEYS, Key, OTHER_VARIABLES, VARIABLE_PREFIX};
use super::mistake::Mistakes;
use super::organizations::Declared;
use super::place::{Layer, Place, Source};
use super::suggest;
use super::value::{self, Value, Written, quoted};

/// The value of every key that has one, and where it came from.
#[derive(Default)]
pub(super) struct Layers {
    /// The last counts, the others were overridden.
    values: BTreeMap<&'static str, Vec<(Value, Place)>>,
    /// The lists of organizations; the last counts.
    organizations: Vec<(Vec<Declared>, Place)>,
    /// Keys that some layer names, with a good value or a bad one.
    named: BTreeSet<&'static str>,
}

impl Layers {
    /// The lowest layer.
    pub(super) fn defaults(mistakes: &mut Mistakes) -> Self {
        let mut layers = Self::default();
        for key in KEYS {
            if let Some(text) = key.default {
                layers.set_text(key, text, Place::Default, mistakes);
            }
        }
        layers.named.clear();
        layers
    }

    /// The layer of the environment.
    pub(super) fn environment(&mut self, sources: &Sources, mistakes: &mut Mistakes) {
        for (variable, text) in &sources.environment {
            if !variable.starts_with(VARIABLE_PREFIX) || OTHER_VARIABLES.contains(&variable.as_str()) {
                continue;
            }
            let place = Place::Variable(super::place::blank_controls(variable));
            match KEYS.iter().find(|key| key.variable().as_ref() == Some(variable)) {
                Some(key) => self.set_text(key, text, place, mistakes),
                None if keys::ORGANIZATIONS_KEY.variable().as_ref() == Some(variable) => {
                    self.list(Layer::Environment, variable, text, mistakes);
                }
                None => {
                    let listed = std::iter::once(&keys::ORGANIZATIONS_KEY);
                    let known: Vec<String> = KEYS.iter().chain(listed).filter_map(Key::variable).collect();
                    let help = suggest::help(variable, known.iter().map(String::as_str));
                    mistakes.add(place, "there is no such setting", help);
                }
            }
        }
    }

    /// The layer of the flags.
    pub(super) fn flags(&mut self, sources: &Sources, mistakes: &mut Mistakes) {
        for (name, flag, text) in &sources.flags {
            let place = Place::Flag(flag.clone());
            match KEYS.iter().find(|key| key.name == name) {
                Some(key) => self.set_text(key, text, place, mistakes),
                None if name == keys::ORGANIZATIONS => self.list(Layer::Flags, flag, text, mistakes),
                None => {
                    let help = suggest::help(name, keys::settable());
                    mistakes.add(place, format!("there is no key {}", quoted(name)), help);
                }
            }
        }
    }

    /// The organizations that a variable or a flag lists.
    fn list(&mut self, layer: Layer, name: &str, text: &str, mistakes: &mut Mistakes) {
        let source = Source::new(layer, Path::new(name), text.to_owned());
        file::read_organizations(&source, self, mistakes);
    }

    /// Takes a list of organizations over what lower layers listed.
    pub(super) fn organize(&mut self, declared: Vec<Declared>, place: Place) {
        self.organizations.push((declared, place));
    }

    /// The organizations that count.
    pub(super) fn organizations(&self) -> &[Declared] {
        self.organizations.last().map_or(&[], |(declared, _)| declared)
    }

    /// Every list of organizations with its place; the last counts.
    pub(super) fn organization_lists(&self) -> &[(Vec<Declared>, Place)] {
        &self.organizations
    }

    fn set_text(&mut self, key: &'static Key, text: &str, place: Place, mistakes: &mut Mistakes) {
        self.set(key, &Written::of_text(text, key.kind), Path::new(""), place, mistakes);
    }

    /// Sets a key over what lower layers said, or notes why its value is refused.
    pub(super) fn set(
        &mut self,
        key: &'static Key,
        written: &Written,
        folder: &Path,
        place: Place,
        mistakes: &mut Mistakes,
    ) {
        self.named.insert(key.name);
        match value::read(key.name, key.kind, written, folder) {
            Ok(value) => {
                self.values.entry(key.name).or_default().push((value, place));
            }
            Err(refusal) => mistakes.add(place, refusal.message, refusal.help),
        }
    }

    /// Whether any layer but the defaults names the key.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.named.contains(name)
    }

    /// Where the first named key of a section got its value.
    pub(super) fn place_of_section(&self, section: &str) -> Option<Place> {
        let mut keys = KEYS.iter().filter(|key| key.parts().0 == Some(section) && self.named.contains(key.name));
        keys.find_map(|key| self.get(key.name)).map(|(_, place)| place.clone())
    }

    pub(super) fn get(&self, name: &str) -> Option<&(Value, Place)> {
        self.values.get(name).and_then(|values| values.last())
    }

    /// Every value of a key that some layer said, the one that counts last.
    pub(super) fn said(&self, name: &str) -> &[(Value, Place)] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Where the key's value came from.
    pub(super) fn place(&self, name: &str) -> Place {
        self.get(name).map_or(Place::Default, |(_, place)| place.clone())
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.get(name) {
            Some((Value::Text(text), _)) => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        match self.get(name) {
            Some((Value::Path(path), _)) => Some(path.clone()),
            _ => None,
        }
    }

    /// A number in the type that takes it; its key's range is within that type.
    pub(super) fn number<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        match self.get(name) {
            Some((Value::Number(number), _)) => T::try_from(*number).ok(),
            _ => None,
        }
    }

    pub(super) fn address(&self, name: &str) -> Option<SocketAddr> {
        match self.get(name) {
            Some((Value::Address(address), _)) => Some(*address),
            _ => None,
        }
    }
}
