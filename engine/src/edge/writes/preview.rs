//! What a write would do (`?dry_run=true`): asked of nobody but the rows, and answered like a read.
//!
//! It takes the rights that the write takes, and enters no log: no command is sent, and of what is not there or does not
//! fit nothing goes on record. That somebody may not ask for it does, as of anything that they see; and that a device is asked what it
//! would make of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use linesman_domain::commands as domain;
use linesman_domain::preview::{self, Asked, Question, Sight, Standing};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Subscription, Values, Verb};
use linesman_schemas::reaction::GroupChange;
use linesman_schemas::{OrgName, Place, PlacePath, ServiceName, SubscriptionName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, IntoResponses, ToSchema};

use super::{CommandState, allow, on_device, stands_at};
use crate::edge::lists::Waiting;
use crate::edge::sources::Sources;
use crate::edge::transport::problem::{Problem, ProblemBody};
use crate::edge::viewer::Viewer;
use crate::edge::words::{self, ActivationState, Flag};
use crate::log::streams::lane_of;

/// How long previews that are asked for together are gone on with.
const MOST: Duration = Duration::from_secs(5);

/// Whether something is to be done.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct DryRun {
    /// Whether it is only to be told what would be done.
    #[param(value_type = Option<bool>, required = false)]
    dry_run: Option<Flag>,
}

impl DryRun {
    /// As a query says that asks for more than this.
    pub(super) const fn of(dry_run: Option<Flag>) -> Self {
        Self { dry_run }
    }

    /// Whether nothing is to be done.
    pub(in crate::edge) fn is_on(self) -> bool {
        self.dry_run == Some(Flag::True)
    }
}

/// The answers to a write of which it can be asked what it would do.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers")]
pub(super) enum Answers {
    /// It is done; or, where `dry_run` is asked for, what would be.
    #[response(status = 200)]
    Done(#[to_schema] DoneOrPreview),
    /// It is on its way; `Location` tells where its outcome will be.
    #[response(status = 202)]
    Pending(CommandState),
    /// Whoever asked has not the right.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemBody<'static>),
    /// What it is about does not exist.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemBody<'static>),
    /// It does not fit how things stand, or its `Idempotency-Key` was another command's.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemBody<'static>),
    /// It is beyond its bounds.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemBody<'static>),
}

/// What became of a write, or would.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes an answer")]
pub(super) enum DoneOrPreview {
    Done(CommandState),
    Preview(Preview),
}

/// What a write would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Preview {
    /// What would become of it: `done`, or what it would be refused for.
    #[schema(schema_with = words::verdict)]
    verdict: &'static str,
    /// What would be done, or why not.
    detail: String,
    /// When devices would be told what stands in `changes`, where that is only when a schedule begins; null: at once.
    #[schema(value_type = Option<String>, format = DateTime)]
    begins: Option<Timestamp>,
    /// Whether all of it was found out: it is ended after 10,000 access lines, or 5 s, and of places below 1,000 are held
    /// against what is given.
    complete: bool,
    /// How many access lines it affects, of those that are seen.
    lines: u64,
    /// What devices would be told: the first 200.
    changes: Vec<Change>,
    /// How many more there are.
    more_changes: u64,
    /// Values that would change at the place, and at the access lines that are affected: the first 200.
    values: Vec<ValueChange>,
    /// How many more there are.
    more_values: u64,
    /// Where two would set the same differently.
    conflicts: Vec<Wrong>,
    /// Where values would be illegal or missing.
    illegal: Vec<Wrong>,
    /// How much more there is of these two.
    more_wrong: u64,
}

/// What a device would be told of an activation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewedChange)]
pub(super) struct Change {
    /// The access line.
    #[schema(schema_with = words::place)]
    line: PlacePath,
    /// The activation.
    activation: String,
    /// The subscription's name.
    #[schema(value_type = String)]
    subscription: SubscriptionName,
    /// The service.
    #[schema(value_type = String)]
    service: ServiceName,
    /// The device's serial number; empty for none.
    pub(super) device: String,
    /// The configuration group there; empty for none.
    group: String,
    /// What would change of it; empty for nothing.
    diff: String,
    /// The way back.
    reverse: String,
    /// Whether both are not shown, because what is fixed above and hidden stands in them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    hidden: bool,
    /// How the activation would then stand there; null: it would be gone.
    state: Option<ActivationState>,
    /// Why it would fail; empty where it would not.
    reason: String,
    /// What the device says itself of the first changes, where whoever asks may have its configuration read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub(super) on_device: Option<OnDevice>,
    /// What the group would hold.
    #[serde(skip)]
    #[schema(ignore)]
    text: String,
}

/// What a device says itself of a change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewedOnDevice)]
pub(super) struct OnDevice {
    /// What would change there (`show | compare`), secrets and all; empty for nothing.
    pub(super) diff: String,
    /// Why that is not known, or the device does not take it; empty where neither is so.
    pub(super) error: String,
}

impl OnDevice {
    /// It is not known, and why.
    pub(super) const fn unknown(error: String) -> Self {
        Self { diff: String::new(), error }
    }
}

impl Change {
    /// Whether a device would be told anything.
    pub(super) fn is_told(&self) -> bool {
        !self.device.is_empty() && !self.group.is_empty() && (self.hidden || !self.diff.is_empty())
    }

    /// What it would be told of which group.
    pub(super) fn as_told(&self) -> (String, GroupChange) {
        let change = match self.text.is_empty() {
            true => GroupChange::Remove,
            false => GroupChange::Put { text: self.text.clone() },
        };
        (self.group.clone(), change)
    }
}

/// A value that would change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewedValue)]
struct ValueChange {
    /// Where.
    #[schema(schema_with = words::place)]
    place: Place,
    /// For which service.
    #[schema(value_type = String)]
    service: ServiceName,
    /// Through which subscription; null: for whoever subscribes.
    #[schema(value_type = Option<String>)]
    subscription: Option<SubscriptionName>,
    /// The parameter.
    parameter: String,
    /// How it stands; null: it is not there.
    before: Option<ValueStanding>,
    /// How it would stand; null: it would not be there.
    after: Option<ValueStanding>,
}

/// How a parameter stands.
#[derive(Debug, Serialize, ToSchema)]
struct ValueStanding {
    /// `free`, `defaulted` or `fixed`.
    status: &'static str,
    /// Its value: canonical text, or a list of such; null for none.
    #[schema(value_type = Value)]
    value: Option<Value>,
    /// Whether that is not shown, because it comes of what is fixed above and hidden.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    hidden: bool,
}

/// Something that would be wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewedWrong)]
struct Wrong {
    /// Where; null: where it was asked for.
    #[schema(schema_with = words::place_or_none)]
    place: Option<Place>,
    /// With which activation there, where it is of one.
    activation: Option<String>,
    /// What.
    detail: String,
    /// Which part of the body, where it is one: a JSON pointer as a URI fragment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, example = "#/substitutions/0")]
    pointer: Option<String>,
}

impl Preview {
    /// Whether all of it was found out.
    pub(super) const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Which parts of the body a refusal in these words is for, and why; none of what has changed since.
    fn into_parts_of(self, refusal: &str) -> Vec<(String, String)> {
        let is_same = self.detail == refusal;
        let told = self.illegal.into_iter().filter(|wrong| is_same || refusal.contains(&wrong.detail));
        told.filter_map(|wrong| Some((wrong.pointer?, wrong.detail))).collect()
    }

    /// Why it would be refused; none where it would be done.
    pub(super) fn refusal(&self) -> Option<&str> {
        (self.verdict != Verdict::Done.as_str()).then_some(self.detail.as_str())
    }
}

impl From<preview::Preview> for Preview {
    fn from(found: preview::Preview) -> Self {
        let (conflicts, illegal): (Vec<_>, Vec<_>) = found.wrong.into_iter().partition(|wrong| wrong.is_conflict);
        Self {
            verdict: found.verdict.as_str(),
            detail: found.detail,
            begins: found.begins,
            complete: found.is_complete,
            lines: found.lines,
            changes: found.changes.into_iter().map(Change::from).collect(),
            more_changes: found.more_changes,
            values: found.values.into_iter().map(ValueChange::from).collect(),
            more_values: found.more_values,
            conflicts: conflicts.into_iter().map(Wrong::from).collect(),
            illegal: illegal.into_iter().map(Wrong::from).collect(),
            more_wrong: found.more_wrong,
        }
    }
}

impl From<preview::Change> for Change {
    fn from(change: preview::Change) -> Self {
        Self {
            line: change.line,
            activation: change.activation,
            subscription: change.subscription,
            service: change.service,
            device: change.device,
            group: change.group,
            diff: change.diff,
            reverse: change.reverse,
            hidden: change.is_hidden,
            state: change.state.map(ActivationState::from),
            reason: change.reason,
            on_device: None,
            text: change.text,
        }
    }
}

impl From<preview::ValueChange> for ValueChange {
    fn from(change: preview::ValueChange) -> Self {
        let preview::ValueChange { place, service, subscription, parameter, before, after } = change;
        let shown = |standing: Standing| {
            let Standing { status, value, is_hidden: hidden, .. } = standing;
            ValueStanding { status, value, hidden }
        };
        Self { place, service, subscription, parameter, before: before.map(shown), after: after.map(shown) }
    }
}

impl From<domain::Wrong> for Wrong {
    fn from(wrong: domain::Wrong) -> Self {
        let pointer = wrong.given.map(|given| format!("#/substitutions/{given}"));
        Self { place: wrong.place, activation: wrong.activation, detail: wrong.detail, pointer }
    }
}

/// Answers with what would be done for an organization, if whoever asks may ask for it as far as is known here.
pub(super) async fn answer(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    level: u32,
    org: OrgName,
    verb: Verb,
) -> Result<Response, Problem> {
    allow(sources, viewer, Some(&org), &verb).and_then(|()| stands_at(sources, level)).map_err(off_record)?;
    let asked = Asked::Command(viewer.principal(), Box::new(verb));
    let mut found = run(sources, viewer, vec![(org.clone(), asked)]).await.map_err(off_record)?.pop().flatten();
    if let Some(found) = found.as_mut().filter(|found| found.refusal().is_none()) {
        on_device::ask(sources, viewer, &org, &mut found.changes).await;
    }
    Ok(Json(found).into_response())
}

/// A refusal by a lane of values that were given, with the parts of the body that it is for: a lane's outcome has its words
/// alone, so it is found out again what is wrong. Where things have changed since, or others ask too much, it has none.
pub(super) async fn pointed(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    org: OrgName,
    verb: Verb,
    refusal: Problem,
) -> Problem {
    let asked = Asked::Command(viewer.principal(), Box::new(verb));
    let Ok(mut found) = run(sources, viewer, vec![(org, asked)]).await else { return refusal };
    let parts = found.pop().flatten().map(|found| found.into_parts_of(refusal.detail()));
    parts.into_iter().flatten().fold(refusal, |refusal, (pointer, detail)| refusal.pointing(pointer, detail))
}

/// Whether values are given in the body.
pub(super) fn gives(verb: &Verb) -> bool {
    match verb {
        Verb::Values(Values::Set(settings)) => !settings.substitutions.is_empty(),
        Verb::Values(Values::Localize(localization)) => !localization.substitutions.is_empty(),
        Verb::Subscription(Subscription::Set(settings)) => settings.substitutions.is_some(),
        Verb::Subscription(Subscription::Activate(activation)) => !activation.substitutions.is_empty(),
        _ => false,
    }
}

/// Of what was not tried nothing goes on record but that somebody may not ask for it.
pub(super) fn off_record(problem: Problem) -> Problem {
    if problem.status() == StatusCode::FORBIDDEN { problem } else { problem.decided() }
}

/// Finds out what each would do, of organizations one by one; none of those that there was no time for.
///
/// # Errors
/// Others are being found out, or the rows cannot be read.
pub(super) async fn run(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    asked: Vec<(OrgName, Asked)>,
) -> Result<Vec<Option<Preview>>, Problem> {
    let permit = Arc::clone(&sources.previews).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::busy("other previews keep the engine busy; try again", 1))?;
    let directory = sources.grants.directory()?;
    let (rows, viewer) = (Arc::clone(&sources.rows), viewer.clone());
    let is_gone = Arc::new(AtomicBool::new(false));
    let _waiting = Waiting::of(&is_gone);
    // It decides as a lane does, which takes its time.
    let found = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let until = Instant::now() + MOST;
        let goes_on = || !is_gone.load(Ordering::Relaxed) && Instant::now() < until;
        let sees = |place: &Place| viewer.sees_place(place);
        let sight = Sight { sees: &sees, reader: viewer.reader() };
        let lanes = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let mut found = Vec::with_capacity(asked.len());
        for (organization, asked) in asked {
            let lane = lane_of(organization.as_str(), lanes);
            let base = rows.get(lane as usize).filter(|_| found.is_empty() || goes_on());
            let Some(base) = base else {
                found.push(None);
                continue;
            };
            let (directory, now) = (Arc::clone(&directory), Timestamp::now());
            let question = Question { lane, directory, organization, asked, now };
            let preview = preview::preview(Box::new(base.clone()), question, &sight, &goes_on)?;
            found.push(Some(Preview::from(preview)));
        }
        Ok::<_, linesman_domain::Error>(found)
    });
    let found = found.await.map_err(|error| Problem::internal(&error))?;
    found.map_err(|error| Problem::internal(&error))
}
