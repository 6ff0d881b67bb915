//! A place's own subscription and the one that it inherits have one name, and may be given the same values: what is
//! activated, scheduled and ended for the one leaves the other alone.

use super::*;

/// As [`LIMIT`], with a label that lets several activations stand at one line.
fn network(level: u32) -> Network {
    let definition = format!("{}label = {{ type = \"string\", default = '\"all\"' }}\n", LIMIT[0].1);
    Network::at(level, vec![service("limit", &[(LIMIT[0].0, &definition), (LIMIT[1].0, super::orders::LABELLED)])])
}

fn subscribes(place: &str, burst: &str, is_active: bool) -> Value {
    subscribe(place, "twin", "limit", &[burst], is_active)
}

fn removes(place: &str) -> Value {
    json!({"remove_subscription": {"place": place, "name": "twin"}})
}

fn ends(place: &str, values: &[&str]) -> Value {
    json!({"deactivate_subscription": {"place": place, "name": "twin", "substitutions": values}})
}

/// The bursts of the policers of a label at the lines of the site.
fn bursts(network: &Network, label: &str) -> Vec<String> {
    let texts = network.texts("pe-berlin").into_iter().filter(|text| text.contains(&format!("policer {label}-")));
    texts.filter_map(|text| Some(text.split_once("burst ")?.1.split_once(';')?.0.to_owned())).collect()
}

const SITE: &str = "acme/berlin";
const LINE: &str = "acme/berlin/line-1";
const VALUE: &str = "label=\"a\"";

#[test]
fn what_an_own_subscription_activates_leaves_what_the_inherited_one_has_with_the_same_values() {
    for (level, inherited) in [(9, 0), (10, 2)] {
        let mut network = network(level);
        network.does(&subscribes("acme", "burst=1k", false));
        network.does(&activate(SITE, "twin", &[VALUE]));
        let before = network.devices.clone();
        network.does(&subscribes(SITE, "burst=2k", false));
        assert_eq!(bursts(&network, "a").len(), 0, "the own one takes its place, and is not active");
        network.does(&activate(SITE, "twin", &[VALUE]));
        assert_eq!(bursts(&network, "a"), ["2000", "2000"]);
        let own = network.devices.clone();
        assert_eq!(own["pe-berlin"].keys().any(|group| before["pe-berlin"].contains_key(group)), level < 10);
        network.does(&ends(SITE, &[VALUE]));
        assert_eq!(bursts(&network, "a").len(), 0);
        network.does(&removes(SITE));
        assert_eq!(bursts(&network, "a").len(), inherited, "level {level}");
        assert_eq!(network.devices == before, level >= 10);
        network.does(&removes("acme"));
        assert!(network.devices.is_empty() && network.parts().is_empty());
    }
}

#[test]
fn a_schedule_of_the_own_one_is_none_of_what_the_inherited_one_has_at_its_place() {
    for (level, inherited) in [(9, 0), (10, 2)] {
        let mut network = network(level);
        network.does(&subscribes("acme", "burst=1k", false));
        network.does(&activate(SITE, "twin", &[]));
        network.does(&subscribes(SITE, "burst=2k", true));
        let set = |schedule: Value| json!({"set_subscription": {"place": SITE, "name": "twin", "service": "limit", "schedule": schedule}});
        network.does(&set(json!({"start": "2099-01-01T00:00:00", "duration_s": 60})));
        assert_eq!(bursts(&network, "all").len(), 0, "it waits");
        network.does(&set(Value::Null));
        assert_eq!(bursts(&network, "all"), ["2000", "2000"]);
        network.does(&deactivate(SITE, "twin"));
        network.does(&removes(SITE));
        assert_eq!(bursts(&network, "all").len(), inherited, "level {level}");
    }
}

/// What was activated before the level keeps its group, and is not lost when the own one is given the same values.
#[test]
fn what_was_activated_at_level_9_stays_what_it_was_and_gives_way_to_the_own_one() {
    for values in [&[][..], &[VALUE]] {
        let mut network = network(9);
        let label = if values.is_empty() { "all" } else { "a" };
        network.does(&subscribes("acme", "burst=1k", false));
        network.does(&activate(SITE, "twin", values));
        let before = network.devices.clone();
        network.lane.decide("", "ctl", b"", Content::Level(10));
        network.lane.commit();
        network.does(&json!({"redeploy_subscription": {"place": "acme", "name": "twin"}}));
        assert_eq!(network.devices, before, "no other name");
        assert_eq!(network.does(&activate(SITE, "twin", values)), "unchanged");
        network.does(&subscribes(SITE, "burst=2k", values.is_empty()));
        if !values.is_empty() {
            network.does(&activate(SITE, "twin", values));
        }
        assert_eq!(bursts(&network, label), ["2000", "2000"]);
        let parts = network.parts();
        let subscribed: Vec<String> = parts.values().map(|part| part.subscribed.to_string()).collect();
        assert_eq!(subscribed, [SITE, SITE]);
        network.does(&removes(SITE));
        assert_eq!(bursts(&network, label), ["1000", "1000"], "the inherited one is there again");
        network.does(&ends(SITE, values));
        assert!(network.devices.is_empty() && network.parts().is_empty());
    }
}

/// What ought to stand on the device, from what was asked alone.
#[derive(Default)]
struct Naive {
    /// Where there is a subscription of the name.
    subscribed: BTreeSet<&'static str>,
    resting: BTreeSet<&'static str>,
    /// Where it was activated, of the one made where, with which label.
    activated: BTreeSet<(&'static str, &'static str, &'static str)>,
}

const PLACES: [(&str, &str); 3] = [("acme", "1000"), (SITE, "2000"), (LINE, "3000")];

impl Naive {
    /// Where the subscription was made that is seen at a place: names of places below begin with those above.
    fn seen(&self, place: &str) -> &'static str {
        self.subscribed.iter().filter(|made| place.starts_with(**made)).max_by_key(|made| made.len()).unwrap()
    }

    fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for line in ["line-1", "line-2"] {
            let place = format!("{SITE}/{line}");
            let made = self.seen(&place);
            let burst = PLACES.iter().find(|(place, _)| *place == made).unwrap().1;
            let reach = self.activated.iter().filter(|(at, of, _)| *of == made && place.starts_with(at));
            for (.., label) in reach.filter(|_| !self.resting.contains(made)) {
                let label = if label.is_empty() { "all" } else { label };
                texts.push(format!("firewall {{ policer {label}-{line} {{ rate 10000000; burst {burst}; }} }}"));
            }
        }
        texts.sort();
        texts
    }
}

#[test]
fn own_and_inherited_subscriptions_of_one_name_do_as_a_naive_model_says() {
    let seed = std::env::var("LINESMAN_SEED").ok().map_or(1, |seed| seed.parse().unwrap());
    let mut random = super::super::managers::Dice(seed);
    let before = network(10);
    for run in 0..40 {
        let (mut network, mut naive, mut log) = (before.copy(), Naive::default(), Vec::new());
        network.does(&subscribes("acme", "burst=1k", false));
        naive.subscribed.insert("acme");
        for _ in 0..30 {
            let (place, _) = PLACES[random.next(3)];
            let burst = ["burst=1k", "burst=2k", "burst=3k"][PLACES.iter().position(|(at, _)| *at == place).unwrap()];
            let label = ["", "a"][random.next(2)];
            let text = [VALUE];
            let values = if label.is_empty() { &[][..] } else { &text[..] };
            let (made, is_there) = (naive.seen(place), naive.subscribed.contains(place));
            let verb = match random.next(8) {
                0 if !is_there => {
                    naive.subscribed.insert(place);
                    let is_active = random.next(2) == 0;
                    naive.activated.extend(is_active.then_some((place, place, "")));
                    subscribes(place, burst, is_active)
                }
                0 if place != "acme" => {
                    naive.subscribed.remove(place);
                    naive.resting.remove(place);
                    naive.activated.retain(|(_, of, _)| *of != place);
                    removes(place)
                }
                1 if is_there && naive.resting.remove(place) => {
                    json!({"resume_subscription": {"place": place, "name": "twin"}})
                }
                1 if is_there => {
                    naive.resting.insert(place);
                    json!({"suspend_subscription": {"place": place, "name": "twin"}})
                }
                2 if is_there => json!({"set_subscription": {
                    "place": place, "name": "twin", "service": "limit", "schedule": null,
                }}),
                3 | 4 if naive.activated.remove(&(place, made, label)) => ends(place, values),
                _ => {
                    naive.activated.insert((place, made, label));
                    activate(place, "twin", values)
                }
            };
            log.push(verb.to_string());
            network.does(&verb);
            let mut texts = network.texts("pe-berlin");
            texts.sort();
            assert_eq!(texts, naive.texts(), "seed {seed}, run {run}: {log:#?}");
        }
    }
}
