//! Values that are asked of branches and functions which give none.
//!
//! A warning each: the branch may never be taken. The last statement of a block is its value, with or without a semicolon.
//! An `if` without `else`, a `switch` without `_`, a declaration and a `for` have none: `()`. Who writes `()` out means it.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::super::actions::ACTIONS;
use super::super::forwarding::FORWARD;
use super::Function;
use super::walk::Walk;
use crate::diagnostic::{Code, LineColumn, excerpt};

/// What a piece of a script gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Gives {
    /// A value, whatever happens, or what is not known.
    Value,
    /// Never a value; where that is seen, and why.
    Nothing(Position, Lack),
    /// A value in some branches; where one has none, and why.
    Sometimes(Position, Lack),
    /// It is left before its end.
    Left,
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Lack {
    /// The branch that stands there ends without.
    Branch,
    /// There is no branch for what is left.
    Else,
    /// Nor one of a `switch`.
    Default,
}

impl Lack {
    const fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Branch => ("this branch has none", "let it end with the value, or with `()` where none is meant"),
            Self::Else => ("there is no `else`", "add it with the value, or with `()` where none is meant"),
            Self::Default => ("there is no case `_`", "add it with the value, or with `()` where none is meant"),
        }
    }
}

impl Gives {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Left, gives) | (gives, Self::Left) => gives,
            (Self::Value, Self::Value) => Self::Value,
            (Self::Nothing(at, why), Self::Nothing(..)) => Self::Nothing(at, why),
            (Self::Sometimes(at, why) | Self::Nothing(at, why), _)
            | (_, Self::Sometimes(at, why) | Self::Nothing(at, why)) => Self::Sometimes(at, why),
        }
    }

    const fn missing(self) -> Option<(Position, Lack)> {
        match self {
            Self::Nothing(at, why) | Self::Sometimes(at, why) => Some((at, why)),
            Self::Value | Self::Left => None,
        }
    }
}

/// What the functions of a script give, by name and how many parameters they have.
#[derive(Debug, Default)]
pub(super) struct Yields(BTreeMap<(String, usize), Gives>);

impl Yields {
    pub(super) fn of(functions: &[Function]) -> Self {
        let mut yields = Self::default();
        // One that calls another is known once that is; what is not known by then is taken for a value.
        for _ in 0..=functions.len().min(8) {
            for function in functions {
                let gives = yields.function(&function.statements);
                yields.0.insert((function.name.clone(), function.parameters.len()), gives);
            }
        }
        yields
    }

    fn function(&self, statements: &[Stmt]) -> Gives {
        let mut gives = self.block(statements, Position::NONE);
        for statement in statements {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
                if let Some(ASTNode::Stmt(Stmt::Return(value, flags, at))) = path.last()
                    && !flags.contains(ASTFlags::BREAK)
                {
                    gives =
                        gives.or(value.as_deref().map_or(Gives::Nothing(*at, Lack::Branch), |value| self.expr(value)));
                }
                true
            });
        }
        gives
    }

    fn block(&self, statements: &[Stmt], at: Position) -> Gives {
        if statements.iter().any(|statement| self.statement(statement) == Gives::Left) {
            return Gives::Left;
        }
        statements.last().map_or(Gives::Nothing(at, Lack::Branch), |last| self.statement(last))
    }

    fn statement(&self, statement: &Stmt) -> Gives {
        let at = statement.position();
        match statement {
            Stmt::Expr(expr) => self.expr(expr),
            Stmt::FnCall(call, at) => self.call(call, *at),
            Stmt::If(flow, at) => {
                let body = self.block(flow.body.statements(), flow.body.position());
                body.or(match flow.branch.position() {
                    place if place.is_none() => Gives::Nothing(*at, Lack::Else),
                    place => self.block(flow.branch.statements(), place),
                })
            }
            Stmt::Switch(switch, at) => {
                let cases = &switch.1;
                let missing = if cases.def_case.is_none() { Gives::Nothing(*at, Lack::Default) } else { Gives::Left };
                cases.expressions.iter().map(|case| self.expr(&case.rhs)).fold(missing, Gives::or)
            }
            Stmt::Block(block) => self.block(block.statements(), block.position()),
            Stmt::TryCatch(flow, _) => {
                let body = self.block(flow.body.statements(), at);
                body.or(self.block(flow.branch.statements(), at))
            }
            Stmt::Return(..) | Stmt::BreakLoop(..) => Gives::Left,
            // A loop may be left with a value, or never.
            Stmt::While(..) | Stmt::Do(..) => Gives::Value,
            Stmt::For(each, _) if each.2.body.iter().any(leaves_with_value) => Gives::Value,
            _ => Gives::Nothing(at, Lack::Branch),
        }
    }

    fn expr(&self, expr: &Expr) -> Gives {
        match expr {
            Expr::Stmt(block) => self.block(block.statements(), block.position()),
            Expr::FnCall(call, at) => self.call(call, *at),
            _ => Gives::Value,
        }
    }

    fn call(&self, call: &FnCallExpr, at: Position) -> Gives {
        let (name, count) = (call.name.as_str(), call.args.len());
        match self.0.get(&(name.to_owned(), count)) {
            Some(Gives::Nothing(..)) => Gives::Nothing(at, Lack::Branch),
            Some(Gives::Sometimes(..)) => Gives::Sometimes(at, Lack::Branch),
            Some(_) => Gives::Value,
            None if name == FORWARD || ACTIONS.iter().any(|action| action.name == name) => {
                Gives::Nothing(at, Lack::Branch)
            }
            None => Gives::Value,
        }
    }
}

fn leaves_with_value(statement: &Stmt) -> bool {
    let mut is_found = false;
    statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
        is_found |= matches!(path.last(), Some(ASTNode::Stmt(Stmt::BreakLoop(Some(_), ..))));
        !is_found
    });
    is_found
}

/// The variables that a script treats as if they might hold nothing: by `??`, `?.`, or a comparison with `()`.
pub(super) fn excused(script: &AST) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut excuse = |expr: &Expr| {
        if let Expr::Variable(variable, ..) = expr {
            names.insert(variable.1.to_string());
        }
    };
    script.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Coalesce(parts, _))) => parts.iter().for_each(&mut excuse),
            Some(ASTNode::Expr(Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _)))
                if flags.contains(ASTFlags::NEGATED) =>
            {
                excuse(&pair.lhs);
            }
            Some(ASTNode::Expr(Expr::FnCall(call, _))) if is_test_of_nothing(call) => {
                call.args.iter().for_each(&mut excuse);
            }
            _ => {}
        }
        true
    });
    names
}

fn is_test_of_nothing(call: &FnCallExpr) -> bool {
    matches!(call.name.as_str(), "==" | "!=") && call.args.iter().any(|argument| matches!(argument, Expr::Unit(_)))
        || call.name == "type_of"
}

/// Warns of what a variable is given that is no value, or none in a branch.
pub(super) fn check_variable(name: &str, value: &Expr, walk: &mut Walk<'_>) {
    if walk.excused.contains(name) {
        return;
    }
    let gives = walk.yields.expr(value);
    match (value, gives) {
        (Expr::FnCall(call, at), Gives::Nothing(..)) => say_nothing(call, (*at).into(), walk),
        (Expr::Stmt(_), gives) => {
            if let Some((at, why)) = gives.missing() {
                let (why, help) = why.told();
                let message = format!("`{}` may be left without a value: {why}", excerpt(name));
                walk.warnings.add_with_help(Code::NoValue, at.into(), message, help);
            }
        }
        _ => {}
    }
}

/// Warns of a condition that may be none.
pub(super) fn check_condition(condition: &Expr, walk: &mut Walk<'_>) {
    match condition {
        Expr::FnCall(call, _) if call.name == "!" => call.args.iter().for_each(|part| check_condition(part, walk)),
        Expr::And(parts, _) | Expr::Or(parts, _) => parts.iter().for_each(|part| check_condition(part, walk)),
        Expr::FnCall(call, at) => {
            let key = (call.name.to_string(), call.args.len());
            match walk.yields.0.get(&key).copied() {
                Some(Gives::Sometimes(missing, why)) => {
                    let line = LineColumn::from(missing).line;
                    let (why, _) = why.told();
                    let message = format!("`{}` has not always a value, and a condition needs one", call.name);
                    let help = format!("see line {line}, where {why}: let it give `true` or `false`");
                    walk.warnings.add_with_help(Code::NoValue, (*at).into(), message, help);
                }
                _ if walk.yields.call(call, *at).missing().is_some() => say_nothing(call, (*at).into(), walk),
                _ => {}
            }
        }
        Expr::Stmt(_) => {
            if let Some((at, why)) = walk.yields.expr(condition).missing() {
                let message = format!("the condition may be left without a value: {}", why.told().0);
                walk.warnings.add_with_help(Code::NoValue, at.into(), message, "let it give `true` or `false`");
            }
        }
        _ => {}
    }
}

/// A call that gives nothing where a value is wanted.
fn say_nothing(call: &FnCallExpr, at: LineColumn, walk: &mut Walk<'_>) {
    let name = call.name.as_str();
    let message = format!("`{name}` has no result");
    let help = match walk.own.takes(name, call.args.len()) {
        true => "let it end with the value, or with `return` and the value",
        false => "an action is asked for here, and done once the decision stands in the log",
    };
    walk.warnings.add_with_help(Code::NoValue, at, message, help);
}
