//! What the mode of the installation changes in decisions, from level 6 on.

use linesman_schemas::mode::OPERATIONS_OF_MODES;

use super::*;

const PROXIES: &str = "there are proxy organizations in mode `partner` alone; the mode is `direct`";

impl Lane {
    /// A lane of a level and a mode.
    fn of_mode(level: u32, mode: Mode) -> Self {
        let mut lane = Self::at(level);
        lane.mode = mode;
        lane.rules(1, &[], Settings::default());
        lane.set("acme", false);
        lane.events.clear();
        lane
    }

    /// What becomes of an organization that is set.
    fn set(&mut self, name: &str, is_proxy: bool) -> (String, String) {
        let settings = json!({"display_name": name, "is_proxy": is_proxy, "filter_level": "Send all information"});
        self.command(name, &json!({"set_organization": settings}));
        let subject = format!("{name}.audit.set-organization");
        let provider = "_provider.audit.set-organization";
        let said = self.events.iter().rev().find(|(on, _)| *on == subject || on == provider).unwrap();
        let text = |field: &str| said.1.data[field].as_str().unwrap_or_default().to_owned();
        (text("verdict"), text("outcome"))
    }
}

#[test]
fn there_are_proxy_organizations_in_mode_partner_alone() {
    let mut lane = Lane::of_mode(6, Mode::Direct);
    assert_eq!(lane.set("bolt", true), ("conflict".to_owned(), PROXIES.to_owned()));
    assert_eq!(lane.set("bolt", false).0, "done");
    assert_eq!(Lane::of_mode(6, Mode::Partner).set("bolt", true).0, "done");
    assert_eq!(Lane::of_mode(5, Mode::Direct).set("bolt", true).0, "done", "level 5 knows no modes");
}

#[test]
fn a_demo_has_five_devices_and_says_so_of_the_sixth() {
    for (level, mode, most) in [(6, Mode::Demo, 5), (6, Mode::Partner, 7), (5, Mode::Demo, 7)] {
        for reopens in [false, true] {
            let mut lane = Lane::of_mode(level, mode);
            lane.reopens = reopens;
            for device in 1..=7 {
                lane.bundle("acme", &format!("rtr-{device}"), 1, "High");
            }
            // Those that are known go on.
            lane.bundle("acme", "rtr-1", 2, "High");
            assert_eq!(lane.on("acme.trigger.incident.detected").len(), most + 1, "{mode} at level {level}");
            let dead = lane.on("acme.dead.device-limit");
            assert_eq!(dead.len(), 7 - most);
            let expected = "mode `demo` has at most 5 devices, and this is another";
            assert!(dead.iter().all(|letter| letter.data["detail"] == expected), "{dead:?}");
        }
    }
}

/// A verb of each operation that some modes alone have, about a case that is not there.
fn of_modes() -> Vec<Value> {
    vec![
        json!({"report_case": {"key": "k", "report": {"tracking_number": "own-1", "priority": "High", "synopsis": "s",
            "trace_route": ["own"]}}}),
        json!({"forward_case": {"incident": "acme-1"}}),
        json!({"handle_case": {"incident": "acme-1"}}),
        json!({"override_case": {"incident": "acme-1", "case_status": "Fixed"}}),
        json!({"set_credentials": {"user": "acme"}}),
        json!({"associate_intelligence": {"id": "T1"}}),
        json!({"dissociate_intelligence": {"id": "T1"}}),
        json!({"send_intelligence": {"id": "T1"}}),
        json!({"recall_intelligence": {"id": "T1"}}),
        json!({"approve_approval": {"approval": "acme-a1"}}),
        json!({"reject_approval": {"approval": "acme-a1"}}),
        json!({"test_organization": {}}),
    ]
}

#[test]
fn what_another_mode_has_is_refused_by_its_name_from_level_7_on() {
    let verbs = of_modes();
    let tag = |verb: &Value| verb.as_object().unwrap().keys().next().unwrap().replace('_', "-");
    let tags: Vec<String> = verbs.iter().map(tag).collect();
    let asked = OPERATIONS_OF_MODES.iter().map(|(word, _)| *word);
    assert_eq!(tags, asked.collect::<Vec<_>>(), "each of the table has its verb");
    for level in [6, 7, 8, 10, 11] {
        for mode in Mode::ALL {
            for (verb, tag) in verbs.iter().zip(&tags) {
                if level < 8 && matches!(tag.as_str(), "set-credentials" | "test-organization") {
                    continue;
                }
                if level < 11 && tag.ends_with("-intelligence") {
                    continue;
                }
                if level < 10 && tag.ends_with("-approval") {
                    continue;
                }
                let mut lane = Lane::of_mode(level, mode);
                // Nobody but an end customer's controller reports.
                let principal = match tag.as_str() {
                    "report-case" => json!({"kind": "end_customer", "organization": "acme"}),
                    _ => json!({"kind": "provider", "name": "admin"}),
                };
                let command = json!({"id": "c", "principal": principal, "node": "n", "verb": verb});
                lane.take("acme", "cmd", command.to_string().as_bytes());
                let whose = if tag.ends_with("-intelligence") { "_provider" } else { "acme" };
                let said = &lane.on(&format!("{whose}.audit.{tag}"))[0].data;
                let refused = mode.refuse(tag).filter(|_| level >= 7);
                match refused {
                    Some(text) => {
                        let found = (said["verdict"].as_str(), said["outcome"].as_str());
                        assert_eq!(found, (Some("conflict"), Some(&*text)));
                    }
                    None => assert!(!said["outcome"].as_str().unwrap_or_default().contains("needs mode"), "{said}"),
                }
            }
        }
    }
}
