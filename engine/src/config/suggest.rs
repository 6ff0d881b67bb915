//! "did you mean": the word a misspelt one is nearest to.

/// Words longer than this are not compared.
const LONGEST: usize = 64;

/// A help text naming the one of `words` nearest to `text`, if one is near.
pub(super) fn help<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(text, words).map(did_you_mean)
}

pub(super) fn did_you_mean(word: &str) -> String {
    format!("did you mean `{word}`?")
}

/// The one of `words` nearest to `text`, if one is near.
pub(super) fn nearest<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.chars().count() > LONGEST {
        return None;
    }
    let text = folded(text);
    let distances = words.into_iter().map(|word| (distance(&text, &folded(word)), word));
    let (distance, word) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (text.len() / 3).max(1)).then_some(word)
}

/// Case, hyphen and underscore are no difference.
fn folded(text: &str) -> Vec<char> {
    text.to_lowercase().replace('-', "_").chars().collect()
}

/// How many characters must be added, removed, replaced or swapped with their neighbour (the
/// restricted Damerau-Levenshtein distance).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (row, from) in a.iter().enumerate() {
        let at = |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX);
        let mut current = vec![row + 1];
        let mut previous_b = None;
        for (column, to) in b.iter().enumerate() {
            let replaced = at(&above, column).saturating_add(usize::from(from != to));
            let removed = at(&above, column + 1).saturating_add(1);
            let added = at(&current, column).saturating_add(1);
            let mut least = replaced.min(removed).min(added);
            if previous_a == Some(to) && previous_b == Some(from) {
                least = least.min(at(&before, column.wrapping_sub(1)).saturating_add(1));
            }
            current.push(least);
            previous_b = Some(to);
        }
        before = std::mem::replace(&mut above, current);
        previous_a = Some(from);
    }
    above.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "", 0), ("", "ab", 2), ("ab", "", 2), ("abc", "abd", 1), ("abcd", "acbd", 1)] {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(distance(&chars(a), &chars(b)), expected, "{a} {b}");
        }
    }

    #[test]
    fn only_near_words_are_suggested() {
        let words = ["upstream.site_id", "upstream.user", "mode"];
        assert_eq!(help("upstream.siteid", words).as_deref(), Some("did you mean `upstream.site_id`?"));
        assert_eq!(help("Mode", words).as_deref(), Some("did you mean `mode`?"));
        assert_eq!(help("dome", words), None);
        assert_eq!(help("colour", words), None);
        assert_eq!(help(&"m".repeat(1_000_000), words), None);
    }
}
