//! Which addresses stay: those that name no host of anybody's network.
//!
//! Masks, wildcard masks, the unspecified address, loopback and multicast of both families, link-local addresses of
//! IPv6. Everything else is overwritten, private and documentation ranges included: that they mean nothing outside is
//! no reason to tell of them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether an IPv4 address stays as it is.
pub fn stays_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    let is_mask = bits.leading_ones() + bits.trailing_zeros() >= 32;
    // Only within 0.0.0.0/8: from `1.255.255.255` on it might be a host's.
    let is_wildcard = bits.leading_zeros() >= 8 && bits.leading_zeros() + bits.trailing_ones() == 32;
    bits == 0 || is_mask || is_wildcard || address.is_loopback() || address.is_multicast()
}

/// Whether an IPv6 address stays as it is. One that carries an IPv4 address (`::ffff:192.0.2.1`) stays where that does.
pub fn stays_v6(address: Ipv6Addr) -> bool {
    match address.to_ipv4_mapped() {
        Some(carried) => stays_v4(carried),
        None => {
            address.is_unspecified()
                || address.is_loopback()
                || address.is_multicast()
                || address.segments().first().is_some_and(|first| first & 0xffc0 == 0xfe80)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_host_stays() {
        for text in [
            "0.0.0.0",
            "255.255.255.0",
            "255.255.255.255",
            "255.0.0.0",
            "255.255.254.0",
            "128.0.0.0",
            "0.0.0.255",
            "0.0.0.3",
            "0.255.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "224.0.0.5",
            "239.255.255.250",
        ] {
            assert!(stays_v4(text.parse().unwrap()), "{text}");
        }
        for text in ["::", "::1", "fe80::1", "febf::1", "ff02::1:ff00:1", "::ffff:127.0.0.1", "ffff:ffff:ffff::"] {
            assert!(stays_v6(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_may_name_a_host_does_not_stay() {
        for text in [
            "10.0.0.0",
            "10.1.2.3",
            "192.0.2.1",
            "198.51.100.7",
            "203.0.113.9",
            "169.254.1.1",
            "255.255.1.0",
            "0.0.1.0",
            "0.1.2.3",
            "1.255.255.255",
            "126.255.255.255",
            "240.0.0.1",
            "223.255.255.255",
            "100.64.0.1",
        ] {
            assert!(!stays_v4(text.parse().unwrap()), "{text}");
        }
        for text in ["2001:db8::1", "fd00::1", "fec0::1", "::2", "::ffff:10.1.2.3", "64:ff9b::a01:203"] {
            assert!(!stays_v6(text.parse().unwrap()), "{text}");
        }
    }
}
