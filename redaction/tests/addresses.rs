//! No address is left, in whatever spelling and between whatever, and what is none stays.

#![cfg(test)]

use linesman_redaction::{Addresses, What};

/// The addresses of a text that do not stay, as they are spelled.
fn spelled(text: &str, with_macs: bool) -> Vec<&str> {
    Addresses::of(text.as_bytes(), with_macs)
        .filter(|found| !found.stays())
        .map(|found| &text[found.start..found.end])
        .collect()
}

#[test]
fn every_spelling_is_found() {
    for (text, expected) in [
        ("peer 10.31.4.9.", "10.31.4.9"),
        ("10.0.0.0/8", "10.0.0.0"),
        ("192.0.2.1:80", "192.0.2.1"),
        ("tcp4 0 0 192.0.2.1.22 *.*", "192.0.2.1"),
        ("010.001.002.003", "010.001.002.003"),
        ("v10.1.2.3beta", "10.1.2.3"),
        ("1.2.3.4-foo", "1.2.3.4"),
        ("(198.51.100.7)", "198.51.100.7"),
        ("address=198.51.100.7,", "198.51.100.7"),
        ("user@203.0.113.9", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:DB8:0:0:8:800:200C:417A", "2001:DB8:0:0:8:800:200C:417A"),
        ("2001:db8::1%ge-0/0/0.0", "2001:db8::1"),
        ("2001:db8::/32", "2001:db8::"),
        ("2001:db8::1.179", "2001:db8::1"),
        ("peer 2001:db8::1: down", "2001:db8::1"),
        ("addr:2001:db8::1", "2001:db8::1"),
        ("::ffff:10.1.2.3", "::ffff:10.1.2.3"),
        ("::FFFF:10.1.2.3.80", "::FFFF:10.1.2.3"),
        ("64:ff9b::10.1.2.3", "64:ff9b::10.1.2.3"),
        ("64:ff9b:1:2:3:4:10.1.2.3", "64:ff9b:1:2:3:4:10.1.2.3"),
        ("::2", "::2"),
        ("fd00:0:0:1::", "fd00:0:0:1::"),
        ("peer2001:db8:0:1::5x", "2001:db8:0:1::5"),
        ("ip-10-1-2-3.ec2.internal", "10-1-2-3"),
        ("host10-1-2-3", "10-1-2-3"),
        ("pool-7-10-1-2-3.example", "10-1-2-3"),
        ("1.2.0.192.in-addr.arpa", "1.2.0.192"),
        ("2.0.192.IN-ADDR.ARPA.", "2.0.192"),
        ("10.in-addr.arpa", "10"),
        (
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
        ),
        ("8.b.d.0.1.0.0.2.ip6.arpa", "8.b.d.0.1.0.0.2"),
        ("1.3.6.1.2.1.4.20.1.1.10.1.2.3", "10.1.2.3"),
        ("iso.3.6.1.2.1.4.20.1.1.10.1.2.3 = 1", "10.1.2.3"),
        ("1.2.3.4.5.6.7", "1.2.3.4.5.6.7"),
        ("1544.10.1.2.3", "1544.10.1.2.3"),
    ] {
        assert_eq!(spelled(text, false), [expected], "{text}");
    }
}

#[test]
fn neighbours_are_found_each() {
    assert_eq!(spelled("10.1.2.3-10.1.2.9,10.1.3.0/24", false), ["10.1.2.3", "10.1.2.9", "10.1.3.0"]);
    assert_eq!(spelled("10.1.2.3.22 2001:db8::1.179", false), ["10.1.2.3", "2001:db8::1"]);
    assert_eq!(spelled("5.2001:db8::1 5-2001:db8::1 5.20a1::1", false), ["2001:db8::1", "2001:db8::1", "20a1::1"]);
    assert_eq!(spelled("<a>10.1.2.3</a><b>2001:db8::1</b>", false), ["10.1.2.3", "2001:db8::1"]);
    assert_eq!(spelled("10:15:01 2001:db8::1:2001:db8::2", false).len(), 2);
}

#[test]
fn what_is_no_address_is_left_alone() {
    for text in [
        "21.4R3.15",
        "JUNOS 21.4R3-S5",
        "version 7.5.1",
        "ge-0/0/0.0",
        "lo0.16384",
        "10:15:01",
        "2026-11-21T10:15:02.123Z",
        "edge-01-JN11AF3C2AFC-20261121-101502-17",
        "std::deque::begin",
        "Foo::Bar",
        "300.1.2.3",
        "1.3.6.1.4.1.2636.9.1",
        "1.3.6.1.2.1.2.2.1.8.513",
        "550e8400-e29b-41d4-a716-446655440000",
        "65000:1",
        "target:65000:100",
        "1w2d 3:04",
        "00:11:22:33:44:55",
        "0011.2233.4455",
        "00-11-22-33-44-55",
        "00-1a-11-22-33-44",
        "5b:2f:10:15:01:02:03:04:05:06:aa:bb:cc:dd:ee:ff:00:11:22:33",
        "xe-1-0-0-1.core",
        "255.255.255.0",
        "0.0.0.255",
        "127.0.0.1:8080",
        "::1",
        "::",
        "fe80::1%em0",
        "ff02::5",
        "224.0.0.5",
        "",
        ".",
        ":",
        "-",
        "...",
        ":::",
        "1.",
        "1-2-",
    ] {
        assert_eq!(spelled(text, false), [""; 0], "{text}");
    }
}

#[test]
fn hardware_addresses_are_found_on_demand() {
    for text in ["00:11:22:33:44:55", "0:1f:12:a:b:c", "0011.2233.4455", "00-11-22-33-44-55", "aa-bb-cc-11-22-33"] {
        assert_eq!(spelled(&format!("arp {text} on"), true), [text]);
    }
    let found: Vec<What> = Addresses::of(b"10.1.2.3 0011.2233.4455", true).map(|found| found.what).collect();
    assert_eq!(found, [What::V4([10, 1, 2, 3].into()), What::Mac(b'.')]);
}
