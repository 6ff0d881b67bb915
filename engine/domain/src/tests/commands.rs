//! What people ask for is done once, audited, and refused with a reason.

use linesman_schemas::audit::Verdict;

use super::*;
use crate::commands::{self, CommandRow};
use crate::incidents::notes;
use crate::organizations;

const THROWS: &str = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { throw \"oh\"; }";

impl Lane {
    /// What became of a command.
    pub(super) fn ask(&mut self, org: &str, verb: &Value) -> (Verdict, String) {
        let id = format!("c{}", self.sequence);
        self.command(org, verb);
        let row: CommandRow = self.row(&commands::key(Some(&org.parse().unwrap()), &id)).unwrap();
        (row.verdict, row.detail)
    }

    pub(super) fn done(&mut self, verb: &Value) -> String {
        let (verdict, detail) = self.ask("acme", verb);
        assert_eq!(verdict, Verdict::Done, "{detail}");
        detail
    }

    /// Status, owner and priority of acme's first incident.
    pub(super) fn incident(&self) -> (String, String, String) {
        let row = self.domain.incident(&"acme-1".parse().unwrap()).unwrap().unwrap().row;
        (row.status.as_str().to_owned(), row.owner, row.priority.as_str().to_owned())
    }

    pub(super) fn with_incident(policies: &[(&str, &str)]) -> Self {
        let mut lane = Self::with(policies);
        lane.bundle("acme", "a", 1, "High");
        lane.events.clear();
        lane
    }
}

pub(super) fn of(fields: Value) -> Value {
    let mut all = json!({"incident": "acme-1"});
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    all
}

#[test]
fn commands_are_done_once_until_their_outcome_is_forgotten() {
    let mut lane = Lane::with(&[]);
    let command = json!({"id": "same", "actor": "admin", "node": "t", "verb": "suspend_organization"}).to_string();
    lane.take("acme", "cmd", command.as_bytes());
    lane.organization("acme", "Send all information");
    lane.take("acme", "cmd", command.as_bytes());
    assert_eq!(lane.on("acme.audit.suspend-organization").len(), 1);
    lane.now = lane.now.checked_add(25.hours()).unwrap();
    lane.take("acme", "cmd", command.as_bytes());
    assert_eq!(lane.on("acme.audit.suspend-organization").len(), 2);
}

#[test]
fn an_incident_is_assigned_prioritised_closed_and_reopened() {
    let mut lane = Lane::with_incident(&[]);
    let status = |lane: &Lane| lane.incident().0;
    assert_eq!(lane.done(&json!({"assign_incident": of(json!({"owner": "ann"}))})), "assigned");
    assert_eq!((status(&lane), lane.incident().1), ("assigned".to_owned(), "ann".to_owned()));
    lane.done(&json!({"assign_incident": of(json!({"owner": "ann", "in_progress": true}))}));
    assert_eq!(status(&lane), "in progress");
    lane.done(&json!({"prioritise_incident": of(json!({"priority": "Critical"}))}));
    assert_eq!(lane.incident().2, "Critical");
    lane.done(&json!({"close_incident": of(json!({"note": "line card changed"}))}));
    assert_eq!(status(&lane), "completed");
    let (verdict, detail) = lane.ask("acme", &json!({"assign_incident": of(json!({"owner": "bob"}))}));
    assert_eq!((verdict, &*detail), (Verdict::Conflict, "the incident is completed; reopen it first"));
    lane.done(&json!({"annotate_incident": of(json!({"note": "still of interest"}))}));
    lane.done(&json!({"reopen_incident": of(json!({}))}));
    assert_eq!(status(&lane), "assigned");
    lane.done(&json!({"assign_incident": of(json!({}))}));
    assert_eq!((status(&lane), lane.incident().1), ("unassigned".to_owned(), String::new()));
    let (verdict, detail) = lane.ask("acme", &json!({"reopen_incident": of(json!({}))}));
    assert_eq!((verdict, &*detail), (Verdict::Conflict, "the incident is not completed"));

    let notes = lane.row(&notes::key(&"acme".parse().unwrap(), 1)).unwrap().notes;
    let said: Vec<_> = notes.iter().map(|note| (note.actor.as_str(), note.text.as_str())).collect();
    assert_eq!(said, [("admin", "line card changed"), ("admin", "still of interest")]);
    let audit = &lane.on("acme.audit.close-incident")[0];
    assert_eq!((audit.subject.as_deref(), &audit.data["verdict"]), (Some("acme-1"), &json!("done")));
    assert_eq!(
        (&audit.data["old"]["status"], &audit.data["new"]["status"]),
        (&json!("in progress"), &json!("completed"))
    );
    assert_eq!(lane.on("acme.audit.reopen-incident")[1].data["verdict"], "conflict", "what is refused is told too");
}

#[test]
fn nobody_changes_anothers_incident() {
    let mut lane = Lane::with_incident(&[]);
    for org in ["bolt", "nobody"] {
        for verb in [
            json!({"assign_incident": of(json!({"owner": "eve"}))}),
            json!({"annotate_incident": of(json!({"note": "eve"}))}),
            json!({"submit_case": of(json!({}))}),
        ] {
            assert_eq!(lane.ask(org, &verb).0, Verdict::NotFound, "{org}: {verb}");
        }
        let run =
            json!({"run_policy": {"policy": "p", "trigger": "incident.detected", "event": "e", "about": "acme-1"}});
        assert_eq!(lane.ask(org, &run).0, Verdict::NotFound);
    }
    assert_eq!(lane.incident(), ("unassigned".to_owned(), String::new(), "High".to_owned()));
    assert!(lane.pending().is_empty());
    let is_theirs = |subject: &&str| subject.starts_with("bolt.audit.") || subject.starts_with("_provider.audit.");
    assert!(lane.subjects().iter().all(is_theirs), "{:?}", lane.subjects());
}

#[test]
fn a_case_is_saved_then_submitted_with_what_was_saved() {
    let mut lane = Lane::with_incident(&[]);
    let words = json!({"comments": "since the upgrade", "priority": "Critical"});
    assert_eq!(lane.done(&json!({"save_case": of(json!({"case": words}))})), "saved");
    assert!(lane.pending().is_empty(), "a draft does not leave");
    assert_eq!(lane.case("acme", 1).state, CaseState::Draft);
    assert_eq!(lane.done(&json!({"submit_case": of(json!({"case": {"cc": ["x@example.net"]}}))})), "submitted");
    let (_, row) = lane.pending().pop().unwrap();
    let action: Value = serde_json::from_str(&row.action).unwrap();
    let request = &action["submit_case"];
    assert_eq!((&request["priority"], &request["synopsis"]), (&json!("Critical"), &json!("secret synopsis of a")));
    assert_eq!(request["details"]["comments"], "since the upgrade");
    assert_eq!(request["details"]["cc"], json!(["x@example.net"]));
    let reaction = &lane.on("acme.reaction.jss")[0].data;
    assert!(reaction["command"].is_string() && reaction.get("policy").is_none(), "{reaction}");
    for verb in ["submit_case", "save_case"] {
        let (verdict, detail) = lane.ask("acme", &json!({verb: of(json!({}))}));
        assert_eq!((verdict, &*detail), (Verdict::Conflict, "the incident has a case already"));
    }
    lane.report(&accepted());
    assert_eq!(lane.case("acme", 1).state, CaseState::Submitted);
}

#[test]
fn the_filter_level_holds_back_what_people_submit_too() {
    let mut lane = Lane::with_incident(&[]);
    lane.organization("acme", "Do not send");
    let submit = json!({"submit_case": of(json!({"case": {"synopsis": "leak"}}))});
    assert_eq!(lane.done(&submit), "withheld by the filter level");
    assert!(lane.pending().is_empty() && lane.on("acme.reaction.jss").is_empty());
    lane.organization("acme", "Send all information");
    assert_eq!(lane.done(&submit), "submitted");
    let mut lane = Lane::with_incident(&[]);
    lane.command("acme", &json!("suspend_organization"));
    let (verdict, detail) = lane.ask("acme", &submit);
    assert_eq!((verdict, &*detail), (Verdict::Conflict, "the organization `acme` is suspended"));
}

#[test]
fn what_is_too_long_is_refused_with_its_place() {
    let mut lane = Lane::with_incident(&[]);
    let long = "x".repeat(5_000);
    let refused = [
        (json!({"assign_incident": of(json!({"owner": long}))}), "`owner` has more than 200 characters"),
        (json!({"assign_incident": of(json!({"owner": "a\u{7}"}))}), "`owner` has control characters"),
        (json!({"annotate_incident": of(json!({"note": long}))}), "`note` has more than 4096 characters"),
        (json!({"annotate_incident": of(json!({"note": " "}))}), "`note` is empty"),
        (json!({"submit_case": of(json!({"case": {"cc": ["a", "b\n"]}}))}), "`case/cc/1` has control characters"),
    ];
    for (verb, expected) in refused {
        assert_eq!(lane.ask("acme", &verb), (Verdict::Invalid, expected.to_owned()));
    }
    for number in 0..100 {
        lane.done(&json!({"annotate_incident": of(json!({"note": format!("note {number}")}))}));
    }
    let (verdict, detail) = lane.ask("acme", &json!({"annotate_incident": of(json!({"note": "one more"}))}));
    assert_eq!((verdict, &*detail), (Verdict::Conflict, "the incident has 100 notes, and takes no more"));
}

#[test]
fn a_mended_policy_judges_again_and_it_alone() {
    let counts = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { publish(\"other\", #{}); }";
    let mut lane = Lane::with_incident(&[("p", THROWS), ("q", counts)]);
    lane.bundle("acme", "b", 2, "High");
    let letter = lane.on("acme.dead.policy-failed")[0].clone();
    let failed = &letter.data["policy"];
    assert_eq!((&failed["on"], &failed["about"]), (&json!("incident.detected"), &json!("acme-2")));
    assert_eq!(letter.subject.as_deref(), Some("acme-2"));
    let run = json!({"run_policy": {"policy": failed["name"], "trigger": failed["on"], "event": failed["trigger"],
        "about": failed["about"]}});
    let (verdict, detail) = lane.ask("acme", &run);
    assert_eq!(verdict, Verdict::Conflict, "{detail}");
    assert!(detail.starts_with("it failed again: "), "{detail}");
    assert_eq!(lane.on("acme.dead.policy-failed").len(), 2, "which is a dead letter again");
    let mended = THROWS.replace("throw \"oh\"", "publish(\"mended\", #{})");
    lane.rules(2, &[("p", &mended), ("q", counts)], Settings::default());
    lane.events.clear();
    assert_eq!(lane.done(&run), "run");
    assert_eq!(lane.subjects(), ["acme.reaction.mended", "acme.audit.run-policy"]);
    assert_eq!(lane.on("acme.reaction.mended")[0].data["trigger"], failed["trigger"]);
    let bolts = "policy(#{ on: \"incident.detected\", organizations: [\"bolt\"] });\nfn react(incident, org) {}";
    lane.rules(3, &[("p", bolts)], Settings::default());
    let (verdict, detail) = lane.ask("acme", &run);
    let expected = "no policy `p` matches `acme-2` on incident.detected";
    assert_eq!((verdict, &*detail), (Verdict::Conflict, expected));
}

#[test]
fn what_people_change_stays_until_the_configuration_changes() {
    let mut lane = Lane::with(&[]);
    let loaded = |lane: &Lane| lane.row(&organizations::key(&"acme".parse().unwrap())).unwrap().loaded;
    let settings = |hash: Option<&str>| json!({"set_organization": {"display_name": "A", "is_proxy": true, "filter_level": "Do not send", "loaded": hash}});
    lane.done(&settings(Some("hash")));
    lane.done(&settings(None));
    assert_eq!(loaded(&lane).as_deref(), Some("hash"), "or the next start would take it back");
    lane.done(&json!("suspend_organization"));
    assert_eq!(loaded(&lane).as_deref(), Some("hash"));
    lane.done(&json!("unload_organization"));
    assert_eq!(loaded(&lane), None, "or it would not be loaded again");
}

#[test]
fn the_record_of_a_replay_does_not_tell_where_the_input_stood() {
    let replay = json!({"replay_input": {"event": "acme-7-18eb24591dcedd99", "sequence": 170}});
    for (level, new) in [(8, replay["replay_input"].clone()), (9, json!({"event": "acme-7-18eb24591dcedd99"}))] {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Send all information");
        lane.ask("acme", &replay);
        let told: Vec<_> = lane.on("acme.audit.replay-input").iter().map(|event| event.data["new"].clone()).collect();
        assert_eq!(told, [new], "level {level}");
    }
}

#[test]
fn what_telling_a_device_again_would_change_makes_no_other_command_of_it() {
    let asked = |name: &str, what: &str, added: u64, sha256: &str| {
        let verb = json!({"use_device": {"name": name, "what": what, "sha256": sha256, "added": added}});
        let command = json!({"id": "c", "actor": "admin", "node": "t", "verb": verb});
        let command: linesman_schemas::command::Command = serde_json::from_value(command).unwrap();
        commands::asked(&command.verb).unwrap()
    };
    let one = asked("r1", "apply", 1, "aa");
    assert_eq!(one, asked("r1", "apply", 2, "bb"));
    assert!(one != asked("r2", "apply", 1, "aa") && one != asked("r1", "diff", 1, "aa"));
    assert_ne!(asked("r1", "rpc", 1, "aa"), asked("r1", "rpc", 1, "bb"));
}
