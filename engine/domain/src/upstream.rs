//! Which upstream a case goes to, and which are asked what became of theirs. Nothing else knows.

use linesman_schemas::control::InstallationSection;
use linesman_schemas::mode::Upstream;
use linesman_schemas::{Destination, upload};

/// The vendor's support system.
const JSS: Destination = Destination::of("jss");
/// A partner's controller.
const PARTNER: Destination = Destination::of(PARTNER_NAME);
/// The connector that tells partners.
pub(super) const PARTNER_NAME: &str = "partner";

/// What an installation is in the cascade.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Installed {
    /// Its name in trace routes: that of its log, which is when IN was made.
    pub(crate) controller: String,
    /// Whether its upstream is a partner, and not the support system.
    pub(crate) has_partner: bool,
}

impl Installed {
    /// As the rule book has it; its name comes with the log.
    pub(crate) fn new(section: InstallationSection) -> Self {
        Self { controller: String::new(), has_partner: section.upstream == Upstream::Partner }
    }
}

/// Whether a destination is an upstream, for cases or for uploads.
pub fn is_one(destination: &str) -> bool {
    let connector = destination.parse().map(|Destination { connector, .. }| connector);
    connector.is_ok_and(|connector| [JSS, PARTNER].iter().any(|one| one.connector == connector))
}

/// Where uploads go that were to go to `destination`, among cases.
pub(super) fn beside(destination: &str) -> String {
    destination.parse().map_or_else(|_| destination.to_owned(), |known| of_uploads(known).to_string())
}

/// Where uploads go of the upstream that cases go to: beside those, with bounds and a circuit of their own.
pub(super) fn of_uploads(upstream: Destination) -> Destination {
    Destination { peer: upload::PEER.parse().ok(), ..upstream }
}

/// Where a case goes that is opened now.
pub(super) const fn of_case(installed: &Installed) -> Destination {
    if installed.has_partner { PARTNER } else { JSS }
}

/// Who is asked which cases changed.
pub(super) const fn asked(installed: &Installed) -> Destination {
    of_case(installed)
}
