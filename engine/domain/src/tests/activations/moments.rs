//! Schedules: what is to count later, and what follows at its moments.

use super::*;

#[test]
fn what_is_to_count_later_is_held_against_what_counts_always() {
    let banner = [
        (BANNER[0].0, BANNER[0].1.replace("[parameters]", "schedulable = true\n[parameters]")),
        (BANNER[1].0, BANNER[1].1.to_owned()),
    ];
    let mut network =
        Network::with(vec![service("banner", &banner.each_ref().map(|(name, text)| (*name, text.as_str())))]);
    network.does(&subscribe("acme", "day", "banner", &[], false));
    network.does(&subscribe("acme", "night", "banner", &[], false));
    let at_hour = |place: &str, name: &str, text: &str, hour: u32| {
        let schedule = json!({"start": format!("2026-11-21T{hour:02}:00:00"), "duration_s": 3600, "repeat": "daily"});
        json!({"activate_subscription": {"place": place, "name": name, "substitutions": [text], "schedule": schedule}})
    };
    network.does(&activate("acme/berlin/line-1", "day", &["text=\"a\""]));
    let night = |place: &str| at_hour(place, "night", "text=\"b\"", 22);
    assert_eq!(
        network.refuses(&night("acme/berlin/line-1")),
        "`acme/berlin/line-1`: `system login message` is set to `a` and to `b`: by `day-7eab7a0672b1` of `day` at \
         `acme/berlin/line-1`, for `acme/berlin/line-1`, with `text` and by `night-5c94dce4042e` of `night` at \
         `acme/berlin/line-1`, for `acme/berlin/line-1`, with `text`"
    );
    let found = network.refuses(&at_hour("acme/berlin/line-1", "night", "text=1", 22));
    assert!(found.contains("`text`"), "{found}");
    // What counts by day and what counts by night do not meet.
    network.does(&json!({"deactivate_subscription": {"place": "acme/berlin/line-1", "name": "day"}}));
    network.does(&at_hour("acme/berlin/line-1", "day", "text=\"a\"", 8));
    network.does(&night("acme/berlin/line-1"));
    // Of all lines of a device one sets it to the same as another, and nothing else is held against itself.
    network.does(&night("acme/paris"));
}

#[test]
fn a_schedule_puts_and_removes_at_its_moments() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], false));
    let schedule = |start: &str| json!({"start": start, "duration_s": 3600, "repeat": "daily"});
    let scheduled = json!({"activate_subscription": {"place": "acme/berlin/line-1", "name": "cap",
        "schedule": schedule("2026-11-21T12:00:00")}});
    network.does(&scheduled);
    assert_eq!(network.states("acme/berlin/line-1"), ["inactive"]);
    let tick = |network: &mut Network, time: &str| {
        network.lane.now = time.parse().unwrap();
        network.lane.decide("", "ctl", b"", Content::Tick);
        network.lane.commit();
        network.lane.work();
        network.settle();
        network.devices.len()
    };
    assert_eq!(tick(&mut network, "2026-11-21T12:00:00Z"), 1);
    assert_eq!(network.states("acme/berlin/line-1"), ["active"]);
    assert_eq!(tick(&mut network, "2026-11-21T13:00:00Z"), 0);
    assert_eq!(tick(&mut network, "2026-11-22T12:30:00Z"), 1);
    network.does(&deactivate("acme/berlin/line-1", "cap"));
    assert_eq!(tick(&mut network, "2026-11-23T12:30:00Z"), 0);
    let over = json!({"activate_subscription": {"place": "acme/berlin/line-1", "name": "cap",
        "schedule": {"start": "2026-11-21T12:00:00", "duration_s": 60}}});
    assert_eq!(network.refuses(&over), "`schedule` enables nothing from now on: it is over");
    let other = json!({"set_subscription": {"place": "acme/paris", "name": "hi", "service": "banner",
        "substitutions": ["text=\"x\""], "active": true, "schedule": schedule("2026-11-21T12:00:00")}});
    assert_eq!(network.refuses(&other), "`schedule` is not for `banner`: the service is not `schedulable`");
}

#[test]
fn a_preview_shows_what_a_schedule_does_when_it_begins() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], false));
    let start = network.lane.now + 30.hours();
    let schedule = json!({"start": start.strftime("%Y-%m-%dT%H:%M:%S").to_string(), "duration_s": 3600});
    let asked = json!({"activate_subscription": {"place": "acme/berlin/line-1", "name": "cap", "schedule": schedule}});
    let found = network.previews(&asked);
    assert_eq!((found.verdict, found.is_complete, found.lines), (Verdict::Done, true, 1), "{found:?}");
    assert_eq!(found.begins.map(|begins| begins.as_second()), Some(start.as_second()));
    let [change] = found.changes.as_slice() else { panic!("{found:?}") };
    assert!(change.diff.contains("rate 10000000;") && !change.reverse.is_empty(), "{change:?}");
    assert_eq!(change.state, Some(parts::State::Pending));
    // What is told at once is told, and not what comes later.
    network.does(&json!({"activate_subscription": {"place": "acme", "name": "cap", "substitutions": []}}));
    let found = network.previews(
        &json!({"set_subscription": {"place": "acme", "name": "cap", "service": "limit", "schedule": schedule}}),
    );
    assert_eq!((found.begins, found.changes.len()), (None, 4), "{found:?}");
    assert!(found.changes.iter().all(|change| change.diff.contains("-  ")), "{found:?}");
    assert_eq!(network.previews(&deactivate("acme", "cap")).begins, None);
}
