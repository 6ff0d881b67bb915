//! `/api/v1/rights/simulate`: a change of rights, held against what was tried lately. Nothing of it is written.
//!
//! Each attempt that the audit has of somebody is asked for twice: by what is granted now, and by what would be. What it
//! took besides what its operation takes is told by what it changed and whom it was about. What a record does not tell,
//! and what would be less or more than it is, makes an attempt one of which nobody can tell.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use linesman_domain::audit::{Log, Owner};
use linesman_domain::commands::groups::TIED_ANEW;
use linesman_domain::differences;
use linesman_domain::directory::Directory;
use linesman_domain::groups::{self, Ties};
use linesman_domain::rights::{
    Again, Asker, Asking, Further, Grants as _, NOT_TOLD, Overlay, Taken, Wish, answer_again, ends,
};
use linesman_schemas::audit::{Record, Verdict};
use linesman_schemas::command::{self, DeviceGroupName, GroupSettings, Verb};
use linesman_schemas::directory::Group;
use linesman_schemas::{GroupName, Login, ManagerName, OrgName, Place, Privilege, Privileges, Right, Rights, Sphere};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::Error;
use super::walk::{Walk, answer};
use crate::edge::members::{Members, is_group_shown};
use crate::edge::sources::Sources;
use crate::edge::transport::json::{JsonBody, stated};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words::{self, TiedGroupBody};
use crate::store::Lane;

/// How far back attempts are looked at.
const DAYS: i64 = 90;
/// How many different attempts are told of.
const TOLD_MOST: usize = 1_000;

/// What would be changed, in this order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct ChangeBody {
    /// Managers that are made or changed.
    #[serde(default)]
    #[schema(max_items = 1000)]
    set_managers: Vec<ManagerWish>,
    /// Privileges and rights that are taken away.
    #[serde(default)]
    #[schema(max_items = 1000)]
    without: Vec<WithoutWish>,
    /// Managers that are removed.
    #[serde(default)]
    #[schema(schema_with = words::logins, required = false)]
    remove_managers: Vec<Login>,
    /// Groups that are made or changed.
    #[serde(default)]
    #[schema(max_items = 1000)]
    set_groups: Vec<GroupWish>,
    /// Groups that are removed.
    #[serde(default)]
    #[schema(schema_with = words::names, required = false)]
    remove_groups: Vec<GroupName>,
    /// Only attempts at this place and below it are looked at.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::place, required = false)]
    under: Option<Place>,
}

/// A manager as it would be; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ManagerWish {
    /// Who.
    #[schema(schema_with = words::login)]
    login: Login,
    /// Where.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::sphere, required = false)]
    sphere: Option<Vec<Place>>,
    /// Which privileges.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::privileges, required = false)]
    privileges: Option<Privileges>,
    /// Which rights.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::rights, required = false)]
    rights: Option<Rights>,
}

/// What is taken away from a manager.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithoutWish {
    /// Who.
    #[schema(schema_with = words::login)]
    login: Login,
    /// A privilege or a right.
    #[serde(deserialize_with = "taken")]
    #[schema(schema_with = words::privilege_or_right)]
    what: Taken,
}

/// A group as it would be; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GroupWish {
    /// Its name.
    #[schema(schema_with = words::name)]
    name: GroupName,
    /// Who is in it.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::names, required = false)]
    members: Option<Vec<ManagerName>>,
    /// The organizations that they see.
    #[serde(default, deserialize_with = "stated")]
    #[schema(schema_with = words::names, required = false)]
    organizations: Option<Vec<OrgName>>,
    /// The device groups that they see.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = Vec<TiedGroupBody>, required = false, max_items = 1000)]
    device_groups: Option<Vec<TiedGroupBody>>,
}

impl GroupWish {
    /// The command that would do it.
    fn verb(&self) -> Verb {
        let device_groups = self.device_groups.clone();
        Verb::Group(command::Group::Set(GroupSettings {
            group: self.name.clone(),
            members: self.members.clone(),
            organizations: self.organizations.clone(),
            device_groups: device_groups.map(|tied| tied.into_iter().map(DeviceGroupName::from).collect()),
        }))
    }
}

/// What would become of what was tried.
#[derive(Debug, Serialize, ToSchema)]
struct Simulation {
    /// How many attempts of the last 90 days there are, those included that were counted together.
    attempts: u64,
    /// How many of them would end otherwise.
    changed: u64,
    /// Of how many it is not known what would become of them: they were counted together, many in a minute and of many
    /// kinds, without a place or operation; or the change is about what their records do not tell.
    unknown: u64,
    /// Those that would end otherwise, or may, by person, place, operation and how they would: a thousand at most.
    items: Vec<Changed>,
}

/// Attempts at the same that would end otherwise, or may.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChangedAttempts)]
struct Changed {
    /// Who.
    actor: String,
    /// Where.
    #[schema(schema_with = words::place)]
    place: Place,
    /// What.
    operation: String,
    /// By what is granted now: `allowed`, `forbidden`, `not-found`; `conflict` or `invalid` where that was no matter of
    /// rights.
    before: &'static str,
    /// By what would be granted; `not-told` where that depends on what is not on record.
    after: &'static str,
    /// Why not, where it would not be allowed; why not now, where it would.
    detail: String,
    /// How often it was tried.
    attempts: u64,
    /// When it was tried last.
    last: Timestamp,
}

/// Holds a change of rights against the attempts of the last 90 days, as far as they are seen: those that would end
/// otherwise. Nothing is changed.
#[utoipa::path(
    post, path = "/api/v1/rights/simulate", operation_id = "simulate", tag = "managers", request_body = ChangeBody,
    responses(
        (status = 200, description = "What would end otherwise.", body = Simulation),
        (status = 403, description = "It takes the privilege `managers`, of the provider's people the right `audit` too.", body = crate::edge::transport::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    )
)]
pub(in crate::edge) async fn simulate(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    JsonBody(change): JsonBody<ChangeBody>,
) -> Result<Response, Problem> {
    viewer.may("simulate", &viewer.home())?;
    let directory = sources.grants.directory()?;
    let (members, viewer_of) = (Arc::clone(&directory), viewer.clone());
    let rows = Arc::clone(&sources.rows);
    // The store waits for the disk; what is wrong with the body is told before anything is walked.
    let checked = tokio::task::spawn_blocking(move || {
        let known = Members::new(&members, &rows);
        wrong(&known, &members, &viewer_of, &change).map(|wrong| (wrong, change))
    });
    let checked = checked.await.map_err(|error| Problem::internal(&error))?;
    let (wrong, change) = checked.map_err(|error| Problem::internal(&error))?;
    if let Some((pointer, detail)) = wrong {
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, pointer, detail));
    }
    let level = sources.commands.level(None);
    answer(&sources, viewer, move |walk| held(walk, (&directory, level), change)).await
}

/// What is wrong with a change: it names somebody who is not there for whoever asks, or is more than a command may hold.
fn wrong(
    known: &Members<'_>,
    directory: &Directory,
    viewer: &Viewer,
    change: &ChangeBody,
) -> Result<Option<(String, String)>, linesman_domain::Error> {
    let without = (0..).zip(&change.without).map(|(at, wish)| (format!("#/without/{at}/login"), &wish.login));
    let removed = (0..).zip(&change.remove_managers).map(|(at, login)| (format!("#/remove_managers/{at}"), login));
    let set = (0..).zip(&change.set_managers).map(|(at, wish)| (format!("#/set_managers/{at}/login"), &wish.login));
    let asker = known.asker(viewer)?.filter(Asker::is_of_provider);
    for (pointer, login) in without.chain(removed).chain(set) {
        // One that is there and not seen is taken like one that is not: whoever may make one is told of neither.
        let makes = login.organization.as_ref().map_or(asker.is_some(), |org| viewer.sees(Some(org)));
        let may_be_new = pointer.starts_with("#/set_managers") && makes;
        if known.shown(viewer, login)?.is_none() && !may_be_new {
            return Ok(Some((pointer, format!("there is no manager `{login}`"))));
        }
    }
    for (at, wish) in change.set_groups.iter().enumerate() {
        if let Err(fault) = wish.verb().check() {
            return Ok(Some((format!("#/set_groups/{at}{}", fault.pointer), fault.message)));
        }
    }
    let set = (0..).zip(&change.set_groups).map(|(at, wish)| (format!("#/set_groups/{at}/name"), &wish.name));
    let removed = (0..).zip(&change.remove_groups).map(|(at, name)| (format!("#/remove_groups/{at}"), name));
    for (pointer, name) in set.chain(removed) {
        let may_be_new = pointer.starts_with("#/set_groups");
        let is_there = |asker: &Asker| directory.group(name).is_some_and(|group| is_group_shown(asker, group));
        if !asker.as_ref().is_some_and(|asker| is_there(asker) || may_be_new) {
            return Ok(Some((pointer, format!("there is no group `{name}`"))));
        }
    }
    Ok(None)
}

/// The change, laid over what is granted, as lane 0 would decide it at its engine level. What is there and not seen is
/// left as it is: it would be refused.
fn laid<'a>(
    known: &'a Members<'_>,
    (directory, level): (&Directory, u32),
    (viewer, asker): (&Viewer, &Asker),
    change: ChangeBody,
) -> Result<Overlay<'a, Members<'a>>, Error> {
    let granter = asker.granter();
    let mut overlay = Overlay::new(known);
    for ManagerWish { login, sphere, privileges, rights } in change.set_managers {
        if known.manager(&login)?.is_some() && known.shown(viewer, &login)?.is_none() {
            continue;
        }
        overlay.set(&login, Wish { sphere: sphere.map(Sphere::of), privileges, rights }, &granter)?;
    }
    for WithoutWish { login, what } in change.without {
        overlay.take(&login, what)?;
    }
    for login in &change.remove_managers {
        overlay.remove(login)?;
    }
    for GroupWish { name, members, organizations, device_groups } in change.set_groups {
        let was = directory.group(&name).map(|group| (**group).clone());
        if was.as_ref().is_some_and(|group| !is_group_shown(asker, group)) {
            continue;
        }
        let mut group = was.unwrap_or_else(|| Group {
            name,
            members: Vec::new(),
            organizations: Vec::new(),
            device_groups: Vec::new(),
            granter: granter.clone(),
        });
        group.members = members.unwrap_or(group.members);
        let device_groups = device_groups.map(|tied| tied.into_iter().map(DeviceGroupName::from).collect());
        if level < TIED_ANEW {
            group.organizations = organizations.unwrap_or(group.organizations);
            group.device_groups = device_groups.unwrap_or(group.device_groups);
        } else if groups::tie(&overlay, &mut group, Ties { organizations, device_groups })?.is_some() {
            // That would be refused.
            continue;
        }
        overlay.set_group(group);
    }
    change.remove_groups.into_iter().for_each(|name| overlay.remove_group(name));
    Ok(overlay)
}

/// Holds a change against what was tried.
fn held(walk: &Walk, (directory, level): (&Arc<Directory>, u32), mut change: ChangeBody) -> Result<Simulation, Error> {
    let known = Members::new(directory, walk.lanes());
    let under = change.under.take();
    let mut simulation = Simulation { attempts: 0, changed: 0, unknown: 0, items: Vec::new() };
    let Some(asker) = known.asker(walk.viewer())? else { return Ok(simulation) };
    let overlay = laid(&known, (directory, level), (walk.viewer(), &asker), change)?;
    let now = Timestamp::now();
    let since = now - SignedDuration::from_hours(24 * DAYS);
    let (mut rulings, mut told) = (HashMap::new(), Told::new());
    for (owner, lane) in logs(walk, under.as_ref())? {
        let log = Log::open(lane, &owner)?;
        for index in log.since(since)?..log.head().size() {
            walk.step()?;
            let Some((record, _)) = log.record(index)? else { continue };
            // What came of a load was tried with the load.
            if differences::is_told(&record.operation) {
                continue;
            }
            let count = count(&record);
            let principal = record.principal.clone().filter(|principal| principal.login().is_some());
            let Some(principal) = principal else { continue };
            if is_of_many(&record.operation, &record.place) {
                // They may have been anywhere: only whoever sees the whole log, and asks for all of it, is told.
                let whole = owner.organization().map_or(Place::Provider, |org| Place::Organization(org.clone()));
                if under.as_ref().is_none_or(|under| under.covers(&whole)) && walk.viewer().reach().covers(&whole) {
                    simulation.attempts += count;
                    simulation.unknown += count;
                }
                continue;
            }
            let Ok(place) = record.place.parse::<Place>() else { continue };
            let is_asked =
                under.as_ref().is_none_or(|under| under.covers(&place)) && walk.viewer().reach().covers(&place);
            if !is_asked {
                continue;
            }
            simulation.attempts += count;
            let further = Further::of(&record, &place);
            let token = principal.token().cloned();
            let key = (principal.to_string(), token, record.operation.clone(), place, further);
            let (now_ends, then_ends) = match rulings.get(&key) {
                Some(known) => known,
                None => {
                    let (.., operation, place, further) = &key;
                    let asking = Asking::new(&principal, operation, place, now);
                    let now_and_then =
                        (answer_again(&known, &asking, further)?, answer_again(&overlay, &asking, further)?);
                    rulings.entry(key.clone()).or_insert(now_and_then)
                }
            };
            let [before, after] = ends(record.outcome, now_ends, then_ends);
            if before != after {
                let counted = if after == NOT_TOLD { &mut simulation.unknown } else { &mut simulation.changed };
                *counted += count;
                let (actor, _, operation, place, _) = key;
                let detail = detail(&actor, &place, after, (now_ends, then_ends));
                tell(&mut told, (actor, place, operation, before, after), detail, (count, record.time));
            }
        }
    }
    simulation.items = told.into_values().take(TOLD_MOST).collect();
    Ok(simulation)
}

/// Attempts that end alike: who, where, what, how now, and how then.
type Kind = (String, Place, String, &'static str, &'static str);

/// What would end otherwise.
type Told = BTreeMap<Kind, Changed>;

/// Takes attempts in that would end otherwise, or may.
fn tell(told: &mut Told, kind: Kind, detail: String, (count, time): (u64, Timestamp)) {
    let (actor, place, operation, before, after) = kind.clone();
    let changed =
        told.entry(kind).or_insert(Changed { actor, place, operation, before, after, detail, attempts: 0, last: time });
    changed.attempts += count;
    changed.last = changed.last.max(time);
}

/// How often something was tried: refusals may be counted together.
fn count(record: &Record) -> u64 {
    let is_refused = record.outcome != Verdict::Done;
    record.new.get("count").and_then(Json::as_u64).filter(|count| is_refused && *count > 0).unwrap_or(1)
}

/// Whether a record counts refusals of several kinds.
fn is_of_many(operation: &str, place: &str) -> bool {
    operation.is_empty() && place.is_empty()
}

/// The logs of what is seen, each in its lane; the provider's, all of them, also where one organization is asked for:
/// what was refused to the provider's people there stands in those.
fn logs<'w>(walk: &'w Walk, under: Option<&Place>) -> Result<Vec<(Owner, &'w Lane)>, Error> {
    let organizations = walk.organizations(under.and_then(Place::organization))?.into_iter();
    let mut logs: Vec<_> = organizations.map(|(org, rows)| (Owner::Organization(org), rows.lane)).collect();
    logs.extend(walk.logs_of_provider());
    Ok(logs)
}

/// Why an attempt would not be allowed; why it is not now, where it would.
fn detail(actor: &str, place: &Place, after: &str, (now, then): (&Again, &Again)) -> String {
    match (then.detail().or_else(|| now.detail()), after) {
        (_, NOT_TOLD) => format!("it depends on what is not on record of what `{actor}` tried"),
        (Some(detail), _) => detail.to_owned(),
        (None, _) => format!("for `{actor}` there is no place `{place}`"),
    }
}

fn taken<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Taken, D::Error> {
    let text = String::deserialize(deserializer)?;
    let privilege = Privilege::ALL.into_iter().find(|one| one.as_str() == text).map(Taken::Privilege);
    let right = || Right::ALL.into_iter().find(|one| one.as_str() == text).map(Taken::Right);
    let taken = privilege.or_else(right).or_else(|| (text == "incidents").then_some(Taken::Incidents));
    taken.ok_or_else(|| {
        let known = words::privileges_and_rights();
        let help = linesman_rules::suggest(&text, known.iter().copied());
        serde::de::Error::custom(format!("`{}` is no privilege and no right: {help}", linesman_rules::excerpt(&text)))
    })
}
