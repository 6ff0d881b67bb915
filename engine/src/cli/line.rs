//! One event as one line for people.

use std::fmt;

use anstyle::{AnsiColor, Style};
use linesman_schemas::event::Received;
use serde_json::Value;

use crate::harmless::in_line;

/// An event and the subject it was heard on.
pub(super) struct Heard<'a> {
    pub(super) subject: &'a str,
    pub(super) event: &'a Received,
}

/// The line; colours are for a terminal and removed elsewhere by whoever prints.
pub(super) fn of<'a>(heard: &'a Heard<'a>) -> impl fmt::Display + 'a {
    Line(heard)
}

/// The line of what somebody publishes, in the same columns.
pub(super) fn published(org: &str, what: &str, name: &str) -> String {
    let dim = Style::new().dimmed();
    format!("{dim}{:<12}{dim:#} {org:<12} {what:<8} {name}", "published")
}

/// The line of what a device leaves to be collected, in the same columns.
#[cfg(feature = "standin")]
pub(super) fn left(org: &str, what: &str, name: &str) -> String {
    let dim = Style::new().dimmed();
    format!("{dim}{:<12}{dim:#} {org:<12} {what:<8} {name}", "left")
}

struct Line<'a>(&'a Heard<'a>);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Heard { subject, event } = self.0;
        let mut tokens = subject.splitn(4, '.').skip(1);
        let (org, channel, name) = (tokens.next(), tokens.next(), tokens.next());
        let (org, channel, name) = (org.unwrap_or_default(), channel.unwrap_or_default(), name.unwrap_or_default());
        let style = colour(channel);
        let dim = Style::new().dimmed();
        write!(f, "{dim}{}{dim:#} {org:<12} {style}{channel:<8} {name:<26}{style:#} ", clock(event))?;
        let about = event.subject.as_deref().unwrap_or_default();
        write!(f, "{about:<14} {}", summary(channel, name, &event.data))
    }
}

pub(super) fn clock(event: &Received) -> String {
    // The time of day of an RFC 3339 text in UTC, to the millisecond.
    let text = format!("{:.3}", event.time);
    text.split_once('T').map_or(text.clone(), |(_, time)| time.trim_end_matches('Z').to_owned())
}

pub(super) fn colour(channel: &str) -> Style {
    match channel {
        "trigger" => AnsiColor::Cyan.on_default(),
        "reaction" => AnsiColor::Green.on_default(),
        "dead" => AnsiColor::Red.on_default().bold(),
        "audit" => AnsiColor::Magenta.on_default(),
        _ => Style::new(),
    }
}

pub(super) fn summary(channel: &str, name: &str, data: &Value) -> String {
    let text = |path: &str| match data.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let summary = match (channel, name) {
        ("trigger", "case.assigned" | "case.updated") => {
            format!("case {} {}", text("/case_id"), text("/case_status"))
        }
        ("trigger", "case.withheld") => {
            let by = data.get("policy").map(|_| format!("{}: ", text("/policy"))).unwrap_or_default();
            format!("{by}nothing leaves at filter level `{}`: {}", text("/filter_level"), text("/synopsis"))
        }
        ("trigger", "incident.changed") => format!("{}: {}", text("/actor"), changes(data)),
        ("trigger", "intelligence.matched" | "end-of-life.matched" | "bug-notice.matched") => {
            format!("{} of {}: {}", text("/count"), text("/organization"), text("/title"))
        }
        ("trigger", "bug-notice.arrived") => text("/title"),
        ("trigger", "exposure.new") => format!("{}: {}", text("/device/host_name"), text("/title")),
        ("trigger", "intelligence.received") => format!("{} {}", text("/kind"), text("/title")),
        ("trigger", "approval.required") => {
            format!("{} {}, asked by {}", text("/operation"), text("/about"), text("/actor"))
        }
        ("trigger", "contract.expiring") => {
            format!("{} {} {}", text("/agreement_number"), text("/serial_number"), text("/end"))
        }
        ("trigger", "device.state-changed") => {
            format!("{} {} {}", text("/device"), text("/state"), text("/error")).trim_end().to_owned()
        }
        ("trigger", "collection.switched") => format!("{} {}", text("/name"), text("/last_snapshot")),
        ("trigger", "configuration.held") => {
            format!("{}: {} held, {} of {} failed", text("/device"), text("/held"), text("/failed"), text("/of"))
        }
        ("trigger", "configuration.drifted") => {
            format!(
                "{} {}: -{} +{}, {}",
                text("/device"),
                text("/group"),
                text("/missing"),
                text("/extra"),
                text("/action")
            )
        }
        ("trigger", "device.silent") => format!("{} {}", text("/device/host_name"), text("/last_seen")),
        ("trigger", "quota.nearing" | "quota.exhausted") => {
            format!("{} of {} {}, {}", text("/used"), text("/most"), text("/kind"), text("/day"))
        }
        ("trigger", "policy.refused") => {
            format!("{}:{}:{}: {}", text("/path"), text("/line"), text("/column"), text("/message"))
        }
        (
            "trigger",
            "licence.expiring" | "licence.expired" | "partner.certificate-expiring" | "partner.certificate-expired",
        ) => {
            let ends = if data.get("has_ended") == Some(&Value::Bool(true)) { "has ended" } else { "ends" };
            format!("{} {} {ends} {}", text("/kind"), text("/id"), text("/ends"))
        }
        ("trigger", _) => {
            // An end customer tells as much of it as its filter level lets out.
            let what = ["/priority", "/device/host_name", "/event_type"].map(text);
            let what = what.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            format!("{what}: {}", text("/synopsis"))
        }
        ("reaction", _) => {
            let action = data.get("action").and_then(|action| linesman_connectors::shown(name, action));
            let action = action.unwrap_or_else(|| text("/action"));
            // What a command asks for, or follows from a case, is nobody's policy.
            match [text("/policy"), text("/activation")].into_iter().find(|by| !by.is_empty()) {
                Some(by) => format!("{by}: {action}"),
                None => action,
            }
        }
        ("dead", _) => format!("{} {}", text("/policy/name"), text("/detail")).trim_start().to_owned(),
        ("audit", _) if data.get("verdict").is_some() => {
            format!("{}: {} ({})", text("/actor"), text("/outcome"), text("/verdict"))
        }
        ("audit", "lane-sealed") => {
            format!("lane {}: {}; it has decided again up to {}", text("/lane"), text("/why"), text("/position"))
        }
        _ => data.to_string(),
    };
    // One line stays one line, whatever a device wrote.
    in_line(&summary).chars().take(160).collect()
}

/// What was changed of an incident, and what of other wishes for its case is not used.
fn changes(data: &Value) -> String {
    let texts = |value: Option<&Value>| -> Vec<String> {
        let texts = value.and_then(Value::as_array).into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let side = |side: &str, what: &str| match data.get(side).and_then(|values| values.get(what)) {
        Some(Value::String(text)) => text.clone(),
        _ => "none".to_owned(),
    };
    let told = |what: String| match data.get("new").and_then(|values| values.get(&what)) {
        Some(_) => format!("{what} {} -> {}", side("old", &what), side("new", &what)),
        // What a case says is not repeated.
        None => what,
    };
    let mut told: Vec<String> = texts(data.get("changed")).into_iter().map(told).collect();
    for other in data.get("joined").and_then(Value::as_array).into_iter().flatten() {
        let unused = texts(other.get("unused"));
        let policy = other.get("policy").and_then(Value::as_str).unwrap_or_default();
        told.push(match unused.is_empty() {
            true => format!("joined by {policy}"),
            false => format!("joined by {policy}, its {} not used", unused.join(", ")),
        });
    }
    told.join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(subject: &str, about: Option<&str>, data: Value) -> String {
        let event = Received {
            specversion: "1.0".to_owned(),
            id: "acme-1-f".to_owned(),
            source: "/organizations/acme".to_owned(),
            kind: "linesman.kind".to_owned(),
            subject: about.map(str::to_owned),
            time: "2026-11-21T10:15:02.5Z".parse().unwrap(),
            data,
        };
        anstream::adapter::strip_str(&of(&Heard { subject, event: &event }).to_string()).to_string()
    }

    #[test]
    fn a_dead_letter_is_one_plain_line() {
        assert_eq!(
            line("out.acme.dead.bundle-undecodable", None, json!({"detail": "truncated:\n at the end"})),
            "10:15:02.500 acme         dead     bundle-undecodable                        truncated:  at the end"
        );
    }

    #[test]
    fn what_is_to_be_done_tells_the_policy_or_activation_that_it_comes_of() {
        let action = json!({"configure": {"device": {"organization": "acme", "serial_number": "JN1"}, "group": "g",
            "change": "remove"}});
        assert_eq!(
            line("out.acme.reaction.device", None, json!({"activation": "cap-1", "action": action})),
            "10:15:02.500 acme         reaction device                                    cap-1: remove g of JN1"
        );
        let action = json!({"queue": "noc"});
        assert_eq!(
            line("out.acme.reaction.ticket", Some("acme-1"), json!({"policy": "open", "action": action})),
            "10:15:02.500 acme         reaction ticket                     acme-1         open: {\"queue\":\"noc\"}"
        );
    }

    /// Of every trigger there is, with the data that its events have.
    #[test]
    fn every_trigger_is_told_in_words() {
        let device = json!({"host_name": "edge-1", "serial_number": "JN1", "product": "MX240", "platform": "junos", "os_version": "23.4R1"});
        let mut everything = json!({
            "id": "T-1", "host_event_id": "h", "kind": "event", "device": device, "event_type": "FRU", "priority": "High",
            "synopsis": "FPC 3 offline", "case_id": "2026-1", "case_status": "Open", "actor": "ann", "changed": ["owner"],
            "filter_level": "Do not send", "title": "fan", "organization": "acme", "count": 3, "operation": "close-case", "about": "acme-1",
            "ends": "2026-12-01T00:00:00Z", "has_ended": true, "last_seen": "2026-11-01T00:00:00Z", "agreement_number": "A-1",
            "serial_number": "JN1", "end": "2026-12-01", "state": "unreachable", "error": "refused", "name": "edge-1",
            "last_snapshot": "2026-11-01T00:00:00Z", "held": 2, "failed": 1, "of": 5, "group": "g", "missing": 1, "extra": 0,
            "action": "report", "used": 8, "most": 10, "day": "2026-11-21",
        });
        for trigger in linesman_schemas::trigger::Trigger::TOLD {
            // Some name their device, others describe it.
            let names =
                ["device.state-changed", "configuration.drifted", "configuration.held"].contains(&trigger.as_str());
            everything["device"] = if names { json!("edge-1") } else { device.clone() };
            let told = summary("trigger", trigger.as_str(), &everything);
            let is_words = told.split_whitespace().all(|word| word.trim_matches([':', ',']).chars().next().is_some());
            assert!(!told.is_empty() && is_words && !told.contains(['{', '"']), "{trigger}: {told}");
        }
        assert_eq!(summary("trigger", "licence.expired", &everything), "event T-1 has ended 2026-12-01T00:00:00Z");
    }

    #[test]
    fn what_an_end_customer_reports_and_what_is_uploaded_has_words() {
        let nothing = json!({"host_name": "", "serial_number": "", "product": "", "platform": "", "os_version": ""});
        let data = json!({"id": "acme-1", "device": nothing, "event_type": "", "priority": "High", "synopsis": "withheld by filter level"});
        let told = line("out.acme.trigger.incident.reported-by-end-customer", Some("acme-1"), data);
        assert!(told.ends_with(" acme-1         High: withheld by filter level"), "{told}");
        let action = json!({"upload": {"kind": "bundle", "case": "T-1", "name": "acme-1.xml"}});
        let told = line("out.acme.reaction.partner", Some("acme-1"), json!({"id": "r", "action": action}));
        assert!(told.ends_with(" acme-1         upload the bundle acme-1.xml for the case T-1"), "{told}");
        let sealed = json!({"lane": 3, "why": "the log lost messages", "position": 17, "owner": "o"});
        let told = line("out._provider.audit.lane-sealed", None, sealed);
        assert!(told.ends_with(" lane 3: the log lost messages; it has decided again up to 17"), "{told}");
    }

    #[test]
    fn what_is_held_back_and_what_was_changed_is_told() {
        let data = json!({"policy": "open-case", "filter_level": "Do not send", "synopsis": "FRU offline"});
        let told = line("out.acme.trigger.case.withheld", Some("acme-1"), data);
        assert!(told.ends_with("open-case: nothing leaves at filter level `Do not send`: FRU offline"), "{told}");
        let data = json!({
            "actor": "policy sort", "changed": ["priority", "owner", "case_text"], "old": {"priority": "Low", "owner": null},
            "new": {"priority": "High", "owner": "ann"},
            "joined": [{"policy": "a", "used": ["cc"], "unused": []}, {"policy": "b", "used": [], "unused": ["synopsis", "address"]}],
        });
        let told = line("out.acme.trigger.incident.changed", Some("acme-1"), data);
        let expected = "policy sort: priority Low -> High; owner none -> ann; case_text; joined by a; joined by b, \
                        its synopsis, address not used";
        assert!(told.ends_with(expected), "{told}");
    }

    #[test]
    fn what_was_asked_for_tells_who_asked_and_what_became_of_it() {
        let audit = json!({"actor": "acme/ann", "verdict": "forbidden", "outcome": "no", "old": null, "new": null});
        assert_eq!(
            line("out.acme.audit.set-manager", Some("acme/ben"), audit),
            "10:15:02.500 acme         audit    set-manager                acme/ben       acme/ann: no (forbidden)"
        );
    }
}
