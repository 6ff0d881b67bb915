//! The attributes of one tag, checked as XML 1.0 demands (sections 3.1 and 3.3.3).
//!
//! quick-xml's own iterator lets pass what is missing between two attributes, a raw `<` and
//! undefined entities, and it hands out values that live no longer than the event.

use std::borrow::Cow;

use super::bounds;
use super::error::Stop;
use super::fault::{Bound, Fault, Flaw, word};
use super::text;

/// One attribute as it stands; its references are known to be good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    /// With its prefix.
    pub(super) name: &'a str,
    /// Between the quotes.
    raw: &'a str,
    /// The place of its name.
    pub(super) at: usize,
}

impl<'a> Attribute<'a> {
    /// The normalized value: white space becomes spaces, references what they mean.
    pub(super) fn value(&self) -> Cow<'a, str> {
        if !self.raw.bytes().any(|b| matches!(b, b'&' | b'\t' | b'\n' | b'\r')) {
            return Cow::Borrowed(self.raw);
        }
        let mut value = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(c) = rest.chars().next() {
            let (meaning, length) = match c {
                '&' => text::reference(rest, 0).unwrap_or((c, 1)),
                '\r' if rest.starts_with("\r\n") => (' ', 2),
                '\t' | '\n' | '\r' => (' ', 1),
                _ => (c, c.len_utf8()),
            };
            value.push(meaning);
            rest = rest.get(length..).unwrap_or_default();
        }
        Cow::Owned(value)
    }
}

/// Reads `tag`, what stands between the name of `element` and the end of its tag, into `list`; `at`
/// is its place.
pub(super) fn read<'a>(tag: &'a str, at: usize, element: &str, list: &mut Vec<Attribute<'a>>) -> Result<(), Stop> {
    let mut rest = tag;
    loop {
        let next = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if next.is_empty() {
            return Ok(());
        }
        let place = at + (tag.len() - next.len());
        let syntax = || Stop::new(Fault::NotWellFormed(Flaw::AttributeSyntax(word(element))), place);
        if next.len() == rest.len() {
            return Err(syntax());
        }
        let (attribute, behind) = split(next, place).ok_or_else(syntax)?;
        if list.len() == bounds::ATTRIBUTES {
            return Err(Stop::new(Fault::BoundExceeded(Bound::Attributes(word(element))), place));
        }
        check(&attribute, list)?;
        list.push(attribute);
        rest = behind;
    }
}

/// Splits `name = "value"` from the front.
fn split(text: &str, at: usize) -> Option<(Attribute<'_>, &str)> {
    let end = text.bytes().position(|b| b == b'=' || text::is_space(b))?;
    let (name, rest) = text.split_at_checked(end)?;
    let rest = text::trim(rest).strip_prefix('=')?;
    let rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
    let quote = *rest.as_bytes().first().filter(|b| matches!(b, b'"' | b'\''))?;
    let rest = rest.get(1..)?;
    let end = rest.bytes().position(|b| b == quote)?;
    Some((Attribute { name, raw: rest.get(..end)?, at }, rest.get(end + 1..)?))
}

/// Refuses bad names, repeated names, overlong values and values that are no attribute value.
fn check(attribute: &Attribute<'_>, before: &[Attribute<'_>]) -> Result<(), Stop> {
    let Attribute { name, raw, at } = *attribute;
    let flaw = |flaw| Err(Stop::new(Fault::NotWellFormed(flaw), at));
    if !text::is_name(name) {
        return flaw(Flaw::Name(word(name)));
    }
    if before.iter().any(|other| other.name == name) {
        return flaw(Flaw::DuplicateAttribute(word(name)));
    }
    if raw.len() > bounds::ATTRIBUTE || name.len() > bounds::ATTRIBUTE {
        return Err(Stop::new(Fault::BoundExceeded(Bound::Attribute(word(name))), at));
    }
    for (index, byte) in raw.bytes().enumerate() {
        match byte {
            b'<' => return flaw(Flaw::AttributeMarkup(word(name))),
            b'&' => {
                // An attribute's end is known, so that no reference in it can be cut off.
                text::reference(raw.get(index..).unwrap_or_default(), at).map_err(|stop| match stop.fault {
                    Fault::Truncated(_) => Stop::new(Fault::NotWellFormed(Flaw::Ampersand), at),
                    fault => Stop::new(fault, at),
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}
