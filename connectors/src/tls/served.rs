//! The certificate that a server shows, which may be another while it runs.
//!
//! One of the operator's own lies in two files and is read again when these have changed. Beside it there may be one of the
//! program's own authority, for whoever comes from this machine: by the name `localhost`, or by an address where the
//! operator's has none.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;

use super::verifier::Shown;
use super::{Error, ServerIdentity, identity, provider};

/// By what name this machine's own come.
const OWN_NAME: &str = "localhost";

/// By what two files are known to be others.
type Stamp = [Option<(SystemTime, u64)>; 2];

/// The certificate of a server, with its key.
#[derive(Debug)]
pub struct Served {
    current: RwLock<Current>,
    /// For whoever comes from this machine.
    inner: Option<Arc<CertifiedKey>>,
    files: Option<Files>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    has_addresses: bool,
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    /// As of when they were read, or found unusable.
    read: Mutex<Stamp>,
}

impl Served {
    /// One that stays.
    ///
    /// # Errors
    /// Certificate and key do not belong together.
    pub fn fixed(identity: ServerIdentity) -> Result<Self, Error> {
        Ok(Self { current: RwLock::new(Current::of(identity)?), inner: None, files: None })
    }

    /// The certificates of a PEM file, its own first, and the key of another.
    ///
    /// # Errors
    /// A file cannot be read or holds none, others may read the key, or they do not belong together.
    pub fn of_files(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let stamp = stamp(certificate, key);
        let current = Current::read(certificate, key)?;
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned(), read: Mutex::new(stamp) };
        Ok(Self { current: RwLock::new(current), inner: None, files: Some(files) })
    }

    /// The same, and `inner` for whoever comes from this machine.
    ///
    /// # Errors
    /// `inner` has another key than its own.
    pub fn beside(self, inner: ServerIdentity) -> Result<Self, Error> {
        Ok(Self { inner: Some(Current::of(inner)?.key), ..self })
    }

    /// The certificate that it shows at the moment; none where it has none.
    pub fn shown(&self) -> Option<Shown> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).key.cert.first().map(Shown::of)
    }

    /// Whether this machine's own are shown a certificate of the program's authority by the name `localhost` alone.
    pub fn has_inner(&self) -> bool {
        self.inner.is_some()
    }

    /// Reads the files again where they have changed since: whether the certificate is another now.
    ///
    /// # Errors
    /// They cannot be used: the certificate of before stays. That is told once of what they are now.
    pub fn reload(&self) -> Result<bool, Error> {
        let Some(Files { certificate, key, read }) = &self.files else { return Ok(false) };
        let now = stamp(certificate, key);
        {
            let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
            if *read == now {
                return Ok(false);
            }
            *read = now;
        }
        let fresh = Current::read(certificate, key)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = current.key.cert != fresh.key.cert;
        *current = fresh;
        Ok(is_other)
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let is_inner = match hello.server_name() {
            Some(name) => name == OWN_NAME,
            None => !current.has_addresses,
        };
        let inner = self.inner.as_ref().filter(|_| is_inner);
        Some(Arc::clone(inner.unwrap_or(&current.key)))
    }
}

impl Current {
    fn of(identity: ServerIdentity) -> Result<Self, Error> {
        let has_addresses = identity.chain.first().is_some_and(has_addresses);
        let key = CertifiedKey::from_der(identity.chain, identity.key, &provider())?;
        Ok(Self { key: Arc::new(key), has_addresses })
    }

    fn read(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let broken = |error: rustls::Error| Error::Broken { path: key.to_owned(), reason: error.to_string() };
        match Self::of(identity(certificate, key)?) {
            Err(Error::Config(error)) => Err(broken(error)),
            read => read,
        }
    }
}

/// Whether a certificate is for any address, and not for names alone.
fn has_addresses(certificate: &CertificateDer<'_>) -> bool {
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else { return false };
    let listed = parsed.subject_alternative_name().ok().flatten();
    listed.is_some_and(|names| names.value.general_names.iter().any(|name| matches!(name, GeneralName::IPAddress(_))))
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}
