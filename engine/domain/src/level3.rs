//! What level 3 read of commands: verbs and sections that came later were none to it.

use linesman_schemas::command::{Command, RuleBook, Verb};
use linesman_schemas::control::Section;
use linesman_schemas::dead_letter::Reason;

use super::input::Content;
use super::level4;

/// What a lane at level 3, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    if let Some(later) = level4::read(content) {
        return Some(later);
    }
    match content {
        Content::Command(command) if is_later(command) => Some(Content::Undecodable {
            reason: Reason::CommandUndecodable,
            detail: format!("`{}` is asked for from engine level 4 on", command.verb.operation()),
            place: None,
        }),
        _ => None,
    }
}

fn is_later(command: &Command) -> bool {
    match &command.verb {
        Verb::Organization(_)
        | Verb::Incident(_)
        | Verb::Case(_)
        | Verb::Policy(_)
        | Verb::Input(_)
        | Verb::Engine(_)
        | Verb::Place(_)
        | Verb::Manager(_)
        | Verb::Group(_)
        | Verb::Token(_)
        | Verb::Session(_)
        | Verb::Audit(_) => false,
        Verb::RuleBook(RuleBook::LoadSection(load)) => load.section == Section::Services,
        Verb::RuleBook(RuleBook::ClearPlace(_)) => true,
        Verb::Values(_)
        | Verb::Subscription(_)
        | Verb::Service(_)
        | Verb::Message(_)
        | Verb::Sending(_)
        | Verb::Received(_)
        | Verb::Device(_)
        | Verb::Directives(_)
        | Verb::Scripts(_)
        | Verb::Approval(_) => true,
    }
}
