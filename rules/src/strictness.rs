//! How strictly it is looked at what services render: engines decide recorded logs as these were decided.

/// How strictly it is looked at what services render.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Strictness {
    /// As the engine's levels 1 to 6 decided. Which statements take several values goes by their names alone, and
    /// templates compare whatever they are given.
    Early,
    /// Which statements take several values goes by where they stand, and a comparison of unlike values is refused.
    Full,
    /// Values become no words that a device takes for more than their letters, and what would not read back is refused: as
    /// the present documents say.
    #[default]
    Utmost,
}
