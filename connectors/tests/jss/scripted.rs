//! A server that answers what a test wrote down and keeps every request as it came.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use linesman_connectors::jss::{Jss, Settings};
use linesman_connectors::tls;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use tempfile::TempDir;

/// How long a request is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Scripted {
    url: String,
    ca: PathBuf,
    requests: Receiver<String>,
    _dir: TempDir,
}

impl Scripted {
    /// Answers the first request with the first of `answers`, and so on, a connection each.
    pub(crate) fn new(answers: Vec<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = tls::Authority::open(dir.path()).unwrap();
        let config = tls::server_config(authority.issue(&[]).unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (heard, requests) = channel();
        std::thread::spawn(move || {
            for answer in answers {
                // Whoever scripted has seen all it wanted, or the client has gone: the test says so.
                let Ok(request) = serve(&listener, config.clone(), &answer) else { return };
                if heard.send(request).is_err() {
                    return;
                }
            }
        });
        Self { url, ca: authority.ca_path().to_owned(), requests, _dir: dir }
    }

    pub(crate) fn settings(&self) -> Settings {
        crate::world::settings(&self.url, &self.ca)
    }

    pub(crate) fn jss(&self) -> Jss {
        Jss::new(self.settings()).unwrap()
    }

    pub(crate) fn host(&self) -> &str {
        self.url.strip_prefix("https://").unwrap()
    }

    /// The next request, head and body as they came.
    pub(crate) fn heard(&self) -> String {
        self.requests.recv_timeout(PATIENCE).unwrap()
    }

    /// Whether no request is left unheard.
    pub(crate) fn is_silent(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}

fn serve(listener: &TcpListener, config: Arc<ServerConfig>, answer: &str) -> std::io::Result<String> {
    let (socket, _) = listener.accept()?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let session = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(session, socket);
    let mut request = Vec::new();
    while !is_whole(&request) {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk)? {
            0 => break,
            n => request.extend_from_slice(&chunk[..n]),
        }
    }
    // A client that has read enough closes while we write: that is its right.
    let _ = stream.write_all(answer.as_bytes());
    stream.conn.send_close_notify();
    let _ = stream.flush();
    Ok(String::from_utf8_lossy(&request).into_owned())
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// An answer of HTTP `status` with further head lines and a body.
pub(crate) fn answer(status: u16, head: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n{head}\r\n{body}", body.len())
}

/// A success that says `body`.
pub(crate) fn success(mut body: Value) -> String {
    body["responseDetails"] = serde_json::json!({ "statusCode": 200, "faults": [] });
    answer(200, "Content-Type: application/json\r\n", &body.to_string())
}

/// A token that lives for an hour.
pub(crate) fn token() -> String {
    let body = serde_json::json!({ "access_token": "t0k3n", "token_type": "Bearer", "expires_in": 3600 });
    answer(200, "", &body.to_string())
}
