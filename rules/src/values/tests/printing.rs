//! Canonical texts.

use proptest::prelude::*;

use super::*;

#[test]
fn addresses_are_printed_after_rfc_5952() {
    for (text, printed) in [
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
        // The longest run is left out, not the first.
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        // The first of two that are as long.
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        // One group alone is not left out.
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:db8::0:1", "2001:db8::1"),
        ("2001:DB8::ABCD", "2001:db8::abcd"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("1:0:0:0:0:0:0:0", "1::"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("::ffff:c000:201", "::ffff:192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0::/64", "2001:db8::/64"),
        ("2001:DB8::1..2001:DB8::F", "2001:db8::1..2001:db8::f"),
    ] {
        assert_eq!(shown(text), printed, "{text}");
    }
}

#[test]
fn numbers_have_one_text() {
    for (text, printed) in [
        ("007", "7"),
        ("0x00fF", "255"),
        ("10k", "10000"),
        ("2m", "2000000"),
        ("3g", "3000000000"),
        ("0x10k", "16000"),
        ("1.50", "1.5"),
        ("1e9", "1000000000.0"),
        ("1E+2", "100.0"),
        ("1e-3", "0.001"),
        ("1e-7", "1.0e-7"),
        ("1e16", "1.0e16"),
        ("1.25e300", "1.25e300"),
        ("1.001k", "1001.0"),
        ("4.35m", "4350000.0"),
        ("1e3k", "1000000.0"),
        ("5e-324", "5.0e-324"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("-0.0", "-0.0"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551k", "18446744073709551000"),
    ] {
        assert_eq!(shown(text), printed, "{text}");
    }
}

#[test]
fn texts_are_bare_at_the_top_and_quoted_within() {
    assert_eq!(shown(r#""a \"b\" \\ \n\t""#), "a \"b\" \\ \n\t");
    assert_eq!(
        shown(r#"{b: "x", a: [1, "y"], "c d": not "z", in: 1.0}"#),
        r#"{a: [1, "y"], b: "x", "c d": not "z", "in": 1.0}"#
    );
    assert_eq!(shown(r#"["a\"", true, 192.0.2.0/24]"#), r#"["a\"", true, 192.0.2.0/24]"#);
    assert_eq!(shown("{}"), "{}");
    assert_eq!(shown("[]"), "[]");
}

#[test]
fn programs_read_lists_as_lists_of_texts() {
    for (text, json) in [
        ("80", r#""80""#),
        (r#""a""#, r#""a""#),
        ("[80]", r#"["80"]"#),
        (
            r#"["ge-0/0/0", 1..2, {a: "x"}, [1, "b"], not "c"]"#,
            r#"["ge-0/0/0","1..2","{a: \"x\"}","[1, \"b\"]","not \"c\""]"#,
        ),
        ("[]", "[]"),
        ("{a: 1}", r#""{a: 1}""#),
    ] {
        assert_eq!(value(text).to_json().to_string(), json, "{text}");
    }
}

#[test]
fn a_substitution_prints_as_it_is_read() {
    for (text, printed) in [
        (" ! rate : rate = 10m ", "!rate:rate=10m"),
        ("dept:network=", "dept:network="),
        ("dept:network", "dept:network="),
        ("dept", "dept="),
        ("x:network:address=[a,  b]", "x:network:address=[a,  b]"),
        ("rate  in  1..1g", "rate in 1..1g"),
        ("!rate in[1]", "!rate in [1]"),
        ("inner=1", "inner=1"),
        ("a=b==c", "a=b==c"),
        ("dead:network=beef::/16", "dead:network=beef::/16"),
    ] {
        let substitution = parse_substitution(text).unwrap();
        assert_eq!(substitution.to_string(), printed);
        assert_eq!(parse_substitution(printed).unwrap(), substitution);
    }
    assert!(parse_substitution("!a").unwrap().is_fixed);
    assert_eq!(parse_substitution("a=b").unwrap().expression().unwrap().as_name().unwrap().as_str(), "b");
}

/// Values of every kind that can be written.
fn any_value() -> impl Strategy<Value = Value> {
    let number = i64::MIN..=i64::MAX;
    let leaf = prop_oneof![
        number.clone().prop_map(|number| Value::Integer(number.into())),
        any::<u64>().prop_map(|number| Value::Integer(number.into())),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Float),
        any::<bool>().prop_map(Value::Boolean),
        "[ -~äß\n\t]{0,12}".prop_map(|text| Value::text(&text)),
        any::<std::net::IpAddr>().prop_map(Value::Address),
        (any::<std::net::Ipv6Addr>(), 0u32..=128).prop_map(|(address, length)| {
            let masked = address.to_bits() & u128::MAX.checked_shl(128 - length).unwrap_or(0);
            Value::Network(Network::new(std::net::Ipv6Addr::from_bits(masked).into(), length).unwrap())
        }),
        (number.clone(), number).prop_map(|(a, b)| Value::Range(Range::Integers(a.min(b).into(), a.max(b).into()))),
        (any::<std::net::Ipv4Addr>(), any::<std::net::Ipv4Addr>())
            .prop_map(|(a, b)| Value::Range(Range::Addresses(a.min(b).into(), a.max(b).into()))),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let entries = prop::collection::btree_map("[a-zA-Z][a-z0-9_]{0,5}|[ -~]{0,4}", inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::list),
            entries.prop_map(|entries| {
                Value::Map(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key.into(), value))
                        .collect::<std::collections::BTreeMap<_, _>>()
                        .into(),
                )
            }),
            inner
                .prop_filter("what can be negated", |value| {
                    !matches!(value, Value::Boolean(_) | Value::Not(_) | Value::List(_) | Value::Map(_))
                })
                .prop_map(|value| Value::Not(value.into())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same_value(value in any_value()) {
        let text = Value::list([value.clone()]).to_string();
        prop_assert_eq!(evaluated(&text), Ok(Value::list([value])), "{}", text);
    }
}
