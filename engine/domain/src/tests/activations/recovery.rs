//! Devices that refuse, answer late or change, and lines that keep each other out: nothing is forgotten, and work ends.

use super::*;

#[test]
fn lines_that_are_kept_out_do_not_wake_each_other_for_ever() {
    let own = |text: &'static str| [("service.toml", "title = \"A\"\n"), ("main.j2", text)];
    let (one, two) = (own("x 1;\n"), own("x 2;\nw 5;\n"));
    let mut network = Network::with(vec![service("a", &one), service("b", &own("w 6;\n"))]);
    network.does(&subscribe("acme", "a", "a", &[], true));
    network.does(&subscribe("acme/berlin/line-1", "b", "b", &[], true));
    network.lane.services = catalog(vec![service("a", &two), service("b", &own("w 6;\n"))], None);
    network.lane.rules(2, &[], Settings::default());
    network.lane.decided(&json!({"rollout_service": {"service": "a", "under": "acme", "force": true}}));
    for _ in 0..100 {
        if network.lane.domain.has_work() {
            network.lane.decide("", "ctl", b"", Content::Continue { is_alone: false });
            network.lane.commit();
        }
    }
    assert!(!network.lane.domain.has_work(), "slices follow one another for ever");
    network.settle();
    assert_eq!(network.texts("pe-paris"), ["x 2; w 5;"; 2]);
    assert!(network.texts("pe-berlin").iter().all(|text| !text.contains("x 2")), "{:?}", network.devices);
    network.does(&deactivate("acme/berlin/line-1", "b"));
    assert_eq!(network.texts("pe-berlin"), ["x 2; w 5;"; 2]);
}

#[test]
fn what_is_being_taken_out_is_not_forgotten_when_it_is_wanted_again_and_fails() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], true));
    network.ask(&deactivate("acme/berlin/line-1", "cap"));
    let bad = [LIMIT[0], ("main.j2", "{{ nothing }};\n")];
    network.lane.services = catalog(vec![service("limit", &bad), service("banner", &BANNER)], None);
    network.lane.rules(2, &[], Settings::default());
    network.ask(&json!({"rollout_service": {"service": "limit", "under": "acme", "force": true}}));
    network.ask(&json!({"suspend_subscription": {"place": "acme/berlin/line-1", "name": "cap"}}));
    network.ask(&activate("acme/berlin/line-1", "cap", &[]));
    network.ask(&json!({"resume_subscription": {"place": "acme/berlin/line-1", "name": "cap"}}));
    network.ask(&deactivate("acme/berlin/line-1", "cap"));
    network.settle();
    assert!(network.devices.is_empty() && network.parts().is_empty(), "{:?} {:?}", network.devices, network.parts());
}

#[test]
fn a_line_that_goes_to_another_device_and_back_has_its_group_in_whatever_order_devices_answer() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], true));
    network.ask(&json!({"set_place": {"place": "acme/berlin/line-1", "device": "pe-new"}}));
    network.ask(&json!({"set_place": {"place": "acme/berlin/line-1", "device": "pe-berlin"}}));
    // The first removal fails and is tried again behind all else.
    network.answer(&failed("unavailable", None));
    network.lane.now += 1.hour();
    network.settle();
    assert_eq!(network.texts("pe-berlin"), ["firewall { policer line-1 { rate 10000000; burst 1000; } }"]);
    assert!(!network.devices.contains_key("pe-new"), "{:?}", network.devices);
    assert_eq!(network.states("acme/berlin/line-1"), ["active"]);
}

#[test]
fn what_a_device_refuses_to_take_out_still_counts() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin/line-1", "hello", "banner", &["text=\"hello\""], true));
    network.ask(&deactivate("acme/berlin/line-1", "hello"));
    network.answer(&failed("refused", None));
    assert_eq!(network.states("acme/berlin/line-1"), ["failedrefused: no"]);
    // Asked again at the next change of the line.
    network.does(&subscribe("acme/berlin/line-1", "bye", "banner", &["text=\"bye\""], true));
    network.does(&values("acme/berlin/line-1", &[]));
    assert_eq!(network.texts("pe-berlin"), ["system { login { message bye; } }"]);
}
