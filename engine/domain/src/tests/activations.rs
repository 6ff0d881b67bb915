//! Subscriptions become configuration of devices: what a user would lose sleep over.

mod ahead;
mod answers;
mod approvals;
mod beside;
mod conflicts;
mod doers;
mod drift;
mod groups;
mod hidden;
mod many;
mod moments;
mod orders;
mod previews;
mod pushes;
mod recorded;
mod recovery;
mod rehearsed;
mod rollouts;
mod slices;
mod told;
mod waves;
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
        let Configure { device, group, change, .. } = *configure;
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
