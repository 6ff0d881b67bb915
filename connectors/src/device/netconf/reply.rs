//! What is understood of a message while it passes: whose reply it is, what is wrong, the text of one element.

use super::fault::{Error, RpcError, Severity};
use super::scan::{Scanner, Token, attribute, escaped, local, qualified};

/// How many errors and how many warnings of a reply are kept; the first ones.
pub(super) const FAULTS_MOST: usize = 256;
/// How much of a field of an error is kept, in bytes.
const FIELD_MOST: usize = 16 * 1024;
/// How much the greeting of a device may have, in bytes.
pub(super) const HELLO_MOST: u64 = 4 * 1024 * 1024;

/// Elements in which faults are told: the reply itself, and what Junos puts in between. What lies in data is data.
const CONTAINERS: [&[u8]; 6] = [
    b"rpc-reply",
    b"load-configuration-results",
    b"commit-results",
    b"routing-engine",
    b"multi-routing-engine-results",
    b"multi-routing-engine-item",
];

/// What of a reply goes into the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The document as it came, from its first byte to its last: `<rpc-reply ...>...</rpc-reply>`.
    Document,
    /// The text within the elements of this name, whatever their prefix, with references resolved.
    TextOf(&'static str),
    /// All text that is not of faults, with references resolved: what a command tells, wherever it stands.
    Text,
}

/// How a request was answered that the device did not refuse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Whether the device said `<ok/>`.
    pub is_ok: bool,
    /// Whether it said anything: there is an element in the reply beside what it warns of.
    pub has_answer: bool,
    /// Whether the element was there whose text is wanted.
    pub has_part: bool,
    /// What it warns of.
    pub warnings: Vec<RpcError>,
    /// How many bytes the reply had.
    pub bytes: u64,
}

/// A reply that passes.
#[derive(Debug)]
pub(super) struct Passing {
    scanner: Scanner,
    found: Found,
}

#[derive(Debug)]
struct Found {
    part: Part,
    message_id: Option<String>,
    has_root: bool,
    is_ok: bool,
    has_answer: bool,
    has_part: bool,
    /// How many of the outermost open elements are containers.
    containers: usize,
    /// At which depth the element begins whose text is wanted.
    wanted: Option<usize>,
    fault: Option<Fault>,
    errors: Vec<RpcError>,
    warnings: Vec<RpcError>,
}

/// A fault that is being told.
#[derive(Debug)]
struct Fault {
    /// The depth of its element.
    depth: usize,
    field: Field,
    text: Vec<u8>,
    /// The names of what is open in `error-info`.
    open: Vec<Vec<u8>>,
    error: RpcError,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    None,
    Kind,
    Tag,
    Severity,
    AppTag,
    Path,
    Message,
    Info,
}

impl Passing {
    pub(super) fn new(part: Part) -> Self {
        let found = Found {
            part,
            message_id: None,
            has_root: false,
            is_ok: false,
            has_answer: false,
            has_part: false,
            containers: 0,
            wanted: None,
            fault: None,
            errors: Vec::new(),
            warnings: Vec::new(),
        };
        Self { scanner: Scanner::default(), found }
    }

    /// Takes the next bytes of the message; what of them is for the sink goes behind `out`.
    pub(super) fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if self.found.part == Part::Document {
            out.extend_from_slice(bytes);
        }
        let found = &mut self.found;
        self.scanner.read(bytes, &mut |scanner: &Scanner, token| found.token(scanner.depth(), token, out))
    }

    /// What it was, at the end of the message.
    pub(super) fn end(self, expected: u64, bytes: u64) -> Result<Reply, Error> {
        let Found { message_id, has_root, is_ok, has_answer, has_part, errors, warnings, .. } = self.found;
        if !has_root || !self.scanner.is_at_rest() {
            return Err(Error::Garbled("a reply that is not whole"));
        }
        match message_id {
            Some(id) if id == expected.to_string() => {}
            // Where the request could not be read, its number is not known (RFC 6241 section 4.3).
            None if !errors.is_empty() => {}
            other => {
                let came = crate::text::excerpt(other.as_deref().unwrap_or("none"), 40);
                return Err(Error::Mismatched { expected, came });
            }
        }
        match errors.is_empty() {
            true => Ok(Reply { is_ok, has_answer, has_part, warnings, bytes }),
            false => Err(Error::Refused { errors, warnings }),
        }
    }
}

impl Found {
    fn token(&mut self, depth: usize, token: Token<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Some(fault) = &mut self.fault {
            if fault.token(depth, token) {
                self.told();
            }
            return Ok(());
        }
        match token {
            Token::Open(tag) => self.open(depth, tag),
            Token::Close => {
                self.containers = self.containers.min(depth - 1);
                if self.wanted == Some(depth) {
                    self.wanted = None;
                }
                Ok(())
            }
            Token::Text(text) if depth == 0 && !text.trim_ascii().is_empty() => {
                Err(Error::Garbled("text beside the document"))
            }
            Token::Text(text) => {
                if self.wanted.is_some() {
                    out.extend_from_slice(text);
                }
                Ok(())
            }
        }
    }

    fn open(&mut self, depth: usize, tag: &[u8]) -> Result<(), Error> {
        let name = local(tag);
        if depth == 1 {
            if self.has_root || name != b"rpc-reply" {
                return Err(Error::Garbled("a message that is no reply"));
            }
            self.has_root = true;
            self.message_id = attribute(tag, "message-id");
            self.wanted = (self.part == Part::Text).then_some(depth);
        }
        if self.containers == depth - 1 {
            match name {
                b"rpc-error" => self.fault = Some(Fault::new(depth)),
                b"ok" => self.is_ok = true,
                name if CONTAINERS.contains(&name) => self.containers = depth,
                _ => {}
            }
        }
        self.has_answer |= depth == 2 && self.fault.is_none();
        if let Part::TextOf(wanted) = self.part
            && self.wanted.is_none()
            && self.fault.is_none()
            && name == wanted.as_bytes()
        {
            self.wanted = Some(depth);
            self.has_part = true;
        }
        Ok(())
    }

    fn told(&mut self) {
        let Some(fault) = self.fault.take() else { return };
        let kept = match fault.error.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if kept.len() < FAULTS_MOST {
            kept.push(fault.error);
        }
    }
}

impl Fault {
    fn new(depth: usize) -> Self {
        let (field, text, open) = (Field::None, Vec::new(), Vec::new());
        Self { depth, field, text, open, error: RpcError::default() }
    }

    /// Takes a token in; whether the fault is told to its end.
    fn token(&mut self, depth: usize, token: Token<'_>) -> bool {
        let inside = depth - self.depth;
        match token {
            Token::Close if inside == 0 => return true,
            Token::Open(tag) if inside == 1 => {
                self.text.clear();
                self.field = match local(tag) {
                    b"error-type" => Field::Kind,
                    b"error-tag" => Field::Tag,
                    b"error-severity" => Field::Severity,
                    b"error-app-tag" => Field::AppTag,
                    b"error-path" => Field::Path,
                    b"error-message" => Field::Message,
                    b"error-info" => Field::Info,
                    _ => Field::None,
                };
            }
            Token::Close if inside == 1 => self.keep(),
            Token::Open(tag) if self.field == Field::Info => {
                self.open.push(qualified(tag).to_vec());
                self.add(&[b"<", tag, b">"].concat());
            }
            Token::Close if self.field == Field::Info => {
                let name = self.open.pop().unwrap_or_default();
                self.add(&[b"</", name.as_slice(), b">"].concat());
            }
            Token::Text(text) if self.field == Field::Info => {
                // Pieces may end within a character: what is markup is one byte each.
                for byte in text {
                    match byte {
                        b'<' | b'>' | b'&' => self.add(escaped(&char::from(*byte).to_string()).as_bytes()),
                        byte => self.add(&[*byte]),
                    }
                }
            }
            Token::Text(text) if inside >= 1 => self.add(text),
            _ => {}
        }
        false
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.field != Field::None {
            let room = FIELD_MOST.saturating_sub(self.text.len());
            self.text.extend(bytes.iter().take(room));
        }
    }

    fn keep(&mut self) {
        let text = String::from_utf8_lossy(&self.text).trim().to_owned();
        let error = &mut self.error;
        match self.field {
            Field::None => {}
            Field::Kind => error.kind = text,
            Field::Tag => error.tag = text,
            Field::Severity => {
                error.severity = if text == "warning" { Severity::Warning } else { Severity::Error };
            }
            Field::AppTag => error.app_tag = Some(text),
            Field::Path => error.path = Some(text),
            Field::Message => error.message = Some(text),
            Field::Info => error.info = Some(text),
        }
        self.field = Field::None;
    }
}

/// What a device says of itself at first (RFC 6241 section 8.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hello {
    /// What it can do.
    pub capabilities: Vec<String>,
    /// The number of the session at the device.
    pub session_id: Option<u32>,
}

/// A greeting that passes.
#[derive(Debug, Default)]
pub(super) struct Greeting {
    scanner: Scanner,
    said: Said,
}

#[derive(Debug, Default)]
struct Said {
    has_root: bool,
    /// Whether text is wanted, and of which element.
    wanted: Option<&'static [u8]>,
    text: Vec<u8>,
    hello: Hello,
}

impl Greeting {
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let said = &mut self.said;
        self.scanner.read(bytes, &mut |scanner: &Scanner, token| said.token(scanner.depth(), token))
    }

    pub(super) fn end(self) -> Result<Hello, Error> {
        match self.said.has_root && self.scanner.is_at_rest() {
            true => Ok(self.said.hello),
            false => Err(Error::Garbled("a greeting that is not whole")),
        }
    }
}

impl Said {
    fn token(&mut self, depth: usize, token: Token<'_>) -> Result<(), Error> {
        match token {
            Token::Open(tag) => {
                let name = local(tag);
                if depth == 1 {
                    if self.has_root || name != b"hello" {
                        return Err(Error::Garbled("it does not greet"));
                    }
                    self.has_root = true;
                }
                self.wanted = [&b"capability"[..], b"session-id"].into_iter().find(|wanted| *wanted == name);
                self.text.clear();
            }
            Token::Text(text) if depth == 0 && !text.trim_ascii().is_empty() => {
                return Err(Error::Garbled("it does not greet"));
            }
            Token::Text(text) if self.wanted.is_some() => self.text.extend_from_slice(text),
            Token::Text(_) => {}
            Token::Close => {
                let text = String::from_utf8_lossy(&self.text).trim().to_owned();
                match self.wanted.take() {
                    Some(b"capability") => self.hello.capabilities.push(text),
                    Some(_) => self.hello.session_id = text.parse().ok(),
                    None => {}
                }
            }
        }
        Ok(())
    }
}
