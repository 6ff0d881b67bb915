//! A bundle becomes an incident, a policy decides, a case is opened upstream, its id comes back and
//! fires the next policy.

use linesman_tests::{OPEN_CASE, Out, Upstream, World, event, until};

const ON_ASSIGNED: &str = r#"
policy(#{ on: "case.assigned" });
fn react(update, org) { publish("ticket", #{ case: update.case_id, incident: update.id, org: org.name }); }
"#;

#[tokio::test]
async fn a_case_goes_out_and_its_id_comes_back() {
    let mut world = World::new().unwrap();
    world.configure("\n[settings]\ncase_poll_s = 1\n");
    world.policy("open-case", OPEN_CASE).unwrap();
    world.policy("on-assigned", &ON_ASSIGNED.replace("case:", "id:")).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let client = engine.nats().await.unwrap();
    let jetstream = async_nats::jetstream::new(client.clone());
    let bundle = event("edge-01", 1, "CHASSISD_FRU_OFFLINE_NOTICE", "2 - High");
    jetstream.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();

    let as_engine = engine.nats_as_engine().await.unwrap();
    let out = until("the case id fires the next policy", async || {
        let out = Out::read(&as_engine).await.unwrap();
        let has_ticket = out.on("out.acme.reaction.ticket").count() > 0;
        has_ticket.then_some(out)
    })
    .await;

    let subjects: Vec<&str> = out
        .0
        .iter()
        .map(|event| event.subject.as_str())
        .filter(|s| !s.contains("audit") && !s.ends_with(".incident.changed"))
        .collect();
    assert_eq!(
        subjects,
        [
            "out.acme.trigger.incident.detected",
            "out.acme.reaction.jss",
            "out.acme.trigger.incident.submitted",
            "out.acme.trigger.case.assigned",
            "out.acme.reaction.ticket",
            // The bundle follows its case.
            "out.acme.reaction.jss",
        ]
    );
    let detected = out.on("out.acme.trigger.incident.detected").next().unwrap();
    assert_eq!(detected.data["id"], "acme-1");
    assert_eq!(detected.data["host_event_id"], "edge-01-SNedge-01-20261121-101502-1");
    assert_eq!(detected.data["device"]["host_name"], "edge-01");
    assert_eq!(detected.data["priority"], "High");
    let ticket = out.on("out.acme.reaction.ticket").next().unwrap();
    assert_eq!(ticket.data["action"]["incident"], "acme-1");
    assert!(ticket.data["action"]["id"].as_str().is_some_and(|id| !id.is_empty()), "{ticket:?}");
    assert_eq!(upstream.cases().await.unwrap(), 1);
    let listed = engine.get("/api/v1/incidents?organization=acme").await.unwrap();
    assert_eq!(listed["items"][0]["id"], "acme-1");
    assert_eq!(listed["items"][0]["case"]["state"], "created");

    assert!(engine.stop().await.unwrap().success());
    assert!(!world.data().join("ready.json").exists());
}
