//! What level 4 read of commands: verbs that came later were none to it.

use linesman_schemas::command::{Command, Engine, RuleBook, Subscription, SubscriptionSettings, Verb};
use linesman_schemas::dead_letter::Reason;

use super::input::Content;
use super::level5;

/// What a lane at level 4, or below it, reads instead of `content`; none where it reads that.
pub(crate) fn read(content: &Content<'_>) -> Option<Content<'static>> {
    if let Some(later) = level5::read(content) {
        return Some(later);
    }
    match content {
        Content::Command(command) if is_later(command) => Some(Content::Undecodable {
            reason: Reason::CommandUndecodable,
            detail: format!("`{}` is asked for from engine level 5 on", command.verb.operation()),
            place: None,
        }),
        _ => None,
    }
}

fn is_later(command: &Command) -> bool {
    match &command.verb {
        Verb::Organization(_)
        | Verb::Incident(_)
        | Verb::Case(_)
        | Verb::Policy(_)
        | Verb::Input(_)
        | Verb::Engine(Engine::RaiseLevel(_))
        | Verb::RuleBook(RuleBook::LoadSection(_))
        | Verb::Place(_)
        | Verb::Manager(_)
        | Verb::Group(_)
        | Verb::Token(_)
        | Verb::Session(_)
        | Verb::Audit(_)
        | Verb::Values(_)
        | Verb::Subscription(
            Subscription::Set(SubscriptionSettings { schedule: None, .. })
            | Subscription::Remove(_)
            | Subscription::Suspend(_)
            | Subscription::Resume(_),
        ) => false,
        Verb::Subscription(
            Subscription::Set(_) | Subscription::Activate(_) | Subscription::Deactivate(_) | Subscription::Redeploy(_),
        )
        | Verb::Service(_)
        | Verb::Message(_)
        | Verb::Sending(_)
        | Verb::Received(_)
        | Verb::Device(_)
        | Verb::Directives(_)
        | Verb::Scripts(_)
        | Verb::Approval(_)
        | Verb::RuleBook(RuleBook::ClearPlace(_))
        | Verb::Engine(Engine::SetLogLevel(_) | Engine::PinUpstream(_)) => true,
    }
}
