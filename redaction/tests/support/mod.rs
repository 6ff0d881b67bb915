//! What the tests of documents share: spools in memory, archives made and opened.

#![allow(dead_code, reason = "each test uses some of it")]

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use linesman_redaction::{Error, Redaction, Report, Spool};

pub(crate) fn spool() -> io::Result<Box<dyn Spool>> {
    Ok(Box::new(Cursor::new(Vec::new())))
}

/// A document as it leaves.
pub(crate) fn document(redaction: &Redaction, name: &str, bytes: &[u8]) -> Result<(Vec<u8>, Report), Error> {
    let mut out = Vec::new();
    let report = redaction.document(name, &mut &*bytes, &mut out, &spool)?;
    Ok((out, report))
}

/// A text as it leaves.
pub(crate) fn text(redaction: &Redaction, name: &str, text: &str) -> String {
    String::from_utf8(document(redaction, name, text.as_bytes()).unwrap().0).unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o640);
        header.set_mtime(1_700_000_000);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn untar(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().to_string_lossy().into_owned(), content)
    });
    entries.collect()
}
