//! The attributes of one tag, checked as XML 1.0 demands (sections 3.1 and 3.3.3).
//!
//! quick-xml's own iterator lets pass what is missing between two attributes, a raw `<` and
//! undefined entities, and it hands out values that live no longer than the event.

use std::borrow::Cow;

use super::bounds;
use super::error::Stop;
use super::fault::{Bound, Fault, Flaw, word};
use super::scan;
use super::text;

/// One attribute as it stands; its references are known to be good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    /// With its prefix.
    pub(super) name: &'a str,
    /// Between the quotes.
    raw: &'a str,
    /// The value is not `raw` itself.
    is_escaped: bool,
    /// The place of its name.
    pub(super) at: usize,
}

impl<'a> Attribute<'a> {
    /// The normalized value: white space becomes spaces, references what they mean.
    pub(super) fn value(&self) -> Cow<'a, str> {
        if !self.is_escaped {
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
    let mut start = 0;
    loop {
        let spaces = spaces(tag, start);
        let syntax = || Stop::new(Fault::NotWellFormed(Flaw::AttributeSyntax(word(element))), at + start + spaces);
        if start + spaces == tag.len() {
            return Ok(());
        }
        if spaces == 0 {
            return Err(syntax());
        }
        if list.len() == bounds::ATTRIBUTES {
            return Err(Stop::new(Fault::BoundExceeded(Bound::Attributes(word(element))), at + start + spaces));
        }
        let (attribute, end) = split(tag, start + spaces, at).ok_or_else(syntax)?;
        check(&attribute, list)?;
        list.push(attribute);
        start = end;
    }
}

/// How much white space stands from `start` on.
fn spaces(tag: &str, start: usize) -> usize {
    tag.bytes().skip(start).take_while(|b| text::is_space(*b)).count()
}

/// Splits `name = "value"` from `start` on, and says where it ends.
fn split(tag: &str, start: usize, at: usize) -> Option<(Attribute<'_>, usize)> {
    let bytes = tag.as_bytes();
    let equals = start + scan::find(bytes.get(start..)?, b'=')?;
    let name = tag.get(start..equals)?.trim_end_matches(text::SPACE);
    let open = equals + 1 + spaces(tag, equals + 1);
    let quote = *bytes.get(open).filter(|b| matches!(b, b'"' | b'\''))?;
    let length = scan::find(bytes.get(open + 1..)?, quote)?;
    let raw = tag.get(open + 1..open + 1 + length)?;
    // Without a way out of the loop it works on many bytes at once.
    let is_escaped =
        raw.bytes().fold(false, |is_escaped, b| is_escaped | matches!(b, b'&' | b'<' | b'\t' | b'\n' | b'\r'));
    Some((Attribute { name, raw, is_escaped, at: at + start }, open + length + 2))
}

/// Refuses bad names, repeated names, overlong values and values that are no attribute value.
fn check(attribute: &Attribute<'_>, before: &[Attribute<'_>]) -> Result<(), Stop> {
    let Attribute { name, raw, is_escaped, at } = *attribute;
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
    if !is_escaped {
        return Ok(());
    }
    for (index, byte) in raw.bytes().enumerate() {
        match byte {
            b'<' => return flaw(Flaw::AttributeMarkup(word(name))),
            b'&' => {
                // An attribute's end is known, so that no reference in it can be cut off.
                text::reference(raw.get(index..).unwrap_or_default(), at).map_err(|stop| match *stop.fault {
                    Fault::Truncated(_) => Stop::new(Fault::NotWellFormed(Flaw::Ampersand), at),
                    _ => stop,
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}
