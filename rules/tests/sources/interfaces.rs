//! Constraints of interfaces: a pattern admits what it matches.

use super::faults;

const PARAMETERS: &str = "i = { type = \"interface\" }\ns = { type = \"string\" }";

#[test]
fn a_pattern_admits_the_names_and_patterns_that_it_matches() {
    for (within, said, is_held) in [
        ("[\"ge-*\"]", "i=\"ge-0/0/1.100\"", true),
        ("[\"ge-*\"]", "i=\"ge-0/[0-3]/*\"", true),
        ("[\"ge-*\"]", "i=[\"ge-0/0/1\", \"xe-0/0/1\"]", false),
        ("[\"ge-*\"]", "i=\"*\"", false),
        ("[\"ge-*\"]", "i=not \"ge-0/0/1\"", false),
        ("[\"ge-0/0/[0-1]\", \"ge-0/0/[2-3]\"]", "i=\"ge-0/0/[0-3]\"", true),
        ("[\"ge-0/0/?\"]", "i=\"ge-0/0/10\"", false),
        ("[\"ge-0/0/1\"]", "i=\"ge-0/0/*\"", false),
        ("[\"ge-*\"]", "i in [\"ge-0/0/*\"]", true),
        ("[\"ge-0/0/*\"]", "i in [\"ge-*\"]", false),
    ] {
        let narrowing = format!("i in {within}");
        let found = faults(PARAMETERS, &[("enterprise", &[narrowing.as_str()]), ("site", &[said])]);
        assert_eq!(found.is_empty(), is_held, "{said} below {narrowing}: {found:?}");
    }
}

#[test]
fn a_text_is_no_pattern() {
    let sources = [("enterprise", &["s in [\"ge-*\"]"][..]), ("site", &["s=\"ge-1\""][..])];
    assert_eq!(faults(PARAMETERS, &sources).len(), 1);
}
