//! Who asks may or may not, is audited wherever it is, and the provider is asked on lane 0.

use linesman_schemas::audit::Verdict;

use super::commands::of;
use super::*;
use crate::commands;

impl Lane {
    /// A command by its whole text; to the provider where `org` is empty.
    pub(super) fn whole(&mut self, org: &str, command: &Value) {
        let bytes = command.to_string();
        if org.is_empty() {
            let bytes = json!({"command": command}).to_string();
            let content = Content::Command(serde_json::from_value(command.clone()).unwrap());
            self.decide("", "ctl", bytes.as_bytes(), content);
            self.commit();
        } else {
            self.take(org, "cmd", bytes.as_bytes());
        }
    }

    /// What became of a command of the provider.
    fn of_provider(&self, id: &str) -> Option<(Verdict, String)> {
        self.row(&commands::key(None, id)).map(|row| (row.verdict, row.detail))
    }
}

fn ann() -> Value {
    json!({"kind": "manager", "organization": "acme", "name": "ann"})
}

fn raise(id: &str, level: u32) -> Value {
    let principal = json!({"kind": "provider", "name": "admin"});
    json!({"id": id, "principal": principal, "node": "n", "verb": {"raise_level": {"level": level}}})
}

#[test]
fn whoever_is_not_known_is_refused_and_audited() {
    let mut lane = Lane::with_incident(&[]);
    let verb = json!({"close_incident": of(json!({"note": "mine"}))});
    lane.whole("acme", &json!({"id": "1", "principal": ann(), "node": "n", "verb": verb}));
    let row = lane.row(&commands::key(Some(&"acme".parse().unwrap()), "1")).unwrap();
    let reason = "there is no organization `acme`";
    assert_eq!((row.verdict, &*row.detail), (Verdict::NotFound, reason));
    assert_eq!(lane.incident().0, "unassigned");
    let data = &lane.on("acme.audit.close-incident")[0].data;
    assert_eq!((&data["verdict"], &data["actor"]), (&json!("not-found"), &json!("acme/ann")));
    assert_eq!((&data["principal"], &data["outcome"]), (&ann(), &json!(reason)));
    let policy = json!({"kind": "policy", "name": "acme/p"});
    lane.whole("acme", &json!({"id": "2", "principal": policy, "node": "n", "verb": "suspend_organization"}));
    assert_eq!(lane.on("acme.audit.suspend-organization")[0].data["verdict"], "not-found");
}

#[test]
fn the_audit_names_the_principal_and_who_it_is_for_people() {
    let mut lane = Lane::with(&[]);
    for (actor, principal) in
        [("configuration", json!({"kind": "configuration"})), ("admin", json!({"kind": "provider", "name": "admin"}))]
    {
        lane.events.clear();
        lane.whole("acme", &json!({"id": actor, "actor": actor, "node": "n", "verb": "unload_organization"}));
        let data = &lane.on("acme.audit.unload-organization")[0].data;
        assert_eq!((&data["actor"], &data["principal"]), (&json!(actor), &principal));
    }
}

#[test]
fn a_command_to_an_organization_that_does_not_exist_is_audited_too() {
    let mut lane = Lane::with(&[]);
    lane.ask("nobody", &json!("suspend_organization"));
    let settings = json!({"display_name": "x".repeat(201), "is_proxy": true, "filter_level": "Do not send"});
    assert_eq!(lane.ask("nobody", &json!({"set_organization": settings})).0, Verdict::Invalid);
    assert_eq!(lane.subjects(), ["_provider.audit.suspend-organization", "_provider.audit.set-organization"]);
    let audits: Vec<_> = lane.events.iter().map(|(_, event)| event).collect();
    assert!(audits.iter().all(|audit| audit.subject.as_deref() == Some("nobody") && audit.source == "/provider"));
    assert_eq!((&audits[0].data["verdict"], &audits[1].data["verdict"]), (&json!("not-found"), &json!("invalid")));
    assert_ne!(audits[0].id, audits[1].id);
}

#[test]
fn the_provider_raises_the_level_once_under_an_id() {
    let mut lane = Lane::at(1);
    lane.whole("", &raise("r", 2));
    assert_eq!(lane.domain.position().level, 2);
    lane.whole("", &raise("r", 2));
    assert_eq!(lane.of_provider("r"), Some((Verdict::Done, "raised".to_owned())));
    let audits = lane.on("_provider.audit.raise-level");
    assert_eq!((audits.len(), audits[0].subject.as_deref()), (1, None));
    assert_eq!((&audits[0].data["old"], &audits[0].data["new"]), (&json!({"level": 1}), &json!({"level": 2})));
    lane.whole("", &raise("s", 2));
    assert_eq!(lane.of_provider("s"), Some((Verdict::Conflict, "the level is 2 already".to_owned())));
    lane.now = lane.now.checked_add(25.hours()).unwrap();
    lane.decide("", "ctl", b"", Content::Tick);
    lane.commit();
    assert_eq!(lane.of_provider("r"), None, "an outcome of the provider's is forgotten after a day too");
}

#[test]
fn a_command_is_asked_of_whom_it_concerns() {
    let mut lane = Lane::with(&[]);
    let (verdict, detail) = lane.ask("acme", &json!({"raise_level": {"level": 3}}));
    assert_eq!((verdict, &*detail), (Verdict::Invalid, "`raise-level` is not asked of an organization"));
    lane.whole("", &json!({"id": "x", "actor": "admin", "node": "n", "verb": "suspend_organization"}));
    let detail = "`suspend-organization` is not asked of the provider".to_owned();
    assert_eq!(lane.of_provider("x"), Some((Verdict::Invalid, detail)));
    assert_eq!(lane.on("_provider.audit.suspend-organization").len(), 1);
}

#[test]
fn only_lane_0_decides_what_the_provider_is_asked() {
    let mut lane = Lane::with(&[]);
    lane.domain.desk.lane = 3;
    lane.whole("", &raise("r", 3));
    assert_eq!(lane.of_provider("r"), None);
    assert_eq!(lane.subjects(), ["_provider.dead.command-undecodable"]);
    assert_eq!(lane.events[0].1.data["detail"], "commands of the provider are decided on lane 0");
}
