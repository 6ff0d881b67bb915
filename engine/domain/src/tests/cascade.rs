//! Cases that end customers report: once, sent on or solved here, shown below as they stand, told above in order.

use linesman_schemas::audit::Verdict;

use super::*;
use crate::cases::chain::{self, ChainRow};
use crate::commands;

mod settled;

const REPORTED: &str = "incident.reported-by-end-customer";

pub(super) fn report(key: &str, number: u64, route: &[&str]) -> Value {
    json!({"report_case": {"key": key, "report": {
        "tracking_number": format!("own-{number}"), "priority": "High", "synopsis": "FRU offline",
        "details": {
            "host_event_id": "a-SNa-20261121-101502-1", "host_name": "a", "serial_number": "SNa", "product": "MX240",
            "platform": "junos", "os_version": "21.4R3", "event_type": "T", "description": "at length",
            "comments": "since the upgrade", "cc": [], "follow_up": "Phone Call",
        },
        "trace_route": route,
    }}})
}

fn standing(status: &str, minute: u32) -> String {
    json!({"case_changed": {
        "incident": "acme-1", "case_id": "C-1", "status": status, "link": "https://jss.example/C-1",
        "updated": format!("2026-11-21T10:{minute:02}:00Z"),
    }})
    .to_string()
}

impl Lane {
    pub(super) fn partner(settings: &Value, policies: &[(&str, &str)]) -> Self {
        Self::partner_at(level::NEWEST, settings, policies)
    }

    pub(super) fn partner_at(level: u32, settings: &Value, policies: &[(&str, &str)]) -> Self {
        let mut lane = Self::with_at(level, policies);
        lane.domain.desk.installed.controller = "here".to_owned();
        let mut verb = json!({
            "display_name": "acme", "is_proxy": true, "filter_level": "Send all information", "alias": "ACME",
        });
        for (name, value) in settings.as_object().unwrap() {
            verb[name] = value.clone();
        }
        lane.command("acme", &json!({"set_organization": verb}));
        lane.events.clear();
        lane
    }

    pub(super) fn below(&mut self, verb: &Value) -> (Verdict, String) {
        self.below_as("acme", "acme", verb)
    }

    /// A command of an end customer's controller, asked of an organization.
    fn below_as(&mut self, customer: &str, org: &str, verb: &Value) -> (Verdict, String) {
        let id = format!("b{}", self.sequence);
        let principal = json!({"kind": "end_customer", "organization": customer});
        let command = json!({"id": id, "principal": principal, "node": "n", "verb": verb});
        self.take(org, "cmd", command.to_string().as_bytes());
        self.work();
        let row = self.row(&commands::key(Some(&org.parse().unwrap()), &id)).unwrap();
        (row.verdict, row.detail)
    }

    /// The same of somebody of the provider's.
    pub(super) fn here(&mut self, verb: &Value) -> (Verdict, String) {
        let id = format!("h{}", self.sequence);
        let principal = json!({"kind": "provider", "name": "admin"});
        self.take(
            "acme",
            "cmd",
            json!({"id": id, "principal": principal, "node": "n", "verb": verb}).to_string().as_bytes(),
        );
        self.work();
        let row = self.row(&commands::key(Some(&"acme".parse().unwrap()), &id)).unwrap();
        (row.verdict, row.detail)
    }

    fn chain(&self, number: u64) -> ChainRow {
        self.row(&chain::key(&"acme".parse().unwrap(), number)).unwrap()
    }

    /// How the case stands for whoever is below: id, link, status.
    fn seen_below(&self, number: u64) -> [String; 3] {
        let words = chain::shown(&self.case("acme", number), Some(&self.chain(number)));
        [words.case_id, words.link, words.status]
    }

    /// Numbers and incidents of what changed for the one below.
    fn changes(&self) -> Vec<(u64, u64)> {
        chain::changes_after(&self.base, &"acme".parse().unwrap(), 0).map(Result::unwrap).collect()
    }

    pub(super) fn action(&self) -> Value {
        let (_, row) = self.pending().pop().unwrap();
        serde_json::from_str(&row.action).unwrap()
    }
}

pub(super) fn case(verb: &str, more: &Value) -> Value {
    let mut body = json!({"incident": "acme-1"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    json!({verb: body})
}

#[test]
fn a_case_from_below_goes_up_once_with_alias_and_trace_route() {
    let mut lane = Lane::partner(&json!({}), &[]);
    assert_eq!(lane.below(&report("k-1", 3, &["own"])), (Verdict::Done, "reported".to_owned()));
    assert_eq!(lane.below(&report("k-1", 3, &["own"])), (Verdict::Done, "reported".to_owned()));
    lane.now = lane.now.checked_add((24 * 30).hours()).unwrap();
    lane.below(&report("k-1", 3, &["own"]));
    assert_eq!(lane.on(&format!("acme.trigger.{REPORTED}")).len(), 1, "once, however often it is said");
    let sent = &lane.action()["submit_case"];
    assert_eq!(sent["incident"], "acme-1");
    assert_eq!((&sent["alias"], &sent["trace_route"]), (&json!("ACME"), &json!(["own", "here"])));
    assert_eq!(sent["synopsis"], "FRU offline");
    assert_eq!(sent["details"]["serial_number"], "SNa");
    assert_eq!(lane.pending().len(), 1);
    let reported = lane.chain(1).reported.unwrap();
    assert_eq!((reported.transaction_id.as_str(), reported.tracking_number.as_str()), ("T-acme-1", "own-3"));
    assert_eq!(lane.below(&report("k-2", 4, &["own"])).0, Verdict::Done);
    assert_eq!(lane.pending().len(), 2, "another key is another case");
}

#[test]
fn what_passed_here_already_is_refused() {
    let mut lane = Lane::partner(&json!({}), &[]);
    let (verdict, detail) = lane.below(&report("k-1", 3, &["own", "here", "other"]));
    let expected =
        "the case has passed this controller already: own > here > other > here; an upstream leads back here";
    assert_eq!((verdict, detail.as_str()), (Verdict::Conflict, expected));
    assert!(lane.pending().is_empty());
    assert!(lane.on(&format!("acme.trigger.{REPORTED}")).is_empty());
    let deep: Vec<String> = (0..17).map(|n| format!("c{n}")).collect();
    let (verdict, detail) = lane.below(&report("k-2", 3, &deep.iter().map(String::as_str).collect::<Vec<_>>()));
    let expected = "`report/trace_route` has not 1 to 16 entries";
    assert_eq!((verdict, detail.as_str()), (Verdict::Invalid, expected));
}

#[test]
fn an_alias_grows_with_every_controller() {
    let mut lane = Lane::partner(&json!({}), &[]);
    let mut verb = report("k-1", 3, &["own", "below"]);
    verb["report_case"]["report"]["alias"] = json!("SHOP");
    lane.below(&verb);
    assert_eq!(lane.action()["submit_case"]["alias"], "ACME/SHOP");
}

#[test]
fn the_filter_level_holds_at_every_hop() {
    for (level, details, synopsis) in [
        ("Send all information", true, "FRU offline"),
        ("Only send list of features used", false, "withheld by filter level"),
    ] {
        let mut lane = Lane::partner(&json!({"filter_level": level}), &[]);
        lane.below(&report("k-1", 3, &["own"]));
        let sent = &lane.action()["submit_case"];
        assert_eq!((sent["details"].is_object(), sent["synopsis"].as_str().unwrap()), (details, synopsis), "{level}");
    }
    let mut lane = Lane::partner(&json!({"filter_level": "Do not send"}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    assert!(lane.pending().is_empty());
    assert_eq!(lane.case("acme", 1).state, CaseState::Withheld);
}

#[test]
fn what_came_without_details_leaves_without_them() {
    let mut lane = Lane::partner(&json!({}), &[]);
    let mut verb = report("k-1", 3, &["own"]);
    verb["report_case"]["report"].as_object_mut().unwrap().remove("details");
    lane.below(&verb);
    let sent = &lane.action()["submit_case"];
    assert_eq!((&sent["details"], &sent["synopsis"]), (&Value::Null, &json!("FRU offline")));
    assert!(lane.domain.incident(&"acme-1".parse().unwrap()).unwrap().is_some(), "it names no device, and is there");
}

#[test]
fn a_test_case_is_marked() {
    let mut lane = Lane::partner(&json!({"submit_case_as": "Test Cases"}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    assert_eq!(lane.action()["submit_case"]["synopsis"], "TEST CASE: FRU offline");
}

#[test]
fn who_solves_it_is_said_by_a_policy_else_by_the_organization() {
    let policy = |does: &str| format!("policy(#{{ on: \"{REPORTED}\" }});\nfn react(incident, org) {{ {does}(); }}");
    let (forward, handle) = (policy("forward_case"), policy("handle_case"));
    let (forward, handle) = (forward.as_str(), handle.as_str());
    let cases = [
        ("forward", vec![], "forward", 1),
        ("own", vec![], "own", 0),
        ("own", vec![("a", forward)], "forward", 1),
        ("forward", vec![("a", handle)], "own", 0),
        ("forward", vec![("a", handle), ("b", forward)], "own", 0),
    ];
    for (default, policies, expected, sent) in cases {
        let mut lane = Lane::partner(&json!({"handling": default}), &policies);
        lane.below(&report("k-1", 3, &["own"]));
        let handling = serde_json::to_value(lane.chain(1).handling).unwrap();
        assert_eq!((handling, lane.pending().len()), (json!(expected), sent), "{default} {policies:?}");
    }
}

#[test]
fn what_was_kept_here_is_sent_on_later_and_not_the_other_way_round() {
    let mut lane = Lane::partner(&json!({"handling": "own"}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    assert_eq!(lane.here(&case("forward_case", &json!({}))), (Verdict::Done, "forwarded".to_owned()));
    assert_eq!(lane.pending().len(), 1);
    let again = lane.here(&case("forward_case", &json!({})));
    assert_eq!(again, (Verdict::Conflict, "the case is with the upstream already".to_owned()));
    let (verdict, detail) = lane.here(&case("handle_case", &json!({})));
    let expected = "the case is with the upstream already; override what it says of it";
    assert_eq!((verdict, detail.as_str()), (Verdict::Conflict, expected));
    lane.report(&failed("refused", None));
    assert_eq!(lane.here(&case("handle_case", &json!({}))).0, Verdict::Done, "the upstream does not want it");
}

#[test]
fn an_override_is_seen_below_until_it_is_removed() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    lane.report(&accepted());
    lane.take("acme", "result", standing("created", 5).as_bytes());
    let upstream = ["C-1", "https://jss.example/C-1", "created"].map(str::to_owned);
    assert_eq!(lane.seen_below(1), upstream);
    lane.here(&case("override_case", &json!({"case_id": "P-7", "case_status": "with engineering"})));
    assert_eq!(lane.seen_below(1), ["P-7", "https://jss.example/C-1", "with engineering"].map(str::to_owned));
    let before = lane.changes();
    lane.take("acme", "result", standing("updated", 6).as_bytes());
    assert_eq!(lane.changes(), before, "the one below sees no change of what it does not see");
    lane.here(&case("override_case", &json!({})));
    let upstream = ["C-1", "https://jss.example/C-1", "updated"].map(str::to_owned);
    assert_eq!(lane.seen_below(1), upstream);
    let [(last, 1)] = lane.changes()[..] else { panic!("{:?}", lane.changes()) };
    assert!(last > before[0].0, "each case at its last change");
}

#[test]
fn what_is_overridden_is_bounded_and_links_are_web_addresses() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    for (wanted, expected) in [
        (json!({"case_status": "x".repeat(65)}), "`case_status` has more than 64 characters"),
        (
            json!({"case_link": "javascript:alert(1)"}),
            "`case_link` is no web address: it begins with `https://` or `http://`",
        ),
        (json!({"case_id": ""}), "`case_id` is empty; give none of the three to have the upstream's again"),
    ] {
        assert_eq!(lane.here(&case("override_case", &wanted)), (Verdict::Invalid, expected.to_owned()));
    }
}

#[test]
fn the_upstream_is_told_one_thing_after_the_other_once_it_has_the_case() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    let origin = json!({"id": "own:1", "author": "eve", "at": "2026-11-21T10:00:00Z"});
    let note = case("note_case", &json!({"text": "still down", "origin": origin}));
    assert_eq!(lane.below(&note), (Verdict::Done, "noted".to_owned()));
    assert_eq!(lane.here(&case("close_case", &json!({"text": "replaced"}))).0, Verdict::Done);
    assert_eq!(lane.pending().len(), 1, "nothing is told of a case that it has not taken");
    lane.report(&accepted());
    let told = lane.action();
    assert_eq!(
        told["tell_case"]["step"]["note"],
        json!({
            "id": "own:1", "author": "eve (end customer acme)", "at": "2026-11-21T10:00:00Z", "text": "still down",
        })
    );
    assert_eq!(lane.pending().len(), 1, "one thing after the other");
    lane.report(&json!({"done": "case_told"}));
    let told = lane.action();
    assert_eq!(
        (&told["tell_case"]["transaction_id"], &told["tell_case"]["step"]["close"]["text"]),
        (&json!("T-1"), &json!("replaced"))
    );
    lane.report(&failed("refused", None));
    assert!(lane.pending().is_empty(), "what it refuses is set aside, and the next thing goes on");
    assert_eq!(lane.on("acme.dead.reaction-failed").len(), 1);
}

#[test]
fn notes_of_the_upstream_are_heard_once_and_seen_below() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    lane.report(&accepted());
    let mut changed: Value = serde_json::from_str(&standing("created", 5)).unwrap();
    let note = json!({"id": "J1", "author": "support", "at": "2026-11-21T10:04:00Z", "text": "on its way"});
    changed["case_changed"]["notes"] = json!([note]);
    lane.take("acme", "result", changed.to_string().as_bytes());
    lane.take("acme", "result", changed.to_string().as_bytes());
    let origin = json!({"id": "own:1", "author": "eve", "at": "2026-11-21T10:00:00Z"});
    lane.below(&case("note_case", &json!({"text": "thanks", "origin": origin})));
    let chain = lane.chain(1);
    assert_eq!(chain.notes.len(), 2);
    let below: Vec<_> = chain.notes_below().map(|note| note.text).collect();
    assert_eq!(below, ["on its way"], "the one below knows what it has said");
}

#[test]
fn what_is_closed_below_is_reopened_from_above() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    lane.report(&accepted());
    lane.take("acme", "result", standing("created", 5).as_bytes());
    assert_eq!(lane.below(&case("close_case", &json!({}))).0, Verdict::Done);
    assert_eq!(lane.seen_below(1)[2], "closed");
    // It has not heard the answer, and tries again: the upstream is told once.
    let told = lane.pending();
    assert_eq!(lane.below(&case("close_case", &json!({}))), (Verdict::Done, "closed".to_owned()));
    assert_eq!(lane.pending(), told);
    assert_eq!(lane.chain(1).steps.len(), 1);
    lane.report(&json!({"done": "case_told"}));
    lane.take("acme", "result", standing("closed", 6).as_bytes());
    lane.take("acme", "result", standing("reopened", 7).as_bytes());
    assert_eq!(lane.seen_below(1)[2], "reopened");
    assert_eq!(lane.case("acme", 1).state, CaseState::Updated);
}

#[test]
fn an_end_customer_does_nothing_but_with_its_own_cases() {
    let mut lane = Lane::partner(&json!({}), &[("open", OPEN_CASE)]);
    lane.bundle("acme", "z", 9, "High");
    lane.below(&report("k-1", 3, &["own"]));
    let close = lane.below(&json!({"close_incident": {"incident": "acme-1", "note": ""}}));
    assert_eq!(close, (Verdict::Forbidden, "`close-incident` is not asked by end customers".to_owned()));
    let own = lane.below(&case("close_case", &json!({})));
    assert_eq!(own, (Verdict::NotFound, "there is no incident `acme-1` of `acme`".to_owned()), "the partner's own");
    let other = lane.below_as("bolt", "acme", &json!({"close_case": {"incident": "acme-2"}}));
    assert_eq!(other, (Verdict::NotFound, "there is no organization `acme`".to_owned()));
    let forged = lane.here(&report("k-9", 3, &["own"]));
    assert_eq!(forged.0, Verdict::Forbidden);
}

#[test]
fn a_case_that_began_here_takes_notes_too() {
    let mut lane = Lane::partner(&json!({}), &[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    lane.report(&accepted());
    assert_eq!(lane.here(&case("note_case", &json!({"text": "seen"}))).0, Verdict::Done);
    assert_eq!(lane.action()["tell_case"]["step"]["note"]["text"], "seen");
    assert!(lane.changes().is_empty(), "nobody is below");
    let forward = lane.here(&case("forward_case", &json!({})));
    assert_eq!(forward, (Verdict::Conflict, "the case was not reported by an end customer".to_owned()));
}

#[test]
fn before_level_6_nothing_of_it_was_read() {
    let mut lane = Lane::at(5);
    lane.organization("acme", "Send all information");
    lane.rules(1, &[], Settings::default());
    let principal = json!({"kind": "end_customer", "organization": "acme"});
    let command = json!({"id": "b", "principal": principal, "node": "n", "verb": report("k", 3, &["own"])});
    lane.take("acme", "cmd", command.to_string().as_bytes());
    let dead = lane.on("acme.dead.command-undecodable");
    assert_eq!(dead.len(), 1);
    assert!(lane.pending().is_empty());
}

#[test]
fn what_the_upstream_is_told_follows_the_filter_level_while_it_waits() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    lane.report(&accepted());
    lane.here(&case("note_case", &json!({"text": "the secret"})));
    let settings = |level: &str| json!({"set_organization": {"display_name": "acme", "is_proxy": true, "filter_level": level, "alias": "ACME"}});
    lane.command("acme", &settings("Only send list of features used"));
    let note = &lane.action()["tell_case"]["step"]["note"];
    assert_eq!((&note["text"], &note["author"]), (&json!("withheld by filter level"), &json!("")));
    lane.command("acme", &settings("Do not send"));
    assert!(lane.pending().is_empty(), "nothing leaves, and nothing waits to");
    assert!(lane.chain(1).steps.is_empty());
}

#[test]
fn what_one_upstream_has_taken_another_is_told_nothing_of() {
    for (level, told) in [(6, 1), (7, 0)] {
        let mut lane = Lane::partner(&json!({}), &[]);
        lane.domain.desk.level = level;
        lane.domain.position.level = level;
        lane.below(&report("k-1", 3, &["own"]));
        lane.report(&accepted());
        lane.domain.desk.installed.has_partner = true;
        assert_eq!(lane.here(&case("note_case", &json!({"text": "seen"}))).0, Verdict::Done);
        assert_eq!(lane.pending().len(), told, "level {level}");
        // Once the one that took it is there again, it is told what is said from then on.
        lane.domain.desk.installed.has_partner = false;
        lane.here(&case("note_case", &json!({"text": "again"})));
        assert_eq!(lane.pending().len(), 1);
    }
}

#[test]
fn what_was_said_before_the_upstream_has_a_case_is_told_with_it() {
    let mut lane = Lane::partner(&json!({"handling": "own"}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    let origin = json!({"id": "own:1", "author": "eve", "at": "2026-11-21T10:00:00Z"});
    lane.below(&case("note_case", &json!({"text": "still down", "origin": origin})));
    lane.here(&case("note_case", &json!({"text": "we look"})));
    lane.below(&case("close_case", &json!({})));
    lane.here(&case("forward_case", &json!({})));
    lane.report(&accepted());
    for expected in ["still down", "we look"] {
        assert_eq!(lane.action()["tell_case"]["step"]["note"]["text"], expected);
        lane.report(&json!({"done": "case_told"}));
    }
    assert!(lane.action()["tell_case"]["step"]["close"].is_object());
}

#[test]
fn a_case_reopened_here_is_closed_again_when_the_upstream_says_so() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    lane.report(&accepted());
    lane.take("acme", "result", standing("closed", 5).as_bytes());
    lane.here(&case("reopen_case", &json!({})));
    assert_eq!(lane.seen_below(1)[2], "reopened");
    lane.report(&json!({"done": "case_told"}));
    lane.take("acme", "result", standing("In Progress", 6).as_bytes());
    assert_eq!(lane.seen_below(1)[2], "In Progress");
    lane.take("acme", "result", standing("closed", 7).as_bytes());
    assert_eq!(lane.seen_below(1)[2], "closed");
}

#[test]
fn what_an_upstream_said_before_it_knew_of_the_closing_reopens_nothing() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    lane.report(&accepted());
    lane.now = "2026-11-21T10:10:00Z".parse().unwrap();
    lane.below(&case("close_case", &json!({})));
    lane.report(&json!({"done": "case_told"}));
    lane.take("acme", "result", standing("working", 9).as_bytes());
    assert_eq!(lane.seen_below(1)[2], "closed");
    lane.take("acme", "result", standing("reopened", 11).as_bytes());
    assert_eq!(lane.seen_below(1)[2], "reopened");
}

#[test]
fn a_test_case_stays_one_at_every_hop() {
    let mut lane = Lane::partner(&json!({"filter_level": "Only send list of features used"}), &[]);
    let mut verb = report("k-1", 3, &["own"]);
    verb["report_case"]["report"]["synopsis"] = json!("TEST CASE: FRU offline");
    lane.below(&verb);
    assert_eq!(lane.action()["submit_case"]["synopsis"], "TEST CASE: withheld by filter level");
}

#[test]
fn what_an_end_customer_says_crowds_nobody_out() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    lane.here(&case("note_case", &json!({"text": "ours"})));
    let note = |number: usize| {
        let origin = json!({"id": format!("own:{number}"), "author": "eve", "at": "2026-11-21T10:00:00Z"});
        case("note_case", &json!({"text": "x".repeat(4000), "origin": origin}))
    };
    let refused: Vec<_> =
        (0..110).map(|number| lane.below(&note(number))).filter(|(verdict, _)| *verdict != Verdict::Done).collect();
    assert!(!refused.is_empty() && refused.iter().all(|(verdict, _)| *verdict == Verdict::Conflict), "{refused:?}");
    let chain = lane.chain(1);
    assert_eq!(chain.notes[0].text, "ours");
    assert!(chain.notes.iter().map(|note| note.text.len()).sum::<usize>() <= 130 * 1024);
    assert_eq!(lane.below(&note(0)).0, Verdict::Done, "what it is known to have said is said again for nothing");
}
