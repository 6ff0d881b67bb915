//! Messages of an organization's that have a field there is not, or are taken back.

use serde_json::json;

use crate::scribe::Scribe;

pub(super) fn recalled(scribe: &mut Scribe) -> anyhow::Result<()> {
    let message = |field: &str, value: serde_json::Value| {
        let mut message = json!({"id": "PBN-9", "kind": "bug-notice", "title": "t", "issued": "2026-11-21T10:00:00Z"});
        if let Some(fields) = message.as_object_mut() {
            fields.insert(field.to_owned(), value);
        }
        message.to_string()
    };
    for (field, value) in [
        ("relevence", json!({})),
        ("relevance", json!({"product": ["MX*"]})),
        ("text", json!("as it was")),
        ("recalled", json!(true)),
        ("recalled", json!(true)),
        ("text", json!("as it was")),
    ] {
        scribe.send("acme", "intel", message(field, value))?;
    }
    Ok(())
}
