//! Which upstream a case goes to, and which are asked what became of theirs. Nothing else knows.

use linesman_schemas::Destination;

/// The vendor's support system.
const JSS: Destination = Destination::of("jss");

/// Whether a destination is an upstream.
pub fn is_one(destination: &str) -> bool {
    destination.parse() == Ok(JSS)
}

/// Where a case goes that is opened now.
pub(super) const fn of_case() -> Destination {
    JSS
}

/// Who is asked which cases changed.
pub(super) const fn asked() -> Destination {
    JSS
}
