//! A store of which a bit was flipped on the disk: its rows are those that were written, or the damage is told and it is rebuilt.
//!
//! Rows of an earlier moment are right too, if all of a lane's are: the lane goes on from there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use linesman_domain::state::{Base as _, Writes};

use super::sealed::{self, STANDING, Standing, seal};
use super::*;

const LANES: u32 = 3;
/// How many bits are flipped, one at a time.
const FLIPS: usize = 100;
/// How many batches are written: so many that sled uses parts of its file again.
const BATCHES: u64 = 200;

/// Numbers that look like random ones.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { assert!(fs::copy(&path, target).is_ok()) }
    }
}

/// All files of a folder, with their lengths.
fn files(folder: &Path) -> Vec<(PathBuf, usize)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let length = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
            found.push((path, length));
        }
    }
    found.sort();
    found
}

/// Writes a store; what each lane's rows came to behind each batch.
fn written(path: &Path, numbers: &mut Numbers) -> Vec<BTreeSet<[u8; 32]>> {
    let store = Store::open(path).unwrap();
    let lanes: Vec<_> = (0..LANES).map(|lane| store.lane(lane).unwrap()).collect();
    let mut digests: Vec<_> = lanes.iter().map(|lane| BTreeSet::from([lane.digest().unwrap()])).collect();
    for batch in 1..=BATCHES {
        for (lane, digests) in lanes.iter().zip(&mut digests) {
            let row = |_| {
                let key = format!("i{:03}", numbers.next(400)).into_bytes();
                let value = vec![u8::try_from(batch).unwrap(); numbers.next(300)];
                (key, (numbers.next(5) > 0).then_some(value))
            };
            let rows = (0..20).map(row).chain([(b"a".to_vec(), Some(vec![u8::try_from(batch).unwrap()]))]);
            lane.apply(&Writes { batch, rows: rows.collect() }).unwrap();
            digests.insert(lane.digest().unwrap());
        }
        if batch % 8 == 0 {
            store.db.flush().unwrap();
        }
    }
    store.close().unwrap();
    digests
}

#[test]
fn a_flipped_bit_is_never_other_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, mut numbers) = (dir.path().join("whole"), Numbers(20_261_127));
    let digests = written(&whole, &mut numbers);
    let bytes: usize = files(&whole).iter().map(|(_, length)| length).sum();
    let (mut told, mut earlier) = (0, 0);
    for flip in 0..FLIPS {
        let root = dir.path().join(flip.to_string());
        let path = root.join("state");
        copy(&whole, &path);
        let (mut at, bit) = (numbers.next(bytes), numbers.next(8));
        for (file, length) in files(&path) {
            if at < length {
                let mut content = fs::read(&file).unwrap();
                content[at] ^= 1 << bit;
                fs::write(&file, content).unwrap();
                break;
            }
            at -= length;
        }
        let store = Store::open(&path).unwrap();
        let is_aside = fs::read_dir(&root).unwrap().count() > 1;
        for (lane, digests) in (0..LANES).zip(&digests) {
            let lane = store.lane(lane).unwrap();
            let digest = lane.digest().unwrap();
            if is_aside {
                assert_eq!(lane.rows(b"", None).count(), 0, "flip {flip}");
            } else {
                assert!(digests.contains(&digest), "flip {flip} of byte {at}: other rows, and nothing is told");
                earlier += usize::from(lane.get(b"a").unwrap().is_none_or(|batch| batch != [200]));
            }
        }
        told += usize::from(is_aside);
        drop(store);
        fs::remove_dir_all(root).unwrap();
    }
    println!("{told} of {FLIPS} are told, {earlier} lanes are of an earlier moment");
    assert!(told + earlier > 0, "nothing that was flipped was of any account");
}

/// One whole store, with a lane's tree as sled has it.
fn damaged(change: impl FnOnce(&Lane)) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let store = Store::open(&path).unwrap();
    let lane = store.lane(0).unwrap();
    let rows = ["a", "b", "c"].map(|key| (key.as_bytes().to_vec(), Some(b"x".to_vec())));
    lane.apply(&Writes { batch: 1, rows: rows.into() }).unwrap();
    lane.apply(&Writes { batch: 2, rows: vec![(b"c".to_vec(), Some(b"y".to_vec()))] }).unwrap();
    while lane.upgrade(b"", 100).unwrap().is_some() && lane.is_behind().unwrap() {
        lane.upgrade(b"c", 100).unwrap();
    }
    change(&lane);
    store.close().unwrap();
    (dir, path)
}

#[test]
fn what_is_lost_or_of_an_earlier_time_is_found() {
    type Change = fn(&Lane);
    let cases: [(&str, Change); 7] = [
        ("rows are lost, or are those of an earlier time", |lane| drop(lane.tree.remove("b").unwrap())),
        ("rows are lost, or are those of an earlier time", |lane| {
            drop(lane.tree.insert("c", seal("lane-0", b"c", b"x")).unwrap());
        }),
        ("the row `b` is damaged", |lane| drop(lane.tree.insert("b", "x").unwrap())),
        ("the row `b` is damaged", |lane| drop(lane.tree.insert("b", seal("lane-1", b"b", b"x")).unwrap())),
        ("the sum of its rows is lost", |lane| drop(lane.tree.remove(STANDING).unwrap())),
        ("the sum of its rows is damaged", |lane| drop(lane.tree.insert(STANDING, "").unwrap())),
        ("the sum of its rows is lost", |lane| lane.tree.clear().unwrap()),
    ];
    for (what, change) in cases {
        let (dir, path) = damaged(change);
        // Where nothing can be rebuilt nothing is dropped.
        let stop = AtomicBool::new(false);
        let store = Store::open_beside(&path, false, &stop).unwrap();
        assert_eq!(store.lane(0).unwrap().damage().as_deref(), Some(what));
        assert_eq!(store.lane(1).unwrap().damage(), None);
        drop(store);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{what}");
        let lane = Store::open(&path).unwrap().lane(0).unwrap();
        assert_eq!((lane.damage(), lane.rows(b"", None).count()), (None, 0));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "{what}");
    }
}

#[test]
fn damage_is_told_by_whoever_reads_it_and_forgotten_with_the_rows() {
    let (_dir, path) = damaged(|_| {});
    let store = Store::open(&path).unwrap();
    let (lane, other) = (store.lane(0).unwrap(), store.lane(0).unwrap());
    lane.tree.insert("b", "x").unwrap();
    assert_eq!(lane.get(b"a").unwrap().as_deref(), Some(&b"x"[..]));
    assert_eq!(lane.damage(), None);
    let error = crate::logging::full(&lane.get(b"b").unwrap_err());
    assert!(error.contains("the store is damaged in lane-0: the row `b` is damaged"), "{error}");
    assert_eq!(other.damage().as_deref(), Some("the row `b` is damaged"));
    assert!(other.rows(b"", None).any(|row| row.is_err()));
    other.clear().unwrap();
    assert_eq!((lane.damage(), lane.rows(b"", None).count()), (None, 0));
}

#[test]
fn emptying_that_broke_off_is_carried_on() {
    let (dir, path) = damaged(|lane| {
        lane.tree.insert(STANDING, seal("lane-0", STANDING, &Standing::Emptied.to_bytes())).unwrap();
        lane.tree.remove("a").unwrap();
    });
    let lane = Store::open(&path).unwrap().lane(0).unwrap();
    assert_eq!((lane.damage(), lane.tree.len()), (None, 0));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn rows_of_before_checks_get_theirs_and_what_broke_off_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let store = Store::open(&path).unwrap();
    let tree = store.db.open_tree("lane-1").unwrap();
    for row in 0..2_500_u32 {
        tree.insert(row.to_be_bytes(), &b"plain"[..]).unwrap();
    }
    store.db.insert("format", b"6").unwrap();
    drop((tree, store));
    let is_stopped = Store::open_beside(&path, true, &AtomicBool::new(true));
    assert!(matches!(is_stopped, Err(Error::Stopped)));
    let db = config(&path).open().unwrap();
    assert_eq!(db.get("format").unwrap().unwrap(), SEALING);
    // As if it had been stopped behind the first thousand.
    let tree = db.open_tree("lane-1").unwrap();
    let mut sum = sealed::Sum::default();
    for row in 0..1_000_u32 {
        let stored = seal("lane-1", &row.to_be_bytes(), b"plain");
        sum.add(&stored);
        tree.insert(row.to_be_bytes(), stored).unwrap();
    }
    let standing = Standing::SealedUpTo(sum, 999_u32.to_be_bytes().to_vec());
    tree.insert(STANDING, seal("lane-1", STANDING, &standing.to_bytes())).unwrap();
    drop((tree, db));
    let lane = Store::open(&path).unwrap().lane(1).unwrap();
    let rows: Vec<_> = lane.rows(b"", None).map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2_500);
    assert!(rows.iter().all(|(_, value)| value == b"plain"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is set aside");
}
