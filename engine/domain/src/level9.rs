//! What level 9 read of commands and control messages: those that came later were none to it.

use linesman_schemas::command::{Message, Organization, Verb};
use linesman_schemas::dead_letter::Reason;

use super::input::Content;
use super::level10;

/// What a lane at level 9, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let detail = match content {
        Content::Provided(_) => "messages of the provider are taken in from engine level 10 on".to_owned(),
        Content::Command(command) => match &command.verb {
            Verb::Approval(_) | Verb::Message(Message::Add(_)) | Verb::Organization(Organization::ExportCases(_)) => {
                format!("`{}` is asked for from engine level 10 on", command.verb.operation())
            }
            _ => return level10::read(content),
        },
        _ => return level10::read(content),
    };
    Some(Content::Undecodable { reason: Reason::CommandUndecodable, detail, place: None })
}
