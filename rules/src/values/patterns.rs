//! Which names of interfaces patterns match, and whether all that one matches is matched by others: exactly, as far as
//! there is fuel. `*` stands for any characters, also `/` and `.`, or none; `?` for one, `[0-3]` for one of a set, `[!0-3]`
//! for one that is not of it.

use std::collections::HashSet;

use super::eval::Fuel;
use super::mistake::Mistake;

/// The characters of names.
const ALPHABET: &[u8; 67] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/:_.";

/// Some characters of [`ALPHABET`], a bit for each.
type Set = u128;
/// Some places between the parts of a pattern, a bit for each. A pattern has at most 64 parts.
type Places = u128;

const EVERY: Set = (1 << ALPHABET.len()) - 1;

/// Names of interfaces and patterns of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patterns(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    One(Set),
    Any,
}

/// How far a name is read, as names are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Read {
    Nothing,
    Physical,
    Separated,
    Point,
    Unit,
    SeparatedUnit,
}

impl Read {
    /// How far it is with another character; none where no name goes on so.
    const fn next(self, c: u8) -> Option<Self> {
        Some(match (self, c) {
            (Self::Nothing, c) if c.is_ascii_alphabetic() => Self::Physical,
            (Self::Physical | Self::Separated, c) if c.is_ascii_alphanumeric() => Self::Physical,
            (Self::Physical, b'-' | b'/' | b':' | b'_') => Self::Separated,
            (Self::Physical, b'.') => Self::Point,
            (Self::Point | Self::Unit | Self::SeparatedUnit, c) if c.is_ascii_alphanumeric() => Self::Unit,
            (Self::Unit, b'_') => Self::SeparatedUnit,
            _ => return None,
        })
    }

    /// Whether it may end there.
    const fn is_name(self) -> bool {
        matches!(self, Self::Physical | Self::Unit)
    }
}

impl Patterns {
    pub(super) fn new<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        Self(texts.map(Pattern::read).collect())
    }

    /// Whether a name, or every name that a pattern matches, is matched by one of these.
    ///
    /// # Errors
    /// There is not fuel enough.
    pub(super) fn hold(&self, text: &str, fuel: &mut Fuel) -> Result<bool, Mistake> {
        let own = Pattern::read(text);
        let characters = self.told_apart(&own);
        let begin: Vec<Places> = self.0.iter().map(|pattern| pattern.open(1)).collect();
        let mut next = vec![(own.open(1), Read::Nothing, begin)];
        let mut seen = HashSet::new();
        while let Some(state) = next.pop() {
            let (at, read, others) = &state;
            let is_matched = self.0.iter().zip(others).any(|(pattern, at)| pattern.is_end(*at));
            if read.is_name() && own.is_end(*at) && !is_matched {
                return Ok(false);
            }
            for c in &characters {
                fuel.spend(self.0.len() + 1)?;
                let Some(read) = ALPHABET.get(*c).and_then(|byte| read.next(*byte)) else { continue };
                let at = own.step(*at, *c);
                if at == 0 {
                    continue;
                }
                let others = self.0.iter().zip(others).map(|(pattern, at)| pattern.step(*at, *c)).collect();
                let state = (at, read, others);
                if seen.insert(state.clone()) {
                    next.push(state);
                }
            }
        }
        Ok(true)
    }

    /// One character of all that no part, and no name, tells apart.
    fn told_apart(&self, own: &Pattern) -> Vec<usize> {
        let mut sets: Vec<Set> = self.0.iter().chain([own]).flat_map(Pattern::sets).collect();
        sets.sort_unstable();
        sets.dedup();
        let kind = |byte: u8| match byte {
            b if b.is_ascii_alphabetic() => 0,
            b if b.is_ascii_digit() => 1,
            b'.' => 2,
            b'_' => 3,
            _ => 4,
        };
        let mut known = HashSet::new();
        let is_new = |(at, byte): &(usize, &u8)| {
            let of: Vec<bool> = sets.iter().map(|set| set >> at & 1 == 1).collect();
            known.insert((kind(**byte), of))
        };
        ALPHABET.iter().enumerate().filter(is_new).map(|(at, _)| at).collect()
    }
}

impl Pattern {
    /// What is no pattern of names matches nothing.
    fn read(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            parts.push(match c {
                '*' => Part::Any,
                '?' => Part::One(EVERY),
                '[' => match rest.as_str().split_once(']') {
                    Some((set, behind)) => {
                        rest = behind.chars();
                        Part::One(set_of(set))
                    }
                    None => Part::One(0),
                },
                c => Part::One(one(c)),
            });
        }
        // Texts of other lengths are no names: of these no bit would tell the places.
        if parts.len() > 64 {
            parts = vec![Part::One(0)];
        }
        Self { parts }
    }

    fn sets(&self) -> impl Iterator<Item = Set> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::One(set) => Some(*set),
            Part::Any => None,
        })
    }

    /// Places with those behind each `*`, which may stand for nothing.
    fn open(&self, mut places: Places) -> Places {
        for (at, part) in self.parts.iter().enumerate() {
            if *part == Part::Any && places >> at & 1 == 1 {
                places |= 1 << (at + 1);
            }
        }
        places
    }

    fn step(&self, places: Places, c: usize) -> Places {
        let mut next = 0;
        for (at, part) in self.parts.iter().enumerate().filter(|(at, _)| places >> at & 1 == 1) {
            match part {
                Part::Any => next |= 1 << at,
                Part::One(set) if set >> c & 1 == 1 => next |= 1 << (at + 1),
                Part::One(_) => {}
            }
        }
        self.open(next)
    }

    fn is_end(&self, places: Places) -> bool {
        places >> self.parts.len() & 1 == 1
    }
}

/// The set of one character; of none where names do not have it.
fn one(c: char) -> Set {
    let byte = u8::try_from(c).ok();
    let at = byte.and_then(|byte| ALPHABET.iter().position(|known| *known == byte));
    at.map_or(0, |at| 1 << at)
}

/// What stands in `[...]`.
fn set_of(text: &str) -> Set {
    let (is_other, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
    let mut rest = text.chars().filter(|c| *c != ',').peekable();
    let mut set = 0;
    while let Some(first) = rest.next() {
        let last = rest.next_if_eq(&'-').and_then(|_| rest.next()).unwrap_or(first);
        set |= (first..=last).map(one).fold(0, |all, one| all | one);
    }
    if is_other { EVERY & !set } else { set }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_within(within: &[&str], text: &str) -> bool {
        Patterns::new(within.iter().copied()).hold(text, &mut Fuel::default()).unwrap()
    }

    #[test]
    fn what_a_pattern_matches_lies_within_those_that_match_all_of_it() {
        for (within, held, others) in [
            (&["ge-*"][..], "ge-0/0/1 | ge-0/0/1.100 | ge-* | ge-0/[0-3]/* | ge-?", "xe-0/0/1 | ge | * | [gx]e-0/0/1"),
            (&["ge-0/0/?"], "ge-0/0/1 | ge-0/0/[0-3] | ge-0/0/?", "ge-0/0/10 | ge-0/0/* | ge-0/0/1.0"),
            (&["ge-0/0/[0-1]", "ge-0/0/[2-3]"], "ge-0/0/[0-3] | ge-0/0/2", "ge-0/0/[0-4] | ge-0/0/?"),
            (&["ge-0/0/[!0-3]"], "ge-0/0/4 | ge-0/0/[5-9] | ge-0/0/a", "ge-0/0/3 | ge-0/0/?"),
            (&["ge-0/0/1"], "ge-0/0/1 | ge-0/0/[1]", "ge-0/0/2 | ge-0/0/[1-2]"),
            // No name ends with a separator, or has none of its characters.
            (&["?*"], "* | lo0.0", ""),
            (&["ge-*[a-zA-Z0-9]"], "ge-*", ""),
            (&["*.*", "*[!.]"], "*", ""),
            (&["*.0"], "ge-0/0/1.0 | lo*.0", "ge-0/0/1 | lo*"),
        ] {
            for text in held.split(" | ") {
                assert!(are_within(within, text), "{text} in {within:?}");
            }
            for text in others.split(" | ").filter(|text| !text.is_empty()) {
                assert!(!are_within(within, text), "{text} not in {within:?}");
            }
        }
    }

    #[test]
    fn what_would_take_for_ever_takes_the_fuel_there_is() {
        let deep = format!("*a{}", "?".repeat(60));
        let held =
            Patterns::new([deep.as_str()].into_iter()).hold(&format!("*b{}", "?".repeat(59)), &mut Fuel::default());
        assert!(
            held.is_ok_and(|is_held| !is_held)
                || Patterns::new([deep.as_str()].into_iter()).hold("*", &mut Fuel::new(10)).is_err()
        );
    }
}
