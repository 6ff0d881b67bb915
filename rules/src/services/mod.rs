//! Services: templates that a provider writes, and that are rendered with the values of a place into the
//! configuration of a device.
//!
//! Everything here is pure: texts and values in, configuration or faults out.

mod definition;
mod template;

pub use definition::{Level, Misdefined, ServiceDefinition, read_globals};
pub use template::{Fault, TemplateValue, Templates};
