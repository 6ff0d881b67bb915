//! Comparisons of fields with values that they never have.

use rhai::{Expr, FnCallExpr};

use super::held::Held;
use super::walk::Walk;
use crate::diagnostic::{Code, LineColumn, excerpt, suggest};
use crate::literal::{self, Literal, Spanned};
use crate::possible::Possible;
use crate::subject::{Field, Shape};

/// The operators, and what each is with its sides changed.
const OPERATORS: [(&str, &str); 6] = [("==", "=="), ("!=", "!="), ("<", ">"), ("<=", ">="), (">", "<"), (">=", "<=")];

/// A comparison as if the field stood on its left.
struct Comparison<'a> {
    /// What it looks at, and how that is spelled.
    held: Held,
    name: &'a str,
    operator: &'static str,
    value: &'a Spanned,
    at: LineColumn,
}

/// Warns of a comparison that is never so, or always.
pub(super) fn check(call: &FnCallExpr, at: LineColumn, held: &[Held], walk: &mut Walk<'_>) {
    let ([left, right], [of_left, of_right]) = (call.args.as_slice(), held) else { return };
    let Some((operator, turned)) = OPERATORS.into_iter().find(|(operator, _)| *operator == call.name) else {
        if call.name == "contains" {
            check_listed(left, *of_right, walk);
        }
        return;
    };
    let (held, operator, value) = match (name(*of_left, walk), name(*of_right, walk)) {
        (Some(_), None) => (*of_left, operator, literal::read(right)),
        (None, Some(_)) => (*of_right, turned, literal::read(left)),
        _ => return,
    };
    let Some(name) = name(held, walk) else { return };
    Comparison { held, name, operator, value: &value, at }.check(walk);
}

/// `field in [...]`: each text of the list that the field never is.
fn check_listed(list: &Expr, held: Held, walk: &mut Walk<'_>) {
    let (Some(name), Literal::List(items)) = (name(held, walk), literal::read(list).value) else { return };
    for item in &items {
        Comparison { held, name, operator: "==", value: item, at: item.at }.check(walk);
    }
}

/// How what is looked at is called; none where that is no field.
fn name(held: Held, walk: &Walk<'_>) -> Option<&'static str> {
    match held {
        Held::Field(field) => {
            let path = Field::of(walk.kind?).iter().find(|(_, known)| *known == field)?.0;
            Some(path)
        }
        Held::OfOrganization(property) => Some(property),
        _ => None,
    }
}

impl Comparison<'_> {
    fn check(&self, walk: &mut Walk<'_>) {
        let (shape, possible) = match self.held {
            Held::Field(field) => (field.shape(), walk.possible(field)),
            Held::OfOrganization("is_proxy") => (Shape::Flag, Possible::Anything),
            Held::OfOrganization("filter_level") => (Shape::Text, levels()),
            _ => (Shape::Text, Possible::Anything),
        };
        if let Some(help) = self.mismatch(shape) {
            let shape = described(shape);
            let given = self.value.value.describe();
            self.say(format!("`{}` is {shape}, and this is {given}", self.name), help, walk);
            return;
        }
        if self.operator == "!=" && !matches!(self.value.value, Literal::Text(_)) {
            return;
        }
        self.check_value(&possible, walk);
    }

    /// Why a value can never equal what is of this shape; `Some(None)` where there is nothing to do about it.
    fn mismatch(&self, shape: Shape) -> Option<Option<String>> {
        let name = self.name;
        match (shape, &self.value.value) {
            (_, Literal::Other(literal::EXPRESSION | literal::NOTHING)) => None,
            (Shape::Text, Literal::Text(_) | Literal::Other(literal::CHARACTER)) => None,
            (Shape::Number, Literal::Number(_) | Literal::Other(literal::FRACTION | literal::TOO_LARGE)) => None,
            (Shape::Flag, Literal::Flag(_)) => None,
            (Shape::Texts, Literal::List(_)) | (Shape::Map, Literal::Map(_)) => None,
            (Shape::Number, Literal::Text(text)) if text.trim().parse::<i64>().is_ok() => {
                Some(Some(format!("write the number without quotes: `{}`", text.trim())))
            }
            (Shape::Flag, Literal::Text(text)) if matches!(text.as_str(), "true" | "false") => {
                Some(Some(format!("write the flag without quotes: `{text}`")))
            }
            (Shape::Texts, Literal::Text(text)) => {
                Some(Some(format!("ask whether it is among them: `\"{}\" in ...{name}`", excerpt(text))))
            }
            _ => Some(None),
        }
    }

    fn check_value(&self, possible: &Possible, walk: &mut Walk<'_>) {
        let is_so = match (possible, &self.value.value) {
            (Possible::Nothing, Literal::Other(literal::NOTHING | literal::EXPRESSION)) => true,
            (Possible::Nothing, _) => false,
            (Possible::Texts(known), Literal::Text(text)) if matches!(self.operator, "==" | "!=") => {
                known.contains(&text.as_str())
            }
            (Possible::Numbers(least, most), Literal::Number(number)) => match self.operator {
                "==" => (*least..=*most).contains(number),
                "<" => least < number,
                "<=" => least <= number,
                ">" => most > number,
                ">=" => most >= number,
                _ => true,
            },
            (Possible::Flag(flag), Literal::Flag(wanted)) if self.operator == "==" => flag == wanted,
            _ => true,
        };
        if is_so {
            return;
        }
        let (when, elsewhere, is_of_trigger) = match self.held {
            Held::Field(field) => walk.when(field),
            _ => (String::new(), None, false),
        };
        // That something is not what it cannot be yet is no mistake: the same policy may listen to more one day.
        if self.operator == "!=" && is_of_trigger {
            return;
        }
        let help = match (possible, &self.value.value) {
            (Possible::Texts(known), Literal::Text(text)) if known.len() > 1 => Some(suggest_text(text, known)),
            _ => elsewhere.map(str::to_owned),
        };
        let told = possible.told().unwrap_or_else(|| "is never this".to_owned());
        self.say(format!("`{}` {told}{when}", self.name), help, walk);
    }

    fn say(&self, why: String, help: Option<String>, walk: &mut Walk<'_>) {
        let verdict = if self.operator == "!=" { "always" } else { "never" };
        let message = format!("{why}: this is {verdict} so");
        match help {
            Some(help) => walk.warnings.add_with_help(Code::NeverMatches, self.at, message, help),
            None => walk.warnings.add(Code::NeverMatches, self.at, message),
        }
    }
}

/// The known text that is meant: the same in other letters, or part of what was written.
fn suggest_text(text: &str, known: &[&str]) -> String {
    let lower = text.to_lowercase();
    let within = known.iter().find(|known| lower.contains(&known.to_lowercase()));
    match within {
        Some(known) => format!("did you mean `{known}`?"),
        None => suggest(text, known.iter().copied()),
    }
}

fn levels() -> Possible {
    Possible::Texts(linesman_schemas::FilterLevel::ALL.iter().map(|(_, text)| *text).collect())
}

const fn described(shape: Shape) -> &'static str {
    match shape {
        Shape::Text => "a text",
        Shape::Number => "a number",
        Shape::Flag => "a flag",
        Shape::Texts => "a list of texts",
        Shape::Map => "a map",
    }
}
