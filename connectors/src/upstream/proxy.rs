//! The way through an HTTP proxy, which makes a connection to the upstream on request (CONNECT, RFC 9110, 9.3.6). TLS is spoken
//! with the upstream itself: the proxy sees its name and no more.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::SettingsError;
use crate::Secret;
use crate::settings::Entry;
use crate::text::excerpt;

/// The longest head of an answer.
const HEAD_MOST: usize = 16 * 1024;
/// The port of a proxy that names none.
const PORT: u16 = 80;

/// A proxy, and as whom it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxy {
    /// Its address, `http://host[:port]`.
    pub url: String,
    /// User and password; none: it lets anybody through.
    pub login: Option<(String, Secret)>,
}

impl Proxy {
    /// What the keys of a section say; none: there is no proxy.
    pub(super) fn read(entry: &Entry) -> Option<Self> {
        let login = entry.text("proxy_user").map(|user| {
            let password = entry.secret("proxy_password_file").unwrap_or_else(|| Secret::new(""));
            (user, password)
        });
        Some(Self { url: entry.text("proxy")?, login })
    }

    /// Whether a text is an address of one: `http://host[:port]`, without a user.
    pub fn is_address(text: &str) -> bool {
        Url::parse(text).is_ok_and(|url| {
            let has_login = !url.username().is_empty() || url.password().is_some();
            let has_extras = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
            url.scheme() == "http" && url.has_host() && !has_login && !has_extras
        })
    }

    /// For the HTTP client.
    pub(super) fn for_client(&self) -> Result<reqwest::Proxy, SettingsError> {
        let proxy = reqwest::Proxy::https(self.url.as_str())?;
        Ok(match &self.login {
            Some((user, password)) => proxy.basic_auth(user, password.expose()),
            None => proxy,
        })
    }

    /// Where it listens.
    pub(super) fn host_and_port(&self) -> Option<(String, u16)> {
        let url = Url::parse(&self.url).ok()?;
        Some((url.host_str()?.to_owned(), url.port().unwrap_or(PORT)))
    }

    /// Asks a connection to it for one to `host` (as in an address, with brackets where it is one of IPv6).
    ///
    /// # Errors
    /// It makes none; in words.
    pub(super) async fn tunnel(
        &self,
        stream: TcpStream,
        (host, port): (&str, u16),
        patience: Duration,
    ) -> Result<TcpStream, String> {
        match timeout(patience, self.ask(stream, host, port)).await {
            Ok(made) => made,
            Err(_) => Err(format!("the proxy `{}` does not answer in time", self.url)),
        }
    }

    async fn ask(&self, mut stream: TcpStream, host: &str, port: u16) -> Result<TcpStream, String> {
        let broken = |error: std::io::Error| format!("the proxy `{}` has broken off: {error}", self.url);
        let login = match &self.login {
            Some((user, password)) => {
                let login = STANDARD.encode(format!("{user}:{}", password.expose()));
                format!("Proxy-Authorization: Basic {login}\r\n")
            }
            None => String::new(),
        };
        let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n");
        stream.write_all(request.as_bytes()).await.map_err(broken)?;
        let mut head = Vec::new();
        // Byte by byte: what comes behind the head is the upstream's.
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == HEAD_MOST {
                return Err(format!("the proxy `{}` does not answer as one", self.url));
            }
            head.push(stream.read_u8().await.map_err(broken)?);
        }
        let head = String::from_utf8_lossy(&head);
        let status = head.lines().next().unwrap_or_default();
        match status.split(' ').nth(1) {
            Some(code) if code.len() == 3 && code.starts_with('2') => Ok(stream),
            _ => Err(format!("the proxy `{}` lets nobody through: {}", self.url, excerpt(status, 200))),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What a proxy was asked that answers so, and what came of it.
    async fn asked(login: Option<(&str, &str)>, answer: &'static str) -> (String, Result<(), String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(head).unwrap()
        });
        let login = login.map(|(user, password)| (user.to_owned(), Secret::new(password)));
        let proxy = Proxy { url: "http://proxy.example".to_owned(), login };
        let stream = TcpStream::connect(address).await.unwrap();
        let made = proxy.tunnel(stream, ("jss.example", 443), Duration::from_secs(60)).await;
        (server.await.unwrap(), made.map(drop))
    }

    #[tokio::test]
    async fn a_connection_is_asked_for_by_name() {
        let (request, made) = asked(None, "HTTP/1.1 200 Connection established\r\n\r\n").await;
        assert_eq!(request, "CONNECT jss.example:443 HTTP/1.1\r\nHost: jss.example:443\r\n\r\n");
        assert_eq!(made, Ok(()));
        let (request, _) = asked(Some(("me", "hunter2")), "HTTP/1.0 200 OK\r\nVia: x\r\n\r\n").await;
        assert!(request.ends_with("\r\nProxy-Authorization: Basic bWU6aHVudGVyMg==\r\n\r\n"), "{request}");
    }

    #[tokio::test]
    async fn a_refusal_is_told() {
        for answer in ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP/1.1 503\r\n\r\n"] {
            let (_, made) = asked(None, answer).await;
            let expected = format!("the proxy `http://proxy.example` lets nobody through: {}", answer.trim());
            assert_eq!(made, Err(expected));
        }
        let (_, made) = asked(None, "SSH-2.0-OpenSSH\r\n\r\n").await;
        assert!(made.unwrap_err().ends_with("lets nobody through: SSH-2.0-OpenSSH"));
    }
}
