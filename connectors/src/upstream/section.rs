//! The section `[upstream]`: its keys.

use crate::settings::{Key, Kind, Section, Shape};

/// The kind of upstream that is the support system, as settings spell it.
const JSS: &str = "jss";
/// The kind that is a partner's controller.
pub(super) const PARTNER: &str = "partner";

/// What the client of the upstream is told.
#[rustfmt::skip]
pub static SECTION: Section = Section {
    name: "upstream",
    shape: Shape::Optional("cases wait"),
    doc: "The upstream: the support system, or a partner's controller in its place. Without this section cases wait.",
    keys: &[
        Key::new("kind", Kind::Words(&[JSS, PARTNER]), "What it is: `jss` for the support system, `partner` for a partner's controller. Not set, `partner` in mode `end-customer`.").or(JSS),
        Key::new("url", Kind::HttpsUrl, "Its address; without a port that is 443. Required in `[upstream]`.").required().like("https://support.example"),
        Key::new("ca", Kind::Certificates, "The file of certificates (PEM) to believe. Not set, the system's are believed.").like("support-system-ca.pem"),
        Key::new("fingerprint", Kind::Fingerprint, "Instead of `ca`: the SHA-256 of its own certificate, which is then believed whatever its name and issuer, until it ends, and no other is.").like("sha256:4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"),
        Key::new("site_id", Kind::Text { most: 64 }, "The site cases are opened for. Required with `kind = \"jss\"`, of no use with another.").required().only_where("kind", JSS).like("P-1000"),
        Key::new("user", Kind::Text { most: 128 }, "The user requests are made as. Required in `[upstream]`.").required().like("noc@partner.example"),
        Key::new("password_file", Kind::PasswordFile, "The file with that user's password, readable by its owner only. Required in `[upstream]`, unless `certificate` is there.").required().like("support-system.password"),
        Key::new("certificate", Kind::Certificates, "The file of our own certificates (PEM), its own first, by which a partner knows us instead of by user and password. Of use with `kind = \"partner\"` only.").only_where("kind", PARTNER).like("acme.pem"),
        Key::new("key", Kind::Path, "The file of that certificate's key (PEM), readable by its owner only. Goes with `certificate`.").only_where("kind", PARTNER).like("acme.key"),
        Key::new("application_id", Kind::Header { most: 128 }, "The program's id at the support system, sent with every request. Of use with `kind = \"jss\"` only.").only_where("kind", JSS).or("linesman"),
        Key::new("requests_per_hour", Kind::Count { least: 1, most: 1_000_000 }, "How many requests an hour the support system bears; half of them may be made at once, the rest evenly over the hour. Of use with `kind = \"jss\"` only: a partner says itself how many it bears.").only_where("kind", JSS).or("300"),
        Key::new("intelligence_poll_s", Kind::Seconds { least: 0, most: 86_400 }, "How often it is asked for new intelligence messages, in seconds, give or take a tenth; 0: never.").or("3600"),
        Key::new("concurrency", Kind::Count { least: 1, most: 256 }, "How many requests are under way at a time.").or("4"),
        Key::new("timeout_s", Kind::Seconds { least: 1, most: 3600 }, "How long one request may take, in seconds.").or("30"),
        Key::new("source_address", Kind::Ip, "The address of this host that connections begin at. Not set, the system chooses.").like("192.0.2.10"),
        Key::new("proxy", Kind::ProxyUrl, "The HTTP proxy that it is reached through. Not set, it is reached directly: `HTTPS_PROXY` and the like in the environment have no effect.").like("http://proxy.example:3128"),
        Key::new("proxy_user", Kind::Text { most: 128 }, "The user that the proxy is used as. Not set, it lets anybody through.").like("linesman"),
        Key::new("proxy_password_file", Kind::PasswordFile, "The file with that user's password, readable by its owner only. Goes with `proxy_user`.").like("proxy.password"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jss;
    use crate::upstream::Way;

    #[test]
    fn the_defaults_are_those_of_the_types() {
        let default = |name: &str| SECTION.key(name).unwrap().default.unwrap();
        assert_eq!(default("requests_per_hour"), jss::Settings::REQUESTS_PER_HOUR.to_string());
        assert_eq!(default("intelligence_poll_s"), Way::INTELLIGENCE_POLL.as_secs().to_string());
        assert_eq!(default("concurrency"), Way::CONCURRENCY.to_string());
        assert_eq!(default("timeout_s"), Way::TIMEOUT.as_secs().to_string());
    }
}
