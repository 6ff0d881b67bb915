//! `/api/v1/managers`: managers of organizations, and the provider's people.
//!
//! Walked by the keys of those organizations that somebody sees something of, never over all there are. Whom somebody
//! sees is asked of the domain, as when they are changed.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::directory::{self, Directory};
use linesman_domain::managers::{self, ManagerRow};
use linesman_domain::rights::{Member, effective, settled};
use linesman_domain::table::{self, Table};
use linesman_schemas::{Login, OrgName, Place, Principal, Privileges, Rights, Sphere};
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::{Walk, answer};
use super::{Error, rows_from};
use crate::edge::filters::passes;
use crate::edge::filters::tables::Managers;
use crate::edge::members::{Members, lane_of_owner};
use crate::edge::paging::{Offered, Page, Pager, Paging, Rank, Value};
use crate::edge::paths::{ManagerPath, PersonPath};
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;

/// A manager.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Manager)]
struct Item {
    /// Its login: a name of the provider's, or `<organization>/<name>`.
    #[schema(value_type = String)]
    login: Login,
    /// Where, as it was granted.
    #[schema(schema_with = words::sphere)]
    sphere: Sphere,
    /// Its privileges there, as they were granted; without one it may read.
    #[schema(schema_with = words::privileges)]
    privileges: Privileges,
    /// Its rights there, as they were granted; of the provider's people only.
    #[schema(schema_with = words::rights)]
    rights: Rights,
    /// Who granted that, or whom it was handed to; none for the provider's first manager.
    #[schema(value_type = Option<String>)]
    granted_by: Option<Login>,
    /// What it comes to, all granters considered.
    effective: Effect,
    /// When it was made; none for the provider's first manager.
    created: Option<Timestamp>,
    /// When it was changed last; none for the provider's first manager.
    changed: Option<Timestamp>,
}

/// What a grant comes to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EffectiveGrant)]
struct Effect {
    /// Where.
    #[schema(schema_with = words::sphere)]
    sphere: Sphere,
    /// Which privileges.
    #[schema(schema_with = words::privileges)]
    privileges: Privileges,
    /// Which rights.
    #[schema(schema_with = words::rights)]
    rights: Rights,
}

/// Managers, page by page: the provider's people first, then those of organizations.
#[utoipa::path(
    get, path = "/api/v1/managers", tag = "managers", params(Managers),
    responses((status = 200, description = "A page.", body = Page<Item>))
)]
pub(in crate::edge) async fn managers(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Managers>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    let directory = sources.grants.directory()?;
    answer(&sources, viewer, move |walk| page(walk, &directory, &list, &paging)).await
}

/// One of the provider's people.
#[utoipa::path(
    get, path = "/api/v1/managers/{name}", tag = "managers", params(PersonPath),
    responses((status = 200, description = "The manager.", body = Item))
)]
pub(in crate::edge) async fn person(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(PersonPath { name }): PathOf<PersonPath>,
) -> Result<Response, Problem> {
    let directory = sources.grants.directory()?;
    answer(&sources, viewer, move |walk| one(walk, &directory, &Login::new(None, name))).await
}

/// A manager of an organization.
#[utoipa::path(
    get, path = "/api/v1/managers/{organization}/{name}", tag = "managers", params(ManagerPath),
    responses((status = 200, description = "The manager.", body = Item))
)]
pub(in crate::edge) async fn manager(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ManagerPath { organization, name }): PathOf<ManagerPath>,
) -> Result<Response, Problem> {
    let directory = sources.grants.directory()?;
    answer(&sources, viewer, move |walk| one(walk, &directory, &Login::new(Some(organization), name))).await
}

fn one(walk: &Walk, directory: &Arc<Directory>, login: &Login) -> Result<Item, Error> {
    let nothing = || Error::Nothing(format!("there is no manager `{login}`"));
    let known = Members::new(directory, walk.lanes());
    let member = known.shown(walk.viewer(), login)?.ok_or_else(nothing)?;
    let row = match lane_of_owner(walk.lanes(), login.organization.as_ref()) {
        Some(lane) => Table::read(lane, &managers::key(login))?,
        None => None,
    };
    Item::new(&known, &member, row.as_ref())
}

fn page(walk: &Walk, directory: &Arc<Directory>, list: &Managers, paging: &Paging) -> Result<Page<Item>, Error> {
    let is_back = paging.is_descending;
    let mut pager = Pager::new(paging, Offered::InOrder);
    let known = Members::new(directory, walk.lanes());
    let mut owners = owners(walk, list.under.as_ref())?;
    let Some(asker) = known.asker(walk.viewer())? else { return Ok(pager.page()) };
    if is_back {
        owners.reverse();
    }
    for owner in &owners {
        let whose = owner.as_ref().map_or("", OrgName::as_str);
        let after = match &paging.after {
            Some(last) if last.organization == whose => Some(last.key.as_slice()),
            // All of it was on earlier pages.
            Some(last) if (last.organization.as_str() > whose) != is_back => continue,
            _ => None,
        };
        for found in found(walk, owner.as_ref(), after, is_back) {
            walk.step()?;
            let (member, row) = found?;
            let key = member.login.name.as_str().as_bytes().to_vec();
            let rank = Rank { value: Value::Key, organization: whose.to_owned(), key };
            let offered = pager.offer(rank, |_| {
                let is_wanted = passes(list.login.as_ref(), &member.login.to_string())
                    && lies_under(&member, list.under.as_ref())
                    && known.is_shown(walk.viewer(), &asker, &member)?;
                if !is_wanted {
                    return Ok(None);
                }
                let item = Item::new(&known, &member, row.as_ref())?;
                let granter = item.granted_by.as_ref().map(Login::to_string).unwrap_or_default();
                let bytes = 64 * member.grant.sphere.places().len();
                Ok::<_, Error>(passes(list.granted_by.as_ref(), &granter).then_some((item, bytes)))
            })?;
            if offered.is_break() {
                break;
            }
        }
    }
    Ok(pager.page())
}

/// Whose managers are asked for, in order: the provider's (none) before all organizations.
fn owners(walk: &Walk, under: Option<&Place>) -> Result<Vec<Option<OrgName>>, Error> {
    Ok(match under {
        Some(Place::Provider) => vec![None],
        Some(place) => walk.organizations(place.organization())?.into_keys().map(Some).collect(),
        None => std::iter::once(None).chain(walk.organizations(None)?.into_keys().map(Some)).collect(),
    })
}

/// Whether somebody was granted a place or something below it; all of an organization lie under it.
fn lies_under(member: &Member, under: Option<&Place>) -> bool {
    match under {
        Some(under @ Place::Below(_)) => member.grant.sphere.places().iter().any(|place| under.covers(place)),
        Some(Place::Provider | Place::Organization(_)) | None => true,
    }
}

/// Managers with their rows, from behind `after` on; the provider's first has none.
fn found<'a>(
    walk: &'a Walk,
    org: Option<&'a OrgName>,
    after: Option<&[u8]>,
    is_back: bool,
) -> Box<dyn Iterator<Item = Result<(Member, Option<ManagerRow>), Error>> + 'a> {
    let Some(lane) = lane_of_owner(walk.lanes(), org) else { return Box::new(std::iter::empty()) };
    let prefix = managers::within(org, &[]);
    let front = prefix.len();
    let from = after.map(|own| managers::within(org, own));
    let stored = rows_from(lane, prefix, from, is_back).filter_map(move |found| {
        let read = || -> Result<Option<(Member, Option<ManagerRow>)>, Error> {
            let (key, bytes) = found?;
            let own = key.get(front..).and_then(|own| std::str::from_utf8(own).ok());
            let Some(name) = own.and_then(|own| own.parse().ok()) else { return Ok(None) };
            let row: ManagerRow = table::decode(&key, &bytes)?;
            Ok(Some((row.clone().member(Login::new(org.cloned(), name)), Some(row))))
        };
        read().transpose()
    });
    if org.is_some() {
        return Box::new(stored);
    }
    // They are few: the first of them has its place among the others.
    let mut people: Vec<_> = stored.chain([Ok((directory::admin(), None))]).collect();
    people.sort_by(|first, second| name(first).cmp(&name(second)));
    if is_back {
        people.reverse();
    }
    Box::new(people.into_iter())
}

fn name(found: &Result<(Member, Option<ManagerRow>), Error>) -> Option<&str> {
    found.as_ref().ok().map(|(member, _)| member.login.name.as_str())
}

impl Item {
    fn new(known: &Members<'_>, member: &Member, row: Option<&ManagerRow>) -> Result<Self, Error> {
        let grant = settled(known, member)?;
        let principal = Principal::of_login(&member.login, None);
        let comes_to = effective(known, &principal, Timestamp::now())?.unwrap_or_default();
        Ok(Self {
            login: member.login.clone(),
            sphere: grant.sphere,
            privileges: grant.privileges,
            rights: grant.rights,
            granted_by: grant.granter.map(|granter| granter.login),
            effective: Effect { sphere: comes_to.sphere, privileges: comes_to.privileges, rights: comes_to.rights },
            created: row.map(|row| row.created),
            changed: row.map(|row| row.changed),
        })
    }
}
