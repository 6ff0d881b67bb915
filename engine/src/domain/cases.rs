//! Cases at the upstream: opened by policies, filtered before they leave, followed until closed.

use jiff::Timestamp;
use linesman_rules::{Policy, SubmitCase};
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::outcome::{CaseStanding, Report};
use linesman_schemas::reaction::{Action, CaseDetails, CaseRequest, WITHHELD};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{FilterLevel, IncidentId, OrgName};

use super::input::Input;
use super::rows::{CaseRow, CaseState, CaseText};
use super::subject::Incident;
use super::{Domain, Error};

impl Domain {
    /// Opens a case for an incident that has none; what the filter level holds back never becomes
    /// part of the reaction.
    pub(super) fn open_case(
        &mut self,
        incident: &mut Incident,
        policy: &Policy,
        event: &str,
        wanted: SubmitCase,
    ) -> Result<(), Error> {
        if incident.case.as_ref().is_some_and(|case| case.state != CaseState::Failed) {
            return Ok(());
        }
        let org = incident.id.org.clone();
        let level = self.organizations.filter_level(&org);
        let id = self.next_reaction(&org);
        let request = CaseText {
            synopsis: wanted.synopsis.unwrap_or_else(|| incident.row.synopsis.clone()),
            comments: wanted.comments.unwrap_or_default(),
            priority: wanted.priority,
            cc: wanted.cc,
            follow_up: wanted.follow_up.unwrap_or_default(),
        };
        let action = outgoing(incident, &request, level);
        incident.case = Some(CaseRow {
            state: if action.is_some() { CaseState::Waiting } else { CaseState::Withheld },
            reaction: id.to_string(),
            policy: policy.name().clone(),
            request,
            transaction_id: String::new(),
            case_id: String::new(),
            status: String::new(),
            previous_status: String::new(),
            link: String::new(),
            updated: Timestamp::UNIX_EPOCH,
            opened: self.position.now,
        });
        match action {
            Some(action) => self.react(&org, Some(incident), policy, event, &id, &action),
            None => Ok(()),
        }
    }

    /// Takes what a connector says besides attempts, and attempts.
    pub(super) fn take_report(&mut self, org: OrgName, report: &Report, input: &Input<'_>) -> Result<(), Error> {
        match report {
            Report::Attempt(attempt) => self.settle_attempt(Some(&org), attempt),
            Report::CaseChanged(standing) => {
                let incident = if standing.incident.org == org { self.incident(&standing.incident)? } else { None };
                match incident.filter(|incident| incident.case.is_some()) {
                    Some(incident) => {
                        self.tally.input("result", "case");
                        self.case_stands(incident, standing)
                    }
                    None => {
                        let detail = format!("there is no case for the incident `{}`", standing.incident);
                        self.dead(Some(org), input, Reason::UnknownCase, &detail, None)
                    }
                }
            }
        }
    }

    /// The upstream has accepted a case.
    pub(super) fn case_accepted(
        &mut self,
        id: &IncidentId,
        transaction_id: &str,
        standing: Option<&CaseStanding>,
    ) -> Result<(), Error> {
        let Some(mut incident) = self.incident(id)? else { return Ok(()) };
        let Some(case) = &mut incident.case else { return Ok(()) };
        transaction_id.clone_into(&mut case.transaction_id);
        let is_news = case.state == CaseState::Waiting;
        if is_news {
            case.state = CaseState::Submitted;
            self.fire(Trigger::IncidentSubmitted, &mut incident)?;
        }
        match standing.filter(|standing| standing.incident == *id) {
            Some(standing) => self.case_stands(incident, standing),
            None => self.keep(&incident),
        }
    }

    /// A case stands upstream as said: its id becomes known, or something changed.
    fn case_stands(&mut self, mut incident: Incident, standing: &CaseStanding) -> Result<(), Error> {
        let Some(case) = &mut incident.case else { return Ok(()) };
        if case.state == CaseState::Withheld || standing.updated < case.updated {
            return Ok(());
        }
        if matches!(case.state, CaseState::Waiting | CaseState::Failed) {
            // The answer to the submission was lost, or is still under way: the case speaks for it.
            case.state = CaseState::Submitted;
            self.fire(Trigger::IncidentSubmitted, &mut incident)?;
        }
        let Some(case) = &mut incident.case else { return Ok(()) };
        let link = standing.link.clone().unwrap_or_default();
        let is_first = case.case_id.is_empty();
        let is_changed = case.case_id != standing.case_id || case.status != standing.status || case.link != link;
        case.updated = standing.updated;
        if is_changed {
            case.case_id.clone_from(&standing.case_id);
            case.previous_status = std::mem::replace(&mut case.status, standing.status.clone());
            case.link = link;
            case.state = if standing.status.eq_ignore_ascii_case("closed") {
                CaseState::Closed
            } else if is_first {
                CaseState::Created
            } else {
                CaseState::Updated
            };
            self.fire(if is_first { Trigger::CaseAssigned } else { Trigger::CaseUpdated }, &mut incident)?;
        }
        self.keep(&incident)
    }

    /// A case is given up.
    pub(super) fn case_failed(&mut self, id: &IncidentId) -> Result<(), Error> {
        let Some(mut incident) = self.incident(id)? else { return Ok(()) };
        if let Some(case) = incident.case.as_mut().filter(|case| case.state == CaseState::Waiting) {
            case.state = CaseState::Failed;
        }
        self.keep(&incident)
    }

    /// Holds a waiting case against the organization's present filter level; the action that may
    /// still leave, if any may.
    pub(super) fn refilter(&mut self, id: &IncidentId) -> Result<Option<Action>, Error> {
        let level = self.organizations.filter_level(&id.org);
        let Some(mut incident) = self.incident(id)? else { return Ok(None) };
        let Some(case) = &mut incident.case else { return Ok(None) };
        let request = case.request.clone();
        let action = outgoing(&incident, &request, level);
        if action.is_none()
            && let Some(case) = incident.case.as_mut().filter(|case| case.state == CaseState::Waiting)
        {
            case.state = CaseState::Withheld;
            self.keep(&incident)?;
        }
        Ok(action)
    }
}

/// What may leave of a case at a filter level; nothing at `Do not send`.
///
/// INVARIANT (data leaves only filtered): until bundles are redacted, every level but `Send all
/// information` lets out the incident, its priority and a fixed synopsis, whatever a script wrote.
fn outgoing(incident: &Incident, text: &CaseText, level: FilterLevel) -> Option<Action> {
    let details = match level {
        FilterLevel::DoNotSend => return None,
        FilterLevel::All => Some(CaseDetails {
            host_event_id: incident.row.host_event_id.clone(),
            host_name: incident.device.host_name.clone(),
            serial_number: incident.row.serial_number.clone(),
            product: incident.device.product.clone(),
            platform: incident.device.platform.clone(),
            os_version: incident.device.os_version.clone(),
            event_type: incident.row.event_type.clone(),
            description: incident.row.description.clone(),
            comments: text.comments.clone(),
            cc: text.cc.clone(),
            follow_up: text.follow_up,
        }),
        FilterLevel::ExceptConfiguration | FilterLevel::AddressesOverwritten | FilterLevel::FeaturesOnly => None,
    };
    let synopsis = if details.is_some() { text.synopsis.clone() } else { WITHHELD.to_owned() };
    let priority = text.priority.unwrap_or(incident.row.priority);
    Some(Action::SubmitCase(Box::new(CaseRequest { incident: incident.id.clone(), priority, synopsis, details })))
}

/// The incident a pending reaction is about.
pub(super) fn incident_of(org: Option<&OrgName>, number: Option<u64>) -> Option<IncidentId> {
    Some(IncidentId { org: org?.clone(), number: number? })
}
