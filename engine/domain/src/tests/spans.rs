//! Hashes over what was decided on.

use std::collections::BTreeMap;

use super::super::spans::{self, SPAN, SPANS, Span};
use super::super::state::Writes;
use super::*;

/// Ticks, so many in a batch.
fn ticks(lane: &mut Lane, count: usize, at_once: usize) {
    for number in 0..count {
        lane.decide("", "ctl", b"", Content::Tick);
        if (number + 1).is_multiple_of(at_once) {
            lane.commit();
        }
    }
    lane.commit();
}

/// What a lane has, as it is stored.
fn stored(lane: &Lane) -> BTreeMap<Vec<u8>, Vec<u8>> {
    lane.base.rows().into_iter().filter(|(key, _)| key.first() == Some(&SPANS.letter())).collect()
}

/// Those that are over.
fn over(lane: &Lane) -> Vec<Span> {
    let mut after = 0;
    let next = || {
        let found = spans::next(&lane.base, after).unwrap()?;
        after = found.first;
        Some(found)
    };
    std::iter::from_fn(next).collect()
}

/// What ticks from a sequence to another come to.
fn expected(lane: &Lane, from: u64, to: u64) -> Span {
    let mut span = Span::default();
    (from..=to).for_each(|sequence| span.add((sequence, lane.now), ("", "ctl"), &[7; 32]));
    span
}

#[test]
fn each_thousand_inputs_have_their_hash_wherever_batches_end() {
    let mut lane = Lane::new();
    ticks(&mut lane, 2_499, 400);
    assert_eq!(over(&lane), [expected(&lane, 1, 1_000), expected(&lane, 1_001, 2_000)]);
    assert_eq!(spans::open(&lane.base).unwrap(), Some(expected(&lane, 2_001, 2_500)));
    for (at_once, reopens) in [(1, true), (1_000, false), (2_499, true)] {
        let mut again = Lane::new();
        again.reopens = reopens;
        ticks(&mut again, 2_499, at_once);
        assert_eq!(stored(&again), stored(&lane), "{at_once} at once");
        assert_eq!(again.domain.position(), lane.domain.position(), "no decision depends on it");
    }
}

#[test]
fn a_hash_tells_each_part_of_an_input_from_another() {
    let at = |sequence: u64, nanos: i64, org: &str, kind: &str, byte: u8| {
        let mut span = Span::default();
        span.add((sequence, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_nanos(nanos)), (org, kind), &[byte; 32]);
        span.hash
    };
    let one = at(1, 1, "acme", "jmb", 1);
    let others = [at(2, 1, "acme", "jmb", 1), at(1, 2, "acme", "jmb", 1), at(1, 1, "acm", "ejmb", 1)];
    let others = others.into_iter().chain([at(1, 1, "acme", "cmd", 1), at(1, 1, "acme", "jmb", 2)]);
    others.for_each(|other| assert_ne!(one, other));
    assert_eq!(one, at(1, 1, "acme", "jmb", 1));
}

#[test]
fn a_state_of_before_goes_on_with_its_next_input() {
    let mut lane = Lane::new();
    ticks(&mut lane, 20, 5);
    let rows = stored(&lane).into_keys().map(|key| (key, None)).collect();
    lane.base.apply(&Writes { batch: 0, rows });
    lane.domain = open(&lane.base, &lane.judge, None, 0);
    ticks(&mut lane, SPAN as usize + 1, 100);
    assert_eq!(over(&lane), [expected(&lane, 22, 1_021)]);
    assert_eq!(spans::open(&lane.base).unwrap(), Some(expected(&lane, 1_022, 1_022)));
}

#[test]
fn what_a_program_without_them_decided_is_in_no_span() {
    let mut lane = Lane::new();
    ticks(&mut lane, 9, 5);
    let before = stored(&lane).into_iter().map(|(key, row)| (key, Some(row))).collect();
    ticks(&mut lane, 10, 5);
    // As it was when that program began.
    lane.base.apply(&Writes { batch: 0, rows: before });
    lane.domain = open(&lane.base, &lane.judge, None, 0);
    ticks(&mut lane, 1, 1);
    assert_eq!(over(&lane), [expected(&lane, 1, 10)]);
    assert_eq!(spans::open(&lane.base).unwrap(), Some(expected(&lane, 21, 21)));
}
