//! `/api/v1/policies`: the rule book in effect.

use linesman_domain::rule_book::BookRow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_rules::Policy;
use linesman_schemas::control::PoliciesSection;
use linesman_schemas::{OrgName, PolicyName};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::Error;
use super::walk::{Walk, answer};
use crate::edge::filters::passes;
use crate::edge::filters::tables::Policies;
use crate::edge::paging::{Offered, Page, Pager, Paging, Rank, Value};
use crate::edge::paths::PolicyPath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::lane::failures::PolicyFailed;
use crate::log::books;
use crate::store::Lane;
use linesman_domain as domain;

/// How long the rule book may take to come.
const BOOK_MOST: Duration = Duration::from_secs(5);

/// Policies that have failed lately, by name.
type Lately = BTreeMap<String, PolicyFailed>;

/// A policy of the rule book in effect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Policy)]
struct Item {
    /// Its name.
    #[schema(value_type = String)]
    name: PolicyName,
    /// The organization whose own it is; none for one of the provider.
    owner: Option<String>,
    /// What it reacts to: a trigger, several separated by `, `, or `audit.*` for whatever stands in the audit.
    trigger: String,
    /// The only organizations it judges for; none: all.
    #[schema(value_type = Option<Vec<String>>)]
    organizations: Option<Vec<OrgName>>,
    /// SHA-256 of its text, in hexadecimal.
    hash: String,
    /// Where it came from, such as `file acme/night-shift.rhai`.
    origin: String,
    /// How often it has failed within 24 hours, as this node has decided it since it was started.
    failures: u64,
    /// When it failed last within them; null where it did not.
    failed: Option<Timestamp>,
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
    viewer: Viewer,
    Params(mut list): Params<Policies>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    let book = book(&sources).await?;
    let failed = sources.failures.lately(Timestamp::now());
    answer(&sources, viewer, move |walk| Ok(page(&list, walk, (&book, &failed), &paging))).await
}

/// One policy in effect, with its text.
#[utoipa::path(
    get, path = "/api/v1/policies/{name}", tag = "policies", params(PolicyPath),
    responses((status = 200, description = "The policy.", body = PolicyWithSource))
)]
pub(in crate::edge) async fn policy(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(PolicyPath { name }): PathOf<PolicyPath>,
) -> Result<Response, Problem> {
    let book = book(&sources).await?;
    let failed = sources.failures.lately(Timestamp::now());
    answer(&sources, viewer, move |walk| {
        let policy = book.book.policies().iter().find(|policy| *policy.name() == name && is_seen(walk, policy));
        let policy = policy.ok_or_else(|| Error::Nothing(format!("there is no policy `{name}`")))?;
        Ok(PolicyWithSource { policy: Item::new(policy, &book, &failed), source: policy.source().to_owned() })
    })
    .await
}

/// The latest rule book that a lane judges by; as lanes use it too, it is fetched once.
async fn book(sources: &Sources) -> Result<books::Policies, Problem> {
    let Some(row) = latest(&sources.rows).map_err(|error| Problem::internal(&error))? else {
        return Ok(books::Policies::of(PoliciesSection::default()));
    };
    match timeout(BOOK_MOST, sources.books.get(&row.reference())).await {
        Ok(Ok(ready)) => Ok(ready.policies),
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
fn latest(lanes: &[Lane]) -> Result<Option<BookRow>, domain::Error> {
    let mut latest: Option<BookRow> = None;
    for lane in lanes {
        if let Some(row) = domain::rule_book::read(lane)?
            && latest.as_ref().is_none_or(|latest| latest.version < row.version)
        {
            latest = Some(row);
        }
    }
    Ok(latest)
}

/// A page of those that are seen.
fn page(list: &Policies, walk: &Walk, (book, failed): (&books::Policies, &Lately), paging: &Paging) -> Page<Item> {
    let mut pager = Pager::new(paging, Offered::AnyHow);
    for policy in book.book.policies().iter().filter(|policy| is_seen(walk, policy)) {
        let name = policy.name().as_str();
        let rank = Rank { value: Value::Key, organization: String::new(), key: name.as_bytes().to_vec() };
        let Ok(_) = pager.offer(rank, |_| {
            let is_wanted = passes(list.name.as_ref(), name)
                && passes(list.owner.as_ref(), owner(policy).unwrap_or_default())
                && list.trigger.is_none_or(|trigger| policy.triggers().contain(trigger));
            Ok::<_, Infallible>(is_wanted.then(|| (Item::new(policy, book, failed), name.len())))
        });
    }
    pager.page()
}

/// Whether there is such a policy for whoever asks. What the provider's own say of whom is the provider's.
fn is_seen(walk: &Walk, policy: &Policy) -> bool {
    match owner(policy).map(str::parse) {
        None => walk.sees_whole(None),
        Some(owner) => owner.is_ok_and(|owner| walk.sees_whole(Some(&owner))),
    }
}

/// The organization whose own a policy is, which its name says.
fn owner(policy: &Policy) -> Option<&str> {
    policy.name().as_str().split_once('/').map(|(owner, _)| owner)
}

impl Item {
    fn new(policy: &Policy, book: &books::Policies, failed: &Lately) -> Self {
        let failed = failed.get(policy.name().as_str());
        Self {
            failures: failed.map_or(0, |failed| failed.failures),
            failed: failed.map(|failed| failed.last),
            name: policy.name().clone(),
            owner: owner(policy).map(str::to_owned),
            trigger: policy.triggers().to_string(),
            organizations: policy.organizations().map(<[OrgName]>::to_vec),
            hash: policy.hash().to_owned(),
            origin: book.origins.get(policy.name()).cloned().unwrap_or_default(),
        }
    }
}
