//! Looks at a server's certificate before anything is said to the server, and remembers what it saw.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

use super::trust::{Fingerprint, Trust};
use super::{Error, provider, roots};

/// A certificate that a server has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Which one.
    pub fingerprint: Fingerprint,
    /// When it ends; none where it says nothing that can be read.
    pub ends: Option<Timestamp>,
}

/// What a client remembers of the certificates shown to it, believed or not: the last one.
#[derive(Debug, Default)]
pub struct Watch(Mutex<Option<Shown>>);

impl Watch {
    /// The last one; none before the first.
    pub fn last(&self) -> Option<Shown> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, certificate: &CertificateDer<'_>) -> Shown {
        let ends = validity(certificate).map(|(_, ends)| ends);
        let shown = Shown { fingerprint: Fingerprint::of(certificate), ends };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        shown
    }
}

/// From when and until when a certificate is valid.
fn validity(certificate: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
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
    provider: Arc<CryptoProvider>,
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
        Ok(Self { belief, provider, watch })
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
            Belief::Pinned(fingerprint) => Ok(pinned(*fingerprint, end_entity, shown, now)?),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
