//! All about one key, for people and for programs.

use std::fmt;

use linesman_connectors::settings::{Kind, Section};
use serde_json::{Map, Value as Json, json};

use super::layers::{Layers, Said};
use super::mistake::Mistakes;
use super::origin::Origin;
use super::sections::{Setting, variable};
use super::tables::Listed;
use super::value::quoted;
use super::{json, print, suggest, wording};

/// One key: what it is, and what was said of it. Secrets are masked.
#[derive(Debug, Clone)]
pub struct Explanation {
    name: String,
    doc: String,
    kind: String,
    unit: Option<&'static str>,
    default: Option<&'static str>,
    /// How it is set.
    set_by: String,
    /// What counts, with the words for where it came from.
    values: Vec<(String, String)>,
    overrode: Vec<(String, String)>,
    /// The same for programs.
    json: Map<String, Json>,
}

/// Explains the key; none, and a mistake noted, where there is none of that name.
pub(super) fn of(layers: &Layers, name: &str, mistakes: &mut Mistakes) -> Option<Explanation> {
    let sections = &layers.sections;
    if let Some(setting) = sections.setting(name) {
        let mut explanation = Explanation::of_key(setting);
        explanation.say_setting(layers, setting);
        return Some(explanation);
    }
    if let Some(list) = sections.lists().find(|list| list.name == name) {
        let mut explanation = Explanation::of_list(list);
        explanation.say_list(layers, list, |listed| listed.name(list));
        return Some(explanation);
    }
    let listed = || sections.lists().flat_map(Setting::all);
    if let Some(Setting { section, key }) = listed().find(|setting| setting.name() == name) {
        let mut explanation = Explanation::of_key(Setting { section, key });
        explanation.say_list(layers, section, |listed| {
            let value =
                listed.entry.get(key.name).map_or_else(|| "not set".to_owned(), |value| print::shown(key, value));
            format!("{}: {value}", listed.name(section))
        });
        return Some(explanation);
    }
    let known: Vec<String> = sections.settable().into_iter().chain(listed().map(Setting::name)).collect();
    let known = known.iter().map(String::as_str);
    let namesakes: Vec<&str> = known.clone().filter(|known| known.split('.').next_back() == Some(name)).collect();
    let help = match namesakes.as_slice() {
        [] => suggest::help(name, known),
        some => Some(format!("did you mean {}?", wording::list(some, "or"))),
    };
    mistakes.add(Origin::Flag("--explain".to_owned()), format!("there is no key {}", quoted(name)), help);
    None
}

impl Explanation {
    /// What is true of a list whatever was said of it.
    fn of_list(list: &Section) -> Self {
        let variable = variable(list.name);
        Self::new(list.name.to_owned(), wording::about_list(list), "a list of tables".to_owned(), Some(variable))
    }

    /// What is true of a key whatever was said of it.
    fn of_key(setting: Setting) -> Self {
        let Setting { section, key } = setting;
        let kind = wording::expected(key.kind);
        let mut about = Self::new(setting.name(), key.doc.to_owned(), kind, setting.variable());
        (about.unit, about.default) = (setting.unit(), key.default);
        if section.is_list() {
            about.set_by = format!("the list of {0}, see `--explain {0}`", section.name);
        }
        about.json.insert("unit".to_owned(), json!(about.unit));
        about.json.insert("default".to_owned(), json!(about.default));
        if let Kind::Count { least, most } | Kind::Seconds { least, most } = key.kind {
            about.json.insert("least".to_owned(), json!(least));
            about.json.insert("most".to_owned(), json!(most));
        }
        if let Kind::Words(words) = key.kind {
            about.json.insert("words".to_owned(), json!(words));
        }
        about
    }

    fn new(name: String, doc: String, kind: String, variable: Option<String>) -> Self {
        let about = json!({
            "key": name, "meaning": doc, "type": kind, "unit": null, "default": null, "variable": variable,
        });
        let json = if let Json::Object(about) = about { about } else { Map::new() };
        let set_by = format!("the file, {}, --set {name}=VALUE", variable.unwrap_or_default());
        let (values, overrode) = (Vec::new(), Vec::new());
        Self { name, doc, kind, unit: None, default: None, set_by, values, overrode, json }
    }

    fn say_setting(&mut self, layers: &Layers, setting: Setting) {
        let (name, key) = (setting.name(), setting.key);
        let mut said = layers.said(&name).iter().rev();
        let shown = |(value, origin): &(_, Origin)| (print::shown(key, value), origin.to_string());
        let (effective, overridden) = (said.next(), said);
        self.overrode = overridden.clone().map(shown).collect();
        self.values = effective.map(shown).into_iter().collect();
        let value = effective.map_or(json!({"value": null, "from": null}), |said| json::said_of(key, said));
        if let Json::Object(value) = value {
            self.json.extend(value);
        }
        let overrode: Vec<Json> = overridden.map(|said| json::said_of(key, said)).collect();
        self.json.insert("overrode".to_owned(), json!(overrode));
    }

    /// Of a list, or a key of one: each table as `shown`, and where the list came from.
    fn say_list(&mut self, layers: &Layers, list: &Section, shown: impl Fn(&Listed) -> String) {
        let counting = layers.listed(list.name).iter();
        self.values = counting.map(|listed| (shown(listed), listed.origin.to_string())).collect();
        let mut said = layers.lists_said(list.name).iter().rev();
        let effective = said.next();
        let names = |listed: &[Listed]| -> String {
            let names: Vec<String> = listed.iter().map(|listed| listed.name(list)).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        self.overrode = said.clone().map(|(listed, origin)| (names(listed), origin.to_string())).collect();
        let value = json::of_list(list, layers.listed(list.name));
        self.json.insert("value".to_owned(), value);
        self.json.insert("from".to_owned(), effective.map_or(Json::Null, |(_, origin)| json::of_origin(origin)));
        let one =
            |(listed, origin): &Said| json!({"value": json::of_list(list, listed), "from": json::of_origin(origin)});
        self.json.insert("overrode".to_owned(), said.map(one).collect());
    }

    /// The explanation as a JSON object.
    pub fn json(&self) -> Json {
        Json::Object(self.json.clone())
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n  {}\n", self.name, self.doc)?;
        writeln!(f, "  type      {}", self.kind)?;
        if let Some(unit) = self.unit {
            writeln!(f, "  unit      {unit}")?;
        }
        writeln!(f, "  default   {}", self.default.unwrap_or("none"))?;
        writeln!(f, "  set by    {}", self.set_by)?;
        if self.values.is_empty() {
            writeln!(f, "  value     not set")?;
        }
        for (value, origin) in &self.values {
            writeln!(f, "  value     {value}\n  from      {origin}")?;
        }
        for (value, origin) in &self.overrode {
            writeln!(f, "  overrode  {value}, from {origin}")?;
        }
        Ok(())
    }
}
