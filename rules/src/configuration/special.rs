//! Words that a device takes for more than their letters: wildcards of configuration groups, statements of groups, tags.
//!
//! A template's own text may hold wildcards, since its author says what they match. A value never becomes such a word,
//! nor a part of one that says what is matched: quotes do not help, a device reads `"<ge-0/0/*>"` as a wildcard too.

use std::fmt;

use super::quote::TAGS;

/// What a device takes a word for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// A wildcard of a configuration group, `<ge-*>`: it stands for all that it matches.
    Wildcard,
    /// A character between angle brackets by which more is matched than the text, such as the `*` in `<ge-*>`.
    Pattern(char),
    /// A statement that applies groups.
    Groups(&'static str),
    /// A tag in front of a statement, such as `inactive:`.
    Tag(&'static str),
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wildcard => f.write_str(
                "a value cannot become a wildcard of a configuration group: text in angle brackets stands for all that it \
                 matches",
            ),
            Self::Pattern(character) => {
                write!(f, "a value between angle brackets cannot hold `{character}`: it would match more than one name")
            }
            Self::Groups(word) => write!(f, "a value cannot become `{word}`: that applies configuration groups"),
            Self::Tag(tag) => write!(f, "a value cannot begin a statement with the tag `{tag}`"),
        }
    }
}

/// Statements that apply groups, or keep them from being applied.
const OF_GROUPS: [&str; 2] = ["apply-groups", "apply-groups-except"];

/// Whether a character makes a name between angle brackets one that matches others.
const fn is_of_pattern(c: char) -> bool {
    matches!(c, '*' | '?' | '[' | ']')
}

/// Whether a device reads a word as a wildcard. Text in which words stand side by side is none, unless brackets are
/// around all of it.
fn is_wildcard(word: &str) -> bool {
    let Some((before, rest)) = word.split_once('<') else { return false };
    let Some((_, behind)) = rest.rsplit_once('>') else { return false };
    (before.is_empty() && behind.is_empty()) || !word.contains(char::is_whitespace)
}

/// What a device takes a word for that `values` stand in, and the number of the value that is the reason; `begins` says
/// that it is the first word of a statement.
pub(super) fn special<'v>(
    word: &str,
    begins: bool,
    mut values: impl Iterator<Item = (usize, &'v str)>,
) -> Option<(usize, Special)> {
    let of_groups = OF_GROUPS.into_iter().find(|of_groups| *of_groups == word).map(Special::Groups);
    let tag = || TAGS.into_iter().find(|tag| begins && word.starts_with(tag)).map(Special::Tag);
    if let Some(special) = of_groups.or_else(tag) {
        return values.next().map(|(number, _)| (number, special));
    }
    if !is_wildcard(word) {
        return None;
    }
    let is_enclosed = word.starts_with('<') && word.ends_with('>');
    values.find_map(|(number, value)| {
        if value.contains(['<', '>']) {
            return Some((number, Special::Wildcard));
        }
        let character = value.chars().find(|c| is_enclosed && is_of_pattern(*c))?;
        Some((number, Special::Pattern(character)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_no_word_of_another_meaning() {
        use Special::{Groups, Pattern, Tag, Wildcard};
        for (word, begins, value, expected) in [
            ("<*>", false, "<*>", Some(Wildcard)),
            ("<ge-*>", true, "<ge-*>", Some(Wildcard)),
            ("<acme>", false, "<acme>", Some(Wildcard)),
            ("ge-<*>", false, "<*>", Some(Wildcard)),
            ("<ge-*>", false, "*>", Some(Wildcard)),
            ("<two words>", false, "<two words>", Some(Wildcard)),
            ("<ge-*>", false, "ge-*", Some(Pattern('*'))),
            ("<ge-0/0/[0-3]>", false, "[0-3]", Some(Pattern('['))),
            ("<ge-0/0/0.0>", false, "ge-0/0/0.0", None),
            ("ge-0/0/*", true, "ge-0/0/*", None),
            ("if a < b and c > d", false, "a < b", None),
            ("a>b<c", false, "a>b<c", None),
            ("apply-groups", false, "groups", Some(Groups("apply-groups"))),
            ("apply-groups-except", true, "apply-groups-except", Some(Groups("apply-groups-except"))),
            ("no apply-groups here", true, "here", None),
            ("inactive:", true, "inactive:", Some(Tag("inactive:"))),
            ("delete:x", true, "delete:x", Some(Tag("delete:"))),
            ("delete:", false, "delete:", None),
        ] {
            let found = special(word, begins, [(7, value)].into_iter());
            assert_eq!(found, expected.map(|special| (7, special)), "{word}");
        }
    }
}
