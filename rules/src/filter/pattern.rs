//! Texts with `*`: case-sensitive, and a text without `*` is equality.

/// A text that another text is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Equal to this.
    Exact(Box<str>),
    /// Begins with the first part, ends with the last, and has those between in this order without
    /// overlap; between two parts stands anything. At least two parts, each may be empty.
    Wild(Box<[Box<str>]>),
}

impl Pattern {
    /// Reads a pattern as the user spells it.
    pub fn new(text: &str) -> Self {
        if text.contains('*') { Self::Wild(text.split('*').map(Box::from).collect()) } else { Self::Exact(text.into()) }
    }

    /// Whether `text` matches. Costs at most the length of the text per part.
    pub fn matches(&self, text: &str) -> bool {
        let parts = match self {
            Self::Exact(exact) => return **exact == *text,
            Self::Wild(parts) => parts,
        };
        let [first, middle @ .., last] = &**parts else { return false };
        let Some(mut rest) = text.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last)) else {
            return false;
        };
        // The leftmost occurrence of each part leaves the most room for those behind it.
        for part in middle {
            match rest.find(&**part) {
                Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        true
    }

    /// What every matching text begins with.
    pub(crate) fn prefix(&self) -> &str {
        match self {
            Self::Exact(text) => text,
            Self::Wild(parts) => parts.first().map_or("", |part| part),
        }
    }

    /// The longest piece that every matching text contains; the first of several as long.
    pub(crate) fn longest_literal(&self) -> &str {
        match self {
            Self::Exact(text) => text,
            Self::Wild(parts) => {
                parts.iter().fold("", |longest, part| if part.len() > longest.len() { part } else { longest })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, yes, no) in [
            ("a", &["a"][..], &["", "A", "aa"][..]),
            ("a*", &["a", "ab"], &["", "ba", "A"]),
            ("*a", &["a", "ba"], &["ab", ""]),
            ("*", &["", "x"], &[]),
            ("**", &["", "x"], &[]),
            ("a*a", &["aa", "aba"], &["a", "ab"]),
            ("*a*", &["a", "xax"], &["", "x"]),
            ("a*b*c", &["abc", "axbxc", "abbc"], &["ac", "acb", "ab"]),
            ("*ab*ab*", &["abab", "xabxabx"], &["ab", "aba"]),
            ("ä*ö", &["äö", "äxö"], &["ä", "ö"]),
        ] {
            let pattern_read = Pattern::new(pattern);
            for text in yes {
                assert!(pattern_read.matches(text), "`{pattern}` should match `{text}`");
            }
            for text in no {
                assert!(!pattern_read.matches(text), "`{pattern}` should not match `{text}`");
            }
        }
    }

    #[test]
    fn pieces_to_look_up() {
        let pattern = Pattern::new("ab*cdef*g");
        assert_eq!((pattern.prefix(), pattern.longest_literal()), ("ab", "cdef"));
        assert_eq!(Pattern::new("**").longest_literal(), "");
    }
}
