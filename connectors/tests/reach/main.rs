//! Devices reached over SSH: let in or not, files, NETCONF; against the stand-in, which real clients judge,
//! and against real servers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect, in its helpers too")]

mod clients;
mod configuration;
mod connect;
mod files;
mod peers;
mod pushed;
mod replies;
mod scripts;
mod sshd;
mod world;
