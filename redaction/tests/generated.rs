//! Documents generated with every spelling of known addresses, between whatever: none is left, and what stands between
//! them is. And arbitrary bytes: nothing panics, and nothing is left either.

#![cfg(test)]

mod support;

use std::net::{Ipv4Addr, Ipv6Addr};

use linesman_redaction::{Addresses, Canaries, Redaction, stays_v4, stays_v6};
use linesman_schemas::FilterLevel;
use proptest::prelude::*;
use support::{document, gzip, spool};

fn v4() -> impl Strategy<Value = Ipv4Addr> {
    any::<u32>().prop_map(Ipv4Addr::from_bits).prop_filter("it stays", |address| !stays_v4(*address))
}

fn v6() -> impl Strategy<Value = Ipv6Addr> {
    let groups = proptest::array::uniform8(prop_oneof![Just(0_u16), any::<u16>(), Just(1)]);
    groups.prop_map(Ipv6Addr::from).prop_filter("it stays", |address| !stays_v6(*address))
}

/// An address in one of its spellings.
fn spelled() -> impl Strategy<Value = String> {
    let dotted = (v4(), 0..16).prop_map(|(address, spelling)| {
        let [a, b, c, d] = address.octets();
        match spelling {
            0 => format!("{address}/24"),
            1 => format!("{address}:8080"),
            2 => format!("{address}.179"),
            3 if a > 0 => format!("ip-{a}-{b}-{c}-{d}"),
            8 if a > 0 => format!("srv-{a}-{b}-{c}-{d}-8080"),
            9 if a > 0 => format!("bgp_{a}_{b}_{c}_{d}_core"),
            10 => format!("{a}\\u002e{b}\\u002e{c}\\u002e{d}"),
            11 => format!("{a}&#46;{b}&#x2e;{c}%2e{d}"),
            12 => format!("{a:#04x}.{b:#04x}.{c:#04x}.{d:#04x}"),
            13 => format!("atPhysAddress.5.{address}"),
            14 => format!("\\n{address}\\t"),
            15 => format!("{a}[.]{b}[.]{c}[.]{d}"),
            4 => format!("{d}.{c}.{b}.{a}.in-addr.arpa"),
            5 => format!("::ffff:{address}"),
            6 => format!("{a:03}.{b:03}.{c:03}.{d:03}"),
            _ => address.to_string(),
        }
    });
    let grouped = (v6(), 0..13).prop_map(|(address, spelling)| {
        let [a, b, c, d, e, f, g, h] = address.segments();
        match spelling {
            0 => address.to_string().to_uppercase(),
            1 => format!("[{address}]:443"),
            2 => format!("{address}%ge-0/0/0.0"),
            3 => format!("{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}:{g:x}:{h:x}"),
            4 => format!("{a:04x}:{b:04x}:{c:04x}:{d:04x}:{e:04x}:{f:04x}:{g:04x}:{h:04x}"),
            5 => {
                let digits: Vec<String> =
                    (0..32).map(|digit| format!("{:x}", address.to_bits() >> (4 * digit) & 15)).collect();
                format!("{}.ip6.arpa", digits.join("."))
            }
            6 => format!(
                "{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}:{}",
                Ipv4Addr::new((g >> 8) as u8, g as u8, (h >> 8) as u8, h as u8)
            ),
            7 => format!("\\n{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}:{g:x}:{h:x}\\r"),
            8 => format!("{}%20", address.to_string().replace(':', "%3A")),
            9 => format!("#012{address}"),
            10 => format!("{a:x}-{b:x}-{c:x}-{d:x}-{e:x}-{f:x}-{g:x}-{h:x}.ipv6-literal.net"),
            11 => format!("face:{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}:{g:x}:{h:x}"),
            _ => format!("{address}/64"),
        }
    });
    prop_oneof![dotted, grouped]
}

/// What stands between addresses, and is none.
fn between() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ \t\n,;()<>\"'=|*]{1,3}",
        Just(" via ge-0/0/0.0 ".to_owned()),
        Just("\n2026-11-21T10:15:02Z edge rpd[12]: peer ".to_owned()),
        Just("</address><address>".to_owned()),
        Just(" (External AS 65010) 21.4R3-S5.4 ".to_owned()),
        Just("\",\"".to_owned()),
        Just(" -> ".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_address_is_left_and_the_rest_is(parts in proptest::collection::vec((between(), spelled()), 1..40), end in between()) {
        let text: String = parts.iter().map(|(between, spelled)| format!("{between}{spelled}")).collect::<String>() + &end;
        let left = Redaction::at(FilterLevel::AddressesOverwritten).text(&text);
        prop_assert_eq!(Addresses::of(left.as_bytes(), false).filter(|found| !found.stays()).count(), 0, "{}", left);
        let canaries: Vec<String> = Addresses::of(text.as_bytes(), false).map(|found| text[found.start..found.end].to_owned()).collect();
        prop_assert!(canaries.len() >= parts.len(), "{}", text);
        let found = Canaries::read(&canaries.join("\n")).unwrap().leaked("left", &mut left.as_bytes(), &spool).unwrap();
        prop_assert!(found.keys().all(|canary| canary.len() < 8), "{:?} in {}", found, left);
        // What stands between them is there, in its order.
        let mut rest = left.as_str();
        for (between, _) in &parts {
            let place = rest.find(between.as_str());
            prop_assert!(place.is_some(), "{:?} is not in {:?}", between, rest);
            rest = &rest[place.unwrap() + between.len()..];
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, level in 0_usize..5) {
        let (level, _) = FilterLevel::ALL[level];
        let redaction = Redaction::at(level).with_macs(true);
        let _ = document(&redaction, "bytes", &bytes);
        let _ = document(&redaction, "bytes.gz", &gzip(&bytes));
        let mut magic = vec![0x1f, 0x8b, 8];
        magic.extend(&bytes);
        let _ = document(&redaction, "magic.gz", &magic);
    }

    /// Of the words and marks that are looked for, in any order.
    #[test]
    fn hostile_text_never_panics_and_leaves_no_address(
        parts in proptest::collection::vec(
            prop_oneof![
                "[0-9a-f.:-]{1,12}", Just("secret ".into()), Just("\"".into()), Just("\\".into()), Just("<configuration".into()),
                Just(">".into()), Just("</configuration>".into()), Just("<![CDATA[".into()), Just("]]>".into()), Just("\n".into()),
                Just("system {".into()), Just("}".into()), Just("$9$".into()), Just("-----BEGIN RSA PRIVATE KEY-----".into()),
                Just("\"configuration\":{".into()), Just("<attachment name=\"a.conf\"".into()), Just("&quot;".into()), Just("&lt;".into()),
                Just("community".into()), Just("[".into()), Just("://a:b@".into()), Just("SECRET-DATA".into()), Just(";".into()),
                Just("root@x> show configuration".into()), Just("UI_CFG_AUDIT".into()), Just("[edit]\n".into()), Just("<?xml".into()),
                Just(".in-addr.arpa".into()), Just(".ip6.arpa".into()), Just("set system ".into()),
            ],
            0..60,
        ),
    ) {
        let text: String = parts.concat();
        for (level, _) in FilterLevel::ALL {
            let left = Redaction::at(level).text(&text);
            if level == FilterLevel::AddressesOverwritten {
                let again = Redaction::at(level).text(&left);
                prop_assert_eq!(Addresses::of(again.as_bytes(), false).filter(|found| !found.stays()).count(), 0, "{}", left);
            }
        }
    }
}
