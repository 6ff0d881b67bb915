//! Takes configuration out of a document, line by line, and keeps XML well-formed.
//!
//! ```text
//!            a command that shows it        a prompt, another heading
//!   open ------------------------------> section ------------------------> open
//!    |   `system {`, `"configuration": {`                 its last `}`
//!    +-------------------------------> block ------------------------------> open
//!    |   `set ...` with an open quote                     its end
//!    +-------------------------------> statement --------------------------> open
//!    |   `<configuration>`, `<attachment name="..._cfg_xml.xml">`   their end tags
//!    +-------------------------------> element ----------------------------> open
//!    |   `[edit ...]`                       a line that compares nothing
//!    +-------------------------------> comparison --------------------------> open
//! ```
//!
//! In XML no piece reaches beyond the text or the CDATA section that it begins in.

mod elements;
mod interrupted;

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::{memchr, memchr2, memmem};

use super::WITHHELD;
use super::features::Features;
use super::lines::{Line, first_word, heading_marks, is_of_braces, is_other_heading, judge, prompt};
use super::shape::Shape;
use super::tags::{is_compared, is_string, member, string_end};
use super::vocabulary::is_edit;
use crate::bytes::{at, before, from, is_blank, part};
use crate::secrets::Kind;

/// Why the rest of a log's line is withheld: it tells a change of the configuration, or the command that made one.
const TOLD: [&str; 8] = [
    "UI_CFG_AUDIT",
    "command '",
    "command \"",
    "command \\\"",
    "command `",
    "command &apos;",
    "command &quot;",
    "command &#39;",
];
const OPENING: usize = TOLD.len();
const MEMBER: usize = OPENING + 1;
const SECTION: usize = OPENING + 2;
const SECTION_END: usize = OPENING + 3;
const MODELS: usize = OPENING + 4;
const OTHERS: [&str; 8] = [
    "<",
    "\"configuration\"",
    "<![CDATA[",
    "]]>",
    // Of models: the member's name goes on.
    "\"config\"",
    "\"junos-conf-",
    "\"openconfig-",
    "\"ietf-",
];
/// How long the name of a member is.
const NAME_MOST: usize = 128;

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(TOLD.iter().chain(&OTHERS)).ok()
});

enum State {
    Open,
    Section(Shape),
    /// With what ends it earlier than its last brace: `is_loose` where only its form says that it is one.
    Block {
        shape: Shape,
        is_loose: bool,
    },
    Statement {
        is_quoted: bool,
    },
    Element {
        name: Vec<u8>,
        depth: usize,
        is_in_cdata: bool,
    },
    Comparison,
}

/// What takes configuration out of one document.
pub(crate) struct Cut {
    state: State,
    is_xml: bool,
    is_json: bool,
    is_begun: bool,
    is_in_cdata: bool,
    /// The last prompt that was one.
    prompt: Vec<u8>,
    /// The marks of the last heading that had some.
    heading: Vec<u8>,
    /// What goes on behind lines of something else, and how many more of them there may be.
    suspended: Option<(State, usize)>,
    /// Whether the last that was written says that configuration was withheld: several pieces in a row say it once.
    is_said: bool,
    features: Option<Features>,
    /// How many pieces were withheld.
    pub(crate) pieces: u64,
}

impl Cut {
    /// One that tells what it withholds to `features`, if there are any.
    pub(crate) fn new(features: Option<Features>) -> Self {
        Self {
            state: State::Open,
            is_xml: false,
            is_json: false,
            is_begun: false,
            is_in_cdata: false,
            prompt: Vec::new(),
            heading: Vec::new(),
            suspended: None,
            is_said: false,
            features,
            pieces: 0,
        }
    }

    /// What was used of all that was withheld.
    pub(crate) fn into_features(self) -> Option<Features> {
        self.features
    }

    /// A piece of a document that is a configuration whole.
    pub(crate) fn whole(&mut self, piece: &[u8]) {
        self.pieces = 1;
        self.withhold(piece);
    }

    /// Ends the document.
    pub(crate) fn end(&mut self) {
        self.begin(State::Open);
    }

    /// Whether a line that ends within a tag goes on: in XML, outside of CDATA sections.
    pub(crate) fn has_tags(&self) -> bool {
        self.is_xml && !self.is_in_cdata
    }

    /// The next line with its end, or a piece of a long line.
    pub(crate) fn line(&mut self, line: &[u8], starts_line: bool, out: &mut Vec<u8>) {
        if !self.is_begun {
            let head = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_start();
            if !head.is_empty() {
                self.is_begun = true;
                self.is_json = Kind::of(head) == Kind::Json || matches!(head.trim_ascii_end(), b"{" | b"[");
                self.is_xml =
                    at(head, 0) == b'<' && (at(head, 1).is_ascii_alphabetic() || b"?!".contains(&at(head, 1)));
            }
        }
        let (mut place, mut starts_line) = (0, starts_line);
        while place < line.len() {
            let rest = from(line, place);
            let (passed, starts) = match self.state {
                State::Open => self.open(rest, starts_line, out),
                State::Section(_) | State::Comparison => (self.section(rest, starts_line), true),
                State::Block { .. } => {
                    let passed = self.block(rest, starts_line);
                    // What ended it is a line like others.
                    (passed, starts_line && passed == 0)
                }
                State::Statement { .. } => (self.statement(rest, starts_line), true),
                State::Element { .. } => (self.element(rest), false),
            };
            starts_line = starts;
            place += passed;
        }
    }

    /// Says that a piece is withheld. `is_line`: it has a line of its own.
    fn say(&mut self, is_line: bool, out: &mut Vec<u8>) {
        if !self.is_said {
            self.pieces += 1;
            out.extend_from_slice(WITHHELD.as_bytes());
            if is_line {
                out.push(b'\n');
            }
        }
        self.is_said = is_line;
    }

    fn give(&mut self, text: &[u8], out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.is_said = self.is_said && text.trim_ascii().is_empty();
            out.extend_from_slice(text);
        }
    }

    fn withhold(&mut self, text: &[u8]) {
        if let Some(features) = &mut self.features {
            features.push(text);
        }
    }

    fn begin(&mut self, state: State) {
        if let Some(features) = &mut self.features {
            features.end();
        }
        self.state = state;
    }

    /// How much of a text lies in the text or section of XML it begins in; all of it elsewhere.
    fn within(&self, text: &[u8]) -> usize {
        match (self.is_xml, self.is_in_cdata) {
            (false, _) => text.len(),
            (true, true) => memmem::find(text, b"]]>").unwrap_or(text.len()),
            (true, false) => memchr(b'<', text).unwrap_or(text.len()),
        }
    }

    /// Goes on with text that is no configuration yet; how much of it was judged, and whether a line begins there.
    fn open(&mut self, text: &[u8], starts_line: bool, out: &mut Vec<u8>) -> (usize, bool) {
        if starts_line && let Some(passed) = self.beginning(text, out) {
            return (passed, true);
        }
        let Some(search) = SEARCH.as_ref() else { return (text.len(), false) };
        let mut place = 0;
        while let Some(one) = search.find(aho_corasick::Input::new(text).range(place..)) {
            match one.pattern().as_usize() {
                SECTION if self.is_xml && !self.is_in_cdata => {
                    self.give(part(text, 0, one.end()), out);
                    self.is_in_cdata = true;
                    return (one.end(), true);
                }
                SECTION_END if self.is_xml => {
                    self.is_in_cdata = false;
                    place = one.end();
                }
                SECTION | SECTION_END => place = one.end(),
                MEMBER | MODELS.. => {
                    let reach = part(text, 0, one.end() + NAME_MOST);
                    let end = if before(text, one.end()) == b'"' && one.len() > 1 {
                        Some(one.end())
                    } else {
                        memchr(b'"', from(reach, one.end())).map(|end| one.end() + end + 1)
                    };
                    match end.and_then(|end| member(from(text, end)).map(|opening| end + opening)) {
                        Some(opening) => {
                            self.give(part(text, 0, opening), out);
                            out.push(b'"');
                            self.say(false, out);
                            out.push(b'"');
                            self.begin(State::Block { shape: Shape::of_json(), is_loose: false });
                            return (opening, false);
                        }
                        None => place = one.end(),
                    }
                }
                OPENING => match self.opening(from(text, one.start())) {
                    Some((name, length)) => {
                        let length = one.start() + length;
                        self.give(part(text, 0, length), out);
                        if !part(text, 0, length).ends_with(b">") {
                            out.push(b'>');
                        }
                        self.say(false, out);
                        self.begin(State::Element { name, depth: 1, is_in_cdata: false });
                        return (length, false);
                    }
                    None => {
                        place = one.end();
                        if self.is_xml
                            && !self.is_in_cdata
                            && let Some(end) = memchr2(b'<', b'>', from(text, place))
                            && at(text, place + end) == b'>'
                            && !from(text, place + end + 1).starts_with(b"<")
                        {
                            // The text of an element begins like a line.
                            let end = place + end + 1;
                            self.give(part(text, 0, end), out);
                            return (end, true);
                        }
                    }
                },
                told if told > 0 && !is_edit(first_word(from(text, one.end()))) => place = one.end(),
                told => {
                    // The command stays, what it changes does not.
                    let verb = if told > 0 { first_word(from(text, one.end())).len() } else { 0 };
                    let end = one.end() + verb;
                    self.give(part(text, 0, end), out);
                    let string = self.is_json.then(|| string_end(text, one.start(), end)).flatten();
                    let passed = string.unwrap_or_else(|| end + self.within(from(text, end)));
                    out.push(b' ');
                    self.say(false, out);
                    if string.is_some() {
                        out.push(b'"');
                        return (passed + 1, false);
                    }
                    if part(text, end, passed).ends_with(b"\n") {
                        out.push(b'\n');
                    }
                    return (passed, true);
                }
            }
        }
        self.give(text, out);
        (text.len(), false)
    }

    /// Judges the beginning of a line; how much of it is withheld or was the command that shows what follows.
    fn beginning(&mut self, text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let end = self.within(text);
        let line = part(text, 0, end);
        if self.goes_on(line) {
            self.say(true, out);
            return Some(match self.state {
                State::Block { .. } => self.block(text, false),
                _ => self.section(text, false),
            });
        }
        if let Some(marks) = heading_marks(line) {
            self.heading = marks.to_vec();
        }
        if let Some(prompt) = prompt(line) {
            self.prompt = part(line, 0, prompt.end).trim_ascii_start().to_vec();
        }
        match judge(line) {
            Line::Prompt | Line::Other => return None,
            // The name of a command in a list of JSON, behind which none of its output stands.
            Line::Command if self.is_json && is_string(line) => return None,
            Line::Command => {
                self.give(line, out);
                if line.ends_with(b"\n") {
                    self.say(true, out);
                } else {
                    // It ends its text: nothing follows.
                    return Some(end).filter(|end| *end > 0);
                }
                self.begin(State::Section(Shape::default()));
            }
            Line::Change(start) => {
                self.give(part(line, 0, start), out);
                self.begin(State::Statement { is_quoted: false });
                self.say(true, out);
                return Some(start + self.statement(part(line, start, end), false));
            }
            Line::Statement => {
                self.say(true, out);
                self.begin(State::Statement { is_quoted: false });
                return Some(self.statement(line, false));
            }
            Line::Loose => {
                self.say(true, out);
                self.withhold(line);
            }
            block @ (Line::Block | Line::Curly) => {
                self.say(true, out);
                self.begin(State::Block { shape: Shape::default(), is_loose: block == Line::Curly });
                return Some(self.block(text, false));
            }
            Line::Comparison => {
                self.say(true, out);
                self.begin(State::Comparison);
                self.withhold(line);
            }
        }
        Some(end)
    }

    /// Goes on in the output of a command or in a comparison; how much of it was withheld.
    fn section(&mut self, text: &[u8], starts_line: bool) -> usize {
        let end = self.within(text);
        let line = part(text, 0, end);
        if starts_line
            && let State::Section(shape) = &self.state
            && self.is_interrupted(line, shape)
        {
            self.suspend();
            return 0;
        }
        let is_over = starts_line
            && match &self.state {
                State::Section(shape) => {
                    self.is_prompt(line, !shape.is_closed(), shape.is_text())
                        || self.is_same_heading(line)
                        || (shape.is_closed() && (judge(line) == Line::Command || is_other_heading(line)))
                }
                _ => !is_compared(line),
            };
        if is_over {
            self.begin(State::Open);
            return 0;
        }
        if let State::Section(shape) = &mut self.state {
            shape.pass(line, false);
        }
        self.withhold(line);
        if end < text.len() || (end == 0 && !text.is_empty()) {
            self.begin(State::Open);
        }
        end
    }

    /// Goes on in a block; how much of it was withheld.
    fn block(&mut self, text: &[u8], starts_line: bool) -> usize {
        let end = self.within(text);
        let line = part(text, 0, end);
        if let State::Block { shape, is_loose } = &self.state
            && starts_line
        {
            let is_other = *is_loose && !shape.is_text() && !is_blank(at(line, 0)) && !is_of_braces(line);
            if self.is_prompt(line, true, shape.is_text()) || self.is_same_heading(line) {
                self.begin(State::Open);
                return 0;
            }
            if is_other || self.is_interrupted(line, shape) {
                self.suspend();
                return 0;
            }
        }
        let State::Block { shape, .. } = &mut self.state else { return 0 };
        let (mut place, is_over) = shape.pass(line, true);
        if is_over && !shape.is_json {
            // What stands behind it on its line.
            place = end;
        }
        self.withhold(part(text, 0, place));
        if is_over || end < text.len() {
            self.begin(State::Open);
        }
        place
    }

    /// Goes on in a statement, whose text in quotes may have several lines; how much of it was withheld.
    fn statement(&mut self, text: &[u8], starts_line: bool) -> usize {
        let end = self.within(text);
        let statement = part(text, 0, end);
        if starts_line && (self.is_prompt(statement, true, true) || self.is_same_heading(statement)) {
            self.begin(State::Open);
            return 0;
        }
        let State::Statement { is_quoted } = &mut self.state else { return 0 };
        let mut place = 0;
        while place < end {
            match at(text, place) {
                b'\\' => place += 1,
                b'"' => *is_quoted = !*is_quoted,
                b'&' if from(text, place).starts_with(b"&quot;") => *is_quoted = !*is_quoted,
                _ => {}
            }
            place += 1;
        }
        let is_over = !*is_quoted || end < text.len();
        self.withhold(statement);
        if is_over {
            self.begin(State::Open);
        }
        end
    }
}
