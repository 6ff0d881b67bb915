//! Certificates of clients that some authorities have issued, and have not revoked: what they are called.
//!
//! The file of revocations is looked at again when it has changed, a minute later at most, so that new ones count without
//! a start; where it cannot be used any more, the last good ones count on, until they end.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, RootCertStore};

use super::names::CertificateName;
use super::verifier::{Shown, validity};
use super::{Error, certificates, fault, provider};

/// The most authorities.
const AUTHORITIES_MOST: usize = 16;
/// The most certificates between one and its authority.
const BETWEEN_MOST: usize = 4;
/// The largest file of revocations, in bytes.
const REVOCATIONS_MOST: u64 = 16 << 20;
/// How often it is looked whether the file of revocations has changed.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// The certificates that a client has shown, its own first. That it holds its key is certain, and nothing else.
#[derive(Debug, Clone)]
pub struct ShownChain {
    shown: Shown,
    certificates: Arc<[CertificateDer<'static>]>,
    /// Whether it was looked at and refused: a connection that shows it is not looked at again.
    is_refused: Arc<AtomicBool>,
}

impl ShownChain {
    /// None where nothing was shown.
    pub fn of(certificates: &[CertificateDer<'_>]) -> Option<Self> {
        let shown = Shown::of(certificates.first()?);
        let certificates = certificates.iter().map(|certificate| certificate.clone().into_owned()).collect();
        Some(Self { shown, certificates, is_refused: Arc::default() })
    }

    /// Whoever looked at it refused it, and need not look again: that takes more work than to show it.
    pub fn refuse(&self) {
        self.is_refused.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has refused it.
    pub fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    /// Its own certificate.
    pub fn shown(&self) -> Shown {
        self.shown
    }
}

/// Why a certificate names nobody.
#[derive(Debug, thiserror::Error)]
pub enum NotIssued {
    /// The authorities have not issued it, or it does not count now.
    #[error("{}", fault::in_words(.0))]
    NotBelieved(CertificateError),
    /// What is revoked cannot be looked at, or something else of the authority's.
    #[error("whether it counts cannot be known")]
    Unknown(#[source] rustls::Error),
    /// It says not that it is a client's.
    #[error("it is not one for clients: its extended key usage does not name `clientAuth`")]
    NotForClients,
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable,
}

/// The authorities that issue certificates of clients, and what they have revoked.
#[derive(Debug)]
pub struct ClientAuthorities {
    roots: Vec<CertificateDer<'static>>,
    revocations: Option<PathBuf>,
    look_again: Duration,
    held: Mutex<Held>,
}

/// What is asked, and as of when.
#[derive(Debug)]
struct Held {
    looked: Instant,
    stamp: Option<Stamp>,
    authorities: Vec<Authority>,
}

/// By what a file is known to be another.
type Stamp = (SystemTime, u64);

#[derive(Debug, Clone)]
struct Authority {
    validity: (Timestamp, Timestamp),
    verifier: Arc<dyn ClientCertVerifier>,
}

impl ClientAuthorities {
    /// Those of a file (PEM), and what they have revoked by another (PEM), if there is one.
    ///
    /// # Errors
    /// A file cannot be read, holds none, too many or what is none.
    pub fn open(authorities: &Path, revocations: Option<&Path>) -> Result<Self, Error> {
        Self::looking(authorities, revocations, LOOK_AGAIN)
    }

    fn looking(authorities: &Path, revocations: Option<&Path>, look_again: Duration) -> Result<Self, Error> {
        let broken = |reason: String| Error::Broken { path: authorities.to_owned(), reason };
        let roots = certificates(authorities)?;
        if roots.len() > AUTHORITIES_MOST {
            return Err(broken(format!("more than {AUTHORITIES_MOST} certificates in it")));
        }
        if let Some(root) = roots.iter().find(|root| !is_authority(root)) {
            let reason = format!("{} is not the certificate of an authority", Shown::of(root).fingerprint);
            return Err(broken(reason));
        }
        let stamp = revocations.and_then(stamp);
        let held = Held { looked: Instant::now(), stamp, authorities: asked(&roots, revocations)? };
        Ok(Self { roots, revocations: revocations.map(Path::to_owned), look_again, held: Mutex::new(held) })
    }

    /// What a certificate is called that one of the authorities has issued to a client.
    ///
    /// # Errors
    /// None of them has, or it does not count at the moment.
    pub fn names(&self, chain: &ShownChain, now: Timestamp) -> Result<Vec<CertificateName>, NotIssued> {
        let (own, between) = chain.certificates.split_first().ok_or(NotIssued::Unreadable)?;
        let (rest, parsed) = x509_parser::parse_x509_certificate(own).map_err(|_| NotIssued::Unreadable)?;
        if !rest.is_empty() || between.len() > BETWEEN_MOST {
            return Err(NotIssued::Unreadable);
        }
        self.issued(own, between, now)?;
        let usage = parsed.extended_key_usage().map_err(|_| NotIssued::Unreadable)?;
        if !usage.is_some_and(|usage| usage.value.client_auth) {
            return Err(NotIssued::NotForClients);
        }
        CertificateName::all(&parsed).ok_or(NotIssued::Unreadable)
    }

    /// Whether one of the authorities that count at a moment has issued a certificate, and has not revoked it.
    fn issued(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<(), NotIssued> {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0)));
        let mut refused = NotIssued::NotBelieved(CertificateError::UnknownIssuer);
        for authority in self.authorities() {
            let (begins, ends) = authority.validity;
            if now < begins || now > ends {
                continue;
            }
            match authority.verifier.verify_client_cert(own, between, time) {
                Ok(_) => return Ok(()),
                Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {}
                Err(rustls::Error::InvalidCertificate(fault)) => refused = NotIssued::NotBelieved(fault),
                Err(error) => refused = NotIssued::Unknown(error),
            }
        }
        Err(refused)
    }

    /// The authorities with what they have revoked by now.
    fn authorities(&self) -> Vec<Authority> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = self.revocations.as_deref().filter(|_| held.looked.elapsed() >= self.look_again) {
            held.looked = Instant::now();
            let stamp = stamp(path);
            if stamp != held.stamp {
                match asked(&self.roots, Some(path)) {
                    Ok(authorities) => (held.authorities, held.stamp) = (authorities, stamp),
                    Err(error) => {
                        let (error, path) = (error.to_string(), path.display());
                        tracing::warn!(error, %path, "revocations cannot be read again: the last ones count on");
                    }
                }
            }
        }
        held.authorities.clone()
    }
}

fn is_authority(certificate: &CertificateDer<'_>) -> bool {
    let parsed = x509_parser::parse_x509_certificate(certificate);
    parsed.is_ok_and(|(rest, parsed)| rest.is_empty() && parsed.is_ca())
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// Each authority alone: which of them counts at a moment is known so, and one that is over does not.
fn asked(roots: &[CertificateDer<'static>], revocations: Option<&Path>) -> Result<Vec<Authority>, Error> {
    let revoked = revocations.map(revoked).transpose()?.unwrap_or_default();
    let asked = roots.iter().map(|root| {
        let mut store = RootCertStore::empty();
        store.add(root.clone())?;
        // INVARIANT (what is revoked does not count): where there is a file, a certificate of which it says nothing, or
        // nothing any more, is not believed.
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider())
            .with_crls(revoked.iter().cloned())
            .enforce_revocation_expiration();
        let verifier = verifier.build().map_err(|error| rustls::Error::General(error.to_string()))?;
        let validity = validity(root).unwrap_or((Timestamp::MAX, Timestamp::MIN));
        Ok(Authority { validity, verifier })
    });
    asked.collect::<Result<_, rustls::Error>>().map_err(|error| match revocations {
        Some(path) => Error::Broken { path: path.to_owned(), reason: error.to_string() },
        None => Error::Config(error),
    })
}

/// The revocations of a file, at least one list of them.
fn revoked(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let broken = |reason: String| Error::Broken { path: path.to_owned(), reason };
    if std::fs::metadata(path).map_err(failed)?.len() > REVOCATIONS_MOST {
        return Err(broken(format!("it has more than {REVOCATIONS_MOST} bytes")));
    }
    let pem = std::fs::read(path).map_err(failed)?;
    let lists = CertificateRevocationListDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let lists = lists.map_err(|error| broken(error.to_string()))?;
    if lists.is_empty() { Err(broken("no list of revocations in it".to_owned())) } else { Ok(lists) }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
        ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber, date_time_ymd,
    };

    use super::*;

    type Issuer = CertifiedIssuer<'static, KeyPair>;

    fn authority(until: i32) -> Issuer {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, format!("until {until}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(until, 1, 1);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    fn acme(by: &Issuer, serial_number: u64) -> ShownChain {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "acme");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(SerialNumber::from(serial_number));
        let certificate = params.signed_by(&KeyPair::generate().unwrap(), by).unwrap();
        ShownChain::of(&[certificate.der().clone()]).unwrap()
    }

    fn revoked(by: &Issuer, serial_numbers: &[u64], until: i32) -> String {
        let revoked = serial_numbers.iter().map(|number| RevokedCertParams {
            serial_number: SerialNumber::from(*number),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(until, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(by).unwrap().pem().unwrap()
    }

    fn why(found: Result<Vec<CertificateName>, NotIssued>) -> String {
        found.map_or_else(|error| error.to_string(), |names| format!("{names:?}"))
    }

    #[test]
    fn what_is_revoked_meanwhile_does_not_count_any_more_and_a_broken_file_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (ca, now) = (authority(3000), Timestamp::now());
        let (authorities, crl) = (dir.path().join("ca.pem"), dir.path().join("crl.pem"));
        std::fs::write(&authorities, ca.pem()).unwrap();
        std::fs::write(&crl, revoked(&ca, &[1], 3000)).unwrap();
        let looking = ClientAuthorities::looking(&authorities, Some(&crl), Duration::ZERO).unwrap();
        let (one, two) = (acme(&ca, 1), acme(&ca, 2));
        assert_eq!(why(looking.names(&one, now)), "it is revoked");
        assert!(looking.names(&two, now).is_ok());
        for (text, expected) in [
            (revoked(&ca, &[1, 2], 3000), "it is revoked"),
            ("-----BEGIN X509 CRL-----\nbroken".to_owned(), "it is revoked"),
            (revoked(&ca, &[1], 2021), "what is revoked is known until 2021-01-01T00:00:00Z only"),
            (revoked(&authority(3000), &[1], 3000), "whether it counts cannot be known"),
        ] {
            std::fs::write(&crl, text).unwrap();
            assert_eq!(why(looking.names(&two, now)), expected);
        }
        std::fs::remove_file(&crl).unwrap();
        assert!(looking.names(&two, now).is_err());
        std::fs::write(&crl, revoked(&ca, &[1], 3000)).unwrap();
        assert!(looking.names(&two, now).is_ok(), "it is there again");
    }

    #[test]
    fn an_authority_counts_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let (over, good) = (authority(2021), authority(3000));
        let path = dir.path().join("ca.pem");
        std::fs::write(&path, format!("{}{}", over.pem(), good.pem())).unwrap();
        let authorities = ClientAuthorities::open(&path, None).unwrap();
        let now = Timestamp::now();
        assert_eq!(why(authorities.names(&acme(&over, 1), now)), "its issuer is not among those that are believed");
        assert!(authorities.names(&acme(&good, 1), now).is_ok());
    }

    #[test]
    fn files_that_cannot_be_used_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let opened = |text: &str, crl: Option<&str>| {
            std::fs::write(&path, text).unwrap();
            let revocations = crl.map(|crl| {
                let path = dir.path().join("crl.pem");
                std::fs::write(&path, crl).unwrap();
                path
            });
            ClientAuthorities::open(&path, revocations.as_deref()).map(drop).unwrap_err().to_string()
        };
        let ca = authority(3000);
        let leaf = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert!(opened(&leaf.pem(), None).ends_with("is not the certificate of an authority"));
        assert!(opened("", None).ends_with("no certificate in it"));
        assert!(opened(&ca.pem().repeat(17), None).ends_with("more than 16 certificates in it"));
        assert!(opened(&ca.pem(), Some("")).ends_with("crl.pem` cannot be used: no list of revocations in it"));
        let broken = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
        assert!(opened(&ca.pem(), Some(broken)).contains("crl.pem` cannot be used: "));
    }
}
