//! The configuration group by which a device runs the scripts that lie on it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use linesman_schemas::scripts::ScriptKind;

use super::rows::{ProfileRow, ScriptBundleRow};

/// What the group is called on every device.
pub const GROUP: &str = "linesman-scripts";

/// Its statements: each script is named, and for each priority of the profile there is an event policy by which the event
/// scripts run, with the priority as an argument. The names that are given need no quotes.
pub fn group_text(bundle: &ScriptBundleRow, profile: Option<&ProfileRow>) -> String {
    let names = |kind: ScriptKind| {
        bundle.files.iter().filter(move |file| file.kind == kind).map(|file| file.name.as_str()).collect::<Vec<_>>()
    };
    let (op, event, commit) = (names(ScriptKind::Op), names(ScriptKind::Event), names(ScriptKind::Commit));
    let has_python = bundle.files.iter().any(|file| file.name.ends_with(".py"));
    let mut text = String::new();
    if has_python || !op.is_empty() || !commit.is_empty() {
        text += "system {\n    scripts {\n";
        if has_python {
            text += "        language python3;\n";
        }
        for (word, names) in [("commit", &commit), ("op", &op)] {
            if names.is_empty() {
                continue;
            }
            let _ = writeln!(text, "        {word} {{");
            for name in names {
                let _ = writeln!(text, "            file {name};");
            }
            text += "        }\n";
        }
        text += "    }\n}\n";
    }
    if event.is_empty() {
        return text;
    }
    text += "event-options {\n";
    let mut by_priority: BTreeMap<u8, Vec<&str>> = BTreeMap::new();
    for (name, priority) in profile.into_iter().flat_map(|profile| &profile.events) {
        by_priority.entry(*priority).or_default().push(name);
    }
    for (priority, events) in by_priority {
        let _ = writeln!(
            text,
            "    policy {GROUP}-{priority} {{\n        events [ {} ];\n        then {{",
            events.join(" ")
        );
        for name in &event {
            let _ = writeln!(
                text,
                "            event-script {name} {{\n                arguments {{\n                    priority {priority};\n                }}\n            }}"
            );
        }
        text += "        }\n    }\n";
    }
    text += "    event-script {\n";
    for name in &event {
        let _ = writeln!(text, "        file {name};");
    }
    text += "    }\n}\n";
    text
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::scripts::FileRow;

    #[test]
    fn a_group_names_each_script_and_has_a_policy_for_each_priority() {
        let file =
            |kind, name: &str| FileRow { kind, name: name.to_owned(), sha256: String::new(), content: String::new() };
        let files = vec![
            file(ScriptKind::Op, "look.slax"),
            file(ScriptKind::Event, "collect.py"),
            file(ScriptKind::Commit, "check.xsl"),
        ];
        let bundle = ScriptBundleRow { files, kept: Timestamp::UNIX_EPOCH };
        let event = |name: &str, priority| (name.to_owned(), priority);
        let profile = ProfileRow { events: vec![event("B_DOWN", 3), event("A_DOWN", 1), event("C_DOWN", 3)] };
        assert_eq!(
            group_text(&bundle, Some(&profile)),
            "system {
    scripts {
        language python3;
        commit {
            file check.xsl;
        }
        op {
            file look.slax;
        }
    }
}
event-options {
    policy linesman-scripts-1 {
        events [ A_DOWN ];
        then {
            event-script collect.py {
                arguments {
                    priority 1;
                }
            }
        }
    }
    policy linesman-scripts-3 {
        events [ B_DOWN C_DOWN ];
        then {
            event-script collect.py {
                arguments {
                    priority 3;
                }
            }
        }
    }
    event-script {
        file collect.py;
    }
}
"
        );
        let without = group_text(&bundle, None);
        assert!(without.contains("file collect.py;") && !without.contains("policy"), "{without}");
    }
}
