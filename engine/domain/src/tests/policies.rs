//! Refused policies: each text is told once, and to those alone whom it concerns.

use std::sync::Arc;

use linesman_rules::Book;
use linesman_schemas::control::InstallationSection;
use linesman_schemas::control::{RefusedPolicy, Settings};

use super::super::input::{Content, RuleBook};
use super::Lane;

fn refused(path: &str, hash: &str) -> RefusedPolicy {
    RefusedPolicy {
        path: path.to_owned(),
        owner: path.split_once('/').map(|(owner, _)| owner.parse().unwrap()),
        hash: hash.to_owned(),
        line: 1,
        column: 2,
        message: "m".to_owned(),
        help: None,
        stays: None,
    }
}

/// The subjects, and the paths and hashes told, when a lane takes up a rule book.
fn told(lane: &mut Lane, version: u64, texts: &[(&str, &str)]) -> Vec<(String, String)> {
    let book = RuleBook {
        version,
        hash: version.to_string(),
        sections: Vec::new(),
        book: Arc::new(Book::build(Vec::new())),
        settings: Settings::default(),
        refused: texts.iter().map(|(path, hash)| refused(path, hash)).collect(),
        directory: Arc::default(),
        services: Arc::default(),
        installation: InstallationSection::default(),
    };
    lane.events.clear();
    if lane.book.as_ref().is_none_or(|known| known.version < version) {
        lane.book = Some(book.clone());
    }
    lane.decide("", "ctl", b"", Content::RuleBook(book));
    lane.commit();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let refused = lane.events.iter().filter(|(on, _)| on.ends_with(".policy.refused"));
    refused
        .map(|(on, event)| (on.clone(), format!("{}@{}", text(&event.data["path"]), text(&event.data["hash"]))))
        .collect()
}

#[test]
fn each_text_is_told_once_to_whom_it_concerns() {
    let own = |text: &str| ("acme.trigger.policy.refused".to_owned(), text.to_owned());
    let shared = |text: &str| ("_provider.trigger.policy.refused".to_owned(), text.to_owned());
    for reopens in [false, true] {
        let mut lane = Lane::with(&[]);
        lane.reopens = reopens;
        // `nobody` is not of this lane.
        let texts = [("acme/a.rhai", "1"), ("b.rhai", "1"), ("nobody/c.rhai", "1")];
        assert_eq!(told(&mut lane, 2, &texts), [own("acme/a.rhai@1"), shared("b.rhai@1")]);
        assert_eq!(told(&mut lane, 3, &texts), [], "told again");
        assert_eq!(told(&mut lane, 4, &[("acme/a.rhai", "2"), ("b.rhai", "1")]), [own("acme/a.rhai@2")]);
        assert_eq!(told(&mut lane, 4, &[("acme/a.rhai", "3")]), [], "a version that is known changes nothing");
        assert_eq!(told(&mut lane, 5, &[("acme/a.rhai", "2")]), [], "mended, and not the other");
        assert_eq!(told(&mut lane, 6, &[("acme/a.rhai", "2"), ("b.rhai", "1")]), [shared("b.rhai@1")], "broken anew");
    }
}
