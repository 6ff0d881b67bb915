//! Pages: which one is asked for, and how it is filled, whatever it is filled from.
//!
//! Whoever follows the cursors sees each item that was there at the beginning and keeps its place, once.

mod best;

use std::ops::ControlFlow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linesman_rules::{excerpt, suggest};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::filters::{Limit, Listing};
use super::transport::problem::Problem;
use best::{Best, Wanted};
pub(super) use best::{Rank, Value};

/// Where a page ends whatever its limit, in bytes of text: a single text may have 64 KiB.
const TEXT_MOST: usize = 8 * 1024 * 1024;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items.
    items: Vec<T>,
    /// The cursor of the next page; none behind the last.
    next: Option<String>,
    /// How many there are in all, where that is known without counting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) total: Option<u64>,
}

/// In what order items are offered to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    /// In the order asked for.
    InOrder,
    /// In the opposite order.
    Backwards,
    /// In another one.
    AnyHow,
}

/// A page in the making.
pub(super) struct Pager<'a, I> {
    paging: &'a Paging,
    offered: Offered,
    best: Best<I>,
}

impl<'a, I> Pager<'a, I> {
    pub(super) fn new(paging: &'a Paging, offered: Offered) -> Self {
        let best = Best::new(paging.limit, TEXT_MOST, paging.is_descending, paging.after.clone());
        Self { paging, offered, best }
    }

    /// Offers an item. It is made only if it belongs on the page as far as is known: the item and its bytes, or none
    /// where it does not pass the filters. Breaks where nothing that is still offered can be wanted.
    ///
    /// # Errors
    /// What `make` says.
    pub(super) fn offer<E>(
        &mut self,
        rank: Rank,
        make: impl FnOnce(&Rank) -> Result<Option<(I, usize)>, E>,
    ) -> Result<ControlFlow<()>, E> {
        match (self.best.wants(&rank), self.offered) {
            (Wanted::Beyond, Offered::InOrder) | (Wanted::Seen, Offered::Backwards) => {
                return Ok(ControlFlow::Break(()));
            }
            (Wanted::Seen | Wanted::Beyond, _) => {}
            (Wanted::Yes, _) => {
                if let Some((item, bytes)) = make(&rank)? {
                    self.best.put(rank, item, bytes);
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The page.
    pub(super) fn page(self) -> Page<I> {
        self.page_told(|last| last)
    }

    /// The page, whose cursor tells of the last item what `told` makes of its rank.
    pub(super) fn page_told(self, told: impl FnOnce(Rank) -> Rank) -> Page<I> {
        let (items, last) = self.best.page();
        Page { items, next: last.and_then(|last| self.paging.cursor(told(last))), total: None }
    }
}

/// Which page, and in which order.
#[derive(Debug)]
pub(super) struct Paging {
    pub(super) limit: usize,
    /// One of the list's sorts.
    pub(super) by: &'static str,
    pub(super) is_descending: bool,
    /// The last item of the page before.
    pub(super) after: Option<Rank>,
    /// Which list it is.
    list: [u8; 8],
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    list: [u8; 8],
    last: Rank,
}

impl Paging {
    /// Takes it out of a list's parameters.
    pub(super) fn take<L: Listing>(listing: &mut L) -> Result<Self, Problem> {
        let (limit, sort, cursor) = listing.take();
        let (by, is_descending) = order(sort.as_deref(), L::SORTS)?;
        let limit = Limit::or_default(limit);
        // What is left are the filters.
        let list = format!("{} {by} {is_descending} {listing:?}", std::any::type_name::<L>());
        let list = Sha256::digest(list).first_chunk().copied().unwrap_or_default();
        let after = cursor.map(|text| read_cursor(&text, list)).transpose()?;
        Ok(Self { limit, by, is_descending, after, list })
    }

    /// The cursor of what lies behind `last`.
    pub(super) fn cursor(&self, last: Rank) -> Option<String> {
        // A rank always has a form.
        postcard::to_stdvec(&Cursor { list: self.list, last }).map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).ok()
    }
}

fn order(sort: Option<&str>, sorts: &'static [&'static str]) -> Result<(&'static str, bool), Problem> {
    let asked = sort.unwrap_or_else(|| sorts.first().copied().unwrap_or_default());
    let (name, is_descending) = asked.strip_prefix('-').map_or((asked, false), |name| (name, true));
    match sorts.iter().find(|known| **known == name) {
        Some(by) => Ok((by, is_descending)),
        None => {
            let help = suggest(name, sorts.iter().copied());
            Err(Problem::parameter("sort", format!("`sort`: `{}` is nothing to sort by: {help}", excerpt(name))))
        }
    }
}

/// What is asked for as a cursor was never one.
pub(super) fn no_cursor() -> Problem {
    Problem::parameter("cursor", "`cursor` is none that an answer gave as `next`")
}

fn read_cursor(text: &str, list: [u8; 8]) -> Result<Rank, Problem> {
    let cursor = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| postcard::from_bytes::<Cursor>(&bytes).ok());
    match cursor {
        Some(cursor) if cursor.list == list => Ok(cursor.last),
        Some(_) => {
            Err(Problem::parameter("cursor", "`cursor` is of another list, of other filters or of another `sort`"))
        }
        None => Err(no_cursor()),
    }
}
