//! What several sources say together, by small scenarios: values, faults and the places that these name.

#![cfg(test)]

mod bounds;
mod fixes;
mod interfaces;
mod lists;
mod parts;

use linesman_rules::values::{Definition, Ground, Report, Scenario, acquire};
use serde_json::Value;

/// What a scenario comes to: `parameters` is the table of them, `sources` who says what, each a source and its
/// substitutions.
fn resolved(parameters: &str, sources: &[(&str, &[&str])]) -> Value {
    let mut text = format!("[parameters]\n{parameters}\n");
    for (source, substitutions) in sources {
        let place = match *source {
            "localized" | "enterprise" | "subscription-enterprise" => "place = \"acme\"\n",
            "site" | "subscription-site" => "place = \"acme/berlin\"\n",
            "line" | "subscription-line" | "activation" => "place = \"acme/berlin/line-7\"\n",
            _ => "",
        };
        text.push_str(&format!("[[sources]]\nsource = \"{source}\"\n{place}substitutions = {substitutions:?}\n"));
    }
    of(&text)
}

/// What a scenario comes to, as it is written.
fn of(text: &str) -> Value {
    let scenario = Scenario::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(scenario.faults, [], "{text}");
    let (layers, globals) = (scenario.layers.iter().collect::<Vec<_>>(), Definition::default());
    let (locals, runtime) = (&scenario.parameters, &scenario.runtime);
    let ground = Ground { locals, globals: &globals, layers: &layers, runtime, has_other_services: false };
    serde_json::to_value(Report::of(&acquire(ground))).unwrap()
}

/// The faults of a scenario, each with its places.
fn faults(parameters: &str, sources: &[(&str, &[&str])]) -> Vec<String> {
    let report = resolved(parameters, sources);
    let told = |fault: &Value| {
        format!("{}: {} {}", fault["parameter"].as_str().unwrap(), fault["message"].as_str().unwrap(), fault["places"])
    };
    report["faults"].as_array().unwrap().iter().map(told).collect()
}

/// The value of a parameter of a scenario without faults.
fn value(parameters: &str, sources: &[(&str, &[&str])], name: &str) -> Value {
    let report = resolved(parameters, sources);
    assert_eq!(report["faults"], serde_json::json!([]), "{sources:?}");
    report["parameters"][name]["value"].clone()
}
