//! Lists in order, and without repeats. What a callback throws is the script's failure, and so is an answer that is
//! none; the list is then as it was.

use std::cmp::Ordering;
use std::rc::Rc;

use rhai::{Array, Dynamic, Engine, FnPtr, ImmutableString, NativeCallContext};

use super::super::budget::{Fault, Run};
use super::super::json;
use super::thrown;

/// Which of two items goes first.
type Before<'a> = dyn FnMut(&Dynamic, &Dynamic) -> Result<Ordering, Fault> + 'a;

pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    for (in_place, made, is_reversed) in [("sort", "order", false), ("sort_desc", "order_desc", true)] {
        let r = Rc::clone(run);
        engine.register_fn(in_place, move |list: &mut Array| put(list, &mut natural(&r, is_reversed)));
        let r = Rc::clone(run);
        engine.register_fn(made, move |list: &mut Array| sorted(list.clone(), &mut natural(&r, is_reversed)));
    }
    for name in ["sort", "sort_by"] {
        let r = Rc::clone(run);
        engine.register_fn(name, move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
            put(list, &mut compared(&context, &by, &r))
        });
    }
    let r = Rc::clone(run);
    engine.register_fn("sort", move |context: NativeCallContext<'_>, list: &mut Array, by: ImmutableString| {
        put(list, &mut compared(&context, &FnPtr::new(by)?, &r))
    });
    for name in ["order", "order_by"] {
        let r = Rc::clone(run);
        engine.register_fn(name, move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
            sorted(list.clone(), &mut compared(&context, &by, &r))
        });
    }
    register_dedup(engine, run);
}

fn register_dedup(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    engine.register_fn("dedup", move |context: NativeCallContext<'_>, list: &mut Array| {
        dedup(list, &mut |one, other| is_equal(&context, one, other, &r))
    });
    let r = Rc::clone(run);
    engine.register_fn("dedup", move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
        dedup(list, &mut |one, other| is_same(&context, &by, one, other, &r))
    });
    let r = Rc::clone(run);
    engine.register_fn("dedup", move |context: NativeCallContext<'_>, list: &mut Array, by: ImmutableString| {
        let by = FnPtr::new(by)?;
        dedup(list, &mut |one, other| is_same(&context, &by, one, other, &r))
    });
}

/// The order that numbers, texts, characters and flags have of themselves.
fn natural(run: &Run, is_reversed: bool) -> impl FnMut(&Dynamic, &Dynamic) -> Result<Ordering, Fault> {
    move |one, other| {
        run.charge_value(one)?;
        run.charge(1)?;
        let order = order_of(one, other)?;
        Ok(if is_reversed { order.reverse() } else { order })
    }
}

fn order_of(one: &Dynamic, other: &Dynamic) -> Result<Ordering, Fault> {
    if let (Ok(one), Ok(other)) = (one.as_int(), other.as_int()) {
        return Ok(one.cmp(&other));
    }
    if let (Ok(one), Ok(other)) = (one.as_immutable_string_ref(), other.as_immutable_string_ref()) {
        return Ok(one.as_str().cmp(other.as_str()));
    }
    if let (Ok(one), Ok(other)) = (one.as_float(), other.as_float()) {
        return Ok(one.total_cmp(&other));
    }
    if let (Ok(one), Ok(other)) = (one.as_char(), other.as_char()) {
        return Ok(one.cmp(&other));
    }
    if let (Ok(one), Ok(other)) = (one.as_bool(), other.as_bool()) {
        return Ok(one.cmp(&other));
    }
    if one.is_unit() && other.is_unit() {
        return Ok(Ordering::Equal);
    }
    Err(thrown(format!("{} and {} have no order", json::describe(one), json::describe(other))))
}

/// The order that a function of the script tells: by a number below, at or above 0, or whether the first goes first.
fn compared<'a>(
    context: &'a NativeCallContext<'_>,
    by: &'a FnPtr,
    run: &'a Run,
) -> impl FnMut(&Dynamic, &Dynamic) -> Result<Ordering, Fault> + 'a {
    move |one, other| {
        run.charge(1)?;
        let answer = by.call_raw(context, None, [one.clone(), other.clone()])?;
        if let Ok(number) = answer.as_int() {
            return Ok(number.cmp(&0));
        }
        match answer.as_bool() {
            Ok(true) => Ok(Ordering::Less),
            Ok(false) => Ok(Ordering::Greater),
            Err(_) => {
                let answer = json::describe(&answer);
                Err(thrown(format!("what compares two items answers with a number or a flag, not with {answer}")))
            }
        }
    }
}

/// Whether two items that follow each other are equal; of different types they are not.
fn is_equal(context: &NativeCallContext<'_>, one: &Dynamic, other: &Dynamic, run: &Run) -> Result<bool, Fault> {
    run.charge(1)?;
    if one.type_id() != other.type_id() {
        return Ok(false);
    }
    run.charge_value(one)?;
    let (mut one, mut other) = (one.clone(), other.clone());
    let answer = context.call_native_fn_raw("==", false, &mut [&mut one, &mut other])?;
    Ok(answer.as_bool().unwrap_or(false))
}

/// The same as a function of the script tells it.
fn is_same(
    context: &NativeCallContext<'_>,
    by: &FnPtr,
    one: &Dynamic,
    other: &Dynamic,
    run: &Run,
) -> Result<bool, Fault> {
    run.charge(1)?;
    let answer = by.call_raw(context, None, [one.clone(), other.clone()])?;
    answer.as_bool().map_err(|_| {
        thrown(format!(
            "what tells whether two items are the same answers with a flag, not with {}",
            json::describe(&answer)
        ))
    })
}

fn put(list: &mut Array, before: &mut Before<'_>) -> Result<(), Fault> {
    *list = sorted(list.clone(), before)?;
    Ok(())
}

/// Sorts by merging, which needs no order to be one: whatever the answers, it ends, with the same items. Items of which
/// none goes first stay as they stood.
fn sorted(mut items: Array, order: &mut Before<'_>) -> Result<Array, Fault> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = items.split_off(items.len() / 2);
    let mut left = sorted(items, order)?.into_iter().peekable();
    let mut right = sorted(right, order)?.into_iter().peekable();
    let mut merged = Array::with_capacity(left.len() + right.len());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let takes_right = order(one, other)?.is_gt();
        merged.extend(if takes_right { right.next() } else { left.next() });
    }
    merged.extend(left.chain(right));
    Ok(merged)
}

/// Takes out what is the same as what stands before it.
fn dedup(list: &mut Array, is_same: &mut dyn FnMut(&Dynamic, &Dynamic) -> Result<bool, Fault>) -> Result<(), Fault> {
    let mut kept = Array::new();
    for item in &*list {
        let is_repeat = match kept.last() {
            Some(last) => is_same(last, item)?,
            None => false,
        };
        if !is_repeat {
            kept.push(item.clone());
        }
    }
    *list = kept;
    Ok(())
}
