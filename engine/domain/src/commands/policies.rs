//! A policy that failed judges again what it failed on.
//!
//! Its present text runs, on its subject as it is now: whoever asks has mended the one or the other.

use std::rc::Rc;

use linesman_rules::{Subject, SubjectKind};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::PolicyRun;
use linesman_schemas::{IncidentId, OrgName};
use serde_json::{Value, json};

use super::Answer;
use crate::policies::{Again, Fired};
use crate::rows::{IntelligenceRow, key};
use crate::subject::{Incident, IntelligenceMessage};
use crate::{Domain, Error};

impl Domain {
    /// Lets a policy judge again, if it still matches.
    pub(super) fn run_policy(&mut self, org: &OrgName, run: &PolicyRun) -> Result<Answer, Error> {
        let fired = Fired { trigger: run.trigger, event: run.event.clone(), about: run.about.clone() };
        let judged = if SubjectKind::of(run.trigger).has_incident() {
            self.judge_incident_again(org, run, &fired)?
        } else {
            self.judge_message_again(org, run, &fired)?
        };
        let answer = match judged {
            None => {
                let detail = format!("`{org}` has nothing named `{}` for {}", run.about, run.trigger);
                Answer::refused(Verdict::NotFound, detail)
            }
            Some(Again::NoMatch) => {
                let detail = format!("no policy `{}` matches `{}` on {}", run.policy, run.about, run.trigger);
                Answer::refused(Verdict::Conflict, detail)
            }
            Some(Again::Failed(failure)) => Answer::refused(Verdict::Conflict, format!("it failed again: {failure}")),
            Some(Again::Done) => Answer::done("run", Value::Null, json!(run)),
        };
        Ok(answer.about(&run.about))
    }

    /// None where there is no such incident, or no case of it.
    fn judge_incident_again(&mut self, org: &OrgName, run: &PolicyRun, fired: &Fired) -> Result<Option<Again>, Error> {
        let id: Option<IncidentId> = run.about.parse().ok().filter(|id: &IncidentId| id.org == *org);
        let Some(mut incident) = id.map(|id| self.incident(&id)).transpose()?.flatten() else { return Ok(None) };
        incident.kind = SubjectKind::of(run.trigger);
        if incident.kind == SubjectKind::Update && incident.case.is_none() {
            return Ok(None);
        }
        let subject: Rc<dyn Subject> = Rc::new(Incident::clone(&incident));
        let judged = self.judge_again(org, Some(&mut incident), &subject, &run.policy, fired)?;
        self.keep(&incident)?;
        Ok(Some(judged))
    }

    /// None where there is no such message.
    fn judge_message_again(&mut self, org: &OrgName, run: &PolicyRun, fired: &Fired) -> Result<Option<Again>, Error> {
        let row: Option<IntelligenceRow> = self.state.read(&key::intelligence(org, &run.about))?;
        let Some(row) = row else { return Ok(None) };
        let subject: Rc<dyn Subject> = Rc::new(IntelligenceMessage::new(row.message, row.received));
        Ok(Some(self.judge_again(org, None, &subject, &run.policy, fired)?))
    }
}
