//! What the engine knows, page by page and one by one.
//!
//! A list is walked in the order of its keys where that is what was asked for, or where its rows lie in the order
//! asked for, and then from the cursor only as far as the page goes; for any other order all of it is walked, and
//! only the page is kept. Of what a viewer does not see nothing is read.

mod activated;
pub(super) mod activations;
pub(super) mod addresses;
pub(super) mod affected;
pub(super) mod approvals;
pub(super) mod associations;
pub(super) mod audit;
pub(super) mod cases;
mod chained;
pub(super) mod devices;
pub(super) mod directives;
pub(super) mod drifts;
pub(super) mod explain;
pub(super) mod exports;
pub(super) mod files;
pub(super) mod groups;
pub(super) mod incidents;
pub(super) mod intelligence;
pub(super) mod jmb_errors;
pub(super) mod managers;
mod named;
mod on_device;
pub(super) mod organizations;
pub(super) mod places;
pub(super) mod policies;
mod reached;
pub(super) mod report;
pub(super) mod rollout;
pub(super) mod scripts;
mod seen;
pub(super) mod services;
pub(super) mod simulate;
pub(super) mod subscriptions;
#[cfg(test)]
mod tests;
mod told;
mod uploaded;
pub(super) mod values;
mod walk;
pub(super) mod why;

use linesman_schemas::OrgName;
use serde::Serialize;
use utoipa::ToSchema;

use super::filters::Listing;
use super::paging::{Offered, Page, Pager, Paging, Rank, Value};
use super::viewer::Viewer;
use crate::store;
use crate::store::Lane;
use linesman_domain::bundles::BundleRef;
use linesman_domain::sight::Sight;
use linesman_domain::table;
pub(super) use walk::Waiting;
use walk::{OrgRows, Walk};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// What was asked for is not there.
    #[error("{0}")]
    Nothing(String),
    /// What was asked for is there several times.
    #[error("{0}")]
    Several(String),
    /// It does not fit how things stand.
    #[error("{0}")]
    Unfit(String),
    /// It takes too long, or nobody waits any more.
    #[error("this takes more than {0} s; narrow it by an organization or a time, or sort it otherwise")]
    TooLong(f64),
    /// The store cannot be read.
    #[error("the list cannot be read from the store")]
    Store(#[from] linesman_domain::Error),
    /// The answer has no text.
    #[error("the list cannot be written")]
    Json(#[from] serde_json::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What stands before the own keys of further rows: no text begins with it.
const FURTHER: u8 = 0xff;

/// An item's own key, its row, and how many bytes that has.
type Found<R> = Result<(Vec<u8>, R, usize), Error>;

/// A list whose items lie in the store, by organization.
trait Stored: Listing {
    /// What the store has.
    type Row: linesman_domain::table::Row;
    /// What is shown.
    type Item: Serialize;
    /// By which of the sorts besides the first the rows of an organization lie in order; [`Stored::behind`] goes with it.
    const IN_ORDER_BY: Option<&'static str> = None;

    /// Whether there are items of the provider's own, on lane 0, beside those of organizations.
    const HAS_PROVIDERS: bool = false;

    /// The front of the keys of an organization's rows, from its own keys' beginning on.
    fn prefix(organization: &str, own: &[u8]) -> Vec<u8>;

    /// Whose items.
    fn organization(&self) -> Option<&OrgName>;

    /// What `by` sorts a row by.
    fn value(by: &str, row: &Self::Row) -> Value;

    /// The item as it is shown, and how many bytes more it has than its row; none if it does not pass
    /// the filters.
    fn item(
        &self,
        rows: &OrgRows<'_>,
        org: &OrgName,
        key: &[u8],
        row: Self::Row,
    ) -> Result<Option<(Self::Item, usize)>, Error>;

    /// Whether an item is there for whoever sees an organization in part; what is not seen of it is taken out.
    ///
    /// # Errors
    /// The store cannot be read.
    fn is_seen(
        rows: &OrgRows<'_>,
        sight: &Sight,
        org: &OrgName,
        key: &[u8],
        row: &mut Self::Row,
    ) -> Result<bool, Error>;

    /// The front of the keys of further rows of an organization's, of another table, where there are such. They lie behind
    /// the others, and their own keys begin with [`FURTHER`] in place of it.
    fn further(_organization: &str) -> Option<Vec<u8>> {
        None
    }

    /// Whether an item of an organization is not its own, and not there for whoever walks, whatever they see of it.
    ///
    /// # Errors
    /// The store cannot be read.
    fn is_hidden(_rows: &OrgRows<'_>, _org: &OrgName, _key: &[u8], _row: &Self::Row) -> Result<bool, Error> {
        Ok(false)
    }

    /// The items of a row of the store.
    fn read(key: &[u8], own: &[u8], bytes: &[u8]) -> Vec<Found<Self::Row>> {
        vec![table::decode(key, bytes).map(|row| (own.to_vec(), row, bytes.len())).map_err(Error::from)]
    }

    /// The store's key next to an item's, so that what lies behind the item lies behind it.
    fn beside(key: &[u8], _is_descending: bool) -> Option<Vec<u8>> {
        Some(key.to_vec())
    }

    /// Of an organization whose rows lie in the order asked for, the store's key behind which everything lies that
    /// is sorted behind `last`; none: all of it may.
    ///
    /// # Errors
    /// The store cannot be read, or the walk has taken too long.
    fn behind(
        _walk: &Walk,
        _rows: &OrgRows<'_>,
        _org: &OrgName,
        _last: &Value,
        _is_back: bool,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(None)
    }
}

/// A page of a list in the store.
fn page<L: Stored>(walk: &Walk, list: &L, paging: &Paging) -> Result<Page<L::Item>, Error> {
    let is_by_key = L::SORTS.first() == Some(&paging.by);
    let is_in_order = is_by_key || L::IN_ORDER_BY == Some(paging.by);
    let is_back = is_in_order && paging.is_descending;
    let mut pager = Pager::new(paging, if is_in_order { Offered::InOrder } else { Offered::AnyHow });
    let mut organizations = walk.organizations(list.organization())?;
    if L::HAS_PROVIDERS && list.organization().is_none() {
        organizations.extend(walk.provider().map(|rows| (OrgName::provider(), rows)));
    }
    let mut organizations: Vec<_> = organizations.iter().collect();
    if is_back {
        organizations.reverse();
    }
    for (org, rows) in organizations {
        let from = match paging.after.as_ref().filter(|_| is_in_order) {
            None => None,
            Some(last) if last.organization == org.as_str() => L::beside(&last.key, is_back),
            Some(last) if !is_by_key => L::behind(walk, rows, org, &last.value, is_back)?,
            // All of it was on earlier pages, or none.
            Some(last) if (last.organization.as_str() > org.as_str()) != is_back => continue,
            Some(_) => None,
        };
        for found in items::<L>(rows.lane, org, from.as_deref(), is_back) {
            walk.step()?;
            let (key, mut row, bytes) = found?;
            if L::is_hidden(rows, org, &key, &row)? {
                continue;
            }
            if let Some(sight) = &rows.sight
                && !L::is_seen(rows, sight, org, &key, &mut row)?
            {
                continue;
            }
            let value = if is_by_key { Value::Key } else { L::value(paging.by, &row) };
            let rank = Rank { value, organization: org.as_str().to_owned(), key };
            let offered = pager.offer(rank, |rank| {
                let item = list.item(rows, org, &rank.key, row)?;
                Ok::<_, Error>(item.map(|(item, more)| (item, bytes + more)))
            })?;
            if offered.is_break() {
                break;
            }
        }
    }
    Ok(pager.page())
}

/// An organization's items, from behind `from` on.
fn items<L: Stored>(
    lane: &Lane,
    org: &OrgName,
    from: Option<&[u8]>,
    is_back: bool,
) -> impl Iterator<Item = Found<L::Row>> {
    let mut tables = vec![(L::prefix(org.as_str(), &[]), false)];
    tables.extend(L::further(org.as_str()).map(|prefix| (prefix, true)));
    let has_further = tables.len() > 1;
    if is_back {
        tables.reverse();
    }
    // In which table `from` lies: what lies before it is passed over, and what lies behind it is read whole.
    let lies_in = from.map(|own| has_further && own.first() == Some(&FURTHER));
    let start = from.map(|own| match lies_in {
        Some(true) => [&L::further(org.as_str()).unwrap_or_default()[..], own.get(1..).unwrap_or_default()].concat(),
        _ => L::prefix(org.as_str(), own),
    });
    let tables = tables.into_iter().skip_while(move |(_, is_further)| lies_in.is_some_and(|lies| lies != *is_further));
    tables.flat_map(move |(prefix, is_further)| {
        let from = start.clone().filter(|_| lies_in == Some(is_further));
        let length = prefix.len();
        rows_from(lane, prefix, from, is_back).flat_map(move |found| match found {
            Ok((key, bytes)) => {
                let own = key.get(length..).unwrap_or_default();
                let marked = is_further.then(|| [&[FURTHER][..], own].concat());
                let mut items = L::read(&key, marked.as_deref().unwrap_or(own), &bytes);
                if is_back {
                    items.reverse();
                }
                items
            }
            Err(error) => vec![Err(error.into())],
        })
    })
}

/// The store's rows whose keys begin with `prefix`, from behind the key `from` on.
fn rows_from(
    lane: &Lane,
    prefix: Vec<u8>,
    from: Option<Vec<u8>>,
    is_back: bool,
) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), store::Error>> {
    // One row of the store at a time: their number is not bounded by what is asked for.
    let mut last = from;
    std::iter::from_fn(move || {
        let found = if is_back {
            lane.rows_back(&prefix, last.as_deref()).next()
        } else {
            lane.rows(&prefix, last.as_deref()).next()
        }?;
        if let Ok((key, _)) = &found {
            last = Some(key.clone());
        }
        Some(found)
    })
}

/// None for an empty text.
fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Where a bundle stands in IN.
#[derive(Debug, Serialize, ToSchema)]
struct Bundle {
    /// Its sequence, for whoever sees everything: to others it would tell how much those have.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sequence: Option<u64>,
    /// Its length in bytes.
    length: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    sha256: String,
}

impl Bundle {
    /// As it is told to `viewer`.
    fn new(viewer: &Viewer, bundle: BundleRef) -> Self {
        Self {
            sequence: Some(bundle.sequence).filter(|_| viewer.sees(None)),
            length: bundle.length,
            sha256: hex::encode(bundle.sha256),
        }
    }
}

/// The text an item's own key is.
fn text_key(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

/// The number an item's own key is.
fn number(key: &[u8]) -> u64 {
    key.first_chunk().map_or(0, |number| u64::from_be_bytes(*number))
}
