//! What can be found in a service before anybody subscribes to it: in its definition, in its templates, and in what they
//! render of values that its parameters take.
//!
//! A fault is what is certain. What works and may still surprise is a warning. Scenarios are not looked at here.

mod rendering;
mod samples;
mod sorts;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{ServiceDefinition, read_globals, repeated};
use super::places;
use super::service::{DEFINITION_FILE, Service, ServiceFault};
use crate::diagnostic::Code;
use crate::values::{Definition, Ground, Parameter, Runtime, acquire};

/// The file of the global parameters.
const GLOBALS_FILE: &str = "parameters.toml";

/// What was found, in the order of files and places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// What keeps it from being used.
    pub faults: Vec<ServiceFault>,
    /// What works, and may still surprise.
    pub warnings: Vec<ServiceFault>,
}

/// Checks a service, from the files of its folder by name, beside the global parameters.
pub fn check(files: &BTreeMap<String, String>, globals: &Definition) -> Checked {
    let text = files.get(DEFINITION_FILE).map_or("", String::as_str);
    let mut checked = match Service::read(files, globals) {
        Ok(service) => check_read(&service, files, globals),
        Err(faults) => {
            let mut checked = Checked { faults, warnings: Vec::new() };
            // The definition may have more to tell than that it can be read.
            if let Ok(definition) = ServiceDefinition::read(text) {
                checked.faults.extend(of_values(DEFINITION_FILE, text, &definition.parameters, globals));
            }
            checked
        }
    };
    checked.faults.extend(repeated(text).iter().map(|wrong| wrong.fault(DEFINITION_FILE, text)));
    checked.sort();
    checked
}

/// Checks `parameters.toml`, the global parameters.
pub fn check_globals(text: &str) -> Checked {
    let faults = match read_globals(text) {
        Ok(globals) => of_values(GLOBALS_FILE, text, &Definition::default(), &globals),
        Err(wrong) => wrong.iter().map(|wrong| wrong.fault(GLOBALS_FILE, text)).collect(),
    };
    let mut checked = Checked { faults, warnings: Vec::new() };
    checked.faults.extend(repeated(text).iter().map(|wrong| wrong.fault(GLOBALS_FILE, text)));
    checked.sort();
    checked
}

impl Checked {
    fn sort(&mut self) {
        for found in [&mut self.faults, &mut self.warnings] {
            let place = |fault: &ServiceFault| (fault.file.clone(), fault.line, fault.column);
            found.sort_by(|one, other| place(one).cmp(&place(other)).then_with(|| one.message.cmp(&other.message)));
            found.dedup();
        }
    }
}

/// What is wrong with parameters as they stand, before anybody gives anything: circles, defaults that are not what they
/// take, constraints that allow nothing. `text` declares the locals, or without any the globals.
fn of_values(file: &str, text: &str, locals: &Definition, globals: &Definition) -> Vec<ServiceFault> {
    let runtime = Runtime::default();
    let acquisition = acquire(Ground { locals, globals, layers: &[], runtime: &runtime, has_other_services: false });
    let is_ours = |name: &str| file == GLOBALS_FILE || locals.get(name).is_some();
    let faults = acquisition.faults().iter().filter(|fault| !fault.is_missing && is_ours(&fault.parameter));
    let told = faults.map(|fault| {
        let at = places::key(text, &["parameters", &fault.parameter]);
        let message = format!("parameter `{}`: {}", fault.parameter, fault.message);
        ServiceFault::between(file, text, at, Code::Definition, message, fault.help.clone())
    });
    told.collect()
}

/// What is wrong with global parameters because the service hides others that they refer to: nothing that the service
/// says for itself, and yet every value of it is at fault.
fn of_hidden(text: &str, locals: &Definition, globals: &Definition) -> Vec<ServiceFault> {
    let hiding: Vec<&str> = locals.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    let hiding: Vec<&str> = hiding.into_iter().filter(|name| globals.get(name).is_some()).collect();
    let Some(first) = hiding.first() else { return Vec::new() };
    let (runtime, none) = (Runtime::default(), Definition::default());
    let ground = |locals| Ground { locals, globals, layers: &[], runtime: &runtime, has_other_services: false };
    let alone = acquire(ground(&none));
    let beside = acquire(ground(locals));
    let faults = beside.faults().iter().filter(|fault| !fault.is_missing && locals.get(&fault.parameter).is_none());
    let fresh = faults.filter(|fault| !alone.faults().contains(fault));
    let told = fresh.map(|fault| {
        let named = hiding.iter().find(|name| fault.message.contains(&format!("`{name}`"))).unwrap_or(first);
        let message = format!(
            "`{named}` of the service hides a global parameter that others refer to: `{}`: {}",
            fault.parameter, fault.message
        );
        let help = format!("give `{named}` another name: the global parameters are used with every service");
        let at = places::key(text, &["parameters", named]);
        ServiceFault::between(DEFINITION_FILE, text, at, Code::Definition, message, Some(help))
    });
    told.collect()
}

fn check_read(service: &Service, files: &BTreeMap<String, String>, globals: &Definition) -> Checked {
    let text = files.get(DEFINITION_FILE).map_or("", String::as_str);
    let locals = &service.definition.parameters;
    let mut checked = Checked { faults: of_values(DEFINITION_FILE, text, locals, globals), warnings: Vec::new() };
    checked.faults.extend(of_hidden(text, locals, globals));
    let of_key = |name: &str, code, message: String, help: &str| {
        let at = places::key(text, &["parameters", name]);
        ServiceFault::between(DEFINITION_FILE, text, at, code, message, Some(help.to_owned()))
    };
    let is_broken = !checked.faults.is_empty();
    for parameter in locals.parameters() {
        let name = parameter.name.as_str();
        for other in referring(globals, name).filter(|other| !is_broken && locals.get(other).is_none()) {
            let message = format!(
                "`{other}` of {GLOBALS_FILE} refers to `{name}`: with this service that is its own, and not the global one"
            );
            let help = "give the service's another name, unless it is meant";
            checked.warnings.push(of_key(name, Code::Hides, message, help));
        }
        if globals.get(name).is_some() {
            let message = format!("`{name}` of the service hides the global parameter of its name");
            let help = "rename it, or leave it out to have the global one";
            checked.warnings.push(of_key(name, Code::Hides, message, help));
        }
        if !is_used(service, name) {
            let message = format!("nothing uses the parameter `{name}`");
            let help = "use it in a template, or leave it out: people would give it in vain";
            checked.warnings.push(of_key(name, Code::Unused, message, help));
        }
    }
    // What is wrong with the values themselves would be told again of each template.
    if !checked.faults.is_empty() {
        return checked;
    }
    let sorts = sorts::of_parameters(locals, globals);
    let flow = service.templates.flow(&sorts);
    let optional: BTreeSet<&str> = sorts::without_value(locals).collect();
    let unguarded = flow.unguarded.iter().filter(|(name, _)| optional.contains(name.as_str()));
    checked.warnings.extend(unguarded.map(|(_, fault)| ServiceFault::from(fault.clone())));
    checked.warnings.extend(flow.warnings.iter().cloned().map(ServiceFault::from));
    checked.faults.extend(flow.faults.iter().cloned().map(ServiceFault::from));
    checked.warnings.extend(service.templates.idle().into_iter().map(ServiceFault::from));
    let rendering::Found { faults, warnings } = rendering::found(service, globals, &flow);
    checked.faults.extend(faults);
    checked.warnings.extend(warnings);
    for (name, block) in rendering::matching_all(service, globals, &flow) {
        let message = format!("with an empty list of `{name}`, `{block}` has no condition, and matches all there is");
        let help = "leave out all of the term where the list is empty, or make the parameter `required`";
        // A global parameter stands in no file of the service.
        checked.warnings.push(match locals.get(&name) {
            Some(_) => of_key(&name, Code::Rendering, message, help),
            None => ServiceFault::of_file(DEFINITION_FILE, Code::Rendering, message, Some(help.to_owned())),
        });
    }
    checked
}

/// Whether a template or another parameter looks at a parameter.
fn is_used(service: &Service, name: &str) -> bool {
    service.templates.reads(name) || referring(&service.definition.parameters, name).next().is_some()
}

/// The other parameters of a definition that look at one of this name.
fn referring<'d>(definition: &'d Definition, name: &'d str) -> impl Iterator<Item = &'d str> {
    let others = definition.parameters().iter().filter(move |other| other.name.as_str() != name);
    let looks = move |other: &&Parameter| {
        let clauses = [&other.constraint, &other.substitution].into_iter().flatten();
        let mut expressions = other.default.iter().chain(clauses.filter_map(|clause| clause.expression()));
        expressions.any(|expression| expression.references().iter().any(|found| found.name.as_str() == name))
    };
    others.filter(looks).map(|other| other.name.as_str())
}
