//! Acquisition against a naive model, which is written from the text of `docs/values.md` alone: over random sources with
//! fixes, renames, references, hiding, constraints and lists that meet both come to the same values, sources and
//! faults, with the places of these.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that finds something else has failed"
)]

mod model;
mod world;

use std::collections::BTreeSet;

use linesman_rules::values::{Ground, Report, Scenario, acquire};
use proptest::prelude::*;

use model::{Came, Model};
use world::{ALL, place, worlds};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_sources_and_faults_are_those_of_the_text(world in worlds()) {
        let text = world.text();
        let scenario = Scenario::read(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let layers: Vec<_> = scenario.layers.iter().collect();
        let ground = Ground {
            locals: &scenario.parameters,
            globals: &Default::default(),
            layers: &layers,
            runtime: &scenario.runtime,
            has_other_services: false,
        };
        let acquisition = acquire(ground);
        let report = serde_json::to_value(Report::of(&acquisition)).unwrap();
        let mut model = Model { world: &world, faults: BTreeSet::new() };
        model.find_faults();
        let faults: BTreeSet<(String, Vec<String>)> =
            acquisition.faults().iter().map(|fault| (fault.parameter.clone(), fault.places.clone())).collect();
        prop_assert_eq!(&faults, &model.faults, "{}\n{:#}", text, report);
        for name in ALL.iter().filter(|name| model.declared(name).is_some()) {
            let found = &report["parameters"][*name];
            let (value, source) = match model.value(name) {
                Came::Number(number) => (serde_json::json!(number.to_string()), model.counting(name).map(|found| found.source)),
                Came::List(numbers) => {
                    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
                    (serde_json::json!(texts), model.counting(name).map(|found| found.source))
                }
                Came::Network(third) => (serde_json::json!(format!("10.0.{third}.0/24")), model.counting(name).map(|found| found.source)),
                Came::Missing | Came::Faulty => (serde_json::Value::Null, None),
            };
            let status = if model.fix(name).is_some() { "fixed" } else if value.is_null() { "free" } else { "defaulted" };
            prop_assert_eq!(&found["value"], &value, "{} of\n{}\n{:#}", name, text, report);
            prop_assert_eq!(&found["status"], &serde_json::json!(status), "{} of\n{}\n{:#}", name, text, report);
            prop_assert_eq!(&found["source"], &serde_json::json!(source), "{} of\n{}\n{:#}", name, text, report);
            prop_assert_eq!(&found["place"], &serde_json::json!(source.and_then(place)), "{} of\n{}\n{:#}", name, text, report);
        }
    }
}
