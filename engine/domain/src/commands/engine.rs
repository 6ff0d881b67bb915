//! What is asked of the engine; by the provider, on lane 0.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Engine, LevelRaise};
use serde_json::json;

use super::Answer;
use crate::Domain;

impl Domain {
    /// Does what is asked of the engine.
    pub(super) fn ask_engine(&self, verb: &Engine) -> Answer {
        match verb {
            Engine::RaiseLevel(raise) => self.raise_level(*raise),
        }
    }

    // IMPORTANT: which levels this program knows must not matter here, or the next one would decide otherwise. Who
    // sends it looks at that.
    fn raise_level(&self, raise: LevelRaise) -> Answer {
        let level = self.position.level;
        if raise.level <= level {
            return Answer::refused(Verdict::Conflict, format!("the level is {level} already"));
        }
        Answer::done("raised", json!({"level": level}), json!({"level": raise.level}))
    }
}
