//! How a server has clients show certificates: it asks for one, takes any whose key is there, and believes none.
//!
//! What a client shows is held against what is believed only where somebody asks for something, so that a handshake tells
//! nobody which certificates are good.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DistinguishedName, ServerConfig};

use super::signatures::{Signatures, asks_its_signatures};
use super::{Error, Served, VERSIONS, provider};

/// What a server of HTTP/1.1 over TLS speaks with, under what `served` shows, that has clients show certificates, if they
/// have any.
///
/// # Errors
/// The TLS library refuses.
pub fn server_config_asking(served: Arc<Served>) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)?
        .with_client_cert_verifier(Arc::new(Asking { signatures: Signatures::new() }))
        .with_cert_resolver(served);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Whoever resumes a session shows nothing anew.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct Asking {
    signatures: Signatures,
}

impl ClientCertVerifier for Asking {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    asks_its_signatures!();
}
