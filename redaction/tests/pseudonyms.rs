//! Pseudonyms: undone by whoever has the key, with prefixes kept, and never taken for what stays.

#![cfg(test)]

mod support;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use linesman_redaction::{Key, KeyError, Overwriting, Redaction, stays_v4, stays_v6, unredact};
use linesman_schemas::FilterLevel;
use proptest::prelude::*;
use support::{document, gunzip, gzip, spool, tar, untar};

fn key(seed: u8) -> Key {
    let bytes: Vec<u8> = (0..32).map(|place| (place * 7) ^ seed).collect();
    Key::of(&bytes).unwrap()
}

fn redaction(key: &Key) -> Redaction {
    Redaction::at(FilterLevel::AddressesOverwritten).overwriting(Overwriting::Pseudonyms(key.clone()))
}

fn undone(key: &Key, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    unredact(key, "text", &mut &*bytes, &mut out, &spool).unwrap();
    out
}

fn pseudonym(key: &Key, address: IpAddr) -> IpAddr {
    redaction(key).text(&address.to_string()).parse().unwrap()
}

fn common(one: IpAddr, other: IpAddr) -> u32 {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => 0,
    }
}

proptest! {
    #[test]
    fn an_ipv4_pseudonym_is_undone_and_never_stays(bits: u32, seed: u8) {
        let address = Ipv4Addr::from_bits(bits);
        prop_assume!(!stays_v4(address));
        let IpAddr::V4(pseudonym) = pseudonym(&key(seed), address.into()) else { panic!() };
        prop_assert!(!stays_v4(pseudonym));
        prop_assert_eq!(undone(&key(seed), pseudonym.to_string().as_bytes()), address.to_string().into_bytes());
    }

    #[test]
    fn an_ipv6_pseudonym_is_undone_and_never_stays(bits: u128, seed: u8) {
        let address = Ipv6Addr::from_bits(bits);
        prop_assume!(!stays_v6(address));
        let IpAddr::V6(pseudonym) = pseudonym(&key(seed), address.into()) else { panic!() };
        prop_assert!(!stays_v6(pseudonym));
        prop_assert_eq!(undone(&key(seed), pseudonym.to_string().as_bytes()), address.to_string().into_bytes());
    }

    /// Both in one network: the first bits in common stay so, unless one of them was walked on.
    #[test]
    fn prefixes_are_kept(network: u32, one: u32, other: u32, length in 8_u32..32, seed: u8) {
        let host = u32::MAX >> length;
        let one = Ipv4Addr::from_bits(network & !host | one & host);
        let other = Ipv4Addr::from_bits(network & !host | other & host);
        prop_assume!(!stays_v4(one) && !stays_v4(other) && one != other);
        let first = pseudonym(&key(seed), one.into());
        let second = pseudonym(&key(seed), other.into());
        let cipher = |address: Ipv4Addr| ipcrypt(seed, address.into());
        if cipher(one) == first && cipher(other) == second {
            prop_assert_eq!(common(first, second), common(one.into(), other.into()));
        }
    }

    #[test]
    fn prefixes_of_ipv6_are_kept(network: u128, one: u128, other: u128, length in 16_u32..128, seed: u8) {
        let host = u128::MAX >> length;
        let one = Ipv6Addr::from_bits(network & !host | one & host);
        let other = Ipv6Addr::from_bits(network & !host | other & host);
        prop_assume!(!stays_v6(one) && !stays_v6(other) && one != other);
        let first = pseudonym(&key(seed), one.into());
        let second = pseudonym(&key(seed), other.into());
        if ipcrypt(seed, one.into()) == first && ipcrypt(seed, other.into()) == second {
            prop_assert_eq!(common(first, second), common(one.into(), other.into()));
        }
    }

    #[test]
    fn a_text_comes_back(words in proptest::collection::vec("[a-z]{1,8}|ge-0/0/[0-9]|[0-9]{1,5}", 0..20), bits: Vec<u32>, wide: Vec<u128>) {
        let mut text = words.join(" ");
        for bits in bits {
            text.push_str(&format!(" {}/24", Ipv4Addr::from_bits(bits)));
        }
        for bits in wide {
            text.push_str(&format!(", [{}]:443", Ipv6Addr::from_bits(bits)));
        }
        let left = redaction(&key(1)).text(&text);
        prop_assert_eq!(String::from_utf8(undone(&key(1), left.as_bytes())).unwrap(), text);
    }
}

/// The cipher without walking on.
fn cipher(seed: u8) -> ipcrypt_rs::IpcryptPfx {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = ((place as u8) * 7) ^ seed;
    }
    ipcrypt_rs::IpcryptPfx::new(bytes)
}

fn ipcrypt(seed: u8, address: IpAddr) -> IpAddr {
    cipher(seed).encrypt_ipaddr(address)
}

/// What the cipher makes one of those that stay of is walked on, and comes back.
#[test]
fn a_pseudonym_that_would_stay_is_walked_on() {
    let mut walked = 0;
    for seed in 0..32 {
        let stay = ["127.0.0.1", "224.0.0.5", "255.255.255.0", "0.0.0.0", "::1", "::", "fe80::1", "ff02::5"];
        for address in stay.map(|address| address.parse::<IpAddr>().unwrap()) {
            let before = cipher(seed).decrypt_ipaddr(address);
            let stays = match before {
                IpAddr::V4(before) => stays_v4(before),
                IpAddr::V6(before) => stays_v6(before),
            };
            if stays {
                continue;
            }
            walked += 1;
            let pseudonym = pseudonym(&key(seed), before);
            assert!(pseudonym != address && pseudonym != before, "{before} becomes {pseudonym}");
            assert_eq!(undone(&key(seed), pseudonym.to_string().as_bytes()), before.to_string().into_bytes());
        }
    }
    assert!(walked > 200, "{walked}");
}

#[test]
fn every_place_and_spelling_comes_back() {
    let key = key(9);
    for text in [
        "10.1.2.3:80 10.1.2.3.80 10.1.2.0/24 ip-10-1-2-3 3.2.1.10.in-addr.arpa.",
        "[2001:db8::1]:443 2001:db8::1%ge-0/0/0 ::ffff:10.1.2.3 fd00::/8",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        "ip-10-1-2-3-8080 bgp_10_1_2_3_core 2001-db8--1.example 10.1.2.3.179",
        "mask 255.255.255.0 wildcard 0.0.0.255 lo 127.0.0.1 ::1 fe80::1 ff02::5 224.0.0.5 any 0.0.0.0 ::",
    ] {
        let left = redaction(&key).text(text);
        assert_eq!(String::from_utf8(undone(&key, left.as_bytes())).unwrap(), text, "{left}");
        assert_eq!(left == text, text.starts_with("mask"), "{left}");
        // The same address has the same pseudonym wherever it stands.
        assert_eq!(
            left.matches(&pseudonym(&key, [10, 1, 2, 3].into()).to_string()).count(),
            text.matches("10.1.2.3").count(),
            "{left}"
        );
    }
    let bundle = gzip(&tar(&[("10.1.2.3.log", b"peer 10.1.2.3 and 2001:db8::1")]));
    let (left, report) = document(&redaction(&key), "a.tgz", &bundle).unwrap();
    assert_eq!(report.addresses, 3);
    assert!(!gunzip(&left).windows(8).any(|eight| eight == b"10.1.2.3"));
    let back = untar(&gunzip(&undone(&key, &left)));
    assert_eq!(back["10.1.2.3.log"], b"peer 10.1.2.3 and 2001:db8::1");
}

/// A pseudonym that begins with zero is found again in a name: one of 256 networks has such.
#[test]
fn pseudonyms_in_names_come_back_whatever_they_begin_with() {
    let mut zeros = 0;
    for seed in 0..8 {
        for first in (1..=126).chain(128..=223) {
            let text = format!("ip-{first}-0-0-5 up, srv_{first}_0_0_5");
            let left = redaction(&key(seed)).text(&text);
            assert!(!left.contains(&format!("{first}-0-0-5")) && !left.contains(&format!("{first}_0_0_5")), "{left}");
            zeros += usize::from(left.contains("ip-000-"));
            assert_eq!(String::from_utf8(undone(&key(seed), left.as_bytes())).unwrap(), text, "{left}");
        }
    }
    assert!(zeros > 0);
}

#[test]
fn another_key_undoes_nothing() {
    let left = redaction(&key(1)).text("10.1.2.3");
    assert_ne!(left, redaction(&key(2)).text("10.1.2.3"));
    assert_ne!(undone(&key(2), left.as_bytes()), b"10.1.2.3");
}

#[test]
fn a_key_has_32_bytes_and_two_halves() {
    let told = |bytes: &[u8]| Key::of(bytes).unwrap_err().to_string();
    assert_eq!(told(&[1; 31]), "a key has exactly 32 raw bytes, not 31: make one with `head -c 32 /dev/urandom`");
    assert_eq!(told(&[1; 33]), "a key has exactly 32 raw bytes, not 33: make one with `head -c 32 /dev/urandom`");
    assert_eq!(told(&[1; 32]), "both halves of the key are the same: make one with `head -c 32 /dev/urandom`");
    assert_eq!(Key::of(b"").unwrap_err(), KeyError::Length(0));
    assert_eq!(format!("{:?}", key(1)), "Key(..)");
}
