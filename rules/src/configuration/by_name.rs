//! The few statements whose form alone does not say what is a name and what a value, by their names alone: as logs of
//! the levels 1 to 6 were decided ([`Strictness::Early`](crate::Strictness::Early)).

/// Statements of which every value is a leaf of its own: `address 192.0.2.1/24;`, `protocol udp;`. In order.
const SEVERAL: [&str; 42] = [
    "address",
    "apply-groups",
    "apply-groups-except",
    "as-path-prepend",
    "community",
    "destination-address",
    "destination-port",
    "destination-port-except",
    "destination-prefix-list",
    "dscp",
    "dscp-except",
    "export",
    "family",
    "icmp-code",
    "icmp-code-except",
    "icmp-type",
    "icmp-type-except",
    "import",
    "input-list",
    "interface",
    "ip-options",
    "members",
    "name-server",
    "neighbor",
    "next-header",
    "output-list",
    "packet-length",
    "port",
    "port-except",
    "precedence",
    "prefix-list",
    "prefix-list-filter",
    "protocol",
    "protocol-except",
    "source-address",
    "source-port",
    "source-port-except",
    "source-prefix-list",
    "traffic-class",
    "ttl",
    "unit",
    "vlan-id-list",
];

/// Containers that may be written on one line with one thing they contain: `then accept;`.
const ON_ONE_LINE: [&str; 3] = ["from", "then", "to"];

/// Containers with a key that may be written on one line: `route 192.0.2.0/24 discard;`.
const KEYED: [&str; 2] = ["route", "rule"];

/// What becomes of a packet or a route that matched a term. `next` is `next term` and `next policy`.
const VERDICTS: [&str; 4] = ["accept", "discard", "next", "reject"];

/// What becomes of a packet that follows a static route.
const WAYS: [&str; 5] = ["discard", "next-hop", "next-table", "receive", "reject"];

/// Whether each value of the statement is a leaf of its own.
pub(super) fn takes_several(name: &str) -> bool {
    SEVERAL.binary_search(&name).is_ok()
}

/// How many words in front of a leaf are a container written on the same line.
pub(super) fn container_words(first: &str) -> usize {
    match first {
        first if ON_ONE_LINE.contains(&first) => 1,
        first if KEYED.contains(&first) => 2,
        _ => 0,
    }
}

/// Whether the word is one of several of which a container has one. `around` are the words of the
/// containers around it, outermost first.
pub(super) fn is_verdict<'a>(mut around: impl DoubleEndedIterator<Item = &'a str>, word: &str) -> bool {
    match (around.next_back(), around.next_back()) {
        (Some("then"), _) => VERDICTS.contains(&word),
        (Some(_), Some("route")) => WAYS.contains(&word),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(SEVERAL.is_sorted());
    }
}
