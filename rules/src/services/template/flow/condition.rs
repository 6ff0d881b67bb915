//! What is certain of conditions. What follows from them for the values they ask about is in `narrowing`.

use minijinja::machinery::ast::{BinOpKind, CompareOpKind, Expr, UnaryOpKind};

use super::Way;
use crate::services::template::sort::{Sort, are_apart, base, form};

impl Way<'_> {
    /// Whether a condition holds, where that is certain of every run that gets beyond it.
    pub(super) fn truth(&mut self, condition: &Expr<'_>) -> Option<bool> {
        match condition {
            Expr::Const(constant) => Some(constant.value.is_true()),
            Expr::UnaryOp(operation) if matches!(operation.op, UnaryOpKind::Not) => {
                self.truth(&operation.expr).map(|truth| !truth)
            }
            Expr::BinOp(operation) => match operation.op {
                BinOpKind::ScAnd => self.both(&operation.left, &operation.right, true),
                BinOpKind::ScOr => self.both(&operation.left, &operation.right, false).map(|truth| !truth),
                op => {
                    let of = [self.sort(condition), self.sort(&operation.left), self.sort(&operation.right)];
                    let [whole, left, right] = of;
                    compared_by(op).map_or_else(|| truthy(&whole), |op| compare(op, &left, &right))
                }
            },
            Expr::Compare(compared) => {
                self.sort(condition);
                let mut left = self.sort(&compared.expr);
                let mut truth = Some(true);
                for operation in &compared.ops {
                    let right = self.sort(&operation.expr);
                    truth = and(truth, compare(operation.op, &left, &right));
                    left = right;
                }
                truth
            }
            Expr::Test(test) => {
                self.sort(condition);
                let sort = self.sort(&test.expr);
                tested(test.name, &sort)
            }
            other => truthy(&self.sort(other)),
        }
    }

    /// Of `is_and` whether both hold, otherwise whether neither does.
    fn both(&mut self, left: &Expr<'_>, right: &Expr<'_>, is_and: bool) -> Option<bool> {
        let first = self.truth(left).map(|truth| truth == is_and);
        let before = self.scopes.clone();
        self.narrow(left, is_and);
        let second = self.truth(right).map(|truth| truth == is_and);
        self.scopes = before;
        // Where the first is certainly not so, the second is not asked.
        if first == Some(false) { Some(false) } else { and(first, second) }
    }

    /// What the values that a condition asks about are, for people.
    pub(super) fn why(&self, condition: &Expr<'_>) -> Option<String> {
        let mut names: Vec<&str> = Vec::new();
        collect(condition, &mut names);
        names.dedup();
        let told = names.iter().filter_map(|name| {
            let sort = self.look_up(name);
            (sort != Sort::any() && !sort.is_never()).then(|| format!("`{name}` is {}", told(&sort)))
        });
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}

/// What a value is, with what is known of it.
fn told(sort: &Sort) -> String {
    let mut text = sort.describe();
    if let (Some((first, last)), true) = (sort.bounds, sort.is_of(base::INTEGER | base::FLOAT)) {
        text.push_str(&match (first == i128::MIN, last == i128::MAX) {
            (true, true) => String::new(),
            (true, false) => format!(" up to {last}"),
            (false, true) => format!(" from {first} on"),
            _ if first == last => format!(", {first}"),
            _ => format!(" from {first} to {last}"),
        });
    }
    if let (Some(words), true) = (&sort.words, sort.is_of(base::TEXTS)) {
        let words: Vec<String> =
            words.iter().take(8).map(|word| format!("`{}`", crate::diagnostic::excerpt(word))).collect();
        text.push_str(&format!(": {}", words.join(", ")));
    }
    if let (Some(truth), true) = (sort.truth, sort.is_of(base::BOOLEAN)) {
        text.push_str(&format!(", {truth}"));
    }
    if !sort.has(form::UNDEFINED) {
        text.push_str(" and always there");
    }
    text
}

fn collect<'e>(condition: &'e Expr<'_>, names: &mut Vec<&'e str>) {
    match condition {
        Expr::Var(variable) => names.push(variable.id),
        Expr::UnaryOp(operation) => collect(&operation.expr, names),
        Expr::BinOp(operation) => {
            collect(&operation.left, names);
            collect(&operation.right, names);
        }
        Expr::Compare(compared) => {
            collect(&compared.expr, names);
            compared.ops.iter().for_each(|operation| collect(&operation.expr, names));
        }
        Expr::Test(test) => collect(&test.expr, names),
        Expr::Filter(filter) => filter.expr.iter().for_each(|filtered| collect(filtered, names)),
        _ => {}
    }
}

const fn and(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

pub(super) const fn compared_by(op: BinOpKind) -> Option<CompareOpKind> {
    Some(match op {
        BinOpKind::Eq => CompareOpKind::Eq,
        BinOpKind::Ne => CompareOpKind::Ne,
        BinOpKind::Lt => CompareOpKind::Lt,
        BinOpKind::Lte => CompareOpKind::Lte,
        BinOpKind::Gt => CompareOpKind::Gt,
        BinOpKind::Gte => CompareOpKind::Gte,
        BinOpKind::In => CompareOpKind::In,
        _ => return None,
    })
}

/// Whether a value counts as true. A run that finds none there fails, and so gets nowhere.
fn truthy(sort: &Sort) -> Option<bool> {
    if !sort.is_only(form::SINGLE | form::UNDEFINED) || !sort.has(form::SINGLE) {
        return None;
    }
    if sort.is_of(base::ADDRESS | base::NETWORK | base::INTERFACE | base::RANGES) {
        return Some(true);
    }
    if sort.is_of(base::INTEGER | base::FLOAT) {
        return match sort.bounds {
            Some((first, last)) if first > 0 || last < 0 => Some(true),
            Some((0, 0)) => Some(false),
            _ => None,
        };
    }
    if sort.is_of(base::BOOLEAN) {
        return sort.truth;
    }
    let words = sort.words.as_ref().filter(|_| sort.is_of(base::TEXT))?;
    if words.iter().all(|word| !word.is_empty()) { Some(true) } else { None }
}

fn tested(test: &str, sort: &Sort) -> Option<bool> {
    if sort.is_never() {
        return None;
    }
    let (may, may_not) = match test {
        "defined" => (sort.is_only(form::UNDEFINED), !sort.has(form::UNDEFINED)),
        "negated" => (!sort.has(form::NEGATED), sort.is_only(form::NEGATED)),
        "several" => (!sort.has(form::LIST), sort.is_only(form::LIST)),
        "ranged" => (
            !sort.has(form::SINGLE) || sort.base & base::RANGES == 0,
            sort.is_only(form::SINGLE) && sort.is_of(base::RANGES),
        ),
        _ => return None,
    };
    // What only templates make may be anything.
    if sort.base & base::OTHER != 0 && test != "defined" {
        return None;
    }
    if may { Some(false) } else { may_not.then_some(true) }
}

/// What is certain of a comparison.
fn compare(op: CompareOpKind, left: &Sort, right: &Sort) -> Option<bool> {
    if left.is_never() || right.is_never() {
        return None;
    }
    let negated = |truth: Option<bool>| truth.map(|truth| !truth);
    match op {
        CompareOpKind::Eq => equal(left, right),
        CompareOpKind::Ne => negated(equal(left, right)),
        CompareOpKind::In => among(left, right),
        CompareOpKind::NotIn => negated(among(left, right)),
        CompareOpKind::Lt => less(left, right, false),
        CompareOpKind::Lte => less(left, right, true),
        CompareOpKind::Gt => less(right, left, false),
        CompareOpKind::Gte => less(right, left, true),
    }
}

fn equal(left: &Sort, right: &Sort) -> Option<bool> {
    if are_apart(left, right) {
        return Some(false);
    }
    let number = |sort: &Sort| {
        let bounds = sort.bounds.filter(|(first, last)| first == last);
        bounds.filter(|_| sort.is_only(form::SINGLE) && sort.is_of(base::INTEGER))
    };
    let word = |sort: &Sort| match sort.words.as_deref() {
        Some([word]) if sort.is_only(form::SINGLE) && sort.is_of(base::TEXTS) => Some(word.clone()),
        _ => None,
    };
    let truth = |sort: &Sort| sort.truth.filter(|_| sort.is_only(form::SINGLE) && sort.is_of(base::BOOLEAN));
    if let (Some(one), Some(other)) = (truth(left), truth(right)) {
        return Some(one == other);
    }
    let is_same = number(left).zip(number(right)).is_some_and(|(one, other)| one == other)
        || word(left).zip(word(right)).is_some_and(|(one, other)| one == other);
    is_same.then_some(true)
}

/// Whether a value is an element of a list of literals.
fn among(value: &Sort, list: &Sort) -> Option<bool> {
    let is_known = list.is_only(form::LIST) && !list.nests && list.base & base::OTHER == 0;
    (is_known && (list.base == 0 || are_apart(value, &list.element()))).then_some(false)
}

/// Whether one number is less than another, or with `or_equal` not more. What is not there is not compared: that fails.
fn less(left: &Sort, right: &Sort, or_equal: bool) -> Option<bool> {
    let number = |sort: &Sort| {
        let is_number = sort.has(form::SINGLE) && sort.is_only(form::SINGLE | form::UNDEFINED);
        sort.bounds.filter(|_| is_number && sort.is_of(base::INTEGER | base::FLOAT))
    };
    let ((first, last), (from, to)) = number(left).zip(number(right))?;
    if last < from || (or_equal && last == from) {
        return Some(true);
    }
    (first > to || (!or_equal && first == to)).then_some(false)
}
