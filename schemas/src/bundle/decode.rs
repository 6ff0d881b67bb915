//! From bytes to a bundle in one pass.
//!
//! Never panics, never recurses. Borrows all text that stands in one piece; work grows with the
//! bytes, memory with the counts of [`bounds`].

use std::borrow::Cow;
use std::ops::Range;

use super::bounds;
use super::damage::{self, Broken};
use super::draft::Draft;
use super::encoding::{Encoding, declared};
use super::error::{Error, Stop};
use super::fault::{Bound, Fault};
use super::field_text::Text;
use super::model::{Bundle, Source};
use super::node::Node;
use super::text;
use super::tokens::{Token, Tokens};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How bundles are read. What was decided of one in an edition is decided alike for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// Up to engine level 15: UTF-8 alone, of which every byte is a character, and times from 1970 on.
    First,
    /// From level 16 on: the encodings of [`Encoding`], as the XML declaration says; what is no character in an attachment or a
    /// log damages that part alone; and times of all years of RFC 3339. What the first edition reads it reads alike.
    Second,
    /// From level 17 on: what an attachment or a log holds may end in comments and processing instructions. What the second edition
    /// reads it reads alike.
    Third,
}

impl Edition {
    /// The newest.
    pub const NEWEST: Self = Self::Third;
}

/// Reads one bundle in the newest edition. What is borrowed, is borrowed from `bytes`; the parts' ranges count from their start.
/// Source: DOMAIN, "Bundles (JMB)".
///
/// # Errors
///
/// A fault that was found, and its place.
pub fn decode(bytes: &[u8]) -> Result<Bundle<'_>, Error> {
    decode_in(Edition::NEWEST, bytes)
}

/// Reads one bundle as [`decode`] does, in an edition.
///
/// # Errors
///
/// A fault that was found, and its place. In the first edition faults of characters come before all others.
pub fn decode_in(edition: Edition, bytes: &[u8]) -> Result<Bundle<'_>, Error> {
    let body = body(bytes);
    let offset = bytes.len() - body.len();
    if bytes.len() > bounds::BUNDLE {
        let stop = Stop::new(Fault::BoundExceeded(Bound::Bundle), bounds::BUNDLE - offset);
        return Err(stop.locate(body));
    }
    let read = match edition {
        Edition::First => read_strictly(body).map_err(|stop| stop.locate(body)),
        Edition::Second | Edition::Third => read(body, offset > 0),
    };
    read.map(|mut bundle| {
        for part in bundle.attachments.iter_mut().chain(&mut bundle.logs) {
            part.content = part.content.start + offset..part.content.end + offset;
        }
        bundle
    })
}

/// Bytes without a byte order mark.
pub(super) fn body(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// Reads a text of UTF-8.
fn read_strictly(body: &[u8]) -> Result<Bundle<'_>, Stop> {
    let mut decoder = Decoder::new(Tokens::new(checked(body)?), Edition::First);
    decoder.run()?;
    let mut bundle = decoder.draft.finish()?;
    bundle.source.is_readable = !decoder.tokens.has_other_version();
    Ok(bundle)
}

/// Reads a text in the encoding it says, with bytes in it that may be no characters.
fn read(body: &[u8], has_mark: bool) -> Result<Bundle<'_>, Error> {
    let declared = declared(body).map_err(|stop| stop.locate(body))?;
    let encoding = declared.as_ref().map(|(encoding, _)| *encoding).unwrap_or_default();
    if let Some((_, label)) = declared.as_ref().filter(|(encoding, _)| has_mark && *encoding != Encoding::Utf8) {
        return Err(Stop::new(Fault::EncodingConflict(super::fault::word(label)), 0).locate(body));
    }
    if let Some(text) = encoding.clean(body) {
        let mut bundle = read_text(text, None).map_err(|stop| stop.locate(body))?;
        // Some readers know no others, and no other names of these.
        let is_known = declared.is_none_or(|(encoding, label)| encoding.as_str().eq_ignore_ascii_case(&label));
        let is_readable = bundle.source.is_readable && is_known && encoding != Encoding::Windows1252;
        bundle.source = Source { encoding, is_readable };
        return Ok(bundle);
    }
    let (body, is_cut) = match encoding {
        Encoding::Utf8 => whole(body),
        _ => (body, false),
    };
    if !encoding.is_text(body) {
        let length = |byte: &u8| encoding.character(*byte).map_or(damage::STAND_IN.len_utf8(), char::len_utf8);
        if body.iter().map(length).sum::<usize>() > bounds::BUNDLE {
            return Err(Stop::new(Fault::BoundExceeded(Bound::Bundle), 0).locate(body));
        }
    }
    let text = damage::in_place(encoding, body);
    // Columns of UTF-8 are characters of the original.
    let counted = if encoding == Encoding::Utf8 { body } else { text.as_bytes() };
    let bundle = read_text(&text, Some((encoding, body))).map_err(|stop| stop.locate(counted))?;
    if is_cut {
        return Err(Stop::new(Fault::Truncated(None), body.len()).locate(body));
    }
    let mut bundle = bundle.into_owned();
    if !encoding.is_text(body) {
        let contents = bundle.attachments.iter_mut().chain(&mut bundle.logs).map(|part| &mut part.content);
        to_bytes(contents.collect(), &text);
    }
    bundle.source = Source { encoding, is_readable: false };
    Ok(bundle)
}

/// UTF-8 without a character at its end that is cut off, and whether one was.
fn whole(body: &[u8]) -> (&[u8], bool) {
    let is_cut = |tail: &[u8]| {
        std::str::from_utf8(tail).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    let mut ends = (1..=3).filter_map(|length| body.split_at_checked(body.len().checked_sub(length)?));
    ends.find(|(_, tail)| is_cut(tail)).map_or((body, false), |(head, _)| (head, true))
}

/// Reads a text that was made of bytes, of which some may be no characters.
fn read_text<'a>(text: &'a str, bytes: Option<(Encoding, &[u8])>) -> Result<Bundle<'a>, Stop> {
    if text::trim(text).is_empty() {
        return Err(Stop::new(Fault::Empty, 0));
    }
    let mut decoder = Decoder::new(Tokens::leniently(text), Edition::Second);
    let ran = decoder.run();
    if let Some((encoding, body)) = bytes {
        let broken = ran.as_ref().err().map(|stop| decoder.broken(text, stop));
        damage::settle(&mut decoder.draft, damage::places(encoding, body), broken.as_ref())?;
    }
    ran?;
    let mut bundle = decoder.draft.finish()?;
    bundle.source.is_readable = !decoder.has_forbidden && !decoder.tokens.has_other_version();
    Ok(bundle)
}

/// Turns places in a text into those in the bytes that it was made of, each of which became a character.
fn to_bytes(mut ranges: Vec<&mut Range<usize>>, text: &str) {
    ranges.sort_unstable_by_key(|range| range.start);
    let (mut at, mut byte) = (0, 0);
    let mut go = |to: usize| {
        byte += text.get(at..to).unwrap_or_default().chars().count();
        at = to;
        byte
    };
    for range in ranges {
        *range = go(range.start)..go(range.end);
    }
}

/// Bytes as text that holds only characters that XML allows.
pub(super) fn checked(body: &[u8]) -> Result<&str, Stop> {
    let text = std::str::from_utf8(body).map_err(|error| {
        // Without a length the bytes end inside a character.
        let fault = error.error_len().map_or(Fault::Truncated(None), |_| Fault::BadUtf8);
        Stop::new(fault, error.valid_up_to())
    })?;
    text::check_characters(text)?;
    if text::trim(text).is_empty() {
        return Err(Stop::new(Fault::Empty, 0));
    }
    Ok(text)
}

/// Where the decoder is in the bundle, and what it has found so far.
struct Decoder<'a> {
    tokens: Tokens<'a>,
    /// The innermost open element.
    node: Node,
    /// The open elements around it.
    parents: Vec<Node>,
    /// The elements met so far that may not come twice, as [`Node::bit`]s.
    seen: u64,
    /// The open field's text and place.
    field: Text<'a>,
    field_at: usize,
    draft: Draft<'a>,
    /// Some part has a reference to a character that XML forbids.
    has_forbidden: bool,
}

/// How many elements are open in the content of a part, the part included: behind what no root has around it, the root and the
/// section.
const PART_DEPTH: usize = 3;

impl<'a> Decoder<'a> {
    fn new(tokens: Tokens<'a>, edition: Edition) -> Self {
        Self {
            tokens,
            node: Node::Other,
            parents: Vec::with_capacity(8),
            seen: 0,
            field: Text::default(),
            field_at: 0,
            draft: Draft::new(edition),
            has_forbidden: false,
        }
    }

    /// The part that is open, if one is.
    fn open_part(&self) -> Option<Node> {
        let within = self.parents.get(PART_DEPTH).copied();
        [Some(self.node), within].into_iter().flatten().find(|node| node.is_part())
    }

    /// How far it was read, where it has a fault.
    fn broken(&self, text: &str, stop: &Stop) -> Broken {
        let rest = text.get(stop.at..).unwrap_or_default();
        let tag = rest.bytes().position(|b| b == b'>').unwrap_or(rest.len());
        let at = stop.at.max(self.tokens.position());
        let open = self.open_part().and_then(|part| self.draft.last_content(part));
        Broken { at, until: at.max(stop.at + tag), open }
    }

    fn run(&mut self) -> Result<(), Stop> {
        loop {
            match self.tokens.next()? {
                Token::Open { name, at } => self.open(name, at)?,
                Token::Close { at } => self.close(at)?,
                Token::Text(piece) => self.text(piece, false)?,
                Token::Cdata(piece) => self.text(piece, true)?,
                Token::Char(c) => self.char(c)?,
                Token::Forbidden { code, at } => self.forbidden(code, at)?,
                Token::End => return Ok(()),
            }
        }
    }

    fn open(&mut self, name: &'a str, at: usize) -> Result<(), Stop> {
        let parent = self.node;
        let is_root = self.parents.is_empty();
        self.parents.push(parent);
        if is_root {
            if name != "jmb" {
                return Err(Stop::new(Fault::WrongRoot(super::fault::word(name)), at));
            }
            self.node = Node::Jmb;
            return self.draft.begin(&self.tokens, at);
        }
        if parent.is_field() {
            return Err(Stop::new(Fault::ElementInField(parent.path()), at));
        }
        if parent.is_part() {
            self.draft.part_element(parent)?;
        }
        self.node = parent.child(name);
        self.check_once(at)?;
        match self.node {
            Node::Other => Ok(()),
            node if node.is_field() => {
                self.field_at = at;
                self.draft.open_field(node, &self.tokens, at)
            }
            node => self.draft.open(node, &self.tokens, at),
        }
    }

    /// Refuses a second element where one is allowed.
    fn check_once(&mut self, at: usize) -> Result<(), Stop> {
        let node = self.node;
        if node.is_repeatable() {
            if node == Node::RoutingEngine {
                self.seen &= !(Node::EngineModel.bit() | Node::EngineSerial.bit());
            }
            return Ok(());
        }
        if self.seen & node.bit() != 0 {
            let fault = if node.is_section() { Fault::DuplicateSection } else { Fault::DuplicateField };
            return Err(Stop::new(fault(node.path()), at));
        }
        self.seen |= node.bit();
        Ok(())
    }

    fn close(&mut self, at: usize) -> Result<(), Stop> {
        let node = self.node;
        self.node = self.parents.pop().unwrap_or(Node::Other);
        if node == Node::Other {
            Ok(())
        } else if node.is_field() {
            let value = self.field.take_trimmed();
            self.draft.close_field(node, value, self.field_at)
        } else {
            self.draft.close(node, at)
        }
    }

    fn text(&mut self, piece: &'a str, is_cdata: bool) -> Result<(), Stop> {
        if self.node.is_field() {
            self.field.push(piece);
            self.check_length()
        } else if self.node.is_part() && (is_cdata || !text::trim(piece).is_empty()) {
            self.draft.part_text(self.node)
        } else {
            Ok(())
        }
    }

    fn char(&mut self, c: char) -> Result<(), Stop> {
        if self.node.is_field() {
            self.field.push_char(c);
            self.check_length()
        } else if self.node.is_part() {
            self.draft.part_text(self.node)
        } else {
            Ok(())
        }
    }

    /// A reference to a character that XML forbids.
    fn forbidden(&mut self, code: u32, at: usize) -> Result<(), Stop> {
        let Some(part) = self.open_part() else { return Err(Stop::new(Fault::ControlCharacter(code), at)) };
        self.has_forbidden = true;
        self.draft.damage_last(part);
        self.char(char::REPLACEMENT_CHARACTER)
    }

    fn check_length(&self) -> Result<(), Stop> {
        if self.field.len() > bounds::FIELD {
            return Err(Stop::new(Fault::BoundExceeded(Bound::Field(self.node.path())), self.field_at));
        }
        Ok(())
    }
}

/// An attribute's value, if the last start tag has it.
pub(super) fn attribute<'a>(tokens: &Tokens<'a>, name: &str) -> Option<Cow<'a, str>> {
    tokens.attribute(name).map(|attribute| attribute.value())
}
