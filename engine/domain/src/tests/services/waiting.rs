//! Services to which nobody subscribes decide nothing of values; a subscription is held against what stands.

use super::*;

const SHAPE: &str = "title = \"Shape\"\n[parameters]\nrate = { type = \"network\" }\nburst = { type = \"burst\" }\n";

fn set(place: &str, substitutions: &[&str]) -> Value {
    json!({"set_values": {"place": place, "substitutions": substitutions, "keep": true}})
}

fn subscribe(place: &str, service: &str) -> Value {
    json!({"set_subscription": {"place": place, "name": "out", "service": service}})
}

/// A lane that knows `nat`, with a rate, and `shape`, whose `rate` is a network.
fn offered() -> Lane {
    let mut lane = served();
    lane.services = catalog(&[source("nat", NAT), source("shape", SHAPE)], None);
    lane.rules(2, &[], Settings::default());
    lane
}

const WAITS: &str =
    "changed; `rate` is of no service that is subscribed to here, above or below: held against one when it is";

#[test]
fn what_nobody_subscribes_to_does_not_refuse_a_value() {
    // One of the two takes each; subscribed to is neither.
    for said in ["rate=10m", "rate=10.0.0.0/8"] {
        assert_eq!(offered().does(&set("acme", &[said])), WAITS);
    }
    // None takes it.
    let mut lane = offered();
    let told = "`rate`: `true` of `acme`: `rate` takes integers, and `true` is a boolean";
    assert_eq!(lane.decided(&set("acme", &["rate=true"])), (Verdict::Invalid, told.to_owned()));
    let unknown = (Verdict::Invalid, "there is no parameter `rat`; did you mean `rate`?".to_owned());
    assert_eq!(lane.decided(&set("acme", &["rat=1"])), unknown);
    // Subscribed to at the place, or below it, is one.
    for place in ["acme", "acme/berlin"] {
        let mut lane = offered();
        lane.does(&subscribe(place, "shape"));
        let told = "`rate`: `10m` of `acme`: `network` takes networks, and `10000000` is an integer";
        assert_eq!(lane.decided(&set("acme", &["rate=10m"])), (Verdict::Invalid, told.to_owned()));
        assert_eq!(lane.does(&set("acme", &["rate=10.0.0.0/8"])), "changed");
    }
    // What is fixed at a place stays so, whatever waits for what.
    lane.does(&set("acme", &["!rate=10m"]));
    let fixed = (Verdict::Conflict, "`rate` is fixed by `acme`, and nobody below substitutes it".to_owned());
    assert_eq!(lane.decided(&set("acme/berlin", &["rate=5m"])), fixed);
}

#[test]
fn a_subscription_is_refused_that_does_not_take_what_stands() {
    for at in ["acme", "acme/berlin/line-7"] {
        let mut lane = offered();
        lane.does(&set(at, &["rate=10m"]));
        let (verdict, told) = lane.decided(&subscribe("acme/berlin", "shape"));
        let expected = format!("`rate`: `10m` of `{at}`: `network` takes networks, and `10000000` is an integer");
        let below = if at == "acme" { String::new() } else { format!("`{at}`: ") };
        assert_eq!(
            (verdict, told),
            (
                Verdict::Conflict,
                format!("`shape` does not take what stands at `acme/berlin`, above or below it: {below}{expected}")
            )
        );
        assert_eq!(lane.subscription("acme/berlin", "out"), None);
        assert_eq!(lane.does(&subscribe("acme/berlin", "nat")), "created");
    }
}

/// Until level 9 what an enterprise gives that is called as sources are was taken for what nobody gives.
#[test]
fn a_place_that_is_called_as_a_source_is_a_place() {
    for (org, level) in [("site", 10), ("global", 10), ("site", 9), ("global", 9), ("acme", 9)] {
        let mut lane = served_at(level);
        lane.organization(org, "Send all information");
        lane.services = catalog(&[source("nat", NAT), source("shape", SHAPE)], None);
        lane.rules(2, &[], Settings::default());
        let mut of = |verb| lane.decided_of(org, &json!({"kind": "provider", "name": "admin"}), &verb);
        assert_eq!(of(set(org, &["rate=10m"])).0, Verdict::Done);
        let (verdict, told) = of(subscribe(org, "shape"));
        let is_refused = level >= 10 || org == "acme";
        assert_eq!(verdict, if is_refused { Verdict::Conflict } else { Verdict::Done }, "{org} at {level}: {told}");
    }
}

#[test]
fn what_the_provider_has_renamed_is_given_by_its_new_name() {
    for subscribed in [None, Some("acme/berlin")] {
        let mut lane = offered();
        lane.does(&json!({"localize_service": {"service": "nat", "substitutions": ["dept:network=", "pool=dept"]}}));
        if let Some(place) = subscribed {
            lane.does(&subscribe(place, "nat"));
        }
        assert!(lane.does(&set("acme", &["dept=192.0.2.0/24"])).starts_with("changed"));
        let (verdict, told) = lane.decided(&set("acme", &["pool=192.0.2.0/24"]));
        assert_eq!(verdict, Verdict::Invalid);
        assert!(told.contains("has renamed it"), "{told}");
    }
}

#[test]
fn a_fix_without_a_value_takes_the_place_of_a_value() {
    let mut lane = offered();
    lane.does(&subscribe("acme", "nat"));
    lane.does(&set("acme", &["rate=5m"]));
    lane.does(&set("acme", &["!rate="]));
    let given = lane.given("acme", Whose::Own);
    assert_eq!(given.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(), ["!rate="]);
}

#[test]
fn a_name_of_a_place_comes_of_a_parameter_that_one_service_of_several_has() {
    let plain = "title = \"Plain\"\n[parameters]\nplain = { type = \"number\" }\nown = { type = \"rate\" }\n";
    let mut lane = served();
    lane.services = catalog(&[source("nat", NAT), source("plain", plain)], None);
    lane.rules(2, &[], Settings::default());
    lane.does(&subscribe("acme", "nat"));
    lane.does(&json!({"set_subscription": {"place": "acme", "name": "other", "service": "plain"}}));
    lane.does(&set("acme", &["rate=10m"]));
    assert_eq!(lane.does(&set("acme/berlin", &["cap:rate=rate / 2"])), "changed");
    // What a service has itself does not come of another's.
    let told =
        "`own`: `cap` of `acme/berlin` cannot be computed: `cap` comes of parameters that this service does not have";
    let (verdict, found) = lane.decided(&set("acme/berlin", &["own=cap"]));
    assert_eq!((verdict, found.as_str()), (Verdict::Invalid, told));
    let told = "`cap`: `brate / 2` of `acme/berlin`: there is no parameter `brate`";
    let (verdict, found) = lane.decided(&set("acme/berlin", &["cap:rate=brate / 2"]));
    assert!(verdict == Verdict::Invalid && found.starts_with(told), "{found}");
}
