//! What is asked of an incident's case.

use linesman_schemas::command::{Case, CaseWish, Command};
use linesman_schemas::{CommandId, OrgName};

use super::Answer;
use super::incidents::COMPLETED;
use crate::policies::Cause;
use crate::rows::{CaseState, Status};
use crate::subject::Incident;
use crate::{Domain, Error};

impl Domain {
    /// Does what is asked of the case of an incident of the organization.
    pub(super) fn ask_case(&mut self, org: &OrgName, command: &Command, verb: &Case) -> Result<Answer, Error> {
        self.with_incident(org, verb.incident(), |domain, incident| {
            if incident.row.status == Status::Completed {
                return Ok(Err(COMPLETED.to_owned()));
            }
            match verb {
                Case::Submit(wish) => domain.submit_case(incident, &command.id, wish),
                Case::Save(wish) => Ok(match domain.draft_case(incident, wish.case.clone()) {
                    true => Ok("saved"),
                    false => Err("the incident has a case already".to_owned()),
                }),
            }
        })
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
