//! Scenarios and the services they are about, from files: for the commands that need no engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use linesman_rules::services::{self, SERVICES, Service, Trial};
use linesman_rules::values::{Acquisition, Definition, Ground, Layer, Report, Scenario, acquire};

use crate::rules_dir;

/// The largest scenario that is read, in bytes.
const BYTES_MOST: u64 = 1 << 20;

/// A scenario, and what it is about.
pub(super) struct Tried {
    /// The scenario.
    pub(super) scenario: Scenario,
    /// The service that it names; none where it has parameters of its own.
    pub(super) service: Option<Service>,
    globals: Definition,
}

impl Tried {
    /// Reads a scenario, and the service that it names from a rule directory: the one given, the one that the scenario
    /// lies in, or the stock services.
    ///
    /// # Errors
    /// A file cannot be read, the scenario is none, or the service is not there or has faults.
    pub(super) fn read(path: &Path, rules: Option<&Path>) -> anyhow::Result<Self> {
        let text = read(path)?;
        let scenario = Scenario::read(&text).with_context(|| format!("`{}` is no scenario", path.display()))?;
        let found = rules.map(Path::to_owned).or_else(|| directory_of(path));
        let globals = globals(found.as_deref())?;
        let service = match &scenario.service {
            None => None,
            Some(name) => Some(service(name, found.as_deref(), &globals)?),
        };
        Ok(Self { scenario, service, globals })
    }

    /// The same scenario about another service, where it names none, or the one it names.
    pub(super) fn about(mut self, name: &str, path: &Path, rules: Option<&Path>) -> anyhow::Result<Self> {
        match self.scenario.service.as_deref() {
            Some(known) if known == name => Ok(self),
            Some(known) => bail!("the scenario is about the service `{known}`, not about `{name}`"),
            None => {
                is_about_a_service(&self.scenario, name)?;
                let found = rules.map(Path::to_owned).or_else(|| directory_of(path));
                self.service = Some(service(name, found.as_deref(), &self.globals)?);
                Ok(self)
            }
        }
    }

    /// Evaluates it, as at an activation, and hands over what it comes to.
    pub(super) fn evaluate<T>(&self, then: impl FnOnce(&Acquisition<'_>) -> T) -> T {
        let layers: Vec<&Layer> = self.scenario.layers.iter().collect();
        let locals = match &self.service {
            Some(service) => &service.definition.parameters,
            None => &self.scenario.parameters,
        };
        let runtime = &self.scenario.runtime;
        then(&acquire(Ground { locals, globals: &self.globals, layers: &layers, runtime, has_other_services: false }))
    }

    /// What it comes to, for programs; its own faults first.
    pub(super) fn report(&self, acquisition: &Acquisition<'_>) -> Report {
        Report::of(acquisition).with(&self.scenario.faults)
    }
}

/// A service has parameters, and what a scenario brings would be of no consequence.
fn is_about_a_service(scenario: &Scenario, name: &str) -> anyhow::Result<()> {
    if scenario.parameters.parameters().is_empty() {
        return Ok(());
    }
    bail!(
        "the scenario has `[parameters]` of its own, and a service has those that it declares: say `service = \"{name}\"` instead"
    )
}

pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let length = std::fs::metadata(path).with_context(|| format!("`{}` cannot be read", path.display()))?.len();
    if length > BYTES_MOST {
        bail!("`{}` has {length} bytes, a scenario has at most {BYTES_MOST}", path.display());
    }
    std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))
}

/// The rule directory that a scenario lies in: it is `R/services/<name>/tests/<scenario>.toml`.
fn directory_of(path: &Path) -> Option<PathBuf> {
    let path = std::fs::canonicalize(path).ok()?;
    let services = path.ancestors().skip(1).find(|folder| folder.file_name().is_some_and(|name| name == "services"))?;
    services.parent().map(Path::to_owned)
}

/// The global parameters of a rule directory.
fn globals(rules: Option<&Path>) -> anyhow::Result<Definition> {
    let Some(dir) = rules else { return Ok(Definition::default()) };
    let files = rules_dir::read_all(dir)?;
    let Some(parameters) = files.services.parameters else { return Ok(Definition::default()) };
    let Some(text) = parameters.text else {
        bail!("`parameters.toml` cannot be used: {}", told(&parameters.faults));
    };
    services::read_globals(&text).map_err(|wrong| {
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        anyhow!("`parameters.toml` cannot be used: {}", wrong.join("; "))
    })
}

/// A service of a rule directory, or without one a stock service.
pub(super) fn service(name: &str, rules: Option<&Path>, globals: &Definition) -> anyhow::Result<Service> {
    let files = match rules {
        Some(dir) => {
            let folders = rules_dir::read_all(dir)?.services.folders;
            let folder =
                folders.into_iter().find(|folder| folder.name.as_ref().is_some_and(|known| known.as_str() == name));
            let folder = folder.with_context(|| format!("there is no service `{name}` in `{}`", dir.display()))?;
            match folder.source {
                Some(source) => source.files,
                None => bail!("the service `{name}` cannot be used: {}", told(&folder.faults)),
            }
        }
        None => stock(name).with_context(|| {
            format!("there is no stock service `{name}`; name the rule directory of others with --rules")
        })?,
    };
    Service::read(&files, globals).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
        anyhow!("the service `{name}` has faults:\n{}", faults.join("\n"))
    })
}

fn stock(name: &str) -> Option<BTreeMap<String, String>> {
    let (_, files) = SERVICES.iter().find(|(known, _)| *known == name)?;
    Some(files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect())
}

/// A service's trials in a rule directory.
pub(super) struct Trials {
    /// The service.
    pub(super) service: String,
    /// What became of each: the scenario, or why there is none, and what it came to.
    pub(super) tried: Vec<(PathBuf, anyhow::Result<Trial>)>,
}

/// Tries the scenarios of one service of a rule directory, or of all of them.
///
/// # Errors
/// The directory cannot be read, or has no such service.
pub(super) fn try_all(dir: &Path, wanted: Option<&str>) -> anyhow::Result<Vec<Trials>> {
    let globals = globals(Some(dir))?;
    let folders = rules_dir::read_all(dir)?.services.folders;
    let names = folders.iter().filter_map(|folder| folder.name.as_ref()).map(|name| name.as_str());
    let names: Vec<&str> = names.filter(|name| wanted.is_none_or(|wanted| wanted == *name)).collect();
    if let Some(wanted) = wanted.filter(|_| names.is_empty()) {
        bail!("there is no service `{wanted}` in `{}`", dir.display());
    }
    let mut all = Vec::new();
    for name in names {
        let service = service(name, Some(dir), &globals)?;
        let folder = dir.join("services").join(name).join("tests");
        let mut tried = Vec::new();
        for path in scenarios(&folder)? {
            let trial = try_one(&service, name, &globals, &path);
            tried.push((path, trial));
        }
        all.push(Trials { service: name.to_owned(), tried });
    }
    Ok(all)
}

fn try_one(service: &Service, name: &str, globals: &Definition, path: &Path) -> anyhow::Result<Trial> {
    let scenario = Scenario::read(&read(path)?)?;
    if let Some(other) = scenario.service.as_deref().filter(|other| *other != name) {
        bail!("the scenario is about the service `{other}`");
    }
    is_about_a_service(&scenario, name)?;
    let golden = path.with_extension("conf");
    let golden = if golden.exists() { Some(read(&golden)?) } else { None };
    Ok(service.try_out(globals, &scenario, golden.as_deref()))
}

/// The scenarios of a folder, by name; none where there is no such folder.
pub(super) fn scenarios(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("`{}` cannot be read", folder.display())),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("`{}` cannot be read", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn told(faults: &[rules_dir::services::FileFault]) -> String {
    let faults = faults.iter().map(|found| {
        let fault = &found.fault;
        format!("{}:{}:{}: {}", found.within, fault.line, fault.column, fault.message)
    });
    faults.collect::<Vec<_>>().join("; ")
}
