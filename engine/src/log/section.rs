//! The section `[nats]`: the server of the log, and the shape of the streams.

use std::path::PathBuf;

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape};

use super::Access;
use crate::config::{LONG_S, count, masked_url, seconds};
use crate::embedded;
use crate::log::consumers::Bounds;

/// Words of `nats.sync`.
const SYNC_ALWAYS: &str = "always";

/// What is told of the log's server.
#[rustfmt::skip]
pub static SECTION: Section = Section {
    name: "nats",
    shape: Shape::Always,
    doc: "The server of the log. Without `nats.url` the engine starts one of its own; what concerns that one has no effect on another.",
    keys: &[
        Key::new("url", Kind::NatsUrl, "A NATS server of your own, or the servers of a cluster behind commas: any of them will do. The first login counts for all: `user:password@`, or `token@`. Not set, an embedded one is started.").like("tls://engine:password@nats.example:4222"),
        Key::new("credentials", Kind::Path, "The file of credentials (`.creds`: a JWT and the seed of its key) by which servers of your own are entered. Counts over `nkey` and over what `url` says.").like("engine.creds"),
        Key::new("nkey", Kind::Path, "The file of the seed of an nkey by which servers of your own are entered. Counts over what `url` says.").like("engine.nk"),
        Key::new("ca", Kind::Certificates, "The file of the authorities (PEM) that are believed of servers of your own; no connection is then in the clear. Not set, the system's count.").like("nats-ca.pem"),
        Key::new("certificate", Kind::Certificates, "The file of the certificate (PEM) that servers of your own are shown, its own first.").like("engine.pem"),
        Key::new("key", Kind::Path, "The file of that certificate's key (PEM). Goes with `certificate`.").like("engine.key"),
        Key::new("tls_first", Kind::Flag, "Whether TLS begins before the server has said anything, as servers with `handshake_first` have it.").or("false"),
        Key::new("domain", Kind::OrgName, "The JetStream domain that has the log, where servers of your own reach it over leaf nodes. Not set, the JetStream of the server itself has it.").like("hub"),
        Key::new("port", count(1, 65_535), "The port of the embedded server on 127.0.0.1. Not set, a free one is taken.").like("4222"),
        Key::new("binary", Kind::Path, "The program of the embedded server. Not set, `nats-server` is looked for on the `PATH`.").like("/usr/bin/nats-server"),
        Key::new("sync", Kind::Words(&["every-second", SYNC_ALWAYS]), "When the embedded server has a stored message on disk: within a second, or (slow) before it is acknowledged.").or("every-second"),
        Key::new("max_payload_bytes", count(1024 * 1024, 64 * 1024 * 1024), "The largest message of the embedded server, in bytes.").or("8388608"),
        Key::new("memory_bytes", count(64 * 1024 * 1024, 1 << 40), "How much memory the embedded server may take before it gives back what it does not need (`GOMEMLIMIT`), in bytes. It is no hard bound: what it needs it takes.").or("1073741824"),
        Key::new("out_age_s", seconds(LONG_S), "How long the output stream keeps what it says, in seconds.").or("2592000"),
        Key::new("out_consumers_most", count(1, 100_000), "How many consumers of others the output stream keeps; above, the oldest go that nobody asks.").or("256"),
        Key::new("out_consumer_idle_s", seconds(LONG_S), "How long nobody may ask a consumer of the output stream before the server removes it, durable ones among them, in seconds. Counts when the stream is made.").or("604800"),
        Key::new("scrub_bytes_per_s", count(0, 1 << 40), "How many bytes a second of the streams and the state are read in the background, to find what is damaged on disk; a quarter of it while lanes have much to do, and at least 65,536. 0 turns it off.").or("4194304"),
        Key::new("replicas", count(1, 5), "How many replicas the streams have. More than 1 needs a cluster of your own.").or("1"),
    ],
};

/// The server of the log and the shape of the streams.
#[derive(Clone, PartialEq, Eq)]
pub struct Nats {
    /// A server of the operator's own, possibly with a password; none: the embedded one.
    pub url: Option<String>,
    /// How it is entered beside that.
    pub access: Access,
    /// The embedded server's port on 127.0.0.1; none: a free one.
    pub port: Option<u16>,
    /// The embedded server's program; none: looked for.
    pub binary: Option<PathBuf>,
    /// When the embedded server has a stored message on disk.
    pub sync: embedded::Sync,
    /// The embedded server's largest message.
    pub max_payload_bytes: usize,
    /// How much memory the embedded server may take before it gives back what it does not need.
    pub memory_bytes: u64,
    /// How long OUT keeps what it says.
    pub out_age_s: u64,
    /// What consumers of others OUT has.
    pub consumers: Bounds,
    /// How many bytes a second of the streams and the state are read in the background; 0 for none.
    pub scrub_bytes_per_s: u64,
    /// How many replicas the streams have.
    pub replicas: u32,
}

impl Nats {
    /// What a table of [`SECTION`] says; none where a key that is needed has no value.
    pub fn read(entry: &Entry) -> Option<Self> {
        let is_always = entry.text("sync")? == SYNC_ALWAYS;
        Some(Self {
            url: entry.text("url"),
            access: Access::read(entry)?,
            port: entry.number("port"),
            binary: entry.path("binary"),
            sync: if is_always { embedded::Sync::Always } else { embedded::Sync::EverySecond },
            max_payload_bytes: entry.number("max_payload_bytes")?,
            memory_bytes: entry.number("memory_bytes")?,
            out_age_s: entry.number("out_age_s")?,
            consumers: Bounds {
                most: entry.number("out_consumers_most")?,
                idle_s: entry.number("out_consumer_idle_s")?,
            },
            scrub_bytes_per_s: entry.number("scrub_bytes_per_s")?,
            replicas: entry.number("replicas")?,
        })
    }
}

impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nats")
            .field("url", &self.url.as_deref().map(masked_url))
            .field("access", &self.access)
            .field("port", &self.port)
            .field("binary", &self.binary)
            .field("sync", &self.sync)
            .field("max_payload_bytes", &self.max_payload_bytes)
            .field("memory_bytes", &self.memory_bytes)
            .field("out_age_s", &self.out_age_s)
            .field("consumers", &self.consumers)
            .field("scrub_bytes_per_s", &self.scrub_bytes_per_s)
            .field("replicas", &self.replicas)
            .finish()
    }
}
