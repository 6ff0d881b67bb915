//! What templates render, what each value is spelled like, and what is refused with which words.

mod hostile;

use super::*;

fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
}

fn text(text: &str) -> TemplateValue {
    TemplateValue::Text(text.to_owned())
}

fn network(text: &str) -> TemplateValue {
    let (address, length) = text.split_once('/').unwrap();
    TemplateValue::Network(address.parse().unwrap(), length.parse().unwrap())
}

fn not(value: TemplateValue) -> TemplateValue {
    TemplateValue::Not(Box::new(value))
}

fn values() -> BTreeMap<String, TemplateValue> {
    let port = TemplateValue::Integer;
    let range = TemplateValue::Range(Box::new(port(8_080)), Box::new(port(8_090)));
    [
        ("address", TemplateValue::Address("192.0.2.7".parse().unwrap())),
        ("burst", TemplateValue::Integer(1_500_000)),
        ("flag", TemplateValue::Boolean(true)),
        ("interface", text("ge-0/0/1.100")),
        ("line", text("line-7")),
        ("map", TemplateValue::Map([("a".to_owned(), port(1)), ("b".to_owned(), text("x y"))].into())),
        ("network", network("192.0.2.0/24")),
        ("networks", TemplateValue::List(vec![network("192.0.2.0/24"), not(network("192.0.2.128/25"))])),
        ("six", network("2001:db8::/32")),
        ("port", port(443)),
        ("ports", TemplateValue::List(vec![port(80), range])),
        ("rate", TemplateValue::Integer(10_000_000)),
        ("bandwidth", TemplateValue::Integer(i128::from(u64::MAX))),
        ("negated", not(text("udp"))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn render(template: &str) -> String {
    let templates = Templates::load(&files(&[("a.j2", template)])).unwrap_or_else(|faults| panic!("{faults:?}"));
    match templates.render(&values(), Strictness::Utmost) {
        Ok(configuration) => configuration.to_string(),
        Err(fault) => fault.to_string(),
    }
}

fn load(given: &[(&str, &str)]) -> Vec<String> {
    Templates::load(&files(given)).unwrap_err().iter().map(Fault::to_string).collect()
}

#[test]
fn a_template_renders_configuration() {
    let template = "\
{# what the customer sends us #}
firewall {
    family {{ network|family }} {
        filter linesman-{{ line }} {
            term screen {
                from {
                    source-address {
                        {% for network in networks|list %}{{ network|except }};
                        {% endfor %}
                    }
                    destination-port [ {{ ports }} ];
                    {% if negated is negated %}protocol-except{% else %}protocol{% endif %} {{ negated|bare }};
                }
                then {
                    count \"from {{ network }}\";
                    discard;
                }
            }
        }
    }
    policer {{ line }} { if-exceeding { bandwidth-limit {{ rate|rate }}; burst-size-limit {{ burst|rate }}; } }
}
";
    let expected = "\
firewall {
    family inet {
        filter linesman-line-7 {
            term screen {
                from {
                    source-address {
                        192.0.2.0/24;
                        192.0.2.128/25 except;
                    }
                    destination-port [ 80 8080-8090 ];
                    protocol-except udp;
                }
                then {
                    count \"from 192.0.2.0/24\";
                    discard;
                }
            }
        }
    }
    policer line-7 {
        if-exceeding {
            bandwidth-limit 10m;
            burst-size-limit 1500k;
        }
    }
}
";
    assert_eq!(render(template), expected);
}

#[test]
fn what_is_compared_by_order_is_alike() {
    for (template, expected) in [
        ("{% if rate > 5 %}a;{% endif %}", "a;\n"),
        ("{% if 5 < rate < bandwidth %}a;{% endif %}", "a;\n"),
        ("{% if (line) < (\"m\") %}a;{% endif %}", "a;\n"),
        ("{% if (rate + burst) * 2 >= burst - 1 %}a;{% endif %}", "a;\n"),
        ("{% if flag and (port > 5) == (rate > 5) %}a;{% endif %}", "a;\n"),
        ("{% if ports|length > 1 and -port < 0 %}a;{% endif %}", "a;\n"),
        ("{% if port > 500 > line %}a;{% else %}b;{% endif %}", "b;\n"),
        ("a {{ 1 if port - 1 < map.a + 500 else 2 }};", "a 1;\n"),
        ("{% if network|host(3) < (line|name(\"a\")) %}a;{% endif %}", "a;\n"),
        ("{% if map[\"a\"] < (ports|first) + (2 if flag else 3) %}a;{% endif %}", "a;\n"),
        ("{% macro m(one) %}{% if one > 5 %}a;{% endif %}{% endmacro %}{{ m(rate) }}", "a;\n"),
        (
            "x;\n{% if network > 5 %}a;{% endif %}",
            "a.j2:2:7: `network > 5` compares a text and a number, which have no order\n  \
             help: compare two numbers, two texts or two lists",
        ),
        (
            "{% if 1 < rate < line %}a;{% endif %}",
            "a.j2:1:11: `rate < line` compares a number and a text, which have no order\n  \
             help: compare two numbers, two texts or two lists",
        ),
        (
            "{% if flag <= port %}a;{% endif %}",
            "a.j2:1:7: `flag <= port` compares a boolean and a number, which have no order\n  \
             help: compare two numbers, two texts or two lists",
        ),
        (
            "{% for one in ports|list %}{% if one > 90 %}a;{% endif %}{% endfor %}",
            "a.j2:1:34: `one > 90` compares a range or a negated value and a number, which have no order\n  \
             help: compare two numbers, two texts or two lists",
        ),
        (
            "{% if rate > 5 %}a {{ line|mask }};{% endif %}",
            "a.j2:1:28: `mask` wants a network or an address, not `line-7`",
        ),
    ] {
        assert_eq!(render(template), expected, "{template}");
    }
    // Logs that were decided early are decided again so.
    let templates = Templates::load(&files(&[("a.j2", "{% if network > 5 %}a;{% endif %}")])).unwrap();
    assert_eq!(templates.render(&values(), Strictness::Early).unwrap().to_string(), "a;\n");
}

#[test]
fn filters_and_tests_give_what_they_promise() {
    for (expression, expected) in [
        ("network|address", "192.0.2.0"),
        ("address|address", "192.0.2.7"),
        ("network|prefix_length", "24"),
        ("address|prefix_length", "32"),
        ("network|mask", "255.255.255.0"),
        ("'0.0.0.0/0'|mask", "0.0.0.0"),
        ("network|host(1)", "192.0.2.1"),
        ("network|host(255)", "192.0.2.255"),
        ("'192.0.2.77/24'|host(1)", "192.0.2.1"),
        ("six|host(4294967296)", "2001:db8::1:0:0"),
        ("six|family", "inet6"),
        ("networks|last|family", "inet"),
        ("interface|physical", "ge-0/0/1"),
        ("interface|unit", "100"),
        ("'lo0'|unit", "0"),
        ("rate|rate", "10m"),
        ("2000000000|rate", "2g"),
        ("0|rate", "0"),
        ("1234|rate", "1234"),
        ("bandwidth|rate", "18446744073709551615"),
        ("bandwidth", "18446744073709551615"),
        ("1.5", "1.5"),
        ("ports|length", "2"),
        ("ports|first", "80"),
        ("ports|last", "8080-8090"),
        ("(ports|last).first", "8080"),
        ("port|list|length", "1"),
        ("networks|positive|length", "1"),
        ("networks|negative|first", "192.0.2.128/25"),
        ("map.b", "\"x y\""),
        ("'yes' if network == '192.0.2.0/24' else 'no'", "yes"),
        ("'yes' if unknown is defined else 'no'", "no"),
        ("'yes' if ports is several else 'no'", "yes"),
        ("'yes' if ports|last is ranged else 'no'", "yes"),
        ("line ~ '-in'", "line-7-in"),
        ("'berlin'|name(line)", "berlin_line-7"),
        ("line|name('x_y')", "line-7-x-y__fa9226777247"),
        ("port + 1", "444"),
    ] {
        assert_eq!(render(&format!("a {{{{ {expression} }}}};")), format!("a {expected};\n"), "{expression}");
    }
    let entries = "{% for name, value in map|items %}{{ name }} {{ value }};\n{% endfor %}";
    assert_eq!(render(entries), "a 1;\nb \"x y\";\n");
}

#[test]
fn names_of_two_texts_are_short_and_each_their_own() {
    let long = "a".repeat(64);
    let pairs = [
        ("acme-berlin", "7"),
        ("acme", "berlin-7"),
        ("a_b", "c"),
        ("a", "b_c"),
        ("a-b", "c"),
        ("a", "b-c"),
        ("größe", "1"),
        (long.as_str(), "line-7"),
        (long.as_str(), "line-8"),
        (&long[1..], "aline-7"),
    ];
    let mut names = std::collections::BTreeSet::new();
    for (one, other) in pairs {
        let text = render(&format!("a {{{{ '{one}'|name('{other}') }}}};"));
        let name = text.strip_prefix("a ").and_then(|text| text.strip_suffix(";\n")).unwrap();
        assert!(name.len() <= 40, "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{name}");
        assert!(names.insert(name.to_owned()), "{name}");
    }
}

#[test]
fn macros_and_includes_keep_values_in_their_places() {
    let given = files(&[
        (
            "_rate.j2",
            "{% macro policer(name, rate) %}policer {{ name }} { bandwidth-limit {{ rate|rate }}; }{% endmacro %}",
        ),
        ("_term.j2", "term {{ port }} { then accept; }"),
        (
            "b.j2",
            "{% from \"_rate.j2\" import policer %}firewall { {{ policer(\"in; }\", rate) }} }\n\
             {% set held %}x \"{{ line }}\";{% endset %}{{ held }}\n{% for port in ports|list %}{% include \"_term.j2\" %}\n{% endfor %}",
        ),
        ("a.j2", "system { host-name {{ line }}; }"),
        ("service.toml", "not a template"),
    ]);
    let expected = "\
system {
    host-name line-7;
}
firewall {
    policer \"in; }\" {
        bandwidth-limit 10m;
    }
}
x line-7;
term 80 {
    then accept;
}
term 8080-8090 {
    then accept;
}
";
    assert_eq!(Templates::load(&given).unwrap().render(&values(), Strictness::Utmost).unwrap().to_string(), expected);
}

#[test]
fn what_cannot_be_rendered_is_refused_with_its_place() {
    for (template, expected) in [
        (
            "a {\n    b {{ missing }};\n}",
            "a.j2:2:10: `missing` has no value\n  \
             help: require the parameter, give it a default, or ask `is defined` first",
        ),
        (
            "a {\n    /* for {{ line }} */ b;\n}",
            "a.j2:2:15: a value cannot stand in a comment\n  help: write the comment as one of the template, `{# ... #}`",
        ),
        (
            "a {\n    b {{ ports }};\n}",
            "a.j2:2:10: a list stands where one word does\n  \
             help: write `[ {{ ... }} ]`, or print one element after the other with `{% for %}`",
        ),
        (
            "x;\na b-{{ networks|last|except }};",
            "a.j2:2:8: several words stand where there is one\n  help: print `|bare`, or put a space around it",
        ),
        (
            "a {{ line }}\nb;",
            "a.j2:1:1: the statement `a \"line-7\"` is not ended\n  help: end it with `;`, or open a container with `{`",
        ),
        (
            "{% if flag %}\n  a { b; {% endif %}\n",
            "a.j2:2:3: the container `a` is not closed\n  help: close it with `}`",
        ),
        (
            "Dear {{ line }},\nyour line is slow.",
            "a.j2:1:1: the statement `Dear \"line-7,\"` is not ended\n  help: end it with `;`, or open a container with `{`",
        ),
        (
            "mtu {{ port }}; mtu {{ rate }};",
            "a.j2:1:1: `mtu` is set to `443` and to `10000000`\n  help: render it once, or under another name",
        ),
        ("a {{ flag }};", "a.j2:1:6: `flag`: a boolean is no word of a configuration: write `{% if %}`"),
        (
            "a {{ negated }};",
            "a.j2:1:6: `negated`: a `not` has no spelling of its own: print `|except`, or ask `is negated` and print `|bare`",
        ),
        ("a {{ map }};", "a.j2:1:6: `map`: a map is no word of a configuration: print one of its values"),
        ("a {{ line|mask }};", "a.j2:1:11: `mask` wants a network or an address, not `line-7`"),
        ("a {{ six|mask }};", "a.j2:1:10: `mask` wants an IPv4 network: of IPv6 print `|prefix_length`"),
        ("a {{ network|host(256) }};", "a.j2:1:14: `192.0.2.0/24` has no host 256"),
        ("a {{ line|rate }};", "a.j2:1:11: `rate` wants a whole number that is not negative, not `line-7`"),
        ("a {{ network|unit }};", "a.j2:1:14: `unit` wants an interface such as `ge-0/0/1.100`, not `192.0.2.0/24`"),
    ] {
        assert_eq!(render(template), expected, "{template}");
    }
}

#[test]
fn what_a_template_may_not_do_is_refused_before_it_runs() {
    for (template, expected) in [
        (
            "{% for n in networks %}{{ n }};{% endfor %}",
            "a.j2:1:13: `networks` may not be a list\n  help: write `networks|list`: a parameter may have one value or a list",
        ),
        (
            "{% set x = [line, line] %}",
            "a.j2:1:12: a list or a map in a template holds literals only\n  \
             help: make it a parameter of the service, or write what it holds side by side",
        ),
        (
            "a {{ line|upper }};",
            "a.j2:1:11: there is no filter `upper`\n  help: known are `address`, `bare`, `except`, \
          `family`, `first`, `host`, `items`, `last`, `length`, `list`, `mask`, `name`, `negative`, `physical`, `positive`, \
          `prefix_length`, `rate`, `unit`",
        ),
        (
            "{% if line is odd %}{% endif %}",
            "a.j2:1:15: there is no test `odd`\n  help: known are `defined`, `negated`, `ranged`, `several`",
        ),
        ("{% include \"_x.j2\" %}", "a.j2:1:12: there is no template `_x.j2`\n  help: the folder has none to include"),
        (
            "{% include \"a.j2\" %}",
            "a.j2:1:12: `a.j2` renders by itself\n  \
             help: what others include has a name that begins with `_`, and renders nothing alone",
        ),
        ("{% include line %}", "a.j2:1:12: the name of a template must be written out\n  help: write `\"_file.j2\"`"),
        (
            "{% autoescape false %}{% endautoescape %}",
            "a.j2:1:4: `{% autoescape %}` cannot be used\n  \
             help: known are `call`, `do`, `for`, `from`, `if`, `include`, `macro`, `set` and `with`",
        ),
    ] {
        assert_eq!(load(&[("a.j2", template)]), [expected], "{template}");
    }
    let [fault] = load(&[("a.j2", "a {\n{% if %}")]).try_into().unwrap();
    assert!(fault.starts_with("a.j2:2:"), "{fault}");
    let private = "a \u{e000}0\u{e001};";
    assert_eq!(
        load(&[("a.j2", private)]),
        [
            "a.j2:1:1: the template holds the private characters U+E000 or U+E001\n  help: remove them: no device knows them"
        ]
    );
}

#[test]
fn a_template_ends_whatever_it_does() {
    let endless = "the template does more than a template may\n  \
                   help: render less: a loop goes over one list, and no list is long";
    let repeated = |text: &str| text.repeat(60);
    let many = format!("{}x;{}", "{% for a in ports|list %}".repeat(20), "{% endfor %}".repeat(20));
    let doubled = format!("{{% set x = line %}}{}a {{{{ x }}}};", repeated("{% set x = x ~ x %}"));
    let captured = format!("{{% set x %}}a;{{% endset %}}{}", repeated("{% set x %}{{ x }}{{ x }}{% endset %}"));
    for template in [many, doubled, captured] {
        let fault = render(&template);
        assert!(fault.ends_with(endless), "{fault}");
    }
    let recursive = "{% macro again(x) %}{{ again(x) }}{% endmacro %}{{ again(1) }}";
    assert!(render(recursive).starts_with("a.j2:1:"), "{}", render(recursive));
}

#[test]
fn a_name_that_is_no_parameter_is_found() {
    let templates = Templates::load(&files(&[
        ("_x.j2", "{% macro m(y) %}{{ y }}{% endmacro %}{{ of_loop }};"),
        ("a.j2", "a {{ lime }};\n{% for of_loop in ports|list %}{{ loop.index }} {{ of_loop }};{% endfor %}"),
    ]))
    .unwrap();
    let known: BTreeSet<&str> = ["line", "ports"].into();
    let faults: Vec<String> = templates.unknown_parameters(&known).iter().map(Fault::to_string).collect();
    assert_eq!(faults, ["a.j2:1:6: there is no parameter `lime`\n  help: did you mean `line`?"]);
}

/// What a template renders, statement by statement, with the parameters whose values stand there.
fn origins(given: &[(&str, &str)]) -> Vec<String> {
    let templates = Templates::load(&files(given)).unwrap_or_else(|faults| panic!("{faults:?}"));
    let found = templates.origins(&values());
    let rendered = templates.render(&values(), Strictness::Utmost).unwrap().leaves(Strictness::Utmost);
    assert_eq!(
        found.keys().cloned().collect::<BTreeSet<_>>(),
        rendered.into_iter().collect(),
        "every leaf, and no other"
    );
    let told = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
    found.iter().map(|(leaf, names)| format!("{leaf}: {}", told(names))).collect()
}

#[test]
fn each_statement_is_told_with_the_parameters_that_stand_in_it() {
    let template = "\
policer limit-{{ line }} {
    rate {{ rate|rate }};
    burst 625k;
}
fixed;
{% if flag %}
{% for network in networks|list %}
from { {{ network|except }}; }
{% endfor %}
{% endif %}
port [ {{ ports }} {{ port }} 22 ];
{{- six if flag else address }};";
    assert_eq!(
        origins(&[("a.j2", template)]),
        [
            "2001:db8::/32: address six",
            "fixed: ",
            "from 192.0.2.0/24: networks",
            "from 192.0.2.128/25 except: networks",
            "policer limit-line-7 burst 625k: line",
            "policer limit-line-7 rate 10m: line rate",
            "port 22: ",
            "port 443: port",
            "port 80: ports",
            "port 8080-8090: ports",
        ]
    );
}

#[test]
fn a_value_under_another_name_is_followed_to_its_parameter() {
    let main = "\
{% from \"_macros.j2\" import route as way %}
{% set first = port %}
{{ way(address, tag=burst) }}
{% with second = first %}
second {{ second }};
{% endwith %}
{% for each in [1, 2]|list %}{% include \"_part.j2\" %}{% endfor %}
{% set kept %}kept {{ rate }};{% endset %}
{{ kept }}
{% call(inner) wrapped(line) %}inner {{ inner }};{% endcall %}";
    let macros =
        "{% macro route(to, tag) %}\nroute {{ to }} {\n    tag {{ tag }};\n    up {{ interface }};\n}\n{% endmacro %}";
    let wrapped = "{% macro wrapped(port) %}wrap {{ port }} { {{ caller(port) }} }{% endmacro %}";
    let main = format!("{wrapped}{main}");
    assert_eq!(
        origins(&[("a.j2", &main), ("_macros.j2", macros), ("_part.j2", "part-{{ each }} {{ six }};\n")]),
        [
            "kept 10000000: rate",
            "part-1 2001:db8::/32: six",
            "part-2 2001:db8::/32: six",
            "route 192.0.2.7 tag 1500000: address burst",
            "route 192.0.2.7 up ge-0/0/1.100: address interface",
            "second 443: port",
            "wrap line-7 inner line-7: line",
        ]
    );
}

#[test]
fn templates_that_include_each_other_again_and_again_are_not_followed_forever() {
    let mut given: Vec<(String, String)> =
        vec![("a.j2".to_owned(), "x {{ port }};{% if not flag %}{% include \"_0.j2\" %}{% endif %}".to_owned())];
    for number in 0..30 {
        let next = format!("{{% include \"_{}.j2\" %}}", number + 1);
        given.push((format!("_{number}.j2"), format!("{next}{next}")));
    }
    given.push(("_30.j2".to_owned(), String::new()));
    let given: Vec<(&str, &str)> = given.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let found = Templates::load(&files(&given)).unwrap().origins(&values());
    assert!(found.is_empty(), "of what nobody knows nothing is told: {found:?}");
}
