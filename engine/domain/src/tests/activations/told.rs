//! What is told of whose a statement is, of what a value would break, and of who stays on a version.

use linesman_rules::configuration::Configuration;
use linesman_schemas::{Place, PlacePath};

use super::*;
use crate::activations::origins::{self, Origin};
use crate::activations::wanted::{path, wishes};
use crate::hidden::Reader;
use crate::shelf::Shelf;

/// The statements of the one activation of a line, with the sources of the values in them.
fn statements(network: &Network, line: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let Ok(Place::Below(line)) = line.parse() else { panic!("{line}") };
    let line: PlacePath = line;
    let floors = path(&network.lane.base.handle(), &Place::Below(line.clone())).unwrap();
    let (_, wish) = wishes(&floors).pop_first().unwrap();
    let base = network.lane.base.handle();
    let found = origins::of(&base, &Shelf::default(), (&line, &wish), Reader::of_provider()).unwrap();
    let told = |Origin { parameter, source, place }: &Origin| {
        (parameter.clone(), place.as_ref().map_or_else(|| source.to_string(), |place| format!("{source} {place}")))
    };
    let part = &network.parts()[&(line.to_string(), wish.id.clone())];
    let leaves = Configuration::parse(part.to_hold())
        .unwrap()
        .leaves(linesman_rules::Strictness::Full)
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    leaves.into_iter().map(|leaf| (leaf.clone(), found.of(&leaf).iter().map(told).collect())).collect()
}

#[test]
fn each_statement_is_told_with_the_source_of_each_value_in_it() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], false));
    network.does(&values("acme/berlin", &["rate=20m"]));
    network.does(&activate("acme/berlin", "cap", &["burst=2k"]));
    let named = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned())).collect()
    };
    let line = ("line", "runtime");
    assert_eq!(
        statements(&network, "acme/berlin/line-1"),
        BTreeMap::from([
            ("firewall policer line-1 burst 2000".to_owned(), named(&[("burst", "activation acme/berlin"), line])),
            ("firewall policer line-1 rate 20000000".to_owned(), named(&[line, ("rate", "site acme/berlin")])),
        ])
    );
}

#[test]
fn both_owners_are_told_with_their_parameters_and_each_pair_once() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin", "hello", "banner", &["text=\"hello\""], true));
    network.does(&values("acme/paris", &["text=\"hello\""]));
    let [hello] = network.parts().into_keys().take(1).map(|(_, id)| id).collect::<Vec<_>>().try_into().unwrap();
    let verb = json!({"set_values": {"place": "acme/berlin/line-2", "subscription": "hello", "substitutions": ["text=\"bye\""]}});
    let owner = |line: &str| format!("`{hello}` of `hello` at `acme/berlin`, for `acme/berlin/{line}`, with `text`");
    assert_eq!(
        network.refuses(&verb),
        format!(
            "`acme/berlin/line-2`: `system login message` is set to `hello` and to `bye`: by {} and by {}",
            owner("line-1"),
            owner("line-2")
        )
    );
    // Both lines change, and each is in the way of the other.
    let both =
        json!({"set_values": {"place": "acme/berlin", "subscription": "hello", "substitutions": ["text:string=line"]}});
    let detail = network.refuses(&both);
    assert_eq!(detail.matches("system login message").count(), 1, "{detail}");
    let found = network.previews(&both);
    assert_eq!(found.wrong.iter().filter(|wrong| wrong.is_conflict).count(), 1, "{found:?}");
    assert_eq!(found.detail, detail);
}

#[test]
fn values_given_with_activations_are_told_before_a_narrowing_breaks_them() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], false));
    network.does(&activate("acme", "cap", &["rate=60m"]));
    network.does(&deactivate("acme/paris", "cap"));
    network.does(&deactivate("acme/berlin/line-1", "cap"));
    network.does(&activate("acme/berlin/line-1", "cap", &["rate=50m"]));
    let detail = network.refuses(&values("acme", &["rate in 1..10m"]));
    assert!(detail.starts_with("it would break what stands below: `acme`: given with `cap-"), "{detail}");
    assert!(detail.contains("; `acme/berlin/line-1`: given with `cap-"), "{detail}");
    // What is given above reaches the site, and nothing of it the one where it ends.
    let detail = network.refuses(&values("acme/berlin", &["rate in 1..55m"]));
    assert!(detail.starts_with("it would break what stands below: `acme/berlin`: given with `cap-"), "{detail}");
    assert_eq!(detail.matches("given with").count(), 1, "{detail}");
    network.does(&values("acme/paris", &["rate in 1..10m"]));
    network.does(&values("acme", &["rate in 1..60m"]));
    let found = network.previews(&values("acme/berlin/line-1", &["rate in 1..10m"]));
    let [wrong] = found.wrong.as_slice() else { panic!("{found:?}") };
    assert!(wrong.activation.as_ref().is_some_and(|id| id.starts_with("cap-")), "{wrong:?}");
    assert_eq!(wrong.place, Some("acme/berlin/line-1".parse().unwrap()));
}

#[test]
fn who_cannot_go_over_to_a_version_stays_and_is_told_with_the_reason() {
    let mut network = Network::new();
    network.does(&subscribe("acme/paris/line-2", "wide", "limit", &["burst=1k"], true));
    network.does(&subscribe("acme/berlin", "site", "limit", &["burst=1k"], true));
    let schedule = json!({"start": "2990-01-01T00:00:00", "duration_s": 60});
    network.does(&subscribe("acme/paris/line-1", "night", "limit", &["burst=1k"], false));
    network
        .does(&json!({"activate_subscription": {"place": "acme/paris/line-1", "name": "night", "schedule": schedule}}));
    let definition = LIMIT[0].1.replace("schedulable = true", "levels = [\"enterprise\", \"line\"]");
    network.lane.services = catalog(vec![service("limit", &[(LIMIT[0].0, &definition), LIMIT[1]])], None);
    network.lane.rules(2, &[], Settings::default());
    let rollout = json!({"rollout_service": {"service": "limit", "under": "acme"}});
    assert_eq!(network.does(&rollout), "begun");
    let (_, event) = network.lane.events.iter().rfind(|(subject, _)| subject.contains(".audit.")).unwrap();
    let staying = json!({"count": 2, "named": [
        {"place": "acme/berlin", "subscription": "site",
         "reason": "`limit` is subscribed at the level enterprise or line, and `acme/berlin` is none"},
        {"place": "acme/paris/line-1", "subscription": "night",
         "reason": "it has a schedule, and `limit` is not `schedulable`; take the schedule away"},
    ]});
    let told = event.data.to_string();
    assert!(told.contains(&staying.to_string()), "{told}");
    let versions: BTreeMap<String, String> =
        crate::subscriptions::all(&network.lane.base.handle(), &"acme".parse().unwrap())
            .map(|row| row.map(|(_, name, row)| (name.to_string(), row.version)).unwrap())
            .collect();
    assert_eq!(versions["site"], versions["night"]);
    assert_ne!(versions["site"], versions["wide"]);
    assert_eq!(network.does(&rollout), "unchanged", "who stays is asked for no more");
}
