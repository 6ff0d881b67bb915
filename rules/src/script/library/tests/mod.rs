//! What functions cost, and that it holds.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;
use std::time::Duration;

use rhai::{Array, Dynamic, FLOAT, FnPtr, INT, ImmutableString, Map, Scope};
use rustix::time::{ClockId, clock_gettime};

use self::objects::{begin, devices, objects, own};
use super::super::{Device, Edition, Limits, Machine, stdlib};
use super::listed::{LISTED, OPERATORS, is_property};

mod functions;
mod literals;
mod objects;
mod picked;

/// The functions that policies can call, each with the types of the parameters of one of its forms.
fn forms() -> BTreeSet<(String, Vec<TypeId>)> {
    let machine = Machine::new(&Limits::default(), None, Edition::NEWEST);
    let all = |f: rhai::FuncInfo<'_>| Some((f.metadata.name.to_string(), f.metadata.param_types.to_vec()));
    let all = machine.engine.collect_fn_metadata(None, all, true);
    all.into_iter().filter(|(name, _)| !stdlib::is_refused(name) || name == "log").collect()
}

#[test]
fn every_function_is_listed_with_its_cost() {
    assert!(LISTED.is_sorted_by(|one, other| one.0 < other.0));
    let forms = forms();
    let there = forms.iter().filter(|(name, parameters)| !is_property(name, parameters)).map(|(name, _)| name.as_str());
    let there = there.map(|name| name.strip_prefix("get$").unwrap_or(name));
    // Rhai's has powers, which are no part of the language of policies.
    let there: BTreeSet<&str> = there.filter(|name| *name != "**").collect();
    assert_eq!(there, LISTED.iter().map(|(name, _)| *name).chain(OPERATORS).collect());
}

#[test]
fn what_is_not_listed_is_refused() {
    let mut machine = Machine::new(&Limits::default(), None, Edition::NEWEST);
    machine.engine.register_fn("fresh", |number: INT| number);
    assert_eq!(machine.engine.eval::<INT>("fresh(7)").unwrap(), 7);
    super::refuse_unlisted(&mut machine.engine);
    let error = machine.engine.eval::<INT>("try { fresh(7) } catch { 8 }").unwrap_err();
    let failure = super::super::Failure::new(*error, &Limits::default());
    assert_eq!(failure.message, "`fresh` is no function of policies");
}

/// Values of a type that a hostile script would think of.
fn hostile(of: TypeId) -> Vec<Dynamic> {
    let texts = || {
        let texts =
            [String::new(), "x".into(), "\u{e9}\u{1f600}".repeat(8_000), "ab ".repeat(20_000), "0".repeat(60_000)];
        texts.map(|text| Dynamic::from(ImmutableString::from(text))).to_vec()
    };
    let list = |items: Vec<Dynamic>| Dynamic::from_array(items);
    let lists = || {
        let numbers = list((0..1_000).map(|number| Dynamic::from_int(7_919 * number % 1_000)).collect());
        let nested = list(vec![list((0..500).map(Dynamic::from_int).collect()); 2]);
        let long = list(vec![Dynamic::from("y".repeat(60_000)), Dynamic::from("y".repeat(60_000))]);
        let mixed = list(vec![Dynamic::UNIT, 1_i64.into(), "a".into(), true.into()]);
        let words = list((0..1_000).map(|number| Dynamic::from(format!("{number:0100}"))).collect());
        vec![list(vec![]), numbers, nested, long, mixed, words]
    };
    let maps = || {
        let many = (0..250).map(|number: i64| (format!("k{number}").into(), Dynamic::from(number))).collect::<Map>();
        let long = Map::from_iter([("k".into(), Dynamic::from("y".repeat(100_000)))]);
        let asked = [("os_version", "< 21.4R3"), ("host_name", "*x*x*x*x*y"), ("synopsis", "s"), ("title", "t")];
        let asked = asked.map(|(key, text)| Map::from_iter([(key.into(), Dynamic::from(text))]));
        [Map::new(), many, long].into_iter().chain(asked).map(Dynamic::from_map).collect()
    };
    let numbers = || [0, -1, 3, 1_000, 100_000, INT::MAX, INT::MIN].map(Dynamic::from_int).to_vec();
    if of == TypeId::of::<INT>() {
        numbers()
    } else if of == TypeId::of::<FLOAT>() {
        [0.0, -1.5, FLOAT::NAN, FLOAT::INFINITY, FLOAT::MAX, 1e-300].map(Dynamic::from_float).to_vec()
    } else if of == TypeId::of::<ImmutableString>() || of == TypeId::of::<&'static str>() {
        texts()
    } else if of == TypeId::of::<char>() {
        ['x', '\u{1f600}', '\0'].map(Dynamic::from_char).to_vec()
    } else if of == TypeId::of::<bool>() {
        vec![true.into(), false.into()]
    } else if of == TypeId::of::<()>() {
        vec![Dynamic::UNIT]
    } else if of == TypeId::of::<Array>() {
        lists()
    } else if of == TypeId::of::<Map>() {
        maps()
    } else if of == TypeId::of::<FnPtr>() {
        ["one", "two", "three", "none"].map(|name| Dynamic::from(FnPtr::new(name).unwrap())).to_vec()
    } else if of == TypeId::of::<Range<INT>>() {
        [0..0, 0..3, -5..INT::MAX, Range { start: 3, end: 1 }].map(Dynamic::from).to_vec()
    } else if of == TypeId::of::<RangeInclusive<INT>>() {
        [0..=0, 0..=3, -5..=INT::MAX].map(Dynamic::from).to_vec()
    } else if of == TypeId::of::<Dynamic>() {
        [texts(), lists(), maps(), numbers()].into_iter().flatten().step_by(3).collect()
    } else {
        own(of)
    }
}

/// What callbacks do: of one, two or three parameters, and one that there is not.
const CALLBACKS: &str = "fn one(x) { x == 3 } fn two(x, y) { 1 } fn three(x, y, z) { throw x; }";

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

/// The property of the list: whatever a function is given, again and again, an operation takes no longer than a little
/// while. In an optimised build that is a microsecond; tests are not optimised, and share their processor.
#[test]
fn no_function_takes_longer_than_it_is_charged() {
    const OPERATIONS: u64 = 4_000;
    let most = Duration::from_micros(if cfg!(debug_assertions) { 5 } else { 1 });
    let machine = Machine::new(&Limits { operations: OPERATIONS, ..Limits::default() }, None, Edition::NEWEST);
    let whole = Machine::new(&Limits::default(), None, Edition::NEWEST);
    let devices = devices();
    let mut slow = BTreeSet::new();
    let mut slowest = Vec::new();
    let mut tried = 0;
    for (form, parameters) in forms() {
        let Some(name) = called(&form) else { continue };
        let arguments: Vec<_> = parameters.iter().map(|of| hostile(*of)).collect();
        if arguments.iter().any(Vec::is_empty) {
            continue;
        }
        let script = script(&name, arguments.len());
        let ast = machine.engine.compile(format!("{CALLBACKS} {script}")).unwrap();
        // Each value of each parameter in turn, beside some of the others.
        for turn in 0..12_usize {
            let mut scope = Scope::new();
            for (at, values) in arguments.iter().enumerate() {
                let value = values[(turn * (at + 1) + at) % values.len()].clone();
                scope.push_dynamic(["a", "b", "c", "d"][at], value);
            }
            let told = format!("{name} {:?}", scope.iter().map(|(_, _, value)| told(&value)).collect::<Vec<_>>());
            let again = scope.clone();
            let (took, is_ended) = run(&machine, &devices, scope, &ast);
            tried += 1;
            assert!(is_ended, "{told}: nothing ends it");
            let operations = machine.run.operations();
            if took > most * u32::try_from(operations.max(OPERATIONS)).unwrap() {
                let listed = LISTED.iter().find(|(name, _)| form.ends_with(name)).map(|(_, cost)| *cost);
                slow.insert(format!("{:>6} us, {operations} operations, {listed:?}: {told}", took.as_micros()));
            }
            slowest.push((took, told, again, ast.clone()));
        }
    }
    assert!(tried > 1_000, "{tried}");
    assert!(slow.is_empty(), "{slow:#?}");
    // What takes longest of all takes no longer than a run may, with all the operations that a run has.
    slowest.sort_by_key(|(took, ..)| std::cmp::Reverse(*took));
    for (_, told, scope, ast) in slowest.into_iter().take(20) {
        let (took, _) = run(&whole, &devices, scope, &ast);
        assert!(took <= most * 50_000, "{told}: {} us", took.as_micros());
    }
}

/// How much of the processor's time a script takes, and whether something ends it.
fn run(machine: &Machine, devices: &Rc<[Device]>, mut scope: Scope<'_>, ast: &rhai::AST) -> (Duration, bool) {
    begin(machine, Some(Rc::clone(devices)));
    let before = processor_time();
    let ended = machine.engine.run_ast_with_scope(&mut scope, ast);
    (processor_time() - before, ended.is_err())
}

/// How a function is called in a script; none for what only an index calls.
fn called(name: &str) -> Option<String> {
    match name.strip_prefix("get$") {
        Some(property) => Some(format!(".{property}")),
        None => (!name.contains('$') && !stdlib::is_refused(name) || name == "log").then(|| name.to_owned()),
    }
}

/// A call of it with so many of the variables `a` to `d`.
fn call(name: &str, arguments: usize) -> String {
    let variables = &["a", "b", "c", "d"][..arguments];
    match name.strip_prefix('.') {
        Some(property) => format!("a.{property}"),
        None if name.starts_with(|c: char| c.is_ascii_alphabetic()) => format!("{name}({})", variables.join(", ")),
        None if arguments == 1 => format!("{name}a"),
        None => format!("a {name} b"),
    }
}

fn script(name: &str, arguments: usize) -> String {
    let variables = &["a", "b", "c", "d"][..arguments];
    let call = call(name, arguments);
    // What it does to a variable is undone, so that each call is as hard as the first.
    let copies = variables.iter().map(|name| format!("let {name}0 = {name}; ")).collect::<String>();
    let restored = variables.iter().map(|name| format!("{name} = {name}0; ")).collect::<String>();
    format!("{copies} loop {{ try {{ {call}; }} catch {{}} {restored} }}")
}

fn told(value: &Dynamic) -> String {
    let text = value.to_string();
    let short: String = text.chars().take(12).collect();
    format!("{} {short} ({})", value.type_name(), text.len())
}

/// Each as the issue of an attack: none of them did end, or count, or hold.
#[test]
fn the_library_says_nothing_of_functions_and_swallows_nothing() {
    let machine = Machine::new(&Limits::default(), None, Edition::NEWEST);
    let eval = |script: &str| -> String {
        begin(&machine, None);
        match machine.engine.eval::<Dynamic>(script) {
            Ok(value) => value.to_string(),
            Err(error) => format!("error: {error}"),
        }
    };
    for (script, expected) in [
        ("let f = |x| x; f.to_string()", "Fn"),
        ("let f = |x| x; `${f}` + f", "FnFn"),
        ("let f = |x| x; [f].to_string()", "[Fn]"),
        ("let f = |x| x; to_debug(#{a: f})", "#{\"a\": Fn}"),
        ("let f = |x| x; f.to_debug()", "Fn"),
        ("let s = \"a\"; s.pad(100, \"\"); s", "a"),
        ("let s = \"a\"; s.pad(4, \"xyz\"); s", "axyz"),
        ("let l = [3, 1, 2]; l.sort(|a, b| a < b); l", "[1, 2, 3]"),
        ("let l = [3, 1, 2]; l.sort(); l.sort_desc(); l", "[3, 2, 1]"),
        ("let l = [\"b\", \"a\"]; l.order()", "[\"a\", \"b\"]"),
        ("let l = [1, 1, 2, 1]; l.dedup(); l", "[1, 2, 1]"),
        ("let l = [3, 1, 2]; try { l.sort(|a, b| throw \"no\"); } catch (e) { l.push(e); } l", "[3, 1, 2, \"no\"]"),
        (
            "let l = [3, 1]; try { l.sort(|a, b| \"x\"); } catch (e) { return e; }",
            "what compares two items answers with a number or a flag, not with a text",
        ),
        ("try { 1 / 0 } catch (e) { return e.message; }", "a number is too large, or divided by nothing"),
        ("try { nothing(|x| x) } catch (e) { return e.error; }", "function"),
        (
            "try { [1][5] } catch (e) { return e.to_string(); }",
            "#{\"error\": \"bounds\", \"message\": \"there is no such item in the list\"}",
        ),
        ("try { throw #{error: \"mine\", message: \"m\"} } catch (e) { return e.error; }", "mine"),
    ] {
        assert_eq!(eval(script), expected, "{script}");
    }
}

/// Steps of callbacks count, however deep they are called.
#[test]
fn steps_within_callbacks_count() {
    let source = "fn count() { let n = 0; let k = parse_int(\"12000\"); for i in 0..k { n += 1; } n }
        fn ten(f) { [1,2,3,4,5,6,7,8,9,10].map(f); 0 }
        fn a(x) { ten(|y| count()) }
        fn b(x) { ten(|y| a(y)) }
        ten(|y| b(y));";
    let machine = Machine::new(&Limits::default(), None, Edition::NEWEST);
    begin(&machine, None);
    let error = machine.engine.run(source).unwrap_err().to_string();
    assert!(machine.run.operations() <= 50_100, "{}: {error}", machine.run.operations());
}
