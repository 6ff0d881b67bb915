//! No secret of a configuration leaves at any level, in whatever form it is written, and sentences stay what they are.

#![cfg(test)]

use linesman_redaction::{Redaction, SECRET_WITHHELD};
use linesman_schemas::FilterLevel;

fn leaving(text: &str) -> String {
    Redaction::at(FilterLevel::All).text(text)
}

/// Texts with a secret, `@`, for which the word stands.
const WITH_A_SECRET: &[&str] = &[
    // Set and curly statements.
    "set system root-authentication encrypted-password \"@\"",
    "set system root-authentication encrypted-password @",
    "set system radius-server 10.0.0.1 secret @",
    "set security ike policy p pre-shared-key ascii-text \"@\"",
    "set security ike policy p pre-shared-key hexadecimal @",
    "set snmp community @ authorization read-only",
    "set snmp v3 usm local-engine user u authentication-sha authentication-password \"@\"",
    "set snmp v3 usm local-engine user u privacy-aes128 privacy-key @",
    "set protocols bgp group g authentication-key \"@\"",
    "set protocols ospf area 0 interface x authentication md5 1 key \"@\"",
    "set system ntp authentication-key 1 type md5 value \"@\"",
    "        community @ {\n            authorization read-only;\n        }",
    "    community \"@\";",
    "    secret @; ## SECRET-DATA",
    "    something-new \"@\"; ## SECRET-DATA",
    "    something-new @; ## SECRET-DATA",
    "authentication-key 1 type md5 value \"@\";",
    "simple-password \"@\";",
    "    passphrase @;",
    "root@edge-01# set system tacplus-server 10.0.0.1 secret @",
    // Of other command lines.
    "snmp-server community @ RO",
    "username ann privilege 15 password 7 @",
    "enable secret 5 @",
    "tacacs-server key @",
    " neighbor 10.0.0.2 password @",
    " key-string 7 @",
    " password 7 @",
    // XML, also escaped, and JSON.
    "<secret>@</secret>",
    "<junos:secret junos:changed=\"x\">@</junos:secret>",
    "<secret>\n  @\n</secret>",
    "<encrypted-password><![CDATA[@]]></encrypted-password>",
    "<pre-shared-key><ascii-text>@</ascii-text></pre-shared-key>",
    "<snmp><community><name>@</name><authorization>read-only</authorization></community></snmp>",
    "<snmp>\n <community>\n  <name>@</name>\n </community>\n</snmp>",
    "&lt;secret&gt;@&lt;/secret&gt;",
    "&lt;community&gt;&lt;name&gt;@&lt;/name&gt;&lt;/community&gt;",
    "secret &quot;@&quot;;",
    "{\"secret\" : \"@\"}",
    "{\"encrypted-password\":\n \"@\"}",
    "{\"snmp\":{\"community\":[{\"name\":\"@\",\"authorization\":\"read-only\",\"clients\":[{\"name\":\"x\"}]}]}}",
    "{\"text\":\"set snmp community @ authorization\"}",
    "{\"text\":\"secret \\\"@\\\";\"}",
    "{\"pre-shared-key\":{\"ascii-text\":\"@\"}}",
    // Others.
    "password=@",
    "PASSWORD: @",
    "shared_secret=@",
    "ftp://ann:@@host/path",
    "\"https://ann:@@[2001:db8::1]:8443/\"",
];

/// Texts with a secret, `@@`, that is withheld with what stands beside it.
const WITH_A_SECRET_WITHIN: &[&str] = &[
    // In what a secret's word opens.
    "set security macsec connectivity-association ca pre-shared-key cak @@",
    "pre-shared-key {\n    ckn 0123;\n    cak \"@@\";\n}",
    "<pre-shared-key><ckn>0123</ckn><cak>@@</cak></pre-shared-key>",
    "ntp {\n    authentication-key 1 {\n        type md5;\n        value \"@@\";\n    }\n}",
    "<ntp><authentication-key><name>1</name><type>md5</type><value>@@</value></authentication-key></ntp>",
    "{\"authentication-key\":[{\"name\":\"1\",\"type\":\"md5\",\"value\":\"@@\"}]}",
    "<md5><name>1</name><key>@@</key></md5>",
    "{\"md5\":[{\"name\":\"1\",\"key\":\"@@\"}]}",
    "<password><!-- x -->@@</password>",
    "<password><value>@@</value></password>",
    "<password type=\"a>b\">@@</password>",
    "&amp;lt;secret&amp;gt;@@&amp;lt;/secret&amp;gt;",
    "<script-parameter name=\"snmp-community\">@@</script-parameter>",
    "<script-parameter name='archive-password'>@@</script-parameter>",
    "<param name=\"password\" value=\"@@\"/>",
    "<param value=\"@@\" name=\"password\"/>",
    "<param><name>password</name><value>@@</value></param>",
    "{\"name\":\"password\",\"value\":\"@@\"}",
    "{\"value\":\"@@\",\"name\":\"password\"}",
    "&lt;param name=&quot;password&quot;&gt;@@&lt;/param&gt;",
    "{\"adminPassword\":\"@@\"}",
    "{\"preSharedKey\":\"@@\"}",
    // In what a log tells.
    "e mgd[1]: UI_CMDLINE_READ_LINE: User 'root', command 'set system radius-server 192.0.2.1 secret @@ '",
    "e mgd[1]: UI_CMDLINE_READ_LINE: User 'root', command 'set protocols ospf area 0 authentication md5 1 key @@ '",
    "cmd=\"set system tacplus-server 192.0.2.1 secret @@ \"",
    "snmpd[1]: SNMPD_AUTH_FAILURE: unauthorized SNMP community from 192.0.2.9 to 192.0.2.1 (@@)",
    "snmpd[1]: SNMP_TRAP: community string = @@",
    "set security authentication-key-chains key-chain k key 0 secret @@",
    "{\"config\":\"set x\\nset system radius-server 192.0.2.1 secret @@\\nset y\"}",
    "{\"config\":\"set protocols ospf authentication md5 1 key @@\\nset y\"}",
    "please set system radius-server 192.0.2.1 secret @@",
    "  12: set system radius-server 192.0.2.1 secret @@",
    "root@e#set system radius-server 192.0.2.1 secret @@",
    "2026-11-21 set access profile p client c chap-secret @@",
    "request security pki local-certificate enroll ca-profile x challenge-password @@",
    // In quotation marks of other kinds, with blanks, on the next line.
    "password='abc @@'",
    "password: 'abc @@'",
    "{'password': 'ab @@'}",
    "{\"x\":\"{\\\"password\\\":\\\"@@\\\"}\"}",
    "{\"x\":\"{\\\\\\\"password\\\\\\\":\\\\\\\"@@\\\\\\\"}\"}",
    "{\"x\":\"a\\npassword=@@\\nb\"}",
    "secret &apos;ab @@&apos;;",
    "Password: abc @@",
    "password = abc @@",
    "password:\n  @@",
    "password: |\n  abc\n  @@",
    "secret \\\n  @@",
    "key 7 @@",
    "\tset protocols ospf authentication md5\t1\tkey\t@@",
    "passWord=@@",
    "snmp {\n    community @@ {\n        authorization read-only;\n    }\n}",
    "scp://u:pa/@@h@h/",
    "ftp://u:pa@@@h/x",
];

#[test]
fn secrets_are_withheld_in_every_form() {
    for text in WITH_A_SECRET {
        for secret in ["s3cr3t", "Tr0ub4dor&3", "p{a}ss!w*rd", "0822455D0A16"] {
            let (spelled, text) = if text.contains("&lt;") || text.contains("&quot;") || text.starts_with('<') {
                (secret.replace('&', "&amp;"), *text)
            } else {
                (secret.to_owned(), *text)
            };
            let (head, tail) = text.split_once('@').unwrap();
            // A prompt and the address of a host have the sign too.
            let (head, tail) = match text.rsplit_once(" @") {
                Some((head, tail)) if text.starts_with("root@") => (format!("{head} "), tail),
                _ => (head.to_owned(), tail),
            };
            assert_eq!(
                leaving(&format!("{head}{spelled}{tail}\n")),
                format!("{head}{SECRET_WITHHELD}{tail}\n"),
                "{text}"
            );
        }
    }
}

#[test]
fn secrets_are_withheld_in_what_their_words_open() {
    for text in WITH_A_SECRET_WITHIN {
        for secret in ["Zk7canaryQ9", "Tr0ub4dor.3", "p*w!rd_x", "0822455D0A16"] {
            let text = text.replace("@@", secret);
            // In a document of each kind, and behind another line.
            for (head, tail) in [("", "\n"), ("a line\n", "\nanother line\n")] {
                for (level, name) in FilterLevel::ALL {
                    let left = Redaction::at(level).text(&format!("{head}{text}{tail}"));
                    assert!(!left.contains(secret), "{name}: {text}: {left}");
                }
                let left = leaving(&format!("{head}{text}{tail}"));
                assert!(left.contains(SECRET_WITHHELD) && left.starts_with(head), "{text}: {left}");
                assert!(left.ends_with(tail.get(1..).unwrap()), "{text}: {left}");
            }
        }
    }
}

/// What is cut off takes nothing of the document around with it, and stands as the document wants it.
#[test]
fn documents_stay_well_formed() {
    for (text, expected) in [
        ("<r><![CDATA[secret \"abc]]></r>", "<r><![CDATA[secret \"SECRET-WITHHELD]]></r>"),
        ("<r><p>password \"abc</p><q>x \"y\" z</q></r>", "<r><p>password \"SECRET-WITHHELD</p><q>x \"y\" z</q></r>"),
        ("<r><a t=\"set secret \"/><b v=\"1\"/></r>", "<r><a t=\"set secret \"/><b v=\"1\"/></r>"),
        ("<r><secret attr=\"x>y\">zz</secret></r>", "<r><secret attr=\"x>y\">SECRET-WITHHELD</secret></r>"),
        ("<r><password/><a>x</a></r>", "<r><password/><a>x</a></r>"),
        (
            "<r><password><![CDATA[abc]]><![CDATA[Zk7]]></password></r>",
            "<r><password><![CDATA[SECRET-WITHHELD]]><![CDATA[SECRET-WITHHELD]]></password></r>",
        ),
        (r#"{"a":"the password: \"abc","b":"x","c":1}"#, r#"{"a":"the password: \"SECRET-WITHHELD","b":"x","c":1}"#),
        (r#"{"a":"set secret ","b":"x"}"#, r#"{"a":"set secret ","b":"x"}"#),
        (r#"{"password":1234,"b":{"secret":null}}"#, r#"{"password":"SECRET-WITHHELD","b":{"secret":null}}"#),
        (r#"{"password": true}"#, r#"{"password": true}"#),
        (
            r#"{"secret":["a1",{"data":"b2","comment":"c"}]}"#,
            r#"{"secret":["SECRET-WITHHELD",{"data":"SECRET-WITHHELD","comment":"c"}]}"#,
        ),
    ] {
        assert_eq!(leaving(text), expected);
    }
}

#[test]
fn hashes_are_withheld_wherever_they_stand() {
    for hash in [
        "$9$Ew.SrvxNbs4J8X",
        "$1$abcdefgh$0123456789abcdefghijkl",
        "$5$rounds=5000$salt$hash/ed.",
        "$6$salt$hash/ed.hash",
        "$8$aes256-gcm$hmac-sha2-256$100$salt$iv$tag$text",
        "$2b$12$saltsaltsaltsaltsaltsOhash",
        "$argon2id$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA",
    ] {
        for (head, tail) in [("said ", " now"), ("\"", "\""), (">", "<"), ("(", ")"), ("x=", ";")] {
            assert_eq!(leaving(&format!("{head}{hash}{tail}")), format!("{head}{SECRET_WITHHELD}{tail}"));
        }
    }
    for text in ["costs $9 or $19", "$PATH:$HOME", "s/$1/$2/", "$1$2"] {
        assert_eq!(leaving(text), text);
    }
}

#[test]
fn private_keys_are_withheld_and_certificates_are_not() {
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----\n";
    let body = "MIIEpAIBAAKCAQEA7\nx0k9/abc+def==\n";
    for name in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
        let text =
            format!("{certificate}-----BEGIN {name}-----\nProc-Type: 4,ENCRYPTED\n\n{body}-----END {name}-----\n");
        let expected = format!("{certificate}-----BEGIN {name}-----{SECRET_WITHHELD}-----END {name}-----\n");
        assert_eq!(leaving(&text), expected);
        // On one line, as configurations have it, and without its end.
        let escaped = format!("\"-----BEGIN {name}-----\\nMIIEpAIBAAK\\n-----END {name}-----\\n\"; x");
        assert_eq!(leaving(&escaped), format!("\"-----BEGIN {name}-----{SECRET_WITHHELD}-----END {name}-----\\n\"; x"));
        let cut = format!("<key>-----BEGIN {name}-----&#10;MIIEpAIBAAK&#10;</key>");
        assert_eq!(leaving(&cut), format!("<key>-----BEGIN {name}-----{SECRET_WITHHELD}</key>"));
    }
}

/// Whatever stands before the lines of a key, and in the armour of its relatives.
#[test]
fn private_keys_are_withheld_whatever_is_around() {
    let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
    let body = "MIIEpAIBAAKCAQEAx0k9Zk7canaryQ9/abcdefghijklmnopqrstuvwxyz012345";
    for text in [
        format!("[\"{begin}\", \"{body}\", \"{body}\", \"{end}\"]\nafter"),
        format!("<line>{begin}</line><line>{body}</line><line>{end}</line>\nafter"),
        format!("> {begin}\n> {body}\n> {body}\n> {end}\nafter"),
        format!(
            "Nov 21 10:15:01 e x[1]: {begin}\nNov 21 10:15:01 e x[1]: {body}\nNov 21 10:15:01 e x[1]: {end}\nafter"
        ),
        format!("| {begin}\n| {body}\n| Zk7canaryQ9\n| after it\nafter"),
        format!(
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n{body}\n-----END PGP PRIVATE KEY BLOCK-----\nafter"
        ),
        format!(
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x y\n{body}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\nafter"
        ),
        format!("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 2\n{body}\n{body}\nPrivate-MAC: 12\nafter"),
        format!("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{body}\nafter"),
    ] {
        let left = leaving(&text);
        assert!(!left.contains("Zk7canaryQ9"), "{left}");
        assert!(left.contains(SECRET_WITHHELD) && left.ends_with("after"), "{left}");
    }
    let cut = format!("{begin}\nMIIEZk7canaryQ9\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    let left = leaving(&cut);
    assert!(
        !left.contains("Zk7") && left.ends_with("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
        "{left}"
    );
}

#[test]
fn sentences_stay_what_they_are() {
    for text in [
        "key exchange failed with 10.1.2.3",
        "<label>key</label><name>password</name><note>x</note>",
        "all 7 tests pass: 7, bypass=3, passed: 2",
        "{\"key\":\"hostname\",\"value\":\"edge-01\"}",
        "http://edge-01:8080/path@x and https://edge-01/a:b@c",
        "mail ann@example.net: see https://example.net/x",
        "set system login password format sha512",
        "the keyboard, turkey, keepalive 10, cake",
        "SNMP community from 10.0.0.1 was not known",
        "file must begin with -----BEGIN CERTIFICATE-----, see below",
        "Nov 21 10:15:01 edge-01 sshd[12]: Failed password for root from 10.1.2.3 port 22 ssh2",
        "the secret is out: no password was given",
        "community c1 members 65000:1;",
        "    from community CUSTOMERS;",
        "from {\n    protocol bgp;\n    community CUSTOMERS;\n}",
        "then {\n    community add CUSTOMERS;\n}",
        "set policy-options community CUSTOMERS members 65000:1",
        "<community><name>CUSTOMERS</name><members>65000:1</members></community>",
        "<communities><community>65000:1</community><community>target:1:2</community></communities>",
        "Communities: 65000:1 65000:2",
        "Community: 65000:1",
        "monkey business, key exchange, public-key cryptography, host-key verification",
        "set system services ssh",
        "{\"password\": 7, \"keys\": [1]}",
        "system-password-check",
    ] {
        if text.contains("\"password\": 7") {
            assert_eq!(leaving(text), "{\"password\": \"SECRET-WITHHELD\", \"keys\": [1]}");
        } else {
            assert_eq!(leaving(text), text);
        }
    }
}

#[test]
fn no_level_lets_a_secret_out() {
    let text = "secret \"$9$Ew.SrvxNbs4J8X\";\nset snmp community s3cr3t\n<secret>s3cr3t</secret>\n";
    for (level, name) in FilterLevel::ALL {
        let left = Redaction::at(level).text(text);
        assert!(!left.contains("Ew.Srv") && !left.contains("s3cr3t"), "{name}: {left}");
    }
}

#[test]
fn secrets_quoted_with_their_word_are_withheld() {
    for text in [
        "{\"log\":\"password=@@\",\"b\":1}",
        "{\"log\":\"password: @@\",\"b\":1}",
        "[\"password=@@\"]",
        "{\"a\":\"snmp-community: @@\"}",
        "x \"password=@@\"",
        "x 'secret: @@'",
        "curl -d 'password=@@'",
        "\"password=@@&user=a\"",
        "<a t=\"password=@@\"/>",
        "<a t='password: @@'/>",
    ] {
        let left = leaving(&text.replace("@@", "Zk7canaryQ9"));
        assert!(!left.contains("Zk7canaryQ9"), "{text}: {left}");
    }
    let text = "{\"a\":\"password\",\"b\":1}";
    assert_eq!(leaving(text), text);
}

#[test]
fn keys_beside_everyday_words_stay() {
    for text in [
        "{\"title\":\"looks like a bug\",\"key\":\"JIRA-123\",\"author\":\"ann\"}",
        "{\"author\":\"ann\",\"key\":\"JIRA-123\"}",
        "{\"title\":\"is frontpage\",\"key\":\"JIRA-123\"}",
    ] {
        assert_eq!(leaving(text), text);
    }
    for text in [
        "{\"ike\":{\"key\":\"@@\"}}",
        "{\"ntp\":{\"key\":\"@@\"}}",
        "{\"authentication\":{\"key\":\"@@\"}}",
        "{\"oauth\":{\"key\":\"@@\"}}",
        "{\"vpnIke\":{\"key\":\"@@\"}}",
        "{\"sntp\":{\"key\":\"@@\"}}",
    ] {
        assert!(!leaving(text).contains("@@"), "{text}");
    }
}

#[test]
fn what_is_withheld_ends_with_the_string_it_stands_in() {
    for text in [
        // JSON, each with what has to be left of it.
        "{\"a\": \"secret \\\"a\\\"; ## SECRET-DATA\", \"b\": 1}",
        "{\"a\": \"<password>x\", \"b\": 1}",
        "{\"a\": \"secret=&quot;z\", \"b\": 1}",
        "{\"a\": \"password: \\\"a\\\\\", \"b\": 1}",
        "{\"a\": \"-----BEGIN PRIVATE KEY-----MIIx\\\"x\", \"b\": 1}",
        "{\"a\": \"Private-Lines: 2\\nab\\ncd\\n\", \"x\": \"Private-Lines: 2\\nab\", \"b\": 1}",
        "{\"x\": \"Private-Lines: 2\\nab\\ncd\\n\", \"b\": 1}\n{\"c\": 2}\n{\"c\": 3}\n",
    ] {
        let left = leaving(text);
        for line in left.lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{text}: {left}");
        }
        assert!(left.contains("\"b\": 1}") && left.contains("WITHHELD"), "{text}: {left}");
    }
    for (text, expected) in [
        (
            "<r><a t='set system x secret Zk'/><b v='1'/></r>",
            "<r><a t='set system x secret SECRET-WITHHELD'/><b v='1'/></r>",
        ),
        ("<r><a t=\"pwd &quot;\"/><b v=\"1\"/></r>", "\"/><b v=\"1\"/></r>"),
        ("<r><!-- password: \"abc --><b v=\"1\"/></r>", "--><b v=\"1\"/></r>"),
    ] {
        assert!(leaving(text).ends_with(expected), "{text}: {}", leaving(text));
    }
}

#[test]
fn a_statement_by_itself_has_no_more_secrets_than_one_in_its_block() {
    let redaction = Redaction::at(FilterLevel::All);
    for statement in [
        "system radius-server 192.0.2.9 secret @",
        "system radius-server 192.0.2.9 secret \"@ @\"",
        "system radius-server 192.0.2.9 inactive: secret @",
        "system inactive: tacplus-server 1.2.3.4 secret @",
        "system root-authentication encrypted-password @",
        "system login user ann authentication plain-text-password-value @",
        "system archival configuration archive-sites ftp://192.0.2.1 password @",
        "system ntp authentication-key 1 type md5 value @",
        "snmp community @",
        "snmp community @ authorization read-only",
        "snmp community @ clients 192.0.2.0/24",
        "snmp v3 snmp-community index community-name @",
        "snmp v3 usm local-engine user ann authentication-sha authentication-password @",
        "security ike policy p pre-shared-key ascii-text @",
        "security macsec connectivity-association ca pre-shared-key cak @",
        "protocols bgp group g neighbor 192.0.2.1 authentication-key @",
        "protocols ospf area 0.0.0.0 interface ge-0/0/0.0 authentication md5 1 key @",
        "protocols isis interface ge-0/0/0.0 level 1 hello-authentication-key @",
        "access profile p client ann chap-secret @",
        "access radius-server 192.0.2.9 secret @",
        "interfaces pp0 unit 0 ppp-options chap default-chap-secret @",
    ] {
        let left = redaction.statement(&statement.replace('@', "hunter2"));
        assert!(!left.contains("hunter2") && left.contains(SECRET_WITHHELD), "{statement}: {left}");
        assert!(!left.starts_with("set "), "{left}");
    }
    for statement in [
        "system host-name key",
        "interfaces ge-0/0/0 unit 0 inactive: family inet",
        "policy-options community c members 65000:1",
    ] {
        assert_eq!(redaction.statement(statement), statement);
    }
}
