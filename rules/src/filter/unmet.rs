//! Conditions that nothing fulfils when the policy's triggers fire: warnings, for what they ask of a field may become so
//! later, and a policy that never fires harms nobody.

use super::{Condition, Target, Test, compile};
use crate::diagnostic::{Code, Faults, suggest};
use crate::literal::{Entry, Literal, Spanned};
use crate::possible::{self, Possible};
use crate::subject::Field;
use crate::triggers::Triggers;

/// Warns of the entries of a faultless `where` that no subject of these triggers meets.
pub(crate) fn warn(entries: &[Entry], triggers: &Triggers, warnings: &mut Faults) {
    let kind = triggers.kind();
    for entry in entries {
        let filter = compile(std::slice::from_ref(entry), kind, &mut Faults::default());
        for condition in &filter.conditions {
            let Target::Field(field) = condition.on else { continue };
            let possible = Possible::of(field, kind, Some(triggers));
            if condition.is_negated || condition.any.iter().any(|test| test.is_possible(&possible)) {
                continue;
            }
            let Some(told) = possible.told() else { continue };
            let when = possible::when(field, kind, Some(triggers));
            let message = format!("`{}` {told}{when}, so that this matches nothing", entry.key);
            match help(field, condition, &possible, triggers) {
                Some(help) => warnings.add_with_help(Code::NeverMatches, first(&entry.value).at, message, help),
                None => warnings.add(Code::NeverMatches, first(&entry.value).at, message),
            }
        }
    }
}

/// The first value of a condition.
fn first(value: &Spanned) -> &Spanned {
    match &value.value {
        Literal::List(items) => items.first().map_or(value, first),
        _ => value,
    }
}

fn help(field: Field, condition: &Condition, possible: &Possible, triggers: &Triggers) -> Option<String> {
    if let (Possible::Texts(known), [Test::Text(super::Pattern::Exact(text))]) = (possible, condition.any.as_slice())
        && known.len() > 1
    {
        return Some(suggest(text, known.iter().copied())).filter(|help| help.starts_with("did"));
    }
    possible::elsewhere(field, Some(triggers)).map(str::to_owned)
}

impl Test {
    /// Whether anything that is possible fulfils it.
    fn is_possible(&self, possible: &Possible) -> bool {
        match (self, possible) {
            (_, Possible::Nothing) => false,
            (Self::Text(pattern), Possible::Texts(texts)) => texts.iter().any(|text| pattern.matches(text)),
            (Self::Between(first, last), Possible::Numbers(least, most)) => first <= most && last >= least,
            (Self::Flag(wanted), Possible::Flag(flag)) => wanted == flag,
            _ => true,
        }
    }
}
