//! What follows from conditions for the values they ask about: what they cannot be where one is true, or is not.

use minijinja::machinery::ast::{BinOpKind, CompareOpKind, Expr, UnaryOpKind};

use super::Way;
use super::condition::compared_by;
use crate::services::template::sort::{Sort, base, form};

impl Way<'_> {
    /// Takes out what values cannot be where a condition is true, or where it is not.
    pub(super) fn narrow(&mut self, condition: &Expr<'_>, is_true: bool) {
        match condition {
            Expr::UnaryOp(operation) if matches!(operation.op, UnaryOpKind::Not) => {
                self.narrow(&operation.expr, !is_true);
            }
            Expr::BinOp(operation) => {
                let is_and = matches!(operation.op, BinOpKind::ScAnd);
                if (is_and && is_true) || (matches!(operation.op, BinOpKind::ScOr) && !is_true) {
                    self.narrow(&operation.left, is_true);
                    self.narrow(&operation.right, is_true);
                }
                if let Some(op) = compared_by(operation.op) {
                    self.limit([&operation.left, &operation.right], op, is_true);
                }
            }
            // Of several comparisons side by side any may be the one that does not hold.
            Expr::Compare(compared) if is_true || compared.ops.len() == 1 => {
                let mut left = &compared.expr;
                for operation in &compared.ops {
                    self.limit([left, &operation.expr], operation.op, is_true);
                    left = &operation.expr;
                }
            }
            Expr::Test(test) => {
                if let Expr::Var(variable) = &test.expr {
                    self.know(variable.id, narrowed(test.name, self.look_up(variable.id), is_true));
                }
            }
            Expr::Var(variable) => {
                let sort = self.look_up(variable.id);
                if sort.is_only(form::SINGLE | form::UNDEFINED) && sort.is_of(base::BOOLEAN) {
                    self.know(variable.id, Sort { truth: Some(is_true), ..sort.with(sort.forms & !form::UNDEFINED) });
                }
            }
            _ => {}
        }
    }

    /// A name that is known already stands for this from here on.
    fn know(&mut self, name: &str, sort: Sort) {
        // IMPORTANT: where the name stands already, so that it lives as long as its scope.
        if let Some(known) = self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(name)) {
            *known = sort;
        }
    }

    /// Takes out of both operands what they cannot be where a comparison holds, or does not.
    fn limit(&mut self, operands: [&Expr<'_>; 2], op: CompareOpKind, is_true: bool) {
        // Of what is calculated little is known, and it may take long.
        if !operands.into_iter().all(is_plain) {
            return;
        }
        let [left, right] = operands;
        let [of_left, of_right] = [self.sort(left), self.sort(right)];
        let op = if is_true { op } else { opposite(op) };
        for (operand, op, by) in [(left, Some(op), &of_right), (right, mirrored(op), &of_left)] {
            if let (Expr::Var(variable), Some(op)) = (operand, op) {
                let sort = self.look_up(variable.id);
                self.know(variable.id, limited(sort, op, by));
            }
        }
    }
}

/// Whether it is a name or a literal, with filters or a sign at the most.
fn is_plain(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Var(_) | Expr::Const(_) | Expr::List(_) => true,
        Expr::UnaryOp(operation) => matches!(operation.op, UnaryOpKind::Neg) && is_plain(&operation.expr),
        Expr::Filter(filter) => filter.args.is_empty() && filter.expr.as_ref().is_some_and(is_plain),
        _ => false,
    }
}

/// What holds where a comparison does not.
const fn opposite(op: CompareOpKind) -> CompareOpKind {
    match op {
        CompareOpKind::Eq => CompareOpKind::Ne,
        CompareOpKind::Ne => CompareOpKind::Eq,
        CompareOpKind::Lt => CompareOpKind::Gte,
        CompareOpKind::Lte => CompareOpKind::Gt,
        CompareOpKind::Gt => CompareOpKind::Lte,
        CompareOpKind::Gte => CompareOpKind::Lt,
        CompareOpKind::In => CompareOpKind::NotIn,
        CompareOpKind::NotIn => CompareOpKind::In,
    }
}

/// The same with its operands the other way round; none where that says nothing of the right one.
const fn mirrored(op: CompareOpKind) -> Option<CompareOpKind> {
    Some(match op {
        CompareOpKind::Lt => CompareOpKind::Gt,
        CompareOpKind::Lte => CompareOpKind::Gte,
        CompareOpKind::Gt => CompareOpKind::Lt,
        CompareOpKind::Gte => CompareOpKind::Lte,
        CompareOpKind::In | CompareOpKind::NotIn => return None,
        op => op,
    })
}

/// A value of which a comparison with another holds. Nothing is taken out of what may be anything, and nothing for what
/// may be.
fn limited(sort: Sort, op: CompareOpKind, by: &Sort) -> Sort {
    if sort.base & base::OTHER != 0 || by.base & base::OTHER != 0 {
        return sort;
    }
    let element = matches!(op, CompareOpKind::In | CompareOpKind::NotIn).then(|| by.element());
    let by = match &element {
        Some(_) if !by.is_only(form::LIST) || by.nests || by.negates => return sort,
        Some(element) => element,
        None => by,
    };
    if !by.is_only(form::SINGLE) {
        return sort;
    }
    match op {
        CompareOpKind::Eq | CompareOpKind::In => same(sort, by),
        CompareOpKind::Ne => other(sort, by, by.words.as_ref().is_some_and(|words| words.len() == 1)),
        CompareOpKind::NotIn => other(sort, by, true),
        // What is no number has no order with one: that fails.
        _ if by.is_of(base::INTEGER | base::FLOAT) => ordered(sort, op, by),
        _ => sort,
    }
}

/// A value that equals another.
fn same(sort: Sort, by: &Sort) -> Sort {
    if by.is_of(base::TEXTS) {
        let words = match (&sort.words, &by.words) {
            (Some(words), Some(others)) => Some(words.iter().filter(|word| others.contains(word)).cloned().collect()),
            (words, others) => words.clone().or_else(|| others.clone()),
        };
        return Sort { words, base: sort.base & base::TEXTS, ..sort.with(sort.forms & form::SINGLE) };
    }
    if by.is_of(base::INTEGER | base::FLOAT) {
        let numbers = Sort { base: sort.base & base::NUMBERS, ..sort.with(sort.forms & form::SINGLE) };
        return within(numbers, by.bounds);
    }
    sort
}

/// A value that equals none of the words of another, all of which are known; or not its number.
fn other(sort: Sort, by: &Sort, is_each: bool) -> Sort {
    if let (Some(words), Some(others)) = (&sort.words, &by.words)
        && is_each
        && by.is_of(base::TEXTS)
    {
        let words: Vec<String> = words.iter().filter(|word| !others.contains(word)).cloned().collect();
        return match words.is_empty() {
            true => Sort { base: sort.base & !base::TEXTS, words: None, ..sort },
            false => Sort { words: Some(words), ..sort },
        };
    }
    let number = by.bounds.filter(|(first, last)| first == last && by.is_of(base::INTEGER) && is_whole(&sort));
    let Some((number, _)) = number else { return sort };
    let bounds = sort.bounds.map(|(first, last)| {
        (if first == number { first + 1 } else { first }, if last == number { last - 1 } else { last })
    });
    Sort { bounds: bounds.filter(|(first, last)| first <= last).or(sort.bounds), ..sort }
}

/// Whether all numbers that it may be are whole.
const fn is_whole(sort: &Sort) -> bool {
    sort.base & base::FLOAT == 0
}

/// A number that is less than another, or more.
fn ordered(sort: Sort, op: CompareOpKind, by: &Sort) -> Sort {
    let numbers = Sort { base: sort.base & (base::INTEGER | base::FLOAT), ..sort.with(sort.forms & form::SINGLE) };
    let Some((first, last)) = by.bounds else { return numbers };
    let step = i128::from(is_whole(&numbers) && is_whole(by));
    within(
        numbers,
        Some(match op {
            CompareOpKind::Lt => (i128::MIN, last.saturating_sub(step)),
            CompareOpKind::Lte => (i128::MIN, last),
            CompareOpKind::Gt => (first.saturating_add(step), i128::MAX),
            _ => (first, i128::MAX),
        }),
    )
}

/// A number that lies within bounds besides.
fn within(sort: Sort, bounds: Option<(i128, i128)>) -> Sort {
    let Some((from, to)) = bounds else { return sort };
    let (first, last) = sort.bounds.unwrap_or((i128::MIN, i128::MAX));
    let (first, last) = (first.max(from), last.min(to));
    match first <= last {
        true => Sort { bounds: Some((first, last)), ..sort },
        // There is no such number, so nothing is known of what stands here.
        false => Sort { forms: 0, ..sort },
    }
}

/// A value of which a test holds, or does not.
fn narrowed(test: &str, sort: Sort, is_true: bool) -> Sort {
    let form_of = match test {
        // What is not there is the only thing that is not defined.
        "defined" if is_true => return sort.with(sort.forms & !form::UNDEFINED),
        "defined" => form::UNDEFINED,
        "negated" if is_true => form::NEGATED,
        "several" if is_true => form::LIST,
        "negated" => return sort.with(sort.forms & !form::NEGATED),
        "several" => return sort.with(sort.forms & !form::LIST),
        "ranged" if is_true => {
            return Sort { base: sort.base & (base::RANGES | base::OTHER), ..sort.with(sort.forms & form::SINGLE) };
        }
        "ranged" if sort.is_only(form::SINGLE | form::UNDEFINED) => {
            return Sort { base: sort.base & !base::RANGES, ..sort };
        }
        _ => return sort,
    };
    sort.with(sort.forms & form_of)
}
