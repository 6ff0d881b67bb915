//! The body of `react`, ready to run.
//!
//! It is run as statements with the two parameters in scope, not called as a function: Rhai gives an
//! error that breaks a limit the place of the outermost *call*, of which a function called from outside
//! has none. So a fault in `react` has its exact place, and one further down that of the call in
//! `react` (faults that are no broken limits keep theirs).

use rhai::{AST, ASTNode, Dynamic, Engine, ImmutableString, Scope, Stmt};

use super::budget::Fault;
use super::{literals, parser};

/// See the module.
pub(super) struct Body {
    /// The statements of `react`, and all functions of the script.
    ast: AST,
    /// The names of the subject and of the organization.
    parameters: [ImmutableString; 2],
    weight: u64,
}

impl Body {
    /// Takes `react` out of a script; none if it is not there.
    pub(super) fn of(script: &AST) -> Option<Self> {
        let react =
            script.iter_fn_def().find(|function| function.name == parser::ENTRY && function.params.len() == 2)?;
        let [subject, organization] = react.params.as_slice() else { return None };
        let statements = statements(script, parser::ENTRY, 2);
        let ast = AST::new(statements, script.shared_lib().clone());
        let (weight, parameters) = (literals::weight(&ast), [subject.clone(), organization.clone()]);
        Some(Self { ast, parameters, weight })
    }

    /// How many operations each of its steps costs beside itself, by its literals.
    pub(super) const fn weight(&self) -> u64 {
        self.weight
    }

    /// Runs it; what it returns is of no interest.
    pub(super) fn run(&self, engine: &Engine, subject: Dynamic, organization: Dynamic) -> Result<(), Fault> {
        let [first, second] = &self.parameters;
        let mut scope = Scope::new();
        scope.push_dynamic(first.clone(), subject);
        scope.push_dynamic(second.clone(), organization);
        engine.run_ast_with_scope(&mut scope, &self.ast)
    }
}

/// The statements of a function of a script, by its name and number of parameters.
pub(super) fn statements(script: &AST, name: &str, parameters: usize) -> Vec<Stmt> {
    // `clone_functions_only_filtered` would do, but keeps every function whatever the filter says.
    let mut alone = script.clone_functions_only();
    alone.retain_functions(|_, _, other, arity| other == name && arity == parameters);
    let mut statements = Vec::new();
    alone.walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    statements
}
