//! `GET /metrics`.

use async_nats::ConnectOptions;
use jiff::Timestamp;
use linesman_schemas::dead_letter::Reason;
use reqwest::Method;

use super::super::BOUNDS;
use super::fixture::{Fixture, LANES, nobody};
use crate::embedded;
use crate::lane::status::LaneStatus;
use crate::log::streams::{Layout, ensure, lane_of, last_of_lane, open};
use crate::metrics::Metrics;
use linesman_domain::reactions::{self, PendingRow};
use linesman_domain::table;

fn pending(destination: &str) -> Vec<u8> {
    let row = PendingRow {
        org: None,
        destination: destination.to_owned(),
        attempt: 1,
        not_before: Timestamp::UNIX_EPOCH,
        deadline: Timestamp::from_second(4_000_000_000).unwrap(),
        is_held: false,
        incident: None,
        action: String::new(),
        misses: 0,
        there: 0,
    };
    table::encode(&row).unwrap()
}

async fn scraped(edge: &Fixture) -> String {
    let answer = edge.get("/metrics").await;
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

fn assert_lines(text: &str, lines: &[String]) {
    for line in lines {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn what_operators_and_benches_need_is_there() {
    let (recorder, metrics) = Metrics::recorder().unwrap();
    let _counted_here = metrics::set_default_local_recorder(&recorder);
    let edge = Fixture::with(BOUNDS, nobody().await, metrics).await;
    metrics::counter!("linesman_inputs_total", "kind" => "jmb", "outcome" => "incident").increment(3);
    metrics::counter!("linesman_dead_letters_total", "reason" => Reason::PolicyFailed.as_str()).increment(2);
    metrics::histogram!("linesman_verb_seconds", "verb" => "emit").record(0.004);
    for (org, id, destination) in [("acme", "1", "jss"), ("acme", "2", "log"), ("zulu", "3", "jss")] {
        edge.write(org, vec![(reactions::key(id).into_bytes(), pending(destination))]);
    }
    assert_eq!(edge.request(Method::GET, "/metrics").send().await.unwrap().status(), 401);
    let text = scraped(&edge).await;
    let expected = [
        "linesman_inputs_total{kind=\"jmb\",outcome=\"incident\"} 3",
        "linesman_dead_letters_total{reason=\"policy-failed\"} 2",
        "linesman_verb_seconds_count{verb=\"emit\"} 1",
        "linesman_verb_seconds_bucket{verb=\"emit\",le=\"0.005\"} 1",
        "linesman_pending_reactions{destination=\"jss\"} 2",
        "linesman_pending_reactions{destination=\"log\"} 1",
        // The log does not answer: nobody knows.
        "linesman_lane_lag_sequences{lane=\"0\"} NaN",
        "linesman_lane_age_seconds{lane=\"3\"} NaN",
        "linesman_api_requests_total{route=\"/metrics\",method=\"GET\",status=\"401\"} 1",
    ];
    assert_lines(&text, &expected.map(str::to_owned));
}

#[tokio::test]
async fn lag_is_what_the_log_has_and_the_lane_has_not() {
    let (recorder, metrics) = Metrics::recorder().unwrap();
    let _counted_here = metrics::set_default_local_recorder(&recorder);
    let dir = tempfile::tempdir().unwrap();
    let server = embedded::start(embedded::Settings::new(dir.path())).await.unwrap();
    let login = server.engine_login();
    let client = ConnectOptions::with_user_and_password(login.user.clone(), login.password.clone())
        .connect(server.address())
        .await
        .unwrap();
    let layout = Layout { lanes: LANES, out_age_s: 60, replicas: 1, consumers: Default::default() };
    ensure(&client, &layout).await.unwrap();
    open(&client, &layout).await.unwrap();
    for _ in 0..3 {
        client.request("in.acme.jmb.test", "x".into()).await.unwrap();
    }
    let (busy, other) = (lane_of("acme", LANES), (lane_of("acme", LANES) + 1) % LANES);
    assert_eq!(last_of_lane(&client, busy).await.unwrap(), 3);
    let edge = Fixture::with(BOUNDS, client, metrics).await;
    let status = LaneStatus { is_running: true, position: 1, now: Timestamp::UNIX_EPOCH, ..LaneStatus::default() };
    edge.lanes[busy as usize].send_replace(status.clone());
    let text = scraped(&edge).await;
    assert_lines(
        &text,
        &[
            format!("linesman_lane_lag_sequences{{lane=\"{busy}\"}} 2"),
            format!("linesman_lane_lag_sequences{{lane=\"{other}\"}} 0"),
            format!("linesman_lane_age_seconds{{lane=\"{other}\"}} 0"),
        ],
    );
    let age = format!("linesman_lane_age_seconds{{lane=\"{busy}\"}} ");
    let age = text.lines().find_map(|line| line.strip_prefix(age.as_str())).unwrap();
    assert!(age.parse::<f64>().unwrap() > 1e9, "{age}");
    edge.lanes[busy as usize].send_replace(LaneStatus { position: 3, ..status });
    let text = scraped(&edge).await;
    assert_lines(
        &text,
        &[
            format!("linesman_lane_lag_sequences{{lane=\"{busy}\"}} 0"),
            format!("linesman_lane_age_seconds{{lane=\"{busy}\"}} 0"),
        ],
    );
    edge.listening.shutdown().await;
    server.stop().await;
}
