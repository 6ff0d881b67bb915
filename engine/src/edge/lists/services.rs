//! `/api/v1/services`: what may be subscribed to. Every lane has the same; they are read from the first.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::services::{self, VersionRow};
use linesman_domain::table::Table;
use linesman_schemas::ServiceName;
use linesman_schemas::service::DEFINITION;
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use super::walk::{Walk, answer};
use crate::edge::filters::passes;
use crate::edge::filters::tables::Services;
use crate::edge::paging::{Offered, Page, Pager, Paging, Rank, Value};
use crate::edge::paths::ServicePath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;

/// A service.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Service)]
struct Item {
    /// Its name.
    #[schema(value_type = String)]
    name: ServiceName,
    /// Its newest version, which is subscribed to.
    version: String,
    /// When that came first.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// A service, with what defines it.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceWithDefinition {
    #[serde(flatten)]
    service: Item,
    /// The text of its `service.toml`; for others than the provider's people without what it fixes and hides.
    definition: String,
    /// The names of its templates.
    templates: Vec<String>,
    /// The versions that there are, the newest first.
    versions: Vec<Version>,
}

/// A version of a service.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceVersion)]
struct Version {
    /// Which.
    version: String,
    /// When it came first.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// Services, page by page.
#[utoipa::path(
    get, path = "/api/v1/services", operation_id = "services", tag = "services", params(Services),
    responses((status = 200, description = "A page.", body = Page<Item>))
)]
pub(in crate::edge) async fn services(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Services>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| page(walk, &list, &paging)).await
}

/// One service.
#[utoipa::path(
    get, path = "/api/v1/services/{name}", operation_id = "service", tag = "services", params(ServicePath),
    responses((status = 200, description = "The service.", body = ServiceWithDefinition))
)]
pub(in crate::edge) async fn service(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ServicePath { name }): PathOf<ServicePath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| one(walk, name)).await
}

fn page(walk: &Walk, list: &Services, paging: &Paging) -> Result<Page<Item>, Error> {
    let mut pager = Pager::new(paging, Offered::AnyHow);
    let Some(lane) = walk.lanes().first() else { return Ok(pager.page()) };
    // There are a thousand at most.
    for found in services::all(lane) {
        walk.step()?;
        let (name, newest) = found?;
        let Some(row) = Table::read(lane, &services::version_key(&name, &newest.version))? else { continue };
        let key = name.as_str().as_bytes().to_vec();
        let is_wanted = passes(list.name.as_ref(), name.as_str());
        let item = Item { name, version: newest.version, since: row.taken_up };
        let Ok(_) = pager.offer(Rank { value: Value::Key, organization: String::new(), key }, |_| {
            Ok::<_, Infallible>(is_wanted.then_some((item, 64)))
        });
    }
    Ok(pager.page())
}

/// A definition without the values that it fixes, where it hides what is fixed.
fn without_fixed(text: String) -> String {
    // What stands in a version was read as a definition when it was loaded.
    let Ok(mut definition) = text.parse::<toml::Table>() else { return text };
    if definition.get("hide_fixed").and_then(toml::Value::as_bool) != Some(true) {
        return text;
    }
    let parameters = definition.get_mut("parameters").and_then(toml::Value::as_table_mut);
    let mut is_cut = false;
    for (_, parameter) in parameters.into_iter().flatten() {
        let said = parameter.get("substitution").and_then(toml::Value::as_str);
        if said.is_some_and(|said| said.trim_start().starts_with('!'))
            && let Some(parameter) = parameter.as_table_mut()
        {
            // Fixed without a value of its own, it is the default that is fixed.
            parameter.remove("substitution");
            parameter.remove("default");
            is_cut = true;
        }
    }
    if is_cut { definition.to_string() } else { text }
}

fn one(walk: &Walk, name: ServiceName) -> Result<ServiceWithDefinition, Error> {
    let nothing = || Error::Nothing(format!("there is no service `{name}`"));
    let lane = walk.lanes().first().ok_or_else(nothing)?;
    let newest = Table::read(lane, &services::newest_key(&name))?.ok_or_else(nothing)?.version;
    let mut found = services::versions(lane, &name).collect::<Result<Vec<(String, VersionRow)>, _>>()?;
    found.sort_by_key(|(version, row)| (*version != newest, std::cmp::Reverse(row.taken_up)));
    let versions = found.iter().map(|(version, row)| Version { version: version.clone(), since: row.taken_up });
    let versions = versions.collect();
    let (version, row) = found.into_iter().next().ok_or_else(nothing)?;
    let VersionRow { mut files, taken_up } = row;
    let definition = files.remove(DEFINITION).unwrap_or_default();
    let definition = if walk.viewer().reader().sees_all() { definition } else { without_fixed(definition) };
    let service = Item { name, version, since: taken_up };
    Ok(ServiceWithDefinition { service, definition, templates: files.into_keys().collect(), versions })
}

#[cfg(test)]
mod tests {
    use super::without_fixed;

    #[test]
    fn what_a_definition_fixes_and_hides_is_not_shown_however_it_says_so() {
        let text = "hide_fixed = true\n[parameters]\na = { default = \"424242\", substitution = \"!a=\" }\n\
                    b = { substitution = \"!b=434343\" }\nc = { default = \"7\" }\n";
        let shown = without_fixed(text.to_owned());
        assert!(!shown.contains("4242") && !shown.contains("4343"), "{shown}");
        assert!(shown.contains("default = \"7\""), "{shown}");
        let open = text.replace("true", "false");
        assert_eq!(without_fixed(open.clone()), open);
    }
}
