//! `/api/v1/mode`: how the installation is connected, read and changed.
//!
//! The mode lies in the rule book: a change is a load of its section on lane 0, and counts in all lanes from there on. The
//! engine itself is built for one mode, and is to be started again with the new one.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use linesman_domain::cases::{CASES, CaseState};
use linesman_domain::{Error, organizations, reactions, upstream};
use linesman_schemas::command::{RuleBook, SectionLoad, Verb};
use linesman_schemas::control::{InstallationSection, Section};
use linesman_schemas::{Mode, OrgName, Place};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::installed::{away, present};
use super::sources::Sources;
use super::transport::json::JsonBody;
use super::transport::params::Params;
use super::transport::problem::Problem;
use super::viewer::Viewer;
use super::writes::{Answers, CommandState, DryRun, IdempotencyKey, command_id, refused, respond, send_at};
use super::{admission, words};
use crate::log::books;
use crate::store::Lane;

/// The engine level from which on a log knows modes.
const FROM: u32 = 6;
/// How many organizations are named.
const NAMED_MOST: usize = 1_000;

/// How the installation is connected.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModeState {
    /// What the log has: what decisions follow.
    #[schema(schema_with = words::mode)]
    mode: Mode,
    /// What this engine was started with.
    #[schema(schema_with = words::mode)]
    configured: Mode,
    /// Whether it is to be started again with the log's.
    restart: bool,
}

/// The mode that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModeBody {
    /// Its word.
    #[schema(schema_with = words::mode)]
    mode: Mode,
}

/// What a change of the mode would come to.
#[derive(Debug, Serialize, ToSchema)]
struct ModePlan {
    /// The present mode.
    #[schema(schema_with = words::mode)]
    mode: Mode,
    /// The mode that is asked about.
    #[schema(schema_with = words::mode)]
    wanted: Mode,
    /// Why it would be refused; null if it would be done.
    refused: Option<String>,
    /// Reactions that are pending to the upstream: the first 1,000 organizations that have any.
    pending: Vec<ModeCount>,
    /// Cases that were submitted and have no id yet: the same.
    cases_without_id: Vec<ModeCount>,
    /// Proxy organizations: the first 1,000.
    #[schema(value_type = Vec<String>)]
    proxies: Vec<OrgName>,
    /// What becomes of each, in words.
    says: Vec<String>,
}

/// What became of a change, or would.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes an answer")]
enum ChangedOrPlan {
    Changed(CommandState),
    Plan(ModePlan),
}

/// How many an organization has.
#[derive(Debug, Serialize, ToSchema)]
struct ModeCount {
    /// Whose.
    #[schema(value_type = String)]
    organization: OrgName,
    /// How many.
    count: u64,
}

/// How the installation is connected.
#[utoipa::path(
    get, path = "/api/v1/mode", operation_id = "mode", tag = "engine",
    responses((status = 200, description = "The modes of the log and of this engine.", body = ModeState))
)]
pub(super) async fn show(State(sources): State<Arc<Sources>>, viewer: Viewer) -> Result<Json<ModeState>, Problem> {
    viewer.may("mode", &Place::Provider)?;
    let (present, _) = present(&sources).await?;
    let configured = sources.standing.mode;
    let mode = present.mode;
    Ok(Json(ModeState { mode, configured, restart: mode != configured }))
}

/// Changes how the installation is connected; the engine is then to be started again with the new mode in its
/// configuration. With `dry_run` it is told what becomes of what is pending.
#[utoipa::path(
    put, path = "/api/v1/mode", operation_id = "set-mode", tag = "engine", params(DryRun, IdempotencyKey),
    request_body = ModeBody,
    responses(Answers, (status = 200, description = "It is done; or, where `dry_run` is asked for, what it would come to.", body = ChangedOrPlan))
)]
pub(super) async fn change(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ModeBody>,
) -> Result<Response, Problem> {
    viewer.may("set-mode", &Place::Provider)?;
    let id = command_id(&headers)?;
    // Things may stand otherwise since: what is asked again is answered as before.
    if !dry_run.is_on()
        && let Some(known) = sources.commands.before(&viewer, id.clone()).map_err(refused)?
    {
        return respond(known);
    }
    // Nobody adds an organization meanwhile.
    let mut turn = sources.admission.turn().await;
    let (present, expected) = present(&sources).await?;
    let mode = present.mode;
    let rows = Arc::clone(&sources.rows);
    let planned = tokio::task::spawn_blocking(move || plan(&rows, mode, body.mode)).await;
    let plan = planned.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))?;
    if dry_run.is_on() {
        return Ok(Json(plan).into_response());
    }
    if let Some(refused) = plan.refused {
        return Err(Problem::new(StatusCode::CONFLICT, refused));
    }
    // What the upstream is follows the configuration, with the restart.
    let packed = books::pack(&InstallationSection { mode: body.mode, ..present });
    let (hash, content) = packed.map_err(|error| Problem::internal(&error))?;
    sources.books.put(&hash, &content).await.map_err(away)?;
    let load = SectionLoad { section: Section::Installation, hash, loaded: None, expected, above: None };
    let verb = Verb::RuleBook(RuleBook::LoadSection(load));
    let answer = send_at(&sources, &viewer, FROM, None, id, verb).await;
    if answer.is_ok() {
        turn.switch(body.mode);
    }
    answer
}

/// What a change would come to, by the rows.
fn plan(lanes: &[Lane], mode: Mode, wanted: Mode) -> Result<ModePlan, Error> {
    let (mut pending, mut cases) = (BTreeMap::<OrgName, u64>::new(), BTreeMap::<OrgName, u64>::new());
    let mut proxies = Vec::new();
    for lane in lanes {
        for row in reactions::all(lane) {
            let (_, row) = row?;
            if let Some(org) = row.org.filter(|_| upstream::is_one(&row.destination)) {
                *pending.entry(org).or_default() += 1;
            }
        }
        for row in organizations::all(lane) {
            let (name, row) = row?;
            let mut waiting = 0;
            for case in CASES.rows(lane, &[name.as_str()]) {
                waiting += u64::from(case?.1.state == CaseState::Submitted);
            }
            if waiting > 0 {
                cases.insert(name.clone(), waiting);
            }
            if row.is_proxy {
                proxies.push(name);
            }
        }
    }
    proxies.sort();
    let active = admission::active(lanes)?.len();
    let refused = (wanted.has_one_organization() && active > 1).then(|| {
        format!("mode `{wanted}` has exactly one organization, and {active} take part: suspend the others first")
    });
    let says = said((pending.values().sum(), cases.values().sum(), proxies.len()), mode, wanted);
    proxies.truncate(NAMED_MOST);
    let counted = |counts: BTreeMap<OrgName, u64>| {
        let counts = counts.into_iter().take(NAMED_MOST);
        counts.map(|(organization, count)| ModeCount { organization, count }).collect()
    };
    Ok(ModePlan { mode, wanted, refused, pending: counted(pending), cases_without_id: counted(cases), proxies, says })
}

/// What becomes of so many reactions, cases without an id and proxy organizations.
fn said((pending, cases, proxies): (u64, u64, usize), mode: Mode, wanted: Mode) -> Vec<String> {
    if mode == wanted {
        return vec![format!("the log is of mode `{wanted}` already: nothing changes")];
    }
    let mut says = Vec::new();
    if pending > 0 {
        says.push(match wanted.sends() {
            true => format!(
                "{pending} reactions that are pending to the upstream are sent to that of the new configuration"
            ),
            false => {
                format!("{pending} reactions that are pending to the upstream wait: mode `{wanted}` sends nothing")
            }
        });
    }
    if cases > 0 {
        says.push(match wanted.sends() {
            true => format!(
                "{cases} cases have no id yet: they get it from the upstream that has them, if it stays the same"
            ),
            false => format!("{cases} cases have no id yet, and get none in mode `{wanted}`"),
        });
    }
    if proxies > 0 && !wanted.has_proxies() {
        says.push(format!(
            "{proxies} proxy organizations stay and are processed; they can be changed only to be none, or be suspended"
        ));
        says.push(format!("take `proxy = true` out of the configuration: mode `{wanted}` does not start with it"));
    }
    if mode == Mode::Partner {
        says.push(
            "end customers are answered no more: the listener for them is there in mode `partner` alone".to_owned(),
        );
    }
    says.extend(upstream_of(mode, wanted));
    says.push(format!(
        "the engine is to be started again with `mode = \"{wanted}\"` in its configuration; until then it works as before"
    ));
    says
}

/// What is to be seen to in the configuration's `[upstream]`, so that the engine starts again.
fn upstream_of(mode: Mode, wanted: Mode) -> Option<String> {
    match (mode, wanted) {
        (_, Mode::Offline) => None,
        (_, Mode::Demo) => {
            Some("take `[upstream]` out of the configuration: mode `demo` has one of its own".to_owned())
        }
        (_, Mode::EndCustomer) => Some("`[upstream]` is to name the partner: an end customer has no other".to_owned()),
        (Mode::EndCustomer, Mode::Partner) => {
            Some("`[upstream]` is to name the support system, or say `kind = \"partner\"`".to_owned())
        }
        (Mode::EndCustomer, Mode::Direct) | (Mode::Partner, Mode::Direct) => {
            Some("`[upstream]` is to name the support system: mode `direct` has no other".to_owned())
        }
        (Mode::Offline | Mode::Demo, Mode::Partner | Mode::Direct) => {
            Some("`[upstream]` is to say where cases go, if they are to".to_owned())
        }
        (Mode::Direct | Mode::Partner, Mode::Partner) | (Mode::Direct, Mode::Direct) => None,
    }
}
