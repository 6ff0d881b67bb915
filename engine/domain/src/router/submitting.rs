//! A case that somebody submits: it is opened, or what of it was given up goes again. From engine level 17 on.

use linesman_schemas::OrgName;
use linesman_schemas::command::{Case, CaseWish, CaseWords, Command, GivenUp};

use crate::commands::incidents::COMPLETED;
use crate::commands::{self, Answer, Change};
use crate::desk::Desk;
use crate::follow::Follow;
use crate::incidents::Status;
use crate::organizations::Organizations;
use crate::subject::Incident;
use crate::{Domain, Error, cases, uploads};

impl Domain {
    /// Submits the case of an incident. Where it has one, and nothing is said of it, its files go again that were given up. What a
    /// dead letter tells of goes again alone: the case as it was wanted, or a file.
    pub(super) fn submit(&mut self, org: &OrgName, command: &Command, wish: &CaseWish) -> Result<Answer, Error> {
        let answer = self.change_incident(org, command, &wish.incident, |desk, organizations, incident| {
            submitted(desk, organizations, incident, command, wish)
        })?;
        Ok(if wish.given_up.is_some() && answer.is_done() { answer.run() } else { answer })
    }
}

fn submitted(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    command: &Command,
    wish: &CaseWish,
) -> Result<Change, Error> {
    let CaseWish { incident: id, case, given_up } = wish;
    let reaction = given_up.as_ref().map(|GivenUp { reaction, .. }| reaction.as_str());
    if incident.row.status == Status::Completed {
        return Ok(Err(COMPLETED.to_owned()));
    }
    let again = reaction.and_then(|reaction| cases::given_up(incident, reaction));
    let says_nothing = *case == CaseWords::default();
    if again.is_none() && says_nothing && uploads::again(desk, organizations, incident, reaction)? {
        return Ok(Ok(("its files go again", vec![Follow::Upload])));
    }
    let case = match (again, reaction) {
        (Some(words), _) => words,
        (None, Some(reaction)) => {
            return Ok(Err(format!("nothing that the reaction `{reaction}` was to bring may go again")));
        }
        (None, None) => case.clone(),
    };
    if let Err(detail) = cases::place(desk, incident, &case)? {
        return Ok(Err(detail));
    }
    let verb = Case::Submit(CaseWish { incident: id.clone(), case, given_up: None });
    Ok(commands::cases::ask(desk, organizations, incident, command, &verb))
}
