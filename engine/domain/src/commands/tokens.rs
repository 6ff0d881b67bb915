//! What is asked of tokens.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Token;

use super::Answer;

/// Does what is asked.
pub(crate) fn ask(_verb: &Token) -> Answer {
    Answer::refused(Verdict::Conflict, "this is not done yet")
}
