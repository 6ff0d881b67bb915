//! The ends of every type, and what lies beyond them.

use super::*;

/// Texts that a type takes, with what is printed of them.
fn takes(kind: &str, cases: &[(&str, &str)]) {
    for (text, printed) in cases {
        assert_eq!(admitted(kind, text).as_deref(), Ok(*printed), "{kind} of {text}");
    }
}

/// Texts that are right by themselves and that a type refuses.
fn refuses(kind: &str, texts: &[&str]) {
    for text in texts {
        value(text);
        assert!(admitted(kind, text).is_err(), "{kind} of {text}");
    }
}

/// One value of every kind.
const KINDS: [(&str, &str); 11] = [
    ("integer", "5"),
    ("fraction", "5.5"),
    ("boolean", "true"),
    ("text", "\"no such thing!\""),
    ("address", "192.0.2.1"),
    ("address", "2001:db8::1"),
    ("mask", "255.255.0.0"),
    ("network", "192.0.2.0/24"),
    ("network", "2001:db8::/32"),
    ("map", "{a: 1}"),
    ("network", "0.0.0.0/0"),
];

#[test]
fn every_type_takes_its_kinds_and_no_other() {
    for kind in Type::ALL {
        let own: &[&str] = match kind {
            Type::Network => &["network"],
            Type::Address => &["address", "mask"],
            Type::AddressMask => &["mask"],
            Type::Interface => &[],
            Type::Number => &["integer", "fraction"],
            Type::String => &["text"],
            Type::Boolean => &["boolean"],
            Type::Any => &["integer", "fraction", "boolean", "text", "address", "mask", "network", "map"],
            _ => &["integer"],
        };
        for (sort, text) in KINDS {
            assert_eq!(admitted(kind.as_str(), text).is_ok(), own.contains(&sort), "{kind} of {text}");
        }
    }
}

#[test]
fn lists_ranges_and_not_are_taken_where_a_match_takes_them() {
    let yes_list =
        "network address interface protocol port tosByte tcpFlags ipFlags icmpType icmpCode number string any";
    let yes_range = "address protocol port tosByte icmpType icmpCode number any";
    let yes_not = "network address interface protocol port tosByte tcpFlags ipFlags icmpType icmpCode any";
    let said = |words: &str, kind: Type| words.split(' ').any(|word| word == kind.as_str());
    for kind in Type::ALL {
        let (one, range) = match kind {
            Type::Network => ("192.0.2.0/24", "192.0.2.1..192.0.2.9"),
            Type::Address => ("192.0.2.1", "192.0.2.1..192.0.2.9"),
            Type::AddressMask => ("255.0.0.0", "255.0.0.0..255.255.0.0"),
            Type::Interface => ("\"ae0\"", "1..2"),
            Type::String => ("\"a\"", "1..2"),
            Type::Boolean => ("1 < 2", "1..2"),
            _ => ("1", "1..2"),
        };
        let is_taken = |text: &str| admitted(kind.as_str(), text).is_ok();
        assert!(is_taken(one), "{kind} of {one}");
        assert_eq!(is_taken(&format!("[{one}, {one}]")), said(yes_list, kind), "list of {kind}");
        assert_eq!(is_taken("[]"), said(yes_list, kind), "empty list of {kind}");
        assert_eq!(is_taken(range), said(yes_range, kind), "range of {kind}");
        // `not` of a boolean is a boolean.
        if kind != Type::Boolean {
            assert_eq!(is_taken(&format!("not {one}")), said(yes_not, kind), "not {kind}");
            assert_eq!(is_taken(&format!("not [{one}]")), said(yes_not, kind), "not list of {kind}");
            let is_range_negated = said(yes_not, kind) && said(yes_range, kind);
            assert_eq!(is_taken(&format!("not {range}")), is_range_negated, "not range of {kind}");
        }
    }
}

#[test]
fn integers_keep_to_the_ends_of_their_types() {
    for (kinds, most) in [
        ("protocol tosByte tosByteMask icmpType icmpCode", 255u64),
        ("port", 65_535),
        ("rate burst", 4_294_967_295),
        ("bandwidth", u64::MAX),
        ("tcpFlags tcpFlagsMask", 63),
        ("ipFlags ipFlagsMask", 7),
    ] {
        for kind in kinds.split(' ') {
            let text = most.to_string();
            takes(kind, &[("0", "0"), ("1", "1"), (&text, &text), (&format!("0x{most:x}"), &text), ("-0", "0")]);
            takes(kind, &[("2.0", "2"), ("0.0", "0"), ("-0.0", "0")]);
            refuses(kind, &["-1", "0.5", "-1.0", "1e30", "-1e30", "9e300"]);
            if most < u64::MAX {
                refuses(kind, &[&(most + 1).to_string(), &u64::MAX.to_string(), &format!("{}.0", most + 1)]);
                takes(kind, &[(&format!("{most}.0"), &text)]);
            }
        }
    }
    assert_eq!(message("18446744073709551616"), "`18446744073709551616` is too large an integer");
    takes("rate", &[("4294967.295k", "4294967295"), ("0.5 * 100m", "50000000"), ("4.294967295g", "4294967295")]);
}

#[test]
fn ranges_keep_to_the_ends_of_their_types() {
    takes("port", &[("0..65535", "0..65535"), ("80..80", "80..80"), ("not 1..2", "not 1..2"), ("1.0..2.0", "1..2")]);
    refuses("port", &["-1..5", "0..65536", "1.5..2", "192.0.2.1..192.0.2.9"]);
    takes("protocol", &[("0..255", "0..255")]);
    refuses("protocol", &["0..256"]);
    takes(
        "number",
        &[
            ("0.5..1", "0.5..1.0"),
            ("-9223372036854775808..9223372036854775807", "-9223372036854775808..9223372036854775807"),
        ],
    );
    refuses("number", &["0..9223372036854775808"]);
    takes("address", &[("192.0.2.1..192.0.2.9", "192.0.2.1..192.0.2.9"), ("::..ffff::", "::..ffff::")]);
    refuses("address", &["1..2"]);
}

#[test]
fn numbers_have_64_bits_with_a_sign_or_a_fraction() {
    takes(
        "number",
        &[
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1.5", "1.5"),
            ("2.0", "2.0"),
            ("[1, 2.5, 3..4]", "[1, 2.5, 3..4]"),
        ],
    );
    refuses("number", &["9223372036854775808", "18446744073709551615"]);
    assert_eq!(message("-9223372036854775809"), "`-9223372036854775809` is too small an integer");
}

#[test]
fn networks_have_no_host_bits_and_a_length_of_their_family() {
    takes(
        "network",
        &[
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("128.0.0.0/1", "128.0.0.0/1"),
            ("192.0.2.16/28", "192.0.2.16/28"),
            ("255.255.255.255/32", "255.255.255.255/32"),
            ("::/0", "::/0"),
            ("8000::/1", "8000::/1"),
            ("2001:db8::1/128", "2001:db8::1/128"),
            ("[192.0.2.0/24, not 2001:db8::/32]", "[192.0.2.0/24, not 2001:db8::/32]"),
            ("[192.0.2.0/24]", "[192.0.2.0/24]"),
        ],
    );
    assert_eq!(message("192.0.2.1/31"), "`192.0.2.1/31` has host bits that are not zero");
    assert_eq!(message("0.0.0.1/0"), "`0.0.0.1/0` has host bits that are not zero");
    assert_eq!(message("::1/127"), "`::1/127` has host bits that are not zero");
    assert_eq!(message("192.0.2.0/33"), "`192.0.2.0/33` has a prefix longer than 32");
    assert_eq!(message("::/129"), "`::/129` has a prefix longer than 128");
    assert_eq!(message("::/99999999999"), "`::/4294967295` has a prefix longer than 128");
    assert_eq!(message("192.0.2.0/024"), "the prefix length `024` begins with a zero");
}

#[test]
fn masks_are_ones_before_zeros() {
    takes(
        "addressMask",
        &[
            ("0.0.0.0", "0.0.0.0"),
            ("128.0.0.0", "128.0.0.0"),
            ("255.255.255.254", "255.255.255.254"),
            ("255.255.255.255", "255.255.255.255"),
            ("::", "::"),
            ("ffff:ff00::", "ffff:ff00::"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("mask(10.0.0.0/9)", "255.128.0.0"),
        ],
    );
    refuses("addressMask", &["0.0.0.1", "255.0.255.0", "127.255.255.255", "::1", "ff0f::", "7fff::"]);
}

#[test]
fn interfaces_are_names_or_patterns() {
    let longest = format!("\"a{}\"", "0".repeat(63));
    takes("interface", &[(&longest, longest.trim_matches('"'))]);
    for name in
        ["ge-0/0/1.100", "ae0", "lo0.0", "et-0/0/1:3", "ge-*", "*", "xe-[0-3]/0/[1,2]", "[gx]e-0/0/0", "irb.5_a"]
    {
        takes("interface", &[(&format!("\"{name}\""), name)]);
    }
    refuses("interface", &[&format!("\"a{}\"", "0".repeat(64)), "\"\""]);
    for name in [
        "0ge", "-a", ".a", "a b", "a;", "a{", "a}", "a\\\"", "a\\\\", "a\\n", "a[", "a]", "a[]", "a[[0]]", "ä", "a<b>",
        "a[*]", "a,b",
    ] {
        refuses("interface", &[&format!("\"{name}\"")]);
    }
}

#[test]
fn protocols_have_names_that_stay_as_they_are_written() {
    takes("protocol", &[("\"tcp\"", "tcp"), ("not \"icmp6\"", "not \"icmp6\""), ("[6, \"udp\"]", "[6, \"udp\"]")]);
    refuses("protocol", &["\"TCP\"", "\"nothing\"", "\"\"", "\"6\""]);
    let names: Vec<&str> = super::super::protocol::names().collect();
    assert!(names.is_sorted(), "or the search fails");
    assert!(names.iter().all(|name| super::super::protocol::number(name).is_some()));
}

#[test]
fn texts_have_1024_characters_and_no_control_character() {
    let longest = "ä".repeat(1_024);
    takes("string", &[("\"\"", ""), (&format!("\"{longest}\""), &longest)]);
    refuses("string", &[&format!("\"{longest}a\""), "\"a\\n\"", "\"a\\t\""]);
}

#[test]
fn inner_lists_are_spliced_but_for_any() {
    takes("port", &[("[1, [2, [3..4]], []]", "[1, 2, 3..4]"), ("[[80]]", "[80]")]);
    takes("any", &[("[1, [2]]", "[1, [2]]")]);
    refuses("port", &["[1, [true]]", "[{a: 1}]"]);
    let most = vec!["1"; 1_024].join(",");
    assert!(admitted("port", &format!("[{most}]")).is_ok());
    let mistake = admitted("port", &format!("[[{most}],1]")).unwrap_err();
    assert_eq!(mistake.message, "a list has at most 1024 elements");
}

#[test]
fn a_value_fits_one_of_several_types_as_a_whole() {
    let types = Types::new([Type::Network, Type::Port]);
    assert_eq!(types.to_string(), "network:port");
    assert_eq!(types.admit(value("80.0")).unwrap().to_string(), "80");
    assert_eq!(types.admit(value("192.0.2.0/24")).unwrap().to_string(), "192.0.2.0/24");
    let mistake = types.admit(value("[192.0.2.0/24, 80]")).unwrap_err();
    assert_eq!(mistake.message, "`[192.0.2.0/24, 80]` fits none of `network`, `port`");
    assert_eq!(Types::default().to_string(), "any");
    assert_eq!(Types::default().admit(value("{a: [not 1]}")).unwrap().to_string(), "{a: [not 1]}");
}

#[test]
fn which_types_stand_for_each_other() {
    let quantities = [Type::Number, Type::Rate, Type::Bandwidth, Type::Burst];
    for left in Type::ALL {
        for right in Type::ALL {
            let expected = left == right
                || [left, right].contains(&Type::Any)
                || (quantities.contains(&left) && quantities.contains(&right))
                || (left == Type::Number && right.bounds().is_some())
                || (right == Type::Number && left.bounds().is_some());
            let of = |kind| Types::new([kind]);
            assert_eq!(of(left).accepts(&of(right)), expected, "{left} {right}");
            assert!(Types::new([left, Type::Boolean]).accepts(&of(left)));
        }
    }
    assert!(!Types::new([Type::Network]).accepts(&Types::new([Type::Rate])));
    assert!(Types::new([Type::Port]).accepts(&Types::new([Type::Number])));
    assert!(!Types::new([Type::Port]).accepts(&Types::new([Type::Rate])));
    assert!(Types::default().accepts(&Types::new([Type::Rate])) && Types::new([Type::Rate]).accepts(&Types::default()));
}
