//! What is asked of sessions.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Session;

use super::Answer;

/// Does what is asked.
pub(crate) fn ask(_verb: &Session) -> Answer {
    Answer::refused(Verdict::Conflict, "this is not done yet")
}
