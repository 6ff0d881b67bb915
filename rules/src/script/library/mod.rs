//! The library of policies from engine level 13 on. Every function of it is listed in `tests.rs` with what it costs, and
//! held against that; one that Rhai adds is found there.
//!
//! Rhai charges a step per call, whatever the call does. What a call reads is charged where it is read, as a variable, a
//! property or a result. What is left is what a call *makes* out of little, and what it does more often than once for
//! each item: those functions are our own here and charge before they begin. So are those that order lists, because
//! Rhai's take a failure of their callback for an answer, and those that write functions out, because Rhai names them by
//! chance.

mod caught;
mod made;
mod ordered;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use rhai::Engine;

pub(super) use self::caught::reword;
use super::budget::Run;

/// Puts our functions in the place of those of Rhai's that charge too little.
pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    made::register(engine, run);
    ordered::register(engine, run);
}
