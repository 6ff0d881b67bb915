//! What an attachment or a log holds.

use std::borrow::Cow;
use std::fmt;

use super::decode::{Edition, checked};
use super::encoding::Encoding;
use super::error::{Error, Stop};
use super::fault::Fault;
use super::field_text::Text;
use super::model::{Bundle, Part};
use super::tokens::{Token, Tokens};

/// The contents of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// Nothing: the part only names a file, or tells why there is none.
    None,
    /// Text, as it was before it became XML.
    Text(Cow<'a, str>),
    /// One XML element.
    Element(Element<'a>),
}

/// One well-formed XML element as text, flat enough to stand in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element<'a>(Cow<'a, str>);

impl<'a> Element<'a> {
    /// Checks that `text` is one element and nothing else. The prefixes that it uses should be
    /// declared in it: this is not checked.
    ///
    /// # Errors
    ///
    /// As [`decode`](super::decode()); several elements are a malformed part.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, Error> {
        let text = text.into();
        let result = match checked(text.as_bytes()).and_then(|text| read(text, Tokens::of_part(text))) {
            Ok(Content::Element(element)) if element.as_str().len() == text.len() => Ok(()),
            Ok(_) => Err(Stop::new(Fault::MalformedPart("content"), 0)),
            Err(stop) => Err(stop),
        };
        result.map_err(|stop| stop.locate(text.as_bytes()))?;
        Ok(Self(text))
    }

    /// What is known to be one element, and flat enough.
    pub(super) fn checked(text: String) -> Self {
        Self(Cow::Owned(text))
    }

    /// The element's text.
    pub(super) fn into_text(self) -> Cow<'a, str> {
        self.0
    }

    /// The element's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'a> Part<'a> {
    /// The contents, given the bytes that the bundle was decoded from, and their encoding. For what is no character of it
    /// stands U+FFFD.
    ///
    /// # Errors
    ///
    /// Only if these are not those bytes; the place is relative to the part.
    pub fn read<'b>(&self, original: &'b [u8], encoding: Encoding) -> Result<Content<'b>, Error> {
        self.read_in(Edition::NEWEST, original, encoding)
    }

    /// As [`Self::read`], in an edition of the bundle.
    ///
    /// # Errors
    ///
    /// These are not those bytes; up to the second edition also where they end in a comment or a processing instruction.
    pub fn read_in<'b>(&self, edition: Edition, original: &'b [u8], encoding: Encoding) -> Result<Content<'b>, Error> {
        let bytes = original.get(self.content.clone()).unwrap_or_default();
        match encoding.text(bytes, char::REPLACEMENT_CHARACTER) {
            Cow::Borrowed(text) => read(text, tokens(edition, text)).map_err(|stop| stop.locate(bytes)),
            Cow::Owned(text) => match read(&text, tokens(edition, &text)) {
                Ok(content) => Ok(content.into_owned()),
                Err(stop) => Err(stop.locate(text.as_bytes())),
            },
        }
    }

    fn with_content(self, original: &'a [u8], encoding: Encoding) -> Result<Part<'a, Content<'a>>, Error> {
        let content = self.read(original, encoding)?;
        let Part { name, media_type, status, error, path, size, content: _ } = self;
        Ok(Part { name, media_type, status, error, path, size, content })
    }
}

impl<'a> Bundle<'a> {
    /// The same bundle with its parts' contents, given the bytes that it was decoded from.
    ///
    /// # Errors
    ///
    /// Only if these are not those bytes.
    pub fn with_contents(self, original: &'a [u8]) -> Result<Bundle<'a, Content<'a>>, Error> {
        let Bundle { source, kind, variant, is_off_box, version, manifest, trend, attachments, logs } = self;
        let fill = |part: Part<'a>| part.with_content(original, source.encoding);
        let attachments = attachments.into_iter().map(fill).collect::<Result<_, _>>()?;
        let logs = logs.into_iter().map(fill).collect::<Result<_, _>>()?;
        Ok(Bundle { source, kind, variant, is_off_box, version, manifest, trend, attachments, logs })
    }
}

/// The tokens of a part of a bundle that was read in an edition.
fn tokens(edition: Edition, text: &str) -> Tokens<'_> {
    match edition {
        Edition::First | Edition::Second => Tokens::of_early_part(text),
        Edition::Third => Tokens::of_read_part(text),
    }
}

impl Content<'_> {
    fn into_owned(self) -> Content<'static> {
        match self {
            Self::None => Content::None,
            Self::Text(text) => Content::Text(Cow::Owned(text.into_owned())),
            Self::Element(Element(text)) => Content::Element(Element(Cow::Owned(text.into_owned()))),
        }
    }
}

/// Reads what stands between the tags of a part. White space counts only beside other text. For references to characters that
/// XML forbids stands U+FFFD.
fn read<'a>(fragment: &'a str, mut tokens: Tokens<'a>) -> Result<Content<'a>, Stop> {
    let mut text = Text::default();
    let mut is_text = false;
    let mut element = None;
    let mut depth = 0_usize;
    let mut patched = String::new();
    let mut patched_to = None;
    while depth > 0 || tokens.position() < fragment.len() {
        match tokens.next()? {
            Token::Open { at, .. } => {
                if depth == 0 && element.replace(at..at).is_some() {
                    return Err(Stop::new(Fault::MalformedPart("content"), at));
                }
                depth += 1;
            }
            Token::Close { .. } => {
                depth -= 1;
                if let Some(range) = element.as_mut().filter(|_| depth == 0) {
                    range.end = tokens.position();
                }
            }
            Token::Text(piece) if depth == 0 => {
                is_text |= !super::text::trim(piece).is_empty();
                text.push(piece);
            }
            Token::Cdata(piece) if depth == 0 => {
                is_text = true;
                text.push(piece);
            }
            Token::Char(c) if depth == 0 => {
                is_text = true;
                text.push_char(c);
            }
            Token::Forbidden { .. } if depth == 0 => {
                is_text = true;
                text.push_char(char::REPLACEMENT_CHARACTER);
            }
            Token::Forbidden { at, .. } => {
                let from = patched_to.replace(tokens.position()).or(element.as_ref().map(|range| range.start));
                patched.push_str(fragment.get(from.unwrap_or_default()..at).unwrap_or_default());
                patched.push(char::REPLACEMENT_CHARACTER);
            }
            Token::Text(_) | Token::Cdata(_) | Token::Char(_) => {}
            Token::End => break,
        }
    }
    match element {
        Some(range) if is_text => Err(Stop::new(Fault::MalformedPart("content"), range.start)),
        Some(range) => {
            let rest = fragment.get(patched_to.unwrap_or(range.start)..range.end).unwrap_or_default();
            let text = if patched.is_empty() { Cow::Borrowed(rest) } else { Cow::Owned(patched + rest) };
            Ok(Content::Element(Element(text)))
        }
        None if is_text => Ok(Content::Text(text.take())),
        None => Ok(Content::None),
    }
}
