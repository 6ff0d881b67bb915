//! What picks items of lists and maps by a function of the script's. What that throws is the script's failure, and so is an
//! answer that is no flag; what was to be changed is then as it was.

use std::rc::Rc;

use rhai::{Array, Dynamic, Engine, FnPtr, FuncRegistration, INT, Map, NativeCallContext};

use super::super::budget::{Fault, Run};
use super::super::json;
use super::thrown;

pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    register_lists(engine, run);
    register_changes(engine, run);
    register_places(engine, run);
    register_maps(engine, run);
}

/// A function of the script's that is asked of each item whether it is one.
struct Asked<'a> {
    name: &'static str,
    context: &'a NativeCallContext<'a>,
    by: &'a FnPtr,
    run: &'a Run,
}

impl Asked<'_> {
    /// Its answer on an item of a list, of which it may be told the place.
    fn of_item(&self, at: usize, item: &Dynamic) -> Result<bool, Fault> {
        self.run.charge(1)?;
        let at = INT::try_from(at).unwrap_or(INT::MAX);
        let mut item = item.clone();
        let item = Some(&mut item);
        self.flag(&self.by.call_raw_with_extra_args(self.name, self.context, item, [], [at.into()], Some(0))?)
    }

    /// Its answer on an entry of a map.
    fn of_entry(&self, key: &str, value: &Dynamic) -> Result<bool, Fault> {
        self.run.charge(1)?;
        let mut value = value.clone();
        let value = Some(&mut value);
        self.flag(&self.by.call_raw_with_extra_args(self.name, self.context, value, [key.into()], [], Some(1))?)
    }

    fn flag(&self, answer: &Dynamic) -> Result<bool, Fault> {
        answer.as_bool().map_err(|_| {
            thrown(format!("what `{}` calls answers with a flag, not with {}", self.name, json::describe(answer)))
        })
    }

    /// The place of the first item, from a place on, of which the answer is this one.
    fn first(&self, list: &[Dynamic], from: usize, wanted: bool) -> Result<Option<usize>, Fault> {
        for (at, item) in list.iter().enumerate().skip(from) {
            if self.of_item(at, item)? == wanted {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// The items of which it answers yes, and the others.
    fn parted(&self, list: &[Dynamic]) -> Result<(Array, Array), Fault> {
        let (mut picked, mut left) = (Array::new(), Array::new());
        for (at, item) in list.iter().enumerate() {
            let is_one = self.of_item(at, item)?;
            let to = if is_one { &mut picked } else { &mut left };
            to.push(item.clone());
        }
        Ok((picked, left))
    }

    /// The entries of which it answers yes, and the others.
    fn parted_map(&self, map: &Map) -> Result<(Map, Map), Fault> {
        let (mut picked, mut left) = (Map::new(), Map::new());
        for (key, value) in map {
            let is_one = self.of_entry(key, value)?;
            let to = if is_one { &mut picked } else { &mut left };
            to.insert(key.clone(), value.clone());
        }
        Ok((picked, left))
    }
}

/// `filter`, `some` and `all`.
fn register_lists(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    engine.register_fn("filter", move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
        let asked = Asked { name: "filter", context: &context, by: &by, run: &r };
        asked.parted(list).map(|(picked, _)| picked)
    });
    let r = Rc::clone(run);
    engine.register_fn("some", move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
        let asked = Asked { name: "some", context: &context, by: &by, run: &r };
        asked.first(list, 0, true).map(|found| found.is_some())
    });
    let r = Rc::clone(run);
    engine.register_fn("all", move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
        let asked = Asked { name: "all", context: &context, by: &by, run: &r };
        asked.first(list, 0, false).map(|found| found.is_none())
    });
}

/// `drain` and `retain`, which leave in a list what is not picked, or is, and answer with the rest.
fn register_changes(engine: &mut Engine, run: &Rc<Run>) {
    for (name, is_picked_kept) in [("drain", false), ("retain", true)] {
        let r = Rc::clone(run);
        let part = move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| -> Result<Array, Fault> {
            let (picked, left) = Asked { name, context: &context, by: &by, run: &r }.parted(list)?;
            let (kept, taken) = if is_picked_kept { (picked, left) } else { (left, picked) };
            *list = kept;
            Ok(taken)
        };
        FuncRegistration::new(name).with_purity(false).register_into_engine(engine, part);
    }
}

/// `index_of` and `find`, with and without the place to begin at.
fn register_places(engine: &mut Engine, run: &Rc<Run>) {
    let place = |found: Option<usize>| found.map_or(-1, |at| INT::try_from(at).unwrap_or(INT::MAX));
    let name = "index_of";
    let r = Rc::clone(run);
    engine.register_fn(name, move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
        Asked { name, context: &context, by: &by, run: &r }.first(list, 0, true).map(place)
    });
    let r = Rc::clone(run);
    engine.register_fn(name, move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr, start: INT| {
        Asked { name, context: &context, by: &by, run: &r }.first(list, beginning(list, start), true).map(place)
    });
    let item =
        |list: &[Dynamic], found: Option<usize>| found.and_then(|at| list.get(at)).cloned().unwrap_or(Dynamic::UNIT);
    let name = "find";
    let r = Rc::clone(run);
    engine.register_fn(name, move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
        let found = Asked { name, context: &context, by: &by, run: &r }.first(list, 0, true);
        found.map(|found| item(list, found))
    });
    let r = Rc::clone(run);
    engine.register_fn(name, move |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr, start: INT| {
        let found = Asked { name, context: &context, by: &by, run: &r }.first(list, beginning(list, start), true);
        found.map(|found| item(list, found))
    });
}

/// The place that a script means to begin at: below 0 it counts from the end.
fn beginning(list: &[Dynamic], start: INT) -> usize {
    let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    if start < 0 { list.len().saturating_sub(distance) } else { distance }
}

/// `filter`, `drain` and `retain` of maps.
fn register_maps(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    engine.register_fn("filter", move |context: NativeCallContext<'_>, map: &mut Map, by: FnPtr| {
        let asked = Asked { name: "filter", context: &context, by: &by, run: &r };
        asked.parted_map(map).map(|(picked, _)| picked)
    });
    for (name, is_picked_kept) in [("drain", false), ("retain", true)] {
        let r = Rc::clone(run);
        let part = move |context: NativeCallContext<'_>, map: &mut Map, by: FnPtr| -> Result<Map, Fault> {
            let (picked, left) = Asked { name, context: &context, by: &by, run: &r }.parted_map(map)?;
            let (kept, taken) = if is_picked_kept { (picked, left) } else { (left, picked) };
            *map = kept;
            Ok(taken)
        };
        FuncRegistration::new(name).with_purity(false).register_into_engine(engine, part);
    }
}
