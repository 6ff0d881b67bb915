//! Stores that earlier programs wrote are opened, read and decided on.
//!
//! `tests/fixtures/stores/<format>/state` was written while the log `system` was decided, up to some input of each
//! lane. `LINESMAN_STORE=<folder>` writes one with the present program.

use std::fs;
use std::path::Path;

use linesman::store::{Lane, Store};
use linesman_domain::{position, rule_book};
use linesman_tests::root;

use crate::log::{Log, hex, levels};

/// Of how many inputs of a lane a store that is written has so many.
const SHARE: (usize, usize) = (3, 4);

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

/// Decides a lane's inputs from where its state stands, up to the input of that number.
fn decide(log: &Log, lane: u32, store: &Lane, until: usize) -> [u8; 32] {
    let mut shelf = log.shelf();
    let mut replica = log.open_lane(Box::new(store.clone()), lane, &mut shelf);
    let begin = replica.position().sequence;
    let entries = log.lanes[&lane].iter().take(until);
    for entry in entries.filter(|entry| entry.message.sequence > begin) {
        replica.decide(entry, &mut shelf).unwrap();
        let decision = replica.take().unwrap();
        store.apply(&decision.writes).unwrap();
        replica.applied(&decision.writes);
    }
    replica.position().digest
}

#[test]
fn stores_of_earlier_formats_go_on() {
    let log = Log::open("system");
    let level = levels().next().unwrap();
    let expected = fs::read_to_string(log.dir.join(format!("level-{level}"))).unwrap();
    let mut formats = 0;
    for format in fs::read_dir(root().join("tests/fixtures/stores")).unwrap() {
        let format = format.unwrap().path();
        if !format.is_dir() {
            continue;
        }
        formats += 1;
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        copy(&format.join("state"), &state);
        let store = Store::open(&state).unwrap();
        for (lane, entries) in &log.lanes {
            let rows = store.lane(*lane).unwrap();
            let position = position::read(&rows).unwrap();
            let position = position.unwrap_or_else(|| panic!("{} is not read: lane {lane}", format.display()));
            let last = entries.last().unwrap().message.sequence;
            assert!(position.sequence > 0 && position.sequence < last, "lane {lane} stands at {}", position.sequence);
            assert!(rule_book::read(&rows).unwrap().is_some());
            let digest = hex(&decide(&log, *lane, &rows, usize::MAX));
            let line = format!("{lane} {last} {digest} ");
            assert!(expected.contains(&line), "{}: lane {lane} comes to {digest}", format.display());
        }
    }
    assert!(formats > 0, "there is no store");
}

#[test]
fn a_store_is_written_on_demand() {
    let log = Log::open("system");
    let dir = tempfile::tempdir().unwrap();
    let wanted = std::env::var_os("LINESMAN_STORE");
    let state = wanted.as_deref().map_or_else(|| dir.path().join("state"), |wanted| Path::new(wanted).to_owned());
    let store = Store::open(&state).unwrap();
    for (lane, entries) in &log.lanes {
        let rows = store.lane(*lane).unwrap();
        decide(&log, *lane, &rows, entries.len() * SHARE.0 / SHARE.1);
        assert!(position::read(&rows).unwrap().is_some());
    }
    store.close().unwrap();
}
