//! A support system that answers what a test wrote down.

use std::ops::Deref;
use std::path::PathBuf;

use linesman_connectors::jss::{Jss, Settings};
use linesman_connectors::tls;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use crate::upstream::server::answer;
use crate::upstream::server::{Server, says};

pub(crate) struct Scripted {
    server: Server,
    ca: PathBuf,
    _dir: TempDir,
}

impl Scripted {
    /// Answers the first request with the first of `answers`, and so on, a connection each.
    pub(crate) fn new(answers: Vec<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = tls::Authority::open(dir.path()).unwrap();
        let config = tls::server_config(authority.issue(&[]).unwrap()).unwrap();
        let server = Server::new(config, answers.into_iter().map(says).collect());
        Self { server, ca: authority.ca_path().to_owned(), _dir: dir }
    }

    pub(crate) fn settings(&self) -> Settings {
        crate::world::settings(self.server.url(), &self.ca)
    }

    pub(crate) fn jss(&self) -> Jss {
        Jss::new(self.settings()).unwrap()
    }
}

impl Deref for Scripted {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
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
