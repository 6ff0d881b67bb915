//! What may leave: addresses overwritten, secrets and configuration withheld, in text, bundles and archives.
//!
//! ```text
//! Redaction --document--> container: gzip, tar (members one by one, nested) --> text
//!                                                                                 |
//!            configuration withheld, or its features listed <-- by filter level --+
//!            secrets withheld at every level                                      |
//!            addresses overwritten <-- by filter level ---------------------------+
//! ```
//!
//! Pure: bytes in, bytes out, by the streams that are handed in; the same bytes with the same settings come to the same.
//! Here is no file, no clock, no randomness, and no key but the one that is given. Documents are never held whole: text
//! goes through a window, members of archives through a spool of the caller's.
//!
//! `addresses` finds, `overwrite` and `pseudonyms` say what stands instead, `secrets` and `configuration` what does not
//! leave, `container` opens what documents come in, `told` what those say who were told secrets, `leaks` counts what was planted and left nevertheless.

mod addresses;
mod bytes;
mod configuration;
mod container;
#[cfg(test)]
mod hostile;
mod leaks;
mod overwrite;
mod pseudonyms;
mod redact;
mod report;
mod secrets;
mod stream;
mod told;

pub use addresses::{Addresses, Found, What, stays_v4, stays_v6};
pub use configuration::WITHHELD as CONFIGURATION_WITHHELD;
pub use container::{Bounds, Error, Refusal, Spool, Spools};
pub use leaks::{Canaries, CanariesError};
pub use overwrite::{FIXED_NUMBERS, FIXED_V4, FIXED_V6, Overwriting};
pub use pseudonyms::{KEY_BYTES, Key, KeyError};
pub use redact::{Redaction, unredact};
pub use report::Report;
pub use secrets::WITHHELD as SECRET_WITHHELD;
pub use told::Told;
