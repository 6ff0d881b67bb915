//! A partner that answers what a test wrote down, or does worse.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::ops::Deref;
use std::time::Duration;

use linesman_connectors::partner::{Partner, Settings};
use linesman_connectors::tls::{self, Trust};
use linesman_connectors::upstream::Way;
use linesman_connectors::{Attempted, Connector as _, Secret};
use linesman_schemas::reaction::Task;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) use crate::upstream::server::{Reply, Server, answer, says};
pub(crate) use crate::upstream::tasks::*;

pub(crate) struct Scripted {
    server: Server,
    _dir: TempDir,
    trust: Trust,
}

impl Scripted {
    /// Does with the first request what the first of `replies` says, and so on, a connection each.
    pub(crate) fn new(replies: Vec<Reply>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = tls::Authority::open(dir.path()).unwrap();
        let config = tls::server_config(authority.issue(&[]).unwrap()).unwrap();
        let trust = Trust::Authority(authority.ca_path().to_owned());
        Self { server: Server::new(config, replies), _dir: dir, trust }
    }

    /// Registers the client, and then does what `replies` say.
    pub(crate) fn registering(replies: Vec<Reply>) -> Self {
        Self::new(std::iter::once(registered()).chain(replies).collect())
    }

    pub(crate) fn settings(&self) -> Settings {
        settings(self.server.url(), self.trust.clone())
    }

    pub(crate) fn partner(&self) -> Partner {
        Partner::new(&self.settings()).unwrap()
    }
}

impl Deref for Scripted {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

pub(crate) fn settings(url: &str, trust: Trust) -> Settings {
    Settings {
        way: Way {
            url: url.to_owned(),
            trust,
            user: "acme".to_owned(),
            password: Secret::new(PASSWORD),
            concurrency: 8,
            timeout: Duration::from_secs(20),
            identity: None,
            source_address: None,
            proxy: None,
            intelligence_poll: Duration::ZERO,
        },
        controller: "plant".to_owned(),
    }
}

/// A success that says `body`.
pub(crate) fn success(status: u16, body: &Value) -> Reply {
    says(answer(status, "Content-Type: application/json\r\n", &body.to_string()))
}

/// A problem document that says `detail`.
pub(crate) fn problem(status: u16, head: &str, detail: &str) -> Reply {
    let head = format!("Content-Type: application/problem+json\r\n{head}");
    says(answer(status, &head, &json!({ "title": "Not done", "status": status, "detail": detail }).to_string()))
}

/// The client is known, and may make 1000 requests a second.
pub(crate) fn registered() -> Reply {
    success(200, &json!({ "id": "acme", "controller": "hub", "requests_per_second": 1000 }))
}

/// The case is taken.
pub(crate) fn receipt() -> Reply {
    success(202, &json!({ "transaction_id": "T-1" }))
}

/// How the case of incident `number` stands.
pub(crate) fn view(number: u64) -> Value {
    json!({ "transaction_id": format!("T-{number}"), "tracking_number": incident(number), "updated": "2026-01-02T03:04:05Z" })
}

pub(crate) fn page(cases: &[Value], cursor: &str, more: bool) -> Reply {
    success(200, &json!({ "cases": cases, "cursor": cursor, "more": more }))
}

/// Says nothing until the client has gone.
pub(crate) fn silence() -> Reply {
    Box::new(|connection| while connection.read(&mut [0; 64]).is_ok_and(|count| count > 0) {})
}

/// Begins an answer and breaks off.
pub(crate) fn reset() -> Reply {
    Box::new(|connection| {
        let _ = connection.write_all(b"HTTP/1.1 202 X\r\nContent-Length: 100\r\n\r\n{");
        let _ = connection.flush();
        let _ = connection.sock.shutdown(Shutdown::Both);
    })
}

/// How `task` ends when the client is registered and then answered so.
pub(crate) async fn answered(task: &Task, replies: Vec<Reply>) -> Attempted {
    Scripted::registering(replies).partner().carry_out(task).await
}
