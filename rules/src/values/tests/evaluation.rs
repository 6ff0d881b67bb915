//! What operators and functions give, and what they cost.

use super::*;

fn gives(cases: &[(&str, &str)]) {
    for (text, printed) in cases {
        assert_eq!(shown(text), *printed, "{text}");
    }
}

#[test]
fn integers_stay_integers_until_a_float_appears() {
    gives(&[
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("7 / -2", "-3"),
        ("-7 / -2", "3"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("7 % -3", "1"),
        ("-7 % -3", "-1"),
        ("7 / 2.0", "3.5"),
        ("7.5 % 2", "1.5"),
        ("-7.5 % 2", "-1.5"),
        ("1 + 1.0", "2.0"),
        ("2 * 3 - 1.0", "5.0"),
        ("0.5 * 100m", "50000000.0"),
        ("-(1.5)", "-1.5"),
        ("-(-3)", "3"),
        ("1k + 1", "1001"),
    ]);
}

#[test]
fn what_leaves_64_bits_overflows() {
    for (text, what) in [
        ("9223372036854775807 + 1", "9223372036854775807 + 1"),
        ("-9223372036854775808 - 1", "-9223372036854775808 - 1"),
        ("-9223372036854775808 + -1", "-9223372036854775808 + -1"),
        ("4611686018427387904 * 2", "4611686018427387904 * 2"),
        ("-9223372036854775808 * -1", "-9223372036854775808 * -1"),
        ("-9223372036854775808 / -1", "-9223372036854775808 / -1"),
        ("-(-9223372036854775808)", "-(-9223372036854775808)"),
        ("- -9223372036854775808", "-(-9223372036854775808)"),
        ("9223372036854775808 - 1", "9223372036854775808 - 1"),
        ("9223372036854775808 / 2", "9223372036854775808 / 2"),
        ("9223372036854775808 % 2", "9223372036854775808 % 2"),
        ("0 * 18446744073709551615", "0 * 18446744073709551615"),
        ("18446744073709551615 + 0.5", "18446744073709551615 + 0.5"),
        ("-(9223372036854775808)", "-(9223372036854775808)"),
        ("1e308 * 10", "1.0e308 * 10"),
        ("-1e308 - 1e308", "-1.0e308 - 1.0e308"),
        ("1e308 / 1e-10", "1.0e308 / 1.0e-10"),
        ("round(1e19)", "round(1.0e19)"),
        ("floor(9223372036854775808.0)", "floor(9.223372036854776e18)"),
        ("ceil(-1e300)", "ceil(-1.0e300)"),
    ] {
        assert_eq!(message(text), format!("`{what}` overflows"), "{text}");
    }
    gives(&[
        ("9223372036854775806 + 1", "9223372036854775807"),
        ("-9223372036854775807 - 1", "-9223372036854775808"),
        ("-9223372036854775808 % -1", "0"),
        ("-9223372036854775808 / 1", "-9223372036854775808"),
        ("4611686018427387904 * -2", "-9223372036854775808"),
        ("floor(-9223372036854775808.0)", "-9223372036854775808"),
    ]);
}

#[test]
fn nothing_is_divided_by_zero() {
    for text in ["1 / 0", "1 % 0", "1.5 / 0", "1 / 0.0", "1 % 0.0", "0 / 0", "0.0 / -0.0"] {
        assert!(message(text).ends_with("divides by zero"), "{text}");
    }
}

#[test]
fn values_of_one_kind_compare() {
    gives(&[
        ("1 == 1.0", "true"),
        ("1 != 1.0", "false"),
        ("9007199254740993 == 9007199254740992.0", "false"),
        ("9007199254740993 > 9007199254740992.0", "true"),
        ("18446744073709551615 < 1e30", "true"),
        ("-1e300 < 1", "true"),
        ("1 < 1.5 && 2 > 1.5 && -1 > -1.5 && -2 < -1.5", "true"),
        ("1 <= 1 && 1 >= 1.0", "true"),
        ("\"a\" < \"b\"", "true"),
        ("\"a\" == \"a\"", "true"),
        ("192.0.2.1 < 192.0.2.10", "true"),
        ("2001:db8::2 >= 2001:db8::1", "true"),
        ("192.0.2.0/24 == 192.0.2.0/25", "false"),
        ("1..2 == 1.0..2.0", "true"),
        ("[1, \"a\"] == [1.0, \"a\"]", "true"),
        ("[1] == [\"a\"]", "false"),
        ("[1] == [1, 2]", "false"),
        ("{a: 1} == {a: 1.0}", "true"),
        ("{a: 1} == {b: 1}", "false"),
        ("not 1 == not 1.0", "true"),
        ("true != false", "true"),
        ("\"tcp\" == 6", "true"),
        ("17 != \"udp\"", "false"),
        ("\"icmp6\" == \"icmpv6\"", "true"),
    ]);
}

#[test]
fn in_looks_into_ranges_lists_and_networks() {
    gives(&[
        ("80 in 80..443", "true"),
        ("443 in 80..443", "true"),
        ("444 in 80..443", "false"),
        ("79.9 in 80..443", "false"),
        ("80.5 in 80..443", "true"),
        ("100..200 in 80..443", "true"),
        ("100..500 in 80..443", "false"),
        ("\"a\" in 80..443", "false"),
        ("\"tcp\" in 1..6", "true"),
        ("192.0.2.7 in 192.0.2.0/24", "true"),
        ("192.0.3.7 in 192.0.2.0/24", "false"),
        ("192.0.2.16/28 in 192.0.2.0/24", "true"),
        ("192.0.2.0/24 in 192.0.2.0/24", "true"),
        ("192.0.0.0/16 in 192.0.2.0/24", "false"),
        ("::1 in 0.0.0.0/0", "false"),
        ("192.0.2.7 in ::/0", "false"),
        ("192.0.2.1..192.0.2.9 in 192.0.2.0/28", "true"),
        ("192.0.2.0/29 in 192.0.2.0..192.0.2.7", "true"),
        ("192.0.2.0/28 in 192.0.2.0..192.0.2.7", "false"),
        ("5 in 192.0.2.0/24", "false"),
        ("80 in [22, 80]", "true"),
        ("80 in [22, 70..90]", "true"),
        ("192.0.2.7 in [5, 192.0.2.0/24]", "true"),
        ("\"x\" in [5, 192.0.2.0/24]", "false"),
        ("[1] in [[1], 2]", "true"),
        ("70..90 in [70..90]", "true"),
        ("5 in []", "false"),
    ]);
}

#[test]
fn conditions_look_only_at_what_counts() {
    gives(&[
        ("true || 1 / 0 == 1", "true"),
        ("false && 1 / 0 == 1", "false"),
        ("false || false || true || missing", "true"),
        ("true && false && missing", "false"),
        ("true ? 1 : missing", "1"),
        ("false ? missing : false ? missing : 3", "3"),
        ("!false && !(1 > 2)", "true"),
    ]);
    assert_eq!(message("true && missing"), "`missing` has no value");
    assert_eq!(message("false || 5"), "`||` takes booleans, and `5` is an integer");
    assert_eq!(message("5 && true"), "`&&` takes booleans, and `5` is an integer");
    assert_eq!(message("5 ? 1 : 2"), "`?` takes booleans, and `5` is an integer");
}

#[test]
fn functions_give_what_they_say() {
    gives(&[
        ("min(3, 1, 2)", "1"),
        ("max(3, 1, 2)", "3"),
        ("min([3, 1])", "1"),
        ("min(3, 1.0)", "1.0"),
        ("max(3, 1.0)", "3.0"),
        ("max(5)", "5"),
        ("max(18446744073709551615, 1)", "18446744073709551615"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(2.4)", "2"),
        ("round(0.49999999999999994)", "0"),
        ("round(7)", "7"),
        ("floor(2.9)", "2"),
        ("floor(-2.1)", "-3"),
        ("ceil(2.1)", "3"),
        ("ceil(-2.9)", "-2"),
        ("len([1, 2])", "2"),
        ("len([])", "0"),
        ("len(\"größe\")", "5"),
        ("len({a: 1})", "1"),
        ("contains([1, 5..9], 7)", "true"),
        ("contains(1..5, 6)", "false"),
        ("contains(192.0.2.0/24, 192.0.2.9)", "true"),
        ("contains(\"abc\", \"bc\")", "true"),
        ("contains(\"abc\", 1)", "false"),
        ("contains({a: 1}, \"a\")", "true"),
        ("contains({a: 1}, \"b\")", "false"),
        ("host(192.0.2.0/24, 0)", "192.0.2.0"),
        ("host(192.0.2.0/24, 255)", "192.0.2.255"),
        ("host(192.0.2.1/32, 0)", "192.0.2.1"),
        ("host(0.0.0.0/0, 4294967295)", "255.255.255.255"),
        ("host(::/0, 18446744073709551615)", "::ffff:ffff:ffff:ffff"),
        ("host(2001:db8::/64, 18446744073709551615)", "2001:db8::ffff:ffff:ffff:ffff"),
        ("host(2001:db8::/127, 1)", "2001:db8::1"),
        ("prefix(192.0.2.0/24)", "24"),
        ("prefix(::/0)", "0"),
        ("mask(192.0.2.0/24)", "255.255.255.0"),
        ("mask(0.0.0.0/0)", "0.0.0.0"),
        ("mask(192.0.2.1/32)", "255.255.255.255"),
        ("mask(::/0)", "::"),
        ("mask(2001:db8::/33)", "ffff:ffff:8000::"),
    ]);
    for text in [
        "host(192.0.2.0/24, 256)",
        "host(192.0.2.0/24, -1)",
        "host(192.0.2.1/32, 1)",
        "host(2001:db8::/127, 2)",
        "host(0.0.0.0/0, 4294967296)",
    ] {
        assert!(message(text).contains("has no address of number"), "{text}");
    }
}

#[test]
fn names_are_told_once_and_apart_where_they_are_handed_on() {
    let of = |text: &str| {
        let expression = Expression::parse(text).unwrap();
        let told = |references: &[Reference]| {
            let told = references.iter().map(|reference| format!("{}@{}", reference.name, reference.span.column()));
            told.collect::<Vec<_>>().join(" ")
        };
        (told(expression.references()), told(expression.handed_on()))
    };
    for (text, all, handed_on) in [
        ("a", "a@1", "a@1"),
        ("(a)", "a@2", "a@2"),
        ("a + b * a", "a@1 b@5", ""),
        ("c ? a : [b, d + 1]", "c@1 a@5 b@10 d@13", "a@5 b@10"),
        ("a == 1 ? a : 2", "a@1", "a@10"),
        ("max(a, b)", "a@5 b@8", ""),
        ("not a", "a@5", "a@5"),
        ("{a: b}", "b@5", ""),
        ("a..b", "a@1 b@4", "a@1 b@4"),
        ("min", "min@1", "min@1"),
    ] {
        assert_eq!(of(text), (all.to_owned(), handed_on.to_owned()), "{text}");
    }
    assert!(Expression::parse("1 + 2").unwrap().is_closed());
    assert_eq!(Expression::parse("a + 1").unwrap().as_name(), None);
    let substitution = parse_substitution("größe").unwrap_err();
    assert_eq!((substitution.column, substitution.end_column), (1, 6));
    let substitution = parse_substitution("a:port = \"ä\" == b").unwrap();
    assert_eq!(substitution.expression().unwrap().references()[0].span.column(), 17);
}

#[test]
fn parameters_are_looked_up_by_name() {
    let expression = Expression::parse("interface_speed / 2 + x").unwrap();
    let mut asked = Vec::new();
    let mut lookup = |name: &Name| {
        asked.push(name.to_string());
        Some(Value::Integer(if name.as_str() == "x" { 1 } else { 100 }))
    };
    assert_eq!(evaluate(&expression, &mut lookup, &mut Fuel::default()), Ok(Value::Integer(51)));
    assert_eq!(asked, ["interface_speed", "x"]);
}

#[test]
fn evaluation_ends_when_its_fuel_does() {
    let expression = Expression::parse("len([x, x, x])").unwrap();
    let list = Value::list(vec![Value::Integer(1); 1_000]);
    let mut lookup = |_: &Name| Some(list.clone());
    let mut fuel = Fuel::new(5_000);
    let mistake = evaluate(&expression, &mut lookup, &mut fuel).unwrap_err();
    assert_eq!(mistake.to_string(), "5: the evaluation takes too many steps\n  help: use fewer and shorter lists");
    assert_eq!(fuel.steps(), 0);
    let mut fuel = Fuel::new(10_000);
    assert_eq!(evaluate(&expression, &mut lookup, &mut fuel), Ok(Value::Integer(3)));
    assert_eq!(fuel.steps(), 984);
}

#[test]
fn lists_that_double_and_nest_come_to_an_end() {
    let doubled = Expression::parse("[x, x]").unwrap();
    let mut x = Value::Integer(1);
    let mistake = loop {
        match evaluate(&doubled, &mut |_| Some(x.clone()), &mut Fuel::default()) {
            Ok(value) => x = value,
            Err(mistake) => break mistake,
        }
    };
    assert_eq!(mistake.message, "the value holds more than 16384 values");
    let nested = Expression::parse("[x]").unwrap();
    let mut x = Value::Integer(1);
    let mistake = loop {
        match evaluate(&nested, &mut |_| Some(x.clone()), &mut Fuel::default()) {
            Ok(value) => x = value,
            Err(mistake) => break mistake,
        }
    };
    assert_eq!(mistake.message, "the value is nested deeper than 64 levels");
}
