//! A bound on the processor's time, for whoever runs policies and not for what they decide.

#![cfg(test)]

mod support;

use std::cell::Cell;
use std::time::Duration;

use linesman_rules::{Edition, FailureKind, Judge, Limits};
use support::{incident, organization, script};

thread_local! {
    static USED: Cell<u64> = const { Cell::new(0) };
}

/// A clock on which each look takes a second.
fn clock() -> Duration {
    USED.set(USED.get() + 1);
    Duration::from_secs(USED.get())
}

#[test]
fn a_run_beyond_its_time_ends_and_no_script_catches_or_swallows_that() {
    let busy = "let n = 0; for i in 0..4000 { n += 1; }";
    let callback = "let l = []; for i in 0..60 { l.push(60 - i); } l.sort(|a, b| { let n = 0; for i in 0..200 { n += 1; } a - b });";
    for body in [busy.to_owned(), format!("try {{ {busy} }} catch {{ log(\"caught\"); }}"), callback.to_owned()] {
        let policy = script(&body);
        for edition in [Edition::First, Edition::Second, Edition::Third, Edition::Fourth] {
            let mut judge = Judge::timed(Limits::default(), clock);
            let run =
                |judge: &mut Judge| judge.react_among(&policy, incident().shared(), &organization(), None, edition);
            judge.bound(Some(Duration::from_secs(2)));
            assert_eq!(run(&mut judge).unwrap_err().kind, FailureKind::Time, "{edition:?}: {body}");
            judge.bound(None);
            assert!(
                !matches!(run(&mut judge), Err(failure) if failure.kind == FailureKind::Time),
                "{edition:?}: {body}"
            );
        }
    }
}

#[test]
fn a_short_run_looks_at_no_clock() {
    let policy = script("log(\"seen\");");
    let mut judge = Judge::timed(Limits::default(), clock);
    judge.bound(Some(Duration::ZERO));
    let before = USED.get();
    judge.react(&policy, incident().shared(), &organization()).unwrap();
    assert_eq!(USED.get(), before);
}
