//! What holds of any bytes at all: they are refused with a place inside of them, or what was read from them is written
//! and read again as it was.

use linesman_schemas::bundle::{Error, decode, encode};

/// Panics when it does not hold.
pub(crate) fn hold(bytes: &[u8]) {
    let bundle = match decode(bytes) {
        Ok(bundle) => bundle,
        Err(error) => return assert!(is_within(&error, bytes), "the place of `{error}` is not in the input"),
    };
    let bundle = bundle.with_contents(bytes).expect("the parts of a bundle are where it says");
    let text = encode(&bundle, &[]).expect("what was read can be written");
    let again = decode(text.as_bytes()).and_then(|again| again.with_contents(text.as_bytes()));
    let again = again.expect("what was written can be read");
    assert_eq!(again, bundle, "what was written is not what was read");
    assert_eq!(encode(&again, &[]).as_deref(), Ok(&*text), "the same bundle is written in two ways");
}

/// Whether a fault's line is there, and its column there or one behind.
fn is_within(error: &Error, bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let number = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let Some(line) = bytes.split(|byte| *byte == b'\n').nth(number(error.line).wrapping_sub(1)) else { return false };
    let characters = line.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
    error.column >= 1 && number(error.column) <= characters + 1
}
