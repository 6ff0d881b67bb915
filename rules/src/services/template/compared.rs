//! Comparisons by order, `<` and its like: of values of one kind, and refused of others.
//!
//! The engine of templates orders all values somehow. So templates that compare are read a second time, with a filter
//! behind each of both operands: the one remembers what stands on the left, the other holds what stands on the right
//! against it. Both give back what they are given. Text that is rendered is the same, places of faults are told from
//! the templates as they are written.

use std::collections::BTreeMap;
use std::ops::Range;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, State, Value};

use super::inspect::Findings;
use super::value::refused;
use super::{Fault, Files, environment};
use crate::diagnostic::{Code, excerpt};

/// Behind the left operand. No template may name it: known filters begin with a letter.
const LEFT: &str = "_left";
/// Behind the right one.
const RIGHT: &str = "_right";
/// What the message of a comparison that is refused begins with, before its number.
const REFUSED: &str = "compared ";

/// One comparison, as it stands in a template.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    /// All of it.
    pub(super) range: Range<usize>,
    /// Where its left operand ends, and its right one.
    pub(super) ends: [usize; 2],
}

/// Templates that hold values against each other before they compare them.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) environment: Environment<'static>,
    /// By the number of the comparison.
    places: Vec<(String, Range<usize>)>,
}

/// What stands on the left of comparisons that are not finished, by their numbers.
#[derive(Default)]
struct Lefts(Vec<(usize, &'static str)>);

impl Compared {
    /// Reads the templates; none where they compare nothing.
    pub(super) fn read(files: &Files, findings: &BTreeMap<String, Findings>) -> Option<Self> {
        let mut places = Vec::new();
        let mut environment = environment();
        environment.add_filter(LEFT, left);
        environment.add_filter(RIGHT, right);
        for (file, source) in files {
            let mut insertions: Vec<(usize, String)> = Vec::new();
            for comparison in findings.get(file).iter().flat_map(|findings| &findings.compared) {
                let [of_left, of_right] = comparison.ends;
                // In a chain what stands on the right of one stands on the left of the next: the first is told first.
                insertions.push((of_left, format!("|{LEFT}({})", places.len())));
                insertions.push((of_right, format!("|{RIGHT}({})", places.len())));
                places.push((file.clone(), comparison.range.clone()));
            }
            let is_left = |insertion: &str| insertion.starts_with("|_left");
            insertions.sort_by_key(|(at, insertion)| (*at, is_left(insertion)));
            let mut text = source.clone();
            for (at, insertion) in insertions.iter().rev() {
                text.insert_str(*at, insertion);
            }
            environment.add_template_owned(file.clone(), text).ok()?;
        }
        (!places.is_empty()).then_some(Self { environment, places })
    }

    /// The fault of a comparison that is refused; none of another error.
    pub(super) fn fault(&self, error: &Error, files: &Files) -> Option<Fault> {
        let mut innermost = error;
        while let Some(source) = std::error::Error::source(innermost).and_then(|source| source.downcast_ref::<Error>())
        {
            innermost = source;
        }
        let (number, kinds) = innermost.detail()?.strip_prefix(REFUSED)?.split_once(' ')?;
        let (file, range) = self.places.get(number.parse::<usize>().ok()?)?;
        let source = files.get(file)?;
        let meant = excerpt(source.get(range.clone()).unwrap_or_default());
        let message = format!("`{meant}` compares {kinds}, which have no order");
        let help = Some("compare two numbers, two texts or two lists".to_owned());
        Some(Fault::between(file, source, range.clone(), message, help).sort(Code::WrongType))
    }
}

fn left(state: &mut State<'_, '_>, value: Value, number: usize) -> Value {
    state.get_or_insert_extension_with(Lefts::default).0.push((number, kind(&value)));
    value
}

fn right(state: &mut State<'_, '_>, value: Value, number: usize) -> Result<Value, Error> {
    let lefts = state.get_or_insert_extension_with(Lefts::default);
    // Those of chains that ended early lie above it.
    while let Some((of, left)) = lefts.0.pop() {
        if of != number {
            continue;
        }
        let right = kind(&value);
        if left == right && matches!(left, "a number" | "a text" | "a list") {
            return Ok(value);
        }
        return Err(refused(format!("{REFUSED}{number} {left} and {right}")));
    }
    Ok(value)
}

/// What a value is, for people.
fn kind(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Number => "a number",
        ValueKind::String => "a text",
        ValueKind::Bool => "a boolean",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a map",
        ValueKind::Undefined | ValueKind::None => "a missing value",
        _ => "a range or a negated value",
    }
}
