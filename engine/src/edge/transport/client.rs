//! The certificate that a client has shown with its connection, for whoever asks for one.

use std::io;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use axum_server::tls_rustls::RustlsAcceptor;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use linesman_connectors::tls::ShownChain;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tower_layer::Layer as _;

use super::seats::{SeatAcceptor, Seated};

/// What a client has shown; none where it has shown none. That it holds the certificate's key is certain, and nothing
/// else: whether anybody believes it is looked at by whoever is asked for something.
#[derive(Debug, Clone)]
pub(crate) struct ClientCertificate(pub(crate) Option<ShownChain>);

/// Accepts connections, and puts [`ClientCertificate`] beside their requests.
#[derive(Clone)]
pub(super) struct ClientAcceptor(pub(super) RustlsAcceptor<SeatAcceptor>);

impl<V: Send + 'static> Accept<TcpStream, V> for ClientAcceptor {
    type Stream = TlsStream<Seated<TcpStream>>;
    type Service = AddExtension<V, ClientCertificate>;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: V) -> Self::Future {
        let accepted = self.0.accept(stream, service);
        let shown = async {
            let (stream, service) = accepted.await?;
            let certificate = stream.get_ref().1.peer_certificates().and_then(ShownChain::of);
            Ok((stream, Extension(ClientCertificate(certificate)).layer(service)))
        };
        shown.boxed()
    }
}
