//! The section `[partner]`: where end customers' controllers come to, and what each may ask for.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape};

use crate::config::count;

/// What is told of the partner listener.
#[rustfmt::skip]
pub(crate) static SECTION: Section = Section {
    name: "partner",
    shape: Shape::Optional("end customers' controllers cannot come"),
    doc: "The partner listener, to which the controllers of end customers come. Without this section they cannot.",
    keys: &[
        Key::new("listen", Kind::HttpsAddress, "Where it listens, by HTTPS: without a port that is 443, which end customers expect. Port 0 takes a free one. Not set, at all addresses of the machine.").or("0.0.0.0:443").like("192.0.2.1:443"),
        Key::new("certificate", Kind::Certificates, "The file of its certificates (PEM), its own first. Not set, it has one of the engine's own authority for the address it listens on.").like("partner.pem"),
        Key::new("key", Kind::Path, "The file of that certificate's key (PEM), readable by its owner only. Goes with `certificate`.").like("partner.key"),
        Key::new("client_ca", Kind::Certificates, "The file of the authorities (PEM) whose certificates end customers' controllers may come by, each named by `certificate_subject` of its organization.").like("customers-ca.pem"),
        Key::new("client_crl", Kind::Path, "The file of what those authorities have revoked (PEM). With it a certificate of which it says nothing, or nothing any more, is not believed. Looked at again when it changes. Goes with `client_ca`.").like("customers-crl.pem"),
        Key::new("requests_per_second", count(1, 10_000), "How many requests a second it bears of an end customer.").or("20"),
        Key::new("burst", count(1, 10_000), "How many it bears at once after a pause.").or("40"),
        Key::new("reported_most_bytes", count(1 << 20, u32::MAX as u64), "The most bytes a day of what an end customer reports: of its cases and what it says of them. They are kept in the log for ever.").or("268435456"),
        Key::new("upload_most_bytes", count(1, 1 << 40), "The most bytes of one upload of an end customer.").or("268435456"),
        Key::new("kept_most_bytes", count(1, 1 << 50), "The most bytes it keeps of what an end customer has uploaded.").or("10737418240"),
        Key::new("kept_most_count", count(1, 10_000_000), "How many uploads of cases and snapshots of devices it keeps of an end customer at most.").or("50000"),
    ],
};

/// What the partner listener is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A certificate of the operator's own; none: one of the engine's authority.
    pub identity: Option<Identity>,
    /// Who issues certificates of end customers; none: nobody.
    pub clients: Option<Clients>,
    /// How many requests a second an end customer has.
    pub requests_per_second: NonZeroU32,
    /// How many at once after a pause.
    pub burst: NonZeroU32,
    /// The most bytes a day of what an end customer reports.
    pub reported_most_bytes: NonZeroU32,
    /// How much may be uploaded.
    pub uploads: Uploads,
}

/// How much an end customer may upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploads {
    /// The most bytes of one upload.
    pub most_bytes: u64,
    /// The most bytes that are kept.
    pub kept_most_bytes: u64,
    /// How many uploads and snapshots are kept at most.
    pub kept_most_count: u64,
}

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Certificates, its own first.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// The files of whoever issues certificates of end customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// The authorities.
    pub authorities: PathBuf,
    /// What they have revoked.
    pub revocations: Option<PathBuf>,
}

/// The settings of a table of [`SECTION`]; none where a key that is needed has no value.
pub(crate) fn read(entry: &Entry) -> Option<Settings> {
    let identity = entry.path("certificate").zip(entry.path("key"));
    Some(Settings {
        listen: entry.address("listen")?,
        identity: identity.map(|(certificate, key)| Identity { certificate, key }),
        clients: entry
            .path("client_ca")
            .map(|authorities| Clients { authorities, revocations: entry.path("client_crl") }),
        requests_per_second: NonZeroU32::new(entry.number("requests_per_second")?)?,
        burst: NonZeroU32::new(entry.number("burst")?)?,
        reported_most_bytes: NonZeroU32::new(entry.number("reported_most_bytes")?)?,
        uploads: Uploads {
            most_bytes: entry.number("upload_most_bytes")?,
            kept_most_bytes: entry.number("kept_most_bytes")?,
            kept_most_count: entry.number("kept_most_count")?,
        },
    })
}
