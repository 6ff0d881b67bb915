//! What would be wrong after a change that is refused, one by one: the words of the refusal name the first of it.

use std::collections::BTreeSet;

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
    /// Which two.
    pub(crate) between: Option<Pair>,
}

impl Wrong {
    /// A value that would be illegal.
    pub(crate) fn value(place: Option<&Place>, detail: String) -> Self {
        Self { place: place.cloned(), activation: None, detail, is_conflict: false, between: None }
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
