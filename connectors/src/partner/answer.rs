//! What came back, checked.

use linesman_schemas::cascade::{CONTROLLER_MOST, CasePage, CaseView, PAGE_MOST, Receipt, Registered};
use linesman_schemas::command::CASE_WORD_MOST;
use linesman_schemas::outcome::{CaseStanding, Failure};
use linesman_schemas::reaction::CaseTelling;
use serde::Deserialize;
use serde_json::Value;

use crate::text::excerpt;
use crate::upstream::checked::{self, bounded, parsed};
use crate::upstream::fault;

/// The longest transaction id, in characters.
const TRANSACTION_MOST: usize = 128;
/// The greatest pace that is believed.
const PACE_MOST: u32 = 10_000;

/// A page of changes.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) cases: Vec<CaseStanding>,
    pub(super) cursor: String,
    pub(super) has_more: bool,
}

/// A page of messages, as they came.
#[derive(Debug, Deserialize)]
pub(super) struct Messages {
    pub(super) messages: Vec<Value>,
    pub(super) cursor: String,
    pub(super) more: bool,
}

/// Who the partner says it is, and what it bears.
pub(super) fn registered(body: &[u8]) -> Result<Registered, Failure> {
    let registered: Registered = parsed(body)?;
    bounded("id", &registered.id, TRANSACTION_MOST)?;
    bounded("controller", &registered.controller, CONTROLLER_MOST)?;
    if !(1..=PACE_MOST).contains(&registered.requests_per_second) {
        let found = registered.requests_per_second;
        return Err(fault::garbled(format!("`requests_per_second` is not 1 to {PACE_MOST} but {found}")));
    }
    Ok(registered)
}

/// The transaction id of a case that was taken.
pub(super) fn receipt(body: &[u8]) -> Result<String, Failure> {
    let Receipt { transaction_id } = parsed(body)?;
    bounded("transaction_id", &transaction_id, TRANSACTION_MOST)?;
    // As a part of an address it would lead elsewhere.
    if matches!(transaction_id.as_str(), "." | "..") {
        return Err(fault::garbled(format!("`transaction_id` cannot stand in an address: `{transaction_id}`")));
    }
    Ok(transaction_id)
}

/// Holds the answer against what was told; how the case stands then.
pub(super) fn of_telling(body: &[u8], telling: &CaseTelling) -> Result<CaseStanding, Failure> {
    let view: CaseView = parsed(body)?;
    let told = (&telling.transaction_id, &telling.incident);
    if (&view.transaction_id, &view.tracking_number) == told {
        return read(view);
    }
    let (transaction, tracking) = (excerpt(&view.transaction_id, 80), excerpt(&view.tracking_number.to_string(), 80));
    let (asked, incident) = told;
    Err(fault::garbled(format!(
        "the answer is about `{tracking}` (`{transaction}`), the request was about `{incident}` (`{asked}`)"
    )))
}

/// The page that follows `cursor`.
pub(super) fn page(body: &[u8], cursor: Option<&str>) -> Result<Page, Failure> {
    let page: CasePage = parsed(body)?;
    checked::page(page.cases.len(), PAGE_MOST, cursor, (&page.cursor, page.more))?;
    let cases = page.cases.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page { cases, cursor: page.cursor, has_more: page.more })
}

/// The page of messages that follows `cursor`; what they say is the lane's to look at.
pub(super) fn messages(body: &[u8], cursor: Option<&str>) -> Result<Messages, Failure> {
    let page: Messages = parsed(body)?;
    checked::page(page.messages.len(), PAGE_MOST, cursor, (&page.cursor, page.more))?;
    Ok(page)
}

fn read(view: CaseView) -> Result<CaseStanding, Failure> {
    bounded("transaction_id", &view.transaction_id, TRANSACTION_MOST)?;
    view.case_id.as_deref().map_or(Ok(()), |id| bounded("case_id", id, CASE_WORD_MOST))?;
    if !view.status.is_empty() {
        bounded("status", &view.status, CASE_WORD_MOST)?;
    }
    view.link.as_deref().map_or(Ok(()), checked::link)?;
    checked::notes(&view.notes)?;
    Ok(CaseStanding {
        incident: view.tracking_number,
        case_id: view.case_id.unwrap_or_default(),
        status: view.status,
        link: view.link,
        updated: view.updated,
        notes: view.notes,
    })
}

#[cfg(test)]
mod tests {
    use linesman_schemas::outcome::FailureClass;
    use serde_json::{Value, json};

    use super::*;

    fn view() -> Value {
        json!({ "transaction_id": "T-1", "tracking_number": "own-1", "updated": "2026-01-02T03:04:05Z" })
    }

    fn page_with(field: &str, value: Value) -> Result<Page, Failure> {
        let mut view = view();
        view[field] = value;
        page(json!({ "cases": [view], "cursor": "c1", "more": false }).to_string().as_bytes(), None)
    }

    fn garbled<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
        let failure = result.unwrap_err();
        assert_eq!(failure.class, FailureClass::Garbled);
        failure.message
    }

    #[test]
    fn a_case_need_not_have_an_id_yet() {
        let standing = page_with("status", json!("")).unwrap().cases.remove(0);
        assert_eq!((standing.case_id.as_str(), standing.status.as_str(), standing.link), ("", "", None));
        let standing = page_with("case_id", json!("C-1")).unwrap().cases.remove(0);
        assert_eq!((standing.incident.to_string().as_str(), standing.case_id.as_str()), ("own-1", "C-1"));
    }

    #[test]
    fn every_text_is_bounded() {
        for (field, most) in [("transaction_id", 128), ("case_id", 64), ("status", 64), ("link", 2048)] {
            for text in ["x".repeat(most + 1), "a\u{1b}b".to_owned()] {
                let message = garbled(page_with(field, json!(text)));
                let start = format!("`{field}` is not 1 to {most} printable characters: `");
                assert!(message.starts_with(&start) && message.len() < 200, "{message}");
            }
        }
        let message = garbled(page_with("link", json!("javascript:alert(1)")));
        assert_eq!(message, "`link` is no web address: `javascript:alert(1)`");
        let message = garbled(page_with("tracking_number", json!("PO 4711")));
        assert!(message.starts_with("the answer cannot be read: "), "{message}");
    }

    #[test]
    fn a_page_is_bounded_and_moves_on() {
        let body = |count, cursor: &str, more| json!({ "cases": vec![view(); count], "cursor": cursor, "more": more });
        let read = |value: Value| page(value.to_string().as_bytes(), Some("c1"));
        assert_eq!(read(body(200, "c2", true)).unwrap().cases.len(), 200);
        assert_eq!(garbled(read(body(201, "c2", true))), "a page of 201 cases, at most 200 are taken");
        assert!(read(body(0, "c1", false)).is_ok());
        assert_eq!(garbled(read(body(1, "c1", true))), "there is more behind the cursor, but the cursor stays");
    }

    #[test]
    fn a_receipt_can_stand_in_an_address() {
        let read = |id: &str| receipt(json!({ "transaction_id": id }).to_string().as_bytes());
        assert_eq!(read("acme/1 é").unwrap(), "acme/1 é");
        assert_eq!(garbled(read("..")), "`transaction_id` cannot stand in an address: `..`");
        assert_eq!(garbled(read("")), "`transaction_id` is not 1 to 128 printable characters: ``");
    }

    #[test]
    fn a_registration_names_a_pace_that_can_be_kept() {
        let read = |pace: u32| {
            registered(json!({ "id": "e1", "controller": "p", "requests_per_second": pace }).to_string().as_bytes())
        };
        assert_eq!(read(10).unwrap().requests_per_second, 10);
        assert_eq!(garbled(read(0)), "`requests_per_second` is not 1 to 10000 but 0");
        assert_eq!(garbled(read(10_001)), "`requests_per_second` is not 1 to 10000 but 10001");
    }
}
