//! What runs out is said once of each stage, and judged by policies of everyone's.

use linesman_schemas::control::Control;
use linesman_schemas::trigger::{Expiring, Expiry};

use super::*;
use crate::expiries;

fn expiry(kind: Expiring, id: &str, has_ended: bool) -> Expiry {
    Expiry { kind, id: id.to_owned(), ends: "2026-12-31T00:00:00Z".parse().unwrap(), has_ended }
}

impl Lane {
    /// What a report makes be said: the subjects.
    fn runs_out(&mut self, expiry: Expiry) -> Vec<String> {
        self.events.clear();
        let bytes = serde_json::to_vec(&Control::Expiry(expiry.clone())).unwrap();
        self.decide("", "ctl", &bytes, Content::Expiry(expiry));
        self.commit();
        self.subjects().into_iter().map(str::to_owned).collect()
    }
}

#[test]
fn each_stage_is_said_once_of_each_licence_and_certificate() {
    for reopens in [false, true] {
        let mut lane = Lane::new();
        lane.reopens = reopens;
        let expiring = expiry(Expiring::Licence, "l1", false);
        let expired = expiry(Expiring::Licence, "l1", true);
        assert_eq!(lane.runs_out(expiring.clone()), ["_provider.trigger.licence.expiring"]);
        let (_, event) = lane.events.first().unwrap();
        assert_eq!(event.source, "/provider");
        let data = json!({"kind": "licence", "id": "l1", "ends": "2026-12-31T00:00:00Z", "has_ended": false});
        assert_eq!(event.data, data);
        assert!(lane.runs_out(expiring.clone()).is_empty(), "said again");
        assert!(expiries::is_said(&lane.base, &expiring).unwrap());
        assert!(!expiries::is_said(&lane.base, &expired).unwrap());
        assert_eq!(lane.runs_out(expired.clone()), ["_provider.trigger.licence.expired"]);
        assert!(lane.runs_out(expiring).is_empty(), "what has ended does not end soon");
        assert!(lane.runs_out(expired).is_empty(), "said again");
        // A new licence, which runs out too.
        let anew = expiry(Expiring::Licence, "l2", false);
        assert_eq!(lane.runs_out(anew), ["_provider.trigger.licence.expiring"]);
        // Each side has a certificate of its own.
        for kind in [Expiring::Upstream, Expiring::Listener] {
            let told = lane.runs_out(expiry(kind, "sha256:1", false));
            assert_eq!(told, ["_provider.trigger.partner.certificate-expiring"], "{kind:?}");
            let told = lane.runs_out(expiry(kind, "sha256:1", true));
            assert_eq!(told, ["_provider.trigger.partner.certificate-expired"], "{kind:?}");
        }
    }
}

#[test]
fn level_6_and_other_lanes_set_it_aside() {
    for level in 1..expiries::LEVEL {
        let mut lane = Lane::at(level);
        let told = lane.runs_out(expiry(Expiring::Licence, "l1", true));
        assert_eq!(told, ["_provider.dead.command-undecodable"], "level {level}");
    }
    let mut lane = Lane::new();
    lane.domain = open(&lane.base, &lane.judge, None, 1);
    assert_eq!(lane.runs_out(expiry(Expiring::Licence, "l1", true)), ["_provider.dead.command-undecodable"]);
}

const LOGS: &str = r#"
    policy(#{ on: ["licence.expiring", "licence.expired"], where: #{ has_ended: true } });
    fn react(expiry, org) {
        log(`${expiry.kind} ${expiry.id} ends ${expiry.ends}`, #{ whose: org.name });
        publish("alarm", #{ id: expiry.id });
    }
"#;
const FAILS: &str = r#"
    policy(#{ on: "licence.expired" });
    fn react(expiry, org) { throw "no" }
"#;
const OWN: &str = r#"
    policy(#{ on: "licence.expired" });
    fn react(expiry, org) { publish("own", #{}) }
"#;

#[test]
fn policies_of_everyones_judge_it_for_the_provider() {
    let mut lane = Lane::with(&[("everyone", LOGS), ("fails", FAILS), ("acme/own", OWN)]);
    assert_eq!(lane.runs_out(expiry(Expiring::Licence, "l1", false)), ["_provider.trigger.licence.expiring"]);
    let told = lane.runs_out(expiry(Expiring::Licence, "l1", true));
    let mut expected = vec![
        "_provider.trigger.licence.expired",
        "_provider.dead.policy-failed",
        "_provider.reaction.log",
        "_provider.reaction.alarm",
    ];
    let mut told_sorted: Vec<&str> = told.iter().map(String::as_str).collect();
    expected.sort_unstable();
    told_sorted.sort_unstable();
    assert_eq!(told_sorted, expected);
    assert!(lane.events.iter().all(|(_, event)| event.source == "/provider"));
    let rows: Vec<_> =
        reactions::all(&lane.base).map(Result::unwrap).filter(|(_, row)| row.destination == "log").collect();
    let [(id, row)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.org, None);
    let action: Value = serde_json::from_str(&row.action).unwrap();
    let message = "licence l1 ends 2026-12-31T00:00:00Z";
    assert_eq!(action, json!({"log": {"message": message, "fields": {"whose": "_provider"}}}));
    // It is attempted like the provider's polls, and given up when it is refused.
    let attempt = json!({"reaction": id, "attempt": 1, "requests": 0, "outcome":
        {"failed": {"class": "refused", "message": "m", "retry_after_s": null}}});
    lane.events.clear();
    lane.decide("", "ctl", b"", Content::Attempt(Box::new(serde_json::from_value(attempt).unwrap())));
    lane.commit();
    assert_eq!(lane.subjects(), ["_provider.dead.reaction-failed"]);
    assert_eq!(reactions::all(&lane.base).filter(|row| row.as_ref().unwrap().1.destination == "log").count(), 0);
}
