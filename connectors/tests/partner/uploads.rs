//! What is uploaded to a partner: filtered, whole, once, and gone on with after whatever broke it off.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;
use linesman_connectors::upload::Leaving;
use linesman_connectors::{Connector as _, Wanted};
use linesman_redaction::{Key, Overwriting, unredact};
use linesman_schemas::FilterLevel;
use linesman_schemas::outcome::Done;
use linesman_schemas::outcome::FailureClass::{Garbled, Overloaded, Refused, Unavailable};
use linesman_schemas::reaction::{Action, Task};
use serde_json::json;

use crate::receiver::{Fault, Receiver, said};
use crate::scripted::*;
use crate::upstream::uploads::*;

/// A large piece.
const WHOLE: u64 = 8 << 20;

fn uploaded(done: Done) -> (String, u64) {
    match done {
        Done::Uploaded { sha256, size } => (sha256, size),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_that_a_level_holds_back_leaves_in_an_upload() {
    let document = planted(300_000);
    for (level, name) in FilterLevel::ALL.into_iter().filter(|(level, _)| *level != FilterLevel::DoNotSend) {
        for packed in [document.clone(), gzip(&document)] {
            let server = Receiver::new(64 * 1024, Vec::new());
            let task = upload(1, level, "edge 10.20.30.40 rsi.xml");
            let (sha, size) = uploaded(done(server.partner().carry_out_with(&task, contents(&packed)).await));
            let received = server.received().remove(0);
            assert!(received.is_complete, "{name}");
            assert_eq!((sha256(&received.bytes), received.bytes.len() as u64), (sha, size), "{name}");
            let (canaries, out) = held_back(level);
            assert_eq!(leaked(&canaries, &received.bytes), [], "{name}");
            assert_eq!(leaked(&canaries, received.request.to_string().as_bytes()), [], "{name}");
            if let (Some(out), true) = (out, packed == document) {
                assert!(String::from_utf8(received.bytes).unwrap().contains(out), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_announced_is_what_the_action_says() {
    let server = Receiver::new(WHOLE, Vec::new());
    let mut task = upload(1, FilterLevel::All, "rsi.txt");
    let Action::Upload(upload) = &mut task.action else { panic!("{task:?}") };
    upload.media_type = Some("text/plain".to_owned());
    upload.device = Some(serde_json::from_value(json!({"serial_number": "JN1", "host_name": "edge"})).unwrap());
    done(server.partner().carry_out_with(&task, contents(b"up\n")).await);
    let received = server.received().remove(0);
    let expected = json!({
        "kind": "attachment", "receipt": "T-1", "device": {"serial_number": "JN1", "host_name": "edge"},
        "name": "rsi.txt", "media_type": "text/plain", "size": 3, "sha256": sha256(b"up\n"),
    });
    assert_eq!(received.request, expected);
    assert_eq!(received.key, format!("{}.{}", task.id, &sha256(b"up\n")[..16]));
    assert_eq!(server.lines(), ["POST uploads", "PATCH uploads/0"]);
}

#[tokio::test]
async fn at_do_not_send_nothing_is_said() {
    let server = Receiver::new(WHOLE, Vec::new());
    let task = upload(1, FilterLevel::DoNotSend, "rsi.txt");
    let failure = failure(server.partner().carry_out_with(&task, contents(b"up")).await);
    assert_eq!(
        (failure.class, failure.message.as_str()),
        (Refused, "at the filter level `Do not send` nothing leaves")
    );
    assert!(server.is_silent());
}

#[tokio::test]
async fn what_nothing_is_left_of_is_not_announced() {
    let server = Receiver::new(WHOLE, Vec::new());
    let task = upload(1, FilterLevel::FeaturesOnly, "messages");
    let attempted = server.partner().carry_out_with(&task, contents(b"nothing but a line\n")).await;
    assert_eq!((attempted.requests, uploaded(done(attempted))), (0, (sha256(b""), 0)));
    assert!(server.is_silent());
}

#[tokio::test]
async fn hostile_archives_are_refused_before_anything_is_said() {
    let nested = (0..9).fold(b"deep".to_vec(), |inner, _| gzip(&inner));
    let mut cut_short = gzip(&planted(100_000));
    cut_short.truncate(50_000);
    for (document, message) in [
        (nested, "`logs.tgz` lies in too many archives: they are opened 8 deep"),
        (cut_short, "`logs.tgz` cannot be carried over: incomplete deflate stream"),
    ] {
        let server = Receiver::new(WHOLE, Vec::new());
        let task = upload(1, FilterLevel::All, "logs.tgz");
        let failure = failure(server.partner().carry_out_with(&task, contents(&document)).await);
        assert_eq!((failure.class, failure.message.as_str()), (Refused, message));
        assert!(server.is_silent());
    }
}

#[tokio::test]
async fn bytes_that_break_off_are_not_uploaded() {
    let server = Receiver::new(WHOLE, Vec::new());
    let task = upload(1, FilterLevel::All, "logs.txt");
    let failure = failure(server.partner().carry_out_with(&task, broken_off()).await);
    let expected = "the bytes to upload broke off: the log went away";
    assert_eq!((failure.class, failure.message.as_str()), (Unavailable, expected));
    assert!(server.is_silent());
}

#[tokio::test]
async fn a_cut_in_the_middle_is_gone_on_from_with_the_same_bytes() {
    let document = planted(20_000);
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        let server = Receiver::new(4096, vec![Fault::None, Fault::None, fault]);
        let task = upload(1, FilterLevel::All, "rsi.xml");
        let (sha, _) = uploaded(done(server.partner().carry_out_with(&task, contents(&document)).await));
        let received = server.received();
        assert_eq!((received.len(), sha256(&received[0].bytes)), (1, sha));
        assert!(received[0].is_complete);
        let lines = server.lines();
        assert_eq!(lines.iter().filter(|line| *line == "GET uploads/0").count(), 1, "{lines:?}");
    }
}

#[tokio::test]
async fn the_next_try_goes_on_where_the_last_one_ended() {
    let document = planted(20_000);
    let server = Receiver::new(4096, vec![Fault::None, Fault::CutAfter, Fault::CutBefore]);
    let (partner, task) = (server.partner(), upload(1, FilterLevel::All, "rsi.xml"));
    let failure = failure(partner.carry_out_with(&task, contents(&document)).await);
    assert_eq!(failure.class, Unavailable);
    let there = server.received()[0].bytes.clone();
    assert_eq!(there.len(), 2 * 4096);
    server.lines();
    uploaded(done(partner.carry_out_with(&Task { attempt: 2, ..task }, contents(&document)).await));
    let received = server.received();
    assert_eq!(received.len(), 1, "announced again it is the same");
    assert!(received[0].is_complete && received[0].bytes.starts_with(&there));
    assert_eq!(&server.lines()[..2], ["POST uploads", "PATCH uploads/0"]);
}

#[tokio::test]
async fn an_upload_whose_last_answer_was_lost_is_not_made_again() {
    let server = Receiver::new(WHOLE, vec![Fault::CutAfter]);
    let (partner, task) = (server.partner(), upload(1, FilterLevel::All, "rsi.xml"));
    assert_eq!(failure(partner.carry_out_with(&task, contents(b"up")).await).class, Unavailable);
    server.lines();
    uploaded(done(partner.carry_out_with(&task, contents(b"up")).await));
    assert_eq!(server.lines(), ["POST uploads"]);
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn what_arrives_otherwise_is_sent_anew_once() {
    let document = planted(20_000);
    let server = Receiver::new(WHOLE, vec![Fault::Flip]);
    let task = upload(1, FilterLevel::All, "rsi.xml");
    uploaded(done(server.partner().carry_out_with(&task, contents(&document)).await));
    assert!(server.received()[0].is_complete);
    let server = Receiver::new(WHOLE, vec![Fault::Flip, Fault::Flip]);
    let failure = failure(server.partner().carry_out_with(&task, contents(&document)).await);
    assert_eq!((failure.class, failure.message.as_str()), (Garbled, "other bytes have arrived than were sent"));
}

#[tokio::test]
async fn a_piece_of_an_earlier_try_that_arrives_late_is_gone_on_from() {
    let server = Receiver::new(4096, vec![Fault::Overtaken]);
    let task = upload(1, FilterLevel::All, "rsi.xml");
    let (sha, _) = uploaded(done(server.partner().carry_out_with(&task, contents(&planted(20_000))).await));
    assert_eq!(sha256(&server.received()[0].bytes), sha);
}

#[tokio::test]
async fn an_upload_that_is_forgotten_is_announced_anew() {
    let server = Receiver::new(4096, vec![Fault::None, Fault::Forget]);
    let task = upload(1, FilterLevel::All, "rsi.xml");
    uploaded(done(server.partner().carry_out_with(&task, contents(&planted(20_000))).await));
    let received = server.received();
    assert_eq!(received.iter().map(|upload| upload.is_complete).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn whoever_asks_to_be_left_alone_is() {
    let busy = said(200, &json!({})).replace("200 X\r\n", "503 X\r\nRetry-After: 7\r\n");
    let server = Receiver::new(4096, vec![Fault::None, Fault::Answer(busy)]);
    let task = upload(1, FilterLevel::All, "rsi.xml");
    let failure = failure(server.partner().carry_out_with(&task, contents(&planted(20_000))).await);
    assert_eq!((failure.class, failure.retry_after_s), (Overloaded, Some(7)));
    assert_eq!(server.lines(), ["POST uploads", "PATCH uploads/0", "PATCH uploads/0"]);
}

#[tokio::test]
async fn answers_that_lead_nowhere_are_garbled() {
    let view = |offset: u64, size: u64, piece: u64| json!({ "upload": "0", "offset": offset, "size": size, "piece": piece, "complete": false });
    let document = vec![b'a'; 3000];
    for (answer, message) in [
        (said(200, &view(0, 3000, 1024)), "a piece from 0 to 1024 was taken, and the offset is 0"),
        (said(200, &view(1, 3000, 1024)), "a piece from 0 to 1024 was taken, and the offset is 1"),
        (said(200, &view(1025, 3000, 1024)), "a piece from 0 to 1024 was taken, and the offset is 1025"),
        (said(200, &view(1024, 3001, 1024)), "`size` is 3001, what was announced has 3000"),
        (said(200, &view(3001, 3000, 1024)), "`offset` is 3001 of 3000 bytes"),
        (said(200, &view(1024, 3000, 1023)), "`piece` is 1023, less than 1024 bytes"),
        (said(200, &view(3000, 3000, 3000)), "a piece from 0 to 1024 was taken, and the offset is 3000"),
        (said(409, &json!({ "offset": 77 })), "a piece from 77 on was not taken: the other is at 0"),
    ] {
        let server = Receiver::new(1024, vec![Fault::Answer(answer)]);
        let task = upload(1, FilterLevel::All, "a.txt");
        let failure = failure(server.partner().carry_out_with(&task, contents(&document)).await);
        assert_eq!((failure.class, failure.message.as_str()), (Garbled, message));
    }
}

#[tokio::test]
async fn bytes_that_are_all_there_make_an_upload() {
    let view = json!({ "upload": "0", "offset": 3000, "size": 3000, "piece": 4096, "complete": false });
    let server = Receiver::new(4096, vec![Fault::Answer(said(200, &view))]);
    let task = upload(1, FilterLevel::All, "a.txt");
    let failure = failure(server.partner().carry_out_with(&task, contents(&[b'a'; 3000])).await);
    let message = "all bytes are there, and the upload is not complete";
    assert_eq!((failure.class, failure.message.as_str()), (Garbled, message));
}

#[tokio::test]
async fn whoever_takes_an_upload_byte_by_byte_is_left_soon() {
    // It takes a byte of each piece, and says that it is there.
    let server = Receiver::new(4096, (0..100).map(|_| Fault::Crawl).collect());
    let task = upload(1, FilterLevel::All, "rsi.xml");
    let attempted = server.partner().carry_out_with(&task, contents(&planted(20_000))).await;
    assert!(attempted.requests < 10, "{attempted:?}");
    assert_eq!(failure(attempted).class, Garbled);
}

#[tokio::test]
async fn nothing_leaves_any_more_once_it_is_not_wanted() {
    let document = planted(20_000);
    let server = Receiver::new(4096, Vec::new());
    let (partner, task) = (server.partner(), upload(1, FilterLevel::All, "rsi.xml"));
    let asked = AtomicU32::new(0);
    // Before the announcement and before two pieces, and no more.
    let wanted = Wanted::new(move || asked.fetch_add(1, Ordering::AcqRel) < 3, std::future::pending());
    let attempted = partner.carry_out_with(&task, contents(&document).as_long_as(wanted)).await;
    // And what lies there of it goes.
    assert_eq!(server.lines(), ["POST uploads", "PATCH uploads/0", "PATCH uploads/0", "DELETE uploads/0"]);
    assert!(server.received()[0].bytes.is_empty());
    assert_eq!((attempted.is_withdrawn, attempted.there), (true, Some(2 * 4096)));
    let message = "what may leave has changed meanwhile; the next attempt goes by that";
    assert_eq!(failure(attempted).message, message);
    let wanted = Wanted::new(|| true, std::future::ready(()));
    let attempted = partner.carry_out_with(&task, contents(&document).as_long_as(wanted)).await;
    assert_eq!((attempted.is_withdrawn, attempted.requests), (true, 0));
    assert!(server.is_silent(), "what is under way is broken off");
}

#[tokio::test]
async fn a_try_says_how_many_bytes_are_there() {
    let server = Receiver::new(4096, vec![Fault::None, Fault::CutBefore, Fault::CutBefore]);
    let task = upload(1, FilterLevel::All, "rsi.xml");
    let attempted = server.partner().carry_out_with(&task, contents(&planted(20_000))).await;
    assert_eq!(attempted.there, Some(4096));
    assert_eq!(failure(attempted).class, Unavailable);
}

#[tokio::test]
async fn uploads_have_bounds_of_their_own() {
    let server = Receiver::new(4096, Vec::new());
    let partner = server.partner();
    let uploads = linesman_schemas::upload::PEER.parse().unwrap();
    assert_eq!((partner.concurrency(None), partner.concurrency(Some(&uploads))), (8, 2));
    let (first, second) = (partner.turn().await, partner.turn().await);
    assert!(first.is_some() && partner.turn().now_or_never().is_none(), "two are filtered at a time");
    // Bytes that come in turn wait for no other.
    let task = upload(1, FilterLevel::All, "rsi.xml");
    uploaded(done(partner.carry_out_with(&task, contents(b"up").in_turn(first)).await));
    assert!(partner.turn().now_or_never().is_some());
    drop(second);
}

#[tokio::test]
async fn pseudonyms_are_an_organizations_own_and_only_its_key_undoes_them() {
    let folder = tempfile::tempdir().unwrap();
    let key = |org: &str| Key::of(&std::array::from_fn::<u8, 32, _>(|at| at as u8 ^ org.as_bytes()[0])).unwrap();
    let overwritings = Arc::new(move |org: &linesman_schemas::OrgName| Ok(Overwriting::Pseudonyms(key(org.as_str()))));
    let leaving = Leaving::by(folder.path(), overwritings).unwrap();
    let document = b"peer 10.20.30.40 of 10.20.30.41 is down\n";
    let server = Receiver::new(WHOLE, Vec::new());
    let partner = server.partner().leaving(leaving);
    for (number, org) in [(1, "acme"), (2, "acme"), (3, "bolt")] {
        let task = upload(number, FilterLevel::AddressesOverwritten, "a.txt");
        done(partner.carry_out_with(&Task { org: org.parse().ok(), ..task }, contents(document)).await);
    }
    let left: Vec<String> =
        server.received().into_iter().map(|upload| String::from_utf8(upload.bytes).unwrap()).collect();
    assert_eq!(left[0], left[1]);
    assert_ne!(left[0], left[2]);
    assert!(!left[0].contains("10.20.30.4") && !left[0].contains("x.x.x.x"), "{}", left[0]);
    let undone = |text: &str, key: &Key| {
        let mut out = Vec::new();
        let spool = || Ok(Box::new(std::io::Cursor::new(Vec::new())) as Box<dyn linesman_redaction::Spool>);
        unredact(key, "a.txt", &mut text.as_bytes(), &mut out, &spool).unwrap();
        out
    };
    assert_eq!(undone(&left[0], &key("acme")), document);
    assert_ne!(undone(&left[0], &key("bolt")), document);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays behind");
}

#[tokio::test]
async fn a_key_that_is_lost_keeps_the_upload_here() {
    let lost = "the key of the pseudonyms of `acme` needs to be given again";
    let folder = tempfile::tempdir().unwrap();
    let leaving = Leaving::by(folder.path(), Arc::new(move |_| Err(lost.to_owned()))).unwrap();
    let server = Receiver::new(WHOLE, Vec::new());
    let partner = server.partner().leaving(leaving);
    let task = upload(1, FilterLevel::AddressesOverwritten, "a.txt");
    let failure = failure(partner.carry_out_with(&task, contents(b"10.1.2.3")).await);
    assert_eq!((failure.class, failure.message.as_str()), (Unavailable, lost));
    assert!(server.is_silent());
}
