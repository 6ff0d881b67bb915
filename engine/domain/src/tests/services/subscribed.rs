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
