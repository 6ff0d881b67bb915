//! How large a bundle and its pieces may be.
//!
//! The first six are DOMAIN's, "Bundles (JMB)"; the counts are this project's: generous for the
//! largest chassis, small enough that a hostile bundle costs little memory.

/// Nested elements, the root included.
pub const DEPTH: usize = 64;
/// Bytes between the manifest's tags.
pub const MANIFEST: usize = 256 * 1024;
/// Bytes of one field's text, references resolved, before trimming.
pub const FIELD: usize = 64 * 1024;
/// Bytes between the quotes of one attribute.
pub const ATTRIBUTE: usize = 8 * 1024;
/// Attributes of one element.
pub const ATTRIBUTES: usize = 64;
/// Bytes of a whole bundle.
pub const BUNDLE: usize = 64 * 1024 * 1024;

/// Attachments, and as many logs.
pub const PARTS: usize = 1024;
/// Samples of trend data.
pub const SAMPLES: usize = 16_384;
/// Routing engines.
pub const ROUTING_ENGINES: usize = 16;
/// Core files.
pub const CORE_FILES: usize = 256;
/// Part numbers of a device.
pub const PART_NUMBERS: usize = 1024;
/// Parameters of the scripts.
pub const SCRIPT_PARAMETERS: usize = 256;
