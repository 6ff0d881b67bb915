//! What a script's literals make of its steps. A step over a text, a list or a map that stands in the script as it is reads no
//! variable and calls nothing of ours, so that nothing of it is charged by its size: each step of the script costs more instead, by
//! the largest of them.

use rhai::{AST, ASTNode, Expr};

/// Bytes of the largest literal for each operation that a step costs more: what Rhai does to a text takes some nanoseconds a byte.
const BYTES_PER_OPERATION: usize = 512;
/// The same of its items and entries: what Rhai does to them takes some tens of nanoseconds each.
const ITEMS_PER_OPERATION: usize = 64;

/// How many operations each step of a script costs beside itself: none where its literals are of usual size.
pub(super) fn weight(script: &AST) -> u64 {
    let mut most = 0;
    script.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Expr(literal)) = path.last()
            && literal.is_constant()
        {
            let Size { bytes, items } = Size::of(literal);
            most = most.max(bytes / BYTES_PER_OPERATION + items / ITEMS_PER_OPERATION);
        }
        true
    });
    u64::try_from(most).unwrap_or(u64::MAX)
}

/// The size of a literal with all within.
#[derive(Default, Clone, Copy)]
struct Size {
    bytes: usize,
    items: usize,
}

impl Size {
    fn of(literal: &Expr) -> Self {
        let sum = |sum: Self, other: Self| Self { bytes: sum.bytes + other.bytes, items: sum.items + other.items };
        let item = |item: &Expr| sum(Self::of(item), Self { bytes: 0, items: 1 });
        match literal {
            Expr::StringConstant(text, _) => Self { bytes: text.len(), items: 0 },
            Expr::InterpolatedString(pieces, _) => pieces.iter().map(Self::of).fold(Self::default(), sum),
            Expr::Array(items, _) => items.iter().map(item).fold(Self::default(), sum),
            Expr::Map(map, _) => {
                let entry =
                    |(key, value): &(rhai::Ident, Expr)| sum(item(value), Self { bytes: key.name.len(), items: 0 });
                map.0.iter().map(entry).fold(Self::default(), sum)
            }
            _ => Self::default(),
        }
    }
}
