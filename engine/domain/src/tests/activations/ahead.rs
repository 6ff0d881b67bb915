//! What is to count later is held against what counts always, whichever comes first.

use super::*;

/// A service as `banner`, that may follow a schedule.
fn network() -> Network {
    let definition = BANNER[0].1.replace("[parameters]", "schedulable = true\n[parameters]");
    let banner = service("banner", &[(BANNER[0].0, &definition), BANNER[1]]);
    Network::with(vec![banner, service("limit", &LIMIT)])
}

fn nightly(place: &str, name: &str, substitutions: &[&str]) -> Value {
    let schedule = json!({"start": "2026-11-21T22:00:00", "duration_s": 3600, "repeat": "daily"});
    json!({"activate_subscription": {"place": place, "name": name, "substitutions": substitutions, "schedule": schedule}})
}

fn once(place: &str, name: &str, substitutions: &[&str]) -> Value {
    let schedule = json!({"start": "2026-11-21T12:00:00", "duration_s": 60});
    json!({"activate_subscription": {"place": place, "name": name, "substitutions": substitutions, "schedule": schedule}})
}

#[test]
fn what_is_activated_later_is_held_against_what_waits_for_its_schedule() {
    let mut network = network();
    network.does(&subscribe("acme", "night", "banner", &[], false));
    network.does(&subscribe("acme", "day", "banner", &[], false));
    network.does(&nightly("acme/berlin/line-1", "night", &["text=\"b\""]));
    // At the same line, and at another line of the same device.
    for line in ["acme/berlin/line-1", "acme/berlin/line-2"] {
        let detail = network.refuses(&activate(line, "day", &["text=\"a\""]));
        assert!(
            detail.starts_with(&format!("`{line}`: `system login message` is set to `b` and to `a`: by `night-")),
            "{detail}"
        );
        assert!(detail.contains("of `night` at `acme/berlin/line-1`") && detail.contains("and by `day-"), "{detail}");
    }
    // What sets the same to the same, what is on another device, and what has a schedule of its own.
    network.does(&activate("acme/berlin/line-2", "day", &["text=\"b\""]));
    network.does(&activate("acme/paris", "day", &["text=\"a\""]));
    network.does(&deactivate("acme/berlin/line-2", "day"));
    network.does(&nightly("acme/berlin/line-2", "day", &["text=\"a\""]));
    // Neither what would change something else.
    network.does(&subscribe("acme/berlin", "cap", "limit", &["burst=1k"], true));
}

#[test]
fn a_place_is_not_set_so_that_two_meet_on_a_device_be_it_later() {
    let mut network = network();
    let tie = |line: &str, device: &str| json!({"set_place": {"place": line, "device": device}});
    network.does(&subscribe("acme/berlin", "hello", "banner", &["text=\"hello\""], true));
    network.does(&subscribe("acme/paris/line-1", "bye", "banner", &["text=\"bye\""], true));
    network.does(&subscribe("acme/paris/line-2", "night", "banner", &[], false));
    network.does(&tie("acme/paris/line-2", "pe-paris-2"));
    network.does(&nightly("acme/paris/line-2", "night", &["text=\"late\""]));
    let detail = network.refuses(&tie("acme/paris/line-1", "pe-berlin"));
    assert!(
        detail.contains("is set to `hello` and to `bye`: by `hello-") && detail.contains("and by `bye-"),
        "{detail}"
    );
    // One that waits is held against what counts on the device that its line would have, and the other way round.
    let detail = network.refuses(&tie("acme/paris/line-1", "pe-paris-2"));
    assert!(
        detail.contains("is set to `late` and to `bye`: by `night-") && detail.contains("and by `bye-"),
        "{detail}"
    );
    let detail = network.refuses(&tie("acme/paris/line-2", "pe-berlin"));
    assert!(detail.contains("and to `late`") || detail.contains("is set to `late`"), "{detail}");
    network.does(&tie("acme/paris/line-1", "pe-own"));
}

#[test]
fn a_place_is_set_and_what_fails_from_then_on_is_told() {
    let pool = [
        (
            "service.toml",
            "title = \"Pool\"\n[parameters]\n\
             pool = { type = \"network\", constraint = \"pool in interface_networks\", required = true }\n",
        ),
        ("main.j2", "pool {{ pool }};\n"),
    ];
    let mut network = Network::with(vec![service("pool", &pool)]);
    let addresses = |text: &str| json!({"set_place": {"place": "acme/berlin/line-1", "addresses": [text]}});
    assert_eq!(network.does(&addresses("192.0.2.1/28")), "changed");
    network.does(&subscribe("acme/berlin/line-1", "out", "pool", &["pool=192.0.2.0/28"], true));
    let told = "changed; but this fails: `acme/berlin/line-1`: `pool`: the subscription at `acme/berlin/line-1` gives";
    let detail = network.does(&addresses("198.51.100.1/28"));
    assert!(detail.starts_with("changed; but this fails: `acme/berlin/line-1`: "), "{detail} {told}");
    assert!(network.states("acme/berlin/line-1")[0].starts_with("failed"));
    assert_eq!(network.does(&addresses("192.0.2.1/28")), "changed");
}

#[test]
fn what_is_over_counts_no_more_for_what_may_be_narrowed() {
    let mut network = network();
    network.does(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], false));
    network.does(&once("acme/berlin/line-1", "cap", &["rate=50m"]));
    let narrow = values("acme/berlin/line-1", &["rate in 1..10m"]);
    let detail = network.refuses(&narrow);
    assert!(detail.contains("given with `cap-"), "{detail}");
    for time in ["2026-11-21T12:00:00Z", "2026-11-21T12:02:00Z"] {
        network.lane.now = time.parse().unwrap();
        network.lane.decide("", "ctl", b"", Content::Tick);
        network.lane.commit();
        network.lane.work();
        network.settle();
    }
    assert_eq!(network.states("acme/berlin/line-1"), ["inactive"]);
    network.does(&narrow);
}

#[test]
fn no_two_lines_groups_have_one_name_whatever_these_are_called() {
    let mut network = network();
    let lines = ["a-b/c", "a/b-c", "x/c", "y/b-c", "y/a-b-c", "a/b"].map(|line| format!("acme/{line}"));
    for line in &lines {
        let (site, _) = line.rsplit_once('/').unwrap();
        network.ask(&json!({"set_place": {"place": site}}));
        network.does(&json!({"set_place": {"place": line, "device": "pe-one"}}));
    }
    network.does(&subscribe("acme", "hello", "banner", &["text=\"hello\""], true));
    for line in &lines {
        assert_eq!(network.states(line), ["active"], "{line}");
    }
    let groups: Vec<&String> = network.devices["pe-one"].keys().collect();
    assert_eq!(groups.len(), lines.len(), "{groups:?}");
    network.does(&deactivate("acme/a-b/c", "hello"));
    assert_eq!(network.devices["pe-one"].len(), lines.len() - 1);
    network.does(&deactivate("acme", "hello"));
    assert!(network.devices.is_empty() && network.parts().is_empty());
}

#[test]
fn what_level_5_named_is_removed_at_level_6() {
    let mut network = Network::at(5, vec![service("banner", &BANNER)]);
    for place in ["acme/a-b", "acme/a", "acme/x"] {
        network.does(&json!({"set_place": {"place": place}}));
    }
    for line in ["acme/x/c", "acme/a-b/c"] {
        network.does(&json!({"set_place": {"place": line, "device": "pe-one"}}));
    }
    network.does(&subscribe("acme", "hello", "banner", &["text=\"hello\""], true));
    let named = |network: &Network, end: &str| network.devices["pe-one"].keys().any(|group| group.ends_with(end));
    assert!(named(&network, "-x-c"), "{:?}", network.devices["pe-one"]);
    network.lane.decide("", "ctl", b"", Content::Level(6));
    network.lane.commit();
    network.does(&json!({"redeploy_subscription": {"place": "acme", "name": "hello"}}));
    assert!(named(&network, "-x-c"), "{:?}", network.devices["pe-one"]);
    network.does(&deactivate("acme", "hello"));
    assert!(network.devices.is_empty() && network.parts().is_empty());
}
