//! A partner that takes uploads as `linesman_schemas::upload` has it, and does wrong what a test wrote down.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Shutdown, TcpListener};
use std::sync::{Arc, Mutex};

use linesman_connectors::partner::Partner;
use linesman_connectors::tls::{self, Trust};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scripted::{answer, says, settings};
use crate::upstream::server::{parts, receive};
use crate::upstream::uploads::sha256;

/// What goes wrong with a piece.
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The connection breaks before it is taken.
    CutBefore,
    /// The connection breaks when it is taken.
    CutAfter,
    /// Another byte arrives than was sent.
    Flip,
    /// It is answered so, and not taken.
    Answer(String),
    /// The upload is forgotten.
    Forget,
    /// The same piece has just arrived from an earlier try.
    Overtaken,
    /// One byte of it is taken, and it is said to be elsewhere.
    Crawl,
}

/// An upload as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) key: String,
    pub(crate) request: Value,
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_complete: bool,
}

#[derive(Default)]
struct Desk {
    piece: u64,
    faults: VecDeque<Fault>,
    uploads: Vec<Received>,
    by_key: BTreeMap<String, usize>,
    /// The first lines of requests, but for the registration.
    lines: Vec<String>,
}

/// The running partner.
pub(crate) struct Receiver {
    url: String,
    desk: Arc<Mutex<Desk>>,
    trust: Trust,
    _dir: TempDir,
}

impl Receiver {
    /// Takes pieces of so many bytes, and does with one after the other what `faults` say.
    pub(crate) fn new(piece: u64, faults: Vec<Fault>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = tls::Authority::open(dir.path()).unwrap();
        let config = tls::server_config(authority.issue(&[]).unwrap()).unwrap();
        let trust = Trust::Authority(authority.ca_path().to_owned());
        let desk = Arc::new(Mutex::new(Desk { piece, faults: faults.into(), ..Desk::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let answering = Arc::clone(&desk);
        std::thread::spawn(move || {
            loop {
                // A client that has broken off is its own matter.
                let Ok((request, mut connection)) = receive(&listener, config.clone()) else { continue };
                let answer = answering.lock().unwrap().answer(&request);
                match answer {
                    Some(answer) => says(answer)(&mut connection),
                    None => drop(connection.sock.shutdown(Shutdown::Both)),
                }
            }
        });
        Self { url, desk, trust, _dir: dir }
    }

    pub(crate) fn partner(&self) -> Partner {
        Partner::new(&settings(&self.url, self.trust.clone())).unwrap()
    }

    /// What was received, in the order it was announced.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.desk.lock().unwrap().uploads.clone()
    }

    /// The first lines of the requests since they were asked for last, but for the registration.
    pub(crate) fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.desk.lock().unwrap().lines)
    }

    /// Whether nobody has come.
    pub(crate) fn is_silent(&self) -> bool {
        self.lines().is_empty()
    }
}

impl Desk {
    fn answer(&mut self, request: &[u8]) -> Option<String> {
        let (head, body) = parts(request)?;
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let line: Vec<&str> = head.lines().next()?.split(' ').collect();
        let path = line[1].trim_start_matches("/partner/v1/");
        if path != "registration" {
            self.lines.push(format!("{} {path}", line[0]));
        }
        let path: Vec<&str> = path.split('/').collect();
        match (line[0], path.as_slice()) {
            ("POST", ["registration"]) => {
                Some(said(200, &json!({ "id": "acme", "controller": "hub", "requests_per_second": 1000 })))
            }
            ("POST", ["uploads"]) => {
                let key = header("idempotency-key")?;
                let index = *self.by_key.entry(key.clone()).or_insert(self.uploads.len());
                if index == self.uploads.len() {
                    let request = serde_json::from_slice(body).unwrap();
                    self.uploads.push(Received { key, request, bytes: Vec::new(), is_complete: false });
                }
                Some(said(201, &self.view(index)))
            }
            ("GET", ["uploads", id]) => Some(said(200, &self.view(id.parse().unwrap()))),
            ("DELETE", ["uploads", id]) => {
                self.uploads[id.parse::<usize>().unwrap()].bytes.clear();
                self.by_key.clear();
                Some(answer(204, "", ""))
            }
            ("PATCH", ["uploads", id]) => {
                let offset = header("upload-offset")?.parse().unwrap();
                self.take(id.parse().unwrap(), offset, body)
            }
            _ => Some(said(404, &json!({ "detail": "there is nothing" }))),
        }
    }

    fn take(&mut self, index: usize, offset: usize, piece: &[u8]) -> Option<String> {
        let fault = self.faults.pop_front().unwrap_or(Fault::None);
        let known = &mut self.uploads[index];
        if known.bytes.len() != offset {
            return Some(said(409, &json!({ "detail": "it goes on elsewhere", "offset": known.bytes.len() })));
        }
        match fault {
            Fault::CutBefore => return None,
            Fault::Answer(answer) => return Some(answer),
            Fault::Forget => {
                self.by_key.clear();
                return Some(said(404, &json!({ "detail": "there is no such upload" })));
            }
            Fault::Overtaken => {
                known.bytes.extend_from_slice(piece);
                return Some(said(409, &json!({ "detail": "it goes on elsewhere", "offset": known.bytes.len() })));
            }
            Fault::Crawl => {
                known.bytes.extend_from_slice(&piece[..1]);
                return Some(said(409, &json!({ "detail": "it goes on elsewhere", "offset": known.bytes.len() })));
            }
            Fault::None | Fault::CutAfter | Fault::Flip => {}
        }
        assert!(piece.len() as u64 <= self.piece);
        known.bytes.extend_from_slice(piece);
        if let (Fault::Flip, Some(last)) = (&fault, known.bytes.last_mut()) {
            *last ^= 1;
        }
        if known.bytes.len() as u64 == known.request["size"].as_u64().unwrap() {
            if sha256(&known.bytes) != known.request["sha256"] {
                known.bytes.clear();
                return Some(said(422, &json!({ "detail": "the bytes are not those that were announced" })));
            }
            known.is_complete = true;
        }
        (!matches!(fault, Fault::CutAfter)).then(|| said(200, &self.view(index)))
    }

    fn view(&self, index: usize) -> Value {
        let Received { request, bytes, is_complete, .. } = &self.uploads[index];
        json!({
            "upload": index.to_string(), "offset": bytes.len(), "size": request["size"], "piece": self.piece,
            "complete": is_complete,
        })
    }
}

/// An answer of HTTP `status` that says `body`.
pub(crate) fn said(status: u16, body: &Value) -> String {
    answer(status, "Content-Type: application/json\r\n", &body.to_string())
}
