//! The message bundle (JMB): what it holds, its decoder, its encoder.
//!
//! Incoming bundles are read with tolerance: any namespace, unknown elements, any order. What XML
//! 1.0 demands, what makes a bundle usable and what protects the reader ([`bounds`]) is held to.
//! Outgoing bundles follow `jmb.xsd` to the letter. Source: DOMAIN, "Bundles (JMB)".
//!
//! ```text
//! bytes -> decode (text, attributes, node) -> draft -> Bundle -> encode -> text
//!                                                        |
//!                              Part::content + bytes -> Content
//! ```

pub mod bounds;
pub mod corpus;

mod attributes;
mod content;
mod decode;
mod draft;
mod encode;
mod error;
mod fault;
mod field_text;
mod fields;
mod host_event_id;
mod inventory;
mod model;
mod node;
mod outline;
mod scan;
mod text;
mod time;
mod tokens;

pub use content::{Content, Element};
pub use decode::decode;
pub use encode::{Cdata, around, encode};
pub use error::Error;
pub use fault::{Bound, Fault, Flaw};
pub use host_event_id::HostEventId;
pub use inventory::{InventoryPart, PARTS_MOST, inventory};
pub use model::{
    Bundle, CoreFile, Device, Kind, Manifest, Part, Problem, Rma, RoutingEngine, Sample, ScriptParameter, Variant,
};
pub use outline::{Outline, outline};
