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
#[path = "../../../tests/harness/sshd.rs"]
#[expect(unreachable_pub, reason = "the harness of the whole has it too")]
mod sshd;
#[path = "../../../tests/harness/wait.rs"]
#[expect(unreachable_pub, reason = "the harness of the whole has it too")]
mod wait;
mod world;
