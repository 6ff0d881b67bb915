//! Services that lanes take up; values and subscriptions at places.

mod waiting;

use std::collections::BTreeMap;

use linesman_schemas::audit::Verdict;
use linesman_schemas::service::{ServiceSource, ServicesSection};
use linesman_schemas::{Place, SubscriptionName};

use super::*;
use crate::acquired::{self, Wanted};
use crate::commands::{self, CommandRow};
use crate::services::{self, VersionRow};
use crate::shelf::Shelf;
use crate::subscriptions::{self, SubscriptionRow};
use crate::values::{self, Whose};

fn source(name: &str, definition: &str) -> ServiceSource {
    let template = "firewall {\n    term own;\n}\n";
    let files = [("service.toml".to_owned(), definition.to_owned()), ("main.j2".to_owned(), template.to_owned())];
    ServiceSource { name: name.parse().unwrap(), files: files.into() }
}

fn catalog(sources: &[ServiceSource], parameters: Option<&str>) -> Arc<Catalog> {
    let (services, parameters) = (sources.to_vec(), parameters.map(str::to_owned));
    Arc::new(Catalog::of(ServicesSection { services, parameters, refused: Vec::new() }))
}

/// The definition of the service `nat`.
const NAT: &str = "title = \"NAT\"\n[parameters]\npool = { type = \"network\" }\n\
    rate = { type = \"rate\", constraint = \"rate in 1..1g\" }\n";

/// A lane that knows the service `nat`, with the site `acme/berlin` and a line of it.
fn served() -> Lane {
    let mut lane = Lane::new();
    lane.organization("acme", "Send all information");
    lane.services = catalog(&[source("nat", NAT)], None);
    lane.rules(1, &[], Settings::default());
    for place in ["acme/berlin", "acme/berlin/line-7"] {
        lane.command("acme", &json!({"set_place": {"place": place}}));
    }
    lane.events.clear();
    lane
}

impl Lane {
    /// What became of a command, and in which words.
    pub(super) fn decided(&mut self, verb: &Value) -> (Verdict, String) {
        self.decided_for(&json!({"kind": "provider", "name": "admin"}), verb)
    }

    pub(super) fn decided_for(&mut self, principal: &Value, verb: &Value) -> (Verdict, String) {
        let id = format!("c{}", self.sequence);
        let command = json!({"id": id, "principal": principal, "node": "test", "verb": verb});
        self.take("acme", "cmd", command.to_string().as_bytes());
        let row: CommandRow = self.row(&commands::key(Some(&"acme".parse().unwrap()), &id)).unwrap();
        (row.verdict, row.detail)
    }

    fn does(&mut self, verb: &Value) -> String {
        let (verdict, detail) = self.decided(verb);
        assert_eq!(verdict, Verdict::Done, "{detail}");
        detail
    }

    /// What is given at a place, and by whom.
    fn given(&self, at: &str, whose: Whose<'_>) -> Vec<(String, String)> {
        let given = values::read(&self.base, &place(at), whose).unwrap();
        given.into_iter().map(|given| (given.text, given.by)).collect()
    }

    fn subscription(&self, at: &str, of: &str) -> Option<SubscriptionRow> {
        self.row(&subscriptions::key(&place(at), &name(of)))
    }

    fn newest(&self) -> BTreeMap<String, String> {
        let rows = services::all(&self.base).map(Result::unwrap);
        rows.map(|(name, row)| (name.to_string(), row.version)).collect()
    }

    fn versions(&self, of: &str) -> Vec<(String, VersionRow)> {
        services::versions(&self.base, &of.parse().unwrap()).map(Result::unwrap).collect()
    }

    /// The last audit event's values before and after.
    fn audited(&self) -> (Value, Value) {
        let (_, event) = self.events.iter().rfind(|(subject, _)| subject.contains(".audit.")).unwrap();
        (event.data["old"].clone(), event.data["new"].clone())
    }
}

fn place(text: &str) -> Place {
    text.parse().unwrap()
}

fn name(text: &str) -> SubscriptionName {
    text.parse().unwrap()
}

#[test]
fn every_version_of_a_service_is_kept_as_it_was_taken_up_first() {
    let mut lane = Lane::at(4);
    let (one, two) = (source("nat", "title = \"one\""), source("nat", "title = \"two\""));
    lane.services = catalog(&[one.clone(), source("drain", "")], Some("[rate]"));
    lane.rules(1, &[], Settings::default());
    let first = lane.versions("nat");
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].0, services::version(&one));
    assert_eq!(first[0].1.files, one.files);
    assert_eq!(lane.row(&services::parameters_key()).unwrap().text, "[rate]");
    lane.now += 1.hour();
    lane.services = catalog(std::slice::from_ref(&two), None);
    lane.rules(2, &[], Settings::default());
    assert_eq!(lane.newest(), [("nat".to_owned(), services::version(&two))].into(), "`drain` is no more");
    assert_eq!((lane.versions("nat").len(), lane.versions("drain").len()), (2, 1));
    assert_eq!(lane.row(&services::parameters_key()), None);
    lane.now += 1.hour();
    lane.services = catalog(std::slice::from_ref(&one), None);
    lane.rules(3, &[], Settings::default());
    assert_eq!(lane.newest()["nat"], first[0].0);
    let again = lane.versions("nat").into_iter().find(|(version, _)| *version == first[0].0).unwrap();
    assert_eq!(again.1.taken_up, first[0].1.taken_up);
}

#[test]
fn names_and_texts_of_files_make_the_version() {
    let service = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        services::version(&ServiceSource { name: "nat".parse().unwrap(), files: files.collect() })
    };
    let versions = [
        service(&[("service.toml", ""), ("a.j2", "b")]),
        service(&[("service.toml", ""), ("a.j2b", "")]),
        service(&[("service.toml", ""), ("a.j2", "")]),
        service(&[("service.toml", "b"), ("a.j2", "")]),
    ];
    assert_eq!(versions.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "{versions:?}");
    assert!(versions.iter().all(|version| version.len() == 12 && version.bytes().all(|byte| byte.is_ascii_hexdigit())));
}

#[test]
fn a_lane_keeps_services_from_level_4_on() {
    let mut lane = Lane::at(3);
    lane.services = catalog(&[source("nat", "")], None);
    lane.rules(1, &[], Settings::default());
    assert!(lane.newest().is_empty() && lane.versions("nat").is_empty());
    lane.decide("", "ctl", b"", Content::Level(4));
    lane.commit();
    assert_eq!((lane.newest().len(), lane.versions("nat").len()), (1, 1));
}

#[test]
fn below_level_4_nobody_asks_for_services() {
    let hash = "ab".repeat(32);
    for level in [2, 3] {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Send all information");
        lane.events.clear();
        lane.command("acme", &json!({"set_values": {"place": "acme", "substitutions": ["rate=1"]}}));
        lane.command("acme", &json!({"remove_subscription": {"place": "acme", "name": "nat"}}));
        let letters: Vec<_> = lane.on("acme.dead.command-undecodable");
        let details: Vec<_> = letters.iter().map(|letter| letter.data["detail"].as_str().unwrap()).collect();
        let expected = [
            "`set-values` is asked for from engine level 4 on",
            "`remove-subscription` is asked for from engine level 4 on",
        ];
        assert_eq!(details, expected, "at level {level}");
        let load = json!({"load_section": {"section": "services", "hash": hash}});
        let command = json!({"id": "l", "actor": "admin", "node": "test", "verb": load});
        let command = serde_json::from_value(command).unwrap();
        lane.decide("", "ctl", b"{}", Content::Command(Box::new(command)));
        lane.commit();
        let (_, letter) = lane.events.last().unwrap();
        assert_eq!(letter.data["detail"], "`load-services` is asked for from engine level 4 on");
    }
}

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
    assert_eq!(lane.does(&set(json!({"unset": ["rate"], "keep": true}))), "changed");
    assert_eq!(lane.given("acme/berlin", Whose::Own), [by("dept:network=", "admin")]);
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
fn a_service_is_localized_by_the_provider_alone() {
    let mut lane = served();
    let nat = "nat".parse().unwrap();
    let localize = json!({"localize_service": {"service": "nat", "substitutions": ["dept:network="]}});
    let all = ["subscription", "substitution", "activation", "managers"];
    lane.does(&json!({"set_manager": {"manager": "ann", "sphere": ["acme"], "privileges": all}}));
    let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let (verdict, detail) = lane.decided_for(&ann, &localize);
    assert_eq!((verdict, &*detail), (Verdict::Forbidden, "`acme/ann` has not the right `services` on `acme`"));
    lane.does(&localize);
    assert_eq!(lane.given("acme", Whose::Localized(&nat)).len(), 1);
    assert!(lane.given("acme", Whose::Own).is_empty());
}

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
