//! How the installation is connected, by the configuration and by the log: they are to be of one mind.

use linesman_domain::sections;
use linesman_schemas::command::{RuleBook, SectionLoad, Verb};
use linesman_schemas::control::{InstallationSection, Section, SectionRef};
use linesman_schemas::{Mode, Principal};

use super::Error;
use super::setup::Setup;
use crate::log::books::{self, Books};

/// Loads the mode into a log that is new. One that says nothing is of mode `partner`.
///
/// # Errors
/// The log takes nothing.
pub(super) async fn begin(setup: &Setup, books: &Books, mode: Mode) -> Result<Option<SectionRef>, Error> {
    if mode == Mode::default() {
        return Ok(None);
    }
    let hash = put(books, mode).await?;
    let section = Section::Installation;
    let load = SectionLoad { section, hash: hash.clone(), loaded: None, expected: None, above: None };
    setup.ask_provider(Principal::Configuration, Verb::RuleBook(RuleBook::LoadSection(load))).await?;
    Ok(Some(SectionRef { section, hash }))
}

/// Puts what a mode is as a section where lanes fetch it; its hash.
///
/// # Errors
/// The server does not take it.
pub(super) async fn put(books: &Books, mode: Mode) -> Result<String, Error> {
    let (hash, content) = books::pack(&InstallationSection { mode })?;
    books.put(&hash, &content).await?;
    Ok(hash)
}

/// Holds the mode of the configuration against the log's, as the first lane has it applied.
///
/// # Errors
/// It is another, or the log cannot be asked.
pub(super) async fn check(setup: &Setup, books: &Books, configured: Mode) -> Result<(), Error> {
    let row = sections::read(&setup.store.lane(0)?)?;
    let logged = match row.section(Section::Installation) {
        Some(section) => books.fetch::<InstallationSection>(&section.hash).await?.mode,
        None => Mode::default(),
    };
    if logged == configured { Ok(()) } else { Err(Error::Mode { logged, configured }) }
}
