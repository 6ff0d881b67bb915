//! Parameters as a service, or the provider for all services, declares them.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::expression::Expression;
use super::kind::Type;
use super::mistake::Mistake;
use super::name::Name;
use super::single::{Asked, Single};
use super::source::Source;
use super::substitution::{Clause, Substitution, parse_substitution};
use super::types::Types;
use super::value::Value;

/// The most parameters that a service, or the provider for all services, may declare.
pub const PARAMETERS_MOST: usize = 256;

/// How a more specific list meets a more general one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListMode {
    /// It takes its place.
    #[default]
    Replace,
    /// Its elements come behind the general one's, each once.
    Append,
    /// Its elements are taken out of the general one's.
    Remove,
}

impl ListMode {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Remove => "remove",
        }
    }
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// What it is called.
    pub name: Name,
    /// What it takes.
    pub types: Types,
    /// What it is, for people.
    pub title: Option<String>,
    /// How lists of it meet.
    pub list: ListMode,
    /// What it asks of values besides its types.
    pub asked: Asked,
    /// Whether a service cannot do without its value.
    pub is_required: bool,
    /// Its value where nobody substitutes it.
    pub default: Option<Expression>,
    /// What values are admitted anywhere: `name in expression`.
    pub constraint: Option<Substitution>,
    /// What the definition itself substitutes.
    pub substitution: Option<Substitution>,
    /// The most specific level whose people say something of it; all where none is said.
    pub level: Option<Given>,
}

impl Parameter {
    /// A value as it takes it; none where it takes it not.
    pub(crate) fn admit(&self, value: Value) -> Option<Value> {
        self.types.admit(value).and_then(|value| self.asked.admit(value)).ok()
    }
}

/// The most specific level at which something is said of a parameter, the most general first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Given {
    /// The enterprise.
    Enterprise,
    /// A site.
    Site,
}

impl Given {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Site => "site",
        }
    }

    /// The most specific source at it.
    pub(super) const fn source(self) -> Source {
        match self {
            Self::Enterprise => Source::SubscriptionEnterprise,
            Self::Site => Source::SubscriptionSite,
        }
    }

    /// What only places below it tell.
    pub(super) const fn told_below(self) -> &'static str {
        match self {
            Self::Enterprise => "site",
            Self::Site => "line",
        }
    }
}

/// The parameters of a service, or the global ones, by name.
#[derive(Debug, Clone, Default)]
pub struct Definition {
    parameters: Vec<Parameter>,
}

/// What is wrong with the declaration of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misdeclared {
    /// The parameter, as it is spelled.
    pub parameter: String,
    /// The key that is wrong; none for the name, or the whole.
    pub key: Option<&'static str>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Misdeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parameter `{}`: ", self.parameter)?;
        if let Some(key) = self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}

/// A parameter as `service.toml`, `parameters.toml` and scenarios spell it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spelled {
    #[serde(rename = "type")]
    types: Option<String>,
    title: Option<String>,
    #[serde(default)]
    list: ListMode,
    single: Option<Single>,
    #[serde(default)]
    integer: bool,
    #[serde(default)]
    required: bool,
    default: Option<Written>,
    constraint: Option<String>,
    substitution: Option<String>,
    level: Option<Given>,
}

/// A default: the text of an expression, or a number or truth value as TOML writes it.
#[derive(Debug, Clone)]
enum Written {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenVisitor)
    }
}

struct WrittenVisitor;

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of an expression, a number, `true` or `false`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
        Ok(Written::Text(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Written, E> {
        Ok(Written::Integer(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Written, E> {
        Ok(Written::Float(number))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Written, E> {
        Ok(Written::Boolean(truth))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _elements: A) -> Result<Written, A::Error> {
        Err(A::Error::custom("a list stands in quotes, as an expression does: `default = \"[1, 2]\"`"))
    }

    fn visit_map<A: MapAccess<'de>>(self, _entries: A) -> Result<Written, A::Error> {
        Err(A::Error::custom("a table or a date is no value; a map stands in quotes: `default = \"{a: 1}\"`"))
    }
}

impl Written {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => format!("{number:?}"),
            Self::Boolean(truth) => truth.to_string(),
        }
    }
}

impl Definition {
    /// Reads declarations, each under its name.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn read<'a>(declared: impl IntoIterator<Item = (&'a str, &'a Spelled)>) -> Result<Self, Vec<Misdeclared>> {
        let (read, faults) = Self::read_all(declared);
        if faults.is_empty() { Ok(read) } else { Err(faults) }
    }

    /// Reads declarations, and what is wrong with them: one that is wrong is there without what is wrong with it, and
    /// without being required.
    pub fn read_all<'a>(declared: impl IntoIterator<Item = (&'a str, &'a Spelled)>) -> (Self, Vec<Misdeclared>) {
        let mut faults = Vec::new();
        let mut parameters: Vec<Parameter> = Vec::new();
        for (name, spelled) in declared {
            parameters.extend(spelled.read(name, &mut faults));
        }
        if parameters.len() > PARAMETERS_MOST {
            let message = format!("{} parameters are declared, at most {PARAMETERS_MOST} may be", parameters.len());
            faults.push(Misdeclared { parameter: "parameters".to_owned(), key: None, message, help: None });
        }
        parameters.sort_by(|one, other| one.name.cmp(&other.name));
        (Self { parameters }, faults)
    }

    /// The parameters, by name.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The parameter of a name.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        let found = self.parameters.binary_search_by(|parameter| parameter.name.as_str().cmp(name));
        found.ok().and_then(|index| self.parameters.get(index))
    }
}

impl Spelled {
    /// Reads the declaration; what is wrong with it goes to `faults`, and only without a name there is none.
    fn read(&self, name: &str, faults: &mut Vec<Misdeclared>) -> Option<Parameter> {
        let before = faults.len();
        let mut fault = |key, mistake: Mistake| {
            let Mistake { message, help, .. } = mistake;
            faults.push(Misdeclared { parameter: name.to_owned(), key, message, help });
        };
        let parsed_name = Name::new(name).map_err(|mistake| fault(None, mistake)).ok();
        let types = self.types.as_deref().map_or_else(|| Ok(Types::default()), typed);
        let types = types.map_err(|mistake| fault(Some("type"), mistake)).ok();
        let default = self.default.as_ref().map(|default| Expression::parse(&default.text()));
        let default = default.transpose().map_err(|mistake| fault(Some("default"), mistake)).ok().flatten();
        let mut clause = |key: &'static str, text: &Option<String>| {
            let substitution = text.as_deref().map(parse_substitution).transpose();
            let substitution = substitution.map_err(|mistake| fault(Some(key), mistake)).ok().flatten()?;
            if substitution.name.as_str() != name {
                let message = format!("it is about `{}`, not about `{name}`", substitution.name);
                fault(Some(key), Mistake::new(message).with_help(format!("write `{name}` in it")));
                return None;
            }
            let is_constraint = matches!(substitution.clause, Clause::Within(_));
            if is_constraint != (key == "constraint") {
                let (message, help) = if is_constraint {
                    ("it narrows and does not substitute", format!("write it as `constraint = \"{name} in ...\"`"))
                } else {
                    ("it substitutes and does not narrow", format!("write it as `{name} in ...`"))
                };
                fault(Some(key), Mistake::new(message).with_help(help));
                return None;
            }
            Some(substitution)
        };
        let constraint = clause("constraint", &self.constraint);
        let substitution = clause("substitution", &self.substitution);
        let (name_known, types_known) = (parsed_name?, types.unwrap_or_default());
        if self.list != ListMode::Replace && !types_known.is_empty() && !types_known.iter().any(Type::takes_list) {
            let message = format!("a `{types_known}` is never a list");
            fault(Some("list"), Mistake::new(message).with_help("leave `list` out"));
        }
        if let Some((key, mistake)) = self.unaskable(&types_known) {
            fault(Some(key), mistake);
        }
        if let Some(said) = &substitution
            && !said.types.is_empty()
            && said.types != types_known
        {
            let message = format!("it says `{}`, and `type` says `{types_known}`", said.types);
            fault(Some("substitution"), Mistake::new(message).with_help("leave the type out of it"));
        }
        Some(Parameter {
            name: name_known,
            types: types_known,
            title: self.title.clone(),
            list: self.list,
            asked: Asked { single: self.single, is_integer: self.integer },
            is_required: self.required && faults.len() == before,
            default,
            constraint,
            substitution,
            level: self.level,
        })
    }
}

impl Spelled {
    /// What cannot be asked of values of its types.
    fn unaskable(&self, types: &Types) -> Option<(&'static str, Mistake)> {
        let has = |takes: fn(Type) -> bool| types.is_empty() || types.iter().any(takes);
        if self.single.is_some() && self.list != ListMode::Replace {
            let mistake = Mistake::new(format!("lists meet by `{}`, and it takes none", self.list.as_str()));
            return Some(("single", mistake.with_help("leave `list` or `single` out")));
        }
        if self.single == Some(Single::Range) && !has(Type::takes_range) {
            let mistake = Mistake::new(format!("a `{types}` is never a range"));
            return Some(("single", mistake.with_help("write `single = \"value\"`")));
        }
        if self.integer && !has(|kind| matches!(kind, Type::Number | Type::Any)) {
            let mistake = Mistake::new(format!("a `{types}` never has a fraction"));
            return Some(("integer", mistake.with_help("leave `integer` out")));
        }
        None
    }

    /// That the declaration says a type more than once: no fault of reading it, since such stand in logs.
    pub fn repeated(&self, name: &str) -> Option<Misdeclared> {
        let types = self.types.as_deref().and_then(|text| typed(text).ok())?;
        let mut known = BTreeSet::new();
        let again = types.iter().find(|kind| !known.insert(kind.as_str()))?;
        Some(Misdeclared {
            parameter: name.to_owned(),
            key: Some("type"),
            message: format!("the type `{again}` stands twice"),
            help: Some("leave the second one out".to_owned()),
        })
    }
}

/// Types as they are declared: words joined by `:`.
fn typed(text: &str) -> Result<Types, Mistake> {
    text.split(':').map(|word| Type::named(word.trim())).collect::<Result<Vec<_>, _>>().map(Types::new)
}
