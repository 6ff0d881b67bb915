//! The machine: lanes, domain, store, log, dispatch, edge and the `linesman` command.
//!
//! `ARCHITECTURE.md` at the project's root is the map.

pub mod audit;
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod disk;
pub mod dispatch;
pub mod edge;
pub mod embedded;
pub mod failing;
mod harmless;
pub mod lane;
pub mod licence;
pub mod log;
pub mod logging;
pub mod metrics;
pub mod panics;
pub mod partner;
pub mod pin;
pub mod reach;
pub mod record;
pub mod rules_dir;
pub mod scrub;
pub mod seal;
pub mod serve;
pub mod sources;
pub mod store;

/// A message costs some sixty small allocations, and the system's allocator a fifth of all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
