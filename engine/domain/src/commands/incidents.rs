//! What people do with incidents: assign, prioritise, close, reopen, annotate.
//!
//! Whoever works on it: `unassigned`, `assigned`, `in progress`, `completed`. Source: DOMAIN, "Incidents and
//! cases". A completed one is reopened before anything else is done with it.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{self, Assignment, Command};
use linesman_schemas::{IncidentId, OrgName};
use serde_json::{Value, json};

use super::Answer;
use crate::rows::{IncidentRow, NOTES_MOST, NoteRow, Status, key};
use crate::subject::Incident;
use crate::{Domain, Error};

/// Why nothing more is done with an incident.
pub(super) const COMPLETED: &str = "the incident is completed; reopen it first";

impl Domain {
    /// Does what is asked of an incident of the organization.
    pub(super) fn ask_incident(
        &mut self,
        org: &OrgName,
        command: &Command,
        verb: &command::Incident,
    ) -> Result<Answer, Error> {
        self.with_incident(org, verb.incident(), |domain, incident| domain.change(incident, command, verb))
    }

    /// Looks an incident of the organization up, and keeps it if `change` says what was done instead of why not.
    pub(super) fn with_incident(
        &mut self,
        org: &OrgName,
        id: &IncidentId,
        change: impl FnOnce(&mut Self, &mut Incident) -> Result<Result<&'static str, String>, Error>,
    ) -> Result<Answer, Error> {
        let incident = if id.org == *org { self.incident(id)? } else { None };
        let Some(mut incident) = incident else {
            return Ok(Answer::refused(Verdict::NotFound, format!("there is no incident `{id}` of `{org}`")));
        };
        let old = shown(&incident);
        let answer = match change(self, &mut incident)? {
            Ok(detail) => {
                self.keep(&incident)?;
                Answer::done(detail, old, shown(&incident))
            }
            Err(detail) => Answer::refused(Verdict::Conflict, detail),
        };
        Ok(answer.about(&incident.id))
    }

    /// What was done, or why not.
    fn change(
        &mut self,
        incident: &mut Incident,
        command: &Command,
        verb: &command::Incident,
    ) -> Result<Result<&'static str, String>, Error> {
        use command::Incident::{Annotate, Assign, Close, Prioritise, Reopen};

        let is_completed = incident.row.status == Status::Completed;
        match verb {
            Reopen(_) if !is_completed => return Ok(Err("the incident is not completed".to_owned())),
            Assign(_) | Prioritise(_) | Close(_) if is_completed => return Ok(Err(COMPLETED.to_owned())),
            Assign(_) | Prioritise(_) | Close(_) | Reopen(_) | Annotate(_) => {}
        }
        let done = match verb {
            Assign(assignment) => assign(&mut incident.row, assignment),
            Prioritise(prioritisation) => {
                incident.row.priority = prioritisation.priority;
                Ok("prioritised")
            }
            Close(note) => {
                let noted = self.note(incident, command, &note.note)?;
                noted.map(|()| {
                    incident.row.status = Status::Completed;
                    "closed"
                })
            }
            Reopen(note) => {
                let noted = self.note(incident, command, &note.note)?;
                noted.map(|()| {
                    incident.row.status = owned(&incident.row);
                    "reopened"
                })
            }
            Annotate(note) => self.note(incident, command, &note.note)?.map(|()| "annotated"),
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
        let note = NoteRow { at: self.position.now, actor: command.principal.to_string(), text: text.to_owned() };
        row.notes.push(note);
        self.state.write(key, &row)?;
        Ok(Ok(()))
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
