//! What is done with cases between the controllers of a cascade: reported from below, sent on or solved here, shown
//! below, and told above.

use jiff::Timestamp;
use linesman_schemas::cascade::{CONTROLLER_MOST, CaseReport, CaseStep, TRACE_MOST};
use linesman_schemas::command::{CaseOverride, CaseRemark, Handling, NOTE_MOST, OWNER_MOST, Reported};
use linesman_schemas::outcome::CaseNote;
use linesman_schemas::reaction::{Action, CaseTelling};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{FilterLevel, IncidentId, OrgName, Principal};
use serde_json::{Value, json};

use super::chain::{self, ChainRow, LeadsTo, NoteRow, ReportedRow, Side, StepKind, StepRow, Words};
use super::leaving::Texts;
use super::{
    ALIAS_UPWARD_MOST, CLEARS, CaseRow, CaseState, CaseText, FURTHER, Further, SETTLED, TEST_MARK, begin_anew, is_test,
    new, note_test, outgoing, withheld,
};
use crate::Error;
use crate::desk::Desk;
use crate::follow::{Cause, Follow};
use crate::organizations::Organizations;
use crate::reactions::Decided;
use crate::subject::Incident;
use crate::upstream;

/// The most that the upstream may still have to be told of a case.
const STEPS_MOST: usize = 100;

/// Why a case is not taken: it has passed this controller already.
pub(crate) fn refuse_loop(desk: &Desk, report: &CaseReport) -> Option<String> {
    let here = desk.installed.controller.as_str();
    report.trace_route.iter().any(|passed| passed == here).then(|| {
        let route = report.trace_route.join(" > ");
        format!("the case has passed this controller already: {route} > {here}; an upstream leads back here")
    })
}

/// Why a case is not taken: no upstream would take it with this controller's name behind the others.
pub(crate) fn refuse_deep(desk: &Desk, report: &CaseReport) -> Option<String> {
    let count = report.trace_route.len();
    (desk.is_at(SETTLED) && count >= TRACE_MOST).then(|| {
        format!(
            "the case has passed {count} controllers: one that has passed {TRACE_MOST} with this one goes no further"
        )
    })
}

/// Makes an incident's case of what an end customer has reported.
pub(crate) fn report(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    reported: &Reported,
) -> Result<Vec<Follow>, Error> {
    let Reported { key, report } = reported;
    let org = &incident.id.org;
    let name = organizations.row(org).map(|row| row.alias.as_str()).filter(|alias| !alias.is_empty());
    let name = name.unwrap_or(org.as_str());
    let alias = if report.alias.is_empty() { name.to_owned() } else { format!("{name}/{}", report.alias) };
    let alias = if desk.is_at(SETTLED) { shortened(&alias) } else { alias };
    let request = CaseText {
        synopsis: report.synopsis.clone(),
        priority: Some(report.priority),
        ..report.details.as_ref().map_or_else(CaseText::default, |details| CaseText {
            comments: details.comments.clone(),
            cc: details.cc.clone(),
            follow_up: details.follow_up,
            ..CaseText::default()
        })
    };
    // Below that level nobody kept it.
    let details = report.details.as_ref().filter(|_| desk.is_at(FURTHER));
    let reference = details.map(|details| details.reference.clone()).unwrap_or_default();
    let further = Further { reference, ..Further::default() };
    incident.case = Some(CaseRow { further, ..new(desk.now, CaseState::Reported, request) });
    incident.chain = Some(ChainRow {
        reported: Some(ReportedRow {
            key: key.clone(),
            tracking_number: report.tracking_number.to_string(),
            transaction_id: chain::transaction_id(&incident.id),
            alias,
            trace_route: report.trace_route.clone(),
            has_details: report.details.is_some(),
            is_test: report.synopsis.starts_with(TEST_MARK),
        }),
        updated: desk.now,
        ..ChainRow::default()
    });
    desk.write(chain::key_of(org, key), &LeadsTo { incident: incident.id.number })?;
    Ok(vec![Follow::Trigger(Trigger::IncidentReported), Follow::RouteCase, Follow::Keep])
}

/// An alias as every upstream takes it: the controller's own name for the one below stays, and as many of the names at the
/// bottom as there is room for.
fn shortened(alias: &str) -> String {
    const LEFT_OUT: &str = "/...";
    let length = |text: &str| text.chars().count();
    if length(alias) <= ALIAS_UPWARD_MOST {
        return alias.to_owned();
    }
    let (own, below) = alias.split_once('/').unwrap_or((alias, ""));
    let own: String = own.chars().take(CONTROLLER_MOST).collect();
    let room = ALIAS_UPWARD_MOST.saturating_sub(length(&own) + length(LEFT_OUT));
    let tails = below.match_indices('/').filter_map(|(at, _)| below.get(at..));
    let tail = tails.into_iter().find(|tail| length(tail) <= room).unwrap_or_default();
    format!("{own}{LEFT_OUT}{tail}")
}

/// Who solves a case that was reported, where no policy has said: as its organization has it.
pub(crate) fn route(desk: &mut Desk, organizations: &Organizations, incident: &mut Incident) -> Vec<Follow> {
    let handling = organizations.row(&incident.id.org).map_or(Handling::Forward, |row| row.handling);
    match handling {
        Handling::Forward => forward(desk, organizations, incident, Cause::Handling).unwrap_or_default(),
        Handling::Own => handle(incident).map(|()| Vec::new()).unwrap_or_default(),
    }
}

/// Whether somebody has to say who solves a case: it was reported, and nobody has.
pub(crate) fn is_unrouted(incident: &Incident) -> bool {
    incident.chain.as_ref().is_some_and(|chain| chain.reported.is_some() && chain.handling.is_none())
}

const NOT_REPORTED: &str = "the case was not reported by an end customer";

/// Sends a case that was reported on to the upstream; what follows, or why not.
pub(crate) fn forward(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    cause: Cause,
) -> Result<Vec<Follow>, String> {
    let case = forwardable(incident)?.0;
    let (request, further) = (case.request.clone(), case.further.clone());
    let level = organizations.filter_level(&incident.id.org);
    let id = desk.next_reaction(&incident.id.org);
    begin_anew(incident);
    let action = outgoing(desk, organizations, incident, (&request, &further), level);
    note_test(desk, organizations, incident);
    let state = if action.is_some() { CaseState::Waiting } else { CaseState::Withheld };
    let policy = cause.policy().cloned();
    if let Some(case) = &mut incident.case {
        (case.state, case.reaction, case.policy) = (state, id.to_string(), policy);
    }
    if let Some(chain) = &mut incident.chain {
        chain.handling = Some(Handling::Forward);
        chain.steps = said_before(chain, desk.now);
    }
    let destination = upstream::of_case(&desk.installed);
    let follows = match action {
        Some(action) => Some(Follow::React(cause, Decided { id, destination, action })),
        None => withheld(desk),
    };
    Ok(follows.into_iter().collect())
}

/// A case that can be sent on to the upstream and what was reported, or why not.
fn forwardable(incident: &Incident) -> Result<(&CaseRow, &ReportedRow), String> {
    let (Some(case), Some(chain)) = (&incident.case, &incident.chain) else { return Err(NOT_REPORTED.to_owned()) };
    let Some(reported) = &chain.reported else { return Err(NOT_REPORTED.to_owned()) };
    let is_sent = matches!(
        case.state,
        CaseState::Waiting | CaseState::Submitted | CaseState::Created | CaseState::Updated | CaseState::Closed
    );
    if is_sent && chain.handling == Some(Handling::Forward) {
        return Err("the case is with the upstream already".to_owned());
    }
    Ok((case, reported))
}

/// What of a case would go to which upstream, were it sent on now, in the words that are kept of it; or why not. What is
/// said of it later goes as with every case that is there.
pub(crate) fn forwards(desk: &Desk, organizations: &Organizations, incident: &Incident) -> Result<Value, String> {
    let (case, reported) = forwardable(incident)?;
    let CaseText { synopsis, comments, priority, cc, follow_up } = &case.request;
    let mut told = json!({
        "upstream": upstream::of_case(&desk.installed).to_string(),
        "filter_level": organizations.filter_level(&incident.id.org),
        "is_test": is_test(desk, organizations, incident),
        "alias": reported.alias,
        "synopsis": synopsis,
        "comments": comments,
        "priority": priority.unwrap_or(incident.row.priority),
        "cc": cc,
        "follow_up": follow_up,
        // Somebody may have taken it on here meanwhile, or it is solved.
        "state": case.state.as_str(),
        "handling": incident.chain.as_ref().and_then(|chain| chain.handling),
        "is_closed": incident.chain.as_ref().is_some_and(|chain| chain.is_closed),
    });
    if let (false, Some(told)) = (case.further.reference.is_empty(), told.as_object_mut()) {
        told.insert("reference".to_owned(), case.further.reference.as_str().into());
    }
    if let (true, Some(told)) = (desk.is_at(FURTHER), told.as_object_mut()) {
        let own = organizations.row(&incident.id.org).map(|row| row.address.as_str());
        told.insert("address".to_owned(), incident.ship_to.as_deref().or(own).into());
    }
    Ok(told)
}

/// What the upstream is to be told of a case that it gets now: what was said of it before, and that it is closed.
fn said_before(chain: &ChainRow, now: Timestamp) -> Vec<StepRow> {
    let notes = chain.notes.iter().filter(|note| note.side != Side::Above);
    let mut steps: Vec<StepRow> = notes
        .map(|note| StepRow {
            kind: StepKind::Note,
            id: note.id.clone(),
            author: note.author.clone(),
            at: note.at,
            text: note.text.clone(),
        })
        .collect();
    if chain.is_closed {
        let id = format!("closed:{now}");
        steps.push(StepRow { kind: StepKind::Close, id, author: String::new(), at: now, text: String::new() });
    }
    let most = steps.len().saturating_sub(STEPS_MOST);
    steps.split_off(most)
}

/// Keeps a case that was reported here, or why not.
pub(crate) fn handle(incident: &mut Incident) -> Result<(), String> {
    let Some(chain) = incident.chain.as_mut().filter(|chain| chain.reported.is_some()) else {
        return Err(NOT_REPORTED.to_owned());
    };
    if chain.handling == Some(Handling::Forward)
        && incident.case.as_ref().is_some_and(|case| !matches!(case.state, CaseState::Failed | CaseState::Withheld))
    {
        return Err("the case is with the upstream already; override what it says of it".to_owned());
    }
    chain.handling = Some(Handling::Own);
    if let Some(case) = &mut incident.case {
        case.state = CaseState::Reported;
    }
    Ok(())
}

/// Puts words in place of the upstream's; where none is given all are the upstream's again, and else what is not given stays.
/// What became of it, in a word.
pub(crate) fn override_words(
    desk: &Desk,
    incident: &mut Incident,
    wanted: &CaseOverride,
) -> Result<&'static str, String> {
    let Some(chain) = incident.chain.as_mut().filter(|chain| chain.reported.is_some()) else {
        return Err(NOT_REPORTED.to_owned());
    };
    let CaseOverride { incident: _, case_id, case_link, case_status } = wanted;
    let is_clearing = case_id.is_none() && case_link.is_none() && case_status.is_none();
    let before = if desk.is_at(SETTLED) && !is_clearing { chain.own.clone() } else { Words::default() };
    chain.own = Words {
        case_id: case_id.clone().unwrap_or(before.case_id),
        link: case_link.clone().unwrap_or(before.link),
        status: case_status.clone().unwrap_or(before.status),
    };
    Ok(if desk.is_at(CLEARS) && is_clearing { "cleared" } else { "overridden" })
}

/// What is asked of a case in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    pub(crate) kind: StepKind,
    pub(crate) remark: &'a CaseRemark,
    pub(crate) principal: &'a Principal,
    /// By what the note is known again that has no id yet.
    pub(crate) id: &'a str,
}

/// Notes, closes or reopens a case, and tells the upstream where it has it; what follows, or why not.
pub(crate) fn remark(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    asked: Asked<'_>,
    cause: Cause,
) -> Result<Vec<Follow>, String> {
    let Asked { kind, remark, principal, id } = asked;
    let Some(case) = &mut incident.case else { return Err("the incident has no case".to_owned()) };
    if case.state == CaseState::Draft {
        return Err("the case is a draft; submit it first".to_owned());
    }
    let side = match principal {
        Principal::EndCustomer { .. } => Side::Below,
        _ => Side::Here,
    };
    let (note_id, author, at) = match &remark.origin {
        Some(origin) if side == Side::Below => {
            (origin.id.clone(), format!("{} ({principal})", origin.author), origin.at)
        }
        _ => (format!("{}:{id}", desk.installed.controller), principal.to_string(), desk.now),
    };
    let chain = incident.chain.get_or_insert_default();
    let is_known = |known: &NoteRow| known.id == note_id && known.side == Side::Below;
    if kind == StepKind::Note && side == Side::Below && chain.notes.iter().any(is_known) {
        return Ok(Vec::new());
    }
    if side == Side::Below && !remark.text.is_empty() && chain.is_full_of_below(&remark.text) {
        return Err("the case has all the notes of those below that it takes".to_owned());
    }
    let is_closed = chain.is_closed || case.state == CaseState::Closed;
    // One below that has not heard the answer tries again, maybe long after what was asked is forgotten: it stands so.
    let stands = match kind {
        StepKind::Close => is_closed,
        StepKind::Reopen => !is_closed,
        StepKind::Note => false,
    };
    if stands && side == Side::Below && desk.is_at(7) {
        return Ok(Vec::new());
    }
    match kind {
        StepKind::Close if is_closed => return Err("the case is closed".to_owned()),
        StepKind::Reopen if !is_closed => return Err("the case is not closed".to_owned()),
        StepKind::Note | StepKind::Close | StepKind::Reopen => {}
    }
    let is_upstream = has_upstream(case.state, chain);
    if is_upstream && chain.steps.len() >= STEPS_MOST {
        return Err(format!("the upstream is to be told {STEPS_MOST} things of the case already; try later"));
    }
    match kind {
        StepKind::Note => {}
        StepKind::Close => (chain.is_closed, chain.is_reopened) = (true, false),
        StepKind::Reopen => {
            (chain.is_closed, chain.is_reopened) = (false, true);
            if case.state == CaseState::Closed {
                case.state = CaseState::Updated;
            }
        }
    }
    if !remark.text.is_empty() {
        let text = remark.text.clone();
        chain.say(desk, NoteRow { id: note_id.clone(), author: author.clone(), at, text, side });
    }
    if !is_upstream {
        return Ok(Vec::new());
    }
    chain.steps.push(StepRow { kind, id: note_id, author, at, text: remark.text.clone() });
    Ok(next_step(desk, organizations, incident, cause))
}

/// What was closed here, or below, is not closed for the upstream, which knows of it: it was reopened there.
///
/// A partner has said that it is closed before it can say otherwise: its answer to the closing says how the case stands then.
/// So neither its clock nor words that it overrides count. Of the support system, which answers nothing of the kind, the
/// clock does.
pub(super) fn reopened_above(
    desk: &Desk,
    chain: &mut Option<ChainRow>,
    was_closed: bool,
    status: &str,
    updated: Timestamp,
) -> bool {
    let Some(chain) = chain.as_mut().filter(|chain| chain.steps.is_empty()) else { return false };
    if status.eq_ignore_ascii_case(chain::CLOSED) {
        return false;
    }
    // The upstream's own word from here on.
    let was_reopened = std::mem::take(&mut chain.is_reopened);
    let is_told = chain.close_told > Timestamp::UNIX_EPOCH
        && match desk.is_at(SETTLED) && desk.installed.has_partner {
            true => was_closed,
            false => updated > chain.close_told,
        };
    if chain.is_closed && is_told {
        (chain.is_closed, chain.close_told) = (false, Timestamp::UNIX_EPOCH);
        return true;
    }
    was_reopened
}

/// Whether the upstream has the case, or will have it.
fn has_upstream(state: CaseState, chain: &ChainRow) -> bool {
    let is_sent = match state {
        CaseState::Waiting | CaseState::Submitted | CaseState::Created | CaseState::Updated | CaseState::Closed => true,
        CaseState::Draft | CaseState::Withheld | CaseState::Failed | CaseState::Reported => false,
    };
    is_sent && chain.handling != Some(Handling::Own)
}

/// Begins to tell the upstream the oldest thing that it is to be told, unless it is being told something or has not
/// taken the case yet.
pub(super) fn next_step(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    cause: Cause,
) -> Vec<Follow> {
    let (Some(case), Some(chain)) = (&incident.case, &mut incident.chain) else { return Vec::new() };
    if !chain.telling.is_empty() || case.transaction_id.is_empty() {
        return Vec::new();
    }
    let level = organizations.filter_level(&incident.id.org);
    // INVARIANT (a receipt is for whoever gave it): what another upstream has taken, the present one is told nothing of.
    if level == FilterLevel::DoNotSend || incident.is_elsewhere {
        chain.steps.clear();
    }
    let Some(step) = chain.steps.first() else { return Vec::new() };
    let id = desk.next_reaction(&incident.id.org);
    chain.telling = id.to_string();
    let telling = CaseTelling {
        incident: incident.id.clone(),
        transaction_id: case.transaction_id.clone(),
        step: said(step, &Texts::at(desk, level)),
    };
    let decided =
        Decided { id, destination: upstream::of_case(&desk.installed), action: Action::TellCase(Box::new(telling)) };
    vec![Follow::React(cause, decided)]
}

/// What a case's upstream is being told, as it may leave at the organization's present filter level; nothing is told any
/// more where nothing may leave. None if it is not that reaction.
pub(crate) fn refilter(
    desk: &Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    reaction: &str,
) -> Option<Option<Action>> {
    let level = organizations.filter_level(&incident.id.org);
    let case = incident.case.as_ref()?;
    let chain = incident.chain.as_mut().filter(|chain| chain.telling == reaction)?;
    if level == FilterLevel::DoNotSend {
        chain.telling.clear();
        chain.steps.clear();
        return Some(None);
    }
    let step = said(chain.steps.first()?, &Texts::at(desk, level));
    let (incident, transaction_id) = (incident.id.clone(), case.transaction_id.clone());
    Some(Some(Action::TellCase(Box::new(CaseTelling { incident, transaction_id, step }))))
}

/// What leaves of a step.
///
/// INVARIANT (data leaves only filtered): where texts are withheld neither what was said leaves nor who said it.
fn said(step: &StepRow, texts: &Texts) -> CaseStep {
    let author = if texts.are_withheld() { String::new() } else { texts.line(&step.author, OWNER_MOST) };
    let note = CaseNote { id: step.id.clone(), author, at: step.at, text: texts.text(&step.text, NOTE_MOST) };
    match step.kind {
        StepKind::Note => CaseStep::Note(note),
        StepKind::Close => CaseStep::Close(note),
        StepKind::Reopen => CaseStep::Reopen(note),
    }
}

/// What the upstream was told of a case it knows, or never will; what it is told next.
pub(crate) fn told(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &mut Incident,
    reaction: &str,
) -> Vec<Follow> {
    let Some(chain) = incident.chain.as_mut().filter(|chain| chain.telling == reaction) else { return Vec::new() };
    chain.telling.clear();
    if !chain.steps.is_empty() {
        let told = chain.steps.remove(0);
        match told.kind {
            StepKind::Close => chain.close_told = desk.now,
            StepKind::Reopen => chain.close_told = Timestamp::UNIX_EPOCH,
            StepKind::Note => {}
        }
    }
    let mut follows = next_step(desk, organizations, incident, Cause::Handling);
    follows.push(Follow::Keep);
    follows
}

/// The incident that an end customer's key has become.
pub(crate) fn known(desk: &Desk, org: &OrgName, key: &str) -> Result<Option<IncidentId>, Error> {
    chain::known(desk, org, key)
}
