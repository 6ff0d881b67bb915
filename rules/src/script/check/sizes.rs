//! Lists and maps written out that are larger, with all within, than a value may be.

use rhai::Expr;

use super::walk::Walk;
use crate::diagnostic::Code;

/// What a list or map has at least. Texts cannot be too long: a source has fewer bytes than a text may.
#[derive(Default)]
struct Size {
    items: usize,
    entries: usize,
}

/// Reports a list or map that exceeds a limit.
pub(super) fn check(expr: &Expr, walk: &mut Walk<'_>) {
    let mut size = Size::default();
    size.add(expr);
    let limits = walk.limits;
    let message = if size.items > limits.array_items {
        format!("a list may have {} items with those of lists within, and this has {}", limits.array_items, size.items)
    } else if size.entries > limits.map_entries {
        format!(
            "a map may have {} entries with those of maps within, and this has {}",
            limits.map_entries, size.entries
        )
    } else {
        return;
    };
    walk.faults.add(Code::Limit, expr.position().into(), message);
}

impl Size {
    fn add(&mut self, expr: &Expr) {
        match expr {
            Expr::Array(items, _) => {
                self.items += items.len();
                items.iter().for_each(|item| self.add(item));
            }
            Expr::Map(entries, _) => {
                self.entries += entries.0.len();
                entries.0.iter().for_each(|(_, value)| self.add(value));
            }
            _ => {}
        }
    }
}
