//! What was substituted at one source.

use std::sync::Arc;

use linesman_schemas::Place;

use super::source::{Source, Where};
use super::substitution::Substitution;

/// The most substitutions that one source may have.
pub const SUBSTITUTIONS_MOST: usize = 256;

/// The substitutions of one source at one place. Their order means nothing.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Which source.
    pub source: Source,
    /// Where it stands; none for what is the same everywhere.
    pub place: Option<Place>,
    /// What was substituted.
    pub substitutions: Vec<Said>,
}

/// A substitution, and whose it is.
#[derive(Debug, Clone)]
pub struct Said {
    /// The substitution.
    pub substitution: Substitution,
    /// Who made it and when; none where nobody is on record, as in a scenario.
    pub told: Option<Told>,
}

/// Who made a substitution, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The principal, as the audit writes it.
    pub by: Arc<str>,
    /// The moment, in RFC 3339.
    pub at: Arc<str>,
}

impl Layer {
    /// The source at its place.
    pub const fn at(&self) -> Where<'_> {
        Where { source: self.source, place: self.place.as_ref() }
    }
}

impl From<Substitution> for Said {
    fn from(substitution: Substitution) -> Self {
        Self { substitution, told: None }
    }
}
