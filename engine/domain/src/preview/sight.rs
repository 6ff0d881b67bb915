//! What of a preview is told to whoever asks: nothing of places that they do not see.

use linesman_schemas::{OrgName, Place};

use crate::hidden::Reader;

/// How whoever is not seen is named.
const SOMEBODY: &str = "one that you do not see";

/// What whoever asks sees.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// Whether a place is there for them.
    pub sees: &'a dyn Fn(&Place) -> bool,
    /// What of values is hidden from them.
    pub reader: Reader<'a>,
}

impl Sight<'_> {
    /// A text without those that are not seen: of two that set the same the one is named that is.
    pub(super) fn cut(&self, org: &OrgName, text: &str) -> String {
        let mut cut = String::new();
        let mut rest = text;
        let front = format!("`{org}/");
        while let Some((before, behind)) = rest.find(&front).and_then(|at| rest.split_at_checked(at)) {
            let (name, behind) = quoted(behind);
            if self.shows(name) {
                cut.push_str(before);
                cut.push('`');
                cut.push_str(name);
                rest = behind;
                continue;
            }
            // Whose it is stands before it, and for which line behind it.
            let begin = before.rfind(" by `").map(|at| at + " by ".len());
            cut.push_str(before.get(..begin.unwrap_or(before.len())).unwrap_or_default());
            cut.push_str(SOMEBODY);
            rest = behind.strip_prefix('`').unwrap_or(behind);
            if let Some(line) = rest.strip_prefix(", for ").filter(|line| line.starts_with(&front)) {
                let (name, behind) = quoted(line);
                if !self.shows(name) {
                    rest = behind.strip_prefix('`').unwrap_or(behind);
                }
            }
            rest = without_parameters(rest);
        }
        cut.push_str(rest);
        cut
    }

    /// Whether a text names no place that is not seen.
    fn shows(&self, name: &str) -> bool {
        name.parse::<Place>().map_or(true, |place| (self.sees)(&place))
    }
}

/// What is behind the parameters of an owner.
fn without_parameters(text: &str) -> &str {
    let mut rest = text;
    let mut front = ", with `";
    while let Some((name, behind)) = rest.strip_prefix(front).and_then(|named| named.split_once('`')) {
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            break;
        }
        (rest, front) = (behind, ", `");
    }
    rest
}

/// What of a text that begins with a backtick may be a place's name, and what is behind that.
fn quoted(text: &str) -> (&str, &str) {
    let named = text.strip_prefix('`').unwrap_or(text);
    let end = named.find(|c: char| !c.is_ascii_alphanumeric() && !"-_/".contains(c)).unwrap_or(named.len());
    named.split_at_checked(end).unwrap_or((named, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_not_seen_is_not_named() {
        let sees = |place: &Place| !place.to_string().starts_with("acme/paris");
        let sight = Sight { sees: &sees, reader: Reader::of_provider() };
        let cut = |text: &str| sight.cut(&"acme".parse().unwrap(), text);
        assert_eq!(
            cut("`message` is set to `hello` and to `bye`: by `a-1` of `a` at `acme/paris`, for `acme/paris/line-1` \
                 and by `b-2` of `b` at `acme/berlin`, for `acme/berlin/line-1`"),
            "`message` is set to `hello` and to `bye`: by one that you do not see \
             and by `b-2` of `b` at `acme/berlin`, for `acme/berlin/line-1`"
        );
        assert_eq!(
            cut(
                "by `b-2` of `b` at `acme`, for `acme/berlin/line-1` and by `a-1` of `a` at `acme`, for `acme/paris/line-1`"
            ),
            "by `b-2` of `b` at `acme`, for `acme/berlin/line-1` and by one that you do not see"
        );
        assert_eq!(
            cut("x: by `a-1` of `a` at `acme/paris`, for `acme/paris/line-1`, with `rate`, `burst` \
                 and by `b-2` of `b` at `acme`, for `acme/berlin/line-1`, with `rate`"),
            "x: by one that you do not see and by `b-2` of `b` at `acme`, for `acme/berlin/line-1`, with `rate`"
        );
        assert_eq!(cut("`acme/paris/`acme/paris`"), "`acme/paris/one that you do not see");
        for whole in ["", "`acme/berlin`", "`acme/", "`bolt/paris`", "acme/paris"] {
            assert_eq!(cut(whole), whole);
        }
    }
}
