//! What is remembered, against a map of it all.

use std::collections::BTreeMap;

use super::super::state::Memory;
use super::*;

/// A lane's sightings on memory, and what they are to find.
struct Seen {
    base: Memory,
    desk: Desk,
    sightings: Sightings,
    room: Arc<Room>,
    /// By fingerprint where each was seen, in order.
    all: BTreeMap<u64, Vec<(u64, Sighting)>>,
}

impl Seen {
    fn new(bytes: usize) -> Self {
        let (base, room) = (Memory::default(), Arc::new(Room::new(bytes, 1)));
        let desk = Desk::on_memory(&base);
        let sightings = Sightings::open(desk.state(), Seed(7), &room).unwrap();
        Self { base, desk, sightings, room, all: BTreeMap::new() }
    }

    fn add(&mut self, fingerprint: u64) {
        let number = self.sightings.next;
        let sighting = Sighting { incident: number + 1, at_s: number.cast_signed() };
        self.sightings.add(&mut self.desk, fingerprint, sighting).unwrap();
        self.all.entry(fingerprint).or_default().push((number / PER_PAGE, sighting));
    }

    fn commit(&mut self) {
        let writes = self.desk.take_writes();
        self.base.apply(&writes);
        self.desk.applied(&writes);
    }

    fn reopen(&mut self) {
        self.commit();
        self.desk = Desk::on_memory(&self.base);
        self.sightings = Sightings::open(self.desk.state(), Seed(7), &self.room).unwrap();
    }

    fn prune(&mut self, before: i64) {
        self.sightings.prune(&mut self.desk, Timestamp::from_second(before).unwrap()).unwrap();
    }

    fn get(&self, fingerprint: u64) -> Option<Sighting> {
        self.sightings.get(self.desk.state(), fingerprint).unwrap()
    }

    /// Every so manieth is found where it was seen last, and nothing else is.
    fn check(&self, step: usize) {
        for (fingerprint, seen) in self.all.iter().step_by(step) {
            let kept = seen.iter().rfind(|(page, _)| *page >= self.sightings.oldest_page);
            assert_eq!(self.get(*fingerprint), kept.map(|(_, sighting)| *sighting), "{fingerprint}");
        }
        for number in 0..200 {
            assert_eq!(self.get(print(1 << 40 | number)), None);
        }
    }

    fn index(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.base.rows().into_iter().filter(|(key, _)| key.first() == Some(&INDEX.letter())).collect()
    }
}

fn print(number: u64) -> u64 {
    first_word(Sha256::digest(number.to_be_bytes()).into())
}

#[test]
fn they_survive_reopening_and_are_forgotten_by_pages() {
    let mut seen = Seen::new(1 << 20);
    (0..600).for_each(|n| seen.add(print(n)));
    seen.reopen();
    assert_eq!(seen.sightings.next, 600);
    assert_eq!(seen.get(print(17)), Some(Sighting { incident: 18, at_s: 17 }));
    seen.prune(300);
    assert_eq!((seen.get(print(17)), seen.get(print(256)).is_some()), (None, true), "whole pages only");
    seen.reopen();
    assert_eq!((seen.sightings.oldest_page, seen.sightings.next), (1, 600));
    seen.check(1);
}

/// 330 pages: runs of level 0 and 1 have become others by then.
#[test]
fn what_was_seen_is_found_however_it_has_been_merged_and_pruned() {
    for bytes in [0, 64 << 10, 64 << 20] {
        let mut seen = Seen::new(bytes);
        for number in 0..330 * PER_PAGE + 77 {
            // Some come again: at once, within a run, and long after.
            seen.add(print(match number % 50 {
                3 => number - 1,
                4 => number / 2,
                5 => number.saturating_sub(3_000),
                _ => number,
            }));
            match number {
                // Before all of it is in the index, in the midst of merges.
                2_000 | 17_000 | 70_003 => seen.reopen(),
                30_000 => seen.prune(9_999),
                71_000 => seen.prune(60_000),
                _ if number % 500 == 0 => seen.commit(),
                _ => {}
            }
            if number % 9_000 == 0 {
                seen.check(97);
            }
        }
        seen.check(13);
        seen.prune(i64::MAX >> 40);
        seen.reopen();
        seen.check(13);
    }
}

#[test]
fn rows_are_the_same_whoever_opens_the_state_and_when() {
    let (mut whole, mut reopened) = (Seen::new(1 << 20), Seen::new(1 << 20));
    for number in 0..90 * PER_PAGE {
        for seen in [&mut whole, &mut reopened] {
            seen.add(print(number));
            if number == 5_000 {
                seen.prune(1_000);
            }
        }
        if number % 1_111 == 0 {
            reopened.reopen();
        }
    }
    whole.commit();
    reopened.commit();
    assert_eq!(whole.base.rows(), reopened.base.rows());
    assert!(!whole.index().is_empty());
}

#[test]
fn a_store_without_an_index_gets_it() {
    for pruned in [0, 40 * PER_PAGE] {
        let mut seen = Seen::new(1 << 20);
        for number in 0..300 * PER_PAGE + 5 {
            seen.add(print(number));
            if number == 50 * PER_PAGE {
                seen.prune(pruned.cast_signed());
            }
        }
        seen.commit();
        let made = seen.index();
        let removed = Writes { batch: 0, rows: made.keys().map(|key| (key.clone(), None)).collect() };
        seen.base.apply(&removed);
        // As a store has it of before there was an index.
        let apply = |base: &Memory| {
            let base = base.handle();
            move |writes: &Writes| {
                base.apply(writes);
                Ok::<_, Error>(())
            }
        };
        let seed = Seed::of("s");
        complete(Box::new(seen.base.handle()), "s", apply(&seen.base)).unwrap();
        assert!(!seen.index().is_empty());
        let written = seen.index();
        complete(Box::new(seen.base.handle()), "s", |_: &Writes| -> Result<(), Error> { unreachable!() }).unwrap();
        assert_eq!(seen.index(), written);
        seen.desk = Desk::on_memory(&seen.base);
        seen.sightings = Sightings::open(seen.desk.state(), seed, &seen.room).unwrap();
        seen.check(7);
    }
}

#[test]
fn of_what_is_forgotten_no_row_stays_for_long() {
    let mut seen = Seen::new(1 << 20);
    let mut most = 0;
    for number in 0..400 * PER_PAGE {
        seen.add(print(number));
        if number % (20 * PER_PAGE) == 0 {
            seen.prune(number.cast_signed() - 40 * PER_PAGE.cast_signed());
            seen.commit();
            most = most.max(seen.index().values().map(Vec::len).sum::<usize>());
        }
    }
    let postings = (most / 8) as u64;
    assert!(postings < 160 * PER_PAGE, "{postings} of some {} that are kept", 60 * PER_PAGE);
    seen.check(31);
}

#[test]
fn a_filter_grows_within_its_room_and_finds_what_is_new() {
    let mut seen = Seen::new(128 << 10);
    let mut most = 0;
    for number in 0..60_000 {
        seen.add(print(number));
        most = most.max(seen.sightings.filters.bytes());
        if number % 5_000 == 0 {
            seen.commit();
        }
    }
    assert!(most <= 128 << 10, "{most}");
    let filters = &seen.sightings.filters;
    assert!(filters.is_made());
    let wrong = (0..10_000).filter(|n| filters.may_have(seen.sightings.seed.spread(print(1 << 41 | n)))).count();
    assert!(wrong < 1_000, "{wrong} of 10,000 are looked for in vain");
    let (base, room) = (seen.base.handle(), Arc::new(Room::new(4 << 20, 1)));
    seen.commit();
    let desk = Desk::on_memory(&base);
    let filters = Filters::open(desk.state(), Seed(7), &room, (0, 60_000)).unwrap();
    assert!((0..60_000).all(|n| filters.may_have(Seed(7).spread(print(n)))));
    let wrong = (0..10_000).filter(|n| filters.may_have(Seed(7).spread(print(1 << 41 | n)))).count();
    assert!(wrong < 50, "{wrong} of 10,000");
}

#[test]
fn an_id_is_its_organizations_own() {
    let (a, b) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
    assert_ne!(fingerprint(&a, "x"), fingerprint(&b, "x"));
}
