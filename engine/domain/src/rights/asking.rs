//! Asking for an operation at a place: at which kinds of places it is asked for, and what becomes of the question.
//!
//! INVARIANT (one answer): whoever refuses early, and whoever tells what would be refused, asks [`answer`].

use std::fmt;

use jiff::Timestamp;
use linesman_schemas::{Place, PlacePath, Principal};

use super::{Asked, Grants, Need, Ruling, is_within, may, need};
use crate::Error;

/// A kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceKind {
    /// The provider's.
    Provider,
    /// An organization.
    Organization,
    /// A site of one.
    Site,
    /// An access line of a site.
    Line,
}

use PlaceKind::{Line, Organization, Provider, Site};

impl PlaceKind {
    /// All of them, from the top down.
    pub const ALL: [Self; 4] = [Provider, Organization, Site, Line];

    /// Of what kind a place is.
    pub const fn of(place: &Place) -> Self {
        match place {
            Place::Provider => Provider,
            Place::Organization(_) => Organization,
            Place::Below(PlacePath { line: None, .. }) => Site,
            Place::Below(PlacePath { line: Some(_), .. }) => Line,
        }
    }

    const fn many(self) -> &'static str {
        match self {
            Provider => "`/`",
            Organization => "organizations",
            Site => "sites",
            Line => "access lines",
        }
    }
}

impl fmt::Display for PlaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Provider => "the provider's",
            Organization => "an organization",
            Site => "a site",
            Line => "an access line",
        })
    }
}

/// Where an operation is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// Nobody asks for it: the engine does by itself.
    Nobody,
    /// Where whoever asks belongs.
    Home,
    /// At places of these kinds.
    At(&'static [PlaceKind]),
    /// The same. Asked of `/`, or of no place, it tells everybody of all that they see.
    Told(&'static [PlaceKind]),
}

impl Where {
    /// Why it is not asked for at `place` by somebody of `home`; none if it is.
    pub fn elsewhere(self, operation: &str, place: &Place, home: &Place) -> Option<String> {
        match self {
            Self::Nobody => Some(format!("nobody asks for `{operation}`: the engine does by itself")),
            Self::Home => (place != home)
                .then(|| format!("`{operation}` is asked for where whoever asks belongs: here that is `{home}`")),
            Self::At(kinds) | Self::Told(kinds) => {
                let kind = PlaceKind::of(place);
                let many: Vec<_> = kinds.iter().map(|kind| kind.many()).collect();
                let help = match (operation, kind) {
                    ("set-place", Organization) => "; organizations are made and changed by `set-organization`",
                    ("remove-place", Organization) => "; organizations are suspended by `suspend-organization`",
                    _ => "",
                };
                (!kinds.contains(&kind))
                    .then(|| format!("`{operation}` is asked for at {}, and `{place}` is {kind}{help}", listed(&many)))
            }
        }
    }
}

fn listed(words: &[&str]) -> String {
    match words {
        [front @ .., before, last] => {
            let front: String = front.iter().map(|word| format!("{word}, ")).collect();
            format!("{front}{before} and {last}")
        }
        _ => words.concat(),
    }
}

/// Where operations are asked for, each once.
const ASKED: [(Where, &[&str]); 11] = [
    (Where::Home, &["me", "login", "logout", "issue-token"]),
    (
        Where::At(&[Provider]),
        &[
            "set-group",
            "remove-group",
            "group",
            "load-policies",
            "load-services",
            "load-settings",
            "raise-level",
            "level",
            "lanes",
            "skip-input",
            "rejudge-lane",
            "clock",
            "confirm-clock",
            "verification",
            "verify-streams",
            "mode",
            "set-mode",
            "log-level",
            "set-log-level",
            "pin-upstream",
            "metrics",
            "status",
            "add-intelligence",
            "provided-message",
            "impact",
            "associations",
            "association-preview",
            "associate-intelligence",
            "dissociate-intelligence",
            "send-intelligence",
            "recall-intelligence",
        ],
    ),
    (
        Where::Told(&[Provider]),
        &["organizations", "policies", "services", "service", "groups", "audit-key", "healthz", "readyz", "openapi"],
    ),
    (
        Where::Told(&[Provider, Organization]),
        &[
            "incidents",
            "cases",
            "devices",
            "jmb-errors",
            "drifts",
            "intelligence",
            "intelligence-report",
            "approvals",
            "events",
            "command",
            "dead-letters",
        ],
    ),
    (
        Where::At(&[Provider, Organization]),
        &[
            "policy",
            "dead-letter",
            "audit-record",
            "audit-checkpoint",
            "audit-proof",
            "set-password",
            "revoke-token",
            "tokens",
            "token",
            "sessions",
            "session",
            "revoke-session",
        ],
    ),
    (
        Where::Told(&PlaceKind::ALL),
        &["places", "managers", "subscriptions", "activations", "audit", "export-audit", "simulate"],
    ),
    (Where::At(&PlaceKind::ALL), &["set-manager", "remove-manager", "manager", "why", "rollout-service"]),
    (
        Where::At(&[Organization]),
        &[
            "set-organization",
            "suspend-organization",
            "test-organization",
            "set-credentials",
            "unredact",
            "organization",
            "tie-device",
            "device",
            "incident",
            "case",
            "intelligence-message",
            "message-impact",
            "set-intelligence-state",
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
            "approval",
            "approve-approval",
            "reject-approval",
            "export-cases",
            "addresses",
            "set-addresses",
            "contracts",
            "set-contracts",
            "set-device",
            "remove-device",
            "pin-host-key",
            "use-device",
            "settle-jmb-error",
            "collect-device",
            "set-directives-group",
            "remove-directives-group",
            "directives-groups",
            "jmb-error",
            "script-bundles",
            "script-bundle",
            "set-script-bundle",
            "remove-script-bundle",
            "event-profiles",
            "set-event-profile",
            "remove-event-profile",
            "scripts",
            "plan-scripts",
            "install-scripts",
            "remove-scripts",
            "replay-input",
            "run-policy",
            "localize-service",
        ],
    ),
    (
        Where::At(&[Organization, Site, Line]),
        &[
            "place",
            "values",
            "set-values",
            "explain",
            "subscription",
            "set-subscription",
            "remove-subscription",
            "suspend-subscription",
            "resume-subscription",
            "activate-subscription",
            "deactivate-subscription",
            "redeploy-subscription",
        ],
    ),
    (Where::At(&[Site, Line]), &["set-place", "remove-place"]),
    (Where::At(&[Line]), &["activation"]),
];

/// Where an operation is asked for; what is not known is asked for by nobody.
pub fn asked_at(operation: &str) -> Where {
    ASKED.iter().find(|(_, operations)| operations.contains(&operation)).map_or(Where::Nobody, |(at, _)| *at)
}

/// Whether an operation is about a single thing that nobody sees who does not see all of its place.
fn is_hidden(operation: &str, place: &Place) -> bool {
    match operation {
        "policy" | "dead-letter" | "replay-input" | "run-policy" => true,
        // Of an organization's it is looked at which.
        "audit-record" => *place == Place::Provider,
        _ => false,
    }
}

/// The question whether somebody may ask for an operation at a place.
#[derive(Debug, Clone)]
pub struct Asking<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    operation: &'a str,
    /// What it takes.
    pub need: Need,
    /// Where that is judged.
    pub place: Place,
    now: Timestamp,
}

impl<'a> Asking<'a> {
    /// Of whom, for what, and where.
    pub fn new(principal: &'a Principal, operation: &'a str, place: &Place, now: Timestamp) -> Self {
        let need = need(operation);
        let (place, need) = match (asked_at(operation), principal.login()) {
            (Where::Told(_), Some(login)) if *place == Place::Provider => {
                let home = login.organization.map_or(Place::Provider, Place::Organization);
                (home, if need == Need::Sight { Need::Known } else { need })
            }
            _ => (place.clone(), need),
        };
        Self { principal, operation, need, place, now }
    }

    /// As it is put to [`may`].
    pub fn asked(&self) -> Asked<'_> {
        let is_within = self.need == Need::Known || is_within(self.operation);
        Asked { principal: self.principal, need: self.need, place: &self.place, is_within, now: self.now }
    }
}

/// What becomes of the question, of an operation that is asked for at such a place.
///
/// # Errors
/// What was granted cannot be read.
pub fn answer(grants: &(impl Grants + ?Sized), asking: &Asking<'_>) -> Result<Ruling, Error> {
    if is_hidden(asking.operation, &asking.place) {
        let sight = Asked { need: Need::Sight, is_within: false, ..asking.asked() };
        if may(grants, &sight)? != Ruling::Allowed {
            return Ok(Ruling::Unseen);
        }
    }
    may(grants, &asking.asked())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_operation_is_asked_for_in_one_way() {
        let all: Vec<&str> = ASKED.iter().flat_map(|(_, operations)| *operations).copied().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!((asked_at("me"), asked_at("nothing")), (Where::Home, Where::Nobody));
    }
}
