//! `/api/v1/rights/why`: why somebody may do something somewhere, or may not.
//!
//! It lies beside the managers and not below them: a manager may be called `why`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::directory::Directory;
use linesman_domain::places;
use linesman_domain::rights::{
    self, Asking, Explanation, Held, Need, OPERATIONS, Ruling, Tied, asked_at, besides, explain, makes,
};
use linesman_rules::{excerpt, suggest};
use linesman_schemas::{GroupName, Login, Place, Principal, Privileges, Rights, Sphere};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Error;
use super::walk::{Walk, answer};
use crate::edge::members::{Members, lane_of_owner};
use crate::edge::sources::Sources;
use crate::edge::transport::params::Params;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;

/// Who, what and where.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct WhyQuery {
    /// The manager: a name of the provider's, or `<organization>/<name>`.
    #[param(value_type = String, pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}/)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    login: Login,
    /// The operation, as the audit names it, such as `set-manager`.
    operation: String,
    /// The place.
    #[param(schema_with = words::place)]
    place: Place,
}

/// Why somebody may do something, or may not.
#[derive(Debug, Serialize, ToSchema)]
struct Why {
    /// Who.
    #[schema(value_type = String)]
    login: Login,
    /// What.
    operation: &'static str,
    /// Where.
    #[schema(schema_with = words::place)]
    place: Place,
    /// What it takes of whoever asks.
    takes: String,
    /// Whether they may.
    verdict: Verdict,
    /// In words.
    detail: String,
    /// What is looked at besides when it is done, of what it is done to and of what is given with it.
    besides: Vec<String>,
    /// Who in the chain denies it: the first that has not what it takes, or not the place.
    #[schema(value_type = Option<String>)]
    denied_by: Option<Login>,
    /// The chain, from the manager up to the first granter.
    links: Vec<LinkItem>,
    /// The groups of one of the provider's people that are tied to the place.
    groups: Vec<GroupItem>,
}

/// Whether somebody may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = WhyVerdict)]
enum Verdict {
    /// They may.
    Allowed,
    /// They see the place, and may not.
    Forbidden,
    /// For them there is no such place.
    Unseen,
    /// Nothing of the kind is asked for at such a place.
    NoOperation,
}

/// One in the chain of granters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhyLink)]
struct LinkItem {
    /// Who.
    #[schema(value_type = String)]
    login: Login,
    /// Whether it was removed: what it was granted last still bounds whom it has granted anything.
    gone: bool,
    /// Whether it has what it takes.
    has: bool,
    /// Whether it has all of the place.
    covers: bool,
    /// Where it was granted something, as far as whoever asks sees it.
    #[schema(schema_with = words::sphere)]
    sphere: Sphere,
    /// Which privileges; none where whoever asks does not see the manager.
    #[schema(schema_with = words::privileges)]
    privileges: Privileges,
    /// Which rights; none where whoever asks does not see the manager.
    #[schema(schema_with = words::rights)]
    rights: Rights,
}

/// A group that is tied to the place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhyGroup)]
struct GroupItem {
    /// Which.
    #[schema(value_type = String)]
    name: GroupName,
    /// Who made it.
    #[schema(value_type = String)]
    granted_by: Login,
    /// Whether that one, and all granters above, have all of the place.
    covers: bool,
}

/// Why a manager may do something at a place, or may not: what each link of the chain of granters has.
#[utoipa::path(
    get, path = "/api/v1/rights/why", operation_id = "why", tag = "managers", params(WhyQuery),
    responses(
        (status = 200, description = "Whether, and why.", body = Why),
        (status = 404, description = "There is no such manager or place.", body = crate::edge::transport::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    )
)]
pub(in crate::edge) async fn why(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(WhyQuery { login, operation, place }): Params<WhyQuery>,
) -> Result<Response, Problem> {
    let known = OPERATIONS.iter().map(|(known, _)| *known);
    let Some(operation) = known.clone().find(|known| *known == operation) else {
        let help = suggest(&operation, known);
        let detail = format!("`operation`: `{}` is not known: {help}", excerpt(&operation));
        return Err(Problem::parameter("operation", detail));
    };
    let directory = sources.grants.directory()?;
    answer(&sources, viewer, move |walk| explained(walk, &directory, login, operation, place)).await
}

fn explained(
    walk: &Walk,
    directory: &Arc<Directory>,
    login: Login,
    operation: &'static str,
    place: Place,
) -> Result<Why, Error> {
    let known = Members::new(directory, walk.lanes());
    if known.shown(walk.viewer(), &login)?.is_none() {
        return Err(Error::Nothing(format!("there is no manager `{login}`")));
    }
    let is_there = |place: &Place| match lane_of_owner(walk.lanes(), place.organization()) {
        Some(lane) => Ok::<_, Error>(walk.viewer().sees_place(place) && places::is_there(lane, place)?),
        None => Ok(false),
    };
    // What is made is not there yet; one that is not seen is to be answered like one that is not there.
    let above = if makes(operation, &place) && !is_there(&place)? { place.parent() } else { None };
    if !is_there(above.as_ref().unwrap_or(&place))? {
        return Err(Error::Nothing(format!("there is no place `{place}`")));
    }
    let principal = Principal::of_login(&login, None);
    let asking = Asking::new(&principal, operation, &place, Timestamp::now());
    let home = login.organization.clone().map_or(Place::Provider, Place::Organization);
    if let Some(detail) = asked_at(operation).elsewhere(operation, &place, &home) {
        return Ok(Why::elsewhere((login, operation), place, asking.need, detail));
    }
    let (ruling, mut explanation) = (rights::answer(&known, &asking)?, explain(&known, &asking.asked())?);
    // Of whoever is not seen it is told what the answer turns on, and nothing else.
    for link in &mut explanation.links {
        if link.login != login
            && !walk.sees(None)
            && (link.is_gone || known.shown(walk.viewer(), &link.login)?.is_none())
        {
            (link.privileges, link.rights) = Default::default();
        }
    }
    Ok(Why { place, ..Why::new(walk.viewer(), (login, operation), &asking, ruling, explanation) })
}

impl Why {
    /// Nobody asks for it there.
    fn elsewhere((login, operation): (Login, &'static str), place: Place, need: Need, detail: String) -> Self {
        let takes = takes(need, &login);
        let (besides, links, groups) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            login,
            operation,
            place,
            takes,
            verdict: Verdict::NoOperation,
            detail,
            besides,
            denied_by: None,
            links,
            groups,
        }
    }

    fn new(
        viewer: &Viewer,
        (login, operation): (Login, &'static str),
        asking: &Asking<'_>,
        ruling: Ruling,
        Explanation { ruling: of_place, links, groups, .. }: Explanation,
    ) -> Self {
        // They see something of the place, and not what the operation is about.
        let is_seen = of_place != Ruling::Unseen;
        let Asking { need, place, .. } = asking;
        let takes = takes(*need, &login);
        let (verdict, detail) = match &ruling {
            Ruling::Allowed => (Verdict::Allowed, allowed(&takes, place, &links, &groups)),
            Ruling::Forbidden(denial) => (Verdict::Forbidden, denial.to_string()),
            Ruling::Unseen if is_seen => {
                let detail = format!("for `{login}` there is none at `{place}`: that takes sight of all of it");
                (Verdict::Unseen, detail)
            }
            Ruling::Unseen => (Verdict::Unseen, format!("for `{login}` there is no place `{place}`")),
        };
        let is_tied = groups.iter().any(|group| group.covers);
        let lacks = |link: &&Held| !link.has_need || (!link.covers && !is_tied);
        let denied_by = links.iter().find(lacks).filter(|_| verdict != Verdict::Allowed).map(|link| link.login.clone());
        let has_all = links.iter().all(|link| link.covers) || is_tied;
        let besides = match verdict {
            Verdict::Allowed => besides_of(operation, place, has_all),
            Verdict::Forbidden | Verdict::Unseen | Verdict::NoOperation => Vec::new(),
        };
        let link = |link: Held| LinkItem {
            login: link.login,
            gone: link.is_gone,
            has: link.has_need,
            covers: link.covers,
            sphere: Sphere::of(link.sphere.places().iter().filter(|place| viewer.sees_place(place)).cloned()),
            privileges: link.privileges,
            rights: link.rights,
        };
        let group = |Tied { name, granter, covers }| GroupItem { name, granted_by: granter, covers };
        Self {
            login,
            operation,
            place: place.clone(),
            takes,
            verdict,
            detail,
            besides,
            denied_by,
            links: links.into_iter().map(link).collect(),
            groups: groups.into_iter().map(group).collect(),
        }
    }
}

/// What it takes of somebody.
fn takes(need: Need, login: &Login) -> String {
    let needs = need.of(login).into_iter().enumerate();
    // There is a second one only where there are two.
    let needs = needs.filter(|(at, need)| *at == 0 || !matches!(need, Need::Anybody | Need::Known));
    needs.map(|(_, need)| need.to_string()).collect::<Vec<_>>().join(" and ")
}

/// What is looked at besides, as far as the question does not tell.
fn besides_of(operation: &str, place: &Place, has_all: bool) -> Vec<String> {
    let is_partial = matches!(operation, "set-manager" | "remove-manager") && !has_all;
    let partial = is_partial.then(|| format!("of managers who have all of `{place}` none: that takes all of it"));
    partial.into_iter().chain(besides(operation).map(str::to_owned)).collect()
}

/// How they come to it.
fn allowed(need: &str, place: &Place, links: &[Held], groups: &[Tied]) -> String {
    match (links.iter().all(|link| link.covers), groups.iter().find(|group| group.covers)) {
        (true, _) => format!("all of the chain have {need}, and `{place}`"),
        (false, Some(group)) => {
            format!("all of the chain have {need}; the group `{}` is tied to `{place}`", group.name)
        }
        (false, None) => format!("all of the chain have {need}; what is seen of `{place}` is enough for it"),
    }
}
