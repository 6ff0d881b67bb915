//! What the engine knows, page by page and one by one.
//!
//! A list is walked in the order of its keys where that is what was asked for, and then only as far as
//! the page goes; for any other order all of it is walked, and only the page is kept. Whoever follows
//! the cursors sees each item that was there at the beginning and keeps its place, once.

mod best;
pub(super) mod cases;
pub(super) mod devices;
pub(super) mod incidents;
pub(super) mod intelligence;
pub(super) mod organizations;
pub(super) mod policies;
pub(super) mod query;
mod walk;
pub(super) mod words;

use linesman_schemas::OrgName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::store;
use crate::store::Lane;
use best::{Best, Rank, Value, Wanted};
use linesman_domain::rows::{self, BundleRef, key};
use query::{Paging, Query};
use walk::{Place, Walk};

/// Where a page ends whatever its limit, in bytes of text: a single text may have 64 KiB.
const TEXT_MOST: usize = 8 * 1024 * 1024;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
struct Page<T> {
    /// The items.
    items: Vec<T>,
    /// The cursor of the next page; none behind the last.
    next: Option<String>,
    /// How many there are in all, where that is known without counting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total: Option<u64>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// What was asked for is not there.
    #[error("{0}")]
    Nothing(String),
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

/// An item's own key, its row, and how many bytes that has.
type Found<R> = Result<(Vec<u8>, R, usize), Error>;

/// A list whose items lie in the store, by organization.
trait Stored: Query {
    /// What the store has.
    type Row: DeserializeOwned;
    /// What is shown.
    type Item: Serialize;
    /// The table.
    const TABLE: u8;
    /// By which of the sorts besides the first the rows of an organization lie in order.
    const IN_ORDER_BY: Option<&'static str> = None;

    /// Whose items.
    fn organization(&self) -> Option<&OrgName>;

    /// What `by` sorts a row by.
    fn value(by: &str, row: &Self::Row) -> Value;

    /// The item as it is shown, and how many bytes more it has than its row; none if it does not pass
    /// the filters.
    fn item(
        &self,
        place: &Place<'_>,
        org: &OrgName,
        key: &[u8],
        row: Self::Row,
    ) -> Result<Option<(Self::Item, usize)>, Error>;

    /// The items of a row of the store.
    fn read(key: &[u8], own: &[u8], bytes: &[u8]) -> Vec<Found<Self::Row>> {
        vec![rows::decode(key, bytes).map(|row| (own.to_vec(), row, bytes.len())).map_err(Error::from)]
    }

    /// The store's key next to an item's, so that what lies behind the item lies behind it.
    fn beside(key: &[u8], _is_descending: bool) -> Option<Vec<u8>> {
        Some(key.to_vec())
    }
}

/// A page of a list in the store.
fn page<L: Stored>(walk: &Walk, list: &L, paging: &Paging) -> Result<Page<L::Item>, Error> {
    let mut best = Best::new(paging.limit, TEXT_MOST, paging.is_descending, paging.after.clone());
    let is_by_key = L::SORTS.first() == Some(&paging.by);
    let is_in_order = is_by_key || L::IN_ORDER_BY == Some(paging.by);
    let after = paging.after.as_ref().filter(|_| is_by_key);
    let is_back = is_in_order && paging.is_descending;
    let places = walk.places(list.organization())?;
    let mut places: Vec<_> = places.iter().collect();
    if is_back {
        places.reverse();
    }
    for (org, place) in places {
        let begun = after.filter(|after| after.organization == org.as_str());
        if begun.is_none()
            && after.is_some_and(|after| (after.organization.as_str() > org.as_str()) != paging.is_descending)
        {
            continue;
        }
        let from = begun.and_then(|after| L::beside(&after.key, is_back));
        for found in items::<L>(place.lane, org, from.as_deref(), is_back) {
            walk.step()?;
            let (key, row, bytes) = found?;
            let value = if is_by_key { Value::Key } else { L::value(paging.by, &row) };
            let rank = Rank { value, organization: org.as_str().to_owned(), key };
            match best.wants(&rank) {
                Wanted::Beyond if is_in_order => break,
                Wanted::Seen | Wanted::Beyond => {}
                Wanted::Yes => {
                    if let Some((item, more)) = list.item(place, org, &rank.key, row)? {
                        best.put(rank, item, bytes + more);
                    }
                }
            }
        }
    }
    let (items, last) = best.page();
    Ok(Page { items, next: last.and_then(|last| paging.cursor(last)), total: None })
}

/// An organization's items, from behind `from` on.
fn items<L: Stored>(
    lane: &Lane,
    org: &OrgName,
    from: Option<&[u8]>,
    is_back: bool,
) -> impl Iterator<Item = Found<L::Row>> {
    let prefix = key::of(L::TABLE, &[org.as_str()], &[]);
    let from = from.map(|own| key::of(L::TABLE, &[org.as_str()], own));
    // One row of the store at a time: their number is not bounded by what is asked for.
    let mut last = from;
    let rows = std::iter::from_fn(move || {
        let found = if is_back {
            lane.rows_back(&prefix, last.as_deref()).next()
        } else {
            lane.rows(&prefix, last.as_deref()).next()
        }?;
        if let Ok((key, _)) = &found {
            last = Some(key.clone());
        }
        Some((found, prefix.len()))
    });
    rows.flat_map(move |(found, own)| match found {
        Ok((key, bytes)) => {
            let mut items = L::read(&key, key.get(own..).unwrap_or_default(), &bytes);
            if is_back {
                items.reverse();
            }
            items
        }
        Err(error) => vec![Err(error.into())],
    })
}

/// None for an empty text.
fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Where a bundle stands in IN.
#[derive(Debug, Serialize, ToSchema)]
struct Bundle {
    /// Its sequence.
    sequence: u64,
    /// Its length in bytes.
    length: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    sha256: String,
}

impl From<BundleRef> for Bundle {
    fn from(bundle: BundleRef) -> Self {
        Self { sequence: bundle.sequence, length: bundle.length, sha256: hex::encode(bundle.sha256) }
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
