//! The edge from outside.
