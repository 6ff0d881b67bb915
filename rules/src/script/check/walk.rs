//! The way through a script's functions, with the variables in sight.

use std::collections::BTreeSet;

use rhai::{ASTFlags, Expr, FlowControl, FnCallExpr, Position, Stmt, StmtBlock};

use super::super::{Limits, foreign};
use super::functions::Functions;
use super::held::{Held, Parameters};
use super::survey::Survey;
use super::yielded::Yields;
use super::{Found, Function, calls, compared, fields, functions, loops, printed, services, sizes, yielded};
use crate::diagnostic::{Code, Faults, LineColumn, excerpt, nearest};
use crate::possible::{self, Possible};
use crate::subject::{Field, SubjectKind};
use crate::triggers::Triggers;

/// One walk through all functions.
pub(super) struct Walk<'a> {
    pub(super) survey: &'a Survey,
    /// What functions give.
    pub(super) yields: &'a Yields,
    /// The variables that are treated as if they might hold nothing.
    pub(super) excused: &'a BTreeSet<String>,
    pub(super) kind: Option<SubjectKind>,
    triggers: Option<&'a Triggers>,
    pub(super) limits: &'a Limits,
    /// The functions of the script itself.
    pub(super) own: Functions,
    pub(super) faults: Faults,
    pub(super) warnings: Faults,
    parameters: &'a mut Parameters,
    /// Whether this walk has seen a function be called with what was not known of.
    has_news: bool,
    variables: Vec<(String, Held)>,
    /// How many of these are the parameters of the function at hand.
    own_parameters: usize,
    /// Whether the function at hand has been told to hold too many variables.
    is_crowded: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        functions: &[Function],
        survey: &'a Survey,
        (yields, excused): (&'a Yields, &'a BTreeSet<String>),
        parameters: &'a mut Parameters,
        triggers: Option<&'a Triggers>,
        limits: &'a Limits,
    ) -> Self {
        let mut own = Functions::default();
        functions.iter().for_each(|function| own.add(&function.name, function.parameters.len()));
        Self {
            survey,
            yields,
            excused,
            kind: triggers.map(Triggers::kind),
            triggers,
            limits,
            own,
            faults: Faults::default(),
            warnings: Faults::default(),
            parameters,
            has_news: false,
            variables: Vec::new(),
            own_parameters: 0,
            is_crowded: false,
        }
    }

    /// What was found; nothing yet if there was news, which may concern what was walked before.
    pub(super) fn end(self) -> Option<Found> {
        (!self.has_news).then_some(Found { faults: self.faults, warnings: self.warnings })
    }

    /// What a field of the subject can hold.
    pub(super) fn possible(&self, field: Field) -> Possible {
        self.kind.map_or(Possible::Anything, |kind| Possible::of(field, kind, self.triggers))
    }

    /// When that is all it can hold, where else it holds more, and whether it hangs on the trigger.
    pub(super) fn when(&self, field: Field) -> (String, Option<&'static str>, bool) {
        let when = self.kind.map(|kind| possible::when(field, kind, self.triggers)).unwrap_or_default();
        let is_of_trigger = !when.is_empty();
        (when, possible::elsewhere(field, self.triggers).filter(|_| is_of_trigger), is_of_trigger)
    }

    /// Whether a variable is in sight.
    pub(super) fn is_in_sight(&self, name: &str) -> bool {
        self.variables.iter().any(|(known, _)| known == name)
    }

    pub(super) fn function(&mut self, function: &Function) {
        let held = self.parameters.of(&function.name, function.parameters.len());
        let pairs = function.parameters.iter().zip(held);
        self.variables = pairs.map(|(name, held)| (name.clone(), self.trusted(name, *held))).collect();
        self.own_parameters = self.variables.len();
        self.is_crowded = false;
        functions::check_hidden(function, self);
        self.statements(&function.statements);
        if function.is_entry() {
            loops::check_intents(&function.statements, self);
        }
    }

    fn statements<'s>(&mut self, statements: impl IntoIterator<Item = &'s Stmt>) {
        statements.into_iter().for_each(|statement| self.statement(statement));
    }

    /// The statements of a block; what is declared in it ends with it.
    fn block(&mut self, block: &StmtBlock) {
        let outside = self.variables.len();
        self.statements(block.statements());
        self.variables.truncate(outside);
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::If(flow, _) => {
                self.condition(&flow.expr);
                self.block(&flow.body);
                self.block(&flow.branch);
            }
            Stmt::Switch(switch, _) => {
                self.expr(&switch.0);
                for case in &switch.1.expressions {
                    self.condition(&case.lhs);
                    self.expr(&case.rhs);
                }
            }
            Stmt::While(flow, at) => {
                self.condition(&flow.expr);
                self.block(&flow.body);
                loops::check_endless(flow, *at, self);
                loops::check_unchanging(flow, *at, self);
            }
            Stmt::Do(flow, _, at) => {
                self.block(&flow.body);
                self.condition(&flow.expr);
                loops::check_unchanging(flow, *at, self);
            }
            Stmt::For(each, at) => {
                self.each(each.0.name.as_str(), each.1.as_ref().map(|i| i.name.as_str()), &each.2, *at)
            }
            Stmt::Var(declaration, _, at) => {
                let (name, init, redeclared) = &**declaration;
                let held = self.expr(init);
                yielded::check_variable(&name.name, init, self);
                self.check_hidden_parameter(&name.name, Some(init), *at);
                self.declare(&name.name, held, redeclared.is_some(), *at);
            }
            Stmt::Assignment(assignment) => {
                if let Expr::Variable(variable, ..) = &assignment.1.lhs {
                    yielded::check_variable(&variable.1, &assignment.1.rhs, self);
                }
                self.assign(&assignment.1.lhs, &assignment.1.rhs);
            }
            Stmt::FnCall(call, at) => {
                self.call(call, *at);
            }
            Stmt::Block(block) => self.block(block),
            Stmt::TryCatch(flow, _) => self.try_catch(flow),
            Stmt::Expr(expr) => {
                self.expr(expr);
            }
            Stmt::BreakLoop(Some(expr), ..) | Stmt::Return(Some(expr), ..) => {
                self.expr(expr);
            }
            _ => {}
        }
    }

    fn each(&mut self, name: &str, counter: Option<&str>, flow: &FlowControl, at: Position) {
        self.expr(&flow.expr);
        let outside = self.variables.len();
        for name in [Some(name), counter].into_iter().flatten() {
            self.check_hidden_parameter(name, None, at);
            self.declare(name, Held::Other, false, at);
        }
        self.block(&flow.body);
        self.variables.truncate(outside);
        loops::check_range(flow, at, self);
    }

    fn try_catch(&mut self, flow: &FlowControl) {
        self.block(&flow.body);
        let outside = self.variables.len();
        if let Expr::Variable(variable, _, at) = &flow.expr {
            self.check_hidden_parameter(&variable.1, None, *at);
            self.declare(&variable.1, Held::Other, false, *at);
        }
        self.block(&flow.branch);
        self.variables.truncate(outside);
    }

    fn condition(&mut self, condition: &Expr) {
        self.expr(condition);
        yielded::check_condition(condition, self);
    }

    /// Warns of a variable that hides a parameter, unless it is made of that.
    fn check_hidden_parameter(&mut self, name: &str, made_of: Option<&Expr>, at: Position) {
        let is_parameter = self.variables.iter().take(self.own_parameters).any(|(known, _)| known == name);
        if is_parameter && !made_of.is_some_and(|expr| loops::mentions(expr, name)) {
            let message = format!("`{}` hides the parameter of that name", excerpt(name));
            self.warnings.add_with_help(Code::Hides, at.into(), message, "choose another name");
        }
    }

    fn declare(&mut self, name: &str, held: Held, is_redeclared: bool, at: Position) {
        let most = self.limits.variables;
        let held = self.trusted(name, held);
        // The last of a name is the one in sight; declared again in its block, it takes the same place.
        if is_redeclared && let Some(known) = self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            known.1 = held;
            return;
        }
        if self.variables.len() >= most && !self.is_crowded {
            self.is_crowded = true;
            let message = format!("a function may hold {most} variables at a time, and this is one more");
            self.faults.add_with_help(
                Code::Limit,
                at.into(),
                message,
                "put what belongs together into a map or a function",
            );
        }
        self.variables.push((name.to_owned(), held));
    }

    /// What can be relied on: of a variable that is assigned to somewhere, nothing.
    fn trusted(&self, name: &str, held: Held) -> Held {
        if self.survey.has_captures || self.survey.is_assigned(name) { Held::Other } else { held }
    }

    fn assign(&mut self, target: &Expr, value: &Expr) {
        self.expr(value);
        match target {
            Expr::Dot(..) | Expr::Index(..) => {
                let known = self.faults.len();
                let (_, owner, name, at) = self.chain(target);
                if self.faults.len() == known {
                    fields::check_assignment(owner, name, at, self);
                }
            }
            _ => {
                self.expr(target);
            }
        }
    }

    /// Checks an expression and tells what it holds.
    pub(super) fn expr(&mut self, expr: &Expr) -> Held {
        match expr {
            Expr::Variable(variable, short, at) => {
                return self.variable(&variable.1, variable.0.is_some() || short.is_some(), *at);
            }
            Expr::Dot(..) | Expr::Index(..) => return self.chain(expr).0,
            Expr::FnCall(call, at) => return self.call(call, *at),
            Expr::Stmt(block) => self.block(block),
            Expr::StringConstant(text, at) => printed::check_text(text, *at, self),
            Expr::InterpolatedString(parts, _) => self.interpolated(parts),
            Expr::Array(items, _) => {
                sizes::check(expr, self);
                self.all(items);
            }
            Expr::Map(entries, _) => {
                sizes::check(expr, self);
                self.all(entries.0.iter().map(|(_, value)| value));
            }
            Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => self.all(&***parts),
            _ => {}
        }
        Held::Other
    }

    fn interpolated(&mut self, parts: &[Expr]) {
        for part in parts {
            // What stands in `${...}` is a block.
            let (held, at) = match part {
                Expr::Stmt(block) => match block.statements() {
                    [Stmt::Expr(only)] => (self.expr(only), only.start_position()),
                    _ => (self.expr(part), part.start_position()),
                },
                Expr::StringConstant(..) => continue,
                _ => (self.expr(part), part.start_position()),
            };
            printed::check_printed(held, at.into(), self);
        }
    }

    fn all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|expr| {
            self.expr(expr);
        });
    }

    fn variable(&mut self, name: &str, is_known: bool, at: Position) -> Held {
        if let Some((_, held)) = self.variables.iter().rev().find(|(known, _)| known == name) {
            return *held;
        }
        if !is_known && !self.survey.has_captures && self.own.counts(name).is_none() {
            self.unknown_variable(name, at.into());
        }
        Held::Other
    }

    fn unknown_variable(&mut self, name: &str, at: LineColumn) {
        let message = format!("unknown variable `{}`", excerpt(name));
        if let Some(help) = foreign::in_place_of(name) {
            self.faults.add_with_help(Code::UnknownVariable, at, message, help);
            return;
        }
        let known = self.variables.iter().map(|(known, _)| known.as_str());
        match nearest(name, known) {
            Some(known) => {
                self.faults.add_with_help(Code::UnknownVariable, at, message, format!("did you mean `{known}`?"))
            }
            None => {
                let help = "a function and a `|...| ...` see their own parameters and variables only";
                self.faults.add_with_help(Code::UnknownVariable, at, message, help);
            }
        }
    }

    /// Checks a call and tells what it gives.
    fn call(&mut self, call: &FnCallExpr, at: Position) -> Held {
        let arguments: Vec<Held> = call.args.iter().map(|argument| self.expr(argument)).collect();
        compared::check(call, at.into(), &arguments, self);
        if call.op_token.is_some() {
            if call.name == "+" {
                printed::check_joined(call, &arguments, self);
            }
            return Held::Other;
        }
        self.has_news |= self.parameters.see(&call.name, &arguments);
        calls::check_function(call, at.into(), &arguments, self);
        self.given(call, arguments.first().copied())
    }

    /// What a call gives: of a function of the script, anything.
    fn given(&self, call: &FnCallExpr, owner: Option<Held>) -> Held {
        let is_own = self.own.takes(&call.name, call.args.len());
        if is_own { Held::Other } else { services::given(&call.name, owner.unwrap_or_default()) }
    }

    /// Checks `a.b[c].d()` and tells what it holds, and of its last link the owner, name and place.
    fn chain<'e>(&mut self, expr: &'e Expr) -> (Held, Held, Option<&'e str>, LineColumn) {
        let (Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _)) = expr else {
            return (self.expr(expr), Held::Other, None, LineColumn::WHOLE);
        };
        let mut held = self.expr(&pair.lhs);
        let (mut is_dot, mut rest, mut flags) = (matches!(expr, Expr::Dot(..)), &pair.rhs, *flags);
        loop {
            // Where the chain goes on, the rest is a pair of the next link and what follows it.
            let next = match rest {
                Expr::Dot(pair, inner, _) | Expr::Index(pair, inner, _) if !flags.contains(ASTFlags::BREAK) => {
                    Some((matches!(rest, Expr::Dot(..)), pair, *inner))
                }
                _ => None,
            };
            let link = next.map_or(rest, |(_, pair, _)| &pair.lhs);
            let owner = held;
            let name;
            (name, held) = self.link(is_dot, link, owner);
            match next {
                Some((dot, pair, inner)) => (is_dot, rest, flags) = (dot, &pair.rhs, inner),
                None => return (held, owner, name, link.position().into()),
            }
        }
    }

    /// Checks one link of a chain and tells the property it names, and what it holds.
    fn link<'e>(&mut self, is_dot: bool, link: &'e Expr, owner: Held) -> (Option<&'e str>, Held) {
        match link {
            Expr::Property(property, at) if is_dot => {
                fields::check(owner, &property.2, (*at).into(), self);
                (Some(&property.2), fields::held(owner, &property.2, self.kind))
            }
            Expr::MethodCall(call, at) if is_dot => {
                let arguments: Vec<Held> = call.args.iter().map(|argument| self.expr(argument)).collect();
                calls::check_method(call, (*at).into(), owner, &arguments, self);
                (None, self.given(call, Some(owner)))
            }
            Expr::StringConstant(name, at) => {
                fields::check(owner, name, (*at).into(), self);
                (Some(name), fields::held(owner, name, self.kind))
            }
            other => {
                self.expr(other);
                (None, Held::Other)
            }
        }
    }
}
