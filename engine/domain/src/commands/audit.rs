//! What is asked of audit.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Audit;

use super::Answer;

/// Does what is asked.
pub(crate) fn ask(_verb: &Audit) -> Answer {
    Answer::refused(Verdict::Conflict, "this is not done yet")
}
