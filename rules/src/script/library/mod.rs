//! The library of policies from engine level 13 on, and what of it costs how much. From engine level 15 on a function that is
//! not listed is refused, whoever brings it; tests hold every form of each against its cost.
//!
//! Rhai charges a step per call, whatever the call does. What a call reads is charged where it is read, as a variable, a
//! property or a result. What is left is what a call *makes* out of little, and what it does more often than once for
//! each item: those functions are our own here and charge before they begin. So are those that order lists, because
//! Rhai's take a failure of their callback for an answer, those that pick by one, because Rhai's take whatever is no flag for
//! a no, and those that write functions out, because Rhai names them by chance.

mod caught;
mod listed;
mod made;
mod ordered;
mod picked;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use rhai::{Engine, EvalAltResult, Position};

pub(super) use self::caught::reword;
pub(super) use self::listed::{is_listed, refuse_unlisted};
use super::Edition;
use super::budget::{Fault, Run};

/// Puts our functions in the place of those of Rhai's that charge too little.
pub(super) fn register(engine: &mut Engine, run: &Rc<Run>, edition: Edition) {
    made::register(engine, run);
    ordered::register(engine, run);
    if edition >= Edition::Third {
        made::register_json(engine, run);
        picked::register(engine, run);
    }
}

/// What a script can catch.
fn thrown(text: String) -> Fault {
    EvalAltResult::ErrorRuntime(text.into(), Position::NONE).into()
}
