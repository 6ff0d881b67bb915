//! What expressions come to, and what in them fails whatever the values are.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Filter, UnaryOpKind};

use super::{Way, extent};
use crate::diagnostic::Code;
use crate::services::template::sort::{Sort, base, form};

impl Way<'_> {
    /// What an expression comes to.
    pub(super) fn sort(&mut self, expression: &Expr<'_>) -> Sort {
        match expression {
            Expr::Var(variable) => self.look_up(variable.id),
            Expr::Const(constant) => {
                self.keep_literal(&constant.value);
                Sort::literal(&constant.value)
            }
            Expr::List(list) => {
                let elements: Vec<Sort> = list.items.iter().map(|item| self.sort(item)).collect();
                Sort::list_of(elements.into_iter())
            }
            Expr::UnaryOp(operation) => {
                self.sort(&operation.expr);
                let is_not = matches!(operation.op, UnaryOpKind::Not);
                Sort::single(if is_not { base::BOOLEAN } else { base::INTEGER | base::FLOAT | base::OTHER })
            }
            Expr::BinOp(operation) if matches!(operation.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
                self.truth(expression);
                Sort::any()
            }
            Expr::BinOp(operation) => self.calculation(operation.op, &operation.left, &operation.right),
            Expr::Compare(compared) => {
                self.sort(&compared.expr);
                compared.ops.iter().for_each(|operation| drop(self.sort(&operation.expr)));
                Sort::single(base::BOOLEAN)
            }
            Expr::Test(test) => {
                self.sort(&test.expr);
                self.arguments(&test.args);
                Sort::single(base::BOOLEAN)
            }
            Expr::IfExpr(condition) => {
                self.choice(&condition.test_expr, &condition.true_expr, condition.false_expr.as_ref())
            }
            Expr::Filter(filter) => self.filtered(expression, filter),
            Expr::GetAttr(attribute) => {
                let of = self.sort(&attribute.expr);
                let is_range = of.is_only(form::SINGLE | form::UNDEFINED) && of.is_of(base::RANGES);
                if !is_range || !matches!(attribute.name, "first" | "last") {
                    return Sort::any();
                }
                let numbers = if of.base & base::RANGE_OF_NUMBERS != 0 { base::INTEGER | base::FLOAT } else { 0 };
                let addresses = if of.base & base::RANGE_OF_ADDRESSES != 0 { base::ADDRESS } else { 0 };
                Sort { bounds: of.bounds, ..Sort::single(numbers | addresses) }
            }
            Expr::GetItem(item) => {
                self.sort(&item.expr);
                self.sort(&item.subscript_expr);
                Sort::any()
            }
            Expr::Slice(slice) => {
                self.sort(&slice.expr);
                Sort::any()
            }
            Expr::Call(call) => {
                self.sort(&call.expr);
                self.arguments(&call.args);
                Sort::any()
            }
            Expr::Tuple(_) | Expr::Map(_) => Sort::any(),
        }
    }

    pub(super) fn arguments(&mut self, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => drop(self.sort(value)),
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {}
            }
        }
    }

    /// `then if condition else otherwise`.
    fn choice(&mut self, condition: &Expr<'_>, then: &Expr<'_>, otherwise: Option<&Expr<'_>>) -> Sort {
        self.flow.conditions += 1;
        let truth = self.truth(condition);
        let before = self.scopes.clone();
        let mut sorts: Vec<Sort> = Vec::new();
        for (is_true, branch) in [(true, Some(then)), (false, otherwise)] {
            if truth == Some(!is_true) {
                if branch.is_some() {
                    self.unreachable(condition, is_true);
                }
                continue;
            }
            self.narrow(condition, is_true);
            let none = Sort::single(0).with(form::UNDEFINED);
            sorts.push(branch.map_or(none, |branch| self.sort(branch)));
            self.scopes.clone_from(&before);
        }
        sorts.into_iter().reduce(|one, other| one.or(&other)).unwrap_or_else(Sort::any)
    }

    fn calculation(&mut self, op: BinOpKind, left: &Expr<'_>, right: &Expr<'_>) -> Sort {
        let sorts = [self.sort(left), self.sort(right)];
        let sign = match op {
            BinOpKind::Sub => "-",
            BinOpKind::Div => "/",
            BinOpKind::FloorDiv => "//",
            BinOpKind::Rem => "%",
            BinOpKind::Pow => "**",
            BinOpKind::Concat => return Sort::single(base::TEXT),
            BinOpKind::Add | BinOpKind::Mul => return Sort::any(),
            _ => return Sort::single(base::BOOLEAN),
        };
        for (operand, sort) in [left, right].into_iter().zip(&sorts) {
            let may_be_number = sort.has(form::SINGLE) && sort.base & (base::NUMBERS | base::OTHER) != 0;
            if !may_be_number && sort.has(form::SINGLE | form::NEGATED | form::LIST) && !sort.is_never() {
                let meant = self.meant(extent(operand));
                let message = format!("`{sign}` wants numbers, and `{meant}` is {}", sort.describe());
                self.refuse(extent(operand), Code::WrongType, message, Some("calculate with numbers".to_owned()));
            }
        }
        Sort::single(base::INTEGER | base::FLOAT | base::OTHER)
    }

    fn filtered(&mut self, expression: &Expr<'_>, filter: &Filter<'_>) -> Sort {
        self.arguments(&filter.args);
        let Some(of) = &filter.expr else { return Sort::any() };
        let sort = self.sort(of);
        let Some(wanted) = wanted(filter.name) else { return Sort::any() };
        let is_there = sort.has(form::SINGLE | form::NEGATED | form::LIST) && !sort.is_never();
        if is_there && !takes(filter.name, &sort) {
            let (name, meant) = (filter.name, self.meant(extent(of)));
            let message = format!("`{name}` wants {wanted}, and `{meant}` is {}", sort.describe());
            let help = if sort.is_only(form::LIST) {
                "loop over it with `{% for %}`, or take its `|first`".to_owned()
            } else {
                "take another filter, or a parameter of another type".to_owned()
            };
            self.refuse(extent(expression), Code::WrongType, message, Some(help));
            return Sort::any();
        }
        result(filter.name, &sort)
    }
}

/// What a filter wants, for people; nothing where it takes all.
fn wanted(filter: &str) -> Option<&'static str> {
    Some(match filter {
        "address" | "prefix_length" | "mask" | "host" => "a network or an address",
        "family" => "a network, an address or a range of addresses",
        "physical" | "unit" => "an interface",
        "rate" => "a whole number",
        "name" => "a text",
        "length" => "a list or a map",
        "items" => "a map",
        "list" | "positive" | "negative" | "first" | "last" => "a value or a list",
        "bare" | "except" => "any value",
        _ => return None,
    })
}

/// Whether there is a value of a sort that a filter takes.
fn takes(filter: &str, sort: &Sort) -> bool {
    let is_single = |bases: u16| sort.has(form::SINGLE) && sort.base & (bases | base::OTHER) != 0;
    let networks = base::TEXT | base::ADDRESS | base::NETWORK;
    match filter {
        "address" | "prefix_length" | "mask" | "host" => is_single(networks),
        "family" => {
            is_single(networks | base::RANGE_OF_ADDRESSES)
                || sort.has(form::NEGATED) && sort.base & (networks | base::OTHER) != 0
        }
        "physical" | "unit" => is_single(base::TEXT | base::INTERFACE),
        "rate" => is_single(base::NUMBERS),
        "name" => is_single(base::TEXTS),
        "length" => sort.has(form::LIST) || is_single(base::MAP),
        "items" => is_single(base::MAP),
        "list" | "positive" | "negative" | "first" | "last" => {
            sort.has(form::LIST | form::NEGATED) || is_single(base::ALL & !base::MAP)
        }
        _ => true,
    }
}

/// What a filter gives of a value that it takes.
fn result(filter: &str, sort: &Sort) -> Sort {
    let may_negate = sort.has(form::NEGATED) || sort.has(form::LIST) && sort.negates;
    let list = |negates| Sort { negates, ..sort.with(form::LIST) };
    match filter {
        "address" | "host" => Sort::single(base::ADDRESS),
        "mask" => Sort::single(base::ADDRESS),
        "prefix_length" => Sort::numbers(0, 128),
        "family" => Sort::words(["inet", "inet6"]),
        "physical" => Sort::single(base::TEXT | base::INTERFACE),
        "unit" => Sort::numbers(0, u32::MAX.into()),
        "rate" | "name" => Sort::single(base::TEXT),
        "length" => Sort { bounds: Some((0, i64::MAX.into())), ..Sort::single(base::INTEGER) },
        "list" => list(may_negate),
        "positive" => list(false),
        "negative" => unbounded(list(false)),
        "first" | "last" => sort.element(),
        "bare" => bare(sort, 0),
        "except" => bare(sort, base::OTHER),
        _ => Sort::any(),
    }
}

/// The value behind a `not`, with what else may come of one.
fn bare(sort: &Sort, more: u16) -> Sort {
    if !sort.has(form::NEGATED) {
        return sort.clone();
    }
    unbounded(Sort { base: sort.base | more, ..sort.with((sort.forms & !form::NEGATED) | form::SINGLE) })
}

/// What stands beneath a `not` in a list is held by no constraint.
fn unbounded(sort: Sort) -> Sort {
    Sort { bounds: None, words: None, ..sort }
}
