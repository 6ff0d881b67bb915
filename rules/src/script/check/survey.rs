//! A first look over a whole script, for what later limits how much can be known.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, FnCallExpr, ImmutableString, Stmt};

/// What a script has anywhere.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Texts, keys of maps and properties: a method may be a map's entry of that name.
    words: BTreeSet<ImmutableString>,
    /// Texts and variables: a function of that name may be called through them.
    mentioned: BTreeSet<ImmutableString>,
    /// Variables that are assigned to after they were declared.
    assigned: BTreeSet<ImmutableString>,
    /// Some call hands the caller's variables on: `f!(...)`.
    pub(super) has_captures: bool,
    /// Failures are caught somewhere, which is a way out of any loop.
    pub(super) has_catch: bool,
    /// Functions are used as values.
    has_pointers: bool,
    /// Entries of maps are set by names that are computed.
    has_computed_keys: bool,
}

impl Survey {
    pub(super) fn of(script: &AST) -> Self {
        let mut survey = Self::default();
        script.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Expr(expr)) => survey.look_at(expr),
                Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => survey.look_at_target(&assignment.1.lhs),
                Some(ASTNode::Stmt(Stmt::TryCatch(..))) => survey.has_catch = true,
                Some(ASTNode::Stmt(Stmt::FnCall(call, _))) => survey.look_at_call(call),
                _ => {}
            }
            true
        });
        survey
    }

    /// Whether a function of this name may be called other than by its name.
    pub(super) fn is_mentioned(&self, function: &str) -> bool {
        self.mentioned.contains(function)
    }

    pub(super) fn is_assigned(&self, variable: &str) -> bool {
        self.assigned.contains(variable)
    }

    /// Whether a method of this name may be a map's entry.
    pub(super) fn may_be_entry(&self, method: &str) -> bool {
        self.has_pointers && (self.has_computed_keys || self.words.contains(method))
    }

    fn look_at(&mut self, expr: &Expr) {
        match expr {
            Expr::StringConstant(text, _) => {
                self.words.insert(text.clone());
                self.mentioned.insert(text.clone());
            }
            Expr::Map(entries, _) => {
                self.words.extend(entries.0.iter().map(|(key, _)| ImmutableString::from(key.name.as_str())));
            }
            Expr::Property(property, _) => {
                self.words.insert(property.2.clone());
            }
            Expr::Variable(variable, short, _) => {
                // A function's bare name is a value too.
                self.has_pointers |= variable.0.is_none() && short.is_none();
                self.mentioned.insert(variable.1.clone());
            }
            Expr::DynamicConstant(..) => self.has_pointers = true,
            Expr::FnCall(call, _) | Expr::MethodCall(call, _) => self.look_at_call(call),
            _ => {}
        }
    }

    fn look_at_call(&mut self, call: &FnCallExpr) {
        self.has_captures |= call.capture_parent_scope;
        self.has_pointers |= call.name == "Fn";
        self.has_computed_keys |= call.name == "set";
    }

    fn look_at_target(&mut self, target: &Expr) {
        match target {
            Expr::Variable(variable, ..) => {
                self.assigned.insert(variable.1.clone());
            }
            Expr::Index(pair, ..) | Expr::Dot(pair, ..) => {
                if matches!(target, Expr::Index(..)) {
                    self.has_computed_keys |= !pair.rhs.is_constant();
                }
                self.look_at_target(&pair.rhs);
            }
            _ => {}
        }
    }
}
