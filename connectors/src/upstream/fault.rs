//! The failure that a request without a whole answer is, and what all kinds of upstream call their failures.

use std::io::ErrorKind;

use linesman_schemas::cause::Cause;
use linesman_schemas::outcome::{Failure, FailureClass};
use rustls::CertificateError;

use super::names::Unresolved;
use crate::text::excerpt;
use crate::tls::{Fingerprint, Shown, Trust, in_words};

/// An answer that cannot be understood.
pub(crate) const fn garbled(message: String) -> Failure {
    Failure { class: FailureClass::Garbled, message, retry_after_s: None, cause: None }
}

/// The destination is not there, as far as we can tell.
pub(crate) const fn unavailable(message: String) -> Failure {
    Failure { class: FailureClass::Unavailable, message, retry_after_s: None, cause: None }
}

/// A request that can never be made.
pub(crate) const fn refused(message: String) -> Failure {
    Failure { class: FailureClass::Refused, message, retry_after_s: None, cause: None }
}

/// The failure that a request without a whole answer is. `trust` says which certificates are believed, `shown` which
/// one was shown last.
pub(super) fn of_transport(error: &reqwest::Error, peer: &str, trust: &Trust, shown: Option<Shown>) -> Failure {
    let cause = Some(cause_of(error));
    let unavailable = |message| Failure { cause, ..unavailable(message) };
    if let Some(reason) = certificate_fault(error) {
        return unavailable(disbelieved(peer, trust, &reason, shown.map(|shown| shown.fingerprint)));
    }
    if error.is_timeout() {
        return unavailable(format!("no answer from `{peer}` in time"));
    }
    let what = if error.is_connect() { "cannot be reached" } else { "did not answer" };
    unavailable(format!("`{peer}` {what}: {}", excerpt(&root_cause(error).to_string(), 200)))
}

/// What a request without a whole answer came of.
fn cause_of(error: &reqwest::Error) -> Cause {
    let is_refused = |cause: Link<'_>| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    };
    match () {
        () if causes(error).any(|cause| cause.is::<rustls::Error>()) => Cause::Tls,
        () if causes(error).any(|cause| cause.is::<Unresolved>()) => Cause::Dns,
        () if error.is_timeout() => Cause::Timeout,
        () if causes(error).any(is_refused) => Cause::Refused,
        () if error.is_connect() => Cause::Unreachable,
        () => Cause::Lost,
    }
}

/// Why a certificate that was shown is not believed. With its SHA-256 whoever knows the other side by another way can pin
/// it; where another one is pinned, both are named.
pub(super) fn not_believed(peer: &str, trust: &Trust, fault: &CertificateError, shown: Fingerprint) -> String {
    disbelieved(peer, trust, &in_words(fault), Some(shown))
}

fn disbelieved(peer: &str, trust: &Trust, reason: &str, shown: Option<Fingerprint>) -> String {
    let named = shown.map(|shown| format!("; its SHA-256 is `{shown}`")).unwrap_or_default();
    let pinned = match trust {
        Trust::Pinned(pinned) if shown.is_some_and(|shown| shown != *pinned) => format!(", and `{pinned}` is pinned"),
        Trust::Pinned(_) | Trust::System | Trust::Authority(_) => String::new(),
    };
    format!("the certificate of `{peer}` does not validate against {trust}: {reason}{named}{pinned}")
}

/// What is wrong with the peer's certificate, if that is why the request failed.
fn certificate_fault(error: &reqwest::Error) -> Option<String> {
    causes(error).find_map(|cause| match cause.downcast_ref::<rustls::Error>() {
        Some(rustls::Error::InvalidCertificate(fault)) => Some(in_words(fault)),
        _ => None,
    })
}

type Link<'a> = &'a (dyn std::error::Error + 'static);

fn causes(error: &reqwest::Error) -> impl Iterator<Item = Link<'_>> {
    std::iter::successors(Some(error as Link<'_>), |cause| {
        // An I/O error's `source` skips what it wraps.
        match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as Link<'_>),
            None => cause.source(),
        }
    })
}

fn root_cause(error: &reqwest::Error) -> Link<'_> {
    causes(error).last().unwrap_or(error)
}
