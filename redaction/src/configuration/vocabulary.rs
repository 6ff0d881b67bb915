//! The words that configurations begin with, and the features below them.
//!
//! A closed list: what is not in it is the user's own word, and never leaves as the name of a feature.

/// The top-level statements, and of those whose second word names a feature these words.
pub(super) const HIERARCHIES: &[(&str, &[&str])] = &[
    ("access", &["address-assignment", "domain", "firewall-authentication", "ldap-server", "profile", "radius-server"]),
    ("access-profile", &[]),
    ("accounting-options", &["class-usage-profile", "filter-profile", "interface-profile", "mib-profile"]),
    ("applications", &["application", "application-set"]),
    ("apply-groups", &[]),
    ("bridge-domains", &[]),
    (
        "chassis",
        &[
            "aggregated-devices",
            "alarm",
            "cluster",
            "fabric",
            "fpc",
            "network-services",
            "redundancy",
            "routing-engine",
        ],
    ),
    (
        "class-of-service",
        &[
            "classifiers",
            "drop-profiles",
            "forwarding-classes",
            "interfaces",
            "rewrite-rules",
            "scheduler-maps",
            "schedulers",
            "traffic-control-profiles",
        ],
    ),
    ("diameter", &[]),
    ("dynamic-profiles", &[]),
    ("ephemeral", &[]),
    ("ethernet-switching-options", &["analyzer", "secure-access-port", "storm-control", "voip"]),
    ("event-options", &["destinations", "event-script", "generate-event", "policy"]),
    ("fabric", &[]),
    ("firewall", &["family", "filter", "policer", "three-color-policer"]),
    (
        "forwarding-options",
        &[
            "analyzer",
            "dhcp-relay",
            "hash-key",
            "helpers",
            "load-balance",
            "port-mirroring",
            "sampling",
            "storm-control-profiles",
        ],
    ),
    ("groups", &[]),
    ("interfaces", &[]),
    ("jsrc", &[]),
    ("logical-systems", &[]),
    ("multi-chassis", &[]),
    ("multicast-snooping-options", &[]),
    ("poe", &[]),
    ("policy-options", &["as-path", "as-path-group", "community", "condition", "policy-statement", "prefix-list"]),
    (
        "protocols",
        &[
            "bfd",
            "bgp",
            "connections",
            "dot1x",
            "esis",
            "evpn",
            "igmp",
            "igmp-snooping",
            "iccp",
            "isis",
            "l2circuit",
            "l2-learning",
            "lacp",
            "ldp",
            "link-management",
            "lldp",
            "lldp-med",
            "mld",
            "mpls",
            "msdp",
            "mstp",
            "mvpn",
            "neighbor-discovery",
            "oam",
            "ospf",
            "ospf3",
            "pcep",
            "pim",
            "ppp",
            "rip",
            "ripng",
            "router-advertisement",
            "router-discovery",
            "rstp",
            "rsvp",
            "sflow",
            "source-packet-routing",
            "stp",
            "vrrp",
            "vstp",
        ],
    ),
    ("routing-instances", &[]),
    (
        "routing-options",
        &[
            "aggregate",
            "autonomous-system",
            "confederation",
            "dynamic-tunnels",
            "flow",
            "forwarding-table",
            "generate",
            "graceful-restart",
            "multicast",
            "nonstop-routing",
            "rib-groups",
            "route-distinguisher-id",
            "router-id",
            "static",
            "validation",
        ],
    ),
    ("schedulers", &[]),
    (
        "security",
        &[
            "address-book",
            "alg",
            "application-firewall",
            "application-tracking",
            "authentication-key-chains",
            "certificates",
            "flow",
            "forwarding-options",
            "group-vpn",
            "idp",
            "ike",
            "ipsec",
            "log",
            "macsec",
            "nat",
            "pki",
            "policies",
            "screen",
            "ssh-known-hosts",
            "utm",
            "zones",
        ],
    ),
    (
        "services",
        &[
            "analytics",
            "application-identification",
            "flow-monitoring",
            "ids",
            "ipsec-vpn",
            "l2tp",
            "nat",
            "rpm",
            "service-set",
            "ssl",
            "stateful-firewall",
            "user-identification",
            "web-filtering",
        ],
    ),
    ("session-limit-group", &[]),
    ("smtp", &[]),
    ("snmp", &["community", "filter-interfaces", "health-monitor", "rmon", "trap-group", "trap-options", "v3", "view"]),
    ("switch-options", &[]),
    (
        "system",
        &[
            "accounting",
            "archival",
            "authentication-order",
            "autoinstallation",
            "ddos-protection",
            "dump-device",
            "internet-options",
            "license",
            "login",
            "name-server",
            "ntp",
            "phone-home",
            "processes",
            "radius-server",
            "root-authentication",
            "scripts",
            "services",
            "syslog",
            "tacplus-server",
        ],
    ),
    ("tenants", &[]),
    ("unified-edge", &[]),
    ("virtual-chassis", &[]),
    ("vlans", &[]),
    ("vmhost", &[]),
    ("wlan", &[]),
];

/// The first words of statements that change a configuration.
const CHANGES: [&str; 9] =
    ["set", "delete", "deactivate", "activate", "protect", "unprotect", "rename", "insert", "annotate"];

/// What else changes a configuration where it is edited, and where a log tells of it; in a sentence these are words like
/// others.
const EDITS: [&str; 8] = ["edit", "copy", "replace", "wildcard", "load", "extension", "save", "update"];

/// Whether a word begins a configuration's statement, also one of the models that all vendors have.
pub(crate) fn is_top(word: &[u8]) -> bool {
    below(word).is_some() || ((word.starts_with(b"openconfig-") || word.starts_with(b"ietf-")) && word.contains(&b':'))
}

/// Whether a command changes the configuration, or goes to a place in it, also where it is abbreviated.
pub(super) fn is_edit(word: &[u8]) -> bool {
    const LEAST: usize = 2;
    word.len() >= LEAST && CHANGES.iter().chain(&EDITS).any(|edit| edit.as_bytes().starts_with(word))
}

/// The features below a top-level statement.
pub(super) fn below(word: &[u8]) -> Option<(&'static str, &'static [&'static str])> {
    let found = HIERARCHIES.binary_search_by(|(top, _)| top.as_bytes().cmp(word)).ok()?;
    HIERARCHIES.get(found).copied()
}

/// Whether a word names a feature below any statement.
pub(super) fn is_below(word: &[u8]) -> bool {
    HIERARCHIES.iter().any(|(_, below)| below.iter().any(|known| known.as_bytes() == word))
}

/// Whether a word changes a configuration.
pub(super) fn is_change(word: &[u8]) -> bool {
    CHANGES.iter().any(|change| change.as_bytes() == word)
}

/// Whether a file's name is that of a configuration: `juniper.conf.3.gz`, `edge-01_cfg_xml.xml`.
pub(crate) fn is_configuration_name(name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    base.split(['.', '_', '-']).any(|part| matches!(part, "cfg" | "conf" | "config" | "configuration" | "rollback"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(HIERARCHIES.is_sorted_by_key(|(top, _)| top));
        assert!(is_top(b"system") && is_top(b"wlan") && is_top(b"access") && !is_top(b"host-name"));
    }
}
