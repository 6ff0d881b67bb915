//! `/api/v1/policies`: the rule book in effect.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use linesman_rules::{Book, Policy};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{OrgName, PolicyName};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use super::best::{Best, Rank, Value, Wanted};
use super::query::{Glob, Paging, is, passes, query};
use super::walk::answer;
use super::{Error, Page, TEXT_MOST, words};
use crate::edge::params::{Params, PathOf};
use crate::edge::problem::Problem;
use crate::edge::routes::Sources;
use crate::store::Lane;
use linesman_domain as domain;

/// How long the rule book may take to come.
const BOOK_MOST: Duration = Duration::from_secs(5);

query! {
    /// Which policies.
    Policies sorted by ["name"], {
        /// The name.
        #[param(value_type = Option<String>)]
        name: Glob,
        /// The organization whose own it is; empty for policies of the provider.
        #[param(value_type = Option<String>)]
        owner: Glob,
        /// What it reacts to.
        #[param(schema_with = words::trigger, required = false)]
        trigger: Trigger,
    }
}

/// A policy in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::edge) struct PolicyPath {
    /// Its name; the `/` of an organization's own is written `%2F`.
    #[param(value_type = String, pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}/)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "open-case")]
    name: PolicyName,
}

/// A policy of the rule book in effect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Policy)]
struct Item {
    /// Its name.
    #[schema(value_type = String)]
    name: PolicyName,
    /// The organization whose own it is; none for one of the provider.
    owner: Option<String>,
    /// What it reacts to.
    #[schema(schema_with = words::trigger)]
    trigger: Trigger,
    /// The only organizations it judges for; none: all.
    #[schema(value_type = Option<Vec<String>>)]
    organizations: Option<Vec<OrgName>>,
    /// SHA-256 of its text, in hexadecimal.
    hash: String,
}

/// A policy with its text.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyWithSource {
    #[serde(flatten)]
    policy: Item,
    /// Its text.
    source: String,
}

/// Policies in effect, page by page.
#[utoipa::path(
    get, path = "/api/v1/policies", tag = "policies", params(Policies),
    responses((status = 200, description = "A page.", body = Page<Item>))
)]
pub(in crate::edge) async fn policies(
    State(sources): State<Arc<Sources>>,
    Params(mut list): Params<Policies>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    let book = book(&sources).await?;
    answer(&sources, move |_| Ok(list.page(&book, &paging))).await
}

/// One policy in effect, with its text.
#[utoipa::path(
    get, path = "/api/v1/policies/{name}", tag = "policies", params(PolicyPath),
    responses((status = 200, description = "The policy.", body = PolicyWithSource))
)]
pub(in crate::edge) async fn policy(
    State(sources): State<Arc<Sources>>,
    PathOf(PolicyPath { name }): PathOf<PolicyPath>,
) -> Result<Response, Problem> {
    let book = book(&sources).await?;
    answer(&sources, move |_| {
        let policy = book.policies().iter().find(|policy| *policy.name() == name);
        let policy = policy.ok_or_else(|| Error::Nothing(format!("there is no policy `{name}`")))?;
        Ok(PolicyWithSource { policy: Item::new(policy), source: policy.source().to_owned() })
    })
    .await
}

/// The latest rule book that a lane judges by; as lanes use it too, it is fetched once.
async fn book(sources: &Sources) -> Result<Arc<Book>, Problem> {
    let Some(row) = latest(&sources.rows).map_err(|error| Problem::internal(&error))? else {
        return Ok(Arc::new(Book::build(Vec::new())));
    };
    match timeout(BOOK_MOST, sources.books.get(&row.hash)).await {
        Ok(Ok(ready)) => Ok(ready.book),
        failed => {
            let why = failed.map_or_else(
                |_| "it takes too long".to_owned(),
                |failed| failed.err().map(|error| error.to_string()).unwrap_or_default(),
            );
            tracing::warn!(hash = row.hash, why, "the rule book cannot be shown");
            Err(Problem::busy(
                "the rule book cannot be fetched at the moment; the engine's log says why",
                BOOK_MOST.as_secs(),
            ))
        }
    }
}

/// The rule book of the highest version that a lane judges by.
pub(in crate::edge) fn latest(lanes: &[Lane]) -> Result<Option<domain::rows::BookRow>, domain::Error> {
    let mut latest: Option<domain::rows::BookRow> = None;
    for lane in lanes {
        if let Some(row) = domain::rule_book(lane)?
            && latest.as_ref().is_none_or(|latest| latest.version < row.version)
        {
            latest = Some(row);
        }
    }
    Ok(latest)
}

impl Policies {
    fn page(&self, book: &Book, paging: &Paging) -> Page<Item> {
        let mut best = Best::new(paging.limit, TEXT_MOST, paging.is_descending, paging.after.clone());
        for policy in book.policies() {
            let name = policy.name().as_str();
            let rank = Rank { value: Value::Key, organization: String::new(), key: name.as_bytes().to_vec() };
            if best.wants(&rank) == Wanted::Yes
                && passes(self.name.as_ref(), name)
                && passes(self.owner.as_ref(), owner(policy).unwrap_or_default())
                && is(self.trigger, policy.trigger())
            {
                best.put(rank, Item::new(policy), name.len());
            }
        }
        let (items, last) = best.page();
        Page { items, next: last.and_then(|last| paging.cursor(last)), total: None }
    }
}

/// The organization whose own a policy is, which its name says.
fn owner(policy: &Policy) -> Option<&str> {
    policy.name().as_str().split_once('/').map(|(owner, _)| owner)
}

impl Item {
    fn new(policy: &Policy) -> Self {
        Self {
            name: policy.name().clone(),
            owner: owner(policy).map(str::to_owned),
            trigger: policy.trigger(),
            organizations: policy.organizations().map(<[OrgName]>::to_vec),
            hash: policy.hash().to_owned(),
        }
    }
}
