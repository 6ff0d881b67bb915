//! What can be known of a script without running it: functions, numbers of arguments, variables, fields
//! of the objects it is given, and limits it cannot keep to.
//!
//! What is likely meant otherwise, and runs all the same, is a warning: the policy is loaded.
//!
//! INVARIANT (no false alarm): only what fails wherever a run comes to it is faulted, be it in a branch
//! that none takes or in a `try`. What is not known for certain, for instance what a variable holds that
//! is assigned to, is passed over. The one exception are names that came to belong to connectors: a run takes them,
//! so that what was accepted before does what it did.

mod calls;
mod collecting;
mod compared;
mod fields;
mod forwarding;
mod functions;
mod held;
mod loops;
mod printed;
mod services;
mod sizes;
mod survey;
mod walk;
mod yielded;

use rhai::{AST, Stmt};

pub use self::functions::function_names;

use self::held::Parameters;
use self::survey::Survey;
use self::walk::Walk;
use self::yielded::Yields;
use super::{Limits, body, parser};
use crate::diagnostic::{Faults, LineColumn};
use crate::triggers::Triggers;

/// A function of a script.
struct Function {
    name: String,
    parameters: Vec<String>,
    statements: Vec<Stmt>,
    at: LineColumn,
}

/// What was found in a script.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What fails wherever it is run.
    pub(crate) faults: Faults,
    /// What is likely meant otherwise.
    pub(crate) warnings: Faults,
}

impl Function {
    fn is_entry(&self) -> bool {
        self.name == parser::ENTRY && self.parameters.len() == 2
    }
}

/// Checks the functions of a script, which its header has these triggers for, as far as that is known.
pub(crate) fn check(script: &AST, triggers: Option<&Triggers>, limits: &Limits) -> Found {
    let survey = Survey::of(script);
    let functions = functions(script);
    let (yields, excused) = (Yields::of(&functions), yielded::excused(script));
    let mut parameters = Parameters::new(&functions, &survey);
    let mut is_forward = true;
    loop {
        let mut walk = Walk::new(&functions, &survey, (&yields, &excused), &mut parameters, triggers, limits);
        // There and back, so that few walks do whether functions stand before or behind their callers.
        if is_forward {
            functions.iter().for_each(|function| walk.function(function));
        } else {
            functions.iter().rev().for_each(|function| walk.function(function));
        }
        // What parameters hold only ever becomes less certain, so this ends.
        if let Some(found) = walk.end() {
            return found;
        }
        is_forward = !is_forward;
    }
}

fn functions(script: &AST) -> Vec<Function> {
    let mut functions: Vec<_> = script.iter_fn_def().collect();
    functions.sort_by_key(|function| LineColumn::from(function.body.start_position()));
    let function = |function: &&std::rc::Rc<rhai::ScriptFuncDef>| Function {
        name: function.name.to_string(),
        parameters: function.params.iter().map(ToString::to_string).collect(),
        statements: body::statements(script, &function.name, function.params.len()),
        at: function.body.start_position().into(),
    };
    functions.iter().map(function).collect()
}
