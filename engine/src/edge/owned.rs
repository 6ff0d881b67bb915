//! Lines of configurations that are ours, as they are shown.

use linesman_schemas::device::DriftedLine;
use serde::Serialize;
use utoipa::ToSchema;

/// A line of a configuration.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DriftedLine)]
pub(super) struct OwnedLine {
    /// It, as one would `set` it, without secrets.
    pub(super) text: String,
    /// The template of the service that it is of, or that what stands around it is of; empty where none is known.
    pub(super) template: String,
}

impl From<&DriftedLine> for OwnedLine {
    fn from(line: &DriftedLine) -> Self {
        Self { text: line.text.clone(), template: line.template.clone() }
    }
}
