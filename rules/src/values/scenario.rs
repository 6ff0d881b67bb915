//! Scenarios: what stands at each source, in a file, so that values and renderings can be tried without an engine.

use std::collections::BTreeMap;

use linesman_schemas::Place;
use serde::Deserialize;

use super::acquisition::{Fault, Runtime};
use super::layer::{Layer, Said};
use super::parameter::{Definition, Spelled};
use super::source::{Source, Where};
use super::substitution::parse_substitution;
use super::value::Value;
use crate::diagnostic::suggest;

/// The largest scenario that is read, in bytes.
const SCENARIO_BYTES_MOST: usize = 1 << 20;

/// What a scenario gives. It is evaluated as at an activation.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The service it is about, by name; none where it brings parameters of its own.
    pub service: Option<String>,
    /// Its own parameters, where it names no service.
    pub parameters: Definition,
    /// The sources.
    pub layers: Vec<Layer>,
    /// What the place tells.
    pub runtime: Runtime,
    /// What is wrong with what was written in it: each is a fault of the values.
    pub faults: Vec<Fault>,
    /// The faults it is to end in, as `parameter: message`; none for one that is to be rendered.
    pub expected: Vec<String>,
}

/// Why a text is no scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct NoScenario {
    /// All that is to be said, with line and column where it is no TOML of that form.
    text: String,
    /// What is wrong, without them.
    pub message: String,
    /// Where in the text, in bytes; none where the whole is meant.
    pub at: Option<std::ops::Range<usize>>,
}

impl NoScenario {
    fn new(message: String) -> Self {
        Self { text: message.clone(), message, at: None }
    }

    fn of_form(error: &toml::de::Error) -> Self {
        let text = error.to_string().trim_end().to_owned();
        Self { text, message: error.message().to_owned(), at: error.span() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    service: Option<String>,
    parameters: Option<BTreeMap<String, Spelled>>,
    #[serde(default)]
    sources: Vec<WrittenSource>,
    #[serde(default)]
    runtime: BTreeMap<String, toml::Value>,
    #[serde(default)]
    faults: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSource {
    source: String,
    place: Option<String>,
    #[serde(default)]
    substitutions: Vec<String>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// It is no TOML of this form, or its sources are not those of one place. What is wrong with a substitution or a
    /// parameter is no error: it is among the scenario's faults.
    pub fn read(text: &str) -> Result<Self, NoScenario> {
        if text.len() > SCENARIO_BYTES_MOST {
            return Err(NoScenario::new(format!("it has {} bytes, at most {SCENARIO_BYTES_MOST} may be", text.len())));
        }
        let written: Written = toml::from_str(text).map_err(|error| NoScenario::of_form(&error))?;
        let mut faults = Vec::new();
        let parameters = match (&written.service, &written.parameters) {
            (Some(_), Some(_)) => {
                return Err(NoScenario::new(
                    "it names a service and has parameters of its own: leave one out".to_owned(),
                ));
            }
            (None, None) => return Err(NoScenario::new("it needs `service`, or `[parameters]`".to_owned())),
            (Some(_), None) => Definition::default(),
            (None, Some(spelled)) => {
                let spelled = || spelled.iter().map(|(name, spelled)| (name.as_str(), spelled));
                let (parameters, mut wrong) = Definition::read_all(spelled());
                wrong.extend(spelled().filter_map(|(name, spelled)| spelled.repeated(name)));
                faults.extend(wrong.iter().map(Fault::of_declaration));
                parameters
            }
        };
        let layers = written.sources.iter().map(|source| source.layer(&mut faults)).collect::<Result<Vec<_>, _>>()?;
        one_path(&layers)?;
        let mut runtime = Runtime::of(layers.iter().filter_map(|layer| layer.place.as_ref()));
        for (name, value) in &written.runtime {
            let told = told(value).map_err(|what| NoScenario::new(format!("`runtime.{name}`: {what} is no value")))?;
            if let Err(mistake) = runtime.tell(name, told) {
                let fault = Fault { help: mistake.help, ..Fault::new(name, mistake.message) };
                faults.push(fault.at(Where { source: Source::Runtime, place: None }));
            }
        }
        Ok(Self { service: written.service, parameters, layers, runtime, faults, expected: written.faults })
    }
}

impl WrittenSource {
    fn layer(&self, faults: &mut Vec<Fault>) -> Result<Layer, NoScenario> {
        let known = || Source::GIVEN.iter().map(|source| source.as_str());
        let source = self.source.parse::<Source>().ok().filter(|source| Source::GIVEN.contains(source));
        let source = source.ok_or_else(|| {
            NoScenario::new(format!("there is no source `{}`; {}", self.source, suggest(&self.source, known())))
        })?;
        let place = self.place.as_deref().filter(|place| *place != "/").map(str::parse::<Place>).transpose();
        let place = place.map_err(|error| NoScenario::new(error.to_string()))?;
        if let Some(place) = &place
            && !source.stands_at(place)
        {
            return Err(NoScenario::new(format!("the source `{source}` does not stand at `{place}`")));
        }
        let mut layer = Layer { source, place, substitutions: Vec::with_capacity(self.substitutions.len()) };
        for text in &self.substitutions {
            match parse_substitution(text) {
                Ok(substitution) => layer.substitutions.push(Said::from(substitution)),
                Err(mistake) => {
                    // What it would be about is what stands before the type, the expression, or a space.
                    let name = text.trim_start().trim_start_matches('!').split([':', '=', ' ']).next().unwrap_or(text);
                    let message = format!("`{text}` of {}: {}", layer.at(), mistake.message);
                    let fault = Fault { help: mistake.help, ..Fault::new(name, message) };
                    faults.push(fault.at(layer.at()));
                }
            }
        }
        Ok(layer)
    }
}

/// All sources have to be those of one place: each kind at most once, all places on one way down.
fn one_path(layers: &[Layer]) -> Result<(), NoScenario> {
    for (index, layer) in layers.iter().enumerate() {
        for other in layers.iter().take(index) {
            if other.source == layer.source {
                return Err(NoScenario::new(format!("the source `{}` stands there twice", layer.source)));
            }
            if let (Some(one), Some(other)) = (&layer.place, &other.place)
                && !one.covers(other)
                && !other.covers(one)
            {
                return Err(NoScenario::new(format!("`{other}` and `{one}` do not lie on one way down to a line")));
            }
        }
    }
    Ok(())
}

/// A value as TOML writes it.
fn told(value: &toml::Value) -> Result<Value, &'static str> {
    Ok(match value {
        toml::Value::String(text) => Value::text(text),
        toml::Value::Integer(number) => Value::Integer(i128::from(*number)),
        toml::Value::Float(number) if number.is_finite() => Value::Float(*number),
        toml::Value::Float(_) => return Err("what is not finite"),
        toml::Value::Boolean(truth) => Value::Boolean(*truth),
        toml::Value::Array(elements) => {
            let elements: Result<Vec<Value>, _> = elements.iter().map(told).collect();
            Value::List(elements?.into())
        }
        toml::Value::Datetime(_) => return Err("a time"),
        toml::Value::Table(_) => return Err("a table"),
    })
}
