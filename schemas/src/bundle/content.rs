//! What an attachment or a log holds.

use std::borrow::Cow;
use std::fmt;

use super::decode::checked;
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
        let result = match checked(text.as_bytes()).and_then(read) {
            Ok(Content::Element(element)) if element.as_str().len() == text.len() => Ok(()),
            Ok(_) => Err(Stop::new(Fault::MalformedPart("content"), 0)),
            Err(stop) => Err(stop),
        };
        result.map_err(|stop| stop.locate(text.as_bytes()))?;
        Ok(Self(text))
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
    /// The contents, given the bytes that the bundle was decoded from.
    ///
    /// # Errors
    ///
    /// Only if these are not those bytes; the place is relative to the part.
    pub fn read<'b>(&self, original: &'b [u8]) -> Result<Content<'b>, Error> {
        let bytes = original.get(self.content.clone()).unwrap_or_default();
        std::str::from_utf8(bytes)
            .map_err(|error| Stop::new(Fault::BadUtf8, error.valid_up_to()))
            .and_then(read)
            .map_err(|stop| stop.locate(bytes))
    }

    fn with_content(self, original: &'a [u8]) -> Result<Part<'a, Content<'a>>, Error> {
        let content = self.read(original)?;
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
        let Bundle { kind, variant, is_off_box, version, manifest, trend, attachments, logs } = self;
        let fill = |parts: Vec<Part<'a>>| parts.into_iter().map(|part| part.with_content(original)).collect();
        let (attachments, logs): (Result<_, Error>, Result<_, Error>) = (fill(attachments), fill(logs));
        Ok(Bundle { kind, variant, is_off_box, version, manifest, trend, attachments: attachments?, logs: logs? })
    }
}

/// Reads what stands between the tags of a part. White space counts only beside other text.
fn read(fragment: &str) -> Result<Content<'_>, Stop> {
    let mut tokens = Tokens::of_part(fragment);
    let mut text = Text::default();
    let mut is_text = false;
    let mut element = None;
    let mut depth = 0_usize;
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
            Token::Text(_) | Token::Cdata(_) | Token::Char(_) => {}
            Token::End => break,
        }
    }
    match element {
        Some(range) if is_text => Err(Stop::new(Fault::MalformedPart("content"), range.start)),
        Some(range) => Ok(Content::Element(Element(Cow::Borrowed(fragment.get(range).unwrap_or_default())))),
        None if is_text => Ok(Content::Text(text.take())),
        None => Ok(Content::None),
    }
}
