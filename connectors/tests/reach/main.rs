//! Devices reached over SSH: let in or not, files, NETCONF; against the stand-in, and against OpenSSH and netconfd.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect, in its helpers too")]

mod configuration;
mod connect;
mod files;
mod pushed;
mod replies;
mod world;
