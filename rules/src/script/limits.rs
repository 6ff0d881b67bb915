//! How much a script may use. Rhai's own defaults differ between debug and release builds, so every
//! limit is set.

/// The bounds of a script. Those of parsing are also those of [`crate::Policy::load`], by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Steps of one run. Texts, lists and maps that a step reads cost more steps by their size.
    pub operations: u64,
    /// Calls of script functions within each other.
    pub call_levels: usize,
    /// Expressions and blocks within each other.
    pub expression_depth: usize,
    /// Variables of one call at a time, parameters included.
    pub variables: usize,
    /// Functions of one script.
    pub functions: usize,
    /// Bytes of one text, or of all texts within one list or map.
    pub string_bytes: usize,
    /// Items of one list, with those of lists within.
    pub array_items: usize,
    /// Entries of one map, with those of maps within.
    pub map_entries: usize,
    /// Intents of one run.
    pub intents: usize,
    /// Bytes of all intents of one run together.
    pub intent_bytes: usize,
    /// Bytes of one source.
    pub source_bytes: usize,
    /// Compiled scripts that a judge keeps.
    pub cached_scripts: usize,
    /// Bytes of the sources of these together; their compiled forms take a multiple.
    pub cached_source_bytes: usize,
}

impl Default for Limits {
    /// Room for the largest field of a bundle (64 KiB) with some text around it, and for more steps
    /// than a sensible policy takes.
    fn default() -> Self {
        Self {
            operations: 50_000,
            call_levels: 16,
            expression_depth: 32,
            variables: 48,
            functions: 64,
            string_bytes: 128 * 1024,
            array_items: 1_024,
            map_entries: 256,
            intents: 64,
            intent_bytes: 64 * 1024,
            source_bytes: 32 * 1024,
            cached_scripts: 1_024,
            cached_source_bytes: 4 * 1024 * 1024,
        }
    }
}
