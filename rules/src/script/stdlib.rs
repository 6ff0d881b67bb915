//! What of Rhai's own library a script may use, and what is put in its place.
//!
//! Left out: `sleep`, `exit`, blobs, bit fields and everything else no policy needs. Functions whose
//! work grows faster than what they read are replaced by ones that charge for it.

use std::rc::Rc;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage, BasicStringPackage,
    LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, ImmutableString};

use super::FailureKind;
use super::budget::{Fault, Run, stop};

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
    let metered = Rc::clone(run);
    engine.register_fn("replace", move |text: &mut ImmutableString, from: &str, to: &str| -> Result<(), Fault> {
        replace(text, from, to, &metered)
    });
}

/// Replaces every occurrence; between every two characters if `from` is empty, which is how a short
/// text becomes a long one.
fn replace(text: &mut ImmutableString, from: &str, to: &str, run: &Run) -> Result<(), Fault> {
    run.charge_bytes(text.len())?;
    let count = text.matches(from).count();
    let length = count.saturating_mul(to.len()).saturating_add(text.len());
    if length.saturating_sub(count.saturating_mul(from.len())) > run.limits().string_bytes {
        return Err(stop(FailureKind::Size, format!("a text exceeds {} bytes", run.limits().string_bytes)));
    }
    run.charge_bytes(length)?;
    *text = text.replace(from, to).into();
    Ok(())
}
