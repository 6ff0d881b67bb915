//! Stores that earlier programs wrote are opened, read and decided on.
//!
//! `tests/fixtures/stores/<format>/state` was written while the log `system` was decided, up to some input of each
//! lane. `LINESMAN_STORE=<folder>` writes one with the present program.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use linesman::store::{Lane, Store};
use linesman_domain::state::{Base as _, Writes};
use linesman_domain::table::Upgradable;
use linesman_domain::{TABLES, level, position, rule_book};
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

/// The stores of earlier formats.
fn formats() -> Vec<PathBuf> {
    let found = fs::read_dir(root().join("tests/fixtures/stores")).unwrap().map(|format| format.unwrap().path());
    let formats: Vec<_> = found.filter(|path| path.is_dir()).collect();
    assert!(!formats.is_empty(), "there is no store");
    formats
}

/// All rows of a lane.
fn rows_of(lane: &Lane) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut from = Bound::Unbounded;
    let rows = std::iter::from_fn(|| {
        let row = lane.first(from.as_ref().map(Vec::as_slice), &[]).unwrap()?;
        from = Bound::Excluded(row.0.clone());
        Some(row)
    });
    rows.collect()
}

fn table_of(key: &[u8]) -> &'static dyn Upgradable {
    *TABLES.iter().find(|table| table.letter() == key[0]).unwrap()
}

/// What stands for each row at each level.
fn forms(lane: &Lane) -> Vec<Vec<u8>> {
    let rows = rows_of(lane);
    let of_level = |level| rows.iter().map(move |(key, row)| table_of(key).form(level, key, row).unwrap());
    level::LEVELS.flat_map(of_level).collect()
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
    for format in formats() {
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
}

/// As a lane with nothing better to do does it, so many rows at a time.
#[test]
fn stores_of_earlier_formats_are_upgraded_row_by_row() {
    for format in formats() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        copy(&format.join("state"), &state);
        let store = Store::open(&state).unwrap();
        let lanes: Vec<Lane> = Log::open("system").lanes.keys().map(|lane| store.lane(*lane).unwrap()).collect();
        let mut upgraded = 0;
        for lane in &lanes {
            assert!(lane.is_behind().unwrap(), "{}", format.display());
            let (before, rows) = (forms(lane), rows_of(lane));
            // Of a version that there never was: nobody can read it, and the others do not wait for it.
            let damaged = (b"kacme\0damaged".to_vec(), vec![0x80, 0x00, 0xff, 1, 2, 3]);
            let strange = (b"~".to_vec(), b"of no table".to_vec());
            let broken = [&damaged, &strange].map(|(key, row)| (key.clone(), Some(row.clone())));
            lane.apply(&Writes { rows: broken.to_vec(), ..Writes::default() }).unwrap();
            let (mut after, mut looks) = (Vec::new(), 0);
            while let Some(last) = lane.upgrade(&after, 50).unwrap() {
                assert!(last > after && lane.is_behind().unwrap());
                (after, looks) = (last, looks + 1);
            }
            assert!(!lane.is_behind().unwrap() && looks >= (rows.len() + 2) / 50, "{looks} looks");
            let mut now = rows_of(lane);
            for (key, row) in [&damaged, &strange] {
                assert_eq!(now.remove(key).as_ref(), Some(row), "it is left as it is");
            }
            let removed = [&damaged, &strange].map(|(key, _)| (key.clone(), None));
            lane.apply(&Writes { rows: removed.to_vec(), ..Writes::default() }).unwrap();
            assert!(forms(lane) == before, "a row says something else in {}", format.display());
            assert!(now.iter().all(|(key, row)| matches!(table_of(key).upgraded(key, row), Ok(None))));
            upgraded += now.iter().filter(|(key, row)| rows.get(*key) != Some(row)).count();
        }
        assert!(upgraded > 0, "{} has no row of an earlier version", format.display());
        store.close().unwrap();
        drop((lanes, store));
        let store = Store::open(&state).unwrap();
        assert!(!store.lane(0).unwrap().is_behind().unwrap(), "it is not gone through again");
    }
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
