//! What a policy's line becomes, read where a subscriber of `tracing` reads it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use linesman_schemas::outcome::{FailureClass, Outcome};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::*;

/// Keeps every event as `level target name=value ...`.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Subscriber for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Line(String);
        impl Visit for Line {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                self.0 += &format!(" {field}={value:?}");
            }
        }
        assert_eq!(*event.metadata().level(), Level::INFO);
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn task(action: Action) -> Task {
    Task { id: "acme-r1-18f0".parse().unwrap(), org: "acme".parse().ok(), peer: None, attempt: 1, action }
}

#[test]
fn a_line_is_one_line_with_its_origin() {
    let fields = json!({ "incident": "acme-1", "note": "a\nb\u{7f}" });
    let content = json!({ "message": "unit\noffline \u{1b}[31m", "fields": fields });
    let content = content.as_object().unwrap().clone();
    let task = task(Action::Notify(Notification::new(&LOG, content).unwrap()));
    let kept = Kept::default();
    let attempted = tracing::subscriber::with_default(kept.clone(), || Log.carry_out(&task).now_or_never().unwrap());
    assert_eq!(attempted, Attempted::done(0, Done::Delivered));
    let line = "linesman::policy message=unit\\noffline \\u001b[31m organization=acme reaction=acme-r1-18f0 \
                fields={\"incident\":\"acme-1\",\"note\":\"a\\nb\\u007f\"}";
    assert_eq!(*kept.0.lock().unwrap(), [line]);
}

#[test]
fn an_action_of_another_connector_is_refused() {
    let task = task(Action::PollCases { cursor: None });
    let Outcome::Failed(failure) = Log.carry_out(&task).now_or_never().unwrap().outcome else { panic!("done") };
    assert_eq!(failure.class, FailureClass::Refused);
    assert_eq!(failure.message, "the connector `log` has no use for `poll_cases`");
}
