//! What is said must be what happened: cases that are withheld, changes by whom or what it may be, cases that several policies
//! ask for.

use linesman_schemas::IncidentId;
use linesman_schemas::Priority;

use super::*;
use crate::incidents::history::{self, HistoryRow, LINES_MOST, LineRow};

/// The last level that told none of it.
const BEFORE: u32 = 14;

const WITHHELD: &str = "policy(#{ on: \"case.withheld\" });\n\
    fn react(update, org) { log(`held back: ${update.case_status}`, #{}); }";

fn lane(level: u32, filter_level: &str, policies: &[(&str, &str)]) -> Lane {
    let mut lane = Lane::at(level);
    lane.organization("acme", filter_level);
    lane.rules(1, policies, Settings::default());
    lane.events.clear();
    lane
}

fn on_detected(body: &str) -> String {
    format!("policy(#{{ on: \"incident.detected\" }});\nfn react(incident, org) {{ {body} }}")
}

fn history(lane: &Lane, number: u64) -> HistoryRow {
    lane.row(&history::key(&"acme".parse().unwrap(), number)).unwrap_or_default()
}

/// A line as `actor, trigger: what old > new`.
fn told(line: &LineRow) -> String {
    let changes = line.changes.iter().map(|change| format!("{} {}>{}", change.what, change.old, change.new));
    let used = line.used.iter().map(|part| format!("+{part}"));
    let unused = line.unused.iter().map(|part| format!("-{part}"));
    let parts: Vec<String> = changes.chain(used).chain(unused).collect();
    format!("{}, {}: {}", line.actor, line.on, parts.join(" "))
}

fn lines(lane: &Lane) -> Vec<String> {
    history(lane, 1).lines.iter().map(told).collect()
}

fn priority(lane: &Lane) -> Priority {
    let id = IncidentId { org: "acme".parse().unwrap(), number: 1 };
    lane.domain.incident(&id).unwrap().unwrap().row.priority
}

#[test]
fn a_case_of_which_nothing_leaves_is_told_and_policies_hear_of_it() {
    for reopens in [false, true] {
        let mut lane = lane(level::NEWEST, "Do not send", &[("hear", WITHHELD), ("open", OPEN_CASE)]);
        lane.reopens = reopens;
        lane.bundle("acme", "a", 1, "High");
        let withheld = lane.on("acme.trigger.case.withheld");
        assert_eq!(withheld.len(), 1, "{:?}", lane.subjects());
        let data = &withheld[0].data;
        assert_eq!((&data["filter_level"], &data["policy"]), (&json!("Do not send"), &json!("open")));
        assert_eq!((&data["id"], &data["priority"]), (&json!("acme-1"), &json!("High")));
        let heard = lane.on("acme.reaction.log");
        assert_eq!(heard[0].data["action"]["log"]["message"], "held back: withheld");
        assert_eq!(heard[0].data["policy"], "hear");
        let said = ["incident.detected", "incident.changed", "case.withheld"];
        let triggers = lane.subjects().into_iter().filter_map(|subject| subject.strip_prefix("acme.trigger."));
        assert_eq!(triggers.collect::<Vec<_>>(), said);
        assert_eq!(lane.case("acme", 1).state, CaseState::Withheld);
        assert_eq!(lines(&lane), ["policy open, incident.detected: case >withheld"]);
    }
}

#[test]
fn a_case_that_people_ask_for_and_one_that_waits_are_told_as_withheld() {
    let mut lane = lane(level::NEWEST, "Do not send", &[]);
    lane.bundle("acme", "a", 1, "High");
    lane.command("acme", &json!({"submit_case": {"incident": "acme-1"}}));
    let withheld = lane.on("acme.trigger.case.withheld");
    assert_eq!((withheld.len(), withheld[0].data.get("policy")), (1, None));

    let mut lane = self::lane(level::NEWEST, "Send all information", &[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    assert_eq!(lane.on("acme.trigger.case.withheld").len(), 0);
    lane.organization("acme", "Do not send");
    assert_eq!(lane.on("acme.trigger.case.withheld").len(), 1);
    assert_eq!((lane.case("acme", 1).state, lane.pending().len()), (CaseState::Withheld, 0));
    let expected = ["policy open, incident.detected: case >waiting", "the engine, : case waiting>withheld"];
    assert_eq!(lines(&lane), expected);
}

#[test]
fn withheld_cases_are_counted() {
    let mut lane = lane(level::NEWEST, "Do not send", &[("open", OPEN_CASE)]);
    let decision = lane.take("acme", "jmb", bundle("a", 1, "High").as_bytes());
    assert_eq!(decision.tally.cases_withheld, 1);
    let mut lane = self::lane(BEFORE, "Do not send", &[("open", OPEN_CASE)]);
    let decision = lane.take("acme", "jmb", bundle("a", 1, "High").as_bytes());
    assert_eq!(decision.tally.cases_withheld, 1);
}

#[test]
fn every_change_is_told_with_who_made_it() {
    let sort = on_detected("set_priority(\"Low\"); assign(\"ann\"); set_priority(\"Low\");");
    let mut lane = lane(level::NEWEST, "Send all information", &[("open", OPEN_CASE), ("sort", &sort)]);
    lane.bundle("acme", "a", 1, "High");
    let changed = lane.on("acme.trigger.incident.changed");
    let data = &changed[0].data;
    assert_eq!(
        (&data["actor"], &data["policy"], &data["on"]),
        (&json!("policy sort"), &json!("sort"), &json!("incident.detected"))
    );
    assert_eq!(data["trigger"], json!(lane.on("acme.trigger.incident.detected")[0].id));
    assert_eq!(
        (&data["changed"], &data["old"], &data["new"]),
        (&json!(["priority"]), &json!({"priority": "High"}), &json!({"priority": "Low"}))
    );
    assert_eq!(data["priority"], "Low");

    lane.report(&accepted());
    lane.take("acme", "result", STANDING.as_bytes());
    lane.command("acme", &json!({"prioritise_incident": {"incident": "acme-1", "priority": "Critical"}}));
    lane.command("acme", &json!({"prioritise_incident": {"incident": "acme-1", "priority": "Critical"}}));
    lane.command("acme", &json!({"close_incident": {"incident": "acme-1", "note": "done"}}));
    let expected = [
        "policy sort, incident.detected: priority High>Low",
        "policy sort, incident.detected: status unassigned>assigned owner >ann",
        "policy open, incident.detected: case >waiting",
        "the upstream, : case waiting>submitted",
        "the upstream, : case submitted>created case_id >C-1 case_status >created",
        "admin, : priority Low>Critical",
        "admin, : status assigned>completed",
    ];
    assert_eq!(lines(&lane), expected);
    let changed = lane.on("acme.trigger.incident.changed");
    let events: Vec<&str> = changed.iter().map(|event| event.id.as_str()).collect();
    let row = history(&lane, 1);
    assert_eq!(row.lines.iter().map(|line| line.event.as_str()).collect::<Vec<_>>(), events);
    assert!(changed[5].data["command"].is_string(), "{}", changed[5].data);
}

#[test]
fn a_case_that_is_given_up_is_told() {
    let mut lane = lane(level::NEWEST, "Send all information", &[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    lane.report(&failed("refused", None));
    assert_eq!(lines(&lane)[1], "the engine, : case waiting>failed");
}

#[test]
fn policies_react_to_changes_and_see_them() {
    let raise = "policy(#{ on: \"incident.changed\", where: #{ changed: \"owner\", actor: \"policy give*\" } });\n\
        fn react(incident, org) {\n\
            if incident.before.owner == () && incident.after.owner == \"ann\" { set_priority(\"Critical\"); }\n\
        }";
    let give = on_detected("assign(\"ann\");");
    let mut lane = lane(level::NEWEST, "Send all information", &[("give", &give), ("raise", raise)]);
    lane.bundle("acme", "a", 1, "Low");
    assert_eq!(priority(&lane), Priority::Critical);
    assert_eq!(lines(&lane)[1], "policy raise, incident.changed: priority Low>Critical");
}

#[test]
fn changes_that_lead_to_changes_end() {
    let flip = |to: &str| {
        format!("policy(#{{ on: \"incident.changed\" }});\nfn react(incident, org) {{ set_priority(\"{to}\"); }}")
    };
    let (low, high) = (flip("Low"), flip("High"));
    let begin = on_detected("set_priority(\"Critical\");");
    // One with another goes as deep as it may; with more it would double at each step.
    let mut deep = lane(
        level::NEWEST,
        "Send all information",
        &[
            ("begin", &begin),
            (
                "a",
                "policy(#{ on: \"incident.changed\" });\n\
        fn react(incident, org) { set_priority(if incident.priority == \"Low\" { \"High\" } else { \"Low\" }); }",
            ),
        ],
    );
    deep.bundle("acme", "a", 1, "Low");
    let dead = deep.on("acme.dead.policy-failed");
    assert_eq!(dead.len(), 1);
    assert_eq!(
        dead[0].data["detail"],
        "depth: incident.changed followed from what policies did on more than 8 triggers"
    );
    let policies: Vec<(String, String)> =
        (0..12).map(|n| (format!("p{n:02}"), if n % 2 == 0 { low.clone() } else { high.clone() })).collect();
    let mut policies: Vec<(&str, &str)> = policies.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    policies.push(("begin", &begin));
    let mut wide = lane(level::NEWEST, "Send all information", &policies);
    wide.bundle("acme", "a", 1, "Low");
    let details: Vec<_> = wide.on("acme.dead.policy-failed").iter().map(|event| event.data["detail"].clone()).collect();
    let most = "depth: more than 64 changes followed from one input; what policies still wanted on them is not done";
    assert_eq!(details.iter().filter(|detail| **detail == json!(most)).count(), 1, "{details:?}");
    let changes = wide.on("acme.trigger.incident.changed").len();
    assert_eq!((changes, history(&wide, 1).lines.len()), (65, 65));
}

#[test]
fn the_history_keeps_the_last_of_many() {
    let mut lane = lane(level::NEWEST, "Send all information", &[]);
    lane.bundle("acme", "a", 1, "High");
    for number in 0..LINES_MOST + 5 {
        let owner = format!("ann-{number}");
        lane.command("acme", &json!({"assign_incident": {"incident": "acme-1", "owner": owner}}));
    }
    let row = history(&lane, 1);
    assert_eq!((row.lines.len(), row.left_out), (LINES_MOST, 5));
    assert_eq!(row.lines[0].changes[0].new, "ann-5");
}

#[test]
fn what_a_later_policy_sets_counts_for_the_case() {
    let sort = on_detected("set_priority(\"Critical\");");
    let mut lane = lane(level::NEWEST, "Send all information", &[("a-open", OPEN_CASE), ("b-sort", &sort)]);
    lane.bundle("acme", "a", 1, "Low");
    let sent = &lane.on("acme.reaction.jss")[0].data;
    assert_eq!(sent["action"]["submit_case"]["priority"], "Critical");
    assert_eq!((&sent["policy"], lane.pending().len()), (&json!("a-open"), 1));
    // What follows from a change counts too.
    let on_change = "policy(#{ on: \"incident.changed\", where: #{ changed: \"owner\" } });\n\
        fn react(incident, org) { set_priority(\"Critical\"); }";
    let give = on_detected("assign(\"ann\");");
    let policies = [("a-open", OPEN_CASE), ("b-give", &*give), ("c-raise", on_change)];
    let mut lane = self::lane(level::NEWEST, "Send all information", &policies);
    lane.bundle("acme", "a", 1, "Low");
    assert_eq!(lane.on("acme.reaction.jss")[0].data["action"]["submit_case"]["priority"], "Critical");
}

#[test]
fn cases_that_several_ask_for_are_one() {
    let general = on_detected("submit_case(#{ comments: \"general\", cc: [\"a@x\", \"b@x\"], priority: \"Medium\" });");
    let better = on_detected(
        "submit_case(#{ synopsis: \"better\", comments: \"more\", cc: [\"b@x\", \"c@x\"], priority: \"High\", follow_up: \"Phone Call\" });",
    );
    let last = on_detected("submit_case(#{ synopsis: \"last\", comments: \"more\", priority: \"Low\" });");
    let policies = [("a-general", &*general), ("b-better", &*better), ("c-last", &*last)];
    let mut lane = lane(level::NEWEST, "Send all information", &policies);
    lane.bundle("acme", "a", 1, "Low");
    let case = lane.case("acme", 1);
    assert_eq!(case.policy.as_ref().map(|policy| policy.as_str()), Some("a-general"));
    assert_eq!((case.request.synopsis.as_str(), case.request.comments.as_str()), ("better", "general\n\nmore"));
    assert_eq!(
        (case.request.priority, case.request.cc),
        (Some(Priority::High), ["a@x", "b@x", "c@x"].map(str::to_owned).into())
    );
    assert_eq!(lane.pending().len(), 1);
    let joined = &lane.on("acme.trigger.incident.changed")[0].data["joined"];
    let expected = json!([
        {"policy": "b-better", "on": "incident.detected", "used": ["synopsis", "comments", "priority", "cc", "follow_up"], "unused": []},
        {"policy": "c-last", "on": "incident.detected", "used": ["comments"], "unused": ["synopsis", "priority"]},
    ]);
    assert_eq!(joined, &expected);
    let expected = [
        "policy a-general, incident.detected: case >waiting",
        "policy b-better, incident.detected: +synopsis +comments +priority +cc +follow_up",
        "policy c-last, incident.detected: +comments -synopsis -priority",
    ];
    assert_eq!(lines(&lane), expected);
}

#[test]
fn the_incidents_own_priority_is_among_those_of_a_case() {
    let (one, other) = (on_detected("submit_case();"), on_detected("submit_case(#{ priority: \"Medium\" });"));
    for (own, expected) in [("Critical", "Critical"), ("Low", "Medium")] {
        for policies in [[("a", &*one), ("b", &*other)], [("a", &*other), ("b", &*one)]] {
            let mut lane = lane(level::NEWEST, "Send all information", &policies);
            lane.bundle("acme", "a", 1, own);
            assert_eq!(lane.on("acme.reaction.jss")[0].data["action"]["submit_case"]["priority"], expected);
        }
    }
}

#[test]
fn who_asks_for_a_case_where_there_is_one_asks_in_vain_which_is_kept_once() {
    let later = "policy(#{ on: [\"incident.submitted\", \"incident.changed\"] });\n\
        fn react(incident, org) { submit_case(#{ synopsis: \"later\" }); }";
    let mut lane = lane(level::NEWEST, "Send all information", &[("open", OPEN_CASE), ("vain", later)]);
    lane.bundle("acme", "a", 1, "High");
    lane.report(&accepted());
    lane.take("acme", "result", STANDING.as_bytes());
    let expected = [
        "policy open, incident.detected: case >waiting",
        "policy vain, incident.changed: -synopsis",
        "the upstream, : case waiting>submitted",
        "policy vain, incident.submitted: -synopsis",
        "the upstream, : case submitted>created case_id >C-1 case_status >created",
    ];
    assert_eq!(lines(&lane), expected);
    assert_eq!(lane.case("acme", 1).request.synopsis, "leak: secret synopsis of a");
    assert!(lane.on("acme.dead.policy-failed").is_empty());
}

#[test]
fn a_policy_that_failed_on_a_change_judges_it_again() {
    let broken = "policy(#{ on: \"incident.changed\" });\nfn react(incident, org) { throw \"no\"; }";
    let mended = "policy(#{ on: \"incident.changed\", where: #{ changed: \"priority\" } });\n\
        fn react(incident, org) { log(`from ${incident.before.priority}`); }";
    let mut lane = lane(level::NEWEST, "Send all information", &[("hear", broken)]);
    lane.bundle("acme", "a", 1, "High");
    lane.command("acme", &json!({"prioritise_incident": {"incident": "acme-1", "priority": "Low"}}));
    let letter = lane.on("acme.dead.policy-failed")[0].data["policy"].clone();
    lane.rules(2, &[("hear", mended)], Settings::default());
    let run = json!({"run_policy": {"policy": "hear", "trigger": letter["on"], "event": letter["trigger"], "about": letter["about"]}});
    lane.command("acme", &run);
    let heard = lane.on("acme.reaction.log");
    assert_eq!(heard.len(), 1, "{:?}", lane.on("acme.audit.run-policy"));
    assert_eq!(heard[0].data["action"]["log"]["message"], "from High");
}

#[test]
fn the_level_before_decides_as_it_did() {
    let sort = on_detected("set_priority(\"Critical\");");
    let second = on_detected("submit_case(#{ comments: \"second\" });");
    let policies = [("a-open", OPEN_CASE), ("b-sort", &*sort), ("c-second", &*second), ("hear", WITHHELD)];
    let mut lane = lane(BEFORE, "Send all information", &policies);
    lane.bundle("acme", "a", 1, "Low");
    assert_eq!(lane.on("acme.reaction.jss")[0].data["action"]["submit_case"]["priority"], "Low");
    assert_eq!(lane.case("acme", 1).request.comments, "leak");
    assert_eq!(lane.subjects(), ["acme.trigger.incident.detected", "acme.reaction.jss"]);
    lane.organization("acme", "Do not send");
    assert_eq!(lane.case("acme", 1).state, CaseState::Withheld);
    assert_eq!(lane.on("acme.trigger.case.withheld").len(), 0);
    assert_eq!(history(&lane, 1), HistoryRow::default());
    let mut lane = self::lane(BEFORE, "Do not send", &[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "Low");
    assert_eq!(lane.subjects(), ["acme.trigger.incident.detected"]);
}
