//! Which versions which expressions concern, written by hand from the names of releases.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use linesman_rules::versions::{Expression, Version};
use proptest::prelude::*;

/// An expression, those it concerns, those it does not.
const TABLE: &[(&str, &[&str], &[&str])] = &[
    // One version: what is left open is any.
    (
        "21.4R3",
        &["21.4R3", "21.4R3.10", "21.4R3-S1", "21.4R3-S5.4", "21.4R3-EVO", "21.4R3-S2-EVO", "21.4r3", " 21.4R3 "],
        &["21.4R2", "21.4R30", "21.3R3", "22.4R3", "21.4R2-S3", "21.4", "2.14R3"],
    ),
    ("= 21.4R3", &["21.4R3-S1", "21.4R3"], &["21.4R1", "21.4R4"]),
    ("=21.4R3-S5", &["21.4R3-S5", "21.4R3-S5.4", "21.4R3-S5.11"], &["21.4R3", "21.4R3-S4", "21.4R3-S50", "21.4R3.5"]),
    ("21.4R3-S5.4", &["21.4R3-S5.4"], &["21.4R3-S5", "21.4R3-S5.40", "21.4R3-S4.4", "21.4R3.4"]),
    ("21.4R3.10", &["21.4R3.10"], &["21.4R3", "21.4R3-S1.10", "21.4R3.1"]),
    ("12.3X48-D75", &["12.3X48-D75", "12.3X48-D75.2", "12.3X48-D75-S1"], &["12.3X48-D70", "12.3X46-D75", "12.3R75"]),
    ("10.4S6", &["10.4S6", "10.4S6.1"], &["10.4R6", "10.4S7"]),
    ("15.1F6", &["15.1F6", "15.1F6-S12", "15.1F6.9"], &["15.1R6", "15.1F5-S7"]),
    // A train.
    ("21.4", &["21.4R1", "21.4R3-S5.4", "21.4R1-S1-EVO", "21.4B2", "21.4"], &["21.40R1", "21.3R3", "22.4R1", "1.4R1"]),
    ("12.3", &["12.3R12-S21", "12.3R1", "12.3I5"], &["12.3X48-D70", "12.3X50-D35.3", "12.4R1"]),
    ("12.3X48", &["12.3X48-D70", "12.3X48-D105.4", "12.3X48"], &["12.3R12", "12.3X46-D10", "12.1X48-D10", "12.3X4-D8"]),
    ("15.1X53", &["15.1X53-D59.4", "15.1X53-D590.1"], &["15.1X49-D150.2", "15.1R7", "15.1F6"]),
    ("18.2X75", &["18.2X75-D50.8", "18.2X75-D420"], &["18.2R3", "18.2R1-S5", "18.3R1"]),
    // Below.
    (
        "< 21.4R3-S5",
        &[
            "21.4R3-S4",
            "21.4R3-S4.9",
            "21.4R3",
            "21.4R3.10",
            "21.4R2-S9",
            "21.4R1",
            "21.3R3-S8",
            "12.3X48-D70",
            "9.6R1.13",
        ],
        &["21.4R3-S5", "21.4R3-S5.4", "21.4R3-S6", "21.4R3-S10", "22.1R1", "22.1R1-S1"],
    ),
    ("<21.4R3", &["21.4R2-S7", "21.4R2", "21.2R3-S7"], &["21.4R3", "21.4R3.10", "21.4R3-S1", "22.1R1"]),
    ("< 21.4", &["21.3R3-S8", "20.4R3-S10.2", "12.3X48-D70"], &["21.4R1", "21.4R1-S2", "21.4B1", "22.1R1"]),
    ("< 21.4R3-S5.4", &["21.4R3-S5.3", "21.4R3-S5", "21.4R3-S4.9"], &["21.4R3-S5.4", "21.4R3-S5.10"]),
    (
        "< 12.3X48-D75",
        &["12.3X48-D70", "12.3X48-D9", "12.3X46-D86", "12.3R12-S21", "12.3R13"],
        &["12.3X48-D75", "12.3X48-D75.2", "12.3X48-D105", "12.3X50-D35", "13.2R1"],
    ),
    ("< 12.3X48", &["12.3R12-S21", "12.3R99", "12.3X46-D86", "12.2R9"], &["12.3X48-D10", "12.3X50-D35", "13.1R1"]),
    (
        "< 13.2R1",
        &["12.3X48-D105", "12.3X50-D35.3", "12.3R12", "13.1R5", "13.2B3"],
        &["13.2R1", "13.2R1.7", "13.2X51-D15"],
    ),
    // At most.
    ("<= 21.4R3", &["21.4R3", "21.4R3.10", "21.4R2-S9", "20.1R1"], &["21.4R3-S1", "21.4R3-S1.3", "22.1R1"]),
    ("<= 21.4", &["21.4R3-S9", "21.4R1", "21.3R1"], &["22.1R1", "22.1R1-EVO"]),
    ("<=21.4R3-S5", &["21.4R3-S5", "21.4R3-S5.4", "21.4R3"], &["21.4R3-S6", "21.4R3-S10"]),
    (
        "<= 15.1X49-D150",
        &["15.1X49-D150", "15.1X49-D150.2", "15.1X49-D45", "15.1R7-S13"],
        &["15.1X49-D160", "15.1X53-D30"],
    ),
    // At least, and above.
    (
        ">= 21.2R1",
        &["21.2R1", "21.2R1-S1", "21.2R1.10", "21.2R3-S7", "21.4R1", "22.1R1"],
        &["21.1R3-S5", "20.4R3", "21.2B1", "21.2"],
    ),
    (">= 21.2", &["21.2R1", "21.2B1", "21.3R1", "22.1R1"], &["21.1R3", "20.4R3-S9"]),
    ("> 21.4R3", &["21.4R3-S1", "21.4R4", "22.1R1"], &["21.4R3", "21.4R3.10", "21.4R2-S9"]),
    ("> 21.4", &["22.1R1", "22.1R1-EVO"], &["21.4R3-S9", "21.4R1", "21.3R3"]),
    ("> 21.4R3-S5", &["21.4R3-S6", "21.4R3-S10.1"], &["21.4R3-S5", "21.4R3-S5.4", "21.4R3-S4", "21.4R3"]),
    ("> 12.3R12", &["12.3R12-S1", "12.3R13", "12.3X48-D10", "13.1R1"], &["12.3R12", "12.3R11-S9", "12.2X50-D70"]),
    (
        ">= 12.3X48-D70",
        &["12.3X48-D70", "12.3X48-D105", "12.3X50-D10", "13.1R1"],
        &["12.3X48-D65", "12.3R12-S21", "12.3X46-D86"],
    ),
    // Several that all hold.
    (
        ">= 21.2R1, < 21.4R3-S5",
        &["21.2R1", "21.2R3-S7.3", "21.3R1", "21.4R3-S4", "21.4R3", "21.4R1-EVO"],
        &["21.1R3", "21.4R3-S5", "21.4R3-S5.4", "22.1R1", "20.4R3"],
    ),
    (">=22.2,<22.2R3-S2", &["22.2R1", "22.2R3-S1", "22.2R3"], &["22.2R3-S2", "22.2R3-S3.1", "22.1R3-S9", "22.3R1"]),
    ("21.4, < 21.4R3", &["21.4R1", "21.4R2-S9"], &["21.3R1", "21.4R3", "22.1R1"]),
    ("> 12.3R9, 12.3", &["12.3R10", "12.3R9-S1"], &["12.3X48-D70", "12.3R9.4"]),
    // The other operating system.
    (
        "< 21.4R3-EVO",
        &["21.4R2-EVO", "21.4R2-S1-EVO", "20.3R1.8-EVO", "21.4r1-evo"],
        &["21.4R2", "21.4R3-EVO", "21.4R3-S1-EVO", "22.1R1-EVO"],
    ),
    (">= 21.2R1-EVO, < 22.3R1-EVO", &["21.2R1-EVO", "22.2R3-S4.2-EVO"], &["21.2R1", "22.2R3-S4.2", "22.3R1-EVO"]),
    ("22.3R1-EVO", &["22.3R1-EVO", "22.3R1.9-EVO", "22.3R1-S1-EVO"], &["22.3R1", "22.3R2-EVO"]),
    ("22.3-EVO", &["22.3R1.9-EVO"], &["22.3R1.9", "22.4R1-EVO"]),
    ("< 22.3R1, >= 22.1-EVO", &["22.2R1-EVO"], &["22.2R1", "22.3R1-EVO"]),
];

fn concerns(expression: &str, version: &str) -> bool {
    let expression: Expression = expression.parse().unwrap();
    expression.is_met_by(&version.parse().unwrap())
}

#[test]
fn an_expression_concerns_what_it_says() {
    let mut pairs = 0;
    for (expression, concerned, others) in TABLE {
        for (versions, is_concerned) in [(concerned, true), (others, false)] {
            for version in *versions {
                assert_eq!(concerns(expression, version), is_concerned, "`{expression}` of `{version}`");
                pairs += 1;
            }
        }
    }
    assert!(pairs >= 200, "{pairs} pairs");
}

/// The table of `docs/intelligence.md`.
#[test]
fn the_documented_expressions_mean_what_is_said() {
    let page = include_str!("../../docs/intelligence.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| expression |")).skip(2);
    let mut pairs = 0;
    for row in rows.take_while(|line| line.starts_with('|')) {
        let [_, expression, means, others, _] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        for (versions, is_meant) in [(means, true), (others, false)] {
            for version in versions.split(',') {
                let [expression, version] = [expression, version].map(|text| text.trim().trim_matches('`'));
                assert_eq!(concerns(expression, version), is_meant, "`{expression}` of `{version}`");
                pairs += 1;
            }
        }
    }
    assert!(pairs > 20, "{pairs} pairs");
}

/// Releases in their order, of which none equals another.
const IN_ORDER: &[&str] = &[
    "9.6R1.13",
    "10.4I2",
    "10.4A1",
    "10.4B3",
    "10.4R1",
    "10.4R1.5",
    "10.4R9",
    "10.4R10",
    "10.4S6",
    "12.1X46-D86",
    "12.3R12",
    "12.3R12-S1",
    "12.3R12-S21.2",
    "12.3X48-D9.1",
    "12.3X48-D70",
    "12.3X48-D70.3",
    "12.3X50-D35",
    "13.2R1",
    "13.2X51-D15",
    "15.1R7-S13",
    "15.1F6-S12",
    "21.4R3",
    "21.4R3.10",
    "21.4R3-S1",
    "21.4R3-S1.3",
    "21.4R3-S10",
    "22.1R1",
];

#[test]
fn releases_stand_in_their_order() {
    for (at, earlier) in IN_ORDER.iter().enumerate() {
        for later in &IN_ORDER[at + 1..] {
            assert!(concerns(&format!(">= {earlier}"), later), "{later} is not before {earlier}");
            assert!(concerns(&format!("< {later}"), earlier), "{earlier} is before {later}");
            assert!(!concerns(&format!(">= {later}"), earlier), "{earlier} is not behind {later}");
        }
    }
}

#[test]
fn what_does_not_read_is_named() {
    let fault = |expression: &str| expression.parse::<Expression>().unwrap_err().to_string();
    let like = "; versions are written like `21.4R3-S5.4`, `12.3X48-D75` or `22.3R1-EVO`";
    for (expression, says) in [
        ("21", "`21` is no version: `.` is expected at the end"),
        ("21.4Q3", "`21.4Q3` is no version: its end is expected at `Q3`"),
        (">> 21.4", "`> 21.4` is no version: a number is expected at `> 21.4`"),
        ("21.4R", "`21.4R` is no version: a number is expected at the end"),
        ("9999999999.1", "`9999999999.1` is no version: a number up to 4294967295 is expected at `9999999999.1`"),
    ] {
        assert_eq!(fault(expression), format!("{says}{like}"));
    }
    for expression in ["", ">= 21.2R1,"] {
        let says =
            format!("a version is missing in `{expression}`; an expression is written like `>= 21.2R1, < 21.4R3-S5`");
        assert_eq!(fault(expression), says);
    }
    assert_eq!(fault(&"1".repeat(257)), "an expression has at most 256 bytes, and this one 257");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ <>=,0-9.RSXDEVOFIBA-]{0,40}", other in ".{0,40}") {
        for text in [&text, &other] {
            if let Ok(version) = text.parse::<Version>() {
                let again: Version = version.to_string().parse().unwrap();
                prop_assert_eq!(&again, &version);
                let expression: Expression = version.to_string().parse().unwrap();
                prop_assert!(expression.is_met_by(&version));
            }
            let _ = text.parse::<Expression>();
        }
    }

    #[test]
    fn of_below_equal_and_above_one_holds(a in version(), b in version()) {
        let holds = |sign: &str| concerns(&format!("{sign} {b}"), &a);
        prop_assert_eq!(u8::from(holds("<")) + u8::from(holds(">")) + u8::from(holds("<=") && holds(">=")), 1);
        prop_assert_eq!(holds("<="), !holds(">"));
        prop_assert_eq!(holds(">="), !holds("<"));
    }
}

/// A version, often near another.
fn version() -> impl Strategy<Value = String> {
    let train = prop_oneof![Just("12.3"), Just("12.3X48"), Just("21.4")];
    (train, prop::option::of((1..4u8, prop::option::of(1..3u8), prop::option::of(1..3u8)))).prop_map(
        |(train, parts)| {
            let Some((release, service, build)) = parts else { return train.to_owned() };
            let letter = if train.contains('X') { "-D" } else { "R" };
            let service = service.map(|service| format!("-S{service}")).unwrap_or_default();
            let build = build.map(|build| format!(".{build}")).unwrap_or_default();
            format!("{train}{letter}{release}{service}{build}")
        },
    )
}
