//! How much room policies have: a rule book is read whole by every lane.
//!
//! What stays of a file that is refused, its last good text, takes room like any other: else an organization could break one
//! file after the other, and have the rule book grow with each.

use std::collections::BTreeMap;

use linesman_rules::{Code, Diagnostic};
use linesman_schemas::OrgName;

use super::PolicyFile;

/// The most bytes of all policies of an organization's folder together, and of all there are.
const MOST_OF_ONE: usize = 8 << 20;
const MOST_IN_ALL: usize = 64 << 20;

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    of_one: usize,
    in_all: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { of_one: MOST_OF_ONE, in_all: MOST_IN_ALL }
    }
}

/// How many bytes a policy's text takes. A control character is one of six in the rule book, but for those that end lines or
/// stand between words: a folder of nothing else would make a rule book that no lane reads.
pub(crate) fn bytes(text: &str) -> usize {
    let is_long = |byte: &u8| *byte < b' ' && !byte.is_ascii_whitespace();
    text.len() + 5 * text.bytes().filter(is_long).count()
}

/// How much is taken.
#[derive(Default)]
struct Taken<'a> {
    in_all: usize,
    of: BTreeMap<&'a OrgName, usize>,
}

impl<'a> Taken<'a> {
    /// Something is there in another's place.
    fn exchange(&mut self, owner: Option<&'a OrgName>, before: usize, after: usize) {
        let exchanged = |taken: usize| taken.saturating_sub(before) + after;
        self.in_all = exchanged(self.in_all);
        if let Some(owner) = owner {
            let of = self.of.entry(owner).or_default();
            *of = exchanged(*of);
        }
    }
}

impl Room {
    /// Those for which there is no room, by their place among `files`. `stays` is how many bytes of a file stay if it is
    /// refused. One that takes no more than before has room; the others have it in order of name.
    pub(crate) fn refuse(
        self,
        files: &[PolicyFile],
        stays: impl Fn(&PolicyFile) -> usize,
    ) -> BTreeMap<usize, Diagnostic> {
        let mut taken = Taken::default();
        let mut good = Vec::new();
        for (at, file) in files.iter().enumerate() {
            let stays = stays(file);
            taken.exchange(file.owner.as_ref(), 0, stays);
            if file.faults.is_empty() {
                good.push((at, file, stays));
            }
        }
        good.sort_by_key(|(at, file, stays)| (bytes(&file.text) > *stays, *at));
        let mut refused = BTreeMap::new();
        for (at, file, stays) in good {
            let (owner, length) = (file.owner.as_ref(), bytes(&file.text));
            match self.lacks(&taken, owner, length.saturating_sub(stays)) {
                Some(message) => drop(refused.insert(at, Diagnostic::of_file(Code::Limit, message, None))),
                None => taken.exchange(owner, stays, length),
            }
        }
        refused
    }

    /// Why there is no room for so many bytes more, if there is none.
    fn lacks(self, taken: &Taken<'_>, owner: Option<&OrgName>, more: usize) -> Option<String> {
        let Self { of_one, in_all } = self;
        let of = |owner| taken.of.get(owner).copied().unwrap_or_default();
        if more == 0 {
            return None;
        }
        match owner {
            Some(owner) if of(owner) + more > of_one => {
                Some(format!("the policies of `{owner}` have more than {of_one} bytes together"))
            }
            _ if taken.in_all + more > in_all => Some(format!("all policies together have more than {in_all} bytes")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    const POLICY: &str = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { }\n";

    /// Files as they are read of a directory, with those of `broken` no policies.
    fn files(counts: &[(&str, usize)], broken: &[&str]) -> Vec<PolicyFile> {
        let dir = tempfile::tempdir().unwrap();
        for (name, count) in counts {
            std::fs::create_dir(dir.path().join(name)).unwrap();
            for number in 0..*count {
                let path = format!("{name}/{number}.rhai");
                let text = if broken.contains(&&*path) { "policy(" } else { POLICY };
                std::fs::write(dir.path().join(path), text).unwrap();
            }
        }
        read(dir.path()).unwrap()
    }

    fn refused(files: &[PolicyFile], of_one: usize, in_all: usize, stays: usize) -> Vec<(String, String)> {
        let room = Room { of_one: of_one * POLICY.len(), in_all: in_all * POLICY.len() };
        let refused = room.refuse(files, |_| stays * POLICY.len());
        refused.into_iter().map(|(at, fault)| (files[at].within.clone(), fault.message)).collect()
    }

    #[test]
    fn policies_have_their_room_and_others_keep_theirs() {
        let files = files(&[("acme", 3), ("bolt", 1), ("cobalt", 2)], &[]);
        let (of_one, in_all) = (2 * POLICY.len(), 4 * POLICY.len());
        let expected = [
            ("acme/2.rhai", format!("the policies of `acme` have more than {of_one} bytes together")),
            ("cobalt/1.rhai", format!("all policies together have more than {in_all} bytes")),
        ];
        assert_eq!(refused(&files, 2, 4, 0), expected.map(|(path, why)| (path.to_owned(), why)));
        assert_eq!(refused(&files, 1, 1, 1), [], "what is no larger than before stays");
    }

    #[test]
    fn what_becomes_longer_in_the_rule_book_takes_that_room() {
        for text in ["", "policy(\"é\");\r\n\t\n", "a\u{1}\u{1b}\u{0}b", POLICY] {
            let escaped = serde_json::to_string(text).unwrap().len() - 2;
            let doubled = text.matches(['"', '\r', '\n', '\t']).count();
            assert_eq!(bytes(text), escaped - doubled, "{text:?}");
        }
    }

    #[test]
    fn what_stays_of_a_broken_file_takes_room() {
        let files = files(&[("acme", 3), ("bolt", 1)], &["acme/0.rhai", "acme/1.rhai"]);
        let stays = |file: &PolicyFile| if file.faults.is_empty() { 0 } else { POLICY.len() };
        let room = |of_one: usize, in_all: usize| Room { of_one: of_one * POLICY.len(), in_all: in_all * POLICY.len() };
        let places = |room: Room| room.refuse(&files, stays).into_keys().collect::<Vec<_>>();
        assert_eq!(places(room(3, 4)), [0_usize; 0]);
        assert_eq!(places(room(2, 4)), [2], "the organization's own");
        assert_eq!(places(room(3, 3)), [3], "all of them");
    }
}
