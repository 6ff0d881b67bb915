//! The NATS servers, and by what they are entered: addresses with a login or a token in them, files of credentials, certificates.

use std::fmt;
use std::path::PathBuf;

use async_nats::{ConnectOptions, ServerAddr};
use linesman_connectors::settings::Entry;
use percent_encoding::percent_decode_str;

use super::domain::is_in;
use super::{Error, without_password};

/// What an address of a server begins with.
pub(crate) const SCHEMES: [&str; 4] = ["nats://", "tls://", "ws://", "wss://"];

/// Whether an address is one of WebSocket; a cluster is entered by that or otherwise, and not by both.
pub(crate) fn is_websocket(url: &str) -> bool {
    ["ws://", "wss://"].iter().any(|scheme| url.starts_with(scheme))
}

/// Servers of one cluster, and how one is entered.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Servers {
    /// One address, or several behind commas.
    url: String,
    access: Access,
}

/// By what servers are entered beside their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The file of a JWT and the seed of its key, as `nsc` writes it.
    pub credentials: Option<PathBuf>,
    /// The file of the seed of a key.
    pub nkey: Option<PathBuf>,
    /// The file of the authorities that are believed; none: the system's.
    pub ca: Option<PathBuf>,
    /// The files of a certificate of our own, and of its key.
    pub own: Option<(PathBuf, PathBuf)>,
    /// The JetStream domain that has the log; none: that of the server itself.
    pub domain: Option<String>,
    /// Whether TLS begins before the server has said anything.
    pub is_tls_first: bool,
}

impl Access {
    /// What a table of the section says.
    pub(super) fn read(entry: &Entry) -> Option<Self> {
        Some(Self {
            credentials: entry.path("credentials"),
            nkey: entry.path("nkey"),
            ca: entry.path("ca"),
            own: entry.path("certificate").zip(entry.path("key")),
            domain: entry.text("domain"),
            is_tls_first: entry.flag("tls_first")?,
        })
    }
}

impl Servers {
    /// Those at an address, or at several behind commas.
    pub fn new(url: impl Into<String>, access: Access) -> Self {
        Self { url: url.into(), access }
    }

    /// Their addresses, as they were given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Connects to one of them; reconnects to any. A login or a token that the first address names counts for all of them,
    /// unless a file says otherwise.
    ///
    /// # Errors
    /// A file cannot be read, or the first connection fails.
    pub(super) async fn connect(&self, mut options: ConnectOptions) -> Result<async_nats::Client, Error> {
        let Access { credentials, nkey, ca, own, domain, is_tls_first } = &self.access;
        if let Some(domain) = domain {
            is_in(domain);
        }
        let file = |path: &PathBuf| {
            let path = path.clone();
            |source| Error::Login { path, source }
        };
        if let Some(path) = credentials {
            options = options.credentials_file(path).await.map_err(file(path))?;
        } else if let Some(path) = nkey {
            let seed = tokio::fs::read_to_string(path).await.map_err(file(path))?;
            options = options.nkey(seed.trim().to_owned());
        } else {
            options = self.by_address(options);
        }
        if let Some(path) = ca {
            options = options.add_root_certificates(path.clone());
        }
        if let Some((certificate, key)) = own {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        if *is_tls_first {
            options = options.tls_first();
        }
        // Whoever names a certificate means no connection in the clear.
        if ca.is_some() || own.is_some() || *is_tls_first {
            options = options.require_tls(true);
        }
        // What a server tells of the others of its cluster is not about WebSocket.
        if is_websocket(&self.url) {
            options = options.ignore_discovered_servers();
        }
        let failed = |source| Error::Connect { url: without_password(&self.url), source };
        options.connect(split(&self.url)).await.map_err(failed)
    }

    /// By what stands in an address, which the client library leaves aside.
    fn by_address(&self, options: ConnectOptions) -> ConnectOptions {
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let addresses = split(&self.url).into_iter().filter_map(|url| url.parse::<ServerAddr>().ok());
        for address in addresses {
            match (address.username(), address.password()) {
                (Some(user), Some(password)) => return options.user_and_password(plain(user), plain(password)),
                (Some(token), None) if !token.is_empty() => return options.token(plain(token)),
                _ => {}
            }
        }
        options
    }
}

/// The addresses in a text. A comma in a password is none between addresses.
pub(crate) fn split(url: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = url;
    while let Some(at) = next_address(rest) {
        let (one, others) = rest.split_at(at);
        all.push(one.trim_end().trim_end_matches(',').trim());
        rest = others;
    }
    all.push(rest.trim());
    all
}

/// Where the address behind the first one begins.
fn next_address(text: &str) -> Option<usize> {
    text.match_indices(',').find_map(|(comma, _)| {
        let behind = text.get(comma + 1..)?;
        let address = behind.trim_start();
        let is_address = SCHEMES.iter().any(|scheme| address.starts_with(scheme));
        is_address.then_some(text.len() - address.len())
    })
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").field("url", &without_password(&self.url)).field("access", &self.access).finish()
    }
}

impl From<&str> for Servers {
    fn from(url: &str) -> Self {
        Self::new(url, Access::default())
    }
}

impl From<&String> for Servers {
    fn from(url: &String) -> Self {
        Self::from(url.as_str())
    }
}

impl From<&Self> for Servers {
    fn from(servers: &Self) -> Self {
        servers.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_servers_stand_behind_commas() {
        for (text, expected) in [
            ("nats://a:4222", &["nats://a:4222"][..]),
            ("nats://a, tls://u:p@b:4222 ,nats://c", &["nats://a", "tls://u:p@b:4222", "nats://c"]),
            ("nats://u:p,w@a,nats://b", &["nats://u:p,w@a", "nats://b"]),
            ("wss://a,ws://b", &["wss://a", "ws://b"]),
            ("a,b", &["a,b"]),
            ("", &[""]),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
