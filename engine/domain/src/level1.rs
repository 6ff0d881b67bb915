//! How level 1 reads commands and control messages.
//!
//! There the text of a dead letter is part of the digest, and with it serde's lists of what it expected. What was
//! unreadable then stays so, whatever has become known since; who asks is a text.

use linesman_schemas::command::{
    self, Assignment, Case, CaseWish, Engine, Incident, Note, Organization, OrganizationSettings, Policy, PolicyRun,
    Prioritisation, Replay,
};
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::outcome::Attempt;
use linesman_schemas::{CommandId, Principal};
use serde::Deserialize;

use super::input::{Content, Input, json_place};

/// What level 1 reads in an input of a lane, where that may be something else than what it says today.
pub(super) fn read(lane: u32, input: &Input<'_>) -> Option<Content<'static>> {
    let leads_out = |verb: &command::Verb| matches!(verb, command::Verb::Engine(Engine::RaiseLevel(_)));
    match (&input.content, input.org.is_empty()) {
        (Content::Command(command), true) if lane == 0 && leads_out(&command.verb) => None,
        // What came with level 2 was not to be read, but for what leads there.
        (
            Content::Command(_)
            | Content::Cursor(_)
            | Content::Expiry(_)
            | Content::Clock(_)
            | Content::ClockConfirmed(_)
            | Content::Provided(_)
            | Content::Continue { .. }
            | Content::Undecodable { .. },
            true,
        ) => serde_json::from_slice::<Control>(input.bytes).err().map(|error| unreadable(&error)),
        (_, false) if input.kind == "cmd" => Some(match serde_json::from_slice::<Command>(input.bytes) {
            Ok(command) => Content::Command(Box::new(command.into())),
            Err(error) => unreadable(&error),
        }),
        _ => None,
    }
}

fn unreadable(error: &serde_json::Error) -> Content<'static> {
    Content::Undecodable { reason: Reason::CommandUndecodable, detail: error.to_string(), place: json_place(error) }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "it is only read")]
enum Control {
    RuleBook(RuleBookRef),
    Attempt(Box<Attempt>),
    Tick,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only read")]
struct RuleBookRef {
    version: u64,
    hash: String,
}

#[derive(Deserialize)]
struct Command {
    id: CommandId,
    actor: String,
    node: String,
    verb: Verb,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verb {
    SetOrganization(OrganizationSettings),
    SuspendOrganization,
    UnloadOrganization,
    AssignIncident(Assignment),
    PrioritiseIncident(Prioritisation),
    CloseIncident(Note),
    ReopenIncident(Note),
    AnnotateIncident(Note),
    SubmitCase(CaseWish),
    SaveCase(CaseWish),
    RunPolicy(PolicyRun),
    ReplayInput(Replay),
}

impl From<Command> for command::Command {
    fn from(command: Command) -> Self {
        let Command { id, actor, node, verb } = command;
        let verb = match verb {
            Verb::SetOrganization(settings) => command::Verb::Organization(Organization::Set(settings)),
            Verb::SuspendOrganization => command::Verb::Organization(Organization::Suspend),
            Verb::UnloadOrganization => command::Verb::Organization(Organization::Unload),
            Verb::AssignIncident(assignment) => command::Verb::Incident(Incident::Assign(assignment)),
            Verb::PrioritiseIncident(prioritisation) => command::Verb::Incident(Incident::Prioritise(prioritisation)),
            Verb::CloseIncident(note) => command::Verb::Incident(Incident::Close(note)),
            Verb::ReopenIncident(note) => command::Verb::Incident(Incident::Reopen(note)),
            Verb::AnnotateIncident(note) => command::Verb::Incident(Incident::Annotate(note)),
            Verb::SubmitCase(wish) => command::Verb::Case(Case::Submit(wish)),
            Verb::SaveCase(wish) => command::Verb::Case(Case::Save(wish)),
            Verb::RunPolicy(run) => command::Verb::Policy(Policy::Run(run)),
            Verb::ReplayInput(replay) => command::Verb::Input(command::Input::Replay(replay)),
        };
        Self { id, principal: Principal::of_actor(actor), node, verb }
    }
}
