//! Which of those that refer to each other are in circles, and with which others: all at once, each reference looked at once.

use std::collections::BTreeMap;

/// What is known of one while it is looked for.
struct Met {
    /// In which order it was met.
    order: usize,
    /// The first in that order which it leads back to.
    back: usize,
    is_open: bool,
}

/// Those that are in circles. Two of the same number lead to each other. Source: Tarjan, Depth-first search and linear graph
/// algorithms, 1972, without recursion.
pub(super) fn in_circles(references: &BTreeMap<usize, Vec<usize>>) -> BTreeMap<usize, usize> {
    let (mut met, mut open, mut found) = (BTreeMap::<usize, Met>::new(), Vec::new(), BTreeMap::new());
    for first in references.keys() {
        if met.contains_key(first) {
            continue;
        }
        let mut way = vec![(*first, 0)];
        while let Some((at, next)) = way.last_mut() {
            let (at, order) = (*at, met.len());
            met.entry(at).or_insert_with(|| {
                open.push(at);
                Met { order, back: order, is_open: true }
            });
            if let Some(to) = references.get(&at).and_then(|to| to.get(*next)).copied() {
                *next += 1;
                match met.get(&to).map(|known| (known.is_open, known.order)) {
                    None => way.push((to, 0)),
                    Some((true, order)) => lead_back(&mut met, at, order),
                    Some((false, _)) => {}
                }
                continue;
            }
            way.pop();
            let Some(own) = met.get(&at).map(|own| (own.order, own.back)) else { continue };
            if let Some((before, _)) = way.last() {
                lead_back(&mut met, *before, own.1);
            }
            if own.0 == own.1 {
                close(&mut met, &mut open, at, references, &mut found);
            }
        }
    }
    found
}

fn lead_back(met: &mut BTreeMap<usize, Met>, at: usize, order: usize) {
    if let Some(known) = met.get_mut(&at) {
        known.back = known.back.min(order);
    }
}

/// All that were met since a first, and lead back to it and no further.
fn close(
    met: &mut BTreeMap<usize, Met>,
    open: &mut Vec<usize>,
    first: usize,
    references: &BTreeMap<usize, Vec<usize>>,
    found: &mut BTreeMap<usize, usize>,
) {
    let start = open.iter().rposition(|known| *known == first).unwrap_or(open.len());
    let members = open.split_off(start);
    let is_circle = members.len() > 1 || references.get(&first).is_some_and(|to| to.contains(&first));
    for member in members {
        if let Some(known) = met.get_mut(&member) {
            known.is_open = false;
        }
        if is_circle {
            found.insert(member, first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_in_circles_are_told_from_those_that_lead_there() {
        // 0 -> 1 <-> 2 -> 3 -> 4 -> 5 -> 4, 6 -> 6, 7 -> 8.
        let references = [
            (0, vec![1]),
            (1, vec![2]),
            (2, vec![1, 3]),
            (3, vec![4]),
            (4, vec![5]),
            (5, vec![4]),
            (6, vec![6]),
            (7, vec![8]),
        ];
        let found = in_circles(&references.into_iter().collect());
        let alike = |one: usize, other: usize| found.get(&one).is_some_and(|of| found.get(&other) == Some(of));
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
        assert!(alike(1, 2) && alike(4, 5) && !alike(2, 4) && !alike(6, 4));
    }
}
