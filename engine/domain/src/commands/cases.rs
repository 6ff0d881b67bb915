//! What is asked of an incident's case.

use linesman_schemas::Principal;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Case, CaseRemark, Command, Reported};

use super::incidents::COMPLETED;
use super::{Answer, Change};
use crate::cases::chain::StepKind;
use crate::cases::{self, BY_CHOICE, CaseState, cascade};
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
    let is_of_incident = matches!(verb, Case::Submit(_) | Case::Save(_));
    if is_of_incident && incident.row.status == Status::Completed {
        return Err(COMPLETED.to_owned());
    }
    // INVARIANT (what is to stay here does not leave unnoticed): whoever chooses is told where nobody heeds it.
    if let Case::Submit(wish) | Case::Save(wish) = verb
        && wish.case.chooses()
        && !desk.is_at(BY_CHOICE)
    {
        return Err(format!("`attachments` and `core_files` are chosen from engine level {BY_CHOICE} on"));
    }
    match verb {
        Case::Submit(wish) => {
            let cause = Cause::Command(command.id.clone());
            match cases::open(desk, organizations, incident, cause, wish.case.clone()) {
                Some((CaseState::Withheld, told)) => Ok(("withheld by the filter level", told.into_iter().collect())),
                Some((_, reaction)) => Ok(("submitted", reaction.into_iter().collect())),
                None => Err(THERE_IS_ONE.to_owned()),
            }
        }
        Case::Save(wish) if cases::draft(desk.now, incident, wish.case.clone()) => Ok(("saved", Vec::new())),
        Case::Save(_) => Err(THERE_IS_ONE.to_owned()),
        Case::Forward(_) => {
            let cause = Cause::Command(command.id.clone());
            cascade::forward(desk, organizations, incident, cause).map(|follows| ("forwarded", follows))
        }
        Case::Handle(_) => cascade::handle(incident).map(|()| ("handled here", Vec::new())),
        Case::Override(wanted) => cascade::override_words(desk, incident, wanted).map(|word| (word, Vec::new())),
        Case::Note(remark) => told(desk, organizations, incident, command, (StepKind::Note, remark), "noted"),
        Case::Close(remark) => told(desk, organizations, incident, command, (StepKind::Close, remark), "closed"),
        Case::Reopen(remark) => told(desk, organizations, incident, command, (StepKind::Reopen, remark), "reopened"),
        // It has no incident yet.
        Case::Report(_) => Ok(("reported", Vec::new())),
        // Rows of its own are read and written for it.
        Case::Keep(_) => Ok(("kept", Vec::new())),
    }
}

fn told(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    command: &Command,
    (kind, remark): (StepKind, &CaseRemark),
    done: &'static str,
) -> Change {
    let asked = cascade::Asked { kind, remark, principal: &command.principal, id: command.id.as_str() };
    let cause = Cause::Command(command.id.clone());
    cascade::remark(desk, organizations, incident, asked, cause).map(|follows| (done, follows))
}

/// Whether it is an end customer's controller that asks: nobody else reports cases and uploads bytes.
pub(crate) fn refuse_others(command: &Command) -> Option<Answer> {
    if matches!(command.principal, Principal::EndCustomer { .. }) {
        return None;
    }
    Some(Answer::refused(Verdict::Forbidden, format!("`{}` is no end customer's controller", command.principal)))
}

/// Whether a case may be reported: nobody but an end customer's controller does.
pub(crate) fn refuse_report(desk: &Desk, command: &Command, reported: &Reported) -> Option<Answer> {
    if let Some(refused) = refuse_others(command) {
        return Some(refused);
    }
    let refused = cascade::refuse_loop(desk, &reported.report).map(|detail| (Verdict::Conflict, detail));
    let refused =
        refused.or_else(|| cascade::refuse_deep(desk, &reported.report).map(|detail| (Verdict::Invalid, detail)));
    refused.map(|(verdict, detail)| Answer::refused(verdict, detail))
}
