//! What level 6 read of commands: verbs that came later were none to it.

use linesman_schemas::command::{Case, Verb};
use linesman_schemas::dead_letter::Reason;

use super::input::Content;

/// What a lane at level 6, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let Content::Command(command) = content else { return None };
    if !matches!(command.verb, Verb::Case(Case::Keep(_))) {
        return None;
    }
    Some(Content::Undecodable {
        reason: Reason::CommandUndecodable,
        detail: format!("`{}` is asked for from engine level 7 on", command.verb.operation()),
        place: None,
    })
}
