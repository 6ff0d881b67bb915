//! From the `where` of a header to conditions, with a fault for everything that could never mean
//! what was written.

use linesman_schemas::{OrgName, Priority};

use super::pattern::Pattern;
use super::words::for_each_word;
use super::{Condition, Target, Test, Where};
use crate::diagnostic::{Code, Faults, LineColumn, excerpt, suggest};
use crate::literal::{Entry, Literal, Spanned};
use crate::subject::{Field, Shape, SubjectKind};

/// The longest text of a filter. Source: DOMAIN, "Reaction policies".
const LONGEST_TEXT_CHARS: usize = 256;

/// Filters that are no field's path. Source: DOMAIN, "Reaction policies".
const CLASSIC: [&str; 6] = ["has_words", "lacks_words", "device", "serial_number", "organization", "device_group"];

/// Compiles the entries of a `where` for policies about `kind`.
pub(crate) fn compile(entries: &[Entry], kind: SubjectKind, faults: &mut Faults) -> Where {
    let mut conditions = Vec::new();
    for entry in entries {
        let Some((on, is_negated)) = target(entry, kind, faults) else { continue };
        let filter = Filter { name: &entry.key, on, kind };
        conditions.extend(filter.condition(&entry.value, is_negated, faults));
    }
    Where { conditions }
}

/// What a key looks at, and whether it asks for the opposite.
fn target(entry: &Entry, kind: SubjectKind, faults: &mut Faults) -> Option<(Target, bool)> {
    let of_incident = |field: Field, faults: &mut Faults| {
        if kind.has_incident() {
            return Some((Target::Field(field), false));
        }
        let key = &entry.key;
        faults.add(
            Code::UnknownField,
            entry.at,
            format!("`{key}` filters incidents and updates, and this trigger is about {}", kind.with_article()),
        );
        None
    };
    match entry.key.as_str() {
        "has_words" => Some((Target::Words, false)),
        "lacks_words" => Some((Target::Words, true)),
        "organization" => Some((Target::Organization, false)),
        "device" => of_incident(Field::DeviceHostName, faults),
        "device_group" => of_incident(Field::DeviceGroup, faults),
        "serial_number" if kind.has_incident() || kind.is_of_device() => {
            Some((Target::Field(Field::DeviceSerialNumber), false))
        }
        "serial_number" if kind == SubjectKind::Message => Some((Target::Field(Field::SerialNumbers), false)),
        "serial_number" => {
            let message = format!(
                "`serial_number` filters incidents, updates and messages, and this trigger is about {}",
                kind.with_article()
            );
            faults.add(Code::UnknownField, entry.at, message);
            None
        }
        key => {
            let fields = Field::of(kind);
            if let Some((_, field)) = fields.iter().find(|(path, _)| *path == key) {
                if field.shape() == Shape::Map {
                    let message = format!("`{key}` is a map, and filters do not look into maps");
                    let help = "look at it in `react`; `has_words` finds the words in it";
                    faults.add_with_help(Code::WrongType, entry.at, message, help);
                    return None;
                }
                return Some((Target::Field(*field), false));
            }
            let message = format!("unknown field `{}` of `{}`", excerpt(key), kind.as_str());
            let deeper = fields.iter().find(|(path, _)| path.rsplit_once('.').is_some_and(|(_, last)| last == key));
            let has_it = |other: &SubjectKind| Field::of(*other).iter().any(|(path, _)| *path == key);
            let help = match (deeper, SubjectKind::ALL.iter().find(|other| !other.is_of_device() && has_it(other))) {
                (Some((path, _)), _) => format!("it is a field of the device: `\"{path}\"`"),
                (None, Some(other)) => format!("it is a field of `{}`", other.as_str()),
                (None, None) => suggest(key, fields.iter().map(|(path, _)| *path).chain(CLASSIC)),
            };
            faults.add_with_help(Code::UnknownField, entry.at, message, help);
            None
        }
    }
}

/// One key of a `where`.
struct Filter<'a> {
    name: &'a str,
    on: Target,
    kind: SubjectKind,
}

/// What a literal came to.
enum Reading {
    /// Something to test.
    Test(Test),
    /// An empty text: any value will do.
    Any,
    /// A fault, already told.
    Faulty,
}

impl Filter<'_> {
    /// The condition a value asks for; none when it asks for nothing or is faulty.
    fn condition(&self, value: &Spanned, is_negated: bool, faults: &mut Faults) -> Option<Condition> {
        match &value.value {
            Literal::Map(entries) => match entries.as_slice() {
                [entry] if entry.key == "not" && self.on != Target::Words => {
                    self.plain_condition(&entry.value, true, faults)
                }
                _ => {
                    let message = match self.on {
                        Target::Words => format!("`{}` takes a text or a list of texts, not a map", self.name),
                        _ => format!("`{}` takes no map other than `#{{ not: ... }}`", self.name),
                    };
                    let help = match self.on {
                        Target::Words => "the opposite of `has_words` is `lacks_words`".to_owned(),
                        _ => format!("name a field inside by its path: `\"{}.<field>\"`", self.name),
                    };
                    faults.add_with_help(Code::WrongType, value.at, message, help);
                    None
                }
            },
            _ => self.plain_condition(value, is_negated, faults),
        }
    }

    fn plain_condition(&self, value: &Spanned, is_negated: bool, faults: &mut Faults) -> Option<Condition> {
        let items = match &value.value {
            Literal::List(items) if items.is_empty() => {
                faults.add(
                    Code::NeverMatches,
                    value.at,
                    format!("the list of `{}` is empty and would match nothing", self.name),
                );
                return None;
            }
            Literal::List(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let readings: Vec<Reading> = items.iter().map(|item| self.read(item, faults)).collect();
        if readings.iter().any(|reading| matches!(reading, Reading::Any)) {
            if is_negated && self.on != Target::Words {
                faults.add(
                    Code::NeverMatches,
                    value.at,
                    format!("an empty text is any, so that `not` of it in `{}` matches nothing", self.name),
                );
            }
            return None;
        }
        let any: Vec<Test> = readings
            .into_iter()
            .filter_map(|reading| match reading {
                Reading::Test(test) => Some(test),
                Reading::Any | Reading::Faulty => None,
            })
            .collect();
        (!any.is_empty()).then_some(Condition { on: self.on, is_negated, any })
    }

    fn read(&self, item: &Spanned, faults: &mut Faults) -> Reading {
        let shape = match self.on {
            Target::Field(field) => field.shape(),
            Target::Organization | Target::Words => Shape::Text,
        };
        match (shape, &item.value) {
            (Shape::Text | Shape::Texts, Literal::Text(text)) => self.read_text(text, item.at, faults),
            (Shape::Number, Literal::Number(number)) => self.read_range(*number, *number, item.at, faults),
            (Shape::Number, Literal::Range { first, last }) if first <= last => {
                self.read_range(*first, *last, item.at, faults)
            }
            (Shape::Number, Literal::Range { .. }) => {
                faults.add(
                    Code::NeverMatches,
                    item.at,
                    format!("the range of `{}` is empty and would match nothing", self.name),
                );
                Reading::Faulty
            }
            // No condition is about a map: its target was refused.
            (Shape::Map, _) => Reading::Faulty,
            (Shape::Flag, Literal::Flag(flag)) => Reading::Test(Test::Flag(*flag)),
            (shape, other) => {
                let wanted = match shape {
                    Shape::Text | Shape::Texts => "a text",
                    Shape::Number => "a number or a range",
                    Shape::Flag | Shape::Map => "`true` or `false`",
                };
                let message = format!("`{}` is compared with {wanted}, not with {}", self.name, other.describe());
                match other {
                    Literal::Other(_) => {
                        faults.add_with_help(
                            Code::WrongType,
                            item.at,
                            message,
                            "filters are read, not run: write the value out",
                        );
                    }
                    _ => faults.add(Code::WrongType, item.at, message),
                }
                Reading::Faulty
            }
        }
    }

    fn read_text(&self, text: &str, at: LineColumn, faults: &mut Faults) -> Reading {
        if text.is_empty() {
            return Reading::Any;
        }
        let length = text.chars().count();
        if length > LONGEST_TEXT_CHARS {
            faults.add(
                Code::Limit,
                at,
                format!("a text of `{}` may have {LONGEST_TEXT_CHARS} characters and this has {length}", self.name),
            );
            return Reading::Faulty;
        }
        match self.on {
            Target::Words => self.read_words(text, at, faults),
            Target::Field(Field::Priority) if !text.contains('*') => match text.parse::<Priority>() {
                Ok(priority) => Reading::Test(Test::Text(Pattern::new(priority.as_str()))),
                Err(_) => {
                    let help = suggest(text, Priority::ALL.iter().map(|priority| priority.as_str()));
                    faults.add_with_help(
                        Code::UnknownValue,
                        at,
                        format!("`{}` is not a priority", excerpt(text)),
                        help,
                    );
                    Reading::Faulty
                }
            },
            Target::Organization if !text.contains('*') && text.parse::<OrgName>().is_err() => {
                faults.add(Code::Name, at, format!("`{}` cannot be the name of an organization", excerpt(text)));
                Reading::Faulty
            }
            _ => {
                let pattern = Pattern::new(text);
                self.check_text(text, &pattern, at, faults);
                Reading::Test(Test::Text(pattern))
            }
        }
    }

    /// Reports a text that is none of the few its field holds.
    fn check_text(&self, text: &str, pattern: &Pattern, at: LineColumn, faults: &mut Faults) {
        let Target::Field(field) = self.on else { return };
        let Some(texts) = field.texts(self.kind) else { return };
        if !texts.iter().any(|known| pattern.matches(known)) {
            let message = format!("`{}` of `{}` is never `{}`", self.name, self.kind.as_str(), excerpt(text));
            faults.add_with_help(Code::NeverMatches, at, message, suggest(text, texts.iter().copied()));
        }
    }

    fn read_range(&self, first: i64, last: i64, at: LineColumn, faults: &mut Faults) -> Reading {
        if let Target::Field(field) = self.on
            && let Some((least, most)) = field.numbers()
            && (last < least || first > most)
        {
            let bounds = if most == i64::MAX { format!("{least} or more") } else { format!("{least} to {most}") };
            faults.add(Code::NeverMatches, at, format!("`{}` is {bounds}, so that this matches nothing", self.name));
        }
        Reading::Test(Test::Between(first, last))
    }

    fn read_words(&self, text: &str, at: LineColumn, faults: &mut Faults) -> Reading {
        let mut words: Vec<Box<str>> = Vec::new();
        for_each_word(text, &mut String::new(), |word| words.push(word.into()));
        words.sort_unstable();
        words.dedup();
        if words.is_empty() {
            let message = format!("`{}` has no word to look for", excerpt(text));
            faults.add_with_help(Code::NeverMatches, at, message, "words are runs of letters, digits and `_`");
            return Reading::Faulty;
        }
        Reading::Test(Test::Words(words.into()))
    }
}
