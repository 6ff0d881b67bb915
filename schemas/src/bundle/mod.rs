//! The message bundle.
