//! The client of a partner's controller against scripted answers, over real TLS.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it does not expect, in its helpers too"
)]

mod certificates;
mod faults;
mod receiver;
mod registered;
mod said;
mod scripted;
mod tried;
mod uploads;
#[path = "../upstream/mod.rs"]
mod upstream;
