//! TLS for both ends of the program: who we are towards those who call us, and whom we believe.
//!
//! One crypto provider (ring), TLS 1.2 and 1.3, no compression, no renegotiation (rustls has
//! neither). A plain HTTP request on a TLS port fails the handshake and gets
//! no HTTP answer.

mod authority;
mod clients;
mod fault;
mod issued;
mod kept;
mod names;
mod presented;
mod served;
mod signatures;
mod trust;
mod verifier;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_platform_verifier::BuilderVerifierExt;

pub use authority::{Authority, ServerIdentity};
pub use clients::server_config_asking;
pub use fault::in_words;
pub use issued::{ClientAuthorities, NotIssued, ShownChain};
pub use names::{CertificateName, NoName};
pub use presented::{NotPresented, Presented, present};
pub use served::Served;
pub use trust::{Fingerprint, NoFingerprint, Trust};
pub use verifier::{Shown, Watch};

/// The versions spoken, newest first.
static VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("`{}` cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{}` cannot be used: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The authority's key lies open.
    #[error("others than its owner may read `{}`: allow it to the owner only (mode 0600)", path.display())]
    Exposed {
        /// The key's file.
        path: PathBuf,
    },
    /// A name no certificate can be issued for.
    #[error("`{host}` is neither a host name nor an address")]
    Host {
        /// The name.
        host: String,
    },
    /// A certificate cannot be made.
    #[error("no certificate can be issued")]
    Issue(#[from] rcgen::Error),
    /// The TLS library refuses.
    #[error("TLS cannot be configured")]
    Config(#[from] rustls::Error),
}

/// The crypto provider of the whole program.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// What a server of HTTP/1.1 over TLS speaks with, under `identity`.
///
/// # Errors
/// The identity cannot be used.
pub fn server_config(identity: ServerIdentity) -> Result<Arc<ServerConfig>, Error> {
    server_config_showing(Arc::new(Served::fixed(identity)?))
}

/// The same, under what `served` shows.
///
/// # Errors
/// The TLS library refuses.
pub fn server_config_showing(served: Arc<Served>) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)?
        .with_no_client_auth()
        .with_cert_resolver(served);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A server's identity of the operator's own: the certificates of a PEM file, its own first, and the key of another.
///
/// # Errors
/// A file cannot be read or holds none, or others may read the key.
pub fn identity(certificates: &Path, key: &Path) -> Result<ServerIdentity, Error> {
    let chain = self::certificates(certificates)?;
    let failed = |source| Error::Read { path: key.to_owned(), source };
    let broken = |reason: String| Error::Broken { path: key.to_owned(), reason };
    let metadata = std::fs::metadata(key).map_err(failed)?;
    // A volume hands a key to a group, and leaves root its owner.
    let others = if metadata.uid() == 0 && !rustix::process::geteuid().is_root() { 0o037 } else { 0o077 };
    if metadata.permissions().mode() & others != 0 {
        return Err(Error::Exposed { path: key.to_owned() });
    }
    let pem = pem(key)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| broken(error.to_string()))?;
    Ok(ServerIdentity { chain, key })
}

/// What a client speaks with: it believes the certificates in the file `ca` and no other, or, when
/// none is given, the system's roots.
pub fn client_config(ca: Option<&Path>) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(VERSIONS)?;
    let builder = match ca {
        Some(path) => builder.with_root_certificates(roots(path)?),
        None => builder.with_platform_verifier()?,
    };
    Ok(builder.with_no_client_auth())
}

/// By what a client shows who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The file of its certificates (PEM), its own first.
    pub certificate: PathBuf,
    /// The file of that certificate's key (PEM).
    pub key: PathBuf,
}

/// An HTTPS client that believes whom `trust` says and shows its `own` certificate if it has one, what certificates it is shown being noted in `watch`; beside that
/// one as [`http_client`] makes. Every connection looks at the certificate anew.
///
/// # Errors
/// The certificates to believe cannot be used.
pub fn watching_client(
    trust: &Trust,
    watch: Arc<Watch>,
    own: Option<&Identity>,
) -> Result<reqwest::ClientBuilder, Error> {
    let verifier = verifier::Verifier::new(trust, watch)?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match own {
        None => config.with_no_client_auth(),
        Some(own) => {
            let ServerIdentity { chain, key } = identity(&own.certificate, &own.key)?;
            config.with_client_auth_cert(chain, key)?
        }
    };
    // A session that is resumed would not see that the certificate has ended.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(client_of(config))
}

/// An HTTPS client that believes whom [`client_config`] believes, and goes nowhere else than it is
/// sent: no redirect is followed, no proxy of the environment used, nothing retried behind the
/// caller's back. Time-outs are the caller's to set.
pub fn http_client(ca: Option<&Path>) -> Result<reqwest::ClientBuilder, Error> {
    Ok(client_of(client_config(ca)?))
}

fn client_of(config: ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
}

/// The certificates of a PEM file, at least one, as those that are believed.
fn roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        let broken = |error: rustls::Error| Error::Broken { path: path.to_owned(), reason: error.to_string() };
        roots.add(certificate).map_err(broken)?;
    }
    Ok(roots)
}

/// The certificates of a PEM file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let broken = |reason: String| Error::Broken { path: path.to_owned(), reason };
    let pem = pem(path)?;
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| broken(error.to_string()))?;
    if chain.is_empty() { Err(broken("no certificate in it".to_owned())) } else { Ok(chain) }
}

/// The text of a PEM file, without the byte order mark that some editors put before it.
fn pem(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let reason = "it is UTF-16 text: save it as ASCII or UTF-8".to_owned();
        return Err(Error::Broken { path: path.to_owned(), reason });
    }
    Ok(match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(text) => text.to_vec(),
        None => bytes,
    })
}

#[cfg(test)]
mod tests;
