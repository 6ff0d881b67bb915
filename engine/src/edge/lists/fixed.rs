//! What is fixed above whoever asks, and hidden from them where the service says so.

use std::collections::BTreeSet;

use linesman_domain::services;
use linesman_domain::shelf::Shelf;
use linesman_rules::values::{Acquired, Source, Where};
use linesman_schemas::Place;

use super::Error;
use crate::edge::viewer::Viewer;
use crate::store::Lane;

/// The parameters of services that hide what is fixed above.
pub(super) fn hidden(lane: &Lane, shelf: &Shelf) -> Result<BTreeSet<String>, Error> {
    let globals = shelf.globals(lane)?;
    let mut names = BTreeSet::new();
    for service in services::all(lane) {
        let (name, newest) = service?;
        let service = shelf.service(lane, &name, &newest.version, &globals)?;
        if let Some(service) = service.filter(|service| service.definition.hides_fixed) {
            let parameters = service.definition.parameters.parameters();
            names.extend(parameters.iter().map(|parameter| parameter.name.to_string()));
        }
    }
    Ok(names)
}

/// Whether a parameter is fixed where whoever asks has no say.
pub(super) fn is_fixed_above(viewer: &Viewer, found: &Acquired<'_, '_>) -> bool {
    let is_theirs =
        |at: Where<'_>| at.source != Source::Localized && at.place.is_some_and(|place| viewer.reach().covers(place));
    viewer.home() != Place::Provider && found.fixed_at().is_some_and(|at| !is_theirs(at))
}
