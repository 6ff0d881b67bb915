//! What is written to cost much costs no more than its length times a number: counted in bytes that are looked at, so
//! that no clock has a say in it.

use linesman_schemas::FilterLevel;

use crate::Redaction;
use crate::bytes::counted;

/// What is repeated, each with what it begins with.
const HOSTILE: &[&str] = &[
    "1-1-",
    "1.1.",
    "1_1_",
    "1:1:",
    "a:a:",
    "::",
    "a-a-",
    "12-ab-",
    "1.",
    "1-",
    "0x1.",
    "0x1.0x",
    "a.a.",
    "1.1.1.1.in-addr.arpa/",
    "1-1.1_1:",
    "11-11-11-",
    "fd00--",
    "\\",
    "\\\\n",
    "&amp;",
    "&#",
    "&#46;",
    "%2e1",
    "#012",
    "\x1b[",
    "1.\n",
    "a:\n",
    "[.]",
    "<",
    "<x>",
    "<attachment name=\"",
    "<x><attachment name=\"",
    "<configuration",
    "<configuration>",
    "{",
    "}",
    "\"",
    "'",
    "system {\n",
    "\"configuration\":{",
    "root@x> show configuration\n",
    "root@x# show\n",
    "set system \"\n",
    "[edit]\n",
    "/*",
    "*/",
    "key ",
    "password ",
    "password \"",
    "password '",
    "password=",
    "password:\n ",
    "password: |\n ",
    "secret \\\n",
    "secret {",
    "secret {;",
    "secret &quot;",
    "secret \\\"",
    "<secret>",
    "<password><x>",
    "<password><![CDATA[",
    "<password><x><![CDATA[",
    "<key>",
    "md5<key>",
    "\"secret\":[",
    "\"password\":{\"x\":[",
    "\"name\":\"password\",",
    "<x name=\"password\"",
    "<x name=\"password\">",
    ">password<",
    "community ",
    "snmp community from ",
    "command 'set ",
    "://",
    "://a:",
    "://a:b@",
    "$9$",
    "SECRET-DATA;",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n",
    "BEGIN ",
    "-----END ",
    "Private-Lines: 9\n",
    "Private-Lines: 9\\n",
    "pwd x ''''''''''''''''''''''''",
    "secret x 'a\"a",
    "<!-- password x ",
    "<a b='password=",
    "core dump {\n",
    "core dump {\nx\n;\n",
    "### show x\n",
    "\\172.16.",
    "\"password=",
];

fn looked_at(text: &str, level: FilterLevel) -> u64 {
    counted::taken();
    let _ = Redaction::at(level).text(text);
    counted::taken()
}

#[test]
fn what_is_hostile_costs_no_more_than_its_length() {
    const LENGTH: usize = 48 * 1024;
    const BYTES_MOST: u64 = 400;
    for head in ["", "<?xml version=\"1.0\"?><a>", "{\"a\":\""] {
        for hostile in HOSTILE {
            let text = |length: usize| format!("{head}{}", hostile.repeat(length / hostile.len()));
            for level in [FilterLevel::AddressesOverwritten, FilterLevel::ExceptConfiguration] {
                let (once, twice) = (looked_at(&text(LENGTH), level), looked_at(&text(2 * LENGTH), level));
                // Twice the text is at most a little more than twice as much: what reaches far reaches 32 KiB.
                assert!(twice < once * 3 + 1_000_000, "{head}{hostile:?} at {level:?}: {once}, {twice}");
                assert!(twice < 2 * LENGTH as u64 * BYTES_MOST, "{head}{hostile:?} at {level:?}: {twice}");
            }
        }
    }
}
