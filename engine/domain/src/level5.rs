//! What level 5 read of commands: sections of the rule book that came later were none to it.

use linesman_schemas::command::{RuleBook, Verb};
use linesman_schemas::control::Section;
use linesman_schemas::dead_letter::Reason;

use super::input::Content;

/// What a lane at level 5, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let Content::Command(command) = content else { return None };
    let Verb::RuleBook(RuleBook::LoadSection(load)) = &command.verb else { return None };
    (load.section == Section::Installation).then(|| Content::Undecodable {
        reason: Reason::CommandUndecodable,
        detail: format!("`{}` is asked for from engine level 6 on", command.verb.operation()),
        place: None,
    })
}
