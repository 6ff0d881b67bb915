//! Keys, ids and the order of changes.

use super::*;

const LATER: Duration = Duration::from_secs(60);

fn request(tracking: &str) -> CreateSr {
    CreateSr {
        site_id: "S-1".to_owned(),
        user_id: "user@example.com".to_owned(),
        customer_tracking_number: tracking.to_owned(),
        priority: "1 - Critical".to_owned(),
        synopsis: "fan failed".to_owned(),
        details: None,
        alias: String::new(),
        trace_route: Vec::new(),
        address: String::new(),
    }
}

fn at_once() -> (Instant, Timestamp) {
    (Instant::now(), "2026-01-02T03:04:05Z".parse().unwrap())
}

fn closed() -> Move {
    Move { status: Some("closed".to_owned()), ..Move::default() }
}

fn told(step: Step, note: Option<&str>) -> UpdateSr {
    let note = note.map(|text| CaseNote {
        id: text.to_owned(),
        author: String::new(),
        at: at_once().1,
        text: text.to_owned(),
    });
    UpdateSr {
        site_id: "S-1".to_owned(),
        user_id: "user@example.com".to_owned(),
        customer_tracking_number: "acme-1".to_owned(),
        transaction_id: "T-00000001".to_owned(),
        step,
        note,
    }
}

fn tracking_numbers(page: &Page) -> Vec<&str> {
    page.cases.iter().map(|case| case.customer_tracking_number.as_str()).collect()
}

#[test]
fn a_key_opens_one_case_and_is_answered_as_before() {
    let (mut cases, (now, time)) = (Cases::default(), at_once());
    let first = cases.open("k1", request("acme-1"), LATER, (now, time)).unwrap();
    assert_eq!(first, Accepted { transaction_id: "T-00000001".to_owned(), case: None });
    // The case has an id by now, but the answer is the first one.
    assert_eq!(cases.open("k1", request("acme-1"), LATER, (now + LATER, time)).unwrap(), first);
    assert_eq!(cases.open("k1", request("acme-2"), LATER, (now, time)), Err(KeyReused));
    cases.open("k2", request("acme-1"), LATER, (now, time)).unwrap();
    assert_eq!((cases.all().len(), cases.duplicates_prevented), (2, 1));
    assert_eq!(cases.by_key(), [("k1", 2), ("k2", 1)].into());
    assert_eq!(cases.by_tracking(), [("acme-1", 2)].into());
}

#[test]
fn a_case_shows_once_it_has_an_id() {
    let (mut cases, (now, time)) = (Cases::default(), at_once());
    cases.open("k1", request("acme-1"), LATER, (now, time)).unwrap();
    assert!(cases.changed("S-1", 0, 10).cases.is_empty());
    cases.assign(now + LATER, time);
    let page = cases.changed("S-1", 0, 10);
    assert_eq!((tracking_numbers(&page), page.more), (vec!["acme-1"], false));
    assert!(cases.changed("S-2", 0, 10).cases.is_empty());
    let immediate = cases.open("k2", request("acme-2"), Duration::ZERO, (now, time)).unwrap();
    assert_eq!(immediate.case.unwrap().case_id, "2026-000002");
}

#[test]
fn a_cursor_gives_later_changes_only_page_by_page() {
    let (mut cases, (now, time)) = (Cases::default(), at_once());
    for n in 1..=5 {
        cases.open(&format!("k{n}"), request(&format!("acme-{n}")), Duration::ZERO, (now, time)).unwrap();
    }
    let page = cases.changed("S-1", 0, 3);
    assert_eq!((tracking_numbers(&page), page.more), (vec!["acme-1", "acme-2", "acme-3"], true));
    let page = cases.changed("S-1", page.cursor, 3);
    assert_eq!((tracking_numbers(&page), page.more), (vec!["acme-4", "acme-5"], false));
    let end = cases.changed("S-1", page.cursor, 3);
    assert!(end.cases.is_empty() && end.cursor == page.cursor);

    assert_eq!(cases.update("acme-2", &closed(), time), 1);
    let page = cases.changed("S-1", end.cursor, 3);
    assert_eq!((tracking_numbers(&page), page.cases[0].status.as_str()), (vec!["acme-2"], "closed"));
    assert!(page.cases[0].updated > time);
    assert_eq!(cases.update("acme-9", &closed(), time), 0);
}

#[test]
fn every_wrong_field_is_named() {
    assert!(request("acme-1").faults().is_empty());
    let wrong = CreateSr { priority: "Critical".to_owned(), synopsis: String::new(), ..request("") };
    let messages: Vec<String> = wrong.faults().into_iter().map(|(_, message)| message).collect();
    assert_eq!(
        messages,
        [
            "`customerTrackingNumber` must be 1 to 256 characters",
            "`synopsis` must be 1 to 65536 characters",
            "`priority` must be of the form `1 - Critical`",
        ]
    );
}

#[test]
fn what_is_told_of_a_case_changes_it_once_and_moves_it() {
    let (mut cases, (now, time)) = (Cases::default(), at_once());
    for n in 1..=2 {
        cases.open(&format!("k{n}"), request(&format!("acme-{n}")), Duration::ZERO, (now, time)).unwrap();
    }
    let before = cases.changed("S-1", 0, 10).cursor;
    for _ in 0..2 {
        cases.tell("t1", told(Step::Note, Some("hot")), time).unwrap();
    }
    cases.tell("t2", told(Step::Close, None), time).unwrap();
    let page = cases.changed("S-1", before, 10);
    let case = &page.cases[0];
    assert_eq!((page.cases.len(), case.status.as_str(), case.notes.len()), (1, "closed", 1));
    cases.tell("t3", told(Step::Reopen, Some("hot again")), time).unwrap();
    let case = &cases.changed("S-1", page.cursor, 10).cases[0];
    assert_eq!((case.status.as_str(), case.notes[1].text.as_str()), ("reopened", "hot again"));

    assert_eq!(cases.tell("t1", told(Step::Close, None), time), Err(NotTold::KeyReused));
    let other = UpdateSr { customer_tracking_number: "acme-2".to_owned(), ..told(Step::Close, None) };
    assert_eq!(cases.tell("t4", other, time), Err(NotTold::Unknown));
    let wrong = UpdateSr { transaction_id: String::new(), ..told(Step::Note, None) };
    let messages: Vec<String> = wrong.faults().into_iter().map(|(_, message)| message).collect();
    assert_eq!(messages, ["`transactionId` must be 1 to 128 characters", "the step `note` has no `note`"]);
}
