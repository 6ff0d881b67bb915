//! Many activations of one subscription.

use std::cell::Cell;
use std::ops::Bound;

use super::*;
use crate::hidden::Reader;
use crate::preview::{Asked, Question, Sight, preview};
use crate::state::{Base, Row};

/// A service that sets something of its own for each of its values.
const HOLE: [(&str, &str); 2] = [
    ("service.toml", "title = \"Hole\"\n[parameters]\nvictim = { type = \"address\", required = true }\n"),
    ("main.j2", "routing-options { static { route {{ victim }}/32 discard; } }\n"),
];

/// A base that counts what is read of it.
struct Counted {
    rows: Memory,
    reads: Rc<Cell<usize>>,
}

impl Base for Counted {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, crate::Error> {
        self.reads.set(self.reads.get() + 1);
        self.rows.get(key)
    }

    fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<Row>, crate::Error> {
        self.reads.set(self.reads.get() + 1);
        self.rows.first(from, prefix)
    }
}

fn victim(number: u32) -> Value {
    activate("acme/berlin/line-1", "hole", &[&format!("victim=192.0.2.{number}")])
}

#[test]
fn one_activation_more_renders_none_of_those_that_stand() {
    let mut network = Network::with(vec![service("hole", &HOLE)]);
    network.does(&subscribe("acme", "hole", "hole", &[], false));
    let mut reads = Vec::new();
    for count in [10, 40] {
        for number in 0..count {
            network.does(&victim(number));
        }
        let said = json!({"id": "p", "actor": "admin", "node": "test", "verb": victim(100)});
        let Content::Command(command) = Content::decode("cmd", said.to_string().as_bytes()) else { panic!("{said}") };
        let question = Question {
            lane: network.lane.number,
            directory: Arc::clone(&network.lane.directory),
            organization: "acme".parse().unwrap(),
            asked: Asked::Command(command.principal.clone(), Box::new(command.verb.clone())),
            now: network.lane.now,
        };
        let counted = Rc::new(Cell::new(0));
        let base = Counted { rows: network.lane.base.handle(), reads: Rc::clone(&counted) };
        let found =
            preview(Box::new(base), question, &Sight { sees: &|_| true, reader: Reader::of_provider() }, &|| true);
        assert_eq!(found.unwrap().changes.len(), 1);
        reads.push(counted.get());
    }
    // Its row, its part and what its group sets are looked at, some of them twice. To render one takes three times as many.
    let for_each = (reads[1] - reads[0]) / 30;
    assert!(for_each <= 8, "{reads:?}");
    let groups = &network.devices["pe-berlin"];
    assert_eq!(groups.len(), 40);
    assert_eq!(network.ask(&activate("acme/berlin/line-2", "hole", &["victim=192.0.2.7"])).0, Verdict::Done);
}

#[test]
fn one_activation_more_is_held_against_those_that_are_still_to_be_rendered() {
    let mut network = Network::with(vec![service("banner", &BANNER)]);
    // So many that what is asked of the enterprise is rendered in slices.
    for number in 3..=60 {
        let place = format!("acme/berlin/line-{number}");
        network.does(&json!({"set_place": {"place": place, "device": format!("pe-{number}")}}));
    }
    network.does(&subscribe("acme", "banner", "banner", &[], false));
    let (verdict, detail) = network.lane.decided(&activate("acme", "banner", &["text=\"a\""]));
    assert_eq!(verdict, Verdict::Done, "{detail}");
    let (verdict, detail) = network.lane.decided(&activate("acme/paris/line-2", "banner", &["text=\"b\""]));
    assert_eq!(verdict, Verdict::Conflict);
    assert!(detail.contains("`system login message` is set to"), "{detail}");
}

#[test]
fn what_is_replaced_or_removed_leaves_no_rows() {
    let hole = [(HOLE[0].0, HOLE[0].1.replace("[parameters]", "schedulable = true\n[parameters]"))];
    let mut network = Network::with(vec![service("hole", &[(HOLE[0].0, &hole[0].1), HOLE[1]])]);
    let rows = |network: &Network, letter: u8| network.lane.base.rows().keys().filter(|key| key[0] == letter).count();
    let schedules = |network: &Network| {
        let rows = network.lane.base.rows();
        rows.keys().filter(|key| key[0] == b't' && key.get(9) == Some(&b's')).count()
    };
    network.does(&subscribe("acme", "hole", "hole", &["victim=192.0.2.1"], true));
    for day in 1..=9 {
        let schedule = json!({"start": format!("2027-03-0{day}T22:00:00"), "duration_s": 3600});
        network.does(&json!({"activate_subscription": {"place": "acme/berlin/line-1", "name": "hole",
            "substitutions": ["victim=192.0.2.7"], "schedule": schedule}}));
        assert_eq!(schedules(&network), 1);
    }
    network.does(&json!({"deactivate_subscription": {"place": "acme/berlin/line-1", "name": "hole",
        "substitutions": ["victim=192.0.2.7"]}}));
    assert_eq!((schedules(&network), rows(&network, b'X')), (0, 0));
    network.does(&deactivate("acme/berlin/line-1", "hole"));
    network.does(&deactivate("acme/paris", "hole"));
    // What another subscription takes the place of is not removed.
    network.does(&subscribe("acme/paris", "hole", "hole", &[], false));
    assert_eq!(rows(&network, b'O'), 2);
    network.does(&json!({"remove_subscription": {"place": "acme/paris", "name": "hole"}}));
    assert_eq!(rows(&network, b'O'), 2);
    network.does(&json!({"remove_subscription": {"place": "acme", "name": "hole"}}));
    assert_eq!(rows(&network, b'O'), 0);
    assert!(network.devices.is_empty());
}
