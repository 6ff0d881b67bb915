//! What `linesman check` finds in services, the parameters of all, and the scenarios beside services.

use std::path::{Path, PathBuf};

use linesman_rules::values::Scenario;
use linesman_rules::{Code, Diagnostic};
use linesman_schemas::service::ServicesSection;

use super::{Failure, Severity};
use crate::cli::scenario;
use crate::rules_dir::services::{FileFault, ServiceFiles, ServiceFolder, judge};

/// What was found in a file.
pub(super) struct Found {
    /// Where it lies.
    pub(super) file: PathBuf,
    pub(super) severity: Severity,
    pub(super) fault: Diagnostic,
    /// The file's text; empty where it cannot be read.
    pub(super) source: String,
}

/// Checks the services of a rule directory as the engine does before it loads them, and the form of their scenarios.
///
/// # Errors
/// The folder of a service's scenarios cannot be read.
pub(super) fn find(dir: &Path, files: ServiceFiles) -> Result<Vec<Found>, Failure> {
    let files = judge(files, &ServicesSection::default());
    let mut found = Vec::new();
    if let Some(file) = &files.parameters {
        let source = file.text.as_deref().unwrap_or_default();
        found.extend(file.faults.iter().map(|fault| one(dir, fault, Severity::Error, source)));
    }
    for folder in &files.folders {
        for (severity, faults) in [(Severity::Error, &folder.faults), (Severity::Warning, &folder.warnings)] {
            found.extend(faults.iter().map(|fault| one(dir, fault, severity, text_of(folder, fault))));
        }
        for path in scenario::scenarios(&dir.join(&folder.within).join("tests"))? {
            found.extend(of_scenario(path, folder));
        }
    }
    Ok(found)
}

fn one(dir: &Path, FileFault { within, fault }: &FileFault, severity: Severity, source: &str) -> Found {
    Found { file: dir.join(within), severity, fault: fault.clone(), source: source.to_owned() }
}

/// The text of the file of a service that a fault lies in.
fn text_of<'a>(folder: &'a ServiceFolder, FileFault { within, .. }: &FileFault) -> &'a str {
    let name = within.rsplit('/').next().unwrap_or_default();
    folder.source.as_ref().and_then(|source| source.files.get(name)).map_or("", String::as_str)
}

/// What is wrong with the form of a scenario. What it comes to is for `linesman service test`.
fn of_scenario(path: PathBuf, folder: &ServiceFolder) -> Option<Found> {
    let read = scenario::read(&path);
    let (source, fault) = match &read {
        Err(error) => ("", Diagnostic::of_file(Code::File, format!("{error:#}"), None)),
        Ok(text) => match Scenario::read(text) {
            Ok(scenario) => {
                let other =
                    scenario.service.filter(|other| folder.name.as_ref().is_some_and(|name| name.as_str() != other))?;
                let message = format!("the scenario is about the service `{other}`");
                let help = "it lies in the folder of another: let it name that one";
                (text.as_str(), Diagnostic::of_file(Code::Definition, message, Some(help)))
            }
            Err(wrong) => {
                let at = wrong.at.unwrap_or_default();
                (text.as_str(), Diagnostic::between(Code::Definition, text, at, wrong.message))
            }
        },
    };
    let source = source.to_owned();
    Some(Found { file: path, severity: Severity::Error, fault, source })
}
