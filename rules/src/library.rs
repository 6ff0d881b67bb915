//! Stock policies, ready to be copied beside one's own.

/// File names and sources of the stock policies, in order of name.
pub const LIBRARY: &[(&str, &str)] = &[
    ("approvals.rhai", include_str!("../library/approvals.rhai")),
    ("bug-notices.rhai", include_str!("../library/bug-notices.rhai")),
    ("case-assigned.rhai", include_str!("../library/case-assigned.rhai")),
    ("case-updates.rhai", include_str!("../library/case-updates.rhai")),
    ("collection-switched.rhai", include_str!("../library/collection-switched.rhai")),
    ("contracts-ending.rhai", include_str!("../library/contracts-ending.rhai")),
    ("core-dump-priority.rhai", include_str!("../library/core-dump-priority.rhai")),
    ("ddos-blackhole.rhai", include_str!("../library/ddos-blackhole.rhai")),
    ("device-state.rhai", include_str!("../library/device-state.rhai")),
    ("drift.rhai", include_str!("../library/drift.rhai")),
    ("exposures.rhai", include_str!("../library/exposures.rhai")),
    ("hardware-failure.rhai", include_str!("../library/hardware-failure.rhai")),
    ("health-check.rhai", include_str!("../library/health-check.rhai")),
    ("held.rhai", include_str!("../library/held.rhai")),
    ("matches.rhai", include_str!("../library/matches.rhai")),
    ("notices.rhai", include_str!("../library/notices.rhai")),
    ("quotas.rhai", include_str!("../library/quotas.rhai")),
    ("refused-attempts.rhai", include_str!("../library/refused-attempts.rhai")),
    ("silent-devices.rhai", include_str!("../library/silent-devices.rhai")),
    ("without-address.rhai", include_str!("../library/without-address.rhai")),
];
