//! Loops and actions that cannot keep to the limits, whatever the subject is.

use std::collections::BTreeSet;

use rhai::{ASTFlags, ASTNode, Expr, FlowControl, Position, Stmt};

use super::super::actions::ACTIONS;
use super::super::forwarding::FORWARD;
use super::services;
use super::walk::Walk;
use crate::diagnostic::Code;
use crate::literal::{self, Literal};

/// Reports a loop without condition that nothing leaves.
pub(super) fn check_endless(flow: &FlowControl, at: Position, walk: &mut Walk<'_>) {
    let is_unconditional = matches!(flow.expr, Expr::Unit(_) | Expr::BoolConstant(true, _));
    if is_unconditional && !walk.survey.has_catch && !has_way_out(flow) {
        let message = "this loop never ends";
        walk.faults.add_with_help(Code::Limit, at.into(), message, "leave it with `break`, `return` or `throw`");
    }
}

/// Warns of a loop whose condition nothing in it changes: once it is begun it only ends by a limit.
pub(super) fn check_unchanging(flow: &FlowControl, at: Position, walk: &mut Walk<'_>) {
    let mut variables = BTreeSet::new();
    let is_constant = flow.expr.is_constant();
    each_within(&flow.expr, |expr| {
        if let Expr::Variable(variable, ..) = expr {
            variables.insert(variable.1.to_string());
        }
    });
    if is_constant || walk.survey.has_catch || walk.survey.has_captures || has_way_out(flow) {
        return;
    }
    let mut is_touched = false;
    each_within(&flow.expr, |expr| is_touched |= touches(expr, &variables));
    for statement in flow.body.iter() {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            is_touched |= match path.last() {
                Some(ASTNode::Expr(expr)) => touches(expr, &variables),
                Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => is_rooted(&assignment.1.lhs, &variables),
                Some(ASTNode::Stmt(Stmt::FnCall(call, _))) => first_is(&call.args, &variables),
                Some(ASTNode::Stmt(Stmt::Var(declaration, ..))) => variables.contains(declaration.0.name.as_str()),
                _ => false,
            };
            !is_touched
        });
    }
    if !is_touched {
        let message = "nothing in this loop changes its condition";
        let help = "let it change what the condition looks at, or leave it with `break`";
        walk.warnings.add_with_help(Code::Limit, at.into(), message, help);
    }
}

/// Whether an expression may change one of these variables: a function of the host may change what it is given first.
fn touches(expr: &Expr, variables: &BTreeSet<String>) -> bool {
    match expr {
        Expr::Dot(pair, ..) => is_rooted(&pair.lhs, variables) && any_call(&pair.rhs),
        Expr::Index(pair, ..) => is_rooted(&pair.lhs, variables) && any_call(&pair.rhs),
        Expr::FnCall(call, _) => call.op_token.is_none() && first_is(&call.args, variables),
        _ => false,
    }
}

fn first_is(arguments: &[Expr], variables: &BTreeSet<String>) -> bool {
    arguments.first().is_some_and(|first| is_rooted(first, variables))
}

/// Whether a chain begins with one of these variables.
fn is_rooted(expr: &Expr, variables: &BTreeSet<String>) -> bool {
    match expr {
        Expr::Variable(variable, ..) => variables.contains(variable.1.as_str()),
        Expr::Dot(pair, ..) | Expr::Index(pair, ..) => is_rooted(&pair.lhs, variables),
        _ => false,
    }
}

fn any_call(expr: &Expr) -> bool {
    let mut is_found = false;
    each_within(expr, |expr| is_found |= matches!(expr, Expr::MethodCall(..)));
    is_found
}

/// Whether an expression mentions a variable.
pub(super) fn mentions(expr: &Expr, name: &str) -> bool {
    let mut is_found = false;
    each_within(expr, |expr| {
        is_found |= matches!(expr, Expr::Variable(variable, ..) if variable.1.as_str() == name);
    });
    is_found
}

fn each_within(expr: &Expr, mut seen: impl FnMut(&Expr)) {
    expr.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Expr(expr)) = path.last() {
            seen(expr);
        }
        true
    });
}

/// Reports a `for` over more numbers than there may be operations.
pub(super) fn check_range(flow: &FlowControl, at: Position, walk: &mut Walk<'_>) {
    let most = walk.limits.operations;
    let is_too_long = rounds(&flow.expr).is_some_and(|rounds| rounds > most);
    if is_too_long && !walk.survey.has_catch && !has_way_out(flow) {
        let message = format!("this loop has more rounds than the {most} operations a script may take");
        walk.faults.add(Code::Limit, at.into(), message);
    }
}

/// Reports a function that asks for more actions than are allowed, whatever it is given.
pub(super) fn check_intents(statements: &[Stmt], walk: &mut Walk<'_>) {
    let most = walk.limits.intents;
    let mut count = 0_u64;
    for statement in statements {
        if matches!(statement, Stmt::Return(..)) {
            return;
        }
        count = count.saturating_add(actions_of(statement, walk));
        if count > most as u64 {
            let message = format!("a script may ask for {most} actions, and this asks for more");
            walk.faults.add(Code::Limit, statement.position().into(), message);
            return;
        }
        // Behind a statement that may end the function, nothing is certain.
        if may_leave(statement) {
            return;
        }
    }
}

/// How many actions a statement asks for at least.
fn actions_of(statement: &Stmt, walk: &Walk<'_>) -> u64 {
    let is_action = |name: &str, count: usize| {
        (name == FORWARD || ACTIONS.iter().any(|action| action.name == name)) && !walk.own.takes(name, count)
    };
    match statement {
        Stmt::FnCall(call, _) => u64::from(is_action(&call.name, call.args.len())),
        Stmt::Expr(_) if services::is_wish(statement, walk) => 1,
        Stmt::Expr(expr) => match &**expr {
            Expr::FnCall(call, _) => u64::from(is_action(&call.name, call.args.len())),
            _ => 0,
        },
        Stmt::For(each, _) if !each.2.body.iter().any(may_leave) => {
            let once = each.2.body.iter().map(|inner| actions_of(inner, walk)).fold(0, u64::saturating_add);
            rounds(&each.2.expr).unwrap_or(0).saturating_mul(once)
        }
        _ => 0,
    }
}

/// How often a `for` over a range of numbers goes round.
fn rounds(range: &Expr) -> Option<u64> {
    match literal::read(range).value {
        Literal::Range { first, last } => u64::try_from(last.saturating_sub(first).saturating_add(1)).ok(),
        _ => None,
    }
}

/// Whether anything in a loop may end it. What ends an inner loop alone is taken for it too.
fn has_way_out(flow: &FlowControl) -> bool {
    let is_way_out = |statement: &Stmt| match statement {
        Stmt::Return(..) => true,
        Stmt::BreakLoop(_, flags, _) => flags.contains(ASTFlags::BREAK),
        _ => false,
    };
    flow.body.iter().any(|statement| any_within(statement, is_way_out))
}

/// Whether a statement may end the function or a round of a loop.
fn may_leave(statement: &Stmt) -> bool {
    any_within(statement, |statement| matches!(statement, Stmt::Return(..) | Stmt::BreakLoop(..)))
}

fn any_within(statement: &Stmt, is_wanted: impl Fn(&Stmt) -> bool) -> bool {
    let mut is_found = false;
    statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
        is_found |= matches!(path.last(), Some(ASTNode::Stmt(statement)) if is_wanted(statement));
        !is_found
    });
    is_found
}
