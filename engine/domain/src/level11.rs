//! What level 11 read of commands: those that came later were none to it, nor was what is decided of the provider's approvals.

use linesman_schemas::command::Verb;
use linesman_schemas::dead_letter::Reason;

use super::input::Content;

/// The operations that came with level 12.
const LATER: [&str; 0] = [];

/// What a lane at level 11, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let Content::Command(command) = content else { return None };
    let operation = command.verb.operation();
    let is_providers = matches!(&command.verb, Verb::Approval(verb) if verb.approval().is_providers);
    (is_providers || LATER.contains(&operation)).then(|| Content::Undecodable {
        reason: Reason::CommandUndecodable,
        detail: match is_providers {
            true => format!("`{operation}` of the provider's approvals is asked for from engine level 12 on"),
            false => format!("`{operation}` is asked for from engine level 12 on"),
        },
        place: None,
    })
}
