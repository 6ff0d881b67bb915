//! What a server shows of itself in a handshake: nothing is said to it, and the connection is given up.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ProtocolVersion};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::verifier::{Looker, validity};
use super::{Error, Fingerprint, Trust, VERSIONS, provider};

/// What a server has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Presented {
    /// The version of TLS that was agreed on: `TLS 1.2` or `TLS 1.3`.
    pub version: &'static str,
    /// Its certificate.
    pub fingerprint: Fingerprint,
    /// Whose it says it is.
    pub subject: String,
    /// Who it says has issued it.
    pub issuer: String,
    /// From when and until when it is valid; none where that cannot be read.
    pub validity: Option<(Timestamp, Timestamp)>,
    /// Why it is not believed, if it is not.
    pub fault: Option<CertificateError>,
}

/// Why nothing was shown.
#[derive(Debug, thiserror::Error)]
pub enum NotPresented {
    /// What is believed cannot be used.
    #[error(transparent)]
    Trust(#[from] Error),
    /// There was no handshake.
    #[error("the handshake failed")]
    Handshake(#[from] io::Error),
}

/// Shakes hands with a server reached as `host`, and says what it has shown, believed or not.
///
/// # Errors
/// What `trust` names cannot be used, or there was no handshake.
pub async fn present(trust: &Trust, host: &str, stream: TcpStream) -> Result<Presented, NotPresented> {
    let looker = Arc::new(Looker::new(trust)?);
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .map_err(Error::from)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&looker) as Arc<_>)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
    let name = name.map_err(|_| Error::Host { host: host.to_owned() })?;
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let version = match stream.get_ref().1.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS 1.3",
    };
    // Whoever is there hears that this was all; that they do not take it makes no difference.
    let _ = stream.shutdown().await;
    let nothing = || io::Error::other("no certificate was shown");
    let (certificate, fault) = looker.seen().ok_or_else(nothing)?;
    let parsed = x509_parser::parse_x509_certificate(&certificate).ok().map(|(_, parsed)| parsed);
    let (subject, issuer) = parsed.map(|parsed| (parsed.subject().to_string(), parsed.issuer().to_string())).unzip();
    Ok(Presented {
        version,
        fingerprint: Fingerprint::of(&certificate),
        subject: subject.unwrap_or_default(),
        issuer: issuer.unwrap_or_default(),
        validity: validity(&certificate),
        fault,
    })
}
