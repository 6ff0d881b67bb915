//! Types of the parts of an expression: branches, elements, ends and operands, whether they count or not, and whether what
//! they name has a value or not.

use super::faults;

const PARAMETERS: &str = "r = { type = \"rate\" }\np = { type = \"port\" }\na = { type = \"address\" }\n\
                          n = { type = \"network\" }\nb = { type = \"boolean\" }\ns = { type = \"string\" }\n\
                          f = { type = \"number\" }\ny = { type = \"any\" }\nt = { type = \"boolean\", default = true }";

#[test]
fn what_can_never_fit_is_refused_where_it_is_written() {
    for (said, told) in [
        ("r=t ? 5 : \"x\"", "`rate` takes integers, and `\"x\"` is a text [\"acme\"]"),
        ("r=t ? 5 : 5g", "`5000000000` is out of the bounds of `rate` [\"acme\"]"),
        ("r=t ? 5 : 1.5", "`rate` takes integers, and `1.5` has a fraction [\"acme\"]"),
        ("r=t ? 5 : [2]", "`r` takes values of `rate`, and what is given is a list [\"local-default\",\"acme\"]"),
        ("r=t ? 5 : 2..3", "`r` takes values of `rate`, and what is given is a range [\"local-default\",\"acme\"]"),
        ("p=t ? 5 : [80, \"x\"]", "`port` takes integers, and `\"x\"` is a text [\"acme\"]"),
        (
            "p=t ? 5 : [80, a in n]",
            "`p` takes values of `port`, and what is given is a boolean [\"local-default\",\"acme\"]",
        ),
        (
            "p=b ? 1 : 80..10.0.0.1",
            "`..` takes two numbers or two addresses of one family, and `80` is an integer, `10.0.0.1` is an IPv4 address [\"acme\"]",
        ),
        (
            "y=r..a",
            "`..` takes two ends of one kind, and `r` is `rate` by the definition, `a` is `address` by the definition [\"local-default\",\"acme\"]",
        ),
        ("y=t ? 2 : \"a\" + 1", "`+` takes numbers, and `\"a\"` is a text [\"acme\"]"),
        ("y=true || \"a\" + 1 == 2", "`+` takes numbers, and `\"a\"` is a text [\"acme\"]"),
        ("r=(b ? s : 1) + 1", "`+` takes numbers, and `s` is `string` by the definition [\"local-default\",\"acme\"]"),
        (
            "y=t ? 1 : min([a])",
            "`min` takes numbers, and `a` is `address` by the definition [\"local-default\",\"acme\"]",
        ),
        (
            "y=t ? 1 : max(f, s)",
            "`max` takes numbers, and `s` is `string` by the definition [\"local-default\",\"acme\"]",
        ),
        (
            "y=f in (b ? n : t)",
            "`in` takes a range, a list or a network at its right, and `t` is `boolean` by the definition [\"local-default\",\"acme\"]",
        ),
        (
            "y=r == t",
            "`==` compares values of one kind, and `r` is `rate` by the definition, `t` is `boolean` by the definition [\"local-default\",\"acme\"]",
        ),
        (
            "y=f < s",
            "`<` compares values of one kind, and `f` is `number` by the definition, `s` is `string` by the definition [\"local-default\",\"acme\"]",
        ),
        ("y=b ? not {k: f} : 1", "`not` takes values and lists of them, and what is given is a map [\"acme\"]"),
    ] {
        let (name, expression) = said.split_once('=').unwrap();
        assert_eq!(
            faults(PARAMETERS, &[("enterprise", &[said])]),
            [format!("{name}: `{expression}` of `acme`: {told}")]
        );
    }
}

#[test]
fn what_a_constraint_is_made_of_is_held_likewise() {
    for (said, told) in [
        (
            "r in b ? 1..2 : 80..10.0.0.1",
            "`..` takes two numbers or two addresses of one family, and `80` is an integer, `10.0.0.1` is an IPv4 address [\"acme\"]",
        ),
        (
            "r in b ? 1..2 : [\"x\"]",
            "`r` is narrowed by values of `rate`, and `\"x\"` is a text [\"local-default\",\"acme\"]",
        ),
        ("r in f", ""),
        ("r in b ? 1..2 : f + 1", "`in` takes a range, a network or a list, and what is given is a number [\"acme\"]"),
        ("n in b ? [a] : s", "`n` takes"),
    ] {
        let found = faults(PARAMETERS, &[("enterprise", &[said])]);
        let (name, expression) = said.split_once(" in ").unwrap();
        match told {
            "" => assert_eq!(found.len(), 1, "{found:?}"),
            told if told.ends_with("takes") => assert!(found.iter().any(|found| found.contains(told)), "{found:?}"),
            told => assert_eq!(found, [format!("{name}: the constraint `{expression}` of `acme`: {told}")]),
        }
    }
}

#[test]
fn what_may_fit_is_taken() {
    for said in [
        "r=t ? 5 : 10m",
        "r=t ? f : 2 * f",
        "p=t ? [80, 1..2] : not 5",
        "y=t ? \"a\" : 1",
        "b=not (f > 1)",
        "b=s == \"x\" || t",
        "y=t ? 2 : 1 / 0",
        "y=true || 1 / 0 == 1",
        "y=5 in [\"a\"]",
        "p=t ? not [80, 443] : 1",
        "f=t ? 1..2.5 : 1",
        "n=t ? 10.0.0.0/8 : not 11.0.0.0/8",
        "a=t ? 10.0.0.1 : host(10.0.0.0/8, 1)",
        "r in t ? 1..2 : [5, 10m]",
        "n in t ? 10.0.0.0/8 : [11.0.0.1..11.0.0.9]",
        "y=not not f == 1",
    ] {
        let found = faults(PARAMETERS, &[("enterprise", &[said]), ("service", &["f=2", "s=\"x\""])]);
        assert!(found.is_empty(), "{said}: {found:?}");
    }
}
