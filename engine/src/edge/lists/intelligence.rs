//! Reads a page of intelligence messages from the store.

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::intelligence::Intelligence;
use serde::Serialize;

use super::places::places;
use super::query::{After, Query};
use super::{Error, Page, TEXT_MOST};
use crate::domain::rows::{self, IntelligenceRow, key};
use crate::store::Lane;

/// A message as it was kept. Field names are those of its input.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    organization: OrgName,
    #[serde(flatten)]
    message: Intelligence,
    received: Timestamp,
    /// How often the very same message came again.
    repeats: u64,
}

/// The page that `query` asks for.
///
/// Whoever follows the cursors sees each message that was there, and of those that come meanwhile the
/// ones whose ids lie behind.
pub(super) fn page(lanes: &[Lane], query: &Query) -> Result<Page<Item>, Error> {
    let mut page: Page<Item> = Page { items: Vec::new(), next: None, total: None };
    let mut text = 0;
    for (org, place) in &places(lanes, query.organization.as_ref())? {
        let after = match &query.after {
            Some(after) if *org < after.org => continue,
            Some(after) if *org == after.org => Some(key::intelligence(org, &after.key).into_bytes()),
            _ => None,
        };
        let prefix = key::of(b'n', &[org.as_str()], &[]);
        for found in place.lane.rows(&prefix, after.as_deref()) {
            let (key, bytes) = found?;
            if let Some(last) = page.items.last().filter(|_| page.items.len() >= query.limit || text >= TEXT_MOST) {
                page.next = Some(After { org: last.organization.clone(), key: last.message.id.clone() }.cursor());
                return Ok(page);
            }
            text += bytes.len();
            let IntelligenceRow { message, received, repeats } = rows::decode(&key, &bytes)?;
            page.items.push(Item { organization: org.clone(), message, received, repeats });
        }
    }
    Ok(page)
}
