//! What holds of any bytes that a device sends as SFTP, and of any names.

use bytes::{Bytes, BytesMut};

use super::exchange::entries;
use super::name::Name;
use super::packet::{PACKET_MOST, kind, split as packet};
use crate::device::property::split;

/// Packets are found alike however what comes is split; no list has more entries than bytes, and each name in it that is taken
/// stays in its directory and can be shown.
///
/// The first byte says how it is split.
///
/// # Panics
/// It does not hold.
pub fn packets(bytes: &[u8]) {
    let [splits, bytes @ ..] = bytes else { return };
    let whole = found(std::iter::once(bytes));
    assert_eq!(found(split(bytes, *splits)), whole, "split otherwise it is something else");
}

/// What packets say, and whether the last one says that it is too long.
fn found<'a>(inputs: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, bool) {
    let (mut inbox, mut said) = (BytesMut::new(), Vec::new());
    for input in inputs {
        inbox.extend_from_slice(input);
        loop {
            match packet(&mut inbox) {
                Ok(Some(mut packet)) => {
                    let (kind, id) = (packet.byte(), packet.number());
                    let mut line = format!("{kind:?} {id:?}");
                    match kind {
                        Some(kind::NAME) => line += &listed(packet),
                        Some(kind::ATTRS) => line += &format!("{:?}", packet.attributes()),
                        Some(kind::DATA | kind::HANDLE) => line += &format!("{:?}", packet.bytes()),
                        Some(kind::STATUS) => {
                            line += &format!("{:?}", super::Files::judge(kind::STATUS, &mut packet, "it"))
                        }
                        _ => {}
                    }
                    said.push(line);
                }
                Ok(None) => break,
                Err(length) => {
                    assert!(length > PACKET_MOST, "a packet of {length} bytes is not too long");
                    return (said, true);
                }
            }
        }
    }
    (said, false)
}

fn listed(packet: super::packet::Reading) -> String {
    let Ok(entries) = entries(packet) else { return "no list".to_owned() };
    entries.into_iter().map(|entry| named(entry.name)).collect()
}

/// A name as it is shown, where it is one.
fn named(bytes: Bytes) -> String {
    let name = match Name::new(bytes.clone()) {
        Ok(name) => name,
        Err(fault) => return fault.to_string(),
    };
    assert_eq!(name.as_bytes(), bytes.as_ref(), "it is another name");
    let leaves = |part: &[u8]| part.iter().any(|byte| matches!(byte, b'/' | 0));
    assert!(!leaves(&bytes) && !matches!(bytes.as_ref(), b"" | b"." | b".."), "it leads elsewhere");
    let shown = name.to_string();
    assert!(!shown.chars().any(char::is_control), "it controls a terminal");
    shown
}
