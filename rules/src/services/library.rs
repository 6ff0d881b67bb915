//! Stock services, ready to be copied beside one's own.

type Files = &'static [(&'static str, &'static str)];

macro_rules! service {
    ($name:literal) => {
        (
            $name,
            &[
                ("service.toml", include_str!(concat!("../../library/services/", $name, "/service.toml"))),
                ("main.j2", include_str!(concat!("../../library/services/", $name, "/main.j2"))),
            ],
        )
    };
}

/// Names and files of the stock services, in order of name.
pub const SERVICES: &[(&str, Files)] = &[
    service!("bandwidth-on-demand"),
    service!("ddos-blackhole"),
    service!("egress-rate-limit"),
    service!("ingress-firewall"),
    service!("maintenance-drain"),
    service!("nat-pool"),
];
