//! What a room leaves to be done by another. The router carries it there, in one loop, depth first: what follows from a
//! step is done before the step behind it.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use linesman_rules::{Intent, Policy, Subject};
use linesman_schemas::outcome::CaseStanding;
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{ApprovalRule, CommandId, IncidentId, OrgName, PolicyName, ReactionId};

use super::incidents::history::{By, Told};
use super::policies::Fired;
use super::reactions::Decided;
use super::subject::Incident;

/// How deep triggers may follow from what policies did on triggers.
pub(crate) const DEPTH_MOST: usize = 8;

/// See the module. Most of it is about the incident in hand.
pub(crate) enum Follow {
    /// A trigger fires on the incident.
    Trigger(Trigger),
    /// Something was changed of the incident: it is told, and triggers.
    Changed(Told),
    /// A policy judges a subject.
    Judge(Arc<Policy>, Rc<Fired>, Rc<dyn Subject>),
    /// A policy wants something done, and says what of it needs approval.
    Intent(Arc<Policy>, Rc<Fired>, Intent, ApprovalRule),
    /// A reaction is decided, about the incident if there is one.
    React(Cause, Decided),
    /// The upstream has accepted a case of an incident, which is taken in hand.
    CaseAccepted {
        /// Which incident.
        incident: IncidentId,
        /// The upstream's receipt.
        transaction_id: String,
        /// How the case stands, where that was said too.
        standing: Option<CaseStanding>,
        /// Whether it was a partner that took it, and not the support system.
        by_partner: bool,
    },
    /// The incident's case stands upstream as said.
    CaseStands(CaseStanding),
    /// Somebody is to solve the case that was reported, if nobody has said who.
    RouteCase,
    /// The upstream knows what was done with a case of an incident.
    CaseTold {
        /// Which incident.
        incident: IncidentId,
        /// Which reaction told it.
        reaction: ReactionId,
    },
    /// A reaction of an incident is given up; with the one that opens its case, the case is.
    ReactionFailed {
        /// Which incident.
        incident: IncidentId,
        /// Which reaction.
        reaction: ReactionId,
    },
    /// A device has answered on a configuration group: it is as it was told, or why not.
    Configured {
        /// The device's serial number.
        device: String,
        /// The group.
        group: String,
        /// Which reaction told it.
        reaction: ReactionId,
        /// What it answered.
        answer: Result<(), String>,
    },
    /// What is kept of the incident's case goes to the upstream, if that has the case.
    Upload,
    /// The upstream has bytes of an incident's case.
    Uploaded {
        /// Which incident.
        incident: IncidentId,
        /// Which reaction brought them.
        reaction: ReactionId,
        /// The SHA-256 of what left, and its size.
        left: (String, u64),
    },
    /// The upstream has a device's snapshot, or its reaction is given up.
    SnapshotEnded {
        /// Which reaction was to bring it.
        reaction: ReactionId,
        /// Whether it is there.
        is_there: bool,
    },
    /// The case is opened that policies want for the incident.
    OpenCase,
    /// The incident is written.
    Keep,
}

impl Follow {
    /// By whom or what the incident in hand is changed where this step changes it; none of those that change none.
    pub(crate) fn by(&self, incident: Option<&Incident>) -> Option<By> {
        Some(match self {
            Self::Trigger(_) | Self::Changed(_) | Self::Judge(..) | Self::React(..) => return None,
            Self::Intent(policy, fired, ..) => By::Policy(Arc::clone(policy), Rc::clone(fired)),
            Self::OpenCase => match incident.and_then(|incident| incident.wishes.first()) {
                Some(wish) => By::Policy(Arc::clone(&wish.policy), Rc::clone(&wish.fired)),
                None => By::Engine,
            },
            Self::CaseAccepted { .. } | Self::CaseStands(_) | Self::CaseTold { .. } => By::Upstream,
            Self::RouteCase
            | Self::ReactionFailed { .. }
            | Self::Configured { .. }
            | Self::Upload
            | Self::Uploaded { .. }
            | Self::SnapshotEnded { .. }
            | Self::Keep => By::Engine,
        })
    }
}

/// Why something is done.
#[derive(Clone)]
pub(crate) enum Cause {
    /// A policy wants it.
    Policy(Arc<Policy>, Rc<Fired>),
    /// Somebody asks for it.
    Command(CommandId),
    /// An activation comes to it at an access line; its id.
    Activation(Rc<str>),
    /// So cases are handled.
    Handling,
}

impl Cause {
    pub(crate) fn policy(&self) -> Option<&PolicyName> {
        match self {
            Self::Policy(policy, _) => Some(policy.name()),
            Self::Command(_) | Self::Activation(_) | Self::Handling => None,
        }
    }

    /// Id of the trigger's event.
    pub(crate) fn trigger(&self) -> Option<&str> {
        match self {
            Self::Policy(_, fired) => Some(&fired.event),
            Self::Command(_) | Self::Activation(_) | Self::Handling => None,
        }
    }

    /// Who is told of what is done.
    pub(crate) fn told<'a>(&self, org: &'a OrgName) -> Cow<'a, OrgName> {
        match self {
            Self::Policy(_, fired) => fired.told(org),
            Self::Command(_) | Self::Activation(_) | Self::Handling => Cow::Borrowed(org),
        }
    }

    pub(crate) fn command(&self) -> Option<&CommandId> {
        match self {
            Self::Policy(..) | Self::Activation(_) | Self::Handling => None,
            Self::Command(id) => Some(id),
        }
    }

    pub(crate) fn activation(&self) -> Option<&str> {
        match self {
            Self::Policy(..) | Self::Command(_) | Self::Handling => None,
            Self::Activation(id) => Some(id),
        }
    }
}
