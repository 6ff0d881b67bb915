//! Mistakes as they are told: what is underlined, message and help, whole.

use super::*;

/// A mistake with what it underlines; nothing is underlined where the whole is meant.
fn told(text: &str, mistake: &Mistake) -> String {
    let underlined: String = text.chars().skip(mistake.column - 1).take(mistake.end_column - mistake.column).collect();
    let help = mistake.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{underlined} @{}: {}{help}", mistake.column, mistake.message)
}

/// What goes wrong with a substitution: reading it, its value, or its types.
fn mistake_of(text: &str) -> String {
    let substitution = match parse_substitution(text) {
        Ok(substitution) => substitution,
        Err(mistake) => return told(text, &mistake),
    };
    let mut lookup = |name: &Name| (name.as_str() == "rate").then_some(Value::Integer(10));
    let expression = substitution.expression().unwrap_or_else(|| panic!("`{text}` is right"));
    let value = match evaluate(expression, &mut lookup, &mut Fuel::default()) {
        Ok(value) => value,
        Err(mistake) => return told(text, &mistake),
    };
    match substitution.types.admit(value) {
        Ok(value) => panic!("`{text}` gives `{value}`"),
        Err(mistake) => told(text, &mistake),
    }
}

fn all(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, mistake_of(text), expected))
        .filter(|(_, found, expected)| found != *expected)
        .map(|(text, found, expected)| format!("{text:?}\n  gives    {found}\n  and not  {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn of_the_line() {
    all(&[
        (
            "",
            " @1: a substitution begins with the name of a parameter (write for example `rate=10m`, `!rate=10m` or `rate in 1..1g`)",
        ),
        (
            "=5",
            "= @1: a substitution begins with the name of a parameter (write for example `rate=10m`, `!rate=10m` or `rate in 1..1g`)",
        ),
        (
            "!",
            " @2: a substitution begins with the name of a parameter (write for example `rate=10m`, `!rate=10m` or `rate in 1..1g`)",
        ),
        ("9a=1", "9a @1: `9a` is no name of a parameter (a name is a letter, then letters, digits and `_`)"),
        ("größe=1", "größe @1: `größe` is no name of a parameter (a name is a letter, then letters, digits and `_`)"),
        ("_a=1", "_a @1: `_a` is no name of a parameter (a name is a letter, then letters, digits and `_`)"),
        ("in=1", "in @1: `in` is a word of the language and names no parameter (choose another name)"),
        ("not in 1..2", "not @1: `not` is a word of the language and names no parameter (choose another name)"),
        ("a b", "b @3: `b` stands where `:`, `=` or `in` is expected (write for example `a=10`)"),
        ("a 1..2", "1 @3: `1` stands where `:`, `=` or `in` is expected (write for example `a=10`)"),
        ("a:", " @3: a type is missing behind `:`"),
        ("a:prot=1", "prot @3: there is no type `prot` (did you mean `port`?)"),
        (
            "a:nonsense=1",
            "nonsense @3: there is no type `nonsense` (known are `network`, `address`, `addressMask`, `interface`, `protocol`, `port`, `rate`, `bandwidth`, `burst`, `tosByte`, `tosByteMask`, `tcpFlags`, `tcpFlagsMask`, `ipFlags`, `ipFlagsMask`, `icmpType`, `icmpCode`, `number`, `string`, `boolean`, `any`)",
        ),
        ("a:port:port=1", "port @8: the type `port` stands twice"),
        ("a:port in 1..2", "in @8: a constraint says no type (write `a in ...`)"),
        ("a in", "in @3: `a in` does not say what (write for example `a in 1..10`)"),
        ("a in ", "in  @3: `a in` does not say what (write for example `a in 1..10`)"),
        ("a inner", "i @3: `i` stands where `:`, `=` or `in` is expected (write for example `a=10`)"),
        ("a.b=1", ". @2: `.` stands where `:`, `=` or `in` is expected (write for example `a=10`)"),
    ]);
    let long = "a".repeat(65);
    assert_eq!(mistake_of(&long), format!("{long} @1: the name `{long}` has more than 64 characters"));
    assert!(parse_substitution(&"a".repeat(64)).is_ok());
}

#[test]
fn of_literals() {
    all(&[
        ("a=192.0.2.300", "192.0.2.300 @3: `192.0.2.300` is no number, address or network"),
        ("a=192.0.02.1", "192.0.02.1 @3: `192.0.02.1` is no number, address or network"),
        ("a=192.0.2.1x", "192.0.2.1x @3: `192.0.2.1x` is no number, address or network"),
        ("a=1.2.3.4.5", "1.2.3.4.5 @3: `1.2.3.4.5` is no number, address or network"),
        ("a=2001:db8::1::2", "::2 @14: `::2` stands where an operator or the end is expected"),
        (
            "a=192.0.2.1/24",
            "192.0.2.1/24 @3: `192.0.2.1/24` has host bits that are not zero (the network is `192.0.2.0/24`)",
        ),
        (
            "a=192.0.2.0/33",
            "192.0.2.0/33 @3: `192.0.2.0/33` has a prefix longer than 32 (the prefix of such an address has 0 to 32 bits)",
        ),
        ("a=192.0.2.0/24b", "192.0.2.0/24b @3: `192.0.2.0/24b` is no number, address or network"),
        ("a=192.0.2.0/08", "192.0.2.0/08 @3: the prefix length `08` begins with a zero (write it without)"),
        ("a=12ab", "12ab @3: `12ab` is no number, address or network"),
        ("a=10kb", "10kb @3: `10kb` is no number, address or network"),
        ("a=1_000", "1_000 @3: `1_000` is no number, address or network"),
        ("a=0x", "0x @3: `0x` has no digits (write for example `0x1f`)"),
        ("a=0xg", "0xg @3: `0xg` has no digits (write for example `0x1f`)"),
        (
            "a=18446744073709551616",
            "18446744073709551616 @3: `18446744073709551616` is too large an integer (the largest is 18446744073709551615)",
        ),
        (
            "a=18446744073709552k",
            "18446744073709552k @3: `18446744073709552k` is too large an integer (the largest is 18446744073709551615)",
        ),
        (
            "a=0xfffffffffffffffff",
            "0xfffffffffffffffff @3: `0xfffffffffffffffff` is too large an integer (the largest is 18446744073709551615)",
        ),
        (
            "a=-9223372036854775809",
            "-9223372036854775809 @3: `-9223372036854775809` is too small an integer (the smallest is -9223372036854775808)",
        ),
        ("a=1e999", "1e999 @3: `1e999` is too large a float (the largest is 1.7976931348623157e308)"),
        ("a=1e308k", "1e308k @3: `1e308k` is too large a float (the largest is 1.7976931348623157e308)"),
        ("a=\"abc", "\"abc @3: the text is not closed (close it with `\"`)"),
        ("a=\"a\\x\"", "\\x @5: `\\x` is no escape (known are `\\\"`, `\\\\`, `\\n`, `\\t`)"),
        ("a=\"a\nb\"", "\n @5: the text holds the control character `\\n` (write `\\n` or `\\t`, or leave it out)"),
        ("a='b'", "' @3: `'` means nothing here (a text stands in double quotes)"),
        ("a=.5", ". @3: `.` means nothing here (a range is written `80..443`, a number `0.5`)"),
        ("a=1.", ". @4: `.` means nothing here (a range is written `80..443`, a number `0.5`)"),
    ]);
}

#[test]
fn of_grammar() {
    all(&[
        ("a=1 +", " @6: the text ends where a value is expected"),
        ("a=1 2", "2 @5: `2` stands where an operator or the end is expected"),
        ("a=(1", " @5: the text ends where `)` is expected"),
        ("a=1)", ") @4: `)` stands where an operator or the end is expected"),
        ("a=[1, 2", " @8: the text ends where `,` or `]` is expected"),
        ("a=[1 2]", "2 @6: `2` stands where `,` or `]` is expected"),
        ("a=[1,]", "] @6: `]` stands where a value is expected"),
        ("a={1: 2}", "1 @4: `1` stands where a key is expected"),
        ("a={b 1}", "1 @6: `1` stands where `:` is expected"),
        ("a={b: 1, b: 2}", "b @10: the key `b` stands twice"),
        ("a=true ? 1", " @11: the text ends where `:` is expected"),
        ("a=1 & 2", "& @5: `&` means nothing here (`&&` joins two conditions)"),
        ("a=1 | 2", "| @5: `|` means nothing here (`||` joins two conditions)"),
        ("a=1 = 2", "= @5: `=` means nothing here (`==` compares)"),
        ("a==1", "= @3: `=` means nothing here (`==` compares)"),
        ("a=1..2..3", ".. @7: `..` stands twice (a range has two ends, as in `80..443`)"),
        ("a=in", "in @3: `in` stands where a value is expected"),
        ("a=minn(1)", "minn @3: there is no function `minn` (did you mean `min`?)"),
        (
            "a=frobnicate(1)",
            "frobnicate @3: there is no function `frobnicate` (known are `min`, `max`, `round`, `floor`, `ceil`, `len`, `contains`, `host`, `prefix`, `mask`)",
        ),
        ("a=host(1)", "host(1) @3: `host` takes 2 arguments and is given 1"),
        ("a=len()", "len() @3: `len` takes 1 argument and is given 0"),
        ("a=min()", "min() @3: `min` takes numbers or one list of them and is given 0"),
        ("a=1 ~ 2", "~ @5: `~` means nothing here"),
        ("a=ä", "ä @3: `ä` means nothing here"),
        ("a=\u{0}", "\0 @3: `\\0` means nothing here"),
        ("a=\"x\" 192.0.2.0/24", "192.0.2.0/24 @7: `192.0.2.0/24` stands where an operator or the end is expected"),
    ]);
}

#[test]
fn of_evaluation() {
    all(&[
        ("a=rat", "rat @3: `rat` has no value"),
        ("a=1 + \"x\" * 2", "\"x\" * 2 @7: `*` takes numbers, and `\"x\"` is a text"),
        (
            "a=9223372036854775807 + rate",
            "9223372036854775807 + rate @3: `9223372036854775807 + 10` overflows (integers are calculated from -9223372036854775808 to 9223372036854775807)",
        ),
        (
            "a=1e308 * rate",
            "1e308 * rate @3: `1.0e308 * 10` overflows (floats are calculated from -1.7976931348623157e308 to 1.7976931348623157e308)",
        ),
        (
            "a=18446744073709551615 * 1.5",
            "18446744073709551615 * 1.5 @3: `18446744073709551615 * 1.5` overflows (integers are calculated from -9223372036854775808 to 9223372036854775807)",
        ),
        ("a=2 * (rate / (10 - rate))", "rate / (10 - rate) @8: `10 / 0` divides by zero"),
        ("a=1 == \"x\"", "1 == \"x\" @3: `==` compares values of one kind, and `1` is an integer, `\"x\"` is a text"),
        (
            "a=192.0.2.1 == ::1",
            "192.0.2.1 == ::1 @3: `==` compares values of one kind, and `192.0.2.1` is an IPv4 address, `::1` is an IPv6 address",
        ),
        ("a=true < false", "true < false @3: `<` takes numbers, texts or addresses, and `true` is a boolean"),
        (
            "a=192.0.2.1 < ::1",
            "192.0.2.1 < ::1 @3: `<` compares values of one kind, and `192.0.2.1` is an IPv4 address, `::1` is an IPv6 address",
        ),
        ("a=5 in 6", "5 in 6 @3: `in` takes a range, a list or a network at its right, and `6` is an integer"),
        ("a=443..80", "443..80 @3: the range `443..80` is reversed (write `80..443`)"),
        (
            "a=192.0.2.9..192.0.2.1",
            "192.0.2.9..192.0.2.1 @3: the range `192.0.2.9..192.0.2.1` is reversed (write `192.0.2.1..192.0.2.9`)",
        ),
        (
            "a=1..192.0.2.1",
            "1..192.0.2.1 @3: `..` takes two numbers or two addresses of one family, and `1` is an integer, `192.0.2.1` is an IPv4 address",
        ),
        ("a=\"a\"..\"b\"", "\"a\"..\"b\" @3: `..` takes numbers or addresses, and `\"a\"` is a text"),
        (
            "a=192.0.2.1..::1",
            "192.0.2.1..::1 @3: `..` takes two numbers or two addresses of one family, and `192.0.2.1` is an IPv4 address, `::1` is an IPv6 address",
        ),
        ("a=(not 80)..443", "(not 80)..443 @3: `..` takes numbers or addresses, and `not 80` is a negation"),
        ("a=!rate", "!rate @3: `!` takes booleans, and `10` is an integer (`not` negates what is matched)"),
        ("a=-\"x\"", "-\"x\" @3: `-` takes numbers, and `\"x\"` is a text"),
        ("a=not {b: 1}", "not {b: 1} @3: `not` takes values and lists of them, and `{b: 1}` is a map"),
        ("a=true && rate", "rate @11: `&&` takes booleans, and `10` is an integer"),
        ("a=rate ? 1 : 2", "rate @3: `?` takes booleans, and `10` is an integer"),
        ("a=min(1, \"x\")", "min(1, \"x\") @3: `min` takes numbers, and `\"x\"` is a text"),
        ("a=min([])", "min([]) @3: `min` is given an empty list"),
        ("a=round(true)", "round(true) @3: `round` takes a number, and `true` is a boolean"),
        (
            "a=round(1e30)",
            "round(1e30) @3: `round(1.0e30)` overflows (integers are calculated from -9223372036854775808 to 9223372036854775807)",
        ),
        ("a=len(5)", "len(5) @3: `len` takes a list, a text or a map, and `5` is an integer"),
        (
            "a=contains(5, 5)",
            "contains(5, 5) @3: `contains` takes a list, a range, a network, a text or a map first, and `5` is an integer",
        ),
        (
            "a=host(192.0.2.0/24, 256)",
            "host(192.0.2.0/24, 256) @3: `192.0.2.0/24` has no address of number `256` (its addresses are `192.0.2.0` to `192.0.2.255`, counted from 0)",
        ),
        (
            "a=host(192.0.2.1, 1)",
            "host(192.0.2.1, 1) @3: `host` takes a network first, and `192.0.2.1` is an IPv4 address",
        ),
        (
            "a=host(192.0.2.0/24, 1.5)",
            "host(192.0.2.0/24, 1.5) @3: `host` takes an integer second, and `1.5` is a float",
        ),
        ("a=prefix(5)", "prefix(5) @3: `prefix` takes a network, and `5` is an integer"),
        ("a=mask(192.0.2.1)", "mask(192.0.2.1) @3: `mask` takes a network, and `192.0.2.1` is an IPv4 address"),
    ]);
}

#[test]
fn of_types() {
    all(&[
        (
            "a:network=192.0.2.1",
            " @1: `network` takes networks, and `192.0.2.1` is an IPv4 address (write `192.0.2.1/32`)",
        ),
        (
            "a:network=2001:db8::1",
            " @1: `network` takes networks, and `2001:db8::1` is an IPv6 address (write `2001:db8::1/128`)",
        ),
        ("a:network=rate", " @1: `network` takes networks, and `10` is an integer"),
        (
            "a:network=\"192.0.2.0/24\"",
            " @1: `network` takes networks, and `\"192.0.2.0/24\"` is a text (write a value of `network` without quotes)",
        ),
        (
            "a:network=192.0.2.1..192.0.2.9",
            " @1: `network` takes no range, as `192.0.2.1..192.0.2.9` is (give single values)",
        ),
        (
            "a:address=192.0.2.0/24",
            " @1: `address` takes addresses, and `192.0.2.0/24` is a network (write `host(192.0.2.0/24, 1)` for one address, or `192.0.2.0..192.0.2.255` for all)",
        ),
        (
            "a:address=192.0.2.1/32",
            " @1: `address` takes addresses, and `192.0.2.1/32` is a network (write `192.0.2.1`)",
        ),
        (
            "a:addressMask=255.0.255.0",
            " @1: `255.0.255.0` is not the mask of a prefix (a mask has ones before zeros, as `255.255.255.0` or `mask(192.0.2.0/24)`)",
        ),
        (
            "a:addressMask=192.0.2.0/24",
            " @1: `addressMask` takes masks, and `192.0.2.0/24` is a network (write `mask(192.0.2.0/24)`)",
        ),
        (
            "a:interface=5",
            " @1: `interface` takes names of interfaces, and `5` is an integer (names and texts stand in double quotes)",
        ),
        (
            "a:interface=\"ge 0\"",
            " @1: `\"ge 0\"` is no name of an interface (write for example `\"ge-0/0/1.100\"`, `\"ge-0/0/*\"` or `\"xe-0/[0-3]/0\"`)",
        ),
        ("a:protocol=256", " @1: `256` is out of the bounds of `protocol` (`protocol` takes 0 to 255)"),
        ("a:protocol=\"TCP\"", " @1: `\"TCP\"` is no protocol that is known (did you mean `\"tcp\"`?)"),
        ("a:protocol=\"nonsense\"", " @1: `\"nonsense\"` is no protocol that is known (give its number, 0 to 255)"),
        ("a:port=65536", " @1: `65536` is out of the bounds of `port` (`port` takes 0 to 65535)"),
        ("a:port=-1", " @1: `-1` is out of the bounds of `port` (`port` takes 0 to 65535)"),
        ("a:port=80.5", " @1: `port` takes integers, and `80.5` has a fraction (`round(80.5)` is an integer)"),
        (
            "a:port=\"80\"",
            " @1: `port` takes integers, and `\"80\"` is a text (write a value of `port` without quotes)",
        ),
        ("a:port=80..65536", " @1: `65536` is out of the bounds of `port` (`port` takes 0 to 65535)"),
        ("a:rate=5g", " @1: `5000000000` is out of the bounds of `rate` (`rate` takes 0 to 4294967295)"),
        (
            "a:rate=0.3 * rate + 0.1",
            " @1: `rate` takes integers, and `3.1` has a fraction (`round(3.1)` is an integer)",
        ),
        ("a:rate=[1, 2]", " @1: `rate` takes no list (give one value)"),
        ("a:rate=1..2", " @1: `rate` takes no range, as `1..2` is (give one value)"),
        ("a:rate=not 1", " @1: `rate` takes no `not`, as in `not 1` (only what is matched can be negated)"),
        ("a:tcpFlags=1..2", " @1: `tcpFlags` takes no range, as `1..2` is (give single values)"),
        (
            "a:number=9223372036854775808",
            " @1: `9223372036854775808` is out of the bounds of `number` (`number` takes -9223372036854775808 to 9223372036854775807)",
        ),
        ("a:boolean=1", " @1: `boolean` takes `true` or `false`, and `1` is an integer"),
        ("a:string=5", " @1: `string` takes texts, and `5` is an integer (names and texts stand in double quotes)"),
        ("a:string=\"a\\tb\"", " @1: a `string` has no control characters, as `\\t` is (leave it out)"),
        ("a:network:address=5", " @1: `5` fits none of `network`, `address`"),
        ("a:port:network=192.0.2.1", " @1: `192.0.2.1` fits none of `port`, `network` (write `192.0.2.1/32`)"),
    ]);
}
