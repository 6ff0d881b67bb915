//! What would be wrong after a change that is refused, one by one: the words of the refusal name the first of it.

use std::collections::BTreeSet;

use linesman_rules::values::{Clause, parse_substitution};
use linesman_schemas::{Place, PlacePath};

/// Something that would be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where; none: where the change was asked for.
    pub place: Option<Place>,
    /// With which activation there, where it is of one.
    pub activation: Option<String>,
    /// What.
    pub detail: String,
    /// Whether it is that two would set the same differently, and not what a value is.
    pub is_conflict: bool,
    /// Which of the substitutions that were given, counted from 0; none where it is not of one of them.
    pub given: Option<usize>,
    /// Of which parameter it is.
    pub(crate) parameter: Option<String>,
    /// Which two.
    pub(crate) between: Option<Pair>,
}

impl Wrong {
    /// A value that would be illegal.
    pub(crate) fn value(place: Option<&Place>, detail: String) -> Self {
        let (place, is_conflict) = (place.cloned(), false);
        Self { place, activation: None, detail, is_conflict, given: None, parameter: None, between: None }
    }

    /// What is wrong with a substitution that was given, where that is known.
    pub(crate) fn given(given: usize, detail: String) -> Self {
        Self { given: Some(given), ..Self::value(None, detail) }
    }

    /// What is wrong with what was given of a parameter.
    pub(crate) fn of(parameter: &impl ToString, detail: String) -> Self {
        Self { parameter: Some(parameter.to_string()), ..Self::value(None, detail) }
    }

    /// Whether it is of what was given of a parameter.
    pub(crate) fn is_of(&self, parameter: &str) -> bool {
        self.parameter.as_deref() == Some(parameter)
    }

    /// Whether it is of the same parameter as another.
    pub(crate) fn is_of_that_of(&self, other: &Self) -> bool {
        self.parameter.is_some() && self.parameter == other.parameter
    }

    /// Says which substitution it is of, if it is one where these were given: the one of its parameter, which its words
    /// cite where there are several; otherwise the only one that is given anew.
    pub(crate) fn point(&mut self, substitutions: &[String], is_new: impl Fn(&str) -> bool) {
        let Some(parameter) = self.parameter.as_deref().filter(|_| self.place.is_none() && self.given.is_none()) else {
            return;
        };
        let said = substitutions.iter().enumerate();
        let said = said.filter_map(|(at, text)| Some((at, parse_substitution(text).ok()?)));
        let of: Vec<_> = said.filter(|(_, said)| said.name.as_str() == parameter).collect();
        let cited = of.iter().find(|(_, said)| {
            said.expression().is_some_and(|expression| self.detail.contains(&format!("`{expression}`")))
        });
        let gives = of.iter().find(|(_, said)| matches!(said.clause, Clause::Value(_)));
        self.given = cited.or(gives).or(of.first()).map(|(at, _)| *at).or_else(|| {
            let mut new = substitutions.iter().enumerate().filter(|(_, text)| is_new(text));
            new.next().filter(|_| new.next().is_none()).map(|(at, _)| at)
        });
    }

    /// As a refusal names it.
    pub(crate) fn told(&self) -> String {
        match &self.place {
            Some(place) => format!("`{place}`: {}", self.detail),
            None => self.detail.clone(),
        }
    }
}

/// By what a conflict of two is known, whichever of them tells of it: each an access line and an activation.
pub(crate) type Pair = [(PlacePath, String); 2];

/// The pair of one that is kept out and of what is against it.
pub(crate) fn pair(line: &PlacePath, activation: &str, against: Option<&(PlacePath, String)>) -> Option<Pair> {
    let mut pair = [(line.clone(), activation.to_owned()), against?.clone()];
    pair.sort_unstable();
    Some(pair)
}

/// Without what tells of two that set the same differently what was told of them before, the other way round.
pub(crate) fn once<T>(wrong: Vec<T>, of: impl Fn(&T) -> &Wrong) -> Vec<T> {
    let mut known: BTreeSet<Pair> = BTreeSet::new();
    wrong.into_iter().filter(|one| of(one).between.clone().is_none_or(|pair| known.insert(pair))).collect()
}

/// Adds what is wrong with access lines to what is wrong with what was given; not what is told of that already.
pub(crate) fn add<T>(wrong: &mut Vec<T>, lines: Vec<T>, of: impl Fn(&T) -> &Wrong) {
    for line in lines {
        let is_told = |known: &T| !of(&line).is_conflict && of(known).detail.ends_with(of(&line).detail.as_str());
        if !wrong.iter().any(is_told) {
            wrong.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_of_the_substitution_that_it_is_about() {
        let given = ["x:number=", "rate=5m", "rate in 1..2m", "burst=x"].map(str::to_owned);
        let at = |parameter: &str, detail: &str, new: &[&str]| {
            let mut wrong = Wrong::of(&parameter, detail.to_owned());
            wrong.point(&given, |text| new.contains(&text));
            wrong.given
        };
        assert_eq!(at("rate", "`acme` gives `5m`", &[]), Some(1));
        assert_eq!(at("rate", "`1..2m` of `acme` widens", &[]), Some(2));
        assert_eq!(at("rate", "something", &[]), Some(1), "a value rather than a constraint");
        assert_eq!(at("x", "something", &[]), Some(0));
        assert_eq!(at("cap", "something", &["burst=x"]), Some(3), "the only one that is new");
        assert_eq!(at("cap", "something", &["burst=x", "rate=5m"]), None, "it may be either");
        let mut below =
            Wrong { parameter: Some("rate".to_owned()), ..Wrong::value("acme/b".parse().ok().as_ref(), String::new()) };
        below.point(&given, |_| true);
        assert_eq!(below.given, None, "what stands elsewhere is not what is given");
    }

    #[test]
    fn of_two_that_set_the_same_it_is_told_once() {
        let owner = |line: &str, id: &str| -> (PlacePath, String) {
            let Ok(Place::Below(line)) = line.parse() else { panic!("{line}") };
            (line, id.to_owned())
        };
        let [a, b, c] = [owner("acme/x/1", "a"), owner("acme/x/2", "b"), owner("acme/x/1", "c")];
        let told = |(line, id): &(PlacePath, String), other: Option<&(PlacePath, String)>| {
            let between = pair(line, id, other);
            Wrong {
                between,
                is_conflict: other.is_some(),
                ..Wrong::value(Some(&Place::Below(line.clone())), String::new())
            }
        };
        let all = vec![
            told(&a, Some(&b)),
            told(&a, None),
            told(&b, Some(&a)),
            told(&a, Some(&c)),
            told(&a, None),
            told(&c, Some(&a)),
        ];
        let kept = [&all[0], &all[1], &all[3], &all[4]].map(Wrong::clone);
        assert_eq!(once(all, |wrong| wrong), kept);
    }
}
