//! Policies listen to the audit, which begins with level 3: what was done, what was refused, and a listener that fails.

use linesman_rules::LIBRARY;
use linesman_schemas::control::{PolicySource, RuleBook};
use serde_json::{Value, json};

use crate::policies::source;
use crate::scribe::Scribe;
use crate::system::incident;

/// Policies that an engine of before level 3 cannot read.
const OWN: [(&str, &str); 3] = [
    (
        "acme/hears",
        "policy(#{ on: [\"audit.close-incident\", \"audit.reopen-incident\"] });\n\
         fn react(record, org) { publish(\"heard\", #{ who: record.actor, about: record.about, now: record.after }); }",
    ),
    (
        "hears-all",
        "policy(#{ on: \"audit.*\", where: #{ operation: #{ not: \"annotate*\" } } });\n\
         fn react(record, org) { log(`${record.time} ${record.operation} ${record.outcome}`, #{ place: record.place }); }",
    ),
    ("hears-badly", "policy(#{ on: \"audit.annotate-incident\" });\nfn react(record, org) { throw record.node; }"),
];

/// Who may everything from level 3 on.
pub(crate) fn admin() -> Value {
    json!({"kind": "provider", "name": "admin"})
}

/// Those, and the stock ones of their kind.
fn policies() -> anyhow::Result<Vec<PolicySource>> {
    let stock = LIBRARY.iter().filter(|(_, text)| text.contains("\"audit."));
    let stock = stock.map(|(file, text)| source(file.trim_end_matches(".rhai"), text));
    stock.chain(OWN.map(|(name, text)| source(name, text))).collect()
}

/// Everything there is to hear, once; the book is afterwards as it was.
pub(crate) fn hear(scribe: &mut Scribe, book: &mut RuleBook) -> anyhow::Result<()> {
    let before = book.policies.clone();
    book.policies.extend(policies()?);
    book.policies.sort_by(|one, other| one.name.cmp(&other.name));
    scribe.rules_in_sections(book)?;
    for org in ["acme", "bolt"] {
        let about = incident(scribe, org, "LISTENERS", "Low")?;
        let of = |mut fields: Value| {
            if let Some(fields) = fields.as_object_mut() {
                fields.insert("incident".to_owned(), json!(about));
            }
            fields
        };
        for verb in [
            json!({"annotate_incident": of(json!({"note": "a listener fails"}))}),
            json!({"close_incident": of(json!({"note": "heard"}))}),
            json!({"close_incident": {"incident": format!("{org}-999999"), "note": "there is none"}}),
            json!({"reopen_incident": of(json!({"note": "heard"}))}),
            json!({"reopen_incident": of(json!({"note": "not completed"}))}),
            json!("suspend_organization"),
        ] {
            scribe.ask(&admin(), org, &verb)?;
        }
        // Who has no right is heard as well; what is sent meanwhile waits.
        let nobody = json!({"kind": "manager", "organization": org, "name": "nobody"});
        scribe.ask(&nobody, org, &json!({"close_incident": of(json!({"note": "mine"}))}))?;
        let settings = json!({"display_name": org, "is_proxy": true, "filter_level": "Send all information"});
        scribe.ask(&admin(), org, &json!({"set_organization": settings}))?;
        scribe.work()?;
    }
    book.policies = before;
    scribe.rules_in_sections(book).map(drop)
}
