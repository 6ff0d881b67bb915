//! By what the engine cannot work, as it is told.

use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::Fault;

/// Something by which the engine cannot work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FaultTold {
    /// What is wrong, and what is to be done.
    what: String,
    /// For whoever sees everything: what exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
}

impl FaultTold {
    /// A fault as it is told to whoever sees everything, or to anybody.
    pub(super) fn of(fault: &Fault, is_whole: bool) -> Self {
        Self { what: fault.what.clone(), detail: fault.detail.clone().filter(|_| is_whole) }
    }
}
