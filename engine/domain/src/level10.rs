//! What level 10 read of commands: those that came later were none to it.

use linesman_schemas::dead_letter::Reason;

use super::input::Content;
use super::level11;

/// The operations that came with level 11.
const LATER: [&str; 7] = [
    "associate-intelligence",
    "dissociate-intelligence",
    "send-intelligence",
    "recall-intelligence",
    "set-intelligence-state",
    "set-addresses",
    "set-contracts",
];

/// What a lane at level 10, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let Content::Command(command) = content else { return level11::read(content) };
    let operation = command.verb.operation();
    if !LATER.contains(&operation) {
        return level11::read(content);
    }
    let detail = format!("`{operation}` is asked for from engine level 11 on");
    Some(Content::Undecodable { reason: Reason::CommandUndecodable, detail, place: None })
}
