//! What is read, how it is printed, what is refused and with which words.

use super::*;
use crate::Strictness;

fn read(text: &str) -> Configuration {
    Configuration::parse(text).unwrap()
}

fn fault(text: &str) -> String {
    Configuration::parse(text).unwrap_err().to_string()
}

fn conflict(first: &str, second: &str) -> Vec<String> {
    conflicts(&read(first), &read(second), Strictness::Utmost).iter().map(Conflict::to_string).collect()
}

#[test]
fn a_configuration_is_printed_in_one_way() {
    let text = "/* of ours */ firewall{family inet{filter \"linesman\" { term a { from { protocol [udp tcp];\n\
                source-address { 192.0.2.0/24; } } then discard; } } } } # end\n\
                firewall { policer \"p\" { if-exceeding { bandwidth-limit 10m; } } }\n\
                system { host-name \"a b\"; host-name \"a b\"; login { message \"x\\n\\\"y\\\"\\\\\"; } empty { } }";
    let printed = "\
firewall {
    family inet {
        filter linesman {
            term a {
                from {
                    protocol [ udp tcp ];
                    source-address {
                        192.0.2.0/24;
                    }
                }
                then discard;
            }
        }
    }
    policer p {
        if-exceeding {
            bandwidth-limit 10m;
        }
    }
}
system {
    host-name \"a b\";
    login {
        message \"x\\n\\\"y\\\"\\\\\";
    }
    empty {
    }
}
";
    assert_eq!(read(text).to_string(), printed);
    assert_eq!(read(printed), read(text));
}

#[test]
fn an_empty_text_is_an_empty_configuration() {
    for text in ["", " \n\t\r\n", "# nothing", "/* nothing **/"] {
        assert!(read(text).is_empty());
    }
}

#[test]
fn a_comment_begins_only_where_a_word_may_begin() {
    let configuration = read("interfaces { <ge-0/0/*> { disable; } /* a */ }");
    assert_eq!(configuration.to_string(), "interfaces {\n    \"<ge-0/0/*>\" {\n        disable;\n    }\n}\n");
}

#[test]
fn what_is_no_configuration_is_refused_with_its_place() {
    for (text, expected) in [
        (
            "Please block this customer.",
            "1:1: the statement `Please block this customer.` is not ended\n  \
             help: end it with `;`, or open a container with `{`",
        ),
        (
            "set system host-name a",
            "1:1: `set ...` is a command and no statement\n  \
             help: write the hierarchical form: `firewall { filter x { ... } }`",
        ),
        (
            "a {\n    mtu 1500\n    disable;\n}",
            "2:5: the statement `mtu 1500` is not ended\n  help: end it with `;`, or open a container with `{`",
        ),
        (
            "a {\n    mtu 1500 }",
            "2:5: the statement `mtu 1500` is not ended\n  help: end it with `;`, or open a container with `{`",
        ),
        ("a b {\n c;", "1:1: the container `a b` is not closed\n  help: close it with `}`"),
        ("a;\n}", "2:1: `}` closes no container\n  help: remove it, or open the container with `{`"),
        ("a { { b; } }", "1:5: `{` has no name in front of it\n  help: write `name {`"),
        ("[ a ];", "1:1: `[` has no name in front of it\n  help: write `name [`"),
        ("a b ];", "1:5: `]` closes no list\n  help: remove it, or open the list with `[`"),
        ("a;;", "1:3: `;` ends no statement\n  help: remove it"),
        ("port [ ];", "1:6: the list is empty\n  help: leave the statement out"),
        ("port [ 80; ]", "1:6: the list is not closed\n  help: close it with `]`; a list holds words only"),
        ("port [ 80 ] a;", "1:11: no `;` behind the list\n  help: end the statement with `;`"),
        (
            "a \"b\n\";",
            "1:3: the quoted text is not closed on its line\n  \
             help: close it with `\"`; a line break inside is written `\\n`",
        ),
        (
            "a \"b\"c;",
            "1:6: a word follows directly behind quoted text\n  help: put a space or `;` behind the quoted text",
        ),
        ("a b\"c\";", "1:4: `\"` stands inside the word `b`\n  help: put the whole word in double quotes"),
        ("a b#c;", "1:4: `#` stands inside the word `b`\n  help: put the whole word in double quotes"),
        (
            "a \"\\d\";",
            "1:4: `\\d` is no escape\n  help: escapes are `\\\"`, `\\\\`, `\\n` and `\\t`; a backslash is `\\\\`",
        ),
        ("a /* b", "1:3: the comment `/*` is not closed\n  help: close it with `*/`"),
        (
            "a \u{2028}b;",
            "1:3: the character U+2028 cannot stand in a configuration\n  \
             help: remove it: control characters and odd white space do not travel",
        ),
        (
            "a {\n    replace: b { c; }\n}",
            "2:5: the tag `replace:` cannot stand here\n  help: write the statement without it: `active:`, `delete:`, \
             `inactive:`, `insert:`, `protect:`, `replace:`, `unprotect:` say what is done with what exists, a service \
             only creates",
        ),
    ] {
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn sizes_are_bounded() {
    let deep = |depth| format!("{}{}", "a { ".repeat(depth), "} ".repeat(depth));
    assert!(Configuration::parse(&deep(MOST_DEPTH)).is_ok());
    assert!(fault(&deep(MOST_DEPTH + 1)).starts_with("1:257: containers lie more than 64 deep\n"));
    assert!(Configuration::parse(&"a;".repeat(MOST_STATEMENTS)).is_ok());
    assert!(fault(&"a;".repeat(MOST_STATEMENTS + 1)).contains("the configuration has more than 100000 statements\n"));
    assert!(Configuration::parse(&format!("{};", "a".repeat(LONGEST_WORD))).is_ok());
    assert!(
        fault(&format!("a {};", "ä".repeat(LONGEST_WORD + 1)))
            .starts_with("1:3: the word has more than 1024 characters\n")
    );
    assert!(fault(&" ".repeat(LARGEST_TEXT + 1)).starts_with("1:1: the configuration has more than 1048576 bytes\n"));
    assert!(fault(&"{".repeat(LARGEST_TEXT)).starts_with("1:1: `{` has no name"));
    assert!(fault(&"a{".repeat(LARGEST_TEXT / 2)).starts_with("1:129: containers lie more than 64 deep\n"));
}

#[test]
fn leaves_are_told_apart_by_the_words_around_them() {
    let text = "firewall { filter f { term a { from { protocol [ udp tcp ]; } then accept; } \
                term b { then { count c; discard; } } } policer p { bandwidth-limit 10m; logical; } }";
    let leaves: Vec<(String, usize)> =
        read(text).leaves(Strictness::Utmost).iter().map(|leaf| (leaf.to_string(), leaf.value().len())).collect();
    let expected = [
        ("firewall filter f term a from protocol udp", 0),
        ("firewall filter f term a from protocol tcp", 0),
        ("firewall filter f term a then accept", 1),
        ("firewall filter f term b then count c", 1),
        ("firewall filter f term b then discard", 1),
        ("firewall policer p bandwidth-limit 10m", 1),
        ("firewall policer p logical", 0),
    ];
    assert_eq!(leaves, expected.map(|(words, values)| (words.to_owned(), values)));
}

#[test]
fn two_values_of_one_leaf_are_a_conflict() {
    for (first, second, expected) in [
        ("p { rate 10m; }", "p { rate 20m; }", "`p rate` is set to `10m` and to `20m`"),
        (
            "firewall { filter f { term t { then accept; } } }",
            "firewall { filter f { term t { then { discard; } } } }",
            "`firewall filter f term t then` is set to `accept` and to `discard`",
        ),
        (
            "policy-options { policy-statement p { then reject; } }",
            "policy-options { policy-statement p { then next policy; } }",
            "`policy-options policy-statement p then` is set to `reject` and to `next policy`",
        ),
        (
            "routing-options { static { route 192.0.2.7/32 discard; } }",
            "routing-options { static { route 192.0.2.7/32 { next-hop [ 198.51.100.1 198.51.100.2 ]; } } }",
            "`routing-options static route 192.0.2.7/32` is set to `discard` and to \
             `next-hop 198.51.100.1 198.51.100.2`",
        ),
        (
            "source-address { 192.0.2.0/24; }",
            "source-address { 192.0.2.0/24 except; }",
            "`source-address 192.0.2.0/24` is set without a value and to `except`",
        ),
        ("a { description \"x y\"; }", "a { description z; }", "`a description` is set to `\"x y\"` and to `z`"),
        (
            "system { services { ssh { port 22; } } }",
            "system { services { ssh { port 2222; } } }",
            "`system services ssh port` is set to `22` and to `2222`",
        ),
        (
            "firewall { family inet { filter f { term t { then dscp ef; } } } }",
            "firewall { family inet { filter f { term t { then { dscp af11; } } } } }",
            "`firewall family inet filter f term t then dscp` is set to `ef` and to `af11`",
        ),
        (
            "class-of-service { classifiers { dscp c { import a; } } }",
            "class-of-service { classifiers { dscp c { import default; } } }",
            "`class-of-service classifiers dscp c import` is set to `a` and to `default`",
        ),
        (
            "system { syslog { host h { source-address 192.0.2.1; } } }",
            "system { syslog { host h { source-address 192.0.2.2; } } }",
            "`system syslog host h source-address` is set to `192.0.2.1` and to `192.0.2.2`",
        ),
        (
            "protocols { mpls { label-switched-path l { to 192.0.2.1; } } }",
            "protocols { mpls { label-switched-path l { to 192.0.2.2; } } }",
            "`protocols mpls label-switched-path l to` is set to `192.0.2.1` and to `192.0.2.2`",
        ),
        (
            "security { nat { destination { rule-set s { rule r { match { destination-address 192.0.2.1/32; } } } } } }",
            "security { nat { destination { rule-set s { rule r match destination-address 192.0.2.2/32; } } } }",
            "`security nat destination rule-set s rule r match destination-address` is set to `192.0.2.1/32` and to \
             `192.0.2.2/32`",
        ),
        (
            "security { policies { global { policy p { then permit; } } } }",
            "security { policies { global { policy p { then deny; } } } }",
            "`security policies global policy p then` is set to `permit` and to `deny`",
        ),
        (
            "policy-options { policy-statement p { from { route-filter 192.0.2.0/24 exact accept; } } }",
            "policy-options { policy-statement p { from { route-filter 192.0.2.0/24 exact reject; } } }",
            "`policy-options policy-statement p from route-filter 192.0.2.0/24 exact` is set to `accept` and to `reject`",
        ),
    ] {
        assert_eq!(conflict(first, second), [expected]);
    }
}

#[test]
fn what_adds_up_is_no_conflict() {
    for (first, second) in [
        ("p { rate 10m; }", "p { rate 10m; }"),
        ("p { rate 10m; }", "q { rate 20m; }"),
        ("from { 192.0.2.0/24; }", "from { 198.51.100.0/24; }"),
        ("x [ a b ];", "x c;"),
    ] {
        assert_eq!(conflict(first, second), [""; 0], "{first} {second}");
    }
    // What stands around, and two that a device takes side by side there.
    for (around, first, second) in [
        ("firewall family inet filter f term a", "from protocol udp;", "from { protocol [ tcp icmp ]; }"),
        ("firewall family inet filter f", "term a { then accept; }", "term b then discard;"),
        ("firewall family inet filter f term a then", "count a;", "discard;"),
        ("firewall family inet filter f term a from", "source-address 192.0.2.0/24;", "source-address 10.0.0.0/8;"),
        ("interfaces ge-0/0/0", "unit 0;", "unit 1;"),
        ("interfaces ge-0/0/0 unit 0 family inet", "address 192.0.2.1/24;", "address 192.0.2.2/24;"),
        ("interfaces ge-0/0/0 unit 0 family inet", "address 192.0.2.1/24;", "address 192.0.2.1/24 { primary; }"),
        ("routing-options static", "route 192.0.2.7/32 discard;", "route 192.0.2.8/32 receive;"),
        ("routing-instances i routing-options static", "route 192.0.2.7/32 discard;", "route 192.0.2.8/32;"),
        ("logical-systems l system ntp", "server 192.0.2.1;", "server 192.0.2.2;"),
        ("routing-instances i", "interface ge-0/0/0.0;", "interface ge-0/0/1.0;"),
        ("system ntp", "server 192.0.2.1;", "server 192.0.2.2 prefer;"),
        ("system", "name-server 192.0.2.1;", "name-server 192.0.2.2;"),
        ("policy-options policy-statement p from", "route-filter 10.0.0.0/8 exact;", "route-filter 10.1.0.0/16 exact;"),
        (
            "policy-options policy-statement p from",
            "route-filter 10.0.0.0/8 exact;",
            "route-filter 10.0.0.0/8 upto /9;",
        ),
        ("policy-options policy-statement p from", "as-path a;", "as-path b;"),
        ("policy-options policy-statement p term t then", "community add a;", "community add b;"),
        ("policy-options", "as-path a \".*\";", "as-path b \".\";"),
        ("policy-options", "community a members 64500:1;", "community a { members 64500:2; }"),
        ("security policies global policy p match", "application junos-http;", "application junos-https;"),
        ("class-of-service forwarding-classes", "class a queue-num 1;", "class b queue-num 2;"),
        (
            "class-of-service classifiers dscp c",
            "forwarding-class a loss-priority low code-points 000000;",
            "forwarding-class a { loss-priority low code-points 000001; loss-priority high code-points 000010; }",
        ),
        ("protocols ospf area 0.0.0.0", "interface ge-0/0/0.0;", "interface ge-0/0/1.0 { passive; }"),
        ("protocols bgp group g", "import a;", "import b;"),
    ] {
        let [first, second] = [first, second].map(|text| format!("{} {{ {text} }}", around.replace(' ', " { ")));
        let closed = |text: &str| format!("{text}{}", " }".repeat(around.split(' ').count() - 1));
        let texts = [closed(&first), closed(&second)];
        // As containers of one word each it is no hierarchy of Junos; the words around a leaf are the same.
        assert_eq!(conflict(&texts[0], &texts[1]), [""; 0], "{} {}", texts[0], texts[1]);
        let both = read(&texts.concat()).contradictions(Strictness::Utmost);
        assert_eq!(both, [], "{texts:?}");
    }
}

#[test]
fn early_it_went_by_the_names_of_statements() {
    let early = |first: &str, second: &str| conflicts(&read(first), &read(second), Strictness::Early).len();
    assert_eq!(early("ssh { port 22; }", "ssh { port 2222; }"), 0);
    assert_eq!(early("t { then dscp ef; }", "t { then dscp af11; }"), 0);
    assert_eq!(early("ntp { server 192.0.2.1; }", "ntp { server 192.0.2.2; }"), 1);
    assert_eq!(early("t { then accept; }", "t { then discard; }"), 1);
    assert_eq!(early("static { route 192.0.2.7/32 discard; }", "static { route 192.0.2.8/32 receive; }"), 0);
}

#[test]
fn a_configuration_that_contradicts_itself_is_found() {
    let texts: Vec<String> = read("a { mtu 1500; b; mtu 9000; } a { mtu 1500; }")
        .contradictions(Strictness::Utmost)
        .iter()
        .map(Conflict::to_string)
        .collect();
    assert_eq!(texts, ["`a mtu` is set to `1500` and to `9000`"]);
    assert!(
        read("firewall { filter f { term t { then { accept; count a; } } } }")
            .contradictions(Strictness::Utmost)
            .is_empty()
    );
}

#[test]
fn merged_configurations_share_their_containers() {
    let mut configuration = read("a { b { c 1; } } d;");
    configuration.merge(read("e; a { b { c 1; c 2; } f; }"));
    assert_eq!(configuration, read("a { b { c 1; c 2; } f; } d; e;"));
}

#[test]
fn a_diff_shows_what_goes_and_what_comes_by_hierarchy() {
    let old = read("firewall { policer p { rate 10m; burst 1; } filter f { term a { then discard; } } } old { x; }");
    let new = read(
        "firewall { policer p { rate 20m; burst 1; then discard; } filter f { term b { from { port [ 80 443 ]; } } \
         term a { then discard; } } }",
    );
    let expected = "\
[edit]
-  old {
-      x;
-  }
[edit firewall policer p]
-  rate 10m;
+  rate 20m;
+  then discard;
[edit firewall filter f]
+  term b {
+      from {
+          port [ 80 443 ];
+      }
+  }
";
    assert_eq!(diff(&old, &new), expected);
    let reverse = "\
[edit]
+  old {
+      x;
+  }
[edit firewall policer p]
-  rate 20m;
+  rate 10m;
-  then discard;
[edit firewall filter f]
-  term b {
-      from {
-          port [ 80 443 ];
-      }
-  }
";
    assert_eq!(diff(&new, &old), reverse);
    assert_eq!(diff(&old, &old), "");
}

#[test]
fn a_diff_shows_each_new_value_once() {
    let (old, new) = (read("a 1; a 2;"), read("a 3; b 1; a 4; a 5;"));
    assert_eq!(diff(&old, &new), "[edit]\n-  a 1;\n+  a 3;\n-  a 2;\n+  a 4;\n+  b 1;\n+  a 5;\n");
}

#[test]
fn a_diff_shows_what_stands_elsewhere() {
    let (old, new) = (read("f { a { x; } b { x; } c { x; } d; }"), read("f { c { x; } a { x; } d; b { x; } }"));
    assert_eq!(diff(&old, &new), "[edit f]\n!  c { ... }\n!  d;\n");
}

#[test]
fn a_group_holds_its_configuration_and_is_applied() {
    let group = Group::new("linesman-scrub-line-7", read("a { b 1; }")).unwrap();
    let text = "\
groups {
    linesman-scrub-line-7 {
        a {
            b 1;
        }
    }
}
apply-groups linesman-scrub-line-7;
";
    assert_eq!(group.to_string(), text);
    assert_eq!(read(text).to_string(), text);
    let removal = "delete groups linesman-scrub-line-7\ndelete apply-groups linesman-scrub-line-7\n";
    assert_eq!(group.removal(), removal);
    assert_eq!(Change::Remove("linesman-scrub-line-7".to_owned()).to_string(), removal);
    assert_eq!(Change::Put(group).to_string(), text);
}

#[test]
fn what_cannot_be_a_group_is_refused() {
    for (name, text, expected) in [
        ("a b", "c;", "`a b` cannot name a configuration group: names have 1 to 255 letters, digits, `-` and `_`"),
        ("", "c;", "`` cannot name a configuration group: names have 1 to 255 letters, digits, `-` and `_`"),
        ("g", "", "there is no statement to put into a configuration group"),
        ("g", "groups { a { b; } }", "`groups` cannot stand in a configuration group: write the statements themselves"),
        (
            "g",
            "a { b { apply-groups [ x y ]; } }",
            "`apply-groups` cannot stand in a configuration group: write the statements themselves",
        ),
    ] {
        assert_eq!(Group::new(name, read(text)).unwrap_err().to_string(), expected);
    }
}
