//! Whatever the order in which things are asked for, devices and rows end alike to the byte.

use super::*;

/// What people do one after the other; what different ones do comes in any order. Those of banners get in each other's way
/// where they meet on a device with other texts: what is refused then is left out.
pub(super) fn stories(random: &mut super::managers::Dice) -> Vec<Vec<Value>> {
    let rates = [0; 4].map(|_| format!("rate={}m", random.next(90) + 1));
    let bursts = [0; 3].map(|_| format!("burst={}k", random.next(90) + 1));
    let texts = [0; 4].map(|_| format!("text=\"{}\"", ["hello", "salut", "hallo"][random.next(3)]));
    let (top, site) = (["acme", "acme/berlin"][random.next(2)], ["acme/berlin", "acme/paris"][random.next(2)]);
    let [line, other] = [0; 2].map(|_| format!("acme/berlin/line-{}", random.next(2) + 1));
    let named = |place: &str, name: &str| json!({"place": place, "name": name});
    vec![
        vec![
            subscribe(top, "cap", "limit", &[&bursts[0]], true),
            values("acme/berlin", &[&rates[0]]),
            json!({"set_subscription": {"place": top, "name": "cap", "service": "limit", "substitutions": [&bursts[1]]}}),
            json!({"suspend_subscription": named(top, "cap")}),
            json!({"resume_subscription": named(top, "cap")}),
        ],
        vec![
            subscribe(&line, "own", "limit", &[&bursts[2], &rates[1], "label=\"own\""], true),
            deactivate(&line, "own"),
            activate(&line, "own", &[&rates[2], "label=\"more\""]),
            activate(&line, "own", &[]),
            json!({"deactivate_subscription": {"place": line, "name": "own", "substitutions": []}}),
        ],
        vec![
            subscribe(site, "hello", "banner", &[&texts[0]], true),
            json!({"set_values": {"place": site, "subscription": "hello", "substitutions": [&texts[1]]}}),
            deactivate(&format!("{site}/line-2"), "hello"),
        ],
        vec![
            subscribe("acme/berlin", "gone", "banner", &[&texts[2]], true),
            activate("acme/berlin/line-2", "gone", &[]),
            json!({"remove_subscription": named("acme/berlin", "gone")}),
        ],
        vec![
            subscribe(&other, "late", "banner", &[&texts[3]], true),
            json!({"suspend_subscription": named(&other, "late")}),
            json!({"resume_subscription": named(&other, "late")}),
        ],
        vec![
            json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-lyon"}}),
            json!({"set_place": {"place": "acme/paris/line-1", "interface": "ge-0/0/1"}}),
        ],
        // The site's own one comes and goes while the inherited one is given the same values.
        vec![
            subscribe("acme/berlin", "twin", "limit", &["burst=2k", "label=\"twin\""], false),
            activate("acme/berlin", "twin", &["rate=7m"]),
            json!({"remove_subscription": named("acme/berlin", "twin")}),
        ],
        vec![activate("acme/berlin", "twin", &["rate=7m"]), activate(&line, "twin", &["rate=7m"])],
    ]
}

/// What is stored of subscriptions, values, activations and what was cut off, without when it was, by which reaction, and
/// which numbers subscriptions have: only whether what bears one is of a subscription that is there.
fn stored(network: &Network) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut stored = BTreeMap::new();
    let org = "acme".parse().unwrap();
    let subscriptions = subscriptions::all(&network.lane.base, &org).map(|row| row.unwrap().2.number);
    let numbers: BTreeSet<u64> = subscriptions.chain([0]).collect();
    let (number, at) = (|number: u64| u64::from(numbers.contains(&number)), Timestamp::UNIX_EPOCH);
    let given = |given: Vec<Given>| given.into_iter().map(|given| Given { at, ..given }).collect::<Vec<_>>();
    for (key, row) in network.lane.base.rows() {
        let row = match key[0] {
            b'L' => row,
            b'U' => {
                let row: SubscriptionRow = crate::table::decode(&key, &row).unwrap();
                let row = SubscriptionRow { number: number(row.number), created: at, changed: at, ..row };
                format!("{row:?}").into_bytes()
            }
            b'V' => {
                let row: ValuesRow = crate::table::decode(&key, &row).unwrap();
                let row = ValuesRow { number: number(row.number), substitutions: given(row.substitutions) };
                format!("{row:?}").into_bytes()
            }
            b'X' => {
                let row: ActivationRow = crate::table::decode(&key, &row).unwrap();
                let substitutions = given(row.substitutions.clone());
                let row = ActivationRow { number: number(row.number), substitutions, at, ..row };
                format!("{row:?}").into_bytes()
            }
            b'O' => {
                let row: CutRow = crate::table::decode(&key, &row).unwrap();
                format!("{:?}", CutRow { number: number(row.number), at, ..row }).into_bytes()
            }
            _ => continue,
        };
        stored.insert(key, row);
    }
    for ((line, id), part) in network.parts() {
        let part = PartRow { changed: network.lane.now, reaction: None, ..part };
        stored.insert(
            format!("Y {line} {id}").into_bytes(),
            format!("{part:?}").replace(&network.lane.now.to_string(), "").into_bytes(),
        );
    }
    stored
}

/// Where the subscription was made that a command activates, where it names one.
fn made(network: &Network, verb: &Value) -> Option<linesman_schemas::Place> {
    let asked = verb.get("activate_subscription")?;
    let (place, name) = (asked["place"].as_str()?.parse().unwrap(), asked["name"].as_str()?.parse().unwrap());
    subscriptions::seen(&network.lane.base, &place, &name).unwrap().map(|(made, _)| made)
}

/// A service as [`LIMIT`], whose policers are told apart by a label.
pub(super) const LABELLED: &str = "firewall {\n    policer {{ label }}-{{ line }} {\n        rate {{ rate }};\n        burst {{ burst }};\n    }\n}\n";

#[test]
fn a_thousand_orders_end_alike_to_the_byte() {
    let definition = format!("{}label = {{ type = \"string\", default = '\"all\"' }}\n", LIMIT[0].1);
    let limit = service("limit", &[(LIMIT[0].0, &definition), (LIMIT[1].0, LABELLED)]);
    let seed = std::env::var("LINESMAN_SEED").ok().map_or(1, |seed| seed.parse().unwrap());
    let mut random = super::managers::Dice(seed);
    let mut before = Network::with(vec![limit, service("banner", &BANNER)]);
    before.does(&subscribe("acme", "twin", "limit", &["burst=1k", "label=\"twin\""], false));
    let (mut refused, mut alike) = (0, 0);
    for set in 0..20 {
        let told = stories(&mut random);
        // By what was taken in: the same commands about the same subscriptions, in whatever order, end alike.
        let mut ends = BTreeMap::new();
        for order in 0..50 {
            let mut network = before.copy();
            network.lane.reopens = order == 0;
            let mut stories: Vec<_> =
                told.iter().enumerate().map(|(story, verbs)| (story, verbs.iter().enumerate())).collect();
            let mut taken = BTreeSet::new();
            while !stories.is_empty() {
                let at = random.next(stories.len());
                let story = stories[at].0;
                match stories[at].1.next() {
                    Some((step, verb)) => {
                        let made = made(&network, verb);
                        match network.lane.decided(verb).0 {
                            Verdict::Done => drop(taken.insert((story, step, made))),
                            _ => refused += 1,
                        }
                    }
                    None => drop(stories.remove(at)),
                }
                if random.next(2) == 0 {
                    network.lane.work();
                }
                for _ in 0..random.next(4) {
                    network.answer(&json!({"done": "configured"}));
                }
            }
            network.lane.work();
            network.settle();
            let found = (stored(&network), std::mem::take(&mut network.devices));
            match ends.get(&taken) {
                None => drop(ends.insert(taken, found)),
                Some(known) => {
                    assert_eq!(known.1, found.1, "seed {seed}, set {set}, order {order}: {told:?}");
                    assert_eq!(known.0, found.0, "seed {seed}, set {set}, order {order}: {told:?}");
                    alike += 1;
                }
            }
        }
    }
    assert!(refused > 500 && alike > 500, "{refused} refused, {alike} alike");
}

/// That a line takes no part in the inherited one outlasts whatever is said there of a site's own one of its name.
#[test]
fn what_ends_at_a_line_of_the_inherited_one_stays_ended() {
    for (level, is_told) in [(8, true), (9, false)] {
        let mut network = Network::at(level, vec![service("limit", &LIMIT)]);
        let (site, line) = ("acme/berlin", "acme/berlin/line-1");
        network.does(&subscribe("acme", "cap", "limit", &["burst=8k"], true));
        network.does(&deactivate(line, "cap"));
        assert!(!network.states(line).contains(&"active".to_owned()));
        let before = network.devices.clone();
        network.does(&subscribe(site, "cap", "limit", &["burst=9k"], true));
        assert!(network.states(line).contains(&"active".to_owned()), "the own one is for all of its lines");
        network.does(&deactivate(line, "cap"));
        assert!(!network.states(line).contains(&"active".to_owned()));
        network.does(&activate(line, "cap", &[]));
        assert!(network.states(line).contains(&"active".to_owned()));
        network.does(&json!({"remove_subscription": {"place": site, "name": "cap"}}));
        assert_eq!(network.states(line).contains(&"active".to_owned()), is_told, "level {level}");
        assert_eq!(network.devices != before, is_told, "level {level}");
    }
}
