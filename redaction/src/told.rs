//! Secrets that are known from texts: what is said elsewhere is without them, wherever they are quoted and whatever stands around
//! them.

use std::collections::BTreeSet;

use crate::secrets::{self, Kind, WITHHELD};

/// How long the beginning of a secret is, in characters, that is withheld where the words were cut behind it.
const BEGINNING_LEAST: usize = 3;
/// What is shorter, in characters, counts only where it is a word of its own.
const WORD_LEAST: usize = 8;
/// What stands where words were cut.
const CUT: &str = "...";

/// The secrets of texts, such as one that a device was told.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The longest first.
    secrets: Vec<String>,
}

impl Told {
    /// Those that announce themselves in texts, as [`Redaction`](crate::Redaction) finds them.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut secrets = BTreeSet::new();
        for text in texts {
            let found = secrets::find(Kind::of(text.as_bytes()), text.as_bytes(), 0, text.len());
            for secret in found.iter().filter_map(|secret| text.get(secret.range.clone())) {
                let plain = secret.replace("\\\"", "\"").replace("\\\\", "\\");
                secrets.extend([secret.to_owned(), plain]);
            }
        }
        let mut secrets: Vec<String> = secrets.into_iter().filter(|secret| !secret.trim().is_empty()).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// Words in which they are withheld.
    pub fn withhold(&self, words: &str) -> String {
        let whole = self.secrets.iter().fold(words.to_owned(), |words, secret| without(&words, secret));
        let mut told = String::with_capacity(whole.len());
        let mut rest = whole.as_str();
        while let Some((before, behind)) = rest.split_once(CUT) {
            let cut = self.secrets.iter().filter_map(|secret| begun(before, secret)).min();
            match cut.and_then(|at| before.get(..at)) {
                Some(kept) => told.extend([kept, WITHHELD]),
                None => told.push_str(before),
            }
            told.push_str(CUT);
            rest = behind;
        }
        told + rest
    }
}

/// Words without a secret.
fn without(words: &str, secret: &str) -> String {
    let is_short = secret.chars().count() < WORD_LEAST;
    let mut told = String::with_capacity(words.len());
    let mut done = 0;
    for (at, _) in words.match_indices(secret) {
        let (before, behind) =
            (words.get(..at).unwrap_or_default(), words.get(at + secret.len()..).unwrap_or_default());
        let is_word = !before.ends_with(char::is_alphanumeric) && !behind.starts_with(char::is_alphanumeric);
        if !is_short || is_word {
            told.extend([words.get(done..at).unwrap_or_default(), WITHHELD]);
            done = at + secret.len();
        }
    }
    told + words.get(done..).unwrap_or_default()
}

/// Where a secret begins with which words end.
fn begun(words: &str, secret: &str) -> Option<usize> {
    let ends = secret.char_indices().skip(BEGINNING_LEAST).map(|(end, _)| end);
    let longest = ends.filter(|end| secret.get(..*end).is_some_and(|begun| words.ends_with(begun))).last()?;
    Some(words.len() - longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "system {\n    radius-server 192.0.2.9 {\n        secret hunter2rad;\n    }\n}\nsnmp {\n    \
        community hunter2 {\n        authorization read-only;\n    }\n}\n\
        security {\n    ike {\n        policy p {\n            pre-shared-key ascii-text \"two \\\"words\\\"\";\n        }\n    }\n}\n";

    #[test]
    fn what_was_told_is_not_said_whatever_stands_around_it() {
        let told = Told::of([TEXT]);
        for (words, expected) in [
            ("syntax error: community hunter2", "syntax error: community SECRET-WITHHELD"),
            ("`hunter2rad' is too short, hunter2rad", "`SECRET-WITHHELD' is too short, SECRET-WITHHELD"),
            ("hunter23 and hunter2-a", "hunter23 and SECRET-WITHHELD-a"),
            ("invalid value two \"words\" in key", "invalid value SECRET-WITHHELD in key"),
            ("invalid value \"two \\\"words\\\"\"", "invalid value \"SECRET-WITHHELD\""),
            ("near secret hunter2r... (at /a), hun...", "near secret SECRET-WITHHELD... (at /a), SECRET-WITHHELD..."),
            ("wait... 192.0.2.9 is not hurt", "wait... 192.0.2.9 is not hurt"),
        ] {
            assert_eq!(told.withhold(words), expected);
        }
        assert_eq!(Told::of(["a { b c; }"]).withhold("a b c..."), "a b c...");
    }
}
