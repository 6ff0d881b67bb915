//! What level 12 read of commands, reports and control messages: those that came later were none to it.

use linesman_schemas::dead_letter::Reason;
use linesman_schemas::outcome::Report;

use super::input::Content;
use super::level13;

/// The operations that came with level 13.
const LATER: [&str; 10] = [
    "collect-device",
    "set-directives-group",
    "remove-directives-group",
    "set-script-bundle",
    "remove-script-bundle",
    "set-event-profile",
    "remove-event-profile",
    "plan-scripts",
    "install-scripts",
    "remove-scripts",
];

/// What a lane at level 12, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let (reason, detail) = match content {
        Content::Command(command) if LATER.contains(&command.verb.operation()) => {
            let detail = format!("`{}` is asked for from engine level 13 on", command.verb.operation());
            (Reason::CommandUndecodable, detail)
        }
        Content::Report(report) => match **report {
            Report::GroupRead(_) => {
                (Reason::ResultUndecodable, "groups are read back from engine level 13 on".to_owned())
            }
            Report::GatheringStands(_) => {
                (Reason::ResultUndecodable, "data is gathered from engine level 13 on".to_owned())
            }
            Report::ScriptsStand(_) => {
                (Reason::ResultUndecodable, "scripts are installed from engine level 13 on".to_owned())
            }
            Report::BundleKept(_) | Report::FilesNamed(_) | Report::FileTried(_) => {
                let detail = "bundles are larger than a message, and name files, from engine level 13 on".to_owned();
                (Reason::ResultUndecodable, detail)
            }
            Report::Attempt(_)
            | Report::CaseChanged(_)
            | Report::DeviceStands(_)
            | Report::JmbSetAside(_)
            | Report::JmbErrorEnded(_) => return level13::read(content),
        },
        _ => return level13::read(content),
    };
    Some(Content::Undecodable { reason, detail, place: None })
}
