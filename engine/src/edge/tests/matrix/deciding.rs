//! Lanes that decide what they are asked, and keep all of it, or nothing but the outcome: whatever was asked before, the
//! next asks of the same world.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use async_nats::Client;
use jiff::Timestamp;
use linesman_domain::commands;
use linesman_domain::directory::{self, Directory};
use linesman_domain::input::RuleBook;
use linesman_domain::position::{self, Position};
use linesman_domain::rule_book;
use linesman_domain::services::Catalog;
use linesman_domain::state::Writes;
use linesman_domain::{Domain, Parts, level, table};
use linesman_rules::{Book, Judge, Limits};
use linesman_schemas::control::{InstallationSection, Settings};
use linesman_schemas::service::{ServiceSource, ServicesSection};
use tokio::sync::watch;

use super::super::fixture::{Fixture, LANES};
use crate::lane::decode;
use crate::lane::status::LaneStatus;
use crate::log::reader::{Bounds, InMessage, Reader};
use crate::store::Lane;

const BOUNDS: Bounds = Bounds { messages: 100, bytes: 1 << 20 };

/// A lane of the edge's store, and the provider's, whose people it knows.
struct Deciding {
    id: u32,
    rows: Lane,
    provider: Lane,
    judge: Rc<RefCell<Judge>>,
    keeps: Keeps,
}

/// What lanes keep of what they decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::edge::tests) enum Keeps {
    /// All of it.
    All,
    /// What became of commands.
    Outcomes,
}

/// Lets every lane decide what comes to it, at the newest level, until the edge's client is gone.
pub(in crate::edge::tests) fn start(edge: &Fixture, client: &Client, keeps: Keeps) {
    let lanes: Vec<_> = (0..LANES).map(|id| edge.store.lane(id).unwrap()).collect();
    let book = lanes.iter().find_map(|rows| rule_book::read(rows).unwrap()).expect("the world has a rule book");
    for (id, status) in (0..LANES).zip(&edge.lanes) {
        let (rows, provider) = (edge.store.lane(id).unwrap(), edge.store.lane(0).unwrap());
        let position = Position {
            sequence: 0,
            message: [0; 32],
            digest: [0; 32],
            now: Timestamp::UNIX_EPOCH,
            stream: "of this test".to_owned(),
            level: level::NEWEST,
        };
        edge.write_to(
            id,
            vec![
                (position::key().into_bytes(), table::encode(&position).unwrap()),
                (rule_book::key().into_bytes(), table::encode(&book).unwrap()),
            ],
        );
        status.send_replace(LaneStatus { level: level::NEWEST, is_running: true, ..LaneStatus::default() });
        let judge = Rc::new(RefCell::new(Judge::new(Limits::default())));
        let lane = Deciding { id, rows, provider, judge, keeps };
        tokio::task::spawn_local(lane.run(client.clone(), status.clone()));
    }
}

/// The service that there is.
pub(in crate::edge::tests) fn nat() -> ServiceSource {
    let files =
        [("service.toml", "title = \"NAT\"\nschedulable = true\n"), ("main.j2", "firewall {\n    term own;\n}\n")];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
    ServiceSource { name: "nat".parse().unwrap(), files: files.collect() }
}

impl Deciding {
    async fn run(self, client: Client, status: watch::Sender<LaneStatus>) {
        let mut reader = Reader::new(client, self.id, 0);
        while let Ok(batch) = reader.receive(BOUNDS).await {
            for message in &batch {
                let rows = self.decided(message);
                self.rows.apply(&Writes { batch: 1, rows }).unwrap();
                status.send_modify(|status| status.position = message.sequence);
            }
        }
    }

    /// What comes of an input, as far as it is kept.
    fn decided(&self, message: &InMessage) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let book = RuleBook {
            version: 1,
            hash: String::new(),
            sections: Vec::new(),
            book: Arc::new(Book::build(Vec::new())),
            settings: Settings::default(),
            refused: Arc::default(),
            directory: Arc::new(Directory::of(directory::read(&self.provider).unwrap())),
            services: Arc::new(Catalog::of(ServicesSection { services: vec![nat()], ..ServicesSection::default() })),
            installation: InstallationSection::default(),
        };
        let parts = Parts {
            lane: self.id,
            stream: "of this test".to_owned(),
            payload_most: 512 * 1024,
            judge: Rc::clone(&self.judge),
            book: Some(book),
            room: Arc::default(),
        };
        let mut domain = Domain::open(Box::new(self.rows.clone()), parts).unwrap();
        let (input, _) = decode::read(message);
        domain.decide(&input).unwrap();
        // A table is known by the first byte of its keys.
        let outcomes = commands::key(None, "").into_bytes();
        let rows = domain.take().unwrap().writes.rows.into_iter();
        rows.filter(|(key, _)| self.keeps == Keeps::All || key.first() == outcomes.first()).collect()
    }
}
