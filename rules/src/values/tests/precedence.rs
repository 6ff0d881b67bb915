//! Which operator binds more tightly, and that an expression means what its parentheses say.

use proptest::prelude::*;

use super::super::expression::{Kind, Node};
use super::*;

/// An expression with all its parentheses.
fn parenthesized(node: &Node) -> String {
    let list = |nodes: &[Node]| nodes.iter().map(parenthesized).collect::<Vec<_>>().join(", ");
    match &node.kind {
        Kind::Literal(value) => Value::list([value.clone()]).to_string().trim_matches(['[', ']']).to_owned(),
        Kind::Reference(name) => name.to_string(),
        Kind::List(elements) => format!("[{}]", list(elements)),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{key}: {}", parenthesized(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Kind::Call(function, arguments) => format!("{}({})", function.as_str(), list(arguments)),
        Kind::Negative(operand) => format!("(- {})", parenthesized(operand)),
        Kind::Opposite(operand) => format!("(! {})", parenthesized(operand)),
        Kind::Not(operand) => format!("(not {})", parenthesized(operand)),
        Kind::Range(first, last) => format!("({} .. {})", parenthesized(first), parenthesized(last)),
        Kind::Chain(first, rest) => rest.iter().fold(parenthesized(first), |left, (operator, right)| {
            format!("({left} {} {})", operator.sign(), parenthesized(right))
        }),
        Kind::Conditional(arms, otherwise) => {
            arms.iter().rev().fold(parenthesized(otherwise), |otherwise, (condition, then)| {
                format!("({} ? {} : {otherwise})", parenthesized(condition), parenthesized(then))
            })
        }
    }
}

fn read(text: &str) -> String {
    let expression = Expression::parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
    parenthesized(expression.root())
}

/// Operators between two operands by level, the loosest first.
const LEVELS: [&[&str]; 7] =
    [&["||"], &["&&"], &["==", "!="], &["<", "<=", ">", ">=", "in"], &[".."], &["+", "-"], &["*", "/", "%"]];

#[test]
fn every_level_binds_more_tightly_than_those_before_it() {
    for (level, looser) in LEVELS.iter().enumerate() {
        for loose in *looser {
            for tight in LEVELS[level + 1..].iter().flat_map(|level| level.iter()) {
                assert_eq!(read(&format!("x {loose} y {tight} z")), format!("(x {loose} (y {tight} z))"));
                assert_eq!(read(&format!("x {tight} y {loose} z")), format!("((x {tight} y) {loose} z)"));
            }
            for sign in ["-", "!", "not"] {
                assert_eq!(read(&format!("x {loose} {sign} y")), format!("(x {loose} ({sign} y))"));
                if (sign, *loose) != ("not", "..") {
                    assert_eq!(read(&format!("{sign} x {loose} y")), format!("(({sign} x) {loose} y)"));
                }
            }
            assert_eq!(
                read(&format!("x {loose} y ? y {loose} x : x {loose} x")),
                format!("((x {loose} y) ? (y {loose} x) : (x {loose} x))")
            );
        }
    }
}

#[test]
fn operators_of_one_level_go_from_left_to_right() {
    for level in LEVELS {
        for (first, second) in level.iter().flat_map(|first| level.iter().map(move |second| (first, second))) {
            if *first != ".." {
                assert_eq!(read(&format!("x {first} y {second} z")), format!("((x {first} y) {second} z)"));
            }
        }
    }
    assert_eq!(message("1..2..3"), "`..` stands twice");
    assert_eq!(read("a ? b : c ? d : e"), "(a ? b : (c ? d : e))");
    assert_eq!(read("a ? b ? c : d : e"), "(a ? (b ? c : d) : e)");
}

#[test]
fn not_takes_the_whole_range() {
    assert_eq!(read("not 80..443"), "(not (80 .. 443))");
    assert_eq!(read("not not x..y + 1"), "(not (not (x .. (y + 1))))");
    assert_eq!(read("- x..y"), "((- x) .. y)");
    assert_eq!(read("not x + 1..y"), "(((not x) + 1) .. y)");
    assert_eq!(read("[not 1..2, not 3]"), "[(not (1 .. 2)), (not 3)]");
    assert_eq!(shown("not 80..443"), "not 80..443");
    assert_eq!(shown("not [80..443, not 5]"), "[not 80..443, 5]");
    assert_eq!(shown("not not 80..443"), "80..443");
    assert_eq!(shown("not true"), "false");
    assert_eq!(shown("not (80..443)"), "not 80..443");
}

#[test]
fn an_address_is_the_longest_text_that_reads_as_one() {
    for (text, meant) in [
        ("bd31:3bee::", "bd31:3bee::"),
        ("a ? b : c", "(a ? b : c)"),
        ("a?b:c", "(a ? b : c)"),
        ("a ? ::1 : c", "(a ? ::1 : c)"),
        ("a?1:2", "(a ? 1 : 2)"),
        ("80..443", "(80 .. 443)"),
        ("192.0.2.1..192.0.2.9", "(192.0.2.1 .. 192.0.2.9)"),
        ("2001:db8::1..2001:db8::9", "(2001:db8::1 .. 2001:db8::9)"),
        ("::..::9", "(:: .. ::9)"),
        ("a..b", "(a .. b)"),
        ("1..b", "(1 .. b)"),
        ("1.5..2", "(1.5 .. 2)"),
        ("beef", "beef"),
        ("face::", "face::"),
        ("{a: 1}", "{a: 1}"),
        ("{a: ::1}", "{a: ::1}"),
        ("{a:1, b:c}", "{a: 1, b: c}"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.0 / 24", "(192.0.2.0 / 24)"),
        ("192.0.2.0/x", "(192.0.2.0 / x)"),
        ("c ? 192.0.2.1:5", "(c ? 192.0.2.1 : 5)"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("0::1", "::1"),
        ("1::2-3", "(1::2 - 3)"),
        ("1e9", "1000000000.0"),
        ("1e9..2e9", "(1000000000.0 .. 2000000000.0)"),
        ("x-1", "(x - 1)"),
        ("2-1", "(2 - 1)"),
        ("2- -1", "(2 - -1)"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("- -5", "(- -5)"),
    ] {
        assert_eq!(read(text), meant, "{text}");
    }
}

/// A random text of operands and operators without parentheses, which mostly has a value.
fn flat() -> impl Strategy<Value = String> {
    let operand = prop_oneof![
        8 => (0i64..20).prop_map(|number| number.to_string()),
        2 => (0i64..20).prop_map(|number| format!("-{number}")),
        1 => Just("1.5".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just("[1, 2..3]".to_owned()),
        1 => Just("max(2, 3)".to_owned()),
        1 => Just("not 4".to_owned()),
    ];
    let operators: Vec<&str> = LEVELS.iter().flat_map(|level| level.iter().copied()).chain(["?"]).collect();
    (operand.clone(), prop::collection::vec((prop::sample::select(operators), operand.clone(), operand), 0..8))
        .prop_map(|(first, rest)| {
            rest.into_iter().fold(first, |text, (operator, operand, other)| match operator {
                "?" => format!("{text} ? {operand} : {other}"),
                operator => format!("{text} {operator} {operand}"),
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn parentheses_say_what_was_meant(text in flat()) {
        let Ok(expression) = Expression::parse(&text) else { return Ok(()) };
        let full = parenthesized(expression.root());
        prop_assert_eq!(read(&full), full.clone());
        match (evaluated(&text), evaluated(&full)) {
            (Ok(left), Ok(right)) => prop_assert_eq!(left, right, "{} {}", text, full),
            (left, right) => {
                let message = |result: Result<Value, Mistake>| result.map_err(|mistake| mistake.message);
                prop_assert_eq!(message(left), message(right), "{} {}", text, full);
            }
        }
    }

    #[test]
    fn arithmetic_is_that_of_integers(a in -1_000i128..1_000, b in -1_000i128..1_000, c in 1i128..50, d in -9i128..9) {
        let wanted = a - b * c + a / c % 7 - d;
        prop_assert_eq!(shown(&format!("{a} - {b} * {c} + {a} / {c} % 7 - {d}")), wanted.to_string());
    }
}
