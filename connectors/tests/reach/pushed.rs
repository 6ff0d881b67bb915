//! Groups put and removed as reactions want it: committed once a device was heard of behind the change, and else taken back.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::netconf::{Datastore, Request};
use linesman_connectors::device::push::{
    Devices, Difference, Directory, Pace, Reached, Turn, differences, held, room_for,
};
use linesman_connectors::device::ssh::Login;
use linesman_connectors::device::standin::server::Fault;
use linesman_connectors::{Attempted, Connector as _};
use linesman_schemas::outcome::{self, Done, Failure, FailureClass, Outcome};
use linesman_schemas::reaction::{Action, Approved, Configure, Device, GroupChange, Task};

use crate::world::{World, limits};

const TEXT: &str = "system {\n    host-name edge;\n}\n";
const SHOWN: &str = "groups {\n    linesman-a {\n        system {\n            host-name edge;\n        }\n    }\n}\napply-groups linesman-a;\n";
const BY_HAND: &str = "system {\n    domain-name example.com;\n}\n";

struct One(Login);

impl Directory for One {
    fn login(&self, device: &Device) -> Result<Login, Failure> {
        match device.serial_number.as_str() {
            "JN1" => Ok(self.0.clone()),
            _ => {
                let message = "no such device".to_owned();
                Err(Failure { class: FailureClass::Unavailable, message, retry_after_s: None, cause: None })
            }
        }
    }

    fn turn<'a>(&'a self, _: &'a Device) -> BoxFuture<'a, Result<Turn, Failure>> {
        ready(Ok(Turn::default())).boxed()
    }
}

fn devices(world: &World) -> Devices {
    let reached = Reached::default();
    reached.bind(Arc::new(One(world.login())));
    let short = Limits { idle: Duration::from_secs(2), total: Duration::from_secs(20), ..Limits::default() };
    Devices::new(reached).at(Pace { answer: short, work: short, ..Pace::default() })
}

fn task(serial_number: &str, group: &str, change: GroupChange) -> Task {
    let device =
        Device { organization: "acme".parse().unwrap(), serial_number: serial_number.to_owned(), host_name: None };
    Task {
        id: "acme-r1-18f0".parse().unwrap(),
        org: "acme".parse().ok(),
        peer: device.peer(),
        attempt: 1,
        action: Action::Configure(Box::new(Configure {
            device,
            group: group.to_owned(),
            change,
            approved: None,
            is_restore: false,
        })),
    }
}

async fn put(devices: &Devices, text: &str) -> Attempted {
    devices.carry_out(&task("JN1", "linesman-a", GroupChange::Put { text: text.to_owned() })).await
}

/// What it came to by the device's own words.
fn done(attempted: Attempted) -> outcome::Difference {
    let Attempted { outcome, difference, is_taken_back, .. } = attempted;
    assert_eq!((outcome, is_taken_back), (Outcome::Done(Done::Configured), false));
    difference.unwrap()
}

fn failed(attempted: Attempted, class: FailureClass) -> String {
    match attempted.outcome {
        Outcome::Failed(failure) => {
            assert_eq!(failure.class, class, "{failure:?}");
            assert!(!failure.message.contains(char::is_control) && failure.message.len() < 1_500, "{failure:?}");
            failure.message
        }
        Outcome::Done(done) => panic!("{done:?}"),
    }
}

/// How often something was committed, confirmed or not.
fn commits(world: &World) -> usize {
    world.server.done().iter().filter(|done| done.starts_with("commit")).count()
}

#[tokio::test]
async fn a_group_is_put_once_and_is_replaced_and_removed_and_nothing_else_is_touched() {
    let world = World::new().await;
    world.server.change_by_hand(BY_HAND, true).unwrap();
    let devices = devices(&world);
    let told = done(put(&devices, TEXT).await);
    assert!(told.text.contains("host-name edge;") && told.added > 0 && !told.is_cut, "{told:?}");
    assert!(world.server.running().contains("host-name edge") && !world.server.is_pending());
    assert_eq!(commits(&world), 2);
    let told = done(put(&devices, TEXT).await);
    assert!(told.is_none(), "{told:?}");
    assert_eq!(commits(&world), 2, "there was nothing to be committed");
    done(put(&devices, "chassis {\n    alarm;\n}\n").await);
    let running = world.server.running();
    assert!(running.contains("alarm;") && !running.contains("edge"), "{running}");
    done(devices.carry_out(&task("JN1", "linesman-a", GroupChange::Remove)).await);
    assert_eq!(world.server.running(), BY_HAND);
    done(devices.carry_out(&task("JN1", "linesman-a", GroupChange::Remove)).await);
    assert_eq!(commits(&world), 6);
    // Nothing is left locked.
    let (_connection, mut session) = world.session().await;
    session.call(Request::lock(Datastore::Candidate), &limits()).await.unwrap();
}

#[tokio::test]
async fn a_device_changes_as_it_was_approved_and_no_other_way() {
    let world = World::new().await;
    let devices = devices(&world);
    let mut task = task("JN1", "linesman-a", GroupChange::Put { text: TEXT.to_owned() });
    let mut approve = |sha256: Option<&str>| {
        if let Action::Configure(configure) = &mut task.action {
            configure.approved = Some(Approved { sha256: sha256.map(str::to_owned) });
        }
        task.clone()
    };
    let (nothing, other) = (approve(None), approve(Some("00")));
    let mut told = None;
    for task in [nothing, other] {
        let attempted = devices.carry_out(&task).await;
        assert!(attempted.is_unapproved, "{attempted:?}");
        told = attempted.difference.clone();
        let message = failed(attempted, FailureClass::Unavailable);
        assert!(message.contains("not approved"), "{message}");
        assert_eq!((world.server.running().as_str(), commits(&world)), ("", 0));
    }
    let told = told.unwrap();
    assert!(told.text.contains("host-name edge;"), "{told:?}");
    assert_eq!(done(devices.carry_out(&approve(Some(&told.sha256))).await), told);
    assert_eq!(world.server.running(), SHOWN);
    // What a device has already needs nobody.
    assert!(done(devices.carry_out(&approve(None)).await).is_none());
}

#[tokio::test]
async fn a_device_that_is_not_heard_of_behind_the_change_takes_it_back() {
    for fault in [Fault::CutBefore("get-system-information"), Fault::Silent("get-system-information")] {
        let world = World::new().await;
        let devices = devices(&world);
        world.server.script().add(fault);
        let attempted = put(&devices, TEXT).await;
        assert!(attempted.is_taken_back && attempted.difference.is_some(), "{attempted:?}");
        let message = failed(attempted, FailureClass::Unavailable);
        assert!(message.contains("not confirmed") && message.contains("takes it back"), "{message}");
        assert!(world.server.is_pending(), "it was confirmed");
        // As long as it waits nothing else is committed, which would confirm it.
        let attempted = put(&devices, TEXT).await;
        assert!(!attempted.is_taken_back, "another one's: {attempted:?}");
        let message = failed(attempted, FailureClass::Unavailable);
        assert!(message.contains("waits to be confirmed"), "{message}");
        assert!(world.server.is_pending());
        world.server.restart();
        assert_eq!(world.server.running(), "");
        done(put(&devices, TEXT).await);
        assert_eq!(world.server.running(), SHOWN);
        assert!(!world.server.is_pending());
    }
}

#[tokio::test]
async fn whatever_breaks_off_the_next_try_brings_it_to_its_end() {
    let steps = [
        "lock",
        "get-commit-information",
        "discard-changes",
        "load-configuration",
        "get-configuration",
        "validate",
        "commit-configuration",
        "get-system-information",
        "commit",
    ];
    for step in steps {
        for fault in [Fault::CutBefore(step), Fault::CutAfter(step), Fault::Silent(step)] {
            let what = format!("{fault:?}");
            let world = World::new().await;
            let devices = devices(&world);
            world.server.script().add(fault);
            let message = failed(put(&devices, TEXT).await, FailureClass::Unavailable);
            assert_eq!(world.server.script().left(), 0, "{what}: it did not come to that: {message}");
            // What waits is taken back.
            if world.server.is_pending() {
                world.server.restart();
                assert_eq!(world.server.running(), "", "{what}");
            }
            let before = commits(&world);
            let is_there = world.server.running() == SHOWN;
            done(put(&devices, TEXT).await);
            assert_eq!(world.server.running(), SHOWN, "{what}");
            assert!(!world.server.is_pending(), "{what}");
            assert_eq!(commits(&world) - before, if is_there { 0 } else { 2 }, "{what}");
        }
    }
}

#[tokio::test]
async fn what_the_device_refuses_is_refused_in_its_words_and_leaves_nothing() {
    let refusal = "<rpc-error><error-type>application</error-type><error-tag>operation-failed</error-tag>\
                   <error-severity>error</error-severity><error-message>no such\n statement</error-message></rpc-error>";
    for step in ["load-configuration", "validate", "commit-configuration"] {
        let world = World::new().await;
        let devices = devices(&world);
        world.server.script().add(Fault::Refuse(step, refusal.to_owned()));
        let message = failed(put(&devices, TEXT).await, FailureClass::Refused);
        assert!(message.contains("no such"), "{step}: {message}");
        assert_eq!(world.server.running(), "");
        let (_connection, mut session) = world.session().await;
        session.call(Request::lock(Datastore::Candidate), &limits()).await.unwrap();
    }
    let world = World::new().await;
    let devices = devices(&world);
    world.server.script().add(Fault::Refuse("commit", refusal.to_owned()));
    let message = failed(put(&devices, TEXT).await, FailureClass::Unavailable);
    assert!(message.contains("takes it back") && world.server.is_pending(), "{message}");
    // What is no configuration, or would leave its group, is not even brought there.
    let before = world.server.done().len();
    for text in ["system {", "} } system { host-name x; } a { b {", "a"] {
        failed(put(&devices, text).await, FailureClass::Refused);
    }
    failed(devices.carry_out(&task("JN1", "a b", GroupChange::Remove)).await, FailureClass::Refused);
    assert_eq!(world.server.done().len(), before);
}

#[tokio::test]
async fn a_device_that_quotes_what_it_refuses_tells_no_secret() {
    let world = World::new().await;
    let devices = devices(&world);
    let text = "snmp {\n    community hunter2 {\n        authorization read-only;\n    }\n}\n";
    let refusal = |message: &str, path: &str| {
        format!(
            "<rpc-error><error-type>application</error-type><error-tag>operation-failed</error-tag>\
             <error-severity>error</error-severity><error-path>{path}</error-path>\
             <error-message>{message}</error-message></rpc-error>"
        )
    };
    // As it was told, and what else announces itself as a secret.
    for message in ["syntax error: community hunter2", "in `secret hunter2-other;'"] {
        for step in ["load-configuration", "validate", "commit-configuration"] {
            world.server.script().add(Fault::Refuse(step, refusal(message, "[edit snmp community hunter2]")));
            let told = failed(put(&devices, text).await, FailureClass::Refused);
            assert!(!told.contains("hunter2") && told.contains("SECRET-WITHHELD"), "{step}: {told}");
        }
        world.server.script().add(Fault::Refuse("load-configuration", refusal(message, "/")));
        let change = GroupChange::Put { text: text.to_owned() };
        let pace = Pace::default();
        let told = differences(&world.login(), &pace, &[("linesman-a".to_owned(), change)]).await.unwrap().remove(0);
        let told = told.unwrap_err().message;
        assert!(!told.contains("hunter2") && told.contains("SECRET-WITHHELD"), "{told}");
    }
}

#[tokio::test]
async fn what_somebody_else_is_at_is_waited_for_and_is_theirs() {
    let world = World::new().await;
    let devices = devices(&world);
    let (_connection, mut session) = world.session().await;
    session.call(Request::lock(Datastore::Candidate), &limits()).await.unwrap();
    failed(put(&devices, TEXT).await, FailureClass::Unavailable);
    session.call(Request::unlock(Datastore::Candidate), &limits()).await.unwrap();
    // Changed and neither committed nor locked.
    let load = linesman_connectors::device::netconf::junos::load_configuration(
        linesman_connectors::device::netconf::junos::Load::Set,
        linesman_connectors::device::netconf::Body::text("set system host-name theirs\n".as_bytes()),
    );
    session.call(load, &limits()).await.unwrap();
    failed(put(&devices, TEXT).await, FailureClass::Unavailable);
    session.call(Request::commit(), &limits()).await.unwrap();
    assert!(world.server.running().contains("theirs"), "what they did is gone");
    done(put(&devices, TEXT).await);
    failed(devices.carry_out(&task("JN2", "linesman-a", GroupChange::Remove)).await, FailureClass::Unavailable);
}

#[tokio::test]
async fn what_changes_would_make_of_a_device_it_says_itself_and_nothing_of_it_stays() {
    let world = World::new().await;
    world.server.change_by_hand(BY_HAND, true).unwrap();
    let devices = devices(&world);
    done(put(&devices, TEXT).await);
    let (before, committed) = (world.server.running(), commits(&world));
    let put = |group: &str, text: &str| (group.to_owned(), GroupChange::Put { text: text.to_owned() });
    let asked = [
        put("linesman-a", "system {\n    host-name other;\n}\n"),
        put("linesman-a", TEXT),
        put("linesman-b", TEXT),
        put("linesman-b", "} a { b;"),
        ("linesman-a".to_owned(), GroupChange::Remove),
    ];
    let told = differences(&world.login(), &Pace::default(), &asked).await.unwrap();
    let [other, same, fresh, wrong, gone] = &told[..] else { panic!("{told:?}") };
    let other = other.as_ref().unwrap();
    assert!(other.text.contains("other") && other.text.contains("edge"), "{other:?}");
    assert!(other.added >= 1 && other.removed >= 1, "{other:?}");
    assert_eq!(same.as_ref().unwrap(), &Difference::default());
    // Each by itself: what was loaded before is no part of it.
    let fresh = fresh.as_ref().unwrap();
    assert!(fresh.text.contains("linesman-b") && !fresh.text.contains("other"), "{fresh:?}");
    assert_eq!(wrong.as_ref().unwrap_err().class, FailureClass::Refused);
    assert!(gone.as_ref().unwrap().removed >= 1, "{gone:?}");
    assert_eq!((world.server.running(), commits(&world)), (before, committed));
    let (_connection, mut session) = world.session().await;
    session.call(Request::lock(Datastore::Candidate), &limits()).await.unwrap();
    // Somebody is at it.
    let failure = differences(&world.login(), &Pace::default(), &asked).await.unwrap_err();
    assert!(failure.message.contains("is not free"), "{failure:?}");
}

#[tokio::test]
async fn groups_are_read_as_they_are_and_nothing_beside_them() {
    let world = World::new().await;
    world.server.change_by_hand(BY_HAND, true).unwrap();
    let devices = devices(&world);
    done(put(&devices, TEXT).await);
    world.server.change_by_hand("groups { theirs { chassis { alarm; } } } apply-groups theirs;", false).unwrap();
    let asked = ["linesman-a".to_owned(), "linesman-b".to_owned()];
    let held = held(&world.login(), &Pace::default(), &asked).await.unwrap();
    let [text] = &held[..] else { panic!("{held:?}") };
    assert!(text.contains("linesman-a {") && text.contains("host-name edge;"), "{text}");
    assert!(text.contains("apply-groups [ linesman-a theirs ];"), "{text}");
    assert!(!text.contains("linesman-b") && !text.contains("alarm") && !text.contains("domain-name"), "{text}");
    // Of many, none is left out.
    let many: Vec<String> = (0..40).map(|number| format!("linesman-{number}")).chain(asked).collect();
    let held = linesman_connectors::device::push::held(&world.login(), &Pace::default(), &many).await.unwrap();
    assert!(held.len() > 1 && held.concat().matches("linesman-a {").count() == 1, "{held:?}");
}

#[tokio::test]
async fn a_device_that_says_more_than_there_is_room_for_is_not_heard_out() {
    let world = World::new().await;
    let devices = devices(&world);
    done(put(&devices, TEXT).await);
    let long = "x".repeat(900 * 1024);
    for leaf in ["host-name", "domain-name", "time-zone"] {
        let text = format!("groups {{ linesman-a {{ system {{ {leaf} {long}; }} }} }}");
        world.server.change_by_hand(&text, false).unwrap();
    }
    let (before, committed) = (world.server.running(), commits(&world));
    let pace = Pace::default();
    let room = room_for([TEXT]);
    let pace = Pace { work: Limits { bytes: room, ..pace.work }, ..pace };
    let failure = held(&world.login(), &pace, &["linesman-a".to_owned()]).await.unwrap_err();
    assert!(failure.message.contains(&format!("more of its groups than {room} bytes")), "{failure:?}");
    let asked = [("linesman-a".to_owned(), GroupChange::Put { text: TEXT.to_owned() })];
    let failure = differences(&world.login(), &Pace::default(), &asked).await.unwrap_err();
    assert!(failure.message.contains(&format!("more than {room} bytes")), "{failure:?}");
    let message = failed(put(&devices, TEXT).await, FailureClass::Garbled);
    assert!(message.contains("nothing is changed"), "{message}");
    assert_eq!((world.server.running() == before, commits(&world)), (true, committed));
}

#[tokio::test]
async fn a_device_that_is_no_junos_has_no_groups() {
    let world = World::with(|setup| setup.has_chunks = false).await;
    let hello = "<hello xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><capabilities>\
                 <capability>urn:ietf:params:netconf:base:1.0</capability>\
                 <capability>urn:ietf:params:netconf:capability:candidate:1.0</capability></capabilities>\
                 <session-id>4</session-id></hello>]]>]]>";
    world.server.script().add(Fault::Raw("hello", hello.as_bytes().to_vec()));
    let message = failed(put(&devices(&world), TEXT).await, FailureClass::Refused);
    assert!(message.contains("no Junos"), "{message}");
    assert_eq!(world.server.running(), "");
}

#[tokio::test]
async fn what_a_device_does_not_say_is_not_taken_for_done() {
    for (operation, said) in [
        ("get-configuration", "<ok/>"),
        ("load-configuration", ""),
        (
            "load-configuration",
            "<load-configuration-results><load-error-count>1</load-error-count></load-configuration-results>",
        ),
        ("get-commit-information", ""),
    ] {
        let world = World::new().await;
        let devices = devices(&world);
        world.server.script().add(Fault::Refuse(operation, said.to_owned()));
        let message = failed(put(&devices, TEXT).await, FailureClass::Garbled);
        assert!(message.contains("does not say"), "{operation} {said}: {message}");
        assert_eq!((world.server.running().as_str(), commits(&world)), ("", 0), "{operation}");
        done(put(&devices, TEXT).await);
    }
}
