//! Services: templates that a provider writes, and that are rendered with the values of a place into the
//! configuration of a device.
//!
//! Everything here is pure: texts and values in, configuration or faults out.

mod check;
mod definition;
mod library;
mod places;
mod service;
mod template;
mod trial;

pub use check::{Checked, check, check_globals};
pub use definition::{Level, Misdefined, OnDrift, ServiceDefinition, read_globals};
pub use library::SERVICES;
pub use service::{DEFINITION_FILE, Service, ServiceFault};
pub use template::{Fault, TemplateValue, Templates, Values};
pub use trial::Trial;
