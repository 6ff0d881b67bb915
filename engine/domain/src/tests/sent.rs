//! Messages of the provider's reach whom somebody sends them, in the wording they are given, and nobody else in anything.

use linesman_schemas::audit::Verdict;
use linesman_schemas::control::{Control, IntelligenceRef};

use super::*;
use crate::input::Provided;
use crate::intelligence::{self, sent};

const HEARS: &str = "policy(#{ on: \"intelligence.received\" });\nfn react(message, org) { publish(\"heard\", #{ title: message.title }); }";

fn verb(name: &str) -> Value {
    json!({name: {"id": "T1"}})
}

impl Lane {
    /// A partner with three organizations, and a message of the provider's that names a device of acme's and one of bolt's.
    fn informed() -> Self {
        Self::informed_at(level::NEWEST)
    }

    pub(super) fn informed_at(level: u32) -> Self {
        let mut lane = Self::partner_at(level, &json!({}), &[("hears", HEARS)]);
        for org in ["acme", "bolt"] {
            lane.bundle(org, &format!("{org}-edge"), 1, "High");
        }
        lane.hand(1, "first", &["SNacme-edge", "SNbolt-edge"]);
        lane.events.clear();
        lane
    }

    pub(super) fn hand(&mut self, number: u64, title: &str, serial_numbers: &[&str]) {
        let content = json!({
            "id": "T1", "kind": "alert", "title": title, "text": "canary-of-the-provider", "issued": "2026-11-21T10:00:00Z",
            "relevance": {"serial_numbers": serial_numbers},
        });
        let named = IntelligenceRef { number, id: "T1".to_owned(), sha256: format!("sha-{number}"), bytes: 1 };
        let bytes = serde_json::to_vec(&Control::Intelligence(named.clone())).unwrap();
        let provided = Provided::read(named, content.to_string().as_bytes());
        self.decide("", "ctl", &bytes, Content::Provided(Box::new(provided)));
        self.commit();
        self.work();
    }

    pub(super) fn has_message(&self, org: &str) -> Option<intelligence::MessageRow> {
        let key = intelligence::key(&org.parse().unwrap(), "T1");
        self.row(&key).map(|row: intelligence::IntelligenceRow| row.message)
    }

    pub(super) fn sent(&self, org: &str) -> Option<sent::SentRow> {
        self.row(&sent::key(&org.parse().unwrap(), "T1"))
    }

    /// All that is said of an organization.
    pub(super) fn said_of(&self, org: &str) -> Vec<String> {
        let events = self.events.iter().filter(|(on, _)| on.starts_with(&format!("{org}.")));
        events.map(|(on, event)| format!("{on} {}", event.data)).collect()
    }
}

#[test]
fn nothing_of_it_is_an_organizations_before_it_is_sent_and_then_as_it_was_worded() {
    for reopens in [false, true] {
        let mut lane = Lane::informed();
        lane.reopens = reopens;
        let worded = json!({"associate_intelligence": {"id": "T1", "title": "For acme", "text": "Two of yours."}});
        assert_eq!(lane.here(&worded), (Verdict::Done, "associated".to_owned()));
        assert_eq!(lane.here(&worded), (Verdict::Done, "unchanged".to_owned()));
        assert_eq!((lane.has_message("acme"), lane.said_of("acme")), (None, Vec::new()), "it is the provider's");
        assert_eq!(lane.on("_provider.audit.associate-intelligence").len(), 2);

        assert_eq!(lane.here(&verb("send_intelligence")), (Verdict::Done, "sent".to_owned()));
        let has = lane.has_message("acme").unwrap();
        assert_eq!((has.title.as_str(), has.text.as_str()), ("For acme", "Two of yours."));
        assert_eq!(has.relevance.serial_numbers, ["SNacme-edge"], "another's devices are nothing of theirs");
        let said = lane.said_of("acme");
        assert!(said.iter().any(|line| line.starts_with("acme.trigger.intelligence.received")), "{said:?}");
        assert!(said.iter().any(|line| line.contains("heard")), "its policies hear: {said:?}");
        for line in &said {
            assert!(!line.contains("canary") && !line.contains("bolt") && !line.contains("admin"), "{line}");
        }
        assert_eq!((lane.has_message("bolt"), lane.said_of("bolt")), (None, Vec::new()));

        lane.events.clear();
        assert_eq!(lane.here(&verb("send_intelligence")), (Verdict::Done, "unchanged".to_owned()));
        assert_eq!(lane.said_of("acme"), Vec::<String>::new(), "sent once");
        assert_eq!(lane.sent("acme").unwrap().sendings.len(), 1);

        assert_eq!(lane.here(&verb("dissociate_intelligence")).0, Verdict::Conflict, "what was sent is on record");
        assert_eq!(lane.here(&verb("recall_intelligence")), (Verdict::Done, "recalled".to_owned()));
        assert_eq!(lane.has_message("acme"), None);
        assert_eq!(lane.here(&verb("recall_intelligence")).0, Verdict::Conflict);
        assert_eq!(lane.here(&verb("send_intelligence")), (Verdict::Done, "sent".to_owned()), "it can be sent again");
        let row = lane.sent("acme").unwrap();
        let [first, second] = &row.sendings[..] else { panic!("{row:?}") };
        assert_eq!((first.by.as_str(), first.message.title.as_str()), ("admin", "For acme"));
        assert_eq!(first.recalled.as_ref().map(|recall| recall.by.as_str()), Some("admin"));
        assert!(second.recalled.is_none() && row.stands().is_some());
        // By this the one below is told where it stands: nothing of it counts what others have.
        assert_eq!(row.changed, 3, "sent, recalled, sent again");
    }
}

#[test]
fn what_changed_meanwhile_is_worded_anew_before_it_is_sent() {
    let mut lane = Lane::informed();
    lane.here(&json!({"associate_intelligence": {"id": "T1", "title": "For acme"}}));
    lane.hand(2, "second", &["SNacme-edge"]);
    let (verdict, detail) = lane.here(&verb("send_intelligence"));
    let expected = "the message has changed since its wording was given: give the wording anew";
    assert_eq!((verdict, detail.as_str(), lane.has_message("acme")), (Verdict::Conflict, expected, None));
    assert_eq!(lane.here(&json!({"associate_intelligence": {"id": "T1"}})), (Verdict::Done, "changed".to_owned()));
    assert_eq!(lane.here(&verb("send_intelligence")).0, Verdict::Done);
    assert_eq!(lane.has_message("acme").unwrap().title, "second");
    // Without a wording of its own it follows the message, when it is sent again.
    lane.hand(3, "third", &["SNacme-edge"]);
    assert_eq!(lane.has_message("acme").unwrap().title, "second");
    assert_eq!(lane.here(&verb("send_intelligence")), (Verdict::Done, "sent".to_owned()));
    assert_eq!(
        (lane.has_message("acme").unwrap().title.as_str(), lane.sent("acme").unwrap().sendings.len()),
        ("third", 2)
    );
}

#[test]
fn what_names_devices_of_others_alone_is_not_sent() {
    let mut lane = Lane::informed();
    lane.hand(2, "first", &["SNbolt-edge"]);
    let (verdict, detail) = lane.here(&verb("send_intelligence"));
    let expected = "it names devices by serial number, and none of them is a device of `acme`";
    assert_eq!((verdict, detail.as_str(), lane.has_message("acme")), (Verdict::Conflict, expected, None));
    let (verdict, detail) = lane.here(&json!({"send_intelligence": {"id": "T2"}}));
    assert_eq!((verdict, detail.as_str()), (Verdict::NotFound, "there is no intelligence message `T2`"));
}

#[test]
fn a_recall_leaves_what_was_published_for_the_organization_since() {
    let mut lane = Lane::informed();
    lane.here(&verb("send_intelligence"));
    let own = json!({"id": "T1", "kind": "informational", "title": "own", "issued": "2026-11-21T11:00:00Z"});
    lane.take("acme", "intel", own.to_string().as_bytes());
    assert_eq!(lane.here(&verb("recall_intelligence")).0, Verdict::Done);
    assert_eq!(lane.has_message("acme").unwrap().title, "own");
    let (verdict, detail) = lane.here(&verb("send_intelligence"));
    let expected = "`acme` has a message of its own that is called `T1`";
    assert_eq!((verdict, detail.as_str()), (Verdict::Conflict, expected), "nor is it overwritten");
    assert_eq!(lane.has_message("acme").unwrap().title, "own");
}

#[test]
fn whoever_sees_a_part_sends_nothing() {
    let mut lane = Lane::informed();
    let rights =
        linesman_schemas::Rights::of([linesman_schemas::Right::Intelligence], linesman_schemas::IncidentStep::None);
    lane.person("ann", "acme", rights);
    lane.person("bob", "/", linesman_schemas::Rights::default());
    assert_eq!(lane.of_person("ann", &verb("send_intelligence")).0, Verdict::NotFound);
    assert_eq!(lane.of_person("bob", &verb("send_intelligence")).0, Verdict::Forbidden);
    assert_eq!(lane.below(&verb("send_intelligence")).0, Verdict::Forbidden);
    assert_eq!((lane.has_message("acme"), lane.sent("acme")), (None, None));
}

#[test]
fn at_level_11_what_would_need_approval_is_not_sent() {
    use linesman_schemas::approval::{ApprovalRule, ApprovalRules, ApprovalSettings};
    let mut lane = Lane::informed_at(11);
    let rules = ApprovalRules { send_intelligence: ApprovalRule::OnePerson, ..ApprovalRules::default() };
    let approvals = ApprovalSettings { rules, ..ApprovalSettings::default() };
    lane.rules(2, &[], Settings { approvals, ..Settings::default() });
    let (verdict, detail) = lane.here(&verb("send_intelligence"));
    assert!(verdict == Verdict::Conflict && detail.starts_with("messages that need approval are not sent"), "{detail}");
    assert_eq!((lane.has_message("acme"), lane.sent("acme")), (None, None));
    // Nor is there an approval of the provider's.
    lane.events.clear();
    let ask =
        json!({"id": "old", "actor": "admin", "node": "test", "verb": {"approve_approval": {"approval": "acme-p1"}}});
    lane.take("acme", "cmd", ask.to_string().as_bytes());
    assert_eq!(lane.subjects(), ["acme.dead.command-undecodable"]);
}

/// What is told behind each change, by the rows themselves.
fn naively(lane: &Lane, org: &str, after: u64, most: usize) -> Vec<String> {
    let org = org.parse().unwrap();
    let mut found: Vec<_> = sent::all(&lane.base, &org).map(Result::unwrap).collect();
    found.retain(|(_, row)| row.changed > after);
    found.sort_by_key(|(_, row)| row.changed);
    found.into_iter().take(most).map(|(id, _)| id).collect()
}

#[test]
fn what_changed_is_found_in_order_whatever_stood_there_before_level_12() {
    for (level, reopens) in [(11, false), (11, true), (12, false)] {
        let mut lane = Lane::partner_at(level, &json!({}), &[]);
        lane.reopens = reopens;
        for number in 1..=4 {
            let message =
                json!({"id": format!("M{number}"), "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z"});
            lane.provides(number, &message);
        }
        let ask = |lane: &mut Lane, what: &str, id: &str| {
            assert_eq!(lane.here(&json!({what: {"id": id}})).0, Verdict::Done, "{what} {id}");
        };
        let held = |lane: &Lane| {
            for org in ["acme", "bolt"] {
                for (after, most) in (0..8).flat_map(|after| [(after, 2), (after, 9)]) {
                    let found = sent::changed_after(&lane.base, &org.parse().unwrap(), after, most).unwrap();
                    let ids: Vec<String> = found.into_iter().map(|(id, _)| id).collect();
                    assert_eq!(
                        ids,
                        naively(lane, org, after, most),
                        "{org}: {most} after {after}, since level {level}"
                    );
                }
            }
        };
        for (what, id) in [("send", "M3"), ("send", "M1"), ("recall", "M3"), ("associate", "M4")] {
            ask(&mut lane, &format!("{what}_intelligence"), id);
            held(&lane);
        }
        let prefix_of = |lane: &Lane| sent::CHANGES.rows(&lane.base, &["acme"]).count();
        assert_eq!(prefix_of(&lane), if level == 11 { 0 } else { 3 });
        lane.decide("", "ctl", b"", Content::Level(12));
        lane.commit();
        for (what, id) in [("send", "M2"), ("send", "M3"), ("recall", "M1"), ("send", "M4")] {
            ask(&mut lane, &format!("{what}_intelligence"), id);
            held(&lane);
        }
        assert_eq!(prefix_of(&lane), 5, "each message once, and that all are there");
    }
}

#[test]
fn parts_of_ones_own_devices_are_named_to_an_organization_and_others_not() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.sees("acme", &super::parts::with_parts("a", 1, 8, &[("FPC 0", "CA1")]));
    lane.sees("bolt", &super::parts::with_parts("b", 1, 8, &[("FPC 0", "CB1")]));
    lane.hand(1, "first", &["CB1", "CA1", "SNb", "SNa", "CX"]);
    assert_eq!(lane.here(&verb("send_intelligence")).0, Verdict::Done);
    assert_eq!(lane.has_message("acme").unwrap().relevance.serial_numbers, ["CA1", "SNa"]);
}
