//! What is asked of places.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::PlaceVerb;

use super::Answer;

/// Does what is asked.
pub(crate) fn ask(_verb: &PlaceVerb) -> Answer {
    Answer::refused(Verdict::Conflict, "this is not done yet")
}
