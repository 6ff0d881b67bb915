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

#[test]
fn sentences_stay_what_they_are() {
    for text in [
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
            assert_eq!(leaving(text), "{\"password\": SECRET-WITHHELD, \"keys\": [1]}");
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
