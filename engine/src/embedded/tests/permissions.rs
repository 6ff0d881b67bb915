//! What the public login may and may not do, each tried from outside.

use async_nats::jetstream::{self, consumer};
use futures_util::StreamExt;
use serde_json::json;

use super::raw::Raw;
use super::{BOUND, engine, make_stream, options, started};
use crate::embedded::Server;

/// A server with the streams IN and OUT; OUT holds one event.
async fn with_streams() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path()).await;
    let engine = engine(&server).await;
    make_stream(&engine, "IN", "in.*.*.*", "p.0.{{wildcard(1)}}.{{wildcard(2)}}").await;
    make_stream(&engine, "OUT", "w.>", "out.>").await;
    let log = jetstream::new(engine);
    log.publish("w.acme.trigger.incident.detected", "1".into()).await.unwrap().await.unwrap();
    (folder, server)
}

#[tokio::test]
async fn publishes_bundles_and_intelligence_and_uses_the_api_of_out() {
    let (_folder, server) = with_streams().await;
    let mut public = Raw::connect(&server.public_url()).await;
    for subject in [
        "in.acme.jmb.edge-01",
        "in.acme.intel.edge-01",
        "$JS.API.STREAM.INFO.OUT",
        "$JS.API.CONSUMER.CREATE.OUT",
        "$JS.API.CONSUMER.CREATE.OUT.mine",
        "$JS.API.CONSUMER.CREATE.OUT.mine.out.acme.>",
        "$JS.API.CONSUMER.INFO.OUT.mine",
        "$JS.API.CONSUMER.DELETE.OUT.mine",
        "$JS.API.CONSUMER.MSG.NEXT.OUT.mine",
        "$JS.ACK.OUT.mine.1.1.1.1.0",
        "$JS.FC.OUT.mine.x",
    ] {
        assert_eq!(public.publish(subject, "", "{}").await, None, "{subject}");
    }
    server.stop().await;
}

#[tokio::test]
async fn publishes_nothing_that_belongs_to_the_engine() {
    let (_folder, server) = with_streams().await;
    let mut public = Raw::connect(&server.public_url()).await;
    for subject in [
        "in.acme.cmd.create-user",
        "in.acme.result.jss",
        "in.acme.jmb",
        "in.acme.jmb.edge.01",
        "p.3.ctl",
        "p.3.acme.cmd",
        "w._mark.3",
        "w.acme.trigger.incident.detected",
        "out.acme.trigger.incident.detected",
        "_LINESMAN.x",
        "_INBOX.x",
        "$JS.API.INFO",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.IN",
        "$JS.API.STREAM.UPDATE.OUT",
        "$JS.API.STREAM.PURGE.OUT",
        "$JS.API.STREAM.DELETE.IN",
        "$JS.API.STREAM.DELETE.OUT",
        "$JS.API.STREAM.MSG.GET.IN",
        "$JS.API.STREAM.MSG.DELETE.OUT",
        "$JS.API.DIRECT.GET.IN",
        "$JS.API.CONSUMER.CREATE.IN",
        "$JS.API.CONSUMER.CREATE.IN.mine.p.0.>",
        "$JS.API.CONSUMER.DURABLE.CREATE.IN.mine",
        "$JS.API.CONSUMER.DURABLE.CREATE.OUT.mine",
        "$JS.API.CONSUMER.MSG.NEXT.IN.mine",
        "$JS.ACK.IN.mine.1.1.1.1.0",
        "$SYS.REQ.SERVER.PING",
    ] {
        let refusal = public.publish(subject, "", "{}").await;
        assert_eq!(
            refusal,
            Some(format!("-ERR 'Permissions Violation for Publish to \"{subject}\"'")),
            "{subject} is not refused"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn hears_what_happens_and_its_own_replies_only() {
    let (_folder, server) = with_streams().await;
    let mut public = Raw::connect(&server.public_url()).await;
    for subject in ["out.>", "out.acme.>", "_INBOX.>", "_INBOX.mine.*"] {
        assert_eq!(public.subscribe(subject).await, None, "{subject}");
    }
    for subject in ["in.>", "in.acme.jmb.*", "p.>", "w.>", "_LINESMAN.>", "_LINESMAN.x", "$JS.>", "$SYS.>", "*.>", ">"]
    {
        let refusal = public.subscribe(subject).await;
        assert_eq!(
            refusal,
            Some(format!("-ERR 'Permissions Violation for Subscription to \"{subject}\"'")),
            "{subject} is not refused"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn hears_nothing_of_the_engines_replies() {
    let (_folder, server) = with_streams().await;
    let mut public = Raw::connect(&server.public_url()).await;
    public.subscribe("_INBOX.>").await;
    let log = jetstream::new(engine(&server).await);
    log.get_stream("IN").await.unwrap();
    // The answer to the public login's own question is behind everything that it could have heard before.
    let info = public.ask("$JS.API.STREAM.INFO.OUT", "_INBOX.mine", &json!({})).await.unwrap();
    assert_eq!(info["config"]["name"], "OUT");
    assert_eq!(public.heard(), []);
    server.stop().await;
}

#[tokio::test]
async fn a_subscriber_works_with_an_ordinary_client() {
    let (_folder, server) = with_streams().await;
    let client = options(server.public_login()).connect(server.address()).await.unwrap();
    let log = jetstream::new(client);
    let stored = log.publish("in.acme.jmb.edge-01", "<jmb/>".into()).await.unwrap().await.unwrap();
    assert_eq!((stored.stream.as_str(), stored.sequence), ("IN", 1));

    let out = log.get_stream("OUT").await.unwrap();
    let config = consumer::pull::Config { filter_subject: "out.acme.>".into(), ..Default::default() };
    let mut pull = out.create_consumer(config).await.unwrap();
    let mut messages = pull.fetch().max_messages(1).expires(BOUND).messages().await.unwrap();
    let message = messages.next().await.unwrap().unwrap();
    assert_eq!((message.subject.as_str(), &message.payload[..]), ("out.acme.trigger.incident.detected", &b"1"[..]));
    message.double_ack().await.unwrap();
    assert_eq!(pull.info().await.unwrap().num_ack_pending, 0);
    let name = pull.cached_info().name.clone();
    out.delete_consumer(&name).await.unwrap();

    let config = consumer::push::OrderedConfig { deliver_subject: "_INBOX.mine".into(), ..Default::default() };
    let ordered = out.create_consumer(config).await.unwrap();
    let mut messages = ordered.messages().await.unwrap();
    let message = tokio::time::timeout(BOUND, messages.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(&message.payload[..], b"1");
    server.stop().await;
}

#[tokio::test]
async fn a_reply_reaches_no_subject_of_the_engine() {
    let (_folder, server) = with_streams().await;
    let log = jetstream::new(engine(&server).await);
    let mut public = Raw::connect(&server.public_url()).await;
    public.subscribe("_INBOX.>").await;
    let consumer = json!({"stream_name": "OUT", "config": {"name": "mine", "ack_policy": "explicit"}});
    let created = public.ask("$JS.API.CONSUMER.CREATE.OUT.mine", "_INBOX.made", &consumer).await.unwrap();
    assert_eq!(created["name"], "mine", "{created}");
    let replies =
        ["in.acme.cmd.x", "in.acme.result.x", "p.0.ctl", "w._mark.3", "w.acme.trigger.x", "$JS.API.STREAM.DELETE.IN"];
    for reply in replies {
        for (question, body) in [
            ("in.acme.jmb.x", ""),
            ("in.acme.intel.x", ""),
            ("$JS.API.STREAM.INFO.OUT", ""),
            ("$JS.API.CONSUMER.CREATE.OUT", "{}"),
            ("$JS.API.CONSUMER.INFO.OUT.mine", ""),
            ("$JS.API.CONSUMER.DELETE.OUT.none", ""),
            ("$JS.API.CONSUMER.MSG.NEXT.OUT.mine", ""),
            ("$JS.API.CONSUMER.MSG.NEXT.OUT.mine", r#"{"batch": 1, "no_wait": true}"#),
            ("$JS.ACK.OUT.mine.1.1.1.1.0", "+NXT"),
        ] {
            assert_eq!(public.publish(question, reply, body).await, None);
        }
    }
    // The server takes a client's messages in their order: with these answered, those before are done.
    for question in ["in.acme.jmb.x", "$JS.API.STREAM.INFO.OUT"] {
        public.ask(question, "_INBOX.last", &json!({})).await.unwrap();
    }
    log.publish("w.acme.trigger.incident.detected", "2".into()).await.unwrap().await.unwrap();
    let bundles = 2 * replies.len() as u64 + 1;
    for (stream, held) in [("IN", bundles), ("OUT", 2)] {
        assert_eq!(log.get_stream(stream).await.unwrap().cached_info().state.messages, held, "{stream}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_consumer_delivers_to_no_lane() {
    let (_folder, server) = with_streams().await;
    let log = jetstream::new(engine(&server).await);
    let mut public = Raw::connect(&server.public_url()).await;
    public.subscribe("_INBOX.>").await;
    for place in ["in.acme.cmd.x", "in.acme.jmb.x", "p.0.ctl", "w._mark.3", "$JS.API.STREAM.DELETE.IN"] {
        let consumer = json!({"stream_name": "OUT", "config": {"deliver_subject": place, "ack_policy": "none"}});
        public.ask("$JS.API.CONSUMER.CREATE.OUT", "_INBOX.made", &consumer).await.unwrap();
    }
    // One that may deliver is served after those that may not.
    let mut listener = Raw::connect(&server.public_url()).await;
    listener.subscribe("_INBOX.push").await;
    let consumer = json!({"stream_name": "OUT", "config": {"deliver_subject": "_INBOX.push", "ack_policy": "none"}});
    public.ask("$JS.API.CONSUMER.CREATE.OUT", "_INBOX.made", &consumer).await.unwrap();
    let is_served = async {
        while listener.heard().is_empty() {
            listener.publish("$JS.FC.OUT.none", "", "").await;
        }
    };
    tokio::time::timeout(BOUND, is_served).await.unwrap();
    for (stream, held) in [("IN", 0), ("OUT", 1)] {
        assert_eq!(log.get_stream(stream).await.unwrap().cached_info().state.messages, held, "{stream}");
    }
    server.stop().await;
}
