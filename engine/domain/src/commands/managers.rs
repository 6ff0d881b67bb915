//! What is asked of managers.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Manager;

use super::Answer;

/// Does what is asked.
pub(crate) fn ask(_verb: &Manager) -> Answer {
    Answer::refused(Verdict::Conflict, "this is not done yet")
}
