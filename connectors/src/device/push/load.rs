//! What is loaded into the candidate for a change of a group, as Junos takes it.

use linesman_schemas::reaction::GroupChange;

use crate::device::netconf::junos::{Action, Load};

/// How and what: a group that is put replaces the one there is as a whole, and is applied.
pub(super) fn of(group: &str, change: &GroupChange) -> (Load, String) {
    match change {
        GroupChange::Put { text } => {
            let lines: String = text.lines().map(|line| format!("        {line}\n")).collect();
            let text = format!("groups {{\n    replace: {group} {{\n{lines}    }}\n}}\napply-groups {group};\n");
            (Load::Text(Action::Replace), text)
        }
        // What is not there is warned of.
        GroupChange::Remove => (Load::Set, format!("delete apply-groups {group}\ndelete groups {group}\n")),
    }
}

/// How many lines a difference has that came and that went, as Junos marks them.
pub(super) fn count(difference: &str) -> (usize, usize) {
    let begins = |mark| difference.lines().filter(|line| line.starts_with(mark)).count();
    (begins('+'), begins('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_they_are_marked() {
        assert_eq!(count("\n[edit]\n+  a;\n-  b;\n+  c;\n   d - e;\n"), (2, 1));
        assert_eq!(count("\n"), (0, 0));
    }
}
