//! What makes much out of little, charged before it is made; and functions as texts.

use std::rc::Rc;

use rhai::{Array, Dynamic, Engine, FnPtr, INT, ImmutableString, Map};

use super::super::budget::{Fault, Run, stop};
use super::super::{FailureKind, json};
use super::thrown;

/// How a function is written out, whichever it is: the names of those without one are made by chance.
const FUNCTION: &str = "Fn";

pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    for name in ["to_string", "to_debug", "print", "debug"] {
        engine.register_fn(name, |_: &mut FnPtr| FUNCTION);
    }
    let r = Rc::clone(run);
    engine.register_fn("pad", move |text: &mut ImmutableString, length: INT, with: char| {
        pad(text, length, with.encode_utf8(&mut [0; 4]), &r)
    });
    let r = Rc::clone(run);
    engine.register_fn("pad", move |text: &mut ImmutableString, length: INT, with: &str| pad(text, length, with, &r));
    let r = Rc::clone(run);
    engine.register_fn("pad", move |list: &mut Array, length: INT, with: Dynamic| pad_list(list, length, &with, &r));
    let r = Rc::clone(run);
    engine.register_fn("to_chars", move |text: &mut ImmutableString| -> Result<Array, Fault> {
        charge_items(text.chars().count(), &r)?;
        Ok(text.chars().map(Dynamic::from).collect())
    });
    register_split(engine, run);
}

/// `map.to_json()`, which fails of what JSON has no word for, functions among it.
pub(super) fn register_json(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    engine.register_fn("to_json", move |map: &mut Map| -> Result<ImmutableString, Fault> {
        let refused = |fault: String| thrown(format!("`to_json`: {fault}"));
        let mut bytes = 0;
        let object = json::object(map, &mut bytes).map_err(refused)?;
        r.charge_bytes(bytes)?;
        let text = serde_json::to_string(&object).map_err(|_| refused("the map cannot be written".to_owned()))?;
        let most = r.limits().string_bytes;
        if text.len() > most { Err(too_long(most)) } else { Ok(text.into()) }
    });
}

/// Makes a text so many characters long, with as much of another behind it as that takes.
fn pad(text: &mut ImmutableString, length: INT, with: &str, run: &Run) -> Result<(), Fault> {
    let has = text.chars().count();
    let missing = usize::try_from(length).unwrap_or(0).saturating_sub(has);
    if missing == 0 || with.is_empty() {
        return Ok(());
    }
    // Each character has a byte at least, so that nothing is counted that cannot be.
    let most = run.limits().string_bytes;
    if missing > most {
        return Err(too_long(most));
    }
    run.charge_bytes(text.len() + missing * 4)?;
    let padding: String = with.chars().cycle().take(missing).collect();
    if text.len() + padding.len() > most {
        return Err(too_long(most));
    }
    *text = [text.as_str(), &padding].concat().into();
    Ok(())
}

fn too_long(most: usize) -> Fault {
    stop(FailureKind::Size, format!("a text exceeds {most} bytes"))
}

/// Makes a list so many items long.
fn pad_list(list: &mut Array, length: INT, with: &Dynamic, run: &Run) -> Result<(), Fault> {
    let length = usize::try_from(length).unwrap_or(0);
    let missing = length.saturating_sub(list.len());
    if missing == 0 {
        return Ok(());
    }
    charge_items(length, run)?;
    // Each is a copy, with all within.
    for _ in 0..missing {
        run.charge_value(with)?;
        list.push(with.clone());
    }
    Ok(())
}

/// Charges a list of so many items, an operation each: a list may have no more than that.
fn charge_items(items: usize, run: &Run) -> Result<(), Fault> {
    let most = run.limits().array_items;
    if items > most {
        return Err(stop(FailureKind::Size, format!("a list exceeds {most} items")));
    }
    run.charge(items)
}

/// `text.split()` and its forms, which make as many texts as there are parts.
fn register_split(engine: &mut Engine, run: &Rc<Run>) {
    let most = |segments: INT| usize::try_from(segments).unwrap_or(0).max(1);
    let r = Rc::clone(run);
    engine.register_fn("split", move |text: &mut ImmutableString| {
        if text.is_empty() {
            parts(text, std::iter::once(text.as_str()), &r)
        } else {
            parts(text, text.split_whitespace(), &r)
        }
    });
    let r = Rc::clone(run);
    engine.register_fn("split", move |text: &mut ImmutableString, at: &str| {
        if text.is_empty() { parts(text, std::iter::once(""), &r) } else { parts(text, text.split(at), &r) }
    });
    let r = Rc::clone(run);
    engine.register_fn("split", move |text: &mut ImmutableString, at: char| parts(text, text.split(at), &r));
    let r = Rc::clone(run);
    engine.register_fn("split", move |text: &mut ImmutableString, at: &str, segments: INT| {
        parts(text, text.splitn(most(segments), at), &r)
    });
    let r = Rc::clone(run);
    engine.register_fn("split", move |text: &mut ImmutableString, at: char, segments: INT| {
        parts(text, text.splitn(most(segments), at), &r)
    });
    let r = Rc::clone(run);
    engine.register_fn("split_rev", move |text: &mut ImmutableString, at: &str| {
        if text.is_empty() { parts(text, std::iter::once(""), &r) } else { parts(text, text.rsplit(at), &r) }
    });
    let r = Rc::clone(run);
    engine.register_fn("split_rev", move |text: &mut ImmutableString, at: char| parts(text, text.rsplit(at), &r));
    let r = Rc::clone(run);
    engine.register_fn("split_rev", move |text: &mut ImmutableString, at: &str, segments: INT| {
        parts(text, text.rsplitn(most(segments), at), &r)
    });
    let r = Rc::clone(run);
    engine.register_fn("split_rev", move |text: &mut ImmutableString, at: char, segments: INT| {
        parts(text, text.rsplitn(most(segments), at), &r)
    });
}

/// The parts of a text, an operation each.
fn parts<'t>(text: &str, parts: impl Iterator<Item = &'t str>, run: &Run) -> Result<Array, Fault> {
    run.charge_bytes(text.len())?;
    let most = run.limits().array_items;
    let mut made = Array::new();
    for part in parts {
        if made.len() == most {
            return Err(stop(FailureKind::Size, format!("a list exceeds {most} items")));
        }
        run.charge(1)?;
        made.push(part.into());
    }
    Ok(made)
}
