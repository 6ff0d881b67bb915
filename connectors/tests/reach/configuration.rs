//! Configurations changed over NETCONF: locked, loaded, compared, committed, confirmed or not.

use std::time::Duration;

use linesman_connectors::device::netconf::junos::{self, Action, Load};
use linesman_connectors::device::netconf::{
    Body, Confirmed, Datastore, DefaultOperation, Edit, Error, Part, Request, Session, Severity,
};
use linesman_connectors::device::standin::server::Fault;
use linesman_schemas::outcome::FailureClass;

use crate::wait::until;
use crate::world::{World, limits};

const GROUP: &str = "groups {\n    replace: linesman-a {\n        system {\n            host-name edge;\n        }\n    }\n}\n\
                     apply-groups linesman-a;\n";
const SHOWN: &str = "groups {\n    linesman-a {\n        system {\n            host-name edge;\n        }\n    }\n}\napply-groups linesman-a;\n";

async fn load(session: &mut Session, text: &str) -> Result<(), Error> {
    let body = Body::text(text.as_bytes());
    session.call(junos::load_configuration(Load::Text(Action::Replace), body), &limits()).await.map(drop)
}

async fn call(session: &mut Session, request: Request<'_>) -> Result<(), Error> {
    session.call(request, &limits()).await.map(drop)
}

#[tokio::test]
async fn a_group_is_pushed_with_its_difference_and_confirmed() {
    let world = World::new().await;
    let (_connection, mut session) = world.session().await;
    call(&mut session, Request::lock(Datastore::Candidate)).await.unwrap();
    load(&mut session, GROUP).await.unwrap();
    let wanted = Part::TextOf("configuration-output");
    let (_, difference) = session.ask(junos::compare(0), wanted, &limits()).await.unwrap();
    let lines: String = SHOWN.lines().map(|line| format!("+  {line}\n")).collect();
    assert_eq!(difference, format!("\n[edit]\n{lines}"));
    call(&mut session, Request::validate(Datastore::Candidate)).await.unwrap();
    assert_eq!(world.server.running(), "");
    let confirmed = Confirmed { timeout: Some(Duration::from_secs(300)), persist: Some("act-1"), persist_id: None };
    call(&mut session, Request::confirmed_commit(confirmed)).await.unwrap();
    call(&mut session, Request::unlock(Datastore::Candidate)).await.unwrap();
    session.close(&limits()).await.unwrap();
    assert!(world.server.is_pending());
    assert_eq!(world.server.running(), SHOWN);
    // Another session, as after a crash of ours.
    let (_connection, mut session) = world.session().await;
    let error = call(&mut session, Request::confirm("act-2")).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Overloaded, "{error}");
    call(&mut session, Request::confirm("act-1")).await.unwrap();
    assert!(!world.server.is_pending());
    let read_back = junos::configuration(false, Some("<groups><name>linesman-a</name></groups>"));
    let (_, text) = session.ask(read_back, Part::TextOf("configuration-text"), &limits()).await.unwrap();
    assert_eq!(text.trim_start(), SHOWN.split("apply-groups").next().unwrap());
}

#[tokio::test]
async fn what_is_not_confirmed_is_rolled_back_however_it_comes_to_that() {
    let before = "system {\n    host-name old;\n}\n";
    for (persist, ends) in [(None, 0), (Some("p"), 1), (Some("p"), 2), (None, 3), (Some("p"), 4)] {
        let world = World::new().await;
        world.server.change_by_hand(before, true).unwrap();
        let (_connection, mut session) = world.session().await;
        load(&mut session, GROUP).await.unwrap();
        let timeout = Some(Duration::from_secs(if ends == 4 { 1 } else { 300 }));
        let confirmed = Confirmed { timeout, persist, persist_id: None };
        call(&mut session, Request::confirmed_commit(confirmed)).await.unwrap();
        if ends != 4 {
            assert!(world.server.is_pending());
        }
        match ends {
            // The session ends, and nobody else may confirm.
            0 => session.close(&limits()).await.unwrap(),
            // The device dies.
            1 => world.server.restart(),
            // It is taken back, in another session.
            2 => {
                drop(session);
                let (_connection, mut session) = world.session().await;
                call(&mut session, Request::cancel_commit(Some("p"))).await.unwrap();
            }
            3 => call(&mut session, Request::cancel_commit(None)).await.unwrap(),
            // Its time is up.
            _ => drop(session),
        }
        until("it is rolled back", async || (!world.server.is_pending()).then_some(())).await;
        assert_eq!(world.server.running(), before, "{ends}");
    }
}

#[tokio::test]
async fn a_device_that_dies_between_commit_and_reply_is_a_connection_that_is_gone() {
    let world = World::new().await;
    let (_connection, mut session) = world.session().await;
    load(&mut session, GROUP).await.unwrap();
    world.server.script().add(Fault::CutAfter("commit"));
    let confirmed = Confirmed { persist: Some("p"), ..Confirmed::default() };
    let error = call(&mut session, Request::confirmed_commit(confirmed)).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Unavailable, "{error}");
    assert!(world.server.is_pending());
    world.server.restart();
    assert_eq!(world.server.running(), "");
}

#[tokio::test]
async fn a_lock_of_another_is_told_with_whose_it_is() {
    let world = World::new().await;
    let (_one, mut holder) = world.session().await;
    let (_two, mut other) = world.session().await;
    call(&mut holder, Request::lock(Datastore::Candidate)).await.unwrap();
    let error = call(&mut other, Request::lock(Datastore::Candidate)).await.unwrap_err();
    assert_eq!(error.to_string(), "the device refuses: lock-denied: the configuration database is locked");
    assert_eq!(error.class(), FailureClass::Overloaded);
    let Error::Refused { errors, .. } = error else { panic!("{error}") };
    let holder_id = holder.hello().session_id.unwrap();
    assert_eq!(errors[0].info, Some(format!("<session-id>{holder_id}</session-id>")));
    let error = load(&mut other, GROUP).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Overloaded);
    // What the holder leaves is nobody's: it is dropped with the session.
    load(&mut holder, GROUP).await.unwrap();
    drop(holder);
    loop {
        match call(&mut other, Request::lock(Datastore::Candidate)).await {
            Ok(()) => break,
            Err(error) => assert_eq!(error.class(), FailureClass::Overloaded, "{error}"),
        }
    }
    let (_, difference) = other.ask(junos::compare(0), Part::TextOf("configuration-output"), &limits()).await.unwrap();
    assert_eq!(difference.trim(), "");
}

#[tokio::test]
async fn what_the_device_does_not_take_is_refused_with_its_words() {
    let world = World::new().await;
    let (_connection, mut session) = world.session().await;
    let error = load(&mut session, "groups { a { b } }").await.unwrap_err();
    let said = "the device refuses: syntax-error: syntax error in line 1: a statement without its `;`";
    assert_eq!(error.to_string(), said);
    load(&mut session, "apply-groups [ gone away ];").await.unwrap();
    let error = call(&mut session, Request::validate(Datastore::Candidate)).await.unwrap_err();
    assert_eq!(error.to_string(), "the device refuses: operation-failed: apply-groups: group gone is not defined");
    assert_eq!(error.class(), FailureClass::Refused);
    let error = call(&mut session, Request::commit()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Refused);
    call(&mut session, Request::discard_changes()).await.unwrap();
    call(&mut session, Request::commit()).await.unwrap();
    assert_eq!(world.server.running(), "");
}

#[tokio::test]
async fn warnings_are_no_errors() {
    let world = World::new().await;
    let (_connection, mut session) = world.session().await;
    let body = Body::text(&b"delete groups gone\n"[..]);
    let reply = session.call(junos::load_configuration(Load::Set, body), &limits()).await.unwrap();
    assert!(reply.is_ok);
    let [warning] = reply.warnings.as_slice() else { panic!("{reply:?}") };
    assert_eq!(warning.severity, Severity::Warning);
    assert_eq!(warning.message.as_deref(), Some("statement not found: gone"));
    assert_eq!(warning.path.as_deref(), Some("[edit]"));
}

#[tokio::test]
async fn groups_come_as_text_as_lines_and_as_xml_to_the_same() {
    let expected = "groups {\n    g {\n        system {\n            host-name \"a & <b>\";\n        }\n    }\n}\napply-groups g;\n";
    let text = "groups { g { system { host-name \"a & <b>\"; } } }\napply-groups g;\n";
    let xml = "<configuration><groups><name>g</name><system><host-name>\"a &amp; &lt;b&gt;\"</host-name></system></groups>\
               <apply-groups>g</apply-groups></configuration>";
    let edit = Edit { target: Datastore::Candidate, default_operation: DefaultOperation::Merge, is_whole: true };
    let requests: [Request<'_>; 3] = [
        junos::load_configuration(Load::Text(Action::Merge), Body::text(text.as_bytes())),
        junos::load_configuration(Load::Xml(Action::Merge), Body::xml(xml.as_bytes())),
        Request::edit_config(edit, Body::xml(xml.as_bytes())),
    ];
    for request in requests {
        let world = World::new().await;
        let (_connection, mut session) = world.session().await;
        call(&mut session, request).await.unwrap();
        call(&mut session, junos::commit(junos::Commit { log: Some("by hand"), ..Default::default() })).await.unwrap();
        assert_eq!(world.server.running(), expected);
        let (_, read) =
            session.ask(Request::get_config(Datastore::Running, None), Part::Document, &limits()).await.unwrap();
        assert!(read.contains("<groups><name>g</name>"), "{read}");
        let body = Body::text(&b"delete groups g\ndelete apply-groups g\n"[..]);
        call(&mut session, junos::load_configuration(Load::Set, body)).await.unwrap();
        call(&mut session, Request::commit()).await.unwrap();
        assert_eq!(world.server.running(), "");
    }
}
