//! Versions of services and texts of parameters as they are used: read once, kept while there is room.
//!
//! What is kept is what the rows say, so what is forgotten is only read again: it changes no decision.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use linesman_rules::services::{self, Service};
use linesman_rules::values::{Definition, Edition};
use linesman_schemas::ServiceName;

use super::Error;
use super::level::NEWEST;
use super::services::{parameters_key, version_key};
use super::state::Base;
use super::table::Table;

/// From which engine level on services say what is done about drift.
const DRIFT: u32 = 13;
/// How many versions are kept, read.
const KEPT_MOST: usize = 256;

/// The global parameters, read.
#[derive(Debug, Clone, Default)]
pub struct Globals {
    text: Option<Arc<str>>,
    /// What they declare; nothing where a declaration is wrong: loading has held the text against its form alone.
    pub definition: Arc<Definition>,
}

/// A version of a service, and the global parameters it was read with.
type Kept = (Globals, Arc<Service>);

/// See the module.
#[derive(Debug)]
pub struct Shelf {
    versions: Mutex<BTreeMap<(ServiceName, String), Kept>>,
    globals: Mutex<Globals>,
    /// At which level it is decided; where nobody says, at the newest.
    level: AtomicU32,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { versions: Mutex::default(), globals: Mutex::default(), level: AtomicU32::new(NEWEST) }
    }
}

impl Shelf {
    /// At which level it is decided from here on.
    pub(crate) fn decides_at(&self, level: u32) {
        self.level.store(level, Ordering::Relaxed);
    }

    /// Whether places tell `interface_networks`: from level 5 on.
    pub(crate) fn knows_networks(&self) -> bool {
        self.is_at(5)
    }

    /// By which edition of the rules values are acquired: by the second from level 7 on, by the third from 9 on, by the
    /// fourth from 10 on.
    pub(crate) fn edition(&self) -> Edition {
        if self.is_at(10) {
            Edition::Fourth
        } else if self.is_at(9) {
            Edition::Third
        } else if self.is_at(7) {
            Edition::Second
        } else {
            Edition::First
        }
    }

    /// Whether it is decided at a level, or at a later one.
    pub(crate) fn is_at(&self, level: u32) -> bool {
        self.level.load(Ordering::Relaxed) >= level
    }

    /// The global parameters of a state.
    ///
    /// # Errors
    /// The base cannot be read, or the row.
    pub fn globals(&self, base: &(impl Base + ?Sized)) -> Result<Globals, Error> {
        let text = Table::read(base, &parameters_key())?.map(|row| row.text);
        let mut known = self.globals.lock().unwrap_or_else(PoisonError::into_inner);
        if known.text.as_deref() != text.as_deref() {
            let definition = text.as_deref().and_then(|text| services::read_globals(text).ok()).unwrap_or_default();
            *known = Globals { text: text.map(Arc::from), definition: Arc::new(definition) };
        }
        Ok(known.clone())
    }

    /// A version of a service; none where the state has none of it, or it cannot be used.
    ///
    /// # Errors
    /// The base cannot be read, or the row.
    pub fn service(
        &self,
        base: &(impl Base + ?Sized),
        name: &ServiceName,
        version: &str,
        globals: &Globals,
    ) -> Result<Option<Arc<Service>>, Error> {
        let key = (name.clone(), version.to_owned());
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, service)) = versions.get(&key)
            && known.text == globals.text
        {
            return Ok(Some(Arc::clone(service)).filter(|service| self.reads(service)));
        }
        let Some(row) = Table::read(base, &version_key(name, version))? else { return Ok(None) };
        let Ok(service) = Service::read(&row.files, &globals.definition) else { return Ok(None) };
        if versions.len() >= KEPT_MOST {
            versions.pop_first();
        }
        let service = Arc::new(service);
        versions.insert(key, (globals.clone(), Arc::clone(&service)));
        Ok(Some(service).filter(|service| self.reads(service)))
    }

    /// Whether a definition says nothing that came with a later level: below it, it could not be read.
    fn reads(&self, service: &Service) -> bool {
        service.definition.drift.is_empty() || self.is_at(DRIFT)
    }
}
