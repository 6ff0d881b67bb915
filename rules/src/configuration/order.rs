//! What a device reads in the order in which it stands, and what of that stands elsewhere than it was told.
//!
//! Most of a configuration is the same in whatever order: interfaces, prefixes, what a term matches. Here is what is not: terms
//! of filters and policies, rules and policies of security, chains of policies, servers that are asked one after another, hops of a
//! path.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Word;
use super::lines::{Line, Moved, normal};

/// Words behind which stands the name of one of those that are gone through in their order.
const NAMED: [&str; 4] = ["radius-server", "rule", "tacplus-server", "term"];
/// Words behind which stand those themselves, of a list.
const LISTED: [&str; 10] = [
    "apply-groups",
    "authentication-order",
    "domain-search",
    "export",
    "import",
    "input-list",
    "name-server",
    "output-list",
    "vrf-export",
    "vrf-import",
];

/// One of those that are gone through in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// The words that lead there and its own.
    words: Vec<Word>,
    /// How many of them lead there.
    front: usize,
    /// How many of these are said again where it is named beside another.
    kind: usize,
}

impl Item {
    /// What a statement or a container is of this, by its words, those of all containers around it and how many of these are not the
    /// innermost one's own.
    pub(super) fn of(path: &[Word], before: usize, own: &[Word]) -> Option<Self> {
        let is_tag = |word: &&Word| word.as_str().ends_with(':');
        let own = own.get(own.iter().take_while(is_tag).count()..)?;
        let (first, rest) = own.split_first()?;
        let at = |lead: &[Word], item: &[Word], kind| {
            let words: Vec<Word> = path.iter().chain(lead).chain(item).cloned().collect();
            (!item.is_empty()).then_some(Self { words, front: path.len() + lead.len(), kind })
        };
        let (around, innermost) = path.split_at_checked(before)?;
        let innermost: Vec<&str> = innermost.iter().map(Word::as_str).filter(|word| !word.ends_with(':')).collect();
        let is_policy = || {
            path.windows(2)
                .any(|two| matches!(two, [one, other] if one.as_str() == "security" && other.as_str() == "policies"))
        };
        match first.as_str() {
            kind if NAMED.contains(&kind) => at(own.get(..1)?, rest.get(..1)?, 1),
            "policy" if is_policy() => at(own.get(..1)?, rest.get(..1)?, 1),
            kind if LISTED.contains(&kind) => at(own.get(..1)?, rest, 0),
            "community" if innermost == ["then"] => at(own.get(..1)?, rest, 1),
            _ => match innermost.as_slice() {
                [kind] if LISTED.contains(kind) => at(&[], own, 0),
                ["path", _] if around.last().is_some_and(|word| word.as_str() == "mpls") => at(&[], own, 0),
                _ => None,
            },
        }
    }

    /// The words of it, as they count against the bounds of a text.
    pub(super) fn words(&self) -> &[Word] {
        &self.words
    }

    /// It without the words of a path that it begins with.
    pub(super) fn behind(&self, path: &[&str]) -> Option<Self> {
        let front = self.front.checked_sub(path.len())?;
        let (lead, rest) = self.words.split_at_checked(path.len())?;
        let leads_there = lead.iter().map(Word::as_str).eq(path.iter().copied());
        leads_there.then(|| Self { words: rest.to_vec(), front, kind: self.kind })
    }

    fn parts(&self) -> (&[Word], &[Word]) {
        self.words.split_at_checked(self.front).unwrap_or_default()
    }

    fn key(&self) -> (Vec<String>, Vec<String>) {
        let words = |words: &[Word]| words.iter().map(|word| normal(word.as_str())).collect();
        let (front, own) = self.parts();
        (words(front), words(own))
    }

    /// That it stands beside another: as one would `insert` it.
    fn beside(&self, where_to: &str, other: &Self) -> Moved {
        let word = |text: &str| Word::read(text);
        let kind = self.parts().0.iter().rev().take(self.kind);
        let words = [word("insert")].into_iter().chain(self.words.iter().cloned());
        let words = words.chain([word(where_to)]).chain(kind.cloned()).chain(other.parts().1.iter().cloned());
        Moved { line: Line::of(words.collect()), of: Line::of(self.words.clone()) }
    }
}

/// Where those stand, by what leads there, each once.
type Places<'a> = BTreeMap<Vec<String>, Vec<(Vec<String>, &'a Item)>>;

fn places(items: &[Item]) -> Places<'_> {
    let (mut places, mut met) = (Places::new(), HashSet::new());
    for item in items {
        let (front, own) = item.key();
        if met.insert((front.clone(), own.clone())) {
            places.entry(front).or_default().push((own, item));
        }
    }
    places
}

/// Which of those that both have stand elsewhere in `held` than they were told, as few as can be.
pub(super) fn moved(told: &[Item], held: &[Item]) -> Vec<Moved> {
    let (told, held) = (places(told), places(held));
    let mut moved = Vec::new();
    for (front, told) in &told {
        let Some(held) = held.get(front) else { continue };
        let at: HashMap<&Vec<String>, usize> = held.iter().zip(0..).map(|((own, _), at)| (own, at)).collect();
        let both: Vec<(&Item, usize)> =
            told.iter().filter_map(|(own, item)| at.get(own).map(|at| (*item, *at))).collect();
        let stay = rising(&both.iter().map(|(_, at)| *at).collect::<Vec<_>>());
        for (number, (item, _)) in both.iter().enumerate().filter(|(_, (_, at))| !stay.contains(at)) {
            let beside = match number.checked_sub(1).and_then(|before| both.get(before)) {
                Some((before, _)) => Some(item.beside("after", before)),
                None => both.get(1).map(|(next, _)| item.beside("before", next)),
            };
            moved.extend(beside);
        }
    }
    moved
}

/// The longest run of numbers, each of which is there once, that rises in the order in which they stand.
fn rising(numbers: &[usize]) -> HashSet<usize> {
    // Of each length the run that ends with the least number, and before each number the one that it follows.
    let mut ends: Vec<usize> = Vec::new();
    let mut follows: HashMap<usize, usize> = HashMap::new();
    for number in numbers {
        let length = ends.partition_point(|end| end < number);
        if let Some(before) = length.checked_sub(1).and_then(|before| ends.get(before)) {
            follows.insert(*number, *before);
        }
        match ends.get_mut(length) {
            Some(end) => *end = *number,
            None => ends.push(*number),
        }
    }
    let run = std::iter::successors(ends.last().copied(), |number| follows.get(number).copied());
    run.collect()
}

#[cfg(test)]
mod tests {
    use super::super::Lines;

    fn moved(told: &str, held: &str) -> Vec<String> {
        let drift = Lines::read(told).unwrap().drift(&Lines::read(held).unwrap());
        assert!(drift.missing.is_empty() && drift.extra.is_empty(), "{drift:?}");
        assert_eq!(drift.is_empty(), drift.moved.is_empty());
        drift.moved.iter().map(|moved| moved.line.to_string()).collect()
    }

    #[test]
    fn what_is_gone_through_in_its_order_is_not_the_same_in_another() {
        for (told, held, expected) in [
            (
                "firewall { filter f { term a { then accept; } term b { then discard; } term c { then reject; } } }",
                "firewall { filter f { term b { then discard; } term c { then reject; } term a { then accept; } } }",
                "insert firewall filter f term a before term b",
            ),
            (
                "security { policies { global { policy a { then x; } policy b { then x; } } } }",
                "security { policies { global { policy b { then x; } policy a { then x; } } } }",
                "insert security policies global policy a before policy b",
            ),
            (
                "protocols { bgp { group g { import [ a b c ]; } } }",
                "protocols { bgp { group g { import [ a c b ]; } } }",
                "insert protocols bgp group g import b after a",
            ),
            (
                "system { name-server { 192.0.2.1; 192.0.2.2; } }",
                "system { name-server { 192.0.2.2/32; 192.0.2.1; } }",
                "insert system name-server 192.0.2.1 before 192.0.2.2",
            ),
            (
                "protocols { mpls { path p { 192.0.2.1 strict; 192.0.2.2 loose; } } }",
                "protocols { mpls { path p { 192.0.2.2 loose; 192.0.2.1 strict; } } }",
                "insert protocols mpls path p 192.0.2.1 strict before 192.0.2.2 loose",
            ),
            (
                "policy-options { policy-statement p { then { community add x; community delete y; } } }",
                "policy-options { policy-statement p { then { community delete y; community add x; } } }",
                "insert policy-options policy-statement p then community add x before community delete y",
            ),
        ] {
            assert_eq!(moved(told, held), [expected], "{held}");
            assert_eq!(moved(told, told), [] as [&str; 0]);
        }
    }

    #[test]
    fn what_else_differs_hides_nothing_of_it() {
        let told = "policy-options { policy-statement p { term a { from x; } term b { from y; } term c { from z; } } }";
        let held = "policy-options { policy-statement p { inactive: term a { from x; } term c { from z; } term b { from w; } } }";
        let drift = Lines::read(told).unwrap().drift(&Lines::read(held).unwrap());
        let moved: Vec<String> = drift.moved.iter().map(|moved| moved.line.to_string()).collect();
        assert_eq!(moved, ["insert policy-options policy-statement p term b after term a"]);
        assert_eq!((drift.missing.len(), drift.extra.len()), (2, 2));
    }

    #[test]
    fn what_is_the_same_in_whatever_order_is_so() {
        for (told, held) in [
            (
                "interfaces { ge-0/0/1 { disable; } ge-0/0/2 { mtu 1500; } }",
                "interfaces { ge-0/0/2 { mtu 1500; } ge-0/0/1 { disable; } }",
            ),
            (
                "firewall { filter f { term a { from { port [ 80 443 ]; } then { count x; accept; } } } }",
                "firewall { filter f { term a { then { accept; count x; } from { port [ 443 80 ]; } } } }",
            ),
            (
                "policy-options { prefix-list p { 10.0.0.0/8; 192.0.2.0/24; } }",
                "policy-options { prefix-list p { 192.0.2.0/24; 10.0.0.0/8; } }",
            ),
            // What is merely called so.
            ("firewall { policer term { rate 1; burst 2; } }", "firewall { policer term { burst 2; rate 1; } }"),
            (
                "event-options { policy a { then x; } policy b { then x; } }",
                "event-options { policy b { then x; } policy a { then x; } }",
            ),
            (
                "a { policy-options { community x members 1; community y members 2; } }",
                "a { policy-options { community y members 2; community x members 1; } }",
            ),
        ] {
            assert_eq!(moved(told, held), [] as [&str; 0], "{held}");
        }
    }

    #[test]
    fn of_many_as_few_are_told_as_have_been_moved() {
        let filter = |numbers: &[usize]| {
            let terms: Vec<String> =
                numbers.iter().map(|number| format!("term t{number} {{ then accept; }}")).collect();
            format!("groups {{ g {{ firewall {{ filter f {{ {} }} }} }} }}", terms.join(" "))
        };
        let told: Vec<usize> = (0..2_000).collect();
        let mut held = told.clone();
        held.remove(700);
        held.insert(3, 700);
        held.remove(1_500);
        let (told, held) = (Lines::read(&filter(&told)).unwrap(), Lines::read(&filter(&held)).unwrap());
        let [told, held] = [told, held].map(|lines| lines.within(&["groups", "g"]).unwrap());
        let drift = told.drift(&held);
        let lines: Vec<String> = drift.moved.iter().map(|moved| moved.line.to_string()).collect();
        assert_eq!(lines, ["insert firewall filter f term t700 after term t699"]);
        assert_eq!(drift.moved[0].of.to_string(), "firewall filter f term t700");
        assert_eq!((drift.missing.len(), drift.extra.len()), (1, 0));
    }
}
