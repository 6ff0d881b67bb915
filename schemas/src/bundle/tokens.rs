//! XML as a stream of checked tokens: quick-xml finds the markup, this file holds it to XML 1.0.
//!
//! quick-xml matches the tags and finds their ends. It leaves names, attributes, references,
//! `]]>`, the XML declaration and the single root to its user: they are checked here. Comments and
//! processing instructions pass silently, document types not at all. Nothing is copied.

use std::io::BufRead;

use quick_xml::errors::{Error as XmlError, IllFormedError, SyntaxError};
use quick_xml::{Reader, events::Event};

use super::attributes::{self, Attribute};
use super::bounds;
use super::error::Stop;
use super::fault::{Bound, Fault, Flaw, word};
use super::text;

/// One piece of a document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    /// A start tag at this place.
    Open { name: &'a str, at: usize },
    /// The end tag at this place, or the end of an empty element.
    Close { at: usize },
    /// Text as it stands, without references.
    Text(&'a str),
    /// What a reference means.
    Char(char),
    /// The inside of a CDATA section.
    Cdata(&'a str),
    /// The end of the document.
    End,
}

/// Reads tokens from a text without byte order mark whose characters are all allowed.
pub(super) struct Tokens<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// Places of the open elements' start tags.
    open: Vec<usize>,
    /// The last start tag was that of an empty element.
    is_empty_open: bool,
    /// The root element is complete.
    is_over: bool,
    attributes: Vec<Attribute<'a>>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        Self { text, reader, open: Vec::new(), is_empty_open: false, is_over: false, attributes: Vec::new() }
    }

    /// The attribute `name` of the last start tag.
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The byte behind the last token.
    pub(super) fn position(&self) -> usize {
        self.text.len() - self.reader.get_ref().len()
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Stop> {
        if self.is_empty_open {
            self.is_empty_open = false;
            return Ok(self.close(self.position()));
        }
        loop {
            let at = self.position();
            let rest = self.text.get(at..).unwrap_or_default();
            let token = match rest.as_bytes().first() {
                None => return self.end(at),
                Some(b'<') => self.markup(rest, at)?,
                Some(_) if self.open.is_empty() => self.outside(rest, at)?,
                Some(b'&') => Some(self.reference(rest, at)?),
                Some(_) => Some(Token::Text(self.characters(rest, at)?)),
            };
            if let Some(token) = token {
                return Ok(token);
            }
        }
    }

    fn end(&self, at: usize) -> Result<Token<'a>, Stop> {
        if self.is_over { Ok(Token::End) } else { Err(self.truncated(at)) }
    }

    /// The text ends too early.
    fn truncated(&self, at: usize) -> Stop {
        let name = self.open.last().map(|start| {
            let tag = self.text.get(start + 1..).unwrap_or_default();
            let end = tag.bytes().position(|b| text::is_space(b) || matches!(b, b'>' | b'/'));
            word(tag.get(..end.unwrap_or(tag.len())).unwrap_or_default())
        });
        Stop::new(Fault::Truncated(name), at)
    }

    fn consume(&mut self, length: usize) {
        self.reader.stream().consume(length);
    }

    /// Text up to the next markup or reference.
    fn characters(&mut self, rest: &'a str, at: usize) -> Result<&'a str, Stop> {
        let bytes = rest.as_bytes();
        let mut length = 0;
        loop {
            let tail = bytes.get(length..).unwrap_or_default();
            match tail.iter().position(|b| matches!(b, b'<' | b'&' | b'>')) {
                None => {
                    length = bytes.len();
                    break;
                }
                Some(offset) if tail.get(offset) == Some(&b'>') => {
                    length += offset;
                    if bytes.get(..length).is_some_and(|before| before.ends_with(b"]]")) {
                        return Err(Stop::new(Fault::NotWellFormed(Flaw::CdataEnd), at + length - 2));
                    }
                    length += 1;
                }
                Some(offset) => {
                    length += offset;
                    break;
                }
            }
        }
        self.consume(length);
        Ok(rest.get(..length).unwrap_or_default())
    }

    fn reference(&mut self, rest: &'a str, at: usize) -> Result<Token<'a>, Stop> {
        let (c, length) = text::reference(rest, at).map_err(|stop| match stop.fault {
            Fault::Truncated(_) => self.truncated(stop.at),
            _ => stop,
        })?;
        self.consume(length);
        Ok(Token::Char(c))
    }

    /// Outside the root only white space may stand between the markup.
    fn outside(&mut self, rest: &'a str, at: usize) -> Result<Option<Token<'a>>, Stop> {
        let spaces = rest.bytes().take_while(|b| text::is_space(*b)).count();
        if spaces == 0 {
            return Err(self.misplaced(at));
        }
        self.consume(spaces);
        Ok(None)
    }

    /// What may not stand outside the root.
    fn misplaced(&self, at: usize) -> Stop {
        let fault = if self.is_over { Fault::TrailingContent } else { Fault::NotWellFormed(Flaw::LeadingText) };
        Stop::new(fault, at)
    }

    /// What begins with `<`. `None` for comments, processing instructions and the XML declaration.
    fn markup(&mut self, rest: &'a str, at: usize) -> Result<Option<Token<'a>>, Stop> {
        match rest.as_bytes().get(1) {
            Some(b'!') => self.check_declaration(rest, at)?,
            Some(b'?') => {}
            _ if self.is_over => return Err(Stop::new(Fault::TrailingContent, at)),
            _ => {}
        }
        let event = self.reader.read_event().map_err(|error| self.refuse(error, rest, at))?;
        let whole = rest.get(..self.position() - at).unwrap_or_default();
        match event {
            Event::Start(tag) => self.open(whole, tag.name().0.len(), at).map(Some),
            Event::Empty(tag) => {
                self.is_empty_open = true;
                self.open(whole, tag.name().0.len(), at).map(Some)
            }
            Event::End(_) => Ok(Some(self.close(at))),
            Event::CData(_) if self.open.is_empty() => Err(self.misplaced(at)),
            Event::CData(_) => Ok(Some(Token::Cdata(inside(whole, "<![CDATA[", "]]>")))),
            Event::Comment(_) => Ok(None),
            Event::PI(instruction) => {
                let target = instruction.target();
                let is_target = text::is_name(target) && !target.eq_ignore_ascii_case("xml");
                is_target.then_some(None).ok_or_else(|| Stop::new(Fault::NotWellFormed(Flaw::Instruction), at))
            }
            Event::Decl(_) => self.check_xml_declaration(inside(whole, "<?xml", "?>"), at).map(|()| None),
            Event::DocType(_) => Err(Stop::new(Fault::Dtd, at)),
            Event::Text(_) | Event::GeneralRef(_) | Event::Eof => Err(Stop::new(Fault::NotWellFormed(Flaw::Other), at)),
        }
    }

    /// A start tag, `whole` with its brackets.
    fn open(&mut self, whole: &'a str, name_length: usize, at: usize) -> Result<Token<'a>, Stop> {
        let tag = inside(whole, "<", if self.is_empty_open { "/>" } else { ">" });
        let (name, attributes) = tag.split_at_checked(name_length).unwrap_or((tag, ""));
        if !text::is_name(name) {
            return Err(Stop::new(Fault::NotWellFormed(Flaw::Name(word(name))), at));
        }
        if self.open.len() == bounds::DEPTH {
            return Err(Stop::new(Fault::BoundExceeded(Bound::Depth), at));
        }
        self.attributes.clear();
        if !attributes.is_empty() {
            attributes::read(attributes, at + 1 + name_length, name, &mut self.attributes)?;
        }
        self.open.push(at);
        Ok(Token::Open { name, at })
    }

    fn close(&mut self, at: usize) -> Token<'a> {
        self.open.pop();
        self.is_over = self.open.is_empty();
        Token::Close { at }
    }

    /// Lets pass comments and, inside the root, CDATA sections.
    fn check_declaration(&self, rest: &str, at: usize) -> Result<(), Stop> {
        if rest.starts_with("<!--") || (rest.starts_with("<![CDATA[") && !self.is_over) {
            return Ok(());
        }
        if rest.as_bytes().get(..3).is_some_and(|head| head.eq_ignore_ascii_case(b"<!D")) {
            return Err(Stop::new(Fault::Dtd, at));
        }
        if "<!--".starts_with(rest) || "<![CDATA[".starts_with(rest) {
            return Err(self.truncated(at + rest.len()));
        }
        let fault = if self.is_over { Fault::TrailingContent } else { Fault::NotWellFormed(Flaw::Declaration) };
        Err(Stop::new(fault, at))
    }

    /// Productions 23 to 26, 32 and 80: at the very start, version 1.x, UTF-8.
    fn check_xml_declaration(&self, inside: &'a str, at: usize) -> Result<(), Stop> {
        let flaw = |flaw| Stop::new(Fault::NotWellFormed(flaw), at);
        if at > 0 {
            return Err(flaw(Flaw::LateXmlDeclaration));
        }
        let mut list = Vec::new();
        attributes::read(inside, at + "<?xml".len(), "?xml", &mut list)?;
        let mut list = list.into_iter().peekable();
        let is_version = |value: &str| {
            value.strip_prefix("1.").is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()))
        };
        if !list.next().is_some_and(|first| first.name == "version" && is_version(&first.value())) {
            return Err(flaw(Flaw::XmlDeclaration));
        }
        if let Some(encoding) = list.next_if(|next| next.name == "encoding")
            && !encoding.value().eq_ignore_ascii_case("UTF-8")
        {
            return Err(Stop::new(Fault::WrongEncoding(word(&encoding.value())), encoding.at));
        }
        list.next_if(|next| next.name == "standalone" && matches!(&*next.value(), "yes" | "no"));
        list.next().map_or(Ok(()), |_| Err(flaw(Flaw::XmlDeclaration)))
    }

    /// Says in our words what quick-xml found in `rest`.
    fn refuse(&self, error: XmlError, rest: &str, at: usize) -> Stop {
        let flaw = match error {
            XmlError::Syntax(SyntaxError::UnclosedDoctype) => return Stop::new(Fault::Dtd, at),
            XmlError::Syntax(
                SyntaxError::UnclosedTag
                | SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) if rest.bytes().skip(1).any(|b| b == b'<') => Flaw::OpenTag,
            XmlError::Syntax(SyntaxError::InvalidBangMarkup) => Flaw::Declaration,
            XmlError::Syntax(_) => return self.truncated(at + rest.len()),
            XmlError::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
                Flaw::MismatchedEndTag { expected: word(&expected), found: word(&found) }
            }
            XmlError::IllFormed(IllFormedError::UnmatchedEndTag(found)) => Flaw::StrayEndTag(word(&found)),
            XmlError::IllFormed(IllFormedError::DoubleHyphenInComment) => Flaw::Comment,
            _ => Flaw::Other,
        };
        Stop::new(Fault::NotWellFormed(flaw), at)
    }
}

/// What stands between two marks.
fn inside<'a>(whole: &'a str, before: &str, behind: &str) -> &'a str {
    whole.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind)).unwrap_or_default()
}
