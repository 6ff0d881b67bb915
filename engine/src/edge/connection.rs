//! `/api/v1/organizations/{name}/test`: the way to the upstream is tried out, step by step, by the engine itself and with
//! what it is reached with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use linesman_connectors::upstream::probe::{Step, Trial};
use linesman_domain::organizations::Standing;
use linesman_schemas::command::{ConnectionTried, Organization, Verb};
use linesman_schemas::{FilterLevel, OrgName, Place};
use serde::Serialize;
use utoipa::ToSchema;

use super::paths::OrganizationPath;
use super::sources::Sources;
use super::transport::params::PathOf;
use super::transport::problem::{Problem, ProblemBody};
use super::viewer::Viewer;
use super::writes::{RECORDED_FROM, on_record};

/// How a try went.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionTest {
    /// For which organization.
    #[schema(value_type = String)]
    organization: OrgName,
    /// The connector that leads to the upstream; null where there is none.
    upstream: Option<&'static str>,
    /// Whether all steps were done.
    ok: bool,
    /// The steps in their order: behind the first that failed none is done.
    steps: Vec<TestStep>,
}

/// A step of a try.
#[derive(Debug, Serialize, ToSchema)]
struct TestStep {
    /// What is tried: `organization-here`, `upstream`, `name`, `connection`, `tls`, `certificate`, `login`,
    /// `organization`, `pace`, `clock`.
    step: &'static str,
    /// How it went.
    outcome: StepOutcome,
    /// What was found, or why it failed; null for what was not done.
    detail: Option<String>,
    /// What to do where it failed.
    help: Option<&'static str>,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum StepOutcome {
    /// It was done.
    Ok,
    /// It failed.
    Failed,
    /// One before it failed.
    NotDone,
}

/// Tries the way to the upstream out: whether the organization takes part here, the address, the connection, TLS, the
/// certificate, the login, whether it is known there, how much it bears, and the clocks. One try at a time.
#[utoipa::path(
    post, path = "/api/v1/organizations/{name}/test", operation_id = "test-organization", tag = "organizations",
    params(OrganizationPath),
    responses(
        (status = 200, description = "How it went.", body = ConnectionTest),
        (status = 403, description = "Whoever asked has not the right.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 404, description = "There is no such organization.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 409, description = "The mode of the installation has no upstream.",
            content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(super) async fn test(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<OrganizationPath>,
) -> Result<Json<ConnectionTest>, Problem> {
    const OPERATION: &str = "test-organization";
    let organization = path.name;
    let place = Place::Organization(organization.clone());
    viewer.may(OPERATION, &place)?;
    let here = here(&sources, &organization).map_err(|problem| problem.of(OPERATION, place.clone()))?;
    sources.is_of_mode(OPERATION)?;
    let Ok(_turn) = sources.trying.try_lock() else {
        return Err(Problem::busy("the way to the upstream is being tried out for somebody already", 2));
    };
    let connector = sources.upstream.as_ref();
    tracing::info!(%organization, principal = %viewer.principal(), "the way to the upstream is tried out");
    let (here, help) = here;
    let mut steps = vec![("organization-here", here, help)];
    if goes_on(&steps) {
        steps.push(("upstream", sends(&sources), UPSTREAM));
    }
    if let Some(connector) = connector.filter(|_| goes_on(&steps)) {
        let found = connector.probe().await;
        steps.extend(found.into_iter().map(|Step { trial, found }| (trial.as_str(), found, trial.remedy())));
    }
    let ok = goes_on(&steps);
    record(&sources, &viewer, &organization, &steps).await?;
    Ok(Json(ConnectionTest { organization, upstream: connector.map(|found| found.name()), ok, steps: listed(steps) }))
}

/// Puts on record that the way was tried out, and which step failed.
///
/// # Errors
/// The log does not take it, or refuses it.
async fn record(sources: &Sources, viewer: &Viewer, org: &OrgName, steps: &[Done]) -> Result<(), Problem> {
    if sources.commands.level(Some(org)) < RECORDED_FROM {
        return Ok(());
    }
    let failed = steps.iter().find(|(_, found, _)| found.is_err()).map_or("", |(step, ..)| step);
    let verb = Verb::Organization(Organization::Test(ConnectionTried { failed: failed.to_owned() }));
    on_record(sources, viewer, Some(org.clone()), verb).await
}

/// A step that was done: its word, what was found, what to do where it failed.
type Done = (&'static str, Result<String, String>, &'static str);

const SUSPENDED: &str = "let it take part again: `linesman org activate` with its name";
const SENDS_NOTHING: &str = "give it a filter level that lets something out: `linesman org set --filter-level`";
const UPSTREAM: &str = "write `[upstream]` into the configuration, and look at `linesman status`";

fn goes_on(steps: &[Done]) -> bool {
    steps.iter().all(|(_, found, _)| found.is_ok())
}

/// Whether anything of the organization would leave, as it stands here, and what to do where nothing would.
///
/// # Errors
/// There is no such organization, or the state cannot be read.
fn here(sources: &Sources, org: &OrgName) -> Result<(Result<String, String>, &'static str), Problem> {
    let row = sources.organization(org).map_err(|error| Problem::internal(&error))?;
    let nobody = || Problem::new(StatusCode::NOT_FOUND, format!("there is no organization `{org}`"));
    let row = row.ok_or_else(nobody)?;
    Ok(match (row.standing, row.filter_level) {
        (Standing::Suspended, _) => (Err(format!("`{org}` is suspended")), SUSPENDED),
        (_, FilterLevel::DoNotSend) => {
            (Err(format!("nothing of `{org}` leaves: its filter level is `Do not send`")), SENDS_NOTHING)
        }
        (_, level) => (Ok(format!("`{org}` takes part, with the filter level `{}`", spelled(level))), SENDS_NOTHING),
    })
}

fn spelled(level: FilterLevel) -> &'static str {
    FilterLevel::ALL.into_iter().find(|(known, _)| *known == level).map_or("", |(_, spelling)| spelling)
}

/// Whether anything is sent at all.
fn sends(sources: &Sources) -> Result<String, String> {
    let Some(connector) = &sources.upstream else { return Err("there is no upstream: cases wait".to_owned()) };
    let terms = sources.standing.terms(Timestamp::now());
    if !terms.sends {
        return Err(format!("nothing is sent upstream: {}", terms.notice.unwrap_or(terms.bound)));
    }
    Ok(format!("`{}`", connector.name()))
}

/// All steps, those that were not done too.
fn listed(done: Vec<Done>) -> Vec<TestStep> {
    let words = ["organization-here", "upstream"].into_iter().chain(Trial::ALL.map(Trial::as_str));
    let mut done = done.into_iter().peekable();
    let step = |step: &'static str| match done.next_if(|(word, ..)| *word == step) {
        Some((_, Ok(found), _)) => TestStep { step, outcome: StepOutcome::Ok, detail: Some(found), help: None },
        Some((_, Err(reason), help)) => {
            TestStep { step, outcome: StepOutcome::Failed, detail: Some(reason), help: Some(help) }
        }
        None => TestStep { step, outcome: StepOutcome::NotDone, detail: None, help: None },
    };
    words.map(step).collect()
}
