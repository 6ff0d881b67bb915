//! Why a decision could not be made.

/// A decision fails only for the machine's own reasons: what is wrong with an input, a script or a
/// reaction is part of the decision.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state cannot be read.
    #[error("the state cannot be read")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored row is not what this version writes.
    #[error("the stored row `{key}` cannot be read")]
    Row {
        /// The key, with unprintable bytes escaped.
        key: String,
        /// What is wrong with it.
        source: postcard::Error,
    },
    /// A row cannot be written.
    #[error("a row of the state cannot be written")]
    Encode(#[source] postcard::Error),
    /// A payload cannot be written.
    #[error("an event cannot be written")]
    Json(#[from] serde_json::Error),
}
