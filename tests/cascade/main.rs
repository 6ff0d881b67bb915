//! The cascade: end customers, partners, the support system, each a process of its own, with nothing shared.

mod intelligence;

use linesman_tests::{Controller, Network, Upstream, Weather, information, until};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The support system, in a directory of its own.
async fn support() -> anyhow::Result<(tempfile::TempDir, Upstream)> {
    let dir = tempfile::tempdir()?;
    let upstream = Upstream::start(dir.path()).await?;
    Ok((dir, upstream))
}

fn text(value: &Value, field: &str) -> Option<String> {
    value[field].as_str().map(str::to_owned)
}

/// The case of an incident, once it has what is looked for in a field.
async fn stands(controller: &Controller, incident: &str, field: &'static str, wanted: &str) -> Value {
    let what = format!("the case of `{incident}` has `{field}` = `{wanted}`");
    let is_so = |case: &Value| (case[field] == wanted).then(|| case.clone());
    controller.until(&what, &format!("/api/v1/cases/{incident}"), is_so).await
}

#[tokio::test]
async fn a_case_goes_through_the_whole_chain_and_back() {
    let (_dir, support) = support().await.unwrap();
    let partner = Controller::partner(&support, &["acme", "bolt"], "").await.unwrap();
    let customer = Controller::end_customer(&partner, "acme").await.unwrap();
    customer.hears("own", "edge-1", 1).await.unwrap();

    // 1 to 5: it goes up, with alias and trace route, once.
    until("the support system has the case", async || (support.cases().await.ok()? == 1).then_some(())).await;
    let request = support.requests().await.unwrap().remove(0);
    assert_eq!(request["customerTrackingNumber"], "acme-1");
    assert_eq!((&request["alias"], request["traceRoute"].as_array().unwrap().len()), (&json!("ACME"), 2));

    // 2 to 4: the transaction id, then id and link, below as here.
    let below = customer
        .until("the end customer knows id and link", "/api/v1/cases/own-1", |case| {
            text(case, "case_id").zip(text(case, "case_link")).map(|_| case.clone())
        })
        .await;
    let here = partner.engine.get("/api/v1/cases/acme-1").await.unwrap();
    for field in ["transaction_id", "case_id", "case_link", "case_status"] {
        assert_eq!(below[field], here[field], "{field}");
    }
    assert_eq!(here["transaction_id"], "T-acme-1");
    assert_eq!(
        (&here["alias"], here["trace_route"].as_array().unwrap().len(), &here["handling"]),
        (&json!("ACME"), 1, &json!("forward"))
    );
    let incident = partner.engine.get("/api/v1/incidents/acme-1").await.unwrap();
    assert_eq!((&incident["kind"], &incident["case_id"]), (&json!("reported"), &below["case_id"]));

    // 6: the partner's own words are seen below until they are taken back.
    let wanted = json!({"case_id": "P-7", "case_link": "https://cases.example/P-7", "case_status": "with engineering"});
    let path = "/api/v1/incidents/acme-1/case/override";
    assert_eq!(partner.does(path, wanted).await.unwrap().status, 200);
    let case = stands(&customer, "own-1", "case_status", "with engineering").await;
    assert_eq!((&case["case_id"], &case["case_link"]), (&json!("P-7"), &json!("https://cases.example/P-7")));
    assert_eq!(partner.does(path, json!({})).await.unwrap().status, 200);
    let case = stands(&customer, "own-1", "case_id", below["case_id"].as_str().unwrap()).await;
    assert_eq!(case["case_link"], below["case_link"]);

    // Notes go both ways, each once.
    customer.notes("own-1", "still down").await.unwrap();
    let said = |side: &'static str, what: &'static str| {
        move |case: &Value| {
            let notes = case["notes"].as_array()?;
            let found = notes.iter().filter(|note| note["text"] == what && note["side"] == side).count();
            (found > 0).then_some(found)
        }
    };
    let found = partner.until("the partner hears the note", "/api/v1/cases/acme-1", said("below", "still down")).await;
    assert_eq!(found, 1);
    partner.notes("acme-1", "a spare part is on its way").await.unwrap();
    let heard = said("above", "a spare part is on its way");
    assert_eq!(customer.until("the end customer hears the note", "/api/v1/cases/own-1", heard).await, 1);

    // It is closed from below, and reopened from above.
    assert_eq!(
        customer.does("/api/v1/incidents/own-1/case/close", json!({"note": "works"})).await.unwrap().status,
        200
    );
    stands(&partner, "acme-1", "case_status", "closed").await;
    assert_eq!(
        partner.does("/api/v1/incidents/acme-1/case/reopen", json!({"note": "not yet"})).await.unwrap().status,
        200
    );
    customer
        .until("the end customer sees it open again", "/api/v1/cases/own-1", |case| {
            (case["case_status"] != "closed").then_some(())
        })
        .await;
    assert_eq!(support.cases().await.unwrap(), 1, "however much was said, it is one case");
}

#[tokio::test]
async fn a_partner_that_solves_it_itself_sends_nothing_on() {
    let (_dir, support) = support().await.unwrap();
    let partner = Controller::partner(&support, &["acme"], "handling = \"own\"\n").await.unwrap();
    let customer = Controller::end_customer(&partner, "acme").await.unwrap();
    customer.hears("own", "edge-1", 1).await.unwrap();
    stands(&partner, "acme-1", "handling", "own").await;
    let wanted = json!({"case_id": "P-7", "case_status": "solved"});
    assert_eq!(partner.does("/api/v1/incidents/acme-1/case/override", wanted).await.unwrap().status, 200);
    stands(&customer, "own-1", "case_status", "solved").await;
    assert_eq!(support.cases().await.unwrap(), 0);
}

#[tokio::test]
async fn a_partner_stands_between_two() {
    let (_dir, support) = support().await.unwrap();
    let first = Controller::partner(&support, &["reseller"], "").await.unwrap();
    let second = Controller::partner_below(&first, "reseller", &["acme"]).await.unwrap();
    let customer = Controller::end_customer(&second, "acme").await.unwrap();
    customer.hears("own", "edge-1", 1).await.unwrap();
    until("the support system has the case", async || (support.cases().await.ok()? == 1).then_some(())).await;
    let request = support.requests().await.unwrap().remove(0);
    assert_eq!((&request["alias"], request["traceRoute"].as_array().unwrap().len()), (&json!("RESELLER/ACME"), 3));
    customer.until("the id comes down through both", "/api/v1/cases/own-1", |case| text(case, "case_id")).await;
}

#[tokio::test]
async fn what_was_reported_and_overridden_stands_after_the_partners_state_is_built_anew() {
    let (_dir, support) = support().await.unwrap();
    let mut partner = Controller::partner(&support, &["acme"], "").await.unwrap();
    let mut customer = Controller::end_customer(&partner, "acme").await.unwrap();
    for number in 1..=3 {
        customer.hears("own", "edge-1", number).await.unwrap();
    }
    customer.until("the last id comes", "/api/v1/cases/own-3", |case| text(case, "case_id")).await;
    let wanted = json!({"case_id": "P-7", "case_status": "with engineering"});
    let path = "/api/v1/incidents/acme-1/case/override";
    assert_eq!(partner.does(path, wanted).await.unwrap().status, 200);
    stands(&customer, "own-1", "case_status", "with engineering").await;
    let list = "/api/v1/cases?organization=acme";
    let before = partner.engine.get(list).await.unwrap();
    partner.rebuild().await.unwrap();
    assert_eq!(partner.engine.get(list).await.unwrap(), before);
    // Whoever follows by a cursor of before goes on with it, and what is new goes up once.
    assert_eq!(partner.does(path, json!({})).await.unwrap().status, 200);
    let own = partner.engine.get("/api/v1/cases/acme-1").await.unwrap();
    stands(&customer, "own-1", "case_id", own["case_id"].as_str().unwrap()).await;
    // The end customer's own state may go as well: what it reported is not reported again.
    customer.rebuild().await.unwrap();
    customer.hears("own", "edge-1", 4).await.unwrap();
    customer.until("the new one goes up", "/api/v1/cases/own-4", |case| text(case, "case_id")).await;
    assert_eq!(support.cases().await.unwrap(), 4);
}

#[tokio::test]
async fn each_case_is_there_once_however_often_the_partner_dies() {
    const CASES: u64 = 200;
    let (_dir, support) = support().await.unwrap();
    let mut partner = Controller::partner(&support, &["acme"], "").await.unwrap();
    let customer = Controller::end_customer(&partner, "acme").await.unwrap();
    for number in 1..=CASES {
        customer.hears("own", "edge-1", number).await.unwrap();
    }
    for mark in [20, 70, 120, 170] {
        until("some more are there", async || (support.cases().await.ok()? >= mark).then_some(())).await;
        partner.kill_and_start().await.unwrap();
    }
    until("all are there", async || (support.cases().await.ok()? >= CASES).then_some(())).await;
    let last = format!("/api/v1/cases?organization=own&limit={CASES}");
    customer
        .until("the end customer knows the id of each", &last, |page| {
            let items = page["items"].as_array()?;
            let known = items.iter().filter(|case| case["case_id"].is_string()).count();
            (known as u64 == CASES).then_some(())
        })
        .await;
    let count = support.count().await.unwrap();
    assert_eq!(count["cases"], CASES);
    assert!(count["cases_by_tracking"].as_object().unwrap().values().all(|count| count == 1), "{count}");
}

#[tokio::test]
async fn each_case_is_there_once_whatever_the_network_does() {
    const EACH: u64 = 20;
    let (_dir, support) = support().await.unwrap();
    let partner = Controller::partner(&support, &["acme"], "").await.unwrap();
    let network = Network::to(partner.listens().unwrap()).await.unwrap();
    let customer = Controller::end_customer_through(&network, &partner, "acme").await.unwrap();
    let mut sent = 0;
    // An answer that breaks off in the handshake, in the head, behind it: the report was taken and its sender does not know.
    for weather in [
        Weather::Slow,
        Weather::Reset(200),
        Weather::Fair,
        Weather::Reset(3_000),
        Weather::Cut,
        Weather::Fair,
        Weather::Reset(8_000),
        Weather::Slow,
    ] {
        network.turns(weather);
        let before = network.connections();
        for _ in 0..EACH {
            sent += 1;
            customer.hears("own", "edge-1", sent).await.unwrap();
        }
        match weather {
            Weather::Fair | Weather::Slow => {
                until("all are there", async || (support.cases().await.ok()? == sent).then_some(())).await;
            }
            // It goes on asking, in vain.
            Weather::Reset(_) => until("it tries", async || (network.connections() > before + 2).then_some(())).await,
            Weather::Cut => {
                let list = format!("/api/v1/cases?organization=own&limit={sent}");
                let is_all = |page: &Value| (page["items"].as_array()?.len() as u64 == sent).then_some(());
                customer.until("all wait", &list, is_all).await;
            }
        }
    }
    let tracking = support.requests().await.unwrap();
    let tracking: Vec<&str> = tracking.iter().filter_map(|case| case["customerTrackingNumber"].as_str()).collect();
    let mut once = tracking.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((once.len(), tracking.len()), (sent as usize, sent as usize), "each once");
    let list = format!("/api/v1/cases?organization=own&limit={sent}");
    customer
        .until("the end customer knows the id of each", &list, |page| {
            let known = page["items"].as_array()?.iter().filter(|case| case["case_id"].is_string()).count();
            (known as u64 == sent).then_some(())
        })
        .await;
    let here = partner.engine.get(&format!("/api/v1/cases?organization=acme&limit={sent}")).await.unwrap();
    assert_eq!(here["items"].as_array().unwrap().len() as u64, sent);
}

/// A device whose moment in a round of an hour is its first second, as one of `own` and as one of `acme`.
const EARLY: &str = "edge-38683802";

#[tokio::test]
async fn a_snapshot_of_a_device_goes_up_through_both_once_and_each_holds_back_what_it_may_not_send() {
    const RSI: &str = "user@edge> show log messages\nNov 21 10:15:02 edge rpd[1]: canary-of-the-log peer 192.0.2.77 down\n\
                       user@edge> show configuration | display set\nset protocols bgp group canary-of-the-configuration\n\
                       set system root-authentication encrypted-password \"$6$canaryofthe$secret0\"\n\
                       user@edge> show version\nModel: mx240";
    let (_dir, support) = support().await.unwrap();
    support.control(&json!({ "keep_uploads": true })).await.unwrap();
    let partner = Controller::partner(&support, &["acme", "bolt"], "").await.unwrap();
    let customer = Controller::end_customer(&partner, "acme").await.unwrap();
    let addresses_gone = "Send all information with IP addresses overwritten";
    let configuration_gone = "Send all information except configuration";
    customer.runs(&["org", "set", "own", "--filter-level", addresses_gone]).await.unwrap();
    partner.runs(&["org", "set", "acme", "--filter-level", configuration_gone]).await.unwrap();
    for number in 1..=2 {
        customer.takes("own", information(EARLY, number, &format!("{RSI} {number}"))).await.unwrap();
    }
    // A case goes up behind them: they are known when it is there.
    customer.hears("own", EARLY, 3).await.unwrap();
    customer.until("the case is known above", "/api/v1/cases/own-1", |case| text(case, "case_id")).await;

    // A round begins with its interval: the newest goes to the partner, which keeps it.
    customer.runs(&["org", "set", "own", "--snapshot-interval-s", "3600"]).await.unwrap();
    let sent = "linesman_snapshots_total{state=\"sent\"} 1";
    let has_sent = async |controller: &Controller| {
        controller.engine.get_text("/metrics").await.ok()?.lines().any(|line| line == sent).then_some(())
    };
    until("the partner keeps the snapshot", async || has_sent(&customer).await).await;
    let snapshots = async || {
        let uploads = support.uploads().await.ok()?;
        Some(uploads.into_iter().filter(|upload| upload["kind"] == "snapshot").collect::<Vec<_>>())
    };
    assert!(snapshots().await.unwrap().is_empty(), "it goes on when the partner's own round has come");
    partner.runs(&["org", "set", "acme", "--snapshot-interval-s", "3600"]).await.unwrap();
    until("the support system has the snapshot", async || has_sent(&partner).await).await;
    // Another round finds nothing newer; what is decided behind it goes up.
    for interval in ["0", "3600"] {
        partner.runs(&["org", "set", "acme", "--snapshot-interval-s", interval]).await.unwrap();
    }
    customer.hears("own", EARLY, 4).await.unwrap();
    customer.until("the second case is known above", "/api/v1/cases/own-2", |case| text(case, "case_id")).await;
    let snapshots = snapshots().await.unwrap();
    assert_eq!(snapshots.len(), 1, "once: {snapshots:?}");
    let upload = &snapshots[0];
    let left = support.uploaded(upload["upload"].as_str().unwrap()).await.unwrap();
    assert!(left.contains("canary-of-the-log") && left.contains("x.x.x.x") && left.contains("mx240 2"), "{left}");
    for held_back in ["192.0.2.77", "canary-of-the-configuration", "canaryofthe"] {
        assert!(!left.contains(held_back), "`{held_back}` left: {left}");
    }
    assert_eq!(upload["device"]["serialNumber"], format!("SN{EARLY}"), "{upload}");
}

#[tokio::test]
async fn the_partners_people_read_what_was_uploaded_with_a_case_and_that_is_on_record() {
    let (dir, support) = support().await.unwrap();
    let partner = Controller::partner(&support, &["acme", "bolt"], "").await.unwrap();
    let customer = Controller::end_customer(&partner, "acme").await.unwrap();
    customer.hears("own", "edge-01", 1).await.unwrap();
    let list = "/api/v1/cases/acme-1/files";
    let file = partner.until("the bundle is there", list, |list| list["items"].get(0).cloned()).await;
    assert_eq!((&file["kind"], &file["kept"]), (&json!("bundle"), &json!(true)), "{file}");
    let out = dir.path().join("fetched");
    let (number, to) = (file["number"].to_string(), out.to_str().unwrap());
    partner.runs(&["case", "files", "acme-1", "--get", &number, "--out", to]).await.unwrap();
    let fetched = std::fs::read(&out).unwrap();
    assert!(String::from_utf8_lossy(&fetched).contains("edge-01"));
    assert_eq!(
        (&file["size"], &file["sha256"]),
        (&json!(fetched.len()), &json!(hex::encode(Sha256::digest(&fetched))))
    );
    let records = partner.engine.get("/api/v1/audit?organization=acme&operation=export-cases").await.unwrap();
    assert_eq!(records["items"].as_array().unwrap().len(), 1, "{records}");
    let index = &records["items"][0]["index"];
    let record = partner.engine.get(&format!("/api/v1/audit/acme/{index}")).await.unwrap();
    assert!(record.to_string().contains(file["sha256"].as_str().unwrap()), "{record}");
    let api = partner.engine.api().unwrap();
    let nothing = api.ask(reqwest::Method::GET, &format!("{list}/9"), None, None).await.unwrap();
    assert_eq!((nothing.status, nothing.body["detail"].as_str()), (404, Some("the case of `acme-1` has no file 9")));
}
