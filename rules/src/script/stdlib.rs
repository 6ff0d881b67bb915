//! What of Rhai's own library a script may use, and what is put in its place.
//!
//! Left out: `sleep`, `exit`, blobs, bit fields and everything else no policy needs. Functions whose
//! work grows faster than what they read are replaced by ones that charge for it. Those of the system's
//! mathematical library are refused: their last digit is not the same on every machine, and what was
//! decided on one must be decided again on any other.

use std::rc::Rc;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage, BasicStringPackage,
    LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, EvalAltResult, FLOAT, FuncRegistration, INT, ImmutableString, Position};

use super::FailureKind;
use super::actions::ACTIONS;
use super::budget::{Fault, Run, refuse, stop};

/// The functions of the system's mathematical library.
const INEXACT: [&str; 17] = [
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "hypot", "ln", "log", "sin", "sinh",
    "tan", "tanh", "log10",
];

/// Teaches an engine the library.
pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    ArithmeticPackage::new().register_into_engine(engine);
    LogicPackage::new().register_into_engine(engine);
    BasicMathPackage::new().register_into_engine(engine);
    BasicIteratorPackage::new().register_into_engine(engine);
    BasicStringPackage::new().register_into_engine(engine);
    MoreStringPackage::new().register_into_engine(engine);
    BasicArrayPackage::new().register_into_engine(engine);
    BasicMapPackage::new().register_into_engine(engine);

    engine.register_fn("print", |_: Dynamic| {}).register_fn("debug", |_: Dynamic| {});
    register_replace(engine, run);
    register_pad(engine, run);
    for name in INEXACT {
        engine.register_fn(name, move |_: FLOAT| -> Result<FLOAT, Fault> { Err(inexact(name)) });
        engine.register_fn(name, move |_: FLOAT, _: FLOAT| -> Result<FLOAT, Fault> { Err(inexact(name)) });
    }
}

fn inexact(name: &str) -> Fault {
    refuse(inexact_text(name))
}

/// Whether a name is one whose functions are refused for their arguments.
pub(super) fn is_refused(name: &str) -> bool {
    INEXACT.contains(&name)
}

/// Whether a name is that of a function of the mathematical library; the action `log` bears one too.
pub(super) fn is_inexact(name: &str) -> bool {
    INEXACT.contains(&name) && !ACTIONS.iter().any(|action| action.name == name)
}

/// Why a function of the system's mathematical library is refused.
pub(super) fn inexact_text(name: &str) -> String {
    format!("`{name}` is refused: its result differs from machine to machine")
}

/// `text.pad(length, filler)`. INVARIANT (decided again): it does what Rhai's does, but for an empty filler, with which that
/// never ended and no log was ever decided. Later editions have a `pad` of their own.
fn register_pad(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    let pad = move |text: &mut ImmutableString, length: INT, with: &str| pad(text, length, with, &r);
    FuncRegistration::new("pad").with_purity(false).register_into_engine(engine, pad);
}

fn pad(text: &mut ImmutableString, length: INT, with: &str, run: &Run) -> Result<(), Fault> {
    let most = run.limits().string_bytes;
    let too_long = || EvalAltResult::ErrorDataTooLarge("Length of string".to_owned(), Position::NONE).into();
    let length = usize::try_from(length).unwrap_or(0);
    if length > most {
        return Err(too_long());
    }
    let missing = length.saturating_sub(text.chars().count());
    if missing == 0 {
        return Ok(());
    }
    if with.is_empty() {
        return run.charge(usize::MAX);
    }
    let padding: String = with.chars().cycle().take(missing).collect();
    *text = [text.as_str(), &padding].concat().into();
    if text.len() > most { Err(too_long()) } else { Ok(()) }
}

/// `text.replace(from, to)` for all four pairs of texts and characters.
fn register_replace(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    engine.register_fn("replace", move |text: &mut ImmutableString, from: &str, to: &str| replace(text, from, to, &r));
    let r = Rc::clone(run);
    engine.register_fn("replace", move |text: &mut ImmutableString, from: &str, to: char| {
        replace(text, from, to.encode_utf8(&mut [0; 4]), &r)
    });
    let r = Rc::clone(run);
    engine.register_fn("replace", move |text: &mut ImmutableString, from: char, to: &str| {
        replace(text, from.encode_utf8(&mut [0; 4]), to, &r)
    });
    let r = Rc::clone(run);
    engine.register_fn("replace", move |text: &mut ImmutableString, from: char, to: char| {
        replace(text, from.encode_utf8(&mut [0; 4]), to.encode_utf8(&mut [0; 4]), &r)
    });
}

/// Replaces every occurrence; between every two characters if `from` is empty, which is how a short
/// text becomes a long one.
fn replace(text: &mut ImmutableString, from: &str, to: &str, run: &Run) -> Result<(), Fault> {
    run.charge_bytes(text.len())?;
    let count = text.matches(from).count();
    let length = count.saturating_mul(to.len()).saturating_add(text.len() - count * from.len());
    let most = run.limits().string_bytes;
    if length > most {
        return Err(stop(FailureKind::Size, format!("a text exceeds {most} bytes")));
    }
    run.charge_bytes(length)?;
    *text = text.replace(from, to).into();
    Ok(())
}
