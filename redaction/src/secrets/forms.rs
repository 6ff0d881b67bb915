//! Where the secret stands that a word announces: in a statement, an element, a member of JSON, or behind `=`.

use std::ops::Range;

use memchr::{memchr, memrchr};

use super::bodies::{is_of_bgp, is_small, less, local, tag_end};
use super::surroundings::{
    BLOCK_BACK, continued, escape, is_between_words, is_in_a_policy, is_one_of, is_told, named_before, skip_back,
};
use super::values::{Mark, bare, closing, ends_string, is_in_tag, mark, mark_before, markup_end, opening, value};
use super::words::{CONNECTING, PREPOSITIONS, STATEMENTS, Word, is_name, is_near_keys, is_pair, is_value, word};
use super::{BACK, Kind, REACH, Secret, first_word, line_of};
use crate::bytes::{at, before, begins, from, is_blank, is_word, part, skip};

/// How many words stand between a word and its value.
const BETWEEN_MOST: usize = 6;

/// Finds the secrets behind words.
pub(super) struct Forms<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a [u8],
    pub(super) found: &'a mut Vec<Secret>,
}

/// What stands before a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lead {
    /// `<word` or `<prefix:word`, also escaped.
    Tag,
    /// `</word`.
    Closing,
    /// `"word`, and where the quotation mark begins.
    Quoted(usize, Mark),
    /// `>word`.
    Text,
    Plain,
}

impl Lead {
    fn before(text: &[u8], start: usize) -> Self {
        let mut start = start;
        if before(text, start) == b':' {
            let prefix = part(text, start.saturating_sub(32), start - 1);
            start -= 1 + prefix.iter().rev().take_while(|byte| is_word(**byte) || **byte == b'-').count();
        }
        let head = part(text, start.saturating_sub(16), start);
        if let Some((begins, mark)) = mark_before(text, start) {
            return Self::Quoted(begins, mark);
        }
        match before(text, start) {
            b'<' => Self::Tag,
            b'/' if head.ends_with(b"</") || head.ends_with(b"&lt;/") || head.ends_with(b"&amp;lt;/") => Self::Closing,
            b';' if head.ends_with(b"&lt;") || head.ends_with(b"&amp;lt;") => Self::Tag,
            b';' if head.ends_with(b"&gt;") || head.ends_with(b"&amp;gt;") => Self::Text,
            b'>' => Self::Text,
            _ => Self::Plain,
        }
    }
}

impl Forms<'_> {
    /// Judges the word in which a stem stands, and adds the secrets behind it; the place up to which nothing needs another
    /// look.
    pub(super) fn judge(&mut self, stem: Range<usize>) -> usize {
        let text = self.text;
        let is_part = |byte: u8| is_word(byte) || byte == b'-';
        let lowest = stem.start.saturating_sub(64);
        let head = part(text, lowest, stem.start);
        let mut start = lowest + head.iter().rposition(|&byte| !is_part(byte)).map_or(0, |last| last + 1);
        start += escape(text, start).min(stem.start - start);
        let end = skip(part(text, 0, stem.start + 64), stem.start, is_part);
        let Some(word) = word(part(text, start, end)) else { return stem.end.max(start) };
        match Lead::before(text, start) {
            Lead::Closing => {}
            Lead::Tag => self.element(start, end, word),
            Lead::Quoted(begins, mark) => self.quoted(begins, start, end, word, mark),
            Lead::Text if less(text, end).is_some() => self.sibling(end),
            Lead::Text | Lead::Plain => {
                if !self.assigned(start, end, word, None) {
                    self.statement(start, end, word);
                }
            }
        }
        end
    }

    /// An element of that name, its attributes and its body.
    fn element(&mut self, start: usize, end: usize, word: Word) {
        let Some((close, first, is_empty)) = tag_end(self.text, end) else { return };
        if word == Word::Key && !is_near_keys(self.text, start) {
            return;
        }
        if word != Word::Community {
            self.attributes(end, close);
        }
        if !is_empty {
            self.body(first, word);
        }
    }

    /// A word in quotation marks: the name of a member, or a name with a value beside it, as an attribute or a member;
    /// else one of a text.
    fn quoted(&mut self, begins: usize, start: usize, end: usize, word: Word, opened: Mark) {
        let text = self.text;
        let behind = skip_back(text, begins);
        if mark(text, end) == Some(opened) && word != Word::Key {
            if before(text, behind) == b'=' && self.attribute(begins, end + opened.length, word) {
                return;
            }
            if before(text, behind) == b':'
                && !matches!(at(text, skip(text, end + opened.length, is_blank)), b':' | b'=')
            {
                if is_pair(named_before(text, behind - 1)) {
                    let lowest = begins.saturating_sub(BLOCK_BACK);
                    let object = memrchr(b'{', part(text, lowest, begins)).map_or(begins, |brace| lowest + brace + 1);
                    self.beside(object);
                }
                return;
            }
        }
        let is_told =
            |forms: &mut Self| mark(text, end) != Some(opened) && forms.assigned(start, end, word, Some(opened));
        if !self.member(start, end, word, opened) && !is_told(self) {
            self.statement(start, end, word);
        }
    }

    /// `name="word"` of a tag: its value is the attribute beside it, or the body.
    fn attribute(&mut self, begins: usize, end: usize, word: Word) -> bool {
        let text = self.text;
        let lowest = begins.saturating_sub(BACK);
        let head = part(text, lowest, begins);
        let plain = memchr::memrchr2(b'<', b'>', head).filter(|last| at(head, *last) == b'<');
        let escaped = memchr::memmem::rfind(head, b"&lt;");
        let Some(tag) = plain.or(escaped).map(|tag| lowest + tag) else { return false };
        let Some((close, first, is_empty)) = tag_end(text, end) else { return false };
        self.attributes(tag + 1, close);
        if !is_empty {
            self.body(first, word);
        }
        true
    }

    /// `<name>word</name><value>...`.
    fn sibling(&mut self, end: usize) {
        let text = self.text;
        let Some((_, behind, _)) = less(text, end).and_then(|sign| tag_end(text, end + sign)) else { return };
        let next = skip(part(text, 0, behind + BLOCK_BACK), behind, |byte| byte.is_ascii_whitespace());
        let Some(sign) = less(text, next) else { return };
        let (name, name_end) = local(text, next + sign);
        if is_value(name)
            && let Some((_, first, false)) = tag_end(text, name_end)
        {
            self.body(first, Word::Likely);
        }
    }

    /// `"word": "value"`, also with a list or an object; whether it is of that form.
    fn member(&mut self, start: usize, end: usize, word: Word, opened: Mark) -> bool {
        let text = self.text;
        if mark(text, end) != Some(opened) {
            return false;
        }
        let sign = skip(text, end + opened.length, is_blank);
        let length = match (at(text, sign), at(text, sign + 1)) {
            (b'=', b'>') => 2,
            (b':', b':') | (b'=', b'=') => return false,
            (b':' | b'=', _) => 1,
            _ => return false,
        };
        if word == Word::Key && !is_near_keys(text, start) {
            return true;
        }
        let place = skip(text, sign + length, |byte| byte.is_ascii_whitespace());
        if matches!(at(text, place), b'[' | b'{') {
            self.list(place, word);
            return true;
        }
        let value = value(self.kind, text, place);
        let spelled = part(text, value.start, value.end);
        let is_none = (word == Word::Community && is_of_bgp(spelled)) || (word == Word::Key && is_small(spelled));
        if !is_none && opening(self.kind, text, place).is_some() {
            self.push(value);
        } else if !is_none {
            // A number, or what JSON has no other spelling for: what stands instead needs its quotation marks.
            let end = skip(part(text, 0, value.end), value.start, |byte| !b",]} \t".contains(&byte));
            if !matches!(part(text, value.start, end), b"true" | b"false" | b"null" | b"True" | b"False" | b"None") {
                self.found.push(Secret { range: value.start..end, is_bare: opened.length == 1 });
            }
        }
        true
    }

    /// `word=value`, `word: value`, also with a quotation mark before the word; whether it is of that form.
    fn assigned(&mut self, start: usize, end: usize, word: Word, opened: Option<Mark>) -> bool {
        let text = self.text;
        let sign = skip(text, end, is_blank);
        let byte = at(text, sign);
        if !matches!(byte, b':' | b'=') || word == Word::Key || at(text, sign + 1) == byte {
            return false;
        }
        let line = line_of(text, start);
        let indent = part(text, line, start);
        let is_first = indent.iter().all(|&byte| is_blank(byte) || byte == b'-' || byte == b'#');
        let place = skip(text, sign + 1, is_blank);
        if opened.is_some() && mark(text, place) == opened {
            // Nothing stands before the end of what is quoted.
            return true;
        }
        if is_first && byte == b':' && self.is_below(place) {
            self.below(place, indent.len());
            return true;
        }
        if (self.kind == Kind::Xml && is_in_tag(text, start)) && mark(text, place).is_some_and(|mark| mark.length == 1)
        {
            return byte == b':' || self.attribute_value(place);
        }
        let value = if opening(self.kind, text, place).is_none() && is_first && place > sign + 1 {
            bare(text, place, true)
        } else {
            value(self.kind, text, place)
        };
        let value =
            opened.map_or(value.clone(), |opened| value.start..value.end.min(closing(self.kind, text, end, opened)));
        let value = self.within_markup(start, value);
        if word != Word::Community || !is_of_bgp(part(text, value.start, value.end)) {
            self.push(value);
        }
        true
    }

    /// As much of a value as lies in the attribute or the comment of XML that its word stands in.
    fn within_markup(&self, start: usize, value: Range<usize>) -> Range<usize> {
        let text = self.text;
        let end = if self.kind == Kind::Xml { markup_end(text, start, &value) } else { None };
        value.start..end.unwrap_or(value.end)
    }

    /// `word="value"` in a tag.
    fn attribute_value(&mut self, place: usize) -> bool {
        let value = value(self.kind, self.text, place);
        self.push(value);
        true
    }

    /// Whether a value of YAML stands on the lines below, and not on this one.
    fn is_below(&self, place: usize) -> bool {
        let rest = part(self.text, place, place + 16);
        let sign = rest.strip_prefix(b"|").or_else(|| rest.strip_prefix(b">")).unwrap_or(rest);
        matches!(at(sign, skip(sign, 0, |byte| b"+-0123456789 \t\r".contains(&byte))), b'\n')
    }

    /// The lines below that are indented by more than `indent`, until one that has a name of its own.
    fn below(&mut self, place: usize, indent: usize) {
        let text = self.text;
        let reach = part(text, 0, place + REACH);
        let is_block = matches!(at(text, place), b'|' | b'>');
        let mut line = place + memchr(b'\n', from(reach, place)).map_or(reach.len(), |end| end + 1);
        while line < reach.len() {
            let end = line + memchr(b'\n', from(reach, line)).unwrap_or(reach.len() - line.min(reach.len()));
            let first = skip(part(reach, 0, end), line, is_blank);
            let value = first..first + part(reach, first, end).trim_ascii_end().len();
            let spelled = part(reach, value.start, value.end);
            if !spelled.is_empty() {
                let has_name = spelled.ends_with(b":") || memchr::memmem::find(spelled, b": ").is_some();
                if first - line <= indent || (has_name && !is_block) {
                    return;
                }
                self.push(value);
            }
            line = end + 1;
        }
    }

    /// The value in a statement, `word value;` or `set ... word value`.
    fn statement(&mut self, start: usize, end: usize, word: Word) {
        let text = self.text;
        if !is_blank(at(text, end)) {
            return;
        }
        let first = continued(text, skip(text, end, is_blank));
        // Behind an even number of backslashes a mark ends a string of JSON as well.
        if let Some(mark) = mark(text, first)
            && ((self.kind == Kind::Xml && mark.length == 1 && is_in_tag(text, start))
                || (self.kind == Kind::Json
                    && mark.length % 2 == 1
                    && self.is_in_string(start, first + mark.length - 1)))
        {
            return;
        }
        let mut value = value(self.kind, text, first);
        for _ in 0..BETWEEN_MOST {
            if !is_between_words(part(text, value.start, value.end)) || !is_blank(at(text, value.end)) {
                break;
            }
            let next = self::value(self.kind, text, continued(text, skip(text, value.end, is_blank)));
            if next.is_empty() {
                break;
            }
            value = next;
        }
        let spelled = part(text, value.start, value.end);
        if spelled == b"{" && word != Word::Community {
            return self.block(value.end, word);
        }
        let is_quoted = mark_before(text, value.start).is_some();
        let value = self.within_markup(start, value);
        let spelled = part(text, value.start, value.end);
        if spelled.is_empty() || matches!(spelled, b"{" | b"}" | b"[") || (!is_quoted && self.is_judged_next(&value)) {
            return;
        }
        let is_secret = match word {
            Word::Sure => true,
            Word::Key if is_between_words(spelled) => false,
            Word::Key | Word::Likely => is_quoted || self.is_statement(start, &value),
            Word::Community => {
                let found = self.community(start, &value, is_quoted);
                return found.into_iter().for_each(|value| self.push(value));
            }
        };
        if is_secret {
            self.push(value);
        }
    }

    /// Whether a value is a word before a secret of its own, `pre-shared-key ascii-text ...`, or names a key.
    fn is_judged_next(&self, value: &Range<usize>) -> bool {
        let spelled = part(self.text, value.start, value.end);
        let behind = skip(self.text, value.end, is_blank);
        let goes_on = is_blank(at(self.text, value.end))
            && !matches!(at(self.text, behind), b'\n' | b'\r' | b'\'' | b'<' | b'&' | 0);
        goes_on && (is_name(spelled) || word(spelled).is_some_and(|word| word != Word::Key))
    }

    /// Whether a quotation mark at `place` is that of the string of JSON that a word stands in.
    fn is_in_string(&self, start: usize, place: usize) -> bool {
        let line = part(self.text, line_of(self.text, start), start);
        let marks = memchr::memchr_iter(b'"', line).filter(|&mark| before(line, mark) != b'\\').count();
        marks % 2 == 1 && ends_string(self.text, place)
    }

    /// Whether a word and its value have the form of a statement rather than of a sentence.
    fn is_statement(&self, start: usize, value: &Range<usize>) -> bool {
        const WORDS_MOST: usize = 4;
        let text = self.text;
        if at(text, value.end) == b';' {
            return true;
        }
        let line = line_of(text, start);
        let head = part(text, line, value.end);
        let first = first_word(head);
        let is_own = first_word(part(text, line, start)).is_empty();
        if (!is_own && is_one_of(first, &STATEMENTS))
            || is_told(part(text, line.max(start.saturating_sub(BLOCK_BACK)), start))
        {
            return true;
        }
        // Alone on its line: `password 7 0822455D0A16`.
        let rest = part(text, value.end, value.end + 256);
        let rest = memchr(b'\n', rest).map_or(rest, |end| part(rest, 0, end));
        rest.trim_ascii().is_empty()
            && part(text, line, start).iter().all(|&byte| is_blank(byte))
            && part(text, start, value.end).split(|&byte| is_blank(byte)).count() <= WORDS_MOST
    }

    /// The community of SNMP behind the word: it stands in a block, opens one, or the line says `snmp`.
    fn community(&self, start: usize, value: &Range<usize>, is_quoted: bool) -> Option<Range<usize>> {
        let text = self.text;
        let line = part(text, line_of(text, start), start);
        if line.windows(4).any(|word| word.eq_ignore_ascii_case(b"snmp")) {
            return self.told_community(value);
        }
        let behind = skip(text, value.end + usize::from(is_quoted), is_blank);
        let inner = from(text, skip(part(text, 0, behind + BLOCK_BACK), behind + 1, |byte| byte.is_ascii_whitespace()));
        let opens = at(text, behind) == b'{';
        let is_of_snmp = opens
            && [&b"authorization"[..], b"clients", b"client-list", b"view", b"logical-system", b"routing-instance"]
                .iter()
                .any(|name| begins(inner, name));
        let is_one = is_of_snmp
            || match at(text, behind) {
                _ if is_of_bgp(part(text, value.start, value.end)) => false,
                b'{' => !begins(inner, b"members"),
                b';' => !is_in_a_policy(text, start),
                _ => false,
            };
        is_one.then(|| value.clone())
    }

    /// The community of which a line of a log tells: `community from 192.0.2.9 to 192.0.2.1 (public)`.
    fn told_community(&self, value: &Range<usize>) -> Option<Range<usize>> {
        let text = self.text;
        let line_end = value.end + memchr(b'\n', part(text, value.end, value.end + BACK)).unwrap_or(BACK);
        let mut value = value.clone();
        for _ in 0..BETWEEN_MOST {
            let spelled = part(text, value.start, value.end);
            if is_one_of(spelled, &PREPOSITIONS) {
                let rest = part(text, value.end, line_end);
                let closing = memrchr(b')', rest)?;
                let opening = memrchr(b'(', part(rest, 0, closing))?;
                return Some(value.end + opening + 1..value.end + closing);
            }
            if !is_one_of(spelled, &CONNECTING) {
                break;
            }
            let next = self::value(self.kind, text, skip(text, value.end, is_blank));
            if next.is_empty() {
                break;
            }
            value = next;
        }
        Some(value)
    }
}
