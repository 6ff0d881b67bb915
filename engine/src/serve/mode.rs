//! How the installation is connected, by the configuration and by the log: they are to be of one mind.

use linesman_domain::{position, sections};
use linesman_schemas::command::{RuleBook, SectionLoad, Verb};
use linesman_schemas::control::{InstallationSection, Section, SectionRef};
use linesman_schemas::{Mode, Principal};

use super::Error;
use super::setup::Setup;
use crate::config::Config;
use crate::log::books::{self, Books};

/// The engine level from which on a log knows it.
const FROM: u32 = 6;

/// What the configuration says of it.
pub(super) fn configured(config: &Config) -> InstallationSection {
    let upstream = match (&config.connectors.upstream, config.mode) {
        (Some(upstream), _) => upstream.kind(),
        (None, mode) => mode.upstream(),
    };
    InstallationSection { mode: config.mode, upstream }
}

/// Loads it into a log that is new. One that says nothing is of mode `partner`, below the support system.
///
/// # Errors
/// The log takes nothing.
pub(super) async fn begin(
    setup: &Setup,
    books: &Books,
    configured: InstallationSection,
) -> Result<Option<SectionRef>, Error> {
    if configured == InstallationSection::default() {
        return Ok(None);
    }
    load(setup, books, configured).await.map(Some)
}

/// Puts what it is as a section where lanes fetch it, and has lane 0 take it up.
async fn load(setup: &Setup, books: &Books, configured: InstallationSection) -> Result<SectionRef, Error> {
    let (section, hash) = (Section::Installation, put(books, configured).await?);
    let load = SectionLoad { section, hash: hash.clone(), loaded: None, expected: None, above: None };
    setup.ask_provider(Principal::Configuration, Verb::RuleBook(RuleBook::LoadSection(load))).await?;
    Ok(SectionRef { section, hash })
}

/// Puts what it is as a section where lanes fetch it; its hash.
///
/// # Errors
/// The server does not take it.
pub(super) async fn put(books: &Books, configured: InstallationSection) -> Result<String, Error> {
    let (hash, content) = books::pack(&configured)?;
    books.put(&hash, &content).await?;
    Ok(hash)
}

/// Holds the mode of the configuration against the log's, as the first lane has it applied. What the upstream is follows
/// the configuration.
///
/// # Errors
/// The mode is another, or the log cannot be asked.
pub(super) async fn check(setup: &Setup, books: &Books, configured: InstallationSection) -> Result<(), Error> {
    let lane = setup.store.lane(0)?;
    let logged = match sections::read(&lane)?.section(Section::Installation) {
        Some(section) => books.fetch::<InstallationSection>(&section.hash).await?,
        None => InstallationSection::default(),
    };
    if logged.mode != configured.mode {
        let (logged, configured): (Mode, Mode) = (logged.mode, configured.mode);
        return Err(Error::Mode { logged, configured });
    }
    if logged.upstream == configured.upstream {
        return Ok(());
    }
    let level = position::read(&lane)?.map_or(0, |position| position.level);
    if level < FROM {
        tracing::warn!(
            level,
            "cases go to the support system: `linesman level raise` first, a partner counts from level 6 on"
        );
        return Ok(());
    }
    load(setup, books, configured).await.map(drop)
}
