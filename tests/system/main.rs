//! Whole-system tests: one binary, one promise a file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else has failed")]

mod bundles;
mod crashes;
mod fencing;
mod flow;
mod panics;
mod sealing;
mod state;
mod upstream;
