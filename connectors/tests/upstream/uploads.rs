//! What is uploaded in tests: documents with canaries planted, and what of them may leave at which level.

use std::io;

use bytes::Bytes;
use futures_util::stream;
use linesman_connectors::Contents;
use linesman_redaction::{Canaries, Spool};
use linesman_schemas::FilterLevel;
use linesman_schemas::reaction::{Action, Task};
use linesman_schemas::upload::{Upload, UploadKind, UploadSource};
use sha2::{Digest as _, Sha256};

use super::tasks::task;

const ADDRESSES: [&str; 3] = ["10.20.30.40", "2001:db8:77::9", "198.51.100.7"];
const CONFIGURED: [&str; 2] = ["uplink-of-pe-1", "CUSTOMER-GROUP"];
const SECRETS: [&str; 2] = ["$9$aLUDk5QF3nCmPu1Ec", "hunter2-psk"];
const ELSE: [&str; 1] = ["fpc2-kernel-panic"];

/// Uploads what is called so of case `T-1`.
pub(crate) fn upload(number: u64, level: FilterLevel, name: &str) -> Task {
    let upload = Upload {
        kind: UploadKind::Attachment,
        case: "T-1".to_owned(),
        name: name.to_owned(),
        media_type: None,
        device: None,
        filter_level: level,
        without: Vec::new(),
        source: UploadSource::Object { sha256: "0".repeat(64), size: 1 },
    };
    task(2000 + number, Action::Upload(Box::new(upload)))
}

/// Bytes as a dispatcher hands them on.
pub(crate) fn contents(bytes: &[u8]) -> Contents {
    let pieces: Vec<_> = bytes.chunks(64 * 1024).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Contents::new(bytes.len() as u64, stream::iter(pieces))
}

/// Bytes that break off.
pub(crate) fn broken_off() -> Contents {
    let lost = Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the log went away"));
    Contents::new(200, stream::iter([Ok(Bytes::from_static(b"half of ")), lost]))
}

/// A bundle of about so many bytes in which everything is planted.
pub(crate) fn planted(bytes: usize) -> Vec<u8> {
    let [a, b, c] = ADDRESSES;
    let [uplink, group] = CONFIGURED;
    let [hash, psk] = SECRETS;
    let rsi = format!(
        "user@edge> show log messages\nNov 21 10:15:02 edge rpd[1]: {} peer {a} ({b}) to {c}.179 down\n\
         user@edge> show configuration | display set\n\
         set interfaces ge-0/0/0 description {uplink}\nset protocols bgp group {group} neighbor {a}\n\
         set security ike policy p pre-shared-key ascii-text \"{psk}\"\n\
         set system root-authentication encrypted-password \"{hash}\"\nuser@edge> show version\nModel: mx240\n",
        ELSE[0]
    );
    let mut text = format!(
        "<jmb version=\"1.0\" type=\"event\"><manifest><host-event-ID>edge-SNedge-20261121-101502-1</host-event-ID>\
         <problem-synopsis>{} at {a}</problem-synopsis></manifest><attachments><attachment name=\"edge_rsi.txt\"><![CDATA[\n",
        ELSE[0]
    );
    while text.len() < bytes {
        text.push_str(&rsi);
    }
    text.push_str("]]></attachment></attachments></jmb>\n");
    text.into_bytes()
}

/// The canaries that a level holds back, and something that it lets out.
pub(crate) fn held_back(level: FilterLevel) -> (Canaries, Option<&'static str>) {
    let (addresses, configured): (&[&str], &[&str]) = match level {
        FilterLevel::All | FilterLevel::DoNotSend => (&[], &[]),
        FilterLevel::ExceptConfiguration => (&[], &CONFIGURED),
        FilterLevel::AddressesOverwritten => (&ADDRESSES, &[]),
        FilterLevel::FeaturesOnly => (&ADDRESSES, &CONFIGURED),
    };
    let is_list = level == FilterLevel::FeaturesOnly;
    let more: &[&str] = if is_list { &ELSE } else { &[] };
    let all = [&SECRETS[..], addresses, configured, more].concat();
    (Canaries::read(&all.join("\n")).unwrap(), (!is_list).then_some(ELSE[0]))
}

/// How often canaries are found in what left.
pub(crate) fn leaked(canaries: &Canaries, left: &[u8]) -> Vec<(String, u64)> {
    let spool = || Ok(Box::new(io::Cursor::new(Vec::new())) as Box<dyn Spool>);
    canaries.leaked("what left", &mut &*left, &spool).unwrap().into_iter().collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Bytes in gzip, stored as they are.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let blocks = bytes.chunks(0xffff).count();
    for (at, block) in bytes.chunks(0xffff).enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        out.push(u8::from(at + 1 == blocks));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let crc = bytes.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    out.extend((!crc).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out
}
