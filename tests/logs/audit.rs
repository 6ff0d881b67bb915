//! The audit's books, which begin with level 3: what was refused before it was a command, checkpoints, records that age.

use linesman_schemas::control::RuleBook;
use serde_json::{Value, json};

use crate::scribe::Scribe;

const DAY_S: i64 = 86_400;

/// What the engine asks for by itself.
fn ask(scribe: &mut Scribe, org: &str, verb: &Value) -> anyhow::Result<()> {
    scribe.ask(&json!({"kind": "machine"}), org, verb)
}

/// Everything that is kept, once; the book is afterwards as it was.
pub(crate) fn keep(scribe: &mut Scribe, book: &mut RuleBook) -> anyhow::Result<()> {
    let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let refusal = |operation: &str, count: u64| json!({"principal": ann, "operation": operation, "place": "acme/munich", "verdict": "not-found", "count": count});
    let refusals = json!({"record_refusals": {"refusals": [refusal("set-place", 1), refusal("", 250)]}});
    for org in ["acme", ""] {
        ask(scribe, org, &refusals)?;
        let (size, root) = scribe.log(org)?;
        let kept = |size: u64| json!({"keep_checkpoint": {"size": size, "root": root, "note": "signed"}});
        for size in [size, size, size + 1] {
            ask(scribe, org, &kept(size))?;
        }
    }
    // What is old goes, what is young stays.
    book.settings.audit_retention_s = 2 * 86_400;
    scribe.rules_in_sections(book)?;
    for _ in 0..3 {
        scribe.wait(DAY_S + 1)?;
        ask(scribe, "acme", &refusals)?;
        scribe.tick()?;
        scribe.work()?;
    }
    book.settings.audit_retention_s = 0;
    scribe.rules_in_sections(book).map(drop)
}
