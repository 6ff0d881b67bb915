//! The leak meter sees what redaction does not: it looks for strings.

#![cfg(test)]

mod support;

use linesman_redaction::Canaries;
use support::spool;

fn leaked(canary: &str, text: &str) -> u64 {
    let found = Canaries::read(canary).unwrap().leaked("left", &mut text.as_bytes(), &spool).unwrap();
    found.values().sum()
}

#[test]
fn an_address_counts_wherever_its_spellings_stand() {
    for text in [
        "10.1.2.213",
        "ip-10-1-2-213-8080",
        "bgp_10_1_2_213",
        ".1.3.6.1.4.1.9.10.1.2.213",
        "213.2.1.10.in-addr.arpa",
        "010.001.002.213",
        "0A0102D5",
        "0x0a0102d5",
        "167838421",
        "::ffff:a01:2d5",
        "::ffff:0a01:02d5",
        "0x0a.0x01.0x02.0xd5",
        "10&#46;1&#46;2&#46;213",
        "5.10.1.2.213.7",
    ] {
        assert_eq!(leaked("10.1.2.213", text), 1, "{text}");
    }
    for text in [
        "fd00::1",
        "FD00:0:0:0:0:0:0:1",
        "fd00:0000:0000:0000:0000:0000:0000:0001",
        "{\"log\":\"down\\nfd00::1\"}",
        "bgp_fd00::1_x",
        "xfd00--1",
        "fd000000000000000000000000000001",
        "fd00-0-0-0-0-0-0-1",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
    ] {
        assert_eq!(leaked("fd00::1", text), 1, "{text}");
    }
    for text in ["10.1.2.21", "110.1.2.213", "10.1.2.2134", "x.x.x.x", "a0a0102d5", "fd00::1"] {
        assert_eq!(leaked("10.1.2.213", text), 0, "{text}");
    }
    for text in ["fd00::11", "afd00::1", "x:x::x"] {
        assert_eq!(leaked("fd00::1", text), 0, "{text}");
    }
    assert_eq!(leaked("10.1.2.213", "10.1.2.213 ip-10-1-2-213 10.1.2.213/24"), 3);
}
