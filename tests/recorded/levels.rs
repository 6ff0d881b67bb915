//! Each recorded log is decided at each level as it was when that level was new.

use std::fs;

use linesman_tests::root;

use crate::log::{Log, levels};

/// The first line in which two texts differ.
fn difference(expected: &str, found: &str) -> String {
    let mut lines = expected.lines().zip(found.lines());
    match lines.find(|(expected, found)| expected != found) {
        Some((expected, found)) => format!("expected {expected}\n   found {found}"),
        None => format!("{} lines instead of {}", found.lines().count(), expected.lines().count()),
    }
}

#[test]
fn recorded_logs_are_decided_as_ever() {
    for log in Log::all() {
        for level in levels() {
            let path = log.dir.join(format!("level-{level}"));
            let found = log.decide(level, None, |_| {});
            // What stands is not written anew: a level that was released never changes.
            if std::env::var_os("LINESMAN_BLESS").is_some() && !path.exists() {
                fs::write(&path, &found).unwrap();
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                expected == found,
                "the log `{}` is decided otherwise at level {level} (lane, sequence, events, rows):\n{}",
                log.name,
                difference(&expected, &found)
            );
        }
    }
}

#[test]
fn batches_and_reopening_change_nothing() {
    for log in Log::all() {
        for level in levels() {
            let expected = fs::read_to_string(log.dir.join(format!("level-{level}"))).unwrap();
            let found = log.decide(level, Some(7), |_| {});
            assert!(expected == found, "the log `{}`: {}", log.name, difference(&expected, &found));
        }
    }
}

#[test]
fn what_is_recorded_stays_small() {
    fn bytes(path: &std::path::Path) -> u64 {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { bytes(&path) } else { path.metadata().unwrap().len() }).sum()
    }
    let most = 7 * 1024 * 1024;
    assert!(bytes(&root().join("tests/fixtures/logs")) < most, "recorded logs are kept in every clone");
}
