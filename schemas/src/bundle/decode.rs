//! From bytes to a bundle in one pass.
//!
//! Never panics, never recurses. Borrows all text that stands in one piece; work grows with the
//! bytes, memory with the counts of [`bounds`].

use std::borrow::Cow;

use super::bounds;
use super::draft::Draft;
use super::error::{Error, Stop};
use super::fault::{Bound, Fault};
use super::field_text::Text;
use super::model::Bundle;
use super::node::Node;
use super::text;
use super::tokens::{Token, Tokens};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads one bundle. Whatever is borrowed, is borrowed from `bytes`; the parts' ranges count from
/// their start. Source: DOMAIN, "Bundles (JMB)".
///
/// # Errors
///
/// The first fault that was found, and its place. Faults of characters come before all others.
pub fn decode(bytes: &[u8]) -> Result<Bundle<'_>, Error> {
    let body = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    read(body, bytes.len() - body.len()).map_err(|stop| stop.locate(body))
}

/// Reads `body`, which stands `offset` bytes behind the start of the original.
fn read(body: &[u8], offset: usize) -> Result<Bundle<'_>, Stop> {
    if body.len() + offset > bounds::BUNDLE {
        return Err(Stop::new(Fault::BoundExceeded(Bound::Bundle), bounds::BUNDLE - offset));
    }
    let text = checked(body)?;
    let mut decoder = Decoder {
        tokens: Tokens::new(text),
        node: Node::Other,
        parents: Vec::with_capacity(8),
        seen: 0,
        field: Text::default(),
        field_at: 0,
        draft: Draft::new(offset),
    };
    decoder.run()?;
    decoder.draft.finish()
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
}

impl<'a> Decoder<'a> {
    fn run(&mut self) -> Result<(), Stop> {
        loop {
            match self.tokens.next()? {
                Token::Open { name, at } => self.open(name, at)?,
                Token::Close { at } => self.close(at)?,
                Token::Text(piece) => self.text(piece, false)?,
                Token::Cdata(piece) => self.text(piece, true)?,
                Token::Char(c) => self.char(c)?,
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
