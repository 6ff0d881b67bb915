//! What a policy reacts to, as its header names it: one trigger, several about the same kind of thing, or
//! whatever stands in the audit.

use std::fmt;

use linesman_schemas::Operation;
use linesman_schemas::trigger::Trigger;

use crate::diagnostic::{Code, Faults, LineColumn, excerpt, nearest, quoted};
use crate::literal::{Literal, Spanned};
use crate::subject::SubjectKind;

/// How a header names all operations of the audit.
const ALL_AUDITS: &str = "audit.*";

/// The triggers of a policy, all about the same kind of thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Triggers {
    /// These, in their order; at least one.
    These(Vec<Trigger>),
    /// Every operation of the audit, also those that later versions add.
    AllAudits,
}

impl Triggers {
    /// Whether a trigger is one of them.
    pub fn contain(&self, trigger: Trigger) -> bool {
        match self {
            Self::These(triggers) => triggers.contains(&trigger),
            Self::AllAudits => matches!(trigger, Trigger::Audit(_)),
        }
    }

    /// Whether none of them ever fires: policies judge in organizations, and in none is such asked for.
    pub(crate) fn never_fire(&self) -> bool {
        match self {
            Self::These(triggers) => triggers.iter().all(|trigger| match trigger {
                Trigger::Audit(operation) => operation.is_of_provider(),
                _ => false,
            }),
            Self::AllAudits => false,
        }
    }

    /// What they are about.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::These(triggers) => triggers.first().map_or(SubjectKind::Record, |first| SubjectKind::of(*first)),
            Self::AllAudits => SubjectKind::Record,
        }
    }

    /// As headers spell them, each a text.
    pub fn names(&self) -> Vec<&'static str> {
        match self {
            Self::These(triggers) => triggers.iter().map(|trigger| trigger.as_str()).collect(),
            Self::AllAudits => vec![ALL_AUDITS],
        }
    }

    /// Both of two that are about the same kind of thing.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::These(mut triggers), Self::These(more)) => {
                triggers.extend(more);
                triggers.sort_unstable();
                triggers.dedup();
                Self::These(triggers)
            }
            (Self::AllAudits, _) | (_, Self::AllAudits) => Self::AllAudits,
        }
    }
}

impl fmt::Display for Triggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(", "))
    }
}

/// Reads the value of `on`, a name or a list of names; none if there is no name of a trigger in it.
pub(crate) fn read(value: &Spanned, faults: &mut Faults) -> Option<Triggers> {
    let items = match &value.value {
        Literal::List(items) if items.is_empty() => {
            faults.add(Code::NeverMatches, value.at, "the list of `on` is empty and would match nothing");
            return None;
        }
        Literal::List(items) => items.as_slice(),
        _ => std::slice::from_ref(value),
    };
    let mut all: Option<Triggers> = None;
    for item in items {
        let Some(named) = read_name(item, faults) else { continue };
        all = match all {
            Some(known) if known.kind() != named.kind() => {
                let (first, other) = (known.kind().with_article(), named.kind().with_article());
                let message = format!("`{named}` is about {other}, and `{known}` about {first}");
                faults.add_with_help(Code::WrongType, item.at, message, "write a policy for each");
                Some(known)
            }
            Some(known) => Some(known.and(named)),
            None => Some(named),
        };
    }
    all
}

/// What there is to react to, in words.
pub(crate) fn known() -> String {
    format!("{}, `{ALL_AUDITS}` and `audit.<operation>`", quoted(Trigger::TOLD.iter().map(|trigger| trigger.as_str())))
}

fn read_name(item: &Spanned, faults: &mut Faults) -> Option<Triggers> {
    let Literal::Text(name) = &item.value else {
        let message = format!("`on` is the name of a trigger, not {}", item.value.describe());
        faults.add(Code::WrongType, item.at, message);
        return None;
    };
    if name == ALL_AUDITS {
        return Some(Triggers::AllAudits);
    }
    match name.parse() {
        Ok(trigger) => Some(Triggers::These(vec![trigger])),
        Err(_) => {
            report_unknown(name, item.at, faults);
            None
        }
    }
}

fn report_unknown(name: &str, at: LineColumn, faults: &mut Faults) {
    let message = format!("unknown trigger `{}`", excerpt(name));
    let near = nearest(name, Trigger::all().map(Trigger::as_str).chain([ALL_AUDITS]));
    let help = match (name.strip_prefix("audit."), near) {
        (Some(pattern), _) if pattern.contains('*') => {
            format!("only all are named by `*`: take `{ALL_AUDITS}`, and `operation` in `where`")
        }
        (_, Some(near)) => format!("did you mean `{near}`?"),
        (Some(_), None) => {
            format!("operations of the audit are {}", quoted(Operation::ALL.iter().map(|operation| operation.as_str())))
        }
        (None, None) => format!("known are {}", known()),
    };
    faults.add_with_help(Code::UnknownTrigger, at, message, help);
}
