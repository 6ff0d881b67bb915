//! What people do with incidents: assign, prioritise, close, reopen, annotate.
//!
//! Whoever works on it: `unassigned`, `assigned`, `in progress`, `completed`. Source: DOMAIN, "Incidents and
//! cases". A completed one is reopened before anything else is done with it.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{self, Command, Incident as Verb};
use linesman_schemas::{IncidentId, IncidentStep, OrgName, Place, Principal};
use serde_json::{Value, json};

use super::{Answer, Change};
use crate::desk::Desk;
use crate::incidents::{self, IncidentRow, Status, notes};
use crate::managers::Managers;
use crate::organizations::Organizations;
use crate::rights::{Asked, Need, Ruling};
use crate::subject::Incident;
use crate::{Error, device_groups, rights, sight};

/// Why nothing more is done with an incident.
pub(crate) const COMPLETED: &str = "the incident is completed; reopen it first";

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

/// Which step with incidents it takes to do what is asked of this one as it is.
fn step(verb: &Verb, incident: &IncidentRow, asker: &str) -> IncidentStep {
    match verb {
        Verb::Assign(assignment) => rights::step_to_assign(&assignment.owner, &incident.owner, asker),
        Verb::Prioritise(_) | Verb::Close(_) | Verb::Reopen(_) | Verb::Annotate(_) => {
            rights::step_to_change(&incident.owner, asker)
        }
    }
}

/// Why whoever asks may not do it with this incident, beside what it takes to ask for it at all: its device is not
/// seen, and then there is no such incident; or it takes another step. From engine level 3 on.
pub(crate) fn refusal(
    desk: &Desk,
    (managers, organizations): (&Managers, &Organizations),
    incident: &Incident,
    command: &Command,
) -> Result<Option<Answer>, Error> {
    if !desk.is_at(3) {
        return Ok(None);
    }
    let (principal, id) = (&command.principal, &incident.id);
    let known = managers.known(desk);
    let reach = rights::reach(&known, principal, desk.now)?;
    // An end customer has no incidents here but what it has reported.
    let is_reported = incident.chain.as_ref().is_some_and(|chain| chain.reported.is_some());
    if matches!(principal, Principal::EndCustomer { .. }) && !is_reported {
        return Ok(Some(nothing(&id.org, id)));
    }
    let (host_name, serial_number) = (&incident.device.host_name, &incident.row.serial_number);
    let group = match desk.is_at(sight::LEVEL) {
        true => device_groups::of_device(desk, organizations, &id.org, serial_number, host_name)?,
        false => &incident.device.group,
    };
    let device = sight::Device { organization: &id.org, serial_number, host_name, group };
    if !sight::has_device(desk.state(), &reach, &device)? {
        return Ok(Some(nothing(&id.org, id)));
    }
    let command::Verb::Incident(verb) = &command.verb else { return Ok(None) };
    let need = Need::Incidents(step(verb, &incident.row, &principal.to_string()));
    let place = Place::Organization(id.org.clone());
    let asked = Asked { principal, need, place: &place, is_within: true, now: desk.now };
    Ok(match rights::may(&known, &asked)? {
        Ruling::Allowed => None,
        Ruling::Forbidden(denial) => Some(Answer::refused(Verdict::Forbidden, denial.to_string()).about(id)),
        Ruling::Unseen => Some(nothing(&id.org, id)),
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
