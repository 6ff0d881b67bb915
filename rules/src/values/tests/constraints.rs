//! What constraints admit, and which lie within which.

use proptest::prelude::*;

use super::*;

#[test]
fn a_constraint_admits_what_lies_within_as_a_whole() {
    for (within, admitted, refused) in [
        (
            "1..1g",
            "1 | 1g | 1.5 | [1, 5] | 2..3 | []",
            "0 | 1000000001 | [1, 0] | 0..3 | true | \"a\" | not 5 | {a: 1}",
        ),
        ("[50m, 100m]", "50m | 100000000.0 | [50m, 100m]", "50000001 | 50m..100m"),
        ("[1..5, 6..10, 11]", "1..11 | 5..6", "0..5 | 1..12 | 5.5 | 1.0..10.0"),
        ("[1.0..5.0, 5.0..9.5]", "1.5..9.0 | 2..9 | 5.0", "0.5..3.0 | 9..10"),
        ("[1.0..5.0, 5.5..9.5]", "1..5 | 5..6", "4.0..6.0 | 5..10"),
        (
            "192.0.2.0/24",
            "192.0.2.7 | 192.0.2.16/28 | 192.0.2.1..192.0.2.9 | [192.0.2.1]",
            "192.0.3.1 | 192.0.0.0/16 | ::1",
        ),
        ("[192.0.2.0/25, 192.0.2.128/25]", "192.0.2.0/24 | 192.0.2.100..192.0.2.200", "192.0.2.0/23"),
        ("[0.0.0.0/0, ::/0]", "0.0.0.0/0 | ::/0 | ::..ffff::", "1"),
        ("192.0.2.1..192.0.2.9", "192.0.2.1 | 192.0.2.4/30", "192.0.2.10 | 192.0.2.0/30"),
        ("[\"tcp\", 17]", "6 | \"tcp\" | \"udp\" | 17 | [6, 17]", "\"icmp\" | 1 | \"x\""),
        ("[\"a\", true]", "\"a\" | true", "\"b\" | false"),
        ("[[1, 2], 3]", "1 | [1, 3]", "4"),
        ("0..18446744073709551615", "18446744073709551615 | 0..18446744073709551615", "-1"),
    ] {
        let constraint = constraint(within);
        for text in admitted.split(" | ") {
            assert!(constraint.admits(&value(text)), "{text} in {within}");
        }
        for text in refused.split(" | ") {
            assert!(!constraint.admits(&value(text)), "{text} not in {within}");
        }
    }
}

#[test]
fn a_constraint_may_only_be_narrowed() {
    for (narrow, wide, is_within) in [
        ("1..200m", "1..1g", true),
        ("1..1g", "1..200m", false),
        ("[50m, 100m]", "1..200m", true),
        ("[50m, 300m]", "1..200m", false),
        ("1..10", "[1..5, 6..10]", true),
        ("1..10", "1..10", true),
        ("192.0.2.0/25", "192.0.2.0/24", true),
        ("[192.0.2.7, 192.0.2.0/30]", "192.0.2.0/24", true),
        ("192.0.2.0/24", "[192.0.2.0/25]", false),
        ("[\"tcp\"]", "0..10", true),
        ("[1, \"a\"]", "[1]", false),
        ("::/1", "[::/2, 4000::/2]", true),
    ] {
        assert_eq!(constraint(narrow).is_within(&constraint(wide)), is_within, "{narrow} in {wide}");
    }
    assert_eq!(constraint("[50m,   1..2]").to_string(), "[50000000, 1..2]");
}

#[test]
fn what_is_no_choice_is_no_constraint() {
    for (text, told) in [
        (
            "5",
            "1: a constraint is a range, a network or a list, and `5` is an integer\n  help: write `[5]` for a single value",
        ),
        (
            "\"a\"",
            "1: a constraint is a range, a network or a list, and `\"a\"` is a text\n  help: write `[\"a\"]` for a single value",
        ),
        (
            "not 5..6",
            "1: a constraint is a range, a network or a list, and `not 5..6` is a negation\n  help: say what is allowed",
        ),
        ("[1, not 5]", "1: a constraint says what is allowed, and `not 5` is a negation\n  help: list what is allowed"),
        ("[]", "1: the constraint `[]` allows nothing\n  help: fix the value instead, with `!`"),
        ("[[]]", "1: the constraint `[[]]` allows nothing\n  help: fix the value instead, with `!`"),
    ] {
        assert_eq!(Constraint::of(value(text)).unwrap_err().to_string(), told);
    }
}

/// A constraint of small integers as text, and the integers that it means.
fn small() -> impl Strategy<Value = (String, Vec<i128>)> {
    prop::collection::vec((0i128..20, 0i128..6), 1..5).prop_map(|choices| {
        let text = choices.iter().map(|(first, more)| match more {
            0 => first.to_string(),
            more => format!("{first}..{}", first + more),
        });
        let text = format!("[{}]", text.collect::<Vec<_>>().join(", "));
        (text, choices.into_iter().flat_map(|(first, more)| first..=first + more).collect())
    })
}

proptest! {
    #[test]
    fn constraints_of_integers_are_sets((left, in_left) in small(), (right, in_right) in small()) {
        let is_subset = in_left.iter().all(|number| in_right.contains(number));
        prop_assert_eq!(constraint(&left).is_within(&constraint(&right)), is_subset, "{} {}", left, right);
        for number in 0..30 {
            prop_assert_eq!(constraint(&left).admits(&Value::Integer(number)), in_left.contains(&number));
        }
    }
}
