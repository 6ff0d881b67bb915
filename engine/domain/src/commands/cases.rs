//! What is asked of an incident's case.

use linesman_schemas::command::{Case, Command};

use super::Change;
use super::incidents::COMPLETED;
use crate::cases::{self, CaseState};
use crate::desk::Desk;
use crate::follow::Cause;
use crate::incidents::Status;
use crate::organizations::Organizations;
use crate::subject::Incident;

const THERE_IS_ONE: &str = "the incident has a case already";

/// Does what is asked of the case of an incident.
pub(crate) fn ask(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    command: &Command,
    verb: &Case,
) -> Change {
    if incident.row.status == Status::Completed {
        return Err(COMPLETED.to_owned());
    }
    match verb {
        Case::Submit(wish) => {
            let cause = Cause::Command(command.id.clone());
            match cases::open(desk, organizations, incident, cause, wish.case.clone()) {
                Some((CaseState::Withheld, _)) => Ok(("withheld by the filter level", Vec::new())),
                Some((_, reaction)) => Ok(("submitted", reaction.into_iter().collect())),
                None => Err(THERE_IS_ONE.to_owned()),
            }
        }
        Case::Save(wish) if cases::draft(desk.now, incident, wish.case.clone()) => Ok(("saved", Vec::new())),
        Case::Save(_) => Err(THERE_IS_ONE.to_owned()),
    }
}
