//! How the installation is connected, as the log has it.

use linesman_domain::sections;
use linesman_schemas::control::{InstallationSection, Section};

use super::sources::Sources;
use super::transport::problem::Problem;

/// What the log has, and by which hash; none where that was never said.
pub(super) async fn present(sources: &Sources) -> Result<(InstallationSection, Option<String>), Problem> {
    let Some(first) = sources.rows.first() else { return Ok(Default::default()) };
    let row = sections::read(first).map_err(|error| Problem::internal(&error))?;
    let Some(section) = row.section(Section::Installation) else { return Ok(Default::default()) };
    let content: InstallationSection = sources.books.fetch(&section.hash).await.map_err(away)?;
    Ok((content, Some(section.hash.clone())))
}

pub(super) fn away(error: crate::log::Error) -> Problem {
    tracing::warn!(%error, "the mode cannot be read from the log");
    Problem::busy("the log cannot be asked for the mode at the moment", 2)
}
