//! What expressions come to, and what in them fails whatever the values are.

use minijinja::Value;
use minijinja::machinery::ast::{BinOpKind, CallArg, Compare, CompareOpKind, Expr, Filter, UnaryOpKind};
use minijinja::value::ValueKind;

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
                let sort = self.sort(&operation.expr);
                if matches!(operation.op, UnaryOpKind::Not) {
                    return Sort::single(base::BOOLEAN);
                }
                if let Some(number) = constants(expression).first() {
                    self.keep_literal(number);
                    return Sort::literal(number);
                }
                self.want_number("-", &operation.expr, &sort);
                Sort::single(base::INTEGER | base::FLOAT | base::OTHER)
            }
            Expr::BinOp(operation) if matches!(operation.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
                self.truth(expression);
                Sort::any()
            }
            Expr::BinOp(operation) => self.calculation(operation.op, &operation.left, &operation.right),
            Expr::Compare(compared) => {
                self.chain(compared);
                Sort::single(base::BOOLEAN)
            }
            Expr::Test(test) => {
                self.sort(&test.expr);
                self.want_none(expression, ("test", test.name), &test.args);
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
                    self.want_part(&attribute.expr, &of, attribute.name);
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
                self.call(expression, &call.expr, &call.args);
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
            BinOpKind::Mul => "*",
            BinOpKind::Concat => return Sort::single(base::TEXT),
            BinOpKind::Add => return self.sum([left, right], &sorts),
            _ => {
                self.keep_compared(left, right);
                if matches!(op, BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte) {
                    self.want_order([left, right], &sorts);
                }
                return Sort::single(base::BOOLEAN);
            }
        };
        for (operand, sort) in [left, right].into_iter().zip(&sorts) {
            self.want_number(sign, operand, sort);
        }
        let [_, divisor] = &sorts;
        let is_zero = divisor.is_only(form::SINGLE) && divisor.bounds == Some((0, 0));
        if is_zero && matches!(sign, "/" | "//" | "%") {
            let message = format!("`{sign}` divides by `{}`, which is zero", self.meant(extent(right)));
            self.refuse(extent(right), Code::WrongType, message, Some("divide by another number".to_owned()));
        }
        Sort::single(base::INTEGER | base::FLOAT | base::OTHER)
    }

    /// Two numbers, two texts or two lists.
    fn sum(&mut self, operands: [&Expr<'_>; 2], sorts: &[Sort; 2]) -> Sort {
        let [left, right] = sorts;
        let shared = kinds(left) & kinds(right);
        if shared == 0 && is_there(left) && is_there(right) {
            let [one, other] = operands.map(|operand| self.meant(extent(operand)));
            let (of_one, of_other) = (left.describe(), right.describe());
            let message = format!("`+` adds numbers, texts or lists, and `{one}` is {of_one}, `{other}` {of_other}");
            let [first, last] = operands.map(extent);
            self.refuse(first.start..last.end, Code::WrongType, message, Some("add what is alike".to_owned()));
        }
        match shared {
            NUMBER => Sort::single(base::INTEGER | base::FLOAT),
            TEXT => Sort::single(base::TEXT),
            _ => Sort::any(),
        }
    }

    /// What is calculated with is a number.
    fn want_number(&mut self, sign: &str, operand: &Expr<'_>, sort: &Sort) {
        if kinds(sort) & NUMBER == 0 && is_there(sort) {
            let meant = self.meant(extent(operand));
            let message = format!("`{sign}` wants numbers, and `{meant}` is {}", sort.describe());
            self.refuse(extent(operand), Code::WrongType, message, Some("calculate with numbers".to_owned()));
        }
    }

    /// What is compared by order has one.
    pub(super) fn want_order(&mut self, operands: [&Expr<'_>; 2], [left, right]: &[Sort; 2]) {
        if kinds(left) & kinds(right) == 0 && is_there(left) && is_there(right) {
            let [first, last] = operands.map(extent);
            let range = first.start..last.end;
            let (meant, left, right) = (self.meant(range.clone()), left.describe(), right.describe());
            let message = format!("`{meant}` compares {left} with {right}, which have no order");
            let help = "compare two numbers, two texts or two lists".to_owned();
            self.refuse(range, Code::WrongType, message, Some(help));
        }
    }

    /// What is asked for a part of it has parts.
    fn want_part(&mut self, of: &Expr<'_>, sort: &Sort, part: &str) {
        let has_names = sort.has(form::SINGLE) && sort.base & (base::MAP | base::OTHER) != 0;
        let has_ends = sort.has(form::SINGLE) && sort.base & base::RANGES != 0 && matches!(part, "first" | "last");
        if is_there(sort) && !has_names && !has_ends {
            let message = format!("`{}` is {} and has no `{part}`", self.meant(extent(of)), sort.describe());
            let help = "a range has `first` and `last`, and a map its own names".to_owned();
            self.refuse(extent(of), Code::WrongType, message, Some(help));
        }
    }

    /// The operands of comparisons side by side.
    fn chain(&mut self, compared: &Compare<'_>) {
        let (mut left, mut of_left) = (&compared.expr, self.sort(&compared.expr));
        for operation in &compared.ops {
            let right = self.sort(&operation.expr);
            self.keep_compared(left, &operation.expr);
            if is_order(operation.op) {
                self.want_order([left, &operation.expr], &[of_left, right.clone()]);
            }
            (left, of_left) = (&operation.expr, right);
        }
    }

    fn filtered(&mut self, expression: &Expr<'_>, filter: &Filter<'_>) -> Sort {
        self.want_arguments(expression, filter);
        let Some(of) = &filter.expr else { return Sort::any() };
        let sort = self.sort(of);
        let Some(wanted) = wanted(filter.name) else { return Sort::any() };
        if is_there(&sort) && !takes(filter.name, &sort) {
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

const NUMBER: u8 = 1;
const TEXT: u8 = 2;
const LIST: u8 = 4;

/// Of what has an order and can be added, what a value may be.
fn kinds(sort: &Sort) -> u8 {
    let is_single = |bases: u16| sort.has(form::SINGLE) && sort.base & (bases | base::OTHER) != 0;
    let may = |is_so: bool, kind: u8| if is_so { kind } else { 0 };
    let list = sort.has(form::LIST) || is_single(0);
    may(is_single(base::INTEGER | base::FLOAT), NUMBER) | may(is_single(base::TEXTS), TEXT) | may(list, LIST)
}

/// Whether there may be a value, of which something is known.
const fn is_there(sort: &Sort) -> bool {
    sort.has(form::SINGLE | form::NEGATED | form::LIST) && !sort.is_never()
}

/// Whether it is about which of two comes first.
pub(super) const fn is_order(op: CompareOpKind) -> bool {
    matches!(op, CompareOpKind::Lt | CompareOpKind::Lte | CompareOpKind::Gt | CompareOpKind::Gte)
}

/// The literals that an expression is, or is a list of.
pub(super) fn constants(expression: &Expr<'_>) -> Vec<Value> {
    match expression {
        Expr::Const(constant) if constant.value.kind() == ValueKind::Seq => {
            constant.value.try_iter().into_iter().flatten().collect()
        }
        Expr::Const(constant) => vec![constant.value.clone()],
        Expr::List(list) => list.items.iter().flat_map(constants).collect(),
        Expr::UnaryOp(operation) if matches!(operation.op, UnaryOpKind::Neg) => {
            let Expr::Const(constant) = &operation.expr else { return Vec::new() };
            let whole = i64::try_from(constant.value.clone()).ok().and_then(i64::checked_neg).map(Value::from);
            let float = || f64::try_from(constant.value.clone()).ok().map(|number| Value::from(-number));
            let is_number = constant.value.is_number();
            whole.filter(|_| is_number).or_else(|| float().filter(|_| is_number)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The name that an expression is, behind filters.
pub(super) fn named<'e>(expression: &'e Expr<'_>) -> Option<&'e str> {
    match expression {
        Expr::Var(variable) => Some(variable.id),
        Expr::Filter(filter) => named(filter.expr.as_ref()?),
        _ => None,
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
        "rate" => is_single(base::INTEGER | base::FLOAT),
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
        "family" => Sort { base: base::SPELLED, ..Sort::words(["inet", "inet6"]) },
        "physical" => Sort::single(base::TEXT | base::INTERFACE),
        "unit" => Sort::numbers(0, u32::MAX.into()),
        "rate" | "name" => Sort::single(base::SPELLED),
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
