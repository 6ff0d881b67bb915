//! What holds of any bytes at all: they are refused with a place inside of them, or what was read from them is written
//! and read again as it was.

use std::borrow::Cow;

use linesman_schemas::bundle::{Edition, Error, decode, decode_in, encode, readable};

/// Panics when it does not hold.
pub(crate) fn hold(bytes: &[u8]) {
    let strict = decode_in(Edition::First, bytes);
    if let Err(error) = &strict {
        assert!(is_within(error, bytes), "the place of `{error}` is not in the input");
    }
    let bundle = match decode(bytes) {
        Ok(bundle) => bundle,
        Err(error) if strict.is_ok() => unreachable!("the first edition reads it, and the second says `{error}`"),
        Err(error) => return assert!(is_within(&error, bytes), "the place of `{error}` is not in the input"),
    };
    if let Ok(strict) = strict {
        assert_eq!(strict, bundle, "what one edition reads the next reads otherwise");
    }
    let leaves = readable(bytes).expect("what was read can leave");
    assert!(decode_in(Edition::First, &leaves).is_ok_and(|read| read.source.is_readable) || is_of_the_second(&leaves));
    assert!(matches!(readable(&leaves), Ok(Cow::Borrowed(_))), "what leaves would leave otherwise");
    let source = bundle.source;
    let bundle = bundle.with_contents(bytes).expect("the parts of a bundle are where it says");
    let text = encode(&bundle, &[]).expect("what was read can be written");
    let again = decode(text.as_bytes()).and_then(|again| again.with_contents(text.as_bytes()));
    let mut again = again.expect("what was written can be read");
    assert!(again.source.is_readable, "what was written is not for everybody");
    again.source = source;
    assert_eq!(again, bundle, "what was written is not what was read");
    assert_eq!(encode(&again, &[]).as_deref(), Ok(&*text), "the same bundle is written in two ways");
}

/// Whether only its label or its times are none that the first edition reads: every byte is a character of UTF-8.
fn is_of_the_second(bytes: &[u8]) -> bool {
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_allowed))
}

/// Whether a fault's line is there, and its column there or one behind.
fn is_within(error: &Error, bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let number = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let Some(line) = bytes.split(|byte| *byte == b'\n').nth(number(error.line).wrapping_sub(1)) else { return false };
    // In encodings of one byte a character each of them counts.
    error.column >= 1 && number(error.column) <= line.len() + 1
}
