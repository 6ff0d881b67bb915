//! Configuration does not leave where it is withheld, however it is shown, told of or enclosed, and what is none does.

#![cfg(test)]

mod support;

use linesman_redaction::{CONFIGURATION_WITHHELD, Redaction};
use linesman_schemas::FilterLevel;

const SECRET: &str = "Zk7canaryQ9";

fn leaving(text: &str) -> String {
    support::text(&Redaction::at(FilterLevel::ExceptConfiguration), "rsi.txt", text)
}

/// Documents with configuration, in which `@@` stands for a name of it.
const WITH_CONFIGURATION: &[&str] = &[
    // Comments, banners and descriptions that look like the end of it.
    "root@e> show configuration protocols bgp\ngroup EXT {\n    /* request CHG0012: new peer */\n    neighbor 10.0.0.1 {\n        description @@;\n    }\n}\n",
    "root@e> show configuration\nsystem {\n    host-name a;\n}\n/* request CHG0012 */\nprotocols {\n    bgp { group @@; }\n}\n",
    "root@e> show configuration interfaces\nge-0/0/0 {\n    /* show on map\n       show more\n    */\n    description @@;\n}\n",
    "root@e> show configuration\nsystem {\n    login {\n        message \"\nshow your badge\n}\nops@core> is not for you\n@@\";\n    }\n}\n",
    "root@e> show configuration interfaces\nge-0/0/0 {\n    description x;\n}\nge-0/0/1 {\nops@core> ge-0/0/1 {\n    description @@;\n}\n}\n",
    "set system login message \"\nops@core> x\n@@\"\n",
    "system {\n    login {\n        message \"\n}\nshow it\n@@\";\n    }\n}\n",
    // Where it is edited.
    "[edit protocols bgp]\nroot@e# show\ngroup EXT {\n    neighbor 10.0.0.1 {\n        description @@;\n    }\n}\n",
    "[edit]\nroot@e# show interfaces\nge-0/0/0 {\n    description @@;\n}\n",
    "root@e# run show configuration interfaces\nge-0/0/0 {\n    description @@;\n}\n",
    "root@e# edit protocols bgp group @@\n",
    "root@e# wildcard delete interfaces @@\n",
    "root@e% cli -c \"show configuration interfaces\"\nge-0/0/0 {\n    description @@;\n}\n",
    // By itself.
    "ge-0/0/0 {\n    description @@;\n}\n",
    "policy-statement @@ {\n    then accept;\n}\n",
    "vmhost {\n    management-if { interface @@; }\n}\n",
    "openconfig-interfaces:interfaces {\n    interface @@;\n}\n",
    "set vmhost x @@\nset session-limit-group @@\nset openconfig-bgp:bgp global @@\n",
    // In what a log tells.
    "e mgd[1]: UI_CMDLINE_READ_LINE: User 'ann', command 'deactivate protocols bgp group @@ '\n",
    "e mgd[1]: UI_CMDLINE_READ_LINE: User 'ann', command 'activate protocols bgp group @@ '\n",
    "e mgd[1]: UI_CMDLINE_READ_LINE: User 'ann', command 'annotate system \"@@\" '\n",
    "e mgd[1]: UI_CMDLINE_READ_LINE: User 'ann', command 'wildcard delete interfaces @@ '\n",
    "e mgd[1]: UI_CMDLINE_READ_LINE: User 'ann', command 'replace pattern @@ with x '\n",
    "e mgd[1]: UI_CMDLINE_READ_LINE: User 'ann', command 'edit protocols bgp group @@ '\n",
    "<jmb><a>User &apos;ann&apos;, command &apos;copy interfaces @@ &apos;</a></jmb>",
    // Enclosed.
    "<jmb><attachments><attachment filename=\"x\" name=\"edge_cfg_xml.xml\"><![CDATA[host-name @@;]]></attachment></attachments></jmb>",
    "<jmb><attachments><attachment name=\"a.txt\" path='/config/juniper.conf'><![CDATA[host-name @@;]]></attachment></attachments></jmb>",
    "<rpc-reply><data><system xmlns=\"http://yang.juniper.net/junos/conf/system\"><host-name>@@</host-name></system></data></rpc-reply>",
    "<rpc-reply><data><interfaces xmlns=\"http://openconfig.net/yang/interfaces\"><name>@@</name></interfaces></data></rpc-reply>",
    "<edit-config><config><system><host-name>@@</host-name></system></config></edit-config>",
    "{\"junos-conf-system:system\": {\"host-name\": \"@@\"}}",
    "{\"openconfig-interfaces:interfaces\":{\"interface\":[{\"name\":\"@@\"}]}}",
];

#[test]
fn configuration_is_withheld_however_it_is_shown() {
    for text in WITH_CONFIGURATION {
        let text = text.replace("@@", SECRET);
        for level in [FilterLevel::ExceptConfiguration, FilterLevel::FeaturesOnly] {
            let left = support::text(&Redaction::at(level), "rsi.txt", &text);
            assert!(!left.contains(SECRET), "{text}{left}");
        }
        let left = leaving(&text);
        assert!(left.contains(CONFIGURATION_WITHHELD), "{text}{left}");
    }
}

#[test]
fn what_follows_configuration_leaves() {
    for (text, expected) in [
        (
            "root@e> show configuration\nsystem {\n    host-name x;\n}\n\nroot@e> show version\nJunos: 21.4\n",
            "root@e> show configuration\n[configuration withheld]\nroot@e> show version\nJunos: 21.4\n",
        ),
        // Cut off within braces and quotation marks: the same prompt ends it.
        (
            "root@e> show configuration\nsystem {\n    message \"a\n\nroot@e> show version\nJunos: 21.4\n",
            "root@e> show configuration\n[configuration withheld]\nroot@e> show version\nJunos: 21.4\n",
        ),
        (
            "--- show configuration ---\nsystem {\n}\n--- show version ---\nJunos: 21.4\n",
            "--- show configuration ---\n[configuration withheld]\n--- show version ---\nJunos: 21.4\n",
        ),
        (
            "root@e# run show interfaces terse\nge-0/0/0 up up\n[edit]\nroot@e# commit\ncommit complete\n",
            "root@e# run show interfaces terse\nge-0/0/0 up up\n[configuration withheld]\nroot@e# commit\ncommit complete\n",
        ),
    ] {
        assert_eq!(leaving(text), expected);
    }
}

#[test]
fn what_is_no_configuration_leaves() {
    for text in [
        "e mgd[1]: UI_CMDLINE_READ_LINE: User 'ann', command 'show interfaces terse '\n",
        "e mgd[1]: UI_CMDLINE_READ_LINE: User 'ann', command 'request system reboot '\n",
        "<jmb><attachments><attachment filename=\"a\" name=\"rsi.txt\"><![CDATA[Junos: 21.4]]></attachment></attachments></jmb>",
        "<rpc-reply xmlns:junos=\"http://xml.juniper.net/junos/21.4R3/junos\"><interface-information xmlns=\"http://xml.juniper.net/junos/21.4R3/junos-interface\"><name>x</name></interface-information></rpc-reply>",
        "{\"interface-information\": {\"name\": \"x\"}}",
        "interface_stats {\n  name: 7\n}\nif (x) {\n  y();\n}\n",
        "{master:0}\nroot@e> show version\nHostname: e\n",
    ] {
        assert_eq!(leaving(text), text);
    }
}

#[test]
fn a_block_that_is_never_closed_does_not_hold_back_the_rest() {
    let log = "Nov 21 10:15:01 edge rpd[1]: peer down\nNov 21 10:15:02 edge rpd[1]: peer up\n";
    for head in [
        "process state dump {\n",
        "goroutine 1 {\n",
        "statistics {\n",
        "reading server {\n  a;\n",
        "system {\n  host-name a;\n",
    ] {
        let left = leaving(&format!("{head}{log}"));
        assert!(left.ends_with(log), "{head}: {left}");
    }
    let text = "core dump begin {\nit begins here\nand ends\n";
    assert!(leaving(text).ends_with("it begins here\nand ends\n"), "{}", leaving(text));
    for cut in ["system {\n  host-name a;\n", "set system login message \"abc\nset x y\n"] {
        let left = leaving(&format!("--- show configuration ---\n{cut}--- show version ---\nJunos: 21.4\n{log}"));
        let rest =
            format!("--- show configuration ---\n[configuration withheld]\n--- show version ---\nJunos: 21.4\n{log}");
        assert_eq!(left, rest, "{cut}");
    }
}

#[test]
fn lines_of_a_log_within_configuration_do_not_let_it_out() {
    let log = "Nov 21 10:15:01 edge rpd[1]: peer down\n";
    for head in ["root@e> show configuration\nsystem {\n", "system {\n", "ge-0/0/0 {\n"] {
        let text =
            format!("{head}{log}    description {SECRET};\n    unit 0 {{\n{log}        x {SECRET};\n    }}\n}}\n");
        let left = leaving(&text);
        assert!(!left.contains(SECRET), "{text}{left}");
    }
    // What ends a block is judged like every line.
    let text = format!("ge-0/0/0 {{\nset system host-name {SECRET}\n");
    assert!(!leaving(&text).contains(SECRET), "{}", leaving(&text));
    // Nor do headings and lines of a log within quotation marks and comments.
    for within in ["/*\n2026-11-21 10:15:01 ann\n*/", "message \"\n=== show your badge ===\n\";"] {
        let text = format!("--- show configuration ---\nsystem {{\n{within}\n    host-name {SECRET};\n}}\n");
        assert!(!leaving(&text).contains(SECRET), "{text}");
    }
}

#[test]
fn json_with_commands_stays_json() {
    for text in [
        "{\"commands\": [\n  \"show configuration\"\n ],\n \"b\": 1\n}\n",
        "{\"a\": \"command 'set system x\", \"b\": 1}\n",
        "{\n \"a\": [\n  \"command 'set system x\"\n ],\n \"b\": 1\n}\n",
        "{\n \"a\": [\n  \"show configuration\",\n  \"x\"\n ],\n \"b\": 1\n}\n",
    ] {
        let left = leaving(text);
        assert!(serde_json::from_str::<serde_json::Value>(&left).is_ok(), "{text}{left}");
        assert!(left.contains("\"b\": 1"), "{text}{left}");
    }
}
