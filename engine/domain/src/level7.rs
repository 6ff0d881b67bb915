//! What level 7 read of commands: those that came later were none to it.

use linesman_schemas::command::{Engine, Organization, Verb};
use linesman_schemas::dead_letter::Reason;

use super::input::Content;
use super::level9;

/// What a lane at level 7, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let Content::Command(command) = content else { return level9::read(content) };
    match &command.verb {
        Verb::Organization(Organization::SetCredentials(_) | Organization::Test(_) | Organization::Unredact(_))
        | Verb::Engine(Engine::PinUpstream(_)) => Some(Content::Undecodable {
            reason: Reason::CommandUndecodable,
            detail: format!("`{}` is asked for from engine level 8 on", command.verb.operation()),
            place: None,
        }),
        _ => level9::read(content),
    }
}
