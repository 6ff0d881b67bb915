//! What would be wrong after a change that is refused, one by one: the words of the refusal name the first of it.

use linesman_schemas::Place;

/// Something that would be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where; none: where the change was asked for.
    pub place: Option<Place>,
    /// With which activation there, where it is of one.
    pub activation: Option<String>,
    /// What.
    pub detail: String,
    /// Whether it is that two would set the same differently, and not what a value is.
    pub is_conflict: bool,
}

impl Wrong {
    /// A value that would be illegal.
    pub(crate) fn value(place: Option<&Place>, detail: String) -> Self {
        Self { place: place.cloned(), activation: None, detail, is_conflict: false }
    }

    /// As a refusal names it.
    pub(crate) fn told(&self) -> String {
        match &self.place {
            Some(place) => format!("`{place}`: {}", self.detail),
            None => self.detail.clone(),
        }
    }
}
