//! No way of a script's leads from a function value to what the function is called.

use std::any::TypeId;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;

use rhai::{Array, Dynamic, FLOAT, FnPtr, INT, ImmutableString, Map, Scope};

use super::super::super::{Device, Edition, Failure, Limits, Machine};
use super::{begin, devices, forms, objects};

/// What Rhai calls functions without a name.
const BY_CHANCE: &str = "anon$";

/// Functions, and what holds them.
const HOLDING: [&str; 9] = [
    "|x| x",
    "|x, y| x",
    "|| 1",
    "[|x| x]",
    "#{ a: |x| x }",
    "[[1, |x| x]]",
    "[#{ a: |x| x }]",
    "#{ a: [|x| x] }",
    "#{ a: #{ b: |x| x } }",
];

/// A value of a type, as a script writes it.
fn plain(of: TypeId) -> Vec<&'static str> {
    let written: [(TypeId, &[&str]); 13] = [
        (TypeId::of::<INT>(), &["1"]),
        (TypeId::of::<FLOAT>(), &["1.5"]),
        (TypeId::of::<ImmutableString>(), &["\"ab\""]),
        (TypeId::of::<&'static str>(), &["\"ab\""]),
        (TypeId::of::<char>(), &["'c'"]),
        (TypeId::of::<bool>(), &["true"]),
        (TypeId::of::<()>(), &["()"]),
        (TypeId::of::<Array>(), &["[3, 1]", "[|x| x, |y| y]"]),
        (TypeId::of::<Map>(), &["#{ k: 1 }", "#{ a: |x| x }"]),
        (TypeId::of::<FnPtr>(), &["|x| x"]),
        (TypeId::of::<Range<INT>>(), &["0..2"]),
        (TypeId::of::<RangeInclusive<INT>>(), &["0..=2"]),
        (TypeId::of::<Dynamic>(), &["1", "\"ab\"", "|x| x"]),
    ];
    let names = ["subject", "org", "named"];
    let own = objects().into_iter().zip(names).filter(|(object, _)| object.type_id() == of).map(|(_, name)| name);
    written.into_iter().filter(|(is, _)| *is == of).flat_map(|(_, values)| values).copied().chain(own).collect()
}

/// The texts within a value, keys among them.
fn texts(value: &Dynamic, into: &mut Vec<String>) {
    if let Ok(text) = value.as_immutable_string_ref() {
        into.push(text.to_string());
    } else if let Ok(items) = value.as_array_ref() {
        items.iter().for_each(|item| texts(item, into));
    } else if let Ok(map) = value.as_map_ref() {
        for (key, value) in &*map {
            into.push(key.to_string());
            texts(value, into);
        }
    }
}

/// What scripts are handed.
struct Given {
    scope: Scope<'static>,
    devices: Rc<[Device]>,
}

impl Given {
    fn new() -> Self {
        let mut scope = Scope::new();
        for (name, object) in ["subject", "org", "named"].into_iter().zip(objects()) {
            scope.push_dynamic(name, object);
        }
        Self { scope, devices: devices() }
    }
}

/// Whatever is told of a script: what it comes to, leaves behind, and fails of.
fn told(machine: &Machine, given: &Given, script: &str) -> Vec<String> {
    let mut scope = given.scope.clone();
    begin(machine, Some(Rc::clone(&given.devices)));
    let mut told = Vec::new();
    match machine.engine.eval_with_scope::<Dynamic>(&mut scope, script) {
        Ok(value) => texts(&value, &mut told),
        Err(error) => told.push(Failure::new(*error, &Limits::default()).message),
    }
    scope.iter().skip(3).for_each(|(_, _, value)| texts(&value, &mut told));
    told.push(format!("{:?}", machine.run.take_intents()));
    told
}

#[test]
fn no_function_tells_the_name_of_one_it_is_given() {
    let (machine, given) = (Machine::new(&Limits::default(), None, Edition::NEWEST), Given::new());
    let mut tried = 0;
    for (name, parameters) in forms() {
        let Some(name) = super::called(&name) else { continue };
        let plain: Vec<_> = parameters.iter().map(|of| plain(*of)).collect();
        for at in 0..parameters.len() {
            for holding in HOLDING {
                for turn in 0..2 {
                    let argument = |(other, values): (usize, &Vec<&'static str>)| {
                        let value = if other == at { Some(&holding) } else { values.get(turn % values.len().max(1)) };
                        Some(format!("let {} = {};", ["a", "b", "c", "d"][other], value?))
                    };
                    let Some(values) = plain.iter().enumerate().map(argument).collect::<Option<String>>() else {
                        continue;
                    };
                    let call = super::call(&name, parameters.len());
                    let caught = "`${e}` + e + [e] + #{ e: e }.to_string()";
                    for script in [
                        format!("{values} {call}"),
                        format!("{values} throw {call}"),
                        format!("{values} try {{ {call} }} catch (e) {{ return {caught}; }}"),
                        format!("{values} let r = {call}; `${{r}}` + r + [r].to_string() + to_debug(#{{ r: r }})"),
                    ] {
                        tried += 1;
                        for text in told(&machine, &given, &script) {
                            assert!(!text.contains(BY_CHANCE), "{script}: {text}");
                        }
                    }
                }
            }
        }
    }
    assert!(tried > 10_000, "{tried}");
}

/// What is no call: the ways of the language itself.
#[test]
fn no_expression_tells_the_name_of_a_function() {
    let (machine, given) = (Machine::new(&Limits::default(), None, Edition::NEWEST), Given::new());
    for holding in HOLDING {
        for script in [
            "`${f}`",
            "f == f",
            "f != f",
            "f == 1",
            "f in [f]",
            "f in #{ a: 1 }",
            "f in \"ab\"",
            "#{ a: 1 }[f]",
            "[1][f]",
            "\"ab\"[f]",
            "f[0]",
            "f.name",
            "f.a",
            "f.call()",
            "f.call(1, 2, 3)",
            "call(f, 1, 2, 3)",
            "f(1, 2, 3)",
            "Fn(f)",
            "is_def_fn(f, 1)",
            "type_of(f)",
            "throw f",
            "for x in f {}",
            "while f {}",
            "if f { 1 }",
            "!f",
            "-f",
            "f && true",
            "f ?? 1",
            "let s = \"\"; s += f; s",
            "let n = 1; n += f",
            "let m = #{}; m[f] = 1; m",
            "let m = #{}; m.a = f; `${m}`",
            "switch f { 1 => 2, _ => \"other\" }",
            "publish(\"x\", #{ f: f })",
            "publish(f, #{})",
            "log(\"x\", #{ f: f })",
            "submit_case(#{ synopsis: f })",
            "submit_case(#{ cc: [f] })",
            "collect(#{ kind: f })",
            "service(f)",
            "org.devices(#{ product: f })",
            "named.activate(#{ f: f })",
            "named.at(f)",
            "forward_intelligence(subject, #{ title: f })",
            "subject[f]",
            "org[f]",
            "subject.synopsis = f",
            "#{ f: f }.to_json()",
            "#{ f: [f, #{ g: f }] }.to_json()",
            "[f, f].sort()",
            "[f, f].order()",
            "let l = [f, f]; l.dedup(); l",
            "[f].index_of(f)",
            "[f] == [f]",
            "#{ f: f } == #{ f: f }",
            "[1].map(f)",
            "[1].filter(f)",
            "[1].reduce(f)",
            "#{ a: 1 }.map(f)",
            "return f",
            "const c = f; `${c}`",
            "[[[[[[[[[[[[f]]]]]]]]]]]].to_string()",
        ] {
            for script in [
                format!("let f = {holding}; {script}"),
                format!("let f = {holding}; try {{ {script} }} catch (e) {{ return `${{e}}` + [e].to_string(); }}"),
                format!(
                    "fn deep(f, n) {{ if n == 0 {{ `${{f}}` + f }} else {{ deep(f, n - 1) }} }} let f = {holding}; deep(f, 13)"
                ),
            ] {
                for text in told(&machine, &given, &script) {
                    assert!(!text.contains(BY_CHANCE), "{script}: {text}");
                }
            }
        }
    }
}

#[test]
fn json_of_a_function_is_a_failure() {
    let (machine, given) = (Machine::new(&Limits::default(), None, Edition::NEWEST), Given::new());
    let script = "try { #{ a: [#{ b: |x| x }] }.to_json() } catch (e) { return e; }";
    assert_eq!(told(&machine, &given, script)[0], "`to_json`: a function cannot be sent, only what it returns");
    assert_eq!(
        told(&machine, &given, "#{ a: 1, b: [1.5, ()], c: \"\\n\" }.to_json()")[0],
        r#"{"a":1,"b":[1.5,null],"c":"\n"}"#
    );
}
