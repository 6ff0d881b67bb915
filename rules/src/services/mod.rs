//! Services: what a provider offers, rendered with values into device configurations.

mod definition;

pub use definition::{Level, Misdefined, ServiceDefinition, read_globals};
