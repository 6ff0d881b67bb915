//! What holds of any bytes that a device sends as NETCONF.

use super::frame::{Decoder, Encoder, FrameError, Framing, Piece};
use super::reply::{Greeting, Part, Passing};
use crate::device::property::split;

/// Messages are found alike however what comes is split, each byte is taken once, and what was found is framed and found again.
///
/// The first byte says which framing it is, the second how it is split.
///
/// # Panics
/// It does not hold.
pub fn framing(bytes: &[u8]) {
    let [framing, splits, bytes @ ..] = bytes else { return };
    let framing = if framing % 2 == 0 { Framing::Chunked } else { Framing::Delimited };
    let whole = found(framing, std::iter::once(bytes));
    assert_eq!(found(framing, split(bytes, *splits)), whole, "split otherwise it is something else");
    let (messages, ..) = whole;
    if framing == Framing::Chunked {
        let mut again = Vec::new();
        for message in &messages {
            for piece in split(message, splits.wrapping_add(1)) {
                Encoder(framing).piece(piece, &mut again);
            }
            again.extend_from_slice(Encoder(framing).end());
        }
        assert_eq!(
            found(framing, split(&again, *splits)),
            (messages, Vec::new(), None),
            "sent on it is something else"
        );
    }
}

type Found = (Vec<Vec<u8>>, Vec<u8>, Option<FrameError>);

/// The messages, the beginning of one, and what is wrong.
fn found<'a>(framing: Framing, inputs: impl Iterator<Item = &'a [u8]>) -> Found {
    let mut decoder = Decoder::new(framing);
    let (mut messages, mut message) = (Vec::new(), Vec::new());
    for mut left in inputs {
        loop {
            match decoder.next(&mut left) {
                Ok(Some(Piece::Data(data))) => {
                    assert!(!data.is_empty(), "a piece of nothing");
                    message.extend_from_slice(data);
                }
                Ok(Some(Piece::End)) => messages.push(std::mem::take(&mut message)),
                Ok(None) => break assert!(left.is_empty(), "something is left over"),
                Err(error) => return (messages, message, Some(error)),
            }
        }
    }
    (messages, message, None)
}

/// A reply, and a greeting, are understood alike however what comes is split; a document passes as it is; what is kept of one
/// is bounded.
///
/// The first byte says how it is split.
///
/// # Panics
/// It does not hold.
pub fn reply(bytes: &[u8]) {
    let [splits, bytes @ ..] = bytes else { return };
    for part in [Part::Document, Part::TextOf("output")] {
        let whole = passed(part, std::iter::once(bytes));
        let parts = passed(part, split(bytes, *splits));
        assert_eq!(parts, whole, "split otherwise it is something else");
        let Ok((_, out)) = whole else { continue };
        assert!(out.len() <= bytes.len(), "more comes out than came in");
        assert!(part != Part::Document || out == bytes, "the document is another");
    }
    let whole = greeted(std::iter::once(bytes));
    assert_eq!(greeted(split(bytes, *splits)), whole, "split otherwise it is another greeting");
}

/// How a reply to the first message ended, in words where it is none, and what of it is wanted.
fn passed<'a>(part: Part, inputs: impl Iterator<Item = &'a [u8]>) -> Result<(String, Vec<u8>), String> {
    let (mut passing, mut out, mut bytes) = (Passing::new(part), Vec::new(), 0);
    for input in inputs {
        bytes += input.len() as u64;
        passing.take(input, &mut out).map_err(|error| error.to_string())?;
    }
    match passing.end(1, bytes) {
        Ok(reply) => Ok((format!("{reply:?}"), out)),
        // What was refused is a whole reply as well.
        Err(super::Error::Refused { errors, warnings }) => {
            assert!(errors.len() + warnings.len() <= 2 * super::reply::FAULTS_MOST, "too many faults are kept");
            Ok((format!("{errors:?} {warnings:?}"), out))
        }
        Err(error) => Err(error.to_string()),
    }
}

fn greeted<'a>(inputs: impl Iterator<Item = &'a [u8]>) -> Result<super::Hello, String> {
    let mut greeting = Greeting::default();
    for input in inputs {
        greeting.take(input).map_err(|error| error.to_string())?;
    }
    greeting.end().map_err(|error| error.to_string())
}
