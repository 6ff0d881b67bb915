//! What is asked of the engine; by the provider, on lane 0.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Engine, LevelRaise, PinChange};
use serde_json::json;

use super::Answer;
use crate::desk::Desk;

/// Does what is asked of the engine.
pub(crate) fn ask(desk: &mut Desk, verb: &Engine) -> Answer {
    match verb {
        Engine::RaiseLevel(raise) => raise_level(desk, *raise),
        // The node does it; here it goes on record.
        Engine::SetLogLevel(change) => {
            Answer::done("changed", json!({"level": change.old}), json!({"level": change.new}))
        }
        Engine::PinUpstream(PinChange { url, old, new }) => {
            Answer::done("changed", json!({"url": url, "fingerprint": old}), json!({"url": url, "fingerprint": new}))
        }
    }
}

/// The lane decides at the level from the input behind this one on; whoever hands out follows with the others.
///
/// IMPORTANT: which levels this program knows does not matter here, or the next one would decide otherwise. Who sends
/// it looks at that, and a lane at a level that a program does not know is refused by it.
fn raise_level(desk: &mut Desk, raise: LevelRaise) -> Answer {
    let level = desk.level;
    if raise.level <= level {
        return Answer::refused(Verdict::Conflict, format!("the level is {level} already"));
    }
    desk.level = raise.level;
    Answer::done("raised", json!({"level": level}), json!({"level": raise.level}))
}
