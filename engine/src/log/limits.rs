//! What a stream of ours must not have: fields, and values of them, by which it would lose or change what it holds, or
//! acknowledge what it has not stored.
//!
//! What it must have is compared in `streams`. What only hinders or costs (compression, placement, metadata, limits of
//! consumers, direct reads, `deny_delete`, `deny_purge`) is the operator's.

use serde_json::{Map, Value};

use super::streams::IN;

/// A field and what is wrong with it.
struct Rule {
    field: &'static str,
    is_wrong: fn(&Value) -> bool,
    /// What it must be.
    wanted: &'static str,
    /// What it would do.
    why: &'static str,
    /// Whether a stream that has it can be changed.
    is_final: bool,
}

const fn rule(field: &'static str, is_wrong: fn(&Value) -> bool, wanted: &'static str, why: &'static str) -> Rule {
    Rule { field, is_wrong, wanted, why, is_final: false }
}

/// The same of a field that the server does not let go of.
const fn fixed(field: &'static str, is_wrong: fn(&Value) -> bool, wanted: &'static str, why: &'static str) -> Rule {
    Rule { is_final: true, ..rule(field, is_wrong, wanted, why) }
}

/// Of both streams.
const BOTH: &[Rule] = &[
    rule("max_bytes", is_limit, "-1", "at its bound messages are lost or refused"),
    rule("max_msgs", is_limit, "-1", "at its bound messages are lost or refused"),
    rule("max_msgs_per_subject", is_limit, "-1", "at its bound messages are lost or refused"),
    rule("max_msg_size", is_too_small, "-1, or 1048576 and more", "larger messages are refused"),
    rule("no_ack", is_set, "false", "who publishes does not learn whether a message is stored"),
    rule("sources", is_there, "empty", "messages of other streams come in"),
    rule("max_consumers", is_too_few, "-1, or 64 and more", "lanes and people cannot read it"),
    rule("subject_delete_marker_ttl", is_limit, "0", "the server adds messages of its own"),
    fixed("sealed", is_set, "false", "it takes no message"),
    fixed("mirror", is_there, "absent", "it takes no message but those of another stream"),
    fixed("allow_msg_counter", is_set, "false", "the server replaces what messages say"),
    fixed("allow_msg_schedules", is_set, "false", "the server keeps, repeats and drops messages by their headers"),
    fixed("persist_mode", is_asynchronous, "`default`", "messages are acknowledged before they are stored"),
];

/// Of IN alone: it is kept for ever, and only lanes hear of it. In OUT marks roll up and outlive the age, and what is
/// committed is said again.
const INPUTS: &[Rule] = &[
    rule("max_age", is_limit, "0", "older messages are lost"),
    rule("allow_rollup_hdrs", is_set, "false", "a publisher's header deletes messages"),
    rule("republish", is_there, "absent", "what it takes is said to everyone"),
    fixed("allow_msg_ttl", is_set, "false", "a publisher's header deletes messages"),
];

/// The least `max_consumers`: as many lanes as there may be read IN, and as many people hear of OUT.
const CONSUMERS_LEAST: i64 = 64;
/// The least `max_msg_size`, as the least `max_payload`.
const SIZE_LEAST: i64 = 1024 * 1024;

fn is_limit(value: &Value) -> bool {
    value.as_i64().is_some_and(|limit| limit > 0)
}

fn is_too_small(value: &Value) -> bool {
    value.as_i64().is_some_and(|size| size > 0 && size < SIZE_LEAST)
}

fn is_too_few(value: &Value) -> bool {
    value.as_i64().is_some_and(|count| count > 0 && count < CONSUMERS_LEAST)
}

fn is_set(value: &Value) -> bool {
    value.as_bool() == Some(true)
}

fn is_there(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        _ => true,
    }
}

fn is_asynchronous(value: &Value) -> bool {
    value.as_str() == Some("async")
}

/// What a stream's configuration has that it must not: each field with its value, and what is to be done.
pub(super) fn found(stream: &str, config: &Map<String, Value>) -> Vec<String> {
    let inputs: &[Rule] = if stream == IN { INPUTS } else { &[] };
    let wrong = |rule: &&Rule| config.get(rule.field).is_some_and(rule.is_wrong);
    let told = |rule: &Rule| {
        let Rule { field, wanted, why, .. } = rule;
        let value = config.get(*field).unwrap_or(&Value::Null);
        let todo = if rule.is_final {
            "the server does not take it back: restore the messages into a stream without it"
        } else {
            "change the stream"
        };
        format!("`{field}` is {value} and must be {wanted} ({why}; {todo})")
    };
    BOTH.iter().chain(inputs).filter(wrong).map(told).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(stream: &str, config: Value) -> Vec<String> {
        found(stream, config.as_object().unwrap())
    }

    #[test]
    fn what_a_server_says_of_a_stream_without_limits_is_right() {
        let config = json!({
            "max_age": 0, "max_bytes": -1, "max_msgs": -1, "max_msgs_per_subject": -1, "max_msg_size": -1,
            "sealed": false, "allow_rollup_hdrs": false, "allow_msg_ttl": false, "compression": "s2",
            "deny_delete": true, "sources": [], "placement": {"tags": ["ssd"]},
        });
        assert_eq!(of(IN, config), Vec::<String>::new());
    }

    #[test]
    fn each_is_told_with_its_value_and_what_is_to_be_done() {
        let config = json!({"max_age": 5, "max_msg_size": 1000, "mirror": {"name": "X"}, "allow_msg_ttl": true});
        let expected = [
            "`max_msg_size` is 1000 and must be -1, or 1048576 and more (larger messages are refused; change the stream)",
            "`mirror` is {\"name\":\"X\"} and must be absent (it takes no message but those of another stream; the server \
             does not take it back: restore the messages into a stream without it)",
            "`max_age` is 5 and must be 0 (older messages are lost; change the stream)",
            "`allow_msg_ttl` is true and must be false (a publisher's header deletes messages; the server does not take \
             it back: restore the messages into a stream without it)",
        ];
        assert_eq!(of(IN, config.clone()), expected);
        assert_eq!(of("OUT", config), expected[..2], "the age of OUT is the operator's");
    }
}
