//! How a large content is cut into pieces, so that one that differs from another in an entry has all other pieces in
//! common with it.
//!
//! ```text
//! the object <hash>    the content; or of a large one: "linesman pieces 1 <depth>\n", and a list
//! a list               "<hash of a piece>\n" for each piece, in order
//! ```
//!
//! The pieces of a list are, put together, the content at depth 1, and above that the list of the next depth. A piece is
//! made of whole entries, such as the policies of a rule book: where one ends is told by the name of the entry behind it,
//! so that the pieces before and behind a change stay as they are. Nothing depends on where that is: what was put together
//! has the hash of the content, or is none.

use std::ops::Range;

use sha2::{Digest, Sha256};

/// The largest content that is stored whole, in bytes; likewise the largest list.
pub(super) const WHOLE_MOST: usize = 8 * 1024;
/// The most bytes of a piece, whatever it is made of: a message with one fits into every server.
const PIECE_MOST: usize = 128 * 1024;
/// From how many bytes on a piece ends before an entry whose name says so, and before any.
const PIECE_LEAST: usize = 1024;
const PIECE_ENOUGH: usize = 8 * 1024;
/// One in so many names says so.
const NAMES: u8 = 8;
/// How many lines of a list are a piece at least; so each list is much shorter than the one it is of.
const LINES_LEAST: usize = 16;
/// How many lists of lists there may be: what is stored has far fewer.
const DEPTH_MOST: usize = 8;
/// How an entry with a name begins in JSON; within a text the quotes would be escaped.
const ENTRY: &str = "{\"name\":\"";
const HEAD: &str = "linesman pieces 1 ";
/// The length of a line of a list: a SHA-256 in hexadecimal, and the end of the line.
const LINE: usize = 65;

/// What an object holds in the place of its content.
pub(super) struct Top<'a> {
    /// How many lists deep the content lies.
    pub(super) depth: usize,
    /// The first of them.
    pub(super) list: &'a [u8],
}

impl<'a> Top<'a> {
    /// Reads what is not the content itself; nothing where it is no list either.
    pub(super) fn read(object: &'a [u8]) -> Option<Self> {
        let behind = object.strip_prefix(HEAD.as_bytes())?;
        let end = behind.iter().position(|byte| *byte == b'\n')?;
        let (depth, list) = behind.split_at_checked(end)?;
        let depth = str::from_utf8(depth).ok()?.parse().ok()?;
        (1..=DEPTH_MOST).contains(&depth).then(|| list.get(1..).map(|list| Self { depth, list })).flatten()
    }

    /// As it lies in the object.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut object = format!("{HEAD}{}\n", self.depth).into_bytes();
        object.extend_from_slice(self.list);
        object
    }
}

/// The hashes of a list; nothing where it is none.
pub(super) fn hashes(list: &[u8]) -> Option<Vec<String>> {
    let is_hash = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let hash = |line: &[u8]| {
        let hash = str::from_utf8(line).ok()?.strip_suffix('\n')?;
        (line.len() == LINE && is_hash(hash)).then(|| hash.to_owned())
    };
    list.chunks(LINE).map(hash).collect()
}

/// Where the pieces of a content lie.
pub(super) fn cut(content: &[u8]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for (at, name) in entries(content) {
        let length = at - from;
        if length >= PIECE_ENOUGH || (length >= PIECE_LEAST && Sha256::digest(name).first().is_some_and(is_an_end)) {
            push(&mut pieces, from..at);
            from = at;
        }
    }
    push(&mut pieces, from..content.len());
    pieces
}

/// Where the pieces of a list lie.
pub(super) fn cut_list(list: &[u8]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for (at, line) in (0..).step_by(LINE).zip(list.chunks(LINE)) {
        // One line in 64.
        if at - from >= LINES_LEAST * LINE && matches!(line, [b'0', b'0'..=b'3', ..]) {
            push(&mut pieces, from..at);
            from = at;
        }
    }
    push(&mut pieces, from..list.len());
    pieces
}

const fn is_an_end(first: &u8) -> bool {
    first.is_multiple_of(NAMES)
}

/// Where entries with names begin, and the names; none where there is no text.
fn entries(content: &[u8]) -> impl Iterator<Item = (usize, &str)> {
    let text = str::from_utf8(content).unwrap_or_default();
    text.match_indices(ENTRY).map(move |(at, entry)| {
        let behind = text.get(at + entry.len()..).unwrap_or_default();
        (at, behind.split('"').next().unwrap_or_default())
    })
}

/// A piece; in several where it is too large for one.
fn push(pieces: &mut Vec<Range<usize>>, piece: Range<usize>) {
    let starts = piece.clone().step_by(PIECE_MOST);
    pieces.extend(starts.map(|from| from..piece.end.min(from + PIECE_MOST)));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use linesman_schemas::PolicyName;
    use linesman_schemas::control::{PoliciesSection, PolicySource};

    use super::super::{hash, pack};
    use super::*;

    fn policy(number: usize, text: &str) -> PolicySource {
        let name: PolicyName = format!("acme/{number:06}").parse().unwrap();
        let source = format!("policy(#{{ on: \"incident.detected\" }});\n// {{\"name\":\"{number}\"}} {text}\n");
        PolicySource { name, owner: Some("acme".parse().unwrap()), source, origin: None }
    }

    fn section(policies: Vec<PolicySource>) -> Vec<u8> {
        pack(&PoliciesSection { policies, refused: Vec::new() }).unwrap().1
    }

    fn stored(content: &[u8]) -> BTreeSet<String> {
        cut(content).into_iter().map(|piece| hash(&content[piece])).collect()
    }

    #[test]
    fn pieces_are_the_content_and_each_fits_into_a_message() {
        let large = PolicySource { source: "é\u{1}".repeat(200_000), ..policy(3, "") };
        let contents = [
            section((0..500).map(|number| policy(number, "x")).collect()),
            section(vec![policy(1, ""), large, policy(4, "")]),
            vec![0xff; 300_000],
            Vec::new(),
        ];
        for content in contents {
            let pieces = cut(&content);
            let together: Vec<u8> = pieces.iter().flat_map(|piece| &content[piece.clone()]).copied().collect();
            assert_eq!(together, content);
            assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= PIECE_MOST));
        }
    }

    #[test]
    fn what_differs_in_one_policy_differs_in_few_pieces() {
        let policies: Vec<_> = (0..20_000).map(|number| policy(number, "one")).collect();
        let before = section(policies.clone());
        let known = stored(&before);
        let mut changed = policies.clone();
        changed[7_000] = policy(7_000, "another text, and a longer one");
        let (mut added, mut removed) = (policies.clone(), policies);
        added.insert(7_001, PolicySource { name: "acme/007000-b".parse().unwrap(), ..policy(1, "new") });
        removed.remove(7_000);
        for after in [changed, added, removed] {
            let content = section(after);
            let new: Vec<_> =
                cut(&content).into_iter().filter(|piece| !known.contains(&hash(&content[piece.clone()]))).collect();
            let bytes: usize = new.iter().map(ExactSizeIterator::len).sum();
            assert!(bytes <= 4 * PIECE_ENOUGH, "{bytes} bytes in {} pieces of {}", new.len(), known.len());
        }
    }

    #[test]
    fn lists_of_lists_end_and_read_back() {
        let mut list: Vec<u8> =
            (0..40_000).flat_map(|number: u32| format!("{}\n", hash(&number.to_be_bytes())).into_bytes()).collect();
        assert_eq!(hashes(&list).unwrap().len(), 40_000);
        let mut depth = 1;
        while list.len() > WHOLE_MOST {
            let pieces = cut_list(&list);
            assert!(
                pieces
                    .iter()
                    .all(|piece| piece.len() <= PIECE_MOST && piece.len().is_multiple_of(LINE) || pieces.len() == 1)
            );
            list = pieces.into_iter().flat_map(|piece| format!("{}\n", hash(&list[piece])).into_bytes()).collect();
            depth += 1;
        }
        assert!((2..=4).contains(&depth), "{depth}");
        let object = Top { depth, list: &list }.write();
        let top = Top::read(&object).unwrap();
        assert_eq!((top.depth, top.list), (depth, &*list));
    }

    #[test]
    fn what_is_no_list_is_not_read_as_one() {
        for object in
            ["", "{}", "linesman pieces 1 ", "linesman pieces 1 0\n", "linesman pieces 1 9\n", "linesman pieces 2 1\n"]
        {
            assert!(Top::read(object.as_bytes()).is_none(), "{object}");
        }
        let hash = hash(b"a");
        for list in
            [hash.clone(), format!("{}\n", hash.to_uppercase()), format!("{hash}\n{hash}"), format!("../{hash}\n")]
        {
            assert!(hashes(list.as_bytes()).is_none(), "{list}");
        }
        assert_eq!(hashes(format!("{hash}\n{hash}\n").as_bytes()).unwrap(), [hash.clone(), hash]);
    }
}
