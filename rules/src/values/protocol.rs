//! The names of IP protocols, as Junos spells them.

/// The names that are known, with the number of each. Some numbers have two.
const NAMES: [(&str, u8); 24] = [
    ("ah", 51),
    ("dstopts", 60),
    ("egp", 8),
    ("esp", 50),
    ("fragment", 44),
    ("gre", 47),
    ("hop-by-hop", 0),
    ("icmp", 1),
    ("icmp6", 58),
    ("icmpv6", 58),
    ("igmp", 2),
    ("ipip", 4),
    ("ipv6", 41),
    ("l2tp", 115),
    ("no-next-header", 59),
    ("ospf", 89),
    ("pim", 103),
    ("routing", 43),
    ("rsvp", 46),
    ("sctp", 132),
    ("tcp", 6),
    ("udp", 17),
    ("udplite", 136),
    ("vrrp", 112),
];

/// The number of a protocol's name in lower case.
pub(crate) fn number(name: &str) -> Option<u8> {
    let place = NAMES.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    NAMES.get(place).map(|(_, number)| *number)
}

/// All names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    NAMES.iter().map(|(name, _)| *name)
}
