//! Why a parameter has the value it has: every source in order, found or not.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::slot::{Candidate, Given, Slot};
use super::{Acquired, Acquisition, Fault};
use crate::values::layer::Told;
use crate::values::source::Source;

/// A parameter at a place, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Which parameter.
    pub parameter: String,
    /// Its types.
    #[serde(rename = "type")]
    pub types: String,
    /// `free`, `defaulted` or `fixed`.
    pub status: String,
    /// The value that counts, as JSON: a text or a list of texts.
    pub value: Option<serde_json::Value>,
    /// Whether that is not shown: it comes of what is fixed above and hidden.
    #[serde(default, skip_serializing_if = "is_no")]
    pub hidden: bool,
    /// The source of the value that counts.
    pub source: Option<String>,
    /// Its place.
    pub place: Option<String>,
    /// Every source, from the most specific to the most general.
    pub sources: Vec<Step>,
    /// How it was narrowed, from the most general to the most specific.
    pub constraints: Vec<Trail>,
    /// What it is called from here on, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed: Option<Renaming>,
    /// Which parameters it is the new name of, and by whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stands_for: Vec<StandsFor>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// A source that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub source: String,
    /// Where it stands, if it is there at this place.
    pub place: Option<String>,
    /// What was found there; none where nothing was.
    pub found: Option<Found>,
}

/// What was found at a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The expression as it was written; none for what the place tells.
    pub expression: Option<String>,
    /// What it came to; none where it was not asked, or is faulty.
    pub value: Option<serde_json::Value>,
    /// Whether it fixes.
    pub fixed: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// Who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What it refers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
}

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is the value that counts, or the most specific part of it.
    Counts,
    /// It is a more general part of it, by the list mode.
    Contributes,
    /// A more specific source counts.
    Overridden,
    /// A more general source has fixed the parameter.
    Blocked,
    /// Nobody may substitute the parameter there, and it is a fault.
    Refused,
}

impl Outcome {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Contributes => "contributes",
            Self::Overridden => "overridden by a more specific source",
            Self::Blocked => "blocked by a fix above",
            Self::Refused => "refused: nobody may substitute it there",
        }
    }
}

/// What an expression refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The parameter.
    pub parameter: String,
    /// Its value.
    pub value: Option<serde_json::Value>,
    /// Where that came from.
    pub source: Option<String>,
    /// Its place.
    pub place: Option<String>,
}

/// A constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// Where it stands.
    pub source: String,
    /// Its place.
    pub place: Option<String>,
    /// As it was written.
    pub expression: String,
    /// The parameter that it was given of, where that was renamed to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What it came to; none where it is faulty or not in force.
    pub admits: Option<String>,
    /// Whether it may be narrowed further.
    pub fixed: bool,
    /// Who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// A renaming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renaming {
    /// What it is called from there on.
    pub to: String,
    /// The source that renamed it.
    pub source: String,
    /// Its place.
    pub place: Option<String>,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandsFor {
    /// The parameter that was renamed.
    pub parameter: String,
    /// The source that renamed it.
    pub source: String,
    /// Its place.
    pub place: Option<String>,
}

const fn is_no(truth: &bool) -> bool {
    !*truth
}

impl Acquisition<'_> {
    /// Explains a parameter; none where there is none of that name.
    pub fn explain(&self, name: &str) -> Option<Explanation> {
        let slot = self.slot(name)?;
        let acquired = Acquired { slot };
        let at = acquired.at();
        let sources = Source::ALL.into_iter().map(|source| self.step(slot, source)).collect();
        let in_force = slot.in_force();
        let constraints = slot.narrowings.iter().enumerate().map(|(index, narrowing)| Trail {
            source: narrowing.at.source.to_string(),
            place: narrowing.at.place.map(ToString::to_string),
            expression: narrowing.expression.to_string(),
            of: narrowing.of.map(|of| of.name.to_string()),
            admits: narrowing.constraint.as_ref().filter(|_| index < in_force).map(ToString::to_string),
            fixed: narrowing.is_fixed,
            by: narrowing.told.map(|told| told.by.to_string()),
            at: narrowing.told.map(|told| told.at.to_string()),
        });
        Some(Explanation {
            parameter: name.to_owned(),
            types: slot.types.to_string(),
            status: acquired.status().as_str().to_owned(),
            value: acquired.value().map(super::Value::to_json),
            hidden: false,
            source: at.map(|at| at.source.to_string()),
            place: at.and_then(|at| at.place).map(ToString::to_string),
            sources,
            constraints: constraints.collect(),
            renamed: slot.renamed.map(|renamed| Renaming {
                to: renamed.to.to_string(),
                source: renamed.at.source.to_string(),
                place: renamed.at.place.map(ToString::to_string),
            }),
            stands_for: self.stands_for(name),
            faults: self.faults.iter().filter(|fault| fault.parameter == name).cloned().collect(),
        })
    }

    /// The parameters that were renamed to a name.
    fn stands_for(&self, name: &str) -> Vec<StandsFor> {
        let renamed = self.slots.iter().filter_map(|slot| Some((slot, slot.renamed?)));
        let of_name = renamed.filter(|(_, renamed)| renamed.to.as_str() == name);
        let mut found: Vec<StandsFor> = of_name
            .map(|(slot, renamed)| StandsFor {
                parameter: slot.name.to_string(),
                source: renamed.at.source.to_string(),
                place: renamed.at.place.map(ToString::to_string),
            })
            .collect();
        found.sort_by(|one, other| one.parameter.cmp(&other.parameter));
        found
    }

    fn step(&self, slot: &Slot<'_>, source: Source) -> Step {
        let layer = self.ground.layers.iter().find(|layer| layer.source == source);
        let place = layer.and_then(|layer| layer.place.as_ref()).map(ToString::to_string);
        let found = slot.candidates.iter().position(|candidate| candidate.at.source == source);
        let found = found.and_then(|index| Some(self.found(slot.outcome(index)?, slot.candidates.get(index)?)));
        let refused = || slot.refused.iter().find(|candidate| candidate.at.source == source);
        let found = found.or_else(|| refused().map(|candidate| self.found(Outcome::Refused, candidate)));
        Step { source: source.to_string(), place, found }
    }

    fn found(&self, outcome: Outcome, candidate: &Candidate<'_>) -> Found {
        let (expression, inputs) = match candidate.given {
            Given::Expression(expression) => {
                let inputs = expression.references().iter().map(|found| self.input(found.name.as_str())).collect();
                (Some(expression.to_string()), inputs)
            }
            Given::Value(_) | Given::Nothing => (None, Vec::new()),
        };
        Found {
            expression,
            value: candidate.value.as_ref().map(super::Value::to_json),
            fixed: candidate.is_fixed,
            outcome,
            by: candidate.told.map(|Told { by, .. }| by.to_string()),
            at: candidate.told.map(|Told { at, .. }| at.to_string()),
            inputs,
        }
    }

    fn input(&self, name: &str) -> Input {
        let acquired = self.get(name);
        let at = acquired.and_then(|acquired| acquired.at());
        Input {
            parameter: name.to_owned(),
            value: acquired.and_then(|acquired| acquired.value()).map(super::Value::to_json),
            source: at.map(|at| at.source.to_string()),
            place: at.and_then(|at| at.place).map(ToString::to_string),
        }
    }
}

impl Slot<'_> {
    /// What became of a candidate, by its number.
    fn outcome(&self, index: usize) -> Option<Outcome> {
        let candidate = self.candidates.get(index)?;
        let contributing = self.contributing();
        // A fix without a value counts, and what it fixes contributes.
        let is_fix = |at| self.fix().is_some_and(|fix| fix.at == at && matches!(fix.given, Given::Nothing));
        let fixes = self.candidates.iter().any(|candidate| is_fix(candidate.at));
        let is_counting = self.counting().is_some_and(|counting| counting.at == candidate.at) && !fixes;
        let is_last = is_counting || is_fix(candidate.at);
        Some(match (is_last, contributing.contains(&index), index < self.unblocked()) {
            (true, ..) => Outcome::Counts,
            (false, true, _) => Outcome::Contributes,
            (false, false, true) => Outcome::Overridden,
            (false, false, false) => Outcome::Blocked,
        })
    }
}

/// A source and its place, as the tree shows it.
fn placed(source: &str, place: Option<&String>) -> String {
    place.map_or_else(|| source.to_owned(), |place| format!("{source} {place}"))
}

/// A value as text.
fn shown(value: Option<&serde_json::Value>) -> String {
    match value {
        None => "-".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Array(elements)) => {
            let elements: Vec<String> = elements.iter().map(|element| shown(Some(element))).collect();
            format!("[{}]", elements.join(", "))
        }
        Some(other) => other.to_string(),
    }
}

/// The tree as text, a source a line.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parameter, types, status, value, .. } = self;
        write!(f, "{parameter}: {types}, {status}")?;
        if let Some(source) = &self.source {
            let value = if self.hidden { "hidden".to_owned() } else { shown(value.as_ref()) };
            write!(f, ", {value} from {}", placed(source, self.place.as_ref()))?;
        }
        writeln!(f)?;
        for step in &self.sources {
            let place = placed(&step.source, step.place.as_ref());
            let Some(found) = &step.found else {
                writeln!(f, "  {place}: not found")?;
                continue;
            };
            let mark = if found.fixed { "!" } else { "" };
            let written = match &found.expression {
                Some(expression) => format!("{mark}{parameter}={expression}"),
                None => format!("{mark}{parameter}"),
            };
            write!(f, "  {place}: `{written}`")?;
            if let Some(value) = &found.value {
                write!(f, " = {}", shown(Some(value)))?;
            }
            write!(f, ", {}", found.outcome.as_str())?;
            if let (Some(by), Some(at)) = (&found.by, &found.at) {
                write!(f, ", by {by} at {at}")?;
            }
            writeln!(f)?;
            for input in &found.inputs {
                let from =
                    input.source.as_ref().map(|source| format!(" from {}", placed(source, input.place.as_ref())));
                let value = shown(input.value.as_ref());
                writeln!(f, "    {} = {value}{}", input.parameter, from.unwrap_or_default())?;
            }
        }
        for trail in &self.constraints {
            let mark = if trail.fixed { "!" } else { "" };
            let (of, place) = (trail.of.as_ref().unwrap_or(parameter), placed(&trail.source, trail.place.as_ref()));
            write!(f, "  constraint of {place}: `{mark}{of} in {}`", trail.expression)?;
            match &trail.admits {
                Some(admits) => writeln!(f, ", admits {admits}")?,
                None => writeln!(f, ", not in force")?,
            }
        }
        if let Some(renamed) = &self.renamed {
            writeln!(f, "  renamed to {} by {}", renamed.to, placed(&renamed.source, renamed.place.as_ref()))?;
        }
        for known in &self.stands_for {
            writeln!(f, "  stands for {}, by {}", known.parameter, placed(&known.source, known.place.as_ref()))?;
        }
        for fault in &self.faults {
            writeln!(f, "  fault: {}", fault.message)?;
            if let Some(help) = &fault.help {
                writeln!(f, "    help: {help}")?;
            }
        }
        Ok(())
    }
}
