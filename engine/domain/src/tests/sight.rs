//! Whoever sees an organization in part works on what they see of it, as far as their step with incidents goes.

use linesman_schemas::audit::Verdict;
use linesman_schemas::{IncidentStep, Login, Place, Privileges, Right, Rights, Sphere};

use super::*;
use crate::commands;
use crate::managers::{self, GrantRow, ManagerRow};
use crate::places::{self, PlaceRow, TieRow};
use crate::state::Writes;
use crate::table::encode;

const STEPS: [IncidentStep; 4] = IncidentStep::ALL;

impl Lane {
    /// One of the provider's people; the lane is opened anew, for its directory is read then.
    pub(super) fn person(&mut self, name: &str, places: &str, rights: Rights) {
        let sphere = Sphere::of(places.split_whitespace().map(|place| place.parse::<Place>().unwrap()));
        let granter = Some(crate::directory::admin().granter());
        let grant = GrantRow { sphere, privileges: Privileges::all().bits(), rights: rights.bits(), granter };
        let row = ManagerRow { number: 1, grant, created: self.now, changed: self.now };
        let key = managers::key(&Login::new(None, name.parse().unwrap())).into_bytes();
        self.put(key, encode(&row).unwrap());
    }

    fn tie(&mut self, place: &str, device: &str) {
        let (display_name, device_there, interface, addresses) = Default::default();
        let (created, changed) = (self.now, self.now);
        let row = PlaceRow { display_name, device: device_there, interface, addresses, speed: 0, created, changed };
        let (place, tie) = (place.parse().unwrap(), TieRow { is_served: false, is_tied: true });
        self.put(places::key(&place).into_bytes(), encode(&row).unwrap());
        self.put(places::tie_key(&place, device).into_bytes(), encode(&tie).unwrap());
    }

    pub(super) fn put(&mut self, key: Vec<u8>, row: Vec<u8>) {
        self.base.apply(&Writes { rows: vec![(key, Some(row))], ..Writes::default() });
        self.domain = open(&self.base, &self.judge, self.book.clone(), self.number);
    }

    /// What becomes of a command of one of the provider's people.
    pub(super) fn of_person(&mut self, name: &str, verb: &Value) -> (Verdict, String) {
        let id = format!("c{}", self.sequence);
        let principal = json!({"kind": "provider", "name": name});
        let command = json!({"id": id, "principal": principal, "node": "n", "verb": verb});
        self.take("acme", "cmd", command.to_string().as_bytes());
        let row = self.row(&commands::key(Some(&"acme".parse().unwrap()), &id)).unwrap();
        (row.verdict, row.detail)
    }

    fn owner(&mut self, owner: &str) {
        let given = self.ask("acme", &json!({"assign_incident": {"incident": "acme-1", "owner": owner}}));
        assert_eq!(given.0, Verdict::Done);
    }
}

#[test]
fn an_incident_outside_the_reach_answers_as_one_that_does_not_exist() {
    let mut lane = Lane::with_incident(&[]);
    lane.bundle("acme", "b", 2, "High");
    let rights = Rights::of([Right::Cases], IncidentStep::Delegate);
    lane.person("mia", "acme/berlin", rights);
    lane.person("max", "acme", rights);
    lane.tie("acme/berlin/line-7", "a");
    let verbs = |id: &str| {
        let mut wish = json!({"incident": id, "note": "x"});
        let close = json!({"close_incident": wish});
        wish["owner"] = "mia".into();
        let assign = json!({"assign_incident": wish});
        let save = json!({"save_case": {"incident": id, "case": {"synopsis": "x"}}});
        [close, assign, save]
    };
    for (hidden, nobody) in verbs("acme-2").iter().zip(&verbs("acme-9")) {
        let hidden = lane.of_person("mia", hidden);
        let (verdict, detail) = lane.of_person("mia", nobody);
        assert_eq!(hidden, (verdict, detail.replace("acme-9", "acme-2")));
        assert_eq!(hidden, (Verdict::NotFound, "there is no incident `acme-2` of `acme`".to_owned()));
    }
    let [_, assign, save] = verbs("acme-1");
    assert_eq!([lane.of_person("mia", &save).0, lane.of_person("mia", &assign).0], [Verdict::Done; 2]);
    assert_eq!(lane.of_person("max", &verbs("acme-2")[1]).0, Verdict::Done, "all of the organization is seen");
}

#[test]
fn a_device_is_named_in_one_group_alone() {
    let groups = |core: Value, spare: Value, name: &str| {
        let groups = json!([{"name": "core", "devices": core}, {"name": "spare", "devices": spare}]);
        json!({"set_organization": {
            "display_name": name, "is_proxy": false, "filter_level": "Send all information", "device_groups": groups,
        }})
    };
    let (twice, before) = (groups(json!(["r1", "r2"]), json!(["r3", "r1"]), "a"), 13);
    let mut lane = Lane::with_at(before, &[]);
    assert_eq!(lane.asked_of("acme", &twice).0, Verdict::Done, "older levels decide as ever");
    let mut lane = Lane::with(&[]);
    let detail =
        "a device is in one device group: `r1` is named in `spare`, and belongs to `core`, which stands before it";
    assert_eq!(lane.asked_of("acme", &twice), (Verdict::Invalid, detail.to_owned()));
    assert_eq!(
        lane.asked_of("acme", &groups(json!(["r*"]), json!(["r1"]), "a")),
        (Verdict::Invalid, detail.to_owned())
    );
    // The order says where patterns meet; what is named twice in one group is in one.
    for (core, spare) in
        [(json!(["r1"]), json!(["r*"])), (json!(["r*"]), json!(["*"])), (json!(["r1", "r1", "r*"]), json!(["s1"]))]
    {
        let done = lane.asked_of("acme", &groups(core, spare, "a"));
        assert_eq!(done.0, Verdict::Done, "{done:?}");
    }
}

#[test]
fn what_an_organizations_device_groups_are_now_says_who_sees_its_incidents() {
    let groups = |groups: Value| json!({"set_organization": {"display_name": "acme", "is_proxy": true, "filter_level": "Send all information", "device_groups": groups}});
    let lab = groups(json!([{"name": "lab", "devices": ["a*"]}]));
    let mut lane = Lane::with(&[]);
    lane.command("acme", &lab);
    lane.bundle("acme", "a", 1, "High");
    let group = json!({"set_group": {"group": "night", "members": ["gil"], "organizations": [], "device_groups": [{"organization": "acme", "name": "lab"}]}});
    lane.person("gil", "", Rights::of([], IncidentStep::Delegate));
    let command =
        json!({"id": "night", "principal": {"kind": "provider", "name": "admin"}, "node": "n", "verb": group});
    lane.decide("", "ctl", b"", Content::Command(serde_json::from_value(command).unwrap()));
    lane.commit();
    let assign = json!({"assign_incident": {"incident": "acme-1", "owner": "gil"}});
    assert_eq!(lane.of_person("gil", &assign).0, Verdict::Done);
    for (change, verdict) in [
        (groups(json!([{"name": "lab", "devices": ["other*"]}])), Verdict::NotFound),
        (lab.clone(), Verdict::Done),
        // The first that names it counts.
        (groups(json!([{"name": "all", "devices": ["*"]}, {"name": "lab", "devices": ["a*"]}])), Verdict::NotFound),
        (lab, Verdict::Done),
        (groups(json!([])), Verdict::NotFound),
    ] {
        lane.command("acme", &change);
        assert_eq!(lane.of_person("gil", &assign).0, verdict, "{change}");
    }
}

#[test]
fn who_says_which_device_serves_a_place_may_tie_devices_and_sees_it() {
    let mut lane = Lane::with(&[]);
    // `SNc` and `SNd` are each the serial number of one and the host name of another.
    for (host, number) in [("a", 1), ("b", 2), ("c", 3), ("SNc", 4), ("d", 5), ("SNd", 6)] {
        lane.bundle("acme", host, number, "High");
    }
    for (name, sphere, rights) in [
        ("pat", "acme/berlin", &[Right::Organizations][..]),
        ("mia", "acme/berlin", &[Right::Organizations, Right::Devices]),
        ("max", "acme", &[Right::Organizations, Right::Devices]),
    ] {
        lane.person(name, sphere, Rights::of(rights.iter().copied(), IncidentStep::Any));
    }
    lane.tie("acme/berlin", "a");
    lane.tie("acme/berlin/line-7", "SNc");
    lane.tie("acme/berlin/line-8", "d");
    lane.tie("acme/paris/line-1", "b");
    let set = |device: &str| json!({"set_place": {"place": "acme/berlin/line-1", "device": device}});
    let named = |what: &str| json!({"set_place": {"place": "acme/berlin/line-1", "display_name": what}});
    let nothing = |name: &str| (Verdict::NotFound, format!("`acme` has no device `{name}`"));
    let denied = (Verdict::Forbidden, "`pat` has not the right `devices` on `acme/berlin/line-1`".to_owned());
    assert_eq!(lane.of_person("pat", &named("One")), (Verdict::Done, "created".to_owned()));
    for device in ["SNa", "SNb", "b", "nobody"] {
        assert_eq!(lane.of_person("pat", &set(device)), denied, "{device}");
    }
    // What is outside is answered as what is nowhere, by whichever of its names.
    for device in ["SNb", "b", "nobody", "SNd"] {
        assert_eq!(lane.of_person("mia", &set(device)), nothing(device));
    }
    let done = (Verdict::Done, "changed".to_owned());
    for device in ["SNa", "a", "c", "d", "SNc"] {
        assert_eq!(lane.of_person("mia", &set(device)), done, "{device}");
    }
    // Said again it ties nothing, and one that serves no more is as much a change of ties.
    assert_eq!(lane.of_person("pat", &set("SNc")), done);
    assert_eq!(lane.of_person("pat", &set("")), denied);
    for device in ["", "nobody", "b"] {
        assert_eq!(lane.of_person("max", &set(device)), done, "{device}");
    }
}

/// What is asked of an incident whose owner is somebody, and from which step on it is done.
const TABLE: [(&str, &str, IncidentStep); 13] = [
    ("", "take", IncidentStep::Own),
    ("mia", "take", IncidentStep::Own),
    ("bob", "take", IncidentStep::Any),
    ("mia", "drop", IncidentStep::Own),
    ("bob", "drop", IncidentStep::Delegate),
    ("", "give", IncidentStep::Delegate),
    ("mia", "give", IncidentStep::Delegate),
    ("bob", "give", IncidentStep::Delegate),
    ("mia", "work", IncidentStep::Own),
    ("bob", "work", IncidentStep::Any),
    ("", "work", IncidentStep::Any),
    ("acme/mia", "take", IncidentStep::Any),
    ("acme/mia", "work", IncidentStep::Any),
];

#[test]
fn each_step_with_incidents_has_those_before_it() {
    for step in STEPS {
        let mut lane = Lane::with_incident(&[]);
        lane.person("mia", "/", Rights::of([], step));
        for (owner, what, least) in TABLE {
            let given = |to: &str| json!({"assign_incident": {"incident": "acme-1", "owner": to}});
            let asked = match what {
                "take" => vec![given("mia")],
                "drop" => vec![given("")],
                "give" => vec![given("eve")],
                _ => {
                    let note = json!({"incident": "acme-1", "note": "x"});
                    let priority = json!({"incident": "acme-1", "priority": "Low"});
                    vec![
                        json!({"annotate_incident": note}),
                        json!({"prioritise_incident": priority}),
                        json!({"close_incident": note}),
                        json!({"reopen_incident": note}),
                    ]
                }
            };
            lane.owner(owner);
            for verb in asked {
                let (verdict, detail) = lane.of_person("mia", &verb);
                let expected = if step >= least { Verdict::Done } else { Verdict::Forbidden };
                assert_eq!(verdict, expected, "{step}: {verb} of `{owner}`: {detail}");
                if verdict == Verdict::Forbidden {
                    let named = format!("`mia` has not the right `incidents`, at least `{}` on", least.as_str());
                    let base = "`mia` has not the right `incidents`, at least `own` on";
                    assert!(detail.starts_with(&named) || detail.starts_with(base), "{detail}");
                }
            }
        }
    }
}
