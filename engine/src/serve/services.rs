//! Services: what their folders say, as the section of the rule book has it. One with a fault is refused as a policy is:
//! the service goes on as it was good last, and its faults are told once.

use std::collections::{BTreeMap, BTreeSet};

use linesman_domain::sections::SectionRow;
use linesman_domain::{position, services};
use linesman_rules::Code;
use linesman_schemas::control::Section;
use linesman_schemas::service::{RefusedService, ServicesSection};

use super::Error;
use super::policies::Policies;
use crate::rules_dir::services::{FileFault, ServiceFiles, judge};

/// How many refused services the section names, the first by name; the others are in the engine's log.
const REFUSED_MOST: usize = 200;

/// What was refused, each text once: path and hash.
pub(super) type Refused = BTreeSet<(String, String)>;

impl Policies {
    /// Whether the log takes services, as applied.
    pub(super) fn takes_services(&self) -> Result<bool, Error> {
        let position = position::read(&self.setup.store.lane(0)?)?;
        Ok(position.is_some_and(|position| position.level >= services::LEVEL))
    }

    /// What the files say, checked beside what was good last.
    pub(super) async fn judge_services(
        &self,
        files: &ServiceFiles,
        known: Option<&SectionRow>,
    ) -> Result<Judged, Error> {
        let last = match files.is_empty() && known.is_none() {
            true => None,
            false => self.last_good::<ServicesSection>(Section::Services, known).await?,
        };
        let (files, last) = (files.clone(), last.unwrap_or_default());
        // What services render is tried, and that takes its time.
        let judged = tokio::task::spawn_blocking(move || Judged { files: judge(files, &last), last }).await;
        judged.map_err(|error| Error::Broken(std::io::Error::other(error)))
    }

    /// Logs and counts each refused text once.
    pub(super) fn log_services(&mut self, files: &ServiceFiles) {
        let mut refused = Refused::new();
        for (path, hash, faults) in refused_files(files) {
            let text = (path.to_owned(), hash.to_owned());
            if !self.logged_services.contains(&text) {
                metrics::counter!("linesman_services_refused_total").increment(1);
                for FileFault { within, fault } in faults {
                    let place = format!("{within}:{}:{}", fault.line, fault.column);
                    let help = fault.help.as_deref();
                    tracing::error!(place, fault = fault.message, help, "a service is refused");
                }
            }
            refused.insert(text);
        }
        for (path, _) in self.logged_services.iter().filter(|(path, _)| !refused.iter().any(|(other, _)| other == path))
        {
            tracing::info!(path, "a service is refused no longer");
        }
        metrics::gauge!("linesman_refused_services").set(refused.len() as f64);
        self.logged_services = refused;
        self.log_hiding(files);
    }

    /// Tells once of each text of a service that it hides parameters of all.
    fn log_hiding(&mut self, files: &ServiceFiles) {
        let mut hiding = Refused::new();
        for folder in &files.folders {
            let hides = folder.warnings.iter().filter(|warning| warning.fault.code == Code::Hides);
            let mut hides = hides.peekable();
            if hides.peek().is_none() {
                continue;
            }
            let text = (folder.within.clone(), folder.hash.clone());
            if !self.hiding_services.contains(&text) {
                for FileFault { within, fault } in hides {
                    let place = format!("{within}:{}:{}", fault.line, fault.column);
                    let help = fault.help.as_deref();
                    tracing::warn!(place, warning = fault.message, help, "a service hides parameters of all");
                }
            }
            hiding.insert(text);
        }
        self.hiding_services = hiding;
    }
}

/// Services as the files have them, with all that is wrong with them.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) files: ServiceFiles,
    /// What was good last.
    last: ServicesSection,
}

impl Judged {
    /// What was good last.
    pub(super) const fn last(&self) -> &ServicesSection {
        &self.last
    }

    /// The section as the files have it; what is refused as it was good last.
    pub(super) fn section(&self) -> ServicesSection {
        compose(&self.files, self.last.clone())
    }
}

/// What is refused: where it lies, its hash, and what is wrong with it.
fn refused_files(files: &ServiceFiles) -> impl Iterator<Item = (&str, &str, &[FileFault])> {
    let folders = files.folders.iter().map(|folder| (folder.within.as_str(), folder.hash.as_str(), &*folder.faults));
    let parameters = files.parameters.iter().map(|file| ("parameters.toml", file.hash.as_str(), &*file.faults));
    folders.chain(parameters).filter(|(_, _, faults)| !faults.is_empty())
}

fn compose(files: &ServiceFiles, last: ServicesSection) -> ServicesSection {
    let ServicesSection { services, parameters, .. } = last;
    let mut last: BTreeMap<_, _> = services.into_iter().map(|source| (source.name.clone(), source)).collect();
    let mut section = ServicesSection::default();
    for folder in &files.folders {
        if folder.is_all {
            let fault = folder.faults.first().map(|fault| refused(fault, &folder.hash, !last.is_empty()));
            section.refused.extend(fault);
            section.services.extend(std::mem::take(&mut last).into_values());
            continue;
        }
        match (&folder.source, folder.faults.first()) {
            (Some(source), None) => section.services.push(source.clone()),
            (_, Some(fault)) => {
                let kept = folder.name.as_ref().and_then(|name| last.remove(name));
                section.refused.push(refused(fault, &folder.hash, kept.is_some()));
                section.services.extend(kept);
            }
            (None, None) => {}
        }
    }
    if let Some(file) = &files.parameters {
        section.parameters = match file.faults.first() {
            None => file.text.clone(),
            Some(fault) => {
                section.refused.push(refused(fault, &file.hash, parameters.is_some()));
                parameters
            }
        };
    }
    section.refused.truncate(REFUSED_MOST);
    section
}

fn refused(FileFault { within, fault }: &FileFault, hash: &str, stays: bool) -> RefusedService {
    RefusedService {
        path: within.clone(),
        hash: hash.to_owned(),
        line: fault.line,
        column: fault.column,
        message: fault.message.clone(),
        help: fault.help.clone(),
        stays,
    }
}

/// How one section of services differs from another, for the log.
pub(super) fn log_changes(last: Option<&ServicesSection>, section: &ServicesSection, version: u64, hash: &str) {
    let files = |section: &ServicesSection| -> BTreeMap<String, BTreeMap<String, String>> {
        section.services.iter().map(|source| (source.name.to_string(), source.files.clone())).collect()
    };
    let (last, now) = (last.map(files).unwrap_or_default(), files(section));
    let names = |names: Vec<&String>| names.into_iter().take(20).map(String::as_str).collect::<Vec<_>>().join(" ");
    let added = names(now.keys().filter(|name| !last.contains_key(*name)).collect());
    let changed = now.iter().filter(|(name, files)| last.get(*name).is_some_and(|known| known != *files));
    let changed = names(changed.map(|(name, _)| name).collect());
    let removed = names(last.keys().filter(|name| !now.contains_key(*name)).collect());
    tracing::info!(version, hash, services = now.len(), added, changed, removed, "services enter the log");
}

#[cfg(test)]
mod tests {
    use linesman_schemas::service::ServiceSource;

    use super::*;
    use crate::rules_dir;

    fn files(files: &[(&str, &str)]) -> ServiceFiles {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        rules_dir::read_all(dir.path()).unwrap().services
    }

    fn definitions(section: &ServicesSection) -> Vec<(&str, &str)> {
        section.services.iter().map(|source| (source.name.as_str(), source.definition())).collect()
    }

    #[test]
    fn what_is_refused_goes_on_as_it_was_good_last() {
        let good = [
            ("services/drain/service.toml", "title = \"drain\""),
            ("services/nat/service.toml", "title = \"nat\""),
            ("parameters.toml", "[rate]"),
        ];
        let last = compose(&files(&good), ServicesSection::default());
        assert_eq!(definitions(&last), [("drain", "title = \"drain\""), ("nat", "title = \"nat\"")]);
        assert_eq!((last.parameters.as_deref(), last.refused.len()), (Some("[rate]"), 0));
        let broken = [
            ("services/drain/service.toml", "title = \"new\""),
            ("services/nat/service.toml", "title = "),
            ("services/new/service.toml", "title = "),
            ("parameters.toml", "[rate"),
        ];
        let next = compose(&files(&broken), last);
        assert_eq!(definitions(&next), [("drain", "title = \"new\""), ("nat", "title = \"nat\"")]);
        assert_eq!(next.parameters.as_deref(), Some("[rate]"));
        let refused: Vec<_> = next.refused.iter().map(|refused| (refused.path.as_str(), refused.stays)).collect();
        let expected =
            [("services/nat/service.toml", true), ("services/new/service.toml", false), ("parameters.toml", true)];
        assert_eq!(refused, expected);
    }

    #[test]
    fn all_services_stay_where_their_folder_cannot_be_read() {
        let good = [("services/nat/service.toml", "title = \"nat\""), ("parameters.toml", "[rate]")];
        let last = compose(&files(&good), ServicesSection::default());
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("services", dir.path().join("services")).unwrap();
        std::fs::write(dir.path().join("parameters.toml"), "[rate]").unwrap();
        let next = compose(&rules_dir::read_all(dir.path()).unwrap().services, last.clone());
        assert_eq!((&next.services, &next.parameters), (&last.services, &last.parameters));
        let [refused] = &next.refused[..] else { panic!("{next:?}") };
        assert!(refused.path == "services" && refused.stays, "{refused:?}");
    }

    #[test]
    fn a_service_whose_folder_is_gone_is_no_more() {
        let source = ServiceSource { name: "nat".parse().unwrap(), files: BTreeMap::new() };
        let last = ServicesSection { services: vec![source], parameters: Some(String::new()), ..Default::default() };
        assert_eq!(compose(&files(&[]), last), ServicesSection::default());
    }
}
