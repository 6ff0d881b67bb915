//! What scripts give the services that they activate reads back as what they gave, whatever it is; and what cannot be
//! given is refused by name.

#![cfg(test)]

mod support;

use std::net::IpAddr;

use linesman_rules::values::{Clause, Expression, Fuel, Mistake, Type, Types, Value, evaluate, parse_substitution};
use linesman_rules::{Activation, Field, Intent, Judge, Limits, Policy};
use proptest::prelude::*;
use support::{Plain, check, incident, message, organization, record, script, script_on, update};

/// Runs a policy; what runs without failing is not faulted by the check either.
fn react(policy: &Policy, subject: Plain) -> Result<Vec<Intent>, String> {
    let result = Judge::new(Limits::default()).react(policy, subject.shared(), &organization());
    if result.is_ok() {
        assert_eq!(check(policy), [], "{}", policy.source());
    }
    result.map_err(|failure| format!("{} {failure}", failure.kind.as_str()))
}

/// The substitutions that `activate` is given for a map.
fn given(map: &str) -> Vec<String> {
    given_to(map, incident())
}

fn given_to(map: &str, subject: Plain) -> Vec<String> {
    let intents = react(&script(&format!("service(\"x\").activate({map});")), subject).unwrap();
    let [Intent::Activate(activation)] = intents.as_slice() else { panic!("{intents:?}") };
    activation.substitutions.clone()
}

/// What a substitution gives, read as anybody reads it who takes it.
fn read(text: &str) -> (String, Value) {
    let substitution = parse_substitution(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
    let (false, true, Clause::Value(expression)) =
        (substitution.is_fixed, substitution.types.is_empty(), &substitution.clause)
    else {
        panic!("{text}")
    };
    assert!(expression.is_closed(), "{text}");
    (substitution.name.to_string(), value(expression).unwrap())
}

fn value(expression: &Expression) -> Result<Value, Mistake> {
    evaluate(expression, &mut |name| panic!("{name}"), &mut Fuel::default())
}

/// The value of `victim` as a parameter of a type has it, or why it has none.
fn admitted(text: &str, kind: Type) -> Result<String, String> {
    let (_, value) = read(text);
    Types::new([kind]).admit(value).map(|value| value.to_string()).map_err(|mistake| mistake.message)
}

#[test]
fn activations_are_handed_back_as_they_were_asked_for() {
    let policy = script(
        r#"service("ddos-blackhole").activate(#{ victim: "192.0.2.7" });
        service("ddos-blackhole").deactivate(#{ victim: "192.0.2.7" });
        service("drain").activate();
        service("drain").at("acme").deactivate();
        let s = service("nat-pool").at("acme/berlin").at(`acme/berlin/line-${3 + 4}`);
        s.activate(#{ b: 2, a: 1 });
        deactivate(at(service("nat-pool"), "acme/berlin"), #{});"#,
    );
    let asked = |service: &str, at: Option<&str>, substitutions: &[&str]| Activation {
        service: service.parse().unwrap(),
        at: at.map(|place| place.parse().unwrap()),
        substitutions: substitutions.iter().map(|text| (*text).to_owned()).collect(),
    };
    let expected = vec![
        Intent::Activate(asked("ddos-blackhole", None, &["victim=192.0.2.7"])),
        Intent::Deactivate(asked("ddos-blackhole", None, &["victim=192.0.2.7"])),
        Intent::Activate(asked("drain", None, &[])),
        Intent::Deactivate(asked("drain", Some("acme"), &[])),
        Intent::Activate(asked("nat-pool", Some("acme/berlin/line-7"), &["a=1", "b=2"])),
        Intent::Deactivate(asked("nat-pool", Some("acme/berlin"), &[])),
    ];
    assert_eq!(react(&policy, incident()), Ok(expected));
}

#[test]
fn each_sort_of_value_is_written_as_an_expression() {
    for (written, expected) in [
        (r#""10 Mbit/s""#, r#""10 Mbit/s""#),
        (r#""""#, r#""""#),
        (r#""ge-0/0/1.100""#, r#""ge-0/0/1.100""#),
        (r#""192.0.2.7""#, "192.0.2.7"),
        (r#""2001:DB8:0::7""#, "2001:db8::7"),
        (r#""198.51.100.0/24""#, "198.51.100.0/24"),
        (r#""2001:db8::/32""#, "2001:db8::/32"),
        // What is nearly an address or a network is a text.
        (r#""192.0.2.7/24""#, r#""192.0.2.7/24""#),
        (r#""192.0.2.0/024""#, r#""192.0.2.0/024""#),
        (r#""192.0.2.7 ""#, r#""192.0.2.7 ""#),
        (r#""192.0.2.7..192.0.2.9""#, r#""192.0.2.7..192.0.2.9""#),
        (r#""192.0.2.300""#, r#""192.0.2.300""#),
        (r#""65535:666""#, r#""65535:666""#),
        (r#""80""#, r#""80""#),
        (r#""true""#, r#""true""#),
        ("'c'", r#""c""#),
        ("0", "0"),
        ("-9223372036854775807 - 1", "-9223372036854775808"),
        ("2.0", "2.0"),
        ("-0.5", "-0.5"),
        ("1.0e300", "1.0e300"),
        ("true", "true"),
        ("1 > 2", "false"),
        ("80..=443", "80..443"),
        ("-5..3", "-5..2"),
        ("[]", "[]"),
        (r#"[1, "a", "::1", [80..=90]]"#, r#"[1, "a", ::1, [80..90]]"#),
        ("#{}", "{}"),
        (r#"#{ b: "::", "a b": #{ "true": 2.5 } }"#, r#"{"a b": {"true": 2.5}, b: ::}"#),
    ] {
        let texts = given(&format!("#{{ v: {written} }}"));
        assert_eq!(texts, [format!("v={expected}")], "{written}");
        let (name, value) = read(&texts[0]);
        // What is printed at the top has no quotes, within a list it has.
        assert_eq!((name.as_str(), Value::list([value]).to_string()), ("v", format!("[{expected}]")));
    }
}

#[test]
fn the_types_of_parameters_are_met() {
    for (written, kind, expected) in [
        (r#""192.0.2.7""#, Type::Address, "192.0.2.7"),
        (r#""255.255.255.0""#, Type::AddressMask, "255.255.255.0"),
        (r#"["192.0.2.0/24", "2001:db8::/32"]"#, Type::Network, "[192.0.2.0/24, 2001:db8::/32]"),
        (r#""ge-0/0/1.100""#, Type::Interface, "ge-0/0/1.100"),
        (r#""tcp""#, Type::Protocol, "tcp"),
        ("80..=443", Type::Port, "80..443"),
        ("10000000", Type::Rate, "10000000"),
        ("0.5 * 100", Type::Burst, "50"),
        ("2.5", Type::Number, "2.5"),
        (r#""a note""#, Type::String, "a note"),
        ("true", Type::Boolean, "true"),
    ] {
        let texts = given(&format!("#{{ v: {written} }}"));
        assert_eq!(admitted(&texts[0], kind), Ok(expected.to_owned()), "{written}");
    }
    // What has another type is refused by whoever knows the parameter, and not taken for something else.
    for (written, kind, expected) in [
        (r#""80""#, Type::Port, "`port` takes integers, and `\"80\"` is a text"),
        (r#""192.0.2.7""#, Type::String, "`string` takes texts, and `192.0.2.7` is an IPv4 address"),
        (r#""192.0.2.7/24""#, Type::Network, "`network` takes networks, and `\"192.0.2.7/24\"` is a text"),
    ] {
        let texts = given(&format!("#{{ v: {written} }}"));
        assert_eq!(admitted(&texts[0], kind), Err(expected.to_owned()), "{written}");
    }
}

#[test]
fn a_hostile_text_of_a_device_stays_one_value() {
    for hostile in [
        "1, x=2",
        "a\" + b",
        "\"",
        "\\",
        "\\\"; } system { root-authentication; }",
        "a\nb=3\t",
        "!victim",
        "victim:any",
        "true",
        "10m",
        "interface_speed",
        "host(192.0.2.0/24, 1)",
        "192.0.2.7, 192.0.2.8",
        "[1, 2]",
        "{a: 1}",
        "${1}",
        "größe \u{202e} \u{1f980}",
    ] {
        let subject = incident().with(Field::Synopsis, hostile);
        let texts = given_to("#{ a: 1, v: subject.synopsis, w: [subject.synopsis], z: 2 }", subject);
        let read: Vec<_> = texts.iter().map(|text| read(text)).collect();
        let text = Value::text(hostile);
        let expected =
            [("a", Value::Integer(1)), ("v", text.clone()), ("w", Value::list([text])), ("z", Value::Integer(2))];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value)), "{hostile}");
    }
    for (hostile, shown) in [("a\rb", "\\r"), ("\0", "\\0"), ("\u{1b}[2J", "\\u{1b}"), ("\u{85}", "\\u{85}")] {
        let subject = incident().with(Field::Synopsis, hostile);
        let expected = format!(
            "refused 3:14: `v` of `activate`: the text holds the control character `{shown}`: write `\\n` or `\\t`, or leave it out"
        );
        assert_eq!(react(&script("service(\"x\").activate(#{ v: subject.synopsis });"), subject), Err(expected));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_a_text_is_it_is_read_back(text in r#"[ -~\n\t"\\:./0-9a-f]{0,40}|\PC{0,40}"#) {
        let texts = given_to("#{ v: subject.synopsis }", incident().with(Field::Synopsis, text.as_str()));
        prop_assert_eq!(texts.len(), 1);
        let (name, value) = read(&texts[0]);
        prop_assert_eq!(name, "v");
        match value {
            Value::Text(read) => prop_assert_eq!(&*read, text.as_str()),
            Value::Address(address) => prop_assert_eq!(text.parse::<IpAddr>(), Ok(address)),
            Value::Network(_) => prop_assert!(text.contains('/')),
            other => prop_assert!(false, "{} is {}", text, other),
        }
    }

    #[test]
    fn every_address_and_network_is_one(v4 in any::<[u8; 4]>(), v6 in any::<[u16; 8]>(), length in 0_u32..=32) {
        let network = u32::from_be_bytes(v4) & u32::MAX.checked_shl(32 - length).unwrap_or(0);
        let network = format!("{}/{length}", IpAddr::from(network.to_be_bytes()));
        for text in [IpAddr::from(v4).to_string(), IpAddr::from(v6).to_string(), network] {
            let texts = given_to("#{ v: subject.synopsis }", incident().with(Field::Synopsis, text.as_str()));
            prop_assert_eq!(texts, [format!("v={text}")]);
        }
    }

    #[test]
    fn every_number_is_read_back(integer in any::<i64>(), float in prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL) {
        let float_text = format!("{float:e}");
        let subject = incident().number(Field::Severity, integer).with(Field::Synopsis, float_text.as_str());
        let texts = given_to("#{ f: parse_float(subject.synopsis), i: subject.severity }", subject);
        prop_assert_eq!(read(&texts[1]).1, Value::Integer(integer.into()));
        match read(&texts[0]).1 {
            Value::Float(read) => prop_assert_eq!(read.to_bits(), float.to_bits()),
            other => prop_assert!(false, "{float} is {other}"),
        }
    }
}

#[test]
fn what_cannot_be_given_is_refused_by_name() {
    let long = format!("service(\"x\").activate(#{{ v: \"{}\" }});", "x".repeat(4_096));
    for (body, expected) in [
        (
            "service(\"DDoS\").activate();",
            "refused 3:1: `DDoS` is no name of a service: a name has lower-case letters, digits and `-`, beginning with a letter, at most 64",
        ),
        (
            "service(\"x\").at(\"acme//berlin\").activate();",
            "refused 3:14: `acme//berlin` is no place in an organization: it is written as `acme`, `acme/berlin` or `acme/berlin/line-7`",
        ),
        (
            "service(\"x\").at(\"/\").activate();",
            "refused 3:14: `/` is no place in an organization: it is written as `acme`, `acme/berlin` or `acme/berlin/line-7`",
        ),
        (
            "service(\"x\").at(\"bolt/berlin\").activate();",
            "refused 3:14: `bolt/berlin` lies in another organization: a policy acts in the organization it judges",
        ),
        (
            "service(\"x\").activate(#{ \"!v\": 1 });",
            "refused 3:14: `activate`: `!v` is no name of a parameter: a name is a letter, then letters, digits and `_`",
        ),
        (
            "service(\"x\").activate(#{ \"v=1\\nw\": 1 });",
            "refused 3:14: `activate`: `v=1\\nw` is no name of a parameter: a name is a letter, then letters, digits and `_`",
        ),
        (
            "service(\"x\").deactivate(#{ \"not\": 1 });",
            "refused 3:14: `deactivate`: `not` is a word of the language and names no parameter: choose another name",
        ),
        (
            "service(\"x\").activate(#{ v: subject.owner });",
            "refused 3:14: `v` of `activate` is nothing: leave it out, or give a value",
        ),
        (
            "service(\"x\").activate(#{ v: [1, ()] });",
            "refused 3:14: `v` of `activate` is nothing: leave it out, or give a value",
        ),
        (
            "service(\"x\").activate(#{ v: 3..3 });",
            "refused 3:14: `v` of `activate` is a range that holds nothing: `1..=3` has both ends",
        ),
        ("service(\"x\").activate(#{ v: 0.0 / 0.0 });", "refused 3:14: `v` of `activate` is no finite number"),
        (
            "service(\"x\").activate(#{ v: subject });",
            "refused 3:14: `v` of `activate` is an object: give a text, number, flag, range, list or map",
        ),
        (
            "service(\"x\").activate(#{ v: Fn(\"log\") });",
            "refused 3:14: `v` of `activate` is a function: give a text, number, flag, range, list or map",
        ),
        (
            "let v = []; for i in 0..30 { v = [v]; } service(\"x\").activate(#{ v: v });",
            "refused 3:54: `v` of `activate` has values more than 16 deep within each other",
        ),
        (
            &*long,
            "refused 3:14: `v` of `activate`: the text has 4100 bytes, more than 4096: split it over several parameters",
        ),
        ("service(1);", "script 3:1: function not found: service (i64)"),
        ("service(\"x\").activate(1);", "script 3:14: function not found: activate (service, i64)"),
        ("service(\"x\").activat();", "script 3:14: function not found: activat (service)"),
        (
            "service(\"x\").activate;",
            "script 3:14: unknown property `activate` - a getter is not registered for type `service`",
        ),
        (
            "log(\"x\", #{ v: service(\"x\") });",
            "refused 3:1: `log`: an object cannot be sent, name the properties wanted",
        ),
    ] {
        assert_eq!(react(&script(body), incident()), Err(expected.to_owned()), "{body}");
    }
}

#[test]
fn a_place_is_named_where_there_is_no_device() {
    for (trigger, subject, article) in
        [("intelligence.received", message(), "a message"), ("audit.*", record(), "a record")]
    {
        for wish in ["activate", "deactivate"] {
            let policy = script_on(trigger, &format!("service(\"x\").{wish}();"));
            let expected = format!(
                "refused 3:14: `{wish}` needs a place, and this trigger is about {article}: name the place: `service(...).at(...).{wish}(...)`"
            );
            assert_eq!(react(&policy, subject.clone()), Err(expected));
            let policy = script_on(trigger, &format!("service(\"x\").at(\"acme/berlin\").{wish}();"));
            assert_eq!(react(&policy, subject.clone()).map(|intents| intents.len()), Ok(1));
        }
    }
    let policy = script_on("case.updated", "service(\"x\").activate();");
    assert_eq!(react(&policy, update()).map(|intents| intents.len()), Ok(1));
}

#[test]
fn activations_count_as_actions_and_by_their_bytes() {
    let policy = script("for i in 0..64 { service(\"x\").activate(#{ n: i }); }");
    assert_eq!(react(&policy, incident()).map(|intents| intents.len()), Ok(64));
    let policy = script("for i in 0..65 { let s = service(\"x\"); s.activate(#{ n: i }); }");
    let expected = "intents 3:42: the script asks for more than 64 actions";
    assert_eq!(react(&policy, incident()), Err(expected.to_owned()));
    let long = format!("let t = \"{}\"; for i in 0..20 {{ service(\"x\").activate(#{{ v: t }}); }}", "x".repeat(4_000));
    let expected = "intents 3:4043: what the script asks for exceeds 65536 bytes";
    assert_eq!(react(&script(&long), incident()), Err(expected.to_owned()));
}

#[test]
fn a_service_is_printed_by_a_word_of_the_language() {
    let intents = react(&script("log(`${service(\"x\")} ${type_of(service(\"x\"))}`);"), incident()).unwrap();
    assert_eq!(intents, [support::logged("service service", serde_json::Map::new())]);
}

#[test]
fn a_script_has_its_own_functions_of_these_names() {
    let source = "policy(#{ on: \"incident.detected\" });\nfn service(name) { #{ name: name } }\n\
        fn at(map, place) { `${map.name} at ${place}` }\n\
        fn react(subject, org) { log(at(service(\"x\"), \"bolt/9\")); log(service(\"y\").name); }";
    let policy = support::load("p", source).unwrap();
    let expected = ["x at bolt/9", "y"].map(|line| support::logged(line, serde_json::Map::new()));
    assert_eq!(react(&policy, incident()), Ok(expected.to_vec()));
}

#[test]
fn names_that_came_to_belong_to_connectors_are_still_published_under_by_what_was_accepted() {
    let policy = script("publish(\"device\", #{});");
    let result = Judge::new(Limits::default()).react(&policy, incident().shared(), &organization());
    assert_eq!(result.map(|intents| intents.len()), Ok(1));
    let faults: Vec<String> = check(&policy).iter().map(ToString::to_string).collect();
    assert_eq!(faults, ["3:9: `publish` under `device`\n  help: the name belongs to a built-in connector"]);
}
