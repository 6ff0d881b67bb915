//! The names of interfaces, and patterns of them as Junos has them: `*`, `?`, `[0-3]`, `[!0-3]`.

/// Whether a text is a name of an interface or a pattern of such: parts of letters, digits and wildcards with single `-`,
/// `/`, `:`, `_` between them, and at most one unit behind a `.`.
pub(super) fn is_pattern(text: &str) -> bool {
    let (physical, unit) = text.split_once('.').map_or((text, None), |(physical, unit)| (physical, Some(unit)));
    let begins_well = physical.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '*' | '?' | '['));
    let is_unit = |unit: &str| is_made(unit, |c| c.is_ascii_alphanumeric(), |c| c == '_');
    begins_well
        && is_made(physical, |c| c.is_ascii_alphanumeric(), |c| matches!(c, '-' | '/' | ':' | '_'))
        && unit.is_none_or(is_unit)
}

/// Whether a text is made of characters, wildcards and sets, with single separators between them.
fn is_made(text: &str, is_own: fn(char) -> bool, is_separator: fn(char) -> bool) -> bool {
    let (mut rest, mut may_separate) = (text.chars(), false);
    while let Some(c) = rest.next() {
        match c {
            '[' => match rest.as_str().split_once(']') {
                Some((set, behind)) if is_set(set) => rest = behind.chars(),
                _ => return false,
            },
            '*' | '?' => {}
            c if is_own(c) => {}
            c if is_separator(c) && may_separate => {
                may_separate = false;
                continue;
            }
            _ => return false,
        }
        may_separate = true;
    }
    may_separate
}

/// Whether what stands in `[...]` is a set: characters and ranges of them, of which none is reversed; with `!` before them
/// all others.
fn is_set(set: &str) -> bool {
    let mut rest = set.strip_prefix('!').unwrap_or(set).chars().filter(|c| *c != ',').peekable();
    let is_empty = rest.peek().is_none();
    while let Some(first) = rest.next() {
        if !first.is_ascii_alphanumeric() {
            return false;
        }
        if rest.next_if_eq(&'-').is_some() {
            let is_range = |last: char| {
                let is_one_kind = first.is_ascii_digit() == last.is_ascii_digit()
                    && first.is_ascii_lowercase() == last.is_ascii_lowercase();
                last.is_ascii_alphanumeric() && is_one_kind && first <= last
            };
            if !rest.next().is_some_and(is_range) {
                return false;
            }
        }
    }
    !is_empty
}

/// What the first edition took: a text of the characters of interface names, with `*` and closed `[...]`.
pub(super) fn is_old_pattern(text: &str) -> bool {
    let mut is_in_set = false;
    let mut last = ' ';
    for c in text.chars() {
        let is_good = match c {
            '[' => !is_in_set,
            ']' => is_in_set && last != '[',
            '-' => true,
            ',' => is_in_set,
            '/' | '.' | ':' | '_' | '*' => !is_in_set,
            c => c.is_ascii_alphanumeric(),
        };
        if !is_good {
            return false;
        }
        is_in_set = c == '[' || (is_in_set && c != ']');
        last = c;
    }
    !is_in_set && text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '*' | '['))
}
