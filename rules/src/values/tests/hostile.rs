//! No text makes the language panic, recurse or grow without bound.

use proptest::prelude::*;

use super::*;

/// Goes all the way that a text can go, and holds what comes of it to the bounds.
fn carry(text: &str, given: &Value) {
    let parsed = parse_substitution(text);
    if let Ok(substitution) = &parsed {
        let again = parse_substitution(&substitution.to_string()).expect("what is printed is read");
        assert_eq!(&again, substitution);
    }
    let expressions = [parsed.as_ref().ok().and_then(Substitution::expression).cloned(), Expression::parse(text).ok()];
    for mistake in [parsed.err(), Expression::parse(text).err()].into_iter().flatten() {
        assert!(mistake.column <= mistake.end_column && mistake.end_column <= text.chars().count() + 2, "{mistake:?}");
        assert!(mistake.message.len() < 1_000 && !mistake.message.contains(char::is_control), "{mistake:?}");
    }
    for expression in expressions.into_iter().flatten() {
        let mut fuel = Fuel::new(50_000);
        let result = evaluate(&expression, &mut |name| (name.as_str() != "b").then(|| given.clone()), &mut fuel);
        let Ok(value) = result else { continue };
        assert!(value.weight().unwrap() <= Value::MOST_WEIGHT);
        for kind in Type::ALL {
            let types = Types::new([kind]);
            if let Ok(admitted) = types.admit(value.clone()) {
                assert_eq!(types.admit(admitted.clone()), Ok(admitted), "what is admitted is so again");
            }
        }
        if let Ok(constraint) = Constraint::of(value.clone()) {
            assert!(constraint.is_within(&constraint), "{constraint}");
            constraint.admits(&value);
        }
    }
}

#[test]
fn nesting_has_an_end() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    for (open, inner, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{a: ", "1", "}"),
        ("max(", "1", ")"),
        ("- ", "x", ""),
        ("!", "x", ""),
        ("not ", "1", ""),
        ("true ? ", "1", " : 2"),
    ] {
        assert!(Expression::parse(&nested(open, inner, close, 64)).is_ok(), "{open}");
        let mistake = Expression::parse(&nested(open, inner, close, 65)).unwrap_err();
        assert_eq!(mistake.message, "the expression is nested deeper than 64 levels", "{open}");
    }
    // What goes on and does not nest may be long.
    for (text, printed) in [
        (vec!["1"; 2_000].join("+"), "2000"),
        (vec!["true"; 600].join("&&"), "true"),
        (format!("{}3", "false ? 1 : ".repeat(300)), "3"),
    ] {
        assert_eq!(shown(&text), printed);
    }
    // Every level of operators within every parenthesis, on a small stack.
    let deep = format!("{}1{}", "(false || true && 1 == 1 < 1..1 + 1 * -".repeat(60), ")".repeat(60));
    let small = std::thread::Builder::new().stack_size(1 << 20);
    small.spawn(move || carry(&deep, &Value::Integer(1))).unwrap().join().unwrap();
}

#[test]
fn what_is_too_long_is_refused_at_once() {
    let longest = format!("a={}", " ".repeat(4_094));
    assert!(parse_substitution(&longest).is_ok());
    let mistake = parse_substitution(&format!("{longest} ")).unwrap_err();
    assert_eq!(
        mistake.to_string(),
        "1: the text has 4097 bytes, more than 4096\n  help: split it over several parameters"
    );
    assert!(Expression::parse(&"1".repeat(1 << 20)).is_err());
    let list = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    assert!(Expression::parse(&list(1_024)).is_ok());
    assert_eq!(Expression::parse(&list(1_025)).unwrap_err().message, "a list has at most 1024 elements");
}

#[test]
fn hostile_texts_end_well() {
    let long = |part: &str| part.repeat(4_096 / part.len());
    let mut texts = vec![
        String::new(),
        "\0".to_owned(),
        "a=\0".to_owned(),
        "a=\"\0\"".to_owned(),
        "é=1".to_owned(),
        "a=\u{202e}1".to_owned(),
    ];
    for part in [
        "-",
        "(",
        ")",
        "[",
        "{",
        "!",
        "not ",
        "\"",
        "\\",
        ":",
        "::",
        "::1",
        ".",
        "..",
        "1..",
        "a:",
        "f",
        "9",
        "0x",
        "1e9",
        "1.",
        "?",
        "a?",
        "a?b:",
        "a,",
        ",",
        "=",
        " ",
        "\n",
        "\0",
        "ä",
        "🦀",
        "/",
        "1/",
        "::/0",
        "a=",
        "in ",
        "a in ",
        "1.1.1.1",
        "1.1.1.1..",
        "&&",
        "||",
        "|",
        "max(",
        "{a:",
    ] {
        texts.push(long(part));
        texts.push(format!("a={}", part.repeat(4_090 / part.len())));
        texts.push(format!("a in {}", part.repeat(4_090 / part.len())));
        texts.push(format!("a:{}", part.repeat(4_090 / part.len())));
    }
    for text in texts {
        carry(&text, &Value::Integer(1));
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let known = [
        "a",
        "b",
        "x",
        "1",
        "0",
        "2",
        "1.5",
        "1e300",
        "0xff",
        "9223372036854775807",
        "18446744073709551615",
        "k",
        "m",
        "::",
        "::1",
        "192.0.2.0/24",
        "2001:db8::/32",
        "192.0.2.1",
        "255.255.255.0",
        "\"tcp\"",
        "\"ge-0/0/*\"",
        "\"ä\"",
        "true",
        "false",
        "not ",
        " in ",
        "..",
        "+",
        "-",
        "*",
        "/",
        "%",
        "!",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "?",
        " ? ",
        " : ",
        "&&",
        "||",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "=",
        " ",
        "min(",
        "max(",
        "len(",
        "contains(",
        "host(",
        "prefix(",
        "mask(",
        "round(",
        "floor(",
        "ceil(",
        "[1, 2]",
        "80..443",
        "{a: 1}",
        ":port",
        ":rate",
        "\\",
        "\"",
        "\0",
        "é",
        ".",
    ];
    prop::collection::vec(prop::sample::select(known.to_vec()).prop_map(str::to_owned), 0..24)
        .prop_map(|pieces| pieces.concat())
}

fn given() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Integer(5)),
        Just(Value::Float(0.5)),
        Just(Value::list(vec![Value::Integer(7); 1_024])),
        Just(Value::text("gre")),
        Just(Value::Network(Network::new("10.0.0.0".parse().unwrap(), 8).unwrap())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn any_pieces_of_the_language_end_well(text in pieces(), given in given()) {
        carry(&text, &given);
    }

    #[test]
    fn any_text_ends_well(text in "\\PC{0,60}") {
        carry(&text, &Value::Integer(1));
    }

    #[test]
    fn any_characters_end_well(text in prop::collection::vec(any::<char>(), 0..40)) {
        carry(&text.into_iter().collect::<String>(), &Value::Integer(1));
    }
}
