//! From engine level 2 on: what the files say of each section is loaded by a command, and the log decides.
//!
//! A node loads its files when they have changed since it did so last. What another node, or anybody, has loaded
//! since stays: that the files say something else is reported, and loading them is asked for (`linesman policy load`).

use linesman_domain::level;
use linesman_domain::sections::{self, SectionRow, SectionsRow};
use linesman_schemas::command::{RuleBook as RuleBookVerb, SectionLoad, Verb};
use linesman_schemas::control::{Control, InstallationSection, PoliciesSection, Section, SectionRef, SettingsSection};
use linesman_schemas::service::ServicesSection;
use linesman_schemas::{CommandId, Principal};
use serde::de::DeserializeOwned;

use super::copies::repacked;
use super::policies::{Brought, Changes, Made, Policies};
use super::services::Judged;
use super::{Error, copies::Copies, mode, services};
use crate::config::Config;
use crate::edge::FilesSaid;
use crate::log::books;
use crate::rules_dir::{Files, PolicyFile};

/// IMPORTANT: policies last, so that a log that has none yet begins with all of it as version 1.
const ORDER: [Section; 3] = [Section::Settings, Section::Services, Section::Policies];

/// What the files say of a section.
struct Said {
    hash: String,
    content: Vec<u8>,
    /// What that is, for the engine's own log.
    means: Means,
}

/// What the files say, read.
enum Means {
    Settings,
    Policies(PoliciesSection),
    Services(ServicesSection),
}

/// What is to be done about a section.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// The files are to be loaded.
    Load,
    /// The log has what the files say.
    Keep,
    /// The log has what others have loaded, and decides.
    Report,
}

/// `loaded` is what was last loaded into the log from files, `ours` what this node has loaded, `files` what its files
/// say; all by hash.
fn step(loaded: Option<&str>, ours: &[String], files: &str) -> Step {
    match loaded {
        None => Step::Load,
        Some(loaded) if loaded == files => Step::Keep,
        Some(loaded) if ours.iter().any(|ours| ours == loaded) => Step::Load,
        Some(_) => Step::Report,
    }
}

impl Policies {
    /// Loads all sections into a log that is new, and tells the lanes of the rule book: nobody hands it out yet.
    pub(super) async fn begin(&mut self, files: &Files, installation: InstallationSection) -> Result<(), Error> {
        self.books.has_come_to(level::NEWEST);
        self.log(&files.policies);
        let services = self.judge_services(&files.services, None).await?;
        self.log_services(&services.files);
        let mut named: Vec<_> = mode::begin(&self.setup, &self.books, installation).await?.into_iter().collect();
        for section in ORDER {
            if section == Section::Services && files.services.is_empty() {
                continue;
            }
            let said = self.say(section, &files.policies, &services, None).await?;
            named.push(SectionRef { section, hash: said.hash.clone() });
            self.load(section, said, &SectionsRow::default(), 1).await?;
        }
        named.sort();
        let control = Control::RuleBook(sections::reference(1, named));
        for lane in 0..self.setup.lanes {
            self.setup.publish(format!("p.{lane}.ctl"), &control).await?;
        }
        Ok(())
    }

    /// Loads what this node's files say and the log does not, as far as that is this node's to do: of the settings alone where
    /// the log keeps what it has of the rest (`keeps`).
    pub(super) async fn bring_sections(&mut self, files: &Files, keeps: bool) -> Result<Brought, Error> {
        self.check_loads()?;
        let row = self.composed()?;
        let (mut version, mut sequence, mut is_kept) = (row.version, 0, false);
        let mut differing = Vec::new();
        let takes_services = self.takes_services()?;
        let mut services = match takes_services {
            true => self.judge_services(&files.services, row.section(Section::Services)).await?,
            false => Judged::default(),
        };
        self.foresee(&mut services).await?;
        if takes_services {
            self.log_services(&services.files);
        }
        for section in ORDER {
            let known = row.section(section);
            if section == Section::Services && !(takes_services && (known.is_some() || !files.services.is_empty())) {
                continue;
            }
            let loaded = self.loaded(known).await?;
            let said = self.say(section, &files.policies, &services, known).await?;
            if let Means::Policies(said) = &said.means {
                self.show(&said.refused, files.policies.iter().filter(|file| !file.faults.is_empty()).count());
            }
            if let Means::Services(said) = &said.means {
                let refused = said.refused.as_slice().into();
                self.status.send_modify(|status| status.services = refused);
            }
            match step(loaded.as_deref(), &hashes(&self.copies, section), &said.hash) {
                Step::Keep => self.copies.confirm(section, &said.content),
                Step::Report => differing.push((section, loaded.unwrap_or_default(), said.hash)),
                Step::Load if keeps && section != Section::Settings => is_kept = true,
                Step::Load => {
                    version += 1;
                    sequence = self.load(section, said, &row, version).await?;
                }
            }
        }
        self.report(differing);
        if is_kept {
            self.refuse_nothing();
        }
        let sequences = if sequence == 0 { Vec::new() } else { vec![sequence] };
        Ok(Brought { made: Made::Sections(row, takes_services), sequences })
    }

    /// What a deliberate load of a section would ask for. Its content is there for whoever is told of it, unless it is only
    /// looked at (`is_look`).
    pub(super) async fn prepare(&mut self, section: Section, is_look: bool, files: &Files) -> Result<FilesSaid, Error> {
        if section != Section::Settings && self.would_take_all(files).await? {
            return Err(Error::NothingThere);
        }
        let row = self.composed()?;
        let known = row.section(section);
        let services = match section {
            Section::Services => self.judge_services(&files.services, known).await?,
            _ => Judged::default(),
        };
        let Said { hash, content, means } = self.say(section, &files.policies, &services, known).await?;
        if !is_look {
            self.books.put(&hash, &content).await?;
            self.copies.send(section, &content);
        }
        let services = if let Means::Services(services) = means { Some(services) } else { None };
        let load = SectionLoad { section, loaded: Some(hash.clone()), hash, expected: None, above: None };
        let note = if section == Section::Settings { self.unread() } else { String::new() };
        Ok(FilesSaid { load, services, note })
    }

    /// What the configuration says otherwise than when this engine has read it.
    fn unread(&self) -> String {
        match Config::changed_settings(&self.sources, &self.settings) {
            Ok(changed) if changed.is_empty() => String::new(),
            Ok(changed) => format!(
                "these are the settings that this engine was started with; the configuration says otherwise by now of `{}`: \
                 restart the engine, and load them then",
                changed.join("`, `")
            ),
            Err(mistakes) => format!(
                "these are the settings that this engine was started with; the configuration has mistakes by now: {}",
                mistakes.to_string().trim().replace('\n', "; ")
            ),
        }
    }

    /// The rule book as the log has it composed.
    pub(super) fn composed(&self) -> Result<SectionsRow, Error> {
        Ok(sections::read(&self.setup.store.lane(0)?)?)
    }

    /// What was last loaded into the log from files. A rule book of before sections was made of files.
    async fn loaded(&self, known: Option<&SectionRow>) -> Result<Option<String>, Error> {
        match known {
            None => Ok(None),
            Some(SectionRow { loaded: Some(loaded), .. }) => Ok(Some(loaded.clone())),
            Some(SectionRow { section, hash, .. }) => {
                let (hash, _) = repacked(*section, &self.books.content(hash).await?)?;
                Ok(Some(hash))
            }
        }
    }

    async fn say(
        &self,
        section: Section,
        policies: &[PolicyFile],
        services: &Judged,
        known: Option<&SectionRow>,
    ) -> Result<Said, Error> {
        let means = match section {
            Section::Services => Means::Services(services.section()),
            Section::Policies => {
                let last = match policies.iter().any(|file| !file.faults.is_empty()) {
                    true => self.last_good::<PoliciesSection>(Section::Policies, known).await?,
                    false => None,
                };
                Means::Policies(self.compose(policies, last.as_ref()))
            }
            Section::Settings | Section::Directory | Section::Installation => Means::Settings,
        };
        let (hash, content) = match &means {
            Means::Settings => books::pack(&SettingsSection { settings: self.settings.clone() })?,
            Means::Policies(policies) => books::pack(policies)?,
            Means::Services(services) => books::pack(services)?,
        };
        Ok(Said { hash, content, means })
    }

    /// What a section had that was good last: what this node sent, or without any what was loaded.
    pub(super) async fn last_good<T: DeserializeOwned>(
        &self,
        section: Section,
        known: Option<&SectionRow>,
    ) -> Result<Option<T>, Error> {
        let ours = self.copies.of(section);
        if let Some(ours) = ours.first() {
            return Ok(Some(serde_json::from_slice(ours)?));
        }
        let Some(known) = known else { return Ok(None) };
        Ok(Some(self.books.fetch(known.loaded.as_ref().unwrap_or(&known.hash)).await?))
    }

    /// Asks for a section to be loaded that is expected as `row` has it; where that stands in IN.
    async fn load(&mut self, section: Section, said: Said, row: &SectionsRow, version: u64) -> Result<u64, Error> {
        let known = row.section(section);
        match said.means {
            Means::Settings => tracing::info!(section = %section, version, hash = said.hash, "settings enter the log"),
            Means::Policies(policies) => {
                let last = self.known(section, known).await;
                Changes::between(last.as_ref(), &policies).log(version, &said.hash, policies.policies.len());
            }
            Means::Services(services) => {
                let last = self.known(section, known).await;
                services::log_changes(last.as_ref(), &services, version, &said.hash);
            }
        }
        self.books.put(&said.hash, &said.content).await?;
        self.copies.send(section, &said.content);
        let load = SectionLoad {
            section,
            loaded: Some(said.hash.clone()),
            hash: said.hash,
            expected: known.map(|known| known.hash.clone()),
            above: None,
        };
        let verb = Verb::RuleBook(RuleBookVerb::LoadSection(load));
        let (id, sequence) = self.setup.ask_provider(Principal::Configuration, verb).await?;
        self.asked.push(id);
        Ok(sequence)
    }

    /// What the log has of a section, where it can be had: mostly it is what this node has loaded, and lies here.
    async fn known<T: DeserializeOwned>(&self, section: Section, known: Option<&SectionRow>) -> Option<T> {
        let hash = &known?.hash;
        let ours = self.copies.of(section).into_iter().find(|content| books::hash(content) == *hash);
        match ours {
            Some(content) => serde_json::from_slice(&content).ok(),
            None => self.books.fetch(hash).await.ok(),
        }
    }

    /// Tells of loads that were not done. One that somebody was quicker than is looked at anew.
    fn check_loads(&mut self) -> Result<(), Error> {
        for id in std::mem::take(&mut self.asked) {
            if let Some(detail) = self.setup.refusal_of_provider(&id)? {
                tracing::warn!(command = id.as_str(), detail, "a section was not loaded");
            }
        }
        Ok(())
    }

    /// Tells once that the files are not what others have loaded since.
    fn report(&mut self, differing: Vec<(Section, String, String)>) {
        for section in Section::OF_FILES {
            let differs = differing.iter().any(|(found, ..)| *found == section);
            metrics::gauge!("linesman_rule_book_differs", "section" => section.as_str())
                .set(f64::from(u8::from(differs)));
        }
        for found @ (section, loaded, files) in &differing {
            if !self.told.contains(found) {
                tracing::warn!(
                    section = %section,
                    loaded,
                    files,
                    "this node's files differ from what was loaded into the log since; the log decides, and \
                     `{}` loads the files of this node",
                    command(*section)
                );
            }
        }
        let sections = differing.iter().map(|(section, ..)| *section).collect();
        self.status.send_modify(|status| status.differing = sections);
        self.told = differing;
    }
}

/// What loads the files of a node.
const fn command(section: Section) -> &'static str {
    match section {
        Section::Services => "linesman service load",
        Section::Policies | Section::Settings | Section::Directory | Section::Installation => "linesman policy load",
    }
}

fn hashes(copies: &Copies, section: Section) -> Vec<String> {
    copies.of(section).iter().map(|content| books::hash(content)).collect()
}

/// A command that was sent.
pub(super) type Asked = CommandId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_loaded_by_whom_nobody_has_overtaken() {
        let ours = ["one".to_owned(), "two".to_owned()];
        assert_eq!(step(None, &[], "one"), Step::Load, "nothing ever was");
        assert_eq!(step(Some("two"), &ours, "three"), Step::Load, "changed since");
        assert_eq!(step(Some("one"), &ours, "three"), Step::Load, "what was sent behind it has not arrived");
        assert_eq!(step(Some("two"), &ours, "two"), Step::Keep);
        assert_eq!(step(Some("other"), &[], "other"), Step::Keep, "nothing is remembered, and all is the same");
        assert_eq!(step(Some("other"), &ours, "two"), Step::Report, "another has loaded his");
        assert_eq!(step(Some("other"), &ours, "three"), Step::Report, "and the files have changed too");
        assert_eq!(step(Some("other"), &[], "one"), Step::Report, "nothing is remembered");
    }
}
