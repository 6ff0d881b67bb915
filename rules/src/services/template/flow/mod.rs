//! Follows a template through its branches with what its values may be, and finds what is certain whatever they are: a
//! filter that fails wherever a run comes to it, a branch that none comes to.
//!
//! It decides from the sorts of values alone and says nothing where it does not know.

mod calls;
mod condition;
mod expression;
mod narrowing;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use minijinja::Value;
use minijinja::machinery::ast::{Expr, ForLoop, Macro, Stmt};

pub(super) use self::calls::Others;
use self::expression::{constants, named};
use super::fault::Fault;
use super::inspect::range;
use super::sort::{Sort, base, form};
use crate::diagnostic::{Code, excerpt};

/// The most literals that are collected.
const LITERALS_MOST: usize = 64;

/// A template's file and text.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) file: &'a str,
    pub(super) source: &'a str,
}

/// What was found.
#[derive(Debug, Default)]
pub(in crate::services) struct Flow {
    /// What fails, or is never rendered.
    pub(in crate::services) faults: Vec<Fault>,
    /// What may surprise.
    pub(in crate::services) warnings: Vec<Fault>,
    /// Values that are printed without a look whether they are there, by name.
    pub(in crate::services) unguarded: Vec<(String, Fault)>,
    /// Numbers and texts that the templates compare with.
    pub(in crate::services) literals: Vec<Value>,
    /// The same, with the name of what each is compared with.
    pub(in crate::services) compared: Vec<(String, Value)>,
    /// How many conditions there are.
    pub(in crate::services) conditions: usize,
    /// How many calls and includes were followed.
    followed: usize,
}

/// Follows one template, of values of these sorts; `named` is what the templates give names to.
pub(super) fn follow<'a>(
    (text, tree, others): (Text<'a>, &Stmt<'_>, &'a Others<'a>),
    sorts: &BTreeMap<&str, Sort>,
    named: &'a BTreeSet<&'a str>,
    flow: &'a mut Flow,
) {
    // What a macro sees of names that are given anywhere depends on where it is called.
    let free: Scope = sorts.iter().filter(|(name, _)| !named.contains(*name)).map(owned).collect();
    let is_included = text.file.starts_with('_');
    let first = match is_included {
        true => free.iter().map(|(name, sort)| (name.clone(), sort.with(sort.forms | form::UNDEFINED))).collect(),
        false => sorts.iter().map(owned).collect(),
    };
    flow.followed = 0;
    let mut way = Way { text, others, free, named, scopes: vec![first], is_free: is_included, depth: 0, flow };
    way.statement(tree);
}

type Scope = BTreeMap<String, Sort>;

fn owned((name, sort): (&&str, &Sort)) -> (String, Sort) {
    ((*name).to_owned(), sort.clone())
}

/// The way through one template.
struct Way<'a> {
    text: Text<'a>,
    /// What it may call and include.
    others: &'a Others<'a>,
    /// What macros see.
    free: Scope,
    named: &'a BTreeSet<&'a str>,
    /// What names stand for, the innermost last.
    scopes: Vec<Scope>,
    /// Whether what stands here is rendered from elsewhere, where conditions may stand.
    is_free: bool,
    /// How many calls and includes led here.
    depth: usize,
    flow: &'a mut Flow,
}

impl Way<'_> {
    fn fault(&self, at: Range<usize>, code: Code, message: String, help: Option<String>) -> Fault {
        Fault::between(self.text.file, self.text.source, at, message, help).sort(code)
    }

    fn refuse(&mut self, at: Range<usize>, code: Code, message: String, help: Option<String>) {
        // What this call does not come to another may.
        if self.depth > 0 && code == Code::Unreachable {
            return;
        }
        let fault = self.fault(at, code, message, help);
        // A condition is looked at once for what it says, and again for what follows from it.
        if !self.flow.faults.contains(&fault) {
            self.flow.faults.push(fault);
        }
    }

    /// What stands at a place of the template.
    fn meant(&self, at: Range<usize>) -> String {
        excerpt(self.text.source.get(at).unwrap_or_default())
    }

    fn look_up(&self, name: &str) -> Sort {
        self.scopes.iter().rev().find_map(|scope| scope.get(name)).cloned().unwrap_or_else(Sort::any)
    }

    /// Gives a name in the innermost scope.
    fn bind(&mut self, target: &Expr<'_>, sort: Sort) {
        match target {
            Expr::Var(variable) => self.bind_name(variable.id, sort),
            Expr::List(list) => list.items.iter().for_each(|item| self.bind(item, Sort::any())),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.bind(item, Sort::any())),
            _ => {}
        }
    }

    fn bind_name(&mut self, name: &str, sort: Sort) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_owned(), sort);
        }
    }

    /// What is found in a scope of its own.
    fn within(&mut self, inner: impl FnOnce(&mut Self)) {
        let before = self.scopes.clone();
        self.scopes.push(Scope::new());
        inner(self);
        self.scopes = before;
    }

    fn statements(&mut self, statements: &[Stmt<'_>]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => self.emit(&emit.expr),
            Stmt::IfCond(condition) => {
                let bodies = [&condition.true_body[..], &condition.false_body[..]];
                self.branch(&condition.expr, bodies);
            }
            Stmt::ForLoop(each) => self.loop_over(each),
            Stmt::WithBlock(with) => self.within(|way| {
                for (target, value) in &with.assignments {
                    let sort = way.sort(value);
                    way.bind(target, sort);
                }
                way.statements(&with.body);
            }),
            Stmt::Set(set) => {
                let sort = self.sort(&set.expr);
                self.bind(&set.target, sort);
            }
            Stmt::SetBlock(set) => {
                self.statements(&set.body);
                self.bind(&set.target, Sort::any());
            }
            Stmt::Macro(definition) => {
                self.definition(definition);
                self.bind_name(definition.name, Sort::any());
            }
            Stmt::CallBlock(block) => {
                self.call(&block.call.expr, &block.call.expr, &block.call.args);
                self.definition(&block.macro_decl);
            }
            Stmt::Do(call) => self.call(&call.call.expr, &call.call.expr, &call.call.args),
            // What another file gives names to may be known from here on.
            Stmt::Include(_) | Stmt::FromImport(_) => {
                if let Stmt::Include(include) = statement {
                    self.include(&include.name);
                }
                let named = self.named;
                named.iter().for_each(|name| self.bind_name(name, Sort::any()));
            }
            // Those that are left print text only, or were refused before.
            _ => {}
        }
    }

    fn definition(&mut self, definition: &Macro<'_>) {
        let before = std::mem::replace(&mut self.scopes, vec![self.free.clone(), Scope::new()]);
        let was_free = std::mem::replace(&mut self.is_free, true);
        definition.defaults.iter().for_each(|default| drop(self.sort(default)));
        definition.args.iter().for_each(|argument| self.bind(argument, Sort::any()));
        self.statements(&definition.body);
        (self.scopes, self.is_free) = (before, was_free);
    }

    /// What is printed.
    fn emit(&mut self, printed: &Expr<'_>) {
        let sort = self.sort(printed);
        let what = [(base::BOOLEAN, "write `{% if %}`"), (base::MAP, "print one of its values")];
        for (of, help) in what {
            // Of `{{ x if y }}` nothing is printed where `y` is not so.
            let is_there = sort.has(form::SINGLE) && !matches!(printed, Expr::IfExpr(_));
            if is_there && sort.is_only(form::SINGLE | form::UNDEFINED) && sort.is_of(of) {
                let message = format!(
                    "`{}` is {}, which is no word of a configuration",
                    self.meant(extent(printed)),
                    sort.describe()
                );
                self.refuse(extent(printed), Code::WrongType, message, Some(help.to_owned()));
            }
        }
        let mut inner = printed;
        while let Expr::Filter(filter) = inner
            && let Some(filtered) = &filter.expr
        {
            inner = filtered;
        }
        if let Expr::Var(variable) = inner
            && self.look_up(variable.id).is_only(form::UNDEFINED)
        {
            let message = format!("`{}` never has a value here, which fails", variable.id);
            let help = "give it one where the macro is called, or ask `is defined` first".to_owned();
            self.refuse(extent(inner), Code::MayBeMissing, message, Some(help));
            return;
        }
        if let Expr::Var(variable) = inner
            && !self.is_free
            && Some(self.look_up(variable.id)).is_some_and(|sort| sort.has(form::UNDEFINED) && sort != Sort::any())
        {
            let message = format!("`{}` may have no value here, which fails", variable.id);
            let help = "require the parameter, give it a default, or ask `is defined` first".to_owned();
            let fault = self.fault(extent(inner), Code::MayBeMissing, message, Some(help));
            self.flow.unguarded.push((variable.id.to_owned(), fault));
        }
    }

    /// Two branches, of which what is certain of the condition says which are rendered.
    fn branch(&mut self, condition: &Expr<'_>, [then, otherwise]: [&[Stmt<'_>]; 2]) {
        self.flow.conditions += 1;
        let truth = self.truth(condition);
        let before = self.scopes.clone();
        let mut after: Vec<Vec<Scope>> = Vec::new();
        for (is_true, body) in [(true, then), (false, otherwise)] {
            self.scopes.clone_from(&before);
            if truth == Some(!is_true) {
                if !is_blank(body) {
                    self.unreachable(condition, is_true);
                }
                continue;
            }
            self.narrow(condition, is_true);
            self.statements(body);
            after.push(std::mem::take(&mut self.scopes));
        }
        self.scopes = joined(&before, after);
    }

    fn unreachable(&mut self, condition: &Expr<'_>, is_true: bool) {
        let (what, behind) =
            if is_true { ("never", "what it guards") } else { ("always", "what stands behind its `else` or `elif`") };
        let message = format!("`{}` is {what} true: {behind} is never rendered", self.meant(extent(condition)));
        let help = self.why(condition);
        self.refuse(extent(condition), Code::Unreachable, message, help);
    }

    fn loop_over(&mut self, each: &ForLoop<'_>) {
        let list = self.sort(&each.iter);
        if list.is_only(form::LIST) && list.base == 0 && !list.nests && !is_blank(&each.body) {
            let message = format!("`{}` is empty: the loop is never rendered", self.meant(extent(&each.iter)));
            self.refuse(extent(&each.iter), Code::Unreachable, message, Some("leave the loop out".to_owned()));
        }
        if let Expr::Filter(filter) = &each.iter
            && let Some(filtered @ Expr::Var(_)) = &filter.expr
        {
            self.look_at_list(&each.iter, filter.name, filtered);
        }
        self.within(|way| {
            // What one round gives names to is there in the next.
            way.forget(&each.body);
            way.bind(&each.target, if each.recursive { Sort::any() } else { list.element() });
            way.bind_name("loop", Sort::any());
            if let Some(filter) = &each.filter_expr {
                way.truth(filter);
                way.narrow(filter, true);
            }
            way.statements(&each.body);
        });
        let before = self.scopes.clone();
        self.statements(&each.else_body);
        let after = std::mem::take(&mut self.scopes);
        self.scopes = joined(&before, vec![before.clone(), after]);
    }

    /// Knows no more what the names stand for that statements give.
    fn forget(&mut self, statements: &[Stmt<'_>]) {
        for statement in statements {
            match statement {
                Stmt::Set(set) => self.bind(&set.target, Sort::any()),
                Stmt::SetBlock(set) => {
                    self.bind(&set.target, Sort::any());
                    self.forget(&set.body);
                }
                Stmt::IfCond(condition) => {
                    self.forget(&condition.true_body);
                    self.forget(&condition.false_body);
                }
                Stmt::Macro(definition) => self.bind_name(definition.name, Sort::any()),
                Stmt::Include(_) | Stmt::FromImport(_) => self.statement(statement),
                _ => {}
            }
        }
    }

    /// A loop over what is never a list, or over what a list never has.
    fn look_at_list(&mut self, list: &Expr<'_>, filter: &str, of: &Expr<'_>) {
        let sort = self.sort(of);
        let meant = self.meant(extent(of));
        if sort.is_never() {
            return;
        }
        let may_negate = sort.has(form::NEGATED) || sort.has(form::LIST) && sort.negates;
        if filter == "negative" && !may_negate {
            let message = format!("`{meant}` is never negated: the loop is never rendered");
            self.refuse(extent(list), Code::Unreachable, message, Some("its type takes no `not`".to_owned()));
        } else if !sort.has(form::LIST) && filter != "items" {
            let message = format!("`{meant}` is never a list: the loop is rendered once");
            let help = Some("leave the loop out".to_owned());
            let fault = self.fault(extent(list), Code::Unreachable, message, help);
            if self.depth == 0 {
                self.flow.warnings.push(fault);
            }
        }
    }

    /// Remembers what a name is compared with.
    fn keep_compared(&mut self, left: &Expr<'_>, right: &Expr<'_>) {
        for (one, other) in [(left, right), (right, left)] {
            let Some(name) = named(one) else { continue };
            for literal in constants(other) {
                let pair = (name.to_owned(), literal);
                if self.flow.compared.len() < LITERALS_MOST && !self.flow.compared.contains(&pair) {
                    self.flow.compared.push(pair);
                }
            }
        }
    }

    fn keep_literal(&mut self, value: &Value) {
        if self.flow.literals.len() < LITERALS_MOST && !self.flow.literals.contains(value) {
            self.flow.literals.push(value.clone());
        }
    }
}

/// From the first to the last of what stands in an expression: the engine tells of some only where their sign stands.
pub(super) fn extent(expression: &Expr<'_>) -> Range<usize> {
    let own = range(expression.span());
    let (first, last) = match expression {
        Expr::BinOp(operation) => (Some(extent(&operation.left)), Some(extent(&operation.right))),
        Expr::Compare(compared) => {
            (Some(extent(&compared.expr)), compared.ops.last().map(|operation| extent(&operation.expr)))
        }
        Expr::UnaryOp(operation) => (None, Some(extent(&operation.expr))),
        Expr::Test(test) => (Some(extent(&test.expr)), None),
        Expr::Filter(filter) => (filter.expr.as_ref().map(extent), None),
        _ => (None, None),
    };
    first.map_or(own.start, |first| first.start)..last.map_or(own.end, |last| last.end)
}

/// Whether nothing but blanks stands there.
fn is_blank(body: &[Stmt<'_>]) -> bool {
    body.iter().all(|statement| matches!(statement, Stmt::EmitRaw(text) if text.raw.trim().is_empty()))
}

/// What names stand for behind branches, of which one was taken.
fn joined(before: &[Scope], branches: Vec<Vec<Scope>>) -> Vec<Scope> {
    let mut branches = branches.into_iter();
    let Some(mut joined) = branches.next() else { return before.to_vec() };
    for branch in branches {
        for (scope, other) in joined.iter_mut().zip(branch) {
            for (name, sort) in scope.iter_mut() {
                // A name that only one branch gives is another's further out, or none at all, in the other.
                *sort = other.get(name).map_or_else(Sort::any, |other| sort.or(other));
            }
            for name in other.into_keys() {
                scope.entry(name).or_insert_with(Sort::any);
            }
        }
    }
    joined
}
