//! What a command would do is what it then does, and finding it out does nothing.

use std::cell::Cell;
use std::collections::BTreeSet;

use linesman_rules::configuration::{Configuration, diff};
use linesman_schemas::Place;

use super::orders::{LABELLED, stories};
use super::*;
use crate::hidden::Reader;
use crate::preview::{Asked, Preview, Question, Sight, preview};

impl Network {
    /// What a verb would do, as far as somebody sees it who asks with all rights.
    fn previews_for(&self, verb: &Value, sight: &Sight<'_>, goes_on: &dyn Fn() -> bool) -> Preview {
        let said = json!({"id": "p", "actor": "admin", "node": "test", "verb": verb});
        let Content::Command(command) = Content::decode("cmd", said.to_string().as_bytes()) else { panic!("{verb}") };
        let question = Question {
            lane: self.lane.number,
            directory: Arc::clone(&self.lane.directory),
            organization: "acme".parse().unwrap(),
            asked: Asked::Command(command.principal.clone(), Box::new(command.verb.clone())),
            now: self.lane.now,
        };
        let rows = self.lane.base.rows();
        let found = preview(Box::new(self.lane.base.handle()), question, sight, goes_on).unwrap();
        assert_eq!(self.lane.base.rows(), rows, "{verb}: nothing is written");
        found
    }

    pub(super) fn previews(&self, verb: &Value) -> Preview {
        self.previews_for(verb, &Sight { sees: &|_| true, reader: Reader::of_provider() }, &|| true)
    }

    fn text(&self, key: &(String, String)) -> Configuration {
        self.parts().get(key).map(|part| Configuration::parse(part.to_hold()).unwrap()).unwrap_or_default()
    }
}

fn value(found: &Preview, place: &str, parameter: &str) -> Option<[Value; 2]> {
    let mut changes = found.values.iter();
    let change = changes.find(|change| change.place.to_string() == place && change.parameter == parameter)?;
    let shown = |standing: &Option<crate::preview::Standing>| match standing {
        Some(standing) => json!([standing.status, standing.value]),
        None => Value::Null,
    };
    Some([shown(&change.before), shown(&change.after)])
}

#[test]
fn what_would_be_done_is_what_is_done_then() {
    let definition = format!("{}label = {{ type = \"string\", default = '\"all\"' }}\n", LIMIT[0].1);
    let limit = service("limit", &[(LIMIT[0].0, &definition), (LIMIT[1].0, LABELLED)]);
    let seed = std::env::var("LINESMAN_SEED").ok().map_or(1, |seed| seed.parse().unwrap());
    let mut random = crate::tests::managers::Dice(seed);
    let before = Network::with(vec![limit, service("banner", &BANNER)]);
    for order in 0..20 {
        let mut network = before.copy();
        let mut stories: Vec<_> = stories(&mut random).into_iter().map(Vec::into_iter).collect();
        while !stories.is_empty() {
            let at = random.next(stories.len());
            let Some(verb) = stories[at].next() else {
                drop(stories.remove(at));
                continue;
            };
            let found = network.previews(&verb);
            let (was, said) = (network.copy(), format!("seed {seed}, order {order}: {verb}"));
            let (verdict, detail) = network.ask(&verb);
            assert_eq!(found.verdict, verdict, "{said}: {detail}");
            assert!(found.is_complete, "{said}");
            if verdict != Verdict::Done {
                continue;
            }
            assert_eq!(found.detail, detail, "{said}");
            let (old, new) = (was.parts(), network.parts());
            let differs = |key: &&(String, String)| {
                let [old, new] =
                    [&old, &new].map(|parts| parts.get(*key).map(|part| (part.to_hold(), part.state, &part.device)));
                old != new
            };
            let keys = old.keys().chain(new.keys()).filter(differs).filter(|(_, id)| !parts::is_rest(id));
            let keys: BTreeSet<_> = keys.cloned().collect();
            let told: BTreeSet<_> =
                found.changes.iter().map(|change| (change.line.to_string(), change.activation.clone())).collect();
            assert!(told.is_superset(&keys), "{said}: {told:?} {keys:?}");
            for change in &found.changes {
                let key = (change.line.to_string(), change.activation.clone());
                assert_eq!(change.state, new.get(&key).map(|part| part.state), "{said}");
                let [left, taken] = [&old, &new].map(|parts| parts.get(&key).map(|part| part.device.clone()));
                if left.is_none() || left == taken {
                    let (old, new) = (was.text(&key), network.text(&key));
                    assert_eq!((&change.diff, &change.reverse), (&diff(&old, &new), &diff(&new, &old)), "{said}");
                }
            }
            for _ in 0..random.next(4) {
                network.answer(&json!({"done": "configured"}));
            }
        }
    }
}

#[test]
fn what_a_value_would_change_is_told_with_the_way_back() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    let found = network.previews(&values("acme/paris/line-2", &["rate=20m"]));
    assert_eq!((found.verdict, found.lines, found.more_changes), (Verdict::Done, 1, 0));
    let [change] = found.changes.as_slice() else { panic!("{found:?}") };
    assert_eq!((change.device.as_str(), change.reason.as_str()), ("pe-paris", ""));
    assert!(change.group.starts_with("linesman-cap-"), "{change:?}");
    let edit = "[edit firewall policer line-2]\n";
    assert_eq!(change.diff, format!("{edit}-  rate 10000000;\n+  rate 20000000;\n"));
    assert_eq!(change.reverse, format!("{edit}-  rate 20000000;\n+  rate 10000000;\n"));
    assert_eq!(
        value(&found, "acme/paris/line-2", "rate"),
        Some([json!(["defaulted", "10000000"]), json!(["defaulted", "20000000"])])
    );
    assert_eq!(found.values.iter().filter(|change| change.service.as_str() == "limit").count(), 1, "{found:?}");

    let fixed = network.previews(&values("acme", &["!rate=10m"]));
    assert_eq!((fixed.lines, fixed.changes.len()), (0, 0), "it comes to the same");
    assert_eq!(value(&fixed, "acme", "rate"), Some([json!(["defaulted", "10000000"]), json!(["fixed", "10000000"])]));
    let again = network.previews(&json!({"redeploy_subscription": {"place": "acme", "name": "cap"}}));
    assert_eq!(again.lines, 4);
    assert!(again.changes.iter().all(|change| change.diff.is_empty()), "{again:?}");

    let moved = network.previews(&json!({"set_place": {"place": "acme/berlin/line-1", "device": "pe-new"}}));
    let on: Vec<_> =
        moved.changes.iter().map(|change| (change.device.as_str(), &change.diff, &change.reverse)).collect();
    let [(left, out, back), (taken, into, _)] = on.as_slice() else { panic!("{moved:?}") };
    assert_eq!((*left, *taken), ("pe-berlin", "pe-new"));
    assert!(out.starts_with("[edit]\n-") && into.starts_with("[edit]\n+"), "{moved:?}");
    assert_eq!(back, into);
    let gone = network.previews(&json!({"remove_place": {"place": "acme/berlin", "cascade": true}}));
    assert_eq!((gone.lines, value(&gone, "acme/berlin/line-1", "rate").unwrap()[1].clone()), (2, Value::Null));
    network.does(&deactivate("acme/berlin/line-1", "cap"));
    let given = network.previews(&activate("acme/berlin/line-1", "cap", &["rate=5m"]));
    assert_eq!((given.lines, given.changes.len()), (1, 1));
    assert_eq!(value(&given, "acme/berlin/line-1", "rate").unwrap()[1], json!(["defaulted", "5000000"]));
}

#[test]
fn what_would_be_illegal_or_a_conflict_is_named_one_by_one() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin", "cap", "limit", &[], false));
    let found = network.previews(&activate("acme/berlin", "cap", &[]));
    assert_eq!((found.verdict, found.lines), (Verdict::Conflict, 0));
    assert_eq!(found.detail, network.refuses(&activate("acme/berlin", "cap", &[])));
    let named = |found: &Preview| -> Vec<(String, bool)> {
        let place = |place: &Option<Place>| place.as_ref().map(ToString::to_string).unwrap_or_default();
        found
            .wrong
            .iter()
            .map(|wrong| (format!("{} {}", place(&wrong.place), wrong.detail), wrong.is_conflict))
            .collect()
    };
    assert_eq!(
        named(&found),
        [
            ("acme/berlin/line-1 `burst` is required and has no value".to_owned(), false),
            ("acme/berlin/line-2 `burst` is required and has no value".to_owned(), false),
        ]
    );
    network.does(&values("acme/berlin/line-2", &["rate=20m"]));
    let narrowed = network.previews(&values("acme/berlin", &["rate in 1..15m"]));
    assert_eq!(narrowed.verdict, Verdict::Conflict);
    let [wrong] = narrowed.wrong.as_slice() else { panic!("{narrowed:?}") };
    assert_eq!(wrong.place, Some("acme/berlin/line-2".parse().unwrap()));
    assert!(!wrong.is_conflict && wrong.detail.contains("`rate`"), "{wrong:?}");

    network.does(&subscribe("acme/berlin", "hello", "banner", &["text=\"hello\""], true));
    network.does(&subscribe("acme/paris", "bye", "banner", &["text=\"bye\""], true));
    let moved = network.previews(&json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-berlin"}}));
    assert_eq!(moved.verdict, Verdict::Conflict, "two do not meet on a device by a line's coming to it");
    let [(told, is_conflict)] = named(&moved).try_into().unwrap();
    assert!(is_conflict && told.starts_with("acme/paris/line-1 `system login message` is set to"), "{told}");
    let refused = network.previews(&subscribe("acme/berlin/line-2", "moin", "banner", &["text=\"moin\""], true));
    assert_eq!(named(&refused).iter().filter(|(_, is_conflict)| *is_conflict).count(), refused.wrong.len());
    assert_eq!((refused.verdict, refused.changes.len(), refused.values.len()), (Verdict::Conflict, 0, 0));
}

#[test]
fn nothing_is_told_of_places_that_are_not_seen() {
    // From level 6 on a place is not set so that two meet.
    let mut network = Network::at(5, vec![service("limit", &LIMIT), service("banner", &BANNER)]);
    network.does(&json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-berlin"}}));
    network.does(&subscribe("acme/paris", "bye", "banner", &["text=\"bye\""], true));
    let of_berlin =
        |place: &Place| "acme/berlin".parse::<Place>().unwrap().covers(place) || place.to_string() == "acme";
    let sight = Sight { sees: &of_berlin, reader: Reader::of_provider() };
    let hello = subscribe("acme/berlin", "hello", "banner", &["text=\"hello\""], true);
    let found = network.previews_for(&hello, &sight, &|| true);
    assert_eq!(found.verdict, Verdict::Conflict);
    let told = format!("{found:?}");
    assert!(!told.contains("acme/paris") && told.contains("one that you do not see"), "{told}");
    // What is freed at lines of others is theirs to see.
    network.does(&json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-paris"}}));
    network.does(&hello);
    network.does(&json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-berlin"}}));
    let ends = deactivate("acme/berlin", "hello");
    let (all, seen) = (network.previews(&ends), network.previews_for(&ends, &sight, &|| true));
    assert_eq!((all.lines, seen.lines), (3, 2));
    assert!(!format!("{seen:?}").contains("acme/paris"), "{seen:?}");
}

#[test]
fn what_takes_too_long_ends_and_says_so() {
    let mut network = Network::new();
    for line in 0..120 {
        let verb = json!({"set_place": {"place": format!("acme/lyon{}/line-{line}", line / 60), "device": "pe-lyon"}});
        if line % 60 == 0 {
            network.does(&json!({"set_place": {"place": format!("acme/lyon{}", line / 60)}}));
        }
        network.does(&verb);
    }
    let wide = subscribe("acme", "cap", "limit", &["burst=1k"], true);
    let whole = network.previews(&wide);
    assert_eq!((whole.is_complete, whole.lines), (true, 124));
    assert_eq!((whole.changes.len(), whole.values.len()), (124, 200));
    assert!(whole.more_values > 0);
    let left = Cell::new(2);
    let goes_on = || left.replace(left.get() - 1) > 0;
    let part = network.previews_for(&wide, &Sight { sees: &|_| true, reader: Reader::of_provider() }, &goes_on);
    assert_eq!((part.is_complete, part.verdict), (false, Verdict::Done));
    assert_eq!((part.lines, part.changes.len()), (50, 50), "what was found out is told");
}
