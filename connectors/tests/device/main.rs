//! The stand-in devices: groups put and removed, over restarts, repetitions and faults.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect, in its helpers too")]

mod faults;
mod groups;
mod world;
