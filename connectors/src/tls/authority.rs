//! The program's own certificate authority, in a directory of its own.
//!
//! It issues the certificates of the program's own servers, a fresh one at each start or one that is kept (`kept.rs`), and
//! nothing else: no client certificates, no revocation lists, no intermediate authorities.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};

use super::{Error, provider};

/// The certificate's file; clients are pointed to it.
const CERTIFICATE: &str = "ca.pem";
/// The key's file, mode 0600.
const KEY: &str = "ca.key";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a new authority is valid.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3650);
/// How long a server's certificate is valid: the most that clients take from a private authority.
const SERVER_LIFE: Duration = DAY.saturating_mul(825);
/// How far a certificate's beginning lies back, for peers whose clock is behind.
const HEAD_START: Duration = DAY;
/// No clock that is right shows less: the program is younger. 2026-01-01T00:00:00Z, in seconds since 1970.
const CLOCK_LEAST: i64 = 1_767_225_600;
/// When an authority begins, whenever it is made: 2020-01-01T00:00:00Z, in seconds since 1970.
const AUTHORITY_FROM: i64 = 1_577_836_800;
/// What is put behind the name of a file that another takes the place of.
const SET_ASIDE: &str = "old";

/// A server's certificate with what leads to its authority, and its key. Lives in memory only.
pub struct ServerIdentity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// The authority kept in one directory as `ca.pem` and `ca.key`.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    path: PathBuf,
    not_after: Timestamp,
}

impl Authority {
    /// Loads the authority of `dir`, or makes one where there is none yet.
    ///
    /// The certificate's file is what makes an authority: it is written last, so a key without it is
    /// what a crash left of an authority nobody has met, and is replaced.
    ///
    /// # Errors
    ///
    /// The files cannot be read or written, are not an authority, do not belong together, or others may read the key.
    /// Nothing is replaced then: clients hold the certificate.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_at(dir, Timestamp::now())
    }

    /// The same by another clock.
    ///
    /// An authority that is not valid now, though the clock may be right, can never hold: it has ended, or was made under a
    /// clock that was wrong. Another takes its place, with a warning; the files are kept with `.old` behind their names.
    pub(super) fn open_at(dir: &Path, now: Timestamp) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(|source| Error::Write { path: dir.to_owned(), source })?;
        let path = dir.join(CERTIFICATE);
        match fs::read(&path) {
            Ok(pem) => Self::load(dir, path, &pem, now),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::create(dir, path, now),
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    /// The file of the authority's certificate, for clients to believe.
    pub fn ca_path(&self) -> &Path {
        &self.path
    }

    /// A new identity for a server reached as `127.0.0.1`, `::1`, `localhost` or any of `hosts` (names
    /// or addresses), valid for 825 days but not longer than the authority.
    pub fn issue(&self, hosts: &[String]) -> Result<ServerIdentity, Error> {
        let (certificate, key) = self.make(hosts, Timestamp::now())?;
        Ok(self.identity(certificate, &key))
    }

    /// A new certificate, and its key.
    pub(super) fn make(&self, hosts: &[String], now: Timestamp) -> Result<(Certificate, KeyPair), Error> {
        let names = names(hosts);
        if let Some(host) = names.iter().find(|name| ServerName::try_from(name.as_str()).is_err()) {
            return Err(Error::Host { host: host.clone() });
        }
        let mut params = CertificateParams::new(names.into_iter().collect::<Vec<_>>())?;
        let now = believed(now);
        let until = now.saturating_add(SERVER_LIFE).unwrap_or(Timestamp::MAX);
        set_validity(&mut params, now.as_second().saturating_sub(seconds(HEAD_START)), until.min(self.not_after));
        params.distinguished_name.push(DnType::CommonName, "Linesman");
        // `NoCa` would leave out basicConstraints and the Subject Key Identifier.
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate, key))
    }

    /// What a server shows with a certificate of this authority.
    pub(super) fn identity(&self, certificate: Certificate, key: &KeyPair) -> ServerIdentity {
        ServerIdentity {
            chain: vec![certificate.into(), self.certificate.clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        }
    }

    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// When it ends.
    pub(super) fn ends(&self) -> Timestamp {
        self.not_after
    }

    fn create(dir: &Path, path: PathBuf, now: Timestamp) -> Result<Self, Error> {
        let not_after = believed(now).saturating_add(AUTHORITY_LIFE).unwrap_or(Timestamp::MAX);
        let key = KeyPair::generate()?;
        let params = authority_params(not_after)?;
        let certificate = params.self_signed(&key)?;
        write(&dir.join(KEY), key.serialize_pem().as_bytes(), 0o600)?;
        write(&path, certificate.pem().as_bytes(), 0o644)?;
        Ok(Self { issuer: Issuer::new(params, key), certificate: certificate.into(), path, not_after })
    }

    fn load(dir: &Path, path: PathBuf, pem: &[u8], now: Timestamp) -> Result<Self, Error> {
        let broken = |reason: String| Error::Broken { path: path.clone(), reason };
        let certificate = CertificateDer::from_pem_slice(pem).map_err(|error| broken(error.to_string()))?;
        let key = read_key(&dir.join(KEY))?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate)
            .map_err(|error| broken(format!("not a certificate ({error})")))?;
        if !parsed.is_ca() {
            return Err(broken("not the certificate of an authority".to_owned()));
        }
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(broken(format!("`{KEY}` beside it is another authority's key")));
        }
        let time = |seconds| Timestamp::from_second(seconds).map_err(|error| broken(error.to_string()));
        let from = time(parsed.validity().not_before.timestamp())?;
        let until = time(parsed.validity().not_after.timestamp())?;
        let now = believed(now);
        if now < from || now > until {
            let file = path.display();
            tracing::warn!(
                %file, %from, %until,
                "the authority is not valid now: another takes its place, and clients have to be given its certificate"
            );
            for file in [dir.join(KEY), path.clone()] {
                let aside = PathBuf::from(format!("{}.{SET_ASIDE}", file.display()));
                fs::copy(&file, &aside).map_err(|source| Error::Write { path: aside, source })?;
            }
            // Last: a key without its certificate is what a crash leaves.
            fs::remove_file(&path).map_err(|source| Error::Write { path: path.clone(), source })?;
            return Self::create(dir, path, now);
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { issuer, certificate, path, not_after: until })
    }
}

/// The names of a server that is reached as `hosts` says, or by the machine itself.
pub(super) fn names(hosts: &[String]) -> BTreeSet<String> {
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    local.into_iter().chain(hosts.iter().cloned()).collect()
}

/// What a new authority's certificate says.
fn authority_params(not_after: Timestamp) -> Result<CertificateParams, Error> {
    // Two authorities of one name would be confused by clients that hold both certificates.
    let mut tag = [0; 4];
    provider().secure_random.fill(&mut tag).map_err(|_| rustls::Error::FailedToGetRandomBytes)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Linesman CA {:08x}", u32::from_be_bytes(tag)));
    // Bound to no clock of the moment it is made at.
    set_validity(&mut params, AUTHORITY_FROM, not_after);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn read_key(path: &Path) -> Result<KeyPair, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Error::Exposed { path: path.to_owned() });
    }
    let pem = fs::read_to_string(path).map_err(failed)?;
    KeyPair::from_pem(&pem).map_err(|error| Error::Broken { path: path.to_owned(), reason: error.to_string() })
}

/// Writes a whole file or nothing: a new file, flushed, takes the place of the old one.
pub(super) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let new = path.with_extension("new");
    let written = || {
        match fs::remove_file(&new) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    written().map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// What a clock shows, or the least that one may show that is right: a machine without a battery begins in 1970.
pub(super) fn believed(now: Timestamp) -> Timestamp {
    now.max(Timestamp::from_second(CLOCK_LEAST).unwrap_or(now))
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// From when, in seconds since 1970, until when a certificate is valid.
fn set_validity(params: &mut CertificateParams, from: i64, until: Timestamp) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let since_epoch = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    params.not_before = epoch + since_epoch(from);
    params.not_after = epoch + since_epoch(until.as_second());
}
