//! The published schemas mean the same in other languages: Python's `jsonschema` and JavaScript's `ajv` compile each, and
//! find valid and invalid what Rust's validator does. Without Node.js 18 and npm JavaScript is skipped, and that is said.
//!
//! No text here ends in a line break: Python's `$` stands before one too.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::catalog::Form;
use super::{folder, messages, schema};

/// Texts that patterns, lengths and enumerations judge differently.
fn texts() -> Vec<String> {
    let long = |text: &str, count: usize| text.repeat(count);
    let few = ["", "a", "-a", "a\u{0}b", "\u{7f}", "a\u{85}b", "\u{a0}", "ä", "_provider", "a b", "Critical"];
    let many = [long("x", 65), long("\u{1f4a1}", 128), long("\u{1f4a1}", 129), long("x/", 2)];
    few.map(str::to_owned).into_iter().chain(many).collect()
}

/// The places of all texts within a value.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| leaves(item, &format!("{at}/{i}"), found));
        }
        Value::Object(fields) => {
            let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
            fields.iter().for_each(|(key, value)| leaves(value, &format!("{at}/{}", escaped(key)), found));
        }
        _ => {}
    }
}

/// What is held against each schema: its examples, and the first with one text changed, each text once where that is
/// valid and once where it is not. With each whether it is valid.
fn probes() -> BTreeMap<String, Vec<(Value, bool)>> {
    let mut probes = BTreeMap::new();
    for message in messages().values().filter(|message| message.form != Form::Bundle) {
        // Formats are not asserted: no two libraries know the same.
        let validator = jsonschema::draft202012::new(&schema(message).unwrap()).unwrap();
        let mut held: Vec<(Value, bool)> = message.examples.iter().map(|example| (example.clone(), true)).collect();
        let mut places = Vec::new();
        leaves(&message.examples[0], "", &mut places);
        for text in texts() {
            for is_wanted in [true, false] {
                let mut changed = places.iter().map(|place| {
                    let mut changed = message.examples[0].clone();
                    *changed.pointer_mut(place).unwrap() = json!(text);
                    changed
                });
                let first = changed.find(|changed| validator.is_valid(changed) == is_wanted);
                held.extend(first.map(|changed| (changed, is_wanted)));
            }
        }
        probes.insert(format!("{}.schema.json", message.name), held);
    }
    probes
}

/// Runs what compiles and validates; what it says.
fn said(mut command: Command) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let probes = serde_json::to_vec(&probes()).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let written = std::thread::spawn(move || stdin.write_all(&probes));
    let ended = child.wait_with_output().unwrap();
    written.join().unwrap().unwrap();
    let said = [ended.stdout, ended.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(ended.status.success() || !said.is_empty(), "{:?}", ended.status);
    said
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn the_schemas_mean_the_same_in_python() {
    let mut command = Command::new(root().join(".tools/venv/bin/python"));
    command.arg(root().join("tests/tools/validate_schemas.py")).arg(folder().join("json"));
    assert_eq!(said(command), "");
}

#[test]
fn the_schemas_mean_the_same_in_javascript() {
    let packages = root().join(".tools/js");
    if !packages.exists() {
        // Past the test runner, which keeps what a passing test prints.
        writeln!(std::io::stderr(), "SKIPPED: no Node.js: the published schemas were not compiled by `ajv`").unwrap();
        return;
    }
    let mut command = Command::new("node");
    command.arg(root().join("tests/tools/js/validate_schemas.mjs")).arg(folder().join("json")).arg(packages);
    assert_eq!(said(command), "");
}
