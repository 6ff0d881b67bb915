//! What people do with incidents: assign, prioritise, close, reopen, annotate, open a case.
//!
//! Whoever works on it: `unassigned`, `assigned`, `in progress`, `completed`. Source: DOMAIN, "Incidents and
//! cases". A completed one is reopened before anything else is done with it.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Assignment, CaseWish, Command, Verb};
use linesman_schemas::{CommandId, IncidentId, OrgName};
use serde_json::{Value, json};

use super::Answer;
use crate::policies::Cause;
use crate::rows::{CaseState, IncidentRow, NOTES_MOST, NoteRow, Status, key};
use crate::subject::Incident;
use crate::{Domain, Error};

/// The incident a command is about.
fn incident_of(verb: &Verb) -> Option<&IncidentId> {
    match verb {
        Verb::AssignIncident(assignment) => Some(&assignment.incident),
        Verb::PrioritiseIncident(prioritisation) => Some(&prioritisation.incident),
        Verb::CloseIncident(note) | Verb::ReopenIncident(note) | Verb::AnnotateIncident(note) => Some(&note.incident),
        Verb::SubmitCase(wish) | Verb::SaveCase(wish) => Some(&wish.incident),
        Verb::SetOrganization(_)
        | Verb::SuspendOrganization
        | Verb::UnloadOrganization
        | Verb::RunPolicy(_)
        | Verb::ReplayInput(_) => None,
    }
}

impl Domain {
    /// Does what is asked of an incident of the organization.
    pub(super) fn change_incident(&mut self, org: &OrgName, command: &Command) -> Result<Answer, Error> {
        let id = incident_of(&command.verb).filter(|id| id.org == *org);
        let incident = id.map(|id| self.incident(id)).transpose()?.flatten();
        let Some(mut incident) = incident else {
            let name = incident_of(&command.verb).map(ToString::to_string).unwrap_or_default();
            return Ok(Answer::refused(Verdict::NotFound, format!("there is no incident `{name}` of `{org}`")));
        };
        let old = shown(&incident);
        let outcome = self.change(&mut incident, command)?;
        let answer = match outcome {
            Ok(detail) => {
                self.keep(&incident)?;
                Answer::done(detail, old, shown(&incident))
            }
            Err(detail) => Answer::refused(Verdict::Conflict, detail),
        };
        Ok(answer.about(&incident.id))
    }

    /// What was done, or why not.
    fn change(&mut self, incident: &mut Incident, command: &Command) -> Result<Result<&'static str, String>, Error> {
        let is_completed = incident.row.status == Status::Completed;
        match &command.verb {
            Verb::ReopenIncident(_) if !is_completed => return Ok(Err("the incident is not completed".to_owned())),
            Verb::ReopenIncident(_) | Verb::AnnotateIncident(_) => {}
            _ if is_completed => return Ok(Err("the incident is completed; reopen it first".to_owned())),
            _ => {}
        }
        let done = match &command.verb {
            Verb::AssignIncident(assignment) => assign(&mut incident.row, assignment),
            Verb::PrioritiseIncident(prioritisation) => {
                incident.row.priority = prioritisation.priority;
                Ok("prioritised")
            }
            Verb::CloseIncident(note) => {
                let noted = self.note(incident, command, &note.note)?;
                noted.map(|()| {
                    incident.row.status = Status::Completed;
                    "closed"
                })
            }
            Verb::ReopenIncident(note) => {
                let noted = self.note(incident, command, &note.note)?;
                noted.map(|()| {
                    incident.row.status = owned(&incident.row);
                    "reopened"
                })
            }
            Verb::AnnotateIncident(note) => self.note(incident, command, &note.note)?.map(|()| "annotated"),
            Verb::SubmitCase(wish) => self.submit_case(incident, &command.id, wish)?,
            Verb::SaveCase(wish) => match self.draft_case(incident, wish.case.clone()) {
                true => Ok("saved"),
                false => Err("the incident has a case already".to_owned()),
            },
            Verb::SetOrganization(_)
            | Verb::SuspendOrganization
            | Verb::UnloadOrganization
            | Verb::RunPolicy(_)
            | Verb::ReplayInput(_) => Err("this is not asked of an incident".to_owned()),
        };
        Ok(done)
    }

    /// Adds a note to an incident, unless there is nothing to say.
    fn note(&mut self, incident: &Incident, command: &Command, text: &str) -> Result<Result<(), String>, Error> {
        if text.is_empty() {
            return Ok(Ok(()));
        }
        let key = key::notes(&incident.id.org, incident.id.number);
        let mut row = self.state.read(&key)?.unwrap_or_default();
        if row.notes.len() >= NOTES_MOST {
            return Ok(Err(format!("the incident has {NOTES_MOST} notes, and takes no more")));
        }
        let note = NoteRow { at: self.position.now, actor: command.actor.clone(), text: text.to_owned() };
        row.notes.push(note);
        self.state.write(key, &row)?;
        Ok(Ok(()))
    }

    fn submit_case(
        &mut self,
        incident: &mut Incident,
        command: &CommandId,
        wish: &CaseWish,
    ) -> Result<Result<&'static str, String>, Error> {
        let state = self.open_case(incident, Cause::Command(command), wish.case.clone())?;
        Ok(match state {
            Some(CaseState::Withheld) => Ok("withheld by the filter level"),
            Some(_) => Ok("submitted"),
            None => Err("the incident has a case already".to_owned()),
        })
    }
}

fn assign(row: &mut IncidentRow, assignment: &Assignment) -> Result<&'static str, String> {
    if assignment.owner.is_empty() && assignment.in_progress {
        return Err("an incident in progress has an owner".to_owned());
    }
    row.owner.clone_from(&assignment.owner);
    row.status = if assignment.in_progress { Status::InProgress } else { owned(row) };
    Ok("assigned")
}

/// The status of an incident nobody has begun to work on.
fn owned(row: &IncidentRow) -> Status {
    if row.owner.is_empty() { Status::Unassigned } else { Status::Assigned }
}

/// What the audit shows of an incident.
fn shown(incident: &Incident) -> Value {
    json!({
        "status": incident.row.status.as_str(),
        "owner": incident.row.owner,
        "priority": incident.row.priority,
        "case": incident.case.as_ref().map(|case| case.state.as_str()),
    })
}
