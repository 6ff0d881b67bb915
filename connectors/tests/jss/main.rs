//! The client of the support system against the stand-in and against scripted answers, over real TLS.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it does not expect, in its helpers too"
)]

mod contract;
mod faults;
mod once;
mod polls;
mod scripted;
mod strange;
mod tls;
mod tokens;
mod uploads;
#[path = "../upstream/mod.rs"]
mod upstream;
mod withheld;
mod world;
