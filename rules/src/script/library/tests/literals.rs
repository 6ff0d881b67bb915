//! What literals and operators cost, and that it holds.

use super::*;
use crate::script::literals;

/// What a script can do to what stands in it as it is, or to a variable in a row; `T` is a text of 30,000 bytes, `H` one of half of
/// that, `N` a list of numbers, `L` one of lists, and `M` a map; `a` is a text.
const EXPRESSIONS: [&str; 40] = [
    "T",
    "T.to_upper()",
    "T.to_lower().to_upper().to_lower().to_upper().to_lower().to_upper().to_lower().to_upper()",
    "T.len()",
    "T.contains(\"zz\")",
    "\"zz\" in T",
    "T.index_of(\"zz\")",
    "T.trim()",
    "T.sub_string(3, 29000)",
    "T - \"zz\"",
    "T + 'x'",
    "T + \"x\"",
    "H + H",
    "H == H",
    "H < H",
    "T[29000]",
    "T[-29000]",
    "T[3..29000]",
    "T.chars()",
    "T.bytes",
    "T.split(\"zz\")",
    "`${1}T`.to_upper()",
    "`T${\"b\"}c`.to_upper()",
    "{ let x = T; x += \"y\"; x }",
    "switch T { \"a\" => 1, _ => 2 }",
    "N",
    "N.len()",
    "N + N",
    "N == N",
    "N.contains(1001)",
    "L",
    "L.len()",
    "L.is_empty()",
    "[L, L].len()",
    "M",
    "M.len()",
    "M == M",
    "M.keys().len()",
    "a.to_upper().to_lower().to_upper().to_lower().to_upper().to_lower().to_upper().to_lower().to_upper().to_lower()",
    "(a + a).to_upper().to_lower().contains(\"zz\")",
];

/// An expression with its literals written out.
fn written(expression: &str) -> String {
    let list = |item: fn(i64) -> String, count: i64| (0..count).map(item).collect::<Vec<_>>().join(",");
    let text = |length: usize| "ab z".repeat(length / 4);
    let mut written = String::new();
    for letter in expression.chars() {
        match letter {
            'T' if expression.contains('`') => written += &text(30_000),
            'T' => written += &format!("\"{}\"", text(30_000)),
            'H' => written += &format!("\"{}\"", text(15_000)),
            'N' => written += &format!("[{}]", list(|number| number.to_string(), 500)),
            'L' => written += &format!("[{}]", list(|_| "[]".to_owned(), 500)),
            'M' => written += &format!("#{{{}}}", list(|number| format!("k{number}: 1"), 120)),
            letter => written.push(letter),
        }
    }
    written
}

#[test]
fn no_literal_takes_longer_than_it_is_charged() {
    let most = Duration::from_micros(if cfg!(debug_assertions) { 5 } else { 1 });
    let machine = Machine::new(&Limits::default(), None, Edition::NEWEST);
    let devices = devices();
    let mut slow = Vec::new();
    for expression in EXPRESSIONS {
        let ast = machine.engine.compile(format!("loop {{ {}; }}", written(expression))).unwrap();
        let mut scope = Scope::new();
        scope.push("a", "ab z".repeat(15_000));
        begin(&machine, Some(Rc::clone(&devices)));
        machine.run.weigh(literals::weight(&ast));
        let before = processor_time();
        let ended = machine.engine.run_ast_with_scope(&mut scope, &ast).unwrap_err();
        let took = processor_time() - before;
        let operations = machine.run.operations();
        assert!(operations >= Limits::default().operations, "{expression} ends early: {ended}");
        if took > most * u32::try_from(operations).unwrap() {
            slow.push(format!("{:>6} us, {operations} operations: {expression}", took.as_micros()));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

#[test]
fn a_literal_weighs_by_its_size_and_a_usual_one_nothing() {
    let machine = Machine::new(&Limits::default(), None, Edition::NEWEST);
    let weight = |script: &str| literals::weight(&machine.engine.compile(script).unwrap());
    for (script, expected) in [
        (format!("fn react(a, b) {{ log(\"{}\"); }}", "x".repeat(511)), 0),
        (format!("fn react(a, b) {{ log(\"{}\"); }}", "x".repeat(512)), 1),
        (format!("fn other() {{ |x| \"{}\" }}", "x".repeat(2_048)), 4),
        (format!("let x = \"{}\" + \"{}\";", "x".repeat(600), "y".repeat(600)), 1),
        (format!("let x = [\"{}\", \"{}\"];", "x".repeat(600), "y".repeat(600)), 2),
        (format!("let x = [{}];", "1,".repeat(63)), 0),
        (format!("let x = [[{}]];", "1,".repeat(63)), 1),
        (format!("let x = #{{ {}: [{}] }};", "k".repeat(512), "1,".repeat(63)), 2),
        // What is made of variables is charged where those are read.
        (format!("let a = 1; let x = [a, {}];", "1,".repeat(200)), 0),
    ] {
        assert_eq!(weight(&script), expected, "{script}");
    }
}
