//! Streams of messages in memory, held against hashes in a store.

use std::collections::BTreeSet;

use bytes::Bytes;
use linesman_domain::spans::{self, SPANS, Span};
use linesman_domain::state::Writes;
use linesman_domain::table::{self, Upgradable as _};
use sha2::{Digest as _, Sha256};

use super::input::Input;
use super::output::Output;
use super::*;
use crate::log::scan::{Extent, Lying};

fn extent(first: u64, last: u64) -> Extent {
    Extent { first, last, deleted: 0, has_aged: false }
}

fn lying(sequence: u64, subject: &str, payload: &str) -> Lying {
    let payload = Bytes::copy_from_slice(payload.as_bytes());
    Lying { sequence, time: Timestamp::UNIX_EPOCH, subject: subject.to_owned(), payload }
}

/// What stands in IN: every other message is lane 1's, the others are lane 0's.
fn messages(count: u64) -> Vec<Lying> {
    (1..=count).map(|one| lying(one, &format!("p.{}.acme.jmb", one % 2), &format!("bundle {one}"))).collect()
}

/// A store in which the hashes of messages stand, from one on.
fn store_of(messages: &[Lying], from: u64) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state")).unwrap();
    for lane in 0..2 {
        let mut rows = Vec::new();
        let mut open = Span::default();
        for one in messages.iter().filter(|one| one.sequence % 2 == lane && one.sequence >= from) {
            open.add((one.sequence, one.time), ("acme", "jmb"), &Sha256::digest(&one.payload).into());
            if open.count == spans::SPAN {
                rows.push(row(open.first, &open));
                open = Span::default();
            }
        }
        rows.push(row(0, &open));
        let lane = store.lane(u32::try_from(lane).unwrap()).unwrap();
        lane.apply(&Writes { batch: 1, rows }).unwrap();
    }
    (dir, store)
}

fn row(first: u64, span: &Span) -> (Vec<u8>, Option<Vec<u8>>) {
    let letter = SPANS.letter();
    ([vec![letter], first.to_be_bytes().to_vec()].concat(), Some(table::encode(span).unwrap()))
}

/// What is found of IN where these messages can be read.
fn read(store: &Store, messages: &[Lying], extent: Extent, lane: Option<u32>) -> Round {
    let mut round = Round::begin(1, lane);
    let lanes: Vec<_> = (0..2).filter(|one| lane.is_none_or(|lane| lane == *one)).collect();
    let lanes: Vec<_> = lanes.into_iter().map(|lane| (lane, store.lane(lane).unwrap())).collect();
    let open = Input::open(&lanes).unwrap();
    let mut input = Input::begin(lanes, open, (extent, lane.is_some()), &mut round.input).unwrap();
    messages.iter().for_each(|message| input.take(message, &mut round).unwrap());
    input.end(extent.first, &mut round).unwrap();
    round
}

fn places(round: &Round) -> Vec<(Option<u32>, u64, u64)> {
    round.faults.iter().map(|fault| (fault.lane, fault.first, fault.last)).collect()
}

#[test]
fn what_was_decided_on_is_found_whole() {
    let messages = messages(5_000);
    let (_dir, store) = store_of(&messages, 1);
    let round = read(&store, &messages, extent(1, 5_000), None);
    assert_eq!((round.faults_in_all, round.input.proved, round.input.unproved), (0, 5_000, 0));
    let round = read(&store, &messages, extent(1, 5_000), Some(1));
    assert_eq!((round.faults_in_all, round.input.proved, round.input.unproved), (0, 2_500, 2_500));
}

#[test]
fn what_is_missing_or_other_is_named_with_its_lane() {
    let whole = messages(5_000);
    let (_dir, store) = store_of(&whole, 1);
    let mut messages = whole.clone();
    messages.remove(2_100);
    let round = read(&store, &messages, extent(1, 5_000), None);
    assert_eq!(places(&round), [(Some(1), 2_001, 3_999)]);
    let what = "lane 1 has decided on 1000 inputs from 2001 to 3999 of IN: 999 of them can be read; of IN the messages 2101 \
                are gone, or cannot be read";
    assert_eq!(round.faults[0].what, what);
    assert_eq!(round.input.proved, 4_000);
    assert_eq!(places(&read(&store, &messages, extent(1, 5_000), Some(0))), []);
    assert_eq!(places(&read(&store, &messages, extent(1, 5_000), Some(1))).len(), 1);

    let mut messages = whole.clone();
    messages[4_999].payload = Bytes::from_static(b"another");
    let round = read(&store, &messages, extent(1, 5_000), None);
    assert_eq!(places(&round), [(Some(0), 4_002, 5_000)]);
    assert!(round.faults[0].what.ends_with("as many are there, and are not those"), "{}", round.faults[0].what);

    let round = read(&store, &whole[..3_000], extent(1, 5_000), None);
    assert_eq!(round.faults_in_all, 4, "{:?}", places(&round));
}

#[test]
fn what_went_with_the_beginning_is_passed_over_and_what_has_no_hash_is_counted() {
    let whole = messages(5_000);
    let (_dir, store) = store_of(&whole, 1);
    let round = read(&store, &whole[1_500..], extent(1_501, 5_000), None);
    assert_eq!((round.faults_in_all, round.input.proved, round.input.passed_over), (0, 3_000, 2_000));
    assert_eq!(round.input.unproved, 500);

    let (_dir, store) = store_of(&whole, 3_001);
    let mut messages = whole.clone();
    messages.remove(99);
    let round = read(&store, &messages, extent(1, 5_000), None);
    assert_eq!((round.input.proved, round.input.unproved), (2_000, 2_999));
    assert_eq!(places(&round), [(None, 100, 100)], "no hash says whose it was");
    // What has come since the round began.
    let round = read(&store, &whole[..4_500], extent(1, 4_500), None);
    assert_eq!((round.input.proved, round.input.unproved), (0, 4_500));
}

#[tokio::test]
async fn a_row_of_the_state_that_is_not_what_was_written_is_told_and_its_lane_hears_of_it() {
    let messages = messages(5_000);
    let (_dir, store) = store_of(&messages, 1);
    let (mut round, mut pace) = (Round::begin(1, None), Pace::new(u64::MAX, &[]));
    let read = async |lane: u32, round: &mut Round, pace: &mut Pace<'_>| {
        state::read((lane, store.lane(lane).unwrap()), round, pace, |_| {}).await.unwrap();
    };
    read(0, &mut round, &mut pace).await;
    // One for each 1,000 inputs, and those since.
    assert_eq!((round.faults_in_all, round.state.rows), (0, 3));
    let damaged = store.lane(1).unwrap();
    let heard = damaged.damages();
    let (key, _) = row(1, &Span::default());
    damaged.damage_row(&key).unwrap();
    read(1, &mut round, &mut pace).await;
    assert_eq!(round.faults_in_all, 1);
    let fault = &round.faults[0];
    assert_eq!((fault.stream, fault.lane), ("state", Some(1)));
    assert!(fault.what.starts_with("the store is damaged in lane-1: the row `"), "{}", fault.what);
    assert!(heard.borrow().is_some(), "it drops its state");
    assert!(store.lane(0).unwrap().damage().is_none());
}

#[test]
fn rows_are_looked_through_a_few_at_a_time() {
    let messages = messages(40_000);
    let (_dir, store) = store_of(&messages, 1);
    let lane = store.lane(0).unwrap();
    let (mut rows, mut looks, mut after) = (0, 0, None);
    loop {
        let looked = lane.look_through(after.as_deref(), 200).unwrap();
        (rows, looks) = (rows + looked.rows, looks + 1);
        match looked.last {
            None => break,
            last => after = last,
        }
    }
    assert_eq!(rows, lane.rows(b"", None).count() as u64);
    assert!(looks > 3, "{looks}");
}

fn event(org: &str, number: u64) -> String {
    format!("{{\"id\": \"{org}-{number}-18a8c07bd0d1c000\"}}")
}

/// What is found of OUT.
fn look(messages: &[Lying], extent: Extent, deleted: &[u64]) -> Round {
    let mut round = Round::begin(1, None);
    let mut output = Output::begin(16, None, extent, &mut round);
    messages.iter().for_each(|message| output.take(message, &mut round));
    let deleted: BTreeSet<u64> = deleted.iter().copied().collect();
    output.end(extent.first, Some(&deleted), &mut round);
    round
}

#[test]
fn events_that_are_missing_are_named() {
    let batch = format!("[{},{}]", event("acme", 1), event("acme", 3));
    let whole = [
        lying(1, "out.acme.trigger.incident.detected", &batch),
        lying(2, "out.acme.reaction.jss", &event("acme", 2)),
        lying(3, "out._provider.audit.x", "{\"id\": \"lane0-7-1\"}"),
        lying(5, "out.acme.reaction.jss", &event("acme", 4)),
        lying(7, "out.acme.reaction.jss", &event("acme", 5)),
    ];
    let round = look(&whole, extent(1, 7), &[4, 6]);
    assert_eq!((round.faults, round.output.proved, round.output.unproved), (Vec::new(), 4, 1));
    // The mark at 4 is unread too, and is nothing that was deleted.
    let round = look(&[&whole[..3], &whole[4..]].concat(), extent(1, 7), &[6]);
    let told: Vec<_> = round.faults.iter().map(|fault| fault.what.as_str()).collect();
    assert_eq!(
        told,
        [
            "the events acme-4 are missing in OUT, between its messages 2 and 7",
            "the messages 4 to 5 of OUT cannot be read"
        ]
    );
    assert_eq!(round.faults[0].lane, Some(log::streams::lane_of("acme", 16)));
    let round = look(&[lying(1, "out.acme.dead.x", "{}"), lying(2, "out._mark.3", "x")], extent(1, 2), &[]);
    assert_eq!(round.faults_in_all, 2, "{:?}", round.faults);
}

#[test]
fn of_the_oldest_batch_some_may_have_aged() {
    let left = [
        lying(11, "out.acme.reaction.jss", &event("acme", 2)),
        lying(12, "out.acme.reaction.jss", &event("acme", 4)),
        lying(5_000, "out.acme.reaction.jss", &event("acme", 5)),
    ];
    let aged = Extent { has_aged: true, ..extent(11, 5_000) };
    assert_eq!(look(&left, aged, &(13..5_000).collect::<Vec<_>>()).faults_in_all, 0);
    assert_eq!(look(&left, extent(11, 5_000), &(13..5_000).collect::<Vec<_>>()).faults_in_all, 1);
}

#[test]
fn only_one_round_is_under_way_that_somebody_asked_for() {
    let overview = watch::Sender::new(Overview::default());
    let verification = Verification(overview.clone());
    assert_eq!(verification.ask(Some(1)).unwrap().round, 1);
    assert_eq!(verification.ask(Some(1)).unwrap().round, 1);
    assert!(verification.ask(None).is_err());
    overview.send_modify(|overview| overview.asked.as_mut().unwrap().ended = Some(Timestamp::now()));
    assert_eq!(verification.ask(None).unwrap().round, 2);
}
