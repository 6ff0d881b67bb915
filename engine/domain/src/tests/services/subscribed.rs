//! Subscriptions: to a version, with values of their own, for as long as their place.

use super::*;

#[test]
fn a_subscription_is_to_a_version_and_stays_on_it() {
    let mut lane = served();
    let set = |more: Value| {
        let mut asked = json!({"place": "acme", "name": "out", "service": "nat"});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"set_subscription": asked})
    };
    let drain = lane.decided(&set(json!({"service": "drain"})));
    assert_eq!(drain, (Verdict::NotFound, "there is no service `drain`".to_owned()));
    assert_eq!(lane.does(&set(json!({"substitutions": ["pool=192.0.2.0/28"]}))), "created");
    let was = lane.subscription("acme", "out").unwrap();
    assert_eq!(was.version, lane.newest()["nat"]);
    assert_eq!(lane.given("acme", Whose::Subscription(&name("out"))).len(), 1);
    lane.services = catalog(&[source("nat", "title = \"new\""), source("drain", "title = \"drain\"")], None);
    lane.rules(2, &[], Settings::default());
    assert_eq!(lane.does(&set(json!({"active": true}))), "changed");
    let is = lane.subscription("acme", "out").unwrap();
    assert_eq!(is, SubscriptionRow { is_active: true, changed: is.changed, ..was.clone() });
    assert_eq!(lane.given("acme", Whose::Subscription(&name("out"))).len(), 1, "what is not said stays");
    let other = lane.decided(&set(json!({"service": "drain"})));
    let expected = "`out` at `acme` is a subscription to `nat`; remove it first";
    assert_eq!(other, (Verdict::Conflict, expected.to_owned()));
    let wrong = lane.decided(&set(json!({"active": false, "substitutions": ["=1"]})));
    assert_eq!(wrong.0, Verdict::Invalid);
    assert_eq!(lane.subscription("acme", "out").unwrap(), is, "nothing is done by halves");
    assert_eq!(
        lane.decided(&json!({"set_subscription": {
            "place": "acme", "name": "in", "service": "nat", "substitutions": ["=1"],
        }}))
        .0,
        Verdict::Invalid
    );
    assert_eq!(lane.subscription("acme", "in"), None);
}

#[test]
fn a_subscription_rests_and_goes() {
    let mut lane = served();
    let path = json!({"place": "acme/berlin", "name": "out"});
    let nothing = "there is no subscription `out` at `acme/berlin`".to_owned();
    for verb in ["suspend_subscription", "resume_subscription", "remove_subscription"] {
        assert_eq!(lane.decided(&json!({verb: path})), (Verdict::NotFound, nothing.clone()), "{verb}");
    }
    lane.does(&json!({"set_subscription": {
        "place": "acme/berlin", "name": "out", "service": "nat", "substitutions": ["rate=1"],
    }}));
    for (verb, detail, is_suspended) in [
        ("suspend_subscription", "suspended", true),
        ("suspend_subscription", "unchanged", true),
        ("resume_subscription", "resumed", false),
        ("resume_subscription", "unchanged", false),
    ] {
        assert_eq!(lane.does(&json!({verb: path})), detail);
        assert_eq!(lane.subscription("acme/berlin", "out").unwrap().is_suspended, is_suspended);
    }
    assert_eq!(lane.does(&json!({"remove_subscription": path})), "removed");
    let (old, new) = lane.audited();
    assert_eq!((&old["service"], &old["substitutions"], new), (&json!("nat"), &json!(["rate=1"]), Value::Null));
    assert_eq!(lane.subscription("acme/berlin", "out"), None);
    assert!(lane.row(&values::key(&place("acme/berlin"), Whose::Subscription(&name("out")))).is_none());
}

/// What was given further below for a subscription that is gone counts for none that is made under its name again.
#[test]
fn values_of_a_subscription_count_for_that_one_alone() {
    let mut lane = served();
    let out = name("out");
    let subscribe = |place: &str| json!({"set_subscription": {"place": place, "name": "out", "service": "nat"}});
    let give = json!({"set_values": {
        "place": "acme/berlin/line-7", "subscription": "out", "substitutions": ["rate=1"],
    }});
    let line = "acme/berlin/line-7";
    lane.does(&subscribe("acme"));
    lane.does(&give);
    assert_eq!(lane.given(line, Whose::Subscription(&out)).len(), 1);
    lane.does(&subscribe("acme/berlin"));
    assert!(lane.given(line, Whose::Subscription(&out)).is_empty(), "the site's own takes the place of the inherited");
    lane.does(&json!({"remove_subscription": {"place": "acme/berlin", "name": "out"}}));
    assert_eq!(lane.given(line, Whose::Subscription(&out)).len(), 1);
    lane.does(&json!({"remove_subscription": {"place": "acme", "name": "out"}}));
    lane.does(&subscribe("acme"));
    assert!(lane.given(line, Whose::Subscription(&out)).is_empty());
    lane.does(&give);
    assert_eq!(lane.given(line, Whose::Subscription(&out)).len(), 1);
}

/// A site's own subscription leaves alone what was given at its lines, and at itself, for the inherited one.
#[test]
fn values_for_the_inherited_one_outlast_those_for_the_own_one() {
    for (level, stands) in [(8, false), (9, true)] {
        let mut lane = served_at(level);
        let out = name("out");
        let subscribe = |place: &str| json!({"set_subscription": {"place": place, "name": "out", "service": "nat"}});
        let give = |place: &str, text: &str| {
            json!({"set_values": {
                "place": place, "subscription": "out", "substitutions": [text],
            }})
        };
        let texts = |lane: &Lane, place: &str| -> Vec<String> {
            lane.given(place, Whose::Subscription(&out)).into_iter().map(|(text, _)| text).collect()
        };
        let (site, line) = ("acme/berlin", "acme/berlin/line-7");
        lane.does(&subscribe("acme"));
        lane.does(&give(site, "rate=1"));
        lane.does(&give(line, "rate=2"));
        let before = lane.base.rows();
        lane.does(&subscribe(site));
        lane.does(&give(site, "rate=3"));
        lane.does(&give(line, "rate=4"));
        assert_eq!((texts(&lane, site), texts(&lane, line)), (vec!["rate=3".to_owned()], vec!["rate=4".to_owned()]));
        lane.does(&give(line, "rate=5"));
        assert_eq!(texts(&lane, line), ["rate=5"]);
        lane.does(&json!({"remove_subscription": {"place": site, "name": "out"}}));
        let expected = |text: &str| if stands { vec![text.to_owned()] } else { Vec::new() };
        assert_eq!((texts(&lane, site), texts(&lane, line)), (expected("rate=1"), expected("rate=2")), "{level}");
        if stands {
            let (site, line) = (place(site), place(line));
            for key in [site, line].map(|at| values::key(&at, Whose::Subscription(&out)).into_bytes()) {
                assert_eq!(lane.base.rows().get(&key), before.get(&key), "to the byte");
            }
        }
    }
}

/// What stands since before the level is found where it was, and moves when something else is given.
#[test]
fn values_from_before_the_level_are_found() {
    let mut lane = served_at(8);
    let out = name("out");
    let (site, line) = ("acme/berlin", "acme/berlin/line-7");
    lane.does(&json!({"set_subscription": {"place": site, "name": "out", "service": "nat"}}));
    let give = |text: &str| json!({"set_values": {"place": line, "subscription": "out", "substitutions": [text]}});
    lane.does(&give("rate=1"));
    lane.decide("", "ctl", b"", Content::Level(9));
    assert_eq!(lane.given(line, Whose::Subscription(&out)).len(), 1);
    lane.does(&give("rate=2"));
    assert_eq!(lane.given(line, Whose::Subscription(&out)).first().unwrap().0, "rate=2");
    assert!(lane.row(&values::key(&place(line), Whose::Subscription(&out))).is_none());
    lane.does(&json!({"set_values": {"place": line, "subscription": "out", "substitutions": []}}));
    assert!(lane.given(line, Whose::Subscription(&out)).is_empty());
}

#[test]
fn whoever_subscribes_with_values_or_activates_may_do_that_too() {
    let mut lane = served();
    let manager = |name: &str, privileges: &[&str]| json!({"set_manager": {"manager": name, "sphere": ["acme/berlin"], "privileges": privileges}});
    lane.does(&manager("ann", &["subscription"]));
    lane.does(&manager("ben", &["subscription", "substitution", "activation"]));
    let set = |more: Value| {
        let mut asked = json!({"place": "acme/berlin", "name": "out", "service": "nat"});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"set_subscription": asked})
    };
    let by = |name: &str| json!({"kind": "manager", "organization": "acme", "name": name});
    let lacks = |privilege: &str| {
        (Verdict::Forbidden, format!("`acme/ann` has not the privilege `{privilege}` on `acme/berlin`"))
    };
    let (values, active) = (json!({"substitutions": ["rate=1"]}), json!({"active": true}));
    assert_eq!(lane.decided_for(&by("ann"), &set(values.clone())), lacks("substitution"));
    assert_eq!(lane.decided_for(&by("ann"), &set(active.clone())), lacks("activation"));
    assert_eq!(lane.subscription("acme/berlin", "out"), None);
    assert_eq!(lane.decided_for(&by("ann"), &set(json!({}))).0, Verdict::Done);
    assert_eq!(lane.decided_for(&by("ben"), &set(values)).0, Verdict::Done);
    assert_eq!(lane.decided_for(&by("ben"), &set(active)).0, Verdict::Done);
    let above = json!({"set_subscription": {"place": "acme", "name": "out", "service": "nat"}});
    assert_eq!(lane.decided_for(&by("ben"), &above).0, Verdict::Forbidden);
}

#[test]
fn a_place_takes_its_subscriptions_and_values_with_it() {
    let mut lane = served();
    let line = "acme/berlin/line-7";
    lane.does(&json!({"set_subscription": {"place": line, "name": "out", "service": "nat"}}));
    lane.does(&json!({"set_subscription": {"place": "acme", "name": "all", "service": "nat"}}));
    for subscription in [None, Some("out"), Some("all")] {
        let give = json!({"place": line, "subscription": subscription, "substitutions": ["rate=1"]});
        lane.does(&json!({"set_values": give}));
    }
    lane.does(&json!({"set_values": {"place": "acme/berlin", "substitutions": ["rate=2"]}}));
    let remove = |cascade: bool| json!({"remove_place": {"place": "acme/berlin", "cascade": cascade}});
    let (verdict, detail) = lane.decided(&remove(false));
    let expected = "on `acme/berlin` hang 1 access line, 1 subscription; they go too with `cascade`";
    assert_eq!((verdict, &*detail), (Verdict::Conflict, expected));
    lane.does(&remove(true));
    assert_eq!(lane.audited().0["subscriptions"], json!(["acme/berlin/line-7 out"]));
    let left: Vec<_> = lane.base.rows().into_keys().filter(|key| matches!(key.first(), Some(b'U' | b'V'))).collect();
    assert_eq!(left, [subscriptions::key(&place("acme"), &name("all")).into_bytes()]);
}

/// Neighbours whose names begin alike are not taken for what lies at a place.
#[test]
fn rows_of_a_place_are_its_own() {
    let mut lane = served();
    for place in ["acme/berlin-2", "acme/b"] {
        lane.does(&json!({"set_place": {"place": place}}));
        lane.does(&json!({"set_subscription": {"place": place, "name": "out", "service": "nat"}}));
    }
    assert_eq!(subscriptions::at(&lane.base, &place("acme/berlin")).count(), 0);
    assert_eq!(subscriptions::at(&lane.base, &place("acme")).count(), 0);
    let org = "acme".parse().unwrap();
    let all: Vec<_> = subscriptions::all(&lane.base, &org).map(|found| found.unwrap().0.to_string()).collect();
    assert_eq!(all, ["acme/b", "acme/berlin-2"]);
}
