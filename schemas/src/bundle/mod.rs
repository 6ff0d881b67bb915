//! The message bundle (JMB): what it holds, its decoder, its encoder.
//!
//! Incoming bundles are read with tolerance: any namespace, unknown elements, any order, old encodings,
//! bytes in attachments and logs that are no characters ([`Edition`]). What XML 1.0 demands of the
//! rest, what makes a bundle usable and what protects the reader ([`bounds`]) is held to. Outgoing
//! bundles follow `jmb.xsd` to the letter. Source: DOMAIN, "Bundles (JMB)".
//!
//! ```text
//! bytes -> encoding, damage -> decode (text, attributes, node) -> draft -> Bundle -> encode -> text
//!                                                        |
//!                              Part::content + bytes -> Content
//! ```

pub mod bounds;
pub mod corpus;

mod attributes;
mod content;
mod damage;
mod decode;
mod draft;
mod encode;
mod encoding;
mod error;
mod fault;
mod field_text;
mod fields;
mod host_event_id;
mod inventory;
mod model;
mod namespaces;
mod node;
mod outline;
mod owned;
mod readable;
mod scan;
mod text;
mod time;
mod tokens;

pub use content::{Content, Element};
pub use decode::{Edition, decode, decode_in};
pub use encode::{Cdata, around, encode};
pub use encoding::Encoding;
pub use error::Error;
pub use fault::{Bound, Fault, Flaw};
pub use host_event_id::HostEventId;
pub use inventory::{InventoryPart, PARTS_MOST, inventory};
pub use model::{
    Bundle, CoreFile, Device, Kind, Manifest, Part, Problem, Rma, RoutingEngine, Sample, ScriptParameter, Source,
    Variant,
};
pub use outline::{Outline, outline};
pub use readable::readable;
