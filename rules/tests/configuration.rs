//! Properties of configurations: what is printed reads back, a value stays one word, a diff and a
//! conflict show what differs and nothing else.

use linesman_rules::Strictness;
use linesman_rules::configuration::{Configuration, Position, Unquotable, Word, conflicts, diff, quote};
use proptest::prelude::*;

/// A word as somebody writes it.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", "then", "term", "address", "route", "accept", "discard", "set",
            "firewall", "from", "port", "route-filter", "policy-options", "community", "system", "ntp", "server"])
            .prop_map(str::to_owned),
        1 => "[a-z0-9./:*<>-]{1,6}".prop_filter("begins a comment or is a tag", |word| {
            !word.starts_with("/*") && !word.ends_with(':')
        }),
        1 => "[ -~äß]{0,8}".prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
    ]
}

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 1..4).prop_map(|words| words.join(" "))
}

/// The text of some statements, containers opened again and leaves written twice among them.
fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => words().prop_map(|words| format!("{words};")),
        1 => (words(), words()).prop_map(|(words, list)| format!("{words} [ {list} ];")),
        1 => Just("/* x; */ # y {\n".to_owned()),
    ];
    let block = leaf.prop_recursive(4, 40, 5, |inner| {
        (words(), prop::collection::vec(inner, 0..5))
            .prop_map(|(words, inside)| format!("{words} {{\n{}}}", inside.join(" ")))
    });
    prop::collection::vec(block, 0..6).prop_map(|blocks| blocks.join("\n"))
}

/// A value as an attacker would choose it.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{", "}", "\"", "\\", ";", "*/", "/*", "#", "[", "]", " ", "\\n", "\u{2028}", "\u{2029}", "\u{85}", "\n",
            "\r", "\0", "\u{202e}", "\u{feff}", "{{", "}}", "{%", "delete:", "\u{e000}", "'", "&", "a",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
        Just("x".repeat(600)),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(text in text()) {
        let configuration = Configuration::parse(&text).unwrap();
        let printed = configuration.to_string();
        let again = Configuration::parse(&printed).unwrap();
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(again, configuration);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-z{}\\[\\];\"\\\\#/* \n\u{2028}]{0,60}") {
        match Configuration::parse(&text) {
            Ok(configuration) => prop_assert_eq!(Configuration::parse(&configuration.to_string()), Ok(configuration)),
            Err(fault) => {
                let line = text.lines().nth(fault.line as usize - 1).unwrap_or_default();
                prop_assert!(fault.column as usize <= line.chars().count() + 1, "{fault}");
                prop_assert!(fault.column <= fault.end_column, "{fault}");
            }
        }
    }

    #[test]
    fn a_value_is_one_word_and_nothing_else(value in hostile()) {
        match quote(&value, Position::Word) {
            Ok(quoted) => {
                let text = format!("a {{ b x {quoted} y; c [ {quoted} ]; {quoted} {{ d; }} }}");
                let expected = Word::of_value(&value).unwrap();
                let leaves = Configuration::parse(&text).unwrap().leaves(Strictness::Full);
                prop_assert_eq!(leaves.len(), 3);
                prop_assert_eq!(&leaves[0].value()[1], &expected);
                prop_assert_eq!(leaves[0].value()[1].as_str(), &value);
                prop_assert_eq!(leaves[0].value().len(), 3);
                prop_assert_eq!(&leaves[1].identity()[2], &expected);
                prop_assert_eq!(&leaves[2].identity()[1], &expected);
            }
            Err(Unquotable::Long) => prop_assert!(value.chars().count() > 1_024),
            Err(Unquotable::Character(c)) => prop_assert!(value.contains(c)),
            Err(other) => prop_assert!(false, "{other:?} is of no word alone"),
        }
    }

    #[test]
    fn a_value_inside_quotes_stays_there(value in hostile()) {
        prop_assert_eq!(quote(&value, Position::Comment), Err(Unquotable::Comment));
        if let Ok(quoted) = quote(&value, Position::Quoted) {
            let text = format!("a \"<{quoted}>\" b;");
            match Configuration::parse(&text) {
                Ok(configuration) => {
                    let leaves = configuration.leaves(Strictness::Full);
                    prop_assert_eq!(leaves[0].value()[0].as_str(), format!("<{value}>"));
                    prop_assert_eq!(leaves[0].value().len(), 2);
                }
                Err(_) => prop_assert!(value.chars().count() > 1_022),
            }
        }
    }

    #[test]
    fn a_diff_is_empty_exactly_between_equals(old in text(), new in text()) {
        let (old, new) = (Configuration::parse(&old).unwrap(), Configuration::parse(&new).unwrap());
        prop_assert_eq!(diff(&old, &new).is_empty(), old == new);
        prop_assert_eq!(diff(&old, &old), "");
        let count = |text: &str, sign: char| text.lines().filter(|line| line.starts_with(sign)).count();
        let (forth, back) = (diff(&old, &new), diff(&new, &old));
        prop_assert_eq!(count(&forth, '+'), count(&back, '-'));
        prop_assert_eq!(count(&forth, '-'), count(&back, '+'));
        prop_assert_eq!(count(&forth, '!'), count(&back, '!'));
    }

    #[test]
    fn conflicts_are_mutual(first in text(), second in text(), is_full in any::<bool>()) {
        let strictness = if is_full { Strictness::Full } else { Strictness::Early };
        let (first, second) = (Configuration::parse(&first).unwrap(), Configuration::parse(&second).unwrap());
        prop_assert_eq!(conflicts(&first, &second, strictness).is_empty(), conflicts(&second, &first, strictness).is_empty());
        prop_assert_eq!(conflicts(&first, &first, strictness).is_empty(), first.contradictions(strictness).is_empty());
        let mut both = first.clone();
        both.merge(second.clone());
        let is_sound = first.contradictions(strictness).is_empty() && second.contradictions(strictness).is_empty();
        if is_sound {
            prop_assert_eq!(both.contradictions(strictness).is_empty(), conflicts(&first, &second, strictness).is_empty());
        }
    }

    #[test]
    fn merging_adds_what_is_missing(first in text(), second in text()) {
        let (read, other) = (Configuration::parse(&first).unwrap(), Configuration::parse(&second).unwrap());
        let mut merged = read.clone();
        merged.merge(other);
        prop_assert_eq!(&merged, &Configuration::parse(&format!("{first}\n{second}")).unwrap());
        let before = merged.clone();
        merged.merge(read);
        prop_assert_eq!(merged, before);
    }
}
