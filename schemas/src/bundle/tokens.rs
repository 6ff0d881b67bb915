//! XML as a stream of checked tokens.
//!
//! Plain tags, `<name>` and `</name>`, are nine of ten in a bundle and are read here, at a fifth of
//! the price of a reader's event; quick-xml reads all other markup. It matches tags and finds their
//! ends, and leaves names, attributes, references, `]]>`, the XML declaration and the single root
//! to its user: they are checked here. Comments and processing instructions pass silently, document
//! types not at all. Nothing is copied.

use std::io::BufRead;

use quick_xml::errors::{Error as XmlError, IllFormedError, SyntaxError};
use quick_xml::{Reader, events::Event};

use super::attributes::{self, Attribute};
use super::bounds;
use super::error::Stop;
use super::fault::{Bound, Fault, Flaw, word};
use super::scan;
use super::text;

/// How many elements are open around what stands in a part: the root, its section, and the part.
const AROUND_PART: usize = 3;

/// One piece of a document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    /// A start tag at this place, its name without prefix.
    Open { name: &'a str, at: usize },
    /// The end tag at this place, or the end of an empty element.
    Close { at: usize },
    /// Text as it stands, without references.
    Text(&'a str),
    /// What a reference means.
    Char(char),
    /// A reference to a character that XML forbids, and its place. Only where [`Tokens::leniently`] is read.
    Forbidden { code: u32, at: usize },
    /// The inside of a CDATA section.
    Cdata(&'a str),
    /// The end of the document.
    End,
}

/// Reads tokens from a text without byte order mark whose characters are all allowed.
pub(super) struct Tokens<'a> {
    text: &'a str,
    /// The byte behind the last token. INVARIANT (two readers, one place): the same as quick-xml's.
    at: usize,
    reader: Reader<&'a [u8]>,
    open: Vec<Element<'a>>,
    /// The last start tag was that of an empty element.
    is_empty_open: bool,
    /// The root element is complete.
    is_over: bool,
    /// Whoever reads decides what references to forbidden characters come to, and has looked at the declared encoding.
    is_lenient: bool,
    /// The text is what stands within a part, and is over where nothing of it is open.
    is_part: bool,
    /// The XML declaration says another version than 1.0.
    has_other_version: bool,
    /// Some processing instruction's target has a colon, as no name of a namespace's may have it.
    has_odd_target: bool,
    attributes: Vec<Attribute<'a>>,
}

/// An open element.
struct Element<'a> {
    /// With its prefix.
    name: &'a str,
    /// Its start tag was read here. INVARIANT (who opens closes): quick-xml sees the end tags of the
    /// elements that it saw opened and of no others, so that its own stack stays right.
    is_plain: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        Self {
            text,
            at: 0,
            reader,
            open: Vec::with_capacity(8),
            is_empty_open: false,
            is_over: false,
            is_lenient: false,
            is_part: false,
            has_other_version: false,
            has_odd_target: false,
            attributes: Vec::new(),
        }
    }

    /// Leaves to whoever reads what references to forbidden characters come to, and the declared encoding.
    pub(super) fn leniently(text: &'a str) -> Self {
        Self { is_lenient: true, ..Self::new(text) }
    }

    /// Reads what stands between the tags of a part. The reading is over where the text is, be there a [`Token::End`] or none:
    /// there is one behind a comment or a processing instruction.
    pub(super) fn of_part(text: &'a str) -> Self {
        let mut tokens = Self::new(text);
        // Stand for root, section and part, which quick-xml does not see.
        tokens.open.extend([""; AROUND_PART].map(|name| Element { name, is_plain: false }));
        tokens.is_part = true;
        tokens
    }

    /// As [`Self::of_read_part`], up to [`Edition::Second`](super::Edition::Second): it ends with no comment and no processing
    /// instruction.
    pub(super) fn of_early_part(text: &'a str) -> Self {
        Self { is_part: false, ..Self::of_read_part(text) }
    }

    /// Reads what stands between the tags of a part of a bundle that was read, leniently.
    pub(super) fn of_read_part(text: &'a str) -> Self {
        Self { is_lenient: true, ..Self::of_part(text) }
    }

    /// The attribute `name` of the last start tag.
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The attributes of the last start tag.
    pub(super) fn attributes(&self) -> &[Attribute<'a>] {
        &self.attributes
    }

    /// The name of the innermost open element, with its prefix.
    pub(super) fn qualified(&self) -> &'a str {
        self.open.last().map_or("", |element| element.name)
    }

    /// Whether the XML declaration says another version than 1.0.
    pub(super) fn has_other_version(&self) -> bool {
        self.has_other_version
    }

    /// Whether a processing instruction that came has a target with a colon.
    pub(super) fn has_odd_target(&self) -> bool {
        self.has_odd_target
    }

    /// The byte behind the last token.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Stop> {
        if self.is_empty_open {
            self.is_empty_open = false;
            return Ok(self.close(self.at));
        }
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let token = match rest.as_bytes() {
                [] => return self.end(),
                [b'<', b'/', ..] if self.open.last().is_some_and(|element| element.is_plain) => {
                    Some(self.plain_end(rest)?)
                }
                [b'<', ..] => match self.plain_start(rest)? {
                    Some(token) => Some(token),
                    None => self.markup(rest)?,
                },
                _ if self.open.is_empty() => self.outside(rest)?,
                [b'&', ..] => Some(self.reference(rest)?),
                _ => Some(Token::Text(self.characters(rest)?)),
            };
            if let Some(token) = token {
                return Ok(token);
            }
        }
    }

    fn end(&self) -> Result<Token<'a>, Stop> {
        let is_over = self.is_over || self.is_part && self.open.len() == AROUND_PART;
        if is_over { Ok(Token::End) } else { Err(self.truncated()) }
    }

    /// The text ends too early.
    fn truncated(&self) -> Stop {
        let open = self.open.last().filter(|element| !element.name.is_empty());
        Stop::new(Fault::Truncated(open.map(|element| word(element.name))), self.text.len())
    }

    /// A flaw at the current place.
    fn flaw(&self, flaw: Flaw) -> Stop {
        Stop::new(Fault::NotWellFormed(flaw), self.at)
    }

    fn consume(&mut self, length: usize) {
        self.reader.stream().consume(length);
        self.at += length;
    }

    /// A start tag without attributes, whose name is ASCII.
    fn plain_start(&mut self, rest: &'a str) -> Result<Option<Token<'a>>, Stop> {
        let (_, tag) = rest.split_at_checked(1).unwrap_or_default();
        let length = tag.bytes().take_while(|b| text::is_ascii_name(*b)).count();
        if tag.as_bytes().get(length) != Some(&b'>')
            || !tag.as_bytes().first().is_some_and(|b| text::is_ascii_name_start(*b))
        {
            return Ok(None);
        }
        if self.is_over {
            return Err(Stop::new(Fault::TrailingContent, self.at));
        }
        let name = tag.get(..length).unwrap_or_default();
        let at = self.at;
        self.attributes.clear();
        self.push(Element { name, is_plain: true })?;
        self.consume(length + 2);
        Ok(Some(Token::Open { name: text::local(name), at }))
    }

    /// The end tag of an element that [`Self::plain_start`] opened.
    fn plain_end(&mut self, rest: &'a str) -> Result<Token<'a>, Stop> {
        let tag = rest.get(2..).unwrap_or_default();
        let expected = self.open.last().map_or("", |element| element.name);
        let length = match tag.strip_prefix(expected).map(str::as_bytes) {
            Some([b'>', ..]) => expected.len(),
            _ => {
                let Some(length) = tag.bytes().position(|b| matches!(b, b'>' | b'<')) else {
                    return Err(self.truncated());
                };
                let found = tag.get(..length).unwrap_or_default().trim_end_matches(text::SPACE);
                if tag.as_bytes().get(length) == Some(&b'<') {
                    return Err(self.flaw(Flaw::OpenTag));
                }
                if found != expected {
                    return Err(self.flaw(Flaw::MismatchedEndTag { expected: word(expected), found: word(found) }));
                }
                length
            }
        };
        let at = self.at;
        self.consume(length + 3);
        Ok(self.close(at))
    }

    /// Text up to the next markup or reference.
    fn characters(&mut self, rest: &'a str) -> Result<&'a str, Stop> {
        let bytes = rest.as_bytes();
        let mut length = 0;
        while let Some(offset) = scan::find_markup(bytes.get(length..).unwrap_or_default()) {
            length += offset;
            if bytes.get(length) != Some(&b'>') {
                let piece = rest.get(..length).unwrap_or_default();
                self.consume(length);
                return Ok(piece);
            }
            if bytes.get(..length).is_some_and(|before| before.ends_with(b"]]")) {
                return Err(Stop::new(Fault::NotWellFormed(Flaw::CdataEnd), self.at + length - 2));
            }
            length += 1;
        }
        self.consume(bytes.len());
        Ok(rest)
    }

    fn reference(&mut self, rest: &'a str) -> Result<Token<'a>, Stop> {
        let at = self.at;
        let (token, length) = match text::reference(rest, at) {
            Ok((c, length)) => (Token::Char(c), length),
            Err(stop) => match (&*stop.fault, rest.bytes().position(|b| b == b';')) {
                (Fault::Truncated(_), _) => return Err(self.truncated()),
                (Fault::ControlCharacter(code), Some(last)) if self.is_lenient => {
                    (Token::Forbidden { code: *code, at }, last + 1)
                }
                _ => return Err(stop),
            },
        };
        self.consume(length);
        Ok(token)
    }

    /// Outside the root only white space may stand between the markup.
    fn outside(&mut self, rest: &'a str) -> Result<Option<Token<'a>>, Stop> {
        let spaces = rest.bytes().take_while(|b| text::is_space(*b)).count();
        if spaces == 0 {
            return Err(self.misplaced());
        }
        self.consume(spaces);
        Ok(None)
    }

    /// What may not stand outside the root.
    fn misplaced(&self) -> Stop {
        if self.is_over { Stop::new(Fault::TrailingContent, self.at) } else { self.flaw(Flaw::LeadingText) }
    }

    /// What begins with `<` and is no plain tag. `None` for comments, processing instructions and
    /// the XML declaration.
    fn markup(&mut self, rest: &'a str) -> Result<Option<Token<'a>>, Stop> {
        match rest.as_bytes().get(1) {
            Some(b'!') => self.check_declaration(rest)?,
            Some(b'?') => {}
            _ if self.is_over => return Err(Stop::new(Fault::TrailingContent, self.at)),
            _ => {}
        }
        let event = self.reader.read_event().map_err(|error| self.refuse(error, rest))?;
        let length = rest.len() - self.reader.get_ref().len();
        let whole = rest.get(..length).unwrap_or_default();
        let token = match event {
            Event::Start(tag) => Some(self.open(whole, tag.name().0.len())?),
            Event::Empty(tag) => {
                self.is_empty_open = true;
                Some(self.open(whole, tag.name().0.len())?)
            }
            Event::End(_) => Some(self.close(self.at)),
            Event::CData(_) if self.open.is_empty() => return Err(self.misplaced()),
            Event::CData(_) => Some(Token::Cdata(inside(whole, "<![CDATA[", "]]>"))),
            Event::Comment(_) => None,
            Event::PI(instruction) if is_target(instruction.target()) => {
                self.has_odd_target |= instruction.target().contains(':');
                None
            }
            Event::PI(_) => return Err(self.flaw(Flaw::Instruction)),
            Event::Decl(_) => {
                self.check_xml_declaration(inside(whole, "<?xml", "?>"))?;
                None
            }
            Event::DocType(_) => return Err(Stop::new(Fault::Dtd, self.at)),
            Event::Text(_) | Event::GeneralRef(_) | Event::Eof => return Err(self.flaw(Flaw::Other)),
        };
        self.at += length;
        Ok(token)
    }

    /// A start tag, `whole` with its brackets.
    fn open(&mut self, whole: &'a str, name_length: usize) -> Result<Token<'a>, Stop> {
        let at = self.at;
        let tag = inside(whole, "<", if self.is_empty_open { "/>" } else { ">" });
        let (name, attributes) = tag.split_at_checked(name_length).unwrap_or((tag, ""));
        if !text::is_name(name) {
            return Err(self.flaw(Flaw::Name(word(name))));
        }
        self.push(Element { name, is_plain: false })?;
        self.attributes.clear();
        attributes::read(attributes, at + 1 + name_length, name, &mut self.attributes)?;
        Ok(Token::Open { name: text::local(name), at })
    }

    fn push(&mut self, element: Element<'a>) -> Result<(), Stop> {
        if self.open.len() == bounds::DEPTH {
            return Err(Stop::new(Fault::BoundExceeded(Bound::Depth), self.at));
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self, at: usize) -> Token<'a> {
        self.open.pop();
        self.is_over = self.open.is_empty();
        Token::Close { at }
    }

    /// Lets pass comments and, inside the root, CDATA sections.
    fn check_declaration(&self, rest: &str) -> Result<(), Stop> {
        if rest.starts_with("<!--") || (rest.starts_with("<![CDATA[") && !self.is_over) {
            return Ok(());
        }
        if rest.as_bytes().get(..3).is_some_and(|head| head.eq_ignore_ascii_case(b"<!D")) {
            return Err(Stop::new(Fault::Dtd, self.at));
        }
        if "<!--".starts_with(rest) || "<![CDATA[".starts_with(rest) {
            return Err(self.truncated());
        }
        if self.is_over { Err(self.misplaced()) } else { Err(self.flaw(Flaw::Declaration)) }
    }

    /// Productions 23 to 26, 32 and 80: at the very start, version 1.x, and UTF-8 unless that was looked at.
    fn check_xml_declaration(&mut self, inside: &'a str) -> Result<(), Stop> {
        if self.at > 0 {
            return Err(self.flaw(Flaw::LateXmlDeclaration));
        }
        let mut list = Vec::new();
        attributes::read(inside, "<?xml".len(), "?xml", &mut list)?;
        let mut list = list.into_iter().peekable();
        let is_version = |value: &str| {
            value.strip_prefix("1.").is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()))
        };
        let version = list.next().filter(|first| first.name == "version").map(|first| first.value());
        let Some(version) = version.filter(|version| is_version(version)) else {
            return Err(self.flaw(Flaw::XmlDeclaration));
        };
        self.has_other_version = version != "1.0";
        if let Some(encoding) = list.next_if(|next| next.name == "encoding")
            && !self.is_lenient
            && !encoding.value().eq_ignore_ascii_case("UTF-8")
        {
            return Err(Stop::new(Fault::WrongEncoding(word(&encoding.value())), encoding.at));
        }
        list.next_if(|next| next.name == "standalone" && matches!(&*next.value(), "yes" | "no"));
        list.next().map_or(Ok(()), |_| Err(self.flaw(Flaw::XmlDeclaration)))
    }

    /// Says in our words what quick-xml found in `rest`.
    fn refuse(&self, error: XmlError, rest: &str) -> Stop {
        let flaw = match error {
            XmlError::Syntax(SyntaxError::UnclosedDoctype) => return Stop::new(Fault::Dtd, self.at),
            XmlError::Syntax(
                SyntaxError::UnclosedTag
                | SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) if rest.bytes().skip(1).any(|b| b == b'<') => Flaw::OpenTag,
            XmlError::Syntax(SyntaxError::InvalidBangMarkup) => Flaw::Declaration,
            XmlError::Syntax(_) => return self.truncated(),
            XmlError::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
                Flaw::MismatchedEndTag { expected: word(&expected), found: word(&found) }
            }
            XmlError::IllFormed(IllFormedError::UnmatchedEndTag(found)) => Flaw::StrayEndTag(word(&found)),
            XmlError::IllFormed(IllFormedError::DoubleHyphenInComment) => Flaw::Comment,
            _ => Flaw::Other,
        };
        self.flaw(flaw)
    }
}

/// Whether a processing instruction may have this target (production 17).
fn is_target(target: &str) -> bool {
    text::is_name(target) && !target.eq_ignore_ascii_case("xml")
}

/// What stands between two marks.
fn inside<'a>(whole: &'a str, before: &str, behind: &str) -> &'a str {
    whole.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind)).unwrap_or_default()
}
