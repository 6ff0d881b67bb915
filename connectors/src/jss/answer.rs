//! What came back, checked: nothing of an answer goes on that is not bounded, printable and in
//! agreement with what was asked.

use linesman_schemas::IncidentId;
use linesman_schemas::outcome::{CaseStanding, Failure};

use super::wire;
use crate::text::excerpt;
use crate::upstream::checked::{self, bounded, parsed};
use crate::upstream::fault;

/// Most cases one page may hold.
const CASES_PER_PAGE: usize = 1000;
/// Most messages one page may hold.
const MESSAGES_PER_PAGE: usize = 1000;

/// A page of `querySR`.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) cases: Vec<Case>,
    pub(super) cursor: String,
    pub(super) has_more: bool,
}

/// A case of a page.
#[derive(Debug)]
pub(super) struct Case {
    /// What its opener calls it.
    pub(super) tracking_number: String,
    /// How it stands, if the tracking number is an incident's id.
    pub(super) standing: Option<CaseStanding>,
}

/// The transaction id of a case opened for `incident`, and the case if it has an id already.
pub(super) fn created(body: &[u8], incident: &IncidentId) -> Result<(String, Option<CaseStanding>), Failure> {
    let created: wire::Created = parsed(body)?;
    bounded("transactionId", &created.transaction_id, 128)?;
    let Some(case) = created.case.map(read).transpose()? else { return Ok((created.transaction_id, None)) };
    match case.standing {
        Some(standing) if standing.incident == *incident => Ok((created.transaction_id, Some(standing))),
        _ => {
            let tracking = excerpt(&case.tracking_number, 80);
            Err(fault::garbled(format!("the answer is about `{tracking}`, the request was about `{incident}`")))
        }
    }
}

/// The page that follows `cursor`.
pub(super) fn page(body: &[u8], cursor: Option<&str>) -> Result<Page, Failure> {
    let page: wire::Page = parsed(body)?;
    checked::page(page.cases.len(), CASES_PER_PAGE, cursor, (&page.cursor, page.more))?;
    let cases = page.cases.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page { cases, cursor: page.cursor, has_more: page.more })
}

/// The page of intelligence messages that follows `cursor`, which nobody has looked at.
pub(super) fn messages(body: &[u8], cursor: Option<&str>) -> Result<wire::Messages, Failure> {
    let page: wire::Messages = parsed(body)?;
    checked::page(page.messages.len(), MESSAGES_PER_PAGE, cursor, (&page.cursor, page.more))?;
    Ok(page)
}

fn read(case: wire::Case) -> Result<Case, Failure> {
    bounded("caseId", &case.case_id, 64)?;
    bounded("customerTrackingNumber", &case.customer_tracking_number, 256)?;
    bounded("status", &case.status, 64)?;
    case.link.as_deref().map_or(Ok(()), checked::link)?;
    checked::notes(&case.notes)?;
    let standing = case.customer_tracking_number.parse().ok().map(|incident| CaseStanding {
        incident,
        case_id: case.case_id,
        status: case.status,
        link: case.link,
        updated: case.updated,
        notes: case.notes,
    });
    Ok(Case { tracking_number: case.customer_tracking_number, standing })
}

#[cfg(test)]
mod tests {
    use linesman_schemas::outcome::FailureClass;
    use serde_json::{Value, json};

    use super::*;

    fn case() -> Value {
        json!({
            "caseId": "2026-0001", "customerTrackingNumber": "acme-1", "status": "created",
            "link": "https://jss.example/2026-0001", "updated": "2026-01-02T03:04:05Z",
        })
    }

    fn page_with(field: &str, value: Value) -> Result<Page, Failure> {
        let mut case = case();
        case[field] = value;
        page(json!({ "cases": [case], "cursor": "c1", "more": false }).to_string().as_bytes(), None)
    }

    fn garbled<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
        let failure = result.unwrap_err();
        assert_eq!((failure.class, failure.retry_after_s), (FailureClass::Garbled, None));
        failure.message
    }

    #[test]
    fn a_case_is_read_whole() {
        let standing = page_with("status", json!("closed")).unwrap().cases.remove(0).standing.unwrap();
        let expected = CaseStanding {
            incident: "acme-1".parse().unwrap(),
            case_id: "2026-0001".to_owned(),
            status: "closed".to_owned(),
            link: Some("https://jss.example/2026-0001".to_owned()),
            updated: "2026-01-02T03:04:05Z".parse().unwrap(),
            notes: Vec::new(),
        };
        assert_eq!(standing, expected);
        assert!(page_with("link", Value::Null).unwrap().cases[0].standing.as_ref().unwrap().link.is_none());
    }

    #[test]
    fn a_tracking_number_of_others_is_no_fault() {
        let page = page_with("customerTrackingNumber", json!("PO 4711")).unwrap();
        assert_eq!((page.cases[0].tracking_number.as_str(), page.cases[0].standing.is_none()), ("PO 4711", true));
    }

    #[test]
    fn every_text_is_bounded() {
        for (field, most) in [("caseId", 64), ("customerTrackingNumber", 256), ("status", 64), ("link", 2048)] {
            for text in [String::new(), "x".repeat(most + 1), "a\u{1b}b".to_owned()] {
                let message = garbled(page_with(field, json!(text)));
                let start = format!("`{field}` is not 1 to {most} printable characters: `");
                assert!(message.starts_with(&start) && message.len() < 200, "{message}");
            }
        }
        let message = garbled(page_with("link", json!("javascript:alert(1)")));
        assert_eq!(message, "`link` is no web address: `javascript:alert(1)`");
        let message = garbled(page_with("updated", json!("yesterday")));
        assert!(message.starts_with("the answer cannot be read: "), "{message}");
    }

    #[test]
    fn notes_are_bounded_in_number_and_length() {
        let note = |id: &str, author: &str, text: &str| json!({ "id": id, "author": author, "at": "2026-01-02T03:04:05Z", "text": text });
        let said = |notes: Vec<Value>| page_with("notes", json!(notes));
        let good = said(vec![note("N-1", "", "two\nlines"); 200]).unwrap().cases.remove(0).standing.unwrap().notes;
        assert_eq!((good.len(), good[0].text.as_str()), (200, "two\nlines"));
        let long = "x".repeat(4097);
        for (notes, expected) in [
            (vec![note("N-1", "", ""); 201], "a case of 201 notes, at most 200 are taken"),
            (vec![note("", "", "")], "`notes.id` is not 1 to 200 printable characters: ``"),
            (vec![note("N-1", "a\nb", "")], "`notes.author` is not 1 to 200 printable characters: `a\\nb`"),
            (vec![note("N-1", "", "a\u{1b}b")], "`notes.text` is not a text of up to 4096 characters: `a\\u001bb`"),
        ] {
            assert_eq!(garbled(said(notes)), expected);
        }
        assert!(garbled(said(vec![note("N-1", "", &long)])).len() < 200);
    }

    #[test]
    fn a_page_is_bounded_and_moves_on() {
        let body = |count, cursor: &str, more| {
            json!({ "cases": vec![case(); count], "cursor": cursor, "more": more }).to_string()
        };
        assert_eq!(page(body(1000, "c2", true).as_bytes(), Some("c1")).unwrap().cases.len(), 1000);
        let message = garbled(page(body(1001, "c2", true).as_bytes(), Some("c1")));
        assert_eq!(message, "a page of 1001 cases, at most 1000 are taken");
        assert!(page(body(0, "c1", false).as_bytes(), Some("c1")).is_ok());
        let message = garbled(page(body(1, "c1", true).as_bytes(), Some("c1")));
        assert_eq!(message, "there is more behind the cursor, but the cursor stays");
    }

    #[test]
    fn a_case_opened_is_the_one_asked_for() {
        let incident = "acme-1".parse().unwrap();
        let answer = |case: Value| json!({ "transactionId": "T-1", "case": case }).to_string();
        assert_eq!(created(answer(Value::Null).as_bytes(), &incident).unwrap(), ("T-1".to_owned(), None));
        assert!(created(answer(case()).as_bytes(), &incident).unwrap().1.is_some());
        let message = garbled(created(answer(case()).as_bytes(), &"acme-2".parse().unwrap()));
        assert_eq!(message, "the answer is about `acme-1`, the request was about `acme-2`");
        let message = garbled(created(br#"{"transactionId":""}"#, &incident));
        assert_eq!(message, "`transactionId` is not 1 to 128 printable characters: ``");
    }
}
