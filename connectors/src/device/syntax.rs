//! What is taken for configuration: names of groups, and statements whose braces and quotes close.
//!
//! No hierarchy is known here: any statement is one.

/// The longest name of a group: with its ending it is a stand-in's file.
const NAME_MOST: usize = 200;
/// The longest text of a group, in bytes.
const TEXT_MOST: usize = 1024 * 1024;
/// How deep statements lie in one another at most.
const DEPTH_MOST: usize = 64;

/// Whether a group may have this name.
///
/// # Errors
/// Why not.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let is_good = (1..=NAME_MOST).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    match is_good {
        true => Ok(()),
        false => Err(format!("`{}` is no name of a group", crate::text::excerpt(name, 80))),
    }
}

/// Whether a text reads as statements.
///
/// # Errors
/// Why not, with the line.
pub(super) fn check_text(text: &str) -> Result<(), String> {
    if text.len() > TEXT_MOST {
        return Err(format!("the group is longer than {TEXT_MOST} bytes"));
    }
    let mut depth = 0_usize;
    let mut is_open = false;
    for (number, line) in text.lines().enumerate() {
        let fault = |what: &str| Err(format!("syntax error in line {}: {what}", number + 1));
        let mut is_quoted = false;
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' if is_quoted => {
                    chars.next();
                }
                '"' => (is_quoted, is_open) = (!is_quoted, true),
                _ if is_quoted => {}
                '{' if depth == DEPTH_MOST => return fault("too many braces in one another"),
                '{' if !is_open => return fault("a brace without a name"),
                '{' => (depth, is_open) = (depth + 1, false),
                '}' if is_open => return fault("a statement without its `;`"),
                '}' if depth == 0 => return fault("a brace is closed that was not opened"),
                '}' => depth -= 1,
                ';' => is_open = false,
                c if c.is_control() && c != '\t' => return fault("a control character"),
                c => is_open |= !c.is_whitespace(),
            }
        }
        if is_quoted {
            return fault("a quote is not closed");
        }
    }
    match (depth, is_open) {
        (0, false) => Ok(()),
        (0, true) => Err("syntax error at the end: a statement without its `;`".to_owned()),
        _ => Err("syntax error at the end: a brace is not closed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_taken_and_others_refused_by_line() {
        let deep = format!("{}{}", "a {".repeat(64), "}".repeat(64));
        for good in ["", "a;", "a b { c; d \"x { \\\" ;\"; }\n", "/* note */ a;", &deep] {
            assert_eq!(check_text(good), Ok(()), "{good}");
        }
        for (bad, expected) in [
            ("a", "syntax error at the end: a statement without its `;`"),
            ("a {", "syntax error at the end: a brace is not closed"),
            ("a;\n}", "syntax error in line 2: a brace is closed that was not opened"),
            ("a { b }", "syntax error in line 1: a statement without its `;`"),
            ("{ b; }", "syntax error in line 1: a brace without a name"),
            ("a \"b\n\";", "syntax error in line 1: a quote is not closed"),
            ("a \u{1b};", "syntax error in line 1: a control character"),
            ("a {".repeat(65).as_str(), "syntax error in line 1: too many braces in one another"),
            ("a".repeat(TEXT_MOST + 1).as_str(), "the group is longer than 1048576 bytes"),
        ] {
            assert_eq!(check_text(bad).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(check_name("linesman-7.a_b"), Ok(()));
        for bad in ["", "..", ".a", "a/b", "a b", "ä", &"a".repeat(201)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert_eq!(check_name("../x\n").unwrap_err(), "`../x\\n` is no name of a group");
    }
}
