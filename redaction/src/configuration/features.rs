//! Which features a configuration uses: the words of its hierarchy that everybody has, and no word of anybody's own.

use std::collections::BTreeSet;

use super::vocabulary::{below, is_change};
use crate::bytes::{at, from, part, skip};

/// How many bytes of one configuration are looked at.
const LOOKED_AT_MOST: usize = 16 << 20;
/// How deep a hierarchy is told apart.
const DEPTH_MOST: usize = 64;
/// Statements that have others' hierarchies below a name of the user's: behind how many words in text, and in XML and JSON.
const NESTING: [(&str, usize, usize); 4] =
    [("groups", 2, 1), ("logical-systems", 2, 1), ("tenants", 2, 1), ("routing-instances", 2, 2)];

/// The features that configurations use, each by one or two words, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Features {
    used: BTreeSet<&'static str>,
    below: BTreeSet<(&'static str, &'static str)>,
    /// The configuration at hand.
    text: Vec<u8>,
}

impl Features {
    /// Adds a piece of the configuration at hand.
    pub(super) fn push(&mut self, piece: &[u8]) {
        let room = LOOKED_AT_MOST.saturating_sub(self.text.len());
        self.text.extend_from_slice(part(piece, 0, room));
    }

    /// Ends the configuration at hand, and reads it.
    pub(super) fn end(&mut self) {
        let text = std::mem::take(&mut self.text);
        let bare = text.trim_ascii_start();
        let bare = bare.strip_prefix(b"<![CDATA[").unwrap_or(bare).trim_ascii_start();
        match bare.first() {
            None => {}
            Some(b'<') => self.elements(bare),
            Some(b'{' | b'[') => self.members(bare),
            Some(_) if bare.windows(4).take(4096).any(|four| four == b"&lt;") => self.elements(&unescaped(bare)),
            Some(_) => self.statements(bare),
        }
    }

    /// The features of others.
    pub(crate) fn add(&mut self, others: Self) {
        self.used.extend(others.used);
        self.below.extend(others.below);
    }

    /// A line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for top in &self.used {
            let mut below = self.below.iter().filter(|(above, _)| above == top).peekable();
            if below.peek().is_none() {
                lines.push((*top).to_owned());
            }
            lines.extend(below.map(|(top, below)| format!("{top} {below}")));
        }
        lines
    }

    /// Takes in a statement by its words from the top, `is_text`: with the names that follow them.
    fn take(&mut self, path: &[&[u8]], is_text: bool) {
        let mut path = path;
        for _ in 0..DEPTH_MOST {
            let Some(first) = path.first() else { return };
            let Some((top, known)) = below(first) else { return };
            self.used.insert(top);
            if let Some(found) = path.get(1).and_then(|next| known.iter().find(|known| known.as_bytes() == *next)) {
                self.below.insert((top, found));
            }
            let Some((_, text, others)) = NESTING.iter().find(|(nesting, ..)| *nesting == top) else { return };
            let Some(rest) = path.get(if is_text { *text } else { *others }..) else { return };
            path = rest;
        }
    }

    /// Of `set` and of curly statements.
    fn statements(&mut self, text: &[u8]) {
        // How many words each open block has, and all of these words.
        let (mut blocks, mut path): (Vec<usize>, Vec<&[u8]>) = (Vec::new(), Vec::new());
        let mut words = 0;
        let mut place = 0;
        while place < text.len() {
            match at(text, place) {
                b'"' => {
                    place = skip(text, place + 1, |byte| byte != b'"');
                    words += usize::from(push(&mut path, b"\""));
                }
                b'/' if at(text, place + 1) == b'*' => {
                    let end = memchr::memmem::find(from(text, place), b"*/");
                    place = end.map_or(text.len(), |end| place + end + 1);
                }
                b'#' => place = skip(text, place, |byte| byte != b'\n'),
                b'{' => {
                    self.take(&path, true);
                    blocks.push(std::mem::take(&mut words));
                }
                byte @ (b'}' | b';' | b'\n') => {
                    // A line end ends `set`, and nothing in a block.
                    if byte != b'\n' || path.first().is_some_and(|first| is_change(first)) {
                        self.end_of_statement(&path);
                        path.truncate(path.len() - words.min(path.len()));
                        words = 0;
                    }
                    if byte == b'}' {
                        let open = blocks.pop().unwrap_or_default();
                        path.truncate(path.len() - open.min(path.len()));
                    }
                }
                byte if byte.is_ascii_whitespace() => {}
                _ => {
                    let end = skip(text, place, |byte| !byte.is_ascii_whitespace() && !b"{};\"".contains(&byte));
                    let word = part(text, place, end);
                    if !word.ends_with(b":") && !matches!(word, b"+" | b"-" | b"!") {
                        words += usize::from(push(&mut path, word));
                    }
                    place = end.saturating_sub(1).max(place);
                }
            }
            place += 1;
        }
        self.end_of_statement(&path);
    }

    fn end_of_statement(&mut self, path: &[&[u8]]) {
        match path.split_first() {
            Some((first, rest)) if is_change(first) => self.take(rest, true),
            _ => self.take(path, true),
        }
    }

    /// Of XML: its elements below `configuration`, or from the first one that is known on.
    fn elements(&mut self, text: &[u8]) {
        let mut path: Vec<&[u8]> = Vec::new();
        let mut place = 0;
        while let Some(tag) = memchr::memchr(b'<', from(text, place)) {
            let start = place + tag + 1;
            let is_closing = at(text, start) == b'/';
            let name_start = start + usize::from(is_closing);
            let end = skip(text, name_start, |byte| !byte.is_ascii_whitespace() && byte != b'>' && byte != b'/');
            let name = part(text, name_start, end);
            let name = name.rsplit(|&byte| byte == b':').next().unwrap_or(name);
            place = skip(text, end, |byte| byte != b'>');
            if !name.first().is_some_and(u8::is_ascii_alphabetic) {
                continue;
            }
            if is_closing {
                path.pop();
                continue;
            }
            if !push(&mut path, name) {
                return;
            }
            self.take_below(&path);
            if at(text, place.saturating_sub(1)) == b'/' {
                path.pop();
            }
        }
    }

    /// Of JSON: the names of its members.
    fn members(&mut self, text: &[u8]) {
        let mut path: Vec<&[u8]> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut place = 0;
        while place < text.len() {
            match at(text, place) {
                b'{' | b'[' if open.len() < DEPTH_MOST => open.push(path.len()),
                b'{' | b'[' => return,
                b'}' | b']' => {
                    let length = open.pop().unwrap_or_default();
                    path.truncate(length);
                    // A name belongs to the object around it.
                    if open.last().is_some_and(|outer| *outer < path.len()) {
                        path.pop();
                    }
                }
                b'"' => {
                    let mut end = place + 1;
                    while end < text.len() && at(text, end) != b'"' {
                        end += 1 + usize::from(at(text, end) == b'\\');
                    }
                    let name = part(text, place + 1, end);
                    let colon = skip(text, end + 1, |byte| byte.is_ascii_whitespace());
                    if at(text, colon) == b':' {
                        path.truncate(open.last().copied().unwrap_or_default());
                        if !push(&mut path, name) {
                            return;
                        }
                        self.take_below(&path);
                    }
                    place = end;
                }
                _ => {}
            }
            place += 1;
        }
    }

    /// Takes in a path whose first words are those around the configuration.
    fn take_below(&mut self, path: &[&[u8]]) {
        let root = path.iter().rposition(|word| word.starts_with(b"configuration"));
        let path = from_place(path, root.map_or(0, |root| root + 1));
        self.take(path, false);
    }
}

fn from_place<'p, 't>(path: &'p [&'t [u8]], place: usize) -> &'p [&'t [u8]] {
    path.get(place..).unwrap_or_default()
}

/// Adds a word; whether the hierarchy is not too deep.
fn push<'t>(path: &mut Vec<&'t [u8]>, word: &'t [u8]) -> bool {
    if path.len() >= DEPTH_MOST * 16 {
        return false;
    }
    path.push(word);
    true
}

/// XML that is the text of an element.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut place = 0;
    while place < text.len() {
        let rest = from(text, place);
        let (byte, length) = match rest {
            _ if rest.starts_with(b"&lt;") => (b'<', 4),
            _ if rest.starts_with(b"&gt;") => (b'>', 4),
            _ => (at(rest, 0), 1),
        };
        out.push(byte);
        place += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let mut features = Features::default();
        features.push(text.as_bytes());
        features.end();
        features.lines()
    }

    #[test]
    fn features_are_the_same_in_every_form() {
        let expected = ["interfaces", "protocols bgp", "protocols ospf", "security nat", "system services"];
        for text in [
            "set system services ssh\nset protocols bgp group acme\nset protocols ospf area 0.0.0.0\n\
             set interfaces ge-0/0/0 unit 0\ndeactivate security nat source",
            "system { services { ssh; } host-name acme; }\nprotocols { /* old { */ bgp { group acme; } ospf { area 0; } }\n\
             interfaces { ge-0/0/0 { unit 0; } }\nsecurity { nat { source; } }",
            "<configuration><system><services><ssh/></services><host-name>acme</host-name></system><protocols><bgp>\
             <group><name>acme</name></group></bgp><ospf/></protocols><interfaces/><security><nat/></security></configuration>",
            r#"{"system":{"services":{"ssh":[null]},"host-name":"acme"},"protocols":{"bgp":{"group":[{"name":"acme"}]},"ospf":{}},
             "interfaces":{"interface":[]},"security":{"nat":{}}}"#,
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn hierarchies_below_names_are_looked_into() {
        let expected = ["groups", "protocols bgp", "routing-instances", "snmp community"];
        assert_eq!(
            of("set groups acme snmp community hidden\nset routing-instances blue protocols bgp group x"),
            expected
        );
        assert_eq!(
            of(
                "<groups><name>acme</name><snmp><community/></snmp></groups><routing-instances><instance><name>blue</name>\
                <protocols><bgp/></protocols></instance></routing-instances>"
            ),
            expected
        );
    }

    #[test]
    fn no_word_of_the_users_is_a_feature() {
        assert_eq!(
            of("set interfaces acme-uplink\nset vlans bgp\nset system acme\nset acme bgp"),
            ["interfaces", "system", "vlans"]
        );
        assert_eq!(of(""), [""; 0]);
    }
}
