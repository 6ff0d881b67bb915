//! What level 11 read of commands and reports: those that came later were none to it, nor was what is decided of the
//! provider's approvals.

use linesman_schemas::command::Verb;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::outcome::Report;

use super::input::Content;
use super::level12;

/// The operations that came with level 12.
const LATER: [&str; 5] = ["set-device", "remove-device", "pin-host-key", "use-device", "settle-jmb-error"];

/// What a lane at level 11, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    let (reason, detail) = match content {
        Content::Command(command) if matches!(&command.verb, Verb::Approval(verb) if verb.approval().is_providers) => {
            let operation = command.verb.operation();
            let detail = format!("`{operation}` of the provider's approvals is asked for from engine level 12 on");
            (Reason::CommandUndecodable, detail)
        }
        Content::Command(command) if LATER.contains(&command.verb.operation()) => {
            let detail = format!("`{}` is asked for from engine level 12 on", command.verb.operation());
            (Reason::CommandUndecodable, detail)
        }
        Content::Report(report) => match **report {
            Report::DeviceStands(_)
            | Report::JmbSetAside(_)
            | Report::JmbErrorEnded(_)
            | Report::GatheringStands(_) => {
                (Reason::ResultUndecodable, "devices are reached from engine level 12 on".to_owned())
            }
            Report::Attempt(_)
            | Report::ScriptsStand(_)
            | Report::CaseChanged(_)
            | Report::BundleKept(_)
            | Report::FilesNamed(_)
            | Report::FileTried(_)
            | Report::GroupRead(_) => return level12::read(content),
        },
        _ => return level12::read(content),
    };
    Some(Content::Undecodable { reason, detail, place: None })
}
