//! Versions of services: which are kept, and from which level on.

use super::*;

#[test]
fn every_version_of_a_service_is_kept_as_it_was_taken_up_first() {
    let mut lane = Lane::at(4);
    let (one, two) = (source("nat", "title = \"one\""), source("nat", "title = \"two\""));
    lane.services = catalog(&[one.clone(), source("drain", "")], Some("[rate]"));
    lane.rules(1, &[], Settings::default());
    let first = lane.versions("nat");
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].0, services::version(&one));
    assert_eq!(first[0].1.files, one.files);
    assert_eq!(lane.row(&services::parameters_key()).unwrap().text, "[rate]");
    lane.now += 1.hour();
    lane.services = catalog(std::slice::from_ref(&two), None);
    lane.rules(2, &[], Settings::default());
    assert_eq!(lane.newest(), [("nat".to_owned(), services::version(&two))].into(), "`drain` is no more");
    assert_eq!((lane.versions("nat").len(), lane.versions("drain").len()), (2, 1));
    assert_eq!(lane.row(&services::parameters_key()), None);
    lane.now += 1.hour();
    lane.services = catalog(std::slice::from_ref(&one), None);
    lane.rules(3, &[], Settings::default());
    assert_eq!(lane.newest()["nat"], first[0].0);
    let again = lane.versions("nat").into_iter().find(|(version, _)| *version == first[0].0).unwrap();
    assert_eq!(again.1.taken_up, first[0].1.taken_up);
}

#[test]
fn names_and_texts_of_files_make_the_version() {
    let service = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        services::version(&ServiceSource { name: "nat".parse().unwrap(), files: files.collect() })
    };
    let versions = [
        service(&[("service.toml", ""), ("a.j2", "b")]),
        service(&[("service.toml", ""), ("a.j2b", "")]),
        service(&[("service.toml", ""), ("a.j2", "")]),
        service(&[("service.toml", "b"), ("a.j2", "")]),
    ];
    assert_eq!(versions.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "{versions:?}");
    assert!(versions.iter().all(|version| version.len() == 12 && version.bytes().all(|byte| byte.is_ascii_hexdigit())));
}

#[test]
fn a_lane_keeps_services_from_level_4_on() {
    let mut lane = Lane::at(3);
    lane.services = catalog(&[source("nat", "")], None);
    lane.rules(1, &[], Settings::default());
    assert!(lane.newest().is_empty() && lane.versions("nat").is_empty());
    lane.decide("", "ctl", b"", Content::Level(4));
    lane.commit();
    assert_eq!((lane.newest().len(), lane.versions("nat").len()), (1, 1));
}

#[test]
fn below_level_4_nobody_asks_for_services() {
    let hash = "ab".repeat(32);
    for level in [2, 3] {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Send all information");
        lane.events.clear();
        lane.command("acme", &json!({"set_values": {"place": "acme", "substitutions": ["rate=1"]}}));
        lane.command("acme", &json!({"remove_subscription": {"place": "acme", "name": "nat"}}));
        let letters: Vec<_> = lane.on("acme.dead.command-undecodable");
        let details: Vec<_> = letters.iter().map(|letter| letter.data["detail"].as_str().unwrap()).collect();
        let expected = [
            "`set-values` is asked for from engine level 4 on",
            "`remove-subscription` is asked for from engine level 4 on",
        ];
        assert_eq!(details, expected, "at level {level}");
        let load = json!({"load_section": {"section": "services", "hash": hash}});
        let command = json!({"id": "l", "actor": "admin", "node": "test", "verb": load});
        let command = serde_json::from_value(command).unwrap();
        lane.decide("", "ctl", b"{}", Content::Command(Box::new(command)));
        lane.commit();
        let (_, letter) = lane.events.last().unwrap();
        assert_eq!(letter.data["detail"], "`load-services` is asked for from engine level 4 on");
    }
}

#[test]
fn a_service_is_localized_by_the_provider_alone() {
    let mut lane = served();
    let nat = "nat".parse().unwrap();
    let localize = json!({"localize_service": {"service": "nat", "substitutions": ["dept:network="]}});
    let all = ["subscription", "substitution", "activation", "managers"];
    lane.does(&json!({"set_manager": {"manager": "ann", "sphere": ["acme"], "privileges": all}}));
    let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let (verdict, detail) = lane.decided_for(&ann, &localize);
    assert_eq!((verdict, &*detail), (Verdict::Forbidden, "`acme/ann` has not the right `services` on `acme`"));
    lane.does(&localize);
    assert_eq!(lane.given("acme", Whose::Localized(&nat)).len(), 1);
    assert!(lane.given("acme", Whose::Own).is_empty());
}
