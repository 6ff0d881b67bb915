//! Every way a stand-in device fails, and the class it gets.

use linesman_connectors::Connector as _;
use linesman_connectors::device::standin::Fault;
use linesman_schemas::outcome::FailureClass;
use linesman_schemas::reaction::{Action, GroupChange};

use crate::world::{World, done, failure, put, task};

fn fault(class: FailureClass) -> Fault {
    Fault { class, message: format!("{} by order", class.as_str()), retry_after_s: None, does_work: false, times: None }
}

#[tokio::test]
async fn a_device_fails_as_it_is_told_and_then_works() {
    use FailureClass::{Garbled, Overloaded, Refused, Unauthorized, Unavailable};
    let world = World::new();
    for (number, class) in (1..).zip([Unavailable, Overloaded, Unauthorized, Garbled, Refused]) {
        let retry_after_s = (class == Overloaded).then_some(30);
        world.fail(&Fault { retry_after_s, times: Some(2), ..fault(class) });
        for _ in 0..2 {
            let failure = failure(world.put(number, "g", "a;").await);
            assert_eq!((failure.class, failure.retry_after_s), (class, retry_after_s));
            assert_eq!(failure.message, format!("{} by order", class.as_str()));
            assert_eq!(world.shown(), "");
        }
        done(world.put(number, "g", "a;").await);
        done(world.remove(number + 100, "g").await);
    }
}

#[tokio::test]
async fn a_fault_without_a_number_stands_until_it_is_taken_away() {
    let mut world = World::new();
    world.fail(&fault(FailureClass::Unavailable));
    for _ in 0..3 {
        assert_eq!(failure(world.put(1, "g", "a;").await).class, FailureClass::Unavailable);
        world.restart();
    }
    std::fs::remove_file(world.folder().join("fault.json")).unwrap();
    done(world.put(1, "g", "a;").await);
}

#[tokio::test]
async fn an_answer_that_is_lost_does_not_do_the_work_twice() {
    let world = World::new();
    world.fail(&Fault { does_work: true, times: Some(1), ..fault(FailureClass::Garbled) });
    assert_eq!(failure(world.put(1, "g", "a;").await).class, FailureClass::Garbled);
    let shown = world.shown();
    assert_ne!(shown, "");
    done(world.put(1, "g", "a;").await);
    assert_eq!(world.shown(), shown);
}

#[tokio::test]
async fn what_no_device_takes_is_refused_with_its_reason() {
    let world = World::new();
    let refused = async |task| {
        let attempted = world.devices.carry_out(&task).await;
        assert_eq!(attempted.requests, 0);
        let failure = failure(attempted);
        assert_eq!(failure.class, FailureClass::Refused);
        failure.message
    };
    assert_eq!(refused(task(1, "g", put("a {"))).await, "syntax error at the end: a brace is not closed");
    assert_eq!(refused(task(1, "../g", GroupChange::Remove)).await, "`../g` is no name of a group");
    let polls = linesman_schemas::reaction::Task {
        action: Action::PollCases { cursor: None },
        ..task(1, "g", GroupChange::Remove)
    };
    assert_eq!(refused(polls).await, "the connector `device` has no use for `poll_cases`");
    let other = "the device `JN1` is not whom the reaction is for";
    let peerless = linesman_schemas::reaction::Task { peer: None, ..task(1, "g", GroupChange::Remove) };
    assert_eq!(refused(peerless).await, other);
    let foreign = linesman_schemas::reaction::Task { org: "other".parse().ok(), ..task(1, "g", GroupChange::Remove) };
    assert_eq!(refused(foreign).await, other);
    assert!(!world.folder().exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_no_answer() {
    let world = World::new();
    std::fs::write(world.dir.path().join("acme"), "a file").unwrap();
    let failure = failure(world.put(1, "g", "a;").await);
    assert_eq!(failure.class, FailureClass::Unavailable);
    assert_eq!(failure.message, "the stand-in device cannot use its folder: Not a directory (os error 20)");
}
