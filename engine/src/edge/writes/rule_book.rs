//! Loading what this node's files say, deliberately.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use linesman_schemas::Place;
use linesman_schemas::command::{RuleBook, Verb};
use linesman_schemas::control::Section;
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use super::{Answers, IdempotencyKey, command_id, respond, send};
use crate::edge::sources::{FilesAsked, Sources};
use crate::edge::transport::params::Params;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;

/// How long reading the files may take.
const FILES_MOST: Duration = Duration::from_secs(10);

/// Which section.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct LoadQuery {
    /// `policies`, the rule directory, if it is not given; `services`, those in it; or
    /// `settings`, those of the configuration.
    #[param(inline, value_type = Option<SectionWord>, required = false)]
    section: Option<Section>,
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

/// Loads the files of this node into the log, whatever another has loaded.
#[utoipa::path(
    post,
    path = "/api/v1/policies/load",
    operation_id = "load-policies",
    tag = "policies",
    params(LoadQuery, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn load(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(query): Params<LoadQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let section = query.section.unwrap_or(Section::Policies);
    viewer.may(operation(section), &Place::Provider)?;
    let id = command_id(&headers)?;
    // The files may have changed since: what is asked again is answered as before.
    if let Ok(known) = sources.commands.find(&viewer, None, id.clone()) {
        return respond(known);
    }
    let (answer, answered) = oneshot::channel();
    let busy = || Problem::busy("the files cannot be read at the moment; the engine's log says why", 2);
    let asked = FilesAsked { section, answer };
    let load = timeout(FILES_MOST, async {
        sources.files.send(asked).await.map_err(|_| busy())?;
        answered.await.map_err(|_| busy())
    });
    let load = load.await.map_err(|_| busy())??;
    let refused = |detail| Problem::new(StatusCode::CONFLICT, detail).of(operation(section), Place::Provider);
    let load = load.map_err(refused)?;
    send(&sources, &viewer, None, id, Verb::RuleBook(RuleBook::LoadSection(load))).await
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
