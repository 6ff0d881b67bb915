//! The policies of the logs: stock ones, those that do each thing once, and those that fail.

use linesman_rules::LIBRARY;
use linesman_schemas::control::{PolicySource, RefusedPolicy};

/// Policies that do what the stock ones do not.
const OWN: [(&str, &str); 9] = [
    (
        "open-case",
        "policy(#{ on: \"incident.detected\", where: #{ priority: [\"Critical\", \"High\"] } });\n\
         fn react(incident, org) { submit_case(#{ synopsis: incident.synopsis, comments: \"opened by policy\" }); }",
    ),
    (
        "assign",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: \"ASSIGN*\" } });\n\
         fn react(incident, org) { set_priority(\"Critical\"); assign(\"night shift\"); }",
    ),
    (
        "submitted",
        "policy(#{ on: \"incident.submitted\" });\n\
         fn react(incident, org) { log(`submitted ${incident.id}`, #{ id: incident.id }); }",
    ),
    (
        "ticket",
        "policy(#{ on: \"case.assigned\" });\n\
         fn react(update, org) { publish(\"ticket\", #{ id: update.case_id, org: org.name }); }",
    ),
    (
        "throws",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: \"THROW\" } });\n\
         fn react(incident, org) { throw `no spare part for ${incident.id}`; }",
    ),
    (
        "endless",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: \"ENDLESS\" } });\n\
         fn react(incident, org) { let n = 0; while n >= 0 { n += 1; } }",
    ),
    (
        "grows",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: \"GROWS\" } });\n\
         fn react(incident, org) { let s = incident.synopsis; while s.len() > 0 { s += s; } }",
    ),
    (
        "acme/own",
        "policy(#{ on: \"incident.detected\" });\n\
         fn react(incident, org) { if incident.priority == \"Low\" { log(`low ${incident.id}`); } }",
    ),
    (
        "alerts",
        "policy(#{ on: \"intelligence.received\", where: #{ kind: \"alert\" } });\n\
         fn react(message, org) { log(message.title); if message.title == \"throw\" { throw \"a message\"; } }",
    ),
];

/// A policy of that name.
pub(crate) fn source(name: &str, source: &str) -> anyhow::Result<PolicySource> {
    let owner = name.split_once('/').map(|(owner, _)| owner.parse()).transpose()?;
    Ok(PolicySource { name: name.parse()?, owner, source: source.to_owned(), origin: None })
}

/// The stock policies that engines of every level read.
pub(crate) fn stock() -> anyhow::Result<Vec<PolicySource>> {
    let is_of_before = |text: &str| {
        !["\"audit.", "\"approval.", "service(", ".matched\"", "\"bug-notice.", "\"exposure."]
            .into_iter()
            .any(|later| text.contains(later))
    };
    let of_before = LIBRARY.iter().filter(|(_, text)| is_of_before(text));
    of_before.map(|(file, text)| source(file.trim_end_matches(".rhai"), text)).collect()
}

/// All policies, in order of name; `flood-1` to `flood-8` together want more than an input may bring about.
pub(crate) fn all() -> anyhow::Result<Vec<PolicySource>> {
    let mut policies = stock()?;
    for (name, text) in OWN {
        policies.push(source(name, text)?);
    }
    for number in 1..=8 {
        let text = format!(
            "policy(#{{ on: \"incident.detected\", where: #{{ event_type: \"FLOOD\" }} }});\n\
             fn react(incident, org) {{ for n in 0..60 {{ publish(\"flood-{number}\", #{{ n: n }}); }} }}"
        );
        policies.push(source(&format!("flood-{number}"), &text)?);
    }
    policies.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(policies)
}

/// The same policies, of which `throws` has been mended.
pub(crate) fn mended() -> anyhow::Result<Vec<PolicySource>> {
    let mut policies = all()?;
    for policy in &mut policies {
        if policy.name.as_str() == "throws" {
            policy.source = policy.source.replace("throw `no spare part for", "log(`mended").replace("}`;", "}`);");
        }
    }
    Ok(policies)
}

/// Twenty policies: the stock ones, and more of their kinds with other filters.
pub(crate) fn twenty() -> anyhow::Result<Vec<PolicySource>> {
    let mut policies = stock()?;
    let stock = policies.clone();
    for number in 0..20 - policies.len() {
        let Some(like) = stock.get(number % stock.len()) else { continue };
        let mut policy = like.clone();
        policy.name = format!("{}-{number}", like.name).parse()?;
        policy.source = policy.source.replace("publish(\"", &format!("publish(\"n{number}-"));
        policies.push(policy);
    }
    policies.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(policies)
}

/// A policy file that was refused.
pub(crate) fn refused(path: &str, hash: &str) -> anyhow::Result<RefusedPolicy> {
    Ok(RefusedPolicy {
        path: path.to_owned(),
        owner: path.split_once('/').map(|(owner, _)| owner.parse()).transpose()?,
        hash: hash.to_owned(),
        line: 2,
        column: 7,
        message: "unknown action `notify`".to_owned(),
        help: Some("did you mean `publish`?".to_owned()),
        stays: None,
    })
}
