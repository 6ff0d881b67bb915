//! What policies have gathered from devices: asked for as people ask, by a command whose principal is the policy.

use std::rc::Rc;

use linesman_rules::{Collecting, Policy};
use linesman_schemas::command::{Command, DeviceVerb, Gathering, Verb};
use linesman_schemas::gathering::GatheringKind;
use linesman_schemas::{OrgName, Principal};

use crate::commands::{self, Ground};
use crate::dead_letters::policy_dead;
use crate::policies::Fired;
use crate::subject::Incident;
use crate::{Domain, Error, reached, reactions};

impl Domain {
    /// A policy has data gathered from an incident's device. What is refused stands in a dead letter, and in the audit.
    pub(super) fn collect(
        &mut self,
        org: &OrgName,
        incident: &Incident,
        (policy, fired): (&Policy, &Rc<Fired>),
        collecting: Collecting,
    ) -> Result<(), Error> {
        if !reactions::may_react(&mut self.desk, org, policy, fired)? {
            return Ok(());
        }
        match self.collected(org, incident, (policy, fired), collecting)? {
            Some(detail) => {
                let detail = format!("refused: `collect` alone, and all else that the run asked for is done: {detail}");
                policy_dead(&mut self.desk, org, policy, fired, detail, None)
            }
            None => Ok(()),
        }
    }

    /// Asks for it; why it is refused.
    fn collected(
        &mut self,
        org: &OrgName,
        incident: &Incident,
        (policy, fired): (&Policy, &Rc<Fired>),
        Collecting { kind, synopsis, priority }: Collecting,
    ) -> Result<Option<String>, Error> {
        if !self.desk.is_at(reached::GATHERED_FROM) {
            return Ok(Some(format!("data is gathered from engine level {} on", reached::GATHERED_FROM)));
        }
        // INVARIANT (an end): an incident that was gathered leads to no other.
        if incident.row.is_off_box && kind != GatheringKind::Information {
            return Ok(Some("the incident is of data that was gathered: it leads to `information` alone".to_owned()));
        }
        let serial_number = &incident.row.serial_number;
        let Some(name) = reached::named(self.desk.state(), org, serial_number, &incident.device.host_name)? else {
            return Ok(Some(format!("`{org}` reaches no device `{serial_number}`")));
        };
        let gathered = self.desk.read(&reached::gathered_key(org, &name))?.unwrap_or_default();
        if gathered.run(kind).is_some_and(|run| run.state.is_open()) {
            // What is wanted is coming.
            return Ok(None);
        }
        let text = format!("{}~{}", fired.event, self.desk.decided_reactions);
        let Ok(id) = text.parse() else { return Ok(Some(format!("`{text}` is too long for a command's id"))) };
        let principal = Principal::Policy { name: policy.name().clone(), organization: Some(org.clone()) };
        let verb = Verb::Device(DeviceVerb::Gather(Gathering { name, kind, synopsis, priority, unless_since: None }));
        let command = Command { id, principal, node: String::new(), verb };
        let ground = Ground::of(&self.desk, &self.managers, &self.books, &command.principal)?;
        let answer = match commands::refusal(&self.desk, &self.managers, Some(org), &command)? {
            Some(refused) => refused,
            None => self.carry_out(org, &command)?,
        };
        let refused = (!answer.is_done()).then(|| answer.detail().to_owned());
        commands::conclude(&mut self.desk, Some(org), true, &command, answer, ground)?;
        Ok(refused)
    }
}
