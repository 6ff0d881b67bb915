//! What a poll brings and where the next one goes on.

use linesman_connectors::jss::Jss;
use linesman_connectors::{Attempted, Connector as _};
use linesman_schemas::outcome::Done;
use serde_json::json;

use crate::world::{World, cases, done, poll, submit};

/// Opens cases `1..=count`.
async fn open(jss: &Jss, count: u64) {
    for number in 1..=count {
        done(jss.carry_out(&submit(number)).await);
    }
}

fn numbers(attempted: &Attempted) -> Vec<u64> {
    cases(attempted).iter().map(|case| case.incident.number).collect()
}

fn cursor(attempted: Attempted) -> String {
    match done(attempted) {
        Done::Polled { cursor } => cursor.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_poll_brings_all_pages_and_the_next_one_changes_only() {
    let world = World::new().await;
    let jss = world.jss();
    open(&jss, 7).await;
    world.control(json!({ "page_size": 3 })).await;
    let first = jss.carry_out(&poll(None)).await;
    assert_eq!((numbers(&first), first.requests), (vec![1, 2, 3, 4, 5, 6, 7], 3));
    let at = cursor(first);

    let second = jss.carry_out(&poll(Some(&at))).await;
    assert_eq!((numbers(&second), second.requests), (vec![], 1));
    let at = cursor(second);

    let link = "https://partner.example/5";
    world.control(json!({ "update": { "tracking": "acme-5", "status": "closed", "link": link } })).await;
    let third = jss.carry_out(&poll(Some(&at))).await;
    assert_eq!(numbers(&third), [5]);
    assert_eq!((cases(&third)[0].status.as_str(), cases(&third)[0].link.as_deref()), ("closed", Some(link)));
}

#[tokio::test]
async fn a_poll_reads_ten_pages_and_the_next_one_goes_on() {
    let world = World::new().await;
    let jss = world.jss();
    open(&jss, 12).await;
    world.control(json!({ "page_size": 1 })).await;
    let first = jss.carry_out(&poll(None)).await;
    assert_eq!((numbers(&first), first.requests), ((1..=10).collect(), 10));
    let second = jss.carry_out(&poll(Some(&cursor(first)))).await;
    assert_eq!(numbers(&second), [11, 12]);
}

#[tokio::test]
async fn a_cursor_of_an_earlier_life_means_the_beginning() {
    let world = World::new().await;
    let jss = world.jss();
    open(&jss, 3).await;
    let at = cursor(jss.carry_out(&poll(None)).await);
    world.control(json!({ "reset": true })).await;
    open(&jss, 1).await;
    assert_eq!(numbers(&jss.carry_out(&poll(Some(&at))).await), [1]);
}

#[tokio::test]
async fn another_sites_cases_are_not_seen() {
    let world = World::new().await;
    open(&world.jss(), 2).await;
    let mut settings = world.settings();
    settings.site_id = "SITE-2".to_owned();
    assert_eq!(numbers(&Jss::new(settings).unwrap().carry_out(&poll(None)).await), Vec::<u64>::new());
}
