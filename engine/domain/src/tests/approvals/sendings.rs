//! What is sent of the provider's messages awaits the provider's approval, of which the organization learns nothing.

use super::*;
use crate::intelligence::sent::SentRow;

const FORWARDS: &str = "policy(#{ on: \"bug-notice.matched\" });\n\
    fn react(message, org) { require_approval(\"two-person\"); forward_intelligence(message, #{ title: \"For you\" }); }";
const TELLS: &str = "policy(#{ on: \"approval.required\" });\n\
    fn react(approval, org) { publish(\"asked\", #{ id: approval.id, about: approval.about, at: approval.place }); }";

/// What happens while an approval is pending.
type Change = fn(&mut Lane);

fn settings_of(rule: ApprovalRule, on_timeout: OnTimeout) -> Settings {
    let rules = ApprovalRules { send_intelligence: rule, ..ApprovalRules::default() };
    Settings {
        approvals: ApprovalSettings { rules, timeout_h: 4, on_timeout, ..ApprovalSettings::default() },
        ..Settings::default()
    }
}

fn send() -> Value {
    json!({"send_intelligence": {"id": "T1"}})
}

fn word(title: &str) -> Value {
    json!({"associate_intelligence": {"id": "T1", "title": title, "text": "Two of yours."}})
}

fn decide(verb: &str, id: &str) -> Value {
    json!({verb: {"approval": id, "comment": "canary-of-a-comment"}})
}

fn yes(number: u64) -> Value {
    decide("approve_approval", &format!("acme-p{number}"))
}

fn no(number: u64) -> Value {
    decide("reject_approval", &format!("acme-p{number}"))
}

fn awaits(number: u64) -> (Verdict, String) {
    (Verdict::AwaitingApproval, format!("acme-p{number}"))
}

fn done(detail: &str) -> (Verdict, String) {
    (Verdict::Done, detail.to_owned())
}

impl Lane {
    /// A partner that has a message and people; ann and bob send and approve, eve approves at acme, mia is acme's.
    fn sending(rule: ApprovalRule, on_timeout: OnTimeout) -> Self {
        let mut lane = Self::informed_at(level::NEWEST);
        for name in ["ann", "bob"] {
            lane.person(name, "/", Rights::of([Right::Intelligence, Right::Approvals], IncidentStep::None));
        }
        lane.person("cid", "/", Rights::of([Right::Intelligence], IncidentStep::None));
        lane.person("eve", "acme", Rights::of([Right::Approvals], IncidentStep::None));
        let mia = json!({"manager": "mia", "sphere": ["acme"], "privileges": []});
        assert_eq!(lane.here(&json!({"set_manager": mia})).0, Verdict::Done);
        lane.rules(2, &[("tells", TELLS), ("acme/own", TELLS)], settings_of(rule, on_timeout));
        lane.events.clear();
        lane
    }

    fn providers(&self, number: u64) -> Option<ApprovalRow> {
        self.row(&approvals::key(&ApprovalId::new("acme".parse().unwrap(), true, number)))
    }

    fn stands(&self, number: u64) -> ApprovalState {
        self.providers(number).unwrap().state
    }

    fn times_sent(&self) -> usize {
        self.sent("acme").map_or(0, |SentRow { sendings, .. }| sendings.len())
    }

    /// What somebody of acme's asks.
    fn of_mia(&mut self, verb: &Value) -> (Verdict, String) {
        let id = format!("m{}", self.sequence);
        let principal = json!({"kind": "manager", "organization": "acme", "name": "mia"});
        self.whole("acme", &json!({"id": id, "principal": principal, "node": "n", "verb": verb}));
        let row = self.row(&commands::key(Some(&"acme".parse().unwrap()), &id)).unwrap();
        (row.verdict, row.detail)
    }

    /// What acme's people may be told by, with its ids.
    fn told_acme(&self) -> Vec<String> {
        let events = self.events.iter().filter(|(on, _)| on.starts_with("acme."));
        events.map(|(on, event)| format!("{on} {} {}", event.id, event.data)).collect()
    }
}

#[test]
fn a_message_waits_for_somebody_else_and_is_sent_once_as_it_was_approved() {
    for reopens in [false, true] {
        let mut lane = Lane::sending(ApprovalRule::TwoPerson, OnTimeout::Reject);
        lane.reopens = reopens;
        lane.of_person("ann", &word("For acme"));
        lane.events.clear();
        assert_eq!(lane.of_person("ann", &send()), awaits(1));
        assert_eq!(lane.of_person("ann", &send()), awaits(1), "what is pending is asked for once");
        let asked = lane.on("_provider.trigger.approval.required");
        let [asked] = asked[..] else { panic!("{:?}", lane.subjects()) };
        let data = &asked.data;
        assert_eq!((&data["id"], &data["about"], &data["place"]), (&json!("acme-p1"), &json!("T1"), &json!("acme")));
        assert_eq!((&data["kind"], &data["operation"]), (&json!("send-intelligence"), &json!("send-intelligence")));
        let heard = &lane.on("_provider.reaction.asked")[0].data["action"];
        assert_eq!(*heard, json!({"id": "acme-p1", "about": "T1", "at": "acme"}), "a policy of everyone's hears of it");
        let told = &lane.on("_provider.audit.send-intelligence")[0].data;
        assert_eq!((&told["verdict"], &told["new"]), (&json!("awaiting-approval"), &json!({"approval": "acme-p1"})));
        let row = lane.providers(1).unwrap();
        let content: Value = serde_json::from_str(&row.content).unwrap();
        assert_eq!((&content["title"], &content["organization"]), (&json!("For acme"), &json!("acme")));
        assert_eq!((lane.has_message("acme"), lane.times_sent(), lane.said_of("acme")), (None, 0, Vec::new()));

        for verb in [yes(1), no(1)] {
            assert_eq!(lane.of_person("ann", &verb).0, Verdict::Forbidden, "she has asked for it");
        }
        assert_eq!(lane.of_person("bob", &yes(1)), done("approved"));
        assert_eq!((lane.times_sent(), lane.stands(1)), (1, ApprovalState::Approved));
        assert_eq!(lane.has_message("acme").unwrap().title, "For acme");
        assert_eq!(lane.sent("acme").unwrap().sendings[0].by, "ann", "as whoever asked");
        let told = lane.on("_provider.audit.approve-approval");
        let decided = &told.last().unwrap().data;
        assert_eq!((&decided["actor"], &decided["place"]), (&json!("bob"), &json!("acme")));
        let said = lane.said_of("acme");
        assert!(said.iter().any(|line| line.starts_with("acme.trigger.intelligence.received")), "{said:?}");
        for line in &said {
            for leak in ["approv", "acme-p", "bob", "ann", "canary"] {
                assert!(!line.contains(leak), "{leak}: {line}");
            }
        }
        for verb in [yes(1), no(1)] {
            assert_eq!(lane.of_person("bob", &verb).0, Verdict::Conflict);
        }
        assert_eq!(lane.of_person("ann", &send()), done("unchanged"), "what it has needs no approval");
        assert_eq!((lane.times_sent(), lane.providers(2)), (1, None));
    }
}

#[test]
fn the_organization_learns_nothing_of_what_waits_is_rejected_or_runs_out() {
    // Two lanes take as much in; of one nothing is asked.
    let mut quiet = Lane::sending(ApprovalRule::TwoPerson, OnTimeout::Reject);
    let mut asked = Lane::sending(ApprovalRule::TwoPerson, OnTimeout::Reject);
    for verb in [send(), no(1), send(), send()] {
        let who = if verb == send() { "ann" } else { "bob" };
        assert!([Verdict::AwaitingApproval, Verdict::Done].contains(&asked.of_person(who, &verb).0));
        quiet.after(0);
    }
    for lane in [&mut quiet, &mut asked] {
        lane.after(5);
        lane.rules(3, &[], settings(ApprovalRule::OnePerson, OnTimeout::Reject));
        lane.bundle("acme", "b", 2, "High");
        lane.below(&report("k-1", 3, &["own"]));
        assert_eq!(lane.approval(1).unwrap().kind.as_str(), "forward-case", "the first of its own");
        for verb in ["approve_approval", "reject_approval"] {
            for id in ["acme-p1", "acme-p2", "acme-p9"] {
                let denied = "`acme/mia` has not the right `approvals` on `acme`".to_owned();
                assert_eq!(lane.of_mia(&decide(verb, id)), (Verdict::Forbidden, denied), "be it there or not");
            }
        }
    }
    assert_eq!((asked.stands(1), asked.stands(2)), (ApprovalState::Rejected, ApprovalState::Expired));
    assert_eq!((asked.providers(3), quiet.providers(1)), (None, None));
    assert_eq!(asked.times_sent(), 0);
    let told = asked.told_acme();
    assert!(told.len() > 8, "{told:?}");
    assert_eq!(told, quiet.told_acme(), "not even by its numbers");
    let run = |about: &str| json!({"run_policy": {"policy": "tells", "trigger": "approval.required", "event": "e", "about": about}});
    for lane in [&mut quiet, &mut asked] {
        lane.events.clear();
        lane.here(&run("acme-p1"));
    }
    assert_eq!(asked.told_acme(), quiet.told_acme(), "nor by judging it again");
}

#[test]
fn of_the_providers_people_those_with_the_right_decide() {
    let mut lane = Lane::sending(ApprovalRule::OnePerson, OnTimeout::Reject);
    lane.person("dan", "bolt", Rights::of([Right::Approvals], IncidentStep::None));
    lane.of_person("cid", &send());
    let denied = (Verdict::Forbidden, "`cid` has not the right `approvals` on `acme`".to_owned());
    for verb in [yes, no] {
        assert_eq!(lane.of_person("cid", &verb(1)), denied);
        assert_eq!(lane.of_person("dan", &verb(1)), lane.of_person("dan", &verb(9)));
        assert_eq!(lane.of_person("dan", &verb(1)).0, Verdict::NotFound);
        assert_eq!(lane.of_mia(&verb(1)), lane.of_mia(&verb(9)));
        assert_eq!(lane.below(&verb(1)).0, Verdict::Forbidden);
    }
    // Nor by another name for it: numbers of the provider's lie above those of the organization's own.
    let high = decide("approve_approval", &format!("acme-a{}", (1_u64 << 63) + 1));
    assert_eq!(lane.of_person("bob", &high).0, Verdict::NotFound);
    assert_eq!(lane.of_person("bob", &decide("approve_approval", "acme-a1")).0, Verdict::NotFound);
    assert_eq!((lane.stands(1), lane.times_sent()), (ApprovalState::Pending, 0));
    lane.events.clear();
    assert_eq!(lane.of_person("eve", &yes(1)), done("approved"), "whose sphere has the organization");
    assert_eq!(lane.times_sent(), 1);
    assert!(lane.on("acme.audit.approve-approval").is_empty());
    assert_eq!(lane.on("_provider.audit.approve-approval")[0].data["actor"], "eve");
}

#[test]
fn what_would_be_sent_otherwise_is_asked_for_anew() {
    let changes: [Change; 5] = [
        |lane| drop(lane.of_person("cid", &word("otherwise"))),
        |lane| drop(lane.of_person("cid", &json!({"dissociate_intelligence": {"id": "T1"}}))),
        // A wording is given for a version of the message.
        |lane| {
            lane.hand(2, "first", &["SNacme-edge"]);
            lane.of_person("cid", &word("For acme"));
        },
        // Sent meanwhile, when it needed no approval, and taken back.
        |lane| {
            lane.rules(3, &[], Settings::default());
            assert_eq!(lane.of_person("cid", &send()), done("sent"));
            assert_eq!(lane.of_person("cid", &json!({"recall_intelligence": {"id": "T1"}})), done("recalled"));
            lane.rules(4, &[], settings_of(ApprovalRule::TwoPerson, OnTimeout::Reject));
        },
        |lane| {
            lane.of_person("cid", &json!({"associate_intelligence": {"id": "T1"}}));
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut lane = Lane::sending(ApprovalRule::TwoPerson, OnTimeout::Reject);
        lane.of_person("ann", &word("For acme"));
        assert_eq!(lane.of_person("ann", &send()), awaits(1));
        change(&mut lane);
        let sent = lane.times_sent();
        let expected = "what `acme-p1` would do has changed since it was asked for: `acme-p2` awaits approval now";
        assert_eq!(lane.of_person("bob", &yes(1)), (Verdict::Conflict, expected.to_owned()), "change {number}");
        assert_eq!((lane.times_sent(), lane.has_message("acme")), (sent, None), "change {number}");
        assert_eq!((lane.stands(1), lane.stands(2)), (ApprovalState::Changed, ApprovalState::Pending));
        assert_eq!(lane.providers(1).unwrap().instead, Some(2));
        assert_eq!(lane.of_person("ann", &yes(2)).0, Verdict::Forbidden, "she has asked for it still");
        assert_eq!(lane.of_person("bob", &yes(2)), done("approved"));
        assert_eq!(lane.times_sent(), sent + 1);
    }
}

#[test]
fn whoever_words_a_message_meanwhile_does_not_decide_what_is_asked_for_anew() {
    let mut lane = Lane::sending(ApprovalRule::TwoPerson, OnTimeout::Reject);
    lane.of_person("ann", &word("For acme"));
    assert_eq!(lane.of_person("ann", &send()), awaits(1));
    lane.of_person("bob", &word("otherwise"));
    assert_eq!(lane.of_person("bob", &yes(1)).0, Verdict::Conflict);
    for who in ["ann", "bob"] {
        assert_eq!(lane.of_person(who, &yes(2)).0, Verdict::Forbidden, "{who}");
    }
    assert_eq!(lane.times_sent(), 0);
}

#[test]
fn what_can_be_sent_no_more_is_not_sent_once_it_is_approved() {
    let changes: [(Change, &str); 4] = [
        (
            |lane| lane.hand(2, "second", &["SNacme-edge"]),
            "the message has changed since its wording was given: give the wording anew",
        ),
        (|lane| lane.command("acme", &json!("suspend_organization")), "the organization `acme` is suspended"),
        (
            |lane| lane.person("ann", "/", Rights::of([], IncidentStep::None)),
            "`ann` has not the right `intelligence` on `/`",
        ),
        (
            |lane| {
                let own = json!({"id": "T1", "kind": "alert", "title": "own", "issued": "2026-11-21T11:00:00Z"});
                lane.take("acme", "intel", own.to_string().as_bytes());
            },
            "`acme` has a message of its own that is called `T1`",
        ),
    ];
    for (change, why) in changes {
        let mut lane = Lane::sending(ApprovalRule::TwoPerson, OnTimeout::Reject);
        lane.of_person("ann", &word("For acme"));
        lane.of_person("ann", &send());
        change(&mut lane);
        lane.events.clear();
        assert_eq!(lane.of_person("bob", &yes(1)), done(&format!("approved, and then refused: {why}")));
        assert_eq!((lane.times_sent(), lane.stands(1)), (0, ApprovalState::Approved));
        assert_ne!(lane.providers(1).unwrap().outcome.unwrap().verdict, Verdict::Done);
        assert_eq!(lane.said_of("acme"), Vec::<String>::new());
        assert_eq!(lane.on("_provider.audit.send-intelligence")[0].data["actor"], "ann");
    }
    // What is refused anyway awaits nothing.
    let mut lane = Lane::sending(ApprovalRule::TwoPerson, OnTimeout::Reject);
    lane.hand(2, "first", &["SNbolt-edge"]);
    assert_eq!(lane.of_person("ann", &send()).0, Verdict::Conflict);
    assert_eq!(lane.of_person("ann", &json!({"send_intelligence": {"id": "T2"}})).0, Verdict::NotFound);
    lane.command("acme", &json!("suspend_organization"));
    assert_eq!(lane.of_person("ann", &send()).0, Verdict::Conflict);
    assert_eq!(lane.providers(1), None);
}

#[test]
fn its_time_runs_out_as_the_settings_had_it_when_it_was_asked_for() {
    for (on_timeout, sent) in [(OnTimeout::Reject, 0), (OnTimeout::Approve, 1)] {
        let mut lane = Lane::sending(ApprovalRule::TwoPerson, on_timeout);
        lane.reopens = true;
        lane.of_person("ann", &send());
        let other = if on_timeout == OnTimeout::Reject { OnTimeout::Approve } else { OnTimeout::Reject };
        lane.rules(3, &[], settings_of(ApprovalRule::TwoPerson, other));
        lane.after(3);
        assert_eq!((lane.stands(1), lane.times_sent()), (ApprovalState::Pending, 0));
        lane.events.clear();
        lane.after(1);
        assert_eq!((lane.stands(1), lane.times_sent()), (ApprovalState::Expired, sent));
        let operation = if sent == 1 { "approve-approval" } else { "reject-approval" };
        let said = &lane.on(&format!("_provider.audit.{operation}"))[0].data;
        assert_eq!((&said["actor"], &said["verdict"]), (&json!("machine"), &json!("done")));
        assert_eq!(lane.said_of("acme").is_empty(), sent == 0);
        lane.after(9);
        assert_eq!(lane.of_person("bob", &yes(1)).0, Verdict::Conflict);
        assert_eq!(lane.times_sent(), sent, "once");
    }
}

#[test]
fn the_stricter_rule_counts_and_so_does_by_whose_doing_it_was_asked_for() {
    let mut lane = Lane::sending(ApprovalRule::OnePerson, OnTimeout::Reject);
    lane.of_person("ann", &send());
    assert_eq!(lane.of_person("bob", &send()), awaits(2), "of his own");
    lane.rules(3, &[], settings_of(ApprovalRule::TwoPerson, OnTimeout::Reject));
    for name in ["ann", "bob"] {
        assert_eq!(lane.of_person(name, &yes(1)).0, Verdict::Forbidden, "both have asked for the very same");
    }
    assert_eq!(lane.of_person("eve", &yes(1)), done("approved"));
    assert_eq!(lane.of_person("eve", &yes(2)), done("approved"));
    assert_eq!(lane.providers(2).unwrap().outcome.unwrap().detail, "unchanged");
    assert_eq!(lane.times_sent(), 1, "once");
    // An organization's own setting.
    let mut lane = Lane::sending(ApprovalRule::None, OnTimeout::Reject);
    let verb = json!({"display_name": "acme", "is_proxy": true, "filter_level": "Send all information",
        "approvals": {"send-intelligence": "one-person"}});
    lane.command("acme", &json!({"set_organization": verb}));
    assert_eq!(lane.of_person("ann", &send()), awaits(1));
    assert_eq!(lane.providers(1).unwrap().reasons, ["organization"]);
    assert_eq!(lane.of_person("ann", &yes(1)), done("approved"));
    assert_eq!(lane.times_sent(), 1);
}

#[test]
fn what_a_policy_sends_on_waits_where_it_says_so() {
    for reopens in [false, true] {
        let mut lane = Lane::sending(ApprovalRule::None, OnTimeout::Reject);
        lane.reopens = reopens;
        lane.rules(3, &[("forwards", FORWARDS), ("tells", TELLS)], Settings::default());
        lane.events.clear();
        lane.provides(3, &super::super::matches::notice("T1", "bug-notice", &json!({"products": ["MX*"]})));
        let row = lane.providers(1).unwrap();
        assert_eq!((row.actor.as_str(), row.reasons.as_slice()), ("forwards", &["policy forwards".to_owned()][..]));
        assert!(row.is_two_person && row.content.contains("For you"), "{row:?}");
        assert_eq!((lane.times_sent(), lane.said_of("acme")), (0, Vec::new()));
        assert!(lane.on("_provider.dead.policy-failed").is_empty(), "it is not refused");
        // Judged again meanwhile, it is the same.
        lane.bundle("acme", "another", 9, "High");
        assert_eq!(lane.providers(2), None);
        assert_eq!(lane.of_person("ann", &yes(1)), done("approved"));
        assert_eq!((lane.times_sent(), lane.has_message("acme").unwrap().title.as_str()), (1, "For you"));
        assert_eq!(lane.sent("acme").unwrap().sendings[0].by, "policy forwards");
        assert_eq!(lane.providers(2), None, "nobody asks in turn");
    }
}
