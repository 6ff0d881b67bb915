//! What is refused where it is written, and what travels down: constraints of renamed parameters, what places tell, types,
//! circles, lists; each fault word for word, with its places.

#![expect(clippy::unwrap_used, reason = "a test that finds something else has failed")]

use linesman_rules::values::{Acquisition, Definition, Edition, Ground, Report, Scenario, acquire_by};
use serde_json::{Value, json};

/// What a scenario comes to by an edition.
fn acquired<T>(edition: Edition, text: &str, then: impl FnOnce(&Acquisition<'_>, &Scenario) -> T) -> T {
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
    then(&acquire_by(edition, ground), &scenario)
}

fn resolve_by(edition: Edition, text: &str) -> Value {
    acquired(edition, text, |values, scenario| serde_json::to_value(Report::of(values).with(&scenario.faults)).unwrap())
}

fn resolve(text: &str) -> Value {
    resolve_by(Edition::Second, text)
}

/// The faults as lines: parameter, message, help, places.
fn faults_of(report: &Value) -> Vec<String> {
    let text = |fault: &Value, key: &str| fault[key].as_str().unwrap_or("-").to_owned();
    let line = |fault: &Value| {
        let places: Vec<&str> =
            fault["places"].as_array().unwrap().iter().map(|place| place.as_str().unwrap()).collect();
        format!(
            "{} | {} | {} | {}",
            text(fault, "parameter"),
            text(fault, "message"),
            text(fault, "help"),
            places.join(", ")
        )
    };
    report["faults"].as_array().unwrap().iter().map(line).collect()
}

fn faults(text: &str) -> Vec<String> {
    faults_of(&resolve(text))
}

/// One value, one range, integers: word for word, through other names too.
#[test]
fn what_a_definition_asks_of_values_is_asked_of_all_that_are_given() {
    let of = |declared: &str, given: &[&str]| {
        let text = format!("[parameters]\nv = {{ {declared} }}\n{}", source("site", given));
        let report = resolve_by(Edition::default(), &text);
        let value = report["parameters"]["v"]["value"].clone();
        (faults_of(&report), value)
    };
    let integer = "type = \"number\", integer = true";
    let value = "type = \"port\", single = \"value\"";
    let range = "type = \"port\", single = \"range\"";
    for (declared, given, expected) in [
        (integer, "v=1.5", "integers are taken, and `1.5` has a fraction | `round(1.5)` is an integer"),
        (integer, "v=[1, 2.5]", "integers are taken, and `2.5` has a fraction | `round(2.5)` is an integer"),
        (integer, "v=1.5..3", "integers are taken, and `1.5` has a fraction | `round(1.5)` is an integer"),
        (
            integer,
            "v=1e300",
            "`1.0e300` is out of the bounds of integers | they go from -9223372036854775808 to 9223372036854775807",
        ),
        (value, "v=80..90", "one value is taken, and `80..90` is a range | give one value"),
        (value, "v=[80]", "one value is taken, and `[80]` is a list | give one value"),
        (value, "v=not 80", "one value is taken, and `not 80` is a negation | give one value"),
        (
            range,
            "v=[80..90]",
            "one value or one range is taken, and `[80..90]` is a list | give one value, or one range",
        ),
        (
            range,
            "v=not 80..90",
            "one value or one range is taken, and `not 80..90` is a negation | give one value, or one range",
        ),
    ] {
        let expected = format!("v | `{}` of `acme/berlin`: {expected} | acme/berlin", &given[2..]);
        assert_eq!(of(declared, &[given]).0, [expected], "{given}");
    }
    for (declared, given, expected) in [
        (integer, "v=2.0", json!("2")),
        (integer, "v=[1.0..3.0, 4]", json!(["1..3", "4"])),
        (integer, "v=round(1.5)", json!("2")),
        (value, "v=80", json!("80")),
        (range, "v=80..90", json!("80..90")),
        (range, "v=80", json!("80")),
    ] {
        assert_eq!(of(declared, &[given]), (Vec::new(), expected), "{given}");
    }
    let renamed = of(value, &["w:port=", "v=w", "w=[80, 81]"]).0;
    let expected =
        "v | `w` of `acme/berlin`: one value is taken, and `[80, 81]` is a list | give one value | acme/berlin";
    assert_eq!(renamed, [expected]);
    let text = "[parameters]\nv = { type = \"rate:rate\" }";
    let expected = "v | type: the type `rate` stands twice | leave the second one out | ";
    assert_eq!(faults_of(&resolve_by(Edition::default(), text)), [expected]);
}

/// A source of a scenario.
fn source(source: &str, substitutions: &[&str]) -> String {
    let place = match source {
        "enterprise" | "subscription-enterprise" => "place = \"acme\"\n",
        "site" => "place = \"acme/berlin\"\n",
        "line" => "place = \"acme/berlin/line-7\"\n",
        _ => "",
    };
    format!("[[sources]]\nsource = \"{source}\"\n{place}substitutions = {substitutions:?}\n")
}

/// A source and its substitutions.
type Written<'a> = (&'a str, &'a [&'a str]);

fn scenario(parameters: &str, sources: &[Written<'_>]) -> String {
    let sources: Vec<String> = sources.iter().map(|(name, substitutions)| source(name, substitutions)).collect();
    format!("[parameters]\n{parameters}\n{}", sources.concat())
}

#[test]
fn a_name_that_is_known_above_renames_where_it_is_declared_again() {
    for (general, specific) in [("global", "enterprise"), ("enterprise", "subscription-enterprise")] {
        let text = scenario(
            "source = { type = \"network\" }",
            &[
                (general, &["dept:network="]),
                (specific, &["dept:network=", "source=dept"]),
                ("site", &["source=192.0.2.0/24"]),
            ],
        );
        let report = resolve(&text);
        let by = if specific == "enterprise" { "`acme`" } else { "the subscription at `acme`" };
        assert_eq!(
            faults_of(&report),
            [format!(
                "source | `source` cannot be substituted by `acme/berlin`: {by} has renamed it | substitute `dept` | acme, acme/berlin"
            )]
        );
        assert_eq!(report["parameters"]["source"]["renamed"], json!("dept"));
        assert_eq!(faults_of(&resolve_by(Edition::First, &text)), [""; 0], "the first edition stays as it was");
    }
}

const RENAMED: &str = "source = { type = \"network\", constraint = \"source in 192.0.2.0/24\" }";

#[test]
fn constraints_reach_the_name_that_a_parameter_has_below() {
    let renaming: &[&str] = &["dept:network=", "source=dept"];
    let offered = resolve(&scenario(RENAMED, &[("enterprise", renaming)]));
    assert_eq!(offered["parameters"]["dept"]["choice"], json!({"within": "192.0.2.0/24"}));
    let outside = scenario(RENAMED, &[("enterprise", renaming), ("site", &["dept=203.0.113.0/24"])]);
    assert_eq!(
        faults(&outside),
        [
            "dept | `acme/berlin` gives `203.0.113.0/24`, and the definition admits `192.0.2.0/24` only for `source`, which `acme` has renamed to it | - | local-default, acme/berlin"
        ]
    );
    let widened = scenario(RENAMED, &[("enterprise", renaming), ("site", &["dept in 192.0.0.0/16"])]);
    assert_eq!(
        faults(&widened),
        [
            "dept | `acme/berlin` would widen it to `192.0.0.0/16`, and the definition admits `192.0.2.0/24` only | a constraint can only be narrowed | local-default, acme/berlin"
        ]
    );
    // Over two names, whichever of them is renamed first.
    let twice = scenario(
        RENAMED,
        &[
            ("enterprise", &["unit:network=", "dept:network=", "dept=unit", "source=dept"]),
            ("line", &["unit=10.0.0.0/8"]),
        ],
    );
    assert_eq!(
        faults(&twice),
        [
            "unit | `acme/berlin/line-7` gives `10.0.0.0/8`, and the definition admits `192.0.2.0/24` only for `source`, which `acme` has renamed to it | - | local-default, acme/berlin/line-7"
        ]
    );
    let narrowed = scenario(RENAMED, &[("enterprise", renaming), ("site", &["dept in 192.0.2.0/28"])]);
    assert_eq!(resolve(&narrowed)["parameters"]["dept"]["choice"], json!({"within": "192.0.2.0/28"}));
}

#[test]
fn what_the_place_tells_nobody_declares_and_nobody_gives() {
    let told = |name: &str, at: &str| {
        format!("{name} | `{name}` is told by the place itself, and nobody declares it | choose another name | {at}")
    };
    let given = |name: &str, at: &str| {
        format!("{name} | `{name}` is told by the place itself, and nobody substitutes it | - | {at}")
    };
    let text = scenario(
        "interface_speed = { type = \"rate\", default = \"1m\" }\nline = { type = \"string\", substitution = '!line=\"x\"' }",
        &[("global", &["!interface_address=192.0.2.1", "interface_name:interface=\"lo0\"", "site:string="])],
    );
    let report = resolve(&format!("{text}[runtime]\ninterface_speed = 1000\n"));
    assert_eq!(
        faults_of(&report),
        [
            given("interface_address", "global"),
            given("interface_name", "global"),
            told("interface_speed", "local-default"),
            told("line", "local-default"),
            told("site", "global"),
        ]
    );
    assert_eq!(report["parameters"]["interface_speed"]["value"], json!("1000"));
    let before = resolve_by(Edition::First, &scenario("line = { type = \"string\", default = '\"x\"' }", &[]));
    assert_eq!((faults_of(&before).len(), &before["parameters"]["line"]["value"]), (0, &json!("x")));
}

#[test]
fn a_bad_value_is_a_fault_where_another_counts_though_it_refers_to_something() {
    let text = scenario(
        "rate = { type = \"rate\", default = \"10m\" }",
        &[("enterprise", &["rate=100 * interface_speed"]), ("site", &["rate=1m"])],
    );
    let text = format!("{text}[runtime]\ninterface_speed = 1000000000\n");
    let expected = "rate | `100 * interface_speed` of `acme`: `100000000000` is out of the bounds of `rate` | `rate` takes 0 to 4294967295 | runtime, acme";
    assert_eq!(faults(&text), [expected]);
    assert_eq!(faults_of(&resolve_by(Edition::First, &text)), [""; 0]);
}

#[test]
fn types_are_held_behind_functions_and_in_constraints() {
    let text = scenario(
        "r0 = { type = \"rate\" }\np = { type = \"port\" }\nb = { type = \"boolean\" }\nm = { type = \"network\" }\nn = { type = \"network\" }\nnet = { type = \"network\" }",
        &[("enterprise", &["p=prefix(r0)", "b=r0 && true", "n=r0 + 1", "net in 1..5", "r0 in [m]"])],
    );
    assert_eq!(
        faults(&text),
        [
            "b | `r0 && true` of `acme`: `&&` takes booleans, and `r0` is `rate` by the definition | - | local-default, acme",
            "n | `n` takes `network`, and `r0 + 1` of `acme` is a number | - | local-default, acme",
            "net | `net` takes `network`, and `acme` narrows it to `1..5`, in which `1..5` is a range | - | local-default, acme",
            "p | `prefix(r0)` of `acme`: `prefix` takes a network, and `r0` is `rate` by the definition | - | local-default, acme",
            "r0 | `r0` takes `rate`, and `acme` narrows it by `m`, which is `network` by the definition | - | local-default, acme",
        ]
    );
    let fitting = scenario(
        "a = { type = \"address\" }\nn = { type = \"network\" }\nm = { type = \"network\" }\nr = { type = \"rate\" }\np = { type = \"protocol\" }\nx = {}",
        &[(
            "enterprise",
            &[
                "a in n",
                "m in 192.0.2.0..192.0.2.255",
                "r in 1..interface_speed",
                "p in [\"tcp\", 17]",
                "n in x",
                "x in [1, \"a\"]",
            ],
        )],
    );
    let unfit: Vec<String> = faults(&fitting).into_iter().filter(|fault| !fault.contains("has no value")).collect();
    assert_eq!(unfit, [""; 0]);
}

#[test]
fn an_empty_list_is_no_value_of_what_is_required() {
    let text = scenario(
        "source = { type = \"network\", list = \"append\", required = true }\nports = { type = \"port\", list = \"remove\", default = \"[80]\", required = true }",
        &[("site", &["source=[]", "ports=80"])],
    );
    assert_eq!(
        faults(&text),
        [
            "ports | `ports` is required and has no value: the list that `acme/berlin` gives leaves it empty | a list that is required has at least one element | acme/berlin",
            "source | `source` is required and has no value: the list that `acme/berlin` gives leaves it empty | a list that is required has at least one element | acme/berlin",
        ]
    );
}

#[test]
fn a_bad_declaration_takes_nothing_else_away() {
    let text = scenario(
        "x = { type = \"rate\", default = \"1 2\", required = true }\ny = { type = \"rate\", required = true }\nz = { type = \"rate\", required = true }",
        &[("enterprise", &["y=5", "x=3"])],
    );
    let report = resolve(&text);
    assert_eq!(
        faults_of(&report),
        [
            "x | default: `2` stands where an operator or the end is expected | - | ",
            "z | `z` is required and has no value | give it: `z=...` | ",
        ]
    );
    assert_eq!(report["parameters"]["y"]["value"], json!("5"));
}

#[test]
fn lists_meet_by_what_the_language_calls_equal() {
    let text = scenario(
        "p = { type = \"protocol\", list = \"append\", default = '[\"tcp\", \"icmp6\"]' }\nq = { type = \"protocol\", list = \"remove\", default = '[\"tcp\", \"udp\"]' }\nn = { type = \"number\", list = \"append\", default = \"[1, 2, 2]\" }",
        &[("site", &["p=[6, \"icmpv6\", 17]", "q=6", "n=[1.0, 2, 3.5]"])],
    );
    let value = |edition, name: &str| resolve_by(edition, &text)["parameters"][name]["value"].clone();
    assert_eq!(value(Edition::Second, "p"), json!(["tcp", "icmp6", "17"]));
    assert_eq!(value(Edition::Second, "q"), json!(["udp"]));
    assert_eq!(value(Edition::Second, "n"), json!(["1", "2", "3.5"]));
    assert_eq!(value(Edition::First, "n"), json!(["1", "2", "2", "1.0", "3.5"]));
}

#[test]
fn every_circle_is_named_also_where_others_count() {
    let circle = |names: &str, places: &str| {
        let first = &names[..1];
        format!(
            "{first} | the parameters refer to each other in a circle: {names} | give one of them a value of its own | {places}"
        )
    };
    let numbers = |defaults: &[(&str, &str)]| -> String {
        let lines = defaults
            .iter()
            .map(|(name, default)| format!("{name} = {{ type = \"number\", default = \"{default}\" }}\n"));
        lines.collect()
    };
    let touching = scenario(&numbers(&[("a", "b"), ("b", "a + c"), ("c", "b")]), &[]);
    assert_eq!(faults(&touching), [circle("a -> b -> a", "local-default"), circle("b -> c -> b", "local-default")]);
    let bypass = scenario(&numbers(&[("a", "b + d"), ("b", "c"), ("c", "a"), ("d", "b")]), &[]);
    assert_eq!(
        faults(&bypass),
        [circle("a -> b -> c -> a", "local-default"), circle("a -> d -> b -> c -> a", "local-default")]
    );
    let losing = scenario(&numbers(&[("a", "b"), ("b", "a")]), &[("site", &["a=1"]), ("line", &["b=2"])]);
    assert_eq!(faults(&losing), [circle("a -> b -> a", "local-default")]);
    // What gives way where another refers to it is none.
    let turned = scenario(&numbers(&[("a", "b * 2"), ("b", "1")]), &[("enterprise", &["a=5", "b=a"])]);
    assert_eq!(faults(&turned), [""; 0]);
}

#[test]
fn the_order_of_sources_changes_nothing_of_what_is_told() {
    let parameters = "z = { type = \"rate\", default = \"1\" }\na = { type = \"rate\", default = \"1\" }";
    let (above, below): (Written<'_>, Written<'_>) =
        (("enterprise", &["z=x y", "q=1"]), ("site", &["a=1 2", "z=5 5", "a=70000000000"]));
    let one = faults(&scenario(parameters, &[above, below]));
    assert_eq!(one.len(), 5);
    assert_eq!(one, faults(&scenario(parameters, &[below, above])));
}

#[test]
fn what_is_fixed_to_nothing_names_the_fix() {
    let text = scenario(
        "rate = { type = \"rate\", default = \"1m\" }\nreq = { type = \"burst\", required = true }",
        &[("enterprise", &["!rate=", "!req="]), ("site", &["rate=2m", "req=7"])],
    );
    let report = resolve(&text);
    assert_eq!(
        faults_of(&report),
        [
            "req | `req` is required and has no value: `acme` has fixed that it has none | fix a value there: `!req=...` | acme"
        ]
    );
    let rate = &report["parameters"]["rate"];
    assert_eq!(
        ["status", "value", "source", "place"].map(|key| rate[key].clone()),
        [json!("fixed"), json!("1000000"), json!("enterprise"), json!("acme")]
    );
    let told = scenario("b = { type = \"rate\", required = true }", &[("site", &["b=interface_speed"])]);
    assert_eq!(
        faults(&told),
        [
            "b | `b` is required and has no value: it is `interface_speed` here, which has none | the place tells `interface_speed`, and does not yet: it is said where the place is set | acme/berlin"
        ]
    );
}

#[test]
fn where_an_enterprise_and_its_subscription_meet_both_are_named() {
    let text = scenario(
        "rate = { type = \"rate\" }",
        &[("enterprise", &["rate in 1..100"]), ("subscription-enterprise", &["rate=150"])],
    );
    assert_eq!(
        faults(&text),
        [
            "rate | the subscription at `acme` gives `150`, and `acme` admits `1..100` only | - | acme, subscription-enterprise"
        ]
    );
}

#[test]
fn a_global_fix_of_a_local_name_is_hidden_and_said_so() {
    let report = resolve(&scenario("rate = { type = \"rate\", default = \"10m\" }", &[("global", &["!rate=5"])]));
    assert_eq!(faults_of(&report), [""; 0]);
    assert_eq!(
        report["warnings"],
        json!([{"parameter": "rate", "message": "`rate` of the service hides the global parameter of its name", "places": ["global"]}])
    );
}

#[test]
fn interfaces_are_names_and_patterns_of_junos() {
    for (text, is_taken) in [
        ("ge-0/0/1.100", true),
        ("ge-0/0/?", true),
        ("ge-0/0/[!0-3]", true),
        ("ge-0/0/[0-3,5].*", true),
        ("xe-0/0/0:1", true),
        ("*", true),
        ("ae0", true),
        ("ge-0/0/[9-0]", false),
        ("ge-0/0/[]", false),
        ("ge-0/0/[!]", false),
        ("ge-0/0/1.100.200", false),
        ("a//..b", false),
        ("ge-0/0/", false),
        ("<ge-*>", false),
        ("0/0", false),
    ] {
        let report = resolve(&scenario("i = { type = \"interface\" }", &[("site", &[&format!("i=\"{text}\"")])]));
        assert_eq!(report["faults"] == json!([]), is_taken, "{text}: {}", report["faults"]);
    }
    let zero = resolve(&scenario("n = { type = \"number\" }", &[("site", &["n=[-0.0, 0 * -1.0]"])]));
    assert_eq!(zero["parameters"]["n"]["value"], json!(["0.0", "0.0"]));
}

/// Compared with a fixture; `LINESMAN_BLESS=1` writes it.
fn golden(name: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/explanations").join(name);
    if std::env::var_os("LINESMAN_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap(), "{}", path.display());
}

#[test]
fn explanations_are_those_of_the_fixtures() {
    let text = scenario(
        "source = { type = \"network\", list = \"append\", constraint = \"source in 192.0.2.0/24\" }\nrate = { type = \"rate\", default = \"10m\", constraint = \"rate in 1..1g\" }\nburst = { type = \"burst\", default = \"15k\" }\nbad = { type = \"port\" }",
        &[
            ("enterprise", &["dept:network=", "source=dept", "rate in 1..200m", "!burst=rate / 100"]),
            ("subscription-enterprise", &["rate=100m"]),
            ("site", &["dept in 192.0.2.0/25", "dept=192.0.2.0/28", "!rate=0.5 * interface_speed", "bad=70000"]),
            ("line", &["rate=1m", "burst=5", "rate in 1..5"]),
        ],
    );
    let text = format!("{text}[runtime]\ninterface_speed = 100000000\n");
    acquired(Edition::Second, &text, |values, _| {
        for name in ["source", "dept", "rate", "burst", "bad"] {
            let explained = values.explain(name).unwrap();
            golden(&format!("{name}.txt"), &explained.to_string());
            golden(&format!("{name}.json"), &format!("{}\n", serde_json::to_string_pretty(&explained).unwrap()));
        }
    });
}

/// What is given of a new name comes to what it would come to of the parameter, however lists meet.
#[test]
fn lists_of_a_renamed_parameter_meet_under_its_new_name_as_they_would_without_it() {
    const LISTS: [&str; 4] = ["", "10.0.1.0/24", "[10.0.2.0/24, 10.0.1.0/24]", "[10.0.3.0/24, 10.0.2.0/24]"];
    let all = "[10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24, 10.0.4.0/24]";
    let (mut compared, mut differed) = (0, 0);
    for mode in ["replace", "append", "remove"] {
        for default in ["", all] {
            for (number, (enterprise, site)) in LISTS.iter().flat_map(|one| LISTS.map(|two| (*one, two))).enumerate() {
                let line = LISTS[1 + number % 3];
                let given =
                    |list: &str| if list.is_empty() { String::new() } else { format!(", default = \"{list}\"") };
                let parameters = format!("o = {{ type = \"network\", list = \"{mode}\"{} }}", given(default));
                let said = |name: &str, at_enterprise: &[&str]| {
                    let [site, line] = [site, line].map(|list| format!("{name}={list}"));
                    let at_site: &[&str] = if site.ends_with('=') { &[] } else { &[&site] };
                    scenario(&parameters, &[("enterprise", at_enterprise), ("site", at_site), ("line", &[&line])])
                };
                let renamed = said("d", &[&format!("d:network={enterprise}"), "o=d"]);
                let own = format!("o={enterprise}");
                let own = [own.as_str()];
                let plain = said("o", if enterprise.is_empty() { &[] } else { &own });
                let value = |edition, text: &str| {
                    let report = resolve_by(edition, text);
                    assert_eq!(faults_of(&report), [""; 0], "{text}");
                    // Of a single one it makes a list wherever two meet.
                    match report["parameters"]["o"]["value"].clone() {
                        Value::String(text) => json!([text]),
                        other => other,
                    }
                };
                let expected = value(Edition::Fourth, &plain);
                assert_eq!(value(Edition::Fourth, &renamed), expected, "{renamed}\n{plain}");
                differed += usize::from(value(Edition::Third, &renamed) != expected);
                compared += 1;
            }
        }
    }
    assert!(compared == 96 && differed > 20, "{compared} {differed}");
}

#[test]
fn a_name_that_stands_for_several_whose_lists_meet_otherwise_replaces() {
    let value = |modes: [&str; 2], name: &str| {
        let [one, two] =
            modes.map(|mode| format!("{{ type = \"network\", list = \"{mode}\", default = \"10.0.0.0/24\" }}"));
        let parameters = format!("a = {one}\nb = {two}");
        let sources: [Written<'_>; 4] = [
            ("enterprise", &["d:network=", "a=d", "b=d"]),
            ("site", &["e:network=", "d=e"]),
            ("line", &["e=10.0.1.0/24"]),
            ("activation", &["e=10.0.2.0/24"]),
        ];
        resolve_by(Edition::Fourth, &scenario(&parameters, &sources))["parameters"][name]["value"].clone()
    };
    let [one, two] = ["10.0.1.0/24", "10.0.2.0/24"];
    assert_eq!(value(["append", "append"], "a"), json!(["10.0.0.0/24", one, two]), "through two names");
    assert_eq!(value(["append", "replace"], "e"), json!(two));
    assert_eq!(value(["append", "remove"], "e"), json!([one, two]), "what is taken out adds up too");
}

/// Every source is shown, what somebody gave where nobody may among them.
#[test]
fn what_is_given_of_a_renamed_parameter_is_explained_as_found_and_losing() {
    let text = scenario(
        "o = { type = \"network\" }",
        &[
            ("enterprise", &["d:network=", "o=d"]),
            ("site", &["d=10.0.0.0/8", "o=10.0.0.0/9"]),
            ("line", &["site=\"x\""]),
        ],
    );
    acquired(Edition::Fourth, &text, |values, _| {
        let told = values.explain("o").unwrap().to_string();
        let expected = "  site acme/berlin: `o=10.0.0.0/9`, refused: nobody may substitute it there\n";
        assert!(told.contains(expected), "{told}");
        let told = values.explain("site").unwrap().to_string();
        assert!(told.contains("`site=\"x\"`, refused: nobody may substitute it there\n"), "{told}");
    });
}
