//! Reads XML as it comes, so far as a reply needs to be understood: tags, and the text between them.
//!
//! It holds what it is in the middle of, a tag or a reference, and nothing else. It is no judge of XML: it knows what is
//! open, refuses what would let it run away, and leaves the rest to whoever the document is for.

use memchr::{memchr, memchr2};

/// The longest tag, in bytes.
const TAG_MOST: usize = 64 * 1024;
/// How deep elements may lie in one another.
const DEPTH_MOST: usize = 512;
/// The longest reference, `&` and `;` included.
const REFERENCE_MOST: usize = 12;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::device) enum Token<'a> {
    /// An element is opened: what stands between `<` and `>`, without the `/` of an empty one.
    Open(&'a [u8]),
    /// The element that was opened last is closed.
    Close,
    /// Text, as it is meant: references are resolved. A piece of it may end within a character.
    Text(&'a [u8]),
}

/// Why what comes is not read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScanError(&'static str);

/// Reads on from where it is.
#[derive(Debug, Default)]
pub(in crate::device) struct Scanner {
    state: State,
    held: Vec<u8>,
    /// Hashes of the names of what is open.
    open: Vec<u64>,
    hasher: std::hash::RandomState,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Reference,
    /// Behind `<`: what it is shows.
    Markup,
    /// In a tag; the quote that is open.
    Tag {
        quote: Option<u8>,
    },
    Comment {
        dashes: u8,
    },
    Cdata {
        brackets: u8,
    },
    Instruction {
        is_ending: bool,
    },
}

impl Scanner {
    /// How many elements are open.
    pub(in crate::device) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether it is between elements of which none is open: a document may end here.
    pub(in crate::device) fn is_at_rest(&self) -> bool {
        self.open.is_empty() && self.state == State::Text
    }

    /// Reads on, and tells what it finds.
    ///
    /// # Errors
    /// What comes is no XML, or runs away; or whoever is told does not want more.
    pub(in crate::device) fn read<E: From<ScanError>>(
        &mut self,
        mut input: &[u8],
        tell: &mut impl FnMut(&Self, Token<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !input.is_empty() {
            input = match self.state {
                State::Text => self.text(input, tell)?,
                State::Reference => self.reference(input, tell)?,
                State::Markup => self.markup(input)?,
                State::Tag { quote } => self.tag(quote, input, tell)?,
                State::Comment { dashes } => self.comment(dashes, input),
                State::Cdata { brackets } => self.cdata(brackets, input, tell)?,
                State::Instruction { is_ending } => self.instruction(is_ending, input),
            };
        }
        Ok(())
    }

    fn text<'a, E: From<ScanError>>(
        &mut self,
        input: &'a [u8],
        tell: &mut impl FnMut(&Self, Token<'_>) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        let end = memchr2(b'<', b'&', input).unwrap_or(input.len());
        let (text, rest) = input.split_at(end);
        if !text.is_empty() {
            tell(self, Token::Text(text))?;
        }
        self.held.clear();
        match rest.split_first() {
            Some((b'<', behind)) => {
                self.state = State::Markup;
                Ok(behind)
            }
            // The `&` is held with what follows.
            Some(_) => {
                self.state = State::Reference;
                Ok(rest)
            }
            None => Ok(rest),
        }
    }

    fn reference<'a, E: From<ScanError>>(
        &mut self,
        input: &'a [u8],
        tell: &mut impl FnMut(&Self, Token<'_>) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        let Some((byte, rest)) = input.split_first() else { return Ok(input) };
        self.held.push(*byte);
        if *byte != b';' {
            return match self.held.len() < REFERENCE_MOST {
                true => Ok(rest),
                false => Err(ScanError("a reference is not closed").into()),
            };
        }
        let meant = meant(&self.held).ok_or(ScanError("a reference to something that is not known"))?;
        let mut buffer = [0; 4];
        tell(self, Token::Text(meant.encode_utf8(&mut buffer).as_bytes()))?;
        self.state = State::Text;
        Ok(rest)
    }

    /// Behind `<`: holds what comes until it shows what it is.
    fn markup<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], ScanError> {
        let Some((byte, rest)) = input.split_first() else { return Ok(input) };
        match (self.held.as_slice(), byte) {
            ([], b'?') => self.state = State::Instruction { is_ending: false },
            ([], b'!') | (b"!", b'-' | b'[') => self.held.push(*byte),
            (b"!-", b'-') => self.state = State::Comment { dashes: 0 },
            ([b'!', ..], byte) => {
                self.held.push(*byte);
                if self.held == b"![CDATA[" {
                    self.state = State::Cdata { brackets: 0 };
                } else if !b"![CDATA[".starts_with(&self.held) {
                    // A document type would bring entities along (RFC 6241 section 3).
                    return Err(ScanError("a declaration, which has no place in a message"));
                }
            }
            (_, b'<' | b'>') => return Err(ScanError("a tag without a name")),
            _ => {
                self.state = State::Tag { quote: None };
                return Ok(input);
            }
        }
        Ok(rest)
    }

    fn tag<'a, E: From<ScanError>>(
        &mut self,
        mut quote: Option<u8>,
        input: &'a [u8],
        tell: &mut impl FnMut(&Self, Token<'_>) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        let end = input.iter().position(|byte| match (quote, byte) {
            (None, b'>') => true,
            (None, b'"' | b'\'') => {
                quote = Some(*byte);
                false
            }
            (Some(open), byte) => {
                quote = (open != *byte).then_some(open);
                false
            }
            _ => false,
        });
        let (tag, rest) = input.split_at(end.unwrap_or(input.len()));
        if self.held.len() + tag.len() > TAG_MOST {
            return Err(ScanError("a tag is too long").into());
        }
        self.held.extend_from_slice(tag);
        let Some((_, rest)) = rest.split_first() else {
            self.state = State::Tag { quote };
            return Ok(rest);
        };
        self.state = State::Text;
        let tag = std::mem::take(&mut self.held);
        self.tagged(&tag, tell)?;
        self.held = tag;
        Ok(rest)
    }

    fn tagged<E: From<ScanError>>(
        &mut self,
        tag: &[u8],
        tell: &mut impl FnMut(&Self, Token<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        use std::hash::BuildHasher as _;
        if let Some(name) = tag.strip_prefix(b"/") {
            let known = self.open.last().copied();
            if known != Some(self.hasher.hash_one(name.trim_ascii_end())) {
                return Err(ScanError("an element is closed that was not opened last").into());
            }
            tell(self, Token::Close)?;
            self.open.pop();
            return Ok(());
        }
        let (tag, is_empty) = tag.strip_suffix(b"/").map_or((tag, false), |tag| (tag, true));
        if self.open.len() == DEPTH_MOST {
            return Err(ScanError("too many elements in one another").into());
        }
        self.open.push(self.hasher.hash_one(qualified(tag)));
        tell(self, Token::Open(tag))?;
        if is_empty {
            tell(self, Token::Close)?;
            self.open.pop();
        }
        Ok(())
    }

    fn comment<'a>(&mut self, mut dashes: u8, input: &'a [u8]) -> &'a [u8] {
        let end = input.iter().position(|byte| {
            let is_end = dashes == 2 && *byte == b'>';
            dashes = if *byte == b'-' { (dashes + 1).min(2) } else { 0 };
            is_end
        });
        self.state = if end.is_some() { State::Text } else { State::Comment { dashes } };
        behind(input, end)
    }

    fn instruction<'a>(&mut self, mut is_ending: bool, input: &'a [u8]) -> &'a [u8] {
        let end = input.iter().position(|byte| {
            let is_end = is_ending && *byte == b'>';
            is_ending = *byte == b'?';
            is_end
        });
        self.state = if end.is_some() { State::Text } else { State::Instruction { is_ending } };
        behind(input, end)
    }

    fn cdata<'a, E: From<ScanError>>(
        &mut self,
        brackets: u8,
        input: &'a [u8],
        tell: &mut impl FnMut(&Self, Token<'_>) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        let Some((byte, rest)) = input.split_first() else { return Ok(input) };
        match (brackets, byte) {
            (0, _) => {
                let (text, rest) = input.split_at(memchr(b']', input).unwrap_or(input.len()));
                if !text.is_empty() {
                    tell(self, Token::Text(text))?;
                }
                self.state = State::Cdata { brackets: u8::from(!rest.is_empty()) };
                Ok(rest.get(1..).unwrap_or_default())
            }
            (1, b']') => {
                self.state = State::Cdata { brackets: 2 };
                Ok(rest)
            }
            (2, b']') => {
                tell(self, Token::Text(b"]"))?;
                Ok(rest)
            }
            (2, b'>') => {
                self.state = State::Text;
                Ok(rest)
            }
            (held, _) => {
                self.state = State::Cdata { brackets: 0 };
                tell(self, Token::Text(if held == 1 { b"]" } else { b"]]" }))?;
                Ok(input)
            }
        }
    }
}

fn behind(input: &[u8], end: Option<usize>) -> &[u8] {
    end.and_then(|end| input.get(end + 1..)).unwrap_or_default()
}

/// The character that a reference means.
fn meant(reference: &[u8]) -> Option<char> {
    let name = reference.strip_prefix(b"&")?.strip_suffix(b";")?;
    match name {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => {
            let number = std::str::from_utf8(name.strip_prefix(b"#")?).ok()?;
            let number = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(number.ok()?).filter(|c| *c != '\0')
        }
    }
}

/// The name of a tag, with its prefix.
pub(in crate::device) fn qualified(tag: &[u8]) -> &[u8] {
    let end = tag.iter().position(u8::is_ascii_whitespace).unwrap_or(tag.len());
    tag.get(..end).unwrap_or_default()
}

/// The name of a tag, without its prefix.
pub(in crate::device) fn local(tag: &[u8]) -> &[u8] {
    let name = qualified(tag);
    let prefix = memchr(b':', name).map_or(0, |at| at + 1);
    name.get(prefix..).unwrap_or_default()
}

/// The value of an attribute that has no prefix, with its references resolved; none where there is none, or where it is
/// no text.
pub(in crate::device) fn attribute(tag: &[u8], name: &str) -> Option<String> {
    let mut rest = std::str::from_utf8(tag.get(qualified(tag).len()..)?).ok()?;
    loop {
        let (key, behind) = rest.split_once('=')?;
        let behind = behind.trim_ascii_start();
        let quote = behind.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, behind) = behind.get(1..)?.split_once(quote)?;
        if key.trim_ascii() == name {
            return unescaped(value);
        }
        rest = behind;
    }
}

fn unescaped(value: &str) -> Option<String> {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        let (before, behind) = rest.split_at(at);
        let (reference, behind) = behind.split_at(behind.find(';')? + 1);
        text.push_str(before);
        text.push(meant(reference.as_bytes())?);
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

/// Text as it may stand in XML, in an attribute too.
pub(in crate::device) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    out
}
