//! Places of many lines: what is wrong with a later one is found beforehand where something tells it from others, and where
//! not all is looked at, that is told.

use super::*;

/// How many sites there are besides, and how many lines each has.
const SITES: usize = 3;
const LINES: usize = 100;
/// What is told where not all are looked at.
const NOT_ALL: &str =
    "access lines were looked at, and there are more: what is wrong with those stands there as `failed`";

fn line(site: usize, line: usize) -> String {
    format!("acme/m{site:02}/line-{line:03}")
}

/// A network with sites of many lines, each with a device of its own.
fn many(services: Vec<ServiceSource>, sites: usize) -> Network {
    let mut network = Network::with(services);
    for site in 0..sites {
        network.lane.decided(&json!({"set_place": {"place": format!("acme/m{site:02}")}}));
        for number in 0..LINES {
            let device = format!("pe-{site:02}-{number:03}");
            network.lane.decided(&json!({"set_place": {"place": line(site, number), "device": device}}));
        }
    }
    for number in 1..=2 {
        for site in ["berlin", "paris"] {
            let place = format!("acme/{site}/line-{number}");
            network.lane.decided(&json!({"set_place": {"place": place, "device": format!("pe-{site}-{number}")}}));
        }
    }
    network
}

#[test]
fn a_conflict_at_a_line_behind_the_first_ones_is_refused_where_something_stands_there() {
    let mut network = many(vec![service("banner", &BANNER)], SITES);
    network.does(&subscribe(&line(2, 50), "hello", "banner", &["text=\"hello\""], true));
    let detail = network.refuses(&subscribe("acme", "bye", "banner", &["text=\"bye\""], true));
    assert!(detail.contains("`system login message` is set to"), "{detail}");
    assert!(detail.contains("of `hello` at `acme/m02/line-050`") && detail.contains("of `bye` at `acme`"), "{detail}");
    let told = network.does(&subscribe("acme", "bye", "banner", &["text=\"hello\""], true));
    assert_eq!(told, format!("created; 201 {NOT_ALL}"));
    assert_eq!(network.states(&line(2, 99)), ["active"]);
}

#[test]
fn a_conflict_of_two_lines_behind_the_first_ones_is_refused_where_they_share_a_device() {
    let own = [BANNER[0], ("main.j2", "system { login { message {{ line }}; } }\n")];
    let mut network = many(vec![service("banner", &own)], SITES);
    network.does(&json!({"set_place": {"place": line(2, 60), "device": "pe-02-050"}}));
    network.does(&subscribe("acme", "own", "banner", &["text=\"\""], false));
    let detail = network.refuses(&activate("acme", "own", &[]));
    assert!(detail.contains("for `acme/m02/line-050`") && detail.contains("for `acme/m02/line-060`"), "{detail}");
}

#[test]
fn what_takes_the_place_of_a_removed_subscription_is_held_against_others() {
    let mut network = Network::new();
    network.does(&json!({"set_place": {"place": "acme/berlin/line-2", "device": "pe-2"}}));
    network.does(&subscribe("acme", "x", "banner", &["text=\"a\""], true));
    network.does(&subscribe("acme/berlin", "x", "banner", &["text=\"b\""], true));
    network.does(&subscribe("acme/berlin/line-1", "y", "banner", &["text=\"b\""], true));
    let remove = json!({"remove_subscription": {"place": "acme/berlin", "name": "x"}});
    let detail = network.refuses(&remove);
    assert!(
        detail.starts_with("`acme/berlin/line-1`: `system login message` is set to `b` and to `a`: by "),
        "{detail}"
    );
    assert!(detail.contains(" of `y` at `acme/berlin/line-1`") && detail.contains(" of `x` at `acme`"), "{detail}");
    network.does(&deactivate("acme/berlin/line-1", "y"));
    assert_eq!(network.does(&remove), "removed");
    assert_eq!(network.texts("pe-2"), ["system { login { message a; } }"]);
}

#[test]
fn where_not_all_that_stands_below_is_looked_at_it_is_told() {
    let victim = "title = \"Hole\"\n[parameters]\nrate = { type = \"rate\", default = \"1\" }\n\
                  victim = { type = \"address\", constraint = \"victim in interface_networks\" }\n";
    let hole = [(LIMIT[0].0, victim), ("main.j2", "x {{ rate }};\n")];
    let mut network = many(vec![service("hole", &hole)], SITES);
    for site in ["berlin", "paris", "m00", "m01", "m02"] {
        network.does(&json!({"set_place": {"place": format!("acme/{site}"), "addresses": ["192.0.2.1/24"]}}));
    }
    network.does(&subscribe("acme", "hole", "hole", &[], false));
    let values_below = "not all values below were looked at: what is wrong with others is told when they are rendered";
    assert_eq!(network.does(&values("acme", &["victim=192.0.2.7"])), format!("changed; {values_below}; 200 {NOT_ALL}"));
    for number in 10..40 {
        network.does(&values(&line(0, number), &["rate=20m"]));
    }
    let detail = network.refuses(&values("acme", &["rate in 1..10m"]));
    assert!(detail.starts_with("it would break what stands below: `acme/m00/line-010`: `rate`: "), "{detail}");
    assert!(detail.ends_with("; and 1 more; and not all that stands below was looked at"), "{detail}");
    let found = network.previews(&values("acme", &["rate in 1..10m"]));
    assert!(!found.is_complete && found.wrong.len() == 21, "{found:?}");
}

#[test]
fn a_preview_foresees_more_lines_than_are_looked_at_beforehand() {
    let network = {
        let mut network = many(vec![service("limit", &LIMIT)], 17);
        network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], false));
        network
    };
    let found = network.previews(&activate("acme", "cap", &[]));
    assert_eq!((found.is_complete, found.lines, found.changes.len(), found.more_changes), (true, 1_704, 200, 1_504));
}
