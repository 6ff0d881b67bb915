//! What level 15 read of control messages: those that came later were none to it.

use linesman_schemas::dead_letter::Reason;

use super::input::Content;

/// What a lane at level 15, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let Content::ClockConfirmed(_) = content else { return None };
    let detail = "what time it is is confirmed from engine level 16 on".to_owned();
    Some(Content::Undecodable { reason: Reason::CommandUndecodable, detail, place: None })
}
