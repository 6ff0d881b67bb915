//! What this node has loaded from its files, in its data directory: by it the node knows whether files have changed
//! since, and the server is given back what it has lost.
//!
//! ```text
//! D/rule-book.json           the whole rule book that was sent last at engine level 1
//! D/sections/<word>.json     the content of a section that is in the log, loaded by this node
//! D/sections/<word>.sent     the one that was sent behind it, whether it has arrived or not
//! ```

use std::path::{Path, PathBuf};

use linesman_schemas::control::{InstallationSection, PoliciesSection, Section, SettingsSection};
use linesman_schemas::directory::DirectorySection;
use linesman_schemas::service::ServicesSection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data_dir::private;
use crate::log::books;

/// The copies of a data directory. What cannot be written is logged: the log has it.
pub(super) struct Copies {
    whole: PathBuf,
    sections: PathBuf,
}

impl Copies {
    pub(super) fn new(whole: PathBuf, sections: PathBuf) -> Self {
        Self { whole, sections }
    }

    /// All contents there are, as they lie in the object store.
    pub(super) fn all(&self) -> Vec<Vec<u8>> {
        let sections = Section::OF_FILES.into_iter().flat_map(|section| [self.sent(section), self.confirmed(section)]);
        sections.chain([self.whole.clone()]).filter_map(|path| std::fs::read(path).ok()).collect()
    }

    /// The contents of a section that this node has sent, the latest first; of level 1 that of the whole rule book.
    pub(super) fn of(&self, section: Section) -> Vec<Vec<u8>> {
        let paths = [self.sent(section), self.confirmed(section)];
        let contents: Vec<_> = paths.into_iter().filter_map(|path| std::fs::read(path).ok()).collect();
        match contents.is_empty() {
            false => contents,
            true => self.of_whole(section).into_iter().collect(),
        }
    }

    fn of_whole(&self, section: Section) -> Option<Vec<u8>> {
        let whole = std::fs::read(&self.whole).ok()?;
        repacked(section, &whole).ok().map(|(_, content)| content)
    }

    /// Keeps a whole rule book that is sent.
    pub(super) fn keep_whole(&self, content: &[u8]) {
        keep(&self.whole, content);
    }

    /// Keeps what is sent.
    pub(super) fn send(&self, section: Section, content: &[u8]) {
        self.keep_section(&self.sent(section), content);
    }

    /// Keeps what the log has by now.
    pub(super) fn confirm(&self, section: Section, content: &[u8]) {
        self.keep_section(&self.confirmed(section), content);
        let sent = self.sent(section);
        if let Err(error) = private::remove(&sent) {
            tracing::warn!(path = %sent.display(), %error, "a copy that is not needed stays");
        }
    }

    fn keep_section(&self, path: &Path, content: &[u8]) {
        if let Err(error) = private::create_dir(&self.sections) {
            tracing::warn!(path = %self.sections.display(), %error, "no copies of the rule book are kept");
            return;
        }
        keep(path, content);
    }

    fn confirmed(&self, section: Section) -> PathBuf {
        self.sections.join(format!("{section}.json"))
    }

    fn sent(&self, section: Section) -> PathBuf {
        self.sections.join(format!("{section}.sent"))
    }
}

fn keep(path: &Path, content: &[u8]) {
    if std::fs::read(path).is_ok_and(|known| known == content) {
        return;
    }
    if let Err(error) = private::write(path, content) {
        tracing::warn!(path = %path.display(), %error, "no copy of the rule book is kept");
    }
}

/// A section's content as it is by itself, read from one that may have more: a whole rule book.
pub(super) fn repacked(section: Section, content: &[u8]) -> Result<(String, Vec<u8>), serde_json::Error> {
    fn pack<T: Serialize + DeserializeOwned>(content: &[u8]) -> Result<(String, Vec<u8>), serde_json::Error> {
        books::pack(&serde_json::from_slice::<T>(content)?)
    }
    match section {
        Section::Directory => pack::<DirectorySection>(content),
        Section::Installation => pack::<InstallationSection>(content),
        Section::Policies => pack::<PoliciesSection>(content),
        Section::Services => pack::<ServicesSection>(content),
        Section::Settings => pack::<SettingsSection>(content),
    }
}

#[cfg(test)]
mod tests {
    use linesman_schemas::control::RuleBook;

    use super::*;

    #[test]
    fn what_was_sent_is_kept_beside_what_the_log_has_until_that_is_it() {
        let dir = tempfile::tempdir().unwrap();
        let copies = Copies::new(dir.path().join("rule-book.json"), dir.path().join("sections"));
        assert!(copies.all().is_empty());
        copies.confirm(Section::Policies, b"one");
        copies.send(Section::Policies, b"two");
        assert_eq!(copies.of(Section::Policies), [b"two", b"one"]);
        copies.confirm(Section::Policies, b"two");
        assert_eq!(copies.of(Section::Policies), [b"two"]);
        assert!(copies.of(Section::Settings).is_empty());
    }

    #[test]
    fn a_whole_rule_book_has_both_sections() {
        let dir = tempfile::tempdir().unwrap();
        let copies = Copies::new(dir.path().join("rule-book.json"), dir.path().join("sections"));
        let settings = linesman_schemas::control::Settings { case_poll_s: 7, ..Default::default() };
        let book = RuleBook { settings: settings.clone(), policies: Vec::new(), refused: Vec::new() };
        copies.keep_whole(&books::pack(&book).unwrap().1);
        let (_, settings) = books::pack(&SettingsSection { settings }).unwrap();
        let (_, policies) = books::pack(&PoliciesSection::default()).unwrap();
        assert_eq!(copies.of(Section::Settings), [settings]);
        assert_eq!(copies.of(Section::Policies), [policies]);
    }
}
