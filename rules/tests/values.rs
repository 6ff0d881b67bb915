//! `docs/values.md` says what is so: every line of its grammar and of its tables is run.

#![cfg(test)]

use linesman_rules::values::{Expression, Fuel, Name, Type, Types, Value, evaluate, parse_substitution};

const DOCUMENT: &str = include_str!("../../docs/values.md");

/// The value of an expression with the parameters that the document says there are.
fn value(text: &str) -> Value {
    let evaluated = |text: &str, lookup: &mut dyn FnMut(&Name) -> Option<Value>| {
        let expression = Expression::parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
        evaluate(&expression, lookup, &mut Fuel::default()).unwrap_or_else(|mistake| panic!("{text}: {mistake}"))
    };
    let mut known = |name: &Name| {
        let text = [("rate", "10m"), ("ports", "[80, 443]"), ("home", "192.0.2.0/24")];
        let (name, text) = text.into_iter().find(|(known, _)| *known == name.as_str())?;
        assert!(DOCUMENT.contains(&format!("`{name}` is `{text}`")));
        Some(evaluated(text, &mut |_| None))
    };
    evaluated(text, &mut known)
}

/// What stands between a marker and the next `<!-- end -->`.
fn section(name: &str) -> &'static str {
    let marker = format!("<!-- {name} -->");
    let (_, rest) = DOCUMENT.split_once(&marker).unwrap_or_else(|| panic!("no {marker}"));
    rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{marker} has no end")).0
}

/// The rows of a table below its heading, cells without the backticks around them.
fn rows(name: &str) -> Vec<Vec<&'static str>> {
    let row = |line: &'static str| {
        let line = line.strip_prefix("| ")?.strip_suffix(" |")?;
        Some(
            line.split(" | ")
                .map(|cell| cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).unwrap_or(cell))
                .collect(),
        )
    };
    section(name).lines().filter_map(row).skip(1).collect()
}

#[test]
fn every_line_of_the_grammar_has_an_example_that_runs() {
    let (_, rest) = DOCUMENT.split_once("```ebnf\n").expect("a grammar");
    let (grammar, _) = rest.split_once("```").expect("an end");
    let mut rules = Vec::new();
    for line in grammar.lines() {
        let (rule, example) = line.split_once("(* ").unwrap_or_else(|| panic!("`{line}` has no example"));
        let (text, printed) = example.strip_suffix(" *)").and_then(|text| text.split_once(" gives ")).expect(line);
        let (name, definition) = rule.trim_end().strip_suffix(" ;").and_then(|rule| rule.split_once('=')).expect(line);
        match name.trim() {
            "substitution" | "said" | "narrowed" | "type" => {
                let substitution = parse_substitution(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
                assert_eq!(substitution.to_string(), printed);
            }
            _ => assert_eq!(value(text).to_string(), printed, "{text}"),
        }
        rules.push((name.trim(), definition));
    }
    // No rule is used that is not said, and none is said that is not used.
    let letters = ["letter", "digit", "hexdigit", "character"];
    for (_, definition) in &rules {
        let words =
            definition.split('?').next().unwrap_or_default().split(|c: char| !c.is_ascii_alphabetic() && c != '"');
        for word in words.filter(|word| !word.is_empty() && !word.contains('"')) {
            assert!(letters.contains(&word) || rules.iter().any(|(name, _)| *name == word), "`{word}` is not said");
        }
    }
    for (name, _) in rules.iter().skip(1) {
        assert!(
            rules.iter().any(|(_, definition)| definition.split(' ').any(|word| word == *name)),
            "`{name}` is not used"
        );
    }
}

#[test]
fn types_are_those_there_are() {
    let rows = rows("types");
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), Type::ALL.map(Type::as_str));
    for row in rows {
        let [word, takes, list, range, not, example, printed] = row[..] else { panic!("{row:?}") };
        let kind = Type::named(word).unwrap();
        let yes = |is_so| if is_so { "yes" } else { "no" };
        assert_eq!([list, range, not], [kind.takes_list(), kind.takes_range(), kind.takes_not()].map(yes), "{word}");
        if let Some((least, most)) = kind.bounds() {
            assert!(takes.starts_with(&format!("{least} to {most}")), "{word}");
        }
        let admitted = Types::new([kind]).admit(value(example)).unwrap_or_else(|mistake| panic!("{word}: {mistake}"));
        assert_eq!(admitted.to_string(), printed, "{word}");
    }
}

#[test]
fn functions_and_bounds_are_those_there_are() {
    let rows = rows("functions");
    for row in &rows {
        let [function, _, example, result] = row[..] else { panic!("{row:?}") };
        assert!(example.starts_with(&format!("{function}(")));
        assert_eq!(value(example).to_string(), result, "{example}");
    }
    let mistake = Expression::parse("no_such_function(1)").unwrap_err();
    let known: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(mistake.help, Some(format!("known are `{}`", known.join("`, `"))));
    let grouped = |number: usize| format!("{},{:03}", number / 1_000, number % 1_000);
    for told in [
        format!("A line has at most {} bytes", grouped(Expression::MOST_BYTES)),
        format!("at most {} elements", grouped(Value::MOST_ELEMENTS)),
        format!("at most {} values", grouped(Value::MOST_WEIGHT)),
        format!("in {} levels", Value::MOST_DEPTH),
        format!("a name has at most {} of them", Name::MOST),
    ] {
        assert!(DOCUMENT.split_whitespace().collect::<Vec<_>>().join(" ").contains(&told), "{told}");
    }
    assert_eq!(Fuel::default().steps(), 1_000_000);
}
