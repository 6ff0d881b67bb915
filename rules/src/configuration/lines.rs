//! Configuration as a device writes it, line by line, so that what it has can be held against what it was told.
//!
//! A line is what a `set` command would set: the words of the containers around it, and its own. Unlike
//! [`Configuration::parse`](super::Configuration::parse) this reads all that may stand on a device: tags such as `inactive:` are
//! words of their line, a container with nothing in it is a line, a list is one line for each element. The order of lines
//! counts where a device goes by it (`order`), and nowhere else.
//!
//! Two lines are the same where a device writes one for the other: `192.0.2.1` and `192.0.2.1/32`, addresses in other
//! spellings, a secret in the clear and as Junos enciphers it (`$9$..`), which is read; and a secret of which the device keeps a
//! hash or another cipher alone (`$6$..`), so that nobody can tell, where one is expected.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::cipher;
use super::fault::{Fault, Place};
use super::order::{Item, moved};
use super::print::print_words;
use super::tokens::{Kind, Tokens};
use super::{MOST_DEPTH, Word};

/// The most characters, and the most words, of all lines together.
const MOST_CHARACTERS: usize = 64 << 20;
const MOST_WORDS: usize = 2 << 20;
/// How hashes and ciphers of secrets begin that nobody reads.
const CIPHERS: [&str; 5] = ["$1$", "$5$", "$6$", "$8$", "$sha1$"];
/// Behind which words such stand.
const SECRETS: [&str; 12] = [
    "authentication-key",
    "authentication-password",
    "ascii-text",
    "encrypted-password",
    "hexadecimal",
    "key",
    "md5",
    "password",
    "privacy-password",
    "secret",
    "simple-password",
    "value",
];

/// A line. [`fmt::Display`] gives its words, in quotes where they need them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(Vec<Word>);

/// The lines of a configuration, in the order they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    lines: Vec<Line>,
    /// What the device goes through in its order, in that.
    items: Vec<Item>,
}

/// What a device has otherwise than it was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// What it does not have.
    pub missing: Vec<Line>,
    /// What it has besides.
    pub extra: Vec<Line>,
    /// What it has elsewhere, where it goes through that in its order.
    pub moved: Vec<Moved>,
}

/// What stands elsewhere than it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Where it is to stand: as one would `insert` it.
    pub line: Line,
    /// What it is.
    pub of: Line,
}

impl Drift {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.moved.is_empty()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_words(f, &self.0)
    }
}

impl Line {
    pub(super) const fn of(words: Vec<Word>) -> Self {
        Self(words)
    }

    fn words(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|word| normal(word.as_str()))
    }

    /// What is the same of lines that are the same.
    fn key(&self) -> Vec<String> {
        self.words().collect()
    }

    /// With how many words two begin alike.
    fn shares(&self, other: &Self) -> usize {
        self.words().zip(other.words()).take_while(|(one, other)| one == other).count()
    }

    /// Which words are hashes or ciphers that nobody reads, with the line as it is without each.
    fn enciphered(&self) -> impl Iterator<Item = (usize, Vec<String>)> {
        let is_cipher = |word: &Word| CIPHERS.iter().any(|begin| word.as_str().starts_with(begin));
        self.secrets().filter(move |at| self.0.get(*at).is_some_and(is_cipher)).map(|at| (at, self.without(at)))
    }

    /// Where secrets stand.
    fn secrets(&self) -> impl Iterator<Item = usize> {
        let is_before = |at: &usize| self.0.get(at - 1).is_some_and(|word| SECRETS.contains(&word.as_str()));
        (1..self.0.len()).filter(is_before)
    }

    fn without(&self, at: usize) -> Vec<String> {
        self.words().enumerate().map(|(i, word)| if i == at { String::new() } else { word }).collect()
    }
}

/// A word as it is held against others: addresses and networks in one spelling, what Junos enciphers in the clear.
pub(super) fn normal(word: &str) -> String {
    if let Some(clear) = cipher::read(word) {
        return clear;
    }
    let (address, length) = word.split_once('/').map_or((word, None), |(address, length)| (address, Some(length)));
    match address.parse::<IpAddr>() {
        Ok(address) => {
            let whole = if address.is_ipv4() { "32" } else { "128" };
            format!("{address}/{}", length.unwrap_or(whole))
        }
        Err(_) => word.to_owned(),
    }
}

impl Lines {
    /// Reads a configuration in the hierarchical form.
    ///
    /// # Errors
    /// The first fault of the text: it has not that form, or is beyond bounds.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let mut reader = Reader::default();
        let (mut tokens, mut own) = (Tokens::of(text), Vec::new());
        let mut list: Option<Vec<Word>> = None;
        while let Some(token) = tokens.next()? {
            match (token.kind, &mut list) {
                (Kind::Word(word, _), None) => own.push(Word::read(word)),
                (Kind::Word(word, _), Some(list)) => list.push(Word::read(word)),
                (Kind::ListOpen, None) => list = Some(Vec::new()),
                (Kind::ListClose, Some(_)) => {}
                (Kind::End, _) => reader.end(std::mem::take(&mut own), list.take(), token.place)?,
                (Kind::Open, None) => reader.open(std::mem::take(&mut own), token.place)?,
                (Kind::Close, None) if own.is_empty() => reader.close(token.place)?,
                (Kind::ListClose | Kind::Close, None) | (Kind::ListOpen | Kind::Open | Kind::Close, Some(_)) => {
                    return Err(formless(token.place));
                }
            }
        }
        match reader.open.is_empty() && own.is_empty() && list.is_none() {
            true => Ok(Self { lines: reader.lines, items: reader.items }),
            false => Err(Fault::new(tokens.here(), "the text ends within a statement", "it is not whole")),
        }
    }

    /// What stands in a container, without the words that lead there; none where there is no such container.
    #[must_use]
    pub fn within(&self, path: &[&str]) -> Option<Self> {
        let inner: Vec<Line> = self.lines.iter().filter_map(|line| line.behind(path)).collect();
        let items = self.items.iter().filter_map(|item| item.behind(path)).collect();
        let is_empty_container = |line: &Line| line.0.is_empty();
        match inner.is_empty() {
            true => None,
            false => {
                let lines = inner.into_iter().filter(|line| !is_empty_container(line)).collect();
                Some(Self { lines, items })
            }
        }
    }

    /// The lines.
    pub fn iter(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }

    /// Whether a line of these words is there.
    pub fn has(&self, words: &[&str]) -> bool {
        self.lines.iter().any(|line| line.0.iter().map(Word::as_str).eq(words.iter().copied()))
    }

    /// What `held` has otherwise than these.
    #[must_use]
    pub fn drift(&self, held: &Self) -> Drift {
        let without = |these: &Self, others: &Self| {
            let known: BTreeSet<Vec<String>> = others.lines.iter().map(Line::key).collect();
            let differ = these.lines.iter().filter(|line| !known.contains(&line.key()));
            differ.cloned().collect::<Vec<_>>()
        };
        let (mut missing, mut extra) = (without(self, held), without(held, self));
        let enciphered: BTreeSet<(usize, Vec<String>)> = extra.iter().flat_map(Line::enciphered).collect();
        if !enciphered.is_empty() {
            let mut met = BTreeSet::new();
            missing.retain(|line| {
                let clear = line.secrets().filter(|at| line.0.get(*at).is_some_and(|w| !w.as_str().starts_with('$')));
                let found = clear.map(|at| (at, line.without(at))).find(|without| enciphered.contains(without));
                let is_kept = found.is_none();
                met.extend(found);
                is_kept
            });
            extra.retain(|line| !line.enciphered().any(|without| met.contains(&without)));
        }
        Drift { missing, extra, moved: moved(&self.items, &held.items) }
    }

    /// With how many words one of these begins like a line, at most.
    pub fn nearness(&self, line: &Line) -> usize {
        self.lines.iter().map(|own| own.shares(line)).max().unwrap_or_default()
    }
}

impl Line {
    /// The line without the words of a path that it begins with.
    fn behind(&self, path: &[&str]) -> Option<Self> {
        let (front, rest) = self.0.split_at_checked(path.len())?;
        let leads_there = front.iter().map(Word::as_str).eq(path.iter().copied());
        leads_there.then(|| Self(rest.to_vec()))
    }
}

#[derive(Default)]
struct Reader {
    lines: Vec<Line>,
    /// What is gone through in its order.
    items: Vec<Item>,
    /// The words of all open containers.
    path: Vec<Word>,
    /// Of each open container: how many words the path had before it, and how many lines there were.
    open: Vec<(usize, usize)>,
    characters: usize,
    words: usize,
}

impl Reader {
    fn end(&mut self, own: Vec<Word>, list: Option<Vec<Word>>, place: Place) -> Result<(), Fault> {
        if own.is_empty() {
            return Err(formless(place));
        }
        match list {
            None => self.add(own, place),
            Some(list) => list.into_iter().try_for_each(|element| {
                let own = own.iter().cloned().chain([element]).collect();
                self.add(own, place)
            }),
        }
    }

    fn add(&mut self, own: Vec<Word>, place: Place) -> Result<(), Fault> {
        self.note(&own, place)?;
        // Before they are copied: a long path with short lines in it is many times as long as it is written.
        self.has_room(self.path.len() + own.len(), place)?;
        let words: Vec<Word> = self.path.iter().cloned().chain(own).collect();
        self.holds(&words, place)?;
        self.lines.push(Line(words));
        Ok(())
    }

    /// Takes note of what is gone through in its order, where that is one of those.
    fn note(&mut self, own: &[Word], place: Place) -> Result<(), Fault> {
        let before = self.open.last().map_or(0, |(words, _)| *words);
        let Some(item) = Item::of(&self.path, before, own) else { return Ok(()) };
        self.has_room(item.words().len(), place)?;
        self.holds(item.words(), place)?;
        self.items.push(item);
        Ok(())
    }

    fn has_room(&mut self, words: usize, place: Place) -> Result<(), Fault> {
        self.words += words;
        if self.words > MOST_WORDS {
            let message = format!("its lines have more than {MOST_WORDS} words");
            return Err(Fault::new(place, message, "no group is that large"));
        }
        Ok(())
    }

    fn holds(&mut self, words: &[Word], place: Place) -> Result<(), Fault> {
        self.characters += words.iter().map(|word| word.as_str().len() + 1).sum::<usize>();
        if self.characters > MOST_CHARACTERS {
            let message = format!("its lines have more than {MOST_CHARACTERS} characters");
            return Err(Fault::new(place, message, "no group is that large"));
        }
        Ok(())
    }

    fn open(&mut self, own: Vec<Word>, place: Place) -> Result<(), Fault> {
        if own.is_empty() || self.open.len() >= MOST_DEPTH {
            return Err(formless(place));
        }
        self.note(&own, place)?;
        self.open.push((self.path.len(), self.lines.len()));
        self.path.extend(own);
        Ok(())
    }

    fn close(&mut self, place: Place) -> Result<(), Fault> {
        let (words, lines) = self.open.pop().ok_or_else(|| formless(place))?;
        if self.lines.len() == lines {
            self.add(Vec::new(), place)?;
        }
        self.path.truncate(words);
        Ok(())
    }
}

fn formless(place: Place) -> Fault {
    Fault::new(
        place,
        "this is no statement",
        "a configuration has statements that end with `;`, and containers in braces",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(told: &str, held: &str) -> (Vec<String>, Vec<String>) {
        let drift = Lines::read(told).unwrap().drift(&Lines::read(held).unwrap());
        let text = |lines: Vec<Line>| lines.iter().map(ToString::to_string).collect();
        (text(drift.missing), text(drift.extra))
    }

    fn same(told: &str, held: &str) {
        assert_eq!(drift(told, held), (Vec::new(), Vec::new()), "{told} {held}");
    }

    #[test]
    fn what_a_device_writes_otherwise_is_the_same() {
        same("a { b c; d; }", "a {\n    d;\n    b \"c\"; ## SECRET-DATA\n}\n");
        same("a { port [ 80 443 ]; }", "a { port 443; port 80; }");
        same("a { from { port 80; } }", "a { from { port [ 80 ]; } }");
        same("a { source-address { 192.0.2.1; } }", "/* ours */ a { source-address { 192.0.2.1/32; } }");
        same("a { address 2001:DB8::1; }", "a { address 2001:db8:0::1/128; }");
        same("a { term b { } }", "a { term b; }");
        same("a { secret lc; }", "a { secret \"$9$LbHX-wg4Z\"; ## SECRET-DATA }\n}");
        same("a { secret \"$9$LbHX-wg4Z\"; }", "a { secret lc; }");
        same("a { encrypted-password open; }", "a { encrypted-password \"$6$abc$def\"; }");
    }

    #[test]
    fn a_secret_that_is_another_is_told_and_a_cipher_stands_for_no_other_word() {
        let (missing, extra) = drift("a { secret other; }", "a { secret \"$9$LbHX-wg4Z\"; }");
        assert_eq!(
            (&missing[..], &extra[..]),
            (&["a secret other".to_owned()][..], &["a secret \"$9$LbHX-wg4Z\"".to_owned()][..])
        );
        assert_eq!(drift("a { host-name pe-1; }", "a { host-name \"$9$LbHX-wg4Z\"; }").0, ["a host-name pe-1"]);
        assert_eq!(drift("a { host-name pe-1; }", "a { host-name \"$6$abc$def\"; }").0, ["a host-name pe-1"]);
        // What only begins like one is a word like any other.
        assert_eq!(drift("a { secret abc; }", "a { secret \"$9$abc\"; }").0, ["a secret abc"]);
    }

    #[test]
    fn a_short_text_does_not_become_lines_without_end() {
        let deep = format!("{}{{ {} }}", "a ".repeat(50_000), "b; ".repeat(50_000));
        assert!(Lines::read(&deep).is_err());
    }

    #[test]
    fn what_somebody_has_changed_is_told_line_by_line() {
        let told = "firewall { filter f { term a { then accept; } term b { then discard; } } }";
        let held = "firewall { filter f { inactive: term a { then accept; } term b { then { discard; count x; } } } }";
        let (missing, extra) = drift(told, held);
        assert_eq!(missing, ["firewall filter f term a then accept"]);
        assert_eq!(
            extra,
            ["firewall filter f \"inactive:\" term a then accept", "firewall filter f term b then count x"]
        );
        // A secret of which both have a cipher, or neither.
        assert_eq!(drift("a { key \"$6$abc\"; }", "a { key \"$6$xyz\"; }").0, ["a key \"$6$abc\""]);
        assert_eq!(drift("a { key abc; }", "a { key xyz; }").1, ["a key xyz"]);
        assert_eq!(drift("a { key abc; }", "b { key \"$6$xyz\"; }").0, ["a key abc"]);
    }

    #[test]
    fn a_container_is_found_with_what_is_in_it() {
        let read = Lines::read("groups { g { a { b; } } h { } } apply-groups [ g h ];").unwrap();
        assert_eq!(read.within(&["groups", "g"]).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>(), ["a b"]);
        assert_eq!(read.within(&["groups", "h"]), Some(Lines::default()));
        assert_eq!(read.within(&["groups", "i"]), None);
        assert!(read.has(&["apply-groups", "h"]) && !read.has(&["apply-groups", "i"]));
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        for text in ["a {", "a", "}", "a ]", "a [ b", "a { b }", "{ a; }", ";", "a [ b { c; } ];"] {
            assert!(Lines::read(text).is_err(), "{text}");
        }
        assert!(Lines::read(&"a { ".repeat(MOST_DEPTH + 1)).is_err());
    }
}
