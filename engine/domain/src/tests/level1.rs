//! What was decided at level 1 stays so: what was unreadable then, in the words of then; what was not audited.

use super::*;
use crate::commands;

const VERBS: &str = "`set_organization`, `suspend_organization`, `unload_organization`, `assign_incident`, \
     `prioritise_incident`, `close_incident`, `reopen_incident`, `annotate_incident`, `submit_case`, `save_case`, \
     `run_policy`, `replay_input`";
const TRIGGERS: &str =
    "`incident.detected`, `incident.submitted`, `case.assigned`, `case.updated`, `intelligence.received`";
const LEVELS: &str = "`Do not send`, `Send all information except configuration`, `Send all information with IP \
     addresses overwritten`, `Send all information`, `Only send list of features used`";

impl Lane {
    /// A lane of level 1 with an organization.
    fn at_1() -> Self {
        let mut lane = Self::at(1);
        lane.organization("acme", "Send all information");
        lane.events.clear();
        lane
    }

    /// The detail of the dead letter that a command's text becomes.
    fn dead_command(&mut self, text: &str) -> String {
        self.events.clear();
        self.take("acme", "cmd", text.as_bytes());
        assert_eq!(self.subjects(), ["acme.dead.command-undecodable"], "{text}");
        self.events[0].1.data["detail"].as_str().unwrap().to_owned()
    }

    fn dead_control(&mut self, text: &str, content: Content<'_>) -> String {
        self.events.clear();
        self.decide("", "ctl", text.as_bytes(), content);
        self.commit();
        assert_eq!(self.subjects(), ["_provider.dead.command-undecodable"], "{text}");
        self.events[0].1.data["detail"].as_str().unwrap().to_owned()
    }
}

/// Recorded from the release before level 2.
#[test]
fn what_was_unreadable_is_so_in_the_same_words() {
    let mut lane = Lane::at_1();
    let one_of_verbs =
        |verb: &str, column| format!("unknown variant `{verb}`, expected one of {VERBS} at line 1 column {column}");
    for (text, expected) in [
        ("{", "EOF while parsing an object at line 1 column 1".to_owned()),
        ("[]", "invalid length 0, expected struct Command with 4 elements at line 1 column 2".to_owned()),
        ("7", "invalid type: integer `7`, expected struct Command at line 1 column 1".to_owned()),
        ("{}", "missing field `id` at line 1 column 2".to_owned()),
        (
            r#"{"id":"","actor":"a"}"#,
            "`` is not a command id (at most 128 printable characters) at line 1 column 8".to_owned(),
        ),
        (r#"{"id":"c","actor":"a","node":"n"}"#, "missing field `verb` at line 1 column 33".to_owned()),
        (
            r#"{"id":"c","principal":{"kind":"machine"},"node":"n","verb":"suspend_organization"}"#,
            "missing field `actor` at line 1 column 82".to_owned(),
        ),
    ] {
        assert_eq!(lane.dead_command(text), expected, "{text}");
    }
    for (verb, expected) in [
        (r#""sing""#, one_of_verbs("sing", 46)),
        ("7", "expected value at line 1 column 41".to_owned()),
        (r#"{"raise_level":{"level":2}}"#, one_of_verbs("raise_level", 54)),
        (
            r#""set_organization""#,
            "invalid type: unit variant, expected newtype variant at line 1 column 59".to_owned(),
        ),
        (r#"{"suspend_organization":{}}"#, "invalid type: map, expected unit at line 1 column 64".to_owned()),
        (
            r#"{"close_incident":"x"}"#,
            "invalid type: string \"x\", expected struct Note at line 1 column 61".to_owned(),
        ),
        (r#"{"close_incident":{}}"#, "missing field `incident` at line 1 column 60".to_owned()),
        (
            r#"{"close_incident":{"incident":"acme"}}"#,
            "`acme` is not an incident id (`<organization>-<number>`) at line 1 column 77".to_owned(),
        ),
        (
            r#"{"prioritise_incident":{"incident":"acme-1","priority":"Urgent"}}"#,
            "not a priority: expected `1 - Critical`, `2 - High`, `3 - Medium`, `4 - Low` or the bare word at line 1 \
             column 104"
                .to_owned(),
        ),
        (
            r#"{"set_organization":{"display_name":"A","is_proxy":true,"filter_level":"All"}}"#,
            format!("unknown variant `All`, expected one of {LEVELS} at line 1 column 116"),
        ),
        (
            r#"{"submit_case":{"incident":"acme-1","case":{"follow_up":"Fax"}}}"#,
            "unknown variant `Fax`, expected one of `Email Full Text Update`, `Email Secure Web Link`, `Phone Call` \
             at line 1 column 101"
                .to_owned(),
        ),
        (
            r#"{"run_policy":{"policy":"p","trigger":"sunrise","event":"e","about":"x"}}"#,
            format!("unknown variant `sunrise`, expected one of {TRIGGERS} at line 1 column 87"),
        ),
    ] {
        let text = format!(r#"{{"id":"c","actor":"a","node":"n","verb":{verb}}}"#);
        assert_eq!(lane.dead_command(&text), expected, "{text}");
    }
}

/// Recorded from the release before level 2.
#[test]
fn so_are_control_messages() {
    let mut lane = Lane::at_1();
    let today = || Content::Undecodable {
        reason: linesman_schemas::dead_letter::Reason::CommandUndecodable,
        detail: "the words of today".to_owned(),
        place: None,
    };
    let of_controls = |tag: &str, column| {
        format!("unknown variant `{tag}`, expected one of `rule_book`, `attempt`, `tick` at line 1 column {column}")
    };
    for (text, expected) in [
        ("\"tock\"", of_controls("tock", 6)),
        ("{", "EOF while parsing an object at line 1 column 1".to_owned()),
        (r#"{"attempt":{}}"#, "missing field `reaction` at line 1 column 13".to_owned()),
        (r#"{"level":2}"#, of_controls("level", 8)),
    ] {
        assert_eq!(lane.dead_control(text, today()), expected);
    }
    for (number, verb) in [(0, r#""suspend_organization""#), (1, r#"{"raise_level":{"level":2}}"#)] {
        lane.domain.desk.lane = number;
        let command = format!(r#"{{"id":"c","actor":"a","node":"n","verb":{verb}}}"#);
        let content = Content::Command(serde_json::from_str(&command).unwrap());
        let text = format!(r#"{{"command":{command}}}"#);
        assert_eq!(lane.dead_control(&text, content), of_controls("command", 10), "{verb}");
    }
}

/// A command as an engine of today writes it is decided as an engine of before decides it, to the byte.
#[test]
fn the_audit_is_what_it_was() {
    let mut lane = Lane::at_1();
    let principal = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let command =
        json!({"id": "c", "actor": "acme/ann", "principal": principal, "node": "n", "verb": "suspend_organization"});
    let decision = lane.take("acme", "cmd", command.to_string().as_bytes());
    let event = String::from_utf8(decision.messages[0].payload.clone()).unwrap();
    let (_, data) = event.split_once("\"data\":").unwrap();
    assert!(
        data.starts_with(
            r#"{"command":"c","actor":"acme/ann","node":"n","verdict":"done","outcome":"suspended","old":{"#
        ),
        "{data}"
    );
}

#[test]
fn nothing_is_audited_where_there_is_no_organization() {
    let mut lane = Lane::at_1();
    lane.command("nobody", &json!("suspend_organization"));
    assert!(lane.events.is_empty(), "{:?}", lane.subjects());
}

#[test]
fn the_level_is_raised_from_there() {
    let mut lane = Lane::at_1();
    let command =
        json!({"id": "r", "principal": {"kind": "machine"}, "node": "n", "verb": {"raise_level": {"level": 2}}});
    let content = Content::Command(serde_json::from_value(command).unwrap());
    lane.decide("", "ctl", b"{}", content);
    lane.commit();
    assert_eq!(lane.row(&commands::key(None, "r")).unwrap().detail, "raised");
}
