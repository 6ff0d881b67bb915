//! Variables that Kubernetes sets in every container for each service of the namespace
//! (<https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>). Those of a service that is
//! called `linesman`, or `linesman-nats`, look like settings of ours.
//!
//! | variable | value |
//! |---|---|
//! | `{SVC}_SERVICE_HOST` | an address |
//! | `{SVC}_SERVICE_PORT`, `{SVC}_SERVICE_PORT_{NAME}` | a port |
//! | `{SVC}_PORT` | `tcp://address:port` |
//! | `{SVC}_PORT_{N}_{PROTO}` | the same |
//! | `{SVC}_PORT_{N}_{PROTO}_PROTO`, `.._PORT`, `.._ADDR` | `tcp`; a port; an address |
//!
//! Name and value must both be of that form: a setting that is misspelt is none of them.

use std::net::IpAddr;

/// The protocols of services, as names and values spell them.
const PROTOCOLS: [(&str, &str); 3] = [("TCP", "tcp"), ("UDP", "udp"), ("SCTP", "sctp")];

/// Whether Kubernetes has set the variable `name` to `value` for one of its services.
pub(super) fn is_of_a_service(name: &str, value: &str) -> bool {
    let is_address = || value.parse::<IpAddr>().is_ok();
    if name.ends_with("_SERVICE_HOST") {
        return is_address();
    }
    if name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_") {
        return is_port(value);
    }
    if name.ends_with("_PORT") && is_place(value, |_| true) {
        return true;
    }
    let Some((_, of_port)) = name.split_once("_PORT_") else { return false };
    let Some((number, of_port)) = of_port.split_once('_') else { return false };
    if !is_port(number) {
        return false;
    }
    let (protocol, part) = of_port.split_once('_').unwrap_or((of_port, ""));
    let Some((_, protocol)) = PROTOCOLS.iter().find(|(name, _)| *name == protocol) else { return false };
    match part {
        "" => is_place(value, |found| found == *protocol),
        "PROTO" => value == *protocol,
        "PORT" => is_port(value),
        "ADDR" => is_address(),
        _ => false,
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Whether a text is `protocol://address:port`.
fn is_place(text: &str, is_protocol: impl Fn(&str) -> bool) -> bool {
    let Some((protocol, place)) = text.split_once("://") else { return false };
    let is_known = PROTOCOLS.iter().any(|(_, known)| *known == protocol);
    let Some((host, port)) = place.rsplit_once(':') else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    is_known && is_protocol(protocol) && is_port(port) && host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_family_is_recognised() {
        for (name, value) in [
            ("LINESMAN_SERVICE_HOST", "10.0.0.11"),
            ("LINESMAN_SERVICE_HOST", "fd00::11"),
            ("LINESMAN_SERVICE_PORT", "8443"),
            ("LINESMAN_SERVICE_PORT_HTTPS", "8443"),
            ("LINESMAN_SERVICE_PORT_NATS_CLIENT", "4222"),
            ("LINESMAN_PORT", "tcp://10.0.0.11:8443"),
            ("LINESMAN_PORT", "tcp://[fd00::11]:8443"),
            ("LINESMAN_PORT_8443_TCP", "tcp://10.0.0.11:8443"),
            ("LINESMAN_PORT_8443_TCP_PROTO", "tcp"),
            ("LINESMAN_PORT_8443_TCP_PORT", "8443"),
            ("LINESMAN_PORT_8443_TCP_ADDR", "10.0.0.11"),
            ("LINESMAN_PORT_514_UDP", "udp://10.0.0.11:514"),
            ("LINESMAN_PORT_514_SCTP_PROTO", "sctp"),
            ("LINESMAN_NATS_PORT", "tcp://10.0.0.12:4222"),
            ("LINESMAN_NATS_SERVICE_HOST", "10.0.0.12"),
            ("LINESMAN_NATS_PORT_4222_TCP_ADDR", "10.0.0.12"),
        ] {
            assert!(is_of_a_service(name, value), "{name}={value}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not() {
        for (name, value) in [
            ("LINESMAN_NATS_PORT", "4222"),
            ("LINESMAN_NATS_PORT", "tcp://nats:4222"),
            ("LINESMAN_PORT", "8443"),
            ("LINESMAN_PORT", "http://10.0.0.11:8443"),
            ("LINESMAN_PORT", "tcp://10.0.0.11"),
            ("LINESMAN_SERVICE_HOST", "linesman.example"),
            ("LINESMAN_SERVICE_PORT", "https"),
            ("LINESMAN_PORT_HTTPS_TCP", "tcp://10.0.0.11:8443"),
            ("LINESMAN_PORT_8443_TCP", "udp://10.0.0.11:8443"),
            ("LINESMAN_PORT_8443_TCP_NAME", "https"),
            ("LINESMAN_PORT_8443_QUIC_ADDR", "10.0.0.11"),
            ("LINESMAN_LISTENER", "10.0.0.11"),
        ] {
            assert!(!is_of_a_service(name, value), "{name}={value}");
        }
    }
}
