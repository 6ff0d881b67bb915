//! What is called and included: a macro is followed once more for each call, with what it is given there, and a file for
//! each place that includes it. What filters and tests are given besides.
//!
//! Only what fails there whatever the values are is told: another call may come to a branch that this one does not.

use std::collections::BTreeMap;

use minijinja::machinery::ast::{CallArg, Expr, Filter, Macro, Stmt};

use super::{Scope, Text, Way, extent};
use crate::diagnostic::Code;
use crate::services::template::sort::{Sort, base, form};

/// How deep calls and includes are followed into each other.
const DEPTH_MOST: usize = 6;
/// How many calls and includes of a template are followed.
const FOLLOWED_MOST: usize = 500;

/// The templates of a service, and the macros that they define: none of a name that is given twice.
#[derive(Default)]
pub(in crate::services::template) struct Others<'a> {
    pub(in crate::services::template) files: BTreeMap<&'a str, (Text<'a>, &'a Stmt<'a>)>,
    macros: BTreeMap<&'a str, Option<(Text<'a>, &'a Macro<'a>)>>,
    /// Names under which macros are imported, and what they are called where they are defined.
    aliases: BTreeMap<&'a str, Option<&'a str>>,
}

impl<'a> Others<'a> {
    /// What there is in templates, each a text and its tree.
    pub(in crate::services::template) fn of(trees: impl Iterator<Item = (Text<'a>, &'a Stmt<'a>)>) -> Self {
        let mut others = Self::default();
        for (text, tree) in trees {
            others.files.insert(text.file, (text, tree));
            others.collect(text, tree);
        }
        others
    }

    /// Recursion is as deep as the tree, which the engine's parser bounds.
    fn collect(&mut self, text: Text<'a>, statement: &'a Stmt<'a>) {
        let mut all = |statements: &'a [Stmt<'a>]| statements.iter().for_each(|inner| self.collect(text, inner));
        match statement {
            Stmt::Template(template) => all(&template.children),
            Stmt::ForLoop(each) => {
                all(&each.body);
                all(&each.else_body);
            }
            Stmt::IfCond(condition) => {
                all(&condition.true_body);
                all(&condition.false_body);
            }
            Stmt::WithBlock(with) => all(&with.body),
            Stmt::SetBlock(set) => all(&set.body),
            Stmt::CallBlock(block) => all(&block.macro_decl.body),
            Stmt::Macro(definition) => {
                all(&definition.body);
                let once = self.macros.entry(definition.name).and_modify(|known| *known = None);
                once.or_insert(Some((text, definition)));
            }
            Stmt::FromImport(import) => {
                for (name, alias) in &import.names {
                    let (Expr::Var(name), Some(Expr::Var(alias))) = (name, alias) else { continue };
                    let known = self.aliases.entry(alias.id).or_insert(Some(name.id));
                    *known = known.filter(|known| *known == name.id);
                }
            }
            _ => {}
        }
    }

    /// The macro that a name stands for; none where that is not certain.
    fn macro_of(&self, name: &str) -> Option<(Text<'a>, &'a Macro<'a>)> {
        let name = match self.aliases.get(name) {
            Some(aliased) => (*aliased)?,
            None => name,
        };
        self.macros.get(name).copied().flatten()
    }
}

impl<'a> Way<'a> {
    /// Something is called: a macro with what it is given.
    pub(super) fn call(&mut self, whole: &Expr<'_>, called: &Expr<'_>, arguments: &[CallArg<'_>]) {
        self.arguments(arguments);
        let Expr::Var(name) = called else {
            self.sort(called);
            return;
        };
        let sort = self.look_up(name.id);
        if sort != Sort::any() {
            // A parameter, or what was calculated.
            if sort.has(form::SINGLE | form::NEGATED | form::LIST) && sort.base & base::OTHER == 0 && !sort.is_never() {
                let message = format!("`{}` is {} and cannot be called", name.id, sort.describe());
                let help = "only macros are called: print the value, or put it through a filter".to_owned();
                self.refuse(extent(whole), Code::WrongType, message, Some(help));
            }
            return;
        }
        let Some((text, definition)) = self.others.macro_of(name.id) else { return };
        let Some(given) = self.given(whole, definition, arguments) else { return };
        let free = self.free.clone();
        self.follow(text, vec![free, given], |way| way.statements(&definition.body));
    }

    /// What the arguments of a macro stand for in a call; none where it fails.
    fn given(&mut self, whole: &Expr<'_>, definition: &Macro<'_>, arguments: &[CallArg<'_>]) -> Option<Scope> {
        let names: Vec<&str> = definition
            .args
            .iter()
            .filter_map(|name| if let Expr::Var(name) = name { Some(name.id) } else { None })
            .collect();
        let mut given = Scope::new();
        for (position, argument) in arguments.iter().enumerate() {
            let (name, value) = match argument {
                CallArg::Pos(value) => (names.get(position).copied(), value),
                CallArg::Kwarg(name, value) => (names.iter().find(|known| *known == name).copied(), value),
                // Refused before.
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => return None,
            };
            let Some(name) = name.filter(|name| !given.contains_key(*name)) else {
                let takes = match names.as_slice() {
                    [] => "nothing".to_owned(),
                    names => crate::diagnostic::quoted(names.iter().copied()),
                };
                let message = format!("the macro `{}` is given what it does not take", definition.name);
                let help = Some(format!("it takes {takes}"));
                self.refuse(extent(whole), Code::WrongType, message, help);
                return None;
            };
            let sort = self.sort(value);
            given.insert(name.to_owned(), sort);
        }
        let without = names.len().saturating_sub(definition.defaults.len());
        for (position, name) in
            names.iter().enumerate().filter(|(_, name)| !given.contains_key(**name)).collect::<Vec<_>>()
        {
            let default = position.checked_sub(without).and_then(|default| definition.defaults.get(default));
            // What a default is made of is looked at where the macro stands.
            let sort = match default {
                Some(Expr::Const(constant)) => Sort::literal(&constant.value),
                Some(_) => Sort::any(),
                None => Sort::single(0).with(form::UNDEFINED),
            };
            given.insert((*name).to_owned(), sort);
        }
        Some(given)
    }

    /// Another file is rendered with what names stand for here.
    pub(super) fn include(&mut self, name: &Expr<'_>) {
        let Expr::Const(name) = name else { return };
        let Some((text, tree)) = name.value.as_str().and_then(|name| self.others.files.get(name)).copied() else {
            return;
        };
        let scopes = self.scopes.clone();
        self.follow(text, scopes, |way| way.statement(tree));
    }

    /// Follows what stands elsewhere; of what is found only what fails counts.
    fn follow(&mut self, text: Text<'a>, scopes: Vec<Scope>, inner: impl FnOnce(&mut Self)) {
        if self.depth == DEPTH_MOST || self.flow.followed == FOLLOWED_MOST {
            return;
        }
        self.flow.followed += 1;
        let outside = (self.text, std::mem::replace(&mut self.scopes, scopes), self.is_free);
        (self.text, self.is_free) = (text, true);
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        (self.text, self.scopes, self.is_free) = outside;
    }

    /// What a filter is given besides its value.
    pub(super) fn want_arguments(&mut self, whole: &Expr<'_>, filter: &Filter<'_>) {
        let wanted = match filter.name {
            "host" => ("a whole number", base::INTEGER | base::FLOAT | base::OTHER),
            "name" => ("a text", base::TEXTS | base::OTHER),
            _ => return self.want_none(whole, ("filter", filter.name), &filter.args),
        };
        self.arguments(&filter.args);
        let (what, of) = wanted;
        let [CallArg::Pos(value)] = filter.args.as_slice() else {
            let message = format!("the filter `{}` is given {what}, and nothing else", filter.name);
            self.refuse(extent(whole), Code::WrongType, message, Some(format!("write `{}(..)` with it", filter.name)));
            return;
        };
        let sort = self.sort(value);
        let is_there = sort.has(form::SINGLE | form::NEGATED | form::LIST) && !sort.is_never();
        if is_there && !(sort.has(form::SINGLE) && sort.base & of != 0) {
            let meant = self.meant(extent(value));
            let message = format!("`{}` is given {what}, and `{meant}` is {}", filter.name, sort.describe());
            self.refuse(extent(value), Code::WrongType, message, Some("give it another value".to_owned()));
        }
    }

    /// What a filter or a test is given that takes nothing besides its value.
    pub(super) fn want_none(&mut self, whole: &Expr<'_>, (what, name): (&str, &str), arguments: &[CallArg<'_>]) {
        self.arguments(arguments);
        if !arguments.is_empty() {
            let message = format!("the {what} `{name}` takes nothing besides its value");
            self.refuse(extent(whole), Code::WrongType, message, Some(format!("write `{name}` without brackets")));
        }
    }
}
