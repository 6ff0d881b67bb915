//! What a value of a template may be, as far as it is certain before the template runs.
//!
//! A [`Sort`] holds every value that there may be, and perhaps more; so what none of its values can do, no value can.

use minijinja::Value;
use minijinja::value::ValueKind;

/// Forms that a value may have.
pub(crate) mod form {
    pub(crate) const UNDEFINED: u8 = 1;
    pub(crate) const SINGLE: u8 = 2;
    pub(crate) const NEGATED: u8 = 4;
    pub(crate) const LIST: u8 = 8;
    pub(crate) const ALL: u8 = 15;
}

/// What a single value, one beneath a `not`, or one in a list may be.
pub(crate) mod base {
    pub(crate) const INTEGER: u16 = 1;
    pub(crate) const FLOAT: u16 = 2;
    pub(crate) const BOOLEAN: u16 = 4;
    pub(crate) const TEXT: u16 = 8;
    pub(crate) const INTERFACE: u16 = 16;
    pub(crate) const ADDRESS: u16 = 32;
    pub(crate) const NETWORK: u16 = 64;
    pub(crate) const RANGE_OF_NUMBERS: u16 = 128;
    pub(crate) const RANGE_OF_ADDRESSES: u16 = 256;
    pub(crate) const MAP: u16 = 512;
    /// What only templates make: macros, words side by side, the state of a loop.
    pub(crate) const OTHER: u16 = 1024;
    /// A text that is the spelling of no address and no interface.
    pub(crate) const SPELLED: u16 = 2048;
    pub(crate) const ALL: u16 = 4095;

    pub(crate) const NUMBERS: u16 = INTEGER | FLOAT | BOOLEAN;
    pub(crate) const TEXTS: u16 = TEXT | INTERFACE | ADDRESS | NETWORK | SPELLED;
    pub(crate) const RANGES: u16 = RANGE_OF_NUMBERS | RANGE_OF_ADDRESSES;
}

/// What a value may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sort {
    /// Of [`form`].
    pub(crate) forms: u8,
    /// Of [`base`].
    pub(crate) base: u16,
    /// Whether elements of lists may be negated.
    pub(crate) negates: bool,
    /// Whether elements of lists may be lists.
    pub(crate) nests: bool,
    /// What all of its numbers lie within, both included; where it is known.
    pub(crate) bounds: Option<(i128, i128)>,
    /// All texts that it may be, where they are known.
    pub(crate) words: Option<Vec<String>>,
    /// Which of its booleans it is, where it is known.
    pub(crate) truth: Option<bool>,
}

impl Sort {
    /// Any value, or none.
    pub(crate) const fn any() -> Self {
        Self { forms: form::ALL, base: base::ALL, negates: true, nests: true, bounds: None, words: None, truth: None }
    }

    /// A single value of one of these.
    pub(crate) const fn single(base: u16) -> Self {
        let (bounds, words, truth) = (None, None, None);
        Self { forms: form::SINGLE, base, negates: false, nests: false, bounds, words, truth }
    }

    pub(super) fn numbers(first: i128, last: i128) -> Self {
        Self { bounds: Some((first, last)), ..Self::single(base::INTEGER) }
    }

    pub(super) fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let words = words.into_iter().map(str::to_owned).collect();
        Self { words: Some(words), ..Self::single(base::TEXT) }
    }

    /// A literal of a template.
    pub(super) fn literal(value: &Value) -> Self {
        match value.kind() {
            ValueKind::Bool => Self { truth: Some(value.is_true()), ..Self::single(base::BOOLEAN) },
            ValueKind::String => Self::words(value.as_str()),
            ValueKind::Number => match i128::try_from(value.clone()) {
                Ok(number) if value.is_integer() => Self::numbers(number, number),
                _ => Self::single(base::FLOAT),
            },
            ValueKind::Seq => {
                let elements = value.try_iter().into_iter().flatten().map(|element| Self::literal(&element));
                Self::list_of(elements)
            }
            _ => Self::any(),
        }
    }

    /// A list of such elements.
    pub(super) fn list_of(elements: impl Iterator<Item = Self>) -> Self {
        let none = Self { forms: 0, ..Self::single(0) };
        let element = elements.fold(none, |sum, element| sum.or(&element));
        Self { forms: form::LIST, negates: element.has(form::NEGATED), nests: element.has(form::LIST), ..element }
    }

    pub(crate) const fn has(&self, form: u8) -> bool {
        self.forms & form != 0
    }

    /// Whether it has none but these forms, and one of them.
    pub(super) const fn is_only(&self, forms: u8) -> bool {
        self.forms != 0 && self.forms & !forms == 0
    }

    /// Whether its base is among these and there is any.
    pub(super) const fn is_of(&self, bases: u16) -> bool {
        self.base != 0 && self.base & !bases == 0
    }

    /// Whether there is no such value: whatever stands here is not reached.
    pub(super) const fn is_never(&self) -> bool {
        self.forms == 0 || (self.base == 0 && self.forms & !(form::UNDEFINED | form::LIST) == self.forms)
    }

    /// This or that.
    pub(super) fn or(&self, other: &Self) -> Self {
        // What is no number has no bounds to be known, what is no text no words.
        let numbers = base::INTEGER | base::FLOAT | base::OTHER;
        let texts = base::TEXTS | base::OTHER;
        let bounds = match (self.base & numbers == 0, other.base & numbers == 0) {
            (true, _) => other.bounds,
            (_, true) => self.bounds,
            _ => self.bounds.zip(other.bounds).map(|(one, other)| (one.0.min(other.0), one.1.max(other.1))),
        };
        let words = match (self.base & texts == 0, other.base & texts == 0) {
            (true, _) => other.words.clone(),
            (_, true) => self.words.clone(),
            _ => self.words.as_ref().zip(other.words.as_ref()).map(|(one, other)| [&one[..], &other[..]].concat()),
        };
        let truths = base::BOOLEAN | base::OTHER;
        let truth = match (self.base & truths == 0, other.base & truths == 0) {
            (true, _) => other.truth,
            (_, true) => self.truth,
            _ => self.truth.filter(|truth| other.truth == Some(*truth)),
        };
        Self {
            forms: self.forms | other.forms,
            base: self.base | other.base,
            negates: self.negates || other.negates,
            nests: self.nests || other.nests,
            bounds,
            words,
            truth,
        }
    }

    /// With other forms.
    pub(super) fn with(&self, forms: u8) -> Self {
        Self { forms, ..self.clone() }
    }

    /// An element of it as a list.
    pub(super) fn element(&self) -> Self {
        let mut forms = self.forms & (form::SINGLE | form::NEGATED);
        if self.has(form::LIST) {
            forms |= form::SINGLE;
            if self.negates {
                forms |= form::NEGATED;
            }
            if self.nests {
                forms |= form::LIST;
            }
        }
        self.with(forms)
    }

    /// What it is, for people.
    pub(super) fn describe(&self) -> String {
        if self.is_only(form::LIST) {
            return "a list".to_owned();
        }
        let names = [
            (base::FLOAT, "a number"),
            (base::INTEGER, "a whole number"),
            (base::BOOLEAN, "a boolean"),
            (base::TEXT | base::SPELLED, "a text"),
            (base::INTERFACE, "an interface"),
            (base::ADDRESS, "an address"),
            (base::NETWORK, "a network"),
            (base::RANGES, "a range"),
            (base::MAP, "a map"),
        ];
        let is_named =
            |(bit, _): &&(u16, &str)| self.base & bit != 0 && !(*bit == base::INTEGER && self.base & base::FLOAT != 0);
        let mut names: Vec<&str> = names.iter().filter(is_named).map(|(_, name)| *name).collect();
        if self.has(form::LIST) {
            names.push("a list");
        }
        let last = names.pop().unwrap_or("a value");
        if names.is_empty() { last.to_owned() } else { format!("{} or {last}", names.join(", ")) }
    }
}

/// Whether no value of the one equals a value of the other.
pub(super) fn are_apart(one: &Sort, other: &Sort) -> bool {
    let (classes, others) = (classes(one), classes(other));
    let shared = classes & others;
    if shared == 0 {
        return true;
    }
    match shared {
        NUMBER => match (one.bounds, other.bounds) {
            (Some((first, last)), Some((from, to)))
                if one.base & base::BOOLEAN == 0 && other.base & base::BOOLEAN == 0 =>
            {
                last < from || to < first
            }
            _ => false,
        },
        WORD => match (&one.words, &other.words) {
            (Some(words), Some(others)) => !words.iter().any(|word| others.contains(word)),
            (Some(words), None) => words.iter().all(|word| !spells(word, other.base)),
            (None, Some(words)) => words.iter().all(|word| !spells(word, one.base)),
            (None, None) => false,
        },
        _ => false,
    }
}

const NUMBER: u8 = 1;
const WORD: u8 = 2;
const NOTHING: u8 = 4;
const OBJECT: u8 = 8;

/// The classes of values, of which those of two never equal each other.
fn classes(sort: &Sort) -> u8 {
    let mut classes = 0;
    if sort.has(form::SINGLE) {
        for (bits, class) in [
            (base::NUMBERS, NUMBER),
            (base::TEXTS, WORD),
            (base::RANGES | base::MAP, OBJECT),
            (base::OTHER, NUMBER | WORD | NOTHING | OBJECT),
        ] {
            if sort.base & bits != 0 {
                classes |= class;
            }
        }
    }
    if sort.has(form::NEGATED | form::LIST) {
        classes |= OBJECT;
    }
    if sort.has(form::UNDEFINED) {
        classes |= NOTHING;
    }
    classes
}

/// Whether a text may be the spelling of something of these.
fn spells(word: &str, of: u16) -> bool {
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    let is_network = || word.split_once('/').is_some_and(|(address, _)| is_address(address));
    of & (base::TEXT | base::INTERFACE | base::SPELLED) != 0
        || of & base::ADDRESS != 0 && is_address(word)
        || of & base::NETWORK != 0 && is_network()
}
