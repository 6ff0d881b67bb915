//! Loading what this node's files say, deliberately; and what that would do.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use linesman_domain::preview::Asked;
use linesman_domain::services::Catalog;
use linesman_domain::subscriptions;
use linesman_schemas::command::{RuleBook, Verb};
use linesman_schemas::control::Section;
use linesman_schemas::service::ServicesSection;
use linesman_schemas::{OrgName, Place, ServiceName};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use super::preview::{Preview, off_record, run};
use super::{Answers, IdempotencyKey, command_id, refused, respond};
use crate::edge::sources::{FilesAsked, FilesSaid, Sources};
use crate::edge::transport::params::Params;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words::Flag;

/// How long reading the files may take.
const FILES_MOST: Duration = Duration::from_secs(10);
/// How many organizations a refusal names.
const NAMED_MOST: usize = 5;

/// Which section, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct LoadQuery {
    /// `policies`, the rule directory, if it is not given; `services`, those in it; or
    /// `settings`, those of the configuration.
    #[param(inline, value_type = Option<SectionWord>, required = false)]
    section: Option<Section>,
    /// Whether it is only to be told what would be done; of `services`.
    #[param(value_type = Option<bool>, required = false)]
    dry_run: Option<Flag>,
    /// Whether parameters of all are loaded also where values would be at fault by them, or two would set the same
    /// differently.
    #[param(value_type = Option<bool>, required = false)]
    force: Option<Flag>,
}

/// A section.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "describes a word")]
enum SectionWord {
    Policies,
    Services,
    Settings,
}

/// What became of it, or what it would do.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes an answer")]
enum LoadAnswer {
    Done(super::CommandState),
    Preview(LoadPreview),
}

/// What a load of services would do.
#[derive(Debug, Serialize, ToSchema)]
struct LoadPreview {
    /// The services that would come into the rule book.
    #[schema(value_type = Vec<String>)]
    added: Vec<ServiceName>,
    /// Those that would have another version, which subscriptions go over to when it is rolled out.
    #[schema(value_type = Vec<String>)]
    changed: Vec<ServiceName>,
    /// Those that would be in it no more; subscriptions to them stay.
    #[schema(value_type = Vec<String>)]
    removed: Vec<ServiceName>,
    /// Which files are refused, so that what was good last would stay.
    refused: Vec<String>,
    /// Whether the parameters of all would be others.
    parameters: bool,
    /// Whether all that these would do was found out: it is ended after 10,000 access lines of an organization, or 5 s.
    complete: bool,
    /// What they would do for each organization that has subscriptions.
    previews: Vec<LoadedPreview>,
}

/// What other parameters of all would do for an organization.
#[derive(Debug, Serialize, ToSchema)]
struct LoadedPreview {
    /// Whose.
    #[schema(value_type = String)]
    organization: OrgName,
    /// What would come of it; null where that was not found out any more.
    preview: Option<Preview>,
}

/// Loads the files of this node into the log, whatever another has loaded.
#[utoipa::path(
    post,
    path = "/api/v1/policies/load",
    operation_id = "load-policies",
    tag = "policies",
    params(LoadQuery, IdempotencyKey),
    responses(
        Answers,
        (status = 200, description = "It is done; or, where `dry_run` is asked for, what it would do.", body = LoadAnswer),
    )
)]
pub(in crate::edge) async fn load(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(query): Params<LoadQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let LoadQuery { section, dry_run, force } = query;
    let section = section.unwrap_or(Section::Policies);
    let is_forced = force == Some(Flag::True);
    let is_dry = dry_run == Some(Flag::True);
    let may = viewer.may(operation(section), &Place::Provider);
    may.map_err(|problem| if is_dry { off_record(problem) } else { problem })?;
    let id = command_id(&headers)?;
    let of = |problem: Problem| problem.of(operation(section), Place::Provider);
    if is_dry {
        if section != Section::Services {
            let detail = "`dry_run` is for `services`; what policies come to is told by `linesman check`";
            return Err(Problem::parameter("dry_run", detail));
        }
        let said = ask(&sources, section, true).await.map_err(off_record)?;
        let services = said.services.unwrap_or_default();
        return Ok(Json(foresee(&sources, &viewer, services, is_forced).await.map_err(off_record)?).into_response());
    }
    // The files may have changed since: what is asked again is answered as before.
    if let Some(known) = sources.commands.before(&viewer, id.clone()).map_err(refused)? {
        return respond(known);
    }
    let (mut looked_at, mut is_all) = (None, true);
    if section == Section::Services && !is_forced {
        let said = ask(&sources, section, true).await.map_err(of)?;
        let found = foresee(&sources, &viewer, said.services.unwrap_or_default(), false).await?;
        if let Some(detail) = found.refusal() {
            return Err(of(Problem::new(StatusCode::CONFLICT, detail)));
        }
        (looked_at, is_all) = (Some(said.load.hash), found.complete);
    }
    let FilesSaid { load, note, .. } = ask(&sources, section, false).await.map_err(of)?;
    if looked_at.is_some_and(|looked_at| looked_at != load.hash) {
        return Err(of(Problem::new(StatusCode::CONFLICT, "the files have changed meanwhile; ask again")));
    }
    let verb = Verb::RuleBook(RuleBook::LoadSection(load));
    super::allow(&sources, &viewer, None, &verb)?;
    let mut asked = sources.commands.ask(&viewer, None, id, verb).await.map_err(refused)?;
    if let Some(row) = asked.outcome.as_mut().filter(|_| !is_all) {
        row.detail.push_str("; not all that it affects was looked at: lines that fail by it tell so");
    }
    if let Some(row) = asked.outcome.as_mut().filter(|_| !note.is_empty()) {
        row.detail = format!("{}; {note}", row.detail);
    }
    respond(asked)
}

/// What this node's files say of a section.
async fn ask(sources: &Sources, section: Section, is_look: bool) -> Result<FilesSaid, Problem> {
    let (answer, answered) = oneshot::channel();
    let busy = || Problem::busy("the files cannot be read at the moment; the engine's log says why", 2);
    let asked = FilesAsked { section, is_look, answer };
    let said = timeout(FILES_MOST, async {
        sources.files.send(asked).await.map_err(|_| busy())?;
        answered.await.map_err(|_| busy())
    });
    said.await.map_err(|_| busy())??.map_err(|detail| Problem::new(StatusCode::CONFLICT, detail))
}

/// What a load of services would do.
async fn foresee(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    section: ServicesSection,
    is_forced: bool,
) -> Result<LoadPreview, Problem> {
    let refused = section.refused.iter().map(|refused| refused.path.clone()).collect();
    let (rows, catalog) = (Arc::clone(&sources.rows), Arc::new(Catalog::of(section)));
    let new = Arc::clone(&catalog);
    // The store waits for the disk.
    let read = tokio::task::spawn_blocking(move || {
        let known = rows.first().map(Catalog::read).transpose()?.unwrap_or_default();
        let mut organizations = Vec::new();
        if known.parameters() != new.parameters() {
            for lane in rows.iter() {
                organizations.extend(subscriptions::organizations(lane)?);
            }
        }
        Ok::<_, linesman_domain::Error>((known, organizations))
    });
    let read = read.await.map_err(|error| Problem::internal(&error))?;
    let (known, organizations) = read.map_err(|error| Problem::internal(&error))?;
    let only = |of: &Catalog, than: &Catalog| -> Vec<ServiceName> {
        of.services().map(|(name, _)| name).filter(|name| than.service(name).is_none()).cloned().collect()
    };
    let is_changed =
        |name: &ServiceName, version: &str| known.service(name).is_some_and(|known| known.version != version);
    let changed = catalog.services().filter(|(name, offer)| is_changed(name, &offer.version));
    let changed = changed.map(|(name, _)| name.clone()).collect();
    let asked = |org: &OrgName| (org.clone(), Asked::Services { catalog: Arc::clone(&catalog), is_forced });
    let asked = organizations.iter().map(asked).collect();
    let found = if organizations.is_empty() { Vec::new() } else { run(sources, viewer, asked).await? };
    let previews: Vec<LoadedPreview> = organizations
        .into_iter()
        .zip(found)
        .map(|(organization, preview)| LoadedPreview { organization, preview })
        .collect();
    Ok(LoadPreview {
        added: only(&catalog, &known),
        changed,
        removed: only(&known, &catalog),
        refused,
        parameters: known.parameters() != catalog.parameters(),
        complete: previews.iter().all(|one| one.preview.as_ref().is_some_and(Preview::is_complete)),
        previews,
    })
}

impl LoadPreview {
    /// Why it is not loaded, unless that is forced.
    fn refusal(&self) -> Option<String> {
        let refused: Vec<&str> =
            self.previews.iter().filter_map(|one| one.preview.as_ref().and_then(Preview::refusal)).collect();
        let more = refused.len().saturating_sub(NAMED_MOST);
        let more = if more == 0 { String::new() } else { format!("; and of {more} more organizations") };
        let first = refused.iter().take(NAMED_MOST).copied().collect::<Vec<_>>().join("; ");
        (!refused.is_empty())
            .then(|| format!("{first}{more}; change the values first, or load it with `force` all the same"))
    }
}

/// By what name it is looked up who may load a section.
const fn operation(section: Section) -> &'static str {
    match section {
        Section::Policies => "load-policies",
        Section::Services => "load-services",
        Section::Settings => "load-settings",
        Section::Directory => "load-directory",
        Section::Installation => "load-installation",
    }
}
