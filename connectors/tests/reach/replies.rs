//! Replies: streamed, pipelined, cut anywhere, and those that are none.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::netconf::junos;
use linesman_connectors::device::netconf::{Body, Datastore, Error, Framing, Part, Request, RpcError, Severity};
use linesman_connectors::device::standin::server::Fault;
use linesman_schemas::outcome::FailureClass;
use tokio::io::AsyncWrite;

use crate::world::{World, limits};

/// What counts what comes, and keeps none of it.
#[derive(Default)]
struct Counted {
    bytes: u64,
    largest: usize,
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.bytes += bytes.len() as u64;
        self.largest = self.largest.max(bytes.len());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn get() -> Request<'static> {
    Request::get_config(Datastore::Running, None)
}

#[tokio::test]
async fn a_huge_reply_passes_in_small_pieces() {
    const BYTES: u64 = 200_000_000;
    for has_chunks in [true, false] {
        let world = World::with(|setup| setup.has_chunks = has_chunks).await;
        let (_connection, mut session) = world.session().await;
        assert_eq!(session.framing(), if has_chunks { Framing::Chunked } else { Framing::Delimited });
        world.server.script().add(Fault::Huge("get-config", BYTES));
        let mut counted = Counted::default();
        let reply = session.fetch(get(), Part::Document, &mut counted, &limits()).await.unwrap();
        assert!(counted.bytes > BYTES && counted.bytes == reply.bytes);
        assert!(counted.largest <= 256 * 1024, "{}", counted.largest);
        session.call(Request::validate(Datastore::Running), &limits()).await.unwrap();
    }
}

#[tokio::test]
async fn a_reply_that_is_longer_than_it_may_be_is_given_up() {
    let world = World::new().await;
    let (_connection, mut session) = world.session().await;
    world.server.script().add(Fault::Huge("get-config", 1 << 40));
    let few = Limits { bytes: 1_000_000, ..limits() };
    let error = session.call(get(), &few).await.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.class()),
        ("the reply is longer than 1000000 bytes", FailureClass::Refused)
    );
    let error = session.call(get(), &limits()).await.unwrap_err();
    assert_eq!(error.to_string(), "an operation was broken off, another session is needed");
    // The connection carries another one.
    let (_connection, mut session) = world.session().await;
    session.call(get(), &limits()).await.unwrap();
}

#[tokio::test]
async fn chunks_may_begin_in_characters_and_tags() {
    for bytes in [1, 2, 3, 7, 64] {
        let world = World::with(|setup| {
            setup.commands.insert("show".to_owned(), "grüße & <mehr> ]]>]]> \u{1f600}\n".to_owned());
        })
        .await;
        world.server.script().add(Fault::Chunks(bytes));
        let (_connection, mut session) = world.session().await;
        let (_, text) = session.ask(junos::command("show"), Part::TextOf("output"), &limits()).await.unwrap();
        assert_eq!(text, "\ngrüße & <mehr> ]]>]]> \u{1f600}\n");
    }
}

#[tokio::test]
async fn requests_go_out_together_and_replies_come_in_their_order() {
    let world = World::with(|setup| {
        for number in 0..40 {
            setup.commands.insert(format!("show {number}"), format!("answer {number}"));
        }
    })
    .await;
    let (_connection, mut session) = world.session().await;
    for number in 0..41 {
        session.send(junos::command(&format!("show {number}")), &limits()).await.unwrap();
    }
    for number in 0..40 {
        let mut text = Vec::new();
        session.receive(Part::TextOf("output"), &mut text, &limits()).await.unwrap();
        assert_eq!(text, format!("\nanswer {number}").as_bytes());
    }
    // A refusal is a reply like any other.
    session.send(junos::command("show 0"), &limits()).await.unwrap();
    let error = session.receive(Part::Document, &mut tokio::io::sink(), &limits()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Refused);
    let (_, text) = session.ask(junos::command("show 1"), Part::TextOf("output"), &limits()).await.unwrap();
    assert_eq!(text, "\nanswer 1");
    let error = session.receive(Part::Document, &mut tokio::io::sink(), &limits()).await.unwrap_err();
    assert_eq!(error.to_string(), "no reply is waited for");
}

#[tokio::test]
async fn a_fault_is_told_with_all_its_fields() {
    let world = World::new().await;
    let (_connection, mut session) = world.session().await;
    let fault = |severity: &str| {
        format!(
            "<nc:rpc-error xmlns:nc=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><nc:error-type>application</nc:error-type>\
             <nc:error-tag>invalid-value</nc:error-tag><nc:error-severity>{severity}</nc:error-severity>\
             <nc:error-app-tag>too-big</nc:error-app-tag><nc:error-path>/t:a/t:b</nc:error-path>\
             <nc:error-message xml:lang=\"en\">\nMTU &lt;25000&gt; is not within 256..9192\n</nc:error-message>\
             <nc:error-info><bad-element x='1'>mtu &amp; co</bad-element><empty/></nc:error-info></nc:rpc-error>"
        )
    };
    let expected = RpcError {
        kind: "application".to_owned(),
        tag: "invalid-value".to_owned(),
        severity: Severity::Error,
        app_tag: Some("too-big".to_owned()),
        path: Some("/t:a/t:b".to_owned()),
        message: Some("MTU <25000> is not within 256..9192".to_owned()),
        info: Some("<bad-element x='1'>mtu &amp; co</bad-element><empty></empty>".to_owned()),
    };
    world.server.script().add(Fault::Refuse("get-config", fault("warning") + &fault("error")));
    let error = session.call(get(), &limits()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the device refuses: invalid-value: MTU <25000> is not within 256..9192 (at /t:a/t:b)"
    );
    let Error::Refused { errors, warnings } = error else { panic!("{error}") };
    assert_eq!(errors, std::slice::from_ref(&expected));
    assert_eq!(warnings, [RpcError { severity: Severity::Warning, ..expected }]);
    world.server.script().add(Fault::Warn("get-config", fault("warning")));
    assert_eq!(session.call(get(), &limits()).await.unwrap().warnings.len(), 1);
}

#[tokio::test]
async fn what_looks_like_a_fault_in_data_is_data() {
    let world = World::new().await;
    let text = "groups { g { rpc-error { error-tag bad; } ok; } }";
    world.server.change_by_hand(text, true).unwrap();
    let (_connection, mut session) = world.session().await;
    let (reply, read) = session.ask(get(), Part::Document, &limits()).await.unwrap();
    assert!(read.contains("<rpc-error>"), "{read}");
    assert!(!reply.is_ok && reply.warnings.is_empty());
}

#[tokio::test]
async fn what_is_no_reply_is_refused_and_ends_the_session() {
    const REPLY: &str = "<rpc-reply xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"1\">";
    let framed = |content: &str| format!("\n#{}\n{content}\n##\n", content.len());
    for (bytes, expected) in [
        ("junk".to_owned(), "the framing is broken: a chunk does not begin where it should"),
        ("\n#0\n".to_owned(), "the framing is broken: a chunk without its size"),
        ("\n##\n".to_owned(), "the framing is broken: a message without a chunk"),
        ("\n#99999999999\n".to_owned(), "the framing is broken: a chunk longer than 4294967295 bytes"),
        (framed(&format!("{REPLY}<ok/>")), "the device does not keep to NETCONF: a reply that is not whole"),
        (framed("<hello/>"), "the device does not keep to NETCONF: a message that is no reply"),
        (framed("text"), "the device does not keep to NETCONF: text beside the document"),
        (framed("<rpc-reply/><rpc-reply/>"), "the device does not keep to NETCONF: a message that is no reply"),
        (framed("<rpc-reply><ok/></rpc-reply>"), "the reply is to message none, and 1 is waited for"),
        (framed("<rpc-reply message-id='2'/>"), "the reply is to message 2, and 1 is waited for"),
        (
            framed(&format!("{REPLY}<a></b></rpc-reply>")),
            "the device's message cannot be read: an element is closed that was not opened last",
        ),
        (
            framed("<!DOCTYPE a [<!ENTITY b \"c\">]><rpc-reply message-id='1'/>"),
            "the device's message cannot be read: a declaration, which has no place in a message",
        ),
        (
            framed(&format!("{REPLY}&b;</rpc-reply>")),
            "the device's message cannot be read: a reference to something that is not known",
        ),
        (
            framed(&format!("{REPLY}{}", "<a>".repeat(600))),
            "the device's message cannot be read: too many elements in one another",
        ),
        (
            framed(&format!("{REPLY}<a b=\"{}\"/>", "x".repeat(70_000))),
            "the device's message cannot be read: a tag is too long",
        ),
    ] {
        let world = World::new().await;
        let (_connection, mut session) = world.session().await;
        world.server.script().add(Fault::Raw("get-config", bytes.into_bytes()));
        let error = session.call(get(), &limits()).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.class()), (expected, FailureClass::Garbled));
        assert!(matches!(session.call(get(), &limits()).await, Err(Error::BrokenOff)));
    }
}

#[tokio::test]
async fn a_reply_to_something_else_is_not_taken() {
    let world = World::new().await;
    let (_connection, mut session) = world.session().await;
    world.server.script().add(Fault::OtherId("get-config"));
    let error = session.call(get(), &limits()).await.unwrap_err();
    assert_eq!(error.to_string(), "the reply is to message 987654, and 1 is waited for");
}

#[tokio::test]
async fn a_greeting_that_is_none_ends_the_session_at_once() {
    for (greeting, expected) in [
        ("<nothing/>]]>]]>", "the device does not keep to NETCONF: it does not greet"),
        ("Welcome!\n]]>]]>", "the device does not keep to NETCONF: it does not greet"),
        (
            "<hello><capabilities/></hello>]]>]]>",
            "the device does not keep to NETCONF: it speaks neither base 1.0 nor 1.1",
        ),
        ("<hello><capabilities>]]>]]>", "the device does not keep to NETCONF: a greeting that is not whole"),
    ] {
        let world = World::new().await;
        world.server.script().add(Fault::Raw("hello", greeting.as_bytes().to_vec()));
        let connection = world.connection().await;
        let error = linesman_connectors::device::netconf::Session::open(&connection, &limits()).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.class()), (expected, FailureClass::Garbled));
    }
}

#[tokio::test]
async fn a_device_that_does_not_answer_is_given_up() {
    let world = World::new().await;
    let (_connection, mut session) = world.session().await;
    world.server.script().add(Fault::Silent("get-config"));
    let impatient = Limits { idle: Duration::from_millis(50), ..limits() };
    let error = session.call(get(), &impatient).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.class()), ("nothing came for 50ms", FailureClass::Unavailable));
    assert!(matches!(session.call(get(), &limits()).await, Err(Error::BrokenOff)));
}

#[tokio::test]
async fn a_long_request_goes_out_as_it_is_read_and_comes_whole() {
    for has_chunks in [true, false] {
        let world = World::with(|setup| setup.has_chunks = has_chunks).await;
        let (_connection, mut session) = world.session().await;
        let long = "<&> ü ".repeat(100);
        let statements: String = (0..1_200).map(|number| format!("        a \"{number} {long}\";\n")).collect();
        let text = format!("groups {{\n    g {{\n{statements}    }}\n}}\n");
        let body = Body::text(text.as_bytes());
        session
            .call(junos::load_configuration(junos::Load::Text(junos::Action::Merge), body), &limits())
            .await
            .unwrap();
        session.call(Request::commit(), &limits()).await.unwrap();
        assert!(world.server.running() == text, "{}", world.server.running().len());
    }
}

#[tokio::test]
async fn what_would_end_a_message_is_not_sent_where_it_would() {
    let cdata = "<get-config><source><running/></source><!-- ]]>]]> --></get-config>";
    for has_chunks in [true, false] {
        let world = World::with(|setup| setup.has_chunks = has_chunks).await;
        let (_connection, mut session) = world.session().await;
        let sent = session.call(Request::raw(cdata), &limits()).await;
        assert_eq!(matches!(sent, Err(Error::Delimiter)), !has_chunks, "{sent:?}");
        session.call(get(), &limits()).await.unwrap();
    }
}

#[tokio::test]
async fn what_the_device_has_not_is_not_asked() {
    let world = World::new().await;
    let (_connection, mut session) = world.session().await;
    assert!(session.is_junos() && session.has("confirmed-commit", "1.1") && !session.has("startup", "1.0"));
    let error = session.call(Request::get_config(Datastore::Startup, None), &limits()).await.unwrap_err();
    assert_eq!(error.to_string(), "the device has no `startup`");
    session.call(get(), &limits()).await.unwrap();
    assert_eq!(world.server.done(), ["get-config"]);
}
