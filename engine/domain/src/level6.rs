//! What level 6 read of control messages: those that came later were none to it.

use linesman_schemas::dead_letter::Reason;

use super::input::Content;

/// What a lane at level 6, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let Content::Expiry(_) = content else { return None };
    Some(Content::Undecodable {
        reason: Reason::CommandUndecodable,
        detail: "what runs out is told from engine level 7 on".to_owned(),
        place: None,
    })
}
