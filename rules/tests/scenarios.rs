//! Scenarios: what they come to, and the faults they end in, word for word.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else has failed")]

use linesman_rules::values::{Definition, Ground, Report, Scenario, acquire};
use serde_json::{Value, json};

/// What a scenario comes to.
fn resolve(text: &str) -> Value {
    let scenario = Scenario::read(text).unwrap();
    let layers: Vec<_> = scenario.layers.iter().collect();
    let globals = Definition::default();
    let ground = Ground {
        locals: &scenario.parameters,
        globals: &globals,
        layers: &layers,
        runtime: &scenario.runtime,
        has_other_services: false,
    };
    let acquisition = acquire(ground);
    serde_json::to_value(Report::of(&acquisition).with(&scenario.faults)).unwrap()
}

/// One parameter of it: status, value, source, place.
fn parameter(report: &Value, name: &str) -> [Value; 4] {
    let found = &report["parameters"][name];
    ["status", "value", "source", "place"].map(|key| found[key].clone())
}

/// The faults of a scenario: parameter, message with help, places.
fn faults(text: &str) -> Vec<(String, String, Vec<String>)> {
    let report = resolve(text);
    let faults = report["faults"].as_array().unwrap();
    let shown = faults.iter().map(|fault| {
        let help = fault["help"].as_str().map(|help| format!(" ({help})")).unwrap_or_default();
        let places =
            fault["places"].as_array().unwrap().iter().map(|place| place.as_str().unwrap().to_owned()).collect();
        let text = |key: &str| fault[key].as_str().unwrap().to_owned();
        (text("parameter"), format!("{}{help}", text("message")), places)
    });
    shown.collect()
}

fn fault(parameter: &str, message: &str, places: &[&str]) -> (String, String, Vec<String>) {
    (parameter.to_owned(), message.to_owned(), places.iter().map(|place| (*place).to_owned()).collect())
}

const RENAMED: &str = r#"
[parameters]
source = { type = "network", list = "append", required = true }
destination = { type = "network", substitution = "!destination=198.51.100.0/24" }
rate = { type = "rate", default = "10m", constraint = "rate in 1..1g" }
[[sources]]
source = "site"
place = "acme/berlin"
substitutions = ["dept=192.0.2.0/24", "rate=0.5 * interface_speed"]
[[sources]]
source = "enterprise"
place = "acme"
substitutions = ["dept:network=", "source=dept"]
[runtime]
interface_speed = 100000000
"#;

#[test]
fn a_renamed_parameter_is_given_by_its_new_name() {
    let report = resolve(RENAMED);
    assert_eq!(report["faults"], json!([]));
    assert_eq!(
        parameter(&report, "dept"),
        [json!("defaulted"), json!("192.0.2.0/24"), json!("site"), json!("acme/berlin")]
    );
    assert_eq!(
        parameter(&report, "source"),
        [json!("defaulted"), json!("192.0.2.0/24"), json!("enterprise"), json!("acme")]
    );
    assert_eq!(
        parameter(&report, "destination"),
        [json!("fixed"), json!("198.51.100.0/24"), json!("service"), json!(null)]
    );
    assert_eq!(
        parameter(&report, "rate"),
        [json!("defaulted"), json!("50000000"), json!("site"), json!("acme/berlin")]
    );
    assert_eq!(report["parameters"]["dept"]["choice"], json!({"form": "network"}));
    assert_eq!(report["parameters"]["rate"]["choice"], json!({"within": "1..1000000000"}));
    assert_eq!(report["parameters"]["destination"].get("choice"), None);
    assert_eq!(report["parameters"]["source"]["renamed"], json!("dept"));
}

#[test]
fn lists_meet_as_the_parameter_says() {
    for (mode, expected) in [
        ("replace", json!(["192.0.2.0/24", "203.0.113.0/24"])),
        ("append", json!(["198.51.100.0/24", "192.0.2.0/24", "203.0.113.0/24"])),
        ("remove", json!(["198.51.100.0/24"])),
    ] {
        let report = resolve(&format!(
            r#"
[parameters]
n = {{ type = "network", list = "{mode}" }}
[[sources]]
source = "enterprise"
place = "acme"
substitutions = ["n=[198.51.100.0/24, 192.0.2.0/24]"]
[[sources]]
source = "site"
place = "acme/berlin"
substitutions = ["n=[192.0.2.0/24, 203.0.113.0/24]"]
"#
        ));
        assert_eq!(parameter(&report, "n"), [json!("defaulted"), expected, json!("site"), json!("acme/berlin")]);
    }
    let single = resolve("[parameters]\nn = { type = \"port\", list = \"append\", default = \"[80]\" }\n");
    assert_eq!(single["parameters"]["n"]["value"], json!(["80"]), "a list of one stays a list");
    let alone = resolve("[parameters]\nn = { type = \"port\", list = \"append\", default = \"80\" }\n");
    assert_eq!(alone["parameters"]["n"]["value"], json!("80"));
}

#[test]
fn a_fix_blocks_what_is_more_specific_and_the_most_general_counts() {
    let report = resolve(
        r#"
[parameters]
rate = { type = "rate", default = "1m" }
[[sources]]
source = "activation"
place = "acme/berlin/line-7"
substitutions = ["rate=5m"]
[[sources]]
source = "site"
place = "acme/berlin"
substitutions = ["!rate=4m"]
[[sources]]
source = "enterprise"
place = "acme"
substitutions = ["!rate=3m"]
[[sources]]
source = "localized"
place = "acme"
substitutions = ["rate=2m"]
"#,
    );
    assert_eq!(report["faults"], json!([]));
    assert_eq!(parameter(&report, "rate"), [json!("fixed"), json!("3000000"), json!("enterprise"), json!("acme")]);
}

#[test]
fn globals_stand_behind_what_a_service_says_and_their_fixes_before_all() {
    let text = r#"
[parameters]
own = { type = "rate", default = "shared" }
[[sources]]
source = "global"
substitutions = ["!shared:rate=7m", "other:rate=8m"]
[[sources]]
source = "line"
place = "acme/berlin/line-7"
substitutions = ["shared=1", "other=9m"]
"#;
    let report = resolve(text);
    assert_eq!(report["faults"], json!([]));
    assert_eq!(parameter(&report, "own"), [json!("defaulted"), json!("7000000"), json!("local-default"), json!(null)]);
    assert_eq!(parameter(&report, "shared"), [json!("fixed"), json!("7000000"), json!("global"), json!(null)]);
    assert_eq!(
        parameter(&report, "other"),
        [json!("defaulted"), json!("9000000"), json!("line"), json!("acme/berlin/line-7")]
    );
    let quiet = resolve(&text.replace(", \"other=9m\"", ""));
    assert_eq!(
        parameter(&quiet, "other"),
        [json!("defaulted"), json!("8000000"), json!("global-default"), json!(null)]
    );
}

/// A scenario with `x` of a type, and one source.
fn at_enterprise(parameters: &str, substitutions: &str) -> String {
    format!(
        "[parameters]\n{parameters}\n[[sources]]\nsource = \"enterprise\"\nplace = \"acme\"\nsubstitutions = [{substitutions}]\n"
    )
}

#[test]
fn types_are_held_where_they_are_written() {
    let text = at_enterprise("x = { type = \"network\" }\ny = { type = \"rate\", default = \"1m\" }", "\"x=y\"");
    assert_eq!(
        faults(&text),
        [fault(
            "x",
            "`x` takes `network`, and `acme` gives it `y`, which is `rate` by the definition",
            &["local-default", "acme"]
        )]
    );
}

#[test]
fn circles_of_names_are_named() {
    let text = at_enterprise(
        "a = { type = \"rate\" }\nb = { type = \"rate\" }\nc = { type = \"rate\" }",
        "\"b=c\", \"c=a\", \"a=b\"",
    );
    assert_eq!(
        faults(&text),
        [fault(
            "a",
            "the parameters refer to each other in a circle: a -> b -> c -> a (give one of them a value of its own)",
            &["acme"]
        )]
    );
}

#[test]
fn a_widening_and_a_value_outside_name_both_places() {
    let text = r#"
[parameters]
rate = { type = "rate", constraint = "rate in 1..1g" }
burst = { type = "burst", constraint = "burst in 1..100" }
[[sources]]
source = "enterprise"
place = "acme"
substitutions = ["rate in 1..200m", "burst=500"]
[[sources]]
source = "site"
place = "acme/berlin"
substitutions = ["rate in [50m, 300m]"]
[[sources]]
source = "line"
place = "acme/berlin/line-7"
substitutions = ["burst=50", "rate=60m"]
"#;
    assert_eq!(
        faults(text),
        [
            fault("burst", "`acme` gives `500`, and the definition admits `1..100` only", &["local-default", "acme"]),
            fault(
                "rate",
                "`acme/berlin` would widen it to `[50000000, 300000000]`, and `acme` admits `1..200000000` only (a constraint can only be narrowed)",
                &["acme", "acme/berlin"]
            ),
        ]
    );
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let text = at_enterprise(
        "source = { type = \"network\", required = true }\nrate = { type = \"rate\", required = true }\nburst = { type = \"burst\" }\nhalf = { type = \"rate\", default = \"burst / 2\" }",
        "\"dept:network=\", \"source=dept\"",
    );
    assert_eq!(
        faults(&text),
        [
            fault(
                "half",
                "`burst / 2` of the definition cannot be computed: `burst` has no value (give `burst`)",
                &["local-default"]
            ),
            fault("rate", "`rate` is required and has no value (give it: `rate=...`)", &[]),
            fault(
                "source",
                "`source` is required and has no value: it is `dept` here, which has none (give it: `dept=...`)",
                &["acme"]
            ),
        ]
    );
}

#[test]
fn what_the_place_tells_nobody_substitutes_and_nobody_substitutes_a_renamed_one() {
    let text = format!(
        "{}[[sources]]\nsource = \"line\"\nplace = \"acme/berlin/line-7\"\nsubstitutions = [\"source=192.0.2.0/24\", \"interface_speed=5\"]\n",
        at_enterprise("source = { type = \"network\" }", "\"dept:network=198.51.100.0/24\", \"source=dept\"")
    );
    assert_eq!(
        faults(&text),
        [
            fault(
                "interface_speed",
                "`interface_speed` is told by the place itself, and nobody substitutes it",
                &["acme/berlin/line-7"]
            ),
            fault(
                "source",
                "`source` cannot be substituted by `acme/berlin/line-7`: `acme` has renamed it (substitute `dept`)",
                &["acme", "acme/berlin/line-7"]
            ),
        ]
    );
}

#[test]
fn bad_values_and_unknown_names_are_faults_even_where_a_default_exists() {
    let text = at_enterprise(
        "rate = { type = \"rate\", default = \"1m\" }\nport = { type = \"port\", default = \"80\" }",
        "\"rate=9223372036854775807 + 1\", \"prot=5\", \"port=70000\", \"rate in\"",
    );
    assert_eq!(
        faults(&text),
        [
            fault(
                "port",
                "`70000` of `acme`: `70000` is out of the bounds of `port` (`port` takes 0 to 65535)",
                &["acme"]
            ),
            fault("prot", "there is no parameter `prot` (did you mean `port`?)", &["acme"]),
            fault(
                "rate",
                "`9223372036854775807 + 1` of `acme`: `9223372036854775807 + 1` overflows (integers are calculated from -9223372036854775808 to 9223372036854775807)",
                &["acme"]
            ),
            fault(
                "rate",
                "`rate in` of `acme`: `rate in` does not say what (write for example `rate in 1..10`)",
                &["acme"]
            ),
        ]
    );
}

#[test]
fn what_is_no_scenario_says_why() {
    for (text, expected) in [
        ("", "it needs `service`, or `[parameters]`"),
        ("rate = 5\n", "unknown field `rate`"),
        ("[parameters]\n[[sources]]\nsource = \"sites\"\n", "there is no source `sites`; did you mean `site`?"),
        (
            "[parameters]\n[[sources]]\nsource = \"site\"\nplace = \"acme\"\n",
            "the source `site` does not stand at `acme`",
        ),
        (
            "[parameters]\n[[sources]]\nsource = \"site\"\nplace = \"acme/berlin\"\n[[sources]]\nsource = \"line\"\nplace = \"acme/munich/line-1\"\n",
            "`acme/berlin` and `acme/munich/line-1` do not lie on one way down to a line",
        ),
    ] {
        let error = Scenario::read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

/// A block of the document behind a heading.
fn block<'a>(document: &'a str, heading: &str, language: &str) -> &'a str {
    let behind = document.split_once(heading).unwrap().1;
    behind.split_once(&format!("```{language}\n")).unwrap().1.split_once("```").unwrap().0
}

#[test]
fn the_document_says_what_its_scenario_comes_to() {
    let document = include_str!("../../docs/values.md");
    let report = resolve(block(document, "### Scenarios", "toml"));
    let told: Value = serde_json::from_str(block(document, "### Scenarios", "json")).unwrap();
    assert_eq!(report["faults"], told["faults"]);
    for (name, told) in told["parameters"].as_object().unwrap() {
        for (key, value) in told.as_object().unwrap() {
            assert_eq!(&report["parameters"][name][key], value, "{name} {key}");
        }
    }
}
