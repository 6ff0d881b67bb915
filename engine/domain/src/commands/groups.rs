//! What is asked of groups.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Group;

use super::Answer;

/// Does what is asked.
pub(crate) fn ask(_verb: &Group) -> Answer {
    Answer::refused(Verdict::Conflict, "this is not done yet")
}
