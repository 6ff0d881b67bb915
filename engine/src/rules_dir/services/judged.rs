//! What services say, beyond their form: each is checked beside the parameters of all, and those beside the services
//! that stand.

use std::collections::BTreeMap;

use linesman_rules::services::{Checked, ServiceFault, check, check_globals, read_globals};
use linesman_rules::values::Definition;
use linesman_rules::{Code, Diagnostic};
use linesman_schemas::service::{ServiceSource, ServicesSection};
use sha2::{Digest, Sha256};

use super::{FileFault, PARAMETERS, ParametersFile, ServiceFiles, ServiceFolder};

/// How many services are named that parameters would break.
const NAMED_MOST: usize = 10;

/// Checks what was read. `last` is what was good last: parameters that a service of it needs are refused, or missed, for
/// the sake of that service.
pub fn judge(mut files: ServiceFiles, last: &ServicesSection) -> ServiceFiles {
    if let Some(file) = &mut files.parameters
        && let Some(text) = file.text.as_deref().filter(|_| file.faults.is_empty())
    {
        let checked = check_globals(text);
        file.faults.extend(checked.faults.iter().map(|fault| at(PARAMETERS, fault)));
    }
    let known = last.parameters.as_deref();
    let given = match &files.parameters {
        Some(file) if file.faults.is_empty() => file.text.as_deref(),
        Some(_) => known,
        None => None,
    };
    let (mut globals, before) = (definition(given), definition(known));
    if given != known {
        let broken = broken(&files.folders, last, &globals, &before);
        if !broken.is_empty() {
            refuse_parameters(&mut files.parameters, &broken);
            globals = before;
        }
    }
    for folder in &mut files.folders {
        let Some(source) = folder.source.as_ref().filter(|_| folder.faults.is_empty()) else { continue };
        let Checked { faults, warnings } = check(&source.files, &globals);
        let within = |fault: &ServiceFault| at(&format!("{}/{}", folder.within, fault.file), fault);
        let (faults, warnings) = (faults.iter().map(within).collect(), warnings.iter().map(within).collect());
        (folder.faults, folder.warnings) = (faults, warnings);
    }
    files
}

/// A service that stands and would break, and why.
struct Broken<'a> {
    name: &'a str,
    fault: ServiceFault,
}

/// The services that stand without fault beside the parameters before, and not beside these.
fn broken<'a>(
    folders: &'a [ServiceFolder],
    last: &'a ServicesSection,
    globals: &Definition,
    before: &Definition,
) -> Vec<Broken<'a>> {
    let standing: BTreeMap<&str, &ServiceSource> =
        last.services.iter().map(|source| (source.name.as_str(), source)).collect();
    let mut broken = Vec::new();
    for folder in folders {
        let Some(kept) = folder.name.as_ref().and_then(|name| standing.get(name.as_str()).copied()) else { continue };
        let new = folder.source.as_ref().filter(|_| folder.faults.is_empty());
        // What of the files is at fault by itself is refused, and what was there before goes on.
        let is_good = |source: &&ServiceSource| check(&source.files, before).faults.is_empty();
        for source in new.into_iter().chain([kept]) {
            let Some(fault) = check(&source.files, globals).faults.into_iter().next() else { break };
            if is_good(&source) {
                broken.push(Broken { name: kept.name.as_str(), fault });
                break;
            }
        }
    }
    broken
}

/// Refuses the parameters of all, or that they are gone, for the sake of services.
fn refuse_parameters(parameters: &mut Option<ParametersFile>, broken: &[Broken<'_>]) {
    let Some(first) = broken.first() else { return };
    let names: Vec<String> = broken.iter().take(NAMED_MOST).map(|one| format!("`{}`", one.name)).collect();
    let more = broken.len().saturating_sub(NAMED_MOST);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let ServiceFault { file, line, message, .. } = &first.fault;
    let what =
        if parameters.is_some() { "services would break by it" } else { "the file is gone, and services need it" };
    let message = format!("{what}: {}{more}; of `{}` {file}:{line}: {message}", names.join(", "), first.name);
    let fault = Diagnostic::of_file(Code::Refused, message, Some("change the services first, or together with it"));
    refuse(parameters, FileFault { within: PARAMETERS.to_owned(), fault });
}

fn refuse(parameters: &mut Option<ParametersFile>, fault: FileFault) {
    let gone = || ParametersFile { hash: hex::encode(Sha256::digest(b"")), text: None, faults: Vec::new() };
    parameters.get_or_insert_with(gone).faults.push(fault);
}

impl ServiceFiles {
    /// Refuses the parameters of all, or that they are gone, for the sake of what stands beside the files.
    pub fn refuse_parameters(&mut self, fault: FileFault) {
        refuse(&mut self.parameters, fault);
    }
}

/// Parameters as a text declares them; none where it is none or wrong, which its own check tells.
fn definition(text: Option<&str>) -> Definition {
    text.and_then(|text| read_globals(text).ok()).unwrap_or_default()
}

fn at(within: &str, fault: &ServiceFault) -> FileFault {
    FileFault { within: within.to_owned(), fault: Diagnostic::from(fault) }
}

#[cfg(test)]
mod tests;
