//! What a service renders of values that its parameters take: whether it is configuration.
//!
//! The text that is read as configuration has marks in place of values, so that it is the same whatever the values are,
//! but for the branches that are taken. What is no configuration for one choice of values is none for all that take the
//! same branches. What else fails for a choice may be due to the values, and counts only where it always happens; so does a
//! leaf that the templates' own words set twice and differently. What none of the choices renders is told as a warning:
//! others may.

use std::collections::{BTreeMap, BTreeSet};

use super::samples::{self, given};
use crate::Strictness;
use crate::configuration::Configuration;
use crate::diagnostic::Code;
use crate::services::service::{DEFINITION_FILE, Service, ServiceFault};
use crate::services::template::{Fault, Flow};
use crate::values::{Acquisition, Definition, Ground, Layer, acquire};

/// The most choices of values that are tried.
const TRIED_MOST: usize = 400;
/// How many of them mix all values, where several conditions meet.
const MIXED: usize = 48;
/// The most faults that are told.
const FAULTS_MOST: usize = 5;
/// How often a template may do too much before nothing more is tried.
const ENDLESS_MOST: usize = 3;

/// What was found of a service's renderings.
#[derive(Default)]
pub(super) struct Found {
    /// What is no configuration, whatever the values are.
    pub(super) faults: Vec<ServiceFault>,
    /// What no choice of values that was tried renders.
    pub(super) warnings: Vec<ServiceFault>,
}

/// What became of the choices of values that were tried.
#[derive(Default)]
struct Tries {
    /// How many were tried that the parameters take.
    taken: usize,
    /// What of a value's own is wrong with one that they do not take.
    untaken: Option<String>,
    /// How many rendered, or may have with other values.
    rendered: usize,
    /// The files that rendered a statement.
    spoke: BTreeSet<String>,
    /// How many rendered all files.
    whole: usize,
    /// How often each file could be read, with those before it.
    read: BTreeMap<String, usize>,
    /// What a file's own words contradicted, and how often.
    contradicted: BTreeMap<(String, String), (ServiceFault, usize)>,
    /// Where it failed otherwise, and how often.
    failed: BTreeMap<(String, u32, u32), (ServiceFault, usize)>,
}

/// What of a service's renderings is no configuration, and what of it is never rendered.
pub(super) fn found(service: &Service, globals: &Definition, flow: &Flow) -> Found {
    let locals = &service.definition.parameters;
    let sampled = samples::of_parameters(locals, globals, &flow.literals, &flow.compared);
    let runtime = samples::runtime();
    let mixed = if flow.conditions > 1 { MIXED } else { 0 };
    let mut found: Vec<ServiceFault> = Vec::new();
    // What values may be the reason of, and how often.
    let mut always: BTreeMap<String, (ServiceFault, usize)> = BTreeMap::new();
    let mut tries = Tries::default();
    let mut endless = 0;
    let choices = given(&sampled, mixed, TRIED_MOST);
    for given in &choices {
        let layer = samples::layer(&sampled, given);
        let layers = [&layer];
        let ground = Ground { locals, globals, layers: &layers, runtime: &runtime, has_other_services: false };
        let acquisition = acquire(ground);
        if let Some(fault) = acquisition.faults().first() {
            tries.untaken.get_or_insert_with(|| format!("`{}`: {}", fault.parameter, fault.message));
            continue;
        }
        let Err(fault) = tries.render(service, &acquisition) else { continue };
        tries.compare(service, &acquisition);
        match fault.code {
            Code::Rendering => {
                let is_known = found.iter().any(|known| (&known.file, known.line) == (&fault.file, fault.line));
                if !is_known && found.len() < FAULTS_MOST {
                    found.push(fault);
                }
            }
            Code::Refused | Code::Limit | Code::WrongType => {
                endless += usize::from(fault.code == Code::Limit);
                always.entry(fault.message.clone()).or_insert((fault, 0)).1 += 1;
            }
            // A filter or a missing value: whoever gives other values may have none of it.
            _ => tries.rendered += 1,
        }
        if endless == ENDLESS_MOST {
            break;
        }
    }
    let contradicted = tries.contradicted(choices.len() == 1 || flow.conditions == 0);
    let is_certain = tries.rendered == 0 && found.is_empty() && contradicted.is_empty() && always.len() == 1;
    // Where nothing can be chosen, once is always.
    let is_told = |fault: &ServiceFault| {
        let is_it = |known: &Fault| (&known.file, known.line) == (&fault.file, fault.line);
        fault.code == Code::WrongType && flow.faults.iter().any(is_it)
    };
    let of_all = always
        .into_values()
        .filter(|(fault, times)| is_certain && (*times > 1 || choices.len() == 1) && !is_told(fault));
    found.extend(of_all.map(|(fault, _)| ServiceFault { code: Code::Rendering, ..fault }));
    found.extend(contradicted);
    let is_told = !found.is_empty() || !flow.faults.is_empty();
    let warnings = if is_told { Vec::new() } else { tries.never(service) };
    // Where nothing is looked at, nothing can be other than it was.
    match service.templates.reads_anything() {
        true => Found { faults: found, warnings },
        false => Found { faults: [found, warnings].concat(), warnings: Vec::new() },
    }
}

impl Tries {
    fn render(&mut self, service: &Service, values: &Acquisition<'_>) -> Result<(), ServiceFault> {
        self.taken += 1;
        let see = |file: &str, configuration: &Configuration| {
            if !configuration.is_empty() {
                self.spoke.insert(file.to_owned());
            }
        };
        match service.render_seen(values, Strictness::Utmost, see) {
            Ok(_) => {
                self.rendered += 1;
                self.whole += 1;
                Ok(())
            }
            Err(fault) => {
                let place = (fault.file.clone(), fault.line, fault.column);
                self.failed.entry(place).or_insert_with(|| (fault.clone(), 0)).1 += 1;
                Err(fault)
            }
        }
    }

    /// Looks at what files set twice in their own words.
    fn compare(&mut self, service: &Service, values: &Acquisition<'_>) {
        let read = &mut self.read;
        for fault in service.contradictions(values, |file| *read.entry(file.to_owned()).or_default() += 1) {
            let of = (fault.file.clone(), fault.message.clone());
            self.contradicted.entry(of).or_insert((fault, 0)).1 += 1;
        }
    }

    /// What files contradict whenever they can be read, whatever the values are; `is_all` says that once is always.
    fn contradicted(&self, is_all: bool) -> Vec<ServiceFault> {
        let is_certain = |file: &String, times: usize| {
            let read = self.read.get(file).copied().unwrap_or_default() + self.whole;
            times == read && (times > 1 || is_all)
        };
        let certain = self.contradicted.iter().filter(|((file, _), (_, times))| is_certain(file, *times));
        let certain = certain.map(|(_, (fault, _))| ServiceFault { code: Code::Rendering, ..fault.clone() });
        certain.take(FAULTS_MOST).collect()
    }

    /// What was rendered of no choice of values.
    fn never(&self, service: &Service) -> Vec<ServiceFault> {
        let warn = |file: &str, message: String, help: &str| {
            ServiceFault::of_file(file, Code::Rendering, message, Some(help.to_owned()))
        };
        if self.taken == 0 {
            let Some(untaken) = &self.untaken else { return Vec::new() };
            let message = format!("no values were found that all parameters take, so nothing was rendered: {untaken}");
            return vec![warn(DEFINITION_FILE, message, "look at what the constraints leave, and write a scenario")];
        }
        if self.whole == 0 {
            let Some((fault, _)) = self.failed.values().max_by_key(|(_, times)| *times) else { return Vec::new() };
            let message = format!("it failed with all values that were tried: {}", fault.message);
            return vec![ServiceFault { code: Code::Rendering, message, ..fault.clone() }];
        }
        let silent = service.templates.rendered().filter(|file| !self.spoke.contains(*file));
        silent
            .map(|file| {
                let help = "look at its conditions, and at what the constraints leave";
                warn(file, format!("`{file}` rendered nothing of all values that were tried"), help)
            })
            .collect()
    }
}

/// What with an empty list of a parameter matches all there is: the parameter, and the block.
pub(super) fn matching_all(service: &Service, globals: &Definition, flow: &Flow) -> BTreeMap<String, String> {
    let locals = &service.definition.parameters;
    let sampled = samples::of_parameters(locals, globals, &flow.literals, &flow.compared);
    let runtime = samples::runtime();
    let mut found = BTreeMap::new();
    let rendered = |layer: &Layer| {
        let layers = [layer];
        let ground = Ground { locals, globals, layers: &layers, runtime: &runtime, has_other_services: false };
        let acquisition = acquire(ground);
        let rendered = acquisition.faults().is_empty().then(|| service.render(&acquisition, Strictness::Utmost))?;
        rendered.ok().map(|configuration| configuration.matching_all())
    };
    // As little as there has to be, and all.
    for given in given(&sampled, 0, 2) {
        for (name, layer) in samples::with_empty(&sampled, &given) {
            if let Some(block) = rendered(&layer).and_then(|blocks| blocks.into_iter().next()) {
                found.entry(name.to_owned()).or_insert(block);
            }
        }
    }
    found
}

/// What all choices of values render that render anything.
#[cfg(test)]
pub(super) fn all(service: &Service) -> Vec<String> {
    let globals = Definition::default();
    let literals = ["a", "c", "10.0.0.0"].map(minijinja::Value::from);
    let sampled = samples::of_parameters(&service.definition.parameters, &globals, &literals, &[]);
    let runtime = samples::runtime();
    let mut rendered = Vec::new();
    for given in given(&sampled, MIXED, TRIED_MOST) {
        let layer = samples::layer(&sampled, &given);
        let (locals, layers) = (&service.definition.parameters, [&layer]);
        let ground =
            Ground { locals, globals: &globals, layers: &layers, runtime: &runtime, has_other_services: false };
        let acquisition = acquire(ground);
        if acquisition.faults().is_empty() {
            rendered.extend(
                service.render(&acquisition, Strictness::Utmost).map(|configuration| configuration.to_string()),
            );
        }
    }
    rendered
}
