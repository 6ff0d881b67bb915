//! Groups on devices: each an activation's own, put for its line and taken out without a trace.

use super::*;

#[test]
fn an_activation_is_a_group_of_its_own_on_the_device_of_each_line_and_goes_without_a_trace() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], false));
    assert!(network.devices.is_empty(), "what is not active is nowhere");
    assert_eq!(network.does(&activate("acme", "cap", &[])), "activated");
    let groups: Vec<&String> = network.devices["pe-berlin"].keys().collect();
    assert_eq!(groups.len(), 2);
    assert!(groups.iter().all(|group| group.starts_with("linesman-cap-")), "{groups:?}");
    assert!(groups[0].ends_with("-line-1") && groups[1].ends_with("-line-2"), "{groups:?}");
    assert_eq!(
        network.texts("pe-berlin"),
        [
            "firewall { policer line-1 { rate 10000000; burst 1000; } }",
            "firewall { policer line-2 { rate 10000000; burst 1000; } }",
        ]
    );
    assert_eq!(network.states("acme/paris/line-2"), ["active"]);
    assert_eq!(network.does(&deactivate("acme", "cap")), "deactivated");
    assert!(network.devices.is_empty() && network.parts().is_empty());
}

#[test]
fn a_changed_value_tells_the_devices_that_depend_on_it_and_no_others() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    network.told.clear();
    network.does(&values("acme/paris/line-2", &["rate=20m"]));
    assert_eq!(network.told.len(), 1, "{:?}", network.told);
    assert!(network.texts("pe-paris")[1].contains("rate 20000000;"));
    network.told.clear();
    network.does(&values("acme/berlin", &["rate=10m"]));
    assert!(network.told.is_empty(), "it comes to the same");
    network.does(&json!({"set_place": {"place": "acme/berlin/line-1", "device": "pe-new"}}));
    let told: Vec<bool> = network.told.iter().map(|(_, is_put)| *is_put).collect();
    assert_eq!(told, [false, true], "the device before loses it");
    assert_eq!((network.texts("pe-berlin").len(), network.texts("pe-new").len()), (1, 1));
}

#[test]
fn the_manager_of_a_line_ends_and_takes_up_what_is_inherited_there_alone() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    network.does(&deactivate("acme/berlin/line-1", "cap"));
    assert_eq!(network.states("acme/berlin/line-1"), ["inactive"]);
    assert_eq!(network.texts("pe-berlin"), ["firewall { policer line-2 { rate 10000000; burst 1000; } }"]);
    network.does(&activate("acme/berlin/line-1", "cap", &["rate=5m"]));
    assert!(network.texts("pe-berlin").iter().any(|text| text.contains("rate 5000000;")));
    network.does(&deactivate("acme/berlin/line-1", "cap"));
    network.does(&activate("acme/berlin/line-1", "cap", &[]));
    assert_eq!(network.texts("pe-berlin").len(), 2, "the one from above reaches there again");
    network.does(&deactivate("acme", "cap"));
    assert!(network.devices.is_empty());
}

#[test]
fn a_subscription_of_its_own_takes_the_place_of_the_inherited_one() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    network.does(&subscribe("acme/berlin", "cap", "limit", &["burst=2k"], false));
    assert!(!network.devices.contains_key("pe-berlin"), "{:?}", network.devices);
    network.does(&activate("acme/berlin", "cap", &[]));
    assert!(network.texts("pe-berlin").iter().all(|text| text.contains("burst 2000;")));
    network.does(&json!({"remove_subscription": {"place": "acme/berlin", "name": "cap"}}));
    assert!(network.texts("pe-berlin").iter().all(|text| text.contains("burst 1000;")));
    network.does(&json!({"suspend_subscription": {"place": "acme", "name": "cap"}}));
    assert!(network.devices.is_empty());
    assert_eq!(network.states("acme/paris/line-1"), ["inactive"]);
    network.does(&json!({"resume_subscription": {"place": "acme", "name": "cap"}}));
    assert_eq!(network.devices.len(), 2);
}

#[test]
fn what_is_missing_is_told_when_it_is_to_be_active() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin", "cap", "limit", &[], false));
    let detail = network.refuses(&activate("acme/berlin", "cap", &[]));
    assert_eq!(
        detail,
        "`acme/berlin/line-1`: `burst` is required and has no value; \
         `acme/berlin/line-2`: `burst` is required and has no value"
    );
    let detail = network.refuses(&activate("acme/berlin", "cap", &["brust=1k"]));
    assert_eq!(detail, "there is no parameter `brust`; did you mean `burst`?");
    network.does(&activate("acme/berlin", "cap", &["burst=3k"]));
    assert_eq!(network.texts("pe-berlin").len(), 2);
}

#[test]
fn two_lines_of_one_name_on_one_device_have_groups_of_their_own() {
    let mut network = Network::new();
    network.does(&json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-berlin"}}));
    network.does(&subscribe("acme", "hello", "banner", &["text=\"hello\""], true));
    assert_eq!(network.texts("pe-berlin").len(), 3);
    network.does(&deactivate("acme/berlin/line-1", "hello"));
    assert_eq!(network.texts("pe-berlin").len(), 2);
    network.does(&deactivate("acme", "hello"));
    assert!(network.devices.is_empty() && network.parts().is_empty());
}

#[test]
fn a_place_that_goes_takes_its_groups_along() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    network.does(&json!({"remove_place": {"place": "acme/berlin", "cascade": true}}));
    assert!(!network.devices.contains_key("pe-berlin"));
    assert!(network.parts().keys().all(|(line, _)| line.starts_with("acme/paris")));
}

#[test]
fn a_changed_service_reaches_subscriptions_when_it_is_rolled_out() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin", "cap", "limit", &["burst=1k"], true));
    network.does(&subscribe("acme/paris", "cap", "limit", &["burst=1k"], true));
    network.told.clear();
    let renamed =
        [LIMIT[0], (LIMIT[1].0, "firewall {\n    policer {{ line }} {\n        bandwidth {{ rate }};\n    }\n}\n")];
    network.lane.services = catalog(vec![service("limit", &renamed), service("banner", &BANNER)], None);
    network.lane.rules(2, &[], Settings::default());
    network.lane.work();
    network.settle();
    assert!(network.told.is_empty(), "a saved template configures nobody anew");
    network.does(&json!({"rollout_service": {"service": "limit", "under": "acme", "canary": 1}}));
    let is_new = |network: &Network, device: &str| network.texts(device).iter().all(|text| text.contains("bandwidth"));
    assert!(is_new(&network, "pe-berlin") && !is_new(&network, "pe-paris"));
    assert_eq!(network.does(&json!({"rollout_service": {"service": "limit", "under": "acme"}})), "begun");
    assert!(is_new(&network, "pe-berlin") && is_new(&network, "pe-paris"));
    assert_eq!(network.does(&json!({"rollout_service": {"service": "limit", "under": "acme"}})), "unchanged");
    let unknown = json!({"rollout_service": {"service": "limit", "under": "acme", "version": "000000000000"}});
    assert_eq!(network.refuses(&unknown), "there is no version `000000000000` of the service `limit`");
}

#[test]
fn whichever_of_two_lines_of_one_name_comes_first_their_groups_are_called_alike() {
    let groups = |sites: [&str; 2]| {
        let mut network = Network::new();
        network.does(&json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-berlin"}}));
        network.does(&subscribe("acme", "hello", "banner", &["text=\"hello\""], true));
        for site in sites {
            network.does(&deactivate(&format!("acme/{site}/line-1"), "hello"));
        }
        for site in sites {
            network.does(&activate(&format!("acme/{site}/line-1"), "hello", &[]));
        }
        network.devices
    };
    assert_eq!(groups(["berlin", "paris"]), groups(["paris", "berlin"]));
}
