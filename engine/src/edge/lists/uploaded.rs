//! What cases tell of the bytes that go upward with them.

use linesman_domain::uploads::{self, UploadRow};
use linesman_schemas::IncidentId;
use linesman_schemas::upload::UploadKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use crate::edge::words;
use crate::store::Lane;

/// Bytes that belong to a case.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Uploaded {
    /// What they are called here.
    name: String,
    /// What they are.
    #[schema(schema_with = words::upload_kind)]
    kind: UploadKind,
    /// How many they are.
    size: u64,
    /// Where they stand: here, on their way to the upstream, there, or given up.
    #[schema(schema_with = words::upload_state)]
    state: &'static str,
    /// How many have left, after filtering.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sent_size: Option<u64>,
}

impl Uploaded {
    /// Those of an incident's case, in the order they came.
    pub(super) fn all(lane: &Lane, incident: &IncidentId) -> Result<Vec<Self>, Error> {
        let rows = uploads::of_case(lane, incident).map(|found| found.map(|(_, row)| Self::new(row)));
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn new(row: UploadRow) -> Self {
        let sent_size = Some(row.sent_size).filter(|_| !row.sent_sha256.is_empty());
        Self { name: row.name, kind: row.kind, size: row.size, state: row.state.as_str(), sent_size }
    }
}
