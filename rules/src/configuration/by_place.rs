//! The statements of Junos whose form alone does not say what is a name and what a value, by where they stand: facts of
//! the published statement hierarchies.
//!
//! What is not listed here has one value, and two activations that give it two are in conflict. That is the cautious way:
//! where a device would take both, the conflict is refused aloud, and the statement belongs into this table; it never
//! happens that of two values the last one silently wins. Lists in brackets need no entry, they always add up.

use std::sync::LazyLock;

use foldhash::HashMap;

use super::Word;

/// Statements of which each value is a leaf of its own, and where.
struct Several {
    /// The first word of the hierarchy, behind logical systems and routing instances; any where there is none.
    root: &'static str,
    /// The last words around the statement, outermost first; `*` is any word.
    within: &'static [&'static str],
    /// The statements.
    statements: &'static [&'static str],
}

const fn several(root: &'static str, within: &'static [&'static str], statements: &'static [&'static str]) -> Several {
    Several { root, within, statements }
}

/// What a term of a firewall filter matches.
const OF_PACKETS: &[&str] = &[
    "address",
    "destination-address",
    "destination-class",
    "destination-class-except",
    "destination-mac-address",
    "destination-port",
    "destination-port-except",
    "destination-prefix-list",
    "dscp",
    "dscp-except",
    "esp-spi",
    "esp-spi-except",
    "ether-type",
    "ether-type-except",
    "exp",
    "exp-except",
    "forwarding-class",
    "forwarding-class-except",
    "fragment-offset",
    "fragment-offset-except",
    "hop-limit",
    "hop-limit-except",
    "icmp-code",
    "icmp-code-except",
    "icmp-type",
    "icmp-type-except",
    "interface",
    "interface-group",
    "interface-group-except",
    "interface-set",
    "ip-options",
    "ip-options-except",
    "ip-protocol",
    "ip-protocol-except",
    "loss-priority",
    "loss-priority-except",
    "next-header",
    "next-header-except",
    "packet-length",
    "packet-length-except",
    "payload-protocol",
    "payload-protocol-except",
    "port",
    "port-except",
    "precedence",
    "precedence-except",
    "prefix-list",
    "protocol",
    "protocol-except",
    "source-address",
    "source-class",
    "source-class-except",
    "source-mac-address",
    "source-port",
    "source-port-except",
    "source-prefix-list",
    "traffic-class",
    "traffic-class-except",
    "ttl",
    "ttl-except",
    "vlan-id",
    "vlan-id-except",
];

/// What a term of a routing policy matches.
const OF_ROUTES: &[&str] = &[
    "as-path",
    "as-path-group",
    "community",
    "condition",
    "interface",
    "neighbor",
    "next-hop",
    "policy",
    "prefix-list",
    "prefix-list-filter",
    "protocol",
    "route-filter",
    "source-address-filter",
    "tag",
];

/// What a rule of a security policy or of address translation matches.
const OF_SESSIONS: &[&str] = &[
    "application",
    "destination-address",
    "destination-address-name",
    "destination-port",
    "dynamic-application",
    "from-zone",
    "protocol",
    "source-address",
    "source-address-name",
    "source-identity",
    "source-port",
    "to-zone",
    "url-category",
];

/// What a rule of adaptive services matches.
const OF_FLOWS: &[&str] = &["application-sets", "applications", "destination-address", "source-address"];

/// What a flow route matches.
const OF_FLOW_ROUTES: &[&str] = &[
    "destination-port",
    "dscp",
    "fragment",
    "icmp-code",
    "icmp-type",
    "packet-length",
    "port",
    "protocol",
    "source-port",
];

const SEVERAL: &[Several] = &[
    several("", &[], &["apply-groups", "apply-groups-except"]),
    several("firewall", &["from"], OF_PACKETS),
    several("policy-options", &["from"], OF_ROUTES),
    several("policy-options", &["to"], OF_ROUTES),
    several("policy-options", &["then"], &["community"]),
    several("policy-options", &["policy-options"], &["as-path", "prefix-list"]),
    several("policy-options", &["as-path-group", "*"], &["as-path"]),
    several("policy-options", &["community", "*"], &["members"]),
    several("interfaces", &["interfaces", "*"], &["unit"]),
    several("interfaces", &["interface-range", "*"], &["member", "unit"]),
    several("interfaces", &["unit", "*"], &["family", "vlan-id-list"]),
    several("interfaces", &["family", "*"], &["address", "vlan-id-list"]),
    several("interfaces", &["filter"], &["input-list", "output-list"]),
    several("interfaces", &["vlan"], &["members"]),
    several("interfaces", &["vrrp-group", "*"], &["virtual-address"]),
    several("interfaces", &["vrrp-inet6-group", "*"], &["virtual-inet6-address"]),
    several("protocols", &["protocols", "*"], &["export", "import", "interface", "neighbor"]),
    several("protocols", &["area", "*"], &["interface"]),
    several("protocols", &["group", "*"], &["export", "import", "neighbor"]),
    several("protocols", &["neighbor", "*"], &["export", "import", "interface"]),
    several("protocols", &["router-advertisement", "interface", "*"], &["prefix"]),
    several("protocols", &["rp", "static"], &["address"]),
    several("protocols", &["label-switched-path", "*"], &["secondary"]),
    several("routing-instances", &["routing-instances", "*"], &["interface", "vrf-export", "vrf-import"]),
    several("routing-options", &["forwarding-table"], &["export"]),
    several("routing-options", &["rib-groups", "*"], &["export-rib", "import-policy", "import-rib"]),
    several("routing-options", &["route", "*"], &["community", "qualified-next-hop"]),
    several("routing-options", &["static", "defaults"], &["community"]),
    several("routing-options", &["flow", "route", "*", "match"], OF_FLOW_ROUTES),
    several("class-of-service", &["interfaces", "*"], &["unit"]),
    several("class-of-service", &["forwarding-classes"], &["class", "queue"]),
    several("class-of-service", &["forwarding-class-map", "*"], &["class"]),
    several("class-of-service", &["drop-profiles", "*"], &["fill-level"]),
    several("class-of-service", &["loss-priority", "*"], &["code-points"]),
    several("security", &["policy", "*", "match"], OF_SESSIONS),
    several("security", &["source", "rule-set", "*", "rule", "*", "match"], OF_SESSIONS),
    several("security", &["source", "pool", "*"], &["address"]),
    several("security", &["rule-set", "*", "from"], &["interface", "routing-instance", "zone"]),
    several("security", &["rule-set", "*", "to"], &["interface", "routing-instance", "zone"]),
    several("security", &["interface", "*"], &["address"]),
    several("security", &["proxy-arp"], &["interface"]),
    several("security", &["security-zone", "*"], &["interfaces"]),
    several("security", &["host-inbound-traffic"], &["protocols", "system-services"]),
    several("security", &["address-book"], &["address"]),
    several("security", &["address-book", "*"], &["address"]),
    several("security", &["address-set", "*"], &["address", "address-set"]),
    several("security", &["attach"], &["zone"]),
    several("services", &["from"], OF_FLOWS),
    several("applications", &["application-set", "*"], &["application", "application-set"]),
    several("snmp", &["snmp"], &["interface"]),
    several("snmp", &["trap-group", "*"], &["categories", "targets"]),
    several("system", &["system"], &["authentication-order", "domain-search", "name-server"]),
    several("system", &["system"], &["radius-server", "tacplus-server"]),
    several("system", &["ntp"], &["authentication-key", "broadcast", "peer", "server", "trusted-key"]),
    several("system", &["ssh"], &["ciphers", "hostkey-algorithm", "key-exchange", "macs", "protocol-version"]),
    several("system", &["class", "*"], &["allowed-days", "permissions"]),
    several("system", &["group", "*"], &["interface"]),
    several("system", &["root-authentication"], &["ssh-dsa", "ssh-ecdsa", "ssh-ed25519", "ssh-rsa"]),
    several("system", &["authentication"], &["ssh-dsa", "ssh-ecdsa", "ssh-ed25519", "ssh-rsa"]),
    several("forwarding-options", &["group", "*"], &["interface"]),
    several("vlans", &["vlans", "*"], &["interface", "vlan-id-list"]),
    several("bridge-domains", &["bridge-domains", "*"], &["interface", "vlan-id-list"]),
];

/// The entries of [`SEVERAL`] by their statements: most statements have none.
static BY_STATEMENT: LazyLock<HashMap<&str, Vec<&Several>>> = LazyLock::new(|| {
    let mut known: HashMap<&str, Vec<&Several>> = HashMap::default();
    for places in SEVERAL {
        places.statements.iter().for_each(|statement| known.entry(statement).or_default().push(places));
    }
    known
});

/// Containers that may be written on one line with what they contain, by the root they stand below; and of how many
/// words they are: `then accept;`, `route 192.0.2.0/24 discard;`.
const ON_ONE_LINE: &[(&str, usize, &[&str])] = &[
    ("class-of-service", 2, &["forwarding-class", "loss-priority"]),
    ("event-options", 1, &["then"]),
    ("firewall", 1, &["from", "then"]),
    ("firewall", 2, &["term"]),
    ("policy-options", 1, &["from", "then", "to"]),
    ("policy-options", 2, &["term"]),
    ("routing-options", 1, &["match", "then"]),
    ("routing-options", 2, &["route"]),
    ("security", 1, &["from", "match", "then", "to"]),
    ("security", 2, &["rule"]),
    ("services", 1, &["from", "then"]),
    ("services", 2, &["rule", "term"]),
];

/// Those of them that may stand alone: then they are there, or not.
const ALONE: [&str; 4] = ["community", "route", "rule", "term"];

/// Within `policy-options`, and not deeper, a community is a container: `community c members 64500:1;`.
const COMMUNITY: &str = "community";

/// Of several words within a container it has one. By root, and the last words around.
const VERDICTS: &[(&str, &[&str], &[&str])] = &[
    ("firewall", &["then"], &["accept", "discard", "next", "reject"]),
    ("policy-options", &["then"], &["accept", "next", "reject"]),
    ("routing-options", &["flow", "route", "*", "then"], &["accept", "discard"]),
    ("routing-options", &["route", "*"], &["discard", "next-hop", "next-table", "receive", "reject"]),
    ("security", &["then"], &["deny", "permit", "reject"]),
    ("services", &["then"], &["accept", "discard", "reject"]),
];

/// Containers with a key around a hierarchy that is the same within them.
const AROUND: [&str; 4] = ["dynamic-profiles", "logical-systems", "routing-instances", "tenants"];

/// The hierarchy that a statement stands in: without what is around it.
fn hierarchy<'w, 'c>(mut around: &'w [&'c Word]) -> &'w [&'c Word] {
    while let [first, _, rest @ ..] = around
        && AROUND.contains(&first.as_str())
        && !rest.is_empty()
    {
        around = rest;
    }
    around
}

fn begins(around: &[&Word], root: &str) -> bool {
    root.is_empty() || around.first().is_some_and(|first| first.as_str() == root)
}

fn ends(around: &[&Word], within: &[&str]) -> bool {
    let Some(last) = around.len().checked_sub(within.len()).and_then(|first| around.get(first..)) else {
        return false;
    };
    last.iter().zip(within).all(|(word, wanted)| *wanted == "*" || word.as_str() == *wanted)
}

/// How many values of a container written on one line with nothing in it say which it is.
fn alone(around: &[&Word], own: &[&Word], name: &str) -> usize {
    usize::from(own.len() > 1 && ALONE.contains(&name) && container_words(around, name) > 0)
}

/// How many values of a statement say which leaf it is; none where it has one value. `around` are the words of the
/// containers around it, outermost first, and `own` those of the statement.
pub(super) fn keys(around: &[&Word], own: &[&Word]) -> usize {
    let Some(name) = own.first().map(|name| name.as_str()) else { return 0 };
    let inner = hierarchy(around);
    let stands = |places: &&Several| {
        [around, inner].iter().any(|around| begins(around, places.root) && ends(around, places.within))
    };
    if !BY_STATEMENT.get(name).is_some_and(|known| known.iter().any(stands)) {
        return alone(around, own, name);
    }
    let second = || own.get(2).map_or("", |word| word.as_str());
    match name {
        // A prefix with how it is matched, and that with a length or a range of them.
        "route-filter" | "source-address-filter" => match second() {
            "address-mask" | "prefix-length-range" | "through" | "upto" => 3,
            _ => 2,
        },
        "prefix-list-filter" => 2,
        // What is done with it: `add`, `delete`, `set`; and its name.
        COMMUNITY if ends(around, &["then"]) => 2,
        _ => 1,
    }
}

/// How many words in front of a leaf are a container written on the same line.
pub(super) fn container_words(around: &[&Word], first: &str) -> usize {
    let around = hierarchy(around);
    if first == COMMUNITY && around.len() == 1 && begins(around, "policy-options") {
        return 2;
    }
    let known = ON_ONE_LINE.iter().find(|(root, _, names)| names.contains(&first) && begins(around, root));
    known.map_or(0, |(_, words, _)| *words)
}

/// Whether the word is one of several of which the container around has one.
pub(super) fn is_verdict(around: &[&Word], word: &str) -> bool {
    let around = hierarchy(around);
    let of = |(root, within, words): &&(&str, &[&str], &[&str])| {
        words.contains(&word) && begins(around, root) && ends(around, within)
    };
    VERDICTS.iter().any(|verdict| of(&verdict))
}
