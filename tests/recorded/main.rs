//! What was decided once is decided so again: recorded logs at every level, and stores that earlier programs wrote.
//!
//! A test of `levels` that fails has seen inputs decided otherwise than before. If that is meant, it belongs behind a
//! new level (`engine/domain/src/level.rs`); `LINESMAN_BLESS=1` writes what the new one decides.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else has failed")]

mod covered;
mod levels;
mod log;
mod stores;
