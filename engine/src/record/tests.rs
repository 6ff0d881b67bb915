//! What is printed is parsed again; what is hostile is refused with its line.

use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use bytes::Bytes;
use jiff::Timestamp;

use super::format::{self, Entry, Header};
use super::reader::Reader;
use super::writer::Writer;
use crate::log::reader::InMessage;

fn entry(sequence: u64, subject: &str, payload: &[u8]) -> Entry {
    let time = Timestamp::from_nanosecond(1_795_255_200_000_000_001).unwrap();
    let payload = Bytes::copy_from_slice(payload);
    Entry { lane: 3, message: InMessage { sequence, time, subject: subject.to_owned(), payload } }
}

fn read(text: &str) -> Result<usize, String> {
    let reader =
        Reader::new(PathBuf::from("inputs"), Cursor::new(text.as_bytes())).map_err(|error| error.to_string())?;
    let entries: Result<Vec<_>, _> = reader.collect();
    entries.map(|entries| entries.len()).map_err(|error| error.to_string())
}

const HEADER: &str = r#"{"linesman_log":1,"stream":"s","lanes":4,"by":"test"}"#;

#[test]
fn what_is_written_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("log");
    let header = Header::new("s", 4, "test");
    let payloads: [&[u8]; 6] =
        [b"", b"<jmb>\n\"\\\x07</jmb>", b"\xff\x00\xfe", "\u{7f}\u{2028}\u{10ffff}".as_bytes(), &[7; 99], b"}"];
    let mut writer = Writer::begin(&dir, &header, false).unwrap();
    for (sequence, payload) in (1..).zip(payloads) {
        writer.entry(&entry(sequence * 2, "acme.jmb", payload)).unwrap();
    }
    writer.book("abc", b"{}").unwrap();
    assert!(writer.has_book("abc") && !writer.has_book("abd"));
    assert!(Reader::open(&dir).is_err(), "what is not whole has not its name");
    assert_eq!(writer.end().unwrap(), 6);
    let reader = Reader::open(&dir).unwrap();
    assert_eq!(reader.header(), &header);
    let entries: Vec<Entry> = reader.map(Result::unwrap).collect();
    for ((sequence, payload), read) in (1..).zip(payloads).zip(&entries) {
        let written = entry(sequence * 2, "acme.jmb", payload);
        assert_eq!((read.lane, &read.message.payload), (3, &written.message.payload));
        assert_eq!((read.message.sequence, read.message.time), (written.message.sequence, written.message.time));
        assert_eq!(read.message.subject, "acme.jmb");
    }
    for file in ["inputs", "books/abc.json"] {
        let mode = dir.join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let refused = Writer::begin(&dir, &header, false).err().unwrap();
    assert_eq!(refused.to_string(), format!("`{}` is not empty", dir.display()));
    Writer::begin(&dir, &header, true).unwrap().end().unwrap();
    assert_eq!(Reader::open(&dir).unwrap().count(), 0, "replaced");
}

#[test]
fn a_text_that_would_be_longer_stands_in_base64() {
    assert!(format::print(&entry(1, "ctl", &[7; 99])).unwrap().contains("\"b64\""));
    assert!(format::print(&entry(1, "ctl", b"\"tick\"")).unwrap().contains(r#""text":"\"tick\"""#));
    let large = entry(1, "ctl", &vec![b'x'; format::PAYLOAD_MOST + 1]);
    assert_eq!(format::print(&large).unwrap_err(), "the message 1 is larger than any may be");
    let line = format::print(&entry(1, "ctl", &vec![0xff; format::PAYLOAD_MOST])).unwrap();
    assert!(line.len() < format::LINE_MOST, "the largest message fits a line");
}

#[test]
fn what_is_no_log_is_refused_with_its_line() {
    let input = r#"{"seq":1,"ns":5,"on":"p.3.acme.jmb","text":"x"}"#;
    assert_eq!(read(&format!("{HEADER}\n{input}\n{{\"inputs\":1}}\n")), Ok(1));
    let behind = |line: &str| format!("{HEADER}\n{line}\n{{\"inputs\":1}}\n");
    let cases = [
        (String::new(), "`inputs`, line 1: not the header of a log: EOF while parsing a value at line 1 column 0"),
        (HEADER.replace(":1,", ":2,"), "`inputs`, line 1: format 2, and this program reads format 1"),
        (HEADER.replace("4", "0"), "`inputs`, line 1: `lanes` is 0 and must be from 1 to 1024"),
        (HEADER.replace("4", "9999"), "`inputs`, line 1: `lanes` is 9999 and must be from 1 to 1024"),
        (HEADER.to_owned(), "`inputs`, line 2: the log has no end: it was cut off"),
        (format!("{HEADER}\n{input}\n"), "`inputs`, line 3: the log has no end: it was cut off"),
        (format!("{HEADER}\n{input}\n{input}\n"), "`inputs`, line 3: the sequence 1 does not follow 1"),
        (format!("{HEADER}\n{input}\n{{\"inputs\":2}}\n"), "`inputs`, line 3: there are 1 inputs, not 2"),
        (behind(input) + "x", "`inputs`, line 4: there is something behind the end"),
        (behind(&input.replace("p.3", "p.4")), "`inputs`, line 2: `on` is not `p.<lane>.<...>` with a lane below 4"),
        (
            behind(&input.replace("p.3.acme.jmb", "p.3.")),
            "`inputs`, line 2: `on` is not `p.<lane>.<...>` with a lane below 4",
        ),
        (behind(&input.replace("p.3.acme.jmb", &"x".repeat(2_000))), "`inputs`, line 2: `on` has more than 1024 bytes"),
        (behind(&input.replace("text", "b64")), "`inputs`, line 2: `b64`: Invalid last symbol 120, offset 0."),
        (behind(&input.replace(r#","text":"x""#, "")), "`inputs`, line 2: an input has either `text` or `b64`"),
        (
            behind(&input.replace("text", "test")),
            "`inputs`, line 2: unknown field `test`, expected one of `seq`, `ns`, `on`, `text`, `b64` at line 1 column 42",
        ),
    ];
    for (text, expected) in cases {
        let found = read(&text).unwrap_err();
        // What base64 says of it is base64's.
        match expected.contains("`b64`: ") {
            true => assert!(found.starts_with("`inputs`, line 2: `b64`: "), "{found}"),
            false => assert_eq!(found, expected),
        }
    }
}
