//! Each fault of a service word for word, with its place; and services that work, of which nothing is said.

use std::collections::BTreeMap;

use super::*;
use crate::services::SERVICES;

const PARAMETERS: &str = "\
[parameters]
area    = { type = \"address\", required = true }
flag    = { type = \"boolean\", default = \"true\" }
home    = { type = \"network\", required = true }
mode    = { type = \"string\", default = '\"a\"', constraint = 'mode in [\"a\", \"b\"]' }
note    = { type = \"string\" }
ports   = { type = \"port\", default = \"80\" }
rate    = { type = \"rate\", default = \"10m\", constraint = \"rate in 1..1g\" }
five    = { type = \"rate\", substitution = \"!five=5\" }
number  = { type = \"number\", default = \"1\" }
";

/// A service of one template, and of these parameters.
fn files(parameters: &str, templates: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> =
        templates.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    files.insert(DEFINITION_FILE.to_owned(), format!("title = \"T\"\n{parameters}"));
    files
}

fn told(checked: &Checked) -> Vec<String> {
    let line = |severity: &str, fault: &ServiceFault| {
        let ServiceFault { file, line, column, end_column, code, message, help } = fault;
        let help = help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{severity} {file}:{line}:{column}-{end_column} {}: {message}{help}", code.as_str())
    };
    let faults = checked.faults.iter().map(|fault| line("error", fault));
    faults.chain(checked.warnings.iter().map(|fault| line("warning", fault))).collect()
}

/// What is said of a template of the parameters above, but that some are not used.
fn check_template(template: &str) -> Vec<String> {
    let mut checked = check(&files(PARAMETERS, &[("a.j2", template)]), &Definition::default());
    checked.warnings.retain(|warning| warning.code != Code::Unused);
    told(&checked)
}

/// Templates with what is to be found in them.
const TEMPLATES: &[&str] = &[
    "a {\n  b {{ raet }};\n}",
    "a {{ rate|rat }};",
    "{% if rate is odd %}a;{% endif %}",
    "a {{ rate|mask }};",
    "a {{ rate|prefix_length }};",
    "a {{ home|rate }};",
    "a {{ flag }};",
    "a {{ area|length }};",
    "a {{ ports|physical }};",
    "{% if home is several %}a {{ home|mask }};{% endif %}",
    "{% for port in ports|list %}a-{{ port }} {{ port|unit }};{% endfor %}",
    "a {{ home|items }};",
    "a {{ home - 1 }};",
    "a {{ ports|family }};",
    "{% macro m() %}a {{ rate|mask }};{% endmacro %}b;",
    "{% if rate %}a;{% else %}b;{% endif %}",
    "{% if rate == \"10m\" %}a;{% endif %}",
    "{% if area is defined %}a;{% else %}b;{% endif %}",
    "{% if rate > 2000000000 %}a;{% endif %}",
    "{% if mode == \"c\" %}a;{% elif mode == \"b\" %}b;{% endif %}",
    "{% if area|family == \"ipv6\" %}a;{% endif %}",
    "{% if true %}a;{% else %}b;{% endif %}",
    "{% if rate is ranged %}a;{% endif %}",
    "{% if note is defined and note is not defined %}a;{% endif %}",
    "{% if ports is ranged %}a;{% elif ports is ranged %}b;{% endif %}",
    "a {{ 1 if rate is several else 2 }};",
    "{% for rate in rate|negative %}a;{% endfor %}",
    "{% for r in rate|list %}a {{ r }};{% endfor %}",
    "{% if mode in [\"c\", \"d\"] %}a;{% endif %}",
    "{% if home in [\"10.0.0.0\"] %}a;{% endif %}",
    "a {{ note }};",
    "a {\n  b {{ rate }}\n}",
    "a { b;",
    "{% if flag %}a;{% else %}b {% endif %}",
    "{% if flag %}\n{% if ports is ranged %}\na; }\n{% endif %}\n{% endif %}b;",
    "{% if mode == \"b\" %}\na { {% endif %}\nb;",
    "a; /* {{ rate }} */",
    "mtu 1; mtu 2;",
    "{% for a in ports|list %}{% endfor %}{% if area|family == \"inet6\" %}\n}{% endif %}b;",
    "a {{ home + 1 }};",
    "a {{ rate + \"x\" }};",
    "a {{ 1 // 0 }};",
    "a {{ home.foo }};",
    "a {{ -note if note is defined else 1 }};",
    "a {{ flag|rate }};",
    "a {{ home * 2 }};",
    "{% if home > 5 %}a;{% endif %}",
    "{% if 1 < rate < note %}a;{% endif %}",
    "{% if rate < 0 %}a;{% endif %}",
    "{% if rate < 1 %}a;{% endif %}",
    "{% if five == 6 %}a;{% endif %}",
    "{% if flag and not flag %}a;{% endif %}",
    "{% if flag %}{% if not flag %}a;{% endif %}{% endif %}",
    "{% for x in [] %}a {{ x }};{% endfor %}",
    "{% if number == -77 %}}{% endif %}",
    "{% if number > 1000000000000 %}}{% endif %}",
    "{% if number in [31, 32] %}}{% endif %}",
    "filter f { term t { from { {% for port in ports|list %}port {{ port }};{% endfor %} } then accept; } }",
    "{% if ports|list|length > 0 %}f { from { {% for port in ports|list %}port {{ port }};{% endfor %} } }{% endif %}a;",
    "f { match { x { {% for one in home|list %}{{ one }};{% endfor %} } } }",
    "{% if mode == \"a\" %}a;{% elif mode == \"b\" %}b;{% else %}c;{% endif %}",
    "{% if rate > 100 %}{% if rate < 50 %}a;{% endif %}{% endif %}b;",
    "{% if rate > 100 %}a;{% elif rate > 200 %}b;{% endif %}c;",
    "{% macro m(q) %}a {{ q|rate }};{% endmacro %}{% if flag %}{{ m(home) }}{% else %}{{ m(rate) }}{% endif %}",
    "{% macro m(q) %}a {{ q }};{% endmacro %}{% if flag %}{{ m() }}{% else %}{{ m(rate, 1) }}{% endif %}",
    "{% if flag %}a {{ rate(3) }} {{ home|host(flag) }};{% endif %}b {{ home|host }} {{ rate|rate(1) }} {{ mode|name(rate) }};",
    "{% if flag %}a {{ rate|rate|mask }};{% else %}b {{ area|family|physical }};{% endif %}",
    "{# nothing #}",
    "{% if number > rate %}{% if rate > number %}a;{% endif %}{% endif %}",
    "a {{ mode|address }};",
    "a;\napply-groups b;",
    "set a b;",
];

/// Parameters with what is to be found in them; the template uses `a` alone.
const DEFINITIONS: &[&str] = &[
    "levels = [",
    "colour = 1",
    "[parameters]\na = { type = \"netwrk\" }",
    "[parameters]\na = { type = \"rate\", default = \"192.0.2.1\" }",
    "[parameters]\na = { type = \"rate\", default = \"5\", constraint = \"a in 10..20\" }",
    "[parameters]\na = { default = \"b\" }\nb = { default = \"a\" }",
    "[parameters]\na = { default = \"unknown\" }",
    "[parameters]\na = { default = \"b\" }\nb = { default = \"1\" }\nc = { default = \"1\" }",
    "[parameters]\na = { default = \"1\" }\ndomain = { default = \"1\" }",
    "[parameters]\na.type = \"rate\"\na.substitution = \"b=1\"\na.required = true",
];

/// Global parameters with what is to be found in them.
const GLOBALS: &[&str] = &[
    "[parameters\n",
    "[rate]",
    "[parameters]\nrate = { type = \"rte\" }",
    "[parameters]\nrate = { type = \"rate\", default = \"\\\"x\\\"\" }",
    "[parameters]\none = { default = \"two + 1\" }\ntwo = { default = \"one\" }",
    "[parameters]\nrate = { type = \"rate\", default = \"10g\", constraint = \"rate in 1..1g\" }",
    "[parameters]\nrate = { type = \"rate\", default = \"10m\", constraint = \"rate in 1..1g\" }",
];

fn told_of_all() -> String {
    let globals = read_globals("[parameters]\ndomain = { type = \"string\", default = '\"x\"' }").unwrap();
    let mut text = String::new();
    let mut tell = |subject: &str, told: Vec<String>| {
        let told: Vec<String> = told.iter().map(|line| format!("  {line}\n")).collect();
        text.push_str(&format!("{subject:?}\n{}\n", told.concat()));
    };
    for template in TEMPLATES {
        tell(template, check_template(template));
    }
    for parameters in DEFINITIONS {
        let uses = "x {{ a }} \"{{ b if b is defined }}\";";
        let template = if parameters.contains("\nb =") { uses } else { "x {{ a }};" };
        let template = if parameters.contains("\nc =") { "x {{ a }};" } else { template };
        tell(parameters, told(&check(&files(parameters, &[("a.j2", template)]), &globals)));
    }
    for text in GLOBALS {
        tell(text, told(&check_globals(text)));
    }
    text
}

/// `LINESMAN_BLESS=1` writes what is found.
#[test]
fn what_is_found_is_told_word_for_word_where_it_stands() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/services/check/found.txt");
    let found = told_of_all();
    if std::env::var_os("LINESMAN_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap_or_default());
}

/// What is said to be never or always true is held against what is rendered, of every value that is tried.
#[test]
fn what_is_said_of_a_condition_holds_for_every_value() {
    let operands = ["rate", "mode", "home", "area", "ports", "note", "flag", "area|family", "ports|list|length"];
    let literals = ["5", "0", "\"a\"", "\"c\"", "\"\"", "2000000000", "\"10.0.0.0\"", "true", "[5, \"b\"]"];
    let mut conditions: Vec<String> = Vec::new();
    for operand in operands {
        conditions.push(operand.to_owned());
        for test in ["defined", "ranged", "several", "negated", "not defined"] {
            conditions.push(format!("{operand} is {test}"));
            conditions.push(format!("note is {test} or not {operand}"));
            conditions.push(format!("{operand} is {test} and rate > 0"));
        }
        for (literal, op) in
            literals.iter().flat_map(|literal| ["==", "!=", "<", "<=", ">", ">=", "in"].map(|op| (literal, op)))
        {
            conditions.push(format!("{operand} {op} {literal}"));
            conditions.push(format!("{literal} {op} {operand}"));
        }
    }
    // What the one leaves the other asks about.
    let comparisons = ["== 5", "!= 5", "< 5", "> 5", "<= 7", ">= 1000000000", "in [5, 6]", "not in [5]"];
    let of_words = ["== \"a\"", "!= \"a\"", "!= \"b\"", "in [\"a\", \"c\"]", "not in [\"b\"]"];
    for (operand, all) in [("rate", &comparisons[..]), ("number", &comparisons[..]), ("mode", &of_words[..])] {
        for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
            conditions.push(format!("{operand} {one} and {operand} {other}"));
            conditions.push(format!("{operand} {one} or {operand} {other}"));
            conditions.push(format!("not {operand} {one} and {operand} {other}"));
        }
    }
    let (mut certain, mut rendered, mut refused) = (0, 0, 0);
    for condition in &conditions {
        let template = format!("{{% if {condition} %}}yes;{{% else %}}no;{{% endif %}}");
        let files = files(PARAMETERS, &[("a.j2", &template)]);
        let service = Service::read(&files, &Definition::default()).unwrap();
        let globals = Definition::default();
        let said = service.templates.flow(&sorts::of_parameters(&service.definition.parameters, &globals)).faults;
        let [said] = &said[..] else { continue };
        if said.code == Code::WrongType {
            assert_eq!(rendering::all(&service), Vec::<String>::new(), "{condition}: {}", said.message);
            refused += 1;
            continue;
        }
        assert_eq!(said.code, Code::Unreachable, "{condition}");
        certain += 1;
        let wrong = if said.message.contains("is never true") { "yes;\n" } else { "no;\n" };
        for rendering in rendering::all(&service) {
            assert_ne!(rendering, wrong, "{condition}: {}", said.message);
            rendered += 1;
        }
    }
    assert!(certain > 100 && rendered > 1_000 && refused > 50, "{certain} {rendered} {refused}");
}

#[test]
fn a_service_without_parameters_that_contradicts_itself_is_found() {
    let template = "firewall { family inet { filter f { term t { then { dscp ef; dscp af11; } } } } }";
    let found = told(&check(&files("", &[("a.j2", template)]), &Definition::default()));
    let expected = "error a.j2:1:1-1 rendering: `firewall family inet filter f term t then dscp` is set to `ef` and to \
                    `af11`; render it once, or under another name";
    assert_eq!(found, [expected]);
    for template in [
        "policy-options { policy-statement p { term t { from { route-filter 10.0.0.0/8 exact; route-filter \
         10.1.0.0/16 exact; } then accept; } } }",
        "policy-options { policy-statement p { then { community add a; community add b; } } }",
    ] {
        assert_eq!(told(&check(&files("", &[("a.j2", template)]), &Definition::default())), Vec::<String>::new());
    }
}

/// Words of the templates' own contradict each other whatever values stand in the others.
#[test]
fn a_leaf_that_is_set_twice_and_differently_whatever_the_values_is_a_fault() {
    let parameters = "[parameters]\nnet = { type = \"network\", required = true }\n\
                      rate = { type = \"rate\", required = true }\nflag = { type = \"boolean\", default = \"true\" }";
    let found = |templates: &[(&str, &str)]| {
        let used = ("z.j2", "x {{ net|first }} {{ rate }};{% if flag %}y;{% endif %}");
        told(&check(&files(parameters, &[templates, &[used]].concat()), &Definition::default()))
    };
    let twice = |file: &str| {
        format!(
            "error {file}:1:1-1 rendering: `system host-name` is set to `a` and to `b`; render it once, or under another name"
        )
    };
    assert_eq!(found(&[("a.j2", "system { host-name a; host-name b; v {{ net }}; }")]), [twice("a.j2")]);
    assert_eq!(
        found(&[("a.j2", "system { host-name a; v {{ net }}; }"), ("b.j2", "system { host-name b; }")]),
        [twice("b.j2")]
    );
    // Where values decide, nothing is certain: whoever gives others may have none of it.
    for works in [
        "system { host-name a; {% if flag %}host-name b;{% endif %} }",
        "system { host-name a; {% if flag and net is several and rate > 7 %}host-name b;{% endif %} }",
        "unit {{ rate }} { a 1; } unit {{ net|first }} { a 2; }",
    ] {
        assert_eq!(found(&[("a.j2", works)]), Vec::<String>::new(), "{works}");
    }
    let warned = found(&[("a.j2", "mtu 7; mtu {{ rate + 1 }};")]);
    assert!(warned.iter().all(|line| line.starts_with("warning a.j2")) && warned.len() == 1, "{warned:?}");
}

#[test]
fn of_a_service_that_works_nothing_is_said() {
    for template in [
        "{% if note is defined %}a {{ note }};{% else %}b;{% endif %}",
        "{% if ports is ranged %}a {{ ports.first }};{% elif ports is several %}b;{% else %}c {{ ports }};{% endif %}",
        "{% for network in home|list %}{% if network is negated %}a {{ network|bare|mask }};{% endif %}{% endfor %}b;",
        "{% set rate = \"192.0.2.0/24\" %}a {{ rate|mask }};",
        "{% if flag %}{% set rate = home %}{% endif %}a {{ rate|mask }};",
        "{% macro m(rate) %}a {{ rate|mask }};{% endmacro %}{{ m(\"192.0.2.0/24\") }}",
        "{% with rate = home %}a {{ rate|mask }};{% endwith %}",
        "{% if mode in [\"a\", \"c\"] %}a;{% endif %}b;",
        "a {{ note|mask if note is defined else 1 }};",
        "{% set x %}{% set rate = home %}{% endset %}a {{ rate|first|bare|mask }};",
        "{% if rate is defined %}a {{ rate|rate }};{% endif %}",
        "{% for port in ports|list %}{% if rate == \"x\" %}b;{% endif %}{% set rate = \"x\" %}{% endfor %}a;",
        "unit {{ ports }} { a 1; }\nunit {{ rate }} { a 2; }",
    ] {
        assert_eq!(check_template(template), Vec::<String>::new(), "{template}");
    }
    let includes = [
        ("_x.j2", "{% if rate is defined %}a {{ rate|mask }};{% else %}b;{% endif %}"),
        ("a.j2", "{% set rate = \"192.0.2.0/24\" %}{% include \"_x.j2\" %}"),
    ];
    let parameters = "[parameters]\nrate = { type = \"rate\", required = true }";
    assert_eq!(told(&check(&files(parameters, &includes), &Definition::default())), Vec::<String>::new());
}

#[test]
fn a_misuse_behind_another_file_is_found_and_so_is_what_nothing_renders() {
    let parameters = "[parameters]\nhome = { type = \"network\", required = true }";
    let wrong = "`rate` wants a whole number, and `q` is a network or a list; take another filter, or a parameter of another \
                 type";
    for (templates, expected) in [
        (
            [("_x.j2", "a {{ q|rate }};"), ("a.j2", "{% set q = home %}{% include \"_x.j2\" %}")],
            format!("error _x.j2:1:6-12 wrong-type: {wrong}"),
        ),
        (
            [
                ("_x.j2", "{% macro m(q) %}a {{ q|rate }};{% endmacro %}"),
                ("a.j2", "{% from \"_x.j2\" import m as n %}{{ n(home) }}"),
            ],
            format!("error _x.j2:1:22-28 wrong-type: {wrong}"),
        ),
        (
            [("_x.j2", "a;"), ("a.j2", "a {{ home|first|bare }};")],
            "warning _x.j2:1:1-1 unused: no template includes `_x.j2`; include it, or leave it out".to_owned(),
        ),
        (
            [("b.j2", "{% if home|list|length > 1000 %}a;{% endif %}"), ("a.j2", "a {{ home|first|bare }};")],
            "warning b.j2:1:1-1 rendering: `b.j2` rendered nothing of all values that were tried; look at its conditions, \
             and at what the constraints leave"
                .to_owned(),
        ),
    ] {
        assert_eq!(told(&check(&files(parameters, &templates), &Definition::default())), [expected]);
    }
    let parameters = "[parameters]\nc = { type = \"number\", required = true, constraint = \"c in [d]\" }\n\
                      d = { type = \"number\", default = \"interface_speed - 1000000005\", constraint = \"d in 1..5\" }";
    let found = told(&check(&files(parameters, &[("a.j2", "a {{ c }};")]), &Definition::default()));
    assert_eq!(
        found,
        [
            "warning service.toml:1:1-1 rendering: no values were found that all parameters take, so nothing was rendered: `d`: \
          the definition gives `-5`, and the definition admits `1..5` only; look at what the constraints leave, and write \
          a scenario"
        ]
    );
}

#[test]
fn stock_services_are_without_fault_and_warning() {
    for (name, files) in SERVICES {
        let files = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        assert_eq!(told(&check(&files, &Definition::default())), Vec::<String>::new(), "{name}");
    }
}

/// A global parameter that refers to one which the service hides would be at fault wherever the service is used.
#[test]
fn a_service_does_not_hide_what_global_parameters_refer_to_otherwise() {
    let globals = "[parameters]\nloc = { type = \"network\", default = \"10.0.0.0/8\" }\n\
                   gx = { type = \"network\", default = \"loc\" }";
    let globals = read_globals(globals).unwrap();
    let found = |types: &str, default: &str| {
        let parameters = format!("[parameters]\nloc = {{ type = \"{types}\", default = \"{default}\" }}");
        check(&files(&parameters, &[("a.j2", "a {{ loc }};")]), &globals)
    };
    let refused = found("rate", "5");
    assert_eq!(
        told(&Checked { warnings: Vec::new(), ..refused }),
        [
            "error service.toml:3:1-4 definition: `loc` of the service hides a global parameter that others refer to: `gx`: `gx` \
          takes `network`, and the global parameters give it `loc`, which is `rate` by the definition; give `loc` another \
          name: the global parameters are used with every service"
        ]
    );
    assert_eq!(
        told(&found("network", "192.0.2.0/24")),
        [
            "warning service.toml:3:1-4 hides: `gx` of parameters.toml refers to `loc`: with this service that is its own, and not \
             the global one; give the service's another name, unless it is meant",
            "warning service.toml:3:1-4 hides: `loc` of the service hides the global parameter of its name; rename it, or leave \
             it out to have the global one"
        ],
        "of the same type it is used in the place of the other"
    );
}

#[test]
fn what_a_definition_asks_of_values_holds_for_its_own_and_fits_its_types() {
    for (declared, expected) in [
        (
            "type = \"rate:rate\"",
            "14-25 definition: parameter `a`: type: the type `rate` stands twice; leave the second one out",
        ),
        (
            "type = \"number\", integer = true, default = \"1.5\"",
            "1-2 definition: parameter `a`: `1.5` of the definition: integers are taken, and `1.5` has a fraction; `round(1.5)` is an integer",
        ),
        (
            "type = \"port\", single = \"value\", default = \"1..2\"",
            "1-2 definition: parameter `a`: `1..2` of the definition: one value is taken, and `1..2` is a range; give one value",
        ),
        (
            "type = \"port\", integer = true",
            "32-36 definition: parameter `a`: integer: a `port` never has a fraction; leave `integer` out",
        ),
        (
            "type = \"network\", single = \"range\"",
            "34-41 definition: parameter `a`: single: a `network` is never a range; write `single = \"value\"`",
        ),
        (
            "type = \"network\", single = \"value\", list = \"append\"",
            "34-41 definition: parameter `a`: single: lists meet by `append`, and it takes none; leave `list` or `single` out",
        ),
    ] {
        let parameters = format!("[parameters]\na = {{ {declared} }}");
        let found = check(
            &files(&parameters, &[("a.j2", "{% if a is defined %}a {{ a }};{% endif %}")]),
            &Definition::default(),
        );
        let expected = format!("error service.toml:3:{expected}");
        assert_eq!(told(&Checked { warnings: Vec::new(), ..found }), [expected], "{declared}");
    }
    let globals = check_globals("[parameters]\na = { type = \"rate:burst:rate\" }");
    let expected = "error parameters.toml:2:14-31 definition: parameter `a`: type: the type `rate` stands twice; leave the second one out";
    assert_eq!(told(&globals), [expected]);
}

#[test]
fn what_values_are_of_one_alone_is_known_of_templates() {
    let parameters = |asked: &str| format!("[parameters]\na = {{ type = \"port\", required = true{asked} }}");
    let template = [("a.j2", "{% if a is several %}b;{% else %}a {{ a }};{% endif %}")];
    let found = |asked: &str| told(&check(&files(&parameters(asked), &template), &Definition::default()));
    assert_eq!(found(""), Vec::<String>::new());
    assert_eq!(
        found(", single = \"range\""),
        [
            "error a.j2:1:7-19 unreachable: `a is several` is never true: what it guards is never rendered; `a` is a whole number \
             or a range and always there"
        ]
    );
}

#[test]
fn a_default_that_is_no_expression_is_told_how_to_be_one() {
    for (default, expected) in [
        ("[1, 2]", "a list stands in quotes"),
        ("{ a = 1 }", "a map stands in quotes"),
        ("2026-01-01", "a table or a date is no value"),
    ] {
        let parameters = format!("[parameters]\na = {{ type = \"port\", default = {default} }}");
        let found = told(&check(&files(&parameters, &[("a.j2", "a {{ a }};")]), &Definition::default()));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{default}: {found:?}");
        assert!(!found.iter().any(|fault| fault.contains("untagged")), "{found:?}");
    }
}
