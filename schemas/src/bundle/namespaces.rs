//! Namespaces: whether all prefixes of a bundle are declared, and elements of its parts that stand alone.
//!
//! Whoever reads bundles here goes by local names, and takes prefixes that nothing declares. Others do not: what leaves has none.
//! Source: Namespaces in XML 1.0.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::attributes::Attribute;
use super::bounds;
use super::content::{Content, Element};
use super::damage;
use super::encode::{NAMESPACE, escape};
use super::encoding::Encoding;
use super::error::{Error, Stop};
use super::model::Bundle;
use super::node::Node;
use super::text;
use super::tokens::{Token, Tokens};

/// What the prefix `xml` is bound to, and no other.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// What the prefix `xmlns` is bound to, which nobody declares.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// What a prefix that nothing declares is bound to, but for the prefix itself.
const UNDECLARED: &str = "urn:linesman:undeclared:";

/// Whether all names of a text that was read are names of namespaces that it declares.
pub(super) fn are_declared(bytes: &[u8]) -> bool {
    let Ok(document) = std::str::from_utf8(super::decode::body(bytes)) else { return false };
    let mut tokens = Tokens::leniently(document);
    let mut scope = Scope::default();
    loop {
        match tokens.next() {
            Ok(Token::Open { .. }) => scope.open(&tokens, None),
            Ok(Token::Close { .. }) => scope.close(),
            Ok(Token::End) => return !scope.is_broken && scope.undeclared.is_empty() && !tokens.has_odd_target(),
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

impl<'a> Bundle<'a> {
    /// The same bundle with its parts' contents, given the bytes that it was decoded from, each element of which stands alone: it
    /// declares what it has of the namespaces around it. A prefix that nothing declares is declared as one of ours; an element
    /// with names that no declaration mends is the text of it.
    ///
    /// # Errors
    ///
    /// Only if these are not those bytes.
    pub fn with_contents_alone(self, original: &'a [u8]) -> Result<Bundle<'a, Content<'a>>, Error> {
        let encoding = self.source.encoding;
        let mut bundle = self.with_contents(original)?;
        let mut parts = bundle.attachments.iter().chain(&bundle.logs);
        if parts.any(|part| matches!(part.content, Content::Element(_))) {
            let body = super::decode::body(original);
            declare(&mut bundle, encoding, body).map_err(|stop| stop.locate(body))?;
        }
        Ok(bundle)
    }
}

/// Declares in the elements of a bundle's parts what stands around them.
fn declare(bundle: &mut Bundle<'_, Content<'_>>, encoding: Encoding, body: &[u8]) -> Result<(), Stop> {
    let document = match std::str::from_utf8(body) {
        Ok(text) if encoding == Encoding::Utf8 && encoding.is_text(body) => Cow::Borrowed(text),
        _ => Cow::Owned(damage::in_place(encoding, body)),
    };
    let mut tokens = Tokens::leniently(&document);
    let mut scope = Scope::default();
    let (mut attachments, mut logs) = (bundle.attachments.iter_mut(), bundle.logs.iter_mut());
    let mut room = bounds::BUNDLE.saturating_sub(body.len()) / 2;
    let (mut node, mut parents) = (Node::Other, Vec::new());
    loop {
        match tokens.next()? {
            Token::Open { name, .. } => {
                scope.open(&tokens, None);
                let child = if parents.is_empty() { Node::Jmb } else { node.child(name) };
                parents.push(std::mem::replace(&mut node, child));
                let part = match node {
                    Node::Attachment => attachments.next(),
                    Node::Log => logs.next(),
                    _ => None,
                };
                if let Some(part) = part {
                    part.content = match std::mem::replace(&mut part.content, Content::None) {
                        Content::Element(element) => alone(element, &scope, &mut room),
                        content => content,
                    };
                }
            }
            Token::Close { .. } => {
                scope.close();
                node = parents.pop().unwrap_or(Node::Other);
            }
            Token::End => return Ok(()),
            _ => {}
        }
    }
}

/// An element that declares what it has of the namespaces around it, within some bytes.
fn alone<'a>(element: Element<'a>, around: &Scope<'_>, room: &mut usize) -> Content<'a> {
    match declarations(element.as_str(), around) {
        Some((_, added)) if added.is_empty() => Content::Element(element),
        Some((at, added)) if added.len() <= *room => {
            *room -= added.len();
            let mut text = element.into_text().into_owned();
            text.insert_str(at, &added);
            Content::Element(Element::checked(text))
        }
        _ => Content::Text(element.into_text()),
    }
}

/// What an element is to declare, and where; none where that does not help, or has no room.
fn declarations(element: &str, around: &Scope<'_>) -> Option<(usize, String)> {
    let mut tokens = Tokens::of_read_part(element);
    let mut scope = Scope::default();
    let mut root = None;
    while scope.depth > 0 || tokens.position() < element.len() {
        match tokens.next().ok()? {
            Token::Open { .. } => {
                root.get_or_insert((1 + tokens.qualified().len(), tokens.attributes().len()));
                scope.open(&tokens, Some(around));
            }
            Token::Close { .. } => scope.close(),
            Token::End => break,
            _ => {}
        }
    }
    let (at, count) = root?;
    let mut added = String::new();
    for prefix in &scope.undeclared {
        added.push_str(" xmlns:");
        added.push_str(prefix);
        added.push_str("=\"");
        push_value(&mut added, &around.meaning(prefix))?;
    }
    let default = around.found("").unwrap_or_default();
    if scope.has_plain && default != NAMESPACE {
        added.push_str(" xmlns=\"");
        push_value(&mut added, default)?;
    }
    let is_whole = !scope.is_broken && !tokens.has_odd_target() && count + scope.undeclared.len() < bounds::ATTRIBUTES;
    is_whole.then_some((at, added))
}

/// Writes a value and its end; none where it is too long for one.
fn push_value(out: &mut String, value: &str) -> Option<()> {
    let before = out.len();
    escape(out, value, "<>&\"\t\n\r");
    let is_short = out.len() - before <= bounds::ATTRIBUTE;
    out.push('"');
    is_short.then_some(())
}

/// What is declared where a reading is, and what was met so far.
#[derive(Default)]
struct Scope<'a> {
    depth: usize,
    /// What each prefix is bound to, the innermost last. The prefix that is none is the empty one.
    bound: BTreeMap<&'a str, Vec<Rc<str>>>,
    /// Which prefixes elements that are open declare, each with its depth.
    declared: Vec<(usize, &'a str)>,
    /// Prefixes that nothing declares.
    undeclared: BTreeSet<&'a str>,
    /// An element without a prefix stands where nothing declares what that means.
    has_plain: bool,
    /// Something is no name of a namespace, whatever is declared.
    is_broken: bool,
}

impl<'a> Scope<'a> {
    /// The element whose start tag came last, within what stands around the reading.
    fn open(&mut self, tokens: &Tokens<'a>, around: Option<&Scope<'_>>) {
        self.depth += 1;
        let attributes = tokens.attributes();
        for attribute in attributes {
            self.declare(attribute);
        }
        match split(tokens.qualified()) {
            Some(("", _)) => self.has_plain |= self.found("").is_none(),
            Some((prefix, _)) => self.meet(prefix),
            None => self.is_broken = true,
        }
        let mut names = BTreeSet::new();
        for attribute in attributes.iter().filter(|attribute| declared_by(attribute.name).is_none()) {
            match split(attribute.name) {
                Some(("", _)) => {}
                Some((prefix, local)) => {
                    self.meet(prefix);
                    let scope = if self.found(prefix).is_some() { &*self } else { around.unwrap_or(self) };
                    let is_first = names.insert((scope.meaning(prefix), local));
                    self.is_broken |= !is_first;
                }
                None => self.is_broken = true,
            }
        }
    }

    fn close(&mut self) {
        while let Some((_, prefix)) = self.declared.pop_if(|(depth, _)| *depth == self.depth) {
            if let Some(bound) = self.bound.get_mut(prefix) {
                bound.pop();
            }
        }
        self.depth = self.depth.saturating_sub(1);
    }

    /// An attribute, which may declare a prefix.
    fn declare(&mut self, attribute: &Attribute<'a>) {
        let Some(prefix) = declared_by(attribute.name) else { return };
        let value = attribute.value();
        let is_name = prefix.is_empty() && !attribute.name.contains(':') || is_part(prefix);
        let is_reserved = prefix == "xmlns" || value == XMLNS || (prefix == "xml") != (value == XML);
        self.is_broken |= !is_name || is_reserved || value.is_empty() && !prefix.is_empty();
        self.bound.entry(prefix).or_default().push(Rc::from(&*value));
        self.declared.push((self.depth, prefix));
    }

    /// A prefix is used.
    fn meet(&mut self, prefix: &'a str) {
        match prefix {
            "xml" => {}
            "xmlns" => self.is_broken = true,
            _ if self.found(prefix).is_some() => {}
            _ => {
                self.undeclared.insert(prefix);
            }
        }
    }

    /// What a prefix means: what it is bound to, or what it is to be.
    fn meaning(&self, prefix: &str) -> Rc<str> {
        match self.bound.get(prefix).and_then(|bound| bound.last()) {
            Some(uri) => Rc::clone(uri),
            None => format!("{UNDECLARED}{prefix}").into(),
        }
    }

    /// What a prefix is bound to.
    fn found(&self, prefix: &str) -> Option<&str> {
        self.bound.get(prefix)?.last().map(|uri| &**uri)
    }
}

/// The prefix that an attribute declares, empty for the default; none where it declares nothing.
fn declared_by(name: &str) -> Option<&str> {
    match name.strip_prefix("xmlns")? {
        "" => Some(""),
        rest => rest.strip_prefix(':'),
    }
}

/// A name's prefix, empty where it has none, and the rest; none where it is no name of a namespace.
fn split(name: &str) -> Option<(&str, &str)> {
    match name.split_once(':') {
        None => Some(("", name)),
        Some((prefix, local)) => (is_part(prefix) && is_part(local)).then_some((prefix, local)),
    }
}

/// Whether it may stand on one side of a colon.
fn is_part(name: &str) -> bool {
    text::is_name(name) && !name.contains(':')
}
