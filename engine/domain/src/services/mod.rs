//! The services of the rule book, and each version of them that a lane has taken up.
//!
//! ```text
//! N <service>            NewestRow: the version that is subscribed to, as long as the rule book has the service
//! S <service> <version>  VersionRow: the files of a version; subscriptions stay on theirs
//! Q                      ParametersRow: the parameters of all services
//! ```
//!
//! A version is what the files say: the same files, whenever they come, are the same version.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use linesman_schemas::ServiceName;
use linesman_schemas::service::{ServiceSource, ServicesSection};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Error;
use super::desk::Desk;
use super::shelf::Shelf;
use super::state::Base;
use super::table::{Key, Row, Table};

/// How many characters of its hash a version is known by.
const VERSION_LENGTH: usize = 12;
/// From which engine level on there are services.
pub const LEVEL: u32 = 4;

/// Which version of a service is the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewestRow {
    /// Its version.
    pub version: String,
}

/// A version of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRow {
    /// Its files, by name.
    pub files: BTreeMap<String, String>,
    /// When the lane took it up first.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub taken_up: Timestamp,
}

/// The parameters of all services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParametersRow {
    /// The text of `parameters.toml`.
    pub text: String,
    /// When the lane took it up.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub taken_up: Timestamp,
}

impl Row for NewestRow {}
impl Row for VersionRow {}
impl Row for ParametersRow {}

/// The table of newest versions, by service.
pub const NEWEST: Table<NewestRow> = Table::new(b'N');
/// The table of versions.
pub const VERSIONS: Table<VersionRow> = Table::new(b'S');
/// The table of the one text of parameters.
pub const PARAMETERS: Table<ParametersRow> = Table::new(b'Q');

/// The key of a service's newest version.
pub fn newest_key(service: &ServiceName) -> Key<NewestRow> {
    NEWEST.key(&[], service.as_str().as_bytes())
}

/// The key of a version of a service.
pub fn version_key(service: &ServiceName, version: &str) -> Key<VersionRow> {
    VERSIONS.key(&[service.as_str()], version.as_bytes())
}

/// The key of the parameters of all services.
pub fn parameters_key() -> Key<ParametersRow> {
    PARAMETERS.key(&[], &[])
}

/// The services that may be subscribed to and their newest versions, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<(ServiceName, NewestRow), Error>> {
    NEWEST
        .rows(base, &[])
        .filter_map(|row| row.map(|(own, row)| Some((std::str::from_utf8(&own).ok()?.parse().ok()?, row))).transpose())
}

/// The versions of a service that a lane has taken up, and when.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn versions<'a, B: Base + ?Sized>(
    base: &'a B,
    service: &ServiceName,
) -> impl Iterator<Item = Result<(String, VersionRow), Error>> + use<'a, B> {
    let rows = VERSIONS.rows(base, &[service.as_str()]);
    rows.map(|row| row.map(|(own, row)| (String::from_utf8_lossy(&own).into_owned(), row)))
}

/// By what a service's files are known: the first twelve hexadecimal digits of SHA-256 over their names and texts, each
/// behind its length.
pub fn version(service: &ServiceSource) -> String {
    let mut hasher = Sha256::new();
    for text in service.files.iter().flat_map(|(name, text)| [name, text]) {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    let mut version: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    version.truncate(VERSION_LENGTH);
    version
}

/// The services of a rule book, ready to be taken up.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    services: BTreeMap<ServiceName, Offer>,
    parameters: Option<String>,
}

/// A service as the rule book has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its version.
    pub version: String,
    /// Its files, by name.
    pub files: BTreeMap<String, String>,
}

impl Catalog {
    /// The services that a section tells of. What is beyond its bounds is left out alike by every lane: whoever made the
    /// section has held them against the same.
    pub fn of(section: ServicesSection) -> Self {
        let offer = |source: ServiceSource| {
            let version = version(&source);
            (source.name, Offer { version, files: source.files })
        };
        let services = section.services.into_iter().filter(|source| source.check().is_ok());
        Self { services: services.map(offer).collect(), parameters: section.parameters }
    }

    /// Those that a lane has taken up, by its rows.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub fn read(base: &(impl Base + ?Sized)) -> Result<Self, Error> {
        let mut services = BTreeMap::new();
        for row in all(base) {
            let (name, NewestRow { version }) = row?;
            let Some(row) = Table::read(base, &version_key(&name, &version))? else { continue };
            services.insert(name, Offer { version, files: row.files });
        }
        Ok(Self { services, parameters: Table::read(base, &parameters_key())?.map(|row| row.text) })
    }

    /// A service.
    pub fn service(&self, name: &ServiceName) -> Option<&Offer> {
        self.services.get(name)
    }

    /// All services, by name.
    pub fn services(&self) -> impl Iterator<Item = (&ServiceName, &Offer)> {
        self.services.iter()
    }

    /// The text of the parameters of all services.
    pub fn parameters(&self) -> Option<&str> {
        self.parameters.as_deref()
    }
}

/// The services that a lane knows.
pub(crate) struct Services {
    catalog: Arc<Catalog>,
    shelf: Shelf,
}

impl Services {
    /// Those of the rule book that was taken up last, if any was.
    pub(crate) fn new(catalog: Option<Arc<Catalog>>) -> Self {
        Self { catalog: catalog.unwrap_or_default(), shelf: Shelf::default() }
    }

    /// Those of the rule book.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog)
    }

    /// Versions as they are used.
    pub(crate) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The services that may be subscribed to, by name.
    pub(crate) fn offers(&self) -> impl Iterator<Item = (&ServiceName, &Offer)> {
        self.catalog.services()
    }

    /// A service that may be subscribed to.
    pub(crate) fn find(&self, name: &ServiceName) -> Option<&Offer> {
        self.catalog.service(name)
    }

    /// The parameters of all services, as the rule book has them.
    pub(crate) fn parameters(&self) -> Option<String> {
        self.catalog.parameters().map(str::to_owned)
    }

    /// Knows the services of another rule book from here on.
    pub(crate) fn take_up(&mut self, desk: &mut Desk, catalog: &Arc<Catalog>) -> Result<(), Error> {
        self.catalog = Arc::clone(catalog);
        self.keep(desk)
    }

    /// Keeps what it knows in rows, as far as it is not there: a version stays as it was taken up first.
    pub(crate) fn keep(&self, desk: &mut Desk) -> Result<(), Error> {
        if !desk.is_at(LEVEL) {
            return Ok(());
        }
        let known = all(desk.state()).collect::<Result<BTreeMap<_, _>, _>>()?;
        for (name, offer) in self.catalog.services() {
            if known.get(name).is_some_and(|row| row.version == offer.version) {
                continue;
            }
            let key = version_key(name, &offer.version);
            if desk.bytes(&key)?.is_none() {
                desk.write(key, &VersionRow { files: offer.files.clone(), taken_up: desk.now })?;
            }
            desk.write(newest_key(name), &NewestRow { version: offer.version.clone() })?;
        }
        for name in known.keys().filter(|name| self.catalog.service(name).is_none()) {
            desk.remove(newest_key(name));
        }
        self.keep_parameters(desk)
    }

    fn keep_parameters(&self, desk: &mut Desk) -> Result<(), Error> {
        let known = desk.read(&parameters_key())?.map(|row| row.text);
        match self.catalog.parameters() {
            text if text == known.as_deref() => Ok(()),
            Some(text) => desk.write(parameters_key(), &ParametersRow { text: text.to_owned(), taken_up: desk.now }),
            None => {
                desk.remove(parameters_key());
                Ok(())
            }
        }
    }
}
