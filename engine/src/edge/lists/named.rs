//! What incidents tell of attachments and logs that their bundles only name.

use jiff::Timestamp;
use linesman_domain::table::Table;
use linesman_domain::uploads::fetched::{self, FileRow, FileState, Why};
use linesman_domain::uploads::{self, Held};
use linesman_schemas::IncidentId;
use linesman_schemas::collected::Missed;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Error, given};
use crate::edge::words;
use crate::store::Lane;

/// An attachment or a log that a bundle only names: it lies on the device, and is fetched from there.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NamedFile {
    /// Its name.
    name: String,
    /// Where it lies on the device, as the bundle says it.
    path: String,
    /// The device, by the name it was given.
    device: String,
    /// Whether it is a log.
    log: bool,
    /// Whether it is here: missing and tried again, given up, here, or here no more.
    state: words::NamedFileState,
    /// Since when it is missing: when its bundle came.
    since: Timestamp,
    /// When it was tried last.
    tried: Option<Timestamp>,
    /// Why it is missing.
    #[schema(schema_with = words::missed_or_none)]
    reason: Option<Missed>,
    /// Why, in words.
    detail: Option<String>,
    /// By which number it is a file of the incident's case.
    number: Option<u32>,
    /// How many bytes it has.
    size: Option<u64>,
    /// Their SHA-256.
    sha256: Option<String>,
}

impl NamedFile {
    /// Those of an incident, in the order in which its bundle names them.
    pub(super) fn all(lane: &Lane, incident: &IncidentId) -> Result<Vec<Self>, Error> {
        fetched::files(lane, incident).map(|found| Self::new(lane, incident, found?.1)).collect()
    }

    fn new(lane: &Lane, incident: &IncidentId, row: FileRow) -> Result<Self, Error> {
        let FileRow { device, name, path, is_log: log, named: since, tried, state } = row;
        let file = |state, why: Option<Why>| {
            let (reason, detail) = why.map_or((None, None), |why| (Some(why.reason), given(why.detail)));
            let (number, size, sha256) = (None, None, None);
            Self { name, path, device, log, state, since, tried, reason, detail, number, size, sha256 }
        };
        Ok(match state {
            FileState::Missed(why) => file(words::NamedFileState::Missing, Some(why)),
            FileState::GivenUp(why) => file(words::NamedFileState::GivenUp, Some(why)),
            FileState::Fetched { upload, sha256, size } => {
                let row = Table::read(lane, &uploads::key(incident, upload))?;
                let state = match row.is_some_and(|row| matches!(row.held, Held::Object(_))) {
                    true => words::NamedFileState::There,
                    false => words::NamedFileState::Released,
                };
                let sha256 = Some(hex::encode(sha256));
                Self { number: Some(upload), size: Some(size), sha256, ..file(state, None) }
            }
        })
    }
}
