//! A server over TLS that does with every connection what a test wrote down, and keeps each request as it came.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection of a client.
pub(crate) type Connection = StreamOwned<ServerConnection, TcpStream>;
/// What is done when a request has come.
pub(crate) type Reply = Box<dyn FnOnce(&mut Connection) + Send>;

pub(crate) struct Server {
    url: String,
    requests: Receiver<String>,
}

impl Server {
    /// Does with the first request what the first of `replies` says, and so on, a connection each.
    pub(crate) fn new(config: Arc<ServerConfig>, replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (heard, requests) = channel();
        std::thread::spawn(move || {
            for reply in replies {
                // Whoever scripted has seen all it wanted, or the client has gone: the test says so.
                let Ok((request, mut connection)) = receive(&listener, config.clone()) else { return };
                if heard.send(String::from_utf8_lossy(&request).into_owned()).is_err() {
                    return;
                }
                reply(&mut connection);
            }
        });
        Self { url, requests }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
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

    /// Whether the script has come to its end with no further request.
    pub(crate) fn has_ended(&self) -> bool {
        self.requests.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Disconnected)
    }
}

/// The next request, and the connection it came by.
pub(crate) fn receive(listener: &TcpListener, config: Arc<ServerConfig>) -> std::io::Result<(Vec<u8>, Connection)> {
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
    Ok((request, stream))
}

fn is_whole(request: &[u8]) -> bool {
    let Some((head, body)) = parts(request) else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// A request's head and what has come of its body.
pub(crate) fn parts(request: &[u8]) -> Option<(String, &[u8])> {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(&request[..end]).into_owned(), &request[end + 4..]))
}

/// Says `answer` and closes.
pub(crate) fn says(answer: String) -> Reply {
    Box::new(move |stream| {
        // A client that has read enough closes while we write: that is its right.
        let _ = stream.write_all(answer.as_bytes());
        stream.conn.send_close_notify();
        let _ = stream.flush();
    })
}

/// An answer of HTTP `status` with further head lines and a body.
pub(crate) fn answer(status: u16, head: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n{head}\r\n{body}", body.len())
}
