//! Devices reached over SSH: let in or not, files, NETCONF; against the stand-in.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect, in its helpers too")]

mod configuration;
mod connect;
mod files;
mod replies;
mod world;
