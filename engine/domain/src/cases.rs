//! Cases at the upstream: opened by policies, filtered before they leave, followed until closed.

use jiff::Timestamp;
use linesman_schemas::command::CaseWords;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::outcome::{CaseStanding, Report};
use linesman_schemas::reaction::{Action, CaseDetails, CaseRequest, WITHHELD};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{FilterLevel, IncidentId, OrgName, ReactionId};

use super::input::Input;
use super::policies::Cause;
use super::rows::{CaseRow, CaseState, CaseText};
use super::subject::Incident;
use super::{Domain, Error, upstream};

impl Domain {
    /// Opens a case for an incident that has none, or one that failed or was never submitted; what the
    /// filter level holds back never becomes part of the reaction. How the case then stands, or none
    /// where there was one already.
    pub(super) fn open_case(
        &mut self,
        incident: &mut Incident,
        cause: Cause<'_>,
        wanted: CaseWords,
    ) -> Result<Option<CaseState>, Error> {
        let is_open = match incident.case.as_ref().map(|case| case.state) {
            None | Some(CaseState::Failed | CaseState::Draft) => false,
            // The level may have been raised since.
            Some(CaseState::Withheld) => cause.command().is_none(),
            Some(_) => true,
        };
        if is_open {
            return Ok(None);
        }
        let org = incident.id.org.clone();
        let level = self.organizations.filter_level(&org);
        let id = self.next_reaction(&org);
        let request = text(incident, wanted);
        let action = outgoing(incident, &request, level);
        let state = if action.is_some() { CaseState::Waiting } else { CaseState::Withheld };
        let policy = cause.policy().cloned();
        incident.case = Some(CaseRow { reaction: id.to_string(), policy, ..self.new_case(state, request) });
        if let Some(action) = action {
            self.react(&org, Some(incident), cause, &id, &upstream::of_case(), &action)?;
        }
        Ok(Some(state))
    }

    /// Keeps what is to be said of an incident's case; whether there was none yet, but a draft.
    pub(super) fn draft_case(&self, incident: &mut Incident, wanted: CaseWords) -> bool {
        if incident.case.as_ref().is_some_and(|case| case.state != CaseState::Draft) {
            return false;
        }
        let request = text(incident, wanted);
        incident.case = Some(self.new_case(CaseState::Draft, request));
        true
    }

    fn new_case(&self, state: CaseState, request: CaseText) -> CaseRow {
        CaseRow {
            state,
            reaction: String::new(),
            policy: None,
            request,
            transaction_id: String::new(),
            case_id: String::new(),
            status: String::new(),
            previous_status: String::new(),
            link: String::new(),
            updated: Timestamp::UNIX_EPOCH,
            opened: self.position.now,
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
        if matches!(case.state, CaseState::Draft | CaseState::Waiting | CaseState::Failed) {
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

    /// Whether a reaction is the one that opens the incident's case.
    pub(super) fn opens_case(&self, id: &IncidentId, reaction: &ReactionId) -> Result<bool, Error> {
        let case = self.incident(id)?.and_then(|incident| incident.case);
        Ok(case.is_some_and(|case| case.reaction == reaction.as_str()))
    }

    /// A reaction of an incident is given up; with the one that opens its case, the case is.
    pub(super) fn case_failed(&mut self, id: &IncidentId, reaction: &ReactionId) -> Result<(), Error> {
        let Some(mut incident) = self.incident(id)? else { return Ok(()) };
        if incident.case.as_ref().is_none_or(|case| case.reaction != reaction.as_str()) {
            return Ok(());
        }
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

/// What is said of an incident's case: the words given, else those of its draft, else the incident's own.
fn text(incident: &Incident, words: CaseWords) -> CaseText {
    let draft = incident.case.as_ref().filter(|case| case.state == CaseState::Draft);
    let kept = draft.map(|case| case.request.clone());
    let kept = kept.unwrap_or_else(|| CaseText { synopsis: incident.row.synopsis.clone(), ..CaseText::default() });
    CaseText {
        synopsis: words.synopsis.unwrap_or(kept.synopsis),
        comments: words.comments.unwrap_or(kept.comments),
        priority: words.priority.or(kept.priority),
        cc: words.cc.unwrap_or(kept.cc),
        follow_up: words.follow_up.unwrap_or(kept.follow_up),
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
