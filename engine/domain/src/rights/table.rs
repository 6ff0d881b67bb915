//! What it takes to ask for each operation.
//!
//! An operation is a command's verb, by its token (of a section of the rule book `load-<section>`), or what is read, by
//! the name that the API's document has for it; where several routes lead to the same, up to a dot.

use linesman_schemas::{IncidentStep, Place, Privilege, Right};

use super::Need;

/// Every operation and what it takes, by kind.
///
/// INVARIANT (nothing without an entry): what is not here is not done; tests go through all verbs, all routes and all
/// commands of the command line.
pub const OPERATIONS: &[(&str, Need)] = &[
    // Organizations and places.
    ("set-organization", Need::Right(Right::Organizations)),
    ("suspend-organization", Need::Right(Right::Organizations)),
    ("test-organization", Need::Right(Right::Organizations)),
    ("set-credentials", Need::Right(Right::Organizations)),
    // Whose pseudonyms they are decides whose addresses are seen: it is the installation's own.
    ("unredact", Need::Right(Right::Settings)),
    // Where its devices are, and what covers them.
    ("set-addresses", Need::Right(Right::Devices)),
    ("set-contracts", Need::Right(Right::Devices)),
    // How they are reached, and what is done there.
    ("set-device", Need::Right(Right::Devices)),
    ("remove-device", Need::Right(Right::Devices)),
    ("pin-host-key", Need::Right(Right::Devices)),
    ("use-device", Need::Right(Right::Devices)),
    ("settle-jmb-error", Need::Right(Right::Devices)),
    ("collect-device", Need::Right(Right::Devices)),
    ("set-directives-group", Need::Right(Right::Devices)),
    ("remove-directives-group", Need::Right(Right::Devices)),
    // The scripts on them.
    ("set-script-bundle", Need::Right(Right::Devices)),
    ("remove-script-bundle", Need::Right(Right::Devices)),
    ("set-event-profile", Need::Right(Right::Devices)),
    ("remove-event-profile", Need::Right(Right::Devices)),
    ("plan-scripts", Need::Right(Right::Devices)),
    ("install-scripts", Need::Right(Right::Devices)),
    ("remove-scripts", Need::Right(Right::Devices)),
    ("unload-organization", Need::Right(Right::Organizations)),
    ("set-place", Need::Right(Right::Organizations)),
    ("remove-place", Need::Right(Right::Organizations)),
    ("tie-device", Need::Right(Right::Devices)),
    // Managers, groups, tokens, sessions. Whom it is about is judged in the room.
    ("set-manager", Need::Privilege(Privilege::Managers)),
    ("remove-manager", Need::Privilege(Privilege::Managers)),
    ("set-password", Need::Own),
    ("set-group", Need::Privilege(Privilege::Managers)),
    ("remove-group", Need::Privilege(Privilege::Managers)),
    ("issue-token", Need::Own),
    ("revoke-token", Need::Own),
    ("me", Need::Own),
    ("tokens", Need::Own),
    ("token", Need::Own),
    ("sessions", Need::Own),
    ("session", Need::Own),
    ("login", Need::Own),
    ("logout", Need::Own),
    ("revoke-session", Need::Own),
    ("touch-sessions", Need::Engine),
    ("login-refused", Need::Engine),
    ("login-locked", Need::Engine),
    // Values and subscriptions.
    ("set-values", Need::Privilege(Privilege::Substitution)),
    ("localize-service", Need::Right(Right::Services)),
    ("set-subscription", Need::Privilege(Privilege::Subscription)),
    ("remove-subscription", Need::Privilege(Privilege::Subscription)),
    ("suspend-subscription", Need::Privilege(Privilege::Subscription)),
    ("resume-subscription", Need::Privilege(Privilege::Subscription)),
    ("activate-subscription", Need::Privilege(Privilege::Activation)),
    ("deactivate-subscription", Need::Privilege(Privilege::Activation)),
    ("redeploy-subscription", Need::Privilege(Privilege::Activation)),
    ("rollout-service", Need::Right(Right::Services)),
    // Incidents: the step is the least that some use of it takes.
    ("assign-incident", Need::Incidents(IncidentStep::Own)),
    ("prioritise-incident", Need::Incidents(IncidentStep::Own)),
    ("close-incident", Need::Incidents(IncidentStep::Own)),
    ("reopen-incident", Need::Incidents(IncidentStep::Own)),
    ("annotate-incident", Need::Incidents(IncidentStep::Own)),
    ("replay-input", Need::Incidents(IncidentStep::Any)),
    ("submit-case", Need::Right(Right::Cases)),
    ("save-case", Need::Right(Right::Cases)),
    ("forward-case", Need::Right(Right::Cases)),
    ("handle-case", Need::Right(Right::Cases)),
    ("override-case", Need::Right(Right::Cases)),
    ("note-case", Need::Right(Right::Cases)),
    ("close-case", Need::Right(Right::Cases)),
    ("reopen-case", Need::Right(Right::Cases)),
    // What belongs to cases is handed out: what may leave of all, or a file as it is.
    ("export-cases", Need::Right(Right::Cases)),
    ("report-case", Need::Engine),
    // What awaits approval.
    ("approve-approval", Need::Right(Right::Approvals)),
    ("reject-approval", Need::Right(Right::Approvals)),
    ("keep-upload", Need::Engine),
    // What the engine decides by.
    ("run-policy", Need::Right(Right::Policies)),
    ("load-policies", Need::Right(Right::Policies)),
    ("load-services", Need::Right(Right::Services)),
    ("load-settings", Need::Right(Right::Settings)),
    ("load-directory", Need::Engine),
    ("load-installation", Need::Right(Right::Settings)),
    ("set-mode", Need::Right(Right::Settings)),
    ("clear-place", Need::Engine),
    ("raise-level", Need::Right(Right::Settings)),
    // What is told of the engine itself, which is the provider's.
    ("healthz", Need::Anybody),
    ("readyz", Need::Anybody),
    ("openapi", Need::Anybody),
    ("metrics", Need::Sight),
    ("status", Need::Sight),
    ("level", Need::Sight),
    ("lanes", Need::Sight),
    ("skip-input", Need::Right(Right::Settings)),
    ("rejudge-lane", Need::Right(Right::Settings)),
    ("clock", Need::Sight),
    ("confirm-clock", Need::Right(Right::Settings)),
    ("verification", Need::Sight),
    ("verify-streams", Need::Right(Right::Settings)),
    ("mode", Need::Sight),
    ("log-level", Need::Sight),
    ("set-log-level", Need::Right(Right::Settings)),
    ("pin-upstream", Need::Right(Right::Settings)),
    // What is told of organizations: as much of it as is seen.
    ("organizations", Need::Known),
    ("organization", Need::Known),
    ("incidents", Need::Known),
    ("incident", Need::Known),
    ("cases", Need::Known),
    ("case", Need::Known),
    ("devices", Need::Known),
    ("device", Need::Known),
    // Messages of the provider's; those of organizations are told below.
    ("add-intelligence", Need::Right(Right::Intelligence)),
    ("associate-intelligence", Need::Right(Right::Intelligence)),
    ("dissociate-intelligence", Need::Right(Right::Intelligence)),
    ("send-intelligence", Need::Right(Right::Intelligence)),
    ("recall-intelligence", Need::Right(Right::Intelligence)),
    ("associations", Need::Sight),
    ("association-preview", Need::Sight),
    ("provided-message", Need::Sight),
    ("impact", Need::Sight),
    ("set-intelligence-state", Need::Right(Right::Intelligence)),
    ("message-impact", Need::Known),
    ("intelligence", Need::Known),
    ("intelligence-message", Need::Known),
    ("intelligence-report", Need::Known),
    ("places", Need::Known),
    ("place", Need::Known),
    ("services", Need::Known),
    ("service", Need::Known),
    ("values", Need::Known),
    ("explain", Need::Known),
    ("subscriptions", Need::Known),
    ("subscription", Need::Known),
    ("activations", Need::Known),
    ("activation", Need::Known),
    ("managers", Need::Known),
    ("manager", Need::Known),
    ("groups", Need::Known),
    ("group", Need::Known),
    ("why", Need::Known),
    // It tells of attempts that are on record.
    ("simulate", Need::Attempts),
    ("events", Need::Known),
    ("command", Need::Known),
    // What is told to whoever sees the whole of it.
    ("approvals", Need::Known),
    ("approval", Need::Known),
    ("addresses", Need::Sight),
    ("contracts", Need::Sight),
    ("directives-groups", Need::Sight),
    ("script-bundles", Need::Sight),
    ("script-bundle", Need::Sight),
    ("event-profiles", Need::Sight),
    ("scripts", Need::Sight),
    ("jmb-errors", Need::Known),
    ("drifts", Need::Known),
    ("jmb-error", Need::Known),
    ("policies", Need::Sight),
    ("policy", Need::Sight),
    ("dead-letters", Need::Sight),
    ("dead-letter", Need::Sight),
    // The audit.
    ("audit", Need::Audit),
    ("audit-record", Need::Audit),
    ("export-audit", Need::Audit),
    ("audit-checkpoint", Need::Log),
    ("audit-proof", Need::Log),
    ("audit-key", Need::Known),
    ("record-refusals", Need::Engine),
    ("keep-checkpoint", Need::Engine),
];

/// What it takes to ask for an operation; what is not known takes more than anybody has.
pub fn need(operation: &str) -> Need {
    OPERATIONS.iter().find(|(known, _)| *known == operation).map_or(Need::Engine, |(_, need)| *need)
}

/// Whether an operation is about a single thing at its place, of which whoever does it looks whether it is seen; or
/// tells of what is seen, and of nothing else.
pub fn is_within(operation: &str) -> bool {
    match need(operation) {
        Need::Anybody | Need::Known | Need::Own | Need::Audit | Need::Attempts => true,
        _ => WITHIN.contains(&operation),
    }
}

/// Whether an operation makes a place that is not there yet.
pub fn makes(operation: &str, place: &Place) -> bool {
    matches!((operation, place), ("set-place", Place::Below(_)) | ("set-organization", Place::Organization(_)))
}

/// What is looked at besides when an operation is done, of what it is done to and of what is given with it.
pub fn besides(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "set-manager" => {
            "nobody changes themselves or who stands above them; whoever is changed, and what is granted, lies within \
             one's own sphere; privileges and rights are granted as far as one has them, and a new password is given to \
             who has no more"
        }
        "remove-manager" => {
            "nobody removes themselves or who stands above them; whoever is removed lies within one's own sphere"
        }
        "set-place" => {
            "to say which device serves it takes the right `devices` too, and the device is one that is seen: one that is \
             not known yet is named by whoever sees all of the organization"
        }
        "remove-place" => {
            "nobody above whoever does it was granted it by name, or what lies below it, nor they themselves"
        }
        "set-group" | "remove-group" => {
            "what the group is tied to lies within one's own sphere, and whoever is in it is somebody one manages"
        }
        "set-password" => "of another it takes the privilege `managers`, and to have all that the other has",
        "issue-token" => "a token is given no more than one has",
        "revoke-token" | "revoke-session" | "tokens" | "token" | "sessions" | "session" => {
            "another's are those of whom one manages"
        }
        "assign-incident" => {
            "the incident is one that is seen; to change another's takes the step `any`, to give one to others or take it \
             from them `delegate`"
        }
        "prioritise-incident" | "close-incident" | "reopen-incident" | "annotate-incident" => {
            "the incident is one that is seen; to change another's takes the step `any`"
        }
        "submit-case" | "save-case" | "forward-case" | "handle-case" | "override-case" | "note-case" | "close-case"
        | "reopen-case" | "incident" | "case" => "the incident is one that is seen",
        "approval" => {
            "its organization is one all of which is seen, or it is one's own; the provider's are its people's who may decide them"
        }
        "export-cases" => "of incidents those that are seen",
        "device" | "jmb-error" | "intelligence-message" => "it is one that is seen",
        "message-impact" => "it is one that is seen, and of its devices those that are",
        "approve-approval" | "reject-approval" => {
            "where the two-person rule applies, not by whoever asked; what is approved is done by the rights that whoever asked \
             has then"
        }
        "manager" | "why" => "the manager is one that is seen: all that was granted lies within one's own sphere",
        "group" => "all that the group is tied to lies within one's own sphere",
        "simulate" => "whoever is named is one that is seen",
        "command" => "it is one's own",
        "audit-record" => "it was decided at a place all of which is seen",
        "set-subscription" => {
            "values take the privilege `substitution` too, and to activate it or give it a schedule `activation`"
        }
        "activate-subscription" => "values take the privilege `substitution` too",
        _ => return None,
    })
}

/// Those about a single thing that take more.
const WITHIN: [&str; 18] = [
    "assign-incident",
    "prioritise-incident",
    "close-incident",
    "reopen-incident",
    "annotate-incident",
    "submit-case",
    "save-case",
    "forward-case",
    "handle-case",
    "override-case",
    "note-case",
    "close-case",
    "reopen-case",
    "export-cases",
    "set-manager",
    "remove-manager",
    "set-group",
    "remove-group",
];
