//! By which edition of the rules values are acquired.

/// An edition of the rules of acquisition. What was decided by one is decided by it again, so that a log comes to what
/// it came to; everything else is acquired by the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Edition {
    /// The one that engines of the levels 4 to 6 decide by.
    First,
    /// The one that engines of the levels 7 and 8 decide by.
    Second,
    /// The one that engines of the level 9 decide by.
    Third,
    /// The one that `docs/values.md` describes.
    #[default]
    Fourth,
}

impl Edition {
    /// Whether it is the second, or a later one.
    pub(super) fn is_second(self) -> bool {
        self >= Self::Second
    }

    /// Whether it is the third, or a later one.
    pub(super) fn is_third(self) -> bool {
        self >= Self::Third
    }
    /// Whether it is the fourth, or a later one.
    pub(super) fn is_fourth(self) -> bool {
        self >= Self::Fourth
    }
}
