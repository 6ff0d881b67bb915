//! What level 5 read of commands: verbs, and sections of the rule book, that came later were none to it.

use linesman_schemas::Principal;
use linesman_schemas::command::{Case, RuleBook, Verb};
use linesman_schemas::control::Section;
use linesman_schemas::dead_letter::Reason;

use super::input::Content;
use super::level6;

/// What a lane at level 5, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    if let Some(later) = level6::read(content) {
        return Some(later);
    }
    let Content::Command(command) = content else { return None };
    let is_later = match &command.verb {
        Verb::Case(Case::Submit(_) | Case::Save(_)) => false,
        Verb::Case(_) => true,
        Verb::RuleBook(RuleBook::LoadSection(load)) => load.section == Section::Installation,
        _ => false,
    };
    if !is_later && !matches!(command.principal, Principal::EndCustomer { .. }) {
        return None;
    }
    Some(Content::Undecodable {
        reason: Reason::CommandUndecodable,
        detail: format!("`{}` is asked for from engine level 6 on", command.verb.operation()),
        place: None,
    })
}
