//! What would break what stands is told before it is taken in, also where it is asked of no one place: another version of a
//! service, other parameters of all.

use super::*;
use crate::hidden::Reader;
use crate::preview::{Asked, Preview, Question, Sight, preview};

fn rollout() -> Value {
    json!({"rollout_service": {"service": "limit", "under": "acme"}})
}

fn forced() -> Value {
    json!({"rollout_service": {"service": "limit", "under": "acme", "force": true}})
}

/// The service has another definition from here on.
fn take_up(network: &mut Network, definition: &str, template: &str, parameters: Option<&str>) {
    let limit = service("limit", &[(LIMIT[0].0, definition), (LIMIT[1].0, template)]);
    network.lane.services = catalog(vec![limit, service("banner", &BANNER)], parameters);
    network.lane.rules(network.lane.sequence, &[], Settings::default());
    network.lane.work();
    network.settle();
}

#[test]
fn a_rollout_is_refused_for_values_that_a_new_constraint_would_break_unless_it_is_forced() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], false));
    network.does(&values("acme/berlin", &["rate=20m"]));
    network.does(&values("acme/paris", &["rate=5m"]));
    network.does(&activate("acme/paris/line-1", "cap", &["rate=30m"]));
    let narrow = LIMIT[0].1.replace("\"10m\"", "\"10m\", constraint = \"rate in 1..10m\"");
    take_up(&mut network, &narrow, LIMIT[1].1, None);
    let detail = network.refuses(&rollout());
    let id = network.parts().keys().next().unwrap().1.clone();
    assert_eq!(
        detail,
        format!(
            "it would break what stands: `acme/berlin`: `rate`: `acme/berlin` gives `20000000`, and the definition admits \
             `1..10000000` only; `acme/paris/line-1`: given with `{id}`: `rate`: the activation at `acme/paris/line-1` gives \
             `30000000`, and the definition admits `1..10000000` only; with `force` they go over all the same"
        )
    );
    let found = network.previews(&rollout());
    assert_eq!((found.verdict, found.wrong.len(), found.more_wrong), (Verdict::Conflict, 2, 0), "{found:?}");
    assert_eq!(network.does(&values("acme/berlin", &[])), "changed");
    network.does(&deactivate("acme/paris/line-1", "cap"));
    assert_eq!(network.does(&rollout()), "begun");
}

#[test]
fn a_rollout_is_refused_where_two_would_set_the_same_differently_and_names_both() {
    let mut network = Network::new();
    network.does(&json!({"set_place": {"place": "acme/berlin/line-2", "device": "pe-2"}}));
    network.does(&subscribe("acme/berlin/line-1", "hello", "banner", &["text=\"hello\""], true));
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    let [hello, cap] = ["hello", "cap"].map(|name| {
        let parts = network.parts();
        parts.keys().map(|(_, id)| id.clone()).find(|id| id.starts_with(name)).unwrap()
    });
    take_up(&mut network, LIMIT[0].1, "system { login { message bye; } }\n", None);
    let detail = network.refuses(&rollout());
    assert_eq!(
        detail,
        format!(
            "it would break what stands: `acme/berlin/line-1`: `system login message` is set to `hello` and to `bye`: by \
             `{hello}` of `hello` at `acme/berlin/line-1`, for `acme/berlin/line-1`, with `text` and by `{cap}` of `cap` at \
             `acme`, for `acme/berlin/line-1`; with `force` they go over all the same"
        )
    );
    assert_eq!(network.states("acme/berlin/line-1"), ["active", "active"]);
    let told = network.does(&forced());
    assert!(
        told.starts_with("begun; but this fails: `acme/berlin/line-1`: `system login message` is set to"),
        "{told}"
    );
    assert_eq!(network.states("acme/paris/line-1"), ["active"]);
    assert!(network.states("acme/berlin/line-1").iter().any(|state| state.starts_with("failed")), "forced");
}

#[test]
fn below_level_8_a_rollout_begins_whatever_comes_of_it() {
    let mut network = Network::at(7, vec![service("limit", &LIMIT), service("banner", &BANNER)]);
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    network.does(&values("acme/berlin", &["rate=20m"]));
    let narrow = LIMIT[0].1.replace("\"10m\"", "\"10m\", constraint = \"rate in 1..10m\"");
    take_up(&mut network, &narrow, LIMIT[1].1, None);
    assert_eq!(network.does(&rollout()), "begun");
}

#[test]
fn what_other_parameters_of_all_would_break_is_told_with_what_devices_would_be_told() {
    let of_all =
        |constraint: &str| format!("[parameters]\ncos = {{ type = \"number\", default = \"1\"{constraint} }}\n");
    let template = "class-of-service { level {{ cos }}; }\n";
    let mut network = Network::new();
    let definition = "title = \"Limit\"\n";
    take_up(&mut network, definition, template, Some(&of_all("")));
    network.does(&subscribe("acme", "cap", "limit", &[], true));
    network.does(&values("acme/berlin", &["cos=20"]));
    network.does(&values("acme/paris", &["cos=2"]));
    let load = |parameters: &str| {
        let limit = service("limit", &[(LIMIT[0].0, definition), (LIMIT[1].0, template)]);
        loads(&network, catalog(vec![limit, service("banner", &BANNER)], Some(parameters)))
    };
    let found = load(&of_all(", constraint = \"cos in 1..10\""));
    assert_eq!(found.verdict, Verdict::Conflict);
    assert_eq!(
        found.detail,
        "it would break what stands: `acme/berlin`: `cos`: `acme/berlin` gives `20`, and the global parameters admits `1..10` only"
    );
    assert_eq!(found.wrong.len(), 1, "{found:?}");
    let found = load(&of_all("").replace("\"1\"", "\"7\""));
    assert_eq!((found.verdict, found.detail.as_str(), found.is_complete), (Verdict::Done, "loaded", true));
    assert!(found.changes.is_empty(), "both sites have their own: {found:?}");
    let told: Vec<_> = found.values.iter().map(|change| (change.place.to_string(), change.service.as_str())).collect();
    assert_eq!(told, [("acme".to_owned(), "banner"), ("acme".to_owned(), "limit")]);
    network.does(&values("acme/paris", &[]));
    let limit = service("limit", &[(LIMIT[0].0, definition), (LIMIT[1].0, template)]);
    let seven = of_all("").replace("\"1\"", "\"7\"");
    let found = loads(&network, catalog(vec![limit, service("banner", &BANNER)], Some(&seven)));
    assert_eq!((found.lines, found.changes.len()), (2, 2), "{found:?}");
}

/// What would come of it if these services were loaded.
fn loads(network: &Network, catalog: Arc<Catalog>) -> Preview {
    let question = Question {
        lane: network.lane.number,
        directory: Arc::clone(&network.lane.directory),
        organization: "acme".parse().unwrap(),
        asked: Asked::Services { catalog, is_forced: false },
        now: network.lane.now,
    };
    let sight = Sight { sees: &|_| true, reader: Reader::of_provider() };
    preview(Box::new(network.lane.base.handle()), question, &sight, &|| true).unwrap()
}
