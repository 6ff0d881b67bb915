//! Hostile values, and templates that render what no device is to have.

use super::*;

#[test]
fn a_value_that_is_hostile_stays_one_word() {
    let templates =
        Templates::load(&files(&[("a.j2", "a {{ x }} { b \"<{{ x }}>\"; c [ {{ x }} d-{{ x }} ]; }")])).unwrap();
    for hostile in ["x; } system { root", "\" \\", "# {% raw %}{{", "delete:", "größe", "", "if a < b"] {
        let values = [("x".to_owned(), text(hostile))].into();
        let strictness = if hostile.contains('<') { Strictness::Full } else { Strictness::Utmost };
        let leaves = templates.render(&values, strictness).unwrap().leaves(Strictness::Utmost);
        assert_eq!(leaves.len(), 3);
        assert!(leaves.iter().all(|leaf| leaf.identity()[1].as_str() == hostile));
        assert_eq!(leaves[0].value()[0].as_str(), format!("<{hostile}>"));
        assert_eq!(leaves[1].identity()[3].as_str(), hostile);
    }
    for (hostile, expected) in [
        (
            "a\nb",
            "a.j2:1:6: the character U+000A cannot stand in a configuration: control characters, line breaks and marks of \
             direction are refused\n  help: give another value",
        ),
        (
            "\u{e000}0\u{e001}",
            "a.j2:1:6: `x`: a value holds private characters, or is made of text that was printed already",
        ),
    ] {
        let values = [("x".to_owned(), text(hostile))].into();
        assert_eq!(templates.render(&values, Strictness::Utmost).unwrap_err().to_string(), expected);
    }
}

/// Whatever position a value is printed in, a device takes it for what it is: a wildcard matches names that nobody gave, a
/// statement of groups brings in others' statements, a tag takes what is there away.
#[test]
fn a_value_is_never_more_than_its_letters() {
    let wildcard = "a value cannot become a wildcard of a configuration group: text in angle brackets stands for all \
                    that it matches";
    let positions =
        ["{{ x }} { a; }", "a {{ x }};", "a \"{{ x }}\";", "a [ b {{ x }} ];", "ge-{{ x }} { a; }", "{{ x }};"];
    for template in positions {
        let templates = Templates::load(&files(&[("a.j2", template)])).unwrap();
        let rendered = |x: &str, strictness| templates.render(&[("x".to_owned(), text(x))].into(), strictness);
        for hostile in ["<*>", "<ge-*>", "<ge-0/0/*>", "<[a-z]>", "<>"] {
            let fault = rendered(hostile, Strictness::Utmost).unwrap_err();
            assert_eq!(fault.message, wildcard, "{template} {hostile}");
            assert!(rendered(hostile, Strictness::Full).is_ok(), "{template} {hostile}: as it was decided before");
        }
        for harmless in ["ge-0/0/*", "a<b", "a -> b", "*", "[ a ]", "/* a */"] {
            let configuration = rendered(harmless, Strictness::Utmost).unwrap();
            assert_eq!(
                Configuration::parse(&configuration.to_string()).unwrap(),
                configuration,
                "{template} {harmless}"
            );
        }
    }
    for (template, x, expected) in [
        (
            "i <{{ x }}> { a; }",
            "ge-*",
            "a value between angle brackets cannot hold `*`: it would match more than one name",
        ),
        (
            "i <ge-{{ x }}> { a; }",
            "[0-9]",
            "a value between angle brackets cannot hold `[`: it would match more than one name",
        ),
        ("i <ge-{{ x }} { a; }", "*>", wildcard),
        ("{{ x }} y;", "apply-groups", "a value cannot become `apply-groups`: that applies configuration groups"),
        ("a { apply-{{ x }} y; }", "groups", "a value cannot become `apply-groups`: that applies configuration groups"),
        (
            "a {{ x }} y;",
            "apply-groups-except",
            "a value cannot become `apply-groups-except`: that applies configuration groups",
        ),
        ("{{ x }} y;", "inactive:", "a value cannot begin a statement with the tag `inactive:`"),
        ("a { {{ x }} y; }", "protect:z", "a value cannot begin a statement with the tag `protect:`"),
        ("{{ x }} { y; }", "groups", "`groups` cannot stand in a configuration group"),
    ] {
        let templates = Templates::load(&files(&[("a.j2", template)])).unwrap();
        let fault = templates.render(&[("x".to_owned(), text(x))].into(), Strictness::Utmost).unwrap_err();
        assert_eq!(fault.message, expected, "{template}");
    }
    let author = "interfaces { <ge-*> { unit <*> { description \"<{{ line }}>\"; } } }";
    assert!(render(author).starts_with("interfaces {\n    <ge-*> {"), "{}", render(author));
}

/// What is told to a device is read again, for its statements, owners and differences.
#[test]
fn what_would_not_read_back_is_refused() {
    let templates = Templates::load(&files(&[("a.j2", "a [ {{ x }} ];")])).unwrap();
    let rendered = |values: Vec<TemplateValue>, strictness| {
        templates.render(&[("x".to_owned(), TemplateValue::List(values))].into(), strictness)
    };
    assert_eq!(
        rendered(Vec::new(), Strictness::Utmost).unwrap_err().to_string(),
        "a.j2:1:8: an empty list stands where a list has at least one element\n  help: give another value"
    );
    let large: Vec<_> = (0..1_000).map(|number| text(&format!("{number}{}", "\"".repeat(900)))).collect();
    assert!(rendered(large.clone(), Strictness::Full).unwrap().to_string().len() > configuration::LARGEST_TEXT);
    let fault = rendered(large, Strictness::Utmost).unwrap_err();
    assert_eq!(fault.message, "the configuration has more than 1048576 bytes");
    let deep =
        format!("{}{}{}", "a { ".repeat(60), (0..9_000).map(|n| format!("b{n};")).collect::<String>(), "}".repeat(60));
    let templates = Templates::load(&files(&[("a.j2", &deep)])).unwrap();
    assert_eq!(
        templates.render(&values(), Strictness::Utmost).unwrap_err().message,
        "the configuration has more than 1048576 bytes"
    );
}

#[test]
fn what_no_group_of_a_device_may_hold_is_refused_when_it_is_rendered() {
    let groups = "write the statements themselves: what a service renders is a group already";
    let commands = "write the hierarchical form: `firewall { filter x { ... } }`";
    for (template, expected) in [
        (
            "a;\napply-groups x;",
            format!("a.j2:2:1: `apply-groups` cannot stand in a configuration group\n  help: {groups}"),
        ),
        ("groups { x { a; } }", format!("a.j2:1:1: `groups` cannot stand in a configuration group\n  help: {groups}")),
        ("set a b;", format!("a.j2:1:1: `set ...` is a command and no statement\n  help: {commands}")),
    ] {
        assert_eq!(render(template), expected);
        assert!(Templates::load(&files(&[("a.j2", template)])).unwrap().render(&values(), Strictness::Full).is_ok());
    }
    assert_eq!(
        render("policy-options { then { set x; } }"),
        "policy-options {\n    then {\n        set x;\n    }\n}\n"
    );
}
