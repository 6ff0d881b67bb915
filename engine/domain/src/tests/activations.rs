//! Subscriptions become configuration of devices: what a user would lose sleep over.

mod ahead;
mod hidden;
mod many;
mod previews;
mod recovery;
mod rehearsed;
mod rollouts;
mod slices;
mod told;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use linesman_schemas::audit::Verdict;
use linesman_schemas::reaction::{Action, Configure, GroupChange};
use linesman_schemas::service::{ServiceSource, ServicesSection};

use super::*;
use crate::activations::parts::{self, PartRow};
use crate::activations::{ActivationRow, CutRow};
use crate::state::Writes;
use crate::subscriptions::{self, SubscriptionRow};
use crate::values::{Given, ValuesRow};

/// A service that sets a policer of its own for each line.
const LIMIT: [(&str, &str); 2] = [
    (
        "service.toml",
        "title = \"Limit\"\nschedulable = true\n[parameters]\nrate = { type = \"rate\", default = \"10m\" }\n\
         burst = { type = \"burst\", required = true }\n",
    ),
    (
        "main.j2",
        "firewall {\n    policer {{ line }} {\n        rate {{ rate }};\n        burst {{ burst }};\n    }\n}\n",
    ),
];
/// A service that sets what is one for the whole device.
const BANNER: [(&str, &str); 2] = [
    ("service.toml", "title = \"Banner\"\n[parameters]\ntext = { type = \"string\", required = true }\n"),
    ("main.j2", "system {\n    login {\n        message {{ text }};\n    }\n}\n"),
];

fn service(name: &str, files: &[(&str, &str)]) -> ServiceSource {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    ServiceSource { name: name.parse().unwrap(), files: files.collect() }
}

fn catalog(services: Vec<ServiceSource>, parameters: Option<&str>) -> Arc<Catalog> {
    let parameters = parameters.map(str::to_owned);
    Arc::new(Catalog::of(ServicesSection { services, parameters, refused: Vec::new() }))
}

/// What devices hold: groups and their texts.
type Devices = BTreeMap<String, BTreeMap<String, String>>;

/// An organization with its network: two sites of two lines each, a device for each site.
struct Network {
    lane: Lane,
    devices: Devices,
    /// What was told to devices, in order: group and whether it was put.
    told: Vec<(String, bool)>,
}

impl Network {
    fn new() -> Self {
        Self::with(vec![service("limit", &LIMIT), service("banner", &BANNER)])
    }

    fn with(services: Vec<ServiceSource>) -> Self {
        Self::at(level::NEWEST, services)
    }

    fn at(level: u32, services: Vec<ServiceSource>) -> Self {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Send all information");
        lane.services = catalog(services, None);
        lane.rules(1, &[], Settings::default());
        for site in ["berlin", "paris"] {
            lane.command("acme", &json!({"set_place": {"place": format!("acme/{site}")}}));
            for line in ["line-1", "line-2"] {
                let place = format!("acme/{site}/{line}");
                lane.command("acme", &json!({"set_place": {"place": place, "device": format!("pe-{site}")}}));
            }
        }
        lane.events.clear();
        Self { lane, devices: Devices::new(), told: Vec::new() }
    }

    /// The same once more, of which nothing is shared.
    fn copy(&self) -> Self {
        let lane = &self.lane;
        let base = Memory::default();
        let rows = lane.base.rows().into_iter().map(|(key, row)| (key, Some(row))).collect();
        base.apply(&Writes { batch: 0, rows });
        let domain = open(&base, &lane.judge, lane.book.clone(), lane.number);
        let (judge, book, services) = (Rc::clone(&lane.judge), lane.book.clone(), Arc::clone(&lane.services));
        let (sequence, now, events) = (lane.sequence, lane.now, Vec::new());
        let (number, mode, directory) = (lane.number, lane.mode, lane.directory.clone());
        let lane = Lane {
            base,
            domain,
            judge,
            sequence,
            now,
            events,
            book,
            services,
            number,
            directory,
            mode,
            reopens: false,
        };
        Self { lane, devices: self.devices.clone(), told: Vec::new() }
    }

    /// A command is decided, and what follows from it in slices; devices have not answered.
    fn ask(&mut self, verb: &Value) -> (Verdict, String) {
        let decided = self.lane.decided(verb);
        self.lane.work();
        decided
    }

    /// A command is done, and devices have done what it takes.
    fn does(&mut self, verb: &Value) -> String {
        let (verdict, detail) = self.ask(verb);
        assert_eq!(verdict, Verdict::Done, "{verb}: {detail}");
        self.settle();
        detail
    }

    fn refuses(&mut self, verb: &Value) -> String {
        let before = (self.lane.pending(), self.parts());
        let (verdict, detail) = self.ask(verb);
        assert_ne!(verdict, Verdict::Done, "{verb}");
        assert_eq!((self.lane.pending(), self.parts()), before, "{verb}");
        detail
    }

    /// Devices do what they are told until nothing is pending.
    fn settle(&mut self) {
        while self.answer(&json!({"done": "configured"})) {}
    }

    /// The device that waits longest does what it is told, and answers.
    fn answer(&mut self, outcome: &Value) -> bool {
        let Some((id, row)) = self.next() else { return false };
        let Action::Configure(configure) = serde_json::from_str(&row.action).unwrap() else { panic!("{row:?}") };
        let Configure { device, group, change } = *configure;
        self.told.push((group.clone(), change != GroupChange::Remove));
        if outcome.get("done").is_some() {
            let groups = self.devices.entry(device.serial_number).or_default();
            match change {
                GroupChange::Put { text } => groups.insert(group, text),
                GroupChange::Remove => groups.remove(&group),
            };
            self.devices.retain(|_, groups| !groups.is_empty());
        }
        let report = json!({"attempt": {"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": outcome}});
        self.lane.take("acme", "result", report.to_string().as_bytes());
        self.lane.work();
        true
    }

    /// The reaction of the first queue that is due first.
    fn next(&self) -> Option<(String, PendingRow)> {
        let number = |id: &str| id.rsplit_once("-r").and_then(|(_, tail)| tail.split('-').next()?.parse::<u64>().ok());
        self.lane.pending().into_iter().min_by_key(|(id, _)| number(id))
    }

    fn parts(&self) -> BTreeMap<(String, String), PartRow> {
        let org = "acme".parse().unwrap();
        let front = parts::below(&org, &[]);
        let rows = Table::<PartRow>::scan(&self.lane.base, front.clone()).map(Result::unwrap);
        rows.map(|(key, bytes)| {
            let (line, id) = parts::line_and_id(&org, &key[front.len()..]).unwrap();
            ((line.to_string(), id), crate::table::decode(&key, &bytes).unwrap())
        })
        .collect()
    }

    /// How the parts of a line stand, with the reasons of those that failed.
    fn states(&self, line: &str) -> Vec<String> {
        let parts = self.parts().into_iter().filter(|((at, _), _)| at == line);
        parts.map(|(_, part)| format!("{}{}", part.state.as_str(), part.reason)).collect()
    }

    /// The texts of the groups on a device.
    fn texts(&self, device: &str) -> Vec<String> {
        let groups = self.devices.get(device).into_iter().flatten();
        groups.map(|(_, text)| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }
}

fn subscribe(place: &str, name: &str, service: &str, substitutions: &[&str], active: bool) -> Value {
    json!({"set_subscription": {"place": place, "name": name, "service": service, "substitutions": substitutions,
        "active": active}})
}

fn activate(place: &str, name: &str, substitutions: &[&str]) -> Value {
    json!({"activate_subscription": {"place": place, "name": name, "substitutions": substitutions}})
}

fn deactivate(place: &str, name: &str) -> Value {
    json!({"deactivate_subscription": {"place": place, "name": name}})
}

fn values(place: &str, substitutions: &[&str]) -> Value {
    json!({"set_values": {"place": place, "substitutions": substitutions}})
}

#[test]
fn an_activation_is_a_group_of_its_own_on_the_device_of_each_line_and_goes_without_a_trace() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], false));
    assert!(network.devices.is_empty(), "what is not active is nowhere");
    assert_eq!(network.does(&activate("acme", "cap", &[])), "activated");
    let groups: Vec<&String> = network.devices["pe-berlin"].keys().collect();
    assert_eq!(groups.len(), 2);
    assert!(groups.iter().all(|group| group.starts_with("linesman-cap-")), "{groups:?}");
    assert!(groups[0].ends_with("-line-1") && groups[1].ends_with("-line-2"), "{groups:?}");
    assert_eq!(
        network.texts("pe-berlin"),
        [
            "firewall { policer line-1 { rate 10000000; burst 1000; } }",
            "firewall { policer line-2 { rate 10000000; burst 1000; } }",
        ]
    );
    assert_eq!(network.states("acme/paris/line-2"), ["active"]);
    assert_eq!(network.does(&deactivate("acme", "cap")), "deactivated");
    assert!(network.devices.is_empty() && network.parts().is_empty());
}

#[test]
fn a_changed_value_tells_the_devices_that_depend_on_it_and_no_others() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    network.told.clear();
    network.does(&values("acme/paris/line-2", &["rate=20m"]));
    assert_eq!(network.told.len(), 1, "{:?}", network.told);
    assert!(network.texts("pe-paris")[1].contains("rate 20000000;"));
    network.told.clear();
    network.does(&values("acme/berlin", &["rate=10m"]));
    assert!(network.told.is_empty(), "it comes to the same");
    network.does(&json!({"set_place": {"place": "acme/berlin/line-1", "device": "pe-new"}}));
    let told: Vec<bool> = network.told.iter().map(|(_, is_put)| *is_put).collect();
    assert_eq!(told, [false, true], "the device before loses it");
    assert_eq!((network.texts("pe-berlin").len(), network.texts("pe-new").len()), (1, 1));
}

#[test]
fn the_manager_of_a_line_ends_and_takes_up_what_is_inherited_there_alone() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    network.does(&deactivate("acme/berlin/line-1", "cap"));
    assert_eq!(network.states("acme/berlin/line-1"), ["inactive"]);
    assert_eq!(network.texts("pe-berlin"), ["firewall { policer line-2 { rate 10000000; burst 1000; } }"]);
    network.does(&activate("acme/berlin/line-1", "cap", &["rate=5m"]));
    assert!(network.texts("pe-berlin").iter().any(|text| text.contains("rate 5000000;")));
    network.does(&deactivate("acme/berlin/line-1", "cap"));
    network.does(&activate("acme/berlin/line-1", "cap", &[]));
    assert_eq!(network.texts("pe-berlin").len(), 2, "the one from above reaches there again");
    network.does(&deactivate("acme", "cap"));
    assert!(network.devices.is_empty());
}

#[test]
fn a_subscription_of_its_own_takes_the_place_of_the_inherited_one() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    network.does(&subscribe("acme/berlin", "cap", "limit", &["burst=2k"], false));
    assert!(!network.devices.contains_key("pe-berlin"), "{:?}", network.devices);
    network.does(&activate("acme/berlin", "cap", &[]));
    assert!(network.texts("pe-berlin").iter().all(|text| text.contains("burst 2000;")));
    network.does(&json!({"remove_subscription": {"place": "acme/berlin", "name": "cap"}}));
    assert!(network.texts("pe-berlin").iter().all(|text| text.contains("burst 1000;")));
    network.does(&json!({"suspend_subscription": {"place": "acme", "name": "cap"}}));
    assert!(network.devices.is_empty());
    assert_eq!(network.states("acme/paris/line-1"), ["inactive"]);
    network.does(&json!({"resume_subscription": {"place": "acme", "name": "cap"}}));
    assert_eq!(network.devices.len(), 2);
}

#[test]
fn what_is_missing_is_told_when_it_is_to_be_active() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin", "cap", "limit", &[], false));
    let detail = network.refuses(&activate("acme/berlin", "cap", &[]));
    assert_eq!(
        detail,
        "`acme/berlin/line-1`: `burst` is required and has no value; \
         `acme/berlin/line-2`: `burst` is required and has no value"
    );
    let detail = network.refuses(&activate("acme/berlin", "cap", &["brust=1k"]));
    assert_eq!(detail, "there is no parameter `brust`; did you mean `burst`?");
    network.does(&activate("acme/berlin", "cap", &["burst=3k"]));
    assert_eq!(network.texts("pe-berlin").len(), 2);
}

#[test]
fn two_that_set_the_same_differently_are_refused_with_both_named() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin", "hello", "banner", &["text=\"hello\""], false));
    network.does(&activate("acme/berlin/line-1", "hello", &[]));
    let detail = network.refuses(&subscribe("acme/berlin/line-2", "bye", "banner", &["text=\"bye\""], true));
    let hello = network.parts().into_keys().next().unwrap().1;
    assert!(
        detail.starts_with("`acme/berlin/line-2`: `system login message` is set to `hello` and to `bye`: by `"),
        "{detail}"
    );
    assert!(
        detail.contains(&format!("`{hello}` of `hello` at `acme/berlin/line-1`, for `acme/berlin/line-1`")),
        "{detail}"
    );
    assert!(detail.contains("of `bye` at `acme/berlin/line-2`, for `acme/berlin/line-2`"), "{detail}");
    let (_, event) = network.lane.events.iter().rfind(|(subject, _)| subject.contains(".audit.")).unwrap();
    let recorded = event.data["outcome"].as_str().unwrap();
    assert!(recorded.contains("is set otherwise") && !recorded.contains("line-1"), "{recorded}");
    let manager = json!({"manager": "ann", "sphere": ["acme/berlin/line-2"], "privileges": ["subscription", "substitution", "activation"]});
    network.does(&json!({"set_manager": manager}));
    let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let asked = subscribe("acme/berlin/line-2", "bye", "banner", &["text=\"bye\""], true);
    let (verdict, detail) = network.lane.decided_for(&ann, &asked);
    assert_eq!(verdict, Verdict::Conflict);
    assert!(!detail.contains("hello") && !detail.contains("line-1"), "she sees her line alone: {detail}");
    network.does(&activate("acme/berlin/line-2", "hello", &[]));
    assert_eq!(network.texts("pe-berlin").len(), 2, "both set the same to the same");
    network.does(
        &json!({"set_values": {"place": "acme/berlin", "subscription": "hello", "substitutions": ["text=\"moin\""]}}),
    );
    assert_eq!(network.texts("pe-berlin"), ["system { login { message moin; } }"; 2], "neither holds the other up");
}

#[test]
fn a_device_that_calls_itself_as_another_gets_nothing_of_it() {
    let mut network = Network::new();
    network.lane.bundle("acme", "edge", 1, "Low");
    network.does(&json!({"set_place": {"place": "acme/berlin/line-1", "device": "edge"}}));
    network.does(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], true));
    let evil = bundle("edge", 2, "Low").replace("SNedge", "AEVIL");
    network.lane.take("acme", "jmb", evil.as_bytes());
    network.does(&json!({"redeploy_subscription": {"place": "acme/berlin/line-1", "name": "cap"}}));
    assert_eq!(network.devices.keys().collect::<Vec<_>>(), ["SNedge"]);
    let told = "failedseveral devices call themselves `edge`; the access line names one by its serial number";
    assert_eq!(network.states("acme/berlin/line-1"), [told]);
    network.does(&json!({"set_place": {"place": "acme/berlin/line-1", "device": "SNedge"}}));
    assert_eq!(network.states("acme/berlin/line-1"), ["active"]);
}

#[test]
fn what_is_kept_out_comes_in_when_the_other_goes() {
    // Before level 6 it was not refused where a line's device was changed to one on which they meet: the part tells.
    let mut network = Network::at(5, vec![service("limit", &LIMIT), service("banner", &BANNER)]);
    network.does(&subscribe("acme/berlin", "hello", "banner", &["text=\"hello\""], true));
    network.does(&subscribe("acme/paris", "bye", "banner", &["text=\"bye\""], true));
    network.does(&json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-berlin"}}));
    let part = network.parts().into_iter().find(|((line, _), _)| line == "acme/paris/line-1").unwrap().1;
    let both = part.told(|_| true);
    assert!(both.starts_with("`system login message` is set to `hello` and to `bye`: by `hello-"), "{both}");
    let own = part.told(|place| place.to_string().starts_with("acme/paris"));
    assert!(own.starts_with("`system login message` is set otherwise on the device for another access line"), "{own}");
    assert!(!own.contains("hello") && !own.contains("berlin"), "{own}");
    assert_eq!(network.texts("pe-berlin").len(), 2);
    network.does(&deactivate("acme/berlin", "hello"));
    assert_eq!(network.states("acme/paris/line-1"), ["active"]);
    assert_eq!(network.texts("pe-berlin"), ["system { login { message bye; } }"]);
}

#[test]
fn two_lines_of_one_name_on_one_device_have_groups_of_their_own() {
    let mut network = Network::new();
    network.does(&json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-berlin"}}));
    network.does(&subscribe("acme", "hello", "banner", &["text=\"hello\""], true));
    assert_eq!(network.texts("pe-berlin").len(), 3);
    network.does(&deactivate("acme/berlin/line-1", "hello"));
    assert_eq!(network.texts("pe-berlin").len(), 2);
    network.does(&deactivate("acme", "hello"));
    assert!(network.devices.is_empty() && network.parts().is_empty());
}

#[test]
fn a_device_that_refuses_is_told_of_and_told_again_on_request() {
    let mut network = Network::new();
    network.ask(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], true));
    assert_eq!(network.states("acme/berlin/line-1"), ["pending"]);
    network.answer(&failed("refused", None));
    assert_eq!(network.states("acme/berlin/line-1"), ["failedrefused: no"]);
    network.does(&values("acme", &["rate=10m"]));
    assert_eq!(network.states("acme/berlin/line-1"), ["failedrefused: no"], "nothing has changed for the device");
    network.does(&json!({"redeploy_subscription": {"place": "acme/berlin/line-1", "name": "cap"}}));
    assert_eq!(network.states("acme/berlin/line-1"), ["active"]);
}

#[test]
fn an_answer_to_what_was_overtaken_changes_nothing() {
    let mut network = Network::new();
    network.ask(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], true));
    let (id, row) = network.next().unwrap();
    network.ask(&values("acme/berlin/line-1", &["rate=20m"]));
    let done = json!({"done": "configured"});
    let report = json!({"attempt": {"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": done}});
    network.lane.take("acme", "result", report.to_string().as_bytes());
    assert_eq!(network.states("acme/berlin/line-1"), ["pending"]);
    network.settle();
    assert_eq!(network.told.len(), 1, "what is outdated is not told any more");
    assert!(network.texts("pe-berlin")[0].contains("rate 20000000;"));
}

#[test]
fn a_place_that_goes_takes_its_groups_along() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    network.does(&json!({"remove_place": {"place": "acme/berlin", "cascade": true}}));
    assert!(!network.devices.contains_key("pe-berlin"));
    assert!(network.parts().keys().all(|(line, _)| line.starts_with("acme/paris")));
}

#[test]
fn what_is_to_count_later_is_held_against_what_counts_always() {
    let banner = [
        (BANNER[0].0, BANNER[0].1.replace("[parameters]", "schedulable = true\n[parameters]")),
        (BANNER[1].0, BANNER[1].1.to_owned()),
    ];
    let mut network =
        Network::with(vec![service("banner", &banner.each_ref().map(|(name, text)| (*name, text.as_str())))]);
    network.does(&subscribe("acme", "day", "banner", &[], false));
    network.does(&subscribe("acme", "night", "banner", &[], false));
    let at_hour = |place: &str, name: &str, text: &str, hour: u32| {
        let schedule = json!({"start": format!("2026-11-21T{hour:02}:00:00"), "duration_s": 3600, "repeat": "daily"});
        json!({"activate_subscription": {"place": place, "name": name, "substitutions": [text], "schedule": schedule}})
    };
    network.does(&activate("acme/berlin/line-1", "day", &["text=\"a\""]));
    let night = |place: &str| at_hour(place, "night", "text=\"b\"", 22);
    let (ours, theirs) = (
        crate::activations::id(&"acme/berlin/line-1".parse().unwrap(), &"night".parse().unwrap(), ["text=\"b\""]),
        crate::activations::id(&"acme/berlin/line-1".parse().unwrap(), &"day".parse().unwrap(), ["text=\"a\""]),
    );
    assert_eq!(
        network.refuses(&night("acme/berlin/line-1")),
        format!(
            "`acme/berlin/line-1`: `system login message` is set to `a` and to `b`: by `{theirs}` of `day` at \
             `acme/berlin/line-1`, for `acme/berlin/line-1`, with `text` and by `{ours}` of `night` at \
             `acme/berlin/line-1`, for `acme/berlin/line-1`, with `text`"
        )
    );
    let found = network.refuses(&at_hour("acme/berlin/line-1", "night", "text=1", 22));
    assert!(found.contains("`text`"), "{found}");
    // What counts by day and what counts by night do not meet.
    network.does(&json!({"deactivate_subscription": {"place": "acme/berlin/line-1", "name": "day"}}));
    network.does(&at_hour("acme/berlin/line-1", "day", "text=\"a\"", 8));
    network.does(&night("acme/berlin/line-1"));
    // Of all lines of a device one sets it to the same as another, and nothing else is held against itself.
    network.does(&night("acme/paris"));
}

#[test]
fn a_schedule_puts_and_removes_at_its_moments() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin/line-1", "cap", "limit", &["burst=1k"], false));
    let schedule = |start: &str| json!({"start": start, "duration_s": 3600, "repeat": "daily"});
    let scheduled = json!({"activate_subscription": {"place": "acme/berlin/line-1", "name": "cap",
        "schedule": schedule("2026-11-21T12:00:00")}});
    network.does(&scheduled);
    assert_eq!(network.states("acme/berlin/line-1"), ["inactive"]);
    let tick = |network: &mut Network, time: &str| {
        network.lane.now = time.parse().unwrap();
        network.lane.decide("", "ctl", b"", Content::Tick);
        network.lane.commit();
        network.lane.work();
        network.settle();
        network.devices.len()
    };
    assert_eq!(tick(&mut network, "2026-11-21T12:00:00Z"), 1);
    assert_eq!(network.states("acme/berlin/line-1"), ["active"]);
    assert_eq!(tick(&mut network, "2026-11-21T13:00:00Z"), 0);
    assert_eq!(tick(&mut network, "2026-11-22T12:30:00Z"), 1);
    network.does(&deactivate("acme/berlin/line-1", "cap"));
    assert_eq!(tick(&mut network, "2026-11-23T12:30:00Z"), 0);
    let over = json!({"activate_subscription": {"place": "acme/berlin/line-1", "name": "cap",
        "schedule": {"start": "2026-11-21T12:00:00", "duration_s": 60}}});
    assert_eq!(network.refuses(&over), "`schedule` enables nothing from now on: it is over");
    let other = json!({"set_subscription": {"place": "acme/paris", "name": "hi", "service": "banner",
        "substitutions": ["text=\"x\""], "active": true, "schedule": schedule("2026-11-21T12:00:00")}});
    assert_eq!(network.refuses(&other), "`schedule` is not for `banner`: the service is not `schedulable`");
}

#[test]
fn a_changed_service_reaches_subscriptions_when_it_is_rolled_out() {
    let mut network = Network::new();
    network.does(&subscribe("acme/berlin", "cap", "limit", &["burst=1k"], true));
    network.does(&subscribe("acme/paris", "cap", "limit", &["burst=1k"], true));
    network.told.clear();
    let renamed =
        [LIMIT[0], (LIMIT[1].0, "firewall {\n    policer {{ line }} {\n        bandwidth {{ rate }};\n    }\n}\n")];
    network.lane.services = catalog(vec![service("limit", &renamed), service("banner", &BANNER)], None);
    network.lane.rules(2, &[], Settings::default());
    network.lane.work();
    network.settle();
    assert!(network.told.is_empty(), "a saved template configures nobody anew");
    network.does(&json!({"rollout_service": {"service": "limit", "under": "acme", "canary": 1}}));
    let is_new = |network: &Network, device: &str| network.texts(device).iter().all(|text| text.contains("bandwidth"));
    assert!(is_new(&network, "pe-berlin") && !is_new(&network, "pe-paris"));
    assert_eq!(network.does(&json!({"rollout_service": {"service": "limit", "under": "acme"}})), "begun");
    assert!(is_new(&network, "pe-berlin") && is_new(&network, "pe-paris"));
    assert_eq!(network.does(&json!({"rollout_service": {"service": "limit", "under": "acme"}})), "unchanged");
    let unknown = json!({"rollout_service": {"service": "limit", "under": "acme", "version": "000000000000"}});
    assert_eq!(network.refuses(&unknown), "there is no version `000000000000` of the service `limit`");
}

/// What people do one after the other; what different ones do comes in any order. Those of banners get in each other's way
/// where they meet on a device with other texts: what is refused then is left out.
fn stories(random: &mut super::managers::Dice) -> Vec<Vec<Value>> {
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

/// A service as [`LIMIT`], whose policers are told apart by a label.
const LABELLED: &str = "firewall {\n    policer {{ label }}-{{ line }} {\n        rate {{ rate }};\n        burst {{ burst }};\n    }\n}\n";

#[test]
fn a_thousand_orders_end_alike_to_the_byte() {
    let definition = format!("{}label = {{ type = \"string\", default = '\"all\"' }}\n", LIMIT[0].1);
    let limit = service("limit", &[(LIMIT[0].0, &definition), (LIMIT[1].0, LABELLED)]);
    let seed = std::env::var("LINESMAN_SEED").ok().map_or(1, |seed| seed.parse().unwrap());
    let mut random = super::managers::Dice(seed);
    let before = Network::with(vec![limit, service("banner", &BANNER)]);
    let (mut refused, mut alike) = (0, 0);
    for set in 0..20 {
        let told = stories(&mut random);
        // By what was taken in: the same commands, in whatever order, end alike.
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
                    Some((step, verb)) => match network.lane.decided(verb).0 {
                        Verdict::Done => drop(taken.insert((story, step))),
                        _ => refused += 1,
                    },
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

/// A service that sets what takes one value, and is called as what takes several elsewhere.
const PORT: [(&str, &str); 2] = [
    ("service.toml", "title = \"Port\"\n[parameters]\nport = { type = \"port\", required = true }\n"),
    ("main.j2", "system { services { ssh { port {{ port }}; } } }\n"),
];
/// A service that sets one of several.
const CLOCK: [(&str, &str); 2] = [
    ("service.toml", "title = \"Clock\"\n[parameters]\nserver = { type = \"address\", required = true }\n"),
    ("main.j2", "system { ntp { server {{ server }}; } }\n"),
];

#[test]
fn where_a_statement_stands_says_whether_two_of_it_are_a_conflict() {
    let mut network = Network::with(vec![service("port", &PORT), service("clock", &CLOCK)]);
    network.does(&subscribe("acme/berlin/line-1", "low", "port", &["port=22"], true));
    let told = network.refuses(&subscribe("acme/berlin/line-2", "high", "port", &["port=2222"], true));
    let expected = "`system services ssh port` is set to `22` and to `2222`: by `low` of `low` at `acme/berlin/line-1`, \
                    for `acme/berlin/line-1`, with `port` and by `high` of `high` at `acme/berlin/line-2`, for \
                    `acme/berlin/line-2`, with `port`";
    assert!(told.contains("`system services ssh port` is set to `22` and to `2222`"), "{told}\n{expected}");
    network.does(&subscribe("acme/berlin/line-1", "one", "clock", &["server=192.0.2.1"], true));
    network.does(&subscribe("acme/berlin/line-2", "two", "clock", &["server=192.0.2.2"], true));
    assert_eq!(network.devices["pe-berlin"].len(), 3);
}

#[test]
fn what_level_6_set_is_held_against_at_level_7_as_that_tells_it_apart() {
    let mut network = Network::at(6, vec![service("port", &PORT), service("clock", &CLOCK)]);
    network.does(&subscribe("acme/berlin/line-1", "low", "port", &["port=22"], true));
    network.does(&subscribe("acme/berlin/line-2", "high", "port", &["port=2222"], true));
    network.does(&subscribe("acme/paris/line-1", "one", "clock", &["server=192.0.2.1"], true));
    let refused = network.refuses(&subscribe("acme/paris/line-2", "two", "clock", &["server=192.0.2.2"], true));
    assert!(refused.contains("`system ntp server` is set to `192.0.2.1` and to `192.0.2.2`"), "{refused}");
    network.lane.decide("", "ctl", b"", Content::Level(7));
    let refused = network.refuses(&subscribe("acme/berlin/line-2", "third", "port", &["port=23"], true));
    assert!(refused.contains("`system services ssh port` is set to"), "{refused}");
    network.does(&subscribe("acme/paris/line-2", "two", "clock", &["server=192.0.2.2"], true));
    // What goes takes with it what it set, however that was told apart.
    network.does(&json!({"remove_subscription": {"place": "acme/berlin/line-1", "name": "low"}}));
    network.does(&json!({"remove_subscription": {"place": "acme/berlin/line-2", "name": "high"}}));
    network.does(&subscribe("acme/berlin/line-2", "third", "port", &["port=23"], true));
    assert_eq!(network.texts("pe-berlin"), ["system { services { ssh { port 23; } } }"]);
}
