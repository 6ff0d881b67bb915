//! What can be known of a script without running it: functions, numbers of arguments, variables, fields
//! of the objects it is given, and limits it cannot keep to.
//!
//! INVARIANT (no false alarm): only what fails wherever a run comes to it is faulted, be it in a branch
//! that none takes or in a `try`. What is not known for certain, for instance what a variable holds that
//! is assigned to, is passed over. The one exception are names that came to belong to connectors: a run takes them,
//! so that what was accepted before does what it did.

mod calls;
mod collecting;
mod fields;
mod forwarding;
mod functions;
mod held;
mod loops;
mod services;
mod sizes;
mod survey;
mod walk;

use rhai::{AST, Stmt};

pub use self::functions::function_names;

use self::held::Parameters;
use self::survey::Survey;
use self::walk::Walk;
use super::{Limits, body, parser};
use crate::diagnostic::{Faults, LineColumn};
use crate::subject::SubjectKind;

/// A function of a script.
struct Function {
    name: String,
    parameters: Vec<String>,
    statements: Vec<Stmt>,
}

impl Function {
    fn is_entry(&self) -> bool {
        self.name == parser::ENTRY && self.parameters.len() == 2
    }
}

/// Checks the functions of a script. `kind` is what its trigger is about, as far as the header says.
pub(crate) fn check(script: &AST, kind: Option<SubjectKind>, limits: &Limits, faults: &mut Faults) {
    let survey = Survey::of(script);
    let functions = functions(script);
    let mut parameters = Parameters::new(&functions, &survey);
    let mut is_forward = true;
    loop {
        let mut walk = Walk::new(&functions, &survey, &mut parameters, kind, limits);
        // There and back, so that few walks do whether functions stand before or behind their callers.
        if is_forward {
            functions.iter().for_each(|function| walk.function(function));
        } else {
            functions.iter().rev().for_each(|function| walk.function(function));
        }
        // What parameters hold only ever becomes less certain, so this ends.
        if let Some(found) = walk.end() {
            faults.append(found);
            return;
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
    };
    functions.iter().map(function).collect()
}
