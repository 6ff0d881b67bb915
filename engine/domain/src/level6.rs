//! What level 6 read of commands and control messages: those that came later were none to it.

use linesman_schemas::command::{Case, Verb};
use linesman_schemas::dead_letter::Reason;

use super::input::Content;
use super::level7;

/// What a lane at level 6, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    if let Some(later) = level7::read(content) {
        return Some(later);
    }
    let detail = match content {
        Content::Expiry(_) => "what runs out is told from engine level 7 on".to_owned(),
        Content::Command(command) if matches!(command.verb, Verb::Case(Case::Keep(_))) => {
            format!("`{}` is asked for from engine level 7 on", command.verb.operation())
        }
        _ => return None,
    };
    Some(Content::Undecodable { reason: Reason::CommandUndecodable, detail, place: None })
}
