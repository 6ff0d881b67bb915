//! What level 13 read of control messages: those that came later were none to it.

use linesman_schemas::dead_letter::Reason;

use super::input::Content;
use super::level15;

/// What a lane at level 13, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let Content::Clock(_) = content else { return level15::read(content) };
    let detail = "the engine's clocks are read from engine level 14 on".to_owned();
    Some(Content::Undecodable { reason: Reason::CommandUndecodable, detail, place: None })
}
