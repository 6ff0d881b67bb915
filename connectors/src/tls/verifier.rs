//! Looks at a server's certificate before anything is said to the server, and remembers what it saw.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, OtherError};

use super::signatures::{Signatures, asks_its_signatures};
use super::trust::{Fingerprint, Trust};
use super::{Error, provider, roots};

/// A certificate that a server has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Which one.
    pub fingerprint: Fingerprint,
    /// When it begins; none where it says nothing that can be read.
    pub begins: Option<Timestamp>,
    /// When it ends; the same.
    pub ends: Option<Timestamp>,
}

impl Shown {
    /// A certificate in its wire form.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let (begins, ends) = validity(certificate).unzip();
        Self { fingerprint: Fingerprint::of(certificate), begins, ends }
    }

    /// Whether it is valid at a moment.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.begins.zip(self.ends).is_some_and(|(begins, ends)| begins <= now && now <= ends)
    }
}

/// What a client remembers of the certificates shown to it, believed or not: the last one, and how many were another than
/// the one that is pinned.
#[derive(Debug, Default)]
pub struct Watch {
    last: Mutex<Option<Shown>>,
    mismatches: AtomicU64,
}

impl Watch {
    /// The last one; none before the first.
    pub fn last(&self) -> Option<Shown> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often another certificate than the pinned one was shown.
    pub fn mismatches(&self) -> u64 {
        self.mismatches.load(Ordering::Relaxed)
    }

    fn note(&self, certificate: &CertificateDer<'_>) -> Shown {
        let shown = Shown::of(certificate);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        shown
    }
}

/// From when and until when a certificate is valid.
pub(super) fn validity(certificate: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let time = |seconds| Timestamp::from_second(seconds).ok();
    let validity = parsed.validity();
    Some((time(validity.not_before.timestamp())?, time(validity.not_after.timestamp())?))
}

/// The certificate shown is not the one that is pinned.
#[derive(Debug, thiserror::Error)]
#[error("it is not the certificate that is pinned")]
struct NotPinned;

/// Believes whom a [`Trust`] says.
#[derive(Debug)]
pub(super) struct Verifier {
    belief: Belief,
    signatures: Signatures,
    watch: Arc<Watch>,
}

#[derive(Debug)]
enum Belief {
    /// Names, issuers, ends and purposes count.
    Chain(Arc<dyn ServerCertVerifier>),
    /// This one counts, until it ends.
    Pinned(Fingerprint),
}

impl Verifier {
    /// # Errors
    /// The file of certificates cannot be used, or the system has none.
    pub(super) fn new(trust: &Trust, watch: Arc<Watch>) -> Result<Self, Error> {
        let provider = provider();
        let belief = match trust {
            Trust::System => Belief::Chain(Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?)),
            Trust::Authority(path) => {
                let roots = Arc::new(roots(path)?);
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
                Belief::Chain(verifier.map_err(|error| rustls::Error::General(error.to_string()))?)
            }
            Trust::Pinned(fingerprint) => Belief::Pinned(*fingerprint),
        };
        Ok(Self { belief, signatures: Signatures::new(), watch })
    }
}

/// Whether the pinned certificate is the one shown, and valid now. Whoever holds its key is told apart by the
/// signature, which is looked at as for any other.
fn pinned(
    fingerprint: Fingerprint,
    certificate: &CertificateDer<'_>,
    shown: Shown,
    time: UnixTime,
) -> Result<ServerCertVerified, CertificateError> {
    if shown.fingerprint != fingerprint {
        return Err(CertificateError::Other(OtherError(Arc::new(NotPinned))));
    }
    let (begins, ends) = validity(certificate).ok_or(CertificateError::BadEncoding)?;
    let now = Timestamp::from_second(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX);
    let unix = |time: Timestamp| {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(time.as_second()).unwrap_or(0)))
    };
    if now > ends {
        return Err(CertificateError::ExpiredContext { time, not_after: unix(ends) });
    }
    if now < begins {
        return Err(CertificateError::NotValidYetContext { time, not_before: unix(begins) });
    }
    Ok(ServerCertVerified::assertion())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = self.watch.note(end_entity);
        match &self.belief {
            Belief::Chain(chain) => {
                chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            Belief::Pinned(fingerprint) => {
                self.watch.mismatches.fetch_add(u64::from(shown.fingerprint != *fingerprint), Ordering::Relaxed);
                Ok(pinned(*fingerprint, end_entity, shown, now)?)
            }
        }
    }

    asks_its_signatures!();
}

/// The certificate that was shown, and why it is not believed.
type Seen = (CertificateDer<'static>, Option<CertificateError>);

/// Looks at a certificate as a [`Verifier`] does, and lets every one pass, so that it can be told what was shown.
///
/// INVARIANT (nothing is said to whom nobody believes): whoever shakes hands by it says nothing.
#[derive(Debug)]
pub(super) struct Looker {
    verifier: Verifier,
    signatures: Signatures,
    seen: Mutex<Option<Seen>>,
}

impl Looker {
    /// # Errors
    /// As of [`Verifier::new`].
    pub(super) fn new(trust: &Trust) -> Result<Self, Error> {
        let verifier = Verifier::new(trust, Arc::default())?;
        Ok(Self { verifier, signatures: Signatures::new(), seen: Mutex::default() })
    }

    /// What was shown; none before that.
    pub(super) fn seen(&self) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Looker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let fault = match found {
            Ok(_) => None,
            Err(rustls::Error::InvalidCertificate(fault)) => Some(fault),
            Err(error) => Some(CertificateError::Other(OtherError(Arc::new(error)))),
        };
        let seen = (end_entity.clone().into_owned(), fault);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(ServerCertVerified::assertion())
    }

    asks_its_signatures!();
}
