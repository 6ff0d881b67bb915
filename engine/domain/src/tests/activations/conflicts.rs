//! Two that set the same differently: refused, told, and let in when the other goes.

use super::*;

#[test]
fn two_that_set_the_same_differently_are_refused_with_both_named() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin", "hello", "banner", &["text=\"hello\""], false));
    network.does(&activate("acme/berlin/line-1", "hello", &[]));
    let detail = network.refuses(&subscribe("acme/berlin/line-2", "bye", "banner", &["text=\"bye\""], true));
    let hello = network.parts().into_keys().next().unwrap().1;
    assert!(
        detail.starts_with("`acme/berlin/line-2`: `system login message` is set to `hello` and to `bye`: by `"),
        "{detail}"
    );
    assert!(
        detail.contains(&format!("`{hello}` of `hello` at `acme/berlin/line-1`, for `acme/berlin/line-1`")),
        "{detail}"
    );
    assert!(detail.contains("of `bye` at `acme/berlin/line-2`, for `acme/berlin/line-2`"), "{detail}");
    let (_, event) = network.lane.events.iter().rfind(|(subject, _)| subject.contains(".audit.")).unwrap();
    let recorded = event.data["outcome"].as_str().unwrap();
    assert!(recorded.contains("is set otherwise") && !recorded.contains("line-1"), "{recorded}");
    let manager = json!({"manager": "ann", "sphere": ["acme/berlin/line-2"], "privileges": ["subscription", "substitution", "activation"]});
    network.does(&json!({"set_manager": manager}));
    let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let asked = subscribe("acme/berlin/line-2", "bye", "banner", &["text=\"bye\""], true);
    let (verdict, detail) = network.lane.decided_for(&ann, &asked);
    assert_eq!(verdict, Verdict::Conflict);
    assert!(!detail.contains("hello") && !detail.contains("line-1"), "she sees her line alone: {detail}");
    network.does(&activate("acme/berlin/line-2", "hello", &[]));
    assert_eq!(network.texts("pe-berlin").len(), 2, "both set the same to the same");
    network.does(
        &json!({"set_values": {"place": "acme/berlin", "subscription": "hello", "substitutions": ["text=\"moin\""]}}),
    );
    assert_eq!(network.texts("pe-berlin"), ["system { login { message moin; } }"; 2], "neither holds the other up");
}

#[test]
fn what_is_kept_out_comes_in_when_the_other_goes() {
    // Before level 6 it was not refused where a line's device was changed to one on which they meet: the part tells.
    let mut network = Network::at(5, vec![service("limit", &LIMIT), service("banner", &BANNER)]);
    network.does(&subscribe("acme/berlin", "hello", "banner", &["text=\"hello\""], true));
    network.does(&subscribe("acme/paris", "bye", "banner", &["text=\"bye\""], true));
    network.does(&json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-berlin"}}));
    let part = network.parts().into_iter().find(|((line, _), _)| line == "acme/paris/line-1").unwrap().1;
    let both = part.told(|_| true);
    assert!(both.starts_with("`system login message` is set to `hello` and to `bye`: by `hello-"), "{both}");
    let own = part.told(|place| place.to_string().starts_with("acme/paris"));
    assert!(own.starts_with("`system login message` is set otherwise on the device for another access line"), "{own}");
    assert!(!own.contains("hello") && !own.contains("berlin"), "{own}");
    assert_eq!(network.texts("pe-berlin").len(), 2);
    network.does(&deactivate("acme/berlin", "hello"));
    assert_eq!(network.states("acme/paris/line-1"), ["active"]);
    assert_eq!(network.texts("pe-berlin"), ["system { login { message bye; } }"]);
}

/// A service that sets what takes one value, and is called as what takes several elsewhere.
const PORT: [(&str, &str); 2] = [
    ("service.toml", "title = \"Port\"\n[parameters]\nport = { type = \"port\", required = true }\n"),
    ("main.j2", "system { services { ssh { port {{ port }}; } } }\n"),
];
/// A service that sets one of several.
const CLOCK: [(&str, &str); 2] = [
    ("service.toml", "title = \"Clock\"\n[parameters]\nserver = { type = \"address\", required = true }\n"),
    ("main.j2", "system { ntp { server {{ server }}; } }\n"),
];

#[test]
fn where_a_statement_stands_says_whether_two_of_it_are_a_conflict() {
    let mut network = Network::with(vec![service("port", &PORT), service("clock", &CLOCK)]);
    network.does(&subscribe("acme/berlin/line-1", "low", "port", &["port=22"], true));
    let told = network.refuses(&subscribe("acme/berlin/line-2", "high", "port", &["port=2222"], true));
    let expected = "`system services ssh port` is set to `22` and to `2222`: by `low` of `low` at `acme/berlin/line-1`, \
                    for `acme/berlin/line-1`, with `port` and by `high` of `high` at `acme/berlin/line-2`, for \
                    `acme/berlin/line-2`, with `port`";
    assert!(told.contains("`system services ssh port` is set to `22` and to `2222`"), "{told}\n{expected}");
    network.does(&subscribe("acme/berlin/line-1", "one", "clock", &["server=192.0.2.1"], true));
    network.does(&subscribe("acme/berlin/line-2", "two", "clock", &["server=192.0.2.2"], true));
    assert_eq!(network.devices["pe-berlin"].len(), 3);
}

#[test]
fn what_level_6_set_is_held_against_at_level_7_as_that_tells_it_apart() {
    let mut network = Network::at(6, vec![service("port", &PORT), service("clock", &CLOCK)]);
    network.does(&subscribe("acme/berlin/line-1", "low", "port", &["port=22"], true));
    network.does(&subscribe("acme/berlin/line-2", "high", "port", &["port=2222"], true));
    network.does(&subscribe("acme/paris/line-1", "one", "clock", &["server=192.0.2.1"], true));
    let refused = network.refuses(&subscribe("acme/paris/line-2", "two", "clock", &["server=192.0.2.2"], true));
    assert!(refused.contains("`system ntp server` is set to `192.0.2.1` and to `192.0.2.2`"), "{refused}");
    network.lane.decide("", "ctl", b"", Content::Level(7));
    let refused = network.refuses(&subscribe("acme/berlin/line-2", "third", "port", &["port=23"], true));
    assert!(refused.contains("`system services ssh port` is set to"), "{refused}");
    network.does(&subscribe("acme/paris/line-2", "two", "clock", &["server=192.0.2.2"], true));
    // What goes takes with it what it set, however that was told apart.
    network.does(&json!({"remove_subscription": {"place": "acme/berlin/line-1", "name": "low"}}));
    network.does(&json!({"remove_subscription": {"place": "acme/berlin/line-2", "name": "high"}}));
    network.does(&subscribe("acme/berlin/line-2", "third", "port", &["port=23"], true));
    assert_eq!(network.texts("pe-berlin"), ["system { services { ssh { port 23; } } }"]);
}

#[test]
fn what_has_failed_is_given_no_values_that_conflict_whatever_it_is_called() {
    let cap = [
        ("service.toml", "title = \"Cap\"\n[parameters]\nx = { type = \"rate\", default = \"interface_speed / 2\" }\n"),
        ("main.j2", "system { cap {{ x }}; }\n"),
    ];
    for [failed, active] in [["z1", "a2"], ["p1", "p2"]] {
        let mut network = Network::with(vec![service("cap", &cap)]);
        network.does(&json!({"set_place": {"place": "acme/rome"}}));
        network.does(&subscribe("acme/rome", failed, "cap", &[], true));
        network.does(&json!({"set_place": {"place": "acme/rome/line-5", "device": "pe-rome"}}));
        assert!(network.states("acme/rome/line-5")[0].starts_with("failed"));
        network.does(&subscribe("acme/rome/line-5", active, "cap", &["x=7m"], true));
        let given = json!({"place": "acme/rome/line-5", "subscription": failed, "substitutions": ["x=9m"]});
        let detail = network.refuses(&json!({"set_values": given}));
        assert!(detail.contains("`system cap` is set to"), "{detail}");
        network.does(
            &json!({"set_values": {"place": "acme/rome/line-5", "subscription": failed, "substitutions": ["x=7m"]}}),
        );
        assert_eq!(network.states("acme/rome/line-5"), ["active", "active"]);
    }
}

#[test]
fn what_a_device_holds_since_it_refused_a_change_is_held_against() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin/line-1", "hello", "banner", &["text=\"hello\""], true));
    network.ask(&json!({"set_values": {"place": "acme/berlin/line-1", "subscription": "hello", "substitutions": ["text=\"bye\""], "keep": true}}));
    network.answer(&json!({"failed": {"class": "refused", "message": "locked", "retry_after_s": null}}));
    assert_eq!(network.states("acme/berlin/line-1"), ["failedrefused: locked"]);
    let detail = network.refuses(&subscribe("acme/berlin/line-2", "other", "banner", &["text=\"bye\""], true));
    assert!(detail.contains("`system login message` is set to `hello` and to `bye`"), "{detail}");
    network.does(&json!({"redeploy_subscription": {"place": "acme/berlin/line-1", "name": "hello"}}));
    network.does(&subscribe("acme/berlin/line-2", "other", "banner", &["text=\"bye\""], true));
    assert_eq!(network.texts("pe-berlin"), ["system { login { message bye; } }"; 2]);
}
