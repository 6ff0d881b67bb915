//! Bytes of a bundle that are no characters: where they stand, and what that comes to. From [`Edition::Second`] on.
//!
//! In what an attachment or a log holds they damage that part and nothing else: the manifest decides. Anywhere else they are a
//! fault. Meanwhile a sign stands for each of them that neither names nor markup have, so that what is found of the rest is
//! found where it stands.
//!
//! [`Edition::Second`]: super::Edition::Second

use std::ops::Range;

use super::draft::Draft;
use super::encoding::Encoding;
use super::error::Stop;
use super::fault::Fault;
use super::text;

/// What stands for a byte that is no character.
pub(super) const STAND_IN: char = '^';

/// Bytes that are no character.
pub(super) struct Bad {
    /// Where they stand in the text that was made of the bytes.
    pub(super) at: usize,
    /// How many bytes of that text they are.
    pub(super) length: usize,
    fault: Fault,
}

/// How far a bundle was read that has a fault.
pub(super) struct Broken {
    /// Where the fault is.
    pub(super) at: usize,
    /// Up to where it may come of bytes that are no characters.
    pub(super) until: usize,
    /// Where the content begins of the part that is open, if one is.
    pub(super) open: Option<usize>,
}

/// Marks the parts that bytes are in which are no characters; `broken` where the bundle was read no further.
///
/// # Errors
/// Some stand elsewhere: the first of them.
pub(super) fn settle(
    draft: &mut Draft<'_>,
    bad: impl Iterator<Item = Bad>,
    broken: Option<&Broken>,
) -> Result<(), Stop> {
    let mut contents: Vec<(Range<usize>, Option<usize>)> =
        draft.contents().enumerate().map(|(number, content)| (content, Some(number))).collect();
    let open = broken.and_then(|broken| broken.open.map(|start| (start..broken.at, None)));
    contents.extend(open);
    contents.sort_unstable_by_key(|(content, _)| content.start);
    let mut behind = contents.into_iter().peekable();
    let mut damaged = Vec::new();
    for Bad { at, fault, .. } in bad {
        while behind.next_if(|(content, _)| content.end <= at).is_some() {}
        match behind.peek() {
            Some((content, number)) if content.start <= at => {
                if damaged.last() != Some(number) {
                    damaged.push(*number);
                }
            }
            _ if broken.is_some_and(|broken| broken.until <= at) => break,
            _ => return Err(Stop::new(fault, at)),
        }
    }
    for number in damaged.into_iter().flatten() {
        draft.damage(number);
    }
    Ok(())
}

/// The text of bytes in which a stand-in is as long as what it stands for, byte by byte, where the encoding has that length.
pub(super) fn in_place(encoding: Encoding, body: &[u8]) -> String {
    if encoding != Encoding::Utf8 {
        return encoding.text(body, STAND_IN).into_owned();
    }
    let mut bytes = body.to_vec();
    for bad in places(encoding, body) {
        if let Some(bytes) = bytes.get_mut(bad.at..bad.at + bad.length) {
            bytes.fill(STAND_IN as u8);
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// The bytes that are no characters, in their order.
pub(super) fn places(encoding: Encoding, body: &[u8]) -> Box<dyn Iterator<Item = Bad> + '_> {
    match encoding {
        Encoding::Utf8 => Box::new(in_utf8(body)),
        _ => Box::new(in_bytes(encoding, body)),
    }
}

fn in_utf8(body: &[u8]) -> impl Iterator<Item = Bad> {
    let mut behind = 0;
    body.utf8_chunks().flat_map(move |chunk| {
        let start = behind;
        let end = start + chunk.valid().len();
        behind = end + chunk.invalid().len();
        let forbidden = chunk.valid().char_indices().filter(|(_, c)| !text::is_allowed(*c));
        let forbidden = forbidden.map(move |(at, c)| Bad {
            at: start + at,
            length: c.len_utf8(),
            fault: Fault::ControlCharacter(c.into()),
        });
        let length = chunk.invalid().len();
        forbidden.chain((length > 0).then_some(Bad { at: end, length, fault: Fault::BadUtf8 }))
    })
}

fn in_bytes(encoding: Encoding, body: &[u8]) -> impl Iterator<Item = Bad> {
    let mut behind = 0;
    body.iter().filter_map(move |&byte| {
        let at = behind;
        let character = encoding.character(byte);
        behind += character.map_or(STAND_IN.len_utf8(), char::len_utf8);
        let fault = match byte.is_ascii() {
            true => Fault::ControlCharacter(byte.into()),
            false => Fault::BadByte { byte, encoding: encoding.as_str() },
        };
        character.is_none().then_some(Bad { at, length: 1, fault })
    })
}
