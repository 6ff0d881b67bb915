//! What is uploaded to the support system: of cases that it knows, filtered, whole and once.

use linesman_connectors::Connector as _;
use linesman_schemas::FilterLevel;
use linesman_schemas::outcome::Done;
use linesman_schemas::outcome::FailureClass::{Refused, Unauthorized, Unavailable};
use linesman_schemas::reaction::{Action, Task};
use serde_json::{Value, json};

use crate::upstream::uploads::*;
use crate::world::*;

/// A stand-in that keeps what is uploaded in pieces of so many bytes, and the id of a case that it knows.
async fn world(piece_bytes: u64) -> (World, String) {
    let world = World::new().await;
    world.control(json!({ "piece_bytes": piece_bytes, "keep_uploads": true })).await;
    match done(world.jss().carry_out(&submit(1)).await) {
        Done::CaseAccepted { case: Some(case), .. } => (world, case.case_id),
        other => panic!("{other:?}"),
    }
}

fn of_case(task: Task, id: &str) -> Task {
    let Action::Upload(mut upload) = task.action else { panic!("{task:?}") };
    id.clone_into(&mut upload.case);
    Task { action: Action::Upload(upload), ..task }
}

#[tokio::test]
async fn nothing_that_a_level_holds_back_leaves_in_an_upload() {
    let (world, case) = world(64 * 1024).await;
    let document = planted(200_000);
    for (number, (level, name)) in FilterLevel::ALL.into_iter().enumerate() {
        if level == FilterLevel::DoNotSend {
            continue;
        }
        let task = of_case(upload(number as u64, level, "edge 10.20.30.40 rsi.xml"), &case);
        done(world.jss().carry_out_with(&task, contents(&document)).await);
        let told = world.uploads().await.as_array().unwrap().last().unwrap().clone();
        let bytes = world.uploaded(told["upload"].as_str().unwrap()).await;
        assert_eq!((&told["complete"], &told["sha256"]), (&json!(true), &json!(sha256(&bytes))), "{name}");
        let (canaries, out) = held_back(level);
        assert_eq!(leaked(&canaries, &bytes), [], "{name}");
        assert_eq!(leaked(&canaries, told.to_string().as_bytes()), [], "{name}");
        assert!(out.is_none_or(|out| String::from_utf8(bytes).unwrap().contains(out)), "{name}");
    }
}

#[tokio::test]
async fn what_is_announced_names_the_case_and_the_device() {
    let (world, case) = world(4096).await;
    let mut task = of_case(upload(1, FilterLevel::All, "rsi.txt"), &case);
    let Action::Upload(upload) = &mut task.action else { panic!("{task:?}") };
    upload.device = Some(serde_json::from_value(json!({ "serial_number": "JN1", "host_name": "edge" })).unwrap());
    done(world.jss().carry_out_with(&task, contents(b"up\n")).await);
    let expected = json!([{
        "upload": "U-000001", "siteId": "SITE-1", "userId": "noc@acme.example", "kind": "attachment", "caseId": case,
        "device": { "serialNumber": "JN1", "hostName": "edge" }, "name": "rsi.txt", "size": 3,
        "sha256": sha256(b"up\n"), "offset": 3, "complete": true,
    }]);
    assert_eq!(world.uploads().await, expected);
}

#[tokio::test]
async fn a_cut_in_the_middle_is_gone_on_from_with_the_same_bytes() {
    for fault in ["cut_request", "drop_after_accept"] {
        let (world, case) = world(4096).await;
        let (jss, document) = (world.jss(), planted(20_000));
        let task = of_case(upload(1, FilterLevel::All, "rsi.xml"), &case);
        world.control(json!({ fault: true, "only": "appendUpload", "times": 1 })).await;
        assert_eq!(failure(jss.carry_out_with(&task, contents(&document)).await).class, Unavailable);
        let before = world.uploads().await[0]["offset"].as_u64().unwrap();
        assert_eq!(before, if fault == "cut_request" { 0 } else { 4096 });
        let attempted = jss.carry_out_with(&Task { attempt: 2, ..task }, contents(&document)).await;
        assert!(attempted.requests <= jss.requests_most());
        let Done::Uploaded { sha256: sha, .. } = done(attempted) else { panic!("not uploaded") };
        let uploads = world.uploads().await;
        assert_eq!((uploads.as_array().unwrap().len(), &uploads[0]["complete"]), (1, &json!(true)));
        assert_eq!(sha256(&world.uploaded("U-000001").await), sha);
    }
}

#[tokio::test]
async fn a_try_makes_no_more_requests_than_it_may_and_the_next_goes_on() {
    let (world, case) = world(1024).await;
    let (jss, document) = (world.jss(), planted(20_000));
    let task = of_case(upload(1, FilterLevel::All, "rsi.xml"), &case);
    let mut tries = 0;
    loop {
        tries += 1;
        let attempted = jss.carry_out_with(&task, contents(&document)).await;
        assert!(attempted.requests <= jss.requests_most(), "{attempted:?}");
        if world.uploads().await[0]["complete"] == json!(true) {
            done(attempted);
            break;
        }
        assert_eq!(attempted.there, world.uploads().await[0]["offset"].as_u64());
        let failure = failure(attempted);
        assert_eq!(failure.retry_after_s, None, "nobody asked to be left alone");
        assert!(failure.message.ends_with(" bytes are there; the next attempt goes on"), "{failure:?}");
    }
    assert!(tries > 1);
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_renewed() {
    let (world, case) = world(4096).await;
    let jss = world.jss();
    let task = of_case(upload(1, FilterLevel::All, "rsi.xml"), &case);
    done(jss.carry_out_with(&task, contents(b"up")).await);
    world.control(json!({ "revoke_tokens": true })).await;
    let task = of_case(upload(2, FilterLevel::All, "rsi.xml"), &case);
    done(jss.carry_out_with(&task, contents(b"down")).await);
}

#[tokio::test]
async fn every_refusal_has_its_class() {
    let (world, case) = world(4096).await;
    let task = upload(1, FilterLevel::All, "rsi.xml");
    let refused = failure(world.jss().carry_out_with(&of_case(task.clone(), "2026-9"), contents(b"up")).await);
    let expected = "answered with status 404: unknown-case: no case has this id";
    assert_eq!((refused.class, refused.message.as_str()), (Refused, expected));
    for (status, class) in [(403, Unauthorized), (500, Unavailable), (503, Unavailable)] {
        world.control(json!({ "status": status, "retry_after_s": 7, "only": "appendUpload" })).await;
        let failure = failure(world.jss().carry_out_with(&of_case(task.clone(), &case), contents(b"up")).await);
        assert_eq!((failure.class, failure.retry_after_s), (class, Some(7)), "{status}");
    }
}

#[tokio::test]
async fn what_cannot_be_filtered_is_not_announced() {
    let world = World::new().await;
    let nested = (0..9).fold(b"deep".to_vec(), |inner, _| gzip(&inner));
    let task = upload(1, FilterLevel::All, "logs.tgz");
    for (document, class) in [(contents(&nested), Refused), (broken_off(), Unavailable)] {
        let attempted = world.jss().carry_out_with(&task, document).await;
        assert_eq!((attempted.requests, failure(attempted).class), (0, class));
    }
    assert_eq!(world.uploads().await, json!([]));
}

#[tokio::test]
async fn a_snapshot_belongs_to_a_device_and_to_no_case() {
    let world = World::new().await;
    let task = upload(1, FilterLevel::All, "snapshot.xml");
    let Action::Upload(mut snapshot) = task.action else { panic!("no upload") };
    snapshot.kind = linesman_schemas::upload::UploadKind::Snapshot;
    snapshot.case = String::new();
    snapshot.device = Some(serde_json::from_value(json!({ "serial_number": "JN1" })).unwrap());
    let task = Task { action: Action::Upload(snapshot), ..task };
    done(world.jss().carry_out_with(&task, contents(b"<jmb/>")).await);
    let told = world.uploads().await[0].clone();
    assert_eq!((&told["kind"], &told["caseId"]), (&json!("snapshot"), &Value::Null));
}
