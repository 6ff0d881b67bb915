//! Makes the logs in `tests/fixtures/logs` anew: inputs as they come in IN, at times of their own choosing.
//!
//! ```text
//! system   every kind of input, and everything that decisions do with them
//! raised   from level 1 to level 2, and what level 2 knows
//! people   from level to level to 3, and what that knows
//! services from level to level to 4, and what that knows
//! activations from level to level to 5, and what that knows
//! cascade  from level to level to 6, and what that knows
//! uploads  from level to level to 7, and what that knows
//! snapshots from level to level to 8, and what that knows
//! settled from level to level to 9, and what that knows
//! approvals from level to level to 10: what needs approval
//! carried from level to level to 10, and what that knows
//! informed from level to level to 11, and what that knows
//! reached  from level to level to 12, and what that knows
//! gathered from level to level to 13, and what that knows
//! clocked  from level to level to 14, and what that knows
//! changed  from level to level to 15, and what that knows
//! confirmed from level to level to 16, and what that knows
//! mended   from level to level to 17, and what that knows
//! load     2,000 bundles of three organizations under twenty policies
//! ```
//!
//! The lanes decide along, so that reports name the reactions there are. What running systems recorded is made by
//! `linesman record` instead, in the same form.

mod activations;
mod approvals;
mod audit;
mod carried;
mod cascade;
mod changed;
mod clocked;
mod commands;
mod confirmed;
mod gathered;
mod informed;
mod listeners;
mod load;
mod mended;
mod people;
mod policies;
mod raised;
mod reached;
mod reports;
mod scribe;
mod services;
mod settled;
mod snapshots;
mod system;
mod uploads;

use std::path::Path;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let usage = "usage: record-logs DIR";
    let dir = std::env::args_os().nth(1).context(usage)?;
    let dir = Path::new(&dir);
    system::make(&dir.join("system"))?;
    load::make(&dir.join("load"))?;
    raised::make(&dir.join("raised"))?;
    people::make(&dir.join("people"))?;
    services::make(&dir.join("services"))?;
    activations::make(&dir.join("activations"))?;
    cascade::make(&dir.join("cascade"))?;
    uploads::make(&dir.join("uploads"))?;
    snapshots::make(&dir.join("snapshots"))?;
    settled::make(&dir.join("settled"))?;
    approvals::make(&dir.join("approvals"))?;
    carried::make(&dir.join("carried"))?;
    informed::make(&dir.join("informed"))?;
    reached::make(&dir.join("reached"))?;
    gathered::make(&dir.join("gathered"))?;
    clocked::make(&dir.join("clocked"))?;
    changed::make(&dir.join("changed"))?;
    confirmed::make(&dir.join("confirmed"))?;
    mended::make(&dir.join("mended"))
}
