//! What was taken out, in numbers.

/// What was taken out of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Addresses that were overwritten, or in undoing given back.
    pub addresses: u64,
    /// Secrets that were withheld.
    pub secrets: u64,
    /// Pieces of configuration that were withheld.
    pub configurations: u64,
    /// Members and documents that cannot be looked into and were withheld whole, by name; of the first
    /// [`Report::NAMED_MOST`] the names.
    pub withheld: Vec<String>,
    /// How many there were in all.
    pub withheld_in_all: u64,
}

impl Report {
    /// The most names that are kept.
    pub const NAMED_MOST: usize = 100;

    pub(crate) fn withhold(&mut self, name: &str) {
        self.withheld_in_all += 1;
        if self.withheld.len() < Self::NAMED_MOST {
            self.withheld.push(name.to_owned());
        }
    }
}
