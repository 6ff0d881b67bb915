//! What level 9 read of commands: those that came later were none to it.

use linesman_schemas::command::{Organization, Verb};
use linesman_schemas::dead_letter::Reason;

use super::input::Content;

/// What a lane at level 9, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let Content::Command(command) = content else { return None };
    let is_later = matches!(command.verb, Verb::Approval(_) | Verb::Organization(Organization::ExportCases(_)));
    is_later.then(|| Content::Undecodable {
        reason: Reason::CommandUndecodable,
        detail: format!("`{}` is asked for from engine level 10 on", command.verb.operation()),
        place: None,
    })
}
