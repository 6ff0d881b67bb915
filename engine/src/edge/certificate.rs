//! The section `[tls]`: by which names and certificate the API is known, and the address by which this machine's own reach it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape, Texts};
use linesman_connectors::tls::{self, Authority, Served};

/// The names of a certificate.
static NAMES: Texts = Texts {
    one: "a host name or an address",
    many: "host names and addresses",
    longest: 253,
    most: 100,
    help: Some("without `https://` and without a port"),
};

/// What is told of the API's certificate.
#[rustfmt::skip]
pub(crate) static SECTION: Section = Section {
    name: "tls",
    shape: Shape::Always,
    doc: "The certificate of the HTTPS API. Not said otherwise, it has one of the engine's own authority (`D/tls/ca.pem`) for this machine and the address that it listens on.",
    keys: &[
        Key::new("names", Kind::Texts(&NAMES), "What else the API is reached by: host names and addresses that the certificate of the engine's own authority is for. Where the API listens at all addresses (`0.0.0.0`, `[::]`) it knows none of them by itself.").like("[\"linesman.example\", \"192.0.2.1\"]"),
        Key::new("certificate", Kind::Certificates, "The file of a certificate of your own (PEM), its own first. It is read again when it changes. Whoever comes from this machine by the name `localhost` is shown that of the engine's authority nevertheless.").like("api.pem"),
        Key::new("key", Kind::Path, "The file of that certificate's key (PEM), readable by its owner only, or, where that is root, by its group. Goes with `certificate`.").like("api.key"),
    ],
};

/// By what the API is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Names and addresses for which the engine's own authority issues its certificate.
    pub names: Vec<String>,
    /// The files of a certificate of the operator's own, and of its key.
    pub own: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// What a table of [`SECTION`] says.
    pub(crate) fn read(entry: &Entry) -> Self {
        Self { names: entry.texts("names").to_vec(), own: entry.path("certificate").zip(entry.path("key")) }
    }

    /// What the API shows that listens on `address`.
    ///
    /// # Errors
    /// A file cannot be used, or a name is none.
    pub(super) fn served(&self, address: SocketAddr, authority: &Authority) -> Result<Served, tls::Error> {
        let mut names = self.names.clone();
        if !address.ip().is_unspecified() {
            names.push(address.ip().to_string());
        }
        let inner = authority.issue(&names)?;
        match &self.own {
            None => Served::fixed(inner),
            Some((certificate, key)) => Served::of_files(certificate, key)?.beside(inner),
        }
    }
}

/// The address by which this machine's own reach a listener, with the certificate of the engine's authority.
pub(super) fn url(address: SocketAddr, served: &Served) -> String {
    let port = address.port();
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    match served.has_inner() && ip.is_loopback() {
        true => format!("https://localhost:{port}"),
        false => format!("https://{}", SocketAddr::new(ip, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_is_told_is_one_that_can_be_reached() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path()).unwrap();
        let alone = Served::fixed(authority.issue(&[]).unwrap()).unwrap();
        let beside =
            Served::fixed(authority.issue(&[]).unwrap()).unwrap().beside(authority.issue(&[]).unwrap()).unwrap();
        for (listens, told, told_beside) in [
            ("127.0.0.1:1", "https://127.0.0.1:1", "https://localhost:1"),
            ("0.0.0.0:8443", "https://127.0.0.1:8443", "https://localhost:8443"),
            ("[::]:8443", "https://[::1]:8443", "https://localhost:8443"),
            ("192.0.2.1:8443", "https://192.0.2.1:8443", "https://192.0.2.1:8443"),
        ] {
            let listens = listens.parse().unwrap();
            assert_eq!((url(listens, &alone).as_str(), url(listens, &beside).as_str()), (told, told_beside));
        }
    }
}
