//! How a case stands, as the end customer who reported it sees it.

use linesman_domain::Error;
use linesman_domain::cases::{self, ChainRow, chain};
use linesman_domain::table::Table;
use linesman_schemas::cascade::CaseView;
use linesman_schemas::{IncidentId, OrgName};

use crate::store::Lane;

/// A number no incident has: they count from 1, and never so far.
const NOBODYS: u64 = u64::MAX;

/// A case that an end customer has reported.
pub(super) struct Reported {
    /// The incident it became.
    pub(super) incident: IncidentId,
    /// What the cascade knows of it.
    pub(super) chain: ChainRow,
}

/// The case of a receipt, if the organization was given that. What is another's, or no receipt at all, is looked for
/// like one of the organization's own that does not exist.
///
/// # Errors
/// The store cannot be read.
pub(super) fn find(lane: &Lane, org: &OrgName, transaction_id: &str) -> Result<Option<Reported>, Error> {
    let named = chain::of_transaction(transaction_id).filter(|incident| incident.org == *org);
    let number = named.map_or(NOBODYS, |incident| incident.number);
    find_number(lane, org, number)
}

fn find_number(lane: &Lane, org: &OrgName, number: u64) -> Result<Option<Reported>, Error> {
    let chain = Table::read(lane, &chain::key(org, number))?.filter(|chain| chain.reported.is_some());
    Ok(chain.map(|chain| Reported { incident: IncidentId { org: org.clone(), number }, chain }))
}

/// The case of an incident of the organization, as [`Reported::view`] has it.
///
/// # Errors
/// The store cannot be read.
pub(super) fn of_incident(lane: &Lane, org: &OrgName, number: u64) -> Result<Option<CaseView>, Error> {
    match find_number(lane, org, number)? {
        Some(reported) => reported.view(lane),
        None => Ok(None),
    }
}

/// The receipt that an incident's case was given.
///
/// # Errors
/// The store cannot be read.
pub(super) fn receipt(lane: &Lane, org: &OrgName, number: u64) -> Result<Option<String>, Error> {
    let reported = find_number(lane, org, number)?.and_then(|found| found.chain.reported);
    Ok(reported.map(|reported| reported.transaction_id))
}

impl Reported {
    /// How it stands; none where it has no case.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn view(&self, lane: &Lane) -> Result<Option<CaseView>, Error> {
        let Self { incident, chain } = self;
        let case = Table::read(lane, &cases::key(&incident.org, incident.number))?;
        let (Some(case), Some(reported)) = (case, &chain.reported) else { return Ok(None) };
        let Ok(tracking_number) = reported.tracking_number.parse() else { return Ok(None) };
        // As it could last see it change, so that it hears of whatever it sees.
        let words = if chain.change > 0 { chain.told.clone() } else { chain::shown(&case, Some(chain)) };
        let chain::Words { case_id, link, status } = words;
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(Some(CaseView {
            transaction_id: reported.transaction_id.clone(),
            tracking_number,
            case_id: given(case_id),
            link: given(link),
            status,
            updated: chain.updated,
            notes: chain.notes_below().collect(),
        }))
    }

    /// Whether the end customer has said this already.
    pub(super) fn has_note(&self, id: &str) -> bool {
        self.chain.notes.iter().any(|note| note.side == chain::Side::Below && note.id == id)
    }
}
