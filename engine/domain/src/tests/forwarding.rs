//! What policies send on of the provider's messages: to whom it concerns, once, and never over what people have decided.

use linesman_schemas::audit::Verdict;

use super::matches::{device, notice};
use super::*;

const FORWARDS: &str = r#"
    policy(#{ on: ["bug-notice.arrived", "bug-notice.matched", "exposure.new", "intelligence.received"] });
    fn react(message, org) { forward_intelligence(message, #{ only_affected: true }); }
"#;
/// Words each sending by what it words: what would be forwarded in turn would never end.
const WORDS: &str = r#"
    policy(#{ on: ["bug-notice.matched", "exposure.new", "intelligence.received"] });
    fn react(message, org) { forward_intelligence(message, #{ title: `${org.name}: ${message.title}`, text: "worded" }); }
"#;
const OWN: &str = r#"
    policy(#{ on: ["bug-notice.arrived", "bug-notice.matched", "exposure.new", "intelligence.received"] });
    fn react(message, org) { forward_intelligence(message); }
"#;

fn of_mx() -> Value {
    notice("T1", "bug-notice", &json!({"products": ["MX*"]}))
}

fn verb(name: &str) -> Value {
    json!({name: {"id": "T1"}})
}

impl Lane {
    /// A partner with an MX at `acme` and none at `bolt`.
    fn forwarding(policies: &[(&str, &str)]) -> Self {
        let mut lane = Self::with(&[]);
        lane.mode = Mode::Partner;
        lane.rules(2, policies, Settings::default());
        lane.sees("acme", &device("a", "MX240", "21.4R3"));
        lane.sees("bolt", &device("b", "QFX5100", "21.4R3"));
        lane.events.clear();
        lane
    }

    /// The titles under which an organization was sent the message, and by whom each time.
    fn sendings(&self, org: &str) -> Vec<(String, String)> {
        let row = self.sent(org);
        row.map_or(Vec::new(), |row| row.sendings.into_iter().map(|it| (it.message.title, it.by)).collect())
    }
}

fn by_policy(title: &str, name: &str) -> (String, String) {
    (title.to_owned(), format!("policy {name}"))
}

#[test]
fn a_policy_sends_to_whom_it_concerns_alone_and_once() {
    for reopens in [false, true] {
        let mut lane = Lane::forwarding(&[("forwards", FORWARDS)]);
        lane.reopens = reopens;
        lane.provides(1, &of_mx());
        assert_eq!(lane.sendings("acme"), [by_policy("of T1", "forwards")]);
        assert_eq!(lane.on("acme.trigger.intelligence.received").len(), 1);
        let audit = lane.on("_provider.audit.send-intelligence");
        let [sent] = audit[..] else { panic!("{:?}", lane.subjects()) };
        assert_eq!((&sent.data["actor"], &sent.data["place"]), (&json!("forwards"), &json!("acme")));
        // Nothing of it is bolt's, and nothing of what the provider did is acme's.
        assert_eq!((lane.sent("bolt"), lane.has_message("bolt")), (None, None));
        let told: Vec<_> = lane.subjects().into_iter().filter(|it| !it.starts_with("_provider.")).collect();
        assert!(told.iter().all(|it| it.starts_with("acme.trigger.")), "{told:?}");
        assert!(lane.on("_provider.dead.policy-failed").is_empty());
        // A further device of acme's changes nothing; the first of bolt's does.
        lane.sees("acme", &device("c", "MX480", "21.4R3"));
        assert_eq!(lane.sendings("acme").len(), 1);
        lane.sees("bolt", &device("d", "MX480", "21.4R3"));
        assert_eq!(lane.sendings("bolt"), [by_policy("of T1", "forwards")]);
        assert!(lane.has_message("bolt").is_some());
    }
}

#[test]
fn a_wording_is_the_policys_and_what_was_sent_is_not_forwarded_again() {
    let mut lane = Lane::forwarding(&[("words", WORDS)]);
    lane.provides(1, &of_mx());
    assert_eq!(lane.sendings("acme"), [by_policy("acme: of T1", "words")]);
    assert_eq!(lane.has_message("acme").unwrap().text, "worded");
    let worded = lane.on("_provider.audit.associate-intelligence");
    assert_eq!((worded.len(), &worded[0].data["new"]["title"]), (1, &json!("acme: of T1")));
    // Another text of the message is worded anew.
    let mut second = of_mx();
    second["title"] = json!("second");
    lane.provides(2, &second);
    assert_eq!(lane.sendings("acme")[1..], [by_policy("acme: second", "words")]);
}

#[test]
fn what_people_decide_counts_more() {
    let mut lane = Lane::forwarding(&[]);
    lane.provides(1, &of_mx());
    lane.here(&json!({"associate_intelligence": {"id": "T1", "title": "by hand"}}));
    lane.rules(3, &[("words", WORDS)], Settings::default());
    lane.sees("acme", &device("c", "MX240", "21.4R3"));
    assert_eq!(lane.sendings("acme"), [by_policy("by hand", "words")], "somebody's wording is kept");
    // What was recalled stays so.
    assert_eq!(lane.here(&verb("recall_intelligence")).0, Verdict::Done);
    lane.sees("acme", &device("d", "MX240", "21.4R3"));
    assert_eq!((lane.sendings("acme").len(), lane.has_message("acme")), (1, None));
    assert!(lane.on("_provider.dead.policy-failed").is_empty());
    // A wording of what the message was before may not fit any more.
    let mut second = of_mx();
    second["title"] = json!("second");
    lane.provides(2, &second);
    assert_eq!((lane.sendings("acme").len(), lane.has_message("acme")), (1, None));
    let [letter] = lane.on("_provider.dead.policy-failed")[..] else { panic!("{:?}", lane.subjects()) };
    let expected = "refused: the message has changed since its wording was given: give the wording anew";
    assert_eq!(letter.data["detail"], expected);
    assert!(lane.subjects().iter().all(|it| !it.starts_with("acme.")), "{:?}", lane.subjects());
}

#[test]
fn somebodys_association_without_a_wording_is_the_messages_own() {
    let mut lane = Lane::forwarding(&[]);
    lane.provides(1, &of_mx());
    lane.here(&verb("associate_intelligence"));
    lane.rules(3, &[("words", WORDS)], Settings::default());
    lane.sees("acme", &device("c", "MX240", "21.4R3"));
    assert_eq!(lane.sendings("acme"), [by_policy("of T1", "words")]);
}

#[test]
fn what_is_an_organizations_own_is_forwarded_by_nobody_and_its_own_policies_forward_nothing() {
    let mut lane = Lane::forwarding(&[("acme/own", OWN), ("forwards", FORWARDS)]);
    lane.take("acme", "intel", notice("T2", "bug-notice", &json!({})).to_string().as_bytes());
    lane.work();
    assert_eq!(lane.on("_provider.audit.send-intelligence").len(), 0);
    assert!(lane.on("acme.dead.policy-failed").is_empty());
    let mut lane = Lane::forwarding(&[("acme/own", OWN)]);
    lane.provides(1, &of_mx());
    assert_eq!((lane.sent("acme"), lane.has_message("acme")), (None, None));
}

#[test]
fn in_other_modes_nothing_is_sent() {
    for mode in [Mode::Direct, Mode::EndCustomer, Mode::Demo, Mode::Offline] {
        let mut lane = Lane::forwarding(&[]);
        lane.mode = mode;
        lane.rules(3, &[("forwards", FORWARDS)], Settings::default());
        lane.provides(1, &of_mx());
        assert_eq!((lane.sent("acme"), lane.has_message("acme")), (None, None), "{mode}");
    }
}
