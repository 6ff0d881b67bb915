//! Values of places: who gave them, what is refused, what they are acquired from.

use super::*;

#[test]
fn values_stand_with_who_gave_them_until_they_are_given_anew() {
    let mut lane = served();
    let set = |more: Value| {
        let mut asked = json!({"place": "acme/berlin"});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"set_values": asked})
    };
    let grant = json!({"set_manager": {"manager": "ann", "sphere": ["acme/berlin"], "privileges": ["substitution"]}});
    lane.does(&grant);
    lane.does(&json!({"set_subscription": {"place": "acme", "name": "out", "service": "nat"}}));
    assert_eq!(lane.does(&set(json!({"substitutions": ["rate=10m", "dept:network="]}))), "changed");
    let texts = |texts: &[&str]| json!({"substitutions": texts});
    assert_eq!(lane.audited(), (texts(&[]), texts(&["rate=10m", "dept:network="])));
    let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let more = json!({"substitutions": ["!rate=20m", "rate in 1..1g"], "keep": true});
    assert_eq!(lane.decided_for(&ann, &set(more)).0, Verdict::Done);
    let by = |text: &str, by: &str| (text.to_owned(), by.to_owned());
    let expected = [by("dept:network=", "admin"), by("!rate=20m", "acme/ann"), by("rate in 1..1g", "acme/ann")];
    assert_eq!(lane.given("acme/berlin", Whose::Own), expected);
    let unset = |name: &str| set(json!({"unset": [name], "keep": true}));
    assert_eq!(lane.does(&unset("rate")), "changed");
    let narrowed = [by("dept:network=", "admin"), by("rate in 1..1g", "acme/ann")];
    assert_eq!(lane.given("acme/berlin", Whose::Own), narrowed, "who takes back a value widens nothing");
    assert_eq!(lane.does(&unset("rate")), "changed");
    assert_eq!(lane.given("acme/berlin", Whose::Own), [by("dept:network=", "admin")]);
    lane.does(&set(json!({"substitutions": ["team:number=", "team=3", "team in 1..5"], "keep": true})));
    lane.does(&unset("team"));
    assert_eq!(
        lane.given("acme/berlin", Whose::Own),
        [by("dept:network=", "admin")],
        "nothing narrows what is not there"
    );
    // What stands as it is given stays whose it was.
    let again = set(json!({"substitutions": ["dept:network="]}));
    assert_eq!(lane.decided_for(&ann, &again), (Verdict::Done, "unchanged".to_owned()));
    assert_eq!(lane.given("acme/berlin", Whose::Own), [by("dept:network=", "admin")]);
    assert_eq!(lane.does(&set(json!({}))), "changed");
    assert!(lane.row(&values::key(&place("acme/berlin"), Whose::Own)).is_none(), "nothing stands there");
}

#[test]
fn values_are_refused_whole() {
    let mut lane = served();
    let mut refused = |verb: Value| {
        let (verdict, detail) = lane.decided(&verb);
        assert_ne!(verdict, Verdict::Done);
        (verdict, detail)
    };
    let set = |place: &str, substitutions: &[&str]| json!({"set_values": {"place": place, "substitutions": substitutions, "keep": true}});
    let expected = |verdict: Verdict, detail: &str| (verdict, detail.to_owned());
    assert_eq!(
        refused(set("acme/munich", &["rate=1"])),
        expected(Verdict::NotFound, "there is no place `acme/munich`")
    );
    assert_eq!(
        refused(set("bolt/munich", &["rate=1"])),
        expected(Verdict::Invalid, "`set-values` is not asked of an organization")
    );
    assert_eq!(
        refused(set("acme", &["rate=1", "1=rate"])),
        expected(
            Verdict::Invalid,
            "`substitutions/1` at column 1: `1` is no name of a parameter; a name is a letter, then letters, digits and `_`"
        )
    );
    assert_eq!(
        refused(set("acme", &["rate=1", "!rate=2"])),
        expected(Verdict::Invalid, "`substitutions/1` gives `rate` a second time")
    );
    assert_eq!(
        refused(json!({"set_values": {"place": "acme", "unset": ["rate"], "keep": true}})),
        expected(Verdict::NotFound, "there is no substitution of `rate` to take away")
    );
    assert_eq!(
        refused(json!({"set_values": {"place": "acme", "subscription": "nat", "substitutions": ["rate=1"]}})),
        expected(Verdict::NotFound, "`nat` is no subscription at `acme`, nor above it")
    );
    assert_eq!(
        refused(json!({"localize_service": {"service": "drain", "substitutions": ["rate=1"]}})),
        expected(Verdict::NotFound, "there is no service `drain`")
    );
    let many: Vec<_> = (0..200).map(|number| format!("p{number}:number=1")).collect();
    let more: Vec<_> = (200..257).map(|number| format!("p{number}:number=1")).collect();
    lane.does(&json!({"set_values": {"place": "acme", "substitutions": many}}));
    let more = json!({"set_values": {"place": "acme", "substitutions": more, "keep": true}});
    let full = "there would be 257 substitutions, more than 256";
    assert_eq!(lane.decided(&more), expected(Verdict::Conflict, full));
    assert_eq!(lane.given("acme", Whose::Own).len(), 200);
}

#[test]
fn what_would_break_something_is_refused_where_it_is_given() {
    let mut lane = served();
    let set = |place: &str, substitutions: &[&str]| json!({"set_values": {"place": place, "substitutions": substitutions, "keep": true}});
    lane.does(&json!({"set_subscription": {"place": "acme", "name": "out", "service": "nat"}}));
    lane.does(&set("acme", &["!pool=192.0.2.0/24", "rate in 1..200m", "gold:rate=100m"]));
    lane.does(&set("acme/berlin/line-7", &["rate=50m"]));
    for (place, said, verdict, detail) in [
        (
            "acme/berlin",
            "pool=198.51.100.0/24",
            Verdict::Conflict,
            "`pool` is fixed by `acme`, and nobody below substitutes it",
        ),
        (
            "acme/berlin",
            "rate in 1..500m",
            Verdict::Invalid,
            "`rate`: `acme/berlin` would widen it to `1..500000000`, and `acme` admits `1..200000000` only \
             (a constraint can only be narrowed)",
        ),
        (
            "acme/berlin",
            "rate=300m",
            Verdict::Invalid,
            "`rate`: `acme/berlin` gives `300000000`, and `acme` admits `1..200000000` only",
        ),
        (
            "acme/berlin",
            "pool:network:address=gold",
            Verdict::Conflict,
            "`pool` is fixed by `acme`, and nobody below substitutes it",
        ),
        ("acme/berlin", "rat=1", Verdict::Invalid, "there is no parameter `rat`; did you mean `rate`?"),
        (
            "acme/berlin",
            "line=\"x\"",
            Verdict::Invalid,
            "`line`: `line` is told by the place itself, and nobody substitutes it",
        ),
        (
            "acme/berlin",
            "line:string=",
            Verdict::Invalid,
            "`line` is told by the place itself, and nobody declares it; choose another name",
        ),
        (
            "acme/berlin",
            "rate in 1..10m",
            Verdict::Conflict,
            "it would break what stands below: `acme/berlin/line-7`: `rate`: `acme/berlin/line-7` gives `50000000`, and \
             `acme/berlin` admits `1..10000000` only",
        ),
        (
            "acme/berlin",
            "a:rate=b",
            Verdict::Invalid,
            "`a`: `b` of `acme/berlin`: there is no parameter `b` (did you mean `a`?; a text stands in quotes: `\"b\"`)",
        ),
    ] {
        let found = lane.decided(&set(place, &[said]));
        assert_eq!(found, (verdict, detail.to_owned()), "{said}");
    }
    assert!(lane.given("acme/berlin", Whose::Own).is_empty());
    lane.does(&set("acme/berlin", &["rate=gold"]));
    lane.services = catalog(&[source("nat", NAT), source("spot", "title = \"S\"\nlevels = [\"line\"]")], None);
    lane.rules(2, &[], Settings::default());
    let spot = json!({"set_subscription": {"place": "acme/berlin", "name": "spot", "service": "spot"}});
    let expected = "`spot` is subscribed at the level line, and `acme/berlin` is none";
    assert_eq!(lane.decided(&spot), (Verdict::Conflict, expected.to_owned()));
}

#[test]
fn a_name_stays_declared_as_long_as_something_below_is_given_of_it() {
    let mut lane = served();
    let set = |place: &str, substitutions: &[&str]| json!({"set_values": {"place": place, "substitutions": substitutions, "keep": true}});
    let unset = |name: &str| json!({"set_values": {"place": "acme", "unset": [name], "keep": true}});
    lane.does(&set("acme", &["dept:network=", "team:string=\"x\""]));
    lane.does(&set("acme/berlin", &["dept=192.0.2.0/24", "team=\"y\"", "own:string=team"]));
    let told = "it would break what stands below: `acme/berlin`: `dept=192.0.2.0/24` is given, and there would be no \
                parameter `dept`";
    assert_eq!(lane.decided(&unset("dept")), (Verdict::Conflict, told.to_owned()));
    let (verdict, told) = lane.decided(&unset("team"));
    assert_eq!(verdict, Verdict::Conflict);
    assert!(told.contains("`own:string=team` is given, and there would be no parameter `team`"), "{told}");
    assert!(told.contains("`team=\"y\"` is given, and there would be no parameter `team`"), "{told}");
    lane.does(
        &json!({"set_values": {"place": "acme/berlin", "substitutions": ["dept:network=", "dept=192.0.2.0/24"]}}),
    );
    lane.does(&unset("dept"));
}

#[test]
fn a_value_that_would_be_wrong_with_the_addresses_of_a_line_below_is_refused() {
    let hole = "title = \"Hole\"\n[parameters]\n\
                victim = { type = \"address\", constraint = \"victim in interface_networks\" }\n";
    let mut lane = served();
    lane.services = catalog(&[source("nat", NAT), source("hole", hole)], None);
    lane.rules(2, &[], Settings::default());
    lane.does(&json!({"set_place": {"place": "acme/berlin/line-7", "addresses": ["192.0.2.1/28"]}}));
    lane.does(&json!({"set_subscription": {"place": "acme", "name": "hole", "service": "hole"}}));
    let set = |victim: &str| json!({"set_values": {"place": "acme/berlin", "substitutions": [victim]}});
    let told = "it would break what stands below: `acme/berlin/line-7`: `victim`: `acme/berlin` gives `198.51.100.7`, and \
                the definition admits `[192.0.2.0/28]` only";
    assert_eq!(lane.decided(&set("victim=198.51.100.7")), (Verdict::Conflict, told.to_owned()));
    lane.does(&set("victim=192.0.2.7"));
}

#[test]
fn values_of_a_place_are_acquired_from_its_rows() {
    let mut lane = served();
    lane.does(&json!({"set_place": {"place": "acme/berlin/line-7", "interface": "ge-0/0/7.0", "speed": 100_000_000}}));
    lane.does(
        &json!({"set_subscription": {"place": "acme", "name": "out", "service": "nat", "substitutions": ["rate=1m"]}}),
    );
    lane.does(&json!({"localize_service": {"service": "nat", "substitutions": ["net:network=", "pool=net"]}}));
    lane.does(&json!({"set_values": {"place": "acme", "substitutions": ["net=192.0.2.0/24"]}}));
    lane.does(&json!({"set_values": {
        "place": "acme/berlin", "subscription": "out", "substitutions": ["rate=interface_speed / 2"],
    }}));
    let (line, nat, out) = (place("acme/berlin/line-7"), "nat".parse().unwrap(), name("out"));
    let version = lane.newest()["nat"].clone();
    let wanted = |subscription| Wanted {
        place: &line,
        service: Some((&nat, &version)),
        subscription,
        activation: None,
        instead: None,
    };
    let shown = |subscription, parameter: &str| {
        let gathered = acquired::gather(&lane.base, &Shelf::default(), &wanted(subscription)).unwrap();
        gathered.acquire(|values| {
            assert_eq!(values.faults(), []);
            let explained = values.explain(parameter).unwrap();
            (explained.status, explained.value.map(|value| value.to_string()), explained.source, explained.place)
        })
    };
    let expected = |status: &str, value: &str, source: &str, place: &str| {
        (status.to_owned(), Some(format!("\"{value}\"")), Some(source.to_owned()), Some(place.to_owned()))
    };
    assert_eq!(shown(Some(&out), "rate"), expected("defaulted", "50000000", "subscription-site", "acme/berlin"));
    assert_eq!(shown(Some(&out), "pool"), expected("defaulted", "192.0.2.0/24", "localized", "acme"));
    assert_eq!(
        shown(None, "rate"),
        ("free".to_owned(), None, None, None),
        "what is given for a subscription is its own"
    );
    let renamed =
        lane.decided(&json!({"set_values": {"place": "acme/berlin", "substitutions": ["pool=198.51.100.0/24"]}}));
    assert_eq!(renamed.0, Verdict::Invalid, "{}", renamed.1);
    assert!(renamed.1.contains("has renamed it (substitute `net`)"), "{}", renamed.1);
}

#[test]
fn a_localized_name_stays_declared_as_long_as_something_is_given_of_it() {
    for (at, subscribed) in [(level::NEWEST, true), (level::NEWEST, false), (9, false)] {
        let mut lane = served_at(at);
        let localize = |change: Value| {
            let mut said = json!({"service": "nat", "keep": true, "substitutions": []});
            said.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            json!({ "localize_service": said })
        };
        let set =
            |place: &str, given: &str| json!({"set_values": {"place": place, "substitutions": [given], "keep": true}});
        if subscribed {
            lane.does(&json!({"set_subscription": {"place": "acme", "name": "out", "service": "nat"}}));
        }
        lane.does(&localize(json!({"substitutions": ["dept:network=", "pool=dept"]})));
        lane.does(&set("acme", "dept=10.0.0.0/8"));
        lane.does(&set("acme/berlin", "dept=192.0.2.0/24"));
        let unset = localize(json!({"unset": ["dept", "pool"]}));
        if at < level::NEWEST {
            assert_eq!(lane.does(&unset), "changed", "as it was");
            continue;
        }
        let told = "it would break what stands below: `acme`: `dept=10.0.0.0/8` is given, and there would be no parameter \
                    `dept`; `acme/berlin`: `dept=192.0.2.0/24` is given, and there would be no parameter `dept`";
        assert_eq!(lane.decided(&unset), (Verdict::Conflict, told.to_owned()));
        for place in ["acme", "acme/berlin"] {
            lane.does(&json!({"set_values": {"place": place, "substitutions": []}}));
        }
        lane.does(&unset);
    }
}

#[test]
fn all_that_is_wrong_with_what_is_given_is_told_at_once() {
    let given = ["rate=5g", "zzz=1", "pool=((", "yyy=2", "rate in 7..", "rate in 2..3", "rate in 2..4", "pool=5"];
    let told = [
        "`substitutions/2` at column",
        "`substitutions/4` at column",
        "`substitutions/6` gives `rate` a second time",
        "there is no parameter `zzz`",
        "there is no parameter `yyy`",
        "5000000000",
        "`network` takes networks, and `5` is",
    ];
    let activate = json!({"activate_subscription": {"place": "acme/berlin", "name": "out", "substitutions": given}});
    for verb in [json!({"set_values": {"place": "acme/berlin", "substitutions": given}}), activate] {
        for at in [level::NEWEST, 9] {
            let mut lane = served_at(at);
            lane.does(&json!({"set_subscription": {"place": "acme", "name": "out", "service": "nat"}}));
            let (verdict, found) = lane.decided(&verb);
            assert_eq!(verdict, Verdict::Invalid, "{found}");
            if at == level::NEWEST {
                let missing: Vec<_> = told.iter().filter(|told| !found.contains(**told)).collect();
                assert!(missing.is_empty(), "{missing:?} in {found}");
            } else {
                assert!(found.starts_with(told[0]) && !found.contains("zzz"), "{found}");
            }
        }
    }
}

#[test]
fn a_refusal_says_what_is_fixed_and_what_refers_to_a_name_that_goes() {
    let set =
        |place: &str, given: &[&str]| json!({"set_values": {"place": place, "substitutions": given, "keep": true}});
    let mut lane = served();
    lane.does(&json!({"set_subscription": {"place": "acme", "name": "out", "service": "nat"}}));
    lane.does(&set("acme", &["!rate in 1..100m", "dept:network=", "pool=dept"]));
    let told = "what narrows `rate` is fixed by `acme`, and nobody below narrows it further";
    let narrows = set("acme/berlin", &["rate in 1..50m"]);
    assert_eq!(lane.decided(&narrows), (Verdict::Conflict, told.to_owned()));
    assert_eq!(lane.does(&set("acme/berlin", &["rate=20m", "dept=192.0.2.0/24"])), "changed");
    let unset = json!({"set_values": {"place": "acme", "unset": ["dept"], "substitutions": [], "keep": true}});
    let told = "`pool=dept` of `acme` refers to `dept`, which would be no parameter any more; `acme/berlin`: \
                `dept=192.0.2.0/24` is given, and there would be no parameter `dept`";
    assert_eq!(lane.decided(&unset), (Verdict::Invalid, told.to_owned()));
    lane.does(&set("acme", &["!rate=7m"]));
    let told = "`rate` is fixed by `acme`, and nobody below substitutes it";
    assert_eq!(lane.decided(&narrows), (Verdict::Conflict, told.to_owned()));
}
