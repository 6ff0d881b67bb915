//! The lines of a recorded log, format 1: JSON objects, one a line.
//!
//! ```text
//! {"linesman_log":1,"stream":"2026-11-21T09:00:00Z","lanes":4,"by":"linesman 0.1.0"}
//! {"seq":1,"ns":1795255200000000000,"on":"p.2.acme.cmd","text":"{\"id\":...}"}
//! {"seq":2,"ns":1795255200100000000,"on":"p.0.ctl","b64":"/wA="}
//! {"inputs":2}
//! ```
//!
//! `seq` is the sequence in IN, `ns` the time there in nanoseconds since the epoch, `on` the subject as stored.
//! The bytes stand as `text` where they are UTF-8 that is not longer so, else as `b64`, base64. The last line says
//! how many inputs there are: a log that was cut off is noticed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::log::reader::InMessage;

/// The format this program reads and writes.
pub const FORMAT: u32 = 1;
/// The longest subject, in bytes.
const SUBJECT_MOST: usize = 1_024;
/// The largest message, in bytes: as much as `nats.max_payload_bytes` may be.
pub const PAYLOAD_MOST: usize = 64 * 1024 * 1024;
/// The longest line, in bytes.
pub const LINE_MOST: usize = PAYLOAD_MOST.div_ceil(3) * 4 + 2 * SUBJECT_MOST + 1_024;
/// How many lanes a log may have.
const LANES_MOST: u32 = 1_024;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The format.
    pub linesman_log: u32,
    /// Which IN: its creation time, as the server spells it.
    pub stream: String,
    /// How many lanes it has.
    pub lanes: u32,
    /// What recorded it.
    pub by: String,
}

impl Header {
    /// The header of a log of this format.
    pub fn new(stream: impl Into<String>, lanes: u32, by: impl Into<String>) -> Self {
        Self { linesman_log: FORMAT, stream: stream.into(), lanes, by: by.into() }
    }
}

/// The last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// How many inputs there are.
    pub inputs: u64,
}

/// An input as it stands in IN.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its lane.
    pub lane: u32,
    /// The message, its subject behind `p.<lane>.`.
    pub message: InMessage,
}

/// A line behind the first.
#[derive(Debug)]
pub enum Line {
    /// An input.
    Entry(Entry),
    /// The end.
    End(End),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    seq: u64,
    ns: i64,
    on: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b64: Option<String>,
}

/// Prints an input's line, without its end.
///
/// # Errors
/// It is larger than any message of IN may be.
pub fn print(entry: &Entry) -> Result<String, String> {
    let message = &entry.message;
    if message.payload.len() > PAYLOAD_MOST || message.subject.len() > SUBJECT_MOST {
        return Err(format!("the message {} is larger than any may be", message.sequence));
    }
    let ns = i64::try_from(message.time.as_nanosecond()).map_err(|_| "the time is beyond the year 2262".to_owned())?;
    let in_base64 = message.payload.len().div_ceil(3) * 4;
    let text = std::str::from_utf8(&message.payload).ok().filter(|text| escaped(text) <= in_base64);
    let b64 = text.is_none().then(|| STANDARD.encode(&message.payload));
    let on = format!("p.{}.{}", entry.lane, message.subject);
    let fields = Fields { seq: message.sequence, ns, on, text: text.map(str::to_owned), b64 };
    serde_json::to_string(&fields).map_err(|error| error.to_string())
}

/// How many bytes a text has as JSON, its quotation marks aside.
fn escaped(text: &str) -> usize {
    let length = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

/// Reads the first line.
///
/// # Errors
/// It is no header of this format.
pub fn header(line: &[u8]) -> Result<Header, String> {
    let header: Header = serde_json::from_slice(line).map_err(|error| format!("not the header of a log: {error}"))?;
    if header.linesman_log != FORMAT {
        return Err(format!("format {}, and this program reads format {FORMAT}", header.linesman_log));
    }
    match header.lanes {
        1..=LANES_MOST => Ok(header),
        lanes => Err(format!("`lanes` is {lanes} and must be from 1 to {LANES_MOST}")),
    }
}

/// Reads a line behind the first, of a log with so many lanes.
///
/// # Errors
/// It is neither an input nor the end.
pub fn line(line: &[u8], lanes: u32) -> Result<Line, String> {
    if line.starts_with(b"{\"inputs\"") {
        return serde_json::from_slice(line).map(Line::End).map_err(|error| error.to_string());
    }
    let fields: Fields = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if fields.on.len() > SUBJECT_MOST {
        return Err(format!("`on` has more than {SUBJECT_MOST} bytes"));
    }
    let subject = fields.on.strip_prefix("p.").and_then(|on| on.split_once('.'));
    let (lane, subject) = subject
        .and_then(|(lane, subject)| Some((lane.parse().ok().filter(|lane| *lane < lanes)?, subject)))
        .filter(|(_, subject)| !subject.is_empty())
        .ok_or_else(|| format!("`on` is not `p.<lane>.<...>` with a lane below {lanes}"))?;
    let payload = match (fields.text, fields.b64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(b64)) => STANDARD.decode(b64).map_err(|error| format!("`b64`: {error}"))?,
        _ => return Err("an input has either `text` or `b64`".to_owned()),
    };
    if payload.len() > PAYLOAD_MOST {
        return Err(format!("the message has more than {PAYLOAD_MOST} bytes"));
    }
    let time = Timestamp::from_nanosecond(fields.ns.into()).map_err(|error| format!("`ns`: {error}"))?;
    let message = InMessage { sequence: fields.seq, time, subject: subject.to_owned(), payload: Bytes::from(payload) };
    Ok(Line::Entry(Entry { lane, message }))
}
