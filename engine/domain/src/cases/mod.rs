//! Cases at the upstream: opened by policies and people, filtered before they leave, followed until closed.
//!
//! | room | what |
//! |---|---|
//! | here | a case of an incident, at its upstream |
//! | `leaving` | what leaves of its texts |
//! | `cascade` | cases that end customers report, and what is told above and shown below |
//! | `wishes` | what several policies want of one, joined |
//! | `row`, `chain` | how both lie in the store |

pub(crate) mod cascade;
pub mod chain;
pub(crate) mod leaving;
mod row;
pub mod taken;
pub(crate) mod wishes;

use jiff::{Timestamp, ToSpan as _};
use linesman_schemas::cascade::SYNOPSIS_MOST;
use linesman_schemas::command::{
    ADDRESS_MOST, CASE_REFERENCE_MOST, CASE_TEXT_MOST, CaseWords, DETAIL_MOST, OWNER_MOST, SubmitCaseAs,
};
use linesman_schemas::outcome::{CaseNote, CaseStanding};
use linesman_schemas::reaction::{Action, CaseDetails, CaseRequest};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{FilterLevel, ReactionId};

use super::desk::Desk;
use super::follow::{Cause, Follow};
use super::incidents::history;
use super::organizations::Organizations;
use super::reactions::Decided;
use super::subject::Incident;
use super::{Error, addresses, upstream};
pub use chain::ChainRow;
use leaving::Texts;
use row::TESTS_STAY;
pub(crate) use row::{BY_CHOICE, FURTHER, find, keep, state_of};
pub use row::{CASES, CaseRow, CaseState, CaseText, Further, Stays, key, within};
use wishes::Wish;

/// The engine level from which on cases go through a cascade.
pub(crate) const CASCADE: u32 = 6;
/// The engine level from which on what was closed here stands closed whatever is said in place of the upstream's words, a note
/// is there once on whichever side it was said, and what fails or is withheld here is told below.
pub(crate) const SETTLED: u32 = 9;
/// The engine level from which on taking an override away is called so.
pub(crate) const CLEARS: u32 = 11;
/// What the synopsis of a case begins with that is none. Source: DOMAIN, "Organizations, groups, people".
const TEST_MARK: &str = "TEST CASE: ";

/// The longest synopsis that leaves from [`SETTLED`] on, in characters, so that what stands before that of a test has room.
const SYNOPSIS_ALONE: usize = SYNOPSIS_MOST - TEST_MARK.len();
/// How far an upstream's clock may be ahead of the log's.
const AHEAD_MINUTES: i64 = 15;
/// The longest alias that every upstream takes, in characters.
const ALIAS_UPWARD_MOST: usize = 256;

/// Opens a case for an incident that has none, or one that failed or was never submitted; what the filter level holds
/// back never becomes part of the reaction. How the case then stands and the reaction, or none where there was a case
/// already. One that is withheld is told from engine level 15 on.
pub(crate) fn open(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    cause: Cause,
    wanted: CaseWords,
) -> Option<(CaseState, Option<Follow>)> {
    let is_open = match incident.case.as_ref().map(|case| case.state) {
        None | Some(CaseState::Failed | CaseState::Draft) => false,
        // The level may have been raised since.
        Some(CaseState::Withheld) => cause.command().is_none(),
        Some(_) => true,
    };
    if is_open {
        return None;
    }
    let level = organizations.filter_level(&incident.id.org);
    let id = desk.next_reaction(&incident.id.org);
    let (stays, further) = (stays(incident, &wanted), further(incident, &wanted));
    let request = text(incident, wanted);
    begin_anew(incident);
    let action = outgoing(desk, organizations, incident, (&request, &further), level);
    let is_test = desk.is_at(TESTS_STAY) && is_test(desk, organizations, incident);
    let state = if action.is_some() { CaseState::Waiting } else { CaseState::Withheld };
    let policy = cause.policy().cloned();
    let case = new(desk.now, state, request);
    incident.case = Some(CaseRow { reaction: id.to_string(), policy, is_test, stays, further, ..case });
    let follows = match action {
        Some(action) => {
            Some(Follow::React(cause, Decided { id, destination: upstream::of_case(&desk.installed), action }))
        }
        None => withheld(desk),
    };
    Some((state, follows))
}

/// A case is withheld: what follows from that.
fn withheld(desk: &mut Desk) -> Option<Follow> {
    desk.tally.cases_withheld += 1;
    desk.is_at(history::LEVEL).then_some(Follow::Trigger(Trigger::CaseWithheld))
}

/// A policy wants a case for an incident: it is opened once all have had their say, or else nothing is done, which is told.
pub(crate) fn want(desk: &mut Desk, incident: &mut Incident, wish: Wish) -> Result<(), Error> {
    match &incident.case {
        Some(case) if !matches!(case.state, CaseState::Draft | CaseState::Failed) => {
            history::unused(desk, incident, wishes::in_vain(&wish.policy, &wish.fired, &wish.words))
        }
        _ => {
            incident.wishes.push(wish);
            Ok(())
        }
    }
}

/// Keeps what is to be said of an incident's case; whether there was none yet, but a draft.
pub(crate) fn draft(now: Timestamp, incident: &mut Incident, wanted: CaseWords) -> bool {
    if incident.case.as_ref().is_some_and(|case| case.state != CaseState::Draft) {
        return false;
    }
    let (stays, further) = (stays(incident, &wanted), further(incident, &wanted));
    let request = text(incident, wanted);
    incident.case = Some(CaseRow { stays, further, ..new(now, CaseState::Draft, request) });
    true
}

fn new(now: Timestamp, state: CaseState, request: CaseText) -> CaseRow {
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
        opened: now,
        is_test: false,
        stays: Stays::default(),
        further: Further::default(),
    }
}

/// The upstream has accepted the incident's case.
pub(crate) fn accepted(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    transaction_id: &str,
    standing: Option<CaseStanding>,
) -> Vec<Follow> {
    let Some(case) = &mut incident.case else { return Vec::new() };
    transaction_id.clone_into(&mut case.transaction_id);
    let mut follows = Vec::new();
    if case.state == CaseState::Waiting {
        case.state = CaseState::Submitted;
        follows.push(Follow::Trigger(Trigger::IncidentSubmitted));
    }
    follows.extend(cascade::next_step(desk, organizations, incident, Cause::Handling));
    follows.push(match standing.filter(|standing| standing.incident == incident.id) {
        Some(standing) => Follow::CaseStands(standing),
        None => Follow::Keep,
    });
    follows
}

/// The incident's case stands upstream as said: its id becomes known, or something changed.
pub(crate) fn stands(desk: &Desk, incident: &mut Incident, standing: CaseStanding) -> Vec<Follow> {
    let Some(case) = &mut incident.case else { return Vec::new() };
    if case.state == CaseState::Withheld || standing.updated < case.updated {
        // Level 1 lost the receipt that may have come with it.
        return if desk.is_at(2) { vec![Follow::Keep] } else { Vec::new() };
    }
    if matches!(case.state, CaseState::Draft | CaseState::Waiting | CaseState::Failed) {
        // The answer to the submission was lost, or is still under way: the case speaks for it.
        case.state = CaseState::Submitted;
        return vec![Follow::Trigger(Trigger::IncidentSubmitted), Follow::CaseStands(standing)];
    }
    let link = standing.link.unwrap_or_default();
    // Only partners tell of a case that has no id, and only since there are some.
    let is_first = case.case_id.is_empty() && !standing.case_id.is_empty();
    let is_noted = hear(desk, &mut incident.chain, standing.notes);
    let was_closed = case.status.eq_ignore_ascii_case(chain::CLOSED);
    let is_reopened =
        cascade::reopened_above(desk, &mut incident.chain, was_closed, &standing.status, standing.updated);
    let is_changed = case.case_id != standing.case_id
        || case.status != standing.status
        || case.link != link
        || is_noted
        || is_reopened;
    // INVARIANT (one wrong clock is not for ever): what is said to be of much later than now counts as of now, or what changes next
    // would be taken for older.
    let is_ahead = desk.now.checked_add(AHEAD_MINUTES.minutes()).is_ok_and(|most| standing.updated > most);
    case.updated = if is_ahead && desk.is_at(SETTLED) { desk.now } else { standing.updated };
    if !is_changed {
        return vec![Follow::Keep];
    }
    case.case_id.clone_from(&standing.case_id);
    case.state = if standing.status.eq_ignore_ascii_case(chain::CLOSED) {
        CaseState::Closed
    } else if is_first {
        CaseState::Created
    } else {
        CaseState::Updated
    };
    case.previous_status = std::mem::replace(&mut case.status, standing.status);
    case.link = link;
    vec![Follow::Trigger(if is_first { Trigger::CaseAssigned } else { Trigger::CaseUpdated }), Follow::Keep]
}

/// Keeps what the upstream has to say of a case; whether there is news.
fn hear(desk: &Desk, chain: &mut Option<ChainRow>, notes: Vec<CaseNote>) -> bool {
    let mut is_news = false;
    for CaseNote { id, author, at, text } in notes {
        let note = chain::NoteRow { id, author, at, text, side: chain::Side::Above };
        is_news |= chain.get_or_insert_default().say(desk, note);
    }
    is_news
}

/// Whether a reaction is the one that opens the incident's case.
pub(crate) fn is_opened_by(incident: &Incident, reaction: &ReactionId) -> bool {
    incident.case.as_ref().is_some_and(|case| case.reaction == reaction.as_str())
}

/// What was said of an incident's case that was given up with a reaction; none where it was not.
pub(crate) fn given_up(incident: &Incident, reaction: &str) -> Option<CaseWords> {
    let is_it = |case: &&CaseRow| case.state == CaseState::Failed && case.reaction == reaction;
    let CaseRow { request, stays, further, .. } = incident.case.as_ref().filter(is_it)?;
    let CaseText { synopsis, comments, priority, cc, follow_up } = request.clone();
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Some(CaseWords {
        synopsis: Some(synopsis),
        comments: Some(comments),
        priority,
        cc: Some(cc),
        follow_up: Some(follow_up),
        attachments: Some(!stays.attachments),
        core_files: Some(!stays.core_files),
        reference: given(&further.reference),
        address: given(&further.address),
    })
}

/// The incident's case is given up.
pub(crate) fn fail(incident: &mut Incident) {
    if let Some(case) = incident.case.as_mut().filter(|case| case.state == CaseState::Waiting) {
        case.state = CaseState::Failed;
    }
}

/// Holds an incident's waiting case against the organization's present filter level; the action that may still leave,
/// if any may. Where none may, the case is withheld, and the incident to be kept.
pub(crate) fn refilter(desk: &mut Desk, organizations: &Organizations, incident: &mut Incident) -> Option<Action> {
    let level = organizations.filter_level(&incident.id.org);
    let case = incident.case.as_ref()?;
    let (request, further) = (case.request.clone(), case.further.clone());
    let action = outgoing(desk, organizations, incident, (&request, &further), level);
    note_test(desk, organizations, incident);
    if action.is_none()
        && let Some(case) = incident.case.as_mut().filter(|case| case.state == CaseState::Waiting)
    {
        case.state = CaseState::Withheld;
        desk.tally.cases_withheld += 1;
    }
    action
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

/// What of an incident's bundle does not go along with its case: as is said, else as its draft has it. Where neither says
/// anything all goes along.
fn stays(incident: &Incident, words: &CaseWords) -> Stays {
    let draft = incident.case.as_ref().filter(|case| case.state == CaseState::Draft);
    let kept = draft.map(|case| case.stays).unwrap_or_default();
    Stays {
        attachments: words.attachments.map_or(kept.attachments, |goes| !goes),
        core_files: words.core_files.map_or(kept.core_files, |goes| !goes),
    }
}

/// What else is said of an incident's case: as it is given, else as its draft has it.
fn further(incident: &Incident, words: &CaseWords) -> Further {
    let draft = incident.case.as_ref().filter(|case| case.state == CaseState::Draft);
    let kept = draft.map(|case| case.further.clone()).unwrap_or_default();
    Further {
        reference: words.reference.clone().unwrap_or(kept.reference),
        address: words.address.clone().unwrap_or(kept.address),
    }
}

/// Finds where the spare parts of a case that somebody wants would go: to the address group that they name, or its draft does.
/// Why it cannot be opened so: there is no such group, or nobody names one yet.
pub(crate) fn place(desk: &Desk, incident: &mut Incident, words: &CaseWords) -> Result<Result<(), String>, Error> {
    if words.says_more() && !desk.is_at(FURTHER) {
        return Ok(Err(format!("`reference` and `address` are given from engine level {FURTHER} on")));
    }
    if incident.case.as_ref().is_some_and(|case| !matches!(case.state, CaseState::Draft | CaseState::Failed)) {
        return Ok(Ok(()));
    }
    let name = further(incident, words).address;
    let (org, serial_number) = (&incident.id.org, &incident.row.serial_number);
    if !name.is_empty() && !addresses::has(desk, org, &name)? {
        return Ok(Err(format!("there is no address group `{name}`")));
    }
    incident.ship_to = addresses::of_case(desk, org, &name, serial_number)?;
    Ok(Ok(()))
}

/// Whether an incident's case is a try and no case: it was opened as one, its organization's are, or it was reported as one.
///
/// INVARIANT (nothing of a test leaves as a case): what was opened as a test stays one, whatever its organization's cases are
/// by now.
pub(crate) fn is_test(desk: &Desk, organizations: &Organizations, incident: &Incident) -> bool {
    let reported = incident.chain.as_ref().and_then(|chain| chain.reported.as_ref());
    let row = organizations.row(&incident.id.org);
    let was_opened_so = desk.is_at(TESTS_STAY) && incident.case.as_ref().is_some_and(|case| case.is_test);
    was_opened_so
        || row.is_some_and(|row| row.submit_case_as == SubmitCaseAs::Test)
        || reported.is_some_and(|reported| reported.is_test)
}

/// The incident's case is opened anew: how it was before says nothing of how it is now.
fn begin_anew(incident: &mut Incident) {
    if let Some(case) = &mut incident.case {
        case.is_test = false;
    }
}

/// Keeps with the incident's case whether what is to leave says that it is a test.
fn note_test(desk: &Desk, organizations: &Organizations, incident: &mut Incident) {
    let is_test = desk.is_at(TESTS_STAY) && is_test(desk, organizations, incident);
    if let Some(case) = &mut incident.case {
        case.is_test = is_test;
    }
}

/// From which engine level on the route of a case and what it is called below are held back as its other texts are.
pub(crate) const ROUTES_FILTERED: u32 = 10;

/// Whether a controller in a route is named as ours are, by when its log was made.
pub(crate) fn is_moment(controller: &str) -> bool {
    controller.parse::<Timestamp>().is_ok()
}

/// What may leave of a case at a filter level; nothing at `Do not send`.
///
/// INVARIANT (data leaves only filtered): where texts are withheld the incident leaves, its priority, what the organization is
/// called here, the moments of its route and a fixed synopsis, whatever a script or somebody below wrote.
fn outgoing(
    desk: &Desk,
    organizations: &Organizations,
    incident: &Incident,
    (text, further): (&CaseText, &Further),
    level: FilterLevel,
) -> Option<Action> {
    if level == FilterLevel::DoNotSend {
        return None;
    }
    let texts = Texts::at(desk, level);
    let reported = incident.chain.as_ref().and_then(|chain| chain.reported.as_ref());
    let row = organizations.row(&incident.id.org);
    // What came from below without details has none.
    let has_details = !texts.are_withheld() && reported.is_none_or(|reported| reported.has_details);
    let synopsis = texts.line(&text.synopsis, if desk.is_at(SETTLED) { SYNOPSIS_ALONE } else { DETAIL_MOST });
    let is_test = is_test(desk, organizations, incident);
    let synopsis =
        if is_test && !synopsis.starts_with(TEST_MARK) { format!("{TEST_MARK}{synopsis}") } else { synopsis };
    let alias = match reported {
        Some(reported) => reported.alias.clone(),
        None => row.map(|row| row.alias.clone()).unwrap_or_default(),
    };
    let alias = match desk.is_at(SETTLED) && !texts.are_withheld() {
        true => texts.line(&alias, ALIAS_UPWARD_MOST),
        // What stands behind its first part was said below.
        false if desk.is_at(ROUTES_FILTERED) => {
            let own = alias.split('/').next().unwrap_or_default();
            Texts::at(desk, FilterLevel::AddressesOverwritten).line(own, ALIAS_UPWARD_MOST)
        }
        false => alias,
    };
    let mut trace_route = reported.map(|reported| reported.trace_route.clone()).unwrap_or_default();
    if desk.is_at(ROUTES_FILTERED) {
        for passed in trace_route.iter_mut().filter(|passed| !is_moment(passed)) {
            *passed = texts.line(passed, DETAIL_MOST);
        }
    }
    if reported.is_some() || desk.installed.has_partner {
        trace_route.push(desk.installed.controller.clone());
    }
    // The case's own comes before the device's, and the device's own before the organization's.
    let address = incident.ship_to.as_deref().or(row.map(|row| row.address.as_str()));
    let address = address.filter(|_| !texts.are_withheld()).map(|address| texts.text(address, ADDRESS_MOST));
    Some(Action::SubmitCase(Box::new(CaseRequest {
        incident: incident.id.clone(),
        priority: text.priority.unwrap_or(incident.row.priority),
        synopsis,
        details: has_details.then(|| details(&texts, incident, text, further)),
        alias,
        address: address.unwrap_or_default(),
        trace_route,
    })))
}

/// What leaves of an incident's case as all stands now; of an incident that has none, what would of one in its own words.
/// Nothing at `Do not send`.
pub(crate) fn as_it_leaves(
    desk: &Desk,
    organizations: &Organizations,
    incident: &Incident,
) -> Option<Box<CaseRequest>> {
    let level = organizations.filter_level(&incident.id.org);
    let case = incident.case.as_ref();
    let words = case.map_or_else(|| text(incident, CaseWords::default()), |case| case.request.clone());
    let further = case.map(|case| case.further.clone()).unwrap_or_default();
    match outgoing(desk, organizations, incident, (&words, &further), level) {
        Some(Action::SubmitCase(request)) => Some(request),
        _ => None,
    }
}

/// What else leaves of a case whose texts do.
fn details(texts: &Texts, incident: &Incident, text: &CaseText, further: &Further) -> CaseDetails {
    let line = |line: &str| texts.line(line, DETAIL_MOST);
    CaseDetails {
        host_event_id: line(&incident.row.host_event_id),
        host_name: line(&incident.device.host_name),
        serial_number: line(&incident.row.serial_number),
        product: line(&incident.device.product),
        platform: line(&incident.device.platform),
        os_version: line(&incident.device.os_version),
        event_type: line(&incident.row.event_type),
        description: texts.text(&incident.row.description, DETAIL_MOST),
        comments: texts.text(&text.comments, CASE_TEXT_MOST),
        cc: text.cc.iter().map(|cc| texts.line(cc, OWNER_MOST)).collect(),
        follow_up: text.follow_up,
        reference: texts.line(&further.reference, CASE_REFERENCE_MOST),
    }
}
