//! Groups put and removed as reactions want it: committed once a device was heard of behind the change, and else taken back.

use std::sync::Arc;
use std::time::Duration;

use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::netconf::{Datastore, Request};
use linesman_connectors::device::push::{Devices, Directory, Pace, Reached};
use linesman_connectors::device::ssh::Login;
use linesman_connectors::device::standin::server::Fault;
use linesman_connectors::{Attempted, Connector as _};
use linesman_schemas::outcome::{Done, Failure, FailureClass, Outcome};
use linesman_schemas::reaction::{Action, Configure, Device, GroupChange, Task};

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
                Err(Failure { class: FailureClass::Unavailable, message, retry_after_s: None })
            }
        }
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
        action: Action::Configure(Box::new(Configure { device, group: group.to_owned(), change })),
    }
}

async fn put(devices: &Devices, text: &str) -> Attempted {
    devices.carry_out(&task("JN1", "linesman-a", GroupChange::Put { text: text.to_owned() })).await
}

fn done(attempted: Attempted) {
    assert_eq!(attempted, Attempted::done(1, Done::Configured));
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
    done(put(&devices, TEXT).await);
    assert!(world.server.running().contains("host-name edge") && !world.server.is_pending());
    assert_eq!(commits(&world), 2);
    done(put(&devices, TEXT).await);
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
async fn a_device_that_is_not_heard_of_behind_the_change_takes_it_back() {
    for fault in [Fault::CutBefore("get-system-information"), Fault::Silent("get-system-information")] {
        let world = World::new().await;
        let devices = devices(&world);
        world.server.script().add(fault);
        let message = failed(put(&devices, TEXT).await, FailureClass::Unavailable);
        assert!(message.contains("not confirmed") && message.contains("takes it back"), "{message}");
        assert!(world.server.is_pending(), "it was confirmed");
        // As long as it waits nothing else is committed, which would confirm it.
        let message = failed(put(&devices, TEXT).await, FailureClass::Unavailable);
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
