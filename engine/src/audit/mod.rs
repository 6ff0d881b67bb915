//! What goes out of an audit log: signed checkpoints, exports, and their verification without an engine.
//!
//! The logs themselves are rows, and grow by decisions: `linesman_domain::audit`.

pub mod checkpoint;
pub mod export;
pub mod key;
#[cfg(test)]
mod tests;
pub mod verify;

pub use checkpoint::Checkpoint;
pub use key::{Signer, VerifierKey};
