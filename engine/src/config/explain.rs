//! All about one key, for people and for programs.

use std::fmt;

use serde_json::{Map, Value as Json, json};

use super::keys::{self, KEYS, Key, Kind, ORGANIZATION_KEYS, ORGANIZATIONS_KEY};
use super::layers::Layers;
use super::mistake::Mistakes;
use super::place::Place;
use super::value::{self, quoted};
use super::{json, print, suggest};

/// One key: what it is, and what was said of it. Secrets are masked.
#[derive(Debug, Clone)]
pub struct Explanation {
    key: &'static Key,
    /// What counts, with the words for where it came from.
    values: Vec<(String, String)>,
    overrode: Vec<(String, String)>,
    /// The same for programs.
    json: Map<String, Json>,
}

/// Explains the key; none, and a mistake noted, where there is none of that name.
pub(super) fn of(layers: &Layers, name: &str, mistakes: &mut Mistakes) -> Option<Explanation> {
    let mut all = KEYS.iter().chain(std::iter::once(&ORGANIZATIONS_KEY)).chain(ORGANIZATION_KEYS);
    let Some(key) = all.find(|key| key.name == name) else {
        let known = keys::settable().chain(ORGANIZATION_KEYS.iter().map(|key| key.name));
        let namesakes: Vec<&str> = known.clone().filter(|known| known.split('.').next_back() == Some(name)).collect();
        let help = match namesakes.as_slice() {
            [] => suggest::help(name, known),
            some => Some(format!("did you mean {}?", value::list(some, "or"))),
        };
        mistakes.add(Place::Flag("--explain".to_owned()), format!("there is no key {}", quoted(name)), help);
        return None;
    };
    let mut explanation = Explanation { key, values: Vec::new(), overrode: Vec::new(), json: about(key) };
    if KEYS.iter().any(|known| known.name == key.name) {
        explanation.setting(layers);
    } else {
        explanation.organizations(layers);
    }
    Some(explanation)
}

/// What is true of a key whatever was said of it.
fn about(key: &Key) -> Map<String, Json> {
    let mut about = Map::new();
    about.insert("key".to_owned(), json!(key.name));
    about.insert("meaning".to_owned(), json!(key.doc));
    about.insert("type".to_owned(), json!(value::expected(key.kind)));
    about.insert("unit".to_owned(), json!(key.unit()));
    about.insert("default".to_owned(), json!(key.default));
    if let Kind::Count { least, most } | Kind::Seconds { least, most } = key.kind {
        about.insert("least".to_owned(), json!(least));
        about.insert("most".to_owned(), json!(most));
    }
    if let Kind::Words(words) = key.kind {
        about.insert("words".to_owned(), json!(words));
    }
    about.insert("variable".to_owned(), json!(key.variable()));
    about
}

impl Explanation {
    fn setting(&mut self, layers: &Layers) {
        let mut said = layers.said(self.key.name).iter().rev();
        let shown = |(value, place): &(value::Value, Place)| (print::shown(self.key, value), place.to_string());
        let (effective, overridden) = (said.next(), said);
        self.overrode = overridden.clone().map(shown).collect();
        self.values = effective.map(shown).into_iter().collect();
        let value = effective.map_or(json!({"value": null, "from": null}), |said| json::said_of(self.key, said));
        if let Json::Object(value) = value {
            self.json.extend(value);
        }
        let overrode: Vec<Json> = overridden.map(|said| json::said_of(self.key, said)).collect();
        self.json.insert("overrode".to_owned(), json!(overrode));
    }

    /// Of a key of theirs the value of each; of the list where it came from.
    fn organizations(&mut self, layers: &Layers) {
        for declared in layers.organizations() {
            let shown = match self.key.kind {
                Kind::Organizations => declared.organization.name.to_string(),
                _ => format!("{}: {}", declared.organization.name, print::of_organization(declared, self.key)),
            };
            self.values.push((shown, declared.place.to_string()));
        }
        let mut lists = layers.organization_lists().iter().rev();
        let effective = lists.next();
        let names = |declared: &[super::organizations::Declared]| -> String {
            let names: Vec<&str> = declared.iter().map(|declared| declared.organization.name.as_str()).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        self.overrode = lists.clone().map(|(list, place)| (names(list), place.to_string())).collect();
        self.json.insert("value".to_owned(), json::organizations(layers.organizations()));
        self.json.insert("from".to_owned(), effective.map_or(Json::Null, |(_, place)| json::of_place(place)));
        let overrode = |(list, place): &(Vec<_>, Place)| json!({"value": json::organizations(list), "from": json::of_place(place)});
        self.json.insert("overrode".to_owned(), lists.map(overrode).collect());
    }

    /// The explanation as a JSON object.
    pub fn json(&self) -> Json {
        Json::Object(self.json.clone())
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key;
        writeln!(f, "{}\n  {}\n", key.name, key.doc)?;
        writeln!(f, "  type      {}", value::expected(key.kind))?;
        if let Some(unit) = key.unit() {
            writeln!(f, "  unit      {unit}")?;
        }
        writeln!(f, "  default   {}", key.default.unwrap_or("none"))?;
        match key.variable() {
            Some(variable) => writeln!(f, "  set by    the file, {variable}, --set {}=VALUE", key.name)?,
            None => writeln!(f, "  set by    the list of organizations, see `--explain organizations`")?,
        }
        if self.values.is_empty() {
            writeln!(f, "  value     not set")?;
        }
        for (value, place) in &self.values {
            writeln!(f, "  value     {value}\n  from      {place}")?;
        }
        for (value, place) in &self.overrode {
            writeln!(f, "  overrode  {value}, from {place}")?;
        }
        Ok(())
    }
}
