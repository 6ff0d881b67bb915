//! What goes out of an audit log: signed checkpoints, exports, and their verification without an engine.
//!
//! The logs themselves are rows, and grow by decisions: `linesman_domain::audit`.

pub mod checkpoint;
pub mod export;
pub mod key;
pub mod section;
#[cfg(test)]
mod tests;
pub mod verify;

use linesman_domain::Error;
use linesman_domain::audit::{Log, Owner};
use linesman_domain::state::Base;

pub use checkpoint::{Checkpoint, notes};
pub use key::{Signer, VerifierKey};

/// What signs for the logs of one engine.
pub struct Auditor {
    /// Its key.
    pub signer: Signer,
    /// Which engine: what its stream IN is known by.
    pub id: String,
}

impl Auditor {
    /// The name of a log in checkpoints.
    pub fn origin(&self, owner: &Owner) -> String {
        checkpoint::origin(&self.id, &owner.to_string())
    }

    /// How far a log has grown, and from which record on it has bodies.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn checkpoint(&self, owner: &Owner, log: &Log<'_, impl Base + ?Sized>) -> Result<Checkpoint, Error> {
        let (origin, head) = (self.origin(owner), log.head());
        Ok(Checkpoint { origin, size: head.size(), root: head.root(), bodies: Some(log.oldest()?) })
    }
}
