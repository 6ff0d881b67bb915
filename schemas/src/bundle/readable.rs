//! The bytes of a bundle as whatever reads XML reads them.

use std::borrow::Cow;

use super::decode::decode;
use super::encode::encode;
use super::error::Error;
use super::namespaces;

/// A bundle that everybody can read: the bytes themselves where [`Source::is_readable`](super::Source::is_readable) says so and all
/// their prefixes are declared; else what is understood of them, written anew as XML 1.0 in UTF-8, with U+FFFD for what is no
/// character, the damage marked, and elements that declare what they need.
///
/// # Errors
///
/// As [`decode`].
pub fn readable(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    let bundle = decode(bytes)?;
    if bundle.source.is_readable && namespaces::are_declared(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    let bundle = bundle.with_contents_alone(bytes)?;
    Ok(Cow::Owned(encode(&bundle, &[])?.into_bytes()))
}
