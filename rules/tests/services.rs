//! The stock services: each is without fault, and its scenarios render what lies beside them, or end in the faults that
//! they name. `LINESMAN_BLESS=1` writes the renderings.

#![expect(clippy::unwrap_used, reason = "a test that finds something else has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use linesman_rules::Strictness;
use linesman_rules::configuration::Configuration;
use linesman_rules::services::{SERVICES, Service, Trial};
use linesman_rules::values::{Definition, Scenario};

fn files(name: &str) -> BTreeMap<String, String> {
    let (_, files) = SERVICES.iter().find(|(known, _)| *known == name).unwrap();
    files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
}

fn scenarios(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("library/services").join(name).join("tests");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    found.sort();
    found
}

#[test]
fn stock_services_render_what_their_scenarios_say() {
    let globals = Definition::default();
    let mut tried = 0;
    for (name, _) in SERVICES {
        let service = Service::read(&files(name), &globals).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        for path in scenarios(name) {
            let scenario = Scenario::read(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(scenario.service.as_deref(), Some(*name), "{}", path.display());
            let golden = path.with_extension("conf");
            let text = std::fs::read_to_string(&golden).ok();
            let trial = service.try_out(&globals, &scenario, text.as_deref());
            match trial {
                Trial::New { rendered } | Trial::Differs { rendered, .. }
                    if std::env::var_os("LINESMAN_BLESS").is_some() =>
                {
                    std::fs::write(golden, rendered).unwrap();
                }
                trial => assert_eq!(trial, Trial::Passed, "{}", path.display()),
            }
            tried += 1;
        }
    }
    assert!(SERVICES.len() >= 6 && tried >= 2 * SERVICES.len() - 4, "{tried}");
}

#[test]
fn lines_of_one_name_at_two_sites_set_nothing_of_each_other() {
    let globals = Definition::default();
    let values = [
        ("bandwidth-on-demand", "bandwidth=20m"),
        ("egress-rate-limit", "rate=20m"),
        ("ingress-firewall", "source=192.0.2.0/24"),
        ("nat-pool", "pool=203.0.113.64/28"),
    ];
    for (name, given) in values {
        let service = Service::read(&files(name), &globals).unwrap();
        let at = |site: &str, interface: &str| {
            let scenario = Scenario::read(&format!(
                "service = \"{name}\"\n[[sources]]\nsource = \"line\"\nplace = \"acme/{site}/line-7\"\n\
                 substitutions = ['{given}']\n[runtime]\ninterface_name = \"{interface}\"\ninterface_networks = [\"203.0.113.64/28\"]\ninterface_speed = 100000000\n"
            ));
            let Trial::New { rendered } = service.try_out(&globals, &scenario.unwrap(), None) else { panic!("{name}") };
            Configuration::parse(&rendered).unwrap()
        };
        let one = at("berlin", "ge-0/0/7.0");
        let other = at("munich", "ge-0/0/8.0");
        let (ours, theirs) = (one.leaves(Strictness::Full), other.leaves(Strictness::Full));
        let shared: Vec<_> =
            ours.iter().filter(|leaf| theirs.iter().any(|other| other.identity() == leaf.identity())).collect();
        assert!(shared.is_empty(), "{name}: {shared:?}");
    }
}
