//! Which step with incidents it takes, by whose an incident is.

use linesman_schemas::IncidentStep;

/// Which step it takes to make an incident `to`'s that is `from`'s; empty for nobody's.
pub(crate) fn step_to_assign(to: &str, from: &str, asker: &str) -> IncidentStep {
    match (to, from) {
        (to, "") if to == asker || to.is_empty() => IncidentStep::Own,
        (to, from) if from == asker && (to == asker || to.is_empty()) => IncidentStep::Own,
        (to, _) if to == asker => IncidentStep::Any,
        _ => IncidentStep::Delegate,
    }
}

/// Which step it takes to change an incident of somebody's.
pub(crate) fn step_to_change(owner: &str, asker: &str) -> IncidentStep {
    if owner == asker { IncidentStep::Own } else { IncidentStep::Any }
}
