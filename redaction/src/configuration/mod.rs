//! Configuration in documents: what is some, so that it is withheld, and which features it uses.
//!
//! It is recognised as the output of a command that shows it, by the blocks and statements it is made of, as the
//! element or member `configuration` of XML and JSON, by the name of the file it stands in, and where a log tells of
//! changes to it. `cut` carries that through a document, `lines` judges a line, `features` lists what is used.
//!
//! What is deliberately not recognised: a single statement quoted in a sentence.

mod cut;
mod features;
mod lines;
mod shape;
mod source;
mod tags;
mod vocabulary;

pub(crate) use cut::Cut;
pub(crate) use features::Features;
pub(crate) use source::Source;
pub(crate) use vocabulary::{is_configuration_name, is_top};

/// What stands instead of a piece of configuration.
pub const WITHHELD: &str = "[configuration withheld]";
