//! Texts that say something else than was meant: `${...}` outside of backticks, and objects that are printed.

use rhai::{Expr, FnCallExpr, Position};

use super::held::Held;
use super::walk::Walk;
use crate::diagnostic::{Code, LineColumn, excerpt};

/// Warns of a text in double quotes that names a variable in sight, or calls a function, in `${...}`.
pub(super) fn check_text(text: &str, at: Position, walk: &mut Walk<'_>) {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("${") {
        let Some((within, more)) = behind.split_once('}') else { return };
        rest = more;
        let word: String = within.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let is_call = within.trim_start().strip_prefix(word.as_str()).is_some_and(|rest| rest.starts_with('('));
        if walk.is_in_sight(&word) || (is_call && walk.own.counts(&word).is_some()) {
            let message =
                format!("`${{{}}}` stands for its value in backticks only, and here for itself", excerpt(within));
            let help = "put the text in backticks instead of double quotes";
            walk.warnings.add_with_help(Code::Text, at.into(), message, help);
            return;
        }
    }
}

/// Warns of what is printed into a text that is an object.
pub(super) fn check_printed(held: Held, at: LineColumn, walk: &mut Walk<'_>) {
    let Some((printed, help)) = printed(held, walk) else { return };
    let message = format!("this prints the word `{printed}`: it is an object, and no text");
    walk.warnings.add_with_help(Code::Text, at, message, help);
}

/// Warns of an object that is put behind or before a text by `+`.
pub(super) fn check_joined(call: &FnCallExpr, held: &[Held], walk: &mut Walk<'_>) {
    let ([left, right], [of_left, of_right]) = (call.args.as_slice(), held) else { return };
    let is_text = |expr: &Expr| matches!(expr, Expr::StringConstant(..) | Expr::InterpolatedString(..));
    if is_text(left) {
        check_printed(*of_right, right.start_position().into(), walk);
    } else if is_text(right) {
        check_printed(*of_left, left.start_position().into(), walk);
    }
}

/// What is printed of an object, and what to do about it.
fn printed(held: Held, walk: &Walk<'_>) -> Option<(&'static str, &'static str)> {
    match held {
        Held::Subject if walk.kind.is_none_or(|kind| kind.has_incident()) => {
            Some(("subject", "name a field of it, such as `id` or `synopsis`"))
        }
        Held::Subject => Some(("subject", "name a field of it")),
        Held::Device => Some(("subject", "name a field of it, such as `host_name`")),
        Held::Organization => Some(("org", "name a field of it, such as `name` or `display_name`")),
        Held::Service | Held::PlacedService => Some(("service", "write its name out")),
        _ => None,
    }
}
