//! What people do with incidents: assign, prioritise, close, reopen, annotate.
//!
//! Whoever works on it: `unassigned`, `assigned`, `in progress`, `completed`. Source: DOMAIN, "Incidents and
//! cases". A completed one is reopened before anything else is done with it.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Incident as Verb};
use linesman_schemas::{IncidentId, OrgName};
use serde_json::{Value, json};

use super::{Answer, Change};
use crate::Error;
use crate::desk::Desk;
use crate::incidents::{self, Status, notes};
use crate::subject::Incident;

/// Why nothing more is done with an incident.
pub(super) const COMPLETED: &str = "the incident is completed; reopen it first";

/// There is no such incident.
pub(crate) fn nothing(org: &OrgName, id: &IncidentId) -> Answer {
    Answer::refused(Verdict::NotFound, format!("there is no incident `{id}` of `{org}`"))
}

/// What the audit shows of an incident.
pub(crate) fn shown(incident: &Incident) -> Value {
    json!({
        "status": incident.row.status.as_str(),
        "owner": incident.row.owner,
        "priority": incident.row.priority,
        "case": incident.case.as_ref().map(|case| case.state.as_str()),
    })
}

/// Does what is asked of an incident.
pub(crate) fn ask(desk: &mut Desk, incident: &mut Incident, command: &Command, verb: &Verb) -> Result<Change, Error> {
    use Verb::{Annotate, Assign, Close, Prioritise, Reopen};

    let is_completed = incident.row.status == Status::Completed;
    match verb {
        Reopen(_) if !is_completed => return Ok(Err("the incident is not completed".to_owned())),
        Assign(_) | Prioritise(_) | Close(_) if is_completed => return Ok(Err(COMPLETED.to_owned())),
        Assign(_) | Prioritise(_) | Close(_) | Reopen(_) | Annotate(_) => {}
    }
    let actor = command.principal.to_string();
    let done = match verb {
        Assign(assignment) => incidents::assign(&mut incident.row, assignment),
        Prioritise(prioritisation) => {
            incident.row.priority = prioritisation.priority;
            Ok("prioritised")
        }
        Close(note) => {
            let noted = notes::add(desk, incident, &actor, &note.note)?;
            noted.map(|()| {
                incident.row.status = Status::Completed;
                "closed"
            })
        }
        Reopen(note) => {
            let noted = notes::add(desk, incident, &actor, &note.note)?;
            noted.map(|()| {
                incident.row.status = incidents::owned(&incident.row);
                "reopened"
            })
        }
        Annotate(note) => notes::add(desk, incident, &actor, &note.note)?.map(|()| "annotated"),
    };
    Ok(done.map(|detail| (detail, Vec::new())))
}
