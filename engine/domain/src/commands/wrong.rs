//! What would be wrong after a change that is refused, one by one: the words of the refusal name the first of it.

use std::collections::BTreeSet;

use linesman_schemas::Place;

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
}

impl Wrong {
    /// A value that would be illegal.
    pub(crate) fn value(place: Option<&Place>, detail: String) -> Self {
        Self { place: place.cloned(), activation: None, detail, is_conflict: false }
    }

    /// As a refusal names it.
    pub(crate) fn told(&self) -> String {
        match &self.place {
            Some(place) => format!("`{place}`: {}", self.detail),
            None => self.detail.clone(),
        }
    }
}

/// Without what tells of two that set the same differently what was told of them before, the other way round. What `words`
/// gives of each is told to people; none of what is no conflict.
pub(crate) fn once<T>(wrong: Vec<T>, words: impl Fn(&T) -> Option<&str>) -> Vec<T> {
    let mut known: BTreeSet<[String; 2]> = BTreeSet::new();
    wrong.into_iter().filter(|one| words(one).and_then(owners).is_none_or(|pair| known.insert(pair))).collect()
}

/// The two owners that the words of a conflict end with, in the order of their names; see
/// [`origins`](crate::activations::origins).
fn owners(told: &str) -> Option<[String; 2]> {
    let (front, second) = told.rsplit_once(" and by `")?;
    let (_, first) = front.rsplit_once(": by `")?;
    // With which parameters may differ from leaf to leaf.
    let mut pair =
        [first, second].map(|owner| owner.split_once(", with `").map_or(owner, |(owner, _)| owner).to_owned());
    pair.sort_unstable();
    Some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_set_the_same_it_is_told_once() {
        let [a, b, c] = ["`a-1` of `a` at `acme`", "`b-2` of `b` at `acme`", "`c-3` of `c` at `acme`"];
        let told = |first: &str, second: &str| {
            format!("`x` is set to `1` and to `: by `d` and by `: by {first} and by {second}")
        };
        let all = vec![
            told(a, b),
            "`rate`: too much".to_owned(),
            told(b, &format!("{a}, with `x`, `y`")),
            told(a, c),
            "`rate`: too much".to_owned(),
            told(c, a),
        ];
        let kept = [&all[0], &all[1], &all[3], &all[4]].map(String::clone);
        assert_eq!(once(all, |text| Some(text)), kept);
    }
}
