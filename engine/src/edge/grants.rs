//! What was granted, as the applied rows have it: of an organization's managers those of its lane, of the provider's
//! people those of lane 0.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use linesman_domain as domain;
use linesman_domain::commands::managers::Refused;
use linesman_domain::commands::passwords::{self, Hold};
use linesman_domain::directory::{self, Directory};
use linesman_domain::managers::Known;
use linesman_domain::rights::{self, Asking, Effective, Reach, Ruling};
use linesman_domain::sections;
use linesman_schemas::control::Section;
use linesman_schemas::{Login, Place, Principal};

use super::transport::problem::Problem;
use super::viewer::Viewer;
use crate::log::books;
use crate::log::streams::lane_of;
use crate::store::Lane;

/// How often the directory is read before it is given up: it changes while it is read.
const READS_MOST: usize = 8;

/// Why it is not known what somebody may.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The state cannot be read.
    #[error("what was granted cannot be read")]
    State(#[from] domain::Error),
    /// The directory has no form.
    #[error("the provider's directory cannot be written")]
    Json(#[from] serde_json::Error),
    /// It was never the one that was composed.
    #[error("the provider's directory changes all the time")]
    Restless,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Restless => Self::busy(error.to_string(), 1),
            Error::State(_) | Error::Json(_) => Self::internal(&error),
        }
    }
}

/// What was granted.
pub(super) struct Grants {
    rows: Arc<[Lane]>,
    /// The directory that was read last, and the hash of its content.
    directory: Mutex<Option<(String, Arc<Directory>)>>,
}

impl Grants {
    pub(super) fn new(rows: Arc<[Lane]>) -> Self {
        Self { rows, directory: Mutex::default() }
    }

    /// As whom somebody asks: what they see is derived here, from what is granted now.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub(super) fn viewer(&self, principal: Principal) -> Result<Viewer, Error> {
        if principal == Principal::admin() {
            return Ok(Viewer::of_admin());
        }
        let held = Held { directory: self.directory()?, lane: self.lane(&principal).cloned() };
        let reach = held.reach(&principal)?;
        Ok(Viewer::new(principal, reach, held))
    }

    /// The provider's people and groups.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn directory(&self) -> Result<Arc<Directory>, Error> {
        let Some(lane) = self.rows.first() else { return Ok(Arc::default()) };
        for _ in 0..READS_MOST {
            let composed = sections::read(lane)?;
            let Some(composed) = composed.section(Section::Directory) else { return Ok(Arc::default()) };
            if let Some((hash, directory)) = &*self.known()
                && *hash == composed.hash
            {
                return Ok(Arc::clone(directory));
            }
            // IMPORTANT: rows are read one by one while others are applied. What was read is only taken for the
            // directory where it is what was composed.
            let section = directory::read(lane)?;
            if books::pack(&section)?.0 == composed.hash {
                let directory = Arc::new(Directory::of(section));
                *self.known() = Some((composed.hash.clone(), Arc::clone(&directory)));
                return Ok(directory);
            }
        }
        Err(Error::Restless)
    }

    /// Whether a principal may do something with how a manager comes in.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub(super) fn hold(&self, principal: &Principal, other: &Login) -> Result<Result<Hold, Refused>, Error> {
        let directory = self.directory()?;
        let known = self.lane(&Principal::of_login(other, None)).map(|lane| Known::new(&directory, lane));
        let Some(known) = known else { return Ok(Err(Refused::nobody(other))) };
        Ok(passwords::hold(&known, principal, other, Timestamp::now())?)
    }

    fn lane(&self, principal: &Principal) -> Option<&Lane> {
        let lanes = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let org = match principal {
            Principal::Manager { organization, .. } => Some(organization.as_str()),
            _ => None,
        };
        self.rows.get(org.map_or(0, |org| lane_of(org, lanes) as usize))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<(String, Arc<Directory>)>> {
        // Nothing under the lock panics.
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was granted at a moment, as far as one principal needs it.
#[derive(Clone, Default)]
pub(super) struct Held {
    directory: Arc<Directory>,
    lane: Option<Lane>,
}

impl Held {
    fn reach(&self, principal: &Principal) -> Result<Reach, domain::Error> {
        let Some(lane) = &self.lane else { return Ok(Reach::default()) };
        rights::reach(&Known::new(&self.directory, lane), principal, Timestamp::now())
    }

    /// What a principal may, all granters considered.
    pub(super) fn effective(&self, principal: &Principal) -> Result<Option<Effective>, domain::Error> {
        let Some(lane) = &self.lane else { return Ok(None) };
        rights::effective(&Known::new(&self.directory, lane), principal, Timestamp::now())
    }

    /// Whether a principal may ask for an operation on a place.
    pub(super) fn may(&self, principal: &Principal, operation: &str, place: &Place) -> Result<Ruling, domain::Error> {
        let Some(lane) = &self.lane else { return Ok(Ruling::Unseen) };
        let asking = Asking::new(principal, operation, place, Timestamp::now());
        rights::answer(&Known::new(&self.directory, lane), &asking)
    }
}

#[cfg(test)]
mod tests {
    use linesman_domain::sections::{SectionRow, SectionsRow};
    use linesman_domain::state::Writes;
    use linesman_domain::table;

    use super::*;
    use crate::store::Store;

    #[test]
    fn rows_that_are_not_what_was_composed_are_not_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let lane = Store::open(&dir.path().join("state")).unwrap().lane(0).unwrap();
        let grants = Grants::new(Arc::new([lane.clone()]));
        assert_eq!(*grants.directory().unwrap(), Directory::default());
        let compose = |hash: String| {
            let sections = vec![SectionRow { section: Section::Directory, hash, loaded: None }];
            let row = table::encode(&SectionsRow { version: 1, sections }).unwrap();
            lane.apply(&Writes { batch: 1, rows: vec![(sections::key().into_bytes(), Some(row))] }).unwrap();
        };
        compose("of others".to_owned());
        assert!(matches!(grants.directory(), Err(Error::Restless)));
        compose(books::pack(&directory::read(&lane).unwrap()).unwrap().0);
        let once = grants.directory().unwrap();
        assert!(Arc::ptr_eq(&once, &grants.directory().unwrap()), "it is read once");
    }
}
